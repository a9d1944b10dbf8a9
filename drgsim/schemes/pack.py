"""Read a scheme pack: a folder with ``scheme.toml`` and CSV tables, or an overlay that states differences from a base.

The format is described in ``docs/scheme-packs.md``. Everything that is wrong with a pack is reported at once.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from drgsim.assets import asset_root
from drgsim.errors import Problem, SchemeError, did_you_mean
from drgsim.records.codes import DICTIONARY_FILES, CodeBook, fold, national_codes, split_codes
from drgsim.schemes.model import KINDS, UNGROUPED, Adrg, Drg, Mdc, Scheme, Severity
from drgsim.schemes.parser import RuleSyntaxError, parse_rule
from drgsim.schemes.rules import Always, Rule, sets_of
from drgsim.schemes.settings import setting_problems
from drgsim.schemes.tables import Row, read_table

PACK_FILES = (
    "scheme.toml",
    "mdc.csv",
    "adrg.csv",
    "drg.csv",
    "sets.csv",
    "cc.csv",
    "exclusions.csv",
    "local_codes.csv",
)
_LONGEST_CODE = 32  # the longest national one has 18 characters, of two joined codes
_BLANK = re.compile(r"\s")
NOTE_FILES = ("derivation.csv",)  # tables beside the pack for people: they change no group
_MDC = ("order", "mdc", "name", "rule")
_ADRG = ("order", "adrg", "mdc", "name", "kind", "rule")
_DRG = ("order", "drg", "adrg", "name", "rule")
_LISTS = {
    "sets": (("set", "code"), ("set", "code")),
    "cc": (("code", "level", "exclusion"), ("code",)),
    "exclusions": (("exclusion", "code"), ("exclusion", "code")),
}


def scheme_ids() -> list[str]:
    """Ids of the DRG schemes that ship with drgsim."""
    return pack_ids("drg")


@lru_cache(maxsize=4)
def _shipped(root: Path) -> Mapping[str, bool]:
    """Id of every pack in a folder, and whether it is a DIP catalogue."""
    return {path.parent.name: is_dip(path.parent) for path in sorted(root.glob("*/scheme.toml"))}


def pack_ids(unit: str = "") -> list[str]:
    """Ids of the packs that ship with drgsim: those of DRG schemes (``drg``), of DIP catalogues (``dip``), or all."""
    return [name for name, dip in _shipped(asset_root("groupers")).items() if unit in ("", "dip" if dip else "drg")]


def is_dip(folder: Path) -> bool:
    """Whether a pack is a DIP catalogue, which :mod:`drgsim.dip` reads, and no DRG scheme."""
    return read_settings(folder).get("kind") == "dip"


def find_pack(scheme: str | Path, beside: Path | None = None) -> Path:
    """Folder of a scheme: a path to a pack, an id beside another pack, or an id that ships with drgsim.

    Raises
    ------
    SchemeError
        ``scheme-unknown`` when there is no such pack.
    """
    named = Path(scheme)
    shipped = [*([beside / named] if beside else []), asset_root("groupers") / named]
    # a plain id means the shipped scheme first, so that a folder of that name in the way changes nothing; ./id means the folder
    is_path = len(named.parts) > 1 or str(scheme).startswith(".")
    candidates = [named, *shipped] if is_path else [*shipped, named]
    for folder in candidates:
        if (folder / "scheme.toml").is_file():
            return folder.resolve()
    ids = pack_ids()
    raise SchemeError.single(
        "scheme-unknown",
        f"there is no scheme {str(scheme)!r}",
        why="it is neither a folder with a scheme.toml nor the id of a shipped scheme",
        fix=did_you_mean(str(scheme), ids) or f"choose one of {', '.join(ids)}, or name a folder",
    )


_READ: weakref.WeakValueDictionary[str, Scheme] = weakref.WeakValueDictionary()


@lru_cache(maxsize=8)
def _load(folder: Path, digest: str) -> Scheme:
    scheme = _Reader(folder, digest).scheme()
    _READ[digest] = scheme
    return scheme


def load_scheme(scheme: str | Path) -> Scheme:
    """Read a scheme by id or folder, resolve its bases and check it.

    Parameters
    ----------
    scheme
        Id of a shipped scheme (``chs-drg-2.0``) or path of a pack.

    Raises
    ------
    SchemeError
        With every problem found in the pack.

    Examples
    --------
    >>> scheme = load_scheme("chs-drg-2.0")
    >>> scheme.counts["drg"], scheme.drgs["FR21"].name
    (634, '心力衰竭、休克，伴严重合并症或并发症')
    """
    folder = find_pack(scheme)
    if is_dip(folder):
        raise SchemeError.single(
            "scheme-is-dip", f"{folder.name} is a DIP catalogue, no DRG scheme", where=str(folder),
            fix="group, explain, settle and schemes take it; this step needs a DRG scheme",
        )  # fmt: skip
    for _ in range(3):
        digest = pack_digest(folder)
        loaded = _load(folder, digest)
        if pack_digest(folder) == digest:  # nothing changed while it was read
            return loaded
        _load.cache_clear()
    raise SchemeError.single("pack-changing", f"the files of {folder.name} change while they are read", where=str(folder))


def is_as_read(scheme: Scheme) -> bool:
    """Whether a scheme object is what its files say: just as it was read, and not replaced since."""
    return _READ.get(scheme.digest) is scheme


def pack_digest(scheme: str | Path) -> str:
    """SHA-256 over all files that a scheme is read from: its own tables, those of its bases, and the code dictionaries."""
    sha = hashlib.sha256()
    icd = asset_root("groupers") / "icd"
    files = [icd / name for name in DICTIONARY_FILES]
    for folder in base_chain(find_pack(scheme)):
        files += [folder / name for name in PACK_FILES]
    for path in files:
        if path.is_file():
            sha.update(f"{path.parent.name}/{path.name}\0".encode())
            sha.update(hashlib.sha256(path.read_bytes()).digest())
    return sha.hexdigest()


def base_chain(scheme: str | Path) -> list[Path]:
    """Folders of a pack and its bases, nearest first."""
    chain = [find_pack(scheme)]
    while True:
        settings = read_settings(chain[-1])
        if settings.get("kind") != "overlay":
            return chain
        base = settings.get("base")
        if not isinstance(base, str) or not base:
            raise SchemeError.single(
                "pack-without-base",
                f"{chain[-1].name} is an overlay and names no base",
                where=f"{chain[-1].name}/scheme.toml",
                fix='add base = "..." with the id of a full pack',
            )
        following = find_pack(base, beside=chain[-1].parent)
        if following in chain:
            raise SchemeError.single(
                "pack-base-circle",
                "the bases of an overlay lead back to itself",
                where=f"{chain[-1].name}/scheme.toml",
                fix="an overlay chain must end in a full pack",
            )
        chain.append(following)


def read_settings(folder: Path) -> dict[str, Any]:
    """The values of a pack's ``scheme.toml``, unchecked."""
    try:
        return tomllib.loads((folder / "scheme.toml").read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SchemeError.single(
            "pack-unreadable-settings",
            f"scheme.toml of {folder.name} is not valid TOML: {error}",
            where=f"{folder.name}/scheme.toml",
        ) from error


@dataclass
class _Lists:
    """The three code tables of a pack as change-able collections."""

    sets: dict[tuple[str, ...], None] = field(default_factory=dict)
    cc: dict[tuple[str, ...], Row] = field(default_factory=dict)
    exclusions: dict[tuple[str, ...], None] = field(default_factory=dict)


class _Reader:
    """Reads one pack; collects problems and raises them together."""

    def __init__(self, folder: Path, digest: str) -> None:
        self.folder = folder
        self.digest = digest
        self.problems: list[Problem] = []
        self.chain = base_chain(folder)

    def scheme(self) -> Scheme:
        settings = self.settings()
        if any(problem.code == "pack-wrong-type" for problem in self.problems):
            self.stop_if_wrong()  # what follows reads the settings
        lists = self.lists()
        book = self.book()
        mdcs = self.groups()
        # a contradiction between tables means nothing while a table itself cannot be read
        self.stop_if_wrong()
        self.check_lists(mdcs, lists, book)
        named = {name for _, rule in _rules(mdcs) for name in sets_of(rule)}
        sets = _gathered(lists.sets)
        scheme = Scheme(
            **{key: settings.get(key, "") for key in ("id", "title_zh", "title_en", "issuer", "icd10", "icd9cm3")},
            sources=tuple(settings.get("sources", ())),
            notes=tuple(settings.get("notes", ())),
            chain=(settings.get("id", ""), *(folder.name for folder in self.chain[1:])),
            mdcs=mdcs,
            sets={name: codes for name, codes in sets.items() if name in named},
            severities={row[0]: Severity(row[1], row[2]) for row in lists.cc.values()},
            exclusions=_gathered(lists.exclusions),
            sites=settings.get("sites", {}),
            regroup=settings.get("options", {}).get("regroup", ""),
            reference_weights=settings.get("reference_weights", ""),
            coverage=settings.get("coverage", {}),
            book=book,
            digest=self.digest,
            folder=self.folder,
        )
        self.check_counts(scheme, settings.get("counts", {}))
        self.stop_if_wrong()
        return scheme

    # -- pieces --------------------
    def wrong(self, code: str, what: str, where: str = "", **more: str) -> None:
        self.problems.append(Problem(code, what, where=f"{self.folder.name}/{where}" if where else self.folder.name, **more))

    def stop_if_wrong(self) -> None:
        if self.problems:
            raise SchemeError(self.problems)

    def settings(self) -> dict[str, Any]:
        settings = read_settings(self.folder)
        self.problems += setting_problems(settings, self.folder.name)
        # a pack of the user's own may lie in a folder of any name; one that is found by its id may not
        if self.folder.parent == asset_root("groupers").resolve() and settings.get("id") not in (None, self.folder.name):
            what = f"the pack in folder {self.folder.name} says that its id is {settings['id']!r}"
            self.wrong("pack-wrong-id", what, "scheme.toml", fix="give folder and id the same name")
        for path in sorted(self.folder.glob("*.csv")):
            if path.name not in PACK_FILES + NOTE_FILES:
                self.wrong("pack-unknown-file", f"{path.name} is not a table of a pack", path.name,
                           why="a misspelt table would be passed over in silence",
                           fix=did_you_mean(path.name, PACK_FILES) or "rename or remove the file")  # fmt: skip
        return settings

    def lists(self) -> _Lists:
        """Code tables of the full pack at the end of the chain, with the changes of each overlay applied in turn."""
        lists = _Lists()
        for folder in reversed(self.chain):
            full = folder == self.chain[-1]
            for table, (columns, key) in _LISTS.items():
                path = folder / f"{table}.csv"
                if not path.is_file():
                    if full:
                        self.wrong("pack-missing-table", f"the pack lacks {table}.csv", f"{table}.csv")
                    continue
                content: dict[tuple[str, ...], Any] = getattr(lists, table)
                if full:
                    for row in read_table(path, columns, key, self.problems):
                        content[row[: len(key)]] = row
                else:
                    changed = (*columns, "change")
                    self.apply(table, content, read_table(path, changed, (*key, "change"), self.problems), len(key))
        return lists

    def apply(self, table: str, content: dict[tuple[str, ...], Any], changes: list[Row], width: int) -> None:
        for sign in "-+":
            for row in changes:
                key = row[:width]
                if row[-1] != sign:
                    if row[-1] not in ("-", "+"):
                        self.wrong(
                            "pack-unknown-change", f"{', '.join(key)}: change is {row[-1]!r}", f"{table}.csv", fix="use + or -"
                        )
                elif sign == "-" and content.pop(key, self) is self:
                    self.wrong(
                        "pack-change-of-nothing",
                        f"{', '.join(key)} is taken away but the base does not list it",
                        f"{table}.csv",
                    )
                elif sign == "+":
                    if key in content:
                        self.wrong(
                            "pack-change-of-nothing", f"{', '.join(key)} is added but the base lists it already", f"{table}.csv"
                        )
                    content[key] = row[:-1]

    def book(self) -> CodeBook:
        local: dict[str, dict[str, str]] = {"diagnosis": {}, "procedure": {}}
        for folder in self.chain:
            path = folder / "local_codes.csv"
            if not path.is_file():
                continue
            for kind, code, name in read_table(path, ("kind", "code", "name"), ("kind", "code"), self.problems):
                if kind in local:
                    local[kind].setdefault(code, name)
                else:
                    self.wrong(
                        "pack-unknown-code-kind",
                        f"{code}: kind is {kind!r}",
                        "local_codes.csv",
                        fix="use diagnosis or procedure",
                    )
        national = national_codes()
        for kind, codes in (("diagnosis", national.diagnoses), ("procedure", national.procedures)):
            spelled = {fold(code) for code in codes.codes}
            for code in sorted(local[kind]):
                if split_codes(code) != [fold(code)] or len(code) > _LONGEST_CODE:
                    self.wrong(
                        "pack-impossible-local-code",
                        f"{code!r} could never be read as one code of a record",
                        "local_codes.csv",
                        why=f"lists of codes are split at | ; , 、, and a code has at most {_LONGEST_CODE} characters",
                        fix="correct the code",
                    )
            for code in sorted(code for code in local[kind] if fold(code) in spelled):
                self.wrong(
                    "pack-local-code-is-national",
                    f"{code} is listed as local but the national dictionary has it",
                    "local_codes.csv",
                    fix="remove the row",
                )
        return national.extended(local["diagnosis"], local["procedure"])

    def groups(self) -> tuple[Mdc, ...]:
        tables = {}
        for name, columns, key in (("mdc", _MDC, "mdc"), ("adrg", _ADRG, "adrg"), ("drg", _DRG, "drg")):
            # an overlay that leaves a table out has that of its base
            path = next((folder / f"{name}.csv" for folder in self.chain if (folder / f"{name}.csv").is_file()), None)
            if path is None:
                self.wrong("pack-missing-table", f"the pack lacks {name}.csv", f"{name}.csv")
                return ()
            tables[name] = read_table(path, columns, (key,), self.problems)
            self.check_names(name, tables[name])
        drgs = self.nested("drg", tables["drg"], 2, {row[1] for row in tables["adrg"]}, "ADRG")
        adrgs = self.nested("adrg", tables["adrg"], 2, {row[1] for row in tables["mdc"]}, "MDC")
        self.check_orders("mdc", "the scheme", tables["mdc"])
        built: dict[str, list[Adrg]] = {}
        for mdc, rows in adrgs.items():
            for _, code, _, name, kind, rule in rows:
                if kind not in KINDS:
                    self.wrong(
                        "pack-unknown-adrg-kind", f"{code}: kind is {kind!r}", "adrg.csv", fix=f"use one of {', '.join(KINDS)}"
                    )
                if code not in drgs:
                    self.wrong("pack-adrg-without-drg", f"ADRG {code} has no row in drg.csv", "drg.csv")
                children = tuple(Drg(row[1], code, row[3], self.rule("drg.csv", row[1], row[4])) for row in drgs.get(code, ()))
                built.setdefault(mdc, []).append(Adrg(code, mdc, name, kind, self.rule("adrg.csv", code, rule), children))
        return tuple(
            Mdc(code, name, self.rule("mdc.csv", code, rule), tuple(built.get(code, ())))
            for _, code, name, rule in sorted(tables["mdc"], key=lambda row: _order(row[0]))
        )

    def check_names(self, table: str, rows: list[Row]) -> None:
        """Codes that an answer could not carry, and orders that are no numbers."""
        if not rows and not self.problems:
            self.wrong("pack-empty-table", f"{table}.csv holds no row", f"{table}.csv", why="nothing could be grouped")
        for order, code, *_ in rows:
            if not code or code == UNGROUPED or _BLANK.search(code):
                self.wrong(
                    "pack-impossible-code",
                    f"{code!r} cannot be the code of a row",
                    f"{table}.csv",
                    why=f"{UNGROUPED} means that no group was found; a code is neither empty nor broken by blanks",
                    fix="give the row a code of its own",
                )
            if _order(order) < 1:
                self.wrong(
                    "pack-impossible-order", f"the order of {code} is {order!r}", f"{table}.csv", fix="number the rows from 1"
                )

    def nested(self, table: str, rows: list[Row], parent: int, parents: set[str], title: str) -> dict[str, list[Row]]:
        """Rows by parent, each in order; a row under an unknown parent and a gap in the orders are reported."""
        found: dict[str, list[Row]] = {}
        for row in rows:
            if row[parent] in parents:
                found.setdefault(row[parent], []).append(row)
            else:
                self.wrong(
                    "pack-unknown-parent",
                    f"{row[1]} belongs to {title} {row[parent]}, which the pack does not have",
                    f"{table}.csv",
                    fix=did_you_mean(row[parent], sorted(parents)),
                )
        for name, group in found.items():
            self.check_orders(table, name, group)
            group.sort(key=lambda row: _order(row[0]))
        return found

    def check_orders(self, table: str, parent: str, rows: list[Row]) -> None:
        orders = sorted(_order(row[0]) for row in rows)
        if not orders or orders[0] < 1:
            return  # said already, by row
        for expected, order in enumerate(orders, start=1):
            if order != expected:
                self.wrong(
                    "pack-order-gap",
                    f"the orders within {parent} run {_shown(orders)}; {expected} is missing or another stands twice",
                    f"{table}.csv",
                    fix="number the rows 1, 2, 3 ... without gaps",
                )
                return

    def rule(self, table: str, code: str, text: str) -> Rule:
        try:
            return parse_rule(text)
        except RuleSyntaxError as error:
            self.wrong("pack-unreadable-rule", f"rule of {code}: {error}", table)
            return Always()

    # -- checks across tables --------------------
    def check_lists(self, mdcs: tuple[Mdc, ...], lists: _Lists, book: CodeBook) -> None:
        defined = {key[0] for key in lists.sets}
        named: dict[str, str] = {}
        for code, rule in _rules(mdcs):
            for name in sets_of(rule):
                named.setdefault(name, code)
        for name in sorted(set(named) - defined):
            self.wrong(
                "pack-unknown-set",
                f"the rule of {named[name]} names {name}, which sets.csv does not list",
                "sets.csv",
                fix=did_you_mean(name, sorted(defined)),
            )
        own = defined if len(self.chain) == 1 else self.own_sets()
        for name in sorted(own - set(named)):
            self.wrong("pack-unused-set", f"no rule names the set {name}", "sets.csv", fix="remove the set or mend the rule")
        self.check_codes("sets.csv", book, {(key[0][:2], key[1]): key[0] for key in lists.sets})
        self.check_codes("cc.csv", book, {("DI", key[0]): "cc" for key in lists.cc})
        self.check_codes("exclusions.csv", book, {("DI", key[1]): key[0] for key in lists.exclusions})
        known = {key[0] for key in lists.exclusions} | {""}
        for code, level, exclusion in lists.cc.values():
            if level not in ("MCC", "CC"):
                self.wrong("pack-unknown-level", f"{code}: level is {level!r}", "cc.csv", fix="use MCC or CC")
            if exclusion not in known:
                self.wrong(
                    "pack-unknown-exclusion",
                    f"{code} refers to exclusion {exclusion}, which exclusions.csv does not list",
                    "cc.csv",
                )
        self.check_local_codes(lists, book)

    def own_sets(self) -> set[str]:
        """Sets that only the overlay itself mentions: a base's set may stay unused, one that it lacks may not."""
        path = self.folder / "sets.csv"
        if not path.is_file():
            return set()
        ignored: list[Problem] = []
        own = {row[0] for row in read_table(path, ("set", "code", "change"), ("set", "code", "change"), ignored)}
        base = _sets_of_chain(self.chain[1:])
        return own - base

    def check_codes(self, table: str, book: CodeBook, codes: Mapping[tuple[str, str], str]) -> None:
        known = {"DI": set(book.diagnoses.codes), "OP": set(book.procedures.codes)}
        for (side, code), place in codes.items():
            if code not in known.get(side, ()):
                what = f"{place} lists {code}, which the national dictionary does not have"
                self.wrong("pack-unknown-code", what, table, fix="correct the code, or list it in local_codes.csv")

    def check_local_codes(self, lists: _Lists, book: CodeBook) -> None:
        used = {(key[0][:2], key[1]) for key in lists.sets}
        used |= {("DI", key[0]) for key in lists.cc} | {("DI", key[1]) for key in lists.exclusions}
        national = national_codes()
        for side, codes, base in (("DI", book.diagnoses, national.diagnoses), ("OP", book.procedures, national.procedures)):
            for code in codes.codes[len(base.codes) :]:
                if (side, code) not in used and len(self.chain) == 1:
                    self.wrong(
                        "pack-unused-local-code",
                        f"local_codes.csv lists {code}, which no table of the pack uses",
                        "local_codes.csv",
                        fix="remove the row",
                    )

    def check_counts(self, scheme: Scheme, promised: Mapping[str, int]) -> None:
        actual = dict(scheme.counts)
        for table in _LISTS if scheme.is_overlay else ():
            path = self.folder / f"{table}.csv"
            lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else ["header"]
            actual[f"{table.rstrip('s')}_changes"] = len(lines) - 1
        for name, count in promised.items():
            if name not in actual:
                self.wrong(
                    "pack-unknown-count",
                    f"counts.{name} is not a size of a pack",
                    "scheme.toml",
                    fix=did_you_mean(name, sorted(actual)),
                )
            elif actual[name] != count:
                self.wrong(
                    "pack-wrong-count", f"scheme.toml promises {name} = {count}, the tables hold {actual[name]}", "scheme.toml"
                )


def _sets_of_chain(chain: list[Path]) -> set[str]:
    """Names of all sets that a chain of packs defines."""
    ignored: list[Problem] = []
    names: set[str] = set()
    for folder in chain:
        columns = ("set", "code") if folder == chain[-1] else ("set", "code", "change")
        if (folder / "sets.csv").is_file():
            names |= {row[0] for row in read_table(folder / "sets.csv", columns, columns, ignored)}
    return names


def _rules(mdcs: tuple[Mdc, ...]) -> list[tuple[str, Rule]]:
    found: list[tuple[str, Rule]] = []
    for mdc in mdcs:
        found.append((mdc.code, mdc.rule))
        for adrg in mdc.adrgs:
            found.append((adrg.code, adrg.rule))
            found += [(drg.code, drg.rule) for drg in adrg.drgs]
    return found


def _gathered(rows: Mapping[tuple[str, ...], object]) -> dict[str, frozenset[str]]:
    gathered: dict[str, set[str]] = {}
    for name, code in rows:
        gathered.setdefault(name, set()).add(code)
    return {name: frozenset(codes) for name, codes in gathered.items()}


def _order(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else -1


def _shown(orders: list[int]) -> str:
    head = ", ".join(map(str, orders[:12]))
    return head + (" ..." if len(orders) > 12 else "")

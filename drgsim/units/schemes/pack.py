"""Read a scheme pack: a folder with ``scheme.toml`` and CSV tables, or an overlay that states differences from a base.

The format is described in ``docs/scheme-packs.md``. Everything that is wrong with a pack is reported at once.
"""

from __future__ import annotations

import hashlib
import tomllib
import weakref
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from drgsim.assets import asset_root
from drgsim.errors import Problem, SchemeError, did_you_mean, words_of, wrong_type
from drgsim.language import text
from drgsim.parameters.own_folder import leaves_folder
from drgsim.records.code_dictionaries import DICTIONARY_FILES
from drgsim.units.schemes.pack_groups import GroupTables
from drgsim.units.schemes.pack_lists import LIST_TABLES, ListTables, codes_by_list, rules_of
from drgsim.units.schemes.pack_marks import MARKS_COLUMNS, MARKS_FILE, read_marks
from drgsim.units.schemes.pack_part import PackPart
from drgsim.units.schemes.pack_settings import setting_problems
from drgsim.units.schemes.pack_tables import read_table
from drgsim.units.schemes.rule_language import sets_of
from drgsim.units.schemes.scheme import Scheme, Severity

PACK_FILES = (
    "scheme.toml",
    "mdc.csv",
    "adrg.csv",
    "drg.csv",
    "sets.csv",
    "cc.csv",
    "exclusions.csv",
    "local_codes.csv",
    MARKS_FILE,
)
AUTO = "auto"  # in the place of a scheme: the national one on each date of discharge
NOTE_FILES = ("derivation.csv",)  # tables beside the pack for people: they change no group


def scheme_ids() -> list[str]:
    """Ids of the DRG schemes that ship with drgsim.

    Returns
    -------
    list of str
        In the order of their names; :func:`drgsim.schemes` tells more of each.

    Examples
    --------
    >>> "chs-drg-2.0" in scheme_ids()
    True
    """
    return pack_ids("drg")


@lru_cache(maxsize=4)
def _shipped(root: Path) -> Mapping[str, bool]:
    """Id of every pack in a folder, and whether it is a DIP catalogue."""
    return {path.parent.name: is_dip(path.parent) for path in sorted(root.glob("*/scheme.toml"))}


def pack_ids(unit: str = "") -> list[str]:
    """Ids of the packs that ship with drgsim: those of DRG schemes (``drg``), of DIP catalogues (``dip``), or all."""
    return [name for name, dip in _shipped(asset_root("groupers")).items() if unit in ("", "dip" if dip else "drg")]


def is_dip(folder: Path) -> bool:
    """Whether a pack is a DIP catalogue, which :mod:`drgsim.units.dip` reads, and no DRG scheme."""
    return read_settings(folder).get("kind") == "dip"


def find_pack(scheme: str | Path, beside: Path | None = None) -> Path:
    """Folder of a scheme: a path to a pack, an id beside another pack, or an id that ships with drgsim.

    Raises
    ------
    SchemeError
        ``scheme-unknown`` when there is no such pack; ``scheme-is-auto`` where one scheme is needed.
    """
    named = Path(scheme)
    if beside is not None and (how := leaves_folder(str(scheme), beside)):
        what = text("the base {scheme} {how}", scheme=str(scheme), how=how)
        fix = text("put the base beside the pack that names it, or name the id of one that ships")
        raise SchemeError.single("pack-path-outside", what, fix=fix)
    shipped = [*([beside / named] if beside else []), asset_root("groupers") / named]
    # a plain id means the shipped scheme first, so that a folder of that name in the way changes nothing; ./id means the folder
    is_path = len(named.parts) > 1 or str(scheme).startswith(".")
    candidates = shipped if beside else [named, *shipped] if is_path else [*shipped, named]
    for folder in candidates:
        if (folder / "scheme.toml").is_file():
            return folder.resolve()
    if scheme == AUTO:
        raise SchemeError.single(
            "scheme-is-auto",
            text("auto stands for the national scheme on each date of discharge, and this step needs one scheme"),
            fix=text("name it, such as chs-drg-3.0"),
        )
    ids = pack_ids()
    raise SchemeError.single(
        "scheme-unknown",
        text("there is no scheme {scheme!r}", scheme=str(scheme)),
        why=text("it is neither a folder with a scheme.toml nor the id of a shipped scheme"),
        fix=did_you_mean(str(scheme), ids) or text("choose one of {ids}, or name a folder", ids=", ".join(ids)),
    )


_READ: weakref.WeakValueDictionary[str, Scheme] = weakref.WeakValueDictionary()


@lru_cache(maxsize=8)
def _load(folder: Path, digest: str) -> Scheme:
    scheme = _PackReader(folder, digest).scheme()
    _READ[digest] = scheme
    return scheme


def load_scheme(scheme: str | Path) -> Scheme:
    """Read a scheme by id or folder, resolve its bases and check it.

    Parameters
    ----------
    scheme
        Id of a shipped scheme (``chs-drg-2.0``) or path of a pack.

    Returns
    -------
    Scheme
        Its MDCs, ADRGs and DRGs with rules and code lists; what :func:`drgsim.group` and others take.

    Raises
    ------
    SchemeError
        ``scheme-unknown``, or every problem found in the pack.

    Examples
    --------
    >>> scheme = load_scheme("chs-drg-2.0")
    >>> scheme.counts["drg"], scheme.drgs["FR21"].name
    (634, '心力衰竭、休克，伴严重合并症或并发症')
    """
    if not isinstance(scheme, str | Path) or not str(scheme).strip():
        raise wrong_type("scheme", scheme, text("the id of a scheme, or its folder"))
    folder = find_pack(scheme)
    if is_dip(folder):
        raise SchemeError.single(
            "scheme-is-dip", text("{folder} is a DIP catalogue, no DRG scheme", folder=folder.name), where=str(folder),
            fix=text("group, explain, settle, switch and dip diff take it; this step needs a DRG scheme"),
        )  # fmt: skip
    for _ in range(3):
        digest = pack_digest(folder)
        loaded = _load(folder, digest)
        if pack_digest(folder) == digest:  # nothing changed while it was read
            return loaded
        _load.cache_clear()
    raise SchemeError.single(
        "pack-changing", text("the files of {folder} change while they are read", folder=folder.name), where=str(folder)
    )


@lru_cache(maxsize=32)
def marked_groups(mark: str) -> tuple[str, ...]:
    """Groups that a scheme marks, such as ``chs-drg-3.0/primary_care``.

    Raises
    ------
    SchemeError
        ``scheme-unknown``, or ``scheme-unknown-mark`` when the scheme has no such mark.

    Examples
    --------
    >>> len(marked_groups("chs-drg-3.0/primary_care"))
    31
    """
    scheme, _, name = mark.rpartition("/")
    chain = base_chain(scheme or name)
    folder = next((each for each in chain if (each / MARKS_FILE).is_file()), chain[0])
    titles = read_settings(folder).get("marks", {})
    if name not in titles:
        raise SchemeError.single(
            "scheme-unknown-mark", text("{scheme} has no mark {name!r}", scheme=scheme or name, name=name), where=mark,
            fix=did_you_mean(name, list(titles)) or text("write SCHEME/MARK, such as chs-drg-3.0/primary_care"),
        )  # fmt: skip
    problems: list[Problem] = []
    rows = read_table(folder / MARKS_FILE, MARKS_COLUMNS, MARKS_COLUMNS, problems)
    if problems:
        raise SchemeError(problems)
    return tuple(code for code, own in rows if own == name)


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
                text("{chain} is an overlay and names no base", chain=chain[-1].name),
                where=f"{chain[-1].name}/scheme.toml",
                fix=text('add base = "..." with the id of a full pack'),
            )
        following = find_pack(base, beside=chain[-1].parent)
        if following in chain:
            raise SchemeError.single(
                "pack-base-circle",
                text("the bases of an overlay lead back to itself"),
                where=f"{chain[-1].name}/scheme.toml",
                fix=text("an overlay chain must end in a full pack"),
            )
        chain.append(following)


def read_settings(folder: Path) -> dict[str, Any]:
    """The values of a pack's ``scheme.toml``, unchecked."""
    try:
        return tomllib.loads((folder / "scheme.toml").read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # no TOML, no UTF-8, numbers of too many digits, nesting without end
        raise SchemeError.single(
            "pack-unreadable-settings",
            text("scheme.toml of {folder} is not valid TOML: {error}", folder=folder.name, error=words_of(error)),
            where=f"{folder.name}/scheme.toml",
        ) from error


class _PackReader(PackPart):
    """Reads one pack; collects problems and raises them together."""

    def __init__(self, folder: Path, digest: str) -> None:
        super().__init__(folder, base_chain(folder), [])
        self.digest = digest

    def scheme(self) -> Scheme:
        settings = self.settings()
        if any(problem.code == "pack-wrong-type" for problem in self.problems):
            self.stop_if_wrong()  # what follows reads the settings
        tables = ListTables(self.folder, self.chain, self.problems)
        lists, book = tables.read(), tables.book()
        mdcs = GroupTables(self.folder, self.chain, self.problems).read()
        # a contradiction between tables means nothing while a table itself cannot be read
        self.stop_if_wrong()
        tables.check(mdcs, lists, book)
        named = {name for _, rule in rules_of(mdcs) for name in sets_of(rule)}
        sets = codes_by_list(lists.sets)
        scheme = Scheme(
            **{key: settings.get(key, "") for key in ("id", "title_zh", "title_en", "issuer", "icd10", "icd9cm3")},
            sources=tuple(settings.get("sources", ())),
            notes=tuple(settings.get("notes", ())),
            chain=(settings.get("id", ""), *(folder.name for folder in self.chain[1:])),
            mdcs=mdcs,
            sets={name: codes for name, codes in sets.items() if name in named},
            severities={row[0]: Severity(row[1], row[2]) for row in lists.cc.values()},
            exclusions=codes_by_list(lists.exclusions),
            sites=settings.get("sites", {}),
            regroup=settings.get("options", {}).get("regroup", ""),
            reference_weights=settings.get("reference_weights", ""),
            coverage=settings.get("coverage", {}),
            book=book,
            digest=self.digest,
            marks=read_marks(self, [read_settings(folder) for folder in self.chain], mdcs),
            folder=self.folder,
        )
        self.check_counts(scheme, settings.get("counts", {}))
        self.stop_if_wrong()
        return scheme

    # -- pieces --------------------
    def settings(self) -> dict[str, Any]:
        settings = read_settings(self.folder)
        self.problems += setting_problems(settings, self.folder.name)
        # a pack of the user's own may lie in a folder of any name; one that is found by its id may not
        if self.folder.parent == asset_root("groupers").resolve() and settings.get("id") not in (None, self.folder.name):
            what = text("the pack in folder {folder} says that its id is {id!r}", folder=self.folder.name, id=settings["id"])
            self.wrong("pack-wrong-id", what, "scheme.toml", fix=text("give folder and id the same name"))
        for path in sorted(self.folder.glob("*.csv")):
            if path.name not in PACK_FILES + NOTE_FILES:
                self.wrong("pack-unknown-file", text("{file} is not a table of a pack", file=path.name), path.name,
                           why=text("a misspelt table would be passed over in silence"),
                           fix=did_you_mean(path.name, PACK_FILES) or text("rename or remove the file"))  # fmt: skip
        return settings

    def check_counts(self, scheme: Scheme, promised: Mapping[str, int]) -> None:
        actual = dict(scheme.counts)
        for table in LIST_TABLES if scheme.is_overlay else ():
            path = self.folder / f"{table}.csv"
            lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else ["header"]
            actual[f"{table.rstrip('s')}_changes"] = len(lines) - 1
        for name, count in promised.items():
            if name not in actual:
                self.wrong(
                    "pack-unknown-count",
                    text("counts.{name} is not a size of a pack", name=name),
                    "scheme.toml",
                    fix=did_you_mean(name, sorted(actual)),
                )
            elif actual[name] != count:
                self.wrong(
                    "pack-wrong-count",
                    text(
                        "scheme.toml promises {name} = {count}, the tables hold {actual}",
                        name=name,
                        count=count,
                        actual=actual[name],
                    ),
                    "scheme.toml",
                )

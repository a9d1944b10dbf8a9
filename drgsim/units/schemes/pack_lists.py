"""The tables of a pack that list codes: sets, CC and MCC, exclusions and local codes, with the changes of overlays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from drgsim.errors import did_you_mean
from drgsim.language import text
from drgsim.records.code_dictionaries import CodeBook, fold, national_codes, split_codes
from drgsim.units.schemes.pack_part import PackPart
from drgsim.units.schemes.pack_tables import Row, read_table
from drgsim.units.schemes.rule_language import Rule, sets_of
from drgsim.units.schemes.scheme import Mdc

_LONGEST_CODE = 32  # the longest national one has 18 characters, of two joined codes
# table -> its columns and those that name a row
LIST_TABLES = {
    "sets": (("set", "code"), ("set", "code")),
    "cc": (("code", "level", "exclusion"), ("code",)),
    "exclusions": (("exclusion", "code"), ("exclusion", "code")),
}


@dataclass
class CodeTables:
    """The three code tables of a pack as change-able collections.

    ``own_sets`` are those that only the pack itself mentions: a set of its base may stay unused, one that it lacks may not.
    """

    sets: dict[tuple[str, ...], None] = field(default_factory=dict)
    cc: dict[tuple[str, ...], Row] = field(default_factory=dict)
    exclusions: dict[tuple[str, ...], None] = field(default_factory=dict)
    own_sets: set[str] = field(default_factory=set)


class ListTables(PackPart):
    """Reads the code tables of a pack and its bases, and checks them against its rules."""

    def read(self) -> CodeTables:
        """Code tables of the full pack at the end of the chain, with the changes of each overlay applied in turn."""
        lists = CodeTables()
        sets_of_bases: set[str] = set()
        for folder in reversed(self.chain):
            full = folder == self.chain[-1]
            sets_of_bases |= lists.own_sets
            lists.own_sets = set()
            for table, (columns, key) in LIST_TABLES.items():
                path = folder / f"{table}.csv"
                if not path.is_file():
                    if full:
                        self.wrong(
                            "pack-missing-table",
                            text("the pack lacks {table}.csv", table=table),
                            f"{table}.csv",
                        )
                    continue
                content: dict[tuple[str, ...], Any] = getattr(lists, table)
                if full:
                    rows = read_table(path, columns, key, self.problems)
                    content.update((row[: len(key)], row) for row in rows)
                else:
                    rows = read_table(path, (*columns, "change"), (*key, "change"), self.problems)
                    self.apply(table, content, rows, len(key))
                if table == "sets":
                    lists.own_sets = {row[0] for row in rows} - sets_of_bases
        return lists

    def apply(self, table: str, content: dict[tuple[str, ...], Any], changes: list[Row], width: int) -> None:
        for sign in "-+":
            for row in changes:
                key = row[:width]
                if row[-1] != sign:
                    if row[-1] not in ("-", "+"):
                        self.wrong(
                            "pack-unknown-change",
                            text("{key}: change is {row!r}", key=", ".join(key), row=row[-1]),
                            f"{table}.csv",
                            fix=text("use + or -"),
                        )
                elif sign == "-" and content.pop(key, self) is self:
                    self.wrong(
                        "pack-change-of-nothing",
                        text("{key} is taken away but the base does not list it", key=", ".join(key)),
                        f"{table}.csv",
                    )
                elif sign == "+":
                    if key in content:
                        self.wrong(
                            "pack-change-of-nothing",
                            text("{key} is added but the base lists it already", key=", ".join(key)),
                            f"{table}.csv",
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
                        text("{code}: kind is {kind!r}", code=code, kind=kind),
                        "local_codes.csv",
                        fix=text("use diagnosis or procedure"),
                    )
        national = national_codes()
        for kind, codes in (("diagnosis", national.diagnoses), ("procedure", national.procedures)):
            spelled = set(codes.in_order[0])
            for code in sorted(local[kind]):
                if split_codes(code) != [fold(code)] or len(code) > _LONGEST_CODE:
                    self.wrong(
                        "pack-impossible-local-code",
                        text("{code!r} could never be read as one code of a record", code=code),
                        "local_codes.csv",
                        why=text(
                            "lists of codes are split at | ; , 、, and a code has at most {longest_code} characters",
                            longest_code=_LONGEST_CODE,
                        ),
                        fix=text("correct the code"),
                    )
            for code in sorted(code for code in local[kind] if fold(code) in spelled):
                self.wrong(
                    "pack-local-code-is-national",
                    text("{code} is listed as local but the national dictionary has it", code=code),
                    "local_codes.csv",
                    fix=text("remove the row"),
                )
        return national.extended(local["diagnosis"], local["procedure"])

    # -- checks across tables --------------------
    def check(self, mdcs: tuple[Mdc, ...], lists: CodeTables, book: CodeBook) -> None:
        defined = {key[0] for key in lists.sets}
        named: dict[str, str] = {}
        for code, rule in rules_of(mdcs):
            for name in sets_of(rule):
                named.setdefault(name, code)
        for name in sorted(set(named) - defined):
            self.wrong(
                "pack-unknown-set",
                text("the rule of {named} names {name}, which sets.csv does not list", named=named[name], name=name),
                "sets.csv",
                fix=did_you_mean(name, sorted(defined)),
            )
        for name in sorted(lists.own_sets - set(named)):
            self.wrong(
                "pack-unused-set",
                text("no rule names the set {name}", name=name),
                "sets.csv",
                fix=text("remove the set or mend the rule"),
            )
        sides = {"DI": set(book.diagnoses.codes), "OP": set(book.procedures.codes)}
        self.check_codes("sets.csv", sides, {(key[0][:2], key[1]): key[0] for key in lists.sets})
        self.check_codes("cc.csv", sides, {("DI", key[0]): "cc" for key in lists.cc})
        self.check_codes("exclusions.csv", sides, {("DI", key[1]): key[0] for key in lists.exclusions})
        known = {key[0] for key in lists.exclusions} | {""}
        for code, level, exclusion in lists.cc.values():
            if level not in ("MCC", "CC"):
                self.wrong(
                    "pack-unknown-level",
                    text("{code}: level is {level!r}", code=code, level=level),
                    "cc.csv",
                    fix=text("use MCC or CC"),
                )
            if exclusion not in known:
                self.wrong(
                    "pack-unknown-exclusion",
                    text(
                        "{code} refers to exclusion {exclusion}, which exclusions.csv does not list",
                        code=code,
                        exclusion=exclusion,
                    ),
                    "cc.csv",
                )
        self.check_local_codes(lists, book)

    def check_codes(self, table: str, known: Mapping[str, set[str]], codes: Mapping[tuple[str, str], str]) -> None:
        for (side, code), place in codes.items():
            if code not in known.get(side, ()):
                what = text("{place} lists {code}, which the national dictionary does not have", place=place, code=code)
                self.wrong("pack-unknown-code", what, table, fix=text("correct the code, or list it in local_codes.csv"))

    def check_local_codes(self, lists: CodeTables, book: CodeBook) -> None:
        used = {(key[0][:2], key[1]) for key in lists.sets}
        used |= {("DI", key[0]) for key in lists.cc} | {("DI", key[1]) for key in lists.exclusions}
        national = national_codes()
        for side, codes, base in (("DI", book.diagnoses, national.diagnoses), ("OP", book.procedures, national.procedures)):
            for code in codes.codes[len(base.codes) :]:
                if (side, code) not in used and len(self.chain) == 1:
                    self.wrong(
                        "pack-unused-local-code",
                        text("local_codes.csv lists {code}, which no table of the pack uses", code=code),
                        "local_codes.csv",
                        fix=text("remove the row"),
                    )


def rules_of(mdcs: tuple[Mdc, ...]) -> list[tuple[str, Rule]]:
    found: list[tuple[str, Rule]] = []
    for mdc in mdcs:
        found.append((mdc.code, mdc.rule))
        for adrg in mdc.adrgs:
            found.append((adrg.code, adrg.rule))
            found += [(drg.code, drg.rule) for drg in adrg.drgs]
    return found


def codes_by_list(rows: Mapping[tuple[str, ...], object]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for name, code in rows:
        found.setdefault(name, set()).add(code)
    return {name: frozenset(codes) for name, codes in found.items()}

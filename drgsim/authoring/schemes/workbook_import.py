"""The national grouping workbook to a scheme pack, and a scheme back to a workbook of the same layout.

The official file has six sheets (MDC, ADRG, DRG, 集合, CC, 排除表). What it does not state is worked out or left empty, never
made up: the kind of an ADRG follows from the second letter of its code (A to J surgical, K to Q procedure, R to Z medical),
unless a column 类型 states it; an export adds a sheet with the settings of the pack.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drgsim.authoring.schemes.pack_writer import natural
from drgsim.authoring.schemes.workbook_pack import workbook_pack
from drgsim.authoring.schemes.workbook_sheets import Sheet, layout, read_sheets
from drgsim.errors import Problem, SchemeError
from drgsim.records.code_dictionaries import CodeList, national_codes
from drgsim.units.schemes.rule_language import print_rule, sets_of
from drgsim.units.schemes.rule_parser import RuleSyntaxError, parse_rule
from drgsim.units.schemes.scheme import KINDS

NEVER = "not 1"


@dataclass
class WorkbookReading:
    """What a workbook holds.

    Attributes
    ----------
    files
        The pack: file name -> text.
    counts
        Sizes as ``scheme.toml`` promises them.
    notices
        What a reader should know: rows left out, corrections applied, codes outside the national dictionaries.
    unread
        Rules that could not be read, with sheet and row; in the pack they never hold.
    """

    files: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    unread: list[Problem] = field(default_factory=list)


def read_workbook(
    path: str | Path, scheme_id: str, *, corrections: str | Path | None = None, keep_unread: bool = False
) -> WorkbookReading:
    """Read a workbook in the official layout as a full pack.

    Parameters
    ----------
    path
        The workbook.
    scheme_id
        Id of the pack.
    corrections
        ``published`` for the corrections that ship with drgsim, or a CSV table with the columns exclusion, code, source.
    keep_unread
        Make rows whose rule cannot be read never hold (``not 1``) and go on, instead of refusing the workbook.

    Raises
    ------
    InputError
        When the file is no workbook.
    SchemeError
        With everything that is wrong, each with sheet and row.
    """
    return _WorkbookReader(Path(path), scheme_id, keep_unread).read(corrections)


def kind_of(code: str) -> str:
    """Kind of an ADRG by its code: the national letter bands, ``QY`` ambiguous, ``00`` fall-back.

    Examples
    --------
    >>> kind_of("FB1"), kind_of("FM1"), kind_of("FR2"), kind_of("FQY"), kind_of("F00")
    ('surgical', 'procedure', 'medical', 'ambiguous', 'fallback')
    """
    if code[1:] == "QY":
        return "ambiguous"
    letter = code[1:2]
    if letter == "0":
        return "fallback"
    return "surgical" if "A" <= letter <= "J" else "procedure" if "K" <= letter <= "Q" else "medical"


class _WorkbookReader:
    def __init__(self, path: Path, scheme_id: str, keep_unread: bool) -> None:
        self.path = path
        self.id = scheme_id
        self.keep_unread = keep_unread
        self.problems: list[Problem] = []
        self.result = WorkbookReading()
        self.named: dict[str, str] = {}  # set -> where a rule names it first

    def wrong(self, code: str, what: str, sheet: Sheet | None = None, row: int = 0, **more: str) -> None:
        where = f"{self.path.name}, sheet {sheet.name}, row {row}" if sheet else self.path.name
        self.problems.append(Problem(code, what, where=where, **more))

    def read(self, corrections: str | Path | None) -> WorkbookReading:
        sheets, extra, self.problems = read_sheets(self.path)
        if self.problems:
            raise SchemeError(self.problems)
        settings, local_names = _extra(extra)
        mdcs = self.mdcs(sheets["mdc"])
        adrgs = self.children(sheets["adrg"], "adrg", "mdc", {row[1] for row in mdcs})
        drgs = self.children(sheets["drg"], "drg", "adrg", {row[1] for row in adrgs})
        for code in sorted({str(row[1]) for row in adrgs} - {str(row[2]) for row in drgs}):
            self.wrong("workbook-adrg-without-drg", f"ADRG {code} has no row in sheet {sheets['drg'].name}", sheets["adrg"])
        sets, names = self.sets(sheets["sets"])
        cc = self.cc(sheets["cc"], names)
        exclusions = self.exclusions(sheets["exclusions"], corrections)
        self.check_exclusion_ids(sheets["cc"], cc, {row[0] for row in exclusions})
        local = self.local_codes(sets, cc, exclusions, {**names, **local_names})
        if self.result.unread and not self.keep_unread:
            self.problems += self.result.unread
        if self.problems:
            raise SchemeError(self.problems)
        tables = {
            "mdc": mdcs, "adrg": adrgs, "drg": drgs, "sets": sets, "cc": cc, "exclusions": exclusions, "local_codes": local,
        }  # fmt: skip
        stated = {"title_zh": sheets["mdc"].title, "document": self.path.name} | settings
        notes = [f"rule not read, the row never holds: {problem.where}" for problem in self.result.unread]
        if settings:  # an export states its notes; what this reading changed is added
            notes = [*(note for note in self.result.notices if note.startswith("correction applied")), *notes]
        else:
            notes = [f"read from the workbook {self.path.name}", *self.result.notices, *notes]
        self.result.files, self.result.counts = workbook_pack(self.id, stated, notes, tables)
        return self.result

    # -- groups ------------------------------------------------------------------------------------------------------------
    def mdcs(self, sheet: Sheet) -> list[Sequence[Any]]:
        found: list[tuple[float, int, dict[str, str]]] = []
        for number, row in self.rows(sheet):
            found.append((self.sort(sheet, number, row), number, row))
        found.sort(key=lambda item: item[:2])
        return [
            (order, row["code"], row["name"], self.rule(sheet, number, row))
            for order, (_, number, row) in enumerate(found, start=1)
        ]

    def children(self, sheet: Sheet, table: str, parent: str, parents: set[Any]) -> list[Sequence[Any]]:
        """Rows of ADRG or DRG: by parent in the order of the parents' own table, within it by 排序 and then by row."""
        groups: dict[str, list[tuple[float, int, dict[str, str]]]] = {}
        for number, row in self.rows(sheet):
            mother = row[parent] or (row["code"][:3] if parent == "adrg" else f"MDC{row['code'][:1]}")
            if parent == "mdc" and len(mother) == 1:
                mother = f"MDC{mother}"
            if mother not in parents:
                self.wrong(
                    "workbook-unknown-parent",
                    f"{row['code']} belongs to {mother}, which the workbook does not list",
                    sheet,
                    number,
                )
                continue
            groups.setdefault(mother, []).append((self.sort(sheet, number, row), number, row))
        rows: list[Sequence[Any]] = []
        for mother, members in groups.items():
            members.sort(key=lambda item: item[:2])
            for order, (_, number, row) in enumerate(members, start=1):
                rule = self.rule(sheet, number, row)
                if table == "adrg":
                    rows.append((order, row["code"], mother, row["name"], self.kind(sheet, number, row), rule))
                else:
                    rows.append((order, row["code"], mother, row["name"], rule))
        return rows

    def rows(self, sheet: Sheet) -> list[tuple[int, dict[str, str]]]:
        """Rows with a code, each code once. The row 0000 (not groupable) is no group: every scheme answers it by itself."""
        rows: list[tuple[int, dict[str, str]]] = []
        seen: dict[str, int] = {}
        for number, row in sheet:
            code = row["code"] = row["code"].upper()
            if not code:
                self.wrong("workbook-row-without-code", f"a row of sheet {sheet.name} has no code", sheet, number)
            elif code.strip("0") in ("", "MDC"):
                self.result.notices.append(
                    f"sheet {sheet.name}, row {number}: {code} left out, it stands for cases that no group takes"
                )
            elif code in seen:
                self.wrong(
                    "workbook-duplicate-row",
                    f"{code} stands twice in sheet {sheet.name}, in rows {seen[code]} and {number}",
                    sheet,
                    number,
                )
            else:
                seen[code] = number
                rows.append((number, row))
        return rows

    def sort(self, sheet: Sheet, number: int, row: Mapping[str, str]) -> float:
        text = row.get("sort", "")
        try:
            return float(text) if text else float(number)
        except ValueError:
            self.wrong("workbook-unreadable-number", f"排序 of {row['code']} is {text!r}, not a number", sheet, number)
            return float(number)

    def kind(self, sheet: Sheet, number: int, row: Mapping[str, str]) -> str:
        stated = row.get("kind", "")
        if not stated:
            return kind_of(row["code"])
        for kind, title in KINDS.items():
            if stated in (kind, title):
                return kind
        self.wrong(
            "workbook-unknown-kind",
            f"类型 of {row['code']} is {stated!r}",
            sheet,
            number,
            fix=f"use one of {', '.join(KINDS.values())}",
        )
        return kind_of(row["code"])

    def rule(self, sheet: Sheet, number: int, row: Mapping[str, str]) -> str:
        """The rule in one spelling. An empty rule holds always, as the workbook means it."""
        if not row["rule"]:
            return "1"
        try:
            rule = parse_rule(row["rule"])
        except RuleSyntaxError as error:
            what = f"rule of {row['code']}: {error}"
            where = f"{self.path.name}, sheet {sheet.name}, row {number}"
            self.result.unread.append(
                Problem("workbook-unreadable-rule", what, where=where, fix="correct the cell, or import with --keep-unread")
            )
            return NEVER
        for name in sets_of(rule):
            self.named.setdefault(name, f"sheet {sheet.name}, row {number} ({row['code']})")
        return print_rule(rule)

    # -- lists -------------------------------------------------------------------------------------------------------------
    def sets(self, sheet: Sheet) -> tuple[list[Sequence[Any]], dict[str, str]]:
        rows: dict[tuple[str, str], None] = {}
        names: dict[str, str] = {}
        defined: set[str] = set()
        double = 0
        for number, row in sheet:
            name, code = row["set"], row["code"]
            if not name or not code:
                self.wrong("workbook-broken-row", "a row of the sets lacks the set or the code", sheet, number)
                continue
            defined.add(name)
            if row.get("name"):
                names.setdefault(code, row["name"])
            double += (name, code) in rows
            if name in self.named:
                rows[name, code] = None
        for name in sorted(set(self.named) - defined):
            self.wrong(
                "workbook-unknown-set", f"{self.named[name]} names the set {name}, which sheet {sheet.name} does not list"
            )
        self.notice(double, f"rows of sheet {sheet.name} stand twice; kept once")
        unused = sorted(defined - set(self.named))
        self.notice(
            len(unused), f"sets that no rule names are left out: {', '.join(unused[:8])}{' ...' if len(unused) > 8 else ''}"
        )
        return list[Sequence[Any]](sorted(rows)), names

    def cc(self, sheet: Sheet, names: dict[str, str]) -> list[Sequence[Any]]:
        rows: dict[str, tuple[str, str, str]] = {}
        for number, row in sheet:
            code, level = row["code"], re.sub(r"[^A-Z]", "", row["level"].upper())
            if level not in ("MCC", "CC"):
                self.wrong(
                    "workbook-unknown-level", f"{code}: the type is {row['level']!r}", sheet, number, fix="use MCC or CC"
                )
            elif code in rows and rows[code] != (code, level, row["exclusion"]):
                self.wrong(
                    "workbook-duplicate-row", f"{code} stands twice in sheet {sheet.name} with different entries", sheet, number
                )
            else:
                rows[code] = (code, level, row["exclusion"])
                if row.get("name"):
                    names.setdefault(code, row["name"])
        return [rows[code] for code in sorted(rows)]

    def exclusions(self, sheet: Sheet, corrections: str | Path | None) -> list[Sequence[Any]]:
        rows: dict[tuple[str, str], None] = {}
        double = 0
        for number, row in sheet:
            if not row["exclusion"] or not row["code"]:
                self.wrong("workbook-broken-row", "a row of the exclusions lacks the id or the code", sheet, number)
                continue
            double += (row["exclusion"], row["code"]) in rows
            rows[row["exclusion"], row["code"]] = None
        self.notice(double, f"rows of sheet {sheet.name} stand twice; kept once")
        known = {key[0] for key in rows}
        for exclusion, code, source in read_corrections(corrections):
            if exclusion not in known:
                self.result.notices.append(
                    f"correction {exclusion} {code} not applied: the workbook has no exclusion list {exclusion}"
                )
            elif (exclusion, code) in rows:
                self.result.notices.append(f"correction {exclusion} {code} not needed: the row is there")
            else:
                rows[exclusion, code] = None
                self.result.notices.append(f"correction applied: {exclusion} {code} added ({source})")
        return sorted(rows, key=lambda key: (natural(key[0]), key[1]))

    def check_exclusion_ids(self, sheet: Sheet, cc: list[Sequence[Any]], known: set[str]) -> None:
        for exclusion, count in sorted(Counter(row[2] for row in cc if row[2] and row[2] not in known).items()):
            self.wrong(
                "workbook-unknown-exclusion",
                f"{count} rows of sheet {sheet.name} refer to exclusion {exclusion}, which the workbook does not list",
            )

    def local_codes(
        self, sets: list[Sequence[Any]], cc: list[Sequence[Any]], exclusions: list[Sequence[Any]], names: Mapping[str, str]
    ) -> list[Sequence[Any]]:
        """Codes outside the national dictionaries: they stay in the lists and are named in ``local_codes.csv``."""
        national = national_codes()
        used = {"diagnosis": {row[0] for row in cc} | {row[1] for row in exclusions}, "procedure": set[str]()}
        for name, code in sets:
            used["diagnosis" if name.startswith("DI_") else "procedure"].add(code)
        books: dict[str, CodeList] = {"diagnosis": national.diagnoses, "procedure": national.procedures}
        local = [(kind, code) for kind in books for code in sorted(used[kind].difference(books[kind].codes))]
        self.notice(len(local), "codes outside the national dictionaries (医保版2.0), listed in local_codes.csv")
        return [(kind, code, names.get(code, "")) for kind, code in local]

    def notice(self, count: int, text: str) -> None:
        if count:
            self.result.notices.append(f"{count} {text}")


def _extra(rows: Sequence[Sequence[Any]]) -> tuple[dict[str, Any], dict[str, str]]:
    """Settings and names of local codes from the sheet that an export adds."""
    settings: dict[str, Any] = {}
    names: dict[str, str] = {}
    for row in rows[1:]:
        cells = [str(cell) for cell in (*row, "", "", "")[:3]]
        if cells[0] == "setting":
            try:
                settings[cells[1]] = json.loads(cells[2])
            except json.JSONDecodeError as error:
                raise SchemeError.single(
                    "workbook-unreadable-setting",
                    f"the setting {cells[1]} is not valid JSON: {error}",
                    where=f"sheet {layout()['extra']}",
                    fix="remove the sheet, or export the scheme again",
                ) from error  # fmt: skip
        elif cells[0] == "local code":
            names[cells[1]] = cells[2]
    return settings, names


def read_corrections(corrections: str | Path | None) -> list[tuple[str, str, str]]:
    """Rows (exclusion, code, source) of ``published`` or of a CSV table."""
    if not corrections:
        return []
    path = Path(__file__).parent / "corrections.csv" if str(corrections) == "published" else Path(corrections)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [(row["exclusion"], row["code"], row.get("source") or path.name) for row in csv.DictReader(file)]
    except (OSError, KeyError, UnicodeDecodeError) as error:
        raise SchemeError.single(
            "corrections-unreadable", f"the corrections {path} cannot be read: {error!r}", where=str(path),
            fix="give published, or a CSV table with the columns exclusion, code and source",
        ) from error  # fmt: skip

"""The sheets MDC, ADRG and DRG of a grouping workbook: rows, their order and their rules.

What the official file does not state is worked out: the kind of an ADRG follows from the second letter of its code (A to J
surgical, K to Q procedure, R to Z medical). Its column 排序 is not the whole order (in MDCO of 3.0 the fall-back O00 stands
before OZ1): a fall-back row comes last, since it takes every case, and an ambiguous row stands before the medical rows, which
look at the principal diagnosis only and would take its cases. A workbook with a column 类型 is an export: it states the kinds,
and its order is taken as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drgsim.authoring.schemes.workbook_sheets import Sheet, layout, pack_names
from drgsim.errors import Problem, words_of
from drgsim.language import text
from drgsim.units.schemes.rule_language import print_rule, sets_of
from drgsim.units.schemes.rule_parser import RuleSyntaxError, parse_rule
from drgsim.units.schemes.scheme import KINDS

NEVER = "not 1"
Found = tuple[int, dict[str, str]]  # number of a row and its cells


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


class GroupSheets:
    """Reads the rows of groups; problems, notices and rules that cannot be read are kept."""

    def __init__(self, path: Path, scheme_id: str, keep_unread: bool) -> None:
        self.path = path
        self.id = scheme_id
        self.keep_unread = keep_unread
        self.problems: list[Problem] = []
        self.result = WorkbookReading()
        self.moved: list[str] = []  # ADRGs that are not tried where 排序 has them
        self.named: dict[str, str] = {}  # set -> where a rule names it first

    def wrong(self, code: str, what: str, sheet: Sheet | None = None, row: int = 0, **more: str) -> None:
        where = (
            text("{file}, sheet {sheet}, row {row}", file=self.path.name, sheet=sheet.name, row=row)
            if sheet
            else self.path.name
        )
        self.problems.append(Problem(code, what, where=where, **more))

    def notice(self, count: int, text: str) -> None:
        if count:
            self.result.notices.append(f"{count} {text}")

    # -- groups ------------------------------------------------------------------------------------------------------------
    def mdcs(self, sheet: Sheet) -> list[Sequence[Any]]:
        found = sorted(self.rows(sheet), key=lambda item: (self.sort(sheet, *item), item[0]))
        return [
            (order, row["code"], row["name"], self.rule(sheet, number, row))
            for order, (number, row) in enumerate(found, start=1)
        ]

    def children(self, sheet: Sheet, table: str, parent: str, parents: set[Any]) -> list[Sequence[Any]]:
        """Rows of ADRG or DRG: by parent in the order of the parents' own table, within it by 排序 and then by row."""
        groups: dict[str, list[Found]] = {}
        for number, row in self.rows(sheet):
            mother = row[parent] or (row["code"][:3] if parent == "adrg" else f"MDC{row['code'][:1]}")
            if parent == "mdc" and len(mother) == 1:
                mother = f"MDC{mother}"
            if mother not in parents:
                what = text("{code} belongs to {mother}, which the workbook does not list", code=row["code"], mother=mother)
                self.wrong("workbook-unknown-parent", what, sheet, number)
                continue
            if not row["name"]:
                row["name"] = layout()["unnamed"].get(kind_of(mother if table == "drg" else row["code"]), "")
            groups.setdefault(mother, []).append((number, row))
        rows: list[Sequence[Any]] = []
        for mother, members in groups.items():
            members.sort(key=lambda item: (self.sort(sheet, *item), item[0]))
            if table == "adrg" and "kind" not in sheet.columns:
                members = self.as_tried(sheet, members)
            for order, (number, row) in enumerate(members, start=1):
                rule = self.rule(sheet, number, row)
                if table == "adrg":
                    rows.append((order, row["code"], mother, row["name"], self.kind(sheet, number, row), rule))
                else:
                    rows.append((order, row["code"], mother, row["name"], rule))
        if table == "adrg" and self.moved:
            self.result.notices.append(
                text(
                    "sheet {sheet}: put where their kind is tried (ambiguous before medical rows, fall-back last), "
                    "whatever {title} says: {moved}",
                    sheet=sheet.name,
                    title=layout()["adrg"]["columns"]["sort"]["title"],
                    moved=", ".join(self.moved),
                )
            )
        return rows

    def as_tried(self, sheet: Sheet, members: list[Found]) -> list[Found]:
        """The ADRGs of an MDC in the order that their kinds ask for; the others stay in the order of 排序."""
        kinds = {row["code"]: kind_of(row["code"]) for _, row in members}
        first_medical = next((at for at, (_, row) in enumerate(members) if kinds[row["code"]] == "medical"), len(members))
        early = [item for item in members[:first_medical] if kinds[item[1]["code"]] != "fallback"]
        late = [item for item in members[first_medical:] if kinds[item[1]["code"]] not in ("ambiguous", "fallback")]
        ambiguous = [item for item in members[first_medical:] if kinds[item[1]["code"]] == "ambiguous"]
        fallback = [item for item in members if kinds[item[1]["code"]] == "fallback"]
        ordered = early + ambiguous + late + fallback
        if ordered != members:
            last = {row["code"] for _, row in members[len(members) - len(fallback) :]}
            self.moved += [row["code"] for _, row in ambiguous]
            self.moved += [row["code"] for _, row in fallback if row["code"] not in last]
        return ordered

    def rows(self, sheet: Sheet) -> list[Found]:
        """Rows with a code, each code once. The row 0000 (not groupable) is no group: every scheme answers it by itself."""
        rows: list[Found] = []
        seen: dict[str, Found] = {}
        double = 0
        for number, row in sheet:
            code = row["code"] = row["code"].upper()
            if not code:
                self.wrong(
                    "workbook-row-without-code", text("a row of sheet {sheet} has no code", sheet=sheet.name), sheet, number
                )
            elif code.strip("0") in ("", "MDC"):
                self.result.notices.append(
                    text(
                        "sheet {sheet}, row {number}: {code} left out, it stands for cases that no group takes",
                        sheet=sheet.name,
                        number=number,
                        code=code,
                    )
                )
            elif code in seen and seen[code][1] == row:
                double += 1
            elif code in seen:
                what = text(
                    "{code} stands twice in sheet {sheet}, in rows {before} and {number}, with different entries",
                    code=code,
                    sheet=sheet.name,
                    before=seen[code][0],
                    number=number,
                )
                self.wrong("workbook-duplicate-row", what, sheet, number)
            else:
                seen[code] = number, row
                rows.append((number, row))
        self.notice(double, text("rows of sheet {sheet} stand twice; kept once", sheet=sheet.name))
        return rows

    def sort(self, sheet: Sheet, number: int, row: Mapping[str, str]) -> float:
        cell = row.get("sort", "")
        try:
            return float(cell) if cell else float(number)
        except ValueError:
            self.wrong(
                "workbook-unreadable-number",
                text("排序 of {code} is {cell!r}, not a number", code=row["code"], cell=cell),
                sheet,
                number,
            )
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
            text("类型 of {code} is {stated!r}", code=row["code"], stated=stated),
            sheet,
            number,
            fix=text("use one of {kinds}", kinds=", ".join(KINDS.values())),
        )
        return kind_of(row["code"])

    def rule(self, sheet: Sheet, number: int, row: Mapping[str, str]) -> str:
        """The rule in one spelling. An empty rule holds always, as the workbook means it."""
        if not row["rule"]:
            return "1"
        try:
            rule = parse_rule(pack_names(row["rule"]))
        except RuleSyntaxError as error:
            what = text("rule of {code}: {error}", code=row["code"], error=words_of(error))
            where = text("{file}, sheet {sheet}, row {number}", file=self.path.name, sheet=sheet.name, number=number)
            self.result.unread.append(
                Problem(
                    "workbook-unreadable-rule", what, where=where, fix=text("correct the cell, or import with --keep-unread")
                )
            )
            return NEVER
        for name in sets_of(rule):
            self.named.setdefault(
                name, text("sheet {sheet}, row {number} ({code})", sheet=sheet.name, number=number, code=row["code"])
            )
        return print_rule(rule)

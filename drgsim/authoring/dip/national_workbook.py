"""Read the official workbook of the national DIP catalogue 3.0: sheets by their names, columns by their titles.

What sheets and titles are looked for stands in ``national_layout.yaml``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from drgsim.authoring.dip.national_tables import NationalTables, national_layout
from drgsim.authoring.schemes.workbook_sheets import SEARCHED_ROWS, Sheet, table_in
from drgsim.errors import UNREAD, InputError, Problem, SchemeError, words_of
from drgsim.language import text

_NUMBERED = ("pre", "merged", "burn", "tumor", "tb", "basic")


def is_dip_workbook(path: Path) -> bool:
    """Whether a workbook has sheets of the DIP catalogue: its merged, tumour and basic kinds."""
    try:
        names = CalamineWorkbook.from_path(str(path)).sheet_names
    except (CalamineError, OSError, ValueError):
        return False
    return all(_sheet_of(table, names) for table in ("merged", "tumor", "basic"))


def read_national_workbook(path: Path) -> tuple[NationalTables, list[str]]:
    """The tables of a workbook, and what a reader should know: rows that stand twice, sheets that were not read.

    Raises
    ------
    InputError
        ``workbook-unreadable`` when the file is no workbook.
    SchemeError
        Everything that is wrong, each with sheet and row: ``workbook-missing-sheet``, ``workbook-missing-header``,
        ``workbook-broken-row``, ``workbook-duplicate-row``, ``workbook-unknown-use``, ``workbook-unreadable-number``.
    """
    try:
        book = CalamineWorkbook.from_path(str(path))
    except (CalamineError, OSError, ValueError) as error:
        raise InputError.single(
            "workbook-unreadable",
            text("{file} cannot be read as a workbook: {error}", file=path.name, error=words_of(error, UNREAD)),
            where=str(path),
            fix=text("give the .xlsx or .xls file as it was downloaded"),
        ) from error
    return _Reader(path, book).read()


def _sheet_of(table: str, names: Sequence[str]) -> str | None:
    pattern = national_layout()["tables"][table]["sheet"]
    return next((name for name in names if re.search(pattern, re.sub(r"\s", "", name))), None)


class _Reader:
    """One workbook; problems and notices are kept."""

    def __init__(self, path: Path, book: Any) -> None:
        self.path, self.book = path, book
        self.problems: list[Problem] = []
        self.notices: list[str] = []

    def read(self) -> tuple[NationalTables, list[str]]:
        names = list(self.book.sheet_names)
        rows: dict[str, list[dict[str, str]]] = {}
        read = set()
        for table, plan in national_layout()["tables"].items():
            name = _sheet_of(table, names)
            if name is None:
                self.problems.append(
                    Problem(
                        "workbook-missing-sheet",
                        text("the workbook has no sheet {name}", name=plan["name"]),
                        where=self.path.name,
                        why=text("its sheets are {names}", names=", ".join(names)),
                        fix=text("name the sheet {name}", name=plan["name"]),
                    )
                )
                continue
            read.add(name)
            sheet = table_in(name, self.book.get_sheet_by_name(name).to_python(skip_empty_area=False), plan)
            if sheet is None:
                wanted = ", ".join(column["title"] for column in plan["columns"].values() if not column.get("optional"))
                self.problems.append(
                    Problem(
                        "workbook-missing-header",
                        text("no header row in sheet {name}", name=name),
                        where=text("{file}, sheet {name}", file=self.path.name, name=name),
                        why=text(
                            "none of the first {rows} rows holds the titles {titles}",
                            rows=SEARCHED_ROWS,
                            titles=wanted,
                        ),
                        fix=text("write these titles above the data"),
                    )
                )
                continue
            rows[table] = self.rows(table, sheet, plan["columns"])
        if self.problems:
            raise SchemeError(self.problems)
        left = [name for name in names if name not in read]
        if left:
            self.notices.append(text("sheets that are not read: {left}", left=", ".join(left)))
        return NationalTables(rows), self.notices

    def wrong(self, code: str, what: str, sheet: Sheet, row: int, fix: str = "") -> None:
        self.problems.append(
            Problem(
                code,
                what,
                where=text("{file}, sheet {sheet}, row {row}", file=self.path.name, sheet=sheet.name, row=row),
                fix=fix,
            )
        )

    def rows(self, table: str, sheet: Sheet, columns: Mapping[str, Mapping[str, Any]]) -> list[dict[str, str]]:
        """Rows of a table: joined cells filled from above, numbers and words as the catalogue has them, repeats left out."""
        key = "seq" if table in _NUMBERED else next(iter(columns))
        found: dict[tuple[str, ...], dict[str, str]] = {}
        above = dict.fromkeys(columns, "")
        double = 0
        for number, cells in sheet:
            row = {name: cells.get(name, "") for name in columns}
            if key == "seq":
                row["seq"] = re.sub(r"\D", "", row["seq"])
            if not row[key]:
                self.wrong(
                    "workbook-broken-row",
                    text("a row has no {title}", title=columns[key]["title"]),
                    sheet,
                    number,
                    text("give it one, or remove the row"),
                )
                continue
            for name, column in columns.items():
                if column.get("below"):
                    row[name] = above[name] = row[name] or above[name]
            self.understand(table, row, sheet, number)
            mark = (row["seq"],) if key == "seq" else tuple(row.values())
            if mark in found:
                double += found[mark] == row
                if found[mark] != row:
                    what = text("the number {seq} stands twice with different entries", seq=row["seq"])
                    self.wrong("workbook-duplicate-row", what, sheet, number, text("remove one of the rows"))
                continue
            found[mark] = row
        if double:
            self.notices.append(text("{double} rows of sheet {sheet} stand twice; kept once", double=double, sheet=sheet.name))
        return list(found.values())

    def understand(self, table: str, row: dict[str, str], sheet: Sheet, number: int) -> None:
        """Words of uses, places and weights as the catalogue has them."""
        if table == "excluded_procedures":
            uses: Mapping[str, str] = national_layout()["uses"]
            use = next((name for name, pattern in uses.items() if re.search(pattern, row["use"].upper())), None)
            if use is None:
                what = text("what becomes of {code} is not known: {use!r}", code=row["code"], use=row["use"])
                self.wrong(
                    "workbook-unknown-use", what, sheet, number, text("use words such as {uses}", uses=", ".join(uses.values()))
                )
            row["use"] = use or ""
        if table == "pre":
            row["place"] = "any" if re.search(national_layout()["anywhere"], row["place"].upper()) else "principal"
            row["birth_weight_g"] = self.weight(row, sheet, number)

    def weight(self, row: Mapping[str, str], sheet: Sheet, number: int) -> str:
        """Lowest and highest birth weight in grams, joined by a dash."""
        cell = row["birth_weight_g"]
        limits = re.findall(r"\d+", cell)
        if len(limits) == 1 and re.search(r"[<＜]|小于|不足", cell):
            limits = ["0", str(int(limits[0]) - 1)]
        if cell and len(limits) != 2:
            self.wrong(
                "workbook-unreadable-number",
                text("the birth weight is {cell!r}", cell=cell),
                sheet,
                number,
                text("write it as 1000-1499"),
            )
        if cell and not re.search(r"\d", row["age"]):
            self.wrong(
                "workbook-unreadable-number",
                text("the age is {age!r}", age=row["age"]),
                sheet,
                number,
                text("write it as <29 days"),
            )
        return "-".join(limits) if len(limits) == 2 else ""

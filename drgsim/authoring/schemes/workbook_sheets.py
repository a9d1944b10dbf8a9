"""Find the tables of a grouping workbook: sheets by name, header rows by their words, columns by their titles."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from python_calamine import CalamineError, CalamineWorkbook

from drgsim.errors import UNREAD, InputError, Problem, words_of
from drgsim.language import text

SEARCHED_ROWS = 12  # a header stands in one of the first rows


@lru_cache(maxsize=1)
def layout() -> Mapping[str, Any]:
    """The official layout, as ``workbook_layout.yaml`` states it."""
    text = (Path(__file__).parent / "workbook_layout.yaml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


TABLES = ("mdc", "adrg", "drg", "sets", "cc", "exclusions")


def clean(cell: Any) -> str:
    """Text of a cell as it is meant: no ``_x000D_``, no line breaks, no blanks around, whole numbers without ``.0``.

    Examples
    --------
    >>> clean(" 心力衰竭_x000D_\\n"), clean(3.0), clean(None)
    ('心力衰竭', '3', '')
    """
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    text = str(cell).replace("_x000D_", " ").replace("\u00a0", " ").replace("\u3000", " ").replace("\ufeff", "")
    return " ".join(text.split())


def pack_names(text: str) -> str:
    """A rule or the name of a set with numbered sets as packs call them: the number at the end.

    Examples
    --------
    >>> pack_names("ZYSS in OP1_AC1 and QTSS in OP2_AC1"), pack_names("DI_B00")
    ('ZYSS in OP_AC1_1 and QTSS in OP_AC1_2', 'DI_B00')
    """
    return re.sub(r"\b(DI|OP)(\d+)_([A-Z][A-Z0-9]{2})\b", r"\1_\3_\2", text)


def official_names(text: str) -> str:
    """The same with numbered sets of ADRGs as the national workbook calls them.

    Examples
    --------
    >>> official_names("ZYSS in OP_AC1_1 and QTSS in OP_AC1_2"), official_names("DI_ZSITE_1")
    ('ZYSS in OP1_AC1 and QTSS in OP2_AC1', 'DI_ZSITE_1')
    """
    return re.sub(r"\b(DI|OP)_([A-Z][A-Z0-9]{2})_(\d+)\b", r"\1\3_\2", text)


@dataclass(frozen=True)
class Sheet:
    """One table of a workbook: its name in the file, where each column stands, and its rows."""

    name: str
    columns: Mapping[str, int]
    rows: Sequence[Sequence[Any]]
    first_row: int  # 1-based number of the first data row
    title: str = ""

    def __iter__(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Row number and cleaned cells of each row that is not blank."""
        for number, row in enumerate(self.rows, start=self.first_row):
            cells = {key: clean(row[at]) if at < len(row) else "" for key, at in self.columns.items()}
            if any(cells.values()):
                yield number, cells


def read_sheets(path: Path) -> tuple[dict[str, Sheet], list[Sequence[Any]], list[Problem]]:
    """The six tables of a workbook, the rows of the extra sheet, and what is wrong.

    Raises
    ------
    InputError
        ``workbook-unreadable`` when the file is no workbook.
    """
    try:
        workbook = CalamineWorkbook.from_path(str(path))
    except (CalamineError, OSError, ValueError) as error:
        raise InputError.single(
            "workbook-unreadable",
            text("{file} cannot be read as a workbook: {error}", file=path.name, error=words_of(error, UNREAD)),
            where=str(path),
            fix=text("give the .xlsx or .xls file as it was downloaded"),
        ) from error
    problems: list[Problem] = []
    found: dict[str, Sheet] = {}
    names = {re.sub(r"\s", "", name).upper(): name for name in workbook.sheet_names}
    for table in TABLES:
        plan = layout()[table]
        name = next((names[known.upper()] for known in plan["sheet"] if known.upper() in names), None)
        if name is None:
            problems.append(
                Problem(
                    "workbook-missing-sheet",
                    text("the workbook has no sheet {sheet}", sheet=plan["sheet"][0]),
                    where=path.name,
                    why=text("its sheets are {names}", names=", ".join(workbook.sheet_names)),
                    fix=text("name the sheet {sheet}", sheet=plan["sheet"][0]),
                )
            )
            continue
        rows = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
        sheet = table_in(name, rows, plan)
        if sheet is None:
            wanted = ", ".join(column["title"] for column in plan["columns"].values() if not column.get("optional"))
            problems.append(
                Problem(
                    "workbook-missing-header",
                    text("no header row in sheet {name}", name=name),
                    where=text("{file}, sheet {name}", file=path.name, name=name),
                    why=text(
                        "none of the first {rows} rows holds the titles {titles}",
                        rows=SEARCHED_ROWS,
                        titles=wanted,
                    ),
                )
            )
        else:
            found[table] = sheet
    extra = layout()["extra"]
    more = workbook.get_sheet_by_name(extra).to_python() if extra in workbook.sheet_names else []
    return found, list(more), problems


def table_in(name: str, rows: Sequence[Sequence[Any]], plan: Mapping[str, Any]) -> Sheet | None:
    """The table of a sheet: below the first row that holds the titles of ``plan``; None where no row does."""
    for at, row in enumerate(rows[:SEARCHED_ROWS]):
        columns = _columns(row, plan["columns"])
        if columns is not None:
            title = next((clean(cell) for before in rows[:at] for cell in before if clean(cell)), "")
            return Sheet(name, columns, rows[at + 1 :], at + 2, title)
    if "data" not in plan:
        return None
    # a copy without known titles: the columns stand where the official file has them, if the cells look like it
    place, pattern = plan["columns"][plan["data"][0]]["place"] - 1, re.compile(plan["data"][1])
    for at, row in enumerate(rows[:SEARCHED_ROWS]):
        if place < len(row) and pattern.match(clean(row[place])):
            columns = {key: column["place"] - 1 for key, column in plan["columns"].items() if column["place"] <= len(row)}
            return Sheet(name, columns, rows[at:], at + 1)
    return None


def _columns(row: Sequence[Any], wanted: Mapping[str, Mapping[str, Any]]) -> dict[str, int] | None:
    """Place of each column in a header row, or nothing when a needed one is missing. Exact titles go before likenesses."""
    titles = [re.sub(r"\s", "", clean(cell)).upper() for cell in row]
    places: dict[str, int] = {}
    for key, column in wanted.items():
        for place, title in enumerate(titles):
            if title and title == column["title"].upper() and place not in places.values():
                places[key] = place
                break
    depth = max(len(column["words"]) for column in wanted.values())
    for level in range(depth):
        for key, column in wanted.items():
            if key in places or level >= len(column["words"]):
                continue
            pattern = re.compile(column["words"][level])
            for place, title in enumerate(titles):
                if title and place not in places.values() and pattern.search(title):
                    places[key] = place
                    break
    needed = {key for key, column in wanted.items() if not column.get("optional")}
    return places if needed <= set(places) else None

"""Read discharges from a workbook (XLSX, XLS, ET, XLSB, ODS) or a page of tables (HTML)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from drgsim.errors import InputError, did_you_mean, some_names
from drgsim.language import text
from drgsim.records.case_file import BATCH_ROWS, CaseFile
from drgsim.records.header import HEADER_LINES, HeaderTest, distinct_names
from drgsim.records.input_options import GROUPING, InputOptions, Purpose
from drgsim.records.joined_sheets import after_principal, codes_by_id, join_by_id
from drgsim.records.layout import CODE_LISTS
from drgsim.records.own_workbooks import without_titles
from drgsim.records.recipes import AS_IS, Recipe, derive
from drgsim.records.recognise import recognise
from drgsim.records.schema import header_key, header_names
from drgsim.records.sheet_errors import UnreadableCell
from drgsim.records.side_rows import BLANKS
from drgsim.records.vocabulary import group_column
from drgsim.records.workbook_rows import SheetRows, sheets_of

_KEPT = 1e15  # spreadsheets keep 15 digits
_SHOWN = 8  # cells that a note names


class _Sheet(NamedTuple):
    name: str
    header: list[str]
    records: list[list[Any]]
    blank: int = 0  # rows between them without anything

    @property
    def columns(self) -> dict[str, int]:
        """Place of each named column."""
        return {name: place for place, name in enumerate(self.header) if name}

    def texts(self, name: str) -> pa.Array:
        """A column as texts."""
        return _texts(self.records, self.columns.get(name))


class SheetSource(CaseFile):
    """The sheets of a workbook that hold discharges, in the order of the workbook.

    A sheet holds discharges when one of its first rows names their columns. Several under the same header are read one after
    the other; a front page is joined with the diagnoses and procedures of other sheets by the id. Where no sheet names
    columns of a discharge, the first one that holds anything is taken at its word. Hidden sheets and others beside the
    discharges are left out and counted, and so are blank rows between the records.
    """

    def __init__(self, path: Path, options: InputOptions, purpose: Purpose = GROUPING, content: Path | None = None) -> None:
        self._told: Counter[str] = Counter()
        choice = _SheetChoice(path, options, purpose, self._told)
        self._sheets = [
            sheet._replace(header=distinct_names(sheet.header, choice.test, path, text("sheet {sheet}", sheet=sheet.name)))
            for sheet in choice.sheets_with_discharges(content or path)
        ]
        names = list(dict.fromkeys(name for sheet in self._sheets for name in sheet.header if name))
        super().__init__(path, names, options, purpose=purpose)
        self.rows = sum(len(sheet.records) for sheet in self._sheets)
        if blank := sum(sheet.blank for sheet in self._sheets):
            self._told[BLANKS] += blank

    def _read(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        self.noted.update(self._told)
        read = 0
        for sheet in self._sheets:
            places = [sheet.columns.get(name) for name in names]
            for start in range(0, len(sheet.records), BATCH_ROWS):
                part = sheet.records[start : start + BATCH_ROWS]
                read += len(part)
                self.done = read / (self.rows or 1)
                self._note_unreadable(sheet.name, [row[place] for place in places if place is not None for row in part])
                yield pa.RecordBatch.from_arrays([_texts(part, place) for place in places], list(names))

    def _note_unreadable(self, sheet: str, cells: Sequence[Any]) -> None:
        """Say which cells could not be read."""
        found = [cell for cell in cells if type(cell) is UnreadableCell]
        if found:
            shown = some_names(found, _SHOWN)
            self.noted[text("cells that cannot be read 无法读取的单元格, {sheet}: {cells}", sheet=sheet, cells=shown)] += len(
                found
            )


class _SheetChoice:
    """Which sheets of a workbook are read, and how."""

    def __init__(self, path: Path, options: InputOptions, purpose: Purpose, told: Counter[str]) -> None:
        self.path, self.options, self.purpose, self.told = path, options, purpose, told
        self.test = HeaderTest(options, purpose)

    def sheets_with_discharges(self, content: Path) -> list[_Sheet]:
        """The sheets to read one after the other; one where sheets were joined."""
        found: list[_Sheet] = []
        filled: list[_Sheet] = []
        for sheet in self._wanted(content):
            header = self.test.first([[str(cell).strip() for cell in row] for row in sheet.rows[: HEADER_LINES + 1]])
            if header is not None:
                blank = sum(before >= header[0] for before in sheet.blank_after)
                found.append(_Sheet(sheet.name, header[1], sheet.rows[header[0] :], blank))
            elif sheet.rows:
                filled.append(_Sheet(sheet.name, [str(cell).strip() for cell in sheet.rows[0]], sheet.rows[1:]))
            if self.purpose.raw and found:
                break
        if not found and not filled:
            raise InputError.single(
                "input-no-header",
                text("no sheet of {file} holds anything", file=self.path.name),
                where=str(self.path),
                fix=text("check the export"),
            )
        if len(found) > 1:
            return self._chosen(found)
        return found or filled[:1]

    def _wanted(self, content: Path) -> Iterator[SheetRows]:
        """The sheets that the user named, else those that the workbook shows, unless it hides all."""
        sheets = without_titles(sheets_of(content, self.path), whole=bool(self.options.sheets))
        if not self.options.sheets:
            hidden = []
            shown = 0
            for sheet in sheets:
                if sheet.hidden:
                    hidden.append(sheet)
                else:
                    shown += bool(sheet.rows)
                    yield sheet
            if not shown:
                yield from hidden
            else:
                for sheet in hidden:
                    self.told[text("rows of the hidden sheet {sheet}, left out 隐藏工作表未读", sheet=sheet.name)] += len(
                        sheet.rows
                    )
            return
        by_name = {sheet.name: sheet for sheet in sheets}
        for name in self.options.sheets:
            number = int(name) - 1 if name.isdecimal() and name not in by_name else None
            if number is not None and 0 <= number < len(by_name):
                yield [*by_name.values()][number]
            elif name in by_name:
                yield by_name[name]
            else:
                raise InputError.single(
                    "input-no-sheet",
                    text("{file} has no sheet {name!r}", file=self.path.name, name=name),
                    where=str(self.path),
                    fix=did_you_mean(name, list(by_name)) or text("its sheets are {sheets}", sheets=", ".join(by_name)),
                )

    def _chosen(self, found: list[_Sheet]) -> list[_Sheet]:
        """Of several sheets with columns of a discharge those that are discharges, or one that is joined from them."""
        readings = {sheet.name: self._reading(sheet) for sheet in found}
        with_id = [sheet for sheet in found if "discharge_id" in readings[sheet.name]] or found
        people = [sheet for sheet in with_id if {"sex", "age"} & set(readings[sheet.name]) or _is_grouped(sheet, readings)]
        whole = used = people or with_id
        if len(people) == 1:
            joined, used = self._joined(people[0], [sheet for sheet in with_id if sheet is not people[0]], readings)
            whole = [joined]
        elif any(_own(readings[sheet.name]) != _own(readings[whole[0].name]) for sheet in whole[1:]):
            raise InputError.single(
                "input-several-sheets",
                text(
                    "{file} holds records under different headers in the sheets {sheets}",
                    file=self.path.name,
                    sheets=", ".join(sheet.name for sheet in whole),
                ),
                where=str(self.path),
                why=text("which of them is meant cannot be told"),
                fix=text(
                    'say it: --sheet "{sheet}"; several may be named when their columns are the same', sheet=whole[0].name
                ),
            )
        for sheet in found:
            if not any(sheet is each for each in used):
                what = text("rows of the sheet {sheet}, which holds no discharges 非病案工作表未读", sheet=sheet.name)
                self.told[what] += len(sheet.records)
        return whole

    def _reading(self, sheet: _Sheet) -> dict[str, Any]:
        """Canonical columns that a sheet can make by itself, and how; nothing where that is in doubt."""
        names = [name for name in sheet.header if name]
        maps = tuple(pair for pair in self.options.maps if all(part in names for part in _parts(pair[0], names)))
        try:
            reading = recognise(names, self.path.name, replace(self.options, maps=maps), replace(self.purpose, required=()))
        except InputError:
            return {}
        return dict(reading.recipes)

    def _joined(self, front: _Sheet, others: list[_Sheet], readings: dict[str, dict[str, Any]]) -> tuple[_Sheet, list[_Sheet]]:
        """The front page with the code lists that one other sheet has each, and the sheets that it is made of.

        A front page may name the principal code itself; it stays the first, whatever the other sheet says.
        """
        ids = self._texts(front, "discharge_id", readings)
        parts: dict[str, dict[str, str]] = {}
        used = [front]
        for name in CODE_LISTS:
            having = [sheet for sheet in others if name in readings[sheet.name]]
            stated = readings[front.name].get(name)
            if len(having) != 1 or (stated is not None and not _principal_only(stated)):
                continue
            part = having[0]
            used.append(part)
            extra = {column: part.texts(column).to_pylist() for column in part.columns}
            parts[name] = codes_by_id(self._texts(part, "discharge_id", readings), self._texts(part, name, readings), extra)
        if not parts:
            return front, used
        joined = join_by_id(
            ids,
            parts,
            text("{path}, sheets {sheets}", path=self.path, sheets=", ".join(sheet.name for sheet in used)),
            self.told,
        )
        for name in joined.keys() & readings[front.name].keys():
            principal = self._texts(front, name, readings)
            joined[name] = [after_principal(first, codes) for first, codes in zip(principal, joined[name], strict=True)]
        names = ", ".join(sheet.name for sheet in used)
        self.told[text("records joined from the sheets {names} 按病案号合并", names=names)] += len(ids)
        width = len(front.header)
        records = [[*row[:width], *codes] for row, codes in zip(front.records, zip(*joined.values(), strict=True), strict=True)]
        return front._replace(header=[*front.header, *joined], records=records), used

    def _texts(self, sheet: _Sheet, name: str, readings: dict[str, dict[str, Any]]) -> list[str]:
        """A canonical column of a sheet."""
        recipe = readings[sheet.name][name]
        if recipe.how == AS_IS:
            column = sheet.texts(recipe.columns[0])
        else:
            column = derive(recipe, pa.table({own: sheet.texts(own) for own in recipe.needs}), Counter())
        return [(text or "").strip() for text in column.to_pylist()]


def _principal_only(recipe: Recipe) -> bool:
    """Whether a list is made of the column of its principal code and nothing else."""
    name = header_names().get(header_key(recipe.columns[0]), "") if len(recipe.columns) == 1 else ""
    return name.startswith("principal")


def _is_grouped(sheet: _Sheet, readings: dict[str, dict[str, Any]]) -> bool:
    return group_column([*sheet.columns, *readings[sheet.name]]) is not None


def _own(reading: dict[str, Any]) -> dict[str, Any]:
    return {name: recipe.needs for name, recipe in reading.items()}


def _parts(own: str, names: Sequence[str]) -> list[str]:
    return [own] if own in names else [part.strip() for part in own.split("+")]


def _texts(rows: Sequence[Sequence[Any]], place: int | None) -> pa.Array:
    if place is None:
        return pa.nulls(len(rows), pa.string())
    return pa.array([_cell(row[place]) for row in rows], pa.string())


def _cell(value: Any) -> str | None:
    """A cell as text: whole numbers without a decimal point, blanks as missing.

    A whole number of more digits than spreadsheets keep is written in the notation that shows so: 4.20102199001011E+17.
    """
    if isinstance(value, float) and value.is_integer():
        return str(int(value)) if abs(value) < _KEPT else f"{value:.14E}"
    text = str(value)
    return text or None

"""Workbooks (.xlsx): a first sheet on what this is and rests on, tables under titles, charts; rows go to disk as they come.

Who writes a workbook says what it is (:class:`About`) and hands over tables; titles of columns and sheets, looks of numbers,
widths, frozen headers and filters follow from :mod:`drgsim.results.result_titles` and the cells, in the language of the run::

    with open_workbook(path, about_record("Settlement", record)) as book:
        page = book.sheet("overview")                      # a page of lines
        page.figures([(text("Payment"), 12.5, "yuan")])
        table = book.add_table("by_hospital", tables["by_hospital"])
        page.chart("bar", table, label="hospital", values=["margin"], title=text("Margin by hospital"))

Texts never become formulas, links or numbers, and no clock goes in: the same input gives the same bytes.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgsim.errors import OutputError
from drgsim.language import current_language, spoken, text
from drgsim.leftovers import scratch_folder
from drgsim.records.arrow import as_cells
from drgsim.records.own_workbooks import MARK
from drgsim.results.result_titles import column_title, look_of, shown_columns, table_title, word_title
from drgsim.results.whole_outputs import whole_file
from drgsim.results.workbook_about import About, Fact
from drgsim.results.workbook_sheet import STYLES, XLSX_TEXT, BookTools, Cell, WorkbookSheet

__all__ = ["STYLES", "XLSX_ROWS", "XLSX_TEXT", "Cell", "Workbook", "WorkbookSheet", "open_workbook", "too_many_rows"]

XLSX_ROWS = 1_048_575  # records that fit a sheet below its header
_TITLE = 31  # characters that fit the name of a sheet
_CREATED = datetime(2000, 1, 1)
_OPTIONS = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


class Workbook:
    """A workbook under way; :func:`open_workbook` gives one and writes it whole or not at all.

    Parameters
    ----------
    about
        What the first sheet says; None for a workbook in a form of others, which has none.
    **properties
        Of the document, such as ``title`` and ``comments``.
    """

    def __init__(self, about: About | None = None, **properties: str) -> None:
        import xlsxwriter

        self.language = current_language()
        self._bytes = io.BytesIO()  # compressed, so small; a full disk is then an error of one plain write
        self._scratch = scratch_folder()  # rows wait there until the book is closed
        self._book = xlsxwriter.Workbook(self._bytes, {**_OPTIONS, "tmpdir": self._scratch.name})
        if about is not None:
            properties = {"title": self.say(about.title), "comments": f"drgsim {about.command}".strip(), **properties}
        self._book.set_properties({"created": _CREATED, **properties})
        self._styles: dict[str, Any] = {}
        self._sheets: list[WorkbookSheet] = []
        self._columns: list[tuple[str, str, str]] = []  # sheet, title, column
        self._about = self.sheet("about", widths=(30, 88, 26)) if about is not None else None
        if about is not None and self._about is not None:
            self._introduce(about, self._about)

    def say(self, value: Any) -> Any:
        """A text in the language of the workbook, anything else as it is."""
        return spoken(value, self.language)

    def style(self, name: str | None) -> Any:
        """The format of xlsxwriter for a look; None for none."""
        if name is None:
            return None
        if name not in self._styles:
            self._styles[name] = self._book.add_format(dict(STYLES[name]))
        return self._styles[name]

    def _new_chart(self, options: Mapping[str, Any]) -> Any:
        return self._book.add_chart(dict(options))

    def sheet(
        self,
        title: str,
        columns: Sequence[str] = (),
        widths: Sequence[float] = (),
        *,
        formats: Sequence[str | None] = (),
        frozen: int = 1,
    ) -> WorkbookSheet:
        """A new sheet.

        Parameters
        ----------
        title
            Id of a table, whose title it gets, or the name of the sheet; what does not fit or is not allowed in one is left
            out.
        columns
            The header, frozen and with a filter; without one the sheet is a page of lines.
        widths
            Of the columns, in characters; by default as the cells need it.
        formats
            Looks of the columns' numbers, names of :data:`STYLES`.
        frozen
            Columns that stay when the sheet is scrolled to the right.
        """
        said = self.say(table_title(title))
        name = "".join(letter for letter in said if letter not in "[]:*?/\\")[:_TITLE].strip("'") or "-"
        taken = {sheet.name.lower() for sheet in self._sheets}
        number = 2
        while name.lower() in taken:
            name = f"{name[: _TITLE - 4]} {number}"
            number += 1
        tools = BookTools(self.style, self.say, self._new_chart)
        made = WorkbookSheet(tools, self._book.add_worksheet(name), formats, widths)
        self._sheets.append(made)
        if columns:
            made.head(columns, frozen)
        return made

    def table_sheet(
        self,
        table: str,
        schema: pa.Schema,
        *,
        titles: Mapping[str, str] | None = None,
        looks: Mapping[str, str | None] | None = None,
        shown: Mapping[str, str] | None = None,
        frozen: int = 1,
    ) -> WorkbookSheet:
        """A sheet for rows of a table that come later, under the titles of its columns.

        Parameters
        ----------
        table
            Id of the table, which its titles go by.
        schema
            Its columns.
        titles, looks
            Of columns, where they are not those of ``result_titles.csv``.
        shown
            Columns that have a place on the sheet -> the column whose title they have; all by default.
        """
        fields, own = {field.name: field for field in schema}, titles or {}
        heads: dict[str, str] = {}
        for name, as_name in (shown or dict(zip(fields, fields, strict=True))).items():
            known = column_title(as_name, table) or column_title(name, table)
            title = str(self.say(own.get(name) or own.get(as_name) or (known.said if known is not None else name)))
            heads[name] = title if title not in heads.values() and title not in fields.keys() - {name} else f"{title} ({name})"
        formats = [(looks or {}).get(name, look_of(fields[name], table)) for name in heads]
        made = self.sheet(table, list(heads.values()), formats=formats, frozen=frozen)
        made.places = {name: place for place, name in enumerate(heads)}
        self._columns += [(made.name, title, name) for name, title in heads.items() if title != name]
        return made

    def add_table(
        self,
        title: str,
        table: pa.Table,
        *,
        titles: Mapping[str, str] | None = None,
        looks: Mapping[str, str | None] | None = None,
        words: Mapping[str, Mapping[str, str]] | None = None,
        frozen: int = 1,
        marked_by: str | None = None,
    ) -> WorkbookSheet:
        """A table as a sheet; money in yuan with two decimals, shares in percent, dates as dates, lists joined by ``|``.

        Parameters
        ----------
        title
            Id of the table, or the name of the sheet.
        titles, looks
            As in :meth:`table_sheet`.
        words
            Of columns, what a reader is told in the place of their values, beside the words of ``result_titles.csv``.
        marked_by
            Column whose words, where they are names of :data:`STYLES`, colour the texts of their row.

        Raises
        ------
        OutputError
            ``output-too-many-rows``.
        """
        if table.num_rows > XLSX_ROWS:
            raise too_many_rows(str(self.say(table_title(title))))
        shown = shown_columns(table.column_names, self.language)
        sheet = self.table_sheet(title, table.schema, titles=titles, looks=looks, shown=shown, frozen=frozen)
        names = list(sheet.places)
        own = words or {}
        say = [_words(name, self.language, own.get(name, {})) if _is_text(table.schema.field(name)) else None for name in names]
        for batch in table.to_batches(max_chunksize=4096):
            cells = as_cells(batch.select(names)).columns
            columns = [
                column.to_pylist() if word is None else [word(value) for value in column.to_pylist()]
                for column, word in zip(cells, say, strict=True)
            ]
            marks = batch.column(marked_by).to_pylist() if marked_by in table.column_names else [None] * batch.num_rows
            for mark, *row in zip(marks, *columns, strict=True):
                sheet.add(row, mark if mark in STYLES else None)
        return sheet

    # -- the first sheet -------------------------------------------------------------------------------------------------
    def _introduce(self, about: About, sheet: WorkbookSheet) -> None:
        sheet.add((about.title,), "title")
        if about.says:
            sheet.add((about.says,))
        sheet.skip()
        self.tell(about.facts, about.notes)

    def tell(self, facts: Iterable[Fact], notes: Iterable[str] = ()) -> None:
        """Say more on the first sheet, where it is known only when rows have been written."""
        if self._about is None:
            return
        for label, value in facts:
            shown = value if isinstance(value, Cell) else Cell(value, "wrapped" if isinstance(value, str) else "left count")
            self._about.add((Cell(label, "label"), shown))
        for place, note in enumerate(notes):
            if place == 0:
                self._about.skip()
            self._about.add((Cell(text("Notes") if place == 0 else "", "label"), Cell(note, "wrapped")))

    def _list_sheets(self, sheet: WorkbookSheet) -> None:
        """The sheets with links, and what the titles of columns stand for, which reading asks for."""
        sheet.skip()
        sheet.add((text("Sheets"), text("rows")), "header")
        for each in self._sheets:
            if each is not sheet:
                sheet.link(each.name, each.rows if each.places else None)
        sheet.skip()
        sheet.add((text("Sheet"), text("Column"), MARK), "header")
        for entry in self._columns:
            sheet.add(entry)

    def close(self) -> bytes:
        """Finish the workbook and give its bytes."""
        if self._about is not None:
            self._list_sheets(self._about)
        for sheet in self._sheets:
            sheet.finish()
        self._book.close()
        return self._bytes.getvalue()


def _is_text(field: pa.Field) -> bool:
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _words(column: str, language: str, own: Mapping[str, str]) -> Callable[[Any], Any]:
    """What says the words of a column; each word is looked up once."""
    known: dict[Any, Any] = {}

    def say(value: Any) -> Any:
        if value not in known:
            known[value] = value if value is None else spoken(own.get(value) or word_title(column, value), language)
        return known[value]

    return say


@contextmanager
def open_workbook(path: str | Path, about: About | None = None, **properties: str) -> Iterator[Workbook]:
    """A workbook that is written to ``path``, whole or not at all, when the block ends without an error.

    Raises
    ------
    OutputError
        As :func:`drgsim.results.whole_outputs.whole_file`.
    """
    with whole_file(path) as beside:
        book = Workbook(about, **properties)
        try:
            yield book
        except BaseException:
            with contextlib.suppress(Exception):  # closing removes what xlsxwriter put aside
                book.close()
            raise
        beside.write_bytes(book.close())


def too_many_rows(where: str) -> Exception:
    """The error for more records than a sheet holds."""
    return OutputError.single(
        "output-too-many-rows",
        text("a sheet holds at most {xlsx_rows:,} records", xlsx_rows=XLSX_ROWS),
        where=where,
        fix=text("write .parquet or .csv"),
    )

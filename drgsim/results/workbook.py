"""Workbooks (.xlsx): sheets with a frozen header and a filter, and pages of lines; rows go to disk as they come.

Texts never become formulas, links or numbers, and no clock goes in: the same input gives the same bytes.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from numbers import Real
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from drgsim.errors import OutputError
from drgsim.leftovers import scratch_folder
from drgsim.records.arrow import as_cells
from drgsim.results.whole_outputs import whole_file

XLSX_ROWS = 1_048_575  # records that fit a sheet below its header
XLSX_TEXT = 32_767  # characters that fit a cell
_TITLE = 31  # characters that fit the name of a sheet
_CREATED = datetime(2000, 1, 1)
_OPTIONS = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
# looks of cells, by what the cell is
STYLES: Mapping[str, Mapping[str, Any]] = {
    "header": {"bold": True, "bg_color": "#E8EEF4", "bottom": 1},
    "two-line header": {"bold": True, "bg_color": "#E8EEF4", "bottom": 1, "text_wrap": True, "valign": "top"},
    "title": {"bold": True, "font_size": 14},
    "bold": {"bold": True},
    "yuan": {"num_format": "#,##0.00"},
    "count": {"num_format": "#,##0"},
    "share": {"num_format": "0.0%"},
    "fine share": {"num_format": "0.00%"},
    "factor": {"num_format": "0.0000"},
    "number": {"num_format": "#,##0.00####"},
    "date": {"num_format": "yyyy-mm-dd"},
    "assumption": {"bg_color": "#F3E3F6"},
    "warned": {"bg_color": "#F6D5D3"},
    "attention": {"bg_color": "#FFF1CC"},
    "error": {"bg_color": "#F6D5D3"},
    "warning": {"bg_color": "#FFF1CC"},
    "info": {"bg_color": "#E6F0F8"},
}
_PLAIN = frozenset({"year", "month"})  # whole numbers that count nothing


class Cell(NamedTuple):
    """A value with a look of its own, a name of :data:`STYLES`; None for a plain one."""

    value: Any
    style: str | None = None


class Workbook:
    """A workbook under way; :func:`open_workbook` gives one and writes it whole or not at all.

    Parameters
    ----------
    **properties
        Of the document, such as ``title`` and ``comments``.
    """

    def __init__(self, **properties: str) -> None:
        import xlsxwriter

        self._bytes = io.BytesIO()  # compressed, so small; a full disk is then an error of one plain write
        self._scratch = scratch_folder()  # rows wait there until the book is closed
        self._book = xlsxwriter.Workbook(self._bytes, {**_OPTIONS, "tmpdir": self._scratch.name})
        self._book.set_properties({"created": _CREATED, **properties})
        self._styles: dict[str, Any] = {}
        self._sheets: list[WorkbookSheet] = []

    def style(self, name: str | None) -> Any:
        """The format of xlsxwriter for a look; None for none."""
        if name is None:
            return None
        if name not in self._styles:
            self._styles[name] = self._book.add_format(dict(STYLES[name]))
        return self._styles[name]

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
            Name of the sheet; what does not fit or is not allowed in one is left out.
        columns
            The header, frozen and with a filter; without one the sheet is a page of lines.
        widths
            Of the columns, in characters.
        formats
            Looks of the columns' numbers, names of :data:`STYLES`.
        frozen
            Columns that stay when the sheet is scrolled to the right.
        """
        name = "".join(letter for letter in title if letter not in "[]:*?/\\")[:_TITLE]
        made = WorkbookSheet(self, self._book.add_worksheet(name), len(columns), formats)
        for place, width in enumerate(widths):
            made.raw.set_column(place, place, width)
        if columns:
            made.head(columns, frozen)
        self._sheets.append(made)
        return made

    def add_table(
        self,
        title: str,
        table: pa.Table,
        *,
        titles: Mapping[str, str] | None = None,
        width: Callable[[str], float] = lambda column: 16,
        number_format: Callable[[pa.Field], str | None] | None = None,
        frozen: int = 1,
        marked_by: str | None = None,
    ) -> WorkbookSheet:
        """A table as a sheet; money in yuan with two decimals, shares in percent, dates as dates, lists joined by ``|``.

        Parameters
        ----------
        titles
            Words for columns, written above the column's name.
        width
            Width of a column by its name.
        number_format
            Look of a column's numbers, None for a plain one; :func:`default_format` by default.
        marked_by
            Column whose words, where they are names of :data:`STYLES`, colour the texts of their row.

        Raises
        ------
        OutputError
            ``output-too-many-rows``.
        """
        if table.num_rows > XLSX_ROWS:
            raise too_many_rows(title)
        names = table.column_names
        looks = [(number_format or default_format)(field) for field in table.schema]
        heads = [f"{titles[name]}\n{name}" if name in titles else name for name in names] if titles else names
        sheet = self.sheet(title, heads, [width(name) for name in names], formats=looks, frozen=frozen)
        mark = names.index(marked_by) if marked_by in names else None
        for batch in table.to_batches(max_chunksize=4096):
            for row in zip(*(column.to_pylist() for column in as_cells(batch).columns), strict=True):
                sheet.add(row, row[mark] if mark is not None and row[mark] in STYLES else None)
        return sheet

    def close(self) -> bytes:
        """Finish the workbook and give its bytes."""
        for sheet in self._sheets:
            sheet.finish()
        self._book.close()
        return self._bytes.getvalue()


class WorkbookSheet:
    """One sheet, filled from above.

    Attributes
    ----------
    rows
        Rows written below the header so far.
    raw
        The worksheet of xlsxwriter.
    """

    def __init__(self, book: Workbook, raw: Any, columns: int, formats: Sequence[str | None]) -> None:
        self.raw = raw
        self.rows = 0
        self._book, self._columns = book, columns
        self._formats = [book.style(name) for name in formats]
        self._first = 0

    def head(self, columns: Sequence[str], frozen: int) -> None:
        """Write the header at the next row."""
        two = any("\n" in column for column in columns)
        if two:
            self.raw.set_row(self._first + self.rows, 32)
        self.add(columns, "two-line header" if two else "header")
        self._first, self.rows, self._columns = self._first + self.rows, 0, len(columns)
        self.raw.freeze_panes(self._first, min(frozen, len(columns) - 1))

    def add(self, cells: Iterable[Any], style: str | None = None) -> None:
        """Write the next row.

        Parameters
        ----------
        cells
            Texts, numbers, dates, :class:`Cell` with a look of their own; None, NaN and infinity leave a cell empty.
        style
            Look of the texts.
        """
        at, formats, raw = self._first + self.rows, self._formats, self.raw
        look = self._book.style(style)
        self.rows += 1
        for place, value in enumerate(cells):
            form = formats[place] if place < len(formats) else None
            own = look
            if isinstance(value, Cell):
                form = own = self._book.style(value.style)
                value = value.value
            if isinstance(value, str):
                if value or own is not None:
                    raw.write_string(at, place, value[:XLSX_TEXT], own)
            elif isinstance(value, bool):
                raw.write_boolean(at, place, value, own)
            elif isinstance(value, int | Decimal):
                raw.write_number(at, place, value, form)
            elif isinstance(value, float):
                if value - value == 0:  # neither NaN nor infinity
                    raw.write_number(at, place, value, form)
            elif isinstance(value, date):
                raw.write_datetime(at, place, value, form or self._book.style("date"))
            elif isinstance(value, Real):  # of numpy
                raw.write_number(at, place, float(value), form)
            elif value is not None:
                raw.write_string(at, place, str(value)[:XLSX_TEXT], own)

    def skip(self, rows: int = 1) -> None:
        """Leave rows empty."""
        self.rows += rows

    def finish(self) -> None:
        """Put the filter on the header."""
        if self._columns and self.rows:
            self.raw.autofilter(self._first - 1, 0, self._first - 1 + self.rows, self._columns - 1)


@contextmanager
def open_workbook(path: str | Path, **properties: str) -> Iterator[Workbook]:
    """A workbook that is written to ``path``, whole or not at all, when the block ends without an error.

    Raises
    ------
    OutputError
        As :func:`drgsim.results.whole_outputs.whole_file`.
    """
    with whole_file(path) as beside:
        book = Workbook(**properties)
        try:
            yield book
        except BaseException:
            with contextlib.suppress(Exception):  # closing removes what xlsxwriter put aside
                book.close()
            raise
        beside.write_bytes(book.close())


def default_format(field: pa.Field) -> str | None:
    """The look of a column's numbers by its type and name; None for texts.

    Examples
    --------
    >>> default_format(pa.field("cost", pa.decimal128(18, 2))), default_format(pa.field("bed_share", pa.float64()))
    ('yuan', 'share')
    """
    if pa.types.is_decimal(field.type):
        return "yuan"
    if pa.types.is_integer(field.type):
        return None if field.name in _PLAIN else "count"
    if pa.types.is_floating(field.type):
        return "share" if field.name == "share" or field.name.endswith("_share") else "number"
    return None


def too_many_rows(where: str) -> Exception:
    """The error for more records than a sheet holds."""
    return OutputError.single(
        "output-too-many-rows", f"a sheet holds at most {XLSX_ROWS:,} records", where=where, fix="write .parquet or .csv"
    )

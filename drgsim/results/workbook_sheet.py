"""One sheet of a workbook: rows from above, widths as the cells need them, charts of other sheets beside lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from numbers import Real
from typing import Any, NamedTuple
from unicodedata import east_asian_width

XLSX_TEXT = 32_767  # characters that fit a cell
# looks of cells, by what the cell is
STYLES: Mapping[str, Mapping[str, Any]] = {
    "header": {"bold": True, "bg_color": "#E8EEF4", "bottom": 1, "text_wrap": True, "valign": "top"},
    "title": {"bold": True, "font_size": 14},
    "bold": {"bold": True},
    "label": {"font_color": "#52606D", "valign": "top"},
    "wrapped": {"text_wrap": True, "valign": "top"},
    "link": {"font_color": "#1F6FB2", "underline": 1},
    "yuan": {"num_format": "#,##0.00"},
    "count": {"num_format": "#,##0"},
    "left yuan": {"num_format": "#,##0.00", "align": "left"},
    "left count": {"num_format": "#,##0", "align": "left"},
    "share": {"num_format": "0.0%"},
    "fine share": {"num_format": "0.00%"},
    "factor": {"num_format": "0.0000"},
    "days": {"num_format": "#,##0.0"},
    "number": {"num_format": "#,##0.00####"},
    "date": {"num_format": "yyyy-mm-dd"},
    "assumption": {"bg_color": "#F3E3F6"},
    "warned": {"bg_color": "#F6D5D3"},
    "attention": {"bg_color": "#FFF1CC"},
    "error": {"bg_color": "#F6D5D3"},
    "warning": {"bg_color": "#FFF1CC"},
    "info": {"bg_color": "#E6F0F8"},
}
_NARROWEST, _WIDEST, _HEADER = 7.0, 48.0, 16.0  # characters; a longer header takes several lines
_MEASURED = 2000  # rows that widths follow from
_COLOURS = ("#1F6FB2", "#D9822B", "#2E7D4F", "#B23B37", "#7A5FA0", "#52606D")
_CHART_WIDTH, _ROW_HEIGHT = 720, 20  # pixels
_WIDE_CLASSES = frozenset("WF")


def width_of(words: str) -> int:
    """Columns of a terminal or characters of a sheet that words take; Chinese ones count two.

    Examples
    --------
    >>> width_of("DRG"), width_of("病组")
    (3, 4)
    """
    if words.isascii():
        return len(words)
    return sum(2 if east_asian_width(letter) in _WIDE_CLASSES else 1 for letter in words)


class Cell(NamedTuple):
    """A value with a look of its own, a name of :data:`STYLES`; None for a plain one."""

    value: Any
    style: str | None = None


class BookTools(NamedTuple):
    """What a sheet needs of its workbook: formats by look, texts in its language, new charts."""

    style: Callable[[str | None], Any]
    say: Callable[[Any], Any]
    new_chart: Callable[[Mapping[str, Any]], Any]


class WorkbookSheet:
    """One sheet, filled from above.

    Attributes
    ----------
    rows
        Rows written below the header so far.
    raw
        The worksheet of xlsxwriter.
    places
        Column of a table -> its place; empty for a page of lines.
    """

    def __init__(self, book: BookTools, raw: Any, formats: Sequence[str | None], widths: Sequence[float]) -> None:
        self.raw, self.rows = raw, 0
        self.places: dict[str, int] = {}
        self._book, self._looks, self._given = book, formats, widths
        self._formats = [book.style(name) for name in formats]
        self._first = self._columns = self._charts = 0
        self._widths: list[float] = []

    @property
    def name(self) -> str:
        """Name of the sheet."""
        return str(self.raw.get_name())

    def head(self, columns: Sequence[str], frozen: int) -> None:
        """Write the header at the next row."""
        self.add(columns, "header")
        self._widths = [min(width, _HEADER) for width in self._widths]
        self._first, self.rows, self._columns = self._first + self.rows, 0, len(columns)
        self.raw.freeze_panes(self._first, min(frozen, len(columns) - 1))
        self.raw.repeat_rows(self._first - 1)  # on paper too
        self.raw.set_landscape()
        self.raw.fit_to_pages(1, 0)

    def add(self, cells: Iterable[Any], style: str | None = None) -> None:
        """Write the next row.

        Parameters
        ----------
        cells
            Texts, numbers, dates, :class:`Cell` with a look of their own; None, NaN and infinity leave a cell empty.
        style
            Look of the texts.
        """
        at, formats = self._first + self.rows, self._formats
        look = self._book.style(style)
        measured = self.rows < _MEASURED and not self._given
        self.rows += 1
        for place, value in enumerate(cells):
            form = formats[place] if place < len(formats) else None
            own = look
            if isinstance(value, Cell):
                form = own = self._book.style(value.style)
                value = value.value
            if measured and value is not None:
                self._measure(place, value)
            self._write(at, place, value, own, form)

    def _write(self, at: int, place: int, value: Any, own: Any, form: Any) -> None:
        """Write a cell: ``own`` is the look of texts, ``form`` that of numbers."""
        raw = self.raw
        if isinstance(value, str):
            if value or own is not None:
                said = value if type(value) is str else self._book.say(value)
                raw.write_string(at, place, said[:XLSX_TEXT], own)
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

    def _measure(self, place: int, value: Any) -> None:
        self._widths += [0.0] * (place + 1 - len(self._widths))
        if self._widths[place] >= _WIDEST:
            return
        if isinstance(value, str):
            width = max(map(width_of, str(self._book.say(value)).split("\n")))
        elif isinstance(value, date):
            width = 11
        elif isinstance(value, bool):
            width = 6
        elif isinstance(value, int | float | Decimal):
            look = self._looks[place] if place < len(self._looks) else None
            width = 9 if look in ("share", "fine share", "factor", "days") else len(f"{value:,.2f}")
            width -= 3 if look == "count" else 0
        else:
            width = width_of(str(value))
        self._widths[place] = max(self._widths[place], min(width + 1.5, _WIDEST))

    def skip(self, rows: int = 1) -> None:
        """Leave rows empty."""
        self.rows += rows

    def link(self, sheet: str, rows: int | None) -> None:
        """A row with a link to another sheet, and how many rows it has."""
        at = self._first + self.rows
        quoted = sheet.replace("'", "''")
        self.raw.write_url(at, 0, f"internal:'{quoted}'!A1", self._book.style("link"), sheet)
        if rows is not None:
            self.raw.write_number(at, 1, rows, self._book.style("left count"))
        self.rows += 1

    def figures(self, figures: Iterable[tuple[str, Any, str | None]]) -> None:
        """Key figures of a page: label, value and look, a row each."""
        for label, value, look in figures:
            self.add((Cell(label, "label"), Cell(value, look)))

    def chart(
        self,
        kind: str,
        of: WorkbookSheet,
        *,
        label: str,
        values: Sequence[str],
        title: str,
        rows: tuple[int, int] = (0, 30),
    ) -> None:
        """A chart of some of a table's rows, below the lines of this page and the charts before it.

        Parameters
        ----------
        kind
            ``bar`` (one line for each row, the first on top), ``column``, ``line``, ``pie`` or ``scatter``.
        of
            The sheet of the table, filled.
        label, values
            Columns of the table: what a row is called (of a scatter its x), and the numbers.
        title
            What the chart shows.
        rows
            The first row that is shown, and how many are at most.
        """
        count = min(of.rows - rows[0], rows[1])
        if count <= 0:
            return
        made = self._book.new_chart({"type": kind})
        first = of._first + rows[0]
        last = first + count - 1
        for place, value in enumerate(values):
            column = of.places[value]
            colour = _COLOURS[place % len(_COLOURS)]
            drawn: dict[str, Any] = {"line": {"color": colour}} if kind == "line" else {"fill": {"color": colour}}
            if kind == "scatter":
                drawn = {"marker": {"type": "circle", "fill": {"color": colour}}}
            made.add_series({
                "name": [of.name, of._first - 1, column],
                "categories": [of.name, first, of.places[label], last, of.places[label]],
                "values": [of.name, first, column, last, column], "gap": 40, **({} if kind == "pie" else drawn),
            })  # fmt: skip
        self._place(made, kind, count, self._book.say(title), legend=len(values) > 1 or kind == "pie")

    def _place(self, made: Any, kind: str, count: int, title: str, legend: bool) -> None:
        made.set_title({"name": title, "name_font": {"size": 12, "bold": True}, "overlay": False})
        made.set_legend({"position": "bottom"} if legend else {"none": True})
        if kind == "bar":
            made.set_y_axis({"reverse": True, "label_position": "low", "num_font": {"size": 9}})
            made.set_x_axis({"label_position": "low", "num_format": "#,##0", "major_gridlines": {"visible": True}})
        elif kind != "pie":
            made.set_x_axis({"label_position": "low", "num_font": {"size": 9}})
        height = 110 + 24 * count if kind == "bar" else 340
        made.set_size({"width": _CHART_WIDTH, "height": height})
        self.raw.insert_chart(self._first + self.rows + 1 + self._charts, 0, made, {"object_position": 2, "description": title})
        self._charts += height // _ROW_HEIGHT + 2

    def finish(self) -> None:
        """Put the filter on the header, and set widths."""
        widths = self._given or [max(width, _NARROWEST) for width in self._widths]
        for place, width in enumerate(widths):
            self.raw.set_column(place, place, width)
        if self._columns and self.rows:
            self.raw.autofilter(self._first - 1, 0, self._first - 1 + self.rows, self._columns - 1)

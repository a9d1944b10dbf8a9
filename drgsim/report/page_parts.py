"""What a card of a page holds: words, tables, figures folded away, one of several. Data alone; ``page`` draws it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, ClassVar

from drgsim.language import counted, text

WAN = 10_000  # yuan of ten thousand yuan (万元)
NOTHING = "–"  # a cell without a value


class PagePart:
    """Something that stands in a card; ``kind`` is the macro of ``templates/parts.html`` that draws it."""

    kind: ClassVar[str] = ""


@dataclass(frozen=True)
class NamedCode:
    """A code with its name beside it: groups, departments, hospitals."""

    shape: ClassVar[str] = "code"
    code: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.code} {self.name}".strip()


@dataclass(frozen=True)
class NotedText:
    """A text with a smaller one beside it."""

    shape: ClassVar[str] = "noted"
    words: str | NamedCode
    note: str = ""

    def __str__(self) -> str:
        return f"{self.words} {self.note}".strip()


@dataclass(frozen=True)
class ReplacedText:
    """What stood before, struck, and what stands now; ``formula`` for rules and paths, in a font of even width."""

    shape: ClassVar[str] = "replaced"
    before: str = ""
    now: str = ""
    formula: bool = False


Name = str | NamedCode | NotedText


@dataclass(frozen=True)
class TableColumn:
    """One column of a table.

    Attributes
    ----------
    title
        Heading, as a reader reads it.
    key
        Where a row (mapping or sequence) has it.
    form
        How values are written, see :func:`shown_value`; by default as text; ``shown`` for numbers that are texts already.
    signed
        Numbers carry their sign and its colour: green above 0, red below.
    minor
        Left out on a phone.
    """

    title: str
    key: str | int
    form: str = ""
    signed: bool = False
    minor: bool = False

    def shown(self, row: Any) -> Any:
        """The cell of a row, as text or as it is (texts, named codes, lists of these that stand one below the other)."""
        value = row[self.key]
        if self.form in ("", "shown"):
            return NOTHING if value is None or value == "" else value
        return shown_value(value, self.form, signed=self.signed)

    def tone(self, row: Any) -> str:
        """Class of the cell's colour: ``up``, ``down`` or none."""
        value = row[self.key] if self.signed else None
        return "" if not value or value == "" else "up" if value > 0 else "down"


@dataclass(frozen=True)
class PageTable(PagePart):
    """A table; its first column names the rows.

    Attributes
    ----------
    caption
        What the table shows, for readers who do not see the heading of the card.
    rows
        Mappings or sequences.
    total
        A last row that is set off.
    note
        A remark below.
    """

    kind: ClassVar[str] = "table"
    caption: str
    columns: Sequence[TableColumn]
    rows: Sequence[Any]
    total: Any = None
    note: str = ""


@dataclass(frozen=True)
class Words(PagePart):
    """Paragraphs; ``soft`` for remarks."""

    kind: ClassVar[str] = "words"
    paragraphs: Sequence[str]
    soft: bool = True


@dataclass(frozen=True)
class Points(PagePart):
    """A list of sentences."""

    kind: ClassVar[str] = "points"
    sentences: Sequence[str | NotedText]


@dataclass(frozen=True)
class KeyFigures(PagePart):
    """Numbers that stand out, each with its label and a remark."""

    kind: ClassVar[str] = "figures"
    figures: Sequence[KeyFigure]


@dataclass(frozen=True)
class KeyFigure:
    """One number that stands out; ``tone`` is ``up``, ``down`` or none."""

    label: str
    value: str
    note: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Fold(PagePart):
    """Parts behind one line that unfolds them."""

    kind: ClassVar[str] = "fold"
    summary: str
    parts: Sequence[PagePart]
    open: bool = False


@dataclass(frozen=True)
class Choice(PagePart):
    """One of several parts at a time, each behind its name; the first is open. ``id`` is unique on the page."""

    kind: ClassVar[str] = "choice"
    id: str
    label: str
    options: Sequence[tuple[Name, Sequence[PagePart]]]


@dataclass(frozen=True)
class Card:
    """A card of a page: heading, a remark, parts."""

    title: str
    parts: Sequence[PagePart]
    note: str = ""


@dataclass(frozen=True)
class PageAssumption:
    """A value that no source states: what it is of, its path, value, unit and why."""

    path: str
    value: str = ""
    unit: str = ""
    source: str = ""
    of: str = ""


EVIDENCE_WORDS = {
    "official": text("official"), "secondary": text("secondary"), "assumption": text("assumption"), "derived": text("derived"),
}  # fmt: skip


def founded_card(values: Sequence[tuple[PageAssumption, str]]) -> list[Card]:
    """A card that folds away the values that have a source, each with its evidence; none where there are none."""
    if not values:
        return []
    columns = [
        TableColumn(text("parameter"), "path"),
        TableColumn(text("value"), "value"),
        TableColumn(text("unit"), "unit"),
        TableColumn(text("evidence"), "evidence"),
        TableColumn(text("source and note"), "source"),
    ]
    rows = [{**vars(value), "evidence": EVIDENCE_WORDS.get(evidence, evidence)} for value, evidence in values]
    title = text("Values with a source")
    return [Card(title, [Fold(counted(len(rows), "{count} value", "{count:,} values"), [PageTable(title, columns, rows)])])]


def shown_value(value: Any, form: str, *, signed: bool = False) -> str:
    """A number as a reader wants it.

    Parameters
    ----------
    value
        A number, or None.
    form
        ``count`` (1,234), ``share`` (0.123 -> 12.3 %), ``wan`` (yuan in 万元, more decimals where little is left), ``yuan``
        (two decimals), or a format of Python such as ``.3f``.
    signed
        With ``+`` and ``-``.

    Examples
    --------
    >>> shown_value(0.1234, "share"), shown_value(1234567.0, "wan"), shown_value(1234.5, "yuan", signed=True)
    ('12.3 %', '123.5', '+1,234.50')
    >>> shown_value(None, "count"), shown_value(3.14159, ".3f")
    ('–', '3.142')
    """
    if value is None or value == "":
        return NOTHING
    number = float(value)
    if not isfinite(number):
        return NOTHING
    sign = "+" if signed and number else ""
    if form == "count":
        return f"{number:{sign},.0f}"
    if form == "share":
        return f"{100 * number:{sign}.1f} %"
    if form == "wan":
        return shown_wan(number, signed=signed)
    if form == "yuan":
        return f"{number:{sign},.2f}"
    return f"{number:{sign}{form}}"


def shown_wan(yuan: float, *, signed: bool = False) -> str:
    """Yuan in 万元; small amounts keep more decimals, so that no change reads as none.

    Examples
    --------
    >>> shown_wan(1234567), shown_wan(512.0, signed=True), shown_wan(-12.0)
    ('123.5', '+0.05', '-0.0012')
    """
    value = float(yuan) / WAN
    size = abs(value)
    digits = 1 if size >= 0.1 or value == 0 else 2 if size >= 0.01 else 4
    return f"{value:{'+' if signed and value else ''},.{digits}f}"


def shown_money(yuan: float, *, signed: bool = False) -> str:
    """An amount with its unit: 万元 from a thousand yuan on, else yuan.

    Examples
    --------
    >>> shown_money(1234567.0), shown_money(-12.5, signed=True)
    ('123.5 x 10k yuan', '-12.50 yuan')
    """
    if abs(float(yuan)) >= WAN / 10:
        return text("{amount} x 10k yuan", amount=shown_wan(yuan, signed=signed))
    return text("{amount} yuan", amount=shown_value(yuan, "yuan", signed=signed))


def kept_columns(columns: Sequence[TableColumn], rows: Sequence[Mapping[str, Any]]) -> list[TableColumn]:
    """Columns in which a row has something."""
    return [column for column in columns if any(row[column.key] not in (None, "") for row in rows)]  # type: ignore[index]

"""Charts that are lists and tables with colours: bars with their numbers, steps from one amount to another, maps of numbers.

They keep their numbers as text: they flow with the width of the page, print, and are read aloud as they stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, ClassVar

from numpy.typing import NDArray

from drgsim.report.page_parts import Name, PagePart, shown_value

TONES = ("blue", "green", "amber", "red", "grey", "light")
LEAST_WIDTH = 0.25  # per cent of the track: an amount that is there can be seen
ROOM = (0.35, 0.1)  # of the range of steps: what an axis that does not begin at 0 keeps free below and above
Values = Sequence[Any] | NDArray[Any]  # numbers, None or NaN where there is none


@dataclass(frozen=True)
class BarSeries:
    """Numbers of one kind, one for each name of the chart.

    Attributes
    ----------
    title
        What they are, for the legend; empty where there is one series alone.
    values
        Numbers; None where there is none.
    tone
        One of :data:`TONES`, or ``sign``: green above 0, red below.
    low, high
        Ends of an interval around each.
    shown
        Texts that stand instead of the numbers.
    hints
        Texts that are shown when the pointer rests on a bar.
    """

    title: str
    values: Values
    tone: str = "blue"
    low: Values | None = None
    high: Values | None = None
    shown: Sequence[str] | None = None
    hints: Sequence[str] | None = None


@dataclass(frozen=True)
class BarMark:
    """A line through all bars at a value, such as 100 %."""

    value: float
    title: str
    tone: str = "red"


@dataclass(frozen=True)
class BarPiece:
    """A drawn piece: from ``left`` as wide as ``width``, per cent of the track."""

    left: float
    width: float
    tone: str
    hint: str = ""


@dataclass(frozen=True)
class BarLine:
    """One track with its number: pieces, dots (left, tone), an interval."""

    series: str
    shown: str
    pieces: Sequence[BarPiece] = ()
    dots: Sequence[tuple[float, str, str]] = ()
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class BarChart(PagePart):
    """Bars that lie, one row for each name, with their numbers at the right.

    Attributes
    ----------
    caption
        What the chart shows.
    names
        One for each row; long ones break.
    series
        Bars of a row: one below the other, or with ``stacked`` one behind the other, or with ``dots`` points on one line.
    form
        How numbers are written, see :func:`drgsim.report.page_parts.shown_value`.
    signed
        With their sign.
    marks
        Lines at given values.
    limits
        Ends of the axis; by default from 0 (for dots from the least) to the largest number.
    pale
        Rows that are drawn pale.
    """

    kind: ClassVar[str] = "bars"
    caption: str
    names: Sequence[Name]
    series: Sequence[BarSeries]
    form: str = "count"
    signed: bool = False
    stacked: bool = False
    dots: bool = False
    marks: Sequence[BarMark] = ()
    limits: tuple[float, float] | None = None
    pale: Sequence[bool] | None = None

    @property
    def legend(self) -> list[tuple[str, str]]:
        """Title and tone of what needs a legend."""
        series = [(one.title, one.tone) for one in self.series if one.title]
        return series + [(mark.title, f"mark-{mark.tone}") for mark in self.marks]

    @property
    def ends(self) -> tuple[float, float]:
        """Ends of the axis."""
        if self.limits is not None:
            return self.limits
        values = [value for one in self.series for line in (one.values, one.low, one.high) if line is not None
                  for value in map(_number, line) if value is not None]  # fmt: skip
        if self.stacked:
            values += [sum(v for v in column if v > 0) for column in self._columns()]
            values += [sum(v for v in column if v < 0) for column in self._columns()]
        values += [mark.value for mark in self.marks]
        low, high = min(values, default=0.0), max(values, default=1.0)
        if self.dots:
            room = 0.06 * (high - low or abs(high) or 1.0)
            return low - room, high + room
        low, high = min(low, 0.0), max(high, 0.0)
        return (low, high) if high > low else (0.0, 1.0)

    def _columns(self) -> list[list[float]]:
        return [[_number(one.values[place]) or 0.0 for one in self.series] for place in range(len(self.names))]

    def place(self, value: float) -> float:
        """Where a value stands, per cent of the track."""
        low, high = self.ends
        return min(max(100 * (value - low) / (high - low), 0.0), 100.0)

    def rows(self) -> list[tuple[Name, list[BarLine], bool]]:
        """Name, tracks, and whether pale, of every row."""
        lines = self._stacked_lines if self.stacked else self._dotted_lines if self.dots else self._plain_lines
        return [(name, lines(place), bool(self.pale and self.pale[place])) for place, name in enumerate(self.names)]

    def shown_texts(self) -> list[str]:
        """Every number as text."""
        return [line.shown for _, lines, _ in self.rows() for line in lines]

    def _shown(self, one: BarSeries, place: int) -> str:
        return one.shown[place] if one.shown is not None else shown_value(one.values[place], self.form, signed=self.signed)

    def _plain_lines(self, place: int) -> list[BarLine]:
        zero, lines = self.place(0.0), []
        for one in self.series:
            value, shown = _number(one.values[place]), self._shown(one, place)
            pieces = []
            if value is not None:
                left, right = sorted((zero, self.place(value)))
                width = max(right - left, LEAST_WIDTH if value else 0.0)
                pieces = [BarPiece(left, width, _tone(one.tone, value), _hint(one, place))]
            lines.append(BarLine(one.title, shown, pieces, interval=self._interval(one, place)))
        return lines

    def _stacked_lines(self, place: int) -> list[BarLine]:
        up = down = 0.0
        pieces, whole = [], 0.0
        for one in self.series:
            value = _number(one.values[place])
            if not value:
                continue
            start = up if value > 0 else down
            left, right = sorted((self.place(start), self.place(start + value)))
            hint = _hint(one, place) or f"{one.title}: {self._shown(one, place)}"
            pieces.append(BarPiece(left, max(right - left, LEAST_WIDTH), _tone(one.tone, value), hint))
            up, down, whole = (up + value, down, whole + value) if value > 0 else (up, down + value, whole + value)
        return [BarLine("", shown_value(whole, self.form, signed=self.signed), pieces)]

    def _dotted_lines(self, place: int) -> list[BarLine]:
        dots, pieces = [], []
        for one in self.series:
            value = _number(one.values[place])
            if value is not None:
                dots.append((self.place(value), _tone(one.tone, value), _hint(one, place) or self._shown(one, place)))
        if len(dots) > 1:  # a pale line joins them
            left, right = min(dot[0] for dot in dots), max(dot[0] for dot in dots)
            pieces = [BarPiece(left, right - left, "thread")]
        shown = " → ".join(self._shown(one, place) for one in self.series)
        return [BarLine("", shown, pieces, dots, self._interval(self.series[0], place))]

    def _interval(self, one: BarSeries, place: int) -> tuple[float, float] | None:
        if one.low is None or one.high is None:
            return None
        low, high = _number(one.low[place]), _number(one.high[place])
        return None if low is None or high is None else (self.place(low), self.place(high) - self.place(low))


@dataclass(frozen=True)
class StepChart(PagePart):
    """Steps from one amount to another, one below the other (a waterfall that lies).

    Attributes
    ----------
    steps
        Name and amount; with ``from_first`` the first is the amount that the others begin from.
    end
        Name of the last bar, which is the sum.
    good
        Tone of steps upwards; those downwards have the other of green and red.
    """

    kind: ClassVar[str] = "steps"
    caption: str
    steps: Sequence[tuple[Name, float]]
    end: Name
    form: str = ",.1f"
    from_first: bool = True
    good: str = "green"

    @property
    def short_axis(self) -> bool:
        """The axis does not begin at 0, so that steps can be seen beside large ends."""
        low, high = self.ends
        return low > 0 or high < 0

    @property
    def ends(self) -> tuple[float, float]:
        """Ends of the axis: around the steps, and around 0 unless the ends are large beside the steps."""
        inner = [value for _, before, after, _, whole in self._spans() for value in ((after,) if whole else (before, after))]
        low, high = min(inner), max(inner)
        span = (high - low) or abs(high) * 0.01 or 1.0
        if self.from_first and len(self.steps) > 1 and (low - ROOM[0] * span > 0 or high + ROOM[0] * span < 0):
            return low - ROOM[0] * span, high + ROOM[1] * span
        return min(low, 0.0), max(high, 0.0) if max(high, 0.0) > min(low, 0.0) else 1.0

    def _spans(self) -> list[tuple[Name, float, float, float, bool]]:
        """Name, level before and after, amount, and whether it is an end."""
        spans, level = [], 0.0
        for number, (name, amount) in enumerate(self.steps):
            whole = self.from_first and number == 0
            before, level = (0.0, float(amount)) if whole else (level, level + float(amount))
            spans.append((name, before, level, float(amount), whole))
        return [*spans, (self.end, 0.0, level, level, True)]

    def shown_texts(self) -> list[str]:
        """Every number as text."""
        return [shown for _, _, shown, _ in self.rows()]

    def rows(self) -> list[tuple[Name, BarPiece, str, bool]]:
        """Name, piece, number, and whether it is an end, of every bar."""
        low, high = self.ends
        other = {"green": "red", "red": "green", "amber": "green"}[self.good]
        rows = []
        for name, before, after, amount, whole in self._spans():
            first, last = sorted(100 * (min(max(level, low), high) - low) / (high - low) for level in (before, after))
            tone = "blue" if whole else self.good if after >= before else other
            piece = BarPiece(min(first, 100 - LEAST_WIDTH), max(last - first, LEAST_WIDTH), tone)
            rows.append((name, piece, shown_value(amount, self.form, signed=not whole), whole))
        return rows


@dataclass(frozen=True)
class HeatTable(PagePart):
    """A table of numbers in colours.

    Attributes
    ----------
    rows, columns
        Their names.
    values
        Numbers, row by row; None or NaN where there is none.
    shades
        Tone and strength (0 to 1) of every cell, see :func:`shaded`.
    """

    kind: ClassVar[str] = "heat"
    caption: str
    rows: Sequence[Name]
    columns: Sequence[Name]
    values: Sequence[Values]
    shades: Sequence[Sequence[tuple[str, float]]]
    form: str = ",.0f"
    signed: bool = False
    note: str = ""

    def cells(self) -> list[tuple[Name, list[tuple[str, str, float]]]]:
        """Name of a row and text, tone and strength of its cells."""
        return [
            (name, [(shown_value(value, self.form, signed=self.signed), tone, round(strength, 3))
                    for value, (tone, strength) in zip(line, shade, strict=True)])
            for name, line, shade in zip(self.rows, self.values, self.shades, strict=True)
        ]  # fmt: skip


def shaded(value: Any, low: float, middle: float, high: float, tones: tuple[str, str] = ("red", "green")) -> tuple[str, float]:
    """Tone and strength of a number: the first tone towards ``low``, the second towards ``high``, none in the middle.

    Examples
    --------
    >>> shaded(0.0, -10, 0, 10), shaded(5.0, -10, 0, 10), shaded(-20.0, -10, 0, 10), shaded(None, -10, 0, 10)
    (('', 0.0), ('green', 0.35), ('red', 0.7), ('', 0.0))
    """
    number = _number(value)
    if number is None or number == middle:
        return "", 0.0
    side, end = (1, high) if number > middle else (0, low)
    return tones[side], 0.7 * min(abs(number - middle) / (abs(end - middle) or 1.0), 1.0)


def _number(value: Any) -> float | None:
    if value is None:
        return None
    number = float(value)
    return number if isfinite(number) else None


def _tone(tone: str, value: float) -> str:
    return tone if tone != "sign" else "green" if value >= 0 else "red"


def _hint(one: BarSeries, place: int) -> str:
    return one.hints[place] if one.hints is not None else ""

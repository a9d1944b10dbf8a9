"""Charts with two axes as plain SVG: lines, bands, standing bars, dots; drawn for three widths, so that letters stay legible.

A browser shows the drawing that fits (``page.css``); none needs a script. Labels of dots are set only where there is room.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, ClassVar

from numpy.typing import NDArray

from drgsim.language import text
from drgsim.report.page_parts import Name, PagePart, shown_value

SHADES = 5  # steps of a colour that stands for a number
Numbers = Sequence[Any] | NDArray[Any]  # numbers, None or NaN where there is none


@dataclass(frozen=True)
class PlotAxis:
    """An axis.

    Attributes
    ----------
    title
        What it shows, with its unit.
    form
        How its numbers are written, see :func:`drgsim.report.page_parts.shown_value`.
    log
        Logarithmic; numbers must be above 0.
    names
        Names instead of numbers: numbers 0, 1, 2 ... are their places.
    low, high
        Ends; by default those of what is drawn.
    zero
        The axis holds 0.
    """

    title: str = ""
    form: str = "count"
    log: bool = False
    names: Sequence[str] = ()
    low: float | None = None
    high: float | None = None
    zero: bool = False


@dataclass(frozen=True)
class PlotLine:
    """A line through points; None breaks it. ``band`` holds the lower and upper ends of a pale strip around it."""

    title: str
    xs: Numbers
    ys: Numbers
    tone: str = "blue"
    dashed: bool = False
    points: bool = False
    band: tuple[Numbers, Numbers] | None = None


@dataclass(frozen=True)
class PlotColumns:
    """Bars that stand on 0; ``widths`` in units of the axis (by default 0.8 of the least distance).

    Series of one plot stand side by side, with ``stacked`` of the plot one on the other.
    """

    title: str
    xs: Numbers
    ys: Numbers
    tone: str = "blue"
    widths: Numbers | None = None
    labels: bool = False


@dataclass(frozen=True)
class PlotDots:
    """Dots, the most important first.

    Attributes
    ----------
    names
        What each stands for: shown when the pointer rests on it, in the table of numbers, and beside the first ``labelled``.
    sizes
        Numbers that the area of the dots stands for.
    shades
        Numbers that their colour stands for instead of the tone, with ``shade_title``.
    labelled
        So many of the first dots get their name where there is room; of a :class:`NamedCode` the code alone on narrow drawings.
    """

    title: str
    xs: Numbers
    ys: Numbers
    tone: str = "blue"
    names: Sequence[Name] = ()
    sizes: Numbers | None = None
    shades: Numbers | None = None
    shade_title: str = ""
    shade_form: str = ".2f"
    labelled: int = 0
    radius: float = 4.5


@dataclass(frozen=True)
class PlotGuide:
    """A line across the whole plot at a value of one axis (``x`` or ``y``), with words at its end."""

    axis: str
    value: float
    title: str = ""
    tone: str = "grey"


PlotLayer = PlotLine | PlotColumns | PlotDots


@dataclass(frozen=True)
class Plot(PagePart):
    """A chart with two axes.

    Attributes
    ----------
    caption
        What it shows, in a sentence; stands below and is what a screen reader says.
    layers
        What is drawn, the first below.
    x, y
        The axes.
    guides
        Lines at given values.
    height
        Pixels.
    stacked
        Standing bars stand one on the other.
    corners
        Words in the corners of a plot that is cut in four: top left, top right, bottom left, bottom right.
    most_numbers
        Rows of the table of numbers below; 0 leaves it out, and so do lines and bars of more places.
    """

    kind: ClassVar[str] = "plot"
    caption: str
    layers: Sequence[PlotLayer]
    x: PlotAxis = field(default_factory=PlotAxis)
    y: PlotAxis = field(default_factory=PlotAxis)
    guides: Sequence[PlotGuide] = ()
    height: int = 340
    stacked: bool = False
    corners: tuple[str, str, str, str] | None = None
    most_numbers: int = 60

    @property
    def legend(self) -> list[tuple[str, str]]:
        """Title and tone of what needs a legend."""
        entries = [(layer.title, layer.tone) for layer in self.layers if layer.title and not shade_ends(layer)]
        for layer in self.layers:
            ends = shade_ends(layer)
            if ends is not None and isinstance(layer, PlotDots):
                entries += shade_legend(layer, ends)
        return entries


def known(xs: Numbers, ys: Numbers) -> Iterator[tuple[int, float, float]]:
    """Places at which both numbers are known."""
    for place, (x, y) in enumerate(zip(xs, ys, strict=True)):
        if x is not None and y is not None and isfinite(float(x)) and isfinite(float(y)):
            yield place, float(x), float(y)


def shade_ends(layer: PlotLayer) -> tuple[float, float] | None:
    """Ends of the colours of dots: the fifth and the 95th of a hundred, so that a single far one does not pale all others."""
    if not isinstance(layer, PlotDots) or layer.shades is None:
        return None
    values = sorted(float(value) for value in layer.shades if value is not None and isfinite(float(value)))
    if not values:
        return None
    return values[int(0.05 * (len(values) - 1))], values[round(0.95 * (len(values) - 1))]


def shade(value: Any, ends: tuple[float, float]) -> str:
    """The step of colour of a number.

    Examples
    --------
    >>> shade(0.5, (0.0, 1.0)), shade(9, (0.0, 1.0)), shade(None, (0.0, 1.0))
    ('shade-3', 'shade-5', 'grey')
    """
    if value is None or not isfinite(float(value)):
        return "grey"
    low, high = ends
    step = (float(value) - low) / (high - low) if high > low else 0.5
    return f"shade-{min(max(int(step * SHADES), 0), SHADES - 1) + 1}"


def shade_legend(layer: PlotDots, ends: tuple[float, float]) -> list[tuple[str, str]]:
    """Entries of the legend that say what the colours stand for."""
    steps = [ends[0] + (ends[1] - ends[0]) * (step + 0.5) / SHADES for step in range(SHADES)]
    shown = [shown_value(value, layer.shade_form) for value in steps]
    first = text("{title} about {value}", title=layer.shade_title, value=shown[0])
    return [(first, "shade-1"), *((value, f"shade-{step}") for step, value in enumerate(shown[1:], 2))]

"""Draws a plot as SVG for one width, and gives its numbers as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Any

from drgsim.language import spoken, text
from drgsim.report.page_parts import Name, NamedCode, PageTable, TableColumn, shown_value
from drgsim.report.plot_scales import PlotScale
from drgsim.report.plots import Plot, PlotAxis, PlotColumns, PlotDots, PlotGuide, PlotLayer, PlotLine, known, shade, shade_ends
from drgsim.report.text_sizes import SIZE, fitted, text_width

WIDTHS = {"wide": 1080, "middle": 680, "narrow": 340}  # pixels of the drawings; page.css shows the one that fits
LINE = 16  # pixels between lines of text
TICK = 62  # pixels that a mark with its number takes across
MOST_RADIUS = {"wide": 26.0, "middle": 20.0, "narrow": 13.0}  # pixels of the largest dot
Box = tuple[float, float, float, float]


@dataclass
class _Ground:
    """Where the drawing is made: scales, the place of its inner area, boxes of texts that are set already."""

    plot: Plot
    size: str
    width: float
    left: float
    top: float
    x: PlotScale
    y: PlotScale
    taken: list[Box]

    @property
    def right(self) -> float:
        return self.left + self.x.length

    @property
    def bottom(self) -> float:
        return self.top + self.y.length

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Pixels of a point; what lies beyond the ends is set on the edge."""
        return self.across(x), self.down(y)

    def across(self, x: float) -> float:
        return min(max(self.left + self.x.at(x), self.left), self.right)

    def down(self, y: float) -> float:
        return min(max(self.bottom - self.y.at(y), self.top), self.bottom)


def plot_drawings(plot: Plot) -> list[tuple[str, str]]:
    """Name of the width and SVG of every drawing of a plot."""
    return [(size, _drawn(plot, size, width)) for size, width in WIDTHS.items()]


def _drawn(plot: Plot, size: str, width: float) -> str:
    height = plot.height if size != "narrow" else max(0.8 * plot.height, 240)
    ground = _ground(plot, size, width, height)
    draw: dict[type, Callable[[_Ground, Any], Iterator[str]]] = {PlotLine: _line, PlotDots: _dots}
    parts, above = [*_axes(ground)], [*_corners(ground)]
    for guide in plot.guides:
        above += _guide(ground, guide)
    columns = [layer for layer in plot.layers if isinstance(layer, PlotColumns)]
    if columns:
        parts += _columns(ground, columns)
    for layer in plot.layers:
        if type(layer) in draw:
            parts += draw[type(layer)](ground, layer)
    parts += above
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" width="{width:g}" role="img" aria-label="{_quoted(plot.caption)}">'
        f"{''.join(parts)}</svg>"
    )


def _quoted(value: Any) -> str:
    return escape(str(spoken(value)), quote=True)


def _ground(plot: Plot, size: str, width: float, height: float) -> _Ground:
    """Room for the numbers of the y axis at the left, for the x axis below, for titles."""
    top = 22.0 if plot.y.title else 8.0
    bottom = 26.0 + (LINE if plot.x.title else 0)
    y = _scale(plot, 1, height - top - bottom)
    wide = max((text_width(shown) for _, shown in _labels(plot.y, y, _most_down(y))), default=0.0)
    left = wide + 10
    return _Ground(plot, size, width, left, top, _scale(plot, 0, width - left - 10), y, [])


def _scale(plot: Plot, axis: int, length: float) -> PlotScale:
    dots = any(isinstance(layer, PlotDots) for layer in plot.layers)
    room = 0.06 if axis else 0.04 if dots else 0.0
    return PlotScale.of((plot.x, plot.y)[axis], _reach(plot, axis), length, room)


def _reach(plot: Plot, axis: int) -> list[float]:
    """Values of one axis that the drawing must hold."""
    values = [guide.value for guide in plot.guides if guide.axis == "xy"[axis]]
    sums: dict[tuple[float, bool], float] = {}
    for layer in plot.layers:
        columns = isinstance(layer, PlotColumns)
        for place, x, y in known(layer.xs, layer.ys):
            values.append((x, y)[axis])
            if isinstance(layer, PlotColumns) and not axis and layer.widths is not None:
                values += [x - float(layer.widths[place]) / 2, x + float(layer.widths[place]) / 2]
            if isinstance(layer, PlotLine) and layer.band is not None and axis:
                values += [float(end[place]) for end in layer.band]
            if columns:
                sums[x, y > 0] = sums.get((x, y > 0), 0.0) + y
        values += [0.0] if columns and axis else []
    return values + (list(sums.values()) if plot.stacked and axis else [])


def _most_down(scale: PlotScale) -> int:
    return max(int(scale.length / 44), 2)


def _labels(axis: PlotAxis, scale: PlotScale, most: int) -> list[tuple[float, str]]:
    """Marks of an axis with their texts."""
    if axis.names:
        return [(mark, str(spoken(axis.names[int(mark)]))) for mark in scale.marks(most)]
    marks = scale.marks(most)
    shown = [(mark, shown_value(mark, axis.form)) for mark in marks]
    if len({label for _, label in shown}) < len(shown) and axis.form == "count":  # steps below 1
        shown = [(mark, f"{mark:,g}") for mark in marks]
    return shown


def _axes(ground: _Ground) -> Iterator[str]:
    x, y = ground.plot.x, ground.plot.y
    for value, label in _labels(y, ground.y, _most_down(ground.y)):
        at = ground.down(value)
        kind = "axis" if value == 0 and not y.log else "grid"
        yield f'<line class="{kind}" x1="{ground.left:.1f}" x2="{ground.right:.1f}" y1="{at:.1f}" y2="{at:.1f}"/>'
        yield _text(ground.left - 6, at + 4, label, anchor="end")
    if y.title:
        yield _text(0, SIZE, fitted(str(spoken(y.title)), ground.width))
    widest = max((text_width(str(spoken(name))) for name in x.names), default=TICK - 14) + 14
    most = max(int(ground.x.length / widest), 2)
    if x.names and most < len(x.names) / 4:  # long names: cut rather than leave out most of them
        widest, most = TICK, max(int(ground.x.length / TICK), 2)
    for value, label in _labels(x, ground.x, most):
        at = ground.across(value)
        shown = fitted(label, max(widest - 6, ground.x.length / max(most, 1) - 8))
        anchor = "end" if at + text_width(shown) / 2 > ground.width else "middle"
        yield f'<line class="axis" x1="{at:.1f}" x2="{at:.1f}" y1="{ground.bottom:.1f}" y2="{ground.bottom + 4:.1f}"/>'
        yield _text(ground.width - 1 if anchor == "end" else at, ground.bottom + 17, shown, anchor=anchor)
    base = f"{ground.bottom:.1f}"
    yield f'<line class="axis" x1="{ground.left:.1f}" x2="{ground.right:.1f}" y1="{base}" y2="{base}"/>'
    if x.title:
        yield _text(ground.right, ground.bottom + 17 + LINE, fitted(str(spoken(x.title)), ground.width - 10), anchor="end")


def _text(x: float, y: float, shown: str, *, anchor: str = "start", kind: str = "tick") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(shown)}</text>'


def _set_text(ground: _Ground, at: tuple[float, float], shown: str, anchor: str) -> str:
    """A text within the inner area, which labels of dots keep clear of."""
    wide = text_width(shown)
    left = at[0] if anchor == "start" else at[0] - wide
    ground.taken.append((left, at[1] - LINE + 4, left + wide, at[1] + 4))
    return _text(*at, shown, anchor=anchor, kind="tick halo")


def _paint(tone: str) -> str:
    return f"var(--{tone})"


def _line(ground: _Ground, layer: PlotLine) -> Iterator[str]:
    if layer.band is not None:
        places = [place for place, _, _ in known(layer.xs, layer.ys)]
        edge = [ground.point(float(layer.xs[place]), float(layer.band[0][place])) for place in places]
        edge += [ground.point(float(layer.xs[place]), float(layer.band[1][place])) for place in reversed(places)]
        corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in edge)
        yield f'<polygon points="{corners}" style="fill:{_paint(layer.tone)};opacity:0.2"/>'
    pieces: list[list[tuple[float, float]]] = []
    last = -2
    for place, x, y in known(layer.xs, layer.ys):
        if place != last + 1:
            pieces.append([])
        pieces[-1].append(ground.point(x, y))
        last = place
    dash = ";stroke-dasharray:3 4" if layer.dashed else ""
    for piece in pieces:
        corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in piece)
        yield f'<polyline points="{corners}" style="fill:none;stroke:{_paint(layer.tone)};stroke-width:2.2{dash}"/>'
    if layer.points:
        for _, x, y in known(layer.xs, layer.ys):
            across, down = ground.point(x, y)
            hint = _hint(ground.plot, layer.title, x, y)
            yield f'<circle cx="{across:.1f}" cy="{down:.1f}" r="3.5" style="fill:{_paint(layer.tone)}">{hint}</circle>'


def _hint(plot: Plot, title: Any, x: float, y: float) -> str:
    place = spoken(plot.x.names[int(x)]) if plot.x.names else shown_value(x, plot.x.form)
    words = [str(spoken(title))] if title else []
    return f"<title>{escape(' · '.join([*words, str(place), shown_value(y, plot.y.form)]))}</title>"


def _columns(ground: _Ground, layers: list[PlotColumns]) -> Iterator[str]:
    stacks: dict[tuple[float, bool], float] = {}
    beside = 1 if ground.plot.stacked else len(layers)
    xs = sorted({x for layer in layers for _, x, _ in known(layer.xs, layer.ys)})
    step = min((b - a for a, b in pairwise(xs)), default=1.0)
    for number, layer in enumerate(layers):
        for place, x, y in known(layer.xs, layer.ys):
            whole = 0.8 * step if layer.widths is None else float(layer.widths[place])
            start = x - whole / 2 + (0 if ground.plot.stacked else whole * number / beside)
            base = stacks.get((x, y > 0), 0.0) if ground.plot.stacked else 0.0
            stacks[x, y > 0] = base + y
            left, right = ground.across(start), ground.across(start + whole / beside)
            low, high = sorted((ground.down(base), ground.down(base + y)))
            gap = 0.5 if right - left > 3 else 0.0
            yield (
                f'<rect x="{left + gap:.1f}" y="{low:.1f}" width="{max(right - left - 2 * gap, 0.5):.1f}" '
                f'height="{max(high - low, 0.6):.1f}" style="fill:{_paint(layer.tone)}">'
                f"{_hint(ground.plot, layer.title, x, y)}</rect>"
            )
            shown = shown_value(y, ground.plot.y.form)
            if layer.labels and text_width(shown) <= right - left + 6:
                yield _column_label(ground, (left + right) / 2, (low, high), y, shown)


def _column_label(ground: _Ground, middle: float, ends: tuple[float, float], value: float, shown: str) -> str:
    """The number of a bar: at its end, or within it at its foot where dots stand about its end."""
    low, high = ends
    if any(isinstance(layer, PlotDots) for layer in ground.plot.layers):
        return _text(middle, high - 6 if value >= 0 else low + 14, shown, anchor="middle", kind="inside")
    return _text(middle, low - 4 if value >= 0 else high + 14, shown, anchor="middle", kind="halo")


def _dots(ground: _Ground, layer: PlotDots) -> Iterator[str]:
    ends, radius = shade_ends(layer), _radius(ground, layer)
    points = list(known(layer.xs, layer.ys))
    for place, x, y in reversed(points):  # the most important last, above the others
        across, down = ground.point(x, y)
        tone = layer.tone if ends is None or layer.shades is None else shade(layer.shades[place], ends)
        name = str(spoken(layer.names[place])) if layer.names else ""
        hint = f"<title>{escape(name)} · {shown_value(x, ground.plot.x.form)} · {shown_value(y, ground.plot.y.form)}</title>"
        yield (
            f'<circle cx="{across:.1f}" cy="{down:.1f}" r="{radius(place):.1f}" '
            f'style="fill:{_paint(tone)};fill-opacity:0.8;stroke:var(--card);stroke-width:1">{hint if name else ""}</circle>'
        )
    beyond = [point for point in points if layer.labelled and not ground.y.low <= point[2] <= ground.y.high]
    for place, x, y in sorted(beyond, key=lambda point: -abs(point[2])):  # at the edge, so that their numbers have to be said
        shown = f"{_code(layer.names[place])} {shown_value(y, ground.plot.y.form)}"
        yield from _label(ground, shown, ground.point(x, y), radius(place), far=True)
    for place, x, y in points[: layer.labelled]:
        if (place, x, y) not in beyond:
            yield from _label(ground, _short(layer.names[place], ground.size), ground.point(x, y), radius(place))


def _radius(ground: _Ground, layer: PlotDots) -> Callable[[int], float]:
    if layer.sizes is None:
        return lambda place: layer.radius
    sizes = layer.sizes
    largest = max((float(size) for size in sizes if size is not None), default=0.0) or 1.0
    return lambda place: max(MOST_RADIUS[ground.size] * (max(float(sizes[place] or 0), 0.0) / largest) ** 0.5, 2.0)


def _code(name: Name) -> str:
    return name.code if isinstance(name, NamedCode) else fitted(str(spoken(name)), 90)


def _short(name: Name, size: str) -> str:
    if isinstance(name, NamedCode):
        return name.code if size == "narrow" or not name.name else f"{name.code} {fitted(str(spoken(name.name)), 120)}"
    return fitted(str(spoken(name)), 90 if size == "narrow" else 160)


def _label(ground: _Ground, shown: str, at: tuple[float, float], radius: float, *, far: bool = False) -> Iterator[str]:
    """A label beside its dot where there is room: right, left, above, below, some lines away if ``far``; else none."""
    wide = text_width(shown)
    (x, y), gap = at, radius + 4
    places = [(x + gap, y), (x - gap - wide, y), (x - wide / 2, y - gap - 5), (x - wide / 2, y + gap + 7)]
    lines = [sign * LINE * line for line in range(1, 7) for sign in (1, -1)] if far else []
    places += [(left, y + line) for line in lines for left in (x + gap, x - gap - wide)]
    for left, middle in places:
        box = (left, middle - LINE / 2, left + wide, middle + LINE / 2)
        inside = box[0] >= ground.left and box[2] <= ground.width and box[1] >= ground.top - 4 and box[3] <= ground.bottom + 4
        if inside and not any(_overlap(box, other) for other in ground.taken):
            ground.taken.append(box)
            yield _text(left, middle + 4, shown, kind="halo")
            return


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _guide(ground: _Ground, guide: PlotGuide) -> Iterator[str]:
    stroke = f'style="stroke:{_paint(guide.tone)};stroke-width:1.4;stroke-dasharray:2 4"'
    if guide.axis == "x":
        at = ground.across(guide.value)
        yield f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{ground.top:.1f}" y2="{ground.bottom:.1f}" {stroke}/>'
        place, down, anchor = at + 4, ground.top + SIZE if ground.plot.corners is None else ground.bottom - LINE - 8, "start"
    else:
        at = ground.down(guide.value)
        yield f'<line x1="{ground.left:.1f}" x2="{ground.right:.1f}" y1="{at:.1f}" y2="{at:.1f}" {stroke}/>'
        place, down, anchor = ground.right - 2, at - 4, "end"
    if guide.title:
        shown = str(spoken(guide.title))
        if anchor == "start" and place + text_width(shown) > ground.width:
            place, anchor = at - 4, "end"
        yield _set_text(ground, (place, down), shown, anchor)


def _corners(ground: _Ground) -> Iterator[str]:
    if ground.plot.corners is None:
        return
    places = ((ground.left + 6, ground.top + 14, "start"), (ground.right - 4, ground.top + 14, "end"),
              (ground.left + 6, ground.bottom - 6, "start"), (ground.right - 4, ground.bottom - 6, "end"))  # fmt: skip
    for words, (x, y, anchor) in zip(ground.plot.corners, places, strict=True):
        if words:
            yield _set_text(ground, (x, y), fitted(str(spoken(words)), ground.x.length / 2 - 10), anchor)


def plot_numbers(plot: Plot) -> PageTable | None:
    """The numbers of a plot as a table: for each place of the axis, or for the first dots; None where there are too many."""
    if not plot.most_numbers:
        return None
    titles = plot.x.title or text("place"), plot.y.title or text("value")
    dots = [layer for layer in plot.layers if isinstance(layer, PlotDots) and layer.names]
    if dots:
        rows = [(layer.names[place], x, y) for layer in dots for place, x, y in known(layer.xs, layer.ys)]
        columns = [TableColumn(text("name"), 0), TableColumn(titles[0], 1, plot.x.form), TableColumn(titles[1], 2, plot.y.form)]
        cut = text("The first {shown:,} of {all:,}.", shown=plot.most_numbers, all=len(rows))
        return PageTable(plot.caption, columns, rows[: plot.most_numbers], note=cut if len(rows) > plot.most_numbers else "")
    return _numbers_by_place(plot, titles)


def _numbers_by_place(plot: Plot, titles: tuple[str, str]) -> PageTable | None:
    layers: list[PlotLayer] = list(plot.layers)
    found = [{x: y for _, x, y in known(layer.xs, layer.ys)} for layer in layers]
    places = sorted({x for ys in found for x in ys})
    if not places or len(places) > plot.most_numbers:
        return None
    columns = [TableColumn(titles[0], 0, "" if plot.x.names else plot.x.form)]
    columns += [TableColumn(layer.title or titles[1], number, plot.y.form) for number, layer in enumerate(layers, 1)]
    rows = [(plot.x.names[int(x)] if plot.x.names else x, *(ys.get(x) for ys in found)) for x in places]
    return PageTable(plot.caption, columns, rows)

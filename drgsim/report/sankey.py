"""A Sankey chart as plain SVG whose labels stand beside the nodes, one line each, and never overlap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import ClassVar

from drgsim.language import spoken
from drgsim.report.page_parts import Name, NamedCode, PagePart
from drgsim.report.text_sizes import SIZE, fitted, text_width

LINE = 17  # pixels that a label needs
GAP = 3  # pixels between the slots of two nodes
BAR = 10  # width of a node
EDGE = 6  # pixels above and below
SIZES = {"wide": (1080, 300), "middle": (680, 190), "narrow": (340, 96)}  # pixels of a drawing and of its labels


@dataclass(frozen=True)
class SankeyFlow:
    """What goes from one node to another; ``tone`` is a name of :data:`drgsim.report.bar_charts.TONES`."""

    source: str
    target: str
    value: float
    title: str
    tone: str = "light"


Labels = tuple[Mapping[str, Name], Mapping[str, Name]]


@dataclass(frozen=True)
class FlowChart(PagePart):
    """Flows between two columns of nodes, largest first; ``labels`` name the nodes of the left and the right column.

    Narrow drawings show the code of a :class:`NamedCode` alone where its name does not fit.
    """

    kind: ClassVar[str] = "flows"
    caption: str
    flows: Sequence[SankeyFlow]
    labels: Labels
    legend: Sequence[tuple[str, str]] = ()

    def drawings(self) -> list[tuple[str, str]]:
        """Name of the width and SVG of every drawing."""
        return [(size, self._drawn(*pixels, short=size == "narrow")) for size, pixels in SIZES.items()]

    def _drawn(self, width: float, label_width: float, short: bool) -> str:
        labels = tuple({node: _label(name, short) for node, name in side.items()} for side in self.labels)
        return sankey_chart(self.flows, (labels[0], labels[1]), width=width, label_width=label_width, title=self.caption).svg


def _label(name: Name, short: bool) -> str:
    return name.code if short and isinstance(name, NamedCode) and name.code else _words(name)


def _words(name: Name) -> str:
    return f"{name.code} {spoken(name.name)}".strip() if isinstance(name, NamedCode) else str(spoken(name))


@dataclass
class _Node:
    name: str
    label: str
    value: float = 0.0
    top: float = 0.0
    height: float = 0.0
    used: float = field(default=0.0)


@dataclass(frozen=True)
class LabelBox:
    """Where a label stands: left, top, right, bottom, in pixels."""

    text: str
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class SankeyLayout:
    """A laid out chart: its size, its labels, and its SVG."""

    width: float
    height: float
    labels: tuple[LabelBox, ...]
    svg: str


def sankey_chart(
    flows: Sequence[SankeyFlow], labels: tuple[dict[str, str], dict[str, str]], *, width: float, label_width: float,
    scale: float = 280.0, title: str = "",
) -> SankeyLayout:  # fmt: skip
    """Lay flows out between two columns of nodes.

    Parameters
    ----------
    flows
        Largest first.
    labels
        Name of a node -> its label, for the left and the right column; cut where it does not fit.
    width, label_width
        Pixels of the chart and of each column of labels.
    scale
        Pixels that all flows together are high.
    title
        What a screen reader says.
    """
    whole = sum(flow.value for flow in flows) or 1.0
    columns = _columns(flows, labels, scale / whole)
    height = max(_stack(nodes) for nodes in columns) + 2 * EDGE
    for nodes in columns:  # the shorter column is set in the middle
        shift = (height - _end(nodes)) / 2
        for node in nodes:
            node.top += shift
    left, right = label_width + 6, width - label_width - 6
    parts = [_link(flow, columns, (left + BAR, right - BAR), scale / whole) for flow in flows]
    boxes: list[LabelBox] = []
    for side, nodes in enumerate(columns):
        for node in nodes:
            x = left if side == 0 else right - BAR
            colour = "var(--blue)" if side == 0 else "var(--green)"
            high = max(node.value * scale / whole, 1.0)
            middle = node.top + node.height / 2
            parts.append(
                f'<rect x="{x:.1f}" y="{middle - high / 2:.1f}" width="{BAR}" height="{high:.1f}" style="fill:{colour}"/>'
            )
            text = fitted(node.label, label_width)
            anchor, at = ("end", left - 5) if side == 0 else ("start", right + 5)
            parts.append(f'<text x="{at:.1f}" y="{middle + SIZE * 0.36:.1f}" text-anchor="{anchor}">{escape(text)}</text>')
            wide = text_width(text)
            start = at - wide if side == 0 else at
            boxes.append(LabelBox(text, (start, middle - LINE / 2, start + wide, middle + LINE / 2)))
    body = "".join(parts)
    svg = (
        f'<svg viewBox="0 0 {width:g} {height:.0f}" width="{width:g}" role="img" '
        f'aria-label="{escape(str(spoken(title)), quote=True)}">{body}</svg>'
    )
    return SankeyLayout(width, height, tuple(boxes), svg)


def _columns(
    flows: Sequence[SankeyFlow], labels: tuple[dict[str, str], dict[str, str]], scale: float
) -> tuple[list[_Node], list[_Node]]:
    """Nodes of both columns: the left by size, the right where their flows come from."""
    left: dict[str, _Node] = {}
    right: dict[str, _Node] = {}
    for flow in flows:
        for nodes, name, known in ((left, flow.source, labels[0]), (right, flow.target, labels[1])):
            nodes.setdefault(name, _Node(name, known.get(name, name))).value += flow.value
    ordered = sorted(left.values(), key=lambda node: (-node.value, node.name))
    place = {node.name: number for number, node in enumerate(ordered)}
    pull = {
        node.name: sum(place[flow.source] * flow.value for flow in flows if flow.target == node.name) / node.value
        for node in right.values()
    }
    others = sorted(right.values(), key=lambda node: (pull[node.name], node.name))
    for node in (*ordered, *others):
        node.height = max(node.value * scale, LINE)
    return ordered, others


def _stack(nodes: Sequence[_Node]) -> float:
    """Set nodes one below the other; the height that they take."""
    top = 0.0
    for node in nodes:
        node.top = top
        top += node.height + GAP
    return max(top - GAP, LINE)


def _end(nodes: Sequence[_Node]) -> float:
    return nodes[-1].top + nodes[-1].height if nodes else 0.0


def _link(flow: SankeyFlow, columns: tuple[list[_Node], list[_Node]], ends: tuple[float, float], scale: float) -> str:
    """One flow as a band; it takes its place at both nodes in the order of the flows."""
    thick = max(flow.value * scale, 1.0)
    at = []
    for nodes, name in zip(columns, (flow.source, flow.target), strict=True):
        node = next(node for node in nodes if node.name == name)
        high = max(node.value * scale, 1.0)
        at.append(node.top + node.height / 2 - high / 2 + node.used + thick / 2)
        node.used += flow.value * scale
    (x0, x1), (y0, y1) = ends, at
    middle = (x0 + x1) / 2
    path = f"M{x0:.1f},{y0:.1f}C{middle:.1f},{y0:.1f} {middle:.1f},{y1:.1f} {x1:.1f},{y1:.1f}"
    return (
        f'<path d="{path}" style="fill:none;stroke:var(--{flow.tone});stroke-opacity:0.5;stroke-width:{thick:.1f}">'
        f"<title>{escape(str(spoken(flow.title)))}</title></path>"
    )

"""A page on a policy's payment curves: the curves, their pieces with evidence, and every jump."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from drgsim.language import bilingual, term, text
from drgsim.money import exact
from drgsim.parameters.evidence import Evidence
from drgsim.payment.case_class import CASE_CLASS_ZH
from drgsim.payment.curve import Break, ResolvedCurve, breaks, curve_book
from drgsim.payment.policy import Policy
from drgsim.report.page import Page, page_html
from drgsim.report.page_parts import (
    EVIDENCE_WORDS,
    Card,
    KeyFigure,
    NotedText,
    PageAssumption,
    PageTable,
    Points,
    ReplacedText,
    TableColumn,
)
from drgsim.report.plots import Plot, PlotAxis, PlotLayer, PlotLine

SMALL_JUMP = 1e-9
BEYOND = 1.3  # the curves are drawn this far beyond the last limit of any
STEPS = 8  # a cap bends a piece, so a piece is drawn by more than its two ends
LINES = ("blue", "green", "amber", "grey", "light")


def curve_page(policy: Policy, coefficient: float = 1.0) -> tuple[str, list[str]]:
    """HTML of the page, and the jumps; payment is in units of the group's relative value (1 = the standard at k = 1).

    Parameters
    ----------
    coefficient
        Hospital coefficient k to draw for.

    Returns
    -------
    tuple
        The page, and the jumps in words.
    """
    book = curve_book(policy.file.curves)
    share = _actual_share(policy)
    limits = [piece.upper for curve in book.rows for piece in curve.pieces if piece.upper is not None]
    end = max(limits, default=Fraction(2)) * exact(BEYOND)
    layers: list[PlotLayer] = []
    jumps: list[tuple[str, Break]] = []
    for number, curve in enumerate(book.rows):
        name = _name(policy, curve)
        ratios, paid = _line(curve, exact(coefficient), share, end)
        layers.append(PlotLine(name, ratios, paid, LINES[number % len(LINES)], dashed=number >= len(LINES)))
        jumps += [(name, point) for point in breaks(curve, coefficient, share) if abs(point.jump) > SMALL_JUMP]
    for _, point in jumps:
        layers.append(PlotLine("", [point.ratio] * 2, [point.before, point.after], "red", dashed=True, points=True))
    caption = text("What is paid per unit of relative value at a cost ratio r = cost / reference; 1 is the standard of a \
hospital with k = 1. Red: a jump.")  # fmt: skip
    plot = Plot(caption, layers, PlotAxis(text("cost ratio r"), "g", zero=True),
                PlotAxis(text("paid per relative value"), "g", zero=True),
                height=440, most_numbers=0)  # fmt: skip
    return _html(policy, coefficient, plot, jumps), [_jump_words(name, point) for name, point in jumps]


def _html(policy: Policy, coefficient: float, plot: Plot, jumps: Sequence[tuple[str, Break]]) -> str:
    file, prices = policy.file, policy.prices
    told = text("r: cost over the reference cost; x: cost over the group's mean without coefficient; k: coefficient; K: \
multiple of the band; actual: the bill.")  # fmt: skip
    return page_html(Page(
        title=bilingual(f"{policy.id} · {file.title}", f"{policy.id} · {file.title_zh}"),
        subtitle=text("method {method} · effective from {start} · verified {verified}", method=file.method,
                      start=file.effective_from or text("unknown"), verified=file.verified),
        figures=[
            KeyFigure(text("hospital coefficient k"), f"{coefficient:g}"),
            KeyFigure(text("groups in its table"), "–" if prices is None else f"{len(prices.codes):,}"),
            KeyFigure(text("parameters without a source"), f"{len(policy.assumptions)} / {len(policy.parameters)}"),
            KeyFigure(text("jumps"), f"{len(jumps)}"),
        ],
        summary=[plot],
        cards=[
            _pieces(policy), *_jumps(jumps),
            *([Card(text("Notes"), [Points(file.notes)])] if file.notes else []),
        ],
        assumptions=[
            PageAssumption(parameter.path, str(parameter.value), parameter.unit,
                           parameter.note) for parameter in policy.assumptions
        ],
        notes=[told],
    ))  # fmt: skip


def _jump_words(name: str, point: Break) -> str:
    return f"{name}: at r = {point.ratio:g} from {point.before:.4g} to {point.after:.4g} ({point.jump:+.4g})"


def _jumps(jumps: Sequence[tuple[str, Break]]) -> list[Card]:
    rows = [(name, point.ratio, point.before, point.after, point.jump) for name, point in jumps]
    columns = [
        TableColumn(text("curve"), 0), TableColumn("r", 1, "g"), TableColumn(term("of a jump", "before"), 2, ".4g"),
        TableColumn(term("of a jump", "after"), 3, ".4g"), TableColumn(text("jump"), 4, ".4g", signed=True),
    ]  # fmt: skip
    title = text("Jumps")
    return [Card(title, [PageTable(title, columns, rows)])] if rows else []


def _name(policy: Policy, curve: ResolvedCurve) -> str:
    bands = policy.file.curves[curve.name].bands
    band = bands[curve.band]
    return f"{curve.name}: {band.shown}" if len(bands) > 1 or band.K is not None else curve.name


def _pieces(policy: Policy) -> Card:
    """One row per piece: curve, class, limit, formula, evidence and note."""
    rows: list[tuple[Any, ...]] = []
    for name, curve in policy.file.curves.items():
        for piece in curve.pieces:
            evidence: Evidence = piece.evidence or curve.evidence
            limit = text("above") if piece.upto is None else f"r {'≤' if piece.closed else '<'} {piece.upto}"
            pays: list[Any] = [ReplacedText(now=str(piece.pays), formula=True)]
            if piece.cap:
                pays.append(text("at most {cap}", cap=piece.cap))
            source = NotedText(policy.file.sources[piece.source or curve.source].title, piece.note)
            title = bilingual(piece.case_class.replace("_", " "), CASE_CLASS_ZH[piece.case_class])
            rows.append((name, title, limit, pays, EVIDENCE_WORDS[str(evidence)], source))
    columns = [
        TableColumn(text("curve"), 0), TableColumn(text("class of cases"), 1), TableColumn(text("up to"), 2),
        TableColumn(text("pays, per unit of relative value"), 3), TableColumn(text("evidence"), 4),
        TableColumn(text("source and note"), 5, minor=True),
    ]  # fmt: skip
    title = text("Pieces")
    return Card(title, [PageTable(title, columns, rows)])


def _actual_share(policy: Policy) -> float:
    """Units that a cost of one mean is worth at the unit value; 1 where the comparison cost is the price."""
    mean, price = policy.file.reference.mean_cost, policy.file.unit_value
    if mean is None or price is None:
        return 1.0
    first = next(iter(price.values.values()))
    return next(iter(mean.values.values())) / (first * policy.file.relative_value.scale.value)


def _line(curve: ResolvedCurve, k: Fraction, share: float, end: Fraction) -> tuple[list[float | None], list[float | None]]:
    """Corner points of a curve up to ``end``; a None between pieces keeps a jump from looking like a slope."""
    ratios: list[float | None] = []
    paid: list[float | None] = []
    start = Fraction(0)
    for number, piece in enumerate(curve.pieces):
        stop = end if piece.upper is None else piece.upper
        for step in range(STEPS + 1):
            ratio = start + (stop - start) * step / STEPS
            x = ratio * k if curve.with_coefficient else ratio
            value = curve.paid(number, x, k)
            ratios.append(float(ratio))
            paid.append(float(x) * share if value is None else float(value))
        ratios.append(None)
        paid.append(None)
        start = stop
    return ratios, paid

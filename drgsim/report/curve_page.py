"""A page on a policy's payment curves: the curves, their pieces with evidence, and every jump."""

from __future__ import annotations

from fractions import Fraction

import plotly.graph_objects as go

from drgsim.money import exact
from drgsim.parameters.evidence import Evidence
from drgsim.payment.case_class import CASE_CLASS_ZH
from drgsim.payment.curve import Break, ResolvedCurve, breaks, curve_book
from drgsim.payment.policy import Policy
from drgsim.report.page import COLOURS, chart, render_page

SMALL_JUMP = 1e-9
BEYOND = 1.3  # the curves are drawn this far beyond the last limit of any
STEPS = 8  # a cap bends a piece, so a piece is drawn by more than its two ends
EVIDENCE_ZH = {"official": "官方", "secondary": "二手", "assumption": "假设", "derived": "推算"}
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
    figure = go.Figure()
    jumps: list[dict[str, object]] = []
    for number, curve in enumerate(book.rows):
        name = _name(policy, curve)
        colour = COLOURS[LINES[number % len(LINES)]]
        ratios, paid = _line(curve, exact(coefficient), share, end)
        line = {"color": colour, "width": 2.5, "dash": "solid" if number < len(LINES) else "dash"}
        figure.add_scatter(x=ratios, y=paid, mode="lines", name=name, connectgaps=False, line=line)
        for point in breaks(curve, coefficient, share):
            if abs(point.jump) > SMALL_JUMP:
                jumps.append({"curve": name, "point": point})
                _mark(figure, point, name)
    _label(figure)
    html = render_page(
        "policy.html", title=f"{policy.id} · {policy.file.title_zh}", policy=policy.file, coefficient=coefficient,
        chart=chart(figure, height=480, top=60), jumps=jumps, pieces=_pieces(policy), evidence_zh=EVIDENCE_ZH,
        assumptions=len(policy.assumptions), parameters=len(policy.parameters),
        prices=len(policy.prices.codes) if policy.prices is not None else 0,
    )  # fmt: skip
    return html, [_jump_words(str(entry["curve"]), entry["point"]) for entry in jumps]  # type: ignore[arg-type]


def _jump_words(name: str, point: Break) -> str:
    return f"{name}: at r = {point.ratio:g} from {point.before:.4g} to {point.after:.4g} ({point.jump:+.4g})"


def _mark(figure: go.Figure, point: Break, name: str) -> None:
    figure.add_scatter(
        x=[point.ratio, point.ratio], y=[point.before, point.after], mode="lines+markers", name=_jump_words(name, point),
        line={"dash": "dot", "color": COLOURS["red"]}, marker={"symbol": "circle-open", "size": 8}, showlegend=False,
    )  # fmt: skip


def _label(figure: go.Figure) -> None:
    figure.update_layout(hovermode="closest")
    figure.update_xaxes(title="cost ratio r = cost / reference 费用比", rangemode="tozero", zeroline=True)
    figure.update_yaxes(title="paid per unit of relative value 支付 / 相对价值", rangemode="tozero", zeroline=True)


def _name(policy: Policy, curve: ResolvedCurve) -> str:
    bands = policy.file.curves[curve.name].bands
    band = bands[curve.band]
    return f"{curve.name}: {band.shown}" if len(bands) > 1 or band.K is not None else curve.name


def _pieces(policy: Policy) -> list[dict[str, object]]:
    """One row per piece: curve, class, limit, formula, evidence and note."""
    rows: list[dict[str, object]] = []
    for name, curve in policy.file.curves.items():
        for piece in curve.pieces:
            evidence: Evidence = piece.evidence or curve.evidence
            sign = "≤" if piece.closed else "<"
            rows.append({
                "curve": name, "case_class": piece.case_class, "case_class_zh": CASE_CLASS_ZH[piece.case_class],
                "limit": f"r {sign} {piece.upto}" if piece.upto is not None else "above 以上", "pays": piece.pays,
                "cap": piece.cap or "", "evidence": str(evidence),
                "source": policy.file.sources[piece.source or curve.source].title, "note": piece.note,
            })  # fmt: skip
    return rows


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

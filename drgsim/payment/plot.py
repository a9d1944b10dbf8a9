"""Draw the payment curves of a policy as an HTML page."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from drgsim.payment.curve import ResolvedCurve, breaks, curve_book
from drgsim.payment.money import exact
from drgsim.payment.parameters import band_words
from drgsim.payment.policy import Policy

SMALL_JUMP = 1e-9
BEYOND = 1.6  # the plot goes this far beyond the last limit


def plot_policy(policy: Policy, path: Path, coefficient: float = 1.0) -> list[str]:
    """Write the plot; payment and cost are in units of the group's relative value (1 = the standard at k = 1).

    Returns
    -------
    list of str
        The jumps, in words.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    words: list[str] = []
    book = curve_book(policy.file.curves)
    share = _actual_share(policy)
    for curve in book.rows:
        name = curve.name if len(policy.file.curves[curve.name].bands) == 1 else f"{curve.name}, band {curve.band + 1}"
        label = _band_words(policy, curve)
        ratios, paid = _line(curve, exact(coefficient), share)
        figure.add_scatter(x=ratios, y=paid, mode="lines", name=f"{name}{label}", connectgaps=False)
        for point in breaks(curve, coefficient, share):
            if abs(point.jump) > SMALL_JUMP:
                text = f"{name}{label}: at r = {point.ratio:g} from {point.before:.4g} to {point.after:.4g} ({point.jump:+.4g})"
                words.append(text)
                figure.add_scatter(
                    x=[point.ratio, point.ratio], y=[point.before, point.after], mode="lines+markers", name=text,
                    line={"dash": "dot", "color": "firebrick"}, marker={"symbol": "circle-open"}, showlegend=False,
                )  # fmt: skip
    figure.update_layout(
        title=f"{policy.id} · {policy.file.title_zh}, k = {coefficient:g}",
        xaxis_title="cost ratio r 费用比", yaxis_title="paid per unit of relative value 支付 / 相对价值",
    )  # fmt: skip
    beside = path.with_name(f".{path.name}.part")
    figure.write_html(beside, include_plotlyjs=True, div_id="curve")
    beside.replace(path)
    return words


def _actual_share(policy: Policy) -> float:
    """Units that a cost of one mean is worth at the unit value; 1 where the comparison cost is the price."""
    mean, price = policy.file.reference.mean_cost, policy.file.unit_value
    if mean is None or price is None:
        return 1.0
    first = next(iter(price.values.values()))
    return next(iter(mean.values.values())) / (first * policy.file.relative_value.scale.value)


def _band_words(policy: Policy, curve: ResolvedCurve) -> str:
    bands = policy.file.curves[curve.name].bands
    return f": {band_words(bands[curve.band])}" if bands[curve.band].K is not None else ""


def _line(curve: ResolvedCurve, k: Fraction, share: float) -> tuple[list[float | None], list[float | None]]:
    """Corner points of a curve; a None between pieces keeps a jump from looking like a slope."""
    limits = [piece.upper for piece in curve.pieces]
    known = [limit for limit in limits if limit is not None]
    end = max(known, default=Fraction(2)) * exact(BEYOND)
    ratios: list[float | None] = []
    paid: list[float | None] = []
    start = Fraction(0)
    for number, limit in enumerate(limits):
        stop = end if limit is None else limit
        for step in range(9):  # a cap bends a piece, so a piece is drawn by more than its two ends
            ratio = start + (stop - start) * step / 8
            x = ratio * k if curve.with_coefficient else ratio
            value = curve.paid(number, x, k)
            ratios.append(float(ratio))
            paid.append(float(x) * share if value is None else float(value))
        ratios.append(None)
        paid.append(None)
        start = stop
    return ratios, paid

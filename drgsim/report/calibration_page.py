"""The page of a calibration: growth and institutions in surplus under two regimes, against the published figures."""

from __future__ import annotations

import plotly.graph_objects as go

from drgsim.budgets.budget_tables import words
from drgsim.budgets.calibration import FACTS, Calibration
from drgsim.parameters.evident_values import parameters_of
from drgsim.report.page import COLOURS, chart, render_page


def calibration_page(result: Calibration) -> str:
    """HTML of the page."""
    settings = result.settings
    parameters = [
        (entry.path, words(entry.value), entry.unit, str(entry.evidence), entry.note, settings.sources[entry.source].title)
        for entry in parameters_of(settings)
    ]  # fmt: skip
    surplus = [100 * float(year.in_surplus.mean()) for year in result.years]
    growth = [100 * value for value in result.growth]
    facts = settings.facts
    ends = [regime.years[1] for regime in settings.regimes]
    return render_page(
        "calibration.html",
        title=settings.title_zh,
        settings=settings,
        result=result,
        facts=[(FACTS[name], fact, model, 100 * result.tolerance(name)) for name, (fact, model) in result.results.items()],
        surplus_chart=chart(_chart(result, surplus, ends, [facts.surplus_before.value, facts.surplus_after.value]), 330),
        growth_chart=chart(_chart(result, growth, ends, [facts.growth_before.value, facts.growth_after.value]), 330),
        parameters=parameters,
    )


def _chart(result: Calibration, values: list[float], ends: list[int], facts: list[float]) -> go.Figure:
    figure = go.Figure()
    titles = {regime.name: regime.title_zh for regime in result.settings.regimes}
    for name, colour in zip(titles, ("amber", "blue"), strict=True):
        at = [place for place, regime in enumerate(result.regime) if regime == name]
        figure.add_bar(
            x=[result.years[place].year for place in at],
            y=[values[place] for place in at],
            text=[f"{values[place]:.1f}" for place in at],
            textposition="inside",
            insidetextanchor="start",
            name=titles[name],
            marker_color=COLOURS[colour],
        )
    marker = {"symbol": "diamond", "size": 13, "color": COLOURS["red"], "line": {"color": "white", "width": 1}}
    figure.add_scatter(x=ends, y=[100 * fact for fact in facts], mode="markers", name="published 公布", marker=marker)
    figure.update_yaxes(ticksuffix=" %")
    figure.update_xaxes(dtick=1)
    return figure

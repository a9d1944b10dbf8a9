"""The page of a calibration: growth and institutions in surplus under two regimes, against the published figures."""

from __future__ import annotations

from drgsim.budgets.budget_tables import words
from drgsim.budgets.calibration import FACTS, Calibration
from drgsim.language import bilingual, text
from drgsim.parameters.evident_values import parameters_of
from drgsim.report.page import Page, page_html
from drgsim.report.page_parts import Card, PageAssumption, PageTable, TableColumn, Words, founded_card
from drgsim.report.plots import Plot, PlotAxis, PlotColumns, PlotDots


def calibration_page(result: Calibration) -> str:
    """HTML of the page."""
    settings = result.settings
    values = [
        (PageAssumption(entry.path, words(entry.value), entry.unit,
                        " · ".join(filter(None, (settings.sources[entry.source].title, entry.note)))), str(entry.evidence))
        for entry in parameters_of(settings)
    ]  # fmt: skip
    facts, growth = settings.facts, text("Growth of fund spending per head")
    surplus = _chart(result, text("Institutions in surplus, %, and as published"),
                     [float(year.in_surplus.mean()) for year in result.years],
                     (facts.surplus_before.value, facts.surplus_after.value))  # fmt: skip
    spending = _chart(result, text("Growth of fund spending per head, %, and as published"), list(result.growth),
                      (facts.growth_before.value, facts.growth_after.value))  # fmt: skip
    warning = text("A check, not an estimate: growth, planned budgets and shares of the schedules are assumed so that the \
published figures come out; index, sharing and fund are computed by the budget model.")  # fmt: skip
    return page_html(Page(
        title=bilingual(settings.title, settings.title_zh),
        warnings=[warning],
        lead=text("Within the tolerance: yes") if result.reproduced else text("Within the tolerance: no"),
        summary=[_facts(result)],
        cards=[
            Card(text("Institutions in surplus"), [surplus]), Card(growth, [spending]), _regimes(result),
            *founded_card([(value, evidence) for value, evidence in values if evidence != "assumption"]),
        ],
        assumptions=[value for value, evidence in values if evidence == "assumption"],
        footer=[text("{settings} ({digest}) · terms {terms}", settings=settings.id, digest=result.digest[:12],
                     terms=settings.terms)],
    ))  # fmt: skip


def _facts(result: Calibration) -> PageTable:
    rows = [(FACTS[name], fact, model, 100 * result.tolerance(name)) for name, (fact, model) in result.results.items()]
    columns = [
        TableColumn(text("figure"), 0),
        TableColumn(text("published"), 1, "share"),
        TableColumn(text("model"), 2, "share"),
        TableColumn(text("± points"), 3, "g"),
    ]
    return PageTable(text("Against the published figures"), columns, rows)


def _regimes(result: Calibration) -> Card:
    regimes = result.settings.regimes
    rows = [
        (bilingual(regime.title, regime.title_zh), f"{regime.years[0]}–{regime.years[1]}",
         [f"budget.{path} = {value}" for path, value in regime.changes.items()])
        for regime in regimes
    ]  # fmt: skip
    columns = [TableColumn(text("regime"), 0), TableColumn(text("years"), 1), TableColumn(text("changes"), 2)]
    title = text("The regimes")
    return Card(title, [PageTable(title, columns, rows)] if rows else [Words([text("none")])])


def _chart(result: Calibration, caption: str, values: list[float], facts: tuple[float, float]) -> Plot:
    years = [year.year for year in result.years]
    layers: list[PlotColumns | PlotDots] = []
    for regime, tone in zip(result.settings.regimes, ("amber", "blue"), strict=True):
        at = [place for place, name in enumerate(result.regime) if name == regime.name]
        title = bilingual(regime.title, regime.title_zh)
        layers.append(PlotColumns(title, at, [100 * values[place] for place in at], tone, widths=[0.8] * len(at), labels=True))
    ends = [years.index(regime.years[1]) for regime in result.settings.regimes]
    layers.append(PlotDots(text("published"), ends, [100 * fact for fact in facts], "red", radius=6))
    return Plot(caption, layers, PlotAxis(names=[str(year) for year in years]), PlotAxis("%", ".1f"), height=300, stacked=True)

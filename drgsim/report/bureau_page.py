"""The page for a bureau: the fund, use of the indices, unit values, quality, warnings, who gains and loses, what to look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from drgsim.accounts.regional_accounts import RegionalAccounts
from drgsim.accounts.settled_cases import PriceBasis
from drgsim.budgets.budget_year import BudgetYear
from drgsim.language import Text, bilingual, joined, text
from drgsim.report.bar_charts import BarChart, BarSeries
from drgsim.report.bureau_budget_cards import budget_assumptions, budget_cards, budget_figures
from drgsim.report.hospital_words import PAYERS, amount, rows_of
from drgsim.report.lead_words import lead_with, unpaid_lead
from drgsim.report.page import Page, page_html
from drgsim.report.page_parts import (
    Card,
    KeyFigure,
    NamedCode,
    PageAssumption,
    PagePart,
    PageTable,
    TableColumn,
    Words,
    shown_value,
    shown_wan,
)
from drgsim.report.plots import Plot, PlotAxis, PlotColumns, PlotLine
from drgsim.report.report_parts import ReportChoices
from drgsim.report.supervision_cards import looked_at, supervision_assumptions, supervision_cards

TITLE = text("Report for the bureau")
MOST_DRAWN = 25  # hospitals and groups in charts
MOST_ROWS = 60  # hospitals in tables
BASES = {
    PriceBasis.POLICY: text("the policy states the prices"),
    PriceBasis.GIVEN: text("the unit value was given with the call"),
    PriceBasis.BUDGET: text("the unit value follows from the budget that was given"),
    PriceBasis.BREAK_EVEN: text("assumption: the unit value at which these cases earn what they cost"),
}


def bureau_page(
    accounts: RegionalAccounts, choices: ReportChoices, years: Sequence[BudgetYear] = (), notes: Sequence[str] = ()
) -> str:
    """HTML of the page.

    Parameters
    ----------
    accounts
        Figures of the cases.
    choices
        Its warnings and links are shown.
    years
        Budget years of the region, the last one shown; none for a file of discharges.
    notes
        Remarks on how it came about.
    """
    cases = accounts.cases
    policy = cases.settlement.ledger.policy
    whole = cases.settlement.summaries["all"].to_pylist()[0]
    rows = _hospital_rows(accounts)
    cards = [
        *_fund(accounts), *(budget_cards(years) if years else [_without_budgets()]), _unit_values(accounts), _quality(accounts),
        _winners(accounts, rows), *_supervision(accounts),
    ]  # fmt: skip
    return page_html(Page(
        title=TITLE,
        subtitle=joined(" · ", _subtitle(accounts)),
        lead=lead_with(lead_of(accounts), choices.prices),
        warnings=choices.warnings,
        links=choices.links,
        figures=[*budget_figures(years), *_figures(whole, accounts, rows, bool(years))],
        summary=[_margin_chart(rows)],
        cards=cards,
        assumptions=assumptions_of(accounts, years),
        notes=[*notes, *(problem.what for problem in cases.notes)],
        footer=[text("policy {policy} ({digest})", policy=policy.id, digest=policy.digest[:12])],
    ))  # fmt: skip


def _subtitle(accounts: RegionalAccounts) -> list[Text | str]:
    """Months of discharge, policy, schemes."""
    file, months = accounts.cases.settlement.ledger.policy.file, accounts.months["month"].to_pylist()
    period = [months[0] if len(months) == 1 else text("{first} to {last}", first=months[0], last=months[-1])] if months else []
    schemes = ", ".join(accounts.cases.schemes) or text("groups as the file names them")
    return [*period, bilingual(file.title, file.title_zh), schemes]


def _hospital_rows(accounts: RegionalAccounts) -> list[dict[str, Any]]:
    """Hospitals as rows with numbers, the largest bills first."""
    rows = [{**row, "named": NamedCode(row["hospital"] or "–", row["name"])} for row in rows_of(accounts.hospitals.to_pylist())]
    return sorted(rows, key=lambda row: (-row["cost"], row["hospital"]))


def lead_of(accounts: RegionalAccounts) -> Text:
    """What a bureau has to know at once."""
    cases, rows = accounts.cases, _hospital_rows(accounts)
    unpaid = unpaid_lead(cases, np.ones(cases.size, np.bool_))
    if not cases.paid.any():
        return lead_with(unpaid)
    losing = sum(row["margin"] < 0 for row in rows)
    money = text(
        "{losing} of {all} hospitals are paid less than their bills; over all, payments differ from bills by {margin}.",
        losing=losing, all=len(rows), margin=amount(sum(row["margin"] for row in rows), signed=True),
    )  # fmt: skip
    if accounts.supervision is None or len(rows) < 2:
        return lead_with(unpaid, money)
    look = text("{hospitals} hospitals have a share that is worth a look.", hospitals=looked_at(accounts.supervision))
    return lead_with(unpaid, money, look)


def _figures(
    whole: dict[str, Any], accounts: RegionalAccounts, rows: Sequence[dict[str, Any]], with_budget: bool
) -> list[KeyFigure]:
    """Cases and money; where budgets stand before them, fewer."""
    figures = [KeyFigure(text("cases"), f"{whole['cases']:,}", text("{count:,} without payment", count=whole["unpaid"]))]
    if not with_budget:
        figures += [
            KeyFigure("CMI", shown_value(whole["cmi"], ".3f")),
            KeyFigure(text("bills (10k yuan)"), shown_wan(whole["cost"])),
            KeyFigure(text("payment (10k yuan)"), shown_wan(whole["payment"])),
        ]
    figures += [
        KeyFigure(text("fund pays (10k yuan)"), shown_wan(whole["fund_payment"])),
        KeyFigure(text("hospitals that lose"), f"{sum(row['margin'] < 0 for row in rows)} / {len(rows)}"),
    ]
    if accounts.supervision is not None:
        figures.append(KeyFigure(text("hospitals worth a look"), f"{looked_at(accounts.supervision)} / {len(rows)}"))
    return figures


def _margin_chart(rows: Sequence[dict[str, Any]]) -> BarChart:
    shown = rows[:MOST_DRAWN]
    return BarChart(
        text("Payment less bills by hospital, 10k yuan"), [row["named"] for row in shown],
        [BarSeries("", [row["margin"] for row in shown], "sign")], "wan", signed=True,
    )  # fmt: skip


def _fund(accounts: RegionalAccounts) -> list[Card]:
    """What the fund pays, by payer and by month."""
    summary = accounts.cases.settlement.summaries["insurance"]
    rows = [{**row, "named": PAYERS.get(row["insurance"], row["insurance"])} for row in rows_of(summary.to_pylist())]
    columns = [
        TableColumn(text("payer"), "named"), TableColumn(text("cases"), "cases", "count"), TableColumn("CMI", "cmi", ".3f"),
        TableColumn(text("bills (10k yuan)"), "cost", "wan"), TableColumn(text("payment (10k yuan)"), "payment", "wan"),
        TableColumn(text("patients (10k yuan)"), "patient_paid", "wan", minor=True),
        TableColumn(text("fund (10k yuan)"), "fund_payment", "wan"),
    ]  # fmt: skip
    parts: list[PagePart] = [PageTable(text("Payments by payer"), columns, rows)]
    months = accounts.months.to_pylist()
    if len(months) > 1:
        places, names = list(range(len(months))), [row["month"] for row in months]
        parts.append(Plot(
            text("By month of discharge, 10k yuan"),
            [PlotColumns(text("fund"), places, [float(row["fund_payment"]) / 10_000 for row in months], "light"),
             PlotLine(text("bills"), places, [float(row["cost"]) / 10_000 for row in months], "grey", points=True),
             PlotLine(text("payment"), places, [float(row["payment"]) / 10_000 for row in months], "blue", points=True)],
            PlotAxis(names=names), PlotAxis(text("10k yuan"), ",.0f", zero=True),
        ))  # fmt: skip
    return [Card(text("What the fund pays"), parts)]


def _without_budgets() -> Card:
    said = [
        text("Budgets, the use of the indices, warnings and the scores of quality need the years before, the hospitals and the "
             "fund's budget: a file of discharges does not hold them, and nothing is assumed in their place."),
        text("Give the folder of the region instead of the file: drgsim report REGION --for bureau."),
    ]  # fmt: skip
    return Card(text("Use of the indices and warnings"), [Words(said, soft=False)])


def _unit_values(accounts: RegionalAccounts) -> Card:
    """What a unit is worth, by payer and level."""
    file = accounts.cases.settlement.ledger.policy.file
    rows = [
        {**row, "named": PAYERS.get(row["insurance"], row["insurance"]), "level": row["level"] or "–",
         "payment": float(row["payment"])}
        for row in accounts.unit_values.to_pylist()
    ]  # fmt: skip
    columns = [
        TableColumn(text("payer"), "named"), TableColumn(text("level of hospitals"), "level"),
        TableColumn(text("cases"), "cases", "count"), TableColumn(text("units"), "units", ",.2f", minor=True),
        TableColumn(text("payment (10k yuan)"), "payment", "wan"),
        TableColumn(text("yuan paid for a unit"), "paid_per_unit", "yuan"),
        TableColumn(text("least unit value"), "least", "yuan", minor=True),
        TableColumn(text("highest"), "most", "yuan", minor=True),
    ]  # fmt: skip
    unit = {"weight": text("one relative weight"), "points": text("one point")}.get(
        file.relative_value.unit, text("one unit of score")
    )
    said = text("A unit is {unit}, with the hospital's coefficient; {basis}.", unit=unit, basis=BASES[accounts.cases.basis])
    if not rows:
        return Card(text("Unit value"), [Words([text("No case is paid by a unit value.")], soft=False)])
    return Card(text("Unit value"), [PageTable(text("Unit values at work"), columns, rows)], said)


def _quality(accounts: RegionalAccounts) -> Card:
    """How good the records are, by hospital."""
    found = accounts.supervision
    if found is None:
        return Card(text("Quality of the records"), [Words([accounts.without_supervision or ""], soft=False)])
    rows = [
        {**row, "named": NamedCode(row["hospital_id"] or "–", accounts.hospital_names.get(row["hospital_id"], ""))}
        for row in found.hospitals.sort_values(["cases", "hospital_id"], ascending=[False, True])
        .head(MOST_ROWS)
        .to_dict("records")
    ]
    columns = [
        TableColumn(text("hospital"), "named"), TableColumn(text("cases"), "cases", "count"),
        TableColumn(text("coding quality index"), "coding_quality_index", ".1f"),
        TableColumn(text("cases with coding faults"), "coding_cases", "count"),
        TableColumn(text("severe cases"), "severe_cases", "count", minor=True),
        TableColumn(text("expected from its families"), "severe_expected", ",.1f", minor=True),
    ]  # fmt: skip
    note = text("Index: mean of three shares x 100: records without a coding fault, records with a group, records that are not "
                "thin in diagnoses.")  # fmt: skip
    return Card(text("Quality of the records"), [PageTable(text("Coding quality by hospital"), columns, rows, note=note)])


def _winners(accounts: RegionalAccounts, rows: Sequence[dict[str, Any]]) -> Card:
    """Hospitals and groups that gain and lose, and why hospitals do."""
    shown = rows[:MOST_DRAWN]
    chart = BarChart(
        text("The margin taken apart, 10k yuan"), [row["named"] for row in shown],
        [BarSeries(text("prices against the usual cost of its groups"), [row["of_prices"] for row in shown], "blue"),
         BarSeries(text("own costs against the usual cost"), [row["of_costs"] for row in shown], "amber")],
        "wan", signed=True,
    )  # fmt: skip
    columns = [
        TableColumn(text("hospital"), "named"), TableColumn(text("cases"), "cases", "count"),
        TableColumn("CMI", "cmi", ".3f", minor=True), TableColumn(text("bills (10k yuan)"), "cost", "wan", minor=True),
        TableColumn(text("payment (10k yuan)"), "payment", "wan", minor=True),
        TableColumn(text("margin (10k yuan)"), "margin", "wan", signed=True),
        TableColumn(text("of the bills"), "margin_share", "share", signed=True),
        TableColumn(text("by prices"), "of_prices", "wan", signed=True),
        TableColumn(text("by own costs"), "of_costs", "wan", signed=True),
        TableColumn(text("high cases"), "high_share", "share", minor=True),
        TableColumn(text("low cases"), "low_share", "share", minor=True),
        TableColumn(text("cost index"), "cost_index", ".3f", minor=True),
        TableColumn(text("time index"), "time_index", ".3f", minor=True),
    ]  # fmt: skip
    note = text(
        "The usual cost of a hospital is what its cases would cost at the mean cost of their groups over all hospitals. By own "
        "costs: it treats the same groups at lower (+) or higher (−) cost than others do. By prices: its groups, coefficient, "
        "high and low cases are paid above (+) or below (−) their usual cost."
    )
    losing = [row for row in rows_of(accounts.groups.to_pylist()) if row["margin"] < 0][:MOST_DRAWN]
    by_group = [
        TableColumn(text("group"), "group"), TableColumn(text("cases"), "cases", "count"),
        TableColumn(text("bills (10k yuan)"), "cost", "wan"),
        TableColumn(text("margin (10k yuan)"), "margin", "wan", signed=True),
    ]  # fmt: skip
    return Card(text("Who gains and who loses"), [
        chart, PageTable(text("Hospitals"), columns, rows[:MOST_ROWS], note=note),
        PageTable(text("Groups with the largest losses over all hospitals"), by_group, losing),
    ])  # fmt: skip


def _supervision(accounts: RegionalAccounts) -> list[Card]:
    found = accounts.supervision
    if found is None:
        said = Words([accounts.without_supervision or ""], soft=False)
        return [Card(text("Supervision: what is worth a look"), [said])]
    return supervision_cards(found, accounts.hospital_names, accounts.group_names)


def assumptions_of(accounts: RegionalAccounts, years: Sequence[BudgetYear]) -> list[PageAssumption]:
    policy = accounts.cases.settlement.ledger.policy
    stated = [
        PageAssumption(entry.path, str(entry.value), entry.unit, entry.note or entry.source_title, policy.id)
        for entry in policy.assumptions
    ]
    lists = [] if accounts.supervision is None else supervision_assumptions(accounts.supervision)
    return [*stated, *budget_assumptions(years), *lists]

"""The page of budget years: the fund, waterfalls of the index, use by month, quality, sharing, cash, and the assumptions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from drgsim.budgets.budget_index import STEPS
from drgsim.budgets.budget_tables import words
from drgsim.budgets.budget_year import BudgetYear
from drgsim.budgets.case_bills import UNITS, UNITS_ZH
from drgsim.budgets.cash import LINES
from drgsim.language import bilingual, term, text
from drgsim.payment.policy import Policy
from drgsim.records.vocabulary import PAYERS_ZH
from drgsim.region.hospital_year_sums import MONTHS
from drgsim.report.budget_charts import (
    MOST_CASH,
    MOST_INDEX,
    WAN,
    fund_chart,
    heat_chart,
    index_choice,
    liquidity_choice,
    quality_chart,
    sharing_chart,
)
from drgsim.report.page import Page, page_html
from drgsim.report.page_parts import (
    Card,
    Fold,
    KeyFigure,
    PageAssumption,
    PagePart,
    PageTable,
    Points,
    TableColumn,
    Words,
    founded_card,
)

MOST_ROWS = 60  # hospitals that tables show
MONEY = ",.2f"


def budget_page(years: Sequence[BudgetYear], policy: Policy, notes: Sequence[str]) -> str:
    """HTML of the page; charts show the last year, the key figures and the table of years all of them."""
    last = years[-1]
    terms = last.terms
    shown = np.argsort(-last.index.index, kind="stable")[:MOST_ROWS].tolist()
    values = [
        (PageAssumption(f"budget.{parameter.path}", words(parameter.value), parameter.unit,
                        " · ".join(filter(None, (terms.file.sources[parameter.source].title, parameter.note)))),
         str(parameter.evidence))
        for parameter in terms.parameters
    ]  # fmt: skip
    assumed = [value for value, evidence in values if evidence == "assumption"]
    warning = text("{assumed} of {all} budget parameters are assumptions. No official formula of the index and no yearly \
share of BJ-GBI is public.", assumed=len(assumed), all=len(values))  # fmt: skip
    cards = [
        *([Card(text("Read this first"), [Points(notes)])] if notes else []), _fund(years), _index(last, shown), *_pools(last),
        _hospitals(last, shown), Card(text("Monthly warning list"), [heat_chart(last, shown)]), _units(last), _sharing(last),
        Card(text("Quality"), [quality_chart(last, shown)]), _liquidity(years, shown), _ledger(last, shown[0]),
        *founded_card([(value, evidence) for value, evidence in values if evidence != "assumption"]),
    ]  # fmt: skip
    return page_html(Page(
        title=text("Budget year {year}", year=last.year),
        subtitle=text("{terms} · {policy}", terms=bilingual(terms.file.title, terms.file.title_zh),
                      policy=bilingual(policy.file.title, policy.file.title_zh)),
        warnings=[warning] if assumed else [],
        figures=_figures(last),
        summary=[fund_chart(last)],
        cards=cards,
        assumptions=assumed,
        footer=[text("policy {policy} · terms {terms} ({digest})", policy=policy.file.id, terms=terms.id,
                     digest=terms.digest[:12])],
    ))  # fmt: skip


def _figures(year: BudgetYear) -> list[KeyFigure]:
    size = year.figures.size
    return [
        KeyFigure(text("budget of the fund (10k yuan)"), f"{year.fund.budget / WAN:,.1f}"),
        KeyFigure(text("sum of the indices (10k yuan)"), f"{year.fund.index / WAN:,.1f}"),
        KeyFigure(text("scaling"), f"{year.index.scaling:.4f}"),
        KeyFigure(text("hospitals in surplus"), f"{int(year.in_surplus.sum())} / {size}"),
        KeyFigure(text("warned in December"), f"{int(year.warnings.warned[:, -1].sum())} / {size}"),
        KeyFigure(text("balance of the fund (10k yuan)"), f"{year.fund.balance / WAN:,.1f}"),
    ]


def _wan(title: str, key: str, *, signed: bool = False, minor: bool = False) -> TableColumn:
    """A column of amounts in 万元."""
    return TableColumn(title, key, MONEY, signed=signed, minor=minor)


def _account(account: Any) -> dict[str, float]:
    names = ("budget", "reserve", "adjustment_fund", "index", "returned", "borne", "paid", "balance")
    return {name: getattr(account, name) / WAN for name in names}


def _fund(years: Sequence[BudgetYear]) -> Card:
    columns = [
        TableColumn(text("year"), "year"), _wan(text("budget"), "budget"), _wan(text("reserve"), "reserve", minor=True),
        _wan(text("adjustment fund"), "adjustment_fund", minor=True), _wan(text("index"), "index"),
        TableColumn(text("scaling"), "scaling", ".4f", minor=True), _wan(text("returned"), "returned", minor=True),
        _wan(text("borne"), "borne", minor=True), _wan(text("paid"), "paid"), _wan(text("balance"), "balance"),
        TableColumn(text("in surplus"), "surplus", minor=True),
    ]  # fmt: skip
    rows = [
        {"year": str(year.year), "scaling": year.index.scaling, "surplus": f"{year.in_surplus.sum()} / {year.figures.size}",
         **_account(year.fund)}
        for year in years
    ]  # fmt: skip
    return Card(text("The fund"), [PageTable(text("The fund by year, 10k yuan"), columns, rows, note=text("10k yuan"))])


def _index(year: BudgetYear, shown: Sequence[int]) -> Card:
    parts: list[PagePart] = [index_choice(year, shown)]
    effect, figures = year.index.waterfall[:, STEPS.index("negotiated")], year.figures
    agreed = [
        (figures.names[place], effect[place] / WAN, figures.reasons.get((figures.hospitals[place], year.year), ""))
        for place in np.flatnonzero(effect).tolist()
    ]
    if agreed:
        columns = [TableColumn(text("hospital"), 0), TableColumn(text("in the index (10k yuan)"), 1, MONEY, signed=True),
                   TableColumn(text("reason"), 2)]  # fmt: skip
        parts.append(PageTable(text("What was negotiated"), columns, agreed))
    note = text("Choose a hospital (the {most} largest). The steps sum to its index, and all indices to the fund's budget \
less reserve and adjustment fund.", most=min(MOST_INDEX, len(shown)))  # fmt: skip
    return Card(text("How the index comes about"), parts, note)


def _pools(year: BudgetYear) -> list[Card]:
    if not year.pools:
        return []
    columns = [
        TableColumn(text("pool"), "pool"), _wan(text("budget"), "budget"), _wan(text("index"), "index"),
        _wan(text("due"), "due"),
        _wan(text("settled"), "settled"), _wan(text("returned"), "returned", minor=True),
        _wan(text("borne"), "borne", minor=True), _wan(text("paid"), "paid", minor=True), _wan(text("balance"), "balance"),
        TableColumn(text("in surplus"), "surplus"), TableColumn(text("sharing"), "sharing", minor=True),
    ]  # fmt: skip
    rows = [_pool(payer, pool) for payer, pool in year.pools.items()]
    note = text("{year}, 10k yuan. Employees and residents have indices, sharing and fund apart; everything else on this \
page is their sum.", year=year.year)  # fmt: skip
    title = text("Pools")
    return [Card(title, [PageTable(title, columns, rows)], note)]


def _pool(payer: str, pool: BudgetYear) -> dict[str, Any]:
    schedule = pool.terms.schedule
    return {
        "pool": bilingual(payer, PAYERS_ZH[payer]), "due": pool.recorded.sum() / WAN, "settled": pool.settled.sum() / WAN,
        "surplus": f"{pool.in_surplus.sum()} / {pool.figures.size}", "sharing": bilingual(schedule.title, schedule.title_zh),
        **_account(pool.fund),
    }  # fmt: skip


def _hospitals(year: BudgetYear, shown: Sequence[int]) -> Card:
    columns = [
        TableColumn(text("hospital"), "name"), TableColumn(text("level"), "level", minor=True), _wan(text("index"), "index"),
        _wan(text("due"), "due"), TableColumn(text("used"), "ratio", "share"),
        TableColumn(text("score"), "score", ".0f", minor=True),
        _wan(text("settled"), "settled", minor=True), _wan(text("kept or borne"), "shared", signed=True),
        _wan(text("procurement kept"), "procurement", minor=True), _wan(text("deposit lost"), "forfeited", minor=True),
        _wan(text("cash"), "cash", minor=True), TableColumn(text("months warned"), "warned", "count", minor=True),
    ]  # fmt: skip
    note = text("10k yuan. Kept or borne: what sharing adds to (+) or takes from (−) what the units of payment give.")
    title = text("Hospitals")
    parts: list[PagePart] = [PageTable(title, columns, [_row(year, place) for place in shown], note=note)]
    if len(shown) < year.figures.size:
        parts.append(
            Words([text("The {shown} largest of {all}; all in the workbook.", shown=len(shown), all=year.figures.size)])
        )
    return Card(title, parts)


def _row(year: BudgetYear, place: int) -> dict[str, object]:
    return {
        "name": year.figures.names[place],
        "level": year.figures.level[place],
        "index": year.index.index[place] / WAN,
        "due": year.recorded[place] / WAN,
        "ratio": year.ratio[place],
        "score": year.scores.score[place],
        "settled": year.settled[place] / WAN,
        "shared": (year.settled[place] - year.recorded[place]) / WAN,
        "procurement": year.procurement_kept[place] / WAN,
        "forfeited": year.cash.due["deposit_forfeited"][place] / WAN,
        "cash": year.cash.received[place] / WAN,
        "warned": int(year.warnings.warned[place].sum()),
    }


def _units(year: BudgetYear) -> Card:
    rows = [
        (bilingual(name.replace("_", " "), UNITS_ZH[name]), int(year.units[:, place].sum()) / WAN)
        for place, name in enumerate(UNITS)
    ]
    columns = [TableColumn(text("unit of payment"), 0), TableColumn(text("due (10k yuan)"), 1, MONEY)]
    title = text("Paid by unit")
    return Card(title, [PageTable(title, columns, rows)])


def _sharing(year: BudgetYear) -> Card:
    schedule = year.terms.schedule
    rows = [
        (title, f"{band.lower:.0%} – " + ("" if band.upper is None else f"{band.upper:.0%}"), f"{float(band.share):.0%}")
        for title, bands in ((text("surplus"), schedule.surplus), (text("overspend"), schedule.overspend)) for band in bands
    ]  # fmt: skip
    columns = [TableColumn(text("side"), 0), TableColumn(text("due / index"), 1), TableColumn(text("the fund's share"), 2)]
    title = text("Sharing of surplus and overspend")
    note = bilingual(schedule.title, schedule.title_zh)
    return Card(title, [sharing_chart(year), PageTable(title, columns, rows)], note)


def _liquidity(years: Sequence[BudgetYear], shown: Sequence[int]) -> Card:
    """The hospitals whose cash falls lowest first."""
    least = sorted(
        (_least(years, place) for place in shown), key=lambda row: row["days"] if row["days"] == row["days"] else 1e9
    )
    columns = [
        TableColumn(text("hospital"), "name"), _wan(text("least balance"), "balance"),
        TableColumn(text("in"), "month", minor=True),
        TableColumn(text("days of cash"), "days", ".1f"), _wan(text("least without"), "without", minor=True),
        TableColumn(text("months below 0"), "short", "count"),
        TableColumn(text("without"), "short_without", "count", minor=True),
    ]  # fmt: skip
    cash = years[-1].terms.file.cash
    note = text("With and without money paid ahead. Expenses are {share:.0%} of the bills; the run begins with {days:g} \
days of them. Choose a hospital (the {most} with the fewest days of cash).",
                share=cash.expense_share.value, days=cash.opening_days.value,
                most=min(MOST_CASH, len(shown)))  # fmt: skip
    table = PageTable(text("Least cash of every hospital, 10k yuan"), columns, least)
    return Card(text("Liquidity"), [liquidity_choice(years, [row["place"] for row in least]), table], note)


def _least(years: Sequence[BudgetYear], place: int) -> dict[str, Any]:
    """The month in which a hospital has the least cash, over all years."""
    balance = np.concatenate([year.liquidity.balance[place] for year in years])
    days = np.concatenate([year.liquidity.days(year.liquidity.balance)[place] for year in years])
    without = np.concatenate([year.liquidity.balance_without[place] for year in years])
    at = int(balance.argmin())
    return {
        "place": place, "name": years[-1].figures.names[place], "month": f"{years[at // MONTHS].year}-{at % MONTHS + 1:02d}",
        "balance": balance[at] / WAN, "days": float(days[at]), "without": without.min() / WAN,
        "short": int((balance < 0).sum()),
        "short_without": int((without < 0).sum()),
    }  # fmt: skip


def _ledger(year: BudgetYear, place: int) -> Card:
    rows = [
        (_month(month), bilingual(line.replace("_", " "), LINES[line]), due / 100 if due else None,
         paid / 100 if paid else None,
         balance / 100)
        for month, line, due, paid, balance in year.cash.lines(place)
    ]  # fmt: skip
    columns = [TableColumn(text("month"), 0), TableColumn(text("line"), 1), TableColumn(text("due"), 2, "yuan"),
               TableColumn(term("in a ledger", "paid"), 3, "yuan"),
        TableColumn(term("in a ledger", "balance"), 4, "yuan")]  # fmt: skip
    title = text("Ledger: {hospital}", hospital=year.figures.names[place])
    note = text("Yuan; every hospital's ledger is in the workbook and ends at zero.")
    return Card(title, [Fold(text("All lines of the year"), [PageTable(title, columns, rows)])], note)


def _month(month: int) -> str:
    return text("opening") if month == 0 else text("clearing") if month > MONTHS else str(month)

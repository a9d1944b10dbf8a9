"""Cards on money in a hospital's report: months, groups, departments, doctors, payers, categories of cost."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

from drgsim.accounts.cost_categories import categories
from drgsim.accounts.hospital_accounts import HospitalAccounts
from drgsim.accounts.reference_groups import ReferenceKind
from drgsim.language import Text, text
from drgsim.report.bar_charts import BarChart, BarSeries, HeatTable, shaded
from drgsim.report.hospital_words import NOT_NAMED, PAYERS, amount, money_columns, rows_of, wan, with_revenue
from drgsim.report.page_parts import Card, Fold, PagePart, PageTable, TableColumn, Words
from drgsim.report.plots import Plot, PlotAxis, PlotDots, PlotGuide, PlotLine

Row = dict[str, Any]
TOP, MOST_DOTS, LABELLED, MANY = 12, 250, 14, 40


def month_card(accounts: HospitalAccounts) -> Card:
    """Revenue, cost and margin month by month."""
    rows = with_revenue(accounts.sums.months.to_pylist())
    title = text("Month by month")
    if not any(row["month"] for row in rows):
        said = text(
            'The file has no dates of discharge, so that no months are told apart. Map the column: --map "出院日期=discharged".'
        )
        return Card(title, [Words([said])])
    dated = [row for row in rows if row["month"]]
    parts: list[PagePart] = []
    if len(dated) > 1:
        names = [row["month"] for row in dated]
        places = list(range(len(names)))
        parts.append(Plot(
            text("Revenue and cost by month of discharge, 10k yuan"),
            [PlotLine(text("revenue"), places, [wan(row["revenue"]) for row in dated], "blue", points=True),
             PlotLine(text("cost"), places, [wan(row["cost"]) for row in dated], "amber", points=True)],
            PlotAxis(names=names), PlotAxis(text("10k yuan"), ",.0f", zero=True), height=260, most_numbers=0,
        ))  # fmt: skip
    for row in rows:
        row["month"] = row["month"] or text("without a date")
    columns = [TableColumn(text("month"), "month"), *money_columns(indices=False)]
    parts.append(PageTable(text("Figures by month of discharge"), columns, rows))
    return Card(title, parts)


def quadrant_plot(rows: Sequence[Row]) -> Plot:
    """Groups by volume and margin per case, the area by cost, the colour by weight."""
    dots = sorted(rows, key=lambda row: -row["cost"])[:MOST_DOTS]
    middle = float(median(row["cases"] for row in dots))
    margins = sorted(row["margin_per_case"] for row in dots)
    cut = len(margins) // 50  # the two far ends of a hundred groups lie on the edge
    low, high = min(margins[cut], 0.0), max(margins[len(margins) - 1 - cut], 0.0)
    room = 0.08 * (high - low or 1.0)
    beyond = sum(not low - room <= margin <= high + room for margin in margins)
    caption = text("Groups by number of cases and margin per case; area: cost, colour: weight (CMI)")
    if beyond:
        caption = text(
            "{caption}. The axis is cut: {count:,} groups lie beyond it and stand at its edge, with their margin per case.",
            caption=caption, count=beyond,
        )  # fmt: skip
    return Plot(
        caption,
        [PlotDots(
            text("group"), [row["cases"] for row in dots], [row["margin_per_case"] for row in dots],
            names=[row["group"] for row in dots], sizes=[row["cost"] for row in dots], shades=[row["cmi"] for row in dots],
            shade_title=text("weight"), labelled=LABELLED,
        )],
        PlotAxis(text("cases"), "count", log=True),
        PlotAxis(text("margin per case, yuan"), ",.0f", low=low - room, high=high + room),
        [PlotGuide("y", 0.0), PlotGuide("x", middle, text("median"))], height=460,
        corners=(text("few cases, gain"), text("many cases, gain"), text("few cases, loss"),
                 text("many cases, loss: look here first")),
    )  # fmt: skip


def group_card(accounts: HospitalAccounts) -> Card:
    """Who loses: groups."""
    rows = [
        row for row in with_revenue(accounts.sums.groups.to_pylist()) if row["is_group"] and row["margin_per_case"] is not None
    ]
    title = text("Groups: who loses, who gains")
    if not rows:
        return Card(title, [Words([text("No case has a group that is paid.")])])
    parts: list[PagePart] = [quadrant_plot(rows)] if len({row["cases"] for row in rows}) > 1 and len(rows) > 2 else []
    columns = [TableColumn(text("group"), "group"), *money_columns()]
    losing = sorted((row for row in rows if row["margin"] < 0), key=lambda row: row["margin"])
    gaining = sorted((row for row in rows if row["margin"] > 0), key=lambda row: -row["margin"])
    for some, caption in ((losing, text("Groups with the largest loss")), (gaining, text("Groups with the largest gain"))):
        table = PageTable(caption, columns, some[:TOP], note=_more(len(some)))
        parts.append(table if some is losing else Fold(caption, [table]))
    return Card(title, parts, _concentration(losing))


def _more(count: int) -> str:
    return text("The workbook has all {count:,}.", count=count) if count > TOP else ""


def _concentration(losing: Sequence[Row]) -> Text:
    """How much of the loss the worst groups make."""
    whole = sum(row["margin"] for row in losing)
    worst = sum(row["margin"] for row in losing[:10])
    if not whole:
        return text("No group loses.")
    return text(
        "{count:,} groups lose {whole} together; the {few} worst of them make {share:.0%} of it.",
        count=len(losing), whole=amount(-whole), few=min(len(losing), 10), share=worst / whole,
    )  # fmt: skip


def department_card(accounts: HospitalAccounts) -> Card:
    """Who loses: departments."""
    rows = _named(with_revenue(accounts.sums.departments.to_pylist()), "department")
    if len(rows) == 1 and rows[0]["department"] is NOT_NAMED:
        said = text('The file names no departments. Map the column: --map "出院科室=discharge_department".')
        return Card(text("Departments"), [Words([said])])
    rows.sort(key=lambda row: row["margin"])
    shown = rows if len(rows) <= MANY else [*rows[: MANY // 2], *rows[-MANY // 2 :]]
    bars = BarChart(
        text("Margin by department, 10k yuan, the largest loss first"), [row["department"] for row in shown],
        [BarSeries("", [row["margin"] for row in shown], "sign")], "wan", signed=True,
    )  # fmt: skip
    table = PageTable(text("Figures by department"), [TableColumn(text("department"), "department"), *money_columns()], rows)
    return Card(text("Departments"), [bars, Fold(text("Figures by department"), [table])], _index_note(accounts))


def doctor_card(accounts: HospitalAccounts) -> Card:
    """Who loses: doctors, where the file names them."""
    rows = _named(with_revenue(accounts.sums.doctors.to_pylist()), "doctor")
    if not rows:
        said = text('The file names no doctors. Map the column if it has one: --map "主诊医师=doctor".')
        return Card(text("Doctors"), [Words([said])])
    rows.sort(key=lambda row: row["margin"])
    columns = [TableColumn(text("doctor"), "doctor"), *money_columns()]
    table = PageTable(text("Doctors with the largest loss"), columns, rows[: 2 * TOP], note=_more(len(rows)))
    note = text(
        "Patients differ: a doctor who takes the hard cases may lose without doing anything wrong. Compare CMI and indices."
    )
    return Card(text("Doctors"), [table], note)


def _named(rows: list[Row], name: str) -> list[Row]:
    for row in rows:
        row[name] = row[name] or NOT_NAMED
    return rows


def _index_note(accounts: HospitalAccounts) -> Text:
    if accounts.reference.kind is ReferenceKind.OWN:
        return text("Indices compare with the hospital's own mean of the same groups: 1 is the hospital's mean.")
    return text("Indices compare with {reference}: 1 is its mean of the same groups.", reference=accounts.reference.label)


def payer_table(accounts: HospitalAccounts) -> PageTable:
    """Figures by payer."""
    rows = with_revenue(accounts.sums.insurances.to_pylist())
    for row in rows:
        row["insurance"] = PAYERS[row["insurance"]]
    columns = [TableColumn(text("payer"), "insurance"), *money_columns(indices=False)]
    return PageTable(text("Figures by payer"), columns, rows)


def category_card(accounts: HospitalAccounts) -> Card:
    """Costs by category against the mean of the groups."""
    title = text("Costs by category")
    if not accounts.costs.known:
        said = text(
            "The file has no costs by category, such as 药品费 and 耗材费 or the fees of the front page (D11 to D34), so that "
            "none is compared. Export these columns too."
        )
        return Card(title, [Words([said])])
    titles = {category.id: category.title for category in categories()}
    rows = rows_of(accounts.tables["cost_categories"].to_pylist())
    whole = [
        {**row, "title": titles[row["category"]], "above": wan(row["difference"])} for row in rows if not row["department"]
    ]
    columns = [TableColumn(text("category"), "title"), TableColumn(text("cost (10k yuan)"), "cost", "wan"),
               TableColumn(text("share"), "share", "share")]  # fmt: skip
    own = accounts.reference.kind is ReferenceKind.OWN and accounts.hospital.hospitals == 1
    if not own:
        columns += [TableColumn(text("at the groups' mean (10k yuan)"), "expected", "wan"),
                    TableColumn(text("difference (10k yuan)"), "above", "+,.1f")]  # fmt: skip
    table = PageTable(text("Costs by category"), columns, whole)
    note = (
        text("The file is of one hospital: departments are compared with the hospital's mean of the same groups.")
        if own
        else text("At the groups' mean: what the same cases would cost if each cost the mean of its group in the file.")
    )
    return Card(title, [table, *_department_heat(rows, titles)], note)


def _department_heat(rows: Sequence[Row], titles: dict[str, Text]) -> list[PagePart]:
    """Departments by category: what they cost above the groups' mean."""
    departments = list(dict.fromkeys(row["department"] for row in rows if row["department"]))
    if len(departments) < 2:
        return []
    names = list(dict.fromkeys(row["category"] for row in rows))
    cells = {(row["department"], row["category"]): row for row in rows}
    far = sorted(departments, key=lambda each: -sum(abs(cells[each, name]["difference"]) for name in names))[:MANY]
    most = max(abs(cells[each, name]["difference"]) for each in far for name in names) or 1.0
    values = [[wan(cells[each, name]["difference"]) for name in names] for each in far]
    shades = [[shaded(cells[each, name]["difference"], -most, 0.0, most, ("green", "red")) for name in names] for each in far]
    return [HeatTable(
        text("Costs above the mean of the same groups by department, 10k yuan"), far, [titles[name] for name in names], values,
        shades, ",.1f", signed=True, note=text("Red: dearer than cases of the same groups; green: cheaper."),
    )]  # fmt: skip

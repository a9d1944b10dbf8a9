"""The page of a settlement: what is paid by class of case, hospital and department, and what it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from drgsim.errors import Problem
from drgsim.language import bilingual, text
from drgsim.payment.settlement import Settlement, unit_names
from drgsim.report.bar_charts import BarChart, BarSeries
from drgsim.report.hospital_words import PAYERS
from drgsim.report.page import Page, page_html
from drgsim.report.page_parts import Card, KeyFigure, NamedCode, PageAssumption, PagePart, PageTable, TableColumn, Words

MOST_ROWS = 40  # hospitals, departments and groups shown, those of the largest cost
MOST_BARS = 12  # hospitals of the chart on the first sheet
Names = Mapping[str, Mapping[str, str]]  # dimension -> code -> name
_HEADINGS = {
    "case_class": text("Classes of cases"), "hospital": text("Hospitals"), "department": text("Departments"),
    "group": text("Groups"), "insurance": text("Insurance"),
}  # fmt: skip


def settlement_page(
    settlement: Settlement, notes: Sequence[Problem] = (), hospital_names: Mapping[str, str] | None = None
) -> str:
    """HTML of the page; ``notes`` are shown at its end, ``hospital_names`` stand for ids of hospitals."""
    policy, summaries = settlement.ledger.policy, settlement.summaries
    hospitals = _largest(summaries["hospital"].to_pylist())
    tables = [(title, name, summaries[name].to_pylist()) for name, title in _HEADINGS.items()]
    groups = dict(zip(settlement.ledger.cases.unit.values, unit_names(settlement.ledger), strict=True))
    names = {"group": groups, "hospital": hospital_names or {}}
    return page_html(Page(
        title=text("Settlement under {policy}", policy=policy.id),
        subtitle=bilingual(policy.file.title, policy.file.title_zh),
        figures=_figures(settlement, summaries["all"].to_pylist()[0]),
        summary=[margins_chart(hospitals[:MOST_BARS], hospital_names)],
        cards=[
            Card(title, _table(title, name, rows, names, settlement.shadow is not None)) for title, name,
            rows in tables if rows
        ] + _unit_values(settlement.unit_values),
        assumptions=[
            PageAssumption(parameter.path, str(parameter.value), parameter.unit,
                           parameter.note) for parameter in policy.assumptions
        ],
        notes=[text("{what} → {fix}", what=note.what, fix=note.fix) if note.fix else note.what for note in notes],
        footer=[text("policy {policy} ({digest})", policy=policy.id, digest=policy.digest[:12])],
    ))  # fmt: skip


def _figures(settlement: Settlement, total: Mapping[str, Any]) -> list[KeyFigure]:
    money = [
        (text("cost (10k yuan)"), "cost"), (text("payment (10k yuan)"), "payment"), (text("fund (10k yuan)"), "fund_payment"),
        (text("margin (10k yuan)"), "margin"),
    ]  # fmt: skip
    if settlement.shadow is not None:
        money += [(text("simulated payment (10k yuan)"), "shadow_payment"), (text("its margin (10k yuan)"), "shadow_margin")]
    return [
        KeyFigure(text("cases"), f"{total['cases']:,}"), KeyFigure(text("unpaid"), f"{total['unpaid']:,}"),
        KeyFigure("CMI", "–" if total["cmi"] is None else f"{total['cmi']:.3f}"),
        *(KeyFigure(title, f"{float(total[name]) / 10_000:,.1f}", tone=_tone(name, total[name])) for title, name in money),
    ]  # fmt: skip


def _tone(name: str, amount: Any) -> str:
    return "" if not name.endswith("margin") else "up" if amount > 0 else "down"


def _table(title: str, key: str, rows: list[dict[str, Any]], names: Names, shadow: bool) -> list[PagePart]:
    shown = rows if key == "case_class" else _largest(rows)
    named = [{**row, "label": _label(row, key, names)} for row in shown]
    columns = [
        TableColumn(title, "label"), TableColumn(text("cases"), "cases", "count"),
        TableColumn(text("unpaid"), "unpaid", "count", minor=True), TableColumn("CMI", "cmi", ".3f", minor=True),
        TableColumn(text("cost (10k yuan)"), "cost", "wan", minor=True),
        TableColumn(text("payment (10k yuan)"), "payment", "wan"),
        TableColumn(text("fund (10k yuan)"), "fund_payment", "wan", minor=True),
        TableColumn(text("margin (10k yuan)"), "margin", "wan", signed=True),
    ]  # fmt: skip
    if shadow:
        columns += [
            TableColumn(text("simulated cases"), "shadow_cases", "count", minor=True),
            TableColumn(text("groups would pay (10k yuan)"), "shadow_payment", "wan", minor=True),
            TableColumn(text("its margin (10k yuan)"), "shadow_margin", "wan", signed=True, minor=True),
        ]
    cut = text("{shown:,} of {all:,}, those of the largest cost.", shown=len(shown), all=len(rows))
    return [PageTable(title, columns, named, note=cut if len(shown) < len(rows) else "")]


def _label(row: Mapping[str, Any], key: str, names: Names) -> Any:
    if key == "case_class":
        return bilingual(row[key].replace("_", " "), row["case_class_zh"])
    if key in names and row[key]:
        return NamedCode(row[key], names[key].get(row[key], ""))
    if key == "group":
        return text("no group")
    if key == "insurance":
        return PAYERS.get(row[key] or "", row[key])
    return row[key] or text("(none)")


def _unit_values(values: Mapping[str, float]) -> list[Card]:
    words = [
        text(
            "unit value {payer}: {value:,.6f} yuan, from the budget",
            payer=text("of all") if payer == "*" else PAYERS.get(payer, payer),
            value=value,
        )
        for payer, value in values.items()
    ]
    return [Card(text("Unit values"), [Words(words, soft=False)])] if words else []


def _largest(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: -float(row["cost"]))[:MOST_ROWS]


def margins_chart(hospitals: Sequence[Mapping[str, Any]], names: Mapping[str, str] | None = None) -> BarChart:
    """Cost and payment by hospital, the largest on top; ``names`` stand for the ids of hospitals."""
    rows = sorted(hospitals, key=lambda row: -float(row["cost"]))
    label = [(names or {}).get(row["hospital"], row["hospital"]) or text("(none)") for row in rows]
    series = [
        BarSeries(title, [float(row[key]) for row in rows], tone)
        for key, title, tone in (("cost", text("cost"), "light"), ("payment", text("payment"), "blue"))
    ]
    return BarChart(text("Cost and payment by hospital, 10k yuan"), label, series, "wan")

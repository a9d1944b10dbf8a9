"""The page of an atlas: policies ranked by payment over cost, and what makes the difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from drgsim.errors import Problem
from drgsim.language import bilingual, text
from drgsim.payment.atlas import EFFECTS, EFFECTS_ZH, MOST, NEARLY_ALL
from drgsim.payment.atlas_weights import CommonWeights
from drgsim.report.bar_charts import BarChart, BarMark, BarSeries
from drgsim.report.page import Page, page_html
from drgsim.report.page_parts import Card, KeyFigure, Name, NotedText, PageTable, TableColumn

WAN = 10_000  # yuan of ten thousand yuan (万元)
MOST_FIRST = 12  # policies at each end that the first sheet shows
_EFFECT_TONES = dict(zip(EFFECTS, ("blue", "light", "green", "amber", "grey"), strict=True))
_METHODS = {"rate": text("by rate"), "points": text("by points")}
_EFFECT_WORDS = {name: bilingual(name.replace("_", " "), EFFECTS_ZH[name]) for name in EFFECTS}
Rows = Sequence[Mapping[str, Any]]


def atlas_page(tables: Mapping[str, pa.Table], reference: str, common: CommonWeights, notes: Sequence[Problem] = ()) -> str:
    """HTML of the page from the tables of an atlas; ``notes`` are shown at its end."""
    rows = tables["policies"].to_pylist()
    middle = next(row for row in rows if row["policy"] == reference)
    ranked = [row for row in rows if row["paid"] >= MOST * row["cases"]] or rows
    warning = text("Values come from restated rules, most of them second-hand, of different years; relative values: \
{weights}, or a policy's own table where it knows the cases. Hospital classes of a city are taken from the level where \
nothing else is known. Not a forecast of what any region would pay.", weights=common.label)  # fmt: skip
    ends = ranked if len(ranked) <= 2 * MOST_FIRST else [*ranked[:MOST_FIRST], *ranked[-MOST_FIRST:]]
    last = text("Classes, coefficients and unit values by level and payer stand in the table terms, doubts and cases that \
are not paid in the table doubts, assumptions of each policy in run.json.")  # fmt: skip
    return page_html(Page(
        title=text("Atlas of payment"),
        subtitle=text("The same cases under every policy that can pay them, by payment over cost."),
        warnings=[warning],
        figures=_figures(rows, ranked, middle),
        summary=[_ratios(ends, middle, text("Payment over cost, %: the highest and the lowest"))],
        cards=[_ranked(rows, middle), _effects(ranked), _all(rows), *_left_out(tables["left_out"].to_pylist())],
        notes=[*(note.what for note in notes), last],
        footer=[text("reference {policy}", policy=middle["policy"])],
    ))  # fmt: skip


def _figures(rows: Rows, ranked: Rows, middle: Mapping[str, Any]) -> list[KeyFigure]:
    ratios = [row["payment_to_cost"] for row in ranked if row["payment_to_cost"] is not None]
    return [
        KeyFigure(text("cases"), f"{middle['cases']:,}"),
        KeyFigure(text("policies"), f"{len(rows)}"),
        KeyFigure(text("cost (10k yuan)"), f"{float(middle['cost']) / WAN:,.1f}"),
        KeyFigure(text("lowest"), f"{100 * min(ratios):.1f} %"),
        KeyFigure(text("reference"), f"{100 * middle['payment_to_cost']:.1f} %"),
        KeyFigure(text("highest"), f"{100 * max(ratios):.1f} %"),
    ]


def _label(row: Mapping[str, Any]) -> Name:
    return NotedText(row["region_zh"], row["policy"])


def _ratios(rows: Rows, middle: Mapping[str, Any], caption: str) -> BarChart:
    series = [
        BarSeries(title, [100 * row["payment_to_cost"] if row["method"] == method and row["payment_to_cost"] else None
                          for row in rows], tone)
        for (method, title), tone in zip(_METHODS.items(), ("blue", "green"), strict=True)
    ]  # fmt: skip
    pale = [row["paid"] < NEARLY_ALL * row["cases"] for row in rows]
    marks = [
        BarMark(100 * middle["payment_to_cost"], text("reference {policy}", policy=middle["policy"])),
        BarMark(100.0, "100 %", "grey"),
    ]
    return BarChart(caption, [_label(row) for row in rows], series, ".1f", stacked=True, marks=marks, pale=pale)


def _ranked(rows: Rows, middle: Mapping[str, Any]) -> Card:
    """Payment over cost, the highest on top; policies that pay not all cases are pale."""
    note = text("Pale bars leave more than 1 % of the cases unpaid; the ratio is that of the cases that are paid, and those \
that pay less than nine in ten stand last.")  # fmt: skip
    return Card(text("Payment over cost"), [_ratios(rows, middle, text("Payment over cost, %, the highest first"))], note)


def _effects(rows: Rows) -> Card:
    """Parts of the difference to the reference, in per cent of the cost of all cases."""
    series = [
        BarSeries(_EFFECT_WORDS[name],
                  [100 * float(row[f"effect_{name}"]) / float(row["cost"]) if row["cost"] else 0.0 for row in rows],
                  _EFFECT_TONES[name])
        for name in EFFECTS
    ]  # fmt: skip
    note = text("Unit value, own weights, coefficient, curve and rules, and cases that only one of the two pays; the parts \
add up to the difference. Policies that pay less than nine in ten cases stand in the table only.")  # fmt: skip
    caption = text("Difference to the reference, % of the cost")
    chart = BarChart(caption, [_label(row) for row in rows], series, ".1f", signed=True, stacked=True)
    return Card(text("What makes the difference"), [chart], note)


def _all(rows: Rows) -> Card:
    columns = [
        TableColumn(text("policy"), "policy"),
        TableColumn(text("rank"), "rank", "count"),
        TableColumn(text("region"), "region_zh"),
        TableColumn(text("paid cases"), "paid", "count", minor=True),
        TableColumn(text("unpaid"), "unpaid", "count", minor=True),
        TableColumn(text("payment (10k yuan)"), "payment", "wan"),
        TableColumn(text("fund (10k yuan)"), "fund_payment", "wan", minor=True),
        TableColumn(text("margin (10k yuan)"), "margin", "wan", signed=True, minor=True),
        TableColumn(text("payment / cost"), "payment_to_cost", "share"),
        TableColumn(text("yuan per weight"), "yuan_per_weight", "count", minor=True),
        TableColumn(text("coefficient"), "coefficient", ".3f", minor=True),
        TableColumn(text("curve"), "curve", ".3f", minor=True),
        TableColumn(text("high cases"), "cases_high", "count", minor=True),
        TableColumn(text("low cases"), "cases_low", "count", minor=True),
        TableColumn(text("difference (10k yuan)"), "difference", "wan", signed=True),
        *(TableColumn(_EFFECT_WORDS[name], f"effect_{name}", "wan", signed=True, minor=True) for name in EFFECTS),
        TableColumn(text("weights"), "weights", minor=True),
    ]
    title = text("All policies")
    return Card(title, [PageTable(title, columns, rows)])


def _left_out(rows: Rows) -> list[Card]:
    columns = [
        TableColumn(text("policy"), "policy"),
        TableColumn(text("title"), "title_zh"),
        TableColumn(text("reason"), "reason"),
    ]
    title = text("Left out ({count})", count=len(rows))
    return [Card(title, [PageTable(title, columns, rows)])] if rows else []

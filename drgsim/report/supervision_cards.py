"""Supervision lists as cards: which hospitals and cases are worth a look, and what may explain them without a fault."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from drgsim.accounts.record_texts import name_of
from drgsim.analysis.supervision import Supervision
from drgsim.analysis.supervision_words import SEVERITY, WORDS
from drgsim.language import Text, text
from drgsim.parameters.evidence import Value
from drgsim.report.bar_charts import HeatTable, shaded
from drgsim.report.page_parts import (
    Card,
    Fold,
    NamedCode,
    PageAssumption,
    PagePart,
    PageTable,
    Points,
    TableColumn,
    Words,
    kept_columns,
)
from drgsim.units.schemes.scheme import UNGROUPED

MOST_CASES = 30  # shown of each list, those of the largest bills
MOST_HOSPITALS = 60  # of the map of lists, those with most cases
MOST_DEVIATIONS = 6.0  # colours end here


def supervision_cards(found: Supervision, hospitals: Mapping[str, str], groups: Mapping[str, str]) -> list[Card]:
    """Cards of the lists; ``hospitals`` and ``groups`` give names."""

    def hospital(code: str) -> NamedCode:
        return NamedCode(code or "–", hospitals.get(code, ""))

    parts: list[PagePart] = [
        Points([
            text("The lists say where to look. They are no verdict, and most cases on them are ordinary."),
            text("Each compares a case with cases of the same group in the same input. A hospital is marked where its share is "
                 "further above that of all hospitals than chance explains; that may have good reasons too."),
        ]),
        *([_map(found, hospital)] if len(found.hospitals) > 1 else []),
    ]  # fmt: skip
    missing = [
        text("{list}: not judged, the records lack {columns}", list=WORDS[name].title, columns=", ".join(columns))
        for name, columns in found.missing.items()
    ]
    if missing or found.notes:
        parts.append(Words([*missing, *found.notes]))
    looked = found.comparison[found.comparison.look]
    parts += [_list(name, found, looked, hospital, groups) for name in WORDS if name not in found.missing]
    return [Card(text("Supervision: what is worth a look"), parts)]


def looked_at(found: Supervision) -> int:
    """Hospitals that are marked on at least one list."""
    return int(found.comparison[found.comparison.look].hospital_id.nunique())


def _map(found: Supervision, hospital: Callable[[str], NamedCode]) -> HeatTable:
    """Hospitals by lists: how far each share lies from that of all hospitals."""
    table = found.comparison
    largest = found.hospitals.sort_values(["cases", "hospital_id"], ascending=[False, True]).hospital_id.head(MOST_HOSPITALS)
    names = [name for name in WORDS if name in set(table["list"])]
    values = table.pivot(index="hospital_id", columns="list", values="deviations").reindex(index=largest, columns=names)
    rows = values.to_numpy().tolist()
    limit = found.settings.chance_deviations.value
    note = text(
        "Standard deviations above (+) or below (−) what the shares of all hospitals would give; from {limit:g} on chance does "
        "not explain it.", limit=limit,
    )  # fmt: skip
    return HeatTable(
        text("Shares of each hospital against all hospitals"), [hospital(str(code)) for code in largest],
        [WORDS[name].title for name in names], rows,
        [[_shade(value, limit) for value in row] for row in rows], ".1f", signed=True, note=note,
    )  # fmt: skip


def _shade(value: float, limit: float) -> tuple[str, float]:
    if value != value or value < limit:
        return "", 0.0
    return shaded(value, -MOST_DEVIATIONS, 0.0, MOST_DEVIATIONS, ("amber", "amber"))


def _list(
    name: str, found: Supervision, looked: pd.DataFrame, hospital: Callable[[str], NamedCode], groups: Mapping[str, str]
) -> Fold:
    words = WORDS[name]
    parts: list[PagePart] = [Points([
        text("What it looks at: {what}.", what=words.what),
        text("What may explain it: {innocent}.", innocent=words.innocent),
    ])]  # fmt: skip
    marked = looked[looked["list"] == name].sort_values(["deviations", "hospital_id"], ascending=[False, True])
    if len(marked):
        rows = [{**row, "named": hospital(row["hospital_id"])} for row in marked.to_dict("records")]
        parts.append(PageTable(text("Hospitals above what chance explains"), _HOSPITAL_COLUMNS, rows))
    cases = found.cases[found.cases["list"] == name]
    if len(cases):
        parts.append(_cases(cases, hospital, groups))
    if name == SEVERITY:  # hospitals are compared, cases are not listed
        return Fold(text("{list}: {hospitals} hospitals worth a look", list=words.title, hospitals=len(marked)), parts)
    return Fold(_summary(words.title, len(cases), len(marked)), parts)


def _summary(title: Text, cases: int, hospitals: int) -> Text:
    if hospitals:
        return text("{list}: {cases:,} cases, {hospitals} hospitals worth a look", list=title, cases=cases, hospitals=hospitals)
    return text("{list}: {cases:,} cases, no hospital stands out", list=title, cases=cases)


_HOSPITAL_COLUMNS = [
    TableColumn(text("hospital"), "named"), TableColumn(text("cases on the list"), "cases", "count"),
    TableColumn(text("of"), "of", "count"), TableColumn(text("share"), "share", "share"),
    TableColumn(text("expected"), "expected", ",.1f"), TableColumn(text("deviations"), "deviations", ".1f"),
]  # fmt: skip


def _cases(cases: pd.DataFrame, hospital: Callable[[str], NamedCode], groups: Mapping[str, str]) -> PageTable:
    key = next(column for column in ("drg", "dip") if column in cases.columns)
    chosen = cases.sort_values(["total_cost", "discharge_id"], ascending=[False, True]).head(MOST_CASES)
    rows: list[dict[str, Any]] = [
        {**{str(name): (None if value != value else value) for name, value in row.items()},
         "named": hospital(row["hospital_id"]), "group": _group(row[key], groups),
         "diagnosis": NamedCode(row["diagnosis"], name_of(row["diagnosis"], "diagnoses")) if row["diagnosis"] else ""}
        for row in chosen.to_dict("records")
    ]  # fmt: skip
    columns = [
        TableColumn(text("discharge"), "discharge_id"), TableColumn(text("hospital"), "named", minor=True),
        TableColumn(text("group"), "group"), TableColumn(text("principal diagnosis"), "diagnosis", minor=True),
        TableColumn(text("stay (days)"), "stay_days", ",.0f"),
        TableColumn(text("usual stay"), "usual_stay_days", ",.1f", minor=True),
        TableColumn(text("bill (yuan)"), "total_cost", ",.0f"), TableColumn(text("over the mean"), "cost_over_mean", ".2f"),
        TableColumn(text("days since the stay before"), "days_since_last_stay", ",.0f"),
        TableColumn(text("both stays over the mean"), "both_over_mean", ".2f"),
        TableColumn(text("over the lighter groups"), "cost_over_lighter", ".2f"),
    ]  # fmt: skip
    note = text("{shown} of {all:,} cases, those of the largest bills; all of them stand in the workbook.",
                shown=len(rows), all=len(cases))  # fmt: skip
    return PageTable(text("Cases"), kept_columns(columns, rows), rows, note=note)


def _group(code: str, groups: Mapping[str, str]) -> NamedCode:
    return NamedCode(code, groups.get(code, "") or (text("without a group") if code == UNGROUPED else ""))


def supervision_assumptions(found: Supervision) -> list[PageAssumption]:
    """The limits of the lists that no source states."""
    return [
        PageAssumption(f"supervision.{name}", _shown(each.value), each.unit, each.note)
        for name, each in found.settings
        if isinstance(each, Value) and str(each.evidence) == "assumption"
    ]


def _shown(value: Any) -> str:
    return ", ".join(value) if isinstance(value, tuple) else f"{value:g}"

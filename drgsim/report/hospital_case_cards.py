"""Cards on cases in a hospital's report: losing ones, high and low ones, records to mend, one more CC, quality."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drgsim.accounts.coding_work import KINDS, words_of
from drgsim.accounts.hospital_accounts import HospitalAccounts
from drgsim.accounts.loss_reasons import TITLES, LossReason
from drgsim.language import Text, bilingual, joined, text
from drgsim.quality.quality_report import QualityReport
from drgsim.quality.quality_rules import SEVERITY_TITLES, rules
from drgsim.report.bar_charts import BarChart, BarSeries
from drgsim.report.hospital_words import amount, class_title, matter_of, money_columns, reason_titles, rows_of, with_revenue
from drgsim.report.page_parts import Card, Fold, PagePart, PageTable, TableColumn, Words

Row = dict[str, Any]
MOST_LOSING, MOST_MEND, MOST_STEPS, MOST_EXTREME, MOST_RULES = 30, 20, 20, 12, 20


def losing_card(accounts: HospitalAccounts) -> Card:
    """Single cases that lose, with why."""
    reasons = rows_of(accounts.tables["loss_reasons"].to_pylist())
    whole = reasons.pop()
    title = text("Single cases that lose, and why")
    if not whole["cases"]:
        return Card(title, [Words([text("No paid case costs more than it brings.")])])
    shown = [row for row in reasons if row["cases"]]
    names = [TITLES[LossReason(row["reason"])] for row in shown]
    bars = BarChart(
        text("Loss of the cases with each reason, 10k yuan; a case with several reasons counts under each"), names,
        [BarSeries("", [row["loss"] for row in shown], "sign",
                   shown=[joined(" · ", [_cases(row["cases"]), amount(row["loss"], signed=True)]) for row in shown])], "wan",
    )  # fmt: skip
    rows = rows_of(accounts.losing_cases.to_pylist()[:MOST_LOSING])
    titles = {category.id: category.title for category in accounts.costs.categories}
    for row in rows:
        dear = titles.get(row["dear_category"])
        why = reason_titles(row["reasons"])
        row["why"] = joined(": ", [why, dear]) if dear is not None else why
    note = text("The workbook lists {count:,} of them.", count=accounts.losing_cases.num_rows)
    table = PageTable(text("Cases with the largest loss"), [*case_columns(), TableColumn(text("why"), "why")], rows, note=note)
    said = text("{count:,} of {all:,} cases cost more than they bring: {loss} together.", count=whole["cases"],
                all=int(accounts.hospital.own.sum()), loss=amount(-whole["loss"]))  # fmt: skip
    return Card(title, [bars, table], said)


def _cases(count: int) -> Text:
    return text("{count:,} cases", count=count)


def case_columns() -> list[TableColumn]:
    """Columns of lists of cases."""
    return [
        TableColumn(text("case"), "discharge_id"), TableColumn(text("department"), "department", minor=True),
        TableColumn(text("group"), "group"), TableColumn(text("days"), "days", ",.0f", minor=True),
        TableColumn(text("cost (yuan)"), "cost", ",.0f"), TableColumn(text("standard (yuan)"), "standard", ",.0f", minor=True),
        TableColumn(text("revenue (yuan)"), "payment", ",.0f"),
        TableColumn(text("margin (yuan)"), "margin", ",.0f", signed=True),
    ]  # fmt: skip


def extreme_card(accounts: HospitalAccounts) -> Card:
    """High and low cases, and how every class of case fares."""
    rows = with_revenue(accounts.sums.classes.to_pylist())
    for row in rows:
        row["title"] = class_title(row["case_class"])
    columns = [TableColumn(text("class of case"), "title"), *money_columns(indices=False)]
    columns = [column for column in columns if column.key not in ("high_share", "low_share")]
    parts: list[PagePart] = [PageTable(text("Figures by class of case"), columns, rows)]
    groups = with_revenue(accounts.sums.groups.to_pylist())
    for share, caption in (
        ("high_share", text("Groups with most high cases")),
        ("low_share", text("Groups with most low cases")),
    ):
        for row in groups:
            row["extreme"] = round((row[share] or 0.0) * (row["cases"] - row["unpaid"]))
        some = sorted((row for row in groups if row["extreme"]), key=lambda row: (-row["extreme"], row["group"].code))[
            :MOST_EXTREME
        ]
        if some:
            columns = [TableColumn(text("group"), "group"), TableColumn(text("such cases"), "extreme", "count"),
                       TableColumn(text("share"), share, "share"), TableColumn(text("cases"), "cases", "count"),
                       TableColumn(text("margin (10k yuan)"), "margin", "wan", signed=True)]  # fmt: skip
            parts.append(Fold(caption, [PageTable(caption, columns, [dict(row) for row in some])]))
    return Card(text("High and low cases"), parts)


def mend_card(accounts: HospitalAccounts) -> Card:
    """Records without a group, ambiguous ones and those with grey codes, with what would mend them."""
    title = text("Records to mend: QY, ungrouped, grey codes")
    work = accounts.coding
    rows = rows_of(work.kinds.to_pylist())
    if not rows:
        return Card(title, [Words([text("Every record has a plain group, and none holds a grey or unknown code.")])])
    for row in rows:
        row["title"] = KINDS[row["kind"]]
        row["what"], row["fix"] = words_of(row["code"]) if row["code"] else ("", "")
    columns = [
        TableColumn(text("what"), "title"), TableColumn(text("because"), "what"), TableColumn(text("cases"), "cases", "count"),
        TableColumn(text("cost (10k yuan)"), "cost", "wan"),
        TableColumn(text("margin (10k yuan)"), "margin", "wan", signed=True),
        TableColumn(text("what to do"), "fix"), TableColumn(text("for instance"), "samples", minor=True),
    ]  # fmt: skip
    parts: list[PagePart] = [PageTable(text("Records to mend by kind and finding"), columns, rows)]
    if not work.known:
        said = text(
            "The file names the groups itself and does not say why a case has none. Reports of a file without groups say it."
        )
        parts.append(Words([said]))
    single = rows_of(work.cases.to_pylist()[:MOST_MEND])
    for row in single:
        row["fix"] = joined(text("; "), matter_of(row))
    if single:
        columns = [
            TableColumn(text("case"), "discharge_id"), TableColumn(text("department"), "department", minor=True),
            TableColumn(text("principal diagnosis"), "principal"), TableColumn(text("procedures"), "procedures", minor=True),
            TableColumn(text("what is the matter"), "fix"), TableColumn(text("codes to look at"), "proposals"),
            TableColumn(text("cost (yuan)"), "cost", ",.0f"),
        ]  # fmt: skip
        note = text(
            "Proposals come from the dictionaries, not from the patient: the record decides. The workbook lists {count:,}.",
            count=work.cases.num_rows,
        )
        parts.append(PageTable(text("Records to mend, the dearest first"), columns, single, note=note))
    return Card(title, parts)


def severity_card(accounts: HospitalAccounts) -> Card:
    """What one more CC is worth."""
    title = text("What one more CC is worth")
    steps = accounts.one_more_cc
    if steps is None:
        said = text(
            "Groups of this file are not split by complications and comorbidities, or it is not known which scheme made them."
        )
        return Card(title, [Words([said])])
    rows = rows_of(steps.to_pylist())
    if not rows:
        return Card(title, [Words([text("No case is paid by a group that has a severer one beside it.")])])
    for row in rows:
        row["to"] = type(row["group"])(row["to_group"], row["to_name"])
    columns = [
        TableColumn(text("group"), "group"), TableColumn(text("with one more"), "level"), TableColumn(text("becomes"), "to"),
        TableColumn(text("cases"), "cases", "count"), TableColumn(text("worth per case (yuan)"), "worth", ",.0f", signed=True),
        TableColumn(text("cases as dear as those"), "dear_cases", "count"),
        TableColumn(text("worth of these (10k yuan)"), "dear_worth", "wan", signed=True),
    ]  # fmt: skip
    note = text(
        "The difference of the payment standards. Cases that cost more than the standard of the severer group are worth a "
        "second look at the record: code what was treated and is written down, and nothing else."
    )
    return Card(title, [PageTable(text("What one more CC or MCC is worth by group"), columns, rows[:MOST_STEPS])], note)


def quality_card(quality: QualityReport | None) -> Card:
    """Quality of the coded records: rules that they break."""
    title = text("Quality of the coded records")
    if quality is None:
        return Card(title, [Words([text("The file holds no diagnoses, so that its codes cannot be checked.")])])
    rows: list[Row] = [
        {
            "severity": bilingual(count.rule.severity, SEVERITY_TITLES[count.rule.severity]),
            "rule": bilingual(count.rule.title, count.rule.title_zh), "records": count.records,
            "share": count.records / quality.records if quality.records else None,
            "fix": bilingual(count.rule.fix, count.rule.fix_zh),
            "samples": ", ".join(sample.discharge_id for sample in count.samples[:3]),
        }
        for count in quality.findings
        if count.rule.code in rules()
    ]  # fmt: skip
    columns = [
        TableColumn(text("how serious"), "severity"), TableColumn(text("rule"), "rule"),
        TableColumn(text("records"), "records", "count"),
        TableColumn(text("share"), "share", "share", minor=True), TableColumn(text("what to do"), "fix"),
        TableColumn(text("for instance"), "samples", minor=True),
    ]  # fmt: skip
    said = text(
        "{errors:,} of {records:,} records contradict themselves or a published rule, {doubts:,} are doubtful.",
        errors=quality.by_severity["error"], records=quality.records, doubts=quality.by_severity["warning"],
    )  # fmt: skip
    note = text("Every finding: drgsim validate FILE --output findings.xlsx")
    return Card(title, [_folded(columns, rows, note)], said)


def _folded(columns: Sequence[TableColumn], rows: list[Row], note: Text) -> PagePart:
    caption = text("Rules that records break, the most serious first")
    return Fold(caption, [PageTable(caption, columns, rows[:MOST_RULES], note=note)], open=len(rows) <= 5)

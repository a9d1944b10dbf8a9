"""The card of candidates for special review (特病单议): which cases, and the dossier of each to complete and hand in."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from drgsim.accounts.hospital_accounts import HospitalAccounts
from drgsim.accounts.record_texts import cells_of, in_words
from drgsim.accounts.review_candidates import CategoryLine, dossier_costs
from drgsim.language import Text, joined, text
from drgsim.records.vocabulary import INSURANCES
from drgsim.report.hospital_case_cards import case_columns
from drgsim.report.hospital_words import PAYERS, class_title, reason_titles, rows_of
from drgsim.report.page_parts import Card, Fold, PagePart, PageTable, Points, TableColumn, Words, shown_value

Row = dict[str, Any]
MOST_DOSSIERS = 20
# codes of the front page of the medical record (卫医政发〔2011〕84号)
_SEX = {"1": text("male"), "2": text("female")}
_WAYS = {
    "1": text("home, on advice"), "2": text("to another hospital, on advice"), "3": text("to primary care, on advice"),
    "4": text("against advice"), "5": text("died"), "9": text("otherwise"),
}  # fmt: skip
_FACTS = ("sex", "age", "admitted", "discharged", "discharge_way", "icu_hours", "ventilator_hours")


def review_card(accounts: HospitalAccounts) -> Card:
    """Candidates, and a dossier for each."""
    title = text("Candidates for special review")
    review = accounts.review
    if not review.places.size:
        return Card(title, [Words([_nobody(accounts)])])
    rows = [{**row, "why": reason_titles(row["reasons"])} for row in rows_of(accounts.tables["review_cases"].to_pylist())]
    table = PageTable(text("Candidates, the largest loss first"), [*case_columns(), TableColumn(text("why"), "why")],
                      rows[:MOST_DOSSIERS])  # fmt: skip
    dossiers: list[PagePart] = [
        Fold(text("Dossier of case {id}", id=row["discharge_id"]), dossier) for row, dossier in dossiers_of(accounts, rows)
    ]
    return Card(title, [table, *dossiers], _quota(accounts))


def _nobody(accounts: HospitalAccounts) -> Text:
    if accounts.review.eligible:
        return text("{count:,} cases meet the criteria, and the quota of {share:.1%} of the discharges admits none.",
                    count=accounts.review.eligible, share=accounts.review.quota_share)  # fmt: skip
    return text("No insured case settled by the curve loses and lies far above its standard or stayed long.")


def _quota(accounts: HospitalAccounts) -> Text:
    review = accounts.review
    known: Text = text("by the policy") if review.from_policy else text("an assumption: the policy states none")
    return text(
        "{eligible:,} insured cases lose and lie far above the standard, are high cases or stayed long. The quota of "
        "{share:.1%} of the discharges ({known}) admits {quota:,}.",
        eligible=review.eligible, share=review.quota_share, known=known, quota=review.quota,
    )  # fmt: skip


def dossiers_of(accounts: HospitalAccounts, rows: list[Row]) -> list[tuple[Row, list[PagePart]]]:
    """The parts of each dossier."""
    places = accounts.review.places[:MOST_DOSSIERS]
    cases, texts = accounts.hospital.cases, accounts.review_texts
    taken = cases.table.take(pa.array(places))
    cells = {name: cells_of(taken, name) for name in _FACTS}
    costs = dossier_costs(accounts.hospital, accounts.costs, places)
    payer = ["", *INSURANCES]
    made = []
    for number, place in enumerate(places.tolist()):
        row = rows[number]
        mean = accounts.reference.steady.days[cases.group.ids[place]]
        facts = _facts(row, {name: values[number] for name, values in cells.items()},
                       payer[int(cases.settlement.ledger.cases.insurance[place]) + 1], float(mean))  # fmt: skip
        codes = [
            (text("diagnoses"), in_words(texts.diagnoses[number])),
            (text("procedures"), in_words(texts.procedures[number])),
        ]
        table = PageTable(text("Facts"), [TableColumn(text("fact"), 0), TableColumn(text("of the case"), 1)], [*facts, *codes])
        made.append((row, [table, *_cost_table(accounts, costs[number]), _to_fill()]))
    return made


def _facts(row: Row, cells: dict[str, str], payer: str, mean_days: float) -> list[tuple[Text, Any]]:
    excess = row["cost"] - row["payment"]
    multiple = row["cost"] / row["standard"] if row["standard"] else None
    return [
        (text("department, doctor"), " · ".join(filter(None, (row["department"], row["doctor"])))),
        (text("payer"), PAYERS[payer]),
        (text("sex, age"), joined(" · ", filter(None, (_SEX.get(cells["sex"], cells["sex"]), cells["age"])))),
        (text("admitted, discharged"), " – ".join(filter(None, (cells["admitted"][:10], cells["discharged"][:10])))),
        (text("days (mean of the group)"), f"{shown_value(row['days'], ',.0f')} ({shown_value(mean_days, '.1f')})"),
        (text("way of discharge"), _WAYS.get(cells["discharge_way"], cells["discharge_way"])),
        (text("hours in intensive care, on a ventilator"),
         " · ".join(filter(None, (cells["icu_hours"], cells["ventilator_hours"])))),
        (text("group"), row["group"]),
        (text("class of case"), class_title(row["case_class"])),
        (text("weight"), shown_value(row["weight"], ".3f")),
        (text("payment standard (yuan)"), shown_value(row["standard"], "yuan")),
        (text("total cost (yuan)"), shown_value(row["cost"], "yuan")),
        (text("paid as settled (yuan)"), shown_value(row["payment"], "yuan")),
        (text("not covered (yuan)"), shown_value(excess, "yuan")),
        (text("cost as a multiple of the standard"), shown_value(multiple, ".2f")),
        (text("found"), row["why"]),
    ]  # fmt: skip


def _cost_table(accounts: HospitalAccounts, lines: list[CategoryLine]) -> list[PagePart]:
    if not lines:
        return [Words([text("The file has no costs by category; attach the bill.")])]
    rows = [
        {"title": accounts.costs.categories[line.category].title, "cost": line.cost, "mean": line.mean,
         "difference": None if line.mean is None else line.cost - line.mean}
        for line in lines
    ]  # fmt: skip
    columns = [
        TableColumn(text("category"), "title"), TableColumn(text("cost (yuan)"), "cost", ",.0f"),
        TableColumn(text("mean of the group (yuan)"), "mean", ",.0f"),
        TableColumn(text("difference (yuan)"), "difference", "+,.0f"),
    ]  # fmt: skip
    return [PageTable(text("Costs beside the mean of the group"), columns, rows)]


def _to_fill() -> Points:
    """What the department writes."""
    blank = "＿" * 12
    return Points([
        text("Course of the illness, complications, rescue: {blank}", blank=blank),
        text("Why these treatments, drugs, materials or days were needed: {blank}", blank=blank),
        text("New technology, drug or device (name, approval, amount): {blank}", blank=blank),
        text("Why the group does not describe this case: {blank}", blank=blank),
        text("Attached (front page, list of costs, records of operation and consultation): {blank}", blank=blank),
        text("Applied for by department, checked by medical insurance office, date: {blank}", blank=blank),
    ])  # fmt: skip

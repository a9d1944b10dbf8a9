"""The page of a hospital: revenue, cost and margin, who loses and why, and what can be done about it."""

from __future__ import annotations

from typing import Any

import numpy as np

from drgsim.accounts.account_limits import account_limits
from drgsim.accounts.hospital_accounts import HospitalAccounts
from drgsim.accounts.reference_groups import ReferenceKind
from drgsim.accounts.settled_cases import PriceBasis, SettledCases
from drgsim.accounts.unpaid_cases import unpaid_reasons
from drgsim.language import Text, joined, text
from drgsim.parameters.evidence import Evidence
from drgsim.payment.rules.no_group import is_group
from drgsim.report.hospital_case_cards import extreme_card, losing_card, mend_card, quality_card, severity_card
from drgsim.report.hospital_money_cards import category_card, department_card, doctor_card, group_card, month_card, payer_table
from drgsim.report.hospital_words import amount, rows_of, share, with_revenue
from drgsim.report.lead_words import lead_with, unpaid_lead
from drgsim.report.page import Page, page_html
from drgsim.report.page_parts import (
    Card,
    KeyFigure,
    PageAssumption,
    PagePart,
    PageTable,
    TableColumn,
    Words,
    shown_value,
    shown_wan,
)
from drgsim.report.report_parts import ReportChoices
from drgsim.report.review_dossiers import review_card

Row = dict[str, Any]
WORST, MOST_REASONS = 6, 3  # groups, and reasons of unpaid cases, of the summary
MANY_UNPAID = 0.02  # of the cases, for their reasons to stand in the summary; else among the notes


def hospital_page(accounts: HospitalAccounts, choices: ReportChoices | None = None) -> str:
    """HTML of the page in the current language; warnings and links of ``choices`` stand at its top."""
    choices = choices or ReportChoices()
    cases = accounts.hospital.cases
    policy = cases.settlement.ledger.policy
    whole = with_revenue(accounts.sums.whole.to_pylist())[0]
    name = accounts.hospital.name or accounts.hospital.id
    page = Page(
        title=text("Case payment report of {hospital}", hospital=name) if name else text("Case payment report of a hospital"),
        subtitle=joined(" · ", [*_period(accounts), policy.id, policy.file.title_zh]),
        lead=lead_with(lead_of(accounts), choices.prices),
        warnings=[*choices.warnings, *_warnings(accounts)],
        links=choices.links,
        figures=_figures(accounts, whole),
        summary=[_worst(accounts)],
        cards=_cards(accounts),
        assumptions=assumptions_of(cases),
        notes=[*_unpaid(accounts), *(joined(" ", [note.what, note.fix]) if note.fix else note.what for note in cases.notes)],
        footer=[text("policy {policy} ({digest})", policy=policy.id, digest=policy.digest[:12]),
                text("grouped by {schemes}", schemes=", ".join(cases.schemes)) if cases.schemes
                else text("groups as the file names them")],
    )  # fmt: skip
    return page_html(page)


def _cards(accounts: HospitalAccounts) -> list[Card]:
    return [
        group_card(accounts), department_card(accounts), doctor_card(accounts), losing_card(accounts), index_card(accounts),
        month_card(accounts), extreme_card(accounts), mend_card(accounts), severity_card(accounts), category_card(accounts),
        review_card(accounts), Card(text("Payers"), [payer_table(accounts)]), quality_card(accounts.hospital.cases.quality),
    ]  # fmt: skip


def _period(accounts: HospitalAccounts) -> list[str]:
    months = [month for month in accounts.sums.months["month"].to_pylist() if month]
    return [months[0] if len(months) == 1 else f"{months[0]} – {months[-1]}"] if months else []


def lead_of(accounts: HospitalAccounts) -> Text:
    """What a director has to know: what is unpaid where it is much, then the money of the rest."""
    whole = with_revenue(accounts.sums.whole.to_pylist())[0]
    unpaid = unpaid_lead(accounts.hospital.cases, accounts.hospital.own)
    return lead_with(unpaid, None if whole["cases"] == whole["unpaid"] else _money(accounts, whole, of_all=unpaid is None))


def _money(accounts: HospitalAccounts, whole: Row, *, of_all: bool) -> Text:
    """Revenue, cost and margin of what is paid; that no group loses is said where nearly all cases are paid."""
    groups = [row for row in with_revenue(accounts.sums.groups.to_pylist()) if row["is_group"] and row["margin"] < 0]
    paid = whole["cases"] - whole["unpaid"]
    if accounts.hospital.cases.basis is PriceBasis.BREAK_EVEN:
        return text(
            "{cases:,} cases cost {cost}. No price is known, so that they are paid by the one at which payments equal costs: "
            "the margin of groups and departments against each other says something, the margin of the whole says nothing.",
            cases=paid, cost=amount(whole["cost"]),
        )  # fmt: skip
    said = text(
        "{cases:,} paid cases bring {revenue} and cost {cost}: a margin of {margin} ({share}).",
        cases=paid, revenue=amount(whole["revenue"]), cost=amount(whole["cost"]), margin=amount(whole["margin"], signed=True),
        share=share(whole["margin"], whole["revenue"]),
    )  # fmt: skip
    loss = amount(-sum(row["margin"] for row in groups))
    losing = text("{count:,} groups lose {loss} together.", count=len(groups), loss=loss)
    return lead_with(said, losing if groups else text("No group loses.") if of_all else None)


def _warnings(accounts: HospitalAccounts) -> list[Text]:
    """What limits the figures, in sentences."""
    hospital, cases, found = accounts.hospital, accounts.hospital.cases, []
    if cases.basis is PriceBasis.BREAK_EVEN:
        values = ", ".join(f"{value:,.2f}" for value in cases.settlement.unit_values.values())
        found.append(text(
            "Assumption: one unit (weight or point) is worth {value} yuan, the value at which the insured cases of this file "
            "earn what they cost. The true value follows from the region's budget and the cases of all its hospitals, which "
            "one file does not hold. Give it with --unit-value, or the policy with --policy.", value=values or "–",
        ))  # fmt: skip
    if not cases.paid[hospital.own].all():
        count = int((hospital.own & ~cases.paid).sum())
        found.append(text(
            "{count:,} of {all:,} cases have no amount, because no rule of the policy could pay them; they are left out of "
            "revenue, cost and margin.", count=count, all=int(hospital.own.sum()),
        ))  # fmt: skip
        if count > MANY_UNPAID * int(hospital.own.sum()):
            found += _unpaid(accounts)
    if hospital.hospitals > 1:
        found.append(text(
            "The file holds {count:,} hospitals. This page is about {hospital}; the others are what it is compared with.",
            count=hospital.hospitals, hospital=hospital.name or hospital.id,
        ))  # fmt: skip
    return found


def _unpaid(accounts: HospitalAccounts) -> list[Text]:
    """Why cases have no amount."""
    return [
        text("{count:,} cases: {what}. What to do: {fix}.", count=reason.cases, what=reason.what, fix=reason.fix)
        for reason in unpaid_reasons(accounts.hospital.cases, accounts.hospital.own)[:MOST_REASONS]
    ]


def _figures(accounts: HospitalAccounts, whole: Row) -> list[KeyFigure]:
    own, reference = accounts.reference.kind is ReferenceKind.OWN, accounts.reference
    margin = whole["margin"]
    even = accounts.hospital.cases.basis is PriceBasis.BREAK_EVEN
    figures = [
        KeyFigure(text("cases"), f"{whole['cases']:,}"),
        KeyFigure(text("revenue (10k yuan)"), shown_wan(whole["revenue"])),
        KeyFigure(text("cost (10k yuan)"), shown_wan(whole["cost"])),
        KeyFigure(text("margin (10k yuan)"), "–" if even else shown_wan(margin, signed=True),
                  text("needs the region's unit value") if even else "",
                  "" if even or not margin else "up" if margin > 0 else "down"),
        KeyFigure("CMI", shown_value(whole["cmi"], ".3f"),
                  text("reference {value}", value=shown_value(reference.cmi, ".3f")) if reference.cmi is not None else ""),
    ]  # fmt: skip
    if not own:
        figures += [KeyFigure(text("cost index"), shown_value(whole["cost_index"], ".2f"), text("1 = reference")),
                    KeyFigure(text("time index"), shown_value(whole["time_index"], ".2f"), text("1 = reference"))]  # fmt: skip
    without = sum(row["cases"] for row in accounts.sums.groups.to_pylist() if not row["is_group"])
    figures += [
        KeyFigure(text("high cases"), shown_value(whole["high_share"], "share")),
        KeyFigure(text("low cases"), shown_value(whole["low_share"], "share")),
        KeyFigure(text("without a group or QY"), share(without, whole["cases"]), text("{count:,} cases", count=without)),
    ]
    return figures


def _worst(accounts: HospitalAccounts) -> PageTable:
    rows = [row for row in with_revenue(accounts.sums.groups.to_pylist()) if row["is_group"] and row["margin"] < 0]
    rows.sort(key=lambda row: row["margin"])
    columns = [TableColumn(text("group"), "group"), TableColumn(text("cases"), "cases", "count"),
               TableColumn(text("margin per case (yuan)"), "margin_per_case", ",.0f", signed=True),
               TableColumn(text("margin (10k yuan)"), "margin", "wan", signed=True)]  # fmt: skip
    return PageTable(text("Groups with the largest loss"), columns, rows[:WORST])


def index_card(accounts: HospitalAccounts) -> Card:
    """CMI, cost index and time index against the reference."""
    rows = rows_of(accounts.sums.departments.to_pylist())
    whole = rows_of(accounts.sums.whole.to_pylist())[0]
    reference = accounts.reference
    for row in rows:
        row["department"] = row["department"] or text("not named")
    columns = [TableColumn(text("department"), "department"), TableColumn(text("cases"), "cases", "count"),
               TableColumn(text("CMI"), "cmi", ".3f"), TableColumn(text("cost index"), "cost_index", ".2f"),
               TableColumn(text("time index"), "time_index", ".2f"),
               TableColumn(text("mean days"), "mean_days", ".1f")]  # fmt: skip
    rows.sort(key=lambda row: -(row["cost_index"] or 0.0))
    total = {**whole, "department": text("whole hospital")}
    table = PageTable(text("CMI and indices by department, the dearest first"), columns, rows, total)
    if reference.kind is ReferenceKind.OWN:
        note = text(
            "The file is of one hospital, and no benchmark was given: indices compare departments with the hospital's own "
            "mean, and that of the whole is 1. With --benchmark FILE (group, mean_cost, mean_days) they compare with others."
        )
    else:
        note = text(
            "Compared with {reference}, group by group: above 1 is dearer or longer than cases of the same groups there.",
            reference=reference.label,
        )
    named = accounts.hospital.cases.group
    plain = np.array([*map(is_group, named.values), False])[named.ids[accounts.hospital.own]]
    parts: list[PagePart] = [table]
    if not plain.all():
        left_out = text(
            "{count:,} cases without a plain group (ungrouped, QY) are in no index: they have no group in common.",
            count=int((~plain).sum()),
        )  # fmt: skip
        parts.append(Words([left_out]))
    if reference.kind is ReferenceKind.BENCHMARK:
        group = accounts.hospital.cases.group.ids[accounts.hospital.own]
        covered = int((~np.isnan(reference.means.cost[group])).sum())
        said = text(
            "{covered:,} of {all:,} cases have a group that the benchmark lists; the others are in no index.",
            covered=covered, all=group.size,
        )  # fmt: skip
        parts.append(Words([said]))
    return Card(text("CMI, cost index and time index"), parts, note)


def assumptions_of(cases: SettledCases) -> list[PageAssumption]:
    """Values without a source: of the policy, of the price, of the accounts."""
    policy, limits = cases.settlement.ledger.policy, account_limits()
    found = [
        PageAssumption(each.path, str(each.value), each.unit, joined(" ", [each.source_title, each.note]), policy.id)
        for each in policy.assumptions
    ]
    if cases.basis is PriceBasis.BREAK_EVEN:
        found += [
            PageAssumption(
                "unit_value", f"{value:,.6f}", text("yuan per unit"), text("the value at which these cases earn what they cost")
            )
            for value in cases.settlement.unit_values.values()
        ]
    for name in type(limits).model_fields:
        value = getattr(limits, name)
        if name != "sources" and value.evidence is Evidence.ASSUMPTION:
            found.append(
                PageAssumption(name, str(value.value), value.unit, limits.sources[value.source].title, text("this report"))
            )
    return found

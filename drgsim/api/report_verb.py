"""``drgsim.report_on``: from the raw export to one page and one workbook, for a hospital, a bureau or a researcher."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from drgsim.accounts.settled_cases import PriceBasis, SettledCases
from drgsim.api.argument_check import AMOUNTS, NAME, TEXTS, as_list, checked, named
from drgsim.api.budget_verbs import BudgetYears
from drgsim.api.given_records import CaseResult, case_table
from drgsim.api.grouping_verbs import group
from drgsim.api.payment_verbs import Settled, settle
from drgsim.api.quality_verbs import validate
from drgsim.api.reading_verbs import Discharges
from drgsim.api.region_report import discharges_for, region_in, years_of_region
from drgsim.api.verb_inputs import Amounts, AnyHospitals, Tabular, check_word, scheme_of_weights, table_of
from drgsim.engines.file_to_file import Progress
from drgsim.engines.grouper_of import DEFAULT_SCHEME, means_dip
from drgsim.errors import Problem
from drgsim.language import Text, text
from drgsim.money import FEN_PER_YUAN, MISSING, exact, exact_sum, total, yuan_text
from drgsim.payment.policy import AnyPolicy, Policy, load_policy, policy_of
from drgsim.quality.quality_report import QualityReport
from drgsim.records.case_table import is_grouped
from drgsim.records.input_options import InputOptions
from drgsim.records.vocabulary import INSURANCES
from drgsim.report.bureau_report import bureau_parts, region_parts
from drgsim.report.hospital_report import hospital_parts
from drgsim.report.lead_words import scaled_prices, stated_prices
from drgsim.report.report_parts import ReportChoices, ReportParts
from drgsim.report.research_report import research_parts
from drgsim.report.settlement_workbook import settlement_facts
from drgsim.results.result import Result
from drgsim.results.run_record import digest_of, run_record
from drgsim.results.workbook_about import About, about_record

# who reads the report -> what makes its parts
PARTS: Mapping[str, Callable[[SettledCases, ReportChoices], ReportParts]] = {
    "hospital": hospital_parts,
    "bureau": bureau_parts,
    "research": research_parts,
}
AUDIENCES = tuple(PARTS)
DEFAULT_POLICY = "national/2.0"
NO_UNIT_VALUE = frozenset({"settle-missing-unit-value", "settle-no-unit-value"})


class Report(Result):
    """A report for one kind of reader: figures, a page and a workbook.

    Attributes
    ----------
    audience
        ``hospital``, ``bureau`` or ``research``.
    settled
        The cases with what each is paid, and the records that they come from.
    policy
        The policy that paid.
    lead
        What the reader has to know at once; may be empty.
    """

    kind: ClassVar[str] = "report"
    title: ClassVar[str] = text("Report")

    def __init__(self, audience: str, cases: SettledCases, parts: ReportParts, inputs: Mapping[str, str]) -> None:
        self.audience, self.settled = audience, cases
        self.policy: Policy = cases.settlement.ledger.policy
        self._parts, self.lead = parts, parts.lead
        self.title = parts.title  # type: ignore[misc]
        tables = {**parts.tables, "assumptions": parts.assumption_table("en")}
        record = run_record(
            self.kind, audience=audience, policy=self.policy.id, policy_digest=self.policy.digest, schemes=cases.schemes,
            inputs=inputs, cases=cases.size, paid=int(cases.paid.sum()), unit_value_from=cases.basis,
            unit_values=cases.settlement.unit_values, cost_yuan=yuan_text(total(cases.cost)),
            payment_yuan=yuan_text(total(cases.settlement.amount)), **parts.record,
            problems=(*cases.notes, *parts.notes), assumptions=[each.path for each in parts.assumptions],
        )  # fmt: skip
        super().__init__(tables, notes=(*cases.notes, *parts.notes), record=record)

    def _page(self) -> str:
        return self._parts.page()

    def about(self) -> About:
        facts = [
            *self._parts.facts,
            *settlement_facts(self.settled.settlement),
            (text("Scheme"), ", ".join(self.settled.schemes)),
        ]
        return about_record(self.title, {**self.record, **self._parts.counts}, facts=facts, notes=self._said)

    def _write_workbook(self, path: Path) -> None:
        if self._parts.workbook is None:
            super()._write_workbook(path)
        else:
            self._parts.workbook(path, self.about())


@checked(
    policy=named(Policy), audience=NAME, unit_value=AMOUNTS, budget=AMOUNTS, include=TEXTS, hospital=NAME,
)  # fmt: skip
def report_on(
    cases: Any,
    policy: AnyPolicy | None = None,
    *,
    audience: str = "hospital",
    hospitals: AnyHospitals | None = None,
    level: str | None = None,
    grade: str | None = None,
    weights: Tabular | None = None,
    scheme: str | None = None,
    benchmark: Tabular | None = None,
    hospital: str | None = None,
    unit_value: Amounts | None = None,
    budget: Amounts | None = None,
    changes: Mapping[str, float | str] | None = None,
    include: str | Sequence[str] | None = None,
    reading: InputOptions | None = None,
    progress: Progress | None = None,
) -> Report:
    """Read, check, group and settle an export, and account for it to whoever asks. 分析报告

    Parameters
    ----------
    cases
        Discharges: what :func:`drgsim.read` takes, or what it or :func:`drgsim.group` returned. Groups that the records name
        are kept, others are found. The folder of a region, or what :func:`drgsim.load_region` gave, stands for its last
        year (for research: all years), and its budgets come into the bureau's report.
    policy
        Who pays, such as ``beijing/2024``. Without one: national reference weights, and the unit value at which the cases earn
        what they cost, which is an assumption.
    audience
        Who reads it: ``hospital`` (one hospital's accounts), ``bureau`` (fund, indices, hospitals, supervision) or
        ``research`` (how well groups explain costs).
    hospitals
        ``hospital_id, level, grade, coefficient``, as :func:`drgsim.settle` takes it.
    level, grade
        Level and grade of the hospital where the cases are of one, as :func:`drgsim.settle` takes them.
    weights
        Relative values of one's own, as :func:`drgsim.settle` takes them.
    scheme
        DRG scheme or DIP catalogue to group by; the policy's by default, else the national scheme by date of discharge.
    benchmark
        Figures of other hospitals by group: ``group`` with ``mean_cost``, and, where known, ``mean_days``, ``weight``,
        ``cases``; what ``drgsim weights`` writes will do.
    hospital
        Id of the hospital that the report is about, where the cases are of several; the one with most cases by default.
    unit_value, budget
        Yuan per unit, or yuan to share out, as :func:`drgsim.settle` takes them.
    changes, include
        Changes of the policy, and sections to add, as :func:`drgsim.settle` takes them.
    reading
        Layout, own columns and edition of the codes, as :class:`drgsim.InputOptions` says them.
    progress
        Called while the records are checked, with the share done and the number of records.

    Returns
    -------
    Report
        ``save_folder(folder, ("html", "xlsx"))`` writes page and workbook.

    Raises
    ------
    UsageError
        ``usage-unknown-word``; ``report-unknown-hospital`` when no case is of the hospital; ``report-region-prices``.
    InputError
        What :func:`drgsim.read`, :func:`drgsim.group` and :func:`drgsim.settle` raise.
    PolicyError
        As :func:`drgsim.settle`.

    Examples
    --------
    >>> import drgsim
    >>> record = {"discharge_id": 1, "sex": "1", "age": 65, "diagnoses": "I21.001|I10.x00", "procedures": "", "los_days": 9,
    ...           "total_cost": 21000, "insurance": "employee"}
    >>> report = drgsim.report_on([record], "beijing/2024")
    >>> report.to_arrow("groups").select(["group", "cases", "margin"]).to_pylist()
    [{'group': 'FR15', 'cases': 1, 'margin': Decimal('-8644.00')}]
    """
    check_word("--for", audience, AUDIENCES)
    loaded = load_policy(DEFAULT_POLICY) if policy is None else policy_of(policy)
    region = region_in(cases)
    if region is not None and audience == "bureau":
        loaded = loaded.including(as_list(include)) if include else loaded
        years, chosen = years_of_region(
            region, loaded, scheme=scheme, weights=weights, changes=changes, unit_value=unit_value, shared=budget,
            progress=progress,
        )  # fmt: skip
        return _of_region(years, checked_and_grouped(discharges_for(region, audience), chosen, reading, None))
    if region is not None:
        cases, hospitals = discharges_for(region, audience), region if hospitals is None else hospitals
    prepared = checked_and_grouped(cases, scheme or scheme_of_weights(weights) or loaded.file.scheme, reading, progress)

    def settled(budget: Amounts | None) -> Settled:
        return settle(
            prepared.cases, loaded, hospitals=hospitals, level=level, grade=grade, weights=weights,
            unit_value=unit_value, budget=budget, changes=changes, include=include,
        )  # fmt: skip

    paid, basis = settled(budget), _basis(unit_value, budget)
    if basis is PriceBasis.POLICY and (policy is None or _without_unit_value(paid)):
        tried = settled(break_even_budget(paid, open_too=True))  # says which cases can be paid at all
        found = break_even_budget(tried)
        if found["*"] > 0:  # else no case has a weight, and none can be paid at any price
            paid, basis = settled(found), PriceBasis.BREAK_EVEN
    settled_cases = SettledCases(
        paid.settlement, prepared.cases.case_table.records, prepared.schemes, basis, prepared.quality,
        tuple(dict.fromkeys((*prepared.notes, *paid.settlement.problems))), prepared.cases.code_version,
    )  # fmt: skip
    prices = stated_prices(settled_cases) if region is not None and audience == "hospital" else None
    compared = None if benchmark is None else (table_of(benchmark), _name_of(benchmark))
    choices = ReportChoices(hospital, compared, prices=prices)
    files = [Path(each) for each in (hospitals, weights, benchmark) if isinstance(each, str | Path)]
    inputs = digest_of(path for path in (*prepared.cases.case_table.paths, *files) if path.is_file())
    return Report(audience, settled_cases, PARTS[audience](settled_cases, choices), inputs)


def cases_of_year(years: BudgetYears, prepared: PreparedRecords) -> SettledCases:
    """The cases of the last year of a region, as its budget year settled them."""
    settlement = years.prepared.settlements[years.years[-1].year]
    basis = PriceBasis.BUDGET if settlement.unit_values else PriceBasis.POLICY
    return SettledCases(
        settlement, prepared.cases.case_table.records, prepared.schemes, basis, prepared.quality,
        (*prepared.notes, *(note for note in years.notes if note.code != "note")),
    )  # fmt: skip


def prices_of(years: BudgetYears) -> Text | None:
    """At which prices a region's budget years are paid, where they are not those of the policy."""
    prepared = years.prepared
    return scaled_prices(prepared.policy.id, prepared.price_factors, prepared.region.years[0])


def _of_region(years: BudgetYears, prepared: PreparedRecords) -> Report:
    """The bureau's report on the last year of a region."""
    cases = cases_of_year(years, prepared)
    parts = region_parts(
        cases, ReportChoices(prices=prices_of(years)), years.years, [note.what for note in years.notes if note.code == "note"]
    )
    return Report("bureau", cases, parts, years.record["inputs"])


@dataclass(frozen=True)
class PreparedRecords:
    """Records that are checked and grouped."""

    cases: CaseResult
    schemes: tuple[str, ...]
    quality: QualityReport | None
    notes: tuple[Problem, ...]


def checked_and_grouped(
    records: Any, scheme: str | None, reading: InputOptions | None, progress: Progress | None
) -> PreparedRecords:
    """The records with what is wrong in them and with their groups; those that name groups keep them."""
    read = Discharges(*_with_options(records, reading))
    coded = "diagnoses" in read.case_table.canonical
    chosen = scheme or DEFAULT_SCHEME
    quality, notes = None, read.notes
    if coded:
        checked_records = validate(read, DEFAULT_SCHEME if means_dip(chosen) else chosen, progress=progress)
        quality = checked_records.report
    if is_grouped(read.case_table.table.column_names):
        return PreparedRecords(read, read.case_table.grouped_by, quality, notes)
    grouped = group(read, chosen)
    return PreparedRecords(grouped, grouped.case_table.grouped_by, quality, (*notes, *grouped.notes))


def _with_options(records: Any, reading: InputOptions | None) -> tuple[Any, str]:
    cases, options = case_table(records, reading)
    return cases, options.code_version


def _basis(unit_value: Amounts | None, budget: Amounts | None) -> PriceBasis:
    return PriceBasis.BUDGET if budget is not None else PriceBasis.GIVEN if unit_value is not None else PriceBasis.POLICY


def _without_unit_value(paid: Settled) -> bool:
    """Whether cases are unpaid because no unit value is known."""
    return any(problem.code in NO_UNIT_VALUE for problem in paid.settlement.problems)


def break_even_budget(paid: Settled, *, open_too: bool = False) -> dict[str, float]:
    """Yuan by which the insured cases that are paid earn what they cost; ``open_too`` counts those that are not as well."""
    ledger = paid.settlement.ledger
    counted = (ledger.cases.insurance != INSURANCES.index("self")) & (ledger.cost != MISSING) & (ledger.cost >= 0)
    counted &= (paid.settlement.amount != MISSING) | open_too
    return {"*": float(exact_sum(ledger.cost[counted]) / (1 - exact(ledger.held)) / FEN_PER_YUAN)}


def _name_of(source: Tabular) -> str:
    return Path(source).name if isinstance(source, str | Path) else "benchmark"

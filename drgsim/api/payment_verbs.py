"""What cases are paid: settlement under a policy, with prepayment and yearly clearing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from drgsim.api.argument_check import AMOUNTS, TEXT, TEXTS, as_list, checked, named, number
from drgsim.api.verb_inputs import (
    Amounts,
    AnyDischarges,
    AnyHospitals,
    Inputs,
    Tabular,
    by_payer,
    check_word,
    scheme_of_weights,
    told,
)  # fmt: skip
from drgsim.errors import Problem, UsageError
from drgsim.language import text
from drgsim.money import MISSING, total, yuan_text
from drgsim.payment.case_columns import with_level
from drgsim.payment.clearing import PREPAID_AS, Assessment, monthly_prepayments, yearly_clearing
from drgsim.payment.policy import AnyPolicy, Policy, policy_of
from drgsim.payment.rules.unstable_groups import DETECT
from drgsim.payment.selection_from_history import selection_record
from drgsim.payment.settlement import Settlement
from drgsim.payment.settlement import settle as settle_table
from drgsim.records.input_options import InputOptions
from drgsim.region.hospital_list import GroupCoefficients
from drgsim.report.settlement_workbook import settlement_facts, write_settlement_workbook
from drgsim.results.result import Result
from drgsim.results.run_record import run_record
from drgsim.results.workbook_about import About, about_record
from drgsim.units.schemes.pack import read_settings

# tables of the result -> summaries of the settlement
SUMMARIES = {
    "by_hospital": "hospital", "by_department": "department", "by_group": "group", "by_insurance": "insurance",
    "by_class": "case_class", "overall": "all",
}  # fmt: skip


class Settled(Result):
    """What each case is paid, and the sums.

    Attributes
    ----------
    cases
        Arrow table, one row per case in the order of the input: ``discharge_id``, ``hospital_id``, ``department``, ``unit``
        (group), ``unit_name``, ``total_cost`` (yuan), ``relative_value``, ``coefficient``, ``unit_value`` (yuan), ``standard``
        (yuan), ``cost_ratio``, ``case_class``, ``points``, ``amount`` and who pays it, ``patient_paid``, ``other_paid``,
        ``fund_payment`` and ``above_standard`` (yuan; amount is their sum, below 0 in the last is what patients paid above the
        amount and the hospital keeps), ``margin`` (yuan), ``rule``, ``reference_cost`` (yuan). Where groups are simulated and
        not paid: ``shadow_class``, ``shadow_amount`` and ``shadow_margin`` (yuan, against the cost).
    by_hospital, by_department, by_group, by_insurance, by_class, overall
        Arrow tables of sums: ``cases``, ``unpaid``, ``weight``, ``cmi``, ``cost``, ``payment``, ``patient_paid``,
        ``other_paid``, ``fund_payment``, ``above_standard``, ``margin`` (yuan), ``high_share``, ``low_share``, ``mean_days``,
        ``cost_index``, ``time_index``; ``shadow_cases``, ``shadow_payment``, ``shadow_margin`` where groups are simulated.
    assumptions
        Arrow table of the policy's parameters that rest on no source.
    prepayment, clearing
        Arrow tables by hospital and month, and by hospital; None unless asked for.
    settlement, policy
        The settlement with its arrays in fen, and the policy that paid.
    """

    kind: ClassVar[str] = "settle"
    title: ClassVar[str] = text("Settlement")

    def __init__(
        self, settlement: Settlement, cleared: Mapping[str, pa.Table], notes: list[str], inputs: Mapping[str, str],
        hospital_names: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.settlement, self._hospital_names = settlement, hospital_names or {}
        self.policy: Policy = settlement.ledger.policy
        tables = {"cases": settlement.table} | {name: settlement.summaries[of] for name, of in SUMMARIES.items()}
        tables |= {"assumptions": assumptions_table(self.policy), **cleared}
        record = _record(settlement, notes, inputs)
        super().__init__(tables, notes=(*told(notes), *settlement.problems), record=record)
        self.cases: pa.Table = tables["cases"]
        self.by_hospital: pa.Table = tables["by_hospital"]
        self.by_department: pa.Table = tables["by_department"]
        self.by_group: pa.Table = tables["by_group"]
        self.by_insurance: pa.Table = tables["by_insurance"]
        self.by_class: pa.Table = tables["by_class"]
        self.overall: pa.Table = tables["overall"]
        self.assumptions: pa.Table = tables["assumptions"]
        self.prepayment: pa.Table | None = cleared.get("prepayment")
        self.clearing: pa.Table | None = cleared.get("clearing")

    def _page(self) -> str:
        from drgsim.report.settlement_page import settlement_page

        return settlement_page(self.settlement, self.notes, self._hospital_names)

    def about(self) -> About:
        return about_record(self.title, self.record, facts=settlement_facts(self.settlement), notes=self._said)

    def _write_workbook(self, path: Path) -> None:
        write_settlement_workbook(path, self.tables, self.about())


@checked(
    policy=named(Policy),
    weights_scale=number(),
    budget=AMOUNTS,
    fund_share=number(),
    unit_value=AMOUNTS,
    budget_value=AMOUNTS,
    prepay=number(),
    include=TEXTS,
    level=TEXT,
    grade=TEXT,
)
def settle(
    cases: AnyDischarges,
    policy: AnyPolicy,
    *,
    hospitals: AnyHospitals | None = None,
    level: str | None = None,
    grade: str | None = None,
    coefficients: Tabular | GroupCoefficients | None = None,
    weights: Tabular | None = None,
    weights_scale: float | None = None,
    unstable: str | None = None,
    scheme: str | None = None,
    reading: InputOptions | None = None,
    budget: Amounts | None = None,
    fund_share: float = 1.0,
    unit_value: Amounts | None = None,
    budget_value: Amounts | None = None,
    changes: Mapping[str, float | str] | None = None,
    include: str | Sequence[str] | None = None,
    clearing: bool = False,
    prepay: float | None = None,
    assessment: Tabular | Mapping[str, Assessment] | None = None,
) -> Settled:
    """Settle every discharge under a policy and sum up by hospital, department, group, insurance and class of case. 结算

    The price of a case is relative value x hospital coefficient x unit value; a curve over the cost ratio and the policy's
    rules in their order decide the amount, exact to the fen (rule book 1.1 to 1.8, docs/payment.md).

    Parameters
    ----------
    cases
        Discharges: a path or a list of paths (.csv, .parquet, .xlsx, .json), a pandas frame, an Arrow table, or the result of
        :func:`drgsim.group`. One row per discharge; ``total_cost`` in yuan, the group in ``drg``, ``dip`` or ``unit``.
    policy
        Policy such as ``beijing/2024`` (:func:`drgsim.policies` lists them), its folder, or one that
        :func:`drgsim.load_policy` gave.
    hospitals
        ``hospital_id, level, grade, coefficient``: a file, a table, a mapping by hospital, or a region.
    level, grade
        Of the one hospital that the cases are of, where they and ``hospitals`` do not say: ``3``, ``三级``, ``三甲``; ``甲``.
    coefficients
        Coefficients by hospital and group (``hospital_id, group, coefficient``), or the result of
        :func:`drgsim.coefficients`; they go before those of the policy.
    weights
        Relative values of one's own: what ``drgsim weights`` wrote, the result of :func:`drgsim.weights`, or a table.
    weights_scale
        Relative value = scale x the number in ``weights``; 100 makes points of weights.
    unstable
        Where unstable groups are found: in the policy's ``table``, among the ``cases``, or ``never``; the policy's word by
        default.
    scheme
        DRG scheme or DIP catalogue to group by where the cases name no group; the policy's by default. ``auto`` takes the
        national scheme on the date of discharge.
    reading
        Layout, own columns and edition of the codes, as :class:`drgsim.InputOptions` says them.
    budget
        Yuan of total cost for all, or by payer (``employee``, ``resident``): the unit value follows from it (rule book 1.5,
        3.3).
    fund_share
        Share of the cost that the fund pays, above 0 to 1: divides a budget of the fund alone.
    unit_value
        Yuan per unit for all, or by key such as ``employee`` or ``3/resident``, instead of the policy's.
    budget_value
        Budget point value in yuan, for policies with a floating value.
    changes
        Parameter of the policy -> new number, or ``"*1.03"``, ``"+5"``, ``"-5"``.
    include
        Files of sections that the policy shall include, such as ``examples/psychiatric``; they never override the policy.
    clearing
        Also make the prepayments by month and the clearing by hospital (rule book 1.6 and 3.7).
    prepay
        Share of a month that is paid in advance, 0 to 1; the policy's by default. Needs ``clearing``.
    assessment
        ``hospital_id, assessment, deductions`` (coefficient, yuan) of the yearly clearing. Needs ``clearing``.

    Returns
    -------
    Settled
        Cases that no rule can pay have no amount; ``notes`` count them with the reason. ``settle-other-scheme`` tells that a
        result of :func:`drgsim.group` holds groups of another scheme than the policy's.

    Raises
    ------
    UsageError
        ``usage-no-weights``, ``usage-no-clearing``, ``usage-no-prepayment``, ``usage-unknown-word``,
        ``usage-level-twice``, ``usage-unknown-level``, ``usage-several-hospitals``.
    InputError
        ``settle-not-grouped``, ``settle-missing-column``, ``cases-several-schemes``, or a file that cannot be read.
    PolicyError
        ``policy-unknown``, changes that the policy cannot take, ``policy-unknown-include`` or ``policy-include-conflict``.

    Examples
    --------
    >>> import drgsim
    >>> case = {"drg": "FR25", "relative_weight": 1.0, "total_cost": 12000, "insurance": "employee", "hospital_level": "3"}
    >>> paid = drgsim.settle([case], "beijing/2024", unit_value=13000)
    >>> paid.cases["amount"].to_pylist(), paid.by_class["case_class"].to_pylist()
    ([Decimal('13000.00')], ['normal'])
    """
    check_word("--unstable", unstable, DETECT)
    if weights_scale is not None and weights is None:
        raise UsageError([Problem("usage-no-weights", text("--weights-scale stands without --weights"))])
    if (prepay is not None or assessment is not None) and not clearing:
        raise UsageError([Problem("usage-no-clearing", text("--prepay and --assessment belong to --clearing"))])
    if (level or grade) and (hospitals is not None or not level):
        what = text("--level and --grade stand for the list of hospitals")
        fix = text("give either --level, with --grade where the policy asks for it, or --hospitals")
        raise UsageError([Problem("usage-level-twice", what, where="--level", fix=fix)])
    loaded, inputs = policy_of(policy), Inputs()
    if include:
        loaded = loaded.including(as_list(include))
    if changes:
        loaded = loaded.changed(changes, "--set")
    loaded, doubts = inputs.weighed(loaded, weights, weights_scale)
    known, by_group = inputs.hospitals(hospitals), inputs.coefficients(coefficients)
    chosen = scheme or scheme_of_weights(weights) or loaded.file.scheme
    table, notes = inputs.discharges(cases, chosen, reading, needed=loaded.file.by_groups)
    table = with_level(table, level, grade or "") if level else table
    if weights is None:
        doubts = [*doubts, *_other_scheme(loaded, inputs.grouped_by or [scheme or ""])]
    settlement = settle_table(
        table, loaded, hospitals=known, budget=by_payer(budget), fund_share=fund_share, unit_value=by_payer(unit_value),
        coefficients=by_group, unstable=unstable,  # type: ignore[arg-type]
        budget_value=by_payer(budget_value),
    )  # fmt: skip
    settlement = replace(settlement, problems=(*doubts, *settlement.problems))
    cleared = {}
    if clearing:
        prepaid = monthly_prepayments(settlement, _prepaid_share(loaded, prepay))
        judged = inputs.assessments(assessment)
        cleared = {"prepayment": prepaid, "clearing": yearly_clearing(settlement, prepaid, judged, fund_share)}
    names = {id_: hospital.name for id_, hospital in (known or {}).items() if hospital.name}
    return Settled(settlement, cleared, notes, inputs.digests, names)


def _other_scheme(policy: Policy, grouped_by: Iterable[str]) -> list[Problem]:
    """A doubt where cases come with groups of another scheme than the one whose groups the policy prices."""
    scheme = policy.file.scheme
    if scheme is None or not policy.file.by_groups:
        return []
    own = {scheme}
    if (Path(scheme) / "scheme.toml").is_file():  # named by its folder
        own.add(read_settings(Path(scheme)).get("id", ""))
    others = ", ".join(sorted({*grouped_by} - own - {""}))
    if not others:
        return []
    what = text(
        "the cases are grouped by {others}, and {policy} prices the groups of {scheme}: a code may mean another group",
        others=others,
        policy=policy.id,
        scheme=scheme,
    )
    fix = text("group the cases by {scheme}, or give weights of {others} with --weights", scheme=scheme, others=others)
    return [Problem("settle-other-scheme", what, where=others, fix=fix)]


def _prepaid_share(policy: Policy, prepay: float | None) -> float:
    """The share of a month that is paid in advance: as given, or as the policy states it."""
    stated = policy.file.prepayment
    if prepay is None and stated is not None and stated.unit.startswith(PREPAID_AS):
        prepay = stated.value
    if prepay is None or not 0 <= prepay <= 1:
        what = text("what share of a month {policy} pays in advance is not known (0 to 1)", policy=policy.id)
        raise UsageError([Problem("usage-no-prepayment", what, fix=text("give --prepay, such as 0.9"))])
    return prepay


def _record(settlement: Settlement, notes: list[str], inputs: Mapping[str, str]) -> dict[str, Any]:
    """What was run and what came out, without any clock: the same inputs give the same record."""
    policy = settlement.ledger.policy
    return run_record(
        Settled.kind,
        policy=policy.id,
        policy_digest=policy.digest,
        **({"include": policy.file.include} if policy.file.include else {}),
        inputs=inputs,
        notes=notes,
        cases=settlement.ledger.cases.size,
        paid=int((settlement.amount != MISSING).sum()),
        amount_yuan=yuan_text(total(settlement.amount)),
        fund_payment_yuan=yuan_text(total(settlement.fund_payment)),
        above_standard_yuan=yuan_text(total(settlement.parts.above_standard)),
        unit_values=settlement.unit_values,
        **selection_record(policy),
        problems=settlement.problems,
        assumptions=[parameter.path for parameter in policy.assumptions],
    )


def assumptions_table(policy: Policy) -> pa.Table:
    """What a result rests on without a source, to lie beside it: parameter, value, unit, source and its title, note."""
    names = ("parameter", "value", "unit", "source", "source_title", "note")
    rows = [
        (entry.path, str(entry.value), entry.unit, entry.source, entry.source_title, entry.note) for entry in policy.assumptions
    ]
    return pa.table({name: pa.array([row[place] for row in rows], pa.string()) for place, name in enumerate(names)})

"""Single diseases (单病种): fixed amounts of the fund per case and level, with a limit of what the patient pays."""

from __future__ import annotations

import numpy as np

from drgsim.language import text
from drgsim.money import MISSING
from drgsim.payment.case_class import CaseClass
from drgsim.payment.ledger import Ledger
from drgsim.payment.rules.settlement_rule import Rule, Stage, kept


def settle_single_diseases(ledger: Ledger) -> None:
    """Pay the fixed amount of the fund and what the patient pays of the rest of the bill, up to the limit.

    A case belongs to a single disease when its column ``single_disease`` or its group names one of the policy's.
    """
    table, cases = ledger.policy.single_diseases, ledger.cases
    if table is None:
        return
    codes = table.codes
    named, unit = cases.single_disease, cases.unit
    disease_of = np.full(cases.size, -1, np.int32)
    names = sorted(codes)
    for texts in (unit, named):  # the case's own word goes before its group
        of_text = np.array([names.index(value) if value in codes else -1 for value in texts.values] + [-1], np.int32)
        disease_of = np.where(of_text[texts.ids] >= 0, of_text[texts.ids], disease_of)
    unknown = (named.ids >= 0) & (disease_of < 0) & ledger.open_cases
    cases.warn(
        "settle-unknown-single-disease", unknown, text("single_disease names none of the policy's; paid as other cases"),
        text("the policy has {names}", names=', '.join(names)), sample=named.sample(unknown),
    )  # fmt: skip
    members = (disease_of >= 0) & ledger.open_cases
    if not members.any():
        return
    keys = ledger.lookup.keys
    amounts = np.full((len(names), len(keys), 2), MISSING)
    for place, name in enumerate(names):
        for number, (levels, insurance) in enumerate(keys):
            found = table.of(name, levels, insurance)
            if found is not None:
                amounts[place, number] = found
    fund, limit = amounts[disease_of, ledger.lookup.combination].T
    absent = members & (fund == MISSING)
    cases.fault(
        "settle-missing-single-disease", absent, text("the policy has no fixed amount of the disease for this level and payer"),
        text("state hospital_level and insurance, or add the amount to the policy's table"), sample=unit.sample(absent),
    )  # fmt: skip
    members &= ~absent
    fund, limit = np.where(members, fund, 0), np.where(members, limit, 0)
    patient = np.clip(np.where(members, ledger.cost, 0) - fund, 0, limit)
    for place, name in enumerate(names):
        words = text(
            "single disease (单病种) {name}: fixed amount of the fund, the patient pays the rest up to a limit", name=name
        )
        ledger.decide(members & (disease_of == place), CaseClass.FIXED, words)
    ledger.pay_yuan(members, fund + patient)
    ledger.fixed_fund = np.where(members, fund, ledger.fixed_fund)


RULE = Rule(
    "single_disease", "single diseases", "单病种", Stage.BEFORE_CURVE, settle_single_diseases,
    reads=("single_disease",), columns=("single_disease", "hospital_level", "insurance"), classes=(CaseClass.FIXED,),
    repricing=kept,
)  # fmt: skip

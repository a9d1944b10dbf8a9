"""Who pays: insurance by age, and the fund's part to the fen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drgsim.records.vocabulary import INSURANCES, PAYERS
from drgsim.synthetic.care_pathways import LEVELS
from drgsim.synthetic.draw_plan import DrawPlan
from drgsim.synthetic.sparse_columns import Columns


def draw_insurance(plan: DrawPlan, age: NDArray[np.integer], rng: np.random.Generator) -> NDArray[np.int8]:
    """Place in INSURANCES by age."""
    grown = np.cumsum([plan.parameters["payers.insurance_share"][name] for name in INSURANCES])
    child = np.cumsum([plan.parameters["payers.child_insurance_share"][name] for name in INSURANCES])
    edges = np.where((age < 18)[:, None], child, grown)
    return np.asarray((rng.random(len(age))[:, None] >= edges).sum(axis=1).clip(0, 2).astype(np.int8))


def pay(plan: DrawPlan, batch: Columns, rng: np.random.Generator) -> None:
    """Add ``total_fen, own_pay_fen, pre_self_pay_fen, deductible_fen, patient_fen, fund_fen``.

    ``fund = (total - own pay - pre-self-pay - deductible) x ratio``, rounded down to the fen;
    ``patient = total - fund``.
    """
    parameters = plan.parameters
    total = batch["fen"].sum(axis=1)
    level = batch["level"]
    insured = batch["insurance"] < 2
    mean_own = np.array([parameters["payers.own_pay"][x] for x in LEVELS])[level]
    own_share = np.minimum(rng.gamma(2.0, 0.5, len(total)) * mean_own, 0.6)
    pre_share = np.minimum(rng.gamma(3.0, 1 / 3, len(total)) * parameters["payers.pre_self_pay"], 0.3)
    own = np.floor(total * own_share).astype(np.int64)
    pre = np.floor((total - own) * pre_share).astype(np.int64)
    deductible = np.array([parameters["payers.deductible"][x] * 100 for x in LEVELS])[level]
    deductible = np.minimum(deductible, total - own - pre)
    ratio = np.zeros((len(INSURANCES), len(LEVELS)))
    for place, name in enumerate(PAYERS):
        ratio[place] = [parameters["payers.ratio"][name][x] for x in LEVELS]
    # ratio in ten-thousandths, so that the product is exact in integers
    tenths = np.rint(ratio * 10_000).astype(np.int64)[batch["insurance"], level]
    fund = np.where(insured, (total - own - pre - deductible) * tenths // 10_000, 0)
    batch["total_fen"], batch["fund_fen"], batch["patient_fen"] = total, fund, total - fund
    batch["own_pay_fen"] = np.where(insured, own, total)
    batch["pre_self_pay_fen"] = np.where(insured, pre, 0)
    batch["deductible_fen"] = np.where(insured, deductible, 0)

"""The tables of an atlas: one row for each policy, its terms by level and payer, what is not paid, what is left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from drgsim.errors import Problem
from drgsim.language import Text
from drgsim.money import MISSING, money_column, total
from drgsim.payment.atlas import EFFECTS, AtlasEntry, class_counts
from drgsim.payment.policy import Policy
from drgsim.records.vocabulary import INSURANCES


def atlas_table(entries: Sequence[AtlasEntry], reference: AtlasEntry) -> pa.Table:
    """One row for each policy in order of rank; money in yuan, exact."""
    rows = [_row(rank, entry, reference) for rank, entry in enumerate(entries, start=1)]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return pa.table({
        name: money_column(np.array(values, np.int64)) if _is_money(name) else pa.array(values)
        for name, values in columns.items()
    })  # fmt: skip


def _is_money(column: str) -> bool:
    named = ("cost", "payment", "fund_payment", "patient_paid", "margin", "difference")
    return column in named or column.startswith(("amount_", "effect_"))


def _row(rank: int, entry: AtlasEntry, reference: AtlasEntry) -> dict[str, Any]:
    settlement, file, paid = entry.settlement, entry.policy.file, entry.paid
    cost = int(settlement.ledger.cost[paid].sum())
    price, own, standard, amount = (int(step.sum()) for step in entry.steps)
    counts = class_counts(entry)
    weight = float(np.nansum(entry.weight[paid]))
    effects = entry.against(reference)
    return {
        "rank": rank, "policy": entry.policy.id, "title_zh": file.title_zh, "region_zh": file.region_zh,
        "method": str(file.method), "cases": int(paid.size), "paid": int(paid.sum()), "unpaid": int((~paid).sum()),
        "cost": cost, "payment": amount, "fund_payment": total(settlement.fund_payment),
        "patient_paid": total(settlement.patient_paid), "margin": total(np.where(paid, settlement.revenue, MISSING)) - cost,
        "payment_to_cost": _ratio(amount, cost), "cmi": _ratio(weight, int((~np.isnan(entry.weight[paid])).sum())),
        "yuan_per_weight": _ratio(price / 100, weight), "own_weights": _ratio(own, price), "coefficient": _ratio(standard, own),
        "curve": _ratio(amount, standard),
        **{f"cases_{name}": count for name, (count, _) in counts.items()},
        **{f"amount_{name}": fen for name, (_, fen) in counts.items()},
        "difference": amount - reference.payment, **{f"effect_{name}": effects[name] for name in EFFECTS},
        "weights": entry.weights, "own_share": round(entry.own_share, 6), "assumptions": len(entry.policy.assumptions),
    }  # fmt: skip


def _ratio(part: float, whole: float) -> float | None:
    return round(part / whole, 6) if whole else None


def terms_table(entries: Sequence[AtlasEntry]) -> pa.Table:
    """How levels and payers of the cases are taken: class of the hospital, coefficient and unit value by policy."""
    rows: list[dict[str, Any]] = []
    for entry in entries:
        ledger = entry.settlement.ledger
        lookup, terms = ledger.lookup, ledger.terms
        for place, (levels, payer) in enumerate(lookup.keys):
            members = (lookup.combination == place) & entry.paid
            stated = lookup.cases.levels[int(lookup.combinations[place]) // (len(INSURANCES) + 1)]
            if members.any():
                rows.append({
                    "policy": entry.policy.id, "level": "/".join(stated), "insurance": payer, "cases": int(members.sum()),
                    "taken_as": "/".join(level for level in levels if level not in stated) or None,
                    "coefficient": _mean(terms.coefficient[members]), "unit_value": _mean(terms.unit_value[members]),
                })  # fmt: skip
    return pa.Table.from_pylist(rows)


def _mean(values: Any) -> float | None:
    known = values[~np.isnan(values)]
    return round(float(known.mean()), 6) if known.size else None


def doubts_table(entries: Sequence[AtlasEntry]) -> pa.Table:
    """What each policy does not pay, or pays with a doubt, with the number of cases as the settlement says it."""
    rows = [
        {"policy": entry.policy.id, "code": problem.code, "what": problem.what, "where": problem.where, "fix": problem.fix}
        for entry in entries for problem in entry.settlement.problems
    ]  # fmt: skip
    names = ("policy", "code", "what", "where", "fix")
    return pa.table({name: pa.array([row[name] for row in rows], pa.string()) for name in names})


def left_out_table(left_out: Sequence[tuple[Policy, Problem]]) -> pa.Table:
    """Policies that pay none of the cases, why, and what would let them pay."""
    columns = {"policy": [policy.id for policy, _ in left_out], "title_zh": [policy.file.title_zh for policy, _ in left_out],
               "code": [reason.code for _, reason in left_out], "reason": [reason.what for _, reason in left_out],
               "fix": [reason.fix for _, reason in left_out]}  # fmt: skip
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


def left_out_reasons(left_out: Iterable[Problem]) -> list[tuple[int, str, str]]:
    """Policies left out for each reason, the reason and what to do about it; the commonest first.

    Examples
    --------
    >>> from drgsim.language import text
    >>> unpaid = [text("{count} cases are not paid: {what}", count=count, what=text("no case is paid")) for count in (9, 8)]
    >>> left_out_reasons([Problem("settle-no-price", what, fix="ask") for what in unpaid])
    [(2, 'no case is paid', 'ask')]
    """
    found: Counter[str] = Counter()
    reasons: dict[str, tuple[str, str]] = {}
    for problem in left_out:
        what = problem.what
        if isinstance(what, Text) and "count" in what.values and "what" in what.values:  # the same for any number of cases
            what = what.values["what"]
        found[what] += 1
        reasons[what] = (what, problem.fix)
    return [(count, *reasons[what]) for what, count in found.most_common()]

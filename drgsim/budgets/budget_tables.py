"""Budget years as typed tables: one row per fact, money as decimal yuan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from drgsim.budgets.budget_index import STEPS, STEPS_ZH
from drgsim.budgets.budget_year import BudgetYear
from drgsim.budgets.case_bills import UNITS, UNITS_ZH
from drgsim.budgets.cash import LINES
from drgsim.budgets.fund_account import FundAccount
from drgsim.budgets.quality_score import indicator_title
from drgsim.budgets.terms import BudgetTerms
from drgsim.money import money_column
from drgsim.region.hospital_year_sums import MONTHS

FACTORED = STEPS[1 : STEPS.index("limits")]  # steps that are factors of the hospital
STATUS_ZH = {"ok": "正常", "attention": "关注", "warned": "预警"}
FUND_ZH = {
    "budget": "基金预算总额",
    "reserve": "风险储备金",
    "adjustment_fund": "调节金",
    "unallocated": "未分配",
    "index": "各机构总额指标合计",
    "returned": "结余归基金",
    "borne": "基金分担超支",
    "not_covered": "超支未获分担（基金不足）",
    "procurement": "集采结余留用",
    "deductions": "违规扣款",
    "forfeited": "保证金扣减",
    "paid": "基金支出",
    "balance": "基金结余",
    "from_adjustment_fund": "动用调节金",
    "from_reserve": "动用储备金",
    "deficit": "缺口",
}


def budget_tables(years: Sequence[BudgetYear]) -> dict[str, pa.Table]:
    """All tables of a run.

    Returns
    -------
    dict
        ``hospitals`` (one row per hospital and year), ``index`` (waterfall), ``quality``, ``units`` (paid by unit),
        ``warnings`` (by month), ``ledger``, ``liquidity`` (by month), ``fund`` and ``terms`` (every parameter with its
        evidence); ``pools`` and ``pool_funds`` where employees and residents have budgets apart, ``negotiated`` where
        something was.
    """
    tables = {
        "hospitals": _joined(years, _hospitals),
        "index": _joined(years, _index),
        "quality": _joined(years, _quality),
        "units": _joined(years, _units),
        "warnings": _joined(years, _warnings),
        "ledger": _joined(years, _ledger),
        "liquidity": _joined(years, _liquidity),
        "fund": _joined(years, _fund),
        "terms": terms_table(years[0].terms),
    }
    if years[0].pools:
        tables["pools"] = _of_pools(years, _hospitals)
        tables["pool_funds"] = _of_pools(years, _fund)
    negotiated = _negotiated(years)
    return {**tables, "negotiated": negotiated} if negotiated.num_rows else tables


def _of_pools(years: Sequence[BudgetYear], of: Any) -> pa.Table:
    """A table of every pool, one below the other, with the payer in front."""
    parts = [(payer, of(pool)) for year in years for payer, pool in year.pools.items()]
    named = [table.add_column(0, "pool", pa.array([payer] * table.num_rows, pa.string())) for payer, table in parts]
    return pa.concat_tables(named)


def _negotiated(years: Sequence[BudgetYear]) -> pa.Table:
    """What was negotiated with hospitals, what it comes to in the index, and why."""
    parts = []
    for year in years:
        figures, at = year.figures, year.figures.years.index(year.year)
        amount, share = figures.negotiated[:, at], figures.negotiated_share[:, at]
        table = pa.table({
            **_keys(year, 1), "amount": _yuan(amount), "share": _number(share),
            "effect": _yuan(year.index.waterfall[:, STEPS.index("negotiated")]),
            "reason": pa.array([figures.reasons.get((name, year.year), "") for name in figures.hospitals], pa.string()),
        })  # fmt: skip
        parts.append(table.filter(pa.array((amount != 0) | (share != 0))))
    return pa.concat_tables(parts)


def _joined(years: Sequence[BudgetYear], of: Any) -> pa.Table:
    return pa.concat_tables([of(year) for year in years])


def _keys(year: BudgetYear, repeat: int) -> dict[str, Any]:
    size = year.figures.size
    return {
        "year": pa.array(np.full(size * repeat, year.year, np.int16)),
        "hospital_id": np.repeat(year.figures.hospitals, repeat),
        "hospital": np.repeat(year.figures.names, repeat),
    }


def _number(values: Any) -> pa.Array:
    return pa.array(np.asarray(values, np.float64).ravel(), from_pandas=True)


def _yuan(amounts: Any) -> pa.Array:
    return money_column(np.ascontiguousarray(amounts, np.int64).ravel())


def _hospitals(year: BudgetYear) -> pa.Table:
    figures, cash = year.figures, year.cash
    before = np.full(figures.size, np.nan) if year.scores_before is None else year.scores_before.score
    return pa.table({
        **_keys(year, 1),
        "level": figures.level,
        "cases": figures.cases[:, figures.years.index(year.year)],
        "index": _yuan(year.index.index),
        "recorded": _yuan(year.recorded),
        "ratio": _number(year.ratio),
        "surplus": _yuan(year.surplus),
        "settled": _yuan(year.settled),
        "overspend_brought": _yuan(year.overspend_brought),
        "surplus_kept": _yuan(cash.due["surplus_kept"]),
        "overspend_not_borne": _yuan(cash.due["overspend_not_borne"]),
        "procurement_kept": _yuan(year.procurement_kept),
        "deductions": _yuan(cash.due["deductions"]),
        "deposit_forfeited": _yuan(cash.due["deposit_forfeited"]),
        "carried_in": _yuan(cash.due["carried_in"]),
        "carried_out": _yuan(year.carried_out),
        "carried_overspend": _yuan(year.carried_overspend),
        "cash": _yuan(cash.received),
        "score_before": _number(before),
        "score": _number(year.scores.score),
        "kept_factor": _number(year.kept_factor),
        "months_warned": year.warnings.warned.sum(axis=1),
        "least_balance": _yuan(year.liquidity.balance.min(axis=1)),
        "least_month": pa.array(year.liquidity.balance.argmin(axis=1) + 1, pa.int8()),
        "least_days": _number(year.liquidity.days(year.liquidity.balance).min(axis=1)),
        "least_balance_without": _yuan(year.liquidity.balance_without.min(axis=1)),
    })  # fmt: skip


def _index(year: BudgetYear) -> pa.Table:
    size, steps = year.figures.size, len(STEPS)
    factors = np.full((size, steps), np.nan)
    factors[:, 1 : 1 + len(FACTORED)] = year.index.factors
    factors[:, STEPS.index("scaling")] = year.index.scaling
    return pa.table({
        **_keys(year, steps),
        "step": np.tile(STEPS, size),
        "step_zh": np.tile([STEPS_ZH[name] for name in STEPS], size),
        "factor": _number(factors),
        "amount": _yuan(year.index.waterfall),
    })  # fmt: skip


def _quality(year: BudgetYear) -> pa.Table:
    figures, names = year.figures, year.figures.indicator_names
    titles = [indicator_title(name, year.terms.file.quality) for name in names]
    return pa.table({
        **_keys(year, len(names)),
        "indicator": np.tile(names, figures.size),
        "indicator_zh": np.tile(titles, figures.size),
        "value": _number(year.scores.values),
        "points": _number(year.scores.points),
        "weight": _number(year.scores.weights),
    })  # fmt: skip


def _units(year: BudgetYear) -> pa.Table:
    index = year.index.index[:, None]
    share = np.divide(year.units, index, out=np.full(year.units.shape, np.nan), where=index > 0)
    return pa.table({
        **_keys(year, len(UNITS)),
        "unit": np.tile(UNITS, year.figures.size),
        "unit_zh": np.tile([UNITS_ZH[name] for name in UNITS], year.figures.size),
        "amount": _yuan(year.units),
        "share_of_index": _number(share),
    })  # fmt: skip


def _warnings(year: BudgetYear) -> pa.Table:
    found = year.warnings
    status = np.where(found.warned, "warned", np.where(found.attention, "attention", "ok")).ravel()
    return pa.table({
        **_keys(year, MONTHS),
        "month": pa.array(np.tile(np.arange(1, MONTHS + 1, dtype=np.int8), year.figures.size)),
        "used": _yuan(found.used),
        "index_to_date": _yuan(found.to_date),
        "ratio": _number(found.ratio),
        "status": status,
        "status_zh": [STATUS_ZH[word] for word in status],
    })  # fmt: skip


def _ledger(year: BudgetYear) -> pa.Table:
    rows = [
        (place, month, line, due, paid, balance)
        for place in range(year.figures.size)
        for month, line, due, paid, balance in year.cash.lines(place)
    ]
    places, months, lines, due, paid, balance = zip(*rows, strict=True)
    at = np.array(places)
    return pa.table({
        "year": pa.array(np.full(len(rows), year.year, np.int16)),
        "hospital_id": np.array(year.figures.hospitals)[at],
        "hospital": np.array(year.figures.names)[at],
        "month": pa.array(months, pa.int8()),
        "line": list(lines),
        "line_zh": [LINES[line] for line in lines],
        "due": _yuan(due),
        "paid": _yuan(paid),
        "balance": _yuan(balance),
    })  # fmt: skip


def _liquidity(year: BudgetYear) -> pa.Table:
    found = year.liquidity
    return pa.table({
        **_keys(year, MONTHS),
        "month": pa.array(np.tile(np.arange(1, MONTHS + 1, dtype=np.int8), year.figures.size)),
        "from_fund": _yuan(found.fund),
        "from_others": _yuan(found.others),
        "expenses": _yuan(found.expenses),
        "paid_ahead": _yuan(found.ahead),
        "balance": _yuan(found.balance),
        "balance_without": _yuan(found.balance_without),
        "days_of_cash": _number(found.days(found.balance)),
        "days_without": _number(found.days(found.balance_without)),
    })  # fmt: skip


def _fund(year: BudgetYear) -> pa.Table:
    insured = int(year.figures.insured[year.figures.years.index(year.year)])
    amounts = [getattr(year.fund, name) for name in FUND_ZH]
    per_head = [amount / 100 / insured if insured else None for amount in amounts]
    return pa.table({
        "year": pa.array([year.year] * len(amounts), pa.int16()),
        "item": list(FUND_ZH),
        "item_zh": list(FUND_ZH.values()),
        "amount": _yuan(amounts),
        "per_insured": pa.array(per_head, pa.float64()),
    })  # fmt: skip


def terms_table(terms: BudgetTerms) -> pa.Table:
    """Every parameter of the terms with unit, source and evidence."""
    rows = terms.parameters
    return pa.table({
        "parameter": [f"budget.{row.path}" for row in rows],
        "value": [words(row.value) for row in rows],
        "unit": [row.unit for row in rows],
        "effective_from": [row.effective_from for row in rows],
        "evidence": [str(row.evidence) for row in rows],
        "source": [terms.file.sources[row.source].title for row in rows],
        "note": [row.note for row in rows],
        "inactive": [terms.inactive.get(row.path, "") for row in rows],
    })  # fmt: skip


def words(value: Any) -> str:
    """A value as a text that reads well.

    Examples
    --------
    >>> words({"3": 0.01, "*": 0.0}), words((0.5, 0.3))
    ('3 0.01, * 0', '0.5, 0.3')
    """
    if isinstance(value, dict):
        return ", ".join(f"{key} {words(entry)}" for key, entry in value.items() if entry != "")
    if isinstance(value, tuple | list):
        return ", ".join(words(entry) for entry in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def fund_lines(account: FundAccount) -> list[tuple[str, str, int]]:
    """From what is set aside to the balance as (name, Chinese name, signed fen); the amounts sum to the balance."""
    return [
        ("reserve", FUND_ZH["reserve"], account.reserve),
        ("adjustment_fund", FUND_ZH["adjustment_fund"], account.adjustment_fund),
        ("unallocated", FUND_ZH["unallocated"], account.unallocated),
        ("returned", FUND_ZH["returned"], account.returned),
        ("borne", FUND_ZH["borne"], -account.borne),
        ("procurement", FUND_ZH["procurement"], -account.procurement),
        ("deductions", FUND_ZH["deductions"], account.deductions),
        ("forfeited", FUND_ZH["forfeited"], account.forfeited),
    ]

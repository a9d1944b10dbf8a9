"""Answers to a scenario as typed tables: headlines, hospitals, levels, departments, groups, insurance, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.budgets.budget_year import BudgetYear
from drgsim.money import money_column
from drgsim.records.vocabulary import INSURANCES
from drgsim.region.hospital_year_sums import MONTHS
from drgsim.simulation.case_totals import Totals
from drgsim.simulation.decompose import EFFECTS, EFFECTS_ZH, Method, decompose
from drgsim.simulation.headlines import headline_names, headlines
from drgsim.simulation.runner import Outcome
from drgsim.simulation.setup import Step
from drgsim.simulation.simulated_region import Region

MONEY = ("cost", "payment", "fund", "patient")
LEVELS_ZH = {"3": "三级", "2": "二级", "1": "一级", "0": "未定级", "": "未知"}
DETAIL = (*MONEY, "margin")


def answer_tables(
    baseline: Outcome, scenario: Outcome, region: Region, *, static: Outcome | None = None, method: Method = "sequential"
) -> dict[str, pa.Table]:
    """All tables of one scenario against its baseline.

    Parameters
    ----------
    baseline, scenario
        The two runs of the same year.
    static
        The scenario without behaviour, where behaviour is on.
    method
        How the change is taken apart, see :mod:`drgsim.simulation.decompose`.

    Returns
    -------
    dict
        Name -> table; ``liquidity`` only where a budget closes the year on both sides.
    """
    tables = {
        "headlines": headline_table(baseline, scenario, region, static),
        "hospitals": hospital_table(baseline, scenario, region),
        "levels": _levels(baseline, scenario, region),
        "departments": _two(baseline.by_department, scenario.by_department, "department"),
        "groups": _two(baseline.by_group, scenario.by_group, "group"),
        "insurance": _insurance(baseline, scenario),
        "decomposition": decomposition_table(baseline, scenario, method),
    }
    if baseline.budget is not None and scenario.budget is not None:
        tables["liquidity"] = liquidity_table(baseline.budget, scenario.budget, region)
    return tables


def liquidity_table(baseline: BudgetYear, scenario: BudgetYear, region: Region) -> pa.Table:
    """One row per hospital and month: what is paid ahead less what is recovered, balance and days of cash on both sides."""
    hospitals = baseline.figures.hospitals
    columns: dict[str, Any] = {
        "hospital": np.repeat(hospitals, MONTHS),
        "name": np.repeat([region.name(hospital) for hospital in hospitals], MONTHS),
        "month": pa.array(np.tile(np.arange(1, MONTHS + 1, dtype=np.int8), len(hospitals))),
    }
    for side, year in (("baseline", baseline), ("scenario", scenario)):
        found = year.liquidity
        columns[f"{side}_paid_ahead"] = money_column(found.ahead.ravel())
        columns[f"{side}_balance"] = money_column(found.balance.ravel())
        columns[f"{side}_days_of_cash"] = pa.array(found.days(found.balance).ravel(), from_pandas=True)
    change = scenario.liquidity.balance - baseline.liquidity.balance
    return pa.table({**columns, "balance_change": money_column(change.ravel())})


def headline_table(
    baseline: Outcome, scenario: Outcome, region: Region, static: Outcome | None = None,
    intervals: Mapping[str, Mapping[str, tuple[float, float]]] | None = None,
) -> pa.Table:  # fmt: skip
    """One row per headline figure: baseline, scenario, change; the static scenario and what behaviour adds where it is on."""
    old, new = headlines(baseline, region), headlines(scenario, region)
    names = [name for name in headline_names() if not (np.isnan(old[name]) and np.isnan(new[name]))]
    known = headline_names()
    columns: dict[str, Any] = {
        "figure": names,
        "title": [known[name]["title"] for name in names],
        "title_zh": [known[name]["title_zh"] for name in names],
        "unit": [known[name]["unit"] for name in names],
        "baseline": [tidy(old[name]) for name in names],
        "scenario": [tidy(new[name]) for name in names],
        "change": [tidy(new[name] - old[name]) for name in names],
        "change_share": [tidy((new[name] - old[name]) / abs(old[name])) if old[name] else None for name in names],
    }
    if static is not None:
        still = headlines(static, region)
        columns["static"] = [tidy(still[name]) for name in names]
        columns["static_change"] = [tidy(still[name] - old[name]) for name in names]
        columns["behaviour_change"] = [tidy(new[name] - still[name]) for name in names]
    if intervals is not None:
        for column, values in intervals.items():
            for place, end in enumerate(("low", "high")):
                columns[f"{column}_{end}"] = [tidy(values[name][place]) if name in values else None for name in names]
    return pa.table(columns)


def tidy(number: float) -> float | None:
    """A float without the dust of sums, None for NaN."""
    return None if np.isnan(number) else float(f"{number:.12g}")


def hospital_table(baseline: Outcome, scenario: Outcome, region: Region) -> pa.Table:
    """One row per hospital with cases: both sides, margins, adjustments, and whether it wins or loses."""
    names = scenario.hospitals
    used = [n for n in range(len(names)) if scenario.counts_by_hospital("cases")[n] or baseline.counts_by_hospital("cases")[n]]
    columns: dict[str, Any] = {
        "hospital": [names[n] for n in used],
        "name": [known.name if (known := region.hospitals.get(names[n])) is not None else "" for n in used],
        "level": [region.level(names[n]) for n in used],
    }
    sides = {"baseline": baseline, "scenario": scenario}
    margin = {}
    for side, outcome in sides.items():
        received = outcome.by_hospital("payment") + outcome.adjusted
        margin[side] = received - outcome.by_hospital("cost")
        columns[f"{side}_cases"] = _numbers(outcome.counts_by_hospital("cases")[used])
        columns[f"{side}_cost"] = money_column(outcome.by_hospital("cost")[used])
        columns[f"{side}_payment"] = money_column(received[used])
        columns[f"{side}_fund"] = money_column((outcome.by_hospital("fund") + outcome.adjusted)[used])
        columns[f"{side}_patient"] = money_column(outcome.by_hospital("patient")[used])
        columns[f"{side}_adjustments"] = money_column(outcome.adjusted[used])
        columns[f"{side}_margin"] = money_column(margin[side][used])
        columns[f"{side}_margin_rate"] = _numbers(_share(margin[side], outcome.by_hospital("cost"))[used])
        if outcome.by_payer.money["shadow_cost"].any():
            shadow = outcome.by_hospital("shadow")[used]
            columns[f"{side}_shadow_payment"] = money_column(shadow)
            columns[f"{side}_shadow_margin"] = money_column(shadow - outcome.by_hospital("shadow_cost")[used])
        if outcome.budget is not None:
            columns |= _budget_columns(side, outcome, [names[n] for n in used])
    change = (margin["scenario"] - margin["baseline"])[used]
    columns["payment_change"] = money_column(
        (scenario.by_hospital("payment") + scenario.adjusted - baseline.by_hospital("payment") - baseline.adjusted)[used]
    )
    columns["margin_change"] = money_column(change)
    columns["verdict"] = np.where(change > 0, "wins", np.where(change < 0, "loses", "same")).tolist()
    return pa.table(columns)


def _budget_columns(side: str, outcome: Outcome, names: Sequence[str]) -> dict[str, Any]:
    year = outcome.budget
    assert year is not None
    place = {name: row for row, name in enumerate(year.figures.hospitals)}
    rows = [place.get(name, -1) for name in names]

    def pick(values: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.append(values, 0)[rows]

    return {
        f"{side}_index": money_column(pick(year.index.index)),
        f"{side}_surplus": money_column(pick(year.surplus)),
        f"{side}_quality": _numbers(np.append(year.scores.score, np.nan)[rows]),
    }


def _levels(baseline: Outcome, scenario: Outcome, region: Region) -> pa.Table:
    levels = np.array([region.level(name) for name in scenario.hospitals])
    own = sorted(set(levels.tolist()) - set(LEVELS_ZH))  # a city's own classes
    names = [level for level in ("3", "2", "1", "0", *own, "") if (levels == level).any()]
    columns: dict[str, Any] = {"level": names, "level_zh": [LEVELS_ZH.get(name, name) for name in names]}
    for side, outcome in (("baseline", baseline), ("scenario", scenario)):
        received, cost = outcome.by_hospital("payment") + outcome.adjusted, outcome.by_hospital("cost")
        amounts = {
            "cost": cost, "payment": received, "fund": outcome.by_hospital("fund") + outcome.adjusted,
            "patient": outcome.by_hospital("patient"), "margin": received - cost,
        }  # fmt: skip
        cases = outcome.counts_by_hospital("cases")
        columns[f"{side}_cases"] = _numbers(np.array([cases[levels == name].sum() for name in names]))
        sums = {key: np.array([values[levels == name].sum() for name in names], np.int64) for key, values in amounts.items()}
        columns |= {f"{side}_{key}": money_column(values) for key, values in sums.items()}
        columns[f"{side}_margin_rate"] = _numbers(_share(sums["margin"], sums["cost"]))
    return _kept(pa.table(columns))


def _insurance(baseline: Outcome, scenario: Outcome) -> pa.Table:
    """By insurance, from cases alone; adjustments beside the cases are a row of their own."""
    names = [*INSURANCES, "unknown", "adjustments"]
    columns: dict[str, Any] = {"insurance": names}
    for side, outcome in (("baseline", baseline), ("scenario", scenario)):
        width = len(INSURANCES) + 1
        cases = outcome.by_payer.counts["cases"].reshape(-1, width).sum(0)
        columns[f"{side}_cases"] = _numbers(np.append(cases, 0.0))
        sums = {key: outcome.by_payer.money[key].reshape(-1, width).sum(0) for key in MONEY}
        beside = {"payment": int(outcome.adjusted.sum()), "fund": int(outcome.adjusted.sum())}
        sums = {key: np.append(values, beside.get(key, 0)) for key, values in sums.items()}
        sums["margin"] = sums["payment"] - sums["cost"]
        columns |= {f"{side}_{key}": money_column(values) for key, values in sums.items()}
    return _kept(pa.table(columns))


def _two(baseline: Totals, scenario: Totals, dimension: str) -> pa.Table:
    """Both sides by a dimension, in the order of names."""
    names = sorted({*baseline.names, *scenario.names})
    columns: dict[str, Any] = {dimension: names}
    for side, totals in (("baseline", baseline), ("scenario", scenario)):
        place = {name: row for row, name in enumerate(totals.names)}
        rows = [place.get(name, -1) for name in names]
        columns[f"{side}_cases"] = _numbers(np.append(totals.counts["cases"], 0.0)[rows])
        columns[f"{side}_weight"] = _numbers(np.append(totals.weight, 0.0)[rows])
        money = {key: np.append(totals.money[key], 0)[rows] for key in MONEY}
        money["margin"] = money["payment"] - money["cost"]
        if totals.money["shadow_cost"].any():
            shadow, cost = (np.append(totals.money[key], 0)[rows] for key in ("shadow", "shadow_cost"))
            money |= {"shadow_payment": shadow, "shadow_margin": shadow - cost}
        columns |= {f"{side}_{key}": money_column(values) for key, values in money.items()}
    return _kept(pa.table(columns))


def _kept(table: pa.Table) -> pa.Table:
    """Rows with cases or money on either side."""
    used = np.zeros(table.num_rows, np.bool_)
    for name in table.column_names:
        if name.endswith(("_cases", "_payment")):
            used |= np.array([bool(value) for value in table.column(name).to_pylist()])
    return table.filter(pa.array(used))


def decomposition_table(baseline: Outcome, scenario: Outcome, method: Method) -> pa.Table:
    """Effects on the fund's spending, one row per hospital and one for all, which is the sum of the rows."""
    effects = decompose(baseline, scenario, method)
    change = sum(effects.values(), np.zeros(len(scenario.hospitals), np.int64))
    used = np.flatnonzero(np.any([values != 0 for values in effects.values()], axis=0))
    columns: dict[str, Any] = {"hospital": [*(scenario.hospitals[n] for n in used), "all"]}
    for name in EFFECTS:
        columns[name] = money_column(np.append(effects[name][used], effects[name].sum()))
    columns["fund_change"] = money_column(np.append(change[used], change.sum()))
    return pa.table(columns)


def changes_table(steps: Sequence[tuple[str, Step]]) -> pa.Table:
    """What was changed: for baseline and scenarios, old and new value with unit."""
    rows = [(of, step.path, step.title, step.title_zh, step.old, step.new, step.unit) for of, step in steps]
    names = ("of", "path", "title", "title_zh", "old", "new", "unit")
    return pa.table({name: pa.array([row[place] for row in rows], pa.string()) for place, name in enumerate(names)})


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(np.divide(part, whole, out=np.full(part.size, np.nan), where=whole > 0))


def _numbers(values: NDArray[np.float64]) -> pa.Array:
    return pa.array(np.round(values, 9), from_pandas=True)


__all__ = ["EFFECTS_ZH", "answer_tables", "changes_table", "decomposition_table", "headline_table", "hospital_table"]

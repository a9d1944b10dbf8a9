"""Tables of a switch: headline, waterfall, hospitals, departments, MDCs, groups, flows; money in yuan, exact to the fen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.money import MISSING, money_column
from drgsim.payment.case_class import CLASSES
from drgsim.payment.case_columns import Texts
from drgsim.records.vocabulary import PAYERS_ZH
from drgsim.simulation.case_lines import Lines, totals_of
from drgsim.simulation.case_totals import Measure, Totals
from drgsim.simulation.scheme_switch import SchemeSwitch, problems_table
from drgsim.simulation.switch_causes import AMBIGUOUS, NONE, unit_names
from drgsim.simulation.switch_rules import CAUSES, CAUSES_EN, CAUSES_ZH
from drgsim.simulation.switch_work import case_columns, work_tables

Ints = NDArray[np.int64]
SIDES = ("from", "to")
START, UNIT_VALUE, END = "from_payment", "unit_value", "to_payment"
STEPS_ZH = {START: "原方案支付", UNIT_VALUE: "费率、点值变化", **CAUSES_ZH, END: "新方案支付"}
STEPS_EN = {START: "payment before", UNIT_VALUE: "unit value", **CAUSES_EN, END: "payment after"}
DIGITS = 7  # of sums of weights: the last digits of floats depend on their order
COUNTED = ("cases", "unpaid", "weighted", "high", "low", "ambiguous", "ungrouped")
MONEY = ("cost", "payment", "fund", "margin")
PER_UNIT = "yuan per unit"  # of unit values


def switch_tables(switch: SchemeSwitch) -> dict[str, pa.Table]:
    """All tables by name."""
    work = work_tables(switch.sides, switch.causes, switch.work)
    return {
        "headline": headline_table(switch),
        "waterfall": waterfall_table(switch),
        "hospitals": hospital_table(switch),
        "departments": department_table(switch),
        "mdcs": _by_unit(switch, "mdc"),
        "groups": _by_unit(switch, "group"),
        "flows": flow_table(switch),
        **work,
        "problems": problems_table(switch),
    }


# -- sums of a side ----------------------------------------------------------------------------------------------------
class SideSums:
    """Sums of both sides by one dimension, which may number the cases otherwise on each side.

    Parameters
    ----------
    ids
        Row of each case by side, -1 for none.
    names
        Names of the rows.
    """

    def __init__(self, switch: SchemeSwitch, ids: Sequence[NDArray[Any]], names: Sequence[str]) -> None:
        self.names = [*names, ""]
        places = [np.where(side_ids < 0, len(names), side_ids).astype(np.int64) for side_ids in ids]
        totals = [
            totals_of(place, list(self.names), side.lines, side.lines.state.parts)
            for place, side in zip(places, switch.sides, strict=True)
        ]
        self.count = [
            _counts(total, place, state, len(self.names))
            for total, place, state in zip(totals, places, switch.causes.states, strict=True)
        ]
        self.money = [_money(total, len(self.names)) for total in totals]
        self.weight = [np.round(total.weight[: len(self.names)], DIGITS) for total in totals]
        self.moved = np.bincount(places[0][switch.causes.moved], minlength=len(self.names))

    def columns(self, rows: Ints) -> dict[str, Any]:
        """Columns of both sides and of their change for some rows."""
        columns: dict[str, Any] = {}
        cmi = [_ratio(weight, count["weighted"]) for weight, count in zip(self.weight, self.count, strict=True)]
        for place, side in enumerate(SIDES):
            columns |= {f"{side}_{name}": self.count[place][name][rows] for name in COUNTED if name != "weighted"}
            columns[f"{side}_weight"] = self.weight[place][rows]
            columns[f"{side}_cmi"] = pa.array(cmi[place][rows], from_pandas=True)
            columns |= {f"{side}_{name}": money_column(self.money[place][name][rows]) for name in MONEY}
        columns["cmi_change"] = pa.array((cmi[1] - cmi[0])[rows], from_pandas=True)
        for name in MONEY[1:]:
            columns[f"{name}_change"] = money_column(self.change(name)[rows])
        columns["payment_change_share"] = pa.array(
            _ratio(self.change("payment"), self.money[0]["payment"])[rows], from_pandas=True
        )
        return columns

    def change(self, name: str) -> Ints:
        """Fen by which a sum changes."""
        return np.asarray(self.money[1][name] - self.money[0][name])

    @property
    def used(self) -> Ints:
        """Rows that have a case on some side."""
        return np.flatnonzero(self.count[0]["cases"] + self.count[1]["cases"])


def _counts(total: Totals, place: Ints, states: NDArray[np.int8], size: int) -> dict[str, Ints]:
    whole = {name: np.rint(values[:size]).astype(np.int64) for name, values in total.counts.items()}
    return {
        "cases": whole["cases"], "unpaid": whole["cases"] - whole["paid"], "weighted": whole["priced"], "high": whole["high"],
        "low": whole["low"], "ambiguous": np.bincount(place[states == AMBIGUOUS], minlength=size),
        "ungrouped": np.bincount(place[states == NONE], minlength=size),
    }  # fmt: skip


def _money(total: Totals, size: int) -> dict[str, Ints]:
    found = {name: total.money[name][:size] for name in ("cost", "payment", "fund")}
    return {**found, "margin": found["payment"] - found["cost"]}


def _ratio(top: NDArray[Any], bottom: NDArray[Any]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.round(np.where(bottom != 0, top / np.where(bottom == 0, 1, bottom), np.nan), 10), np.float64)


# -- the whole ---------------------------------------------------------------------------------------------------------
def headline_table(switch: SchemeSwitch) -> pa.Table:
    """One row per figure: both sides and the change. Amounts are in yuan, with two decimals in ``unit`` yuan."""
    nothing = np.zeros(switch.causes.moved.size, np.int64)
    sums = SideSums(switch, (nothing, nothing), ("all",))
    rows: list[tuple[str, str, str, str, float | None, float | None]] = []

    def add(figure: str, title_zh: str, title: str, unit: str, values: Sequence[float]) -> None:
        rows.append((figure, title_zh, title, unit, float(values[0]), float(values[1])))

    def counted(name: str) -> list[float]:
        return [float(count[name][0]) for count in sums.count]

    cases = float(switch.causes.moved.size)
    add("cases", "病例数", "cases", "cases", (cases, cases))
    add("moved", "换组病例", "cases that change group", "cases", (0.0, float(switch.causes.moved.sum())))
    for name, zh, en in (
        ("ungrouped", "未入组病例", "cases without a group"), ("ambiguous", "歧义组（QY）病例", "ambiguous cases (QY)"),
        ("high", "高倍率病例", "high cases"), ("low", "低倍率病例", "low cases"), ("unpaid", "未付病例", "unpaid cases"),
    ):  # fmt: skip
        add(name, zh, en, "cases", counted(name))
    add("weight", "总权重", "total weight", "weight", [float(weight[0]) for weight in sums.weight])
    cmi = [float(_ratio(weight, count["weighted"])[0]) for weight, count in zip(sums.weight, sums.count, strict=True)]
    add("cmi", "CMI", "case-mix index", "weight per case", cmi)
    for name, zh, en in (
        ("payment", "医院支付", "payment"),
        ("fund", "基金支付", "paid by the fund"),
        ("margin", "盈余", "margin"),
    ):
        add(name, zh, en, "yuan", [int(money[name][0]) / 100 for money in sums.money])
    for payer in sorted({*switch.sides[0].unit_values, *switch.sides[1].unit_values}):
        values = [side.unit_values.get(payer, float("nan")) for side in switch.sides]
        add(f"unit_value.{payer}", f"费率、点值（{PAYERS_ZH.get(payer, payer)}）", f"unit value ({payer})", PER_UNIT, values)
    names = ("figure", "title_zh", "title", "unit", "from", "to")
    columns = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    alike = len({side.choice.policy.file.relative_value.scale.value for side in switch.sides}) == 1
    change = [
        _difference(row[4], row[5], row[3]) if alike or row[3] != PER_UNIT else float("nan")  # yuan per weight, per point
        for row in rows
    ]
    return pa.table({
        **{name: columns[name] for name in names[:4]},
        **{name: pa.array(columns[name], pa.float64(), from_pandas=True) for name in names[4:]},
        "change": pa.array(change, pa.float64(), from_pandas=True),
    })  # fmt: skip


def _difference(first: float | None, second: float | None, unit: str) -> float:
    if first is None or second is None:
        return float("nan")
    return round(second - first, 2 if unit == "yuan" else 10)


def waterfall_table(switch: SchemeSwitch) -> pa.Table:
    """From the payment before to the payment after by hospital, and of all (``hospital_id`` blank): every step in fen.

    ``unit_value`` is what the changed unit value makes at the units of before; the causes make the rest. The steps add up.
    """
    causes, lines = switch.causes, [side.lines for side in switch.sides]
    hospital = lines[0].cases.hospital
    names = sorted({*hospital.values, ""} if (hospital.ids < 0).any() else set(hospital.values))
    place = {name: number for number, name in enumerate(names)}
    of_case = np.array([*(place[name] for name in hospital.values), place.get("", -1)], np.int64)[hospital.ids]
    size, steps = len(names), (START, UNIT_VALUE, *CAUSES, END)
    amount, count = np.zeros((size, len(steps)), np.int64), np.zeros((size, len(steps)), np.int64)
    from_payment, to_payment = (_payment(each) for each in lines)
    for step, values in ((START, from_payment), (UNIT_VALUE, causes.of_unit_value), (END, to_payment)):
        np.add.at(amount[:, steps.index(step)], of_case, values)
        np.add.at(count[:, steps.index(step)], of_case, np.int64(1) if step != UNIT_VALUE else (values != 0).astype(np.int64))
    at = causes.cause.astype(np.int64) + steps.index(CAUSES[0])
    np.add.at(amount, (of_case, at), causes.of_cause)
    np.add.at(count, (of_case, at), 1)
    whole = [("", amount.sum(axis=0), count.sum(axis=0)), *zip(names, amount, count, strict=True)]
    kept = np.array([step in (START, END, UNIT_VALUE) for step in steps]) | (count.sum(axis=0) > 0)
    rows = [
        (scope, hospital_id, steps[step], int(cases[step]), int(fen[step]))
        for number, (hospital_id, fen, cases) in enumerate(whole)
        for scope in ("hospital" if number else "all",)
        for step in np.flatnonzero(kept).tolist()
    ]
    return pa.table({
        "scope": [row[0] for row in rows], "hospital_id": [row[1] for row in rows], "step": [row[2] for row in rows],
        "step_zh": [STEPS_ZH[row[2]] for row in rows], "step_en": [STEPS_EN[row[2]] for row in rows],
        "cases": pa.array([row[3] for row in rows], pa.int64()),
        "amount": money_column(np.array([row[4] for row in rows], np.int64)),
    })  # fmt: skip


def _payment(lines: Lines) -> Ints:
    return np.asarray(lines.money[Measure.PAYMENT])


# -- by hospital, department, unit -------------------------------------------------------------------------------------
def hospital_table(switch: SchemeSwitch) -> pa.Table:
    """One row per hospital, in the order of their ids: both sides, change with interval, verdict, budget index and surplus."""
    hospital = switch.sides[0].lines.cases.hospital
    ids, names = _sorted(hospital)
    sums = SideSums(switch, (ids, ids), names)
    rows = sums.used
    region = switch.region
    place = {name: number for number, name in enumerate(sums.names)}
    belongs = np.array([place[name] for name in switch.rows.hospital], np.int64)
    ends = switch.draws.ends(belongs, len(sums.names), sums.change("payment"), switch.options.level)
    named = [sums.names[row] for row in rows]
    return pa.table({
        "hospital_id": pa.array(named, pa.string()), "name": pa.array([region.name(name) for name in named], pa.string()),
        "level": pa.array([region.level(name) for name in named], pa.string()), "moved": sums.moved[rows],
        **sums.columns(rows), **_interval(sums.change("payment"), ends, rows), **_closed_columns(switch, named),
    })  # fmt: skip


def department_table(switch: SchemeSwitch) -> pa.Table:
    """One row per hospital and department, in the order of their names."""
    rows_of = switch.rows
    sums = SideSums(switch, (rows_of.of_case,) * 2, [str(row) for row in range(len(rows_of.hospital))])
    rows = sums.used
    ends = switch.draws.ends(np.arange(len(rows_of.hospital)), len(sums.names), sums.change("payment"), switch.options.level)
    return pa.table({
        "hospital_id": pa.array([rows_of.hospital[row] for row in rows], pa.string()),
        "name": pa.array([switch.region.name(rows_of.hospital[row]) for row in rows], pa.string()),
        "department": pa.array([rows_of.department[row] for row in rows], pa.string()), "moved": sums.moved[rows],
        **sums.columns(rows), **_interval(sums.change("payment"), ends, rows),
    })  # fmt: skip


def _sorted(texts: Texts) -> tuple[NDArray[np.int64], list[str]]:
    """Numbers of texts in the order of the texts, -1 where blank, and the texts."""
    names = sorted(texts.values)
    place = {name: number for number, name in enumerate(names)}
    return np.array([*(place[name] for name in texts.values), -1], np.int64)[texts.ids], names


def _interval(change: Ints, ends: tuple[NDArray[np.float64], NDArray[np.float64]], rows: Ints) -> dict[str, Any]:
    """Ends of the interval in yuan, and who wins: ``unclear`` where the interval holds 0."""
    low, high = (np.round(end[rows] / 100, 2) for end in ends)
    verdict = np.where(change[rows] == 0, "same", np.where(change[rows] > 0, "wins", "loses"))
    known = ~np.isnan(low)
    verdict = np.where(known & (change[rows] != 0) & (low <= 0) & (high >= 0), "unclear", verdict)
    return {
        "change_low": pa.array(low, from_pandas=True), "change_high": pa.array(high, from_pandas=True),
        "verdict": pa.array(verdict.tolist(), pa.string()),
    }  # fmt: skip


def _closed_columns(switch: SchemeSwitch, named: Sequence[str]) -> dict[str, Any]:
    """Budget index, what is due against it and surplus of both sides; none where no budget closes the year."""
    if switch.closed is None:
        return {}
    columns: dict[str, Any] = {}
    surplus = []
    for side, closed in zip(SIDES, switch.closed, strict=True):
        place = {name: number for number, name in enumerate(closed.figures.hospitals)}
        at = np.array([place.get(name, -1) for name in named], np.int64)

        def of(values: Ints, at: Ints = at) -> Ints:
            return np.where(at >= 0, values[at], MISSING)

        columns[f"{side}_index"] = money_column(of(closed.index.index))
        columns[f"{side}_due"] = money_column(of(closed.recorded))
        surplus.append(of(closed.surplus))
        columns[f"{side}_surplus"] = money_column(surplus[-1])
    change = np.where(surplus[0] == MISSING, MISSING, surplus[1] - surplus[0])
    return {**columns, "surplus_change": money_column(change)}


def _by_unit(switch: SchemeSwitch, level: str) -> pa.Table:
    """One row per MDC or group with cases on some side, by code; a case counts in the one that it has on each side."""
    cohorts = [side.lines.state.cohort for side in switch.sides]
    texts = [cohort.mdc if level == "mdc" else cohort.cases.unit for cohort in cohorts]
    names = sorted({*texts[0].values, *texts[1].values})
    place = {name: number for number, name in enumerate(names)}
    ids = [np.array([*(place[name] for name in each.values), -1], np.int64)[each.ids] for each in texts]
    sums = SideSums(switch, ids, names)
    rows = sums.used
    titles = [unit_names(side, level) for side in switch.sides]
    codes = [sums.names[row] for row in rows]
    out, into = (
        np.bincount(np.where(each < 0, len(names), each)[switch.causes.moved], minlength=len(sums.names)) for each in ids
    )
    return pa.table({
        level: pa.array(codes, pa.string()),
        "from_name": pa.array([titles[0].get(code, "") for code in codes], pa.string()),
        "to_name": pa.array([titles[1].get(code, "") for code in codes], pa.string()),
            "moved_out": out[rows], "moved_in": into[rows],
        **sums.columns(rows),
    })  # fmt: skip


def flow_table(switch: SchemeSwitch) -> pa.Table:
    """One row per pair of groups, most cases first: cases, cost, both payments, the change, and the cause of most cases."""
    first, second = (side.lines.state.cohort.cases.unit for side in switch.sides)
    (ids, names), (other_ids, others) = _sorted(first), _sorted(second)
    width, causes = len(others) + 1, len(CAUSES)
    keys, inverse = np.unique((ids + 1) * width + other_ids + 1, return_inverse=True)
    count = np.bincount(inverse, minlength=keys.size)
    by_cause = np.bincount(inverse * causes + switch.causes.cause, minlength=keys.size * causes).reshape(keys.size, causes)
    sums = {}
    for name, values in (
        ("cost", switch.sides[0].lines.money[Measure.COST]), ("from_payment", _payment(switch.sides[0].lines)),
        ("to_payment", _payment(switch.sides[1].lines)), ("change", switch.causes.change),
    ):  # fmt: skip
        sums[name] = np.zeros(keys.size, np.int64)
        np.add.at(sums[name], inverse, values)
    order = np.lexsort((keys, -count))
    old, new = [*names], [*others]
    codes = [("" if key // width == 0 else old[key // width - 1], "" if key % width == 0 else new[key % width - 1])
             for key in keys[order].tolist()]  # fmt: skip
    titles = [unit_names(side, "group") for side in switch.sides]
    return pa.table({
        "from_group": pa.array([one for one, _ in codes], pa.string()),
        "from_name": pa.array([titles[0].get(one, "") for one, _ in codes], pa.string()),
        "to_group": pa.array([two for _, two in codes], pa.string()),
        "to_name": pa.array([titles[1].get(two, "") for _, two in codes], pa.string()),
        "cause": pa.array([CAUSES[place] for place in by_cause[order].argmax(axis=1)], pa.string()),
        "cases": count[order], **{name: money_column(values[order]) for name, values in sums.items()},
    })  # fmt: skip


def case_table(switch: SchemeSwitch) -> pa.Table:
    """One row per case in the order of the input: both groups, both payments, the change and its cause."""
    causes, lines = switch.causes, [side.lines for side in switch.sides]
    every = np.arange(causes.moved.size)
    return pa.table({
        **case_columns(switch.sides, causes, every), "total_cost": money_column(lines[0].cases.money["total_cost"]),
        "cause": pa.array(CAUSES).take(pa.array(causes.cause.astype(np.int32))),
        "of_unit_value": money_column(causes.of_unit_value),
        **{f"{side}_class": _classes(each) for side, each in zip(SIDES, lines, strict=True)},
        **{f"{side}_weight": pa.array(each.weight, from_pandas=True) for side, each in zip(SIDES, lines, strict=True)},
    })  # fmt: skip


def _classes(lines: Lines) -> pa.Array:
    return pa.array([*map(str, CLASSES), ""]).take(
        pa.array(lines.settlement.ledger.case_class.astype(np.int64) % (len(CLASSES) + 1))
    )

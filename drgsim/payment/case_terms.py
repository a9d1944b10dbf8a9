"""The terms of each case before its cost is looked at (支付参数): value, coefficient, price, mean cost, factors and curve."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from drgsim.language import text
from drgsim.money import FEN_PER_YUAN, exact
from drgsim.payment.grouped_cases import Cases
from drgsim.payment.hospital_coefficient import coefficients
from drgsim.payment.policy import Policy
from drgsim.payment.policy_lookup import PolicyLookup
from drgsim.payment.policy_model import GroupClass

Floats = NDArray[np.float64]
LIKELY_WEIGHT = 0.02  # no group is worth less than 2 % of the mean case


@dataclass
class Terms:
    """One value per case; NaN where the policy has none.

    Attributes
    ----------
    relative_value, coefficient, unit_value, mean
        V, k, yuan per unit of V, mean cost of the group (yuan). ``unit_value`` is the effective one, so that
        V x unit value x k is the standard, where the policy publishes standards itself.
    coefficient_source
        Place in ``coefficient.SOURCES``.
    auxiliary, factor
        Auxiliary coefficient of the kind, which belongs to the standard, and the product of all factors (auxiliary, class, age,
        readmission) on what the curve pays.
    group_class
        Place in ``class_names``.
    row
        Curve row for the kernel.
    place
        Row of the price table, -1 where the group is not in it.
    published
        The published standard (yuan) where it decides.
    bare
        Where the group has a published standard and no relative value: no unit value changes what is paid.
    mean_per_weight, priced_mean
        How ``mean`` was made: from a mean cost of all cases, or from the unit value.
    """

    relative_value: Floats
    coefficient: Floats
    coefficient_source: NDArray[np.int8]
    unit_value: Floats
    mean: Floats
    auxiliary: Floats
    factor: Floats
    group_class: NDArray[np.int16]
    class_names: list[str]
    row: NDArray[np.int32]
    place: NDArray[np.int32]
    published: Floats
    bare: NDArray[np.bool_]
    mean_per_weight: Floats
    priced_mean: NDArray[np.bool_]

    def exact_values(self, case: int, scale: Fraction) -> dict[str, Fraction | None]:
        """The decimals behind one case, for :func:`drgsim.payment.curve.settle_exactly`: products are made of fractions."""
        value, coefficient = exact(self.relative_value[case]), exact(self.coefficient[case])
        unit_value = None if np.isnan(self.unit_value[case]) else exact(self.unit_value[case])
        if not np.isnan(self.published[case]):
            unit_value = exact(self.published[case]) / (value * coefficient)
        mean = exact(self.mean[case])
        if self.priced_mean[case] and unit_value is not None:
            mean = unit_value * value * exact(self.auxiliary[case])
        elif not np.isnan(self.mean_per_weight[case]):
            mean = exact(self.mean_per_weight[case]) * value / scale
        return {
            "relative_value": value,
            "coefficient": coefficient,
            "unit_value": unit_value,
            "mean": mean,
            "factor": exact(self.factor[case]),
        }

    def take(self, places: NDArray[np.int64]) -> Terms:
        """The terms of some cases, in this order."""
        return replace(self, **{
            entry.name: getattr(self, entry.name)[places] for entry in fields(self) if entry.name != "class_names"
        })  # fmt: skip


def terms_of(lookup: PolicyLookup, weight: Floats | None = None) -> Terms:
    """All values for all cases.

    ``weight`` says how many discharges each case stands for (None: one), where a value is a mean of the cases.
    """
    cases, numbers, file = lookup.cases, lookup.cases.numbers, lookup.file
    own_value, own_coefficient = _own_value(lookup), numbers["coefficient"]
    value = np.where(np.isnan(own_value), _table_value(lookup), own_value)
    if file.relative_value.unit == "score":  # what grouping by a catalogue found, where no table says more
        value = np.where(np.isnan(value), numbers["score"], value)
    value = _value_of_cases(lookup, value, weight)
    if any(entry.value_factor is not None for entry in file.group_classes.values()):
        value = np.round(value * lookup.value_of_class("value_factor", 1.0), 10)  # a product of decimals is one
    coefficient, source = coefficients(lookup)
    unit_value = _unit_value(lookup)
    standards, bare = np.full(cases.size, np.nan), np.zeros(cases.size, np.bool_)
    if file.relative_value.standard_from_table:
        standard = lookup.from_table("standard")
        published = ~np.isnan(standard) & np.isnan(own_value) & np.isnan(own_coefficient)
        bare = published & ~(value > 0)  # a published standard without a weight
        value = np.where(bare, 1.0, value)
        coefficient = np.where(published & np.isnan(coefficient), 1.0, coefficient)
        with np.errstate(invalid="ignore", divide="ignore"):
            unit_value = np.where(published, standard / (value * coefficient), unit_value)
        standards = np.where(published, standard, np.nan)
    auxiliary, factor = _factors(lookup)
    mean, per_weight, priced = _mean(lookup, value, unit_value * auxiliary, weight)
    row = _rows(lookup, value, coefficient)
    if file.reference.prices:
        value, priced = mean, np.zeros(cases.size, np.bool_)
    return Terms(
        value, coefficient, source, unit_value, mean, auxiliary, factor, lookup.group_class, lookup.class_names,
        row, lookup.place, standards, bare, per_weight, priced,
    )  # fmt: skip


OWN_COLUMNS = ("relative_value", "relative_weight", "score", "coefficient", "auxiliary_coefficient", "group_mean_cost")


def by_combination(policy: Policy, cases: Cases) -> bool:
    """Whether all terms but the factor follow from a case's group, kind, level, payer and hospital.

    They do not where cases state values of their own, or where a value is a mean of the cases that are settled. What the rules
    do to terms, and values that the day of discharge chooses, the rules say themselves.
    """
    file = policy.file
    of_cases = file.reference.from_cases is not None and file.reference.from_cases.value
    of_cases = of_cases or any(_takes_value_of_cases(entry) for entry in file.group_classes.values())
    return not of_cases and not any(name in cases.present for name in OWN_COLUMNS)


def combinations_of(cases: Cases) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Number of each case's combination of group, kind, level, payer and hospital, and the first case of each of them."""
    combined = np.zeros(cases.size, np.int64)
    for part in (cases.unit.ids, cases.kind.ids, cases.level, cases.insurance, cases.hospital.ids):
        values = part.astype(np.int64) + 1
        combined = combined * (int(values.max(initial=0)) + 1) + values
    _, first, inverse = np.unique(combined, return_index=True, return_inverse=True)
    return inverse.astype(np.int32), first.astype(np.int64)


def _takes_values(lookup: PolicyLookup) -> NDArray[np.bool_]:
    """Cases whose group's class takes the value from the cases."""
    takes = [bool(name) and _takes_value_of_cases(lookup.file.group_classes[name]) for name in lookup.class_names]
    return np.array(takes)[lookup.group_class]


def _takes_value_of_cases(entry: GroupClass) -> bool:
    return entry.value_from_cases is not None and entry.value_from_cases.value


def valued_by_policy(lookup: PolicyLookup) -> NDArray[np.bool_]:
    """Cases whose group has a value in the policy itself, or a class that takes one from the cases; not what cases state."""
    table = _table_value(lookup)
    if lookup.file.relative_value.standard_from_table:
        table = np.where(np.isnan(table), lookup.from_table("standard"), table)
    return np.asarray(~np.isnan(table) | _takes_values(lookup))


def _own_value(lookup: PolicyLookup) -> Floats:
    """Relative value that the case itself states, in the policy's unit or as a weight."""
    numbers, scale = lookup.cases.numbers, lookup.file.relative_value.scale.value
    own, unit = numbers["relative_value"], lookup.file.relative_value.unit
    lookup.cases.warn(
        "settle-relative-value-unit",
        own < LIKELY_WEIGHT * scale if scale > 1 else 0,
        text(
            "relative_value looks like a weight, but this policy counts in {unit}s, {scale:g} for the mean case",
            unit=unit,
            scale=scale,
        ),
        text("state the column relative_weight instead, or multiply"),
    )
    weight: Floats = np.round(numbers["relative_weight"] * scale, 10)  # 1.13 x 100 is 113, not 112.99999999999999
    return np.where(np.isnan(own), weight, own)


def _table_value(lookup: PolicyLookup) -> Floats:
    table = lookup.policy.prices
    if table is None:
        return np.full(lookup.cases.size, np.nan)
    name, values = table.relative_value
    scale = lookup.file.relative_value.scale.value if name == "weight" else 1.0
    return np.append(np.round(values * scale, 10), np.nan)[lookup.place]  # 1.13 x 100 is 113, not 112.99999999999999


def _value_of_cases(lookup: PolicyLookup, value: Floats, weight: Floats | None) -> Floats:
    """Values of groups that have none and whose class takes them from the cases: scale x own mean / mean of all."""
    wanted = _takes_values(lookup) & np.isnan(value)
    if not wanted.any():
        return value
    cost = lookup.cases.money["total_cost"]
    used = (cost > 0) & (lookup.cases.faults < 0)
    group_of = lookup.cases.unit.ids + 1  # a case without a cost is of its group as well
    group = np.where(used, group_of, 0)
    counted = used if weight is None else used * weight
    groups = len(lookup.cases.unit.values) + 1
    count = np.bincount(group, counted, groups)
    total = np.bincount(group, np.where(used, cost, 0) * counted, groups)  # fen have no order
    overall = float(total.sum() / count.sum()) if used.any() else float("nan")
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / count / overall * lookup.file.relative_value.scale.value
    found = wanted & ~np.isnan(mean[group_of]) & (lookup.cases.faults < 0)
    lookup.cases.warn(
        "settle-value-of-cases",
        found,
        text("groups without a published value are worth their mean cost over that of all cases that are settled"),
        text("state relative_value, or give --weights"),
        sample=lookup.cases.unit.sample(found),
    )
    return np.where(found, mean[group_of], value)


def _unit_value(lookup: PolicyLookup) -> Floats:
    """Yuan per unit; a group class may have its own, such as primary-care groups with one standard for all."""
    of_class: Floats = lookup.keyed_of_class("unit_value")
    return np.where(np.isnan(of_class), lookup.keyed(lookup.file.unit_value), of_class)


def _mean(
    lookup: PolicyLookup, value: Floats, price: Floats, weight: Floats | None
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Mean cost of the group, yuan: own column, table, mean of all cases x weight, of the cases themselves, or the price.

    ``price`` is yuan per unit of relative value, with the auxiliary coefficient: a cost is compared with what it is paid.
    """
    spec = lookup.file.reference
    mean = lookup.cases.numbers["group_mean_cost"].copy()
    if spec.mean_from_table:
        mean = np.where(np.isnan(mean), lookup.from_table("mean_cost"), mean)
    blank = np.isnan(mean)
    per_weight = np.full(lookup.cases.size, np.nan)
    if spec.mean_cost is not None:
        per_weight = np.where(blank, lookup.keyed(spec.mean_cost), np.nan)
        mean = np.where(blank, per_weight * value / lookup.file.relative_value.scale.value, mean)
        return mean, per_weight, np.zeros(lookup.cases.size, np.bool_)
    if spec.from_cases is not None and spec.from_cases.value:
        return np.where(blank, _mean_of_cases(lookup, mean, weight), mean), per_weight, np.zeros(lookup.cases.size, np.bool_)
    if spec.mean_from_table and not spec.prices:
        lookup.cases.warn(
            "settle-mean-by-price",
            blank & ~np.isnan(value) & (lookup.cases.faults < 0),
            text(
                "no mean cost of the group is known; the cost is compared with the price of the group, which "
                "moves with the budget"
            ),
            text("state group_mean_cost, or give --weights with the column mean_cost"),
        )
    if spec.prices:  # a price that is the mean cost itself cannot stand in for it
        return mean, per_weight, np.zeros(lookup.cases.size, np.bool_)
    return np.where(blank, price * value, mean), per_weight, blank


def _mean_of_cases(lookup: PolicyLookup, own: Floats, weight: Floats | None) -> Floats:
    """Mean cost of the settled cases of the same group and level (whatever the grade) that cost something."""
    cost = lookup.cases.money["total_cost"]
    grouped = lookup.cases.unit.ids >= 0
    used = grouped & (cost > 0) & (lookup.cases.faults < 0)
    level, levels = lookup.cases.plain_levels
    cell = lookup.cases.unit.ids.astype(np.int64) * max(len(levels), 1) + level
    cell = np.where(grouped, cell, 0)
    counted = used if weight is None else used * weight
    count = np.bincount(cell, counted)
    total = np.bincount(cell, np.where(used, cost, 0) * counted)  # whole fen: their sum has no order
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (total / FEN_PER_YUAN / count)[cell]
    result: Floats = np.where(grouped & (mean > 0), mean, np.nan)
    lookup.cases.warn(
        "settle-mean-of-cases", grouped & (lookup.cases.faults < 0) & np.isnan(own),
        text("the policy publishes no mean cost; the mean of the same group and level among these cases is used"),
        text("state group_mean_cost"),
    )  # fmt: skip
    return result


def _factors(lookup: PolicyLookup) -> tuple[Floats, Floats]:
    """Auxiliary coefficient of the kind, and the product of all factors on what the curve pays."""
    own = lookup.cases.numbers["auxiliary_coefficient"]
    auxiliary: Floats = np.where(np.isnan(own), 1.0, own)
    factor = auxiliary * lookup.value_of_class("factor", 1.0)
    age = lookup.cases.numbers["age"]
    if lookup.file.age_factors:
        lookup.cases.warn(
            "settle-no-age", np.isnan(age) & (lookup.cases.faults < 0),
            text("the policy pays patients of some ages otherwise, and the age is not known"), text("state age"),
        )  # fmt: skip
    for entry in lookup.file.age_factors:
        factor = np.where(age < entry.age_below, factor * entry.value, factor)
    return auxiliary, factor


def _rows(lookup: PolicyLookup, value: Floats, coefficient: Floats) -> NDArray[np.int32]:
    curves = [lookup.file.group_classes[name].curve if name else None for name in lookup.class_names]
    result = np.full(lookup.cases.size, -1, np.int32)
    for curve_name in dict.fromkeys(curve or "main" for curve in curves if (curve or "main") in lookup.file.curves):
        members = np.array([(curve or "main") == curve_name for curve in curves])[lookup.group_class]
        result = np.where(members, lookup.rows_of(curve_name, value, coefficient), result)
    return result.astype(np.int32)

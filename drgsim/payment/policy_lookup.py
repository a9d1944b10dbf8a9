"""What the policy says for each case before its cost is looked at: value, coefficient, price, mean and curve."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from drgsim.money import FEN_PER_YUAN, exact
from drgsim.payment.case_columns import dense_unique
from drgsim.payment.curve import CurveBook, curve_book
from drgsim.payment.dates_in_force import before
from drgsim.payment.grouped_cases import Cases
from drgsim.payment.hospital_coefficient import coefficients
from drgsim.payment.policy import Policy
from drgsim.payment.policy_model import Keyed
from drgsim.payment.unstable import mark_unstable
from drgsim.records.vocabulary import INSURANCES

ORDINARY = 0  # place of ordinary groups among the group classes
Floats = NDArray[np.float64]
LIKELY_WEIGHT = 0.02  # no group is worth less than 2 % of the mean case


def keyed_value(keyed: Keyed | None, levels: tuple[str, ...], insurance: str) -> float:
    """The nearest value of a parameter: level/insurance, level, insurance, ``*``; NaN when there is none.

    Examples
    --------
    >>> rates = Keyed(values={"3/employee": 11.0, "3": 10.0, "*": 9.0}, unit="yuan", source="s", evidence="assumption")
    >>> keyed_value(rates, ("3a", "3"), "employee"), keyed_value(rates, ("3",), "resident"), keyed_value(rates, (), "")
    (11.0, 10.0, 9.0)
    """
    if keyed is None:
        return float("nan")
    for level in levels:
        for key in (f"{level}/{insurance}", level):
            if key in keyed.values:
                return keyed.values[key]
    return keyed.values.get(insurance, keyed.values.get("*", float("nan")))


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
            mean = unit_value * value
        elif not np.isnan(self.mean_per_weight[case]):
            mean = exact(self.mean_per_weight[case]) * value / scale
        return {
            "relative_value": value,
            "coefficient": coefficient,
            "unit_value": unit_value,
            "mean": mean,
            "factor": exact(self.factor[case]),
        }


class Resolver:
    """Looks up the values of a policy for cases; made once per policy and set of cases."""

    def __init__(self, policy: Policy, cases: Cases, unstable: str | None = None, weight: Floats | None = None) -> None:
        self.policy, self.cases, self.unstable, self.weight = policy, cases, unstable, weight
        self.file = policy.file
        self.book: CurveBook = curve_book(self.file.curves)
        insurance = cases.insurance.astype(np.int64) + 1
        combined = cases.level.astype(np.int64) * (len(INSURANCES) + 1) + insurance
        self.combinations, self.combination = dense_unique(combined, max(len(cases.levels), 1) * (len(INSURANCES) + 1))

    @cached_property
    def keys(self) -> list[tuple[tuple[str, ...], str]]:
        """Level keys and insurance of each combination that occurs."""
        keys = []
        for combination in self.combinations.tolist():
            level, insurance = divmod(combination, len(INSURANCES) + 1)
            keys.append((self.cases.levels[level], INSURANCES[insurance - 1] if insurance else ""))
        return keys

    def keyed(self, keyed: Keyed | None) -> Floats:
        """A parameter for each case; where it had other values before, the date of discharge chooses."""
        if keyed is None:
            return np.full(self.cases.size, np.nan)
        values = self._looked_up(keyed)
        start = keyed.effective_from
        for entry in keyed.earlier:  # from the newest to the oldest: each holds before the one after it began
            values = np.where(before(self.cases, start), self._looked_up(entry), values)
            start = entry.effective_from
        return values

    def _looked_up(self, keyed: Keyed) -> Floats:
        values = np.array([keyed_value(keyed, levels, insurance) for levels, insurance in self.keys] or [np.nan])
        return values[self.combination]

    def from_table(self, family: str, place: NDArray[np.int32]) -> Floats:
        """A column family of the price table (``coef``, ``standard``, ``mean_cost``) for each case, the nearest column."""
        table = self.policy.prices
        if table is None or not self.keys:
            return np.full(self.cases.size, np.nan)
        columns = []
        for levels, insurance in self.keys:
            names = [name for level in levels for name in (f"{family}_{level}_{insurance}", f"{family}_{level}")]
            names += [f"{family}_{insurance}", family]
            column = np.full(len(table.codes) + 1, np.nan)
            for name in names:
                if name in table.numbers:
                    fill = np.append(table.numbers[name], np.nan)
                    column = np.where(np.isnan(column), fill, column)
            columns.append(column)
        return np.array(columns)[self.combination, place]

    def places(self) -> NDArray[np.int32]:
        """Row of the price table for each case, -1 where the group is not in it."""
        rows = self.policy.prices.places if self.policy.prices is not None else {}
        unit = self.cases.unit
        return np.array([rows.get(code, -1) for code in unit.values] + [-1], np.int32)[unit.ids]

    def classes(self, place: NDArray[np.int32]) -> tuple[NDArray[np.int16], list[str]]:
        """Group class of each case; groups without a table may be named in the policy itself."""
        names = ["", *self.file.group_classes]
        if self.policy.prices is not None:
            of_row = np.array([names.index(name) for name in self.policy.prices.classes] + [ORDINARY], np.int16)
            result = of_row[place]
        else:
            result = np.zeros(self.cases.size, np.int16)
        named = {code: name for name, entry in self.file.group_classes.items() for code in entry.groups}
        codes = self.cases.unit.values
        own = np.array([names.index(named[code]) if code in named else -1 for code in codes] + [-1], np.int16)
        own_of = own[self.cases.unit.ids]
        known = np.where(own_of >= 0, own_of, result).astype(np.int16)
        by_kind = {kind: name for name, entry in self.file.group_classes.items() for kind in entry.kinds}
        of_kind = [names.index(by_kind[kind]) if kind in by_kind else ORDINARY for kind in self.cases.kind.values]
        of_case = np.array([*of_kind, ORDINARY], np.int16)[self.cases.kind.ids]  # as the cases themselves say
        known = np.where((known == ORDINARY) & (place < 0), of_case, known).astype(np.int16)
        return mark_unstable(self, known, names, self.unstable), names

    def terms(self) -> Terms:
        """All values for all cases."""
        cases, numbers = self.cases, self.cases.numbers
        place = self.places()
        group_class, names = self.classes(place)
        own_value, own_coefficient = self._own_value(), numbers["coefficient"]
        value = np.where(np.isnan(own_value), self._table_value(place), own_value)
        if self.file.relative_value.unit == "score":  # what grouping by a catalogue found, where no table says more
            value = np.where(np.isnan(value), numbers["score"], value)
        value = self._value_of_cases(value, group_class, names)
        coefficient, source = coefficients(self, place, group_class, names)
        unit_value = self._unit_value(group_class, names)
        standards, bare = np.full(cases.size, np.nan), np.zeros(cases.size, np.bool_)
        if self.file.relative_value.standard_from_table:
            standard = self.from_table("standard", place)
            published = ~np.isnan(standard) & np.isnan(own_value) & np.isnan(own_coefficient)
            bare = published & np.isnan(value)  # a published standard without a weight
            value = np.where(bare, 1.0, value)
            coefficient = np.where(published & np.isnan(coefficient), 1.0, coefficient)
            with np.errstate(invalid="ignore", divide="ignore"):
                unit_value = np.where(published, standard / (value * coefficient), unit_value)
            standards = np.where(published, standard, np.nan)
        mean, per_weight, priced = self._mean(value, unit_value, place)
        auxiliary, factor = self._factors(group_class, names)
        row = self._rows(value, coefficient, group_class, names)
        return Terms(
            value, coefficient, source, unit_value, mean, auxiliary, factor, group_class, names, row, place, standards,
            bare, per_weight, priced,
        )  # fmt: skip

    # -- parts ---------------------------------------------------------------------------------------------------------
    def _own_value(self) -> Floats:
        """Relative value that the case itself states, in the policy's unit or as a weight."""
        numbers, scale = self.cases.numbers, self.file.relative_value.scale.value
        own, unit = numbers["relative_value"], self.file.relative_value.unit
        self.cases.warn(
            "settle-relative-value-unit", own < LIKELY_WEIGHT * scale if scale > 1 else 0,
            f"relative_value looks like a weight, but this policy counts in {unit}s, {scale:g} for the mean case",
            "state the column relative_weight instead, or multiply",
        )  # fmt: skip
        weight: Floats = np.round(numbers["relative_weight"] * scale, 10)  # 1.13 x 100 is 113, not 112.99999999999999
        return np.where(np.isnan(own), weight, own)

    def _table_value(self, place: NDArray[np.int32]) -> Floats:
        table = self.policy.prices
        if table is None:
            return np.full(self.cases.size, np.nan)
        name, values = table.relative_value
        scale = self.file.relative_value.scale.value if name == "weight" else 1.0
        return np.append(np.round(values * scale, 10), np.nan)[place]  # 1.13 x 100 is 113, not 112.99999999999999

    def _value_of_cases(self, value: Floats, group_class: NDArray[np.int16], names: list[str]) -> Floats:
        """Values of groups that have none and whose class takes them from the cases: scale x own mean / mean of all."""
        flags = [self.file.group_classes[name].value_from_cases if name else None for name in names]
        wanted = np.array([flag is not None and flag.value for flag in flags])[group_class] & np.isnan(value)
        if not wanted.any():
            return value
        cost = self.cases.money["total_cost"]
        used = (cost > 0) & (self.cases.faults < 0)
        group = np.where(used, self.cases.unit.ids, -1) + 1
        counted = used if self.weight is None else used * self.weight
        count, total = np.bincount(group, counted), np.bincount(group, np.where(used, cost, 0) * counted)  # fen have no order
        overall = float(total.sum() / count.sum()) if used.any() else float("nan")
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = total / count / overall * self.file.relative_value.scale.value
        found = wanted & used
        self.cases.warn(
            "settle-value-of-cases", found, "groups without a published value are worth their mean cost over that of all cases "
            "that are settled", "state relative_value, or give --weights", sample=self.cases.unit.sample(found),
        )  # fmt: skip
        return np.where(found, mean[group], value)

    def _unit_value(self, group_class: NDArray[np.int16], names: list[str]) -> Floats:
        """Yuan per unit; a group class may have its own, such as primary-care groups with one standard for all."""
        result = self.keyed(self.file.unit_value)
        for number, name in enumerate(names):
            own = self.file.group_classes[name].unit_value if name else None
            if own is not None:
                result = np.where(group_class == number, self.keyed(own), result)
        return result

    def _mean(self, value: Floats, unit_value: Floats, place: NDArray[np.int32]) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        """Mean cost of the group, yuan: own column, table, mean of all cases x weight, or the price of the group."""
        spec = self.file.reference
        mean = self.cases.numbers["group_mean_cost"].copy()
        if spec.mean_from_table:
            mean = np.where(np.isnan(mean), self.from_table("mean_cost", place), mean)
        blank = np.isnan(mean)
        per_weight = np.full(self.cases.size, np.nan)
        if spec.mean_cost is not None:
            per_weight = np.where(blank, self.keyed(spec.mean_cost), np.nan)
            mean = np.where(blank, per_weight * value / self.file.relative_value.scale.value, mean)
            return mean, per_weight, np.zeros(self.cases.size, np.bool_)
        if spec.from_cases is not None and spec.from_cases.value:
            return np.where(blank, self._mean_of_cases(mean), mean), per_weight, np.zeros(self.cases.size, np.bool_)
        return np.where(blank, unit_value * value, mean), per_weight, blank

    def _mean_of_cases(self, own: Floats) -> Floats:
        """Mean cost of the cases of the same group and level among those that are settled and cost something."""
        cost = self.cases.money["total_cost"]
        grouped = self.cases.unit.ids >= 0
        used = grouped & (cost > 0) & (self.cases.faults < 0)
        cell = self.cases.unit.ids.astype(np.int64) * max(len(self.cases.levels), 1) + self.cases.level
        cell = np.where(grouped, cell, 0)
        counted = used if self.weight is None else used * self.weight
        count = np.bincount(cell, counted)
        total = np.bincount(cell, np.where(used, cost, 0) * counted)  # whole fen: their sum has no order
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = (total / FEN_PER_YUAN / count)[cell]
        result: Floats = np.where(grouped & (mean > 0), mean, np.nan)
        self.cases.warn(
            "settle-mean-of-cases", grouped & (self.cases.faults < 0) & np.isnan(own),
            "the policy publishes no mean cost; the mean of the same group and level among these cases is used",
            "state group_mean_cost",
        )  # fmt: skip
        return result

    def _factors(self, group_class: NDArray[np.int16], names: list[str]) -> tuple[Floats, Floats]:
        """Auxiliary coefficient of the kind, and the product of all factors on what the curve pays."""
        own = self.cases.numbers["auxiliary_coefficient"]
        auxiliary: Floats = np.where(np.isnan(own), 1.0, own)
        factor = auxiliary
        fixed = [self.file.group_classes[name].factor if name else None for name in names]
        factor = factor * np.array([1.0 if entry is None else entry.value for entry in fixed])[group_class]
        age = self.cases.numbers["age"]
        if self.file.age_factors:
            self.cases.warn(
                "settle-no-age", np.isnan(age) & (self.cases.faults < 0),
                "the policy pays patients of some ages otherwise, and the age is not known", "state age",
            )  # fmt: skip
        for entry in self.file.age_factors:
            factor = np.where(age < entry.age_below, factor * entry.value, factor)
        return auxiliary, factor

    def _rows(self, value: Floats, coefficient: Floats, group_class: NDArray[np.int16], names: list[str]) -> NDArray[np.int32]:
        curves = [self.file.group_classes[name].curve if name else None for name in names]
        result = np.full(self.cases.size, -1, np.int32)
        for curve_name in dict.fromkeys(curve or "main" for curve in curves):
            members = np.array([(curve or "main") == curve_name for curve in curves])[group_class]
            result = np.where(members, self.rows_of(curve_name, value, coefficient), result)
        return result.astype(np.int32)

    def rows_of(self, curve_name: str, value: Floats, coefficient: Floats) -> NDArray[np.int32]:
        """Curve row of each case if it had this curve; -1 where no band fits."""
        curve, first = self.book.curves[curve_name], self.book.first_row[curve_name]
        weight = value / self.file.relative_value.scale.value
        result = np.full(self.cases.size, -1, np.int32)
        open_cases = np.ones(self.cases.size, np.bool_)
        for number, band in enumerate(curve.bands):
            fits = open_cases.copy()
            for limit, measure in ((band.when.weight_upto, weight), (band.when.coefficient_upto, coefficient)):
                if limit is not None:
                    fits &= (measure <= limit) if band.when.closed else (measure < limit)
            if band.when.levels:
                level_fits = np.array([bool(set(keys) & set(band.when.levels)) for keys in self.cases.levels] or [False])
                fits &= level_fits[self.cases.level]
            result[fits] = first + number
            open_cases &= ~fits
        return result

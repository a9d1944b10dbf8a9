"""What a policy says, looked up for cases: parameters by level and payer, tables by group, classes of groups, curves."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from drgsim.parameters.evidence import Keyed
from drgsim.payment.case_columns import dense_unique
from drgsim.payment.curve import CurveBook, curve_book
from drgsim.payment.discharge_dates import before
from drgsim.payment.grouped_cases import Cases
from drgsim.payment.policy import Policy
from drgsim.payment.policy_model import GroupClass
from drgsim.payment.price_table import class_by_start
from drgsim.records.vocabulary import INSURANCES

ORDINARY = 0  # place of ordinary groups among the group classes
Floats = NDArray[np.float64]


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


class PolicyLookup:
    """Looks up the values of a policy for cases; made once per policy and set of cases.

    Attributes
    ----------
    place
        Row of the price table for each case, -1 where the group is not in it.
    group_class, class_names
        Class of each case's group as place in the names, :data:`ORDINARY` for none; a rule may change it before it is used.
    """

    def __init__(self, policy: Policy, cases: Cases) -> None:
        self.policy, self.cases = policy, cases
        self.file = policy.file
        self.book: CurveBook = curve_book(self.file.curves)
        insurance = cases.insurance.astype(np.int64) + 1
        combined = cases.level.astype(np.int64) * (len(INSURANCES) + 1) + insurance
        self.combinations, self.combination = dense_unique(combined, max(len(cases.levels), 1) * (len(INSURANCES) + 1))
        self.class_names = ["", *self.file.group_classes]
        self.same_price = self._priced_alike()
        self.place = self._places()
        self.group_class = self._classes()

    @cached_property
    def levels(self) -> list[tuple[str, ...]]:
        """Level keys of each level entry of the cases; the class that the policy takes a mere level for comes last."""
        stated = self.file.hospital_classes
        known = stated.values if stated is not None else {}
        return [tuple(dict.fromkeys((*keys, *(known[key] for key in keys if key in known)))) for keys in self.cases.levels]

    @cached_property
    def keys(self) -> list[tuple[tuple[str, ...], str]]:
        """Level keys and insurance of each combination that occurs."""
        keys = []
        for combination in self.combinations.tolist():
            level, insurance = divmod(combination, len(INSURANCES) + 1)
            keys.append((self.levels[level], INSURANCES[insurance - 1] if insurance else ""))
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

    def value_of_class(self, name: str, otherwise: float) -> Floats:
        """A number of the classes of groups for each case, ``otherwise`` where its class states none."""
        stated = [None, *(getattr(entry, name) for entry in self.file.group_classes.values())]
        return np.array([otherwise if entry is None else entry.value for entry in stated])[self.group_class]

    def keyed_of_class(self, name: str) -> Floats:
        """A parameter by level and payer of the classes of groups for each case; NaN where its class has none for it."""
        result = np.full(self.cases.size, np.nan)
        for number, entry in enumerate(self.file.group_classes.values(), start=1):
            own = getattr(entry, name)
            if own is not None:
                result = np.where(self.group_class == number, self.keyed(own), result)
        return result

    def from_table(self, family: str) -> Floats:
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
        return np.array(columns)[self.combination, self.place]

    def _places(self) -> NDArray[np.int32]:
        rows = self.policy.prices.places if self.policy.prices is not None else {}
        unit = self.cases.unit
        places = np.array([rows.get(code, -1) for code in unit.values] + [-1], np.int32)[unit.ids]
        for number, entry in self._same_price():
            like = [rows.get(entry.same_price_as.get(code, ""), -1) for code in unit.values]
            places = np.where(self.same_price == number, np.array([*like, -1], np.int32)[unit.ids], places)
        return places

    def _same_price(self) -> list[tuple[int, GroupClass]]:
        """Classes whose cases take the price of another group, by their place."""
        return [(place, entry) for place, entry in enumerate(self.file.group_classes.values(), start=1) if entry.same_price_as]

    def _priced_alike(self) -> NDArray[np.int16]:
        """Class of each case that takes the price of another group; :data:`ORDINARY` for all others."""
        result = np.full(self.cases.size, ORDINARY, np.int16)
        for number, entry in self._same_price():
            named = self.cases.unit.among(entry.same_price_as)
            result[named & self.cases.kind.among(entry.kinds) if entry.kinds else named] = number
        return result

    def _classes(self) -> NDArray[np.int16]:
        """Group class of each case; groups without a table may be named in the policy itself."""
        names, place = self.class_names, self.place
        codes = self.cases.unit.values
        begun = [class_by_start(self.file, code) for code in codes]
        by_start = np.array([names.index(name) for name in begun] + [ORDINARY], np.int16)[self.cases.unit.ids]
        if self.policy.prices is not None:
            of_row = np.array([names.index(name) for name in self.policy.prices.classes] + [ORDINARY], np.int16)
            result = np.where(of_row[place] == ORDINARY, by_start, of_row[place])
        else:
            result = by_start
        named = {code: name for name, entry in self.file.group_classes.items() for code in entry.named_groups}
        own = np.array([names.index(named[code]) if code in named else -1 for code in codes] + [-1], np.int16)
        own_of = own[self.cases.unit.ids]
        known = np.where(own_of >= 0, own_of, result).astype(np.int16)
        by_kind = {kind: name for name, entry in self.file.group_classes.items() for kind in entry.kinds}
        of_kind = [names.index(by_kind[kind]) if kind in by_kind else ORDINARY for kind in self.cases.kind.values]
        of_case = np.array([*of_kind, ORDINARY], np.int16)[self.cases.kind.ids]  # as the cases themselves say
        listed = set(self.policy.prices.classes) if self.policy.prices is not None else set()
        unlisted = np.array([name not in listed for name in names])[of_case]  # no table says which groups belong to the class
        known = np.where((known == ORDINARY) & ((place < 0) | unlisted), of_case, known)
        known = np.where(self._finer_kinds() & (of_case != ORDINARY) & (own_of < 0), of_case, known)
        return np.where(self.same_price == ORDINARY, known, self.same_price).astype(np.int16)

    def _finer_kinds(self) -> NDArray[np.bool_]:
        """Cases that say another kind than the row of their group: a primary-care case (基层病种) of a wider kind."""
        table = self.policy.prices
        if table is None or not any(table.kinds):
            return np.zeros(self.cases.size, np.bool_)
        words = list(dict.fromkeys([*self.cases.kind.values, *table.kinds]))
        numbers = {word: number for number, word in enumerate(words)}
        own = np.array([*(numbers[word] for word in self.cases.kind.values), -1])[self.cases.kind.ids]
        of_row = np.array([*(numbers[word] if word else -1 for word in table.kinds), -1])[self.place]
        return np.asarray((own >= 0) & (of_row >= 0) & (own != of_row))

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
                level_fits = np.array([bool(set(keys) & set(band.when.levels)) for keys in self.levels] or [False])
                fits &= level_fits[self.cases.level]
            if band.when.payers:
                fits &= np.isin(self.cases.insurance, [INSURANCES.index(payer) for payer in band.when.payers])
            result[fits] = first + number
            open_cases &= ~fits
        return result

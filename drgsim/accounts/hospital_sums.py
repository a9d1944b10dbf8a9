"""Sums of one hospital's cases: by group, department, doctor, month, payer and class of case, exact to the fen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.accounts.reference_groups import ReferenceGroups
from drgsim.accounts.settled_cases import Mask, SettledCases
from drgsim.errors import Problem, UsageError, did_you_mean
from drgsim.language import text
from drgsim.payment.case_class import CLASSES
from drgsim.payment.case_columns import Texts
from drgsim.payment.rules.no_group import is_group
from drgsim.payment.settlement import unit_names
from drgsim.payment.settlement_summary import Summaries
from drgsim.records.vocabulary import INSURANCES

Ids = NDArray[np.int64]
NO_NAME = ""


@dataclass(frozen=True)
class HospitalCases:
    """The cases of one hospital among the settled ones.

    Attributes
    ----------
    cases
        All settled cases.
    own
        Those of the hospital.
    id, name
        Of the hospital; empty where the cases name none.
    hospitals
        How many hospitals the cases are of.
    """

    cases: SettledCases
    own: Mask
    id: str
    name: str
    hospitals: int

    @cached_property
    def places(self) -> Ids:
        """Places of the hospital's cases among all."""
        return np.flatnonzero(self.own)


def cases_of_hospital(cases: SettledCases, hospital: str | None = None) -> HospitalCases:
    """The cases of a hospital; of the one with most cases where none is named.

    Raises
    ------
    UsageError
        ``report-unknown-hospital``.
    """
    texts = cases.hospital
    count = np.bincount(texts.ids[texts.ids >= 0], minlength=len(texts.values))
    if hospital is not None and hospital not in texts.values:
        fix = did_you_mean(hospital, texts.values) or text("the file has {ids}", ids=", ".join(texts.values[:5]) or "-")
        what = text("no case is of the hospital {hospital}", hospital=hospital)
        raise UsageError([Problem("report-unknown-hospital", what, where=hospital, fix=fix)])
    if not count.size:
        return HospitalCases(cases, np.ones(cases.size, np.bool_), "", "", 1)
    ranked = sorted(range(count.size), key=lambda place: (-int(count[place]), texts.values[place]))
    chosen = texts.values.index(hospital) if hospital is not None else ranked[0]
    own = np.asarray(texts.ids == chosen)
    if count.size == 1 and hospital is None:
        own = np.ones(cases.size, np.bool_)  # a blank beside one id is no other hospital
    known = cases.settlement.ledger.cases.hospitals or {}
    entry = known.get(texts.values[chosen])
    return HospitalCases(cases, own, texts.values[chosen], entry.name if entry is not None else "", int(count.size))


class HospitalSums:
    """Sums of a hospital's cases by what they have in common.

    Every table has the columns of :meth:`drgsim.payment.settlement_summary.Summaries.by` and ``margin_per_case`` and
    ``cost_per_case`` (yuan, over paid cases). The sums of each table come to those of :attr:`whole`, to the fen.
    """

    def __init__(self, hospital: HospitalCases, reference: ReferenceGroups) -> None:
        self._hospital = hospital
        settlement = hospital.cases.settlement
        self._summaries = Summaries(settlement.ledger, settlement.parts, settlement.shadow, reference.means)

    @cached_property
    def whole(self) -> pa.Table:
        """All cases of the hospital in one row."""
        return self._along("all", np.zeros(self._hospital.cases.size, np.int64), ["all"])

    @cached_property
    def groups(self) -> pa.Table:
        """By group, with its name; cases without a group have none."""
        table = self.by_texts("group", self._hospital.cases.group)
        ledger = self._hospital.cases.settlement.ledger
        names = dict(zip(ledger.cases.unit.values, unit_names(ledger), strict=True))
        codes = table["group"].to_pylist()
        table = table.add_column(1, "name", pa.array([names.get(code, "") for code in codes], pa.string()))
        return table.append_column("is_group", pa.array([bool(code) and is_group(code) for code in codes], pa.bool_()))

    @cached_property
    def departments(self) -> pa.Table:
        """By department; those of blank departments in a row without a name."""
        return self.by_texts("department", self._hospital.cases.department)

    @cached_property
    def doctors(self) -> pa.Table:
        """By doctor; empty where the file names none."""
        doctor = self._hospital.cases.doctor
        return self.by_texts("doctor", doctor) if doctor.values else self.by_texts("doctor", doctor).slice(0, 0)

    @cached_property
    def months(self) -> pa.Table:
        """By month of discharge, such as 2024-09, the first first; those without a date last."""
        month = self._hospital.cases.month
        known = np.unique(month[self._hospital.own & (month >= 0)])
        place = np.searchsorted(known, month)
        ids = np.where(month < 0, known.size, place)
        return self._along("month", ids, [*(str(np.datetime64(int(each), "M")) for each in known), NO_NAME])

    @cached_property
    def insurances(self) -> pa.Table:
        """By payer."""
        ids = self._hospital.cases.settlement.ledger.cases.insurance.astype(np.int64)
        return self._along("insurance", np.where(ids < 0, len(INSURANCES), ids), [*INSURANCES, NO_NAME])

    @cached_property
    def classes(self) -> pa.Table:
        """By class of case."""
        ids = self._hospital.cases.settlement.ledger.case_class.astype(np.int64)
        return self._along("case_class", np.where(ids < 0, len(CLASSES), ids), [*map(str, CLASSES), NO_NAME])

    def by_texts(self, dimension: str, texts: Texts) -> pa.Table:
        """By the texts of a column in the order of the alphabet, the blank last."""
        order = sorted(range(len(texts.values)), key=texts.values.__getitem__)
        place = np.empty(len(order) + 1, np.int64)
        place[order] = np.arange(len(order))
        place[-1] = len(order)
        return self._along(dimension, place[texts.ids], [*(texts.values[each] for each in order), NO_NAME])

    def _along(self, dimension: str, ids: Ids, names: Sequence[str]) -> pa.Table:
        table = self._summaries.along(dimension, np.where(self._hospital.own, ids, -1), names)
        paid = np.asarray(table["cases"].to_numpy()) - np.asarray(table["unpaid"].to_numpy())
        for name, of in (("cost_per_case", "cost"), ("margin_per_case", "margin")):
            amounts = table[of].to_pylist()
            each = [None if not n else round(float(amount) / int(n), 2) for amount, n in zip(amounts, paid, strict=True)]
            table = table.append_column(name, pa.array(each, pa.float64()))
        return table

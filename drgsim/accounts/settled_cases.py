"""Settled cases with the records that they come from: what every account is made of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.errors import Problem
from drgsim.money import MISSING
from drgsim.payment.case_columns import Texts, texts_of
from drgsim.payment.discharge_dates import periods_of
from drgsim.payment.settlement import Settlement
from drgsim.quality.quality_report import QualityReport
from drgsim.records.arrow import one_chunk, to_text
from drgsim.records.code_dictionaries import OWN_VERSION

Fen = NDArray[np.int64]
Mask = NDArray[np.bool_]
DOCTOR = "doctor"


class PriceBasis(StrEnum):
    """Where the unit value comes from that the cases are paid by."""

    POLICY = "policy"
    GIVEN = "given"
    BUDGET = "budget"
    BREAK_EVEN = "break_even"


@dataclass(frozen=True)
class SettledCases:
    """Cases that are read, checked, grouped and settled.

    Attributes
    ----------
    settlement
        What each case is paid, in the order of the records.
    table
        The records: canonical columns, the answers of grouping, then the file's own columns.
    schemes
        Ids of the schemes or of the catalogue that grouped; empty where the file named the groups.
    basis
        Where the unit value comes from. ``break_even`` is an assumption: the value at which these cases earn what they cost.
    quality
        What is wrong or doubtful in the records; None where they hold no codes.
    notes
        What was doubtful on the way.
    code_version
        Edition of the codes of the records.
    """

    settlement: Settlement
    table: pa.Table
    schemes: tuple[str, ...]
    basis: PriceBasis
    quality: QualityReport | None = None
    notes: tuple[Problem, ...] = ()
    code_version: str = OWN_VERSION

    @property
    def size(self) -> int:
        """Number of cases."""
        return self.settlement.ledger.cases.size

    @property
    def paid(self) -> Mask:
        """Cases that have an amount."""
        return np.asarray(self.settlement.amount != MISSING)

    @property
    def cost(self) -> Fen:
        """Fen; ``money.MISSING`` where unknown."""
        return self.settlement.ledger.cost

    @cached_property
    def revenue(self) -> Fen:
        """Fen that the hospital has of each case; ``money.MISSING`` where unpaid."""
        return self.settlement.revenue

    @cached_property
    def margin(self) -> Fen:
        """Fen of revenue less cost; ``money.MISSING`` where unpaid."""
        known = (self.revenue != MISSING) & (self.cost != MISSING)
        return np.where(known, np.where(known, self.revenue, 0) - np.where(known, self.cost, 0), MISSING)

    @property
    def group(self) -> Texts:
        """The group of each case; a word for none, such as 0000, is a text too."""
        return self.settlement.ledger.cases.unit

    @property
    def hospital(self) -> Texts:
        """The hospital of each case."""
        return self.settlement.ledger.cases.hospital

    @cached_property
    def department(self) -> Texts:
        """Department that the patient left, else that of admission."""
        left = self.settlement.ledger.cases.department
        return left if left.values else self.texts("admission_department")

    @cached_property
    def doctor(self) -> Texts:
        """Doctor in charge, as the file names one."""
        return self.texts(DOCTOR)

    @property
    def days(self) -> NDArray[np.float64]:
        """Days of stay, NaN where unknown."""
        return self.settlement.ledger.cases.numbers["los_days"]

    @cached_property
    def weight(self) -> NDArray[np.float64]:
        """Relative weight, 1 = the mean case; NaN where the policy states none for the group."""
        ledger = self.settlement.ledger
        return np.asarray(ledger.terms.relative_value / ledger.policy.file.relative_value.scale.value)

    @cached_property
    def month(self) -> NDArray[np.int64]:
        """Month of discharge, counted from January 1970; -1 without a date."""
        day = self.settlement.ledger.cases.discharged
        return np.where(day == MISSING, -1, periods_of(day, "M"))

    def texts(self, name: str) -> Texts:
        """A column of the records as numbered texts; all blank where there is none."""
        column = to_text(one_chunk(self.table, name), name) if name in self.table.column_names else None
        return texts_of(column, self.size)

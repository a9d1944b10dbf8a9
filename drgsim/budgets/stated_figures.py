"""What a region states beside its discharges, as arrays by hospital and year: for all payers, or for the pool of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from drgsim.budgets.case_bills import UNITS
from drgsim.money import allocate
from drgsim.records.vocabulary import PAYERS
from drgsim.region.hospital_year_sums import MONTHS, Floats, Ints
from drgsim.region.region_folder import RegionFolder
from drgsim.region.region_tables import PROCUREMENT_CLASSES


@dataclass(frozen=True)
class StatedFigures:
    """Reads a region's tables for hospitals and years.

    Attributes
    ----------
    region, hospitals, years
        The region, and the order of the arrays.
    payer
        Of the pool; "" for all payers.
    parts
        (H, Y, P) what the fund spent on the cases of each payer: amounts that state no payer are divided so, to the fen.
    """

    region: RegionFolder
    hospitals: tuple[str, ...]
    years: tuple[int, ...]
    payer: str = ""
    parts: Ints | None = None

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.hospitals)}

    @property
    def _shape(self) -> tuple[int, int]:
        return len(self.hospitals), len(self.years)

    def arrays(self) -> dict[str, Any]:
        """Figure of :class:`drgsim.budgets.hospital_figures.HospitalFigures` -> its array, but for the indicators."""
        region = self.region
        classes = [self.yearly(region.surplus.get(kind, {})) for kind in PROCUREMENT_CLASSES]
        stated = np.zeros((*self._shape, MONTHS, len(UNITS)), np.int64)
        for (hospital, year, month, unit, payer), amount in region.payments.items():
            if (place := self._place(hospital, year)) is not None:
                stated[(*place, month - 1, UNITS.index(unit))] += self._mine(amount, payer, place)
        outpatients, negotiated = region.outpatients.items(), region.negotiated.items()
        return {
            "stated": stated, "procurement": np.stack(classes, axis=2),
            "visits": self._of_payers({key: entry.visits for key, entry in outpatients}),
            "heads": self._of_payers({key: entry.heads for key, entry in outpatients}),
            "outpatient_cost": self._of_payers({key: entry.cost for key, entry in outpatients}),
            "negotiated": self._of_payers({key: entry.amount for key, entry in negotiated}),
            "negotiated_share": self._shares(),
            **{name: self.yearly(getattr(region, name)) for name in ("savings", "deductions", "moved")},
        }  # fmt: skip

    def yearly(self, amounts: Mapping[tuple[str, int], int]) -> Ints:
        """(H, Y) amounts that state no payer."""
        return self._of_payers({(*key, ""): amount for key, amount in amounts.items()})

    def enter_indicators(self, names: Sequence[str], values: Floats) -> None:
        """Put the values that were entered into (H, Y, K) indicators; they go before what was measured."""
        for (hospital, year, name), value in self.region.indicators.items():
            if (place := self._place(hospital, year)) is not None and name in names:
                values[(*place, names.index(name))] = value

    def reasons(self) -> dict[tuple[str, int], str]:
        """(hospital, year) -> why something was negotiated."""
        found: dict[tuple[str, int], list[str]] = {}
        for (hospital, year, payer), entry in self.region.negotiated.items():
            if entry.reason and self.payer in ("", payer or self.payer):
                found.setdefault((hospital, year), []).append(entry.reason)
        return {key: "; ".join(dict.fromkeys(texts)) for key, texts in found.items()}

    def fund(self) -> Ints:
        """(Y,) budget of the fund, -1 where none is stated."""
        known = self.region.fund
        if self.payer:
            return np.array([known.get(year, {}).get(self.payer, -1) for year in self.years], np.int64)
        return np.array([sum(known[year].values()) if year in known else -1 for year in self.years], np.int64)

    def insured(self) -> Ints:
        """(Y,) insured people, 0 where none are stated."""
        region = self.region
        of = region.insured_of if self.payer else region.insured
        return np.array([of.get((year, self.payer) if self.payer else year, 0) for year in self.years], np.int64)  # type: ignore

    def _place(self, hospital: str, year: int) -> tuple[int, int] | None:
        known = hospital in self._rows and year in self.years
        return (self._rows[hospital], self.years.index(year)) if known else None

    def _of_payers(self, amounts: Mapping[tuple[str, int, str], int]) -> Ints:
        result = np.zeros(self._shape, np.int64)
        for (hospital, year, payer), amount in amounts.items():
            if (place := self._place(hospital, year)) is not None:
                result[place] += self._mine(amount, payer, place)
        return result

    def _mine(self, amount: int, payer: str, place: tuple[int, int]) -> int:
        """The part of an amount that belongs to the pool."""
        if not self.payer or payer:
            return amount if self.payer in ("", payer) else 0
        parts = np.ones(len(PAYERS)) if self.parts is None or not self.parts[place].any() else self.parts[place]
        return int(allocate(amount, parts)[PAYERS.index(self.payer)])

    def _shares(self) -> Floats:
        """(H, Y) negotiated shares; of a share for one payer the fund's budgets say how much of the whole index it is."""
        result = np.zeros(self._shape)
        for (hospital, year, payer), entry in self.region.negotiated.items():
            if (place := self._place(hospital, year)) is None or self.payer not in ("", payer or self.payer):
                continue
            fund = self.region.fund.get(year, {})
            whole = sum(fund.values())
            part = fund.get(payer, 0) / whole if payer and not self.payer and whole else 1.0
            result[place] += entry.share * part
        return result

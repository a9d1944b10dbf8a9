"""A region folder: discharges by year, hospitals, the fund's budgets and the insured; read once, shared by all scenarios."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.engines.in_memory import group_table
from drgsim.errors import InputError
from drgsim.language import text
from drgsim.payment.case_columns import Texts, columns_of, texts_of
from drgsim.payment.grouped_cases import Cases, read_cases
from drgsim.payment.policy_model import WITHOUT_GROUPS
from drgsim.records.case_table import is_grouped
from drgsim.records.cells import read_fen
from drgsim.records.read import read_table
from drgsim.records.vocabulary import GROUP_KINDS, group_words
from drgsim.region.hospital_list import Hospital
from drgsim.region.region_folder import RegionFolder, read_region

CATEGORY = "cost_"
GIVEN = "given"  # scheme of a file that states its groups and no diagnoses
CONDITIONS = {"diabetes": ("E10", "E11", "E12", "E13", "E14"), "hypertension": ("I10", "I11", "I12", "I13", "I15")}


@dataclass(frozen=True)
class Cohort:
    """The discharges of one year, grouped by one scheme. Its arrays are shared by every scenario and never written to.

    Attributes
    ----------
    year, scheme
        Of the discharges, and by what they were grouped.
    cases
        As settling reads them; hand out copies by :meth:`drgsim.payment.grouped_cases.Cases.fresh`.
    costs
        Category -> fen per case, as the columns cost_<category> say.
    key
        uint64 per case, from its id and recorded cost: the seed of everything drawn for the case.
    mdc, adrg, diagnosis
        Numbered texts per case; ``diagnosis`` is the principal one.
    verdict
        ``status``, ``reason`` and ``severity`` of the grouper as numbered texts; empty where the cases stated their groups.
    notes
        What was done in reading.
    """

    year: int
    scheme: str
    cases: Cases
    costs: Mapping[str, NDArray[np.int64]]
    key: NDArray[np.uint64]
    mdc: Texts
    adrg: Texts
    diagnosis: Texts
    verdict: Mapping[str, Texts] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Number of discharges."""
        return self.cases.size

    def condition(self, name: str) -> NDArray[np.bool_]:
        """Cases whose principal diagnosis belongs to a chronic condition (ICD-10 chapters E10-E14 and I10-I15)."""
        fits = np.array([code.startswith(CONDITIONS[name]) for code in self.diagnosis.values] + [False])
        return np.asarray(fits[self.diagnosis.ids])


@dataclass(frozen=True)
class Region(RegionFolder):
    """A region folder with its discharges as scenarios need them: grouped once by each scheme, and kept."""

    _cohorts: dict[tuple[int, str, bool], Cohort] = field(default_factory=dict, repr=False)
    _tables: dict[int, pa.Table] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, folder: str | Path | RegionFolder) -> Region:
        """A region by its folder, or by what was read of it.

        Raises
        ------
        InputError
            As :func:`drgsim.region.region_folder.read_region`.
        """
        if isinstance(folder, cls):
            return folder
        stated = folder if isinstance(folder, RegionFolder) else read_region(folder)
        return cls(**{each.name: getattr(stated, each.name) for each in fields(stated)})

    def cohort(self, year: int, scheme: str, method: str = "") -> Cohort:
        """Discharges of a year under a scheme, grouped once and kept; ``method`` as for :func:`make_cohort`."""
        key = (year, scheme, method == "dip")
        if key not in self._cohorts:
            table = self.table(year)
            of_year = [each for (other, *_), each in self._cohorts.items() if other == year and each.scheme != GIVEN]
            if of_year and scheme != GIVEN:  # what the cases are beside their groups was read before
                self._cohorts[key] = regrouped(of_year[0], table, scheme, method)
            else:
                self._cohorts[key] = make_cohort(table, year, scheme, self.hospitals, method)
        return self._cohorts[key]

    def table(self, year: int) -> pa.Table:
        """The discharges of a year as they were read, and kept."""
        if year not in self._tables:
            self._tables[year] = read_table(self.discharges[year])
        return self._tables[year]


def make_cohort(table: pa.Table, year: int, scheme: str, hospitals: Mapping[str, Hospital], method: str = "") -> Cohort:
    """Group a table of discharges and read it as cases; of a table with several columns of groups the method of the policy
    decides, as in settling.
    """
    answers: pa.Table | None = None
    if scheme != GIVEN:
        answers = group_table(table, scheme)
        table = _with_groups(table, answers)
    elif not is_grouped(table.column_names) and method not in WITHOUT_GROUPS:
        raise InputError.single(
            "settle-not-grouped",
            text("the discharges of {year} have no group, and no scheme is known to group them by", year=year),
            fix=text("name a scheme in the scenario, or a policy that has one"),
        )
    cases = read_cases(table, hospitals or None, method)  # without a list every hospital counts
    return Cohort(
        year, scheme, cases, _costs(table), _keys(cases), _parent(table, "mdc", cases, 1), _parent(table, "adrg", cases, 3),
        _diagnoses(table, cases.size), _verdict(answers, cases.size), _notes(year, scheme),
    )  # fmt: skip


def regrouped(cohort: Cohort, table: pa.Table, scheme: str, method: str = "") -> Cohort:
    """The discharges of a cohort, which ``table`` holds, under another scheme: what is beside their groups is shared."""
    answers = group_table(table, scheme)
    grouped = _with_groups(table.select([]), answers)
    unit = texts_of(columns_of(grouped, method).get("unit"), cohort.size)
    cases = replace(cohort.cases.fresh(), unit=unit)
    return replace(
        cohort, scheme=scheme, cases=cases, mdc=_parent(grouped, "mdc", cases, 1), adrg=_parent(grouped, "adrg", cases, 3),
        verdict=_verdict(answers, cases.size), notes=_notes(cohort.year, scheme),
    )  # fmt: skip


def _notes(year: int, scheme: str) -> tuple[str, ...]:
    return () if scheme == GIVEN else (text("{year}: grouped by {scheme}", year=year, scheme=scheme),)


def _with_groups(table: pa.Table, answers: pa.Table) -> pa.Table:
    """The table with the groups of these answers in the place of those that it states."""
    named = group_words()
    table = table.drop_columns([name for name in table.column_names if name in ("mdc", "adrg", *named)])
    for name in ("mdc", "adrg", *GROUP_KINDS):
        if name in answers.column_names:
            table = table.append_column(name, answers.column(name))
    return table


def _verdict(answers: pa.Table | None, size: int) -> dict[str, Texts]:
    if answers is None:
        return {}
    known = [name for name in ("status", "reason", "severity") if name in answers.column_names]
    return {name: texts_of(answers.column(name).combine_chunks(), size) for name in known}


def _costs(table: pa.Table) -> dict[str, NDArray[np.int64]]:
    return {
        name.removeprefix(CATEGORY): read_fen(table.column(name).combine_chunks()).values
        for name in table.column_names
        if name.startswith(CATEGORY)
    }


def _keys(cases: Cases) -> NDArray[np.uint64]:
    ids = cases.ids.cast(pa.string()).fill_null("").to_numpy(zero_copy_only=False)
    keys = np.asarray(pd.util.hash_array(ids.astype(object), categorize=False), np.uint64)
    return np.asarray(
        keys ^ (cases.money["total_cost"].astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15))
    )  # ids may stand twice


def _parent(table: pa.Table, name: str, cases: Cases, length: int) -> Texts:
    if name in table.column_names:
        encoded = table.column(name).combine_chunks()
        encoded = encoded.cast(pa.string()) if not pa.types.is_string(encoded.type) else encoded
        encoded = encoded.dictionary_encode()
        return Texts(
            encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32), encoded.dictionary.to_pylist()
        )
    values = sorted({code[:length] for code in cases.unit.values})
    place = {value: number for number, value in enumerate(values)}
    ids = np.array([place[code[:length]] for code in cases.unit.values] + [-1], np.int32)
    return Texts(ids[cases.unit.ids], values)


def _diagnoses(table: pa.Table, size: int) -> Texts:
    for name in ("principal_diagnosis", "diagnoses"):
        if name in table.column_names:
            import pyarrow.compute as pc

            first = pc.list_element(
                pc.split_pattern(pc.fill_null(table.column(name).combine_chunks().cast(pa.string()), ""), "|"), 0
            )
            encoded = first.dictionary_encode()
            return Texts(encoded.indices.to_numpy(zero_copy_only=False).astype(np.int32), encoded.dictionary.to_pylist())
    return Texts(np.full(size, -1, np.int32), [])

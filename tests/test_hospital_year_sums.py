"""One way to add up cases by hospital and year: a simulated year of unchanged cases has the figures of the real one."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from drgsim.budgets.hospital_figures import HospitalFigures
from drgsim.region.hospital_year_sums import HospitalCells
from drgsim.simulation.year_closing import with_year
from tests.sample_region import YEAR
from tests.simulating import baseline_of, runner


@pytest.mark.parametrize("spending", ["by_item", "by_units"])
def test_a_year_that_nothing_changes_has_the_figures_of_its_past(spending: str) -> None:
    setup = baseline_of("beijing/2024", f"{{budget.active: true, budget.measure.spending: {spending}}}")
    past, lines = runner().closing.past(setup, YEAR), runner().lines(setup, YEAR)
    assert setup.budget is not None
    again = with_year(past, YEAR, lines, lines.state.parts, {}, setup.budget)
    for each in fields(HospitalFigures):
        old, new = getattr(past, each.name), getattr(again, each.name)
        if each.name == "indicators":  # the share of high cases is that of insured cases in a simulated year
            place = past.indicator_names.index("high_cost_share")
            old, new = np.delete(old, place, axis=2), np.delete(new, place, axis=2)
        if isinstance(old, np.ndarray):
            assert np.array_equal(old, new, equal_nan=old.dtype.kind == "f"), each.name
        else:
            assert old == new, each.name


def test_sums_of_cases_that_count_once_or_in_parts() -> None:
    hospital, month = np.array([0, 0, 1, -1]), np.array([0, 0, 11, 3])
    year, amounts, every = np.zeros(4, np.int64), np.array([100, 1, 7, 1000]), np.ones(4, np.bool_)
    once = HospitalCells(2, 1, hospital, year, month)
    assert once.yearly(every, amounts)[:, 0].tolist() == [101, 7]
    assert once.yearly(every)[:, 0].tolist() == [2, 1]
    assert once.monthly(every, amounts)[1, 0].tolist() == [0] * 11 + [7]
    assert once.by_unit(every, amounts, np.array([0, 1, 1, 0]), 2)[0, 0, 0].tolist() == [100, 1]
    parts = HospitalCells(2, 1, hospital, year, month, np.array([15_000, 5_000, 20_000, 10_000]), 10_000)
    assert parts.yearly(every, amounts)[:, 0].tolist() == [151, 14], "150.5 and 14: the rest goes to the largest remainder"
    assert parts.yearly(every)[:, 0].tolist() == [2, 2]

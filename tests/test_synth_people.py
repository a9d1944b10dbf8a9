"""Priors of people and the price list: what is read, and every mistake named at once."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from drgsim.errors import DrgsimError
from drgsim.synthetic.people_file import PeoplePriors, read_people
from drgsim.synthetic.price_list import CATEGORIES, PriceList, read_prices
from drgsim.synthetic.prior_files import BUNDLED


@pytest.fixture(scope="module")
def people() -> PeoplePriors:
    return read_people(BUNDLED / "people.yaml")


@pytest.fixture(scope="module")
def prices() -> PriceList:
    return read_prices(BUNDLED / "items.yaml")


def faults(read: Callable[[Path], object], folder: Path, name: str, *changes: tuple[str, str]) -> str:
    text = (BUNDLED / name).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DrgsimError) as caught:
        read(path)
    return str(caught.value)


def test_the_most_frequent_chronic_conditions_rise_with_age(people: PeoplePriors) -> None:
    for name in ("hypertension", "chd", "copd", "ckd", "atrial_fibrillation", "heart_failure_chronic", "dementia"):
        condition = people.comorbidities[name]
        for shares in (condition.male, condition.female):
            assert all(older >= younger for younger, older in pairwise(shares)), name


def test_a_complication_takes_the_chance_of_the_ward_else_of_its_group(people: PeoplePriors) -> None:
    wound = people.complications["wound_infection"]
    assert people.chance(wound, "orthopaedics") == wound.chance["orthopaedics"]
    assert people.chance(wound, "psychiatry") == wound.chance["any"]
    failure = people.complications["respiratory_failure"]
    assert people.chance(failure, "gastro") == failure.chance["medical"]
    assert people.chance(failure, "obstetrics") == 0


def test_mistakes_in_people_are_named_at_once(tmp_path: Path) -> None:
    told = faults(
        read_people,
        tmp_path,
        "people.yaml",
        ("{N40.x00: 1.0}", "{N40.x99: 1.0}"),
        ("Z85.403: 0.16", "N40.x00: 0.16"),
        ("raised_by: {chd: 4.0", "raised_by: {gout: 4.0"),
        ("chance: {neurosurgery: 0.05, neurology", "chance: {neurosurgery: 0.05, neurologie"),
        ("{id: ulcer-12, says", "{id: ulcer, says"),
        ("male:   [0, 0, 0, 0.0003,", "male:   [0, 0, 0.0003,"),
    )
    for words in (
        "N40.x99 is no diagnosis of the dictionary",
        "N40.x00 is only for male patients",
        "gout does not stand above heart_failure_chronic",
        "there is no ward or group neurologie",
        "the source ulcer is not listed",
        "7 figures stand for 8 bands of age",
    ):
        assert words in told


def test_bands_without_gap_and_shares_that_sum_to_1(tmp_path: Path) -> None:
    assert "bands start at 0" in faults(read_people, tmp_path, "people.yaml", ("[0-17, 18-29", "[0-17, 20-29"))
    assert "add up to 0.9" in faults(read_people, tmp_path, "people.yaml", ("{K80.200x003: 1.0}", "{K80.200x003: 0.9}"))


def test_the_longest_beginning_of_a_code_sets_its_price(prices: PriceList) -> None:
    stent, other = prices.price_of("36.0700x004"), prices.price_of("36.9900x999")
    assert stent is prices.procedures["36.07"]
    assert other is prices.procedures["36"]
    once, daily = prices.procedure_prices(["39.9500", "nonsense"])
    assert daily[0].sum() > 0
    assert not once[1].any()
    assert once.shape == daily.shape == (2, len(CATEGORIES))


def test_a_bed_is_nursing_and_levels_have_factors(prices: PriceList) -> None:
    day = prices.wards["cardiology"]
    assert day.by_category[CATEGORIES.index("nursing")] == day.nursing + day.bed
    assert np.all(prices.level_factors(1) <= prices.level_factors(3))


def test_mistakes_in_prices_are_named_at_once(tmp_path: Path) -> None:
    told = faults(read_prices, tmp_path, "items.yaml", ('"57.9": {', '"57.0": {'), ("  tcm:  ", "  tmc:  "))
    assert "57.0 stands twice in one place" in told
    assert "tmc" in told
    told = faults(read_prices, tmp_path, "items.yaml", ('  "30": {', '  "30.7": {'), ("id: spine-2022", "id: spine"))
    assert "procedures of 30 have no price, such as 30.1" in told
    assert "no procedure begins with 30.7" in told
    assert "the source spine is not listed" in told

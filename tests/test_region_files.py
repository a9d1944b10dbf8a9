"""The tables of a region: what Excel writes is read, what cannot be meant is refused, by ``budget`` and ``simulate`` alike."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from drgsim.errors import InputError
from drgsim.region.region_folder import OPTIONAL
from drgsim.region.region_folder import read_region as read_facts
from drgsim.simulation.simulated_region import read_region
from tests.conftest import ROOT

SAMPLE = ROOT / "data" / "samples" / "region"


@pytest.fixture
def region(tmp_path: Path) -> Path:
    """The tables of the sample, with empty files in the place of its discharges."""
    target = tmp_path / "region"
    target.mkdir()
    for path in SAMPLE.iterdir():
        if path.suffix == ".csv":
            shutil.copy(path, target)
        elif path.suffix == ".parquet":
            (target / path.name).touch()
    return target


def codes(region: Path) -> tuple[set[str], set[str]]:
    """Codes of the problems that the budget and a simulation see."""
    found = []
    for read in (read_facts, read_region):
        try:
            read(region)
            found.append(set())
        except InputError as error:
            found.append({problem.code for problem in error.problems})
    return found[0], found[1]


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "utf-8-sig"])
def test_tables_as_excel_saves_them_say_the_same(region: Path, encoding: str) -> None:
    plain, facts = read_region(region), read_facts(region)
    for path in region.glob("*.csv"):
        path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))
    again, same = read_region(region), read_facts(region)
    assert (repr(again.hospitals), again.districts, again.fund, again.enrolment) == (
        repr(plain.hospitals), plain.districts, plain.fund, plain.enrolment,
    )  # fmt: skip
    assert (same.names, same.fund, same.insured, same.registered, same.savings) == (
        facts.names, facts.fund, facts.insured, facts.registered, facts.savings,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "old", "new", "budget", "simulation"),
    [
        ("fund.csv", "22480000.00", "1e22", "budget-bad-number", "region-fund"),
        ("fund.csv", "22480000.00", "1e999999999", "budget-bad-number", "region-fund"),
        ("fund.csv", "22480000.00", "inf", "budget-bad-number", "region-fund"),
        ("fund.csv", "22480000.00", "nan", "budget-bad-number", "region-fund"),
        ("fund.csv", "budget_yuan", "budget", "budget-columns", "region-columns"),
        ("enrolment.csv", "2024,东湖区,employee,5447", "2024,东湖区,employee,-5447", "budget-bad-number", "region-enrolment"),
        ("enrolment.csv", "2024,东湖区,employee,5447", ",东湖区,employee,5447", "budget-bad-number", "region-enrolment"),
        ("enrolment.csv", "year,", "jahr,", "budget-columns", "region-columns"),
        ("enrolment.csv", "2024,东湖区,employee,5447", "2024,东湖区", "input-broken-line", "input-broken-line"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    region: Path, name: str, old: str, new: str, budget: str, simulation: str
) -> None:  # fmt: skip
    change(region / name, old, new)
    assert codes(region) == ({budget}, {simulation})


@pytest.mark.parametrize("value", ["inf", "-inf", "nan", "1e16", "-1e300"])
def test_an_indicator_is_a_finite_number(region: Path, value: str) -> None:
    (region / "indicators.csv").write_text(f"year,hospital_id,indicator,value\n2024,H001,coding,{value}\n", encoding="utf-8")
    with pytest.raises(InputError, match="budget-bad-number"):
        read_facts(region, ("coding",))


@pytest.mark.parametrize("name", ["fund.csv", "enrolment.csv"])
def test_a_header_alone_and_an_empty_file_are_told(region: Path, name: str) -> None:
    header = (region / name).read_text(encoding="utf-8").splitlines()[0]
    (region / name).write_text(header + "\n", encoding="utf-8")
    assert codes(region) == ({"input-no-rows"}, {"input-no-rows"})
    (region / name).write_text("", encoding="utf-8")
    assert codes(region) == ({"input-empty-file"}, {"input-empty-file"})


def test_two_files_of_one_year_are_refused(region: Path) -> None:
    (region / "discharges-2024.xlsx").touch()
    assert codes(region) == ({"region-year-twice"}, {"region-year-twice"})


def test_every_file_that_may_decide_a_run_is_in_its_record(region: Path) -> None:
    for name in OPTIONAL:
        (region / name).touch()
    (region / "notes.txt").touch()
    assert set(read_region(region).digests()) == {path.name for path in region.iterdir()} - {"notes.txt"}

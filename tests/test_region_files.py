"""The tables of a region: what Excel writes is read, what cannot be meant is refused, by ``budget`` and ``simulate`` alike."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from drgsim.budgets.region_preparation import prepare
from drgsim.budgets.terms import load_terms
from drgsim.errors import InputError
from drgsim.payment.policy import load_policy
from drgsim.region import region_tables
from drgsim.region.region_folder import read_region
from drgsim.region.region_tables import TABLES
from drgsim.simulation.simulated_region import Region
from tests.sample_region import SAMPLE, YEAR, fund_yuan, hospitals_by_size

TEXT = (SAMPLE / "enrolment.csv").read_text(encoding="utf-8")
ANY = hospitals_by_size()[0]
ENROLLED = ",".join(next(line for line in TEXT.splitlines() if line.startswith(f"{YEAR},")).split(",")[:4])
NEGATIVE = ",-".join(ENROLLED.rpartition(",")[::2])


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
    policy, terms = load_policy("beijing/2024"), load_terms("general")
    for read in (lambda folder: prepare(folder, policy, terms), Region.of):
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
    plain = read_region(region)
    for path in region.glob("*.csv"):
        path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))
    assert plain.savings
    assert plain.heads
    assert repr(read_region(region)) == repr(plain)


@pytest.mark.parametrize(
    ("name", "old", "new", "code"),
    [
        ("fund.csv", f"{fund_yuan('employee')}", "1e22", "region-bad-number"),
        ("fund.csv", f"{fund_yuan('employee')}", "1e999999999", "region-bad-number"),
        ("fund.csv", f"{fund_yuan('employee')}", "inf", "region-bad-number"),
        ("fund.csv", f"{fund_yuan('employee')}", "nan", "region-bad-number"),
        ("fund.csv", "budget_yuan", "budget", "region-columns"),
        ("enrolment.csv", ENROLLED, NEGATIVE, "region-bad-number"),
        ("enrolment.csv", ENROLLED, ENROLLED.removeprefix(str(YEAR)), "region-bad-number"),
        ("enrolment.csv", "year,", "jahr,", "region-columns"),
        ("enrolment.csv", ENROLLED, ",".join(ENROLLED.split(",")[:2]), "input-broken-line"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    region: Path, name: str, old: str, new: str, code: str
) -> None:  # fmt: skip
    change(region / name, old, new)
    assert codes(region) == ({code}, {code})


@pytest.mark.parametrize("value", ["inf", "-inf", "nan", "1e16", "-1e300"])
def test_an_indicator_is_a_finite_number(region: Path, value: str) -> None:
    (region / "indicators.csv").write_text(f"year,hospital_id,indicator,value\n{YEAR},{ANY},coding,{value}\n", encoding="utf-8")
    with pytest.raises(InputError, match="region-bad-number"):
        read_region(region)


def test_tables_that_state_more_money_than_can_be_summed_are_refused(region: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(region_tables, "MOST_MONEY", 100)
    with pytest.raises(InputError) as caught:
        read_region(region)
    assert [problem.code for problem in caught.value.problems] == ["region-too-much-money"]


@pytest.mark.parametrize("name", ["fund.csv", "enrolment.csv"])
def test_a_header_alone_and_an_empty_file_are_told(region: Path, name: str) -> None:
    header = (region / name).read_text(encoding="utf-8").splitlines()[0]
    (region / name).write_text(header + "\n", encoding="utf-8")
    assert codes(region) == ({"input-no-rows"}, {"input-no-rows"})
    (region / name).write_text("", encoding="utf-8")
    assert codes(region) == ({"input-empty-file"}, {"input-empty-file"})


def test_a_region_that_has_nothing_to_tell_of_procurement_is_read(region: Path) -> None:
    """As `drgsim synth` writes a region of one year: prices fall from the second year on."""
    header = (region / "procurement.csv").read_text(encoding="utf-8").splitlines()[0]
    (region / "procurement.csv").write_text(header + "\n", encoding="utf-8")
    found = read_region(region)
    assert (dict(found.savings), dict(found.surplus)) == ({}, {})


def test_two_files_of_one_year_are_refused(region: Path) -> None:
    (region / f"discharges-{YEAR}.xlsx").touch()
    assert codes(region) == ({"region-year-twice"}, {"region-year-twice"})


def test_every_file_that_may_decide_a_run_is_in_its_record(region: Path) -> None:
    rows = {
        "indicators.csv": f"year,hospital_id,indicator,value\n{YEAR},{ANY},coding,0.9",
        "payments.csv": f"year,month,hospital_id,unit,amount_yuan\n{YEAR},1,{ANY},per_diem,1",
        "adjustments.csv": f"year,hospital_id,item,amount_yuan\n{YEAR},{ANY},moved,-5",
        "advances.csv": f"hospital_id,date,amount_yuan\n{ANY},{YEAR}-02-03,5",
    }
    for name, text in rows.items():
        (region / name).write_text(text + "\n", encoding="utf-8")
    assert {path.name for path in region.glob("*.csv")} == set(TABLES)
    (region / "notes.txt").touch()
    assert set(read_region(region).digests()) == {path.name for path in region.iterdir()} - {"notes.txt"}


def test_words_of_payers_are_understood_and_what_no_terms_name_is_refused(region: Path) -> None:
    change(region / "fund.csv", "employee", "职工")
    (region / "indicators.csv").write_text(f"year,hospital_id,indicator,value\n{YEAR},{ANY},codng,1\n", encoding="utf-8")
    found = read_region(region)
    assert all(set(budget) == {"employee", "resident"} for budget in found.fund.values())
    with pytest.raises(InputError, match="did you mean coding"):
        found.check_indicators(("coding", "readmission"))


def test_a_budget_needs_a_fund_and_a_simulation_does_not(region: Path) -> None:
    (region / "fund.csv").unlink()
    assert codes(region) == ({"budget-no-fund"}, set())
    assert Region.of(region).fund_year(YEAR) is None


def test_what_was_read_serves_budgets_and_scenarios(region: Path) -> None:
    stated = read_region(region)
    shared = Region.of(stated)
    assert shared.hospitals is stated.hospitals
    assert Region.of(shared) is shared
    assert shared.registered(YEAR + 6, "diabetes") == stated.registered(YEAR, "diabetes") > 0

"""``drgsim report --for bureau``: of a file and of a region, in both languages; what is not known is said, never invented."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import drgsim
from drgsim.analysis.supervision_words import WORDS
from drgsim.api.report_verb import Report
from drgsim.errors import DrgsimError
from drgsim.language import speaking, spoken, text
from tests.sample_region import YEARS, discharges

REGION = drgsim.sample_path("region")


@pytest.fixture(scope="module")
def of_file() -> Report:
    table = pq.read_table(discharges(YEARS[-1]))
    return drgsim.report_on(table, "beijing/2024", audience="bureau", hospitals=REGION / "hospitals.csv")


@pytest.fixture(scope="module")
def of_region() -> Report:
    return drgsim.report_on(REGION, "beijing/2024", audience="bureau")


def page(report: Report, language: str, folder: Path) -> str:
    with speaking(language):
        return report.save(folder / f"{language}.html").read_text(encoding="utf-8")


def test_sums_of_hospitals_months_and_payers_are_those_of_the_cases(of_file: Report) -> None:
    hospitals, months, payers = (of_file.to_pandas(name) for name in ("hospitals", "months", "insurances"))
    for name in ("cost", "payment", "fund_payment"):
        assert hospitals[name].sum() == months[name].sum() == payers[name].sum()
    assert (hospitals.of_prices + hospitals.of_costs == hospitals.margin).all()
    assert hospitals.of_costs.sum() == 0
    assert hospitals.margin.sum() == hospitals.payment.sum() - hospitals.cost.sum()


def test_a_file_says_that_it_knows_no_budgets(of_file: Report, tmp_path: Path) -> None:
    assert "nothing is assumed in their place" in page(of_file, "en", tmp_path)
    shown = page(of_file, "zh", tmp_path)
    assert "报告也不作假设代替" in shown
    assert not any(name.startswith("budget_") for name in of_file.tables)


def test_a_region_adds_its_budgets(of_region: Report, tmp_path: Path) -> None:
    years = drgsim.budget(REGION, "beijing/2024", scheme=of_region.settled.schemes[0])
    last = years.years[-1]
    assert of_region.to_arrow("budget_hospitals").equals(years.hospitals)
    shown = page(of_region, "zh", tmp_path)
    assert f"{last.fund.budget / 1e6:,.1f}" in shown
    assert spoken(text("Monthly warning list"), "zh") in shown
    assert spoken(text("Points of the quality indicators"), "zh") in shown
    assert of_region.record["years"] == [year.year for year in years.years]
    assert len(shown) < 1_500_000


def test_every_list_stands_with_what_may_explain_it(of_file: Report, tmp_path: Path) -> None:
    for language in ("en", "zh"):
        shown = page(of_file, language, tmp_path)
        for words in WORDS.values():
            assert spoken(words.title, language) in shown
            assert spoken(words.innocent, language) in shown
    assert "They are no verdict" in page(of_file, "en", tmp_path / "again")


def test_the_page_names_no_patient(of_file: Report, tmp_path: Path) -> None:
    shown = page(of_file, "en", tmp_path)
    listed = of_file.to_pandas("supervision_cases")
    assert not any(name in shown for name in set(listed.patient_id) - {""})


def test_the_workbook_holds_every_table(of_file: Report, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(of_file.save(tmp_path / "r.xlsx"))
    rows = {sheet.max_row - 1 for sheet in book}
    for name in ("hospitals", "groups", "supervision_cases"):
        assert of_file.to_arrow(name).num_rows in rows, name


def test_points_of_a_kind_say_the_value_of_a_point(tmp_path: Path) -> None:
    table = pq.read_table(discharges(YEARS[-1])).slice(0, 1500)
    found = drgsim.report_on(table, "taian/2025", audience="bureau", scheme="dip-taian-2025", budget=9_000_000)
    values = found.to_pandas("unit_values")
    assert values.least.nunique() == 1
    assert values.paid_per_unit.iloc[0] == pytest.approx(found.settled.settlement.unit_values["*"], abs=0.02)
    assert "dip" in found.to_arrow("supervision_cases").column_names


def test_records_without_codes_get_no_lists_and_a_reason(tmp_path: Path) -> None:
    rows = [{"drg": "FR15", "total_cost": 9000 + n, "insurance": "employee", "hospital_id": f"H{n % 2}"} for n in range(30)]
    found = drgsim.report_on(pa.Table.from_pylist(rows), "beijing/2024", audience="bureau")
    assert "no supervision list can be made" in page(found, "en", tmp_path)
    assert "supervision_cases" not in found.tables


def test_a_region_takes_no_other_prices() -> None:
    with pytest.raises(DrgsimError) as refused:
        drgsim.report_on(REGION, "beijing/2024", audience="bureau", budget=1_000_000)
    assert [problem.code for problem in refused.value.problems] == ["report-region-prices"]


def test_a_region_stands_for_its_last_year_to_a_hospital() -> None:
    found = drgsim.report_on(REGION, "beijing/2024", audience="hospital", hospital="H009")
    assert found.settled.size == pq.read_metadata(discharges(YEARS[-1])).num_rows


def test_reports_of_a_region_say_at_which_prices_they_pay_and_that_the_other_differs(of_region: Report, tmp_path: Path) -> None:
    hospital = drgsim.report_on(REGION, "beijing/2024", audience="hospital")
    for made, words in (
        (hospital, {"en": "Paid at the prices that beijing/2024 states", "zh": "可能按基金支付水平折算费率"}),
        (of_region, {"en": "Paid at the prices of beijing/2024 scaled", "zh": "用未折算的费率"}),
    ):
        for language, said in words.items():
            assert said in spoken(made.lead, language)
            assert said in page(made, language, tmp_path / made.audience)
    listed = of_region.to_arrow("assumptions").num_rows
    assert f"Rests on {listed} assumptions" in page(of_region, "en", tmp_path / "again")

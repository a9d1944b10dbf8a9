"""``drgsim report --for research``: the page and the workbook say what the figures are, in both languages, of DRG and DIP."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
import pytest

import drgsim
from drgsim.api.report_verb import Report
from drgsim.language import speaking
from tests.sample_region import YEARS, discharges


@pytest.fixture(scope="module")
def research() -> Report:
    return drgsim.report_on(pq.read_table(discharges(YEARS[-1])), "beijing/2024", audience="research")


def page(report: Report, language: str, folder: Path) -> str:
    with speaking(language):
        return report.save(folder / f"{language}.html").read_text(encoding="utf-8")


def test_the_page_says_how_well_groups_explain_costs(research: Report, tmp_path: Path) -> None:
    measures = {row["way"]: row for row in research.to_arrow("explained_costs").to_pylist() if row["scope"] == "all"}
    for language, words in (("en", "a hint, not a test"), ("zh", "仅供参考，未经检验")):
        shown = page(research, language, tmp_path)
        assert words in shown
        for way in ("untrimmed", "trimmed", "capped", "logarithms"):
            assert f"{100 * measures[way]['r2']:.1f} %" in shown
        assert len(shown) < 1_500_000
    assert "How much the groups explain" not in page(research, "zh", tmp_path / "x")


def test_the_tables_hold_every_group_and_the_workbook_too(research: Report, tmp_path: Path) -> None:
    groups = research.to_arrow("group_evaluation")
    assert groups["cases"].to_numpy().sum() == research.to_arrow("explained_costs")["cases"][0].as_py()
    drawn = research.to_arrow("cost_distributions").to_pandas().groupby("group")["cases"].sum()
    counted = dict(zip(groups["group"].to_pylist(), groups["cases"].to_pylist(), strict=True))
    assert all(counted[group] == cases for group, cases in drawn.items())
    book = openpyxl.load_workbook(research.save(tmp_path / "r.xlsx"))
    assert any(sheet.max_row == groups.num_rows + 1 for sheet in book)


def test_kinds_of_dip_have_no_families(tmp_path: Path) -> None:
    table = pq.read_table(discharges(YEARS[-1])).slice(0, 1500)
    found = drgsim.report_on(table, "taian/2025", scheme="dip-taian-2025", audience="research")
    flags = {flag for line in found.to_arrow("group_evaluation")["flags"].to_pylist() for flag in line.split("|")}
    assert not flags & {"inverted", "alike"}
    assert set(found.to_arrow("explained_costs")["scope"].to_pylist()) <= {"all", ""}


def test_groups_that_nobody_knows_are_evaluated_and_not_divided(tmp_path: Path) -> None:
    rows = [{"drg": f"X{n % 3}", "total_cost": 1000 + 10 * n, "insurance": "employee"} for n in range(60)]
    found = drgsim.report_on(rows, audience="research")
    assert found.to_arrow("group_evaluation").num_rows == 3
    assert "so that no division of a group can be tried" in page(found, "en", tmp_path)

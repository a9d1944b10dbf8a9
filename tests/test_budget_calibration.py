"""The published figures of section 0 under two regimes, and that it is the incentive that moves them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from drgsim.budgets.calibration import Calibration, calibrate, load_settings
from drgsim.budgets.hospital_figures import HospitalFigures
from drgsim.budgets.region_preparation import prepare
from drgsim.budgets.terms import BudgetError, load_terms
from drgsim.cli.main import app
from drgsim.payment.policy import load_policy
from tests.conftest import ROOT
from tests.sample_region import SAMPLE

SHIPPED = ROOT / "payment_tables" / "beijing" / "calibration.yaml"


@pytest.fixture(scope="module")
def region() -> HospitalFigures:
    return prepare(SAMPLE, load_policy("national/2.0"), load_terms("general")).figures


def _run(region: HospitalFigures, folder: Path, *edits: tuple[str, str]) -> Calibration:
    text = SHIPPED.read_text(encoding="utf-8")
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    path = folder / "calibration.yaml"
    path.write_text(text, encoding="utf-8")
    return calibrate(region, *load_settings(path))


def test_section_0_surplus_and_growth_are_reproduced(region: HospitalFigures) -> None:
    result = calibrate(region, *load_settings())
    assert result.reproduced, result.results
    assert result.results["surplus_before"] == (0.27, pytest.approx(0.27, abs=0.04))
    assert result.results["surplus_after"] == (0.55, pytest.approx(0.55, abs=0.04))
    assert result.results["growth_before"] == (0.19, pytest.approx(0.19, abs=0.01))
    assert result.results["growth_after"] == (0.05, pytest.approx(0.05, abs=0.01))
    assert result.years[0].figures.size == 2939
    for year in result.years:
        assert year.fund.paid + year.fund.balance == year.fund.budget
        assert not year.cash.difference.any()
    again = calibrate(region, *load_settings())
    assert again.table.equals(result.table)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_other_panels_give_about_the_same(region: HospitalFigures, tmp_path: Path, seed: int) -> None:
    result = _run(region, tmp_path, ("value: 2013, unit: seed", f"value: {seed}, unit: seed"))
    assert result.results["surplus_before"][1] == pytest.approx(0.27, abs=0.05)
    assert result.results["surplus_after"][1] == pytest.approx(0.55, abs=0.05)
    assert result.results["growth_before"][1] == pytest.approx(0.19, abs=0.015)
    assert result.results["growth_after"][1] == pytest.approx(0.05, abs=0.015)


def test_without_the_new_sharing_growth_stays(region: HospitalFigures, tmp_path: Path) -> None:
    """The same planned budgets with item-based sharing: it is the incentive that brings growth down."""
    result = _run(region, tmp_path, ("sharing.use: example-shared", "sharing.use: by-item"))
    assert result.results["growth_after"][1] > 0.15
    assert result.results["surplus_after"][1] < result.results["surplus_before"][1]
    assert not result.reproduced


def test_without_induced_growth_the_regime_changes_nothing(region: HospitalFigures, tmp_path: Path) -> None:
    result = _run(region, tmp_path, ("induced_growth: {value: 0.165", "induced_growth: {value: 0"))
    assert result.results["growth_before"][1] == pytest.approx(0.025, abs=0.01)


def test_the_command(tmp_path: Path) -> None:
    target = tmp_path / "out"
    result = CliRunner().invoke(app, ["calibrate", str(SAMPLE), "-o", str(target)])
    assert result.exit_code == 0, result.output
    assert "a check, not an estimate" in result.output
    record = json.loads((target / "run.json").read_text(encoding="utf-8"))
    assert record["reproduced"] is True
    assert "behaviour.induced_growth" in record["assumptions"]
    assert not {name for name in record["assumptions"] if name.startswith("facts.")}
    assert {path.name for path in target.iterdir()} == {"run.json", "years.parquet", "calibration.html"}


def test_mistakes_in_the_file_are_told_at_once(tmp_path: Path) -> None:
    raw = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    raw["behaviour"]["sprad"] = raw["behaviour"].pop("spread")
    raw["panel"]["size_spread"]["value"] = -1
    path = tmp_path / "c.yaml"
    path.write_text(yaml.safe_dump(raw), encoding="utf-8")
    with pytest.raises(BudgetError) as caught:
        load_settings(path)
    assert len(caught.value.problems) == 3
    assert any("did you mean spread" in problem.fix for problem in caught.value.problems)


def test_a_region_needs_hospitals_of_every_level(region: HospitalFigures) -> None:
    from dataclasses import replace

    settings, digest = load_settings()
    only = replace(region, levels=(("3",),) * region.size)
    with pytest.raises(BudgetError, match="budget-no-level"):
        calibrate(only, settings, digest)

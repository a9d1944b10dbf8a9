"""Budgets under policies without a table of groups: given weights, weights from the region's own past, every shipped policy."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import drgsim
from drgsim.api.budget_verbs import BudgetYears
from drgsim.cli.main import app
from drgsim.errors import DrgsimError, UsageError
from drgsim.payment.policy import load_policy
from drgsim.payment.price_table import PriceTable
from drgsim.region.region_folder import RegionFolder
from drgsim.simulation.pricing import Memory, with_table
from tests.payment_policies import WRITTEN_POLICIES
from tests.sample_region import SAMPLE, YEAR, YEARS, discharges
from tests.simulating import baseline_of
from tests.simulating import region as simulated

FIRST, SECOND, _ = YEARS
NINGBO = "ningbo/2022"
REFUSED = {
    "budget-mostly-unpaid": {"harbin/2023", "harbin/2024", "xian/2024"},  # no unit value for a payer or level
    "settle-not-grouped": {  # kinds of DIP, or groups of a table of their own, and no scheme that makes them
        "jining/undated", "mianyang/undated", "national/dip-1.0", "national/dip-3.0-draft", "quanzhou/undated",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def sample() -> RegionFolder:
    return drgsim.load_region(SAMPLE)


@pytest.fixture(scope="module")
def ningbo(sample: RegionFolder) -> BudgetYears:
    return drgsim.budget(sample, NINGBO, terms="general")


def table_of(years: BudgetYears, year: int) -> PriceTable:
    prices = years.prepared.settlements[year].ledger.policy.prices
    assert prices is not None
    return prices


def test_ningbo_is_budgeted_by_one_command(tmp_path: Path) -> None:
    target = tmp_path / "budget-ningbo"
    call = ["budget", str(SAMPLE), "--policy", NINGBO, "--terms", "general", "--output", str(target)]
    result = CliRunner().invoke(app, call)
    assert result.exit_code == 0, result.output
    record = json.loads((target / "run.json").read_text(encoding="utf-8"))
    assert record["weights"] == {
        "source": "history", "scheme": "chs-drg-2.0", "scale": 100.0,
        "years": {str(FIRST): [FIRST], str(SECOND): [FIRST], str(YEAR): [FIRST, SECOND]},
    }  # fmt: skip
    told = " ".join(record["notes"])
    assert f"{FIRST} from {FIRST}; {SECOND} from {FIRST}; {YEAR} from {FIRST}, {SECOND}" in told
    assert "groups of chs-drg-2.0; relative value = 100 x weight; assumption" in told
    assert "names no scheme: the national one is assumed, chs-drg-2.0" in told
    assert told.split("ningbo/2022 has no table")[1][:40] in (target / "budget.html").read_text(encoding="utf-8")


def test_the_ledgers_of_ningbo_end_at_zero_and_use_above_the_index_is_warned(ningbo: BudgetYears) -> None:
    assert [year.year for year in ningbo.years] == [SECOND, YEAR]
    for year in ningbo.years:
        assert not year.cash.difference.any()
        assert year.fund.paid + year.fund.balance == year.fund.budget
        warned = year.warnings.warned
        assert np.array_equal(warned, year.warnings.used > year.warnings.to_date), "above 100 % of the index of the period"
        assert warned.any()
        assert not warned.all()
    normal = ningbo.prepared.settlements[YEAR].summaries["case_class"].to_pydict()
    paid = dict(zip(normal["case_class"], normal["cases"], strict=True))
    assert paid["normal"] > 0.8 * sum(paid.values())


def test_weights_from_history_are_those_of_a_scenario(ningbo: BudgetYears) -> None:
    setup = baseline_of(NINGBO, "{scheme: chs-drg-2.0, weights.source: history, rate.source: policy}")
    for year in YEARS:
        own, other = table_of(ningbo, year), with_table(setup, simulated(), year, Memory()).prices
        assert other is not None
        assert own.codes == other.codes
        assert np.array_equal(own.numbers["weight"], other.numbers["weight"])


@pytest.fixture(scope="module")
def two_years(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The last year and its only year before, so that one table of weights serves both."""
    target = tmp_path_factory.mktemp("two") / "region"
    shutil.copytree(SAMPLE, target)
    discharges(FIRST, target).unlink()
    return target


@pytest.mark.parametrize("changes", [{}, {"budget.measure.price_level": "level", "unit_value.*": "*1.1"}])
def test_given_weights_pay_as_the_same_from_history(two_years: Path, tmp_path: Path, changes: dict[str, str]) -> None:
    history = drgsim.budget(two_years, NINGBO, terms="general", changes=changes)
    assert history.record["weights"]["years"] == {str(SECOND): [SECOND], str(YEAR): [SECOND]}
    # both years' weights are from one year, but a group that it gives none is only in the table of a year that pays it
    tables = [
        dict(zip(each.codes, each.numbers["weight"], strict=True)) for each in (table_of(history, y) for y in (SECOND, YEAR))
    ]
    assert all(tables[0][code] == tables[1][code] for code in tables[0].keys() & tables[1].keys())
    values = tables[0] | tables[1]
    weights = pa.table({"drg": list(values), "weight": list(values.values())})
    pc.write_csv(weights, tmp_path / "weights.csv")
    for given in (weights, tmp_path / "weights.csv", tmp_path):
        found = drgsim.budget(two_years, NINGBO, terms="general", weights=given, changes=changes)
        assert found.hospitals.equals(history.hospitals)
        assert found.fund.equals(history.fund)
        assert found.prepared.price_factors == history.prepared.price_factors
        for year, settlement in found.prepared.settlements.items():
            assert np.array_equal(settlement.amount, history.prepared.settlements[year].amount)
        assert found.record["weights"]["source"] == "given"
        assert "x 100" in found.record["weights"]["values"]
        assert {"weights", "weights.csv"} & set(found.record["inputs"])
    scaled = drgsim.budget(two_years, NINGBO, terms="general", weights=weights, weights_scale=50, changes=changes)
    assert "x 50" in scaled.record["weights"]["values"]


def test_given_weights_go_before_a_table_and_keep_the_price_level(two_years: Path) -> None:
    """Prices scaled to a region keep relative values that are no part of the file of the policy."""
    own = load_policy("beijing/2024").prices
    assert own is not None
    weights = pa.table({"drg": list(own.codes), "weight": np.ones(len(own.codes))})
    found = drgsim.budget(two_years, "beijing/2024", weights=weights)
    policy = found.prepared.policy
    assert found.prepared.price_factors
    assert policy.prices is not None
    assert set(policy.prices.relative_value[1].tolist()) == {1.0}
    assert policy.file.relative_value.table is not None
    assert policy.file.relative_value.table.file == "weights"
    assert not policy.file.relative_value.standard_from_table


def test_a_scale_without_weights_is_refused(sample: RegionFolder) -> None:
    with pytest.raises(UsageError) as caught:
        drgsim.budget(sample, NINGBO, terms="general", weights_scale=100)
    assert [problem.code for problem in caught.value.problems] == ["usage-no-weights"]


def test_cases_that_state_their_weight_need_no_history(two_years: Path, tmp_path: Path) -> None:
    region = tmp_path / "region"
    shutil.copytree(two_years, region)
    for year in (SECOND, YEAR):
        path = discharges(year, region)
        table = pq.read_table(path)
        pq.write_table(table.append_column("relative_weight", pa.array(np.ones(table.num_rows))), path)
    found = drgsim.budget(region, NINGBO, terms="general")
    assert "weights" not in found.record


@pytest.mark.parametrize("policy", WRITTEN_POLICIES)
def test_every_shipped_policy_is_budgeted_or_refused_with_a_reason(sample: RegionFolder, policy: str) -> None:
    expected = next((code for code, names in REFUSED.items() if policy in names), None)
    if expected is not None:
        with pytest.raises(DrgsimError) as caught:
            drgsim.budget(sample, policy, terms="general")
        assert {problem.code for problem in caught.value.problems} == {expected}
        return
    found = drgsim.budget(sample, policy, terms="general")
    assert not any(year.cash.difference.any() for year in found.years)
    of_policy = found.prepared.policy.file.relative_value.table is not None
    assert ("weights" in found.record) == (not of_policy and found.prepared.policy.file.relative_value.unit != "score")

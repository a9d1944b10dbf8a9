"""``drgsim budget`` on the sample region: results, their record, what is refused, and what every parameter moves."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import yaml
from python_calamine import CalamineWorkbook
from typer.testing import CliRunner

from drgsim.budgets.budget_doubts import doubts
from drgsim.budgets.budget_tables import budget_tables
from drgsim.budgets.budget_year import BudgetYear, budget_year, budget_years
from drgsim.budgets.case_bills import UNITS, by_item
from drgsim.budgets.hospital_figures import figures_of
from drgsim.budgets.region_preparation import PreparedRegion, prepare, price_factors, scale_prices, settle_year
from drgsim.budgets.terms import BudgetError, BudgetTerms, load_terms, terms_names, terms_schema
from drgsim.budgets.years_ahead import figures_ahead
from drgsim.cli.main import app
from drgsim.errors import DrgsimError, InputError, UsageError
from drgsim.money import MISSING
from drgsim.payment.grouped_files import read_grouped
from drgsim.payment.policy import load_policy
from drgsim.records.vocabulary import INSURANCES
from tests.budget_figures import in_pools
from tests.conftest import ROOT
from tests.sample_region import SAMPLE, YEAR, YEARS, discharges, fund_yuan, hospitals_by_size

TABLES = ROOT / "payment_tables"
runner = CliRunner()


@pytest.fixture(scope="module")
def terms() -> BudgetTerms:
    return load_terms("beijing/2024")


@pytest.fixture(scope="module")
def prepared(terms: BudgetTerms) -> PreparedRegion:
    return prepare(SAMPLE, load_policy("beijing/2024"), terms)


@pytest.fixture(scope="module")
def years(prepared: PreparedRegion, terms: BudgetTerms) -> list[BudgetYear]:
    return budget_years(prepared.figures, terms)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("budget") / "out"
    result = runner.invoke(app, ["budget", str(SAMPLE), "--policy", "beijing/2024", "--output", str(target)])
    assert result.exit_code == 0, result.output
    assert f"Budget of {YEAR}" in result.output
    assert "65 of 72 budget parameters are assumptions" in result.output
    return target


# -- the sample --------------------------------------------------------------------------------------------------------
def test_figures_agree_with_the_settlement(prepared: PreparedRegion) -> None:
    figures = prepared.figures
    for place, year in enumerate(figures.years):
        settlement = prepared.settlements[year]
        insured = settlement.ledger.cases.insurance != 2
        paid = (settlement.fund_payment != MISSING) & insured
        of_cases = figures.payment - figures.stated  # outpatient care stands beside the discharges
        assert of_cases[:, place].sum() == settlement.fund_payment[paid].sum()
        assert figures.cases[:, place].sum() == insured.sum()
    hospitals = prepared.settlements[YEAR].summaries["hospital"].to_pydict()
    index = dict(zip(hospitals["hospital"], hospitals["time_index"], strict=True))
    measured = figures.indicators[:, -1, figures.indicator_names.index("time_index")]
    assert measured == pytest.approx([index[name] for name in figures.hospitals], rel=0.02)
    assert ((figures.indicators >= 0) | np.isnan(figures.indicators)).all()


def test_history_is_what_the_fund_paid_by_item(prepared: PreparedRegion) -> None:
    """What patients left of the bill: to the fen, records that are broken on purpose included."""
    for place, year in enumerate(YEARS):
        table = pq.read_table(discharges(year), columns=["insurance", "total_cost", "patient_paid"]).to_pandas()
        sound = table[(table.insurance != "self") & (table.patient_paid >= 0) & (table.total_cost >= 0)]
        left = (100 * (sound.total_cost - sound.patient_paid)).astype(int).clip(lower=0)
        figures = prepared.figures
        assert figures.spending[:, place].sum() - figures.stated[:, place].sum() == left.sum(), year


def test_prices_meet_the_level_of_the_region(prepared: PreparedRegion) -> None:
    """At the bills of the cases that are paid; invalid records are not."""
    figures, settlement = prepared.figures, prepared.settlements[YEARS[0]]
    cases = settlement.ledger.cases
    paid = (settlement.amount != MISSING) & (cases.insurance != INSURANCES.index("self"))
    level_of, names = cases.plain_levels
    for level in "123":
        bills = by_item(cases)[paid & (np.array(names)[level_of] == level)].sum()
        ratio = (figures.payment - figures.stated)[figures.level == level, 0].sum() / bills
        assert ratio == pytest.approx(1, abs=0.002), level


def test_a_higher_rate_stays_higher_at_the_price_level_of_the_region(prepared: PreparedRegion) -> None:
    policy = load_policy("beijing/2024")
    table, _ = read_grouped([discharges()], policy.file.scheme)
    changed = policy.changed({"relative_value.standard_from_table": False, "unit_value.*": "*1.03"})
    higher = settle_year(table, scale_prices(changed, prepared.price_factors), prepared.region, YEAR)
    plain = prepared.settlements[YEAR].fund_payment
    assert higher.fund_payment[higher.fund_payment > 0].sum() > 1.02 * plain[plain > 0].sum()


def test_the_order_of_cases_changes_nothing(prepared: PreparedRegion, terms: BudgetTerms, years: list[BudgetYear]) -> None:
    shuffled = []
    for year, path in zip(YEARS, map(discharges, YEARS), strict=True):
        table, _ = read_grouped([path], prepared.policy.file.scheme)
        order = np.random.default_rng(year).permutation(table.num_rows)
        shuffled.append(settle_year(table.take(order), prepared.policy, prepared.region, year))
    again = budget_years(figures_of(shuffled[::-1], terms, prepared.region), terms)
    for name, table in budget_tables(years).items():
        assert budget_tables(again)[name].equals(table), name


def test_all_years_in_one_settlement_give_the_same_money(prepared: PreparedRegion, terms: BudgetTerms) -> None:
    tables = [read_grouped([path], prepared.policy.file.scheme)[0] for path in map(discharges, YEARS)]
    whole = settle_year(pa.concat_tables(tables), prepared.policy, prepared.region, YEAR)
    figures = figures_of(whole, terms, prepared.region)
    assert figures.years == YEARS
    assert np.array_equal(figures.payment, prepared.figures.payment)
    assert np.array_equal(figures.people, prepared.figures.people)


def test_problems_of_the_years_are_told_once(prepared: PreparedRegion) -> None:
    codes = [problem.code for problem in prepared.problems]
    assert len(codes) == len(set(codes))
    told = next(problem.what for problem in prepared.problems if problem.code == "settle-bad-patient_paid")
    paid = {year: pq.read_table(discharges(year))["patient_paid"] for year in YEARS}
    broken = {year: pc.sum(pc.less(amounts, 0)).as_py() for year, amounts in paid.items()}
    assert all(broken.values()), "the sample has negative payments of patients in every year"
    assert told.startswith(f"{sum(broken.values())} cases are not paid")
    assert told.endswith(f"({', '.join(f'{year}: {count}' for year, count in broken.items())})")


def test_the_sample_year(years: list[BudgetYear]) -> None:
    last = years[-1]
    assert last.fund.budget == 100 * (fund_yuan("employee") + fund_yuan("resident"))
    assert last.fund.reserve + last.fund.adjustment_fund + last.fund.index == last.fund.budget
    assert not last.cash.difference.any()
    assert 0 < last.in_surplus.sum() < last.figures.size
    assert last.warnings.warned.any()
    for year in years:
        assert year.warnings.used[:, -1].tolist() == year.recorded.tolist(), "December is what clearing counts"
        assert np.array_equal(year.warnings.ratio[:, -1], year.ratio)
        assert (np.diff(year.warnings.used, axis=1, prepend=0) >= 0).all()
    assert (last.recorded < last.units.sum(axis=1)).any(), "the sample has procurement surplus"
    completion = last.figures.indicator_names.index("procurement_completion")
    assert not np.isnan(last.scores.points[:, completion]).any()
    first = last.figures.indicators[:, 0, completion]
    assert np.isnan(first).all(), "procurement starts in the second year"
    assert years[0].scores_before is not None
    assert years[0].scores_before.weights.sum(axis=1) == pytest.approx(1)


def test_a_hospital_that_treats_nobody_is_paid_nothing_and_told(prepared: PreparedRegion, terms: BudgetTerms) -> None:
    at, place = 2, prepared.figures.hospitals.index(hospitals_by_size("1")[-1])
    cases, payment, procurement = (
        getattr(prepared.figures, name).copy() for name in ("cases", "payment", "procurement")
    )  # fmt: skip
    for amounts in (cases, payment, procurement):
        amounts[place, at] = 0
    year = budget_year(replace(prepared.figures, cases=cases, payment=payment, procurement=procurement), terms, YEAR)
    assert year.index.index[place] > 0
    assert year.settled[place] == year.received[place] == year.recorded[place] == 0
    assert not year.in_surplus[place]
    assert not year.cash.difference.any()
    assert year.fund.budget == year.fund.paid + year.fund.balance
    assert [problem.code for problem in doubts([year])] == ["budget-no-cases"]


def test_entered_amounts_that_cannot_be_meant_are_told(prepared: PreparedRegion, terms: BudgetTerms) -> None:
    figures = prepared.figures
    deductions, moved = figures.deductions.copy(), figures.moved.copy()
    one, other = hospitals_by_size("2")[:2]
    deductions[figures.hospitals.index(one), 2] = 10**13
    moved[figures.hospitals.index(other), 2] = -(10**13)
    year = budget_year(replace(figures, deductions=deductions, moved=moved), terms, YEAR)
    told = {problem.code: problem.what for problem in doubts([year])}
    assert list(told) == ["budget-deduction-above-due", "budget-moved-above-base"]
    assert told["budget-deduction-above-due"].startswith(f"{one} in {YEAR}: 100,000,000,000.00 yuan is deducted")
    assert told["budget-moved-above-base"].startswith(f"{other} in {YEAR}: services of -100,000,000,000.00 yuan are moved")


def test_the_sample_raises_no_doubt(years: list[BudgetYear]) -> None:
    assert doubts(years) == []


# -- every parameter moves something ---------------------------------------------------------------------------------------
SPECIAL: dict[str, Any] = {
    "index.base": "bills", "index.year_weights": [1.0], "index.timing": "actual", "index.lag": "compounded",
    "outpatient.use": False, "outpatient.pays": "by_visit", "cash.payment_lag": 2, "cash.clearing_month": 3,
    "fund.closing": "at_most",
    "fund.cover": "full",
    "quality.compare": "region", "sharing.use": "by-item", "sharing.carry_over": True, "warning.season": "even",
    "capitation.use": True, "pools.use": "apart", "capitation.levels": ["3"],
}  # fmt: skip
NUMBERS = {
    "people": "elasticity", "volume": "elasticity", "cmi": "elasticity", "quality": "per_point", "limits": "high",
    "procurement": "share", "release": "none_below", "overspend": "unborne", "advance": "months",
}  # fmt: skip


def _changed(terms: BudgetTerms, path: str) -> BudgetTerms:
    if path in SPECIAL:
        raw = json.loads(json.dumps(terms.raw, default=str))
        node = raw
        for part in path.split("."):
            node = node[part]
        node["value"] = SPECIAL[path]
        return BudgetTerms(type(terms.file).model_validate(raw), "changed", raw)
    node = terms.raw
    for part in path.split("."):
        node = node[part]
    if "value" in node:
        return terms.changed({path: node["value"] * 0.5 if node["value"] else 0.05})
    if "values" in node:
        key, value = next(iter(node["values"].items()))
        return terms.changed({f"{path}.{key}": value * 0.5 if value else 0.05})
    if path.startswith("sharing.schedules"):
        return terms.changed({f"{path}.surplus.2.fund_share": 0.3, f"{path}.overspend.0.fund_share": 0.4})
    if "targets" in path:
        return terms.changed({f"{path}.best": node["best"] + 0.5 * (node["worst"] - node["best"])})
    name = NUMBERS[path.split(".")[-1]]
    return terms.changed({f"{path}.{name}": node[name] * 0.6 + 0.0001 if name != "high" else 1.01})


def test_every_parameter_moves_a_result_or_says_why_not(prepared: PreparedRegion, terms: BudgetTerms) -> None:
    """Figures are shaken so that every rule meets a case: an overspend that the fund cannot bear, a limit that binds."""
    rng = np.random.default_rng(1)
    base = prepared.figures
    figures = replace(base, spending=(base.spending * rng.uniform(0.6, 1.5, (base.size, 3, 1))).astype(np.int64))
    figures = replace(
        figures, payment=base.payment.copy(), fund=np.array([figures.fund[0], -1, 2 * figures.fund[2]])
    )  # one year tight, one generous
    figures.payment[:, 1] += figures.payment[:, 1] // 2
    stated = np.zeros_like(figures.stated)
    stated[..., UNITS.index("outpatient")] = figures.spending // 5
    visits = figures.cases * rng.integers(20, 60, figures.cases.shape)
    figures = replace(
        figures, stated=stated, payment=figures.payment + stated, spending=figures.spending + stated.sum(axis=3), visits=visits,
        heads=visits // 3, outpatient_cost=2 * stated.sum(axis=(2, 3)),
    )  # fmt: skip
    figures = in_pools(figures)
    narrow = terms.changed({"fund.reserve": 0.0001, "fund.adjustment_fund": 0.0001})

    def facts(chosen: BudgetTerms) -> list[Any]:
        found = []
        for year in budget_years(figures_ahead(figures, chosen, prepared.region, YEAR + 2), chosen):
            found += [year.liquidity.balance, year.carried_overspend, year.figures.insured]
            found += [year.index.waterfall, year.settled, year.cash.paid["clearing"], year.cash.paid["prepayment"]]
            found += [year.cash.paid["monthly"], year.warnings.attention, year.warnings.warned, year.fund.balance]
            found += [year.units, year.carried_out, year.procurement_kept]
        return found

    before = facts(narrow)
    still = []
    for parameter in narrow.parameters:
        path = parameter.path
        if path in narrow.inactive or path.startswith("measure."):
            continue
        after = facts(_changed(narrow, path))
        if all(np.array_equal(one, other) for one, other in zip(before, after, strict=True)):
            still.append(path)
    assert still == []
    assert set(narrow.inactive) <= {parameter.path for parameter in narrow.parameters}


@pytest.mark.parametrize(
    "change", [{"measure.low_weight": 0.3}, {"measure.readmission_days": 60}, {"measure.spending": "by_units"}]
)
def test_what_the_figures_are_taken_from_matters(prepared: PreparedRegion, terms: BudgetTerms, change: dict[str, Any]) -> None:
    figures = figures_of(list(prepared.settlements.values()), terms.changed(change), prepared.region)
    after = budget_year(figures, terms, YEAR)
    assert not np.array_equal(after.index.index, budget_year(prepared.figures, terms, YEAR).index.index)


def test_inactive_parameters_move_nothing(prepared: PreparedRegion, terms: BudgetTerms, years: list[BudgetYear]) -> None:
    changed = terms.changed({
        "capitation.risk": 2, "capitation.per_head.diabetes": 9999, "sharing.schedules.by-item.surplus.0.fund_share": 0,
    })  # fmt: skip
    assert {"capitation.risk", "capitation.per_head", "sharing.schedules.by-item"} <= set(terms.inactive)
    for one, other in zip(years, budget_years(prepared.figures, changed), strict=True):
        assert np.array_equal(one.cash.received, other.cash.received)


# -- the command -------------------------------------------------------------------------------------------------------
def test_files_of_a_run(folder: Path, years: list[BudgetYear]) -> None:
    names = ("hospitals", "index", "quality", "units", "warnings", "ledger", "liquidity", "fund", "terms")
    assert {path.name for path in folder.iterdir()} == {
        *(f"{name}.parquet" for name in names), "run.json", "budget.xlsx", "budget.html",
    }  # fmt: skip
    hospitals = pq.read_table(folder / "hospitals.parquet")
    assert hospitals.schema.field("index").type == pa.decimal128(18, 2)
    assert hospitals.num_rows == 2 * len(hospitals_by_size())
    keys = ["year", "hospital_id"]
    order = [(name, "ascending") for name in keys]
    index = pq.read_table(folder / "index.parquet").group_by(keys).aggregate([("amount", "sum")]).sort_by(order)
    assert index["amount_sum"].to_pylist() == hospitals["index"].to_pylist()
    ledger = (
        pq.read_table(folder / "ledger.parquet").group_by(["year", "hospital_id"]).aggregate([("due", "sum"), ("paid", "sum")])
    )
    assert ledger["due_sum"].to_pylist() == ledger["paid_sum"].to_pylist()
    sheets = CalamineWorkbook.from_path(str(folder / "budget.xlsx"))
    assert sheets.sheet_names == [
        "About", "Overview", "Hospitals", "Index", "Quality", "Payment units", "Monthly warnings", "Ledger", "Cash by month",
        "Fund", "Terms",
    ]  # fmt: skip
    rows = sheets.get_sheet_by_name("Hospitals").to_python()
    assert len(rows) == 1 + hospitals.num_rows
    listed = sheets.get_sheet_by_name("Terms").to_python()
    assert sum(row[listed[0].index("Evidence")] == "assumption" for row in listed) == 65
    page = (folder / "budget.html").read_text(encoding="utf-8")
    for words in (
        "Monthly warning list", "Sharing of surplus and overspend", "How the index comes about", "Ledger: ",
        "65 of 72 budget parameters are assumptions", "Rests on 65 assumptions",
    ):  # fmt: skip
        assert words in page
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert [note for note in record["notes"] if "index.growth (5 %) cancels" in note]
    assert [year["year"] for year in record["years"]] == [*YEARS[1:]]
    assert all(year["largest_ledger_difference_fen"] == 0 for year in record["years"])
    assert "budget.index.growth" in record["assumptions"]


def test_the_same_inputs_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    result = runner.invoke(app, ["budget", str(SAMPLE), "-p", "beijing/2024", "-o", str(again), "--quiet"])
    assert result.exit_code == 0
    assert result.output == ""
    for path in sorted(folder.iterdir()):
        assert (again / path.name).read_bytes() == path.read_bytes(), path.name


def test_changes_and_terms_by_option(tmp_path: Path) -> None:
    call = ["budget", str(SAMPLE), "-p", "suzhou/2023", "--terms", "harbin/2024", "--year", str(YEAR), "--json"]
    changes = ["--set", "budget.sharing.use=by-item", "--set", "budget.measure.price_level=region"]
    result = runner.invoke(app, [*call, *changes, "-o", str(tmp_path / "a")])
    assert result.exit_code == 0, result.output
    record = json.loads(result.stdout)
    assert record["terms"] == "harbin/2024"
    assert list(record["price_factors"]) == ["*"]
    assert [year["year"] for year in record["years"]] == [YEAR]
    used = pq.read_table(tmp_path / "a" / "terms.parquet").to_pylist()
    assert next(row for row in used if row["parameter"] == "budget.sharing.use")["value"] == "by-item"


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (["nowhere", "-p", "beijing/2024"], "region-not-found"),
        ([str(SAMPLE), "-p", "beijing/2022"], "budget-no-terms"),
        ([str(SAMPLE), "-p", "beijing/2024", "--terms", "generl"], "budget-unknown-terms"),
        ([str(SAMPLE), "-p", "beijing/2024", "--set", "budget.index.grwth=1"], "budget-unknown-path"),
        ([str(SAMPLE), "-p", "beijing/2024", "--set", "budget.sharing.use=nobody"], "budget-bad-value"),
        ([str(SAMPLE), "-p", "beijing/2024", "--year", str(YEARS[0])], "budget-no-history"),
        ([str(SAMPLE), "-p", "harbin/2024", "--terms", "general"], "budget-mostly-unpaid"),
        ([str(SAMPLE), "-p", "jining/undated", "--terms", "general"], "settle-not-grouped"),
        ([str(SAMPLE), "-p", "ningbo/2022", "--terms", "general", "--weights-scale", "100"], "usage-no-weights"),
        ([str(SAMPLE), "-p", "xian/2024", "--terms", "general"], "budget-mostly-unpaid"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_written(tmp_path: Path, call: list[str], code: str) -> None:
    with pytest.raises(DrgsimError) as caught:
        runner.invoke(app, ["budget", *call, "-o", str(tmp_path / "out")], catch_exceptions=False)
    assert code in [problem.code for problem in caught.value.problems]
    assert not list(tmp_path.iterdir())


# -- the region's own files --------------------------------------------------------------------------------------------
@pytest.fixture
def region(tmp_path: Path) -> Path:
    target = tmp_path / "region"
    shutil.copytree(SAMPLE, target)
    discharges(YEARS[0], target).unlink()
    return target


def test_entered_figures_count(region: Path) -> None:
    one, other = hospitals_by_size("2")[0], hospitals_by_size("3")[0]
    _write(region / "payments.csv", "year,month,hospital_id,unit,amount_yuan", f"{YEAR},3,{one},per_diem,1000.01")
    moved = (f"{YEAR},{one},deduction,500", f"{YEAR},{other},moved,-2000", f"{YEAR},{one},moved,2000")
    _write(region / "adjustments.csv", "year,hospital_id,item,amount_yuan", *moved)
    _write(region / "indicators.csv", "year,hospital_id,indicator,value", f"{YEAR},{one},satisfaction,92")
    known = {"source": "assumed", "evidence": "assumption"}
    raw = {
        "id": "own", "base": "beijing/2024", "title": "own", "title_zh": "自有", "verified": "2026-11-21",
        "quality": {
            "weights": {"values": {"satisfaction": 100, "cost_index": 0}, "unit": "weight", **known},
            "targets": {"satisfaction": {"best": 100, "worst": 80, "unit": "points", **known}},
            "compare": {"value": "region", "unit": "rule", **known},
        },
    }  # fmt: skip
    own = region.parent / "budget.yaml"
    own.write_text(yaml.safe_dump(raw, allow_unicode=True), encoding="utf-8")
    terms = load_terms(own)
    found = prepare(region, load_policy("beijing/2024"), terms)
    year = budget_year(found.figures, terms, YEAR)
    place = found.figures.hospitals.index(one)
    assert year.units[place, 2] == 100_001
    assert year.cash.due["deductions"][place] == -50_000
    assert year.scores.score[place] == pytest.approx(60)
    assert np.isnan(year.scores.score[found.figures.hospitals.index(other)])
    assert found.figures.moved[:, 1].sum() == 0


def _write(path: Path, *lines: str) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_every_mistake_in_a_region_is_told_at_once(region: Path) -> None:
    _write(region / "fund.csv", "year,insurance,budget_yuan", f"{YEAR},employe,12", f"{YEAR},resident,many")
    _write(region / "adjustments.csv", "year,hospital_id,item,amount_yuan", f"{YEAR},H01,deducton,-5")
    _write(region / "indicators.csv", "year,hospital_id", f"{YEAR},{hospitals_by_size()[0]}")
    _write(
        region / "payments.csv",
        "year,month,hospital_id,unit,amount_yuan",
        *[f"{YEAR},13,{hospitals_by_size()[0]},per_diem,1"] * 2,
    )
    with pytest.raises(InputError) as caught:
        prepare(region, load_policy("beijing/2024"), load_terms("general"))
    codes = [problem.code for problem in caught.value.problems]
    assert codes.count("region-unknown-word") == 2
    assert codes.count("region-bad-number") == 4
    assert {"region-unknown-hospital", "region-columns", "region-duplicate"} <= set(codes)
    assert any("did you mean" in problem.fix for problem in caught.value.problems)


def test_points_take_their_value_from_the_budget_of_each_year(region: Path) -> None:
    found = prepare(region, load_policy("national/2.0"), load_terms("beijing/2024"))
    values = [settlement.unit_values for settlement in found.settlements.values()]
    assert values[0] != values[1]
    assert all(set(value) == {"employee", "resident"} for value in values)
    assert found.price_factors == {}
    assert any("gives it" in note for note in found.notes)


def test_coding_quality_by_the_rules_of_validate(region: Path, prepared: PreparedRegion) -> None:
    from drgsim.quality.file_check import check_files
    from drgsim.quality.quality_rules import chosen_rules

    name = hospitals_by_size()[0]
    _write(region / "indicators.csv", "year,hospital_id,indicator,value", f"{YEAR},{name},coding,0.5")
    found = prepare(region, load_policy("beijing/2024"), load_terms("beijing/2024"), check_coding=True)
    place = found.figures.indicator_names.index("coding")
    shares = found.figures.indicators[:, :, place]
    at = found.figures.hospitals.index(name)
    assert shares[at, 1] == 0.5, "what is entered goes before what is measured"
    report = check_files([discharges(YEARS[1])], "beijing-2024", chosen=chosen_rules(severity="error"))
    records_of = pq.read_table(discharges(YEARS[1]), columns=["hospital_id", "discharge_id"])
    records = pc.value_counts(records_of["hospital_id"]).to_pylist()
    by_hospital = {row["values"]: row["counts"] for row in records}
    erring = sum((1 - shares[at, 0]) * by_hospital[each] for at, each in enumerate(found.figures.hospitals))
    repeated = records_of.num_rows - len(pc.unique(records_of["discharge_id"]))  # those that share their id count once
    assert erring == pytest.approx(report.by_severity["error"], abs=repeated)
    others = np.arange(found.figures.size) != at
    assert not np.array_equal(shares[others], prepared.figures.indicators[others, 1:, place])


# -- terms -------------------------------------------------------------------------------------------------------------
def test_shipped_terms_load_and_agree_with_their_policies() -> None:
    assert terms_names()[0] == "general"
    for name in terms_names():
        terms = load_terms(name)
        assert terms.id == name
        assert all(parameter.source in terms.file.sources for parameter in terms.parameters)
        if name == "general":
            continue
        if not (TABLES / name / "policy.yaml").is_file():
            continue  # terms for the policy of another folder
        policy = load_policy(name).file
        assert load_terms(load_policy(name)).digest == terms.digest
        if policy.procurement is not None:
            kept = terms.file.cash.procurement_kept
            assert (kept.values, kept.evidence) == (
                policy.procurement.kept_share.values,
                policy.procurement.kept_share.evidence,
            )
        if policy.deposit is not None:
            own = terms.file.cash.deposit
            assert (own.value, own.evidence) == (policy.deposit.value, policy.deposit.evidence)


def test_the_schema_for_editors_is_that_of_the_model() -> None:
    shipped = json.loads((TABLES / "budget.schema.json").read_text(encoding="utf-8"))
    assert shipped == terms_schema(), "drgsim policy schema --budget -o payment_tables/budget.schema.json"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"index.cmi.low": 1.2}, "do not enclose 1"),
        ({"sharing.schedules.by-item.surplus.0.upper": 0.9}, "surplus ends at"),
        ({"sharing.schedules.by-item.overspend.0.fund_share": 1.2}, "more than was spent"),
        ({"sharing.schedules.example-ratio.surplus.1.fund_share": "3/2"}, "takes back more than the whole index"),
        ({"cash.release.none_below": 90}, "above full_from"),
        ({"index.technology.3": -1}, "nothing would be left"),
        ({"index.growth": -1.5, "fund.reserve": 1}, "greater than -1"),
        ({"quality.targets.coding.best": 0.94}, "no points follow"),
        ({"index.moved.2": 0.1, "index.moved.3": 2}, "no parameter of this budget"),
        ({"cash.procurement_kept.not_selected": 1.5}, "outside of what is possible"),
    ],
)
def test_impossible_terms_are_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(BudgetError, match=words):
        load_terms("general").changed(change)


def test_a_file_must_not_build_on_itself(tmp_path: Path) -> None:
    path = tmp_path / "budget.yaml"
    path.write_text("id: a\nbase: budget.yaml\n", encoding="utf-8")
    with pytest.raises(BudgetError, match="builds on itself"):
        load_terms(path)


def test_no_budget_without_a_fund(prepared: PreparedRegion, terms: BudgetTerms) -> None:
    with pytest.raises(UsageError, match="budget-no-fund"):
        budget_year(replace(prepared.figures, fund=np.full(3, -1)), terms, YEAR)


def test_cases_without_a_day_belong_to_no_year(prepared: PreparedRegion, terms: BudgetTerms) -> None:
    table = pa.table({"drg": ["BR23"], "total_cost": [1.0], "hospital_id": [hospitals_by_size()[0]]})
    settlement = settle_year(table, prepared.policy, prepared.region, YEAR)
    with pytest.raises(InputError, match="budget-no-dates"):
        figures_of(settlement, terms, prepared.region)


def test_section_2_2_refused_records_take_no_part_of_the_fund(prepared: PreparedRegion) -> None:
    region = replace(prepared.region, fund={YEAR: {"employee": 12_000_00}}, payments={})
    name = hospitals_by_size()[0]
    sound = {"drg": "A", "hospital_id": name, "relative_value": 100.0, "group_mean_cost": 10_000.0, "total_cost": 10_000.0,
             "patient_paid": 4_000.0, "insurance": "employee", "discharged": f"{YEAR}-05-01"}  # fmt: skip
    refused = [
        {**sound, "hospital_id": "H999", "patient_paid": 0.0},  # no hospital of the region
        {**sound, "total_cost": -1.0},
        {**sound, "drg": "B", "relative_value": None, "patient_paid": 9_000.0},  # the policy has no value for it
    ]
    policy = load_policy("zhejiang/2025")
    policy = replace(policy, file=policy.file.model_copy(update={"adjustment_fund": None}))
    alone = settle_year(pa.Table.from_pylist([sound] * 2), policy, region, YEAR)
    beside = settle_year(pa.Table.from_pylist([*[sound] * 2, *refused]), policy, region, YEAR)
    assert alone.table["fund_payment"].to_pylist() == [Decimal("6000.00")] * 2  # 12,000 over 0.6 is 20,000 of cost
    assert beside.table["fund_payment"].to_pylist() == [*[Decimal("6000.00")] * 2, None, None, None]


def test_what_is_paid_beside_the_cases_leaves_the_fund_first(prepared: PreparedRegion) -> None:
    """12,000 yuan, of which payments.csv states 2,000 for outpatients: 10,000 over 0.6 is 16,666.67 of cost."""
    name = hospitals_by_size()[0]
    stated = {(name, YEAR, 1, "outpatient", "employee"): 1_500_00, (name, YEAR, 2, "outpatient", ""): 500_00}
    region = replace(prepared.region, fund={YEAR: {"employee": 12_000_00}}, payments=stated)
    case = {"drg": "A", "hospital_id": name, "relative_value": 100.0, "group_mean_cost": 10_000.0, "total_cost": 10_000.0,
            "patient_paid": 4_000.0, "insurance": "employee", "discharged": f"{YEAR}-05-01"}  # fmt: skip
    policy = load_policy("zhejiang/2025")
    policy = replace(policy, file=policy.file.model_copy(update={"adjustment_fund": None}))
    paid = settle_year(pa.Table.from_pylist([case] * 2), policy, region, YEAR).table["fund_payment"].to_pylist()
    assert float(sum(paid)) == pytest.approx(10_000 / 0.6 - 8_000, abs=2)
    assert region.fund_beside(YEAR, {"employee": 3, "resident": 1}) == {"employee": 1_875_00, "resident": 125_00}


def test_a_policy_without_unit_value_is_not_scaled(prepared: PreparedRegion) -> None:
    policy = load_policy("zhejiang/2025")
    assert price_factors(policy, pa.table({"drg": ["A"], "total_cost": [1.0]}), prepared.region, True) == {}
    assert scale_prices(policy, {}) is policy

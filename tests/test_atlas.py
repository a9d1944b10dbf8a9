"""One case-mix under many policies: everything adds up to the fen, and nothing is dropped in silence."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner

import drgsim
from drgsim.api.atlas_verb import Atlas
from drgsim.cli.main import app
from drgsim.errors import DrgsimError
from drgsim.payment.atlas import EFFECTS
from drgsim.report.atlas_tables import left_out_reasons

SOME = ["guilin/*", "nanning/*", "harbin/*", "chengdu/2024", "kunming/*", "national/*", "yinchuan/*", "suzhou/*", "liuan/*"]


@pytest.fixture(scope="module")
def cases() -> pa.Table:
    rng = np.random.default_rng(4)
    size = 400
    weight = {"FR21": 1.3, "FR25": 0.7, "GB15": 3.1, "BR23": 1.1}
    drg = rng.choice(list(weight), size)
    cost = np.round(np.array([weight[code] for code in drg]) * 9000 * rng.lognormal(0, 0.7, size), 2)
    return pa.table({
        "discharge_id": [f"D{number}" for number in range(size)], "drg": [*drg[:-2], "BQY", "0000"],
        "hospital_id": rng.choice(["H1", "H2"], size), "hospital_level": ["3"] * size, "los_days": rng.integers(1, 70, size),
        "insurance": rng.choice(["employee", "resident"], size), "total_cost": cost, "patient_paid": np.round(cost * 0.3, 2),
    })  # fmt: skip


@pytest.fixture(scope="module")
def found(cases: pa.Table) -> Atlas:
    return drgsim.atlas(cases, policies=SOME, weights_from="national")


def test_the_parts_add_up_to_the_difference_to_the_fen(found: Atlas) -> None:
    rows = found.to_arrow().to_pylist()
    reference = next(row for row in rows if row["policy"] == found.reference.policy.id)
    assert len(rows) == 8
    for row in rows:
        assert sum(row[f"effect_{name}"] for name in EFFECTS) == row["difference"], row["policy"]
        assert row["payment"] - reference["payment"] == row["difference"]
        assert sum(row[f"cases_{name}"] for name in ("normal", "high", "low", "other")) == row["paid"]
        assert sum(row[f"amount_{name}"] for name in ("normal", "high", "low", "other")) == row["payment"]
        assert row["paid"] + row["unpaid"] == row["cases"] == 400
    assert all(reference[f"effect_{name}"] == 0 for name in EFFECTS)
    ratios = [row["payment_to_cost"] for row in rows]
    assert ratios == sorted(ratios, reverse=True)


def test_an_entry_is_what_settling_alone_pays(found: Atlas, cases: pa.Table) -> None:
    entry = next(entry for entry in found.entries if entry.policy.id == "guilin/2024")
    alone = drgsim.settle(cases, "guilin/2024", weights=found.common.table)
    row = next(row for row in found.to_arrow().to_pylist() if row["policy"] == "guilin/2024")
    assert (entry.settlement.amount == alone.settlement.amount).all()
    assert row["fund_payment"] == alone.overall["fund_payment"][0].as_py()
    assert row["margin"] == alone.overall["margin"][0].as_py()


def test_what_cannot_be_paid_is_told(found: Atlas) -> None:
    left = {row["policy"]: row["code"] for row in found.to_arrow("left_out").to_pylist()}
    assert left["national/2.0"] == "atlas-no-price"
    assert left["national/dip-1.0"] == "atlas-other-units"
    assert left["yinchuan/undated"] == "atlas-no-scale"
    assert left["liuan/2025"] == "settle-missing-unit-value", "rates of level 2 only"
    assert {*left, *found.to_arrow()["policy"].to_pylist()} >= {"harbin/2024-b", "kunming/2024"}
    doubts = found.to_arrow("doubts").to_pylist()
    assert ("harbin/2024-b", "settle-assumed-class") in {(row["policy"], row["code"]) for row in doubts}


def test_policies_left_out_are_counted_by_reason_with_what_to_do(cases: pa.Table, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    pq.write_table(cases.drop_columns(["hospital_level"]), tmp_path / "cases.parquet")
    arguments = ["atlas", str(tmp_path / "cases.parquet"), "-o", str(tmp_path / "atlas"), "-p", "*/2024", "-p", "national/*"]
    run: Callable[..., object] = CliRunner().invoke
    shown = " ".join(run(app, arguments, env={"COLUMNS": "80"}).output.split())  # type: ignore[attr-defined]
    atlas = drgsim.atlas([tmp_path / "cases.parquet"], policies=["*/2024", "national/*"])
    reasons = left_out_reasons(atlas.left_out_for)
    assert sum(count for count, _, _ in reasons) == atlas.to_arrow("left_out").num_rows
    assert reasons[0][1:] == (
        "the policy pays by hospital level, and the level of the hospital is not known",
        "give --hospitals hospitals.csv, or one --level for all cases",
    )
    assert f"{reasons[0][0]} the policy pays by hospital level, give --hospitals hospitals.csv, or" in shown


def test_terms_show_how_levels_are_taken(found: Atlas) -> None:
    rows = {(row["policy"], row["insurance"]): row for row in found.to_arrow("terms").to_pylist()}
    taken = rows["harbin/2024-b", "employee"]
    assert (taken["level"], taken["taken_as"], taken["unit_value"]) == ("3", "I", 11091.44)
    assert rows["nanning/2024", "resident"]["coefficient"] == 0.86845


def test_level_and_payer_may_be_asked_for(cases: pa.Table) -> None:
    other = drgsim.atlas(cases, policies=["nanning/*"], level="三甲", insurance="resident", hospital="H1")
    rows = other.to_arrow("terms").to_pylist()
    assert [(row["level"], row["insurance"], row["coefficient"]) for row in rows] == [("3a/3", "resident", 1.013588)]
    assert other.to_arrow()["cases"][0].as_py() < 400


def test_own_tables_serve_where_they_know_the_cases(cases: pa.Table) -> None:
    policies = ["tongchuan/*", "guilin/*"]
    own, common = (
        drgsim.atlas(cases, policies=policies, own_tables=wanted, reference="guilin/2024") for wanted in (True, False)
    )
    weights = [{row["policy"]: row["weights"] for row in each.to_arrow().to_pylist()} for each in (own, common)]
    assert weights == [
        {"tongchuan/2025": "own", "guilin/2024": "common"},
        {"tongchuan/2025": "common", "guilin/2024": "common"},
    ]
    effects = [{row["policy"]: row["effect_weights"] for row in each.to_arrow().to_pylist()} for each in (own, common)]
    assert effects[0]["tongchuan/2025"] != 0
    assert effects[1]["tongchuan/2025"] == Decimal(0)


def test_weights_of_ones_own_and_of_these_cases(cases: pa.Table) -> None:
    given = pa.table({"drg": ["FR21", "FR25", "GB15", "BR23"], "weight": [1.0] * 4})
    rows = drgsim.atlas(cases, policies=["guilin/*"], weights=given).to_arrow().to_pylist()
    assert rows[0]["cmi"] == 1
    history = drgsim.atlas(cases, policies=["guilin/*"], weights_from="history")
    assert history.common.source == "history"
    assert "estimated" in history.record["common_weights"]


def test_cases_without_a_group_say_nothing_of_a_table() -> None:
    """A fifth of the records has no group: the national weights know every other case, and the city's own table too."""
    rows = [{"discharge_id": str(n), "drg": "ES31", "total_cost": 9000.0 + n, "hospital_level": "3"} for n in range(20)]
    rows = [row | {"drg": ["0000", "FQY"][n % 2] if n < 4 else "ES31"} for n, row in enumerate(rows)]
    found = drgsim.atlas(rows, policies=["guilin/2024", "beijing/2024"], insurance="employee")
    assert found.common.source == "national"
    assert {entry.policy.id: entry.weights for entry in found.entries}["beijing/2024"] == "own"


def test_cases_that_cost_nothing_are_settled_all_the_same() -> None:
    row = {"discharge_id": "1", "drg": "ES31", "total_cost": 0, "hospital_level": "3", "insurance": "employee"}
    found = drgsim.atlas([row], policies=["guilin/2024"])
    assert [row["payment_to_cost"] for row in found.to_arrow().to_pylist()] == [None]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"policies": ["nowhere*"]}, "atlas-no-policy"),
        ({"reference": "nowhere/2024"}, "atlas-unknown-reference"),
        ({"level": "many"}, "atlas-unknown-level"),
        ({"insurance": "rich"}, "usage-unknown-word"),
        ({"weights_from": "mars"}, "usage-unknown-word"),
        ({"hospital": "H9"}, "atlas-no-cases"),
        ({"policies": ["national/2.0"]}, "atlas-no-price"),
    ],
)
def test_mistakes_have_a_code(cases: pa.Table, arguments: dict[str, object], code: str) -> None:
    with pytest.raises(DrgsimError) as caught:
        drgsim.atlas(cases, **{"policies": ["guilin/*"], **arguments})  # type: ignore[arg-type]
    assert code in {problem.code for problem in caught.value.problems}


def test_the_command_writes_tables_page_and_record(cases: pa.Table, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    pq.write_table(cases, tmp_path / "cases.parquet")
    output = tmp_path / "atlas"
    run: Callable[..., object] = CliRunner().invoke
    answer = run(app, ["atlas", str(tmp_path / "cases.parquet"), "-o", str(output), "-p", "guilin/*", "-p", "nanning/*"])
    assert answer.exit_code == 0, answer.output  # type: ignore[attr-defined]
    assert {
        "policies.csv",
        "policies.parquet",
        "terms.csv",
        "doubts.csv",
        "left_out.csv",
        "atlas.xlsx",
        "atlas.html",
        "run.json",
    } <= {path.name for path in output.iterdir()}
    page = (output / "atlas.html").read_text(encoding="utf-8")
    assert "南宁市" in page
    assert "http" not in page.replace("http-equiv", "")
    first = (output / "policies.csv").read_bytes()
    run(app, ["atlas", str(tmp_path / "cases.parquet"), "-o", str(output), "-p", "guilin/*", "-p", "nanning/*", "-q"])
    assert (output / "policies.csv").read_bytes() == first

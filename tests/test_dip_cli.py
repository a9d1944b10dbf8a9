"""DIP at the command line: group, explain, schemes, settle; and the comorbidity index."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from drgsim.cli.main import app
from drgsim.engines.bundled_proof import bundled_cases, check_scheme
from drgsim.errors import UsageError
from drgsim.records.code_dictionaries import national_codes
from drgsim.records.encode import build_code_table, encode_lists
from drgsim.units.dip.charlson import charlson_table, comorbidity_index, items, items_of, points_of


def run(*arguments: str) -> str:
    """What a command prints."""
    done = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_group_writes_kinds_and_says_their_types(tmp_path: Path) -> None:
    cases = bundled_cases("dip-taian-2025")
    shown = json.loads(run("group", str(cases), "-s", "dip-taian-2025", "-o", str(tmp_path / "k.csv"), "--json"))
    assert shown["scheme"] == "dip-taian-2025"
    assert sum(shown["cases_by_type"].values()) == shown["status"]["grouped"] + shown["cases_by_type"]["blank"]
    assert shown["points"] > 0
    with (tmp_path / "k.csv").open(encoding="utf-8-sig", newline="") as file:
        answers = list(csv.DictReader(file))
    with cases.open(encoding="utf-8", newline="") as file:
        assert [row["dip"] for row in answers] == [row["expected_dip"] for row in csv.DictReader(file)]
    told = run("group", str(cases), "-s", "dip-taian-2025", "-o", str(tmp_path / "k.parquet"))
    assert "comprehensive" in told
    assert "ambiguous" not in told  # DIP knows no ambiguous groups


def test_explain_tells_what_was_tried_and_what_is_assumed() -> None:
    typed = ("--diagnoses", "J18.900|E11.900", "--procedures", "93.9000", "--age", "50", "--icu-hours", "240", "--sex", "1")
    told = run("explain", *typed, "-s", "dip-taian-2025")
    for words in ("J18.9:93.9000_care_unit_time1", "ICUXS = 240", "NL = 50", "assumption 假设", "CCI: 1"):
        assert words in told
    trace = json.loads(run("explain", *typed, "-s", "dip-taian-2025", "--json"))
    assert trace["dip"] == "J18.9:93.9000_care_unit_time1"
    assert trace["trace"]["comorbidities"][0]["name"] == "diabetes"


def test_schemes_know_catalogues() -> None:
    assert "dip-taian-2025" in run("schemes", "list")
    assert {"unit": "dip", "id": "dip-taian-2025"}.items() <= json.loads(run("schemes", "list", "--json"))[-1].items()
    assert "01.3901" in run("schemes", "show", "dip-taian-2025")
    kinds = json.loads(run("schemes", "show", "dip-taian-2025", "--dx", "A41.9", "--json"))
    assert {kind["dx"] for kind in kinds} == {"A41.9", "A41"}
    assert "is sound: 6,489 core_national" in run("schemes", "check", "dip-taian-2025")
    for words, options in (("dip-unknown-diagnosis", ("--dx", "Q99")), ("scheme-is-dip", ("--adrg", "FR2"))):
        with pytest.raises(UsageError, match=words):
            run("schemes", "show", "dip-taian-2025", *options)


def test_settle_groups_by_the_catalogue_of_its_policy(tmp_path: Path) -> None:
    cases = tmp_path / "cases.csv"
    cases.write_text(
        "discharge_id,sex,age,los_days,diagnoses,procedures,total_cost,patient_paid\n"
        "1,1,40,5,K35.300,47.0100,12000,2000\n"
        "2,1,40,5,A09.900,,3000,500\n",
        encoding="utf-8",
    )
    run("settle", str(cases), "-p", "taian/2025", "-o", str(tmp_path / "s"), "--budget", "15650.61", "--quiet")
    with (tmp_path / "s" / "summary_group.csv").open(encoding="utf-8-sig", newline="") as file:
        assert {row["group"] for row in csv.DictReader(file)} == {"K35.3:47.0100", "A09.9"}
    # a policy without a table of its own takes the scores of the catalogue: 1292.7844 + 272.2769 points for the budget
    run(
        "settle",
        str(cases),
        "-p",
        "jining/undated",
        "-s",
        "dip-taian-2025",
        "-o",
        str(tmp_path / "j"),
        "--budget",
        "15650.613",
        "-q",
    )
    record = json.loads((tmp_path / "j" / "run.json").read_text(encoding="utf-8"))
    assert record["unit_values"]["*"] == pytest.approx(15650.61 / (1292.7844 + 272.2769), rel=1e-6)


def test_selftest_proves_the_kinds() -> None:
    for catalogue in ("dip-taian-2025", "dip-3.0"):
        assert check_scheme(catalogue).passed


# -- comorbidity index: items and codes of Quan 2005, weights of Charlson 1987 ---------------------------------------------
def test_the_weights_are_those_of_charlson() -> None:
    by_weight: dict[int, int] = {}
    for item in items():
        by_weight[item.weight] = by_weight.get(item.weight, 0) + 1
    assert by_weight == {1: 10, 2: 4, 3: 1, 6: 2}


@pytest.mark.parametrize(
    ("others", "points"),
    [
        ("", 0),
        ("I10.x00", 0),
        ("I25.200", 1),
        ("E11.900", 1),
        ("E11.200|E11.900", 2),  # complicated diabetes instead of plain
        ("K74.600", 1),
        ("K74.600|K76.600", 3),  # severe liver disease instead of mild
        ("C34.900", 2),
        ("C34.900|C78.700", 6),  # metastatic instead of any
        ("I50.900|I63.900|J44.900|N18.500", 5),
        ("I50.900|I50.901", 1),
        ("C44.900", 0),  # skin does not count
    ],
)
def test_the_index_of_other_diagnoses(others: str, points: int) -> None:
    import pyarrow as pa

    codes = national_codes().diagnoses
    encoded = encode_lists(pa.array([f"I21.001|{others}", f"|{others}"]), build_code_table(codes))
    table = charlson_table(codes)
    assert comorbidity_index(encoded, table).tolist() == [points, points]
    found = [item for item, _ in items_of(others.split("|"), codes)]
    assert points_of(found) == points
    whole = comorbidity_index(encoded, table, principal=True)
    assert whole[0] == points_of(item for item, _ in items_of(["I21.001", *others.split("|")], codes))
    assert np.all(whole >= 0)

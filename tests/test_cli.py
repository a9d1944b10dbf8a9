"""The commands as a user types them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import drgsim
from drgsim.api.demo_verb import sample_year
from drgsim.engines.bundled_proof import bundled_cases
from drgsim.errors import OutputError
from drgsim.results.whole_outputs import check_folder
from tests.commands import run, run_process
from tests.conftest import ROOT

CASES = str(bundled_cases("chs-drg-2.0"))


def test_help_and_version() -> None:
    assert "group" in run_process("--help").stdout
    assert run_process("--version").stdout.startswith("drgsim ")


def test_help_does_not_wait_for_numba_or_arrow() -> None:
    heavy = ("numba", "pyarrow", "pandas", "numpy", "scipy", "sklearn", "pydantic", "yaml", "jinja2")
    code = f"import sys, drgsim.cli.main; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.stdout.strip() == "[]"


def test_group_writes_and_summarises(tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    done = run_process("group", CASES, "--scheme", "chs-drg-2.0", "--output", str(target))
    for words in ("records", "655", "ambiguous", "634 different groups", "CMI", "records/s", "wrote"):
        assert words in done.stdout
    assert done.stderr == ""  # no progress bar where nobody sees it
    grouped = pd.read_csv(target, dtype=str)
    expected = pd.read_csv(CASES, dtype=str)
    assert list(grouped.drg) == list(expected.expected_drg)
    assert list(grouped.columns) == [
        "discharge_id", "mdc", "adrg", "drg", "drg_name", "severity", "status", "reason", "warnings", "mdc_hint",
    ]  # fmt: skip


def test_group_as_json_and_quiet(tmp_path: Path) -> None:
    target = str(tmp_path / "out.parquet")
    summary = json.loads(run("group", CASES, "-o", target, "--json").stdout)
    assert summary["records"] == 655
    assert sum(summary["status"].values()) == 655
    assert summary["groups"] == 634
    assert summary["scheme"] == "chs-drg-2.0"
    assert len(summary["scheme_digest"]) == 64
    assert 1 < summary["cmi"] < 4
    assert run("group", CASES, "-o", target, "--quiet").stdout == ""


def test_a_missing_column_stops_with_exit_code_3(tmp_path: Path) -> None:
    source = tmp_path / "cases.csv"
    source.write_text("discharge_id,sex,age,diagnosis\n1,1,70,I50.101\n", encoding="utf-8")
    done = run_process("group", str(source), "-o", str(tmp_path / "out.csv"), cwd=tmp_path, code=3)
    assert "diagnoses" in done.stderr
    assert "procedures" in done.stderr
    assert "line 1" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out.csv").exists()


def test_a_call_that_makes_no_sense_stops_with_exit_code_2(tmp_path: Path) -> None:
    assert "output-unknown-suffix" in run("group", CASES, "-o", str(tmp_path / "x.dbf"), code=2).stderr
    assert "explain-without-record" in run("explain", code=2).stderr
    assert "did you mean FR2" in run("schemes", "show", "chs-drg-2.0", "--adrg", "FR22", code=2).stderr


def test_explain_codes_typed_by_hand() -> None:
    done = run("explain", "--diagnoses", "I21.001|I10.x00|J96.000", "--procedures", "36.0601", "--sex", "1", "--age", "65")
    for words in ("I10.x00 特发性（原发性）高血压", "J96.000", "MCC", "✗ MDCP", "NL = 0", "✓ FM3", "MDCF → FM3 → FM39"):
        assert words in done.stdout
    brief = run("explain", "--diagnoses", "I21.001", "--sex", "1", "--age", "65", "--brief").stdout
    assert "✗" not in brief


def test_explain_tells_which_table_takes_a_cc_away() -> None:
    done = run("explain", "--diagnoses", "I50.101|I50.001", "--sex", "1", "--age", "65", "--brief")
    assert "taken away: exclusion list" in done.stdout


def test_explain_a_record_of_a_file() -> None:
    row = pd.read_csv(CASES, dtype=str).iloc[3]
    done = run("explain", CASES, "--id", row.case_id)
    assert row.expected_drg in done.stdout
    trace = json.loads(run("explain", CASES, "--id", row.case_id, "--json").stdout)
    assert trace["drg"] == row.expected_drg
    assert trace["trace"]["version"] == 1
    assert trace["trace"]["tried"][0]["code"] == "MDCA"
    assert "no record with the id" in run("explain", CASES, "--id", "nobody", code=2).stderr


def test_explain_refuses_a_line_that_has_no_cells(tmp_path: Path) -> None:
    cases = tmp_path / "cases.csv"
    cases.write_text("discharge_id,sex,age,diagnoses,procedures\n1,1,60,I50.101,\n2,1,60,I50.101,,,,\n", encoding="utf-8")
    refused = run("explain", cases, "--id", "2", code=3).stderr
    assert "explain-broken-line" in refused
    assert "line 3" in refused


def test_validate_counts_exactly_and_the_exit_code_is_the_verdict(tmp_path: Path) -> None:
    rows = [
        "discharge_id,sex,age,diagnoses,procedures",
        *(f"{n},9,70,I50.101|X99.999x999," for n in range(9)),
        "x,1,999,I50.101,",
    ]
    source = tmp_path / "cases.csv"
    source.write_text("\n".join(rows) + "\n", encoding="utf-8")
    done = run_process("validate", str(source), code=1)
    for words in ("sex_unreadable", "age_impossible", "X99.999x999 ×9", "1 of 10 records have errors"):
        assert words in done.stdout
    report = json.loads(run("validate", str(source), "--json", code=1).stdout)
    counts = {finding["code"]: finding["records"] for finding in report["findings"]}
    assert counts == {"age_impossible": 1, "sex_unreadable": 9, "other_diagnosis_unknown": 9}
    assert report["unknown_codes"] == {"diagnoses": {"X99.999x999": 9}}
    assert report["findings"][0]["samples"] == [{"discharge_id": "x", "value": "999", "file": "cases.csv"}]


def test_schemes_list_and_show() -> None:
    assert "chs-drg-2.0" in run("schemes", "list").stdout
    shown = run("schemes", "show", "chs-drg-2.0").stdout
    for words in ("26 MDC", "409 ADRG", "634 DRG", "unsure", "Sources"):
        assert words in shown
    adrg = run("schemes", "show", "chs-drg-2.0", "--adrg", "FR2").stdout
    for words in ("心力衰竭", "QTZD in MCC", "DI_FR2", "I50.101"):
        assert words in adrg
    assert json.loads(run("schemes", "show", "chs-drg-2.0", "--mdc", "MDCF", "--json").stdout)["mdc"] == "MDCF"


def test_selftest_proves_the_copy() -> None:
    done = json.loads(run("selftest", "chs-drg-2.0", "--json").stdout)
    assert done["passed"]
    assert done["schemes"][0]["cases"] == 655


@pytest.mark.slow
def test_demo_leaves_a_page_to_look_at(tmp_path: Path) -> None:
    done = run("demo", cwd=tmp_path)
    assert "The ten largest groups" in done.stdout
    assert "The fund" in done.stdout
    for name in ("index.html", "casemix.html", "budget/budget.html", "whatif/whatif.html", "hospital/report.html"):
        page = (tmp_path / "drgsim-demo" / name).read_text(encoding="utf-8")
        assert name.startswith("budget/") or "Synthetic data" in page
        assert "src=" not in page  # nothing is fetched from anywhere
        assert "<script" not in page
    year = (tmp_path / "drgsim-demo" / "index.html").read_text(encoding="utf-8")
    headings = ("Groups", "Weights", "Settlement", "Budget", "What if", "What this rests on")
    assert all(heading in year for heading in headings)
    assert len(pd.read_parquet(tmp_path / "drgsim-demo" / "grouped.parquet")) > 1_000
    check_folder(tmp_path / "drgsim-demo", kind="demo")  # every file stands in its record


def test_the_demo_replaces_its_own_folder_only(tmp_path: Path) -> None:
    foreign = tmp_path / "fd"
    foreign.mkdir()
    (foreign / "casemix.html").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="output-not-ours"):
        drgsim.demo(foreign)
    assert "output-not-ours" in run("demo", "--output", str(foreign), cwd=tmp_path, code=3).stderr
    assert [path.name for path in tmp_path.iterdir()] == ["fd"]
    assert [(path.name, path.read_text(encoding="utf-8")) for path in foreign.iterdir()] == [("casemix.html", "mine")]
    own = tmp_path / "own"
    for _ in range(2):
        with sample_year(own):
            pass
    (own / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="output-holds-more"), sample_year(own):
        pass


def test_the_shim_of_a_checkout_is_the_same_program() -> None:
    done = subprocess.run([sys.executable, str(ROOT / "cli.py"), "--version"], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.startswith("drgsim ")

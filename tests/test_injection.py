"""Texts of records, names and files from elsewhere: they steer no terminal, run in no spreadsheet and open no other files."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from drgsim.budgets.terms import load_terms
from drgsim.errors import DrgsimError, Problem
from drgsim.payment.policy import load_policy
from drgsim.results.raw_cells import raw_cells
from drgsim.results.safe_cells import safe_text
from drgsim.results.table_files import write_table
from drgsim.simulation.scenario import parse_scenario
from drgsim.units.schemes.pack import load_scheme
from tests.commands import run
from tests.conftest import ROOT
from tests.payment_policies import policy_with

FORMULAS = ("=cmd|' /C calc'!A0", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "'=1", "''+1", "-2+3|cmd", "=1,2\n3")
PLAIN = ("I50.101", "-1.50", "-7", "1e-5", "-", "--", "'001", "费用", "a=b", "")
STEERING = ("\x1b[31mred", "\x1b]0;title\x07", "\x9b2J", "\u202eabc", "\u2066x", "a\rb", "\x7f")

HEADER = "discharge_id,sex,age,diagnoses,procedures"


def _rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def test_texts_in_a_csv_are_no_formulas_and_come_back(tmp_path: Path) -> None:
    table = pa.table({"=name": [*FORMULAS, *PLAIN], "number": [-1.5] * (len(FORMULAS) + len(PLAIN))})
    write_table(tmp_path / "safe.csv", table)
    header, *rows = _rows(tmp_path / "safe.csv")
    assert header[0] == "'=name"
    texts = [row[0] for row in rows]
    assert texts == ["'" + cell for cell in FORMULAS] + list(PLAIN)
    assert {row[1] for row in rows} == {"-1.5"}
    with raw_cells():
        write_table(tmp_path / "raw.csv", table)
    assert [row[0] for row in _rows(tmp_path / "raw.csv")] == ["=name", *FORMULAS, *PLAIN]


def test_dictionaries_and_slices_are_made_safe_too(tmp_path: Path) -> None:
    column = pa.array(["x", "=1", None, "y"]).dictionary_encode()
    write_table(
        tmp_path / "safe.csv", pa.table({"a": column, "b": pa.array(["q", "=2", "r", "@s"], pa.large_string())}).slice(1)
    )
    assert _rows(tmp_path / "safe.csv")[1:] == [["'=1", "'=2"], ["", "r"], ["y", "'@s"]]


@given(st.text("'=+-@\t\ra1.－＝", max_size=6))
def test_one_quote_less_is_the_text(text: str) -> None:
    safe = safe_text(text)
    assert safe == text or safe == "'" + text
    assert not safe.startswith(tuple("=+@\t\r＝")), f"{safe!r} may run"


@given(st.text("'=+-a1", max_size=5), st.text("'=+-a1", max_size=5))
def test_two_texts_never_become_one(one: str, other: str) -> None:
    assert one == other or safe_text(one) != safe_text(other)


def test_group_writes_safe_ids_and_reads_them_back(tmp_path: Path) -> None:
    source = tmp_path / "cases.csv"
    ids = ["=1+1", "+1", "@SUM(A1)", "-5"]
    source.write_text("\n".join([HEADER, *(f"{each},1,70,I50.101," for each in ids)]), encoding="utf-8")
    run("group", str(source), "--scheme", "chs-drg-2.0", "-o", str(tmp_path / "out.csv"))
    assert [row[0] for row in _rows(tmp_path / "out.csv")[1:]] == ["'=1+1", "'+1", "'@SUM(A1)", "-5"]
    run("--raw", "group", str(source), "--scheme", "chs-drg-2.0", "-o", str(tmp_path / "raw.csv"))
    assert [row[0] for row in _rows(tmp_path / "raw.csv")[1:]] == ids
    again = tmp_path / "again.csv"
    safe = (tmp_path / "out.csv").read_text(encoding="utf-8-sig").splitlines()
    lines = [HEADER, *(f"{line.split(',')[0]},1,70,I50.101," for line in safe[1:])]
    again.write_text("\n".join(lines), encoding="utf-8")
    run("group", str(again), "--scheme", "chs-drg-2.0", "-o", str(tmp_path / "again-out.csv"))
    assert _rows(tmp_path / "again-out.csv") == _rows(tmp_path / "out.csv")


def test_texts_in_a_workbook_are_texts(tmp_path: Path) -> None:
    cells = [cell for cell in FORMULAS if "\r" not in cell]
    write_table(tmp_path / "safe.xlsx", pa.table({"discharge_id": cells}))
    sheet = openpyxl.load_workbook(tmp_path / "safe.xlsx").active
    assert [(cell.value, cell.data_type) for (cell,) in sheet.iter_rows(min_row=2)] == [(cell, "s") for cell in cells]


@pytest.mark.parametrize("text", STEERING)
def test_no_text_steers_the_terminal(tmp_path: Path, text: str) -> None:
    rows = [HEADER.split(","), ["a" + text, "1", "70", "I50.101", ""]]
    with (tmp_path / "cases.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    shown = [
        run("group", "cases.csv", "--scheme", "chs-drg-2.0", cwd=tmp_path),
        run("validate", "cases.csv", "--scheme", "chs-drg-2.0", cwd=tmp_path, code=0),
        run("settle", "cases.csv", "--policy", f"none{text}", cwd=tmp_path, code=2),
        run("explain", f"{text}.csv", "--id", text, cwd=tmp_path, code=3),
    ]
    for done in shown:
        assert not set(done.stdout + done.stderr) & set("\x1b\x07\x7f\x9b\r\u202e\u2066"), done.stdout + done.stderr


def test_json_keeps_the_text_and_escapes_it(tmp_path: Path) -> None:
    done = run("explain", "--diagnoses", "I50.101\x9b\u202e", "--json")
    assert not set(done.stdout) & set("\x9b\u202e")
    json.loads(done.stdout)


def test_a_name_begins_no_line_that_looks_like_a_message(capsys: pytest.CaptureFixture[str]) -> None:
    from drgsim.cli.terminal import show_error

    show_error(DrgsimError([Problem("some-code", "a\n✗ all is lost [other]", where="b\n✗ c")]))
    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if line.startswith("✗")] == ["✗ a"]


@pytest.mark.parametrize("name", ["/etc/passwd", "../other/weights.csv", "/dev/zero", "C:\\weights.csv", "a/../../weights.csv"])
def test_a_table_of_a_policy_stays_in_its_folder(tmp_path: Path, name: str) -> None:
    folder = policy_with(tmp_path, {"coefficient": {"table": {"file": name, "source": "s", "evidence": "official"}}})
    with pytest.raises(DrgsimError) as error:
        load_policy(folder)
    assert {problem.code for problem in error.value.problems} == {"policy-path-outside"}


def test_links_and_pipes_are_no_way_out(tmp_path: Path) -> None:
    folder = policy_with(tmp_path, {"coefficient": {"table": {"file": "c.csv", "source": "s", "evidence": "official"}}})
    (tmp_path / "secret.csv").write_text("hospital_id,group,coefficient\n", encoding="utf-8")
    (folder / "c.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(DrgsimError, match=r"policy-path-outside.*a link that leads out"):
        load_policy(folder)
    (folder / "c.csv").unlink()
    os.mkfifo(folder / "c.csv")
    with pytest.raises(DrgsimError, match=r"policy-path-outside.*a device or a pipe"):
        load_policy(folder)


OUTSIDE = ("/etc/passwd", "../other", "a/../../other", "C:\\other")


@pytest.mark.parametrize("name", OUTSIDE)
def test_the_base_of_terms_and_of_a_pack_stay_beside_them(tmp_path: Path, name: str) -> None:
    (tmp_path / "budget.yaml").write_text(yaml.safe_dump({"id": "a", "base": name}), encoding="utf-8")
    with pytest.raises(DrgsimError, match="budget-path-outside"):
        load_terms(tmp_path / "budget.yaml")
    (tmp_path / "pack").mkdir()
    written = f"id = 'p'\ntitle_zh = 'x'\ntitle_en = 'x'\nkind = 'overlay'\nbase = '{name}'\n"
    (tmp_path / "pack" / "scheme.toml").write_text(written, encoding="utf-8")
    with pytest.raises(DrgsimError, match="pack-path-outside"):
        load_scheme(tmp_path / "pack")


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("key", ["policy", "scheme"])
def test_what_a_scenario_and_a_policy_name_lies_below(tmp_path: Path, name: str, key: str) -> None:
    text = yaml.safe_dump({"title": "t", "author": "a", "baseline": {key: name}, "changes": {"rate.base": "*1"}})
    with pytest.raises(DrgsimError) as error:
        parse_scenario(text, "s")
    assert "scenario-path-outside" in {problem.code for problem in error.value.problems}
    if key == "scheme":
        with pytest.raises(DrgsimError, match="policy-path-outside"):
            load_policy(policy_with(tmp_path, {"scheme": name}))


def test_nothing_that_a_file_names_is_looked_for_where_the_program_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called, there = tmp_path / "called", tmp_path / "there"
    for folder in (called, there):
        folder.mkdir()
    monkeypatch.chdir(called)
    (called / "below.yaml").write_text("id: b\nbase: general\n", encoding="utf-8")
    (there / "budget.yaml").write_text("id: a\nbase: below.yaml\n", encoding="utf-8")
    with pytest.raises(DrgsimError, match="budget-unknown-terms"):
        load_terms(there / "budget.yaml")
    (there / "below.yaml").write_text("id: b\nbase: general\n", encoding="utf-8")
    assert load_terms(there / "budget.yaml").file.id == "a"
    table = {"coefficient": {"table": {"file": "c.csv", "unit": "x", "source": "test", "evidence": "official"}}}
    (called / "c.csv").write_text("hospital_id,group,coefficient\n", encoding="utf-8")
    with pytest.raises(DrgsimError, match=r"c\.csv"):
        load_policy(policy_with(there, table))
    (called / "sections.yaml").write_text("title: a\n", encoding="utf-8")
    with pytest.raises(DrgsimError, match="policy-unknown-include"):
        load_policy(policy_with(there, {"include": ["sections.yaml"]}))


def test_an_include_of_a_policy_file_stays_in_its_folder(tmp_path: Path) -> None:
    (tmp_path / "sections.yaml").write_text("title: a\n", encoding="utf-8")
    for name in ("../sections.yaml", str(tmp_path / "sections.yaml")):
        with pytest.raises(DrgsimError, match="policy-path-outside"):
            load_policy(policy_with(tmp_path, {"include": [name]}))


def test_a_reader_that_leaves_early_is_no_fault() -> None:
    command = f'"{sys.executable}" -m drgsim explain --diagnoses I50.101 | true; exit ${{PIPESTATUS[0]}}'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.returncode, done.stderr) == (0, "")

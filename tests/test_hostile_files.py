"""Files of parameters and of regions that nobody wrote in good faith: each is read or refused with a code, and quickly."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

import drgsim
from drgsim.analysis.labelled_weights import read_weights
from drgsim.authoring.dip.dip_spec import load_spec
from drgsim.budgets.terms import load_terms
from drgsim.cli.main import app
from drgsim.cli.option_defaults import read_defaults
from drgsim.errors import LONGEST_TEXT, DrgsimError, Problem
from drgsim.parameters.option_pairs import parse_pairs
from drgsim.payment.policy import load_policy
from drgsim.records.input_options import InputOptions
from drgsim.region.hospital_list import read_hospitals
from drgsim.region.region_folder import read_region
from drgsim.simulation.scenario import load_scenario
from drgsim.units.schemes.pack import load_scheme, read_settings
from tests.conftest import ROOT

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")
YAML: dict[str, str | bytes] = {
    "a day that is none": "x: 2024-02-30",
    "a time that is none": "x: 2024-99-99T99:99:99",
    "no integer": "x: !!int abc",
    "no flag": "x: !!bool abc",
    "no float": "x: !!float abc",
    "no binary": "x: !!binary '%%%'",
    "no omap": "x: !!omap abc",
    "400 digits": f"policy: a\nchanges: {{budget.cash.advance.months: 1{'0' * 400}}}",
    "5,000 digits": f"x: {'9' * 5000}",
    "4,000 digits": f"x: {'9' * 4000}",
    "a sexagesimal": "x: 1:99999999999:3",
    "3,000 lists": "x: " + "[" * 3000 + "]" * 3000,
    "3,000 maps": "{a: " * 3000 + "}" * 3000,
    "3,000 dashes": "- " * 3000,
    "a list as key": "? [a, b]\n: 1",
    "a map as key": "? {a: b}\n: 1",
    "a date as key": "2024-01-01: age",
    "null as key": "null: age",
    "aliases of aliases": "\n".join(
        ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    ),
    "a list in itself": "x: &a [*a]",
    "no alias": "x: *nope",
    "a merge of a number": "<<: 5",
    "python": "!!python/object:os.system {}",
    "a set": "!!set {a, b}",
    "two documents": "a: 1\n---\nb: 2",
    "half a character": 'x: "\\ud800"',
    "a long key": "x" * 200_000 + ": 1",
    "a long text": "x: " + "x" * 200_000,
    "a null byte": "x: \0",
    "no text": b"\xff\xfe\xff",
    "nothing": "",
    "null": "null",
    "a list": "- a",
    "a number": "5",
    "no number": ".nan: .nan",
    "infinity": "x: .inf",
    "a null value": "主诊: null",
    "a list value": "主诊: [a]",
    "a tab": "x:\t\t- 1",
    "lone returns": "a: 1\rb: 2\r",
    "a byte order mark": "\ufeffx: 1",
}


def _policy(path: Path) -> object:
    folder = path.parent / "city" / "2024"
    folder.mkdir(parents=True)
    path.rename(folder / "policy.yaml")
    return load_policy(folder)


def _map(path: Path) -> object:
    return InputOptions.of(None, (), path, "yb2")


KINDS: dict[str, tuple[Path | None, Callable[[Path], object]]] = {
    "policy": (ROOT / "payment_tables" / "qingyang" / "2023" / "policy.yaml", _policy),
    "terms": (ROOT / "payment_tables" / "budget.yaml", load_terms),
    "spec": (ROOT / "payment_tables" / "dip-specs" / "dip-2.0.yaml", load_spec),
    "scenario": (ROOT / "scenarios" / "rate-plus-3.yaml", load_scenario),
    "map": (None, _map),
}


def _read_or_refused(read: Callable[[], object]) -> None:
    """Whatever is not refused with a code fails the test."""
    told: list[Problem] = []
    try:
        read()
    except DrgsimError as error:
        told = [*error.problems]
    assert all(problem.code and problem.what and len(problem.what) <= LONGEST_TEXT for problem in told)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", YAML)
def test_hostile_yaml_is_read_or_refused(kind: str, case: str, tmp_path: Path) -> None:
    shipped, load = KINDS[kind]
    hostile = YAML[case]
    content = hostile if isinstance(hostile, bytes) else hostile.encode()
    for number, under in enumerate((b"", shipped.read_bytes() + b"\n" if shipped else b"")):
        path = tmp_path / str(number) / "file.yaml"
        path.parent.mkdir()
        path.write_bytes(under + content)
        _read_or_refused(lambda path=path: load(path))  # type: ignore[misc]


@pytest.mark.parametrize("case", [case for case, text in YAML.items() if isinstance(text, str)])
def test_hostile_values_of_options_are_read_or_refused(case: str) -> None:
    text = str(YAML[case]).removeprefix("x: ")
    _read_or_refused(lambda: load_policy("beijing/2024").changed(parse_pairs([f"unit_value.*={text}"])))
    _read_or_refused(lambda: load_terms("general").changed(parse_pairs([f"index.growth={text}"])))


TOML = {
    "deep": "x = " + "[" * 3000 + "]" * 3000,
    "digits": f"scheme = {'9' * 5000}",
    "date": "scheme = 2024-02-30",
    "nan": "scheme = nan",
    "twice": "a = 1\na = 2",
    "bytes": b"\xff\xfe",
    "columns": "columns = 5",
    "table": "[group.scheme]\nx = 1",
    "null": 'scheme = "\0"',
    "dotted": "a." * 500 + "b = 1",
    "list": "scheme = [1, [2]]",
    "inline": "group = {scheme = {a = 1}}",
    "empty": "",
    "columns in columns": '[columns."H01"."H02"]\nx = "age"',
    "number for a name": '[columns."H01"]\nx = 1',
}


@pytest.mark.parametrize("case", TOML)
def test_hostile_toml_is_read_or_refused(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = TOML[case]
    content = text if isinstance(text, bytes) else text.encode()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "drgsim.toml").write_bytes(content)
    _read_or_refused(lambda: read_defaults(typer.main.get_command(app), {}))
    (tmp_path / "scheme.toml").write_bytes(content)
    _read_or_refused(lambda: read_settings(tmp_path))
    _read_or_refused(lambda: load_scheme(tmp_path))


CELLS = (
    "9" * 5000,
    "x" * 200_000,
    "1e400",
    "-1e400",
    "nan",
    "-inf",
    "-5",
    "1e308",
    "99999999999999999",
    '"unclosed',
    "\0",
    "\r",
    "2024-02-30",
    "9999-12-31",
    "true",
    "=1+1",
    "'1",
    "١٢",
    "1_000",
    "0x10",
    "1e-400",
    "-0",
    "",
)
REGION = {
    "hospitals.csv": "id,name,level,grade,kind,beds,district,member_of\nH001,名,3,甲等,综合医院,2080,东湖区,beijing/2011-pilot",
    "fund.csv": "year,insurance,budget_yuan\n2024,employee,19379707.20",
    "enrolment.csv": "year,district,insurance,insured,diabetes,hypertension\n2024,东湖区,employee,5059,430,961",
    "payments.csv": "year,month,hospital_id,unit,amount_yuan,insurance,visits,heads,cost_yuan\n"
    "2024,,H001,outpatient,5.5,employee,6,2,9.5",
    "procurement.csv": "year,hospital_id,savings_yuan,selected_within_volume_yuan,completion\n"
    "2025,H001,149642.34,89785.40,1.049",
    "indicators.csv": "year,hospital_id,indicator,value\n2024,H001,readmission,0.02",
    "adjustments.csv": "year,hospital_id,item,amount_yuan\n2024,H001,deduction,5",
    "advances.csv": "date,hospital_id,amount_yuan\n2024-01-01,H001,5",
}


def _with(text: str, column: int, cell: str) -> str:
    header, row = text.split("\n")
    cells = row.split(",")
    cells[column] = cell
    return f"{header}\n{','.join(cells)}\n"


@pytest.mark.parametrize("name", REGION)
def test_hostile_cells_of_a_region_are_read_or_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "discharges-2024.csv").write_text("discharge_id\n1\n", encoding="utf-8")
    (tmp_path / "hospitals.csv").write_text(REGION["hospitals.csv"], encoding="utf-8")
    for column in range(REGION[name].count(",", 0, REGION[name].index("\n")) + 1):
        for cell in CELLS:
            (tmp_path / name).write_bytes(_with(REGION[name], column, cell).encode())
            _read_or_refused(lambda: read_region(tmp_path))


def test_hostile_lists_of_hospitals_and_weights_are_read_or_refused(tmp_path: Path) -> None:
    path, scheme = tmp_path / "table.csv", load_scheme("chs-drg-2.0")
    for cell in CELLS:
        path.write_bytes(_with("id,level,coefficient\nH001,3,1.1", 2, cell).encode())
        _read_or_refused(lambda: read_hospitals(path))
        for column in range(2):
            path.write_bytes(_with("drg,weight\nFR25,1.1", column, cell).encode())
            _read_or_refused(lambda: read_weights(path, scheme))


@pytest.mark.parametrize("column", range(6))
def test_hostile_cells_of_the_tables_of_a_policy_are_read_or_refused(column: int, tmp_path: Path) -> None:
    source = ROOT / "payment_tables" / "qingyang" / "2023"
    folder = tmp_path / "city" / "2023"
    shutil.copytree(source, folder)
    for table in folder.glob("*.csv"):
        lines = table.read_text(encoding="utf-8-sig").splitlines()
        if lines[0].count(",") < column:
            continue
        for cell in CELLS:
            table.write_bytes((_with("\n".join(lines[:2]), column, cell) + "\n".join(lines[2:])).encode())
            _read_or_refused(lambda: load_policy(folder))
        table.write_text("\n".join(lines), encoding="utf-8")


@pytest.mark.parametrize("draws", [1_000_000_000, 10**30, -1])
@pytest.mark.parametrize("verb", [drgsim.simulate, drgsim.switch])
def test_a_number_of_draws_has_a_limit(draws: int, verb: Callable[..., object]) -> None:
    with pytest.raises(DrgsimError, match="usage-out-of-range"):
        verb("nowhere", draws=draws)


HEAD = "discharge_id,sex,age,diagnoses,procedures\n"
ROW = "1,1,50,I21.001,\n"
FIRST_LINES = {
    "a cell of 160,000 characters": HEAD + "1,1,50," + "I21.001|" * 20_000 + ",\n",
    "a name of 140,000 characters": "x" * 140_000 + "," + HEAD + "1," + ROW,
    "a title of 140,000 characters": "y" * 140_000 + "\n" + HEAD + ROW,
    "a quoted title of 140,000 characters": '"' + "y" * 140_000 + '"\n' + HEAD + ROW,
    "a lone return in the header": HEAD.replace("sex", "se\rx") + ROW,
    "a lone return in a title": "a\rb\rc\n" + HEAD + ROW,
    "a lone return in a cell": HEAD + ROW.replace("I21", "I21\r"),
}


@pytest.mark.parametrize("case", FIRST_LINES)
def test_odd_first_lines_of_a_case_file_are_read_or_refused(case: str, tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    path.write_bytes(FIRST_LINES[case].encode())
    _read_or_refused(lambda: drgsim.group(path))
    _read_or_refused(lambda: drgsim.validate(path))

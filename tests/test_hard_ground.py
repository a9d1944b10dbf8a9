"""Ground on which a grouper stumbles: odd types, odd tables, damaged caches, changed packs, narrow consoles."""

from __future__ import annotations

import ast
import dataclasses
import datetime
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

import drgsim
from drgsim.engines.bundled_proof import bundled_cases
from drgsim.errors import DrgsimError
from drgsim.units.schemes import compiled_scheme as compiler
from drgsim.units.schemes.pack import find_pack
from drgsim.units.schemes.scheme import Scheme
from tests.commands import run
from tests.conftest import ROOT

ADULT = {"discharge_id": 1, "sex": 1, "age": 70, "diagnoses": "I50.101|J96.000", "procedures": ""}


def drgs(records: Any, scheme: Any = "chs-drg-2.0") -> list[str]:
    return list(drgsim.group(records, scheme).to_arrow().column("drg").to_pylist())


def test_dictionaries_may_have_different_keys() -> None:
    newborn = {
        "discharge_id": 2,
        "sex": "1",
        "age": 0,
        "diagnoses": "P07.300",
        "procedures": "",
        "age_days": 3,
        "birth_weight_g": 1800,
    }
    assert drgs([ADULT, newborn]) == ["FR21", "PS29"]
    assert drgs([newborn, ADULT]) == ["PS29", "FR21"]


def test_ids_come_back_as_they_were() -> None:
    frame = pd.DataFrame([ADULT, {**ADULT, "discharge_id": 2}])
    grouped = drgsim.group(frame, "chs-drg-2.0").to_pandas()
    assert list(frame.merge(grouped, on="discharge_id").drg) == ["FR21", "FR21"]


@pytest.mark.parametrize("blank", ["-", "NULL", "—", " ", "nan", None])
def test_a_blank_is_a_blank_in_every_format(blank: str | None) -> None:
    answer = drgsim.group([{**ADULT, "diagnoses": blank, "procedures": blank}], "chs-drg-2.0").to_arrow().to_pylist()[0]
    assert answer["reason"] == "principal_missing"
    assert "procedure_unknown" not in (answer["warnings"] or "")


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("age", pa.array([datetime.date(2020, 1, 1), None])),
        ("age", pa.array([[1], None])),
        ("age_days", pa.array([datetime.datetime(2020, 1, 1), None])),
        ("procedures", pa.array([36.0601, None])),
        ("procedures", pa.array([["36.0601", None], None], pa.large_list(pa.string()))),
        ("procedures", pa.array([["36.0601", "00.4500"], None], pa.list_(pa.string(), 2))),
        ("diagnoses", pa.array(["I50.101", "I10.x00"]).cast(pa.binary())),
        ("diagnoses", pa.array(["I50.101", "I10.x00"]).cast(pa.string_view())),
        ("sex", pa.array([True, None])),
        ("discharge_way", pa.array([5.0, float("nan")])),
    ],
)
def test_columns_of_odd_types(name: str, column: pa.Array) -> None:
    table = pa.Table.from_pylist([ADULT, {**ADULT, "discharge_id": 2}])
    table = table.append_column(name, column) if name not in table.schema.names else table.set_column(
        table.schema.names.index(name), name, column
    )  # fmt: skip
    assert len(drgs(table)) == 2


def test_a_type_without_text_is_told() -> None:
    table = pa.table({**{name: [value] for name, value in ADULT.items()}, "diagnoses": [{"code": "I50.101"}]})
    with pytest.raises(DrgsimError, match="input-unreadable-type"):
        drgs(table)


@pytest.mark.parametrize("records", [ADULT, None, 7])
def test_what_is_no_table_is_told(records: Any) -> None:
    with pytest.raises(DrgsimError, match="group-unknown-records"):
        drgsim.group(records, "chs-drg-2.0")


def test_a_file_that_is_not_there_is_told() -> None:
    with pytest.raises(DrgsimError, match="input-not-found"):
        drgsim.group("cases.csv", "chs-drg-2.0")


def test_a_list_of_files_is_wanted_and_one_name_is_a_list_of_one(tmp_path: Path) -> None:
    with pytest.raises(DrgsimError, match="inputs-no-list"):
        drgsim.group_files([], "chs-drg-2.0", tmp_path / "x.csv")
    with pytest.raises(DrgsimError, match=r"there is no file ok\.csv"):
        drgsim.group_files("ok.csv", "chs-drg-2.0", tmp_path / "x.csv")


def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_text("old", encoding="utf-8")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    drgsim.group_files([bundled_cases("chs-drg-2.0")], "chs-drg-2.0", tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").stat().st_size > 1_000


# -- schemes and caches ---------------------------------------------------------------------------------------------------
@pytest.fixture
def pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(compiler, "_MEMORY", {})
    monkeypatch.setenv("DRGSIM_CACHE_DIR", str(tmp_path / "cache"))
    folder = tmp_path / "chs-drg-2.0"
    shutil.copytree(find_pack("chs-drg-2.0"), folder)
    return folder


def test_a_scheme_that_changes_on_disk_stays_what_was_loaded(pack: Path) -> None:
    loaded = drgsim.load_scheme(pack)
    table = pack / "drg.csv"
    before = table.read_text(encoding="utf-8")
    table.write_text(before.replace("伴严重合并症或并发症,QTZD in MCC", "伴严重合并症或并发症,not 1"), encoding="utf-8")
    assert drgs([ADULT], loaded) == ["FR21"]
    assert drgs([ADULT], pack) == ["FR25"]
    table.write_text(before, encoding="utf-8")
    assert drgs([ADULT], drgsim.load_scheme(pack)) == ["FR21"]


def test_a_replaced_scheme_is_what_it_says(scheme: Scheme) -> None:
    emptied = dataclasses.replace(scheme, mdcs=scheme.mdcs[:1])
    assert drgs([ADULT], emptied) == ["0000"]
    assert drgs([ADULT], scheme) == ["FR21"]
    assert drgsim.explain(ADULT, emptied).drg == "0000"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"x" * 100])
def test_a_damaged_cache_costs_time_and_never_an_answer(pack: Path, tmp_path: Path, content: bytes) -> None:
    assert drgs([ADULT], pack) == ["FR21"]
    compiler._MEMORY.clear()
    kept = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert kept
    for path in kept:
        path.write_bytes(content)
    assert drgs([ADULT], pack) == ["FR21"]
    compiler._MEMORY.clear()


def test_a_folder_in_the_way_does_not_take_the_place_of_a_shipped_scheme(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "chs-drg-2.0").mkdir()
    (tmp_path / "chs-drg-2.0" / "scheme.toml").write_text("", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert find_pack("chs-drg-2.0") != tmp_path / "chs-drg-2.0"
    assert find_pack("./chs-drg-2.0") == tmp_path / "chs-drg-2.0"


# -- consoles -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("encoding", ["gbk", "cp1252"])
@pytest.mark.parametrize(
    "command", [["schemes", "show", "chs-drg-2.0", "--adrg", "FR2"], ["explain", "--diagnoses", "I50.101", "--json"]]
)
def test_a_console_that_lacks_characters_still_works(encoding: str, command: list[str]) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding}
    done = subprocess.run([sys.executable, "-m", "drgsim", *command], capture_output=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert b"FR2" in done.stdout


def test_brackets_in_data_are_no_markup(tmp_path: Path) -> None:
    source = tmp_path / "c[red]x.csv"
    source.write_text("discharge_id,sex,age,diagnoses,procedures\n[/x],1,70,I50.101|[/I10],\n", encoding="utf-8")
    for command in (["validate", str(source)], ["explain", str(source), "--id", "[/x]"]):
        assert "Traceback" not in run(*command).stderr


# -- one way --------------------------------------------------------------------------------------------------------------
ORDER = (
    "errors", "assets", "evidence", "parameter_files", "costs", "records", "schemes", "grouping", "dip", "engines", "payment",
    "selftest", "quality", "analysis", "budget", "simulation", "report", "cli",
)  # fmt: skip


def test_packages_import_only_from_packages_before_them() -> None:
    for path in sorted((ROOT / "drgsim").rglob("*.py")):
        home = path.relative_to(ROOT / "drgsim").parts[0].removesuffix(".py")
        if home not in ORDER:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                parts = name.split(".")
                if parts[0] == "drgsim" and len(parts) > 1 and parts[1] in ORDER:
                    assert ORDER.index(parts[1]) <= ORDER.index(home), f"{path.name} of {home} imports {name}"

"""The tutorial runs as it stands, on CSV files, and gives what the commands give."""

from __future__ import annotations

import ast
import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import drgsim
from tests.conftest import ROOT


def python_of(page: str, number: int = 0) -> str:
    """A block of Python in a page."""
    return str(re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.S)[number])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sample region, its discharges as CSV."""
    folder = tmp_path_factory.mktemp("tutorial")
    region = folder / "region"
    region.mkdir()
    for path in drgsim.sample_path("region").iterdir():
        if path.suffix == ".parquet":
            pd.read_parquet(path).to_csv(region / f"{path.stem}.csv", index=False)
        else:
            shutil.copy(path, region)
    return folder


def test_the_tutorial_imports_drgsim_only_and_is_short() -> None:
    tree = ast.parse(python_of("docs/tutorial.md"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(node) for node in imports] == ["import drgsim"]
    assert len(tree.body) <= 20


def test_the_tutorial_goes_from_a_csv_to_a_budget_year(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    exec(python_of("docs/tutorial.md"), names)
    assert names["paid"].record["cases"] == names["cases"].to_arrow().num_rows
    assert names["paid"].overall["payment"].to_pylist() == [sum(names["paid"].by_hospital["payment"].to_pylist())]
    assert names["year"].hospitals.num_rows == 2 * len(set(names["year"].hospitals["hospital_id"].to_pylist()))
    assert names["change"] > 0
    assert [names["margins"].sum()] == names["paid"].overall["margin"].to_pylist()
    assert (folder / "groups.xlsx").is_file()
    assert (folder / "weights" / "weights.csv").is_file()
    for name, page in (("settled", "settle"), ("budget", "budget"), ("whatif", "whatif")):
        assert (folder / name / f"{page}.html").is_file(), name
        assert (folder / name / "run.json").is_file(), name


def test_the_region_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(drgsim.sample_path("region"), tmp_path / "region")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"drgsim": drgsim}
    exec(python_of("README.md", 1).replace('"whatif"', '"readme"').replace("draws=50", "draws=2"), names)
    assert (tmp_path / "readme" / "simulation.xlsx").is_file()

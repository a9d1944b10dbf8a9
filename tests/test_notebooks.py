"""The notebooks run from top to bottom."""

from __future__ import annotations

import ast
import runpy
import sys
from pathlib import Path

import pytest

import drgsim
from tests.conftest import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_uses_drgsim_by_its_public_names_only(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    taken = {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    allowed = {"pandas", *sys.stdlib_module_names}
    assert "drgsim" in imported
    assert {name for name in imported | taken if name.partition(".")[0] not in allowed} == {"drgsim"}
    named = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "drgsim"
    }
    assert named <= {*drgsim.__all__}


def test_there_are_four_notebooks() -> None:
    assert len(NOTEBOOKS) == 4


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path) -> None:  # type: ignore[no-untyped-def]
    runpy.run_path(str(path), run_name="__main__")

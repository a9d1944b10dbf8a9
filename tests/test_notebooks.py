"""The notebooks run from top to bottom."""

from __future__ import annotations

import runpy

import pytest

from tests.conftest import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path) -> None:  # type: ignore[no-untyped-def]
    runpy.run_path(str(path), run_name="__main__")

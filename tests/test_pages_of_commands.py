"""``--page``: every command that has a page writes it where it is asked to, and refuses other names before anything is done."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import drgsim
from drgsim.cli.main import app
from drgsim.errors import DrgsimError
from drgsim.report.weights_page import weights_page
from tests.sample_region import YEARS, discharges

RUN = CliRunner()
REGION = drgsim.sample_path("region")


@pytest.fixture(scope="module")
def some(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few discharges."""
    path = tmp_path_factory.mktemp("some") / "cases.parquet"
    pd.read_parquet(discharges(YEARS[-1])).head(400).to_parquet(path)
    return path


def calls(cases: Path, folder: Path) -> dict[str, list[str]]:
    """Commands with a page, each on little data."""
    levels = str(REGION / "hospitals.csv")
    return {
        "settle": ["settle", str(cases), "-p", "beijing/2024", "-o", str(folder / "s"), "--hospitals", levels],
        "weights": ["weights", str(cases), "-s", "chs-drg-2.0", "-o", str(folder / "w")],
        "migrate": ["migrate", str(cases), "--from", "chs-drg-2.0", "--to", "chs-drg-3.0", "-o", str(folder / "m")],
        "budget": ["budget", str(REGION), "-p", "beijing/2024", "-o", str(folder / "b")],
        "simulate": ["simulate", str(REGION), "-p", "beijing/2024", "--set", "rate.base=*1.03", "-o", str(folder / "sim")],
        "switch": ["switch", str(REGION), "--draws", "0"],
        "dip report": ["dip", "report", "dip-taian-2025", "-o", str(folder / "d")],
    }  # fmt: skip


@pytest.mark.parametrize("command", ["settle", "weights", "migrate", "budget", "simulate", "switch", "dip report"])
def test_a_command_writes_its_page_where_it_is_asked_to(command: str, some: Path, tmp_path: Path) -> None:
    page = tmp_path / "look.html"
    page.write_text("an earlier one", encoding="utf-8")
    done = RUN.invoke(app, [*calls(some, tmp_path)[command], "--page", str(page), "--quiet"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert done.stdout == ""
    shown = page.read_text(encoding="utf-8")
    assert shown.lstrip().startswith("<!doctype html>")
    assert 'src="http' not in shown


@pytest.mark.parametrize(
    ("page", "code"), [("look.pdf", "usage-page-name"), ("s/look.html", "usage-page-in-results"), ("cases", "usage-page-name")]
)
def test_other_names_are_refused_before_anything_is_done(page: str, code: str, some: Path, tmp_path: Path) -> None:
    with pytest.raises(DrgsimError) as refused:
        RUN.invoke(app, [*calls(some, tmp_path)["settle"], "--page", str(tmp_path / page)], catch_exceptions=False)
    assert [problem.code for problem in refused.value.problems] == [code]
    assert list(tmp_path.iterdir()) == []


def test_the_page_of_weights_shows_groups_by_name_and_what_trimming_does(some: Path) -> None:
    found = drgsim.weights(some, scheme="chs-drg-2.0")
    whole = {line.trimmed: line for line in found.lines if line.scope == "all"}
    shown = weights_page(found.estimated, found.lines, {"RN13": "化学治疗"}, found.notes)
    assert f"{100 * whole[False].riv:.1f} %" in shown
    assert f"{100 * whole[True].riv:.1f} %" in shown
    assert f"{found.estimated.overall_mean:,.2f}" in shown

"""``drgsim dip``: what a user types, what appears, what is refused."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from openpyxl import load_workbook
from rich.cells import cell_len
from typer.testing import CliRunner

from drgsim.analysis.supervision_limits import supervision_settings
from drgsim.authoring.dip.catalogue_differences import compare_catalogues
from drgsim.cli.main import app
from drgsim.errors import DrgsimError
from drgsim.language import speaking, spoken
from drgsim.results.result_titles import column_title
from drgsim.units.dip.catalogue_files import load_catalogue
from tests.sample_region import YEARS
from tests.test_dip_build import FILES

RUN = CliRunner()
SMALL = ["--set", "core.per=history", "--set", "auxiliary.period=history", "--set", "auxiliary.minimum_cases=15"]


def drgsim(*arguments: str | Path) -> str:
    done = RUN.invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue built twice with the same name in different places, with all that the command writes."""
    base = tmp_path_factory.mktemp("dip")
    for place in ("one", "two"):
        (base / place).mkdir()
        files = FILES if place == "one" else FILES[::-1]
        out = drgsim("dip", "build", *files, "-o", base / place / "city", *SMALL, "--stability", "2")
    assert "rests on" in out
    assert "assumptions" in out
    return base


def test_the_same_history_gives_the_same_bytes(folder: Path) -> None:
    one, two = (
        {path.relative_to(folder / place): path.read_bytes() for path in (folder / place).rglob("*") if path.is_file()}
        for place in ("one", "two")
    )
    assert len(one) == 8
    assert {name for name in one if one[name] != two[name]} == set()


def test_a_catalogue_tells_in_chinese_what_it_is_wherever_it_was_built(folder: Path, tmp_path: Path) -> None:
    """The folder keeps its sentences in both languages, so that a report made later speaks the language asked for."""
    with speaking("zh"):
        drgsim("dip", "report", folder / "one" / "city", "--output", tmp_path / "zh")
    page = (tmp_path / "zh" / "catalogue.html").read_text(encoding="utf-8")
    catalogue = load_catalogue(folder / "one" / "city")
    for sentence in (*catalogue.sources, *catalogue.notes):
        assert spoken(sentence, "en") == sentence
        assert f">{sentence}<" not in page
    assert all("原文" in told or "病" in told or "医院" in told for told in spoken(catalogue.notes, "zh"))
    assert "由 drgsim 按 dip-2.0 用" in page
    assert "Kinds know the exact procedure" not in page
    book = load_workbook(tmp_path / "zh" / "catalogue.xlsx", read_only=True)
    about = [str(cell) for row in book.worksheets[0].iter_rows(values_only=True) for cell in row if cell]
    assert not [told for told in about if told.startswith(("built by", "no levels of", "of "))]
    for name in ("cases_trimmed", "parent", "entries_below", "within_limit"):
        assert column_title(name) is not None


def test_the_summary_tells_how_good_it_is_and_what_it_rests_on(folder: Path) -> None:
    summary = json.loads((folder / "one" / "city" / "report" / "summary.json").read_text(encoding="utf-8"))
    names = [each["name"] for each in summary["evaluation"]["explained"]]
    assert names == ["DIP kinds", "DIP kinds and auxiliary levels", "DRG", "kinds within DRGs"]
    assert "DRGs" in summary["evaluation"]["notes"][0]
    assert summary["years"] == dict(zip(map(str, YEARS), (1.0, 2.0, 7.0), strict=True))
    assert summary["stability"]["samples"] == 2
    changed = [entry for entry in summary["parameters"] if entry["source"] == "changed"]
    assert {entry["path"] for entry in changed} == {"core.per", "auxiliary.period", "auxiliary.minimum_cases"}
    assert {entry["evidence"] for entry in changed} == {"assumption"}
    page = (folder / "one" / "city" / "report" / "catalogue.html").read_text(encoding="utf-8")
    assert "Rests on " in page
    assert "<script" not in page, "a page needs no script"


def test_the_directory_has_three_levels_that_hold_the_same_cases(folder: Path) -> None:
    table = pd.read_csv(folder / "one" / "city" / "report" / "directory.csv")
    first, second = (table[table.level == level].cases.sum() for level in (1, 2))
    assert first == second
    parents = set(table[table.level == 2].code)
    assert set(table[table.level == 3].parent) <= parents
    assert (table.entries_below[table.level == 2].sum()) == (table.level == 3).sum()


def test_a_built_catalogue_groups_explains_and_is_checked(folder: Path, tmp_path: Path) -> None:
    city = folder / "one" / "city"
    drgsim("group", FILES[2], "--scheme", city, "-o", tmp_path / "kinds.csv", "-q")
    found = pd.read_csv(tmp_path / "kinds.csv", dtype=str)
    assert (found.status == "grouped").mean() > 0.9
    assert set(found.kind.dropna()) >= {"core", "comprehensive", "chapter"}
    drgsim("schemes", "check", city)


def test_changes_since_last_year(folder: Path, tmp_path: Path) -> None:
    old = folder / "one" / "city"
    new = tmp_path / "next"
    shutil.copytree(old, new)
    lines = pd.read_csv(new / "kinds.csv", dtype=str, keep_default_na=False)
    core = lines[(lines.kind == "core") & (lines.aux == "")].index
    dearer, gone, merged = core[0], core[1], core[2]
    lines.loc[dearer, "score"] = str(float(lines.score[dearer]) * 1.5)
    merged_code, gone_code = lines.code[merged], lines.code[gone]
    for column in ("code", "score", "mean_cost", "cases", "cv"):
        lines.loc[merged, column] = lines.loc[dearer, column]
    lines = lines[~lines.code.str.startswith(gone_code) & ~(lines.code.str.startswith(f"{merged_code}_"))]
    lines.to_csv(new / "kinds.csv", index=False)
    toml = (new / "scheme.toml").read_text(encoding="utf-8")
    (new / "scheme.toml").write_text(toml[: toml.index("[counts]")], encoding="utf-8")
    shown = json.loads(drgsim("dip", "diff", old, new, "--json"))
    by_code = {each["code"]: each for each in shown["kinds"]}
    assert by_code[lines.code[dearer]]["change"] == "score"
    assert by_code[lines.code[dearer]]["ratio"] == pytest.approx(1.5)
    assert by_code[gone_code]["change"] == "gone"
    assert by_code[merged_code]["change"] == "merged"
    assert by_code[merged_code]["into"] == lines.code[dearer]
    drgsim("dip", "diff", old, new, "-o", tmp_path / "page")
    assert {"changes.csv", "catalogue.html", "catalogue.xlsx"} <= {path.name for path in (tmp_path / "page").iterdir()}
    assert "merged" in drgsim("dip", "diff", old, new)


def test_a_catalogue_does_not_differ_from_itself(folder: Path) -> None:
    city = load_catalogue(folder / "one" / "city")
    found = compare_catalogues(city, city)
    assert Counter(each.change for each in found.changes) == {"same": len(city.by_code)}
    assert found.mean_change == 0


def test_a_report_on_a_published_catalogue(tmp_path: Path) -> None:
    out = drgsim("dip", "report", "dip-taian-2025", "-o", tmp_path / "taian")
    assert "6,489" in out
    page = (tmp_path / "taian" / "catalogue.html").read_text(encoding="utf-8")
    assert "one city's table, never the national catalogue" in page.replace("&#39;", "'")


def test_supervision_finds_what_was_planted(folder: Path, tmp_path: Path) -> None:
    """Most patients who return within days are just ill: what is promised is that no planted stay hides among them."""
    out = drgsim("dip", "supervise", *FILES, "--scheme", folder / "one" / "city", "-o", tmp_path / "lists")
    assert "all limits are assumptions" in out
    assert all(f"\n {name} " in out for name in pd.read_csv(tmp_path / "lists" / "hospitals.csv").hospital_id), "whole names"
    assert max(map(cell_len, out.splitlines()[:-1])) <= 80, "the last line has a path, which never folds"
    cases = pd.read_csv(tmp_path / "lists" / "cases.csv", dtype=str)
    names = ["discharge_id", "patient_id", "admitted", "discharged", "los_days", "diagnoses", "procedures", "truth"]
    truth = pd.concat([pd.read_parquet(path, columns=names) for path in FILES], ignore_index=True)
    listed = {name: truth.discharge_id.isin(cases.discharge_id[cases["list"] == name]) for name in ("repeat", "low_standard")}
    split = truth[truth.truth == "split"].sort_values(["patient_id", "admitted"])
    second = split[split.patient_id.duplicated()]
    planned = second.diagnoses.str.startswith(supervision_settings().repeat_planned.value)
    assert (~planned).sum() > 50
    assert (listed["repeat"][second.index] == ~planned).all(), "every second half, but for planned stays"
    low = truth.truth == "low_standard"
    assert (truth.los_days[low] <= supervision_settings().low_longest_stay.value).all()
    # their bills are cut to 0.3-0.6, mostly below 0.5 of a mean; which procedures count as operative, kinds decide
    unoperated = low & (truth.procedures == "")
    assert unoperated.sum() > 50
    assert listed["low_standard"][unoperated].mean() > 0.5
    for name, planted in (("repeat", truth.index.isin(second.index)), ("low_standard", low)):
        assert listed[name][planted].mean() > 10 * listed[name][~planted].mean(), f"{name}: hardly anything else"
    hospitals = pd.read_csv(tmp_path / "lists" / "hospitals.csv")
    assert hospitals.cases.sum() == len(truth)
    assert hospitals.coding_quality_index.between(80, 100).all()
    assert hospitals.deaths_expected.sum() == pytest.approx(hospitals.deaths.sum(), rel=0.02)
    stricter = json.loads(
        drgsim(
            "dip",
            "supervise",
            *FILES,
            "-s",
            folder / "one" / "city",
            "-o",
            tmp_path / "lists",
            "--set",
            "repeat_within_days=3",
            "--json",
        )
    )
    assert stricter["lists"]["repeat"]["cases"] < (cases["list"] == "repeat").sum()
    assert stricter["limits"]["repeat_within_days"]["source"] == "changed"


def test_a_limit_that_does_not_exist_is_told() -> None:
    with pytest.raises(DrgsimError, match="did you mean repeat_within_days"):
        supervision_settings({"repeat_within_day": 3})


def test_supervision_asks_for_all_missing_columns_at_once(folder: Path, tmp_path: Path) -> None:
    frame = pd.read_parquet(FILES[0]).head(50).drop(columns=["patient_id", "admitted"])
    frame.to_parquet(tmp_path / "cases.parquet")
    done = RUN.invoke(
        app,
        ["dip", "supervise", str(tmp_path / "cases.parquet"), "-s", str(folder / "one" / "city"), "-o", str(tmp_path / "x")],
    )
    assert isinstance(done.exception, DrgsimError)
    assert [problem.what.split()[-1] for problem in done.exception.problems] == ["patient_id", "admitted"]
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--method", "lists"], "dip-unknown-method", "did you mean list?"),
        (["--spec", "dip-20"], "spec-unknown", "did you mean dip-2.0?"),
        (["--core", "coverag"], "dip-bad-core", "did you mean coverage?"),
        (["--years", "1-2-7"], "dip-bad-years", "like 1:2:7"),
        (["--set", "core.rule"], "dip-bad-set", "PATH=VALUE"),
        (["--years", "3:7"], "dip-years", f"the history has the years {', '.join(map(str, YEARS))}"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: list[str], code: str, words: str, tmp_path: Path) -> None:
    done = RUN.invoke(app, ["dip", "build", *map(str, FILES), "-o", str(tmp_path / "x"), *arguments])
    assert isinstance(done.exception, DrgsimError)
    assert code in str(done.exception)
    assert words in str(done.exception)
    assert not (tmp_path / "x").exists()


def test_a_folder_of_somebody_else_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    done = RUN.invoke(app, ["dip", "build", str(FILES[0]), "-o", str(tmp_path)])
    assert isinstance(done.exception, DrgsimError)
    assert "output-exists" in str(done.exception)
    assert (tmp_path / "mine.txt").read_text(encoding="utf-8") == "mine"


def test_specifications_are_listed_and_shown() -> None:
    assert "dip-3.0-draft" in drgsim("dip", "specs")
    shown = json.loads(drgsim("dip", "specs", "dip-2.0", "--json"))
    assert next(entry for entry in shown if entry["path"] == "history.year_weights")["value"] == [1.0, 2.0, 7.0]
    assert "assumption" in drgsim("dip", "specs", "dip-2.0")

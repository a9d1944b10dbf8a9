"""The report of a synthetic region: its tables, and that the document has them in the tool's form."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from drgsim.synthetic import generate_region
from drgsim.synthetic.prior_files import read_chapters
from drgsim.synthetic.region_priors import load_priors
from drgsim.synthetic.region_request import RegionRequest
from tools.measure_region import MARK, report, written_into
from tools.region_diseases import disease_table
from tools.region_marginals import HEADER, Priors, figure_counts

DOCUMENT = Path(__file__).parent.parent / "docs" / "synthetic-region.md"


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("measured") / "region"
    generate_region(folder, RegionRequest(hospitals=6, cases=3_000, seed=11))
    return [part for line in report(folder, load_priors()) for part in line.split("\n")]


def rows_after(lines: list[str], heading: str) -> list[list[str]]:
    start = lines.index(f"### {heading}") + 1
    ends = [place for place in range(start, len(lines)) if lines[place].startswith("### ")]
    rows = [line for line in lines[start : ends[0] if ends else None] if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def test_the_most_frequent_diagnoses_stand_beside_their_priors(lines: list[str]) -> None:
    rows = rows_after(lines, "The 40 most frequent principal diagnoses")
    assert len(rows) == 40
    assert {len(row) for row in rows} == {7}
    pneumonia = next(row for row in rows if row[0].startswith("J18"))
    assert "(–)" not in pneumonia[2] + pneumonia[3]
    assert "stay:" in pneumonia[6]


def test_every_marginal_says_where_it_comes_from(lines: list[str]) -> None:
    rows = rows_after(lines, "Marginals")
    assert {len(row) for row in rows} == {4}
    assert all(row[3] for row in rows)
    found = {row[0] for row in rows}
    for words in ("deaths by age", "back within 30 days", "groups reached, chs-drg-2.0", "ambiguous"):
        assert words in found


def test_a_table_without_priors_says_so() -> None:
    frame = pd.DataFrame(
        {"diagnosis_codes": [("I10.x00x002",)], "procedure_codes": [()], "los_days": [3], "discharge_way": [1]}
    )
    *_, row = disease_table(frame)
    assert row.startswith("| I10 高血压 | 1 | 3; 3.0 (–) | 0.0 % (–) | none | none | – |")


def test_figures_are_counted_by_their_sources() -> None:
    priors = Priors(load_priors())
    for disease in priors.diseases.values():
        known, assumed = figure_counts(disease)
        assert known <= len(disease.sources)
        assert known + assumed > 0
    assert sum(priors.age_shares) == pytest.approx(1)


def test_a_table_of_markdown_has_a_head() -> None:
    assert HEADER[0].count("|") == HEADER[1].count("|")


# -- docs/synthetic-region.md -----------------------------------------------------------------------------------------
def test_the_document_has_the_tables_that_the_tool_makes(lines: list[str]) -> None:
    text = DOCUMENT.read_text("utf-8")
    _, _, tables = text.partition(MARK)
    shown = tables.splitlines()
    assert [line for line in shown if line.startswith("#")] == [line for line in lines if line.startswith("#")]
    heads = [[rows[place - 1] for place, row in enumerate(rows) if row.startswith("|---")] for rows in (shown, lines)]
    assert heads[0] == heads[1]
    figures = {line.split("|")[1].strip() for line in shown if line.startswith("| ") and line.count("|") == 5}
    for row in rows_after(lines, "Marginals"):
        assert row[0] in figures or row[0].startswith("CV of the"), row[0]


def test_tables_are_replaced_behind_the_mark_and_nowhere_else() -> None:
    assert written_into(f"text\n{MARK}\nold", ["new"]) == f"text\n{MARK}\n\nnew\n"
    with pytest.raises(ValueError, match="no line"):
        written_into("text", ["new"])


def test_the_chapter_of_the_document_can_be_read(tmp_path: Path) -> None:
    text = DOCUMENT.read_text("utf-8")
    path = tmp_path / "chapter.yaml"
    path.write_text(text.split("```yaml\n")[1].split("```")[0], encoding="utf-8")
    (chapter,) = read_chapters([path])
    assert list(chapter.priors.diseases) == ["stable_angina"]

"""The documents say what the code does: registries, the README's commands, its code."""

from __future__ import annotations

import re
import shlex
import shutil
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

import drgsim
from drgsim.engines.bundled_proof import bundled_cases
from drgsim.records.findings import FINDINGS
from drgsim.records.schema import columns
from tests.commands import run
from tests.conftest import ROOT
from tests.kept_results import BLOCKS, blocks_of
from tests.sample_region import YEAR


def test_every_finding_is_documented_as_registered() -> None:
    text = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.*) \| (.*) \| (.*) \|$", text, re.M)
    assert [tuple(row) for row in rows] == [(f.code, f.title, f.title_zh, f.fix) for f in FINDINGS]


def test_every_column_is_documented_as_read() -> None:
    text = (ROOT / "docs" / "input.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \| (.*?) \| (.*?) \|$", text, re.M)
    assert [row[0] for row in rows] == list(columns())
    for name, title, unit, needed, aliases in rows:
        column = columns()[name]
        assert (title, unit, needed == "yes") == (column.title_zh, column.unit, column.required)
        assert re.findall(r"`([^`]+)`", aliases) == list(column.aliases)


def commands(readme: str) -> list[str]:
    """The drgsim commands in the shell blocks of a README."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / readme).read_text(encoding="utf-8"), re.S)
    lines = [re.split(r"\s#", line)[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("drgsim ")]


def test_both_readmes_show_the_same_commands() -> None:
    assert commands("README.md") == commands("README.zh-CN.md")


@pytest.mark.slow
def test_the_commands_of_the_readme_run(tmp_path: Path) -> None:
    cases = pd.read_csv(bundled_cases("chs-drg-2.0"), dtype=str)
    cases.loc[3, "case_id"] = "1024"
    cases = cases.assign(hospital_id="H001", hospital_level="3", insurance="employee", total_cost="10000")
    cases.to_csv(tmp_path / "cases.csv", index=False)
    page = pd.DataFrame({"病案号": ["1"], "性别": ["1"], "年龄": ["65"], "主诊": ["I21.001"], "手术": [""]})
    page.to_csv(tmp_path / "front-page.csv", index=False)
    shown = commands("README.md")
    assert len(shown) >= 8
    for line in shown:
        words = shlex.split(line.replace("--cases 300000", "--cases 3000"))
        # the bundled cases are made to reach every group, and many of them contradict themselves
        run(*words[1:], cwd=tmp_path, code=1 if words[1] == "validate" else 0)
    assert (tmp_path / "groups.xlsx").is_file()


def test_the_python_of_the_budget_page_runs() -> None:
    text = (ROOT / "docs" / "budget.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, re.S)
    names: dict[str, object] = {}
    exec(block, names)
    assert names["year"].year == YEAR  # type: ignore[attr-defined]


def test_the_budget_page_counts_the_assumptions_as_they_are() -> None:
    from drgsim.budgets.terms import load_terms

    terms = load_terms("beijing/2024")
    text = (ROOT / "docs" / "budget.md").read_text(encoding="utf-8")
    assert f"of {len(terms.parameters)} parameters {len(terms.assumptions)} are labelled so" in text


def test_the_python_of_the_payment_page_gives_what_its_comments_say() -> None:
    text, checked = (ROOT / "docs" / "payment.md").read_text(encoding="utf-8"), 0
    names: dict[str, object] = {"Decimal": Decimal}
    for block in re.findall(r"```python\n(.*?)```", text, re.S):
        exec(block, names)
        for line in block.splitlines():
            expression, _, comment = line.partition("  # ")
            shown = re.match(r"(-?\d+|\(.*?\)|\{.*?\}|Decimal\(.*?\))(:|$)", comment)
            if shown:
                assert eval(expression, names) == eval(shown[1], names), line
                checked += 1
    assert checked >= 8


def test_the_python_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)
    assert code
    frame = pd.read_csv(bundled_cases("chs-drg-2.0"), dtype=str)
    frame.head(20).to_csv(tmp_path / "2024.csv", index=False)
    frame.head(20).to_parquet(tmp_path / "2023.parquet")
    frame.assign(hospital_id="H001", insurance="employee", total_cost="10000").to_csv(tmp_path / "cases.csv", index=False)
    (tmp_path / "region").mkdir()
    shutil.copy(drgsim.sample_path("region/hospitals.csv"), tmp_path / "region")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(code.group(1), names)
    assert list(names["frame"].drg) == list(frame.expected_drg)  # type: ignore[attr-defined]
    assert names["paid"].cases.num_rows == len(frame)  # type: ignore[attr-defined]
    assert len(pd.read_parquet(tmp_path / "groups.parquet")) == 40


@pytest.mark.slow
@pytest.mark.parametrize(("document", "name"), [(document, name) for document, blocks in BLOCKS.items() for name in blocks])
def test_kept_figures_of_a_document_are_those_of_the_sample(document: str, name: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    assert blocks_of(text)[name] == BLOCKS[document][name](), "run python -m tools.keep_results"


@pytest.mark.parametrize("document", sorted((ROOT / "docs").glob("*.md")), ids=lambda path: path.name)
def test_every_mark_of_a_kept_figure_is_written_by_the_tool(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert set(blocks_of(text)) == set(BLOCKS.get(f"docs/{document.name}", {}))
    assert text.count("<!-- kept: ") == len(blocks_of(text)) == text.count("<!-- end -->")

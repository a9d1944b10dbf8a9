"""What tools make of data and the program in the documents is what data and program say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import ROOT
from tools import make_chinese_api
from tools.make_reference import MARK, PARTS, made_pages, with_parts

ONLY_CHINESE = {"measured region"}  # the English tables are written by tools/measure_region.py


@pytest.mark.parametrize("page", made_pages(), ids=lambda path: path.name)
def test_made_parts_are_current(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text == with_parts(text, page), "run python -m tools.make_reference"


def test_every_part_is_in_both_languages() -> None:
    found: dict[str, set[str]] = {name: set() for name in PARTS}
    for page in made_pages():
        for part in MARK.finditer(page.read_text(encoding="utf-8")):
            found[part["name"]].add("zh" if page.name.endswith(".zh.md") else "en")
    assert found == {name: {"zh"} if name in ONLY_CHINESE else {"en", "zh"} for name in PARTS}


def test_the_chinese_page_of_functions_is_current_and_whole() -> None:
    text = make_chinese_api.TARGET.read_text(encoding="utf-8")
    assert text == make_chinese_api.page(), "run python -m tools.make_chinese_api"
    # whatever no help of a command says stands in tools/function_words.yaml
    assert [line for line in text.splitlines() if line.startswith("|") and line.endswith("|  |")] == []


def test_every_mark_is_closed() -> None:
    for page in (ROOT / "docs").glob("*.md"):
        text = page.read_text(encoding="utf-8")
        assert text.count("<!-- made: ") == text.count("<!-- end made -->") == len(MARK.findall(text)), page.name

"""Every document has a Chinese page that lacks nothing of the English one: parts, tables, commands, names, figures, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tools.measure_region import MARK as MEASURED

DOCS = ROOT / "docs"
# made by tools, English of docstrings and Chinese of the commands' help
MADE_APART = {"api.md"}
ENGLISH = sorted(path for path in DOCS.glob("*.md") if not path.name.endswith(".zh.md") and path.name not in MADE_APART)
README = ROOT / "README.md"
PAGES = [README, *(path for path in ENGLISH if path.with_suffix(".zh.md").is_file())]
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
FIGURE = re.compile(r"(?<![\w.])\d[\d,]*\.?\d+(?: %)?(?! [mb]illion)")
MADE = re.compile(r"<!-- (?:made|kept): [^>]* -->.*?<!-- end(?: made)? -->", re.S)


def chinese_of(page: Path) -> Path:
    """The Chinese page of an English one."""
    return ROOT / "README.zh-CN.md" if page == README else page.with_suffix(".zh.md")


def both(page: Path) -> tuple[str, str]:
    """The page in English and in Chinese, without what tools make."""
    texts = [path.read_text(encoding="utf-8") for path in (page, chinese_of(page))]
    return MADE.sub("", texts[0].partition(MEASURED)[0]), MADE.sub("", texts[1])


def without_blocks(text: str) -> str:
    """Prose and tables alone, names in one line."""
    text = re.sub(r"^ {4,}\S.*$", "", FENCED.sub("", text), flags=re.M)
    return re.sub(r"`[^`]+`", lambda name: " ".join(name[0].split()), text)


def without_comments(block: str) -> list[str]:
    """Lines of a block without what is said beside them."""
    return [re.sub(r"(^|\s+)# .*$", "", line).rstrip() for line in block.splitlines()]


def test_every_page_is_there_in_chinese() -> None:
    assert [path.name for path in ENGLISH if path not in PAGES] == []


def test_every_chinese_page_has_an_english_one() -> None:
    assert [path.name for path in DOCS.glob("*.zh.md") if not DOCS.joinpath(path.name.replace(".zh.md", ".md")).is_file()] == []


def test_no_line_of_a_chinese_page_ends_within_a_paragraph() -> None:
    """A line break between Chinese characters would be shown as a blank."""
    broken = re.compile(r"^[^\s|#<`-][^|\n]*[\u4e00-\u9fff\uff00-\uffef]\n(?![\d-])[\u4e00-\u9fff`*A-Za-z]", re.M)
    for page in (*DOCS.glob("*.zh.md"), chinese_of(README)):
        found = broken.search(MADE.sub("", FENCED.sub("", page.read_text(encoding="utf-8"))))
        assert found is None, f"{page.name}: {found[0] if found else ''}"


def test_chinese_pages_lead_to_chinese_pages() -> None:
    for page in (*DOCS.glob("*.zh.md"), chinese_of(README)):
        named = set(re.findall(r"\]\(([\w/-]+)\.md", page.read_text(encoding="utf-8")))
        assert {each for each in named if (page.parent / f"{each}.zh.md").is_file()} == set(), page.name


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_the_same_parts(page: Path) -> None:
    english, chinese = (re.findall(r"^(#+) ", FENCED.sub("", text), re.M) for text in both(page))
    assert chinese == english
    english, chinese = (
        re.findall(r"<!-- (?:made|kept): [^>]* -->", path.read_text(encoding="utf-8")) for path in (page, chinese_of(page))
    )
    assert sorted(set(chinese) - {"<!-- made: measured region -->"}) == sorted(set(english))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_the_same_commands_and_code(page: Path) -> None:
    blocks = [[(kind, without_comments(block)) for kind, block in FENCED.findall(text)] for text in both(page)]
    assert blocks[1] == blocks[0]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_the_same_rows_of_tables(page: Path) -> None:
    english, chinese = (list(_tables(text)) for text in both(page))
    assert chinese == english


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_no_name_and_no_figure_is_missing(page: Path) -> None:
    english, chinese = map(without_blocks, both(page))
    assert {name for name in re.findall(r"`([^`]+)`", english) if f"`{name}`" not in chinese} == set()
    figures = set(
        re.findall(r"(?<![\w.])\d[\d,]*\.?\d+(?: %)?(?! [mb]illion)", re.sub(r"`[^`]+`|\([^()]*\.md[^()]*\)", "", english))
    )
    assert {figure for figure in figures if figure not in chinese} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_the_same_pages_are_named(page: Path) -> None:
    english, chinese = (set(re.findall(r"\]\(([\w/-]+\.md)", text.replace(".zh", ""))) for text in both(page))
    assert english - chinese - {"README-CN.md"} == set()  # the pages that name each other


def _tables(text: str) -> Iterator[tuple[int, int]]:
    """Rows and columns of every table."""
    for lines in re.findall(r"(?:^\|.*\|$\n?)+", FENCED.sub("", text), re.M):
        rows = lines.strip().splitlines()
        yield len(rows), len(re.findall(r"(?<!\\)\|", rows[0])) - 1

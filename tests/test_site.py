"""The site of the documents: in both languages, and without anything from elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from drgsim.language import LANGUAGES
from tests.conftest import ROOT
from tools.make_pictures import MOST_BYTES, PAGES, file_of

DOCS = ROOT / "docs"
ENGLISH = sorted(path for path in DOCS.glob("*.md") if not path.name.endswith(".zh.md"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole site, as CI builds it."""
    pytest.importorskip("mkdocs", reason="the extra docs is not installed")
    folder = tmp_path_factory.mktemp("site")
    call = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return folder


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        fetched = re.findall(r'<(?:script|img|iframe|source)[^>]*\ssrc="([^"]*)"', text)
        fetched += re.findall(r'<link rel="(?:stylesheet|preconnect|preload|icon)"[^>]*href="([^"]*)"', text)
        assert fetched
        assert [each for each in fetched if re.match(r"(https?:)?//", each)] == [], page


def test_every_page_leads_to_its_other_language(site: Path) -> None:
    for page in ENGLISH:
        english, chinese = site / f"{page.stem}.html", site / "zh" / f"{page.stem}.html"
        assert f'href="zh/{page.stem}.html" hreflang="zh"' in english.read_text(encoding="utf-8")
        assert f'href="../{page.stem}.html" hreflang="en"' in chinese.read_text(encoding="utf-8")


def test_pages_open_as_files(site: Path) -> None:
    links = re.findall(r'href="([^"#:]+)(?:#[^"]*)?"', (site / "zh" / "input.html").read_text(encoding="utf-8"))
    assert len(links) > 30
    assert [link for link in links if not (site / "zh" / link).is_file()] == []
    assert (site / "search" / "search_index.js").is_file()


def test_pictures_are_small_and_in_both_languages() -> None:
    pictures = {path.name: path.stat().st_size for path in (DOCS / "pictures").iterdir()}
    assert set(pictures) == {file_of(name, language).name for name in PAGES for language in LANGUAGES}
    assert max(pictures.values()) <= MOST_BYTES
    for readme, language in (("README.md", "en"), ("README.zh-CN.md", "zh")):
        shown = re.findall(r"!\[[^]]+\]\(docs/pictures/([^)]+)\)", (ROOT / readme).read_text(encoding="utf-8"))
        assert sorted(shown) == sorted(file_of(name, language).name for name in PAGES)


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_links_within_the_project_lead_somewhere(page: str) -> None:
    named = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (ROOT / page).read_text(encoding="utf-8"))
    assert [each for each in named if not (ROOT / each).exists()] == []


def test_the_glossary_has_the_same_terms_in_both_languages() -> None:
    def terms(name: str, english: int) -> list[tuple[str, str]]:
        rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| [^|]+ \|$", (DOCS / name).read_text(encoding="utf-8"), re.M)
        return [(row[english], row[1 - english]) for row in rows if row[english] != "English"]

    assert terms("glossary.md", 0) == terms("glossary.zh.md", 1)
    assert len(terms("glossary.md", 0)) > 70

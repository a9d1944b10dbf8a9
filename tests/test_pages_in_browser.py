"""Every page in a real browser: nothing is asked of a network, nothing overflows, charts and print can be read.

Needs Chromium (``apt-get install chromium``); CI has it. ``DRGSIM_PAGES=folder`` keeps the pages and pictures of them.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import drgsim
from drgsim.language import speaking
from tests.chromium import Chromium, chromium_program, running_chromium

pytestmark = [
    pytest.mark.browser, pytest.mark.slow, pytest.mark.skipif(chromium_program() is None, reason="there is no Chromium"),
]  # fmt: skip
LANGUAGES = {"en": "en", "zh": "zh-CN"}
WIDTHS = (390, 768, 1400)
MOST_BYTES = 1_500_000  # of a page
MOST_TOGETHER = 6_000_000  # of all pages in a folder
INNER_A4 = (703, 1017)  # pixels within the margins of page.css
POLICY = "beijing/2024"

# what a page shows beyond its window; elements that scroll within themselves are none of it
OVERFLOW = """(() => {
  const wide = document.documentElement.clientWidth, inScroll = e => e.closest('.scroll') && !e.matches('.scroll');
  return [...document.querySelectorAll('main *')].filter(e => !inScroll(e) && !e.closest('.unseen, caption, .skip')
    && e.getBoundingClientRect().right > wide + 1 && e.getBoundingClientRect().width > 0)
    .map(e => e.tagName + '.' + e.className.toString().slice(0, 40) + ': ' + e.textContent.slice(0, 40)).slice(0, 5);
})()"""
# texts of drawings that can be seen: the least size of their letters, and pairs that lie on each other
TEXTS = """(() => {
  let least = 99, over = [];
  for (const svg of document.querySelectorAll('svg')) {
    const area = svg.getBoundingClientRect();
    if (!area.width) continue;
    least = Math.min(least, 12 * area.width / svg.viewBox.baseVal.width);
    const boxes = [...svg.querySelectorAll('text')].map(t => [t.getBoundingClientRect(), t.textContent]);
    for (let i = 0; i < boxes.length; i++) for (let j = i + 1; j < boxes.length; j++) {
      const [a, b] = [boxes[i][0], boxes[j][0]];
      if (a.right > b.left + 2 && b.right > a.left + 2 && a.bottom > b.top + 4 && b.bottom > a.top + 4)
        over.push(svg.getAttribute('aria-label').slice(0, 30) + ': ' + boxes[i][1] + ' | ' + boxes[j][1]);
    }
  }
  return JSON.stringify({least, over: over.slice(0, 5)});
})()"""
# what a keyboard or a screen reader needs
NAMES = """(() => {
  const ids = [...document.querySelectorAll('[id]')].map(e => e.id), wrong = [];
  if (new Set(ids).size < ids.length) wrong.push('an id is not unique');
  if (document.querySelectorAll('h1').length !== 1) wrong.push('not one h1');
  if (document.querySelector('a').className !== 'skip') wrong.push('the first link does not skip to the content');
  for (const a of document.querySelectorAll('a[href^="#"]'))
    if (!document.getElementById(a.getAttribute('href').slice(1))) wrong.push('nothing at ' + a.getAttribute('href'));
  for (const t of document.querySelectorAll('table'))
    if (!t.caption || !t.caption.textContent.trim()) wrong.push('a table without caption');
  for (const t of document.querySelectorAll('thead th')) if (t.scope !== 'col') wrong.push('a heading of no column');
  for (const e of document.querySelectorAll('svg[role=img], .scroll, nav, .bars'))
    if (!(e.getAttribute('aria-label') || '').trim()) wrong.push('no name for ' + e.outerHTML.slice(0, 60));
  for (const e of document.querySelectorAll('.scroll')) if (e.tabIndex !== 0) wrong.push('a table that no key scrolls');
  for (const e of document.querySelectorAll('script, iframe, img, link, object, embed')) wrong.push('a ' + e.tagName);
  return JSON.stringify(wrong.slice(0, 9));
})()"""


def makers() -> dict[str, Callable[[Path], object]]:
    """Page -> what writes it to a path; figures are computed once, whatever the language."""
    region = drgsim.sample_path()
    cases = region / "discharges-2026.parquet"
    hospitals = region / "hospitals.csv"
    atlas = drgsim.atlas(cases, policies=["guilin/*", "nanning/*", "beijing/2024", "harbin/2022"], hospitals=hospitals)
    results: Mapping[str, Any] = {
        "settle": drgsim.settle(cases, POLICY, hospitals=hospitals),
        "budget": drgsim.budget(region, POLICY),
        "whatif": drgsim.simulate(region, ["surplus-share-80", "rate-plus-3-behaviour"]),
        "one": drgsim.simulate(region, "procurement-linkage", draws=5, seed=1),
        "switch": drgsim.switch(region, policy=POLICY, draws=5),
        "migrate": drgsim.migrate(cases, "chs-drg-2.0", "chs-drg-3.0"),
        "calibrate": drgsim.calibrate(region),
        "atlas": atlas,
        **{f"report-{who}": drgsim.report_on(cases, POLICY, audience=who, hospitals=hospitals)
           for who in ("hospital", "bureau", "research")},
        "report-region": drgsim.report_on(region, POLICY, audience="bureau"),
        "weights": drgsim.weights(cases, scheme="chs-drg-2.0"),
    }  # fmt: skip
    return {
        **{
            name: lambda path, result=result: result.save(path, formats="html", replace=True)
            for name, result in results.items()
        },
        "policy": lambda path: drgsim.policy_plot("harbin/2022").save(path, formats="html", replace=True),
        "schemes": lambda path: drgsim.schemes_diff("chs-drg-2.0", "chs-drg-3.0", html=path),
        "catalogue": lambda path: drgsim.dip_report("dip-taian-2025").save(path, formats="html", replace=True),
    }


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, Path]]:
    """Language and file of every page."""
    kept = os.environ.get("DRGSIM_PAGES")
    folder = Path(kept) if kept else tmp_path_factory.mktemp("pages")
    made = []
    for name, write in makers().items():
        for language in LANGUAGES:
            path = folder / language / f"{name}.html"
            path.parent.mkdir(exist_ok=True, parents=True)
            with speaking(language):
                write(path)
            made.append((language, path))
    with speaking("zh"):  # these write folders in the language of the call
        drgsim.demo(folder / "demo")
        drgsim.dip_build(sorted(drgsim.sample_path().glob("discharges-*.parquet")), folder / "dip")
    return made + [("zh", path) for name in ("demo", "dip") for path in sorted((folder / name).rglob("*.html"))]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with running_chromium(tmp_path_factory.mktemp("profile")) as running:
        yield running


def test_pages_are_small_and_whole(pages: list[tuple[str, Path]]) -> None:
    sizes = {str(path): path.stat().st_size for _, path in pages}
    assert {name for name, size in sizes.items() if size > MOST_BYTES} == set()
    assert sum(path.stat().st_size for language, path in pages if language == "en") < MOST_TOGETHER
    assert {"index", "casemix", "catalogue"} <= {path.stem for _, path in pages}
    for language, path in pages:
        page = path.read_text(encoding="utf-8")
        assert f'<html lang="{LANGUAGES[language]}">' in page
        assert not re.search(r'(?:src|href)="(?:https?:)?//', page), path


def test_nothing_complains_and_nothing_overflows_at_any_width(pages: list[tuple[str, Path]], browser: Chromium) -> None:
    wrong: dict[str, Any] = {}
    for language, path in pages:
        for width in WIDTHS:
            browser.size(width)
            browser.visit(path)
            place = f"{language} {path.stem} {width}"
            seen = json.loads(browser.value(TEXTS))
            found = [*browser.complaints(), *browser.value(OVERFLOW), *seen["over"]]
            if browser.value("document.documentElement.scrollWidth > innerWidth"):
                found.append("the page is wider than the window")
            if seen["least"] < 10:
                found.append(f"letters of {seen['least']:.1f} pixels")
            if found:
                wrong[place] = found
            if os.environ.get("DRGSIM_PAGES"):
                browser.picture(path.with_name(f"{path.stem}-{width}.png"))
    assert wrong == {}


def test_keys_and_screen_readers_find_their_way(pages: list[tuple[str, Path]], browser: Chromium) -> None:
    found = {}
    for language, path in pages:
        browser.visit(path)
        found[f"{language} {path.stem}"] = json.loads(browser.value(NAMES))
    assert {place: wrong for place, wrong in found.items() if wrong} == {}


def test_dark_colours_reach_charts(pages: list[tuple[str, Path]], browser: Chromium) -> None:
    colours = (
        "JSON.stringify([document.body, document.querySelector('main i, svg rect, svg circle, svg polyline') || document.body]\
.map(e => { const s = getComputedStyle(e); return s.backgroundColor + s.fill + s.stroke + s.color; }))"
    )
    for path in (path for language, path in pages if language == "zh"):
        shown = []
        for dark in (False, True):
            browser.size(1400, dark=dark)
            browser.visit(path)
            shown.append(json.loads(browser.value(colours)))
        light, dark_ones = shown
        assert all(one != other for one, other in zip(light, dark_ones, strict=True)), path.stem
    browser.size(1400)


def test_the_first_printed_sheet_is_the_summary(pages: list[tuple[str, Path]], browser: Chromium) -> None:
    width, height = INNER_A4
    for language, path in pages:
        browser.size(width)
        browser.visit(path)
        browser.ask("Emulation.setEmulatedMedia", media="print")
        bottom = browser.value("document.querySelector('.summary').getBoundingClientRect().bottom + scrollY")
        assert bottom <= height, f"{language} {path.stem}: the summary needs {bottom:.0f} of {height} pixels"
        assert browser.value("getComputedStyle(document.querySelector('.summary')).breakAfter") == "page"
        browser.ask("Emulation.setEmulatedMedia", media="")
        printed = browser.paper()
        assert printed.startswith(b"%PDF")
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) >= 2, path.stem
        if os.environ.get("DRGSIM_PAGES"):
            path.with_suffix(".pdf").write_bytes(printed)


def test_the_checks_see_what_is_wrong(browser: Chromium, tmp_path: Path) -> None:
    """A page with every fault that the tests above look for."""
    bad = tmp_path / "bad.html"
    bad.write_text(
        "<!doctype html><meta name=viewport content='width=device-width'><main><a href='#nowhere'>x</a>"
        "<div style='width:3000px'>wide</div>"
        "<table><thead><tr><th>a</th></tr></thead></table>"
        "<svg viewBox='0 0 1000 100' width=300 role=img aria-label=chart><text x=0 y=50>first</text>"
        "<text x=5 y=52>second</text></svg>"
        "<img src='http://example.invalid/a.png'></main><script>console.error('no')</script>",
        encoding="utf-8",
    )
    browser.size(390)
    browser.visit(bad)
    told = "\n".join(browser.complaints())
    assert "request: http://example.invalid/a.png" in told
    assert "'value': 'no'" in told
    assert any("wide" in each for each in browser.value(OVERFLOW))
    seen = json.loads(browser.value(TEXTS))
    assert seen["least"] < 10
    assert len(seen["over"]) == 1
    wrong = json.loads(browser.value(NAMES))
    assert {"not one h1", "nothing at #nowhere", "a table without caption", "a heading of no column"} <= set(wrong)

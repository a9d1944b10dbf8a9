"""HTML pages: one design for all of them, without a script, each a file of its own that opens offline and prints.

A page is data: a :class:`Page` of cards, and in the cards parts. Who makes a page writes no HTML::

    from drgsim.language import text
    from drgsim.report.page import Page, page_html
    from drgsim.report.page_parts import Card, KeyFigure, NamedCode, PageTable, TableColumn
    from drgsim.report.bar_charts import BarChart, BarSeries

    rows = [{"group": NamedCode("ES21", "呼吸系统感染"), "cases": 120, "margin": -5200.0}]
    table = PageTable(
        text("Groups with the largest loss"),
        [TableColumn(text("group"), "group"), TableColumn(text("cases"), "cases", "count"),
         TableColumn(text("margin (10k yuan)"), "margin", "wan", signed=True)],
        rows,
    )
    bars = BarChart(text("Margin by group, 10k yuan"), [row["group"] for row in rows],
                    [BarSeries("", [row["margin"] for row in rows], "sign")], "wan", signed=True)
    html = page_html(Page(
        title=text("Hospital report"), lead=text("{count:,} cases lose money.", count=120),
        figures=[KeyFigure(text("cases"), "120")], cards=[Card(text("Groups"), [bars, table])],
    ))

The parts of :mod:`page_parts` are words, points, tables, key figures, folds and choices; :mod:`bar_charts` has bars, steps and
maps of numbers, :mod:`plots` lines, standing bars and dots on two axes, :mod:`sankey` flows. Texts are
:mod:`drgsim.language` texts and are given in the current language here, so a maker never calls ``spoken``. What has an
English and a Chinese name in the data goes in as ``bilingual(english, chinese)``. The summary (warnings, lead, figures,
``summary``) is the first sheet of paper: keep it within one A4 page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from drgsim.language import counted, current_language, spoken, term, text
from drgsim.report.page_parts import Card, KeyFigure, PageAssumption, PagePart, PageTable, TableColumn, kept_columns
from drgsim.report.plot_drawing import plot_drawings, plot_numbers
from drgsim.report.plots import Plot
from drgsim.report.sankey import FlowChart
from drgsim.report.text_sizes import text_width
from drgsim.version import __version__

_TEMPLATES = Path(__file__).with_name("templates")
_LANGUAGES = {"zh": "zh-CN", "en": "en"}
FONT = "'Noto Sans CJK SC', 'Source Han Sans SC', 'PingFang SC', 'Microsoft YaHei', system-ui, sans-serif"


@dataclass(frozen=True)
class Page:
    """A page.

    Attributes
    ----------
    title, subtitle
        Heading, and the line below it: file or region, year, policy.
    lead
        What a reader has to know, in one or two sentences.
    warnings
        Remarks that are set off at the top (that the data are synthetic, say).
    figures
        Four to eight key figures.
    summary
        Parts below them that still belong to the first sheet: one small chart or table.
    cards
        Everything else.
    assumptions
        Values without a source, folded behind one line at the end.
    notes
        Remarks beside the assumptions.
    links
        Name and relative address of pages beside this one.
    footer
        Lines at the end: scheme and policy with their digests.
    """

    title: str
    cards: Sequence[Card]
    subtitle: str = ""
    lead: str = ""
    warnings: Sequence[str] = ()
    figures: Sequence[KeyFigure] = ()
    summary: Sequence[PagePart] = ()
    assumptions: Sequence[PageAssumption] = ()
    notes: Sequence[str] = ()
    links: Sequence[tuple[str, str]] = ()
    footer: Sequence[str] = ()

    @property
    def rests_on(self) -> str:
        """The one line that stands for all assumptions."""
        if not self.assumptions:
            return text("What this rests on")
        return counted(len(self.assumptions), "Rests on {count} assumption", "Rests on {count:,} assumptions")

    @property
    def assumption_table(self) -> PageTable:
        """The assumptions in full, without columns in which nothing stands."""
        columns = [
            TableColumn(text("parameter"), "path"), TableColumn(text("value"), "value"), TableColumn(text("unit"), "unit"),
            TableColumn(text("of"), "of"), TableColumn(text("source and note"), "source"),
        ]  # fmt: skip
        rows = [vars(assumption) for assumption in self.assumptions]
        return PageTable(text("Assumptions"), kept_columns(columns, rows), rows)


def page_html(page: Page) -> str:
    """HTML of a page in the current language; every text is escaped, and the page asks nothing of the network."""
    lang = _LANGUAGES[current_language()]
    return _environment().get_template("page.html").render(page=page, lang=lang, font=FONT, version=__version__)


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=spoken,
    )
    environment.globals |= {
        "text": text, "term": term, "counted": counted, "drawings": _drawings, "plot_numbers": plot_numbers, "widest": _widest,
        "ems": _ems,
    }  # fmt: skip
    return environment


def _drawings(part: Plot | FlowChart) -> list[tuple[str, Markup]]:
    """Drawings of a chart as they stand: the drawer has escaped its texts."""
    return [(size, Markup(svg)) for size, svg in (plot_drawings(part) if isinstance(part, Plot) else part.drawings())]


def _ems(column: TableColumn, rows: Sequence[Any]) -> float:
    """Letters that the widest text of a column takes in one line, in widths of a Chinese one."""
    shown = (column.shown(row) for row in rows)
    lines = [line for value in shown for line in (value if isinstance(value, list | tuple) else [value])]
    return round(max((text_width(str(spoken(line)), 1.0) for line in lines), default=0.0), 1)


def _widest(texts: Sequence[str]) -> int:
    """Pixels of the widest of some short texts, in the size of the numbers beside bars."""
    return round(max((text_width(str(spoken(each)), 12.5) for each in texts), default=40.0)) + 4

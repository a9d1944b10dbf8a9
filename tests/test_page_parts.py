"""Parts of pages: what charts draw is what their numbers say, labels keep apart, and no text becomes markup."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from drgsim.language import speaking, text
from drgsim.report.bar_charts import BarChart, BarMark, BarSeries, HeatTable, StepChart, shaded
from drgsim.report.page import Page, page_html
from drgsim.report.page_parts import (
    Card,
    Choice,
    Fold,
    KeyFigure,
    NamedCode,
    NotedText,
    PageAssumption,
    PagePart,
    PageTable,
    Points,
    ReplacedText,
    TableColumn,
    Words,
)
from drgsim.report.plot_drawing import plot_drawings, plot_numbers
from drgsim.report.plot_scales import PlotScale
from drgsim.report.plots import Plot, PlotAxis, PlotColumns, PlotDots, PlotGuide, PlotLine
from drgsim.report.sankey import FlowChart, SankeyFlow
from drgsim.report.text_sizes import text_width

HOSTILE = "<script>alert(1)</script>\"'&"
AMOUNTS = st.floats(-1e6, 1e6).filter(lambda value: value == 0 or abs(value) > 1e-3)


def parts_of(word: str) -> list[PagePart]:
    """One part of each kind with a word wherever a text may stand."""
    named, noted = NamedCode(word, word), NotedText(word, word)
    table = PageTable(word, [TableColumn(word, 0), TableColumn(word, 1, "count")], [(named, 1), (noted, None)], note=word)
    axis = PlotAxis(word, names=[word, word])
    return [
        table, Words([word]), Points([word, noted]), Fold(word, [table]),
        Choice("one", word, [(named, [table]), (word, [table])]),
        PageTable(word, [TableColumn(word, 0)], [([ReplacedText(word, "now"), ReplacedText(word, word, True)],)]),
        BarChart(word, [named, word],
                 [BarSeries(word, [1, -2], hints=[word, word]), BarSeries(word, [1, 2], low=[0, 1], high=[2, 3])],
                 marks=[BarMark(1, word)]),
        BarChart(word, [named], [BarSeries(word, [1]), BarSeries(word, [2])], dots=True),
        StepChart(word, [(word, 1.0), (named, 2.0)], word),
        HeatTable(word, [word], [named], [[1.0]], [[shaded(1.0, 0, 0, 1)]], note=word),
        Plot(word, [PlotColumns(word, [0, 1], [1, 2], labels=True), PlotLine(word, [0, 1], [1, None], points=True),
                    PlotDots(word, [0, 1], [1, 2], names=[named, word], labelled=2)], axis, PlotAxis(word),
                    [PlotGuide("y", 1, word)],
             corners=(word, word, word, word)),
        FlowChart(word, [SankeyFlow("a", "b", 1, word)], ({"a": named}, {"b": word})),
    ]  # fmt: skip


def page_of(word: str) -> str:
    return page_html(Page(
        title=word, subtitle=word, lead=word, warnings=[word], figures=[KeyFigure(word, word, word)],
        summary=parts_of(word)[:1],
        cards=[Card(word, parts_of(word), word)], assumptions=[PageAssumption(word, word, word, word, word)], notes=[word],
        links=[(word, "a.html")], footer=[word],
    ))  # fmt: skip


def test_no_text_becomes_markup() -> None:
    page = page_of(HOSTILE)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    opened = [tag for tag in re.findall(r"<([a-z]+)[\s>]", page) if tag not in {"meta", "br", "link"}]
    assert {tag for tag in opened if opened.count(tag) != page.count(f"</{tag}>") + _closed_at_once(page, tag)} == set()
    assert page_of("a") == page_of("a")  # the same bytes


def _closed_at_once(page: str, tag: str) -> int:
    return len(re.findall(rf"<{tag}\b[^>]*/>", page))


def test_a_page_speaks_the_language_of_the_run() -> None:
    shown = {}
    for language in ("en", "zh"):
        with speaking(language):
            shown[language] = page_html(
                Page(text("Groups"), [Card(text("Hospitals"), [])], assumptions=[PageAssumption("a.b")])
            )
    assert '<html lang="en">' in shown["en"]
    assert "Rests on 1 assumption" in shown["en"]
    assert '<html lang="zh-CN">' in shown["zh"]
    assert "依据 1 项假设" in shown["zh"]
    assert "assumption" not in re.sub(r"<style>.*?</style>", "", shown["zh"], flags=re.S)


@given(st.lists(AMOUNTS, min_size=1, max_size=8), st.booleans())
def test_steps_join_and_end_in_their_sum(amounts: list[float], from_first: bool) -> None:
    chart = StepChart("c", [(f"s{n}", amount) for n, amount in enumerate(amounts)], "end", from_first=from_first)
    rows = chart.rows()
    assert rows[-1][2] == f"{sum(amounts):,.1f}" or abs(sum(amounts)) < 0.05
    low, high = chart.ends
    level = 0.0
    for (_, piece, _, whole), amount in zip(rows, [*amounts, 0.0], strict=True):
        ends = sorted(
            100 * (min(max(value, low), high) - low) / (high - low) for value in (0.0 if whole else level, level + amount)
        )
        level += amount
        assert abs(piece.left - ends[0]) < 0.3  # the least width of a bar
        assert abs(piece.left + piece.width - ends[1]) < 0.3
        assert piece.left >= 0
        assert piece.left + piece.width <= 100 + 1e-6


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(-1e6, 0)), min_size=1, max_size=6))
def test_stacked_bars_end_where_their_sums_are(values: list[tuple[float, float]]) -> None:
    up, down = ([value[side] for value in values] for side in (0, 1))
    chart = BarChart(
        "c", [str(n) for n in range(len(values))], [BarSeries("up", up), BarSeries("down", down)], ",.3f", stacked=True
    )
    low, high = chart.ends
    assert low <= min(down, default=0.0)
    assert high >= max(up, default=0.0)
    for (_, (line,), _), pair in zip(chart.rows(), values, strict=True):
        assert line.shown == f"{sum(pair):,.3f}"
        assert [piece.tone for piece in line.pieces] == ["blue" for value in pair if value]


def test_what_is_missing_is_no_bar() -> None:
    chart = BarChart("c", ["a", "b", "c"], [BarSeries("", [None, float("nan"), 0.0])])
    assert [(len(line.pieces), line.shown) for _, (line,), _ in chart.rows()] == [(0, "–"), (0, "–"), (1, "0")]


@given(st.floats(-1e9, 1e9), st.floats(1e-3, 1e9), st.integers(2, 12), st.booleans())
def test_marks_lie_on_the_axis_and_rise(low: float, span: float, most: int, log: bool) -> None:
    first = abs(low) + 0.01 if log else low
    scale = PlotScale.of(PlotAxis(log=log), [first, first + span], 500.0, 0.05)
    marks = scale.marks(most)
    assert len(marks) <= most + 1
    places = [scale.at(mark) for mark in marks]
    assert places == sorted(places)
    assert all(-1.0 <= place <= 501.0 for place in places)


LABEL = r'<text class="(?:tick )?halo" x="([\d.-]+)" y="([\d.-]+)" text-anchor="(\w+)">([^<]*)<'
FIXED = 5  # words of corners and guide, which come last
POINTS = st.lists(st.tuples(st.floats(0.1, 1000), st.floats(-1000, 1000), st.floats(0, 100)), min_size=1, max_size=40)


@given(POINTS, st.booleans())
def test_labels_of_dots_never_lie_on_each_other(points: list[tuple[float, float, float]], log: bool) -> None:
    xs, ys, sizes = (list(column) for column in zip(*points, strict=True))
    names = [NamedCode(f"ES{n}", "呼吸系统感染") for n in range(len(points))]
    dots = PlotDots("d", xs, ys, names=names, sizes=sizes, labelled=len(points))
    plot = Plot("c", [dots], PlotAxis("x", log=log), PlotAxis("y"), [PlotGuide("x", 50, "guide")], corners=("a", "b", "c", "d"))
    for _, svg in plot_drawings(plot):
        boxes = [_box(*found) for found in re.findall(LABEL, svg)]
        for number, (left, top, right, bottom) in enumerate(boxes[:-FIXED]):
            for a, b, c, d in boxes[number + 1 :]:
                assert right <= a + 0.2 or c <= left + 0.2 or bottom <= b + 0.2 or d <= top + 0.2


def _box(x: str, y: str, anchor: str, shown: str) -> tuple[float, float, float, float]:
    wide, at = text_width(shown), float(x)
    left = {"start": at, "end": at - wide, "middle": at - wide / 2}[anchor]
    return left, float(y) - 12, left + wide, float(y) + 4


def test_the_numbers_of_a_plot_are_there_as_a_table() -> None:
    line = PlotLine("a", [0, 1, 2], [1.0, None, 3.0])
    table: Any = plot_numbers(Plot("c", [line, PlotColumns("b", [0, 1], [5, 6])], PlotAxis("month", names=["1", "2", "3"])))
    assert table.rows == [("1", 1.0, 5.0), ("2", None, 6.0), ("3", 3.0, None)]
    assert plot_numbers(Plot("c", [PlotLine("a", range(500), range(500))])) is None

"""The page of a migration: flows to choose from, groups that split and merge, hospitals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from drgsim.analysis.migration import Answer, Flow, GroupChange, Migration, MigrationSide
from drgsim.language import bilingual, counted, text
from drgsim.report.bar_charts import BarChart, BarSeries
from drgsim.report.casemix_page import STATUS_WORDS
from drgsim.report.page import Page, page_html
from drgsim.report.page_parts import Card, Choice, KeyFigure, Name, NamedCode, NotedText, PageTable, TableColumn
from drgsim.report.sankey import FlowChart, SankeyFlow

MOST_LINKS = 36  # links of a view that are drawn one by one; the smaller ones are drawn together
MOST_ROWS = 40
MOST_HOSPITALS = 30
_REST = "other"  # node of the smaller flows
_TONES = {"same": "light", "moved": "amber", "lost": "red"}
Label = Callable[[MigrationSide, Answer], Name]
View = tuple[Name, Sequence[Flow], Label, bool]


def migrate_page(migration: Migration) -> str:
    """HTML of the page, with everything in it."""
    groups = migration.groups()
    before, after = migration.before.scheme, migration.after.scheme
    sides = (
        (text("Groups that split"), "split", before.id, migration.after),
        (text("Groups that merge"), "merged", after.id, migration.before),
    )
    gone = [g for g in groups if g.side == "from" and not g.in_other][:MOST_ROWS]
    new = [g for g in groups if g.side == "to" and not g.in_other][:MOST_ROWS]
    return page_html(Page(
        title=f"{before.id} → {after.id}",
        subtitle=text("{before} → {after} · {files}", before=bilingual(before.title_en, before.title_zh),
                      after=bilingual(after.title_en, after.title_zh), files=", ".join(path.name for path in migration.inputs)),
        figures=_figures(migration, groups),
        summary=[_status(migration)],
        cards=[
            _flows(migration), *_hospitals(migration),
            *(_parts(migration, title, _most(groups, change), other) for title, change, _,
              other in sides if _most(groups, change)),
            *_codes(text("Codes that disappear"), gone, migration.after),
            *_codes(text("Codes that appear"), new, migration.before),
        ],
        notes=migration.notes(),
        footer=[f"{before.id} ({before.digest[:12]}) · {after.id} ({after.digest[:12]})"],
    ))  # fmt: skip


def _figures(migration: Migration, groups: Sequence[GroupChange]) -> list[KeyFigure]:
    share = 100 / max(migration.cases, 1)
    changed = {"mdc": text("change the MDC"), "adrg": text("change the ADRG"), "drg": text("change the DRG")}
    counts = " · ".join(f"{sum(g.change == change for g in groups):,}" for change in ("split", "merged"))
    cmi = " → ".join("–" if value is None or not migration.comparable else f"{value:.2f}" for value in migration.cmi)
    return [
        KeyFigure(text("cases"), f"{migration.cases:,}"),
        *(KeyFigure(title, f"{migration.moved(level) * share:.1f} %") for level, title in changed.items()),
        KeyFigure(text("groups split · merged"), counts),
        KeyFigure("CMI", cmi),
    ]


def _status(migration: Migration) -> PageTable:
    rows = [
        (STATUS_WORDS[a], STATUS_WORDS[b], number, number / max(migration.cases, 1))
        for (a, b), number in migration.status().most_common()
    ]
    columns = [TableColumn(migration.before.scheme.id, 0), TableColumn(migration.after.scheme.id, 1),
               TableColumn(text("cases"), 2, "count"), TableColumn(text("share"), 3, "share")]  # fmt: skip
    return PageTable(text("Status before and after"), columns, rows)


def _most(groups: Iterable[GroupChange], change: str) -> list[GroupChange]:
    """Groups by the number of cases outside their largest part."""
    chosen = [group for group in groups if group.change == change]
    return sorted(chosen, key=lambda g: (g.parts[0].cases - g.cases, g.drg))[:MOST_ROWS]


def _answer(side: MigrationSide, answer: Answer) -> str | NamedCode:
    return NamedCode(answer.drg, side.name(answer)) if answer.grouped else STATUS_WORDS[answer.status]


def _parts(migration: Migration, title: str, groups: Sequence[GroupChange], other: MigrationSide) -> Card:
    least = migration.least_share
    own = migration.before if other is migration.after else migration.after
    rows = [
        (NamedCode(g.drg, g.name), g.cases,
         [NotedText(_answer(other, part.answer), f"{100 * part.share:.1f} %") for part in g.parts if part.share >= least])
        for g in groups
    ]  # fmt: skip
    columns = [TableColumn(own.scheme.id, 0), TableColumn(text("cases"), 1, "count"),
               TableColumn(text("parts of {share:g} % or more", share=100 * least), 2)]  # fmt: skip
    return Card(title, [PageTable(title, columns, rows)], text("Those with most cases outside their largest part."))


def _codes(title: str, groups: Sequence[GroupChange], other: MigrationSide) -> list[Card]:
    rows = [(NamedCode(g.drg, g.name), g.cases, _answer(other, g.parts[0].answer), g.parts[0].share) for g in groups]
    columns = [TableColumn(text("group"), 0), TableColumn(text("cases"), 1, "count"), TableColumn(text("mainly"), 2),
               TableColumn(text("share"), 3, "share")]  # fmt: skip
    return [Card(title, [PageTable(title, columns, rows)])] if rows else []


# -- flows --------------------
def _flows(migration: Migration) -> Card:
    """Flows to choose from: all MDCs, the groups that move most, and the ADRGs of each MDC."""
    before = migration.before
    moved = [flow for flow in migration.flows if flow.before.drg != flow.after.drg or flow.before.status != flow.after.status]
    views: list[View] = [
        (text("All cases by MDC"), migration.flows, _mdc_label, True),
        (text("DRGs: the {count} largest moves", count=MOST_LINKS), moved, _drg_label, False),
        (
            text("ADRGs: the {count} largest moves", count=MOST_LINKS),
            [f for f in moved if _differ(migration, f)],
            _adrg_label,
            False,
        ),
    ]
    cases: Counter[str] = Counter()
    for flow in migration.flows:
        cases[before.mdc(flow.before)] += flow.cases
    for mdc in before.scheme.mdcs:
        if cases[mdc.code]:
            own = [flow for flow in migration.flows if before.mdc(flow.before) == mdc.code]
            views.append((NamedCode(mdc.code, f"{mdc.name} ({cases[mdc.code]:,})"), own, _adrg_label, True))
    options = [(title, [_chart(migration, flows, label, whole=whole)]) for title, flows, label, whole in views if flows]
    note = text("Left: {before}, right: {after}. Blue: same code; amber: another code; red: no plain group any more. A code \
that stays may still change its meaning.", before=before.scheme.id, after=migration.after.scheme.id)  # fmt: skip
    return Card(text("Flow of cases"), [Choice("flows", text("What to show"), options)], note)


def _differ(migration: Migration, flow: Flow) -> bool:
    return migration.before.adrg(flow.before) != migration.after.adrg(flow.after)


def _chart(migration: Migration, flows: Sequence[Flow], label: Label, *, whole: bool) -> FlowChart:
    """One view; with ``whole`` the smaller flows come together as one link, so that all cases are there."""
    links: Counter[tuple[str, str, str]] = Counter()
    names: tuple[dict[str, Name], dict[str, Name]] = {}, {}
    for flow in flows:
        ends = label(migration.before, flow.before), label(migration.after, flow.after)
        for side, name in zip(names, ends, strict=True):
            side[str(name)] = name
        links[str(ends[0]), str(ends[1]), _tone(ends, flow)] += flow.cases
    shown = links.most_common(MOST_LINKS)
    rest = sum(links.values()) - sum(number for _, number in shown)
    if rest and whole:
        shown.append(((_REST, _REST, "same"), rest))
        for side in names:
            side[_REST] = text("smaller flows")
    drawn = [
        SankeyFlow(source, target, number,
                   text("{before} → {after}: {cases}", before=names[0][source], after=names[1][target],
                        cases=counted(number, "{count} case", "{count:,} cases")), _TONES[tone])
        for (source, target, tone), number in shown
    ]  # fmt: skip
    return FlowChart(text("Flows of cases from the groups before to the groups after"), drawn, names)


def _tone(ends: tuple[Name, Name], flow: Flow) -> str:
    if flow.before.grouped and not flow.after.grouped:
        return "lost"
    codes = [name.code if isinstance(name, NamedCode) else str(name) for name in ends]
    return "same" if codes[0] == codes[1] else "moved"


def _mdc_label(side: MigrationSide, answer: Answer) -> Name:
    if not answer.grouped:
        return STATUS_WORDS[answer.status]
    code = side.mdc(answer)
    return NamedCode(code, next(mdc.name for mdc in side.scheme.mdcs if mdc.code == code))


def _adrg_label(side: MigrationSide, answer: Answer) -> Name:
    code = side.adrg(answer)
    return NamedCode(code, side.scheme.adrgs[code].name) if code else STATUS_WORDS[answer.status]


def _drg_label(side: MigrationSide, answer: Answer) -> Name:
    return NamedCode(answer.drg, side.name(answer)) if side.adrg(answer) else STATUS_WORDS[answer.status]


# -- hospitals --------------------
def _hospitals(migration: Migration) -> list[Card]:
    """Relative CMI before and after, one line per hospital; those that move most."""
    moves = sorted(migration.hospitals, key=lambda move: -abs(move.change or 0))
    if not moves:
        return []
    drawn = sorted((m for m in moves if m.change is not None), key=lambda m: -abs(m.change or 0))[:MOST_HOSPITALS]
    drawn = sorted(drawn, key=lambda m: -(m.relative_before or 0))
    series = [
        BarSeries(migration.before.scheme.id, [m.relative_before for m in drawn], "grey"),
        BarSeries(migration.after.scheme.id, [m.relative_after for m in drawn], "blue"),
    ]
    chart = BarChart(text("CMI over the CMI of all hospitals"), [_hospital(m) for m in drawn], series, ".3f", dots=True)
    columns = [
        TableColumn(text("hospital"), "hospital"), TableColumn(text("cases"), "cases", "count"),
        TableColumn(text("CMI before"), "cmi_before", ".4f", minor=True),
        TableColumn(text("CMI after"), "cmi_after", ".4f", minor=True),
        TableColumn(text("relative before"), "relative_before", ".4f"),
        TableColumn(text("relative after"), "relative_after", ".4f"),
        TableColumn(text("change"), "change", "share", signed=True), TableColumn(text("rank"), "rank", minor=True),
    ]  # fmt: skip
    rows = [_row(m) for m in moves[:MOST_ROWS]]
    note = text(
        "The {shown} of {all} hospitals that move most. Relative CMI = CMI / CMI of all hospitals.",
        shown=len(rows),
        all=len(moves),
    )
    title = text("Case-mix index of the hospitals")
    return [Card(title, [*([chart] if drawn else []), PageTable(title, columns, rows)], note)]


def _hospital(move: Any) -> str:
    return str(move.hospital) if move.hospital else text("(none)")


def _row(move: Any) -> dict[str, Any]:
    keys = ("cases", "cmi_before", "cmi_after", "relative_before", "relative_after", "change")
    ranks = f"{move.rank_before or '–'} → {move.rank_after or '–'}"
    return {"hospital": _hospital(move), "rank": ranks, **{key: getattr(move, key) for key in keys}}

"""A comparison of two schemes as a self-contained HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drgsim.language import term, text
from drgsim.report.page import Page, page_html
from drgsim.report.page_parts import Card, Fold, NamedCode, NotedText, PagePart, PageTable, ReplacedText, TableColumn
from drgsim.units.schemes.scheme_differences import SchemeDifference

MOST_ROWS = 2000  # code rows that a page lists; the JSON has all
_LEVELS = {"mdc": "MDC", "adrg": "ADRG", "drg": "DRG"}
_CHANGES = {"added": text("added"), "removed": text("removed"), "changed": text("changed")}
_ASPECTS = {
    "name": text("name"), "kind": text("type"), "order": text("order"), "parent": text("parent"), "rule": text("rule"),
    "lists": text("code lists"),
}  # fmt: skip
_RELATIONS = {
    "renamed": text("renamed"), "split": text("split"), "merged": text("merged"), "new": text("new"), "gone": text("gone"),
}  # fmt: skip
_SEVERITIES = ("MCC", "CC", "none")


def difference_page(difference: SchemeDifference) -> str:
    """The page: counts, every row that differs with old and new rule, codes that moved, CC changes."""
    d = difference
    return page_html(Page(
        title=f"{d.before} → {d.after}",
        lead=text("The schemes do not differ.") if d.is_empty else "",
        summary=[_counts(d)],
        cards=[*_successions(d), *_subdivisions(d), *_rows(d), *_moves(d), *_severities(d)],
    ))  # fmt: skip


def _counts(d: SchemeDifference) -> PageTable:
    rows = [(name, d.counts_before[name], number) for name, number in d.counts_after.items()]
    columns = [TableColumn(text("counts"), 0), TableColumn(d.before, 1, "count"), TableColumn(d.after, 2, "count")]
    return PageTable(text("What both schemes hold"), columns, rows)


def _folded(
    title: str, columns: Sequence[TableColumn], rows: Sequence[Any], *, all_rows: int = 0, open_: bool = False
) -> PagePart:
    """A table behind one line that says how many rows it has."""
    number = all_rows or len(rows)
    note = ""
    if number > len(rows):
        note = text("The first {shown:,} are shown; the JSON has all.", shown=len(rows))
    return Fold(text("{title}: {count:,}", title=title, count=number), [PageTable(title, columns, rows, note=note)], open_)


def _successions(d: SchemeDifference) -> list[Card]:
    parts = []
    columns = [TableColumn(d.before, 0), TableColumn(d.after, 1)]
    for relation, title in _RELATIONS.items():
        rows = [
            (NotedText(f"{line.before} {line.name_before}".strip(), _codes(line.codes_before)),
             [NotedText(f"{code} {name}", f"{shared:,}")
              for code, name, shared in zip(line.after, line.names_after, line.shared, strict=True)])
            for line in d.successions if line.relation == relation
        ]  # fmt: skip
        if rows:
            parts.append(_folded(title, columns, rows, open_=True))
    note = text("Beside a name: its number of codes, and how many of them both share.")
    return [Card(text("What became of ADRGs"), parts, note)] if parts else []


def _codes(number: int) -> str:
    return text("{count:,} codes", count=number) if number else ""


def _subdivisions(d: SchemeDifference) -> list[Card]:
    rows = [(NamedCode(line.adrg, line.name), " ".join(line.before), " ".join(line.after)) for line in d.subdivisions]
    columns = [TableColumn("ADRG", 0), TableColumn(d.before, 1), TableColumn(d.after, 2)]
    title = text("ADRGs divided into other DRGs")
    return [Card(title, [_folded(title, columns, rows)])] if rows else []


def _rows(d: SchemeDifference) -> list[Card]:
    """Rows of each level that came, went or changed."""
    cards = []
    for level, level_title in _LEVELS.items():
        parts = []
        for change, word in _CHANGES.items():
            chosen = [row for row in d.rows if row.level == level and row.change == change]
            if chosen:
                parts.append(_folded(word, _row_columns(change), [_row(row) for row in chosen], open_=level != "drg"))
        if parts:
            cards.append(Card(level_title, parts))
    return cards


def _row_columns(change: str) -> list[TableColumn]:
    changed = [TableColumn(text("what"), "aspects"), TableColumn(text("codes + / −"), "codes", "shown", minor=True)]
    return [
        TableColumn(text("code"), "code"), TableColumn(text("name"), "name"), *(changed if change == "changed" else []),
        TableColumn(text("rule"), "rule", minor=True),
    ]  # fmt: skip


def _row(row: Any) -> dict[str, Any]:
    return {
        "code": row.code,
        "name": _replaced(row.name_before, row.name_after),
        "aspects": [_ASPECTS[aspect] for aspect in row.aspects],
        "codes": f"+{row.codes_added:,} / −{row.codes_removed:,}" if row.codes_added or row.codes_removed else "",
        "rule": _replaced(row.rule_before, row.rule_after, formula=True),
    }


def _replaced(before: str, after: str, formula: bool = False) -> ReplacedText:
    return ReplacedText(before if before and after else "", after or before or "", formula)


def _moves(d: SchemeDifference) -> list[Card]:
    cards = []
    for kind, title in (("diagnosis", text("Diagnoses that other MDCs or ADRGs list")),
                        ("procedure", text("Procedures that other ADRGs list"))):  # fmt: skip
        moves = [move for move in d.moves if move.kind == kind]
        rows = [(NamedCode(move.code, move.name), " ".join(move.before), " ".join(move.after)) for move in moves[:MOST_ROWS]]
        columns = [TableColumn(text("code"), 0), TableColumn(d.before, 1), TableColumn(d.after, 2)]
        if rows:
            cards.append(Card(title, [_folded(title, columns, rows, all_rows=len(moves))]))
    return cards


def _severities(d: SchemeDifference) -> list[Card]:
    moved = d.level_changes()
    words = {"MCC": "MCC", "CC": "CC", "none": text("none")}
    parts: list[PagePart] = []
    if moved:
        columns = [
            TableColumn(term("of a jump", "before"), "was"),
            *(TableColumn(words[now], now, "count") for now in _SEVERITIES),
        ]
        rows = [{"was": words[was], **{now: moved.get((was, now)) for now in _SEVERITIES}} for was in _SEVERITIES]
        parts.append(PageTable(text("Diagnoses by level before (rows) and after (columns)"), columns, rows))
    if d.severities:
        columns = [
            TableColumn(text("code"), 0), TableColumn(d.before, 1), TableColumn(d.after, 2),
            TableColumn(text("excluding principal diagnoses + / −"), 3, "shown", minor=True),
        ]  # fmt: skip
        listed = [
            (NamedCode(s.code, s.name), s.before or "", s.after or "", f"+{s.excluded_by_added:,} / −{s.excluded_by_removed:,}")
            for s in d.severities[:MOST_ROWS]
        ]
        parts.append(_folded(text("All diagnoses that differ"), columns, listed, all_rows=len(d.severities)))
    return [Card(text("MCC and CC"), parts)] if parts else []

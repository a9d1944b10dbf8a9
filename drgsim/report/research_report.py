"""The report for research: figures of groups, page and workbook."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from drgsim.accounts.group_research import GroupResearch, group_research
from drgsim.accounts.settled_cases import SettledCases
from drgsim.language import spoken
from drgsim.report.report_parts import ReportChoices, ReportParts
from drgsim.report.research_page import TITLE, WAY_TITLES, flag_words, lead_of, limits_of, research_page
from drgsim.results.workbook import open_workbook
from drgsim.results.workbook_about import About


def research_parts(cases: SettledCases, choices: ReportChoices) -> ReportParts:
    """The parts of a report for research."""
    found = group_research(cases)

    def workbook(path: Path, about: About) -> None:
        with open_workbook(path, about) as book:
            for name, table in {**_in_words(found), "assumptions": parts.assumption_table()}.items():
                book.add_table(name, table)

    measures = [vars(line) for line in found.measures if line.scope == "all"]
    parts = ReportParts(
        TITLE, found.tables, lambda: research_page(found, choices), workbook, found.problems, {"explained_costs": measures},
        lead_of(found), limits_of(found),
    )  # fmt: skip
    return parts


def _in_words(found: GroupResearch) -> dict[str, pa.Table]:
    """The tables with flags, ways of measuring and divisions in words of the current language."""
    tables = dict(found.tables)
    for table, column, words in (
        ("group_evaluation", "flags", [flag_words(flags) for flags in tables["group_evaluation"]["flags"].to_pylist()]),
        ("explained_costs", "way", [WAY_TITLES[way] for way in tables["explained_costs"]["way"].to_pylist()]),
        ("split_hints", "title", list(found.hint_titles)),
    ):
        place = tables[table].column_names.index(column)
        said = pa.array([str(spoken(each)) for each in words], pa.string())
        tables[table] = tables[table].set_column(place, column, said)
    return tables

"""What a report is made of, whoever reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgsim.errors import Problem
from drgsim.language import Text, spoken
from drgsim.report.page_parts import PageAssumption
from drgsim.results.workbook_about import About, Fact


@dataclass(frozen=True)
class ReportParts:
    """A report for one kind of reader.

    Attributes
    ----------
    title
        Heading of page and workbook.
    tables
        Name -> figures; the first is the main one.
    page
        Makes the HTML of the page, in the current language.
    workbook
        Writes a workbook of its own to a path, in the current language, with what its first sheet says; None where a sheet for
        each table will do.
    notes
        What was doubtful, beyond what reading and settling said.
    record
        What the record of the run says beyond policy, inputs and counts.
    lead
        What the reader has to know at once; empty where the table of classes says it.
    assumptions
        Values without a source that the page lists.
    facts
        What the first sheet of the workbook says at its top, label and value.
    counts
        Entries of the record that are others for what the report is about than for all cases; the first sheet states these.
    """

    title: Text
    tables: Mapping[str, pa.Table]
    page: Callable[[], str]
    workbook: Callable[[Path, About], None] | None = None
    notes: tuple[Problem, ...] = ()
    record: Mapping[str, Any] = field(default_factory=dict)
    lead: str = ""
    assumptions: Sequence[PageAssumption] = ()
    facts: Sequence[Fact] = ()
    counts: Mapping[str, Any] = field(default_factory=dict)

    def assumption_table(self, language: str | None = None) -> pa.Table:
        """The assumptions as a table, by default in the current language."""
        said = [{name: str(spoken(value, language)) for name, value in vars(each).items()} for each in self.assumptions]
        titles = {"parameter": "path", "value": "value", "unit": "unit", "note": "source"}
        return pa.table({title: pa.array([row[name] for row in said], pa.string()) for title, name in titles.items()})


@dataclass(frozen=True)
class ReportChoices:
    """What a reader may choose.

    Attributes
    ----------
    hospital
        Id of the hospital that the report is about, where the cases are of several.
    benchmark
        Figures of other hospitals by group, and what they are told by.
    warnings
        What the page says at its top beside what it finds itself.
    links
        Name and relative address of pages beside this one.
    prices
        At which prices the cases are paid, where another report on the same cases pays others.
    """

    hospital: str | None = None
    benchmark: tuple[pa.Table, str] | None = None
    warnings: Sequence[str] = ()
    links: Sequence[tuple[str, str]] = ()
    prices: Text | None = None

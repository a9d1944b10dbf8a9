"""What a report is made of, whoever reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgsim.errors import Problem
from drgsim.language import Text
from drgsim.results.workbook_about import About


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
    """

    title: Text
    tables: Mapping[str, pa.Table]
    page: Callable[[], str]
    workbook: Callable[[Path, About], None] | None = None
    notes: tuple[Problem, ...] = ()
    record: Mapping[str, Any] = field(default_factory=dict)
    lead: str = ""


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
    """

    hospital: str | None = None
    benchmark: tuple[pa.Table, str] | None = None
    warnings: Sequence[str] = ()
    links: Sequence[tuple[str, str]] = ()

"""The quality report as a workbook for the coding department, and its findings as a plain table."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgsim.language import Text, bilingual, joined, text
from drgsim.quality.file_check import HIT_COLUMNS
from drgsim.quality.quality_report import QualityReport
from drgsim.quality.quality_rules import SEVERITY_TITLES, QualityRule, rules
from drgsim.results.result_titles import column_title, word_title
from drgsim.results.table_files import WRITABLE, check_writable, open_writer
from drgsim.results.workbook import XLSX_ROWS, Cell, WorkbookSheet, open_workbook
from drgsim.results.workbook_about import About, made_by

_MOST_CODES = 50
NO_DEPARTMENT = bilingual("(blank)", "（未填）")


class QualityWorkbook(ExitStack):
    """XLSX with a summary, every finding, and counts by hospital and by department.

    It takes findings as they come (rows go to disk) and is whole or not at all. Use it as a context manager.

    Attributes
    ----------
    written, left_out
        Findings on the sheet, and those beyond ``most`` rows.
    """

    def __init__(self, path: Path, most: int = XLSX_ROWS) -> None:
        super().__init__()
        check_writable(path)
        self.path, self.most = path, most
        self.written = self.left_out = 0

    def __enter__(self) -> QualityWorkbook:
        about = About(text("Quality of the coded record"), "validate", facts=made_by("validate"))
        self._book = self.enter_context(open_workbook(self.path, about))
        self._summary = self._book.sheet("overview", widths=(44, 12, 12, 12, 50, 34))
        shown = {name: name.removesuffix("_zh") for name in HIT_COLUMNS}
        fields = pa.schema([(name, pa.string()) for name in HIT_COLUMNS])
        self._hits = self._book.table_sheet("findings", fields, shown=shown, frozen=2)
        return self

    def write(self, hits: pa.RecordBatch) -> None:
        """Take findings; those that no longer fit the sheet are counted."""
        room = self.most - self.written
        names = hits.schema.names
        for row in zip(*(column.to_pylist() for column in hits.slice(0, room).columns), strict=True):
            self.written += 1
            cells = dict(zip(names, row, strict=True))
            rule = rules()[cells["code"]]
            said = {"severity": _severity(rule.severity), "title_zh": _title(rule), "fix_zh": _fix(rule)}
            self._hits.add((cells | said).values())
        self.left_out += max(0, hits.num_rows - room)

    def finish(self, report: QualityReport) -> None:
        """Write the sheets that need the whole report."""
        self._book.tell(
            [(text("Scheme"), report.scheme), (text("Records"), report.records),
             *((text("Files") if place == 0 else "", path.name) for place, path in enumerate(report.inputs[:_MOST_CODES]))]
        )  # fmt: skip
        self._summarise(self._summary, report)
        hospitals = [((name,), records, found) for name, records, found in report.by_hospital()]
        self._counts(text("By hospital"), ("hospital_id",), hospitals, report)
        departments: dict[tuple[str, ...], Any] = {place: {} for place in report.place_records}
        for (*place, code), number in report.places.items():
            departments[tuple(place)][code] = number
        rows = [(place, report.place_records[place], departments[place]) for place in sorted(departments)]
        self._counts(text("By department"), ("hospital_id", "department"), rows, report)

    def _summarise(self, sheet: WorkbookSheet, report: QualityReport) -> None:
        def share(number: int) -> Cell:
            return Cell(number / report.records if report.records else 0.0, "share")

        sheet.add((text("Quality of the coded record"),), "title")
        sheet.add((text("passed") if report.passed else text("not passed: there are errors"),), "bold")
        sheet.figures([(text("Records"), report.records, "count")])
        for severity, number in report.by_severity.items():
            sheet.add(
                (text("Records with: {severity}", severity=_severity(severity).value), Cell(number, "count"), share(number))
            )
        sheet.add((self._listed(),))
        if report.unchecked:
            sheet.add(
                (
                    text(
                        "columns that the files lack, so that rules on them said nothing: {names}",
                        names=joined(", ", report.unchecked),
                    ),
                )
            )
        sheet.skip()
        heads = ("title", "severity", "records", "share", "fix", "code")
        sheet.add([_head(name) for name in heads], "header")
        for count in report.findings:
            rule, records = count.rule, count.records
            row = (_title(rule), _severity(rule.severity), Cell(records, "count"), share(records), _fix(rule), rule.code)
            sheet.add(row)
        for name, title in (
            ("diagnoses", text("Diagnosis codes in no dictionary")),
            ("procedures", text("Procedure codes in no dictionary")),
        ):
            codes = report.unknown_codes.get(name)
            if codes:
                sheet.skip()
                sheet.add((title, _head("occurrences")), "header")
                for code, number in codes.most_common(_MOST_CODES):
                    sheet.add((code, Cell(number, "count")))
        sheet.skip()
        sheet.add((text("Threshold"), *(_head(name) for name in ("value", "unit", "evidence", "source"))), "header")
        for t in report.thresholds:
            sheet.add((t.name, Cell(t.value), t.unit, word_title("evidence", t.evidence), t.source))

    def _listed(self) -> Text:
        if not self.left_out:
            return text("{count:,} findings, all of them listed", count=self.written)
        return text(
            "{count:,} findings are listed; {left:,} more are beyond the {most:,} rows of the sheet",
            count=self.written, left=self.left_out, most=self.most,
        )  # fmt: skip

    def _counts(self, name: str, keys: tuple[str, ...], rows: list[Any], report: QualityReport) -> None:
        """A sheet with a row per place and a column per rule that was broken."""
        found = [count.rule for count in report.findings]
        heads = [*(_head(key) for key in keys), _head("records"), text("Findings"), *(_title(rule) for rule in found)]
        sheet = self._book.sheet(name, heads, formats=["count"] * len(heads), frozen=len(keys))
        for place, records, numbers in rows:
            counts = (numbers.get(rule.code) or None for rule in found)
            sheet.add((*(each or NO_DEPARTMENT for each in place), records, sum(numbers.values()), *counts))


def _head(column: str) -> str:
    """The title of a column."""
    found = column_title(column, "findings")
    return column if found is None else found.said


def _severity(severity: str) -> Cell:
    return Cell(bilingual(severity, SEVERITY_TITLES[severity]), severity)


def _title(rule: QualityRule) -> Text:
    return bilingual(rule.title, rule.title_zh)


def _fix(rule: QualityRule) -> Text:
    return bilingual(rule.fix, rule.fix_zh)


class FindingsTable(ExitStack):
    """Every finding as a row of a CSV or Parquet file. Use it as a context manager."""

    left_out = 0

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def __enter__(self) -> FindingsTable:
        self._writer = self.enter_context(open_writer(self.path, pa.schema([(name, pa.string()) for name in HIT_COLUMNS])))
        return self

    def write(self, hits: pa.RecordBatch) -> None:
        """Take findings."""
        self._writer.write(self._writer.encode(hits))

    def finish(self, report: QualityReport) -> None:
        """Nothing more to write."""


def open_findings(path: Path) -> QualityWorkbook | FindingsTable:
    """A workbook for ``.xlsx``, a table for ``.csv`` and ``.parquet``.

    Raises
    ------
    UsageError
        For any other suffix.
    OutputError
        When the folder does not exist or cannot be written to.
    """
    check_writable(path)
    return QualityWorkbook(path) if path.suffix.lower() == WRITABLE[-1] else FindingsTable(path)

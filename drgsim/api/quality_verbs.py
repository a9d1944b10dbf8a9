"""``drgsim.validate``: what is wrong with the coded records, before grouping and payment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from numbers import Real
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgsim.api.argument_check import TEXTS, ArgumentKind, as_list, checked
from drgsim.api.given_records import given
from drgsim.engines.file_to_file import Progress
from drgsim.engines.grouper_of import DEFAULT_SCHEME
from drgsim.errors import Problem, wrong_type
from drgsim.language import text
from drgsim.quality.file_check import HIT_COLUMNS, check_files
from drgsim.quality.quality_report import QualityReport
from drgsim.quality.quality_rules import changed_thresholds, chosen_rules
from drgsim.records.input_options import InputOptions
from drgsim.records.noted_titles import NOTED_TITLES
from drgsim.report.quality_workbook import FindingsTable, QualityWorkbook, open_findings
from drgsim.results.result import Result
from drgsim.results.run_record import digest_of, run_record
from drgsim.results.whole_outputs import check_output
from drgsim.units.schemes.schemes_in_force import undated_scheme


class CheckedRecords(Result):
    """What is wrong or doubtful in coded records.

    Tables: ``rules`` (records by broken rule, most serious first), ``hospitals`` (the same by hospital), ``unknown_codes``,
    ``samples``, and ``findings`` (every one) where they were asked for.

    Attributes
    ----------
    report
        The report with its counts and samples.
    passed
        The verdict: no record has an error; doubts may stand.
    left_out
        Findings beyond what a sheet of the workbook holds.
    """

    kind = "validate"
    title = text("Quality of the coded records")

    def __init__(self, report: QualityReport, findings: pa.Table | None = None, left_out: int = 0) -> None:
        self.report, self.passed, self.left_out = report, report.passed, left_out
        tables = _tables(report)
        if findings is not None:
            tables["findings"] = findings
        super().__init__(tables, notes=_notes(report), record=self._record)

    def _record(self) -> dict[str, Any]:
        digests = digest_of(path for path in self.report.inputs if path.is_file())
        return run_record(self.kind, **(self.report.to_dict() | {"inputs": digests}))


class _Findings:
    """Keeps every finding, and hands it on where there is somebody who takes it."""

    def __init__(self, further: QualityWorkbook | FindingsTable | None) -> None:
        self.further = further
        self.batches: list[pa.RecordBatch] = []

    def write(self, hits: pa.RecordBatch) -> None:
        self.batches.append(hits)
        if self.further is not None:
            self.further.write(hits)

    def table(self) -> pa.Table:
        return pa.Table.from_batches(self.batches, pa.schema([(name, pa.string()) for name in HIT_COLUMNS]))


@checked(
    only=TEXTS,
    threshold=ArgumentKind(
        text('texts such as "name=20", or a mapping of names to numbers'), (str, Real), listed=True, keyed=True
    ),
)
def validate(
    records: Any,
    scheme: str | Path = DEFAULT_SCHEME,
    *,
    reading: InputOptions | None = None,
    output: str | Path | None = None,
    severity: str = "info",
    only: Iterable[str] | None = None,
    threshold: Iterable[str] | Mapping[str, float] | None = None,
    findings: bool = False,
    progress: Progress | None = None,
) -> CheckedRecords:
    """Check the quality of the coded records. 病案编码质量校验

    Parameters
    ----------
    records
        What :func:`drgsim.read` takes, or what it returned; group means and duplicates count over all of them.
    scheme
        Id or folder of the DRG scheme that the records are to be grouped by: some rules compare a record with its group.
        ``auto``, the default: the national scheme on each date of discharge, as for :func:`drgsim.group`.
    reading
        Layout, own columns and edition of the codes, as :class:`drgsim.InputOptions` says them.
    output
        Every finding as a file: .xlsx with summary and counts, or .csv, .parquet.
    severity
        Least serious finding to report: ``error``, ``warning`` or ``info``.
    only
        Codes of the rules to look at; all by default (docs/validate.md).
    threshold
        Thresholds: ``{"lone_diagnosis_stay_days": 20}``, or texts such as ``"lone_diagnosis_stay_days=20"``.
    findings
        Keep every finding in memory, as the table ``findings``.
    progress
        Called after every batch with the share done (0 to 1) and the number of records.

    Returns
    -------
    CheckedRecords
        ``passed``: no record has an error; exact counts by rule, hospital and code, with samples.

    Raises
    ------
    InputError
        A file cannot be read; all problems at once.
    UsageError
        ``rule-unknown``, ``severity-unknown``, ``quality-unknown-path``, ``quality-bad-value``, ``output-is-input``.

    Notes
    -----
    Rules, thresholds and their sources: docs/validate.md.

    Examples
    --------
    >>> import drgsim
    >>> record = {"discharge_id": "1", "sex": "1", "age": 30, "diagnoses": "O80.000|Z37.001", "procedures": "73.5900"}
    >>> checked = drgsim.validate([record], only=["sex_conflict_diagnosis"])
    >>> checked.passed, checked.to_arrow("rules").to_pylist()[0]["records"]
    (False, 1)
    """
    inputs, options = given(records, reading)
    if isinstance(threshold, int | float):
        raise wrong_type("threshold", threshold, text('texts such as "name=20", or a mapping of names to numbers'))
    texts = [f"{name}={value}" for name, value in threshold.items()] if isinstance(threshold, Mapping) else as_list(threshold)
    limits, chosen = changed_thresholds(texts), chosen_rules(as_list(only), severity)
    path = None if output is None else Path(output)
    if path is not None:
        check_output(path, [each for each in inputs if isinstance(each, str | Path)])
    with nullcontext(None) if path is None else open_findings(path) as written:
        sink = _Findings(written) if findings else written
        report = check_files(inputs, scheme, chosen=chosen, limits=limits, progress=progress, sink=sink, options=options)
        if written is not None:
            written.finish(report)
    return CheckedRecords(
        report, sink.table() if isinstance(sink, _Findings) else None, 0 if written is None else written.left_out
    )


def _tables(report: QualityReport) -> dict[str, pa.Table]:
    string, whole = pa.string(), pa.int64()

    def table(rows: list[dict[str, Any]], **kinds: pa.DataType) -> pa.Table:
        return pa.Table.from_pylist(rows, pa.schema(list(kinds.items())))

    rules = [
        {**{name: getattr(count.rule, name) for name in ("code", "severity", "title", "title_zh", "fix", "fix_zh")},
         "records": count.records, "share": count.records / report.records}
        for count in report.findings
    ]  # fmt: skip
    hospitals = [
        {"hospital_id": hospital, "hospital_records": records, "code": code, "records": number}
        for hospital, records, found in report.by_hospital()
        for code, number in found.most_common()
    ]
    codes = [
        {"list": name, "code": code, "occurrences": number}
        for name, counted in report.unknown_codes.items()
        for code, number in counted.most_common()
    ]
    samples = [{"code": count.rule.code, **vars(sample)} for count in report.findings for sample in count.samples]
    return {
        "rules": table(
            rules,
            code=string,
            severity=string,
            title=string,
            title_zh=string,
            records=whole,
            share=pa.float64(),
            fix=string,
            fix_zh=string,
        ),
        "hospitals": table(hospitals, hospital_id=string, hospital_records=whole, code=string, records=whole),
        "unknown_codes": table(codes, list=string, code=string, occurrences=whole),
        "samples": table(samples, code=string, discharge_id=string, value=string, file=string),
    }


def _notes(report: QualityReport) -> list[Problem]:
    notes = [
        Problem("left-out", text("{what}: {count:,}", what=NOTED_TITLES.get(name, name), count=count))
        for name, count in report.noted.items()
        if count
    ]
    if report.without_date:
        what = text(
            "{without_date:,} of {records:,} records have no date of discharge: checked by {undated_scheme}",
            without_date=report.without_date,
            records=report.records,
            undated_scheme=undated_scheme(),
        )
        notes.append(Problem("scheme-without-date", what, fix=text("map the column of dates, or name a scheme")))
    if len(report.by_scheme) > 1:
        listed = ", ".join(f"{scheme} {count:,}" for scheme, count in report.by_scheme.items())
        notes.append(
            Problem("scheme-by-date", text("the records are checked by more than one scheme: {listed}", listed=listed))
        )
    if report.absent:
        notes.append(
            Problem("columns-absent", text("absent columns, which count as missing: {names}", names=", ".join(report.absent)))
        )
    if report.unchecked:
        notes.append(
            Problem("columns-unchecked", text("not checked, no such columns: {names}", names=", ".join(report.unchecked)))
        )
    if not report.ids_complete:
        what = text("duplicates were looked for among the first records only")
        notes.append(Problem("ids-incomplete", what, why=text("too many ids for the memory bound")))
    return notes

"""``drgsim.group`` and ``drgsim.group_files``: the DRG or DIP kind of every discharge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pyarrow as pa

from drgsim.analysis.group_summary import group_counts, group_notes, group_summary
from drgsim.api.argument_check import as_list, checked, named, whole
from drgsim.api.given_records import CaseResult, case_table
from drgsim.engines.file_to_file import Progress
from drgsim.engines.file_to_file import group_files as run_files
from drgsim.engines.group_run import GroupRun
from drgsim.engines.grouper_of import DEFAULT_SCHEME, AnyScheme, grouper_of, means_dip
from drgsim.engines.in_memory import group_cases
from drgsim.language import text
from drgsim.quality.checked_grouper import checked_grouper
from drgsim.records.arrow import plain_strings
from drgsim.records.case_table import CaseTable, open_all
from drgsim.records.input_options import InputOptions
from drgsim.records.vocabulary import group_words
from drgsim.results.result import Result
from drgsim.results.run_record import digest_of, run_record

if TYPE_CHECKING:
    import pandas as pd


class GroupedFiles(Result):
    """What grouping counted: tables ``groups`` (cases of every group) and ``notes`` (what was doubtful).

    Attributes
    ----------
    run
        The counts, the files, and what was recognised of them.
    """

    kind = "group"
    title = text("Grouped discharges")

    def __init__(self, run: GroupRun, tables: dict[str, pa.Table] | None = None) -> None:
        self.run = run
        super().__init__({**(tables or {}), "groups": group_counts(run)}, notes=group_notes(run), record=self._record)

    def _record(self) -> dict[str, Any]:
        summary = group_summary(self.run) | {"inputs": digest_of(path for path in self.run.inputs if path.is_file())}
        summary["output"] = None if self.run.output is None else self.run.output.name
        return run_record(self.kind, **summary, problems=self.notes)

    @property
    def scheme(self) -> str:
        """Id of the scheme or catalogue; ids joined by ``|`` where dates of discharge lie on both sides of a switch."""
        return self.run.scheme.id

    @property
    def status(self) -> dict[str, int]:
        """Records by status: ``grouped``, ``ambiguous``, ``ungroupable``, ``invalid``."""
        found: dict[str, int] = group_summary(self.run)["status"]
        return found


class Groups(GroupedFiles, CaseResult):
    """Grouped discharges: the answers, and the discharges beside them for the verbs that go on.

    Tables: ``answers``, one row per record in the order of the input; ``groups``, cases of every group, most first.

    Attributes
    ----------
    run
        The counts, and what was recognised of the input.
    case_table
        The discharges with their groups, which :func:`drgsim.settle` and others take.
    """

    def __init__(self, answers: pa.Table, cases: CaseTable, run: GroupRun, code_version: str, keep_input: bool) -> None:
        grouped = _beside(cases.table, answers)
        self.case_table, self.code_version = (
            replace(cases, table=grouped, grouped_by=tuple(s.id for s, _ in run.parts)),
            code_version,
        )
        self._index = cases.index
        super().__init__(run, {"answers": self.cases if keep_input else answers})

    @property
    def cases(self) -> pa.Table:
        """The discharges with canonical columns, then the answers."""
        return self.case_table.records

    def to_pandas(self, name: str | None = None) -> pd.DataFrame:
        """A table as a data frame, the answers by default; these have the index of the frame that was grouped.

        Raises
        ------
        UsageError
            ``result-no-table``.
        """
        frame = super().to_pandas(name)
        if self._index is not None and name in (None, "answers"):
            frame.index = self._index
        return frame


@checked(scheme=named(*get_args(AnyScheme)))
def group(
    records: Any,
    scheme: AnyScheme = DEFAULT_SCHEME,
    *,
    keep_input: bool = False,
    coding_checks: bool = False,
    reading: InputOptions | None = None,
) -> Groups:
    """Group every discharge by a DRG scheme or a DIP catalogue, in memory. 病案分组

    Parameters
    ----------
    records
        What :func:`drgsim.read` takes, or what it returned: a path or a list of paths, a pandas frame, an Arrow table, a
        list of dictionaries. Every record stands for itself: duplicate ids are noted and never mixed.
    scheme
        A DRG scheme or DIP catalogue: its id (:func:`drgsim.schemes`), its folder, or what :func:`drgsim.load_scheme`
        returned. ``auto``, the default: the national DRG scheme in force on each date of discharge, as the packs state it
        (2.0, and 3.0 from 2027-01-01); records without a date are grouped by 2.0 and counted in ``notes``.
    keep_input
        Put the columns of the input (canonical names) before the answers.
    coding_checks
        Add what a coder would check in each record: ``coding_checks`` (codes of rules, docs/validate.md) and
        ``coding_details`` (what they mean, and which codes and groups are concerned). They change no group.
    reading
        Layout, own columns and edition of the codes, as :class:`drgsim.InputOptions` says them.

    Returns
    -------
    Groups
        ``answers``: ``discharge_id``, the group (``mdc``, ``adrg``, ``drg``, ``drg_name``, or ``dip``, ``dip_name``,
        ``kind``, ``score``, ``aux``, ``aux_level``), ``severity``, ``status``, ``reason``, ``warnings``, with ``auto`` also
        ``scheme``, one row per record
        in the order of the input, with the index of a frame. ``groups``: cases of every group. ``cases``: the discharges
        with their groups. It can be handed on to any verb that takes discharges.

    Raises
    ------
    InputError
        ``input-missing-column``, ``input-unreadable-type``, and what :func:`drgsim.read` raises.
    UsageError
        ``group-unknown-records`` when ``records`` is no table; ``coding-checks-need-drg``.
    SchemeError
        ``scheme-unknown`` and what is wrong with a pack.

    Notes
    -----
    The rules are the published ones, in the language of the national workbook (docs/rule-language.md); statuses and reasons
    are listed in docs/findings.md.

    Examples
    --------
    >>> import drgsim
    >>> record = {"discharge_id": 1, "sex": "1", "age": 65, "diagnoses": "I21.001|I10.x00", "procedures": ""}
    >>> drgsim.group([record], "chs-drg-2.0").to_arrow().to_pylist()[0]["drg"]
    'FR15'
    >>> groups = drgsim.group([record], "dip-taian-2025")
    >>> groups.to_arrow()["dip"].to_pylist(), groups.status["grouped"]
    (['I21.0'], 1)
    >>> drgsim.group([record | {"discharged": "2027-01-02"}]).to_arrow().select(["drg", "scheme"]).to_pylist()
    [{'drg': 'FR19', 'scheme': 'chs-drg-3.0'}]
    """
    cases, options = case_table(records, reading)
    cases.check_for_grouping(options)
    grouper = checked_grouper(scheme, options.code_version) if coding_checks else scheme
    answers, run = group_cases(cases, grouper, options.code_version)
    return Groups(answers, cases, run, options.code_version, keep_input)


@checked(inputs=named(listed=True), scheme=named(*get_args(AnyScheme)), workers=whole(1))
def group_files(
    inputs: Sequence[str | Path],
    scheme: AnyScheme = DEFAULT_SCHEME,
    output: str | Path | None = None,
    *,
    keep_input: bool = False,
    coding_checks: bool = False,
    progress: Progress | None = None,
    workers: int | None = None,
    reading: InputOptions | None = None,
) -> GroupedFiles:
    """Group case-mix files of any size into one result file, in bounded memory. 病案分组（文件到文件）

    Parameters
    ----------
    inputs
        CSV, Parquet, XLSX or JSON files, folders of JSON files, URLs of tables (``sqlite:///cases.db?table=discharges``) or
        ``-`` for standard input; they are read one after another.
    scheme
        DRG scheme or DIP catalogue, its id or folder, or ``auto``, as for :func:`drgsim.group`.
    output
        CSV, Parquet or XLSX file to write, ``-`` for standard output, or the URL of a table; None to count only.
    keep_input
        Put all columns of the input before the answers.
    coding_checks
        Add what a coder would check in each record, as :func:`drgsim.group` does.
    progress
        Called after every batch with the share done and the number of records.
    workers
        Threads that group; all processors by default.
    reading
        Layout, own columns and edition of the codes, as :class:`drgsim.InputOptions` says them.

    Returns
    -------
    GroupedFiles
        ``groups``: cases of every group. The answers are in ``output``, as :func:`drgsim.group` has them.

    Raises
    ------
    InputError
        When an input cannot be read; nothing is written then.
    UsageError
        ``output-is-input``; ``inputs-differ`` when inputs with different columns are to be kept; ``inputs-no-list``;
        ``coding-checks-need-drg``.
    OutputError
        ``output-not-writable`` and their like.

    Examples
    --------
    >>> import drgsim
    >>> done = drgsim.group_files([drgsim.sample_path("selftest/chs-drg-2.0.csv")])
    >>> done.status["grouped"], done.to_arrow().num_rows
    (634, 654)
    """
    options = reading or InputOptions()
    grouper = checked_grouper(scheme, options.code_version) if coding_checks else scheme
    run = run_files(
        as_list(inputs), grouper, output, keep_input=keep_input, progress=progress, workers=workers, options=options
    )
    return GroupedFiles(run)


def _beside(table: pa.Table, answers: pa.Table) -> pa.Table:
    """Discharges with all answers; these replace columns of their names and whatever named a group before."""
    old = {"mdc", "adrg", *group_words(), *answers.column_names} - {"discharge_id"}
    table = table.drop_columns([name for name in table.column_names if name in old])
    for name in answers.column_names:
        if name not in table.column_names:
            table = table.append_column(name, answers.column(name))
    return table


def first_answers(inputs: Sequence[str | Path], scheme: AnyScheme, most: int, reading: InputOptions) -> pa.Table:
    """The answers of the first records of files, to look at before anything is written; of DRGs with what a coder checks."""
    version = reading.code_version
    grouper = grouper_of(scheme, version) if means_dip(scheme) else checked_grouper(scheme, version)
    found: list[pa.RecordBatch] = []
    for source in open_all(inputs, reading):
        for batch in source.batches(grouper.input_columns):
            found.append(plain_strings(grouper.group_batch(batch.slice(0, most))[0]))
            most -= found[-1].num_rows
            if most <= 0:
                return pa.Table.from_batches(found)
    return pa.Table.from_batches(found)

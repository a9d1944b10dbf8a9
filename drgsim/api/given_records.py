"""What a verb takes as discharges: paths, frames, tables, or results of other verbs; and how files are to be read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drgsim.errors import Problem, UsageError
from drgsim.language import text
from drgsim.records.case_table import CaseTable, as_case_table, read_case_files
from drgsim.records.database_address import file_or_url
from drgsim.records.input_options import InputOptions
from drgsim.results.result import Result


class CaseResult(Result):
    """A result that holds discharges, so that another verb can take it.

    Attributes
    ----------
    case_table
        The records with canonical columns.
    code_version
        Edition of their codes.
    """

    case_table: CaseTable
    code_version: str


def given(records: Any, reading: InputOptions | None) -> tuple[list[Any], InputOptions]:
    """What was handed in as a list of files, tables and records read before, and the options to read them with.

    Raises
    ------
    UsageError
        ``read-already`` when options of reading come with records that were read before; ``inputs-no-list`` for an empty
        list; ``group-unknown-records`` for what is no table.
    """
    if isinstance(records, CaseResult):
        if reading is not None:
            what = text("how records are to be read is said when they are read, and these were")
            raise UsageError([Problem("read-already", what, fix=text("give it to drgsim.read"))])
        return [records.case_table], InputOptions(code_version=records.code_version)
    options = reading or InputOptions()
    if isinstance(records, str) and not records.strip():
        raise UsageError(
            [Problem("usage-empty-text", text("the path of the records is an empty text"), fix=text("name a file or a folder"))]
        )
    if isinstance(records, str | Path):
        return [file_or_url(records)], options
    if isinstance(records, list | tuple) and not any(isinstance(each, Mapping) for each in records):
        if not records:
            raise UsageError([Problem("inputs-no-list", text("no files are named"), fix=text("name one or more files"))])
        return [each.case_table if isinstance(each, CaseResult) else each for each in records], options
    return [records], options


def case_table(records: Any, reading: InputOptions | None) -> tuple[CaseTable, InputOptions]:
    """Records in memory, whatever they were handed in as, and the options that they were read with.

    Raises
    ------
    InputError
        A file cannot be read, or a required column is missing.
    UsageError
        As :func:`given`; ``inputs-mixed`` for files and tables in one list.
    """
    inputs, options = given(records, reading)
    if len(inputs) == 1 and not isinstance(inputs[0], str | Path):
        return inputs[0] if isinstance(inputs[0], CaseTable) else as_case_table(inputs[0], options), options
    if not all(isinstance(each, str | Path) for each in inputs):
        what = text("several tables, or tables beside files, are not read as one")
        raise UsageError([Problem("inputs-mixed", what, fix=text("put the tables together first"))])
    return read_case_files([file_or_url(each) for each in inputs], options), options

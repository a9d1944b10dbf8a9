"""Group a table in memory: canonical columns in, the answers of every record out in the same order."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa

from drgsim.engines.code_edition import edition_hits, many_unknown
from drgsim.engines.group_run import GroupRun
from drgsim.engines.grouper_of import AnyScheme, grouper_of
from drgsim.records.arrow import ids_of, plain_strings
from drgsim.records.case_file import BATCH_ROWS
from drgsim.records.case_table import CaseTable, as_case_table
from drgsim.records.code_dictionaries import OWN_VERSION
from drgsim.records.duplicates import SeenIds
from drgsim.records.input_options import GROUPING, InputOptions
from drgsim.records.schema import BROKEN_LINE
from drgsim.units.batch_grouper import GroupCounts, GroupsBatches


def group_cases(
    cases: CaseTable, scheme: AnyScheme | GroupsBatches, code_version: str = OWN_VERSION
) -> tuple[pa.Table, GroupRun]:
    """Group records in memory.

    Parameters
    ----------
    cases
        Every record stands for itself: duplicate ids are noted and never mixed.
    scheme
        A DRG scheme or DIP catalogue, its id or folder, ``auto``, or a grouper.
    code_version
        Edition of the codes.

    Returns
    -------
    tuple
        The grouper's result columns for every record in the same order, and what was counted.
    """
    started = time.perf_counter()
    grouper = grouper_of(scheme, code_version)
    names = [name for name in (*grouper.input_columns, BROKEN_LINE) if name in cases.table.column_names]
    read = cases.table.select(names).combine_chunks()
    seen = SeenIds()
    parts = read.to_batches(max_chunksize=BATCH_ROWS) or [pa.RecordBatch.from_pylist([], schema=read.schema)]
    noted = [seen.note(ids_of(part)) for part in parts]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        grouped = list(pool.map(grouper.group_batch, parts, noted))
    run = GroupRun(cases.paths, None, grouper.compiled, GroupCounts.empty(grouper.group_count))
    for _, counts in grouped:
        run.counts.add(counts)
    run.finish(grouper, cases.canonical)
    if many_unknown(run.counts):
        run.edition = edition_hits(parts, grouper)
    run.ids_checked, run.ids_complete = seen.checked, seen.complete
    run.layouts, run.noted = cases.layouts, cases.noted
    answers = pa.Table.from_batches([plain_strings(answer) for answer, _ in grouped])
    if "discharge_id" in read.column_names:  # as the caller has them, text or numbers
        answers = answers.set_column(0, "discharge_id", read.column("discharge_id"))
    run.seconds = time.perf_counter() - started
    return answers, run


def group_table(records: Any, scheme: AnyScheme, options: InputOptions | None = None) -> pa.Table:
    """The answers for a frame, an Arrow table or dictionaries.

    Examples
    --------
    >>> record = {"discharge_id": 1, "sex": "1", "age": 65, "diagnoses": "I21.001|I10.x00", "procedures": ""}
    >>> group_table([record], "chs-drg-2.0").to_pylist()[0]["drg"]
    'FR15'
    """
    options = options or InputOptions()
    return group_cases(as_case_table(records, options, GROUPING), scheme, options.code_version)[0]

"""Group files on this machine: read, group and write side by side, in bounded memory, records in their order."""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgsim.engines.grouper_of import AnyScheme, grouper_of
from drgsim.errors import InputError, Problem, UsageError
from drgsim.records.arrow import ids_of, is_list, to_text
from drgsim.records.case_file import CaseFile
from drgsim.records.duplicates import SeenIds
from drgsim.records.input_options import InputOptions
from drgsim.records.read import open_source
from drgsim.results.table_files import TableWriter, check_writable, open_writer
from drgsim.results.whole_outputs import check_output
from drgsim.units.batch_grouper import BatchGrouper, GroupCounts
from drgsim.units.dip.compiled_catalogue import CompiledCatalogue
from drgsim.units.schemes.scheme_lowering import CompiledScheme

Progress = Callable[[float, int], None]  # share of the input that is done, records so far


@dataclass
class GroupRun:
    """What a run over files did.

    Attributes
    ----------
    inputs, output
        Files.
    scheme
        The compiled scheme or catalogue.
    counts
        What was counted.
    seconds
        Wall time, reading and writing included.
    absent
        Canonical columns that the scheme's rules ask for and no input has.
    ids_checked, ids_complete
        Records whose id was compared with those before it, and whether all ids before could be remembered.
    layouts
        Layout of each input, as it was recognised or named.
    noted
        What was left out in reading, such as diagnoses of Chinese medicine.
    """

    inputs: list[Path]
    output: Path | None
    scheme: CompiledScheme | CompiledCatalogue
    counts: GroupCounts
    seconds: float = 0.0
    absent: list[str] = field(default_factory=list)
    ids_checked: int = 0
    ids_complete: bool = True
    layouts: list[str] = field(default_factory=list)
    noted: Counter[str] = field(default_factory=Counter)

    @property
    def drg_scheme(self) -> CompiledScheme:
        """The compiled DRG scheme, for what is said of DRGs only.

        Raises
        ------
        UsageError
            When the run was by a DIP catalogue.
        """
        if isinstance(self.scheme, CompiledScheme):
            return self.scheme
        raise UsageError([Problem("run-by-dip", f"{self.scheme.id} is a DIP catalogue, which has no DRGs")])


def group_files(
    inputs: Sequence[str | Path],
    scheme: AnyScheme,
    output: str | Path | None,
    *,
    keep_input: bool = False,
    progress: Progress | None = None,
    workers: int | None = None,
    options: InputOptions | None = None,
) -> GroupRun:
    """Group case-mix files into one result file.

    Parameters
    ----------
    inputs
        CSV, Parquet, XLSX or JSON files, or folders of JSON files; they are read one after another.
    scheme
        DRG scheme or DIP catalogue, its id or folder.
    output
        CSV, Parquet or XLSX file to write; None to count only.
    keep_input
        Put all columns of the input before the answers.
    progress
        Called after every batch with the share done and the number of records.
    workers
        Threads that group; all processors by default.
    options
        Layout, own column names and edition of the codes; the layout is recognised by the headers otherwise.

    Raises
    ------
    InputError
        When an input cannot be read; nothing is written then.
    UsageError
        When output and input are the same file, or inputs with different columns are to be kept.
    """
    started = time.perf_counter()
    if isinstance(inputs, str | Path) or not inputs:
        raise UsageError([Problem("inputs-no-list", "inputs is no list of files", fix="give [path] for one file")])
    paths = [Path(path) for path in inputs]
    target = None if output is None else Path(output).resolve()  # a link is written through, not replaced
    options = options or InputOptions()
    sources = open_all(paths, options)
    _check_target(sources, target, keep_input)
    grouper = grouper_of(scheme, options.code_version)
    run = GroupRun(paths, target, grouper.compiled, GroupCounts.empty(grouper.group_count))
    run.layouts = [source.reading.layout.name for source in sources]
    run.absent = grouper.absent_columns({name for source in sources for name in source.canonical})
    seen = SeenIds()
    threads = workers or os.cpu_count() or 1

    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(threads))
        writer: TableWriter | None = None
        pending: deque[Future[tuple[pa.RecordBatch, GroupCounts, object]]] = deque()

        def work(batch: pa.RecordBatch, noted: Any, encode: Callable[[pa.RecordBatch], object] | None) -> Any:
            answers, counts = grouper.group_batch(batch, noted)
            if keep_input:
                answers = _with_input(batch, answers)
            return answers, counts, encode(answers) if encode else None

        def finish() -> None:
            nonlocal writer
            answers, counts, encoded = pending.popleft().result()
            run.counts.add(counts)
            if target is not None:
                if writer is None:
                    writer = stack.enter_context(open_writer(target, answers.schema))
                writer.write(writer.encode(answers) if encoded is None else encoded)
            if progress:
                progress(sum(source.done for source in sources) / len(sources), run.counts.records)

        for batch in _batches(sources, grouper, keep_input):
            noted = seen.note(ids_of(batch))
            pending.append(pool.submit(work, batch, noted, writer.encode if writer else None))
            # one batch more than threads keeps every thread busy while the oldest is written
            while len(pending) > threads + 1 or (target is not None and writer is None and pending):
                finish()
        while pending:
            finish()
    run.noted = sum((source.noted for source in sources), Counter())
    run.ids_checked, run.ids_complete = seen.checked, seen.complete
    run.seconds = time.perf_counter() - started
    return run


def open_all(paths: Sequence[Path], options: InputOptions) -> list[CaseFile]:
    """Open every input before any is read, so that a bad last file does not cost the time of the first."""
    sources: list[CaseFile] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            sources.append(open_source(path, options))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return sources


def _check_target(sources: Sequence[CaseFile], target: Path | None, keep_input: bool) -> None:
    if keep_input and any(source.names != sources[0].names for source in sources):
        raise UsageError(
            [
                Problem(
                    "inputs-differ",
                    "the inputs have different columns, so they cannot be kept in one output",
                    fix="group them one by one, or without --keep-input",
                )
            ]
        )
    if target is None:
        return
    check_output(target, [source.path for source in sources])
    known = [source.rows for source in sources if source.rows is not None]
    check_writable(target, sum(known) if len(known) == len(sources) else None)


def _batches(sources: Sequence[CaseFile], grouper: BatchGrouper, keep: bool) -> Iterator[pa.RecordBatch]:
    for source in sources:
        yield from source.batches(grouper.input_columns, keep=keep)


def _with_input(batch: pa.RecordBatch, answers: pa.RecordBatch) -> pa.RecordBatch:
    """All columns of the input under their own names, then the answers; an answer replaces an input column of its name."""
    arrays: dict[str, pa.Array] = {}
    for name in batch.schema.names:
        if name.startswith("="):
            column = batch.column(name)
            arrays[name[1:]] = to_text(column, name[1:]) if is_list(column.type) else column
    for name in answers.schema.names:
        if name != "discharge_id" or name not in arrays:
            arrays[name] = answers.column(name)
    return pa.RecordBatch.from_arrays(list(arrays.values()), list(arrays))

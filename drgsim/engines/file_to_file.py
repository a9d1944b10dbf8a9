"""Group files on this machine: read, group and write side by side, in bounded memory, records in their order."""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgsim.engines.code_edition import edition_hits, many_unknown
from drgsim.engines.group_run import GroupRun
from drgsim.engines.grouper_of import AnyScheme, grouper_of
from drgsim.errors import Problem, UsageError
from drgsim.language import text
from drgsim.records.arrow import ids_of, is_list, to_text
from drgsim.records.case_file import CaseFile
from drgsim.records.case_table import open_all
from drgsim.records.database_address import file_or_url
from drgsim.records.duplicates import SeenIds
from drgsim.records.input_options import InputOptions
from drgsim.results.table_files import AnyWriter, check_writable, open_writer, place_of, shown_place
from drgsim.results.whole_outputs import check_output
from drgsim.results.workbook_about import About, made_by
from drgsim.units.batch_grouper import GroupCounts, GroupsBatches

_NAMED = 16  # files that a workbook names, and digits of a digest
Progress = Callable[[float, int], None]  # share of the input that is done, records so far


def group_files(
    inputs: Sequence[str | Path],
    scheme: AnyScheme | GroupsBatches,
    output: str | Path | None,
    *,
    keep_input: bool = False,
    progress: Progress | None = None,
    workers: int | None = None,
    options: InputOptions | None = None,
) -> GroupRun:
    """Group case-mix files into one result file; :func:`drgsim.group_files` tells what the parameters are.

    Raises
    ------
    InputError
        When an input cannot be read; nothing is written then.
    UsageError
        When output and input are the same file, or inputs with different columns are to be kept.
    """
    started = time.perf_counter()
    if isinstance(inputs, str | Path) or not inputs:
        raise UsageError([Problem("inputs-no-list", text("inputs is no list of files"), fix=text("give [path] for one file"))])
    paths = [file_or_url(path) for path in inputs]
    target = None if output is None else place_of(output)
    options = options or InputOptions()
    sources = open_all(paths, options)
    _check_target(sources, target, keep_input)
    grouper = grouper_of(scheme, options.code_version)
    run = GroupRun(
        [source.path for source in sources], shown_place(target), grouper.compiled, GroupCounts.empty(grouper.group_count)
    )
    run.layouts = [source.reading.layout.name for source in sources]
    run.kept_columns = [source.kept.files for source in sources if source.kept]
    threads = workers or os.cpu_count() or 1
    with ExitStack() as stack:
        line = _Line(grouper, run, keep_input, stack.enter_context(ThreadPoolExecutor(threads)), stack)
        line.target, line.source_column = target, options.source_column
        for batch in _batches(sources, grouper, keep_input):
            line.submit(batch)
            # one batch more than threads keeps every thread busy while the oldest is written
            while len(line.pending) > threads + 1 or line.waits_for_schema:
                line.finish()
                _tell(progress, sources, run)
        while line.pending:
            line.finish()
            _tell(progress, sources, run)
    run.finish(grouper, {name for source in sources for name in source.canonical})
    if many_unknown(run.counts) and isinstance(paths[0], Path) and paths[0].is_file():
        run.edition = edition_hits(open_all(paths[:1], options)[0].batches(grouper.input_columns), grouper)
    run.noted = sum((source.noted for source in sources), Counter())
    run.ids_checked, run.ids_complete = line.seen.checked, line.seen.complete
    run.seconds = time.perf_counter() - started
    return run


class _Line:
    """Batches on their way: grouped in threads, counted and written in the order in which they came."""

    def __init__(
        self, grouper: GroupsBatches, run: GroupRun, keep_input: bool, pool: ThreadPoolExecutor, stack: ExitStack
    ) -> None:
        self.grouper, self.run, self.keep_input, self.pool, self.stack = grouper, run, keep_input, pool, stack
        self.source_column: str | None = None
        self.target: str | Path | None = None  # where the answers go; none where they are counted only
        self.seen = SeenIds()
        self.pending: deque[Future[tuple[pa.RecordBatch, GroupCounts, object]]] = deque()
        self.writer: AnyWriter | None = None

    @property
    def waits_for_schema(self) -> bool:
        """Whether a file is to be written and no batch has told its columns yet."""
        return self.target is not None and self.writer is None and bool(self.pending)

    def submit(self, batch: pa.RecordBatch) -> None:
        """Group a batch in a thread, and encode its answers there once the columns of the file are known."""
        encode = self.writer.encode if self.writer else None
        self.pending.append(self.pool.submit(self._work, batch, self.seen.note(ids_of(batch)), encode))

    def _work(self, batch: pa.RecordBatch, noted: Any, encode: Callable[[pa.RecordBatch], object] | None) -> Any:
        answers, counts = self.grouper.group_batch(batch, noted)
        if self.keep_input:
            answers = _with_input(batch, answers)
        elif self.source_column:
            answers = answers.append_column(self.source_column, batch.column(f"={self.source_column}"))
        return answers, counts, encode(answers) if encode else None

    def finish(self) -> None:
        """Count and write the oldest batch."""
        answers, counts, encoded = self.pending.popleft().result()
        self.run.counts.add(counts)
        if self.target is None:
            return
        if self.writer is None:
            kept = frozenset(answers.schema.names) - set(self.grouper.result_columns)
            self.writer = self.stack.enter_context(open_writer(self.target, answers.schema, about=_about(self.run, kept)))
        self.writer.write(self.writer.encode(answers) if encoded is None else encoded)


def _about(run: GroupRun, kept: frozenset[str]) -> About:
    """What a workbook of the answers says that it is; columns of the input keep their names."""
    files = run.inputs[:_NAMED]
    facts = [
        *made_by("group"), (text("Scheme"), run.scheme.id), (text("Digest of the scheme"), run.scheme.digest[:_NAMED]),
        *((text("Files") if place == 0 else "", path.name) for place, path in enumerate(files)),
    ]  # fmt: skip
    if len(run.inputs) > len(files):
        facts.append(("", text("and {count} more", count=len(run.inputs) - len(files))))
    return About(text("Groups of discharges"), "group", facts=facts, kept=kept)


def _tell(progress: Progress | None, sources: Sequence[CaseFile], run: GroupRun) -> None:
    if progress:
        progress(sum(source.done for source in sources) / len(sources), run.counts.records)


def _check_target(sources: Sequence[CaseFile], target: str | Path | None, keep_input: bool) -> None:
    if keep_input and any(source.names != sources[0].names for source in sources):
        raise UsageError(
            [
                Problem(
                    "inputs-differ",
                    text("the inputs have different columns, so they cannot be kept in one output"),
                    fix=text("group them one by one, or without --keep-input"),
                )
            ]
        )
    if target is None:
        return
    check_output(target, [source.path for source in sources])
    known = [source.rows for source in sources if source.rows is not None]
    check_writable(target, sum(known) if len(known) == len(sources) else None)


def _batches(sources: Sequence[CaseFile], grouper: GroupsBatches, keep: bool) -> Iterator[pa.RecordBatch]:
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

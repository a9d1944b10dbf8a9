"""Discharges of the past as integers: read once, every later step of building a catalogue works on these arrays."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.authoring.dip.auxiliary_styles import load_lists
from drgsim.authoring.dip.combinations import Combinations, class_numbers, combine, counting_procedures, cut_diagnoses
from drgsim.authoring.dip.dip_spec import DipSpec
from drgsim.authoring.dip.hospital_levels import level_column, level_notes, levels_of
from drgsim.authoring.dip.level_masks import LevelMasks
from drgsim.errors import InputError, Problem
from drgsim.language import bilingual, joined, text
from drgsim.records.arrow import ids_of, one_chunk
from drgsim.records.batch_encoding import PreparedBatch
from drgsim.records.case_file import CaseFile
from drgsim.records.case_table import open_all
from drgsim.records.cells import read_days, read_fen
from drgsim.records.code_dictionaries import CodeBook
from drgsim.records.encode import EncodedLists
from drgsim.records.input_options import InputOptions
from drgsim.units.dip.catalogue_files import load_catalogue
from drgsim.units.dip.dip_catalogue import Catalogue
from drgsim.units.dip.dip_grouper import DipGrouper
from drgsim.units.dip.excluded_codes import ExcludedCodes
from drgsim.units.drg.drg_grouper import INPUT_COLUMNS, DrgGrouper
from drgsim.units.schemes.pack import load_scheme

Progress = Callable[[float, int], None]
COLUMNS = (*INPUT_COLUMNS, "total_cost")
# why a discharge does not count, the first reason that holds
REASONS = {
    "cost_implausible": bilingual("with a cost beyond what a case can cost", "总费用超出可能范围"),
    "cost_unreadable": bilingual("with a cost that is no number", "总费用无法识别"),
    "no_cost": bilingual("without a cost", "无总费用"),
    "cost_negative": bilingual("with a cost below 0", "总费用为负"),
    "cost_zero": bilingual("with a cost of 0", "总费用为零"),
    "cost_too_low": bilingual("cost below the limit", "费用过低"),
    "no_date": bilingual("without a date of discharge", "无出院日期"),
    "principal_unknown": bilingual("principal diagnosis missing or unknown", "主要诊断缺失或无效"),
    "dip_excluded": bilingual("whose principal diagnosis is on the excluded list", "主要诊断不纳入分组"),
    "stay_too_long": bilingual("stay above the limit", "住院时间过长"),
    "invalid": bilingual("contradicts itself (invalid)", "病案矛盾"),
}


@dataclass(frozen=True)
class DipHistory:
    """Discharges that count, in an order of their own contents, so that the order of files and lines never matters.

    All arrays have one entry per discharge.

    Attributes
    ----------
    years
        Years of the history, oldest first.
    year
        Place of the year.
    cost
        Total cost in fen.
    combination, combinations
        Number of the combination of diagnosis and procedures, and the combinations.
    drg, drg_codes
        Number of the DRG (below 0: none), by the scheme that also grades the other diagnoses.
    mark
        Hash of the discharge's id, for halves and samples that do not depend on order.
    level
        Level of the hospital: 1, 2, 3; 0 where it is not known.
    mask
        Levels of auxiliary lists that the discharge has, a bit each in the order of the lists.
    book, class_of_procedure
        Codes behind the ids, and the operation class of each procedure (place in ``CLASS_ORDER``, below 0: none).
    read, left_out
        Discharges read, and those that do not count, by reason.
    notes
        What a user should know about the input.
    undated
        No discharge has a date: ``years`` count files.
    excluded
        Codes that may not be principal or do not count, where the specification names a list of them.
    prepared, row
        Where discharges are grouped by a catalogue again: all that was read, encoded for it, and the place of each in it.
    """

    years: tuple[int, ...]
    year: NDArray[np.int64]
    cost: NDArray[np.int64]
    combination: NDArray[np.int32]
    combinations: Combinations
    drg: NDArray[np.int32]
    drg_codes: tuple[str, ...]
    mark: NDArray[np.uint64]
    mask: NDArray[np.int64]
    level: NDArray[np.int8]
    book: CodeBook
    class_of_procedure: NDArray[np.int8]
    read: int
    left_out: Mapping[str, int]
    notes: tuple[str, ...] = ()
    undated: bool = False
    excluded: ExcludedCodes = field(default_factory=ExcludedCodes)
    prepared: tuple[PreparedBatch, ...] = ()
    row: NDArray[np.int64] | None = None

    @property
    def size(self) -> int:
        """Number of discharges that count."""
        return int(self.cost.size)

    @property
    def simple(self) -> NDArray[np.bool_]:
        """Procedures that count as not done beside others: by their class, where no list says which count."""
        return np.asarray((self.class_of_procedure == 0) & (not self.excluded))

    def part(self, used: NDArray[np.bool_]) -> DipHistory:
        """The history of some discharges; combinations keep their numbers."""
        from dataclasses import replace

        return replace(
            self, year=self.year[used], cost=self.cost[used], combination=self.combination[used], drg=self.drg[used],
            mark=self.mark[used], mask=self.mask[used], level=self.level[used],
            row=None if self.row is None else self.row[used],
        )  # fmt: skip


class _Part(NamedTuple):
    """What is kept of a batch."""

    diagnosis: NDArray[np.int32]
    procedures: NDArray[np.int32]
    lengths: NDArray[np.int64]
    year: NDArray[np.int64]
    cost: NDArray[np.int64]
    drg: NDArray[np.int32]
    mark: NDArray[np.uint64]
    mask: NDArray[np.int64]
    level: NDArray[np.int8]
    left_out: Counter[str]
    rows: int
    unknown_procedures: int
    file: int
    used: NDArray[np.bool_]
    prepared: PreparedBatch | None


@dataclass
class _Reading:
    """What a batch is read with."""

    grouper: DrgGrouper
    short: NDArray[np.int32]
    spec: DipSpec
    levels: LevelMasks
    hospitals: Mapping[str, str] | None
    by: DipGrouper | None = None
    parts: list[_Part] = field(default_factory=list)


def read_history(
    inputs: Sequence[Any],
    spec: DipSpec,
    *,
    hospitals: Mapping[str, str] | None = None,
    catalogue: Catalogue | None = None,
    options: InputOptions | None = None,
    progress: Progress | None = None,
) -> DipHistory:
    """Read files of discharges of several years.

    Parameters
    ----------
    inputs
        Case-mix files in any format that drgsim reads, or tables; the year is that of the discharge.
    spec
        Says which discharges count and how many characters of the diagnosis make a kind.
    hospitals
        Hospital -> level, for means by level; a column ``hospital_level`` of the files goes before.
    catalogue
        Keep what is read encoded for this catalogue, to group by it.
    options
        Layout, own column names and edition of the codes.
    progress
        Called after every batch with the share done and the number of discharges.

    Raises
    ------
    InputError
        A file cannot be read, no discharge has a cost, or the years are not those that the specification weighs.
    """
    scheme = load_scheme(spec.file.severity_scheme.value)
    options = options or InputOptions()
    grouper = DrgGrouper(scheme, options.code_version)
    auxiliary = spec.file.auxiliary
    lists = load_lists(auxiliary.style.value, auxiliary.lists.value, spec.file.first)
    listed = spec.file.excluded_codes
    excluded = load_catalogue(listed.value).excluded if listed is not None else None
    levels = LevelMasks(lists, spec.file.severity_scheme.value, options.code_version, excluded)
    short, names = cut_diagnoses(levels.catalogue.book.diagnoses.codes, spec.file.combinations.diagnosis_characters.value)
    sources = open_all(inputs, options)
    _check_columns(sources)
    by = DipGrouper(catalogue, options.code_version) if catalogue is not None else None
    reading = _Reading(grouper, short, spec, levels, hospitals, by)
    pending: deque[Future[_Part]] = deque()
    threads = os.cpu_count() or 1
    with ThreadPoolExecutor(threads) as pool:
        for file, source in enumerate(sources):
            stated = level_column(source.names)
            for batch in source.batches((*COLUMNS, "hospital_id"), keep=[stated] if stated else False):
                pending.append(pool.submit(_read_batch, batch, reading, file, f"={stated}" if stated else None))
                while len(pending) > threads + 1:
                    reading.parts.append(pending.popleft().result())
                if progress:
                    done = sum(each.done for each in sources) / len(sources)
                    progress(done, sum(part.rows for part in reading.parts))
        while pending:
            reading.parts.append(pending.popleft().result())
    return _joined(reading, names, [source.path.name for source in sources])


def _check_columns(sources: Sequence[CaseFile]) -> None:
    problems = [
        Problem(
            "dip-no-cost-column", text("{file} has no column of the total cost", file=source.path.name), where=str(source.path),
            why=text("the score of a kind is its mean cost: a history without cost makes no catalogue"),
            fix=text("add total_cost, or name the column with --map OWN=total_cost"),
        )
        for source in sources
        if "total_cost" not in source.canonical
    ]  # fmt: skip
    if problems:
        raise InputError(problems)


def _read_batch(batch: pa.RecordBatch, reading: _Reading, file: int, stated: str | None) -> _Part:
    include = reading.spec.file.include
    prepared = reading.levels.grouper.prepare(batch)
    skip = prepared.invalid
    for_drg = reading.grouper.prepare(batch)  # a DRG scheme has other local codes and asks after other columns
    grouped = reading.grouper.group_prepared(for_drg, for_drg.invalid)
    fen = read_fen(one_chunk(batch, "total_cost"))
    days = read_days(one_chunk(batch, "discharged")).values
    first = prepared.diagnoses.offsets[:-1]
    has_one = np.diff(prepared.diagnoses.offsets) > 0
    ids = np.append(prepared.diagnoses.ids, -1)
    principal = np.where(has_one, ids[np.where(has_one, first, -1)], -1)
    stay = prepared.numbers[:, 4]
    undated = np.isnan(days)
    names = list(REASONS)
    arrays = reading.levels.grouper.compiled.arrays
    reason = np.select(
        [fen.beyond, fen.broken, ~fen.there, fen.values < 0, fen.values == 0,
         fen.values < round(include.minimum_cost.value * 100), principal < 0,
         arrays.dx_excluded[principal + 2], stay > include.longest_stay.value, skip],
        [names.index(name) for name in REASONS if name != "no_date"], -1,
    )  # fmt: skip
    used = reason < 0
    left_out = Counter({names[place]: int(n) for place, n in enumerate(np.bincount(reason[~used], minlength=len(names))) if n})
    when = np.where(undated, 0, days).astype(np.int64).astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    counted = prepared.procedures
    unknown = int((counted.ids[np.repeat(used, np.diff(counted.offsets))] == -1).sum())
    if reading.levels.catalogue.excluded:
        counted = counting_procedures(counted, arrays.dx_scope[principal + 2], arrays.op_excluded, arrays.op_place)
    lengths = np.diff(counted.offsets)
    procedures = counted.ids[np.repeat(used, lengths)]
    mask = reading.levels.masks(prepared, ~used | skip)
    return _Part(
        reading.short[principal[used]], procedures, lengths[used], np.where(undated, -1, when)[used], fen.values[used],
        grouped.drg[used], _marks(ids_of(batch))[used], mask[used], levels_of(batch, stated, reading.hospitals)[used], left_out,
        batch.num_rows, unknown, file, used, reading.by.prepare(batch) if reading.by else None,
    )  # fmt: skip


def _marks(ids: pa.Array) -> NDArray[np.uint64]:
    """64-bit hashes of ids."""
    import pandas as pd

    return np.asarray(pd.util.hash_array(ids.to_numpy(zero_copy_only=False), categorize=False), np.uint64)


def _joined(reading: _Reading, names: tuple[str, ...], files: Sequence[str]) -> DipHistory:
    parts = reading.parts
    left_out: Counter[str] = sum((part.left_out for part in parts), Counter())
    rows = sum(part.rows for part in parts)
    lengths = np.concatenate([part.lengths for part in parts])
    diagnosis = np.concatenate([part.diagnosis for part in parts])
    cost = np.concatenate([part.cost for part in parts])
    year, notes = _years(parts, files)
    undated = bool(notes)  # the only thing that years give to note
    dated = year >= 0
    if not cost.size or not dated.any():
        raise InputError([_nothing_left(rows, left_out, dated.size)])
    procedures = EncodedLists(np.concatenate([part.procedures for part in parts]), np.concatenate([[0], np.cumsum(lengths)]))
    catalogue = reading.levels.catalogue
    classes = class_numbers(catalogue.classes, catalogue.book)
    simple = (classes == 0) & (not catalogue.excluded)
    combination, combinations = combine(diagnosis, procedures, names, simple)
    mark = np.concatenate([part.mark for part in parts])
    order = np.lexsort((mark, cost, year, combination))
    order = order[dated[order]]
    if order.size < dated.size:
        left_out["no_date"] += dated.size - order.size
    years, place = np.unique(year[order], return_inverse=True)
    unknown = sum(part.unknown_procedures for part in parts)
    if unknown:
        notes.append(text("{count:,} procedure codes are not in the dictionary and were passed over", count=unknown))
    mask = np.concatenate([part.mask for part in parts])[order]
    level = np.concatenate([part.level for part in parts])[order]
    notes += level_notes(level)
    return DipHistory(
        tuple(years.tolist()), place.astype(np.int64), cost[order], combination[order], combinations,
        np.concatenate([part.drg for part in parts])[order], reading.grouper.compiled.drg_codes, mark[order], mask, level,
        catalogue.book,
        classes,
        rows, dict(left_out), tuple(notes), undated, catalogue.excluded,
        tuple(part.prepared for part in parts if part.prepared is not None),
        np.flatnonzero(np.concatenate([part.used for part in parts]))[order],
    )  # fmt: skip


def _years(parts: Sequence[_Part], files: Sequence[str]) -> tuple[NDArray[np.int64], list[str]]:
    """Year of each discharge; where no discharge has a date, each file counts as a year, in the order given."""
    year = np.concatenate([part.year for part in parts])
    if year.size and (year < 0).all():
        number = np.repeat([part.file for part in parts], [part.year.size for part in parts])
        listed = joined(
            ", ", (text("{file} = year {year}", file=name, year=place) for place, name in enumerate(files, start=1))
        )
        return number.astype(np.int64) + 1, [
            text("no discharge has a date: each file counts as a year, oldest first ({listed})", listed=listed)
        ]
    return year, []


def left_out_words(counted: Mapping[str, int]) -> str:
    """How many discharges are left out for which reason."""
    return joined(", ", (joined(" ", [f"{number:,}", REASONS[reason]]) for reason, number in sorted(counted.items())))


def _nothing_left(rows: int, left_out: Mapping[str, int], undated: int) -> Problem:
    counted = dict(left_out) | ({"no_date": undated} if undated else {})
    listed = left_out_words(counted)
    return Problem(
        "dip-nothing-left", text("none of the {rows:,} discharges can be used: {listed}", rows=rows, listed=listed),
        why=text("a catalogue needs discharges with a principal diagnosis, a cost and a date"), fix=text("check the export"),
    )  # fmt: skip

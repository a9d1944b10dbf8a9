"""Group the same discharges by two schemes: where cases, cost and weight go, and which hospitals' case-mix index moves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgsim.analysis.labelled_weights import ESTIMATED_LABEL, NO_WEIGHTS, LabelledWeights, weights_of_both
from drgsim.analysis.migration import LEAST_SHARE, Answer, Flow, HospitalMove, Migration, MigrationSide
from drgsim.records.arrow import one_chunk
from drgsim.records.case_file import CaseFile
from drgsim.records.case_table import open_all
from drgsim.records.cells import read_fen, read_words
from drgsim.records.input_options import InputOptions
from drgsim.units.drg.drg_grouper import INPUT_COLUMNS, STATUSES, DrgGrouper
from drgsim.units.schemes.pack import load_scheme
from drgsim.units.schemes.scheme import UNGROUPED, Scheme

_GROUPED, _AMBIGUOUS, _UNGROUPABLE, _INVALID = STATUSES


def migrate_files(
    inputs: Sequence[Any],
    before: str | Path,
    after: str | Path,
    *,
    weights: tuple[str | None, str | None] = (None, None),
    least_share: float = LEAST_SHARE,
    progress: Callable[[float, int], None] | None = None,
    options: InputOptions | None = None,
) -> Migration:
    """Group files by two schemes.

    Parameters
    ----------
    inputs
        CSV, Parquet, XLSX or JSON files, or tables.
    before, after
        Ids or folders of the schemes.
    weights
        Of both schemes, as :func:`drgsim.analysis.labelled_weights.weights_of_both` takes them. Where one side has a table and
        the other estimates, hospitals are not compared.
    least_share
        Smallest share of a group that makes a split or merge.
    progress
        Called after every batch with the share done and the number of records.
    options
        Layout, own column names and edition of the codes.

    Raises
    ------
    InputError
        When an input or a table of weights cannot be read.
    """
    options = options or InputOptions()
    sources = open_all(inputs, options)
    schemes = [load_scheme(before), load_scheme(after)]
    given = weights_of_both(schemes, weights)
    groupers = [DrgGrouper(scheme, options.code_version) for scheme in schemes]
    cells = _counted(sources, groupers, progress)
    known = {name for source in sources for name in source.canonical}
    left, right = (
        _side(scheme, weights, cells, place) for place, (scheme, weights) in enumerate(zip(schemes, given, strict=True))
    )
    hospitals, cmi = _hospitals(cells, [left, right])
    has = {name: all(name in source.canonical for source in sources) for name in ("total_cost", "hospital_id")}
    return Migration(
        [source.path for source in sources],
        left,
        right,
        cells.flows(),
        hospitals if has["hospital_id"] and left.weights.estimated == right.weights.estimated else [],
        cmi,
        has["total_cost"],
        has["hospital_id"],
        least_share,
        {s.id: absent for s, g in zip(schemes, groupers, strict=True) if (absent := g.absent_columns(known))},
    )


def _counted(
    sources: Sequence[CaseFile], groupers: Sequence[DrgGrouper], progress: Callable[[float, int], None] | None
) -> _Cells:
    """All records by hospital and pair of answers.

    Each scheme encodes for itself: their local codes, columns and word lists may differ.
    """
    cells = _Cells([_answers(grouper) for grouper in groupers])
    records = 0
    for source in sources:
        for batch in source.batches([*INPUT_COLUMNS, "hospital_id", "total_cost"]):
            cells.add(batch, [_places(grouper, batch) for grouper in groupers])
            records += batch.num_rows
            if progress:
                progress(sum(s.done for s in sources) / len(sources), records)
    return cells


def _answers(grouper: DrgGrouper) -> list[Answer]:
    """Every answer of a scheme by number: its DRG rows, then ungroupable, then invalid."""
    compiled = grouper.compiled
    ambiguous = compiled.arrays.row_ambiguous[compiled.arrays.drg_row]
    rows = [Answer(c, _AMBIGUOUS if qy else _GROUPED) for c, qy in zip(compiled.drg_codes, ambiguous, strict=True)]
    return [*rows, Answer(UNGROUPED, _UNGROUPABLE), Answer(UNGROUPED, _INVALID)]


def _places(grouper: DrgGrouper, batch: pa.RecordBatch) -> NDArray[np.int64]:
    """Number of each record's answer."""
    answers, _ = grouper.group_batch(batch)
    rows = len(grouper.compiled.drg_codes)  # the number of "no group" among the texts
    drg = np.asarray(answers.column("drg").indices).astype(np.int64)
    invalid = np.asarray(pc.equal(answers.column("status"), _INVALID))
    return np.where(invalid, rows + 1, drg)


class _Cells:
    """Cases, cases with a cost, and cost by hospital and pair of answers; sums in integers, so that they are exact."""

    def __init__(self, answers: list[list[Answer]]) -> None:
        self.answers = answers
        self.hospitals: dict[str, int] = {}
        self.sums: dict[tuple[int, int, int], list[int]] = {}

    def add(self, batch: pa.RecordBatch, places: list[NDArray[np.int64]]) -> None:
        widths = [len(answers) for answers in self.answers]
        key = (self._hospital_numbers(batch) * widths[0] + places[0]) * widths[1] + places[1]
        there, values = np.zeros(len(key), np.bool_), np.zeros(len(key), np.int64)
        if "total_cost" in batch.schema.names:
            cost = read_fen(one_chunk(batch, "total_cost"))
            there, values = cost.there, cost.values
        keys, inverse = np.unique(key, return_inverse=True)
        cases = np.bincount(inverse, minlength=len(keys))
        costed = np.bincount(inverse[there], minlength=len(keys))
        fen = np.zeros(len(keys), np.int64)
        np.add.at(fen, inverse, values)
        pair = widths[0] * widths[1]
        for number, *more in zip(keys.tolist(), cases.tolist(), costed.tolist(), fen.tolist(), strict=True):
            held = self.sums.setdefault((number // pair, number % pair // widths[1], number % widths[1]), [0, 0, 0])
            for place, amount in enumerate(more):
                held[place] += amount

    def _hospital_numbers(self, batch: pa.RecordBatch) -> NDArray[np.int64]:
        if "hospital_id" not in batch.schema.names:
            return np.full(batch.num_rows, self.hospitals.setdefault("", len(self.hospitals)), np.int64)
        encoded = read_words(batch, "hospital_id").dictionary_encode()
        numbers = [self.hospitals.setdefault(name, len(self.hospitals)) for name in encoded.dictionary.to_pylist()]
        return np.asarray(np.array(numbers, np.int64)[np.asarray(encoded.indices)])

    def flows(self) -> list[Flow]:
        """Sums over hospitals, most cases first."""
        total: dict[tuple[int, int], list[int]] = {}
        for (_, first, second), (cases, _, fen) in self.sums.items():
            held = total.setdefault((first, second), [0, 0])
            held[0] += cases
            held[1] += fen
        ordered = sorted(total.items(), key=lambda item: (-item[1][0], item[0]))
        return [Flow(self.answers[0][a], self.answers[1][b], cases, fen) for (a, b), (cases, fen) in ordered]


def _side(scheme: Scheme, weights: LabelledWeights | None, cells: _Cells, place: int) -> MigrationSide:
    """Sums by group, and weights estimated from them where none are given."""
    cases: Counter[str] = Counter()
    costed: Counter[str] = Counter()
    fen: Counter[str] = Counter()
    for key, (number, with_cost, cost) in cells.sums.items():
        answer = cells.answers[place][key[1 + place]]
        if answer.grouped:
            cases[answer.drg] += number
            costed[answer.drg] += with_cost
            fen[answer.drg] += cost
    if weights is None:
        weights = _estimate(costed, fen)
    return MigrationSide(scheme, weights, cases, fen)


def _estimate(costed: Mapping[str, int], fen: Mapping[str, int]) -> LabelledWeights:
    """Weight = mean cost of the group / mean cost of all grouped cases with a cost."""
    total, number = sum(fen.values()), sum(costed.values())
    if total <= 0:
        return LabelledWeights(NO_WEIGHTS, "")
    mean = total / number
    by_drg = {drg: fen[drg] / n / mean for drg, n in costed.items() if n and fen[drg] > 0}
    return LabelledWeights(ESTIMATED_LABEL, "assumption", by_drg)


def _hospitals(cells: _Cells, sides: Sequence[MigrationSide]) -> tuple[list[HospitalMove], tuple[float | None, float | None]]:
    """Each hospital's CMI under both schemes, and that of all hospitals."""
    names = {number: name for name, number in cells.hospitals.items()}
    cases: Counter[int] = Counter()
    grouped = [Counter[int](), Counter[int]()]
    weighted = [Counter[int](), Counter[int]()]
    weight: list[dict[int, float]] = [{}, {}]
    for (hospital, *places), (number, _, _) in sorted(cells.sums.items()):
        cases[hospital] += number
        for side, place in enumerate(places):
            answer = cells.answers[side][place]
            one = sides[side].weight(answer)
            grouped[side][hospital] += number * answer.grouped
            if one is not None:
                weighted[side][hospital] += number
                weight[side][hospital] = weight[side].get(hospital, 0.0) + number * one
    cmi = [{h: weight[side][h] / n for h, n in weighted[side].items() if n} for side in (0, 1)]
    overall = [sum(weight[side].values()) / n if (n := sum(weighted[side].values())) else None for side in (0, 1)]
    rank = [_ranks(values) for values in cmi]

    def relative(side: int, hospital: int) -> float | None:
        value, whole = cmi[side].get(hospital), overall[side]
        return value / whole if value is not None and whole else None

    moves = [
        HospitalMove(
            names[h], cases[h], grouped[0][h], grouped[1][h], cmi[0].get(h), cmi[1].get(h),
            relative(0, h), relative(1, h), rank[0].get(h), rank[1].get(h),
        )
        for h in cases
    ]  # fmt: skip
    moves.sort(key=lambda move: (move.rank_before or len(moves) + 1, move.hospital))
    return moves, (overall[0], overall[1])


def _ranks(values: Mapping[int, float]) -> dict[int, int]:
    """Rank by value, 1 the highest; equal values share a rank."""
    ordered = sorted(values.values(), reverse=True)
    first: dict[float, int] = {}
    for place, value in enumerate(ordered, 1):
        first.setdefault(value, place)
    return {key: first[value] for key, value in values.items()}

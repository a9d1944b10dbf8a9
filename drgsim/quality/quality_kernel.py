"""The loop over the codes of every record: sex and age conflicts, repetitions, number of other diagnoses."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from drgsim.compiled_code import njit
from drgsim.quality.code_facts import CodeFacts
from drgsim.records.batch_encoding import PreparedBatch
from drgsim.records.code_dictionaries import EMPTY

# rules that the loop answers, in the order of its rows
CODE_RULES = (
    "sex_conflict_diagnosis",
    "sex_conflict_procedure",
    "newborn_code_after_first_year",
    "newborn_code_after_28_days",
    "childbearing_code_outside_age",
    "principal_repeated",
    "diagnosis_repeated",
)
PROCEDURE_RULES = ("sex_conflict_procedure",)
NO_CODE = -9


class CodeHits(NamedTuple):
    """First code that each of ``CODE_RULES`` names in each record (``NO_CODE``: none), and the number of other diagnoses."""

    codes: NDArray[np.int32]
    others: NDArray[np.int32]


def look_at_codes(batch: PreparedBatch, facts: CodeFacts, limits: tuple[float, float, float]) -> CodeHits:
    """Look at all codes of a batch.

    Parameters
    ----------
    batch
        Encoded records.
    facts
        What is known about the codes.
    limits
        Days of a newborn, and the first and last year of childbearing age.
    """
    hits = np.full((len(CODE_RULES), len(batch.findings)), NO_CODE, np.int32)
    others = np.zeros(len(batch.findings), np.int32)
    _look(
        batch.diagnoses.ids,
        batch.diagnoses.offsets,
        batch.procedures.ids,
        batch.procedures.offsets,
        batch.numbers,
        facts.sex,
        facts.principal_sex,
        facts.procedure_sex,
        facts.newborn,
        facts.childbearing,
        np.array(limits, np.float64),
        hits,
        others,
    )
    return CodeHits(hits, others)


@njit(cache=True, nogil=True)
def _look(
    dx: Any,
    dx_offsets: Any,
    op: Any,
    op_offsets: Any,
    numbers: Any,
    sex_of: Any,
    principal_sex_of: Any,
    procedure_sex_of: Any,
    newborn: Any,
    childbearing: Any,
    limits: Any,
    hits: Any,
    others: Any,
) -> None:  # pragma: no cover - compiled
    for record in range(others.size):
        age, sex, days = numbers[record, 0], numbers[record, 1], numbers[record, 2]
        start, stop = dx_offsets[record], dx_offsets[record + 1]
        others[record] = max(0, stop - start - 1)
        for at in range(start, stop):
            code = dx[at]
            principal = at == start
            belongs = principal_sex_of[code + 2] if principal else sex_of[code + 2]
            if belongs != 0 and sex == 3 - belongs:
                _note_first(hits, 0, record, code)
            if newborn[code + 2]:
                if age >= 1:
                    _note_first(hits, 2, record, code)
                elif principal and days > limits[0]:
                    _note_first(hits, 3, record, code)
            if childbearing[code + 2] and (age < limits[1] or age > limits[2]):
                _note_first(hits, 4, record, code)
            if code >= 0 and not principal:
                _note_repeated(hits, record, dx, start, at)
        for at in range(op_offsets[record], op_offsets[record + 1]):
            belongs = procedure_sex_of[op[at] + 2]
            if belongs != 0 and sex == 3 - belongs:
                _note_first(hits, 1, record, op[at])


@njit(cache=True, nogil=True, inline="always")
def _note_first(hits: Any, rule: int, record: int, code: int) -> None:  # pragma: no cover - compiled
    """Note the code that a rule names, unless it named one of the record before."""
    hits[rule, record] = code if hits[rule, record] == NO_CODE else hits[rule, record]


@njit(cache=True, nogil=True, inline="always")
def _note_repeated(hits: Any, record: int, dx: Any, start: int, at: int) -> None:  # pragma: no cover - compiled
    """Note another diagnosis that is the principal one again, or one of those before it."""
    if dx[at] == dx[start]:
        _note_first(hits, 5, record, dx[at])
    for before in range(start + 1, at):
        if dx[before] == dx[at]:
            _note_first(hits, 6, record, dx[at])


def first_codes(ids: NDArray[np.int32], offsets: NDArray[np.int64]) -> NDArray[np.int32]:
    """Principal code of each record, ``EMPTY`` where there is none."""
    first = np.full(len(offsets) - 1, EMPTY, np.int32)
    filled = offsets[1:] > offsets[:-1]
    first[filled] = ids[offsets[:-1][filled]]
    return first

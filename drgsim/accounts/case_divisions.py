"""The questions that divide a group: severity, age, sex, intensive care, operations, single procedures."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.accounts.split_hints import CaseProcedures, Division
from drgsim.language import term, text
from drgsim.records.arrow import one_chunk
from drgsim.records.cells import read_words
from drgsim.records.code_dictionaries import EMPTY, CodeBook
from drgsim.units.batch_grouper import SEVERITIES, BatchGrouper

AGES = (1, 18, 65, 80)  # years
_AGE, _SEX, _ICU_HOURS = 0, 1, 5  # places among the numbers of a prepared batch
_FEMALE = 2


def case_divisions(table: pa.Table, grouper: BatchGrouper, book: CodeBook) -> tuple[list[Division], CaseProcedures]:
    """Questions to the discharges of a table, and their procedures; what the table does not know divides nothing.

    Parameters
    ----------
    table
        Canonical columns with diagnoses and procedures.
    grouper
        Encodes them, and says how severe the other diagnoses are.
    book
        The codes of its scheme or catalogue, with their names.
    """
    prepared = grouper.prepare(table)
    answers, _ = grouper.group_batch(table)
    severity = answers.column("severity").dictionary_decode().to_numpy(zero_copy_only=False)
    none, cc, mcc = (severity == name for name in SEVERITIES)
    known = none | cc | mcc
    numbers = prepared.numbers
    age = numbers[:, _AGE]
    procedures = prepared.procedures
    operated = np.zeros(table.num_rows, np.bool_)
    case = np.repeat(np.arange(table.num_rows), np.diff(procedures.offsets))
    operated[case[procedures.ids != EMPTY]] = True
    with np.errstate(invalid="ignore"):
        divisions = [
            Division("severity", text("with an MCC"), mcc & known),
            Division("severity", text("with a CC or MCC"), (cc | mcc) & known),
            *(Division("age", text("aged {years} or more", years=years), age >= years) for years in AGES),
            Division("sex", term("sex", "female"), numbers[:, _SEX] == _FEMALE),
            Division("intensive care", text("with hours of intensive care"), numbers[:, _ICU_HOURS] > 0),
            Division("procedure", text("with any procedure"), operated),
            Division("way", text("died"), _died(table)),
        ]
    codes = book.procedures
    return divisions, CaseProcedures(procedures.ids.astype(np.int64), procedures.offsets, codes.codes, codes.names)


def _died(table: pa.Table) -> NDArray[np.bool_]:
    way = read_words(pa.RecordBatch.from_arrays([one_chunk(table, "discharge_way")], ["discharge_way"]), "discharge_way")
    return np.isin(way.to_numpy(zero_copy_only=False), ["5", "死亡"])

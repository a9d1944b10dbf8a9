"""Quality and supervision lists of DIP (监管辅助目录) per hospital.

Quality of coding, repeat admission, low-standard admission, extra-long stay, death risk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgsim.analysis.dip_limits import SupervisionFile, supervision_settings
from drgsim.analysis.dip_lists import case_table, hospital_table, judge
from drgsim.errors import InputError, Problem, UsageError
from drgsim.records.arrow import ids_of, one_chunk
from drgsim.records.case_table import open_all
from drgsim.records.cells import read_days, read_fen, read_words
from drgsim.records.findings import BITS
from drgsim.records.input_options import InputOptions
from drgsim.units.dip.catalogue_files import load_catalogue
from drgsim.units.dip.dip_grouper import DipGrouper

Progress = Callable[[float, int], None]
NEEDED = ("hospital_id", "patient_id", "admitted", "discharged", "discharge_way", "total_cost", "los_days")
_FAULTS = (
    "principal_missing", "principal_unknown_code", "principal_grey_code", "other_diagnosis_unknown", "procedure_unknown",
    "principal_procedure_grey", "principal_procedure_missing", "age_conflict",
)  # fmt: skip
_FAULT_MASK = np.int64(sum(1 << BITS[name] for name in _FAULTS))


@dataclass(frozen=True)
class Supervision:
    """Lists of a file of discharges.

    Attributes
    ----------
    hospitals
        One row per hospital: cases, coding quality index, cases and share of each list, deaths found and expected.
    cases
        One row per discharge and list that it is on, with the figures that put it there.
    settings
        The limits.
    catalogue
        Id of the catalogue that grouped.
    records
        Discharges read.
    notes
        What could not be judged.
    """

    hospitals: pd.DataFrame
    cases: pd.DataFrame
    settings: SupervisionFile
    catalogue: str
    records: int
    notes: tuple[str, ...]


def supervise(
    inputs: Sequence[Any],
    catalogue: str | Path,
    *,
    settings: SupervisionFile | None = None,
    options: InputOptions | None = None,
    progress: Progress | None = None,
) -> Supervision:
    """Make the lists.

    Parameters
    ----------
    inputs
        Files or tables of discharges with hospital, patient, dates, way of discharge, cost and stay.
    catalogue
        DIP catalogue, by id or folder.

    Raises
    ------
    InputError
        A needed column is missing, in any file: all of them at once.
    """
    limits = settings or supervision_settings()
    grouper, frame, notes = _read(inputs, catalogue, options or InputOptions(), progress)
    judged = judge(frame, limits)
    return Supervision(
        hospital_table(frame, judged), case_table(frame, judged), limits, grouper.compiled.id, len(frame), tuple(notes)
    )


def _read(
    inputs: Sequence[Any], catalogue: str | Path, options: InputOptions, progress: Progress | None
) -> tuple[DipGrouper, pd.DataFrame, list[str]]:
    if not inputs:
        raise UsageError([Problem("inputs-no-list", "no files are named", fix="name one or more files")])
    loaded = load_catalogue(catalogue)
    grouper = DipGrouper(loaded, options.code_version)
    sources = open_all(inputs, options)
    problems = [
        Problem(
            "supervision-missing-column", f"{source.path.name} has no column {name}", where=str(source.path),
            why="the lists compare hospitals, patients, dates, costs and stays",
            fix=f"add it, or name it with --map OWN={name}",
        )
        for source in sources
        for name in NEEDED
        if name not in source.canonical
    ]  # fmt: skip
    if problems:
        raise InputError(problems)
    operative = np.array([loaded.classes.get(code) in ("therapeutic", "surgery") for code in loaded.book.procedures.codes])
    diagnoses = pa.array([*loaded.book.diagnoses.codes], pa.string())
    wanted = tuple(dict.fromkeys((*grouper.input_columns, *NEEDED)))
    tables: list[pa.RecordBatch] = []
    for source in sources:
        for batch in source.batches(wanted):
            tables.append(_batch(batch, grouper, operative, diagnoses))
            if progress:
                progress(sum(each.done for each in sources) / len(sources), sum(table.num_rows for table in tables))
    frame = pa.Table.from_batches(tables).unify_dictionaries().to_pandas()
    notes = []
    for count, what in (
        (int((frame.patient_id == "").sum()), "have no patient"),
        (int((frame.admitted.isna() | frame.discharged.isna()).sum()), "lack a date"),
    ):
        if count:
            notes.append(f"{count:,} discharges {what}: repeat admission is not judged for them")
    return grouper, frame, notes


def _batch(batch: pa.RecordBatch, grouper: DipGrouper, operative: NDArray[np.bool_], diagnoses: pa.Array) -> pa.RecordBatch:
    """What the lists need of a batch; texts that repeat are dictionary arrays."""
    prepared = grouper.prepare(batch)
    answers, _ = grouper.group_batch(batch)
    fen = read_fen(one_chunk(batch, "total_cost"))
    d, p = prepared.diagnoses, prepared.procedures
    count = np.diff(d.offsets)
    principal = np.append(d.ids, -1)[np.where(count > 0, d.offsets[:-1], -1)]
    record = np.repeat(np.arange(batch.num_rows), np.diff(p.offsets))
    operated = np.bincount(record, np.where(p.ids >= 0, operative[p.ids], True), minlength=batch.num_rows) > 0
    places = pa.array(principal.astype(np.int32), mask=principal < 0)
    columns = {
        "discharge_id": ids_of(batch),
        "hospital_id": read_words(batch, "hospital_id").dictionary_encode(),
        "patient_id": read_words(batch, "patient_id"),
        "dip": answers.column("dip"),
        "grouped": pc.equal(answers.column("status").dictionary_decode(), "grouped"),
        "severity": answers.column("severity"),
        "diagnosis": pa.DictionaryArray.from_arrays(places, diagnoses),
        "other_diagnoses": pa.array(np.maximum(count - 1, 0)),
        "operated": pa.array(operated),
        "faulty": pa.array((prepared.findings & _FAULT_MASK) != 0),
        "admitted": pa.array(read_days(one_chunk(batch, "admitted")).values),
        "discharged": pa.array(read_days(one_chunk(batch, "discharged")).values),
        "stay": pa.array(prepared.numbers[:, 4]),
        "died": pc.is_in(read_words(batch, "discharge_way"), value_set=pa.array(["5", "死亡"])),
        "yuan": pa.array(np.where(fen.there, fen.values / 100.0, np.nan)),
    }
    return pa.RecordBatch.from_arrays(list(columns.values()), list(columns))

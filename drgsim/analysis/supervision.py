"""Quality and supervision lists (监管辅助目录) per hospital, of DRG and DIP alike.

Quality of coding, repeat admission, split stays, low-standard admission, extra-long stay, severity that costs do not show,
death risk.
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

from drgsim.analysis.supervision_limits import SupervisionFile, supervision_settings
from drgsim.analysis.supervision_lists import case_table, comparison_table, hospital_table, judge
from drgsim.engines.grouper_of import means_dip
from drgsim.errors import InputError, Problem, UsageError
from drgsim.language import Text, text
from drgsim.records.arrow import ids_of, one_chunk
from drgsim.records.case_file import CaseFile
from drgsim.records.case_table import open_all
from drgsim.records.cells import read_days, read_fen, read_words
from drgsim.records.findings import BITS
from drgsim.records.input_options import InputOptions
from drgsim.units.batch_grouper import BatchGrouper
from drgsim.units.dip.catalogue_files import load_catalogue
from drgsim.units.dip.dip_grouper import DipGrouper
from drgsim.units.drg.drg_grouper import DrgGrouper
from drgsim.units.schemes.pack import load_scheme

Progress = Callable[[float, int], None]
NEEDED = ("hospital_id", "patient_id", "admitted", "discharged", "discharge_way", "total_cost", "los_days")
_FAULTS = (
    "principal_missing", "principal_unknown_code", "principal_grey_code", "other_diagnosis_unknown", "procedure_unknown",
    "principal_procedure_grey", "principal_procedure_missing", "age_conflict",
)  # fmt: skip
_FAULT_MASK = np.int64(sum(1 << BITS[name] for name in _FAULTS))
_OPERATIVE = ("surgical", "procedure")  # kinds of ADRGs that a procedure decides
_STAY = 4  # place of the length of stay among the numbers of a prepared batch


@dataclass(frozen=True)
class Supervision:
    """Lists of a file of discharges.

    Attributes
    ----------
    hospitals
        One row per hospital: cases, coding quality index, cases and share of each list, severe cases found and expected,
        deaths found and expected.
    cases
        One row per discharge and list that it is on, with the figures that put it there.
    comparison
        One row per list and hospital: its share beside that of all hospitals, and whether chance explains the difference.
    settings
        The limits.
    scheme
        Id of the scheme or catalogue that grouped.
    records
        Discharges read.
    missing
        List that could not be made -> the columns that it lacks.
    notes
        What could not be judged.
    """

    hospitals: pd.DataFrame
    cases: pd.DataFrame
    comparison: pd.DataFrame
    settings: SupervisionFile
    scheme: str
    records: int
    missing: dict[str, tuple[str, ...]]
    notes: tuple[Text, ...]


@dataclass(frozen=True)
class _Unit:
    """What the lists need to know of a scheme or catalogue: its grouper, and which procedures or groups are operative.

    ``group`` names the column of the answers that is the kind of a case, ``family`` the one whose kinds differ by severity,
    ``priced`` those that tell cases of another price.
    """

    grouper: BatchGrouper
    id: str
    group: str
    family: str
    priced: tuple[str, ...]
    diagnoses: pa.Array
    operative_procedures: NDArray[np.bool_] | None
    operative_families: pa.Array | None


def supervise(
    inputs: Sequence[Any],
    scheme: str | Path,
    *,
    settings: SupervisionFile | None = None,
    options: InputOptions | None = None,
    strict: bool = True,
    progress: Progress | None = None,
) -> Supervision:
    """Make the lists.

    Parameters
    ----------
    inputs
        Files or tables of discharges with hospital, patient, dates, way of discharge, cost and stay.
    scheme
        DRG scheme or DIP catalogue, by id or folder.
    strict
        Refuse inputs that lack a column; else the lists that need it are left out and told.

    Raises
    ------
    InputError
        A needed column is missing, in any file: all of them at once.
    """
    if not inputs:
        raise UsageError([Problem("inputs-no-list", text("no files are named"), fix=text("name one or more files"))])
    limits = settings or supervision_settings()
    unit = _unit(scheme, options or InputOptions())
    sources = open_all(inputs, options or InputOptions())
    absent = _absent(sources, strict)
    frame = _read(sources, unit, progress)
    judged = judge(frame, limits, absent)
    key = unit.group
    return Supervision(
        hospital_table(frame, judged), case_table(frame, judged, key), comparison_table(frame, judged, limits), limits,
        unit.id, len(frame), judged.missing, tuple(_notes(frame, absent)),
    )  # fmt: skip


def _absent(sources: Sequence[CaseFile], strict: bool) -> set[str]:
    """Needed columns that some file lacks; a stay follows from its dates."""
    lacking = [(source, name) for source in sources for name in NEEDED if name not in source.canonical]
    if strict and lacking:
        raise InputError([
            Problem(
                "supervision-missing-column",
                text("{file} has no column {name}", file=source.path.name, name=name),
                where=str(source.path),
                why=text("the lists compare hospitals, patients, dates, costs and stays"),
                fix=text("add it, or name it with --map OWN={name}", name=name),
            )
            for source, name in lacking
        ])  # fmt: skip
    names = {name for _, name in lacking}
    return names if names & {"admitted", "discharged"} else names - {"los_days"}


def _unit(scheme: str | Path, options: InputOptions) -> _Unit:
    if means_dip(scheme):
        catalogue = load_catalogue(scheme)
        operative = [catalogue.classes.get(code) in ("therapeutic", "surgery") for code in catalogue.book.procedures.codes]
        return _Unit(
            DipGrouper(catalogue, options.code_version), catalogue.id, "dip", "dip", ("dip", "aux", "aux_level"),
            pa.array([*catalogue.book.diagnoses.codes], pa.string()), np.array(operative), None,
        )  # fmt: skip
    loaded = load_scheme(scheme)
    families = [code for code, adrg in loaded.adrgs.items() if adrg.kind in _OPERATIVE]
    return _Unit(
        DrgGrouper(loaded, options.code_version), loaded.id, "drg", "adrg", ("drg",),
        pa.array([*loaded.book.diagnoses.codes], pa.string()), None, pa.array(families, pa.string()),
    )  # fmt: skip


def _read(sources: Sequence[CaseFile], unit: _Unit, progress: Progress | None) -> pd.DataFrame:
    """The discharges of all files, one row each."""
    wanted = tuple(dict.fromkeys((*unit.grouper.input_columns, *NEEDED)))
    tables: list[pa.RecordBatch] = []
    for source in sources:
        for batch in source.batches(wanted):
            tables.append(_batch(batch, unit))
            if progress:
                progress(sum(each.done for each in sources) / len(sources), sum(table.num_rows for table in tables))
    frame: pd.DataFrame = pa.Table.from_batches(tables).unify_dictionaries().to_pandas()
    return frame


def _notes(frame: pd.DataFrame, absent: set[str]) -> list[Text]:
    nameless = int((frame.patient_id == "").sum())
    undated = int((frame.admitted.isna() | frame.discharged.isna()).sum())
    notes = []
    if nameless and "patient_id" not in absent:
        notes.append(text("{count:,} discharges have no patient: repeat admission is not judged for them", count=nameless))
    if undated and not absent & {"admitted", "discharged"}:
        notes.append(text("{count:,} discharges lack a date: repeat admission is not judged for them", count=undated))
    return notes


def _batch(batch: pa.RecordBatch, unit: _Unit) -> pa.RecordBatch:
    """What the lists need of a batch; texts that repeat are dictionary arrays."""
    prepared = unit.grouper.prepare(batch)
    answers, _ = unit.grouper.group_batch(batch)
    fen = read_fen(one_chunk(batch, "total_cost"))
    d, p = prepared.diagnoses, prepared.procedures
    count = np.diff(d.offsets)
    principal = np.append(d.ids, -1)[np.where(count > 0, d.offsets[:-1], -1)]
    places = pa.array(principal.astype(np.int32), mask=principal < 0)
    if unit.operative_families is not None:
        operated: Any = pc.is_in(answers.column(unit.family).dictionary_decode(), value_set=unit.operative_families)
    else:
        record = np.repeat(np.arange(batch.num_rows), np.diff(p.offsets))
        operative = np.where(p.ids >= 0, np.asarray(unit.operative_procedures)[p.ids], True)
        operated = pa.array(np.bincount(record, operative, minlength=batch.num_rows) > 0)
    way = read_words(batch, "discharge_way")
    columns = {
        "discharge_id": ids_of(batch),
        "hospital_id": read_words(batch, "hospital_id").dictionary_encode(),
        "patient_id": read_words(batch, "patient_id"),
        "group": answers.column(unit.group),
        "family": answers.column(unit.family),
        "priced": _priced(answers, unit),
        "grouped": pc.equal(answers.column("status").dictionary_decode(), "grouped"),
        "severity": answers.column("severity"),
        "diagnosis": pa.DictionaryArray.from_arrays(places, unit.diagnoses),
        "other_diagnoses": pa.array(np.maximum(count - 1, 0)),
        "operated": operated,
        "faulty": pa.array((prepared.findings & _FAULT_MASK) != 0),
        "admitted": pa.array(read_days(one_chunk(batch, "admitted")).values),
        "discharged": pa.array(read_days(one_chunk(batch, "discharged")).values),
        "stay": pa.array(prepared.numbers[:, _STAY]),
        "went_home": pc.is_in(way, value_set=pa.array(["", "1", "医嘱离院"])),
        "died": pc.is_in(way, value_set=pa.array(["5", "死亡"])),
        "yuan": pa.array(np.where(fen.there, fen.values / 100.0, np.nan)),
    }
    return pa.RecordBatch.from_arrays(list(columns.values()), list(columns))


def _priced(answers: pa.RecordBatch, unit: _Unit) -> pa.DictionaryArray:
    """What tells cases of another price: the group, of DIP with its auxiliary level."""
    if len(unit.priced) == 1:
        return answers.column(unit.priced[0])
    texts = [pc.fill_null(answers.column(name).dictionary_decode(), "") for name in unit.priced]
    return pc.binary_join_element_wise(*texts, "|").dictionary_encode()

"""Explain the DIP kind of one discharge: the reference's trace with the verdict of the batch."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from drgsim.language import text, text_of_data
from drgsim.records.input_options import InputOptions
from drgsim.units.dip.catalogue_files import load_catalogue
from drgsim.units.dip.dip_catalogue import Catalogue
from drgsim.units.dip.dip_grouper import DipGrouper
from drgsim.units.dip.dip_narrative import DipExplanation
from drgsim.units.dip.dip_reference import trace_kind
from drgsim.units.dip.dip_trace import DipTrace
from drgsim.units.drg.drg_explanation import read_record


def explain_kind(
    record: Mapping[str, Any],
    catalogue: Catalogue | str | Path,
    options: InputOptions | None = None,
    *,
    strict: bool = False,
) -> DipExplanation:
    """Explain the kind of one discharge; :func:`drgsim.explain` tells what the parameters are.

    Examples
    --------
    >>> record = {"diagnoses": "A41.900", "procedures": "", "sex": 1, "age": 60, "los_days": 9}
    >>> explanation = explain_kind(record, "dip-taian-2025")
    >>> explanation.dip, explanation.status
    ('A41.9', 'grouped')
    """
    loaded = catalogue if isinstance(catalogue, Catalogue) else load_catalogue(catalogue)
    options = options or InputOptions()
    grouper = DipGrouper(loaded, options.code_version)
    read = read_record(record, grouper, loaded.book, options, strict=strict)
    assert read.batch is not None
    cost = float(grouper.costs(read.batch)[0])
    trace = trace_kind(read.discharge, loaded, cost if isfinite(cost) else None)
    return DipExplanation(
        read.answer["discharge_id"],
        read.discharge,
        read.diagnoses,
        read.procedures,
        read.answer["status"],
        read.answer["reason"],
        read.warnings,
        trace,
        _assumptions(loaded),
        _readings(loaded, trace),
        loaded.scored,
    )


def _readings(catalogue: Catalogue, trace: DipTrace) -> tuple[tuple[str, str], ...]:
    """Readings of the text that the answer may rest on: of the stages tried up to it, and of the lists that met the case."""
    topics = dict.fromkeys(stage.stage for stage in trace.stages if any(cell.fits for cell in stage.tried))
    if trace.left_out or trace.not_principal:
        topics = {"excluded_procedures": None, **topics}
    if trace.excluded:
        topics = {"excluded_diagnoses": None}
    if trace.primary_care:
        topics["primary_care"] = None
    return tuple((topic, text_of_data(catalogue.readings[topic])) for topic in topics if topic in catalogue.readings)


def _assumptions(catalogue: Catalogue) -> tuple[str, ...]:
    named = (
        (text("matching 匹配规则"), catalogue.matching.evidence),
        (text("auxiliary lists 辅助目录"), catalogue.auxiliary.evidence),
    )
    found = [what for what, evidence in named if evidence == "assumption"]
    if catalogue.evidence == "assumption":
        found.insert(0, text("kinds and scores 病种与分值"))
    if any(level.evidence == "assumption" for level in catalogue.levels):
        found.append(text("meaning of the levels 辅助分型含义"))
    return tuple(found)

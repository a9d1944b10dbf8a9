"""What a run of grouping came to, as plain values and as a table: statuses, reasons, groups, case mix."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from drgsim.analysis.casemix import case_mix, relative_weights
from drgsim.analysis.kindmix import kind_mix
from drgsim.engines.group_run import GroupRun
from drgsim.errors import Problem
from drgsim.language import text
from drgsim.records.findings import BY_CODE
from drgsim.records.noted_titles import NOTED_TITLES
from drgsim.units.batch_grouper import STATUSES, GroupCounts
from drgsim.units.dip.catalogue_arrays import CompiledCatalogue
from drgsim.units.schemes.scheme_lowering import CompiledScheme
from drgsim.units.schemes.schemes_in_force import undated_scheme


def group_summary(run: GroupRun) -> dict[str, Any]:
    """Counts and figures of a run as plain values."""
    counts = run.counts
    return {
        "scheme": run.scheme.id,
        "scheme_digest": run.scheme.digest,
        "inputs": [str(path) for path in run.inputs],
        "layouts": run.layouts,
        "kept_columns": run.kept_columns,
        "left_out": dict(run.noted),
        "code_conversion": counts.conversion.to_dict() if counts.conversion else None,
        "code_edition": run.edition.to_dict() if run.edition else None,
        "output": str(run.output) if run.output else None,
        "records": counts.records,
        "status": dict(zip(STATUSES, counts.status.tolist(), strict=True)),
        "reasons": dict(counts.reasons.most_common()),
        "warnings": dict(counts.warnings.most_common()),
        **_chosen(run),
        **_figures(run),
        "absent_columns": run.absent,
        "ids_checked": run.ids_checked,
        "ids_complete": run.ids_complete,
    }


def _chosen(run: GroupRun) -> dict[str, Any]:
    """Which scheme grouped how many records, where the date of discharge chose it."""
    if not run.by_date:
        return {}
    return {
        "scheme_by_date": {
            "in_force": run.by_date,
            "records": {scheme.id: counts.records for scheme, counts in run.parts},
            "without_date": run.counts.without_date,
        }
    }


def _figures(run: GroupRun) -> dict[str, Any]:
    """What is said of DRGs or of kinds; of several schemes one by one, since weights and groups of two do not add up."""
    if len(run.parts) == 1:
        return _figures_of(*run.parts[0])
    status = {scheme.id: counts.status.tolist() for scheme, counts in run.parts}
    return {
        "schemes": {
            scheme.id: {"status": dict(zip(STATUSES, status[scheme.id], strict=True)), **_figures_of(scheme, counts)}
            for scheme, counts in run.parts
        }
    }


def _figures_of(scheme: CompiledScheme | CompiledCatalogue, counts: GroupCounts) -> dict[str, Any]:
    if isinstance(scheme, CompiledCatalogue):
        mix = kind_mix(counts, scheme)
        return {
            "kinds": mix.kinds,
            "cases_by_type": mix.by_type,
            "cases_by_auxiliary_list": mix.by_list,
            "points": round(mix.points, 4),
            "mean_score": mix.mean_score,
        }
    groups = case_mix(counts, scheme)
    return {
        "groups": groups.groups,
        "cmi": groups.cmi,
        "cmi_weights": scheme.reference_weights or None,
        "cmi_share_of_cases": groups.weighted_share,
    }


def group_counts(run: GroupRun) -> pa.Table:
    """Cases of every group that occurs, most first.

    Columns: ``drg`` or ``dip``, ``name``, ``cases``, ``share`` of all records; of DRGs also ``weight``, the relative weight of
    the scheme's reference table. Records on both sides of a switch of schemes have ``scheme`` before the others.
    """
    rows = [row for part in run.parts for row in _group_rows(*part, run.counts.records)]
    rows.sort(key=lambda row: (-row["cases"], row["group"], row["scheme"]))
    dip = isinstance(run.scheme, CompiledCatalogue)
    kinds = {"group": pa.string(), "name": pa.string(), "cases": pa.int64(), "share": pa.float64(), "weight": pa.float64()}
    table = pa.Table.from_pylist(rows, pa.schema([("scheme", pa.string()), *kinds.items()]))
    names = ["dip" if dip else "drg", "name", "cases", "share", *([] if dip else ["weight"])]
    table = table.rename_columns(["scheme", "dip" if dip else "drg", *table.column_names[2:]])
    return table.select([*(["scheme"] if len(run.parts) > 1 else []), *names])


def _group_rows(scheme: CompiledScheme | CompiledCatalogue, counts: GroupCounts, records: int) -> list[dict[str, Any]]:
    weights: dict[str, float] = {}
    if isinstance(scheme, CompiledCatalogue):
        codes, names = scheme.lines["code"], scheme.lines["name"]
    else:
        codes, names = scheme.drg_codes, scheme.drg_names
        weights = relative_weights(scheme.reference_weights) if scheme.reference_weights else {}
    cases: dict[str, list[Any]] = {}
    for row in np.flatnonzero(counts.groups):
        held = cases.setdefault(codes[row], [names[row], 0])
        held[1] += int(counts.groups[row])
    return [
        {"scheme": scheme.id, "group": code, "name": name, "cases": n, "share": n / records, "weight": weights.get(code)}
        for code, (name, n) in cases.items()
    ]


def group_notes(run: GroupRun) -> list[Problem]:
    """Records without a plain group and doubts about records, with exact counts; columns that no input has."""
    notes = [
        Problem(
            code,
            text(
                "{number:,} of {records:,} records: {finding}",
                number=number,
                records=run.counts.records,
                finding=BY_CODE[code].title,
            ),
            fix=BY_CODE[code].fix,
        )
        for counted in (run.counts.reasons, run.counts.warnings)
        for code, number in counted.most_common()
    ]
    notes += [
        Problem("left-out", text("{what}: {count:,}", what=NOTED_TITLES.get(name, name), count=count))
        for name, count in run.noted.items()
        if count
    ]
    notes += date_notes(run)
    question = run.edition.question() if run.edition else None
    if question:
        notes.append(question)
    if run.absent:
        what = text("absent columns: {absent}; they count as missing in every record", absent=", ".join(run.absent))
        notes.append(Problem("columns-absent", what, why=text("rules of {scheme} ask for them", scheme=run.scheme.id)))
    if not run.ids_complete:
        notes.append(
            Problem("ids-incomplete", text("duplicate ids were looked for among the first ids only"), why=text("memory bound"))
        )
    return notes


def date_notes(run: GroupRun) -> list[Problem]:
    """Records without a date of discharge, and that a file holds records of more than one scheme."""
    notes = []
    missing, records = run.counts.without_date, run.counts.records
    if run.by_date and missing:
        what = text(
            "{missing:,} of {records:,} records have no date of discharge: grouped by {scheme}",
            missing=missing,
            records=records,
            scheme=undated_scheme(),
        )
        why = text("the date of discharge chooses the scheme ({by_date})", by_date=run.by_date)
        notes.append(
            Problem("scheme-without-date", what, why=why, fix=text("map the column of dates, or name a scheme with --scheme"))
        )
    if len(run.parts) > 1:
        counted = ", ".join(f"{scheme.id} {counts.records:,}" for scheme, counts in run.parts)
        what = text("the records are grouped by more than one scheme: {counts}", counts=counted)
        why = text(
            "the date of discharge chooses the scheme ({by_date}); a code may mean another group in each", by_date=run.by_date
        )
        notes.append(
            Problem("scheme-by-date", what, why=why, fix=text("the column scheme says which; --scheme ID groups all by one"))
        )
    return notes

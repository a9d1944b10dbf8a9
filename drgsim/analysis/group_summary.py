"""What a run of grouping came to, as plain values and as a table: statuses, reasons, groups, case mix."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from drgsim.analysis.casemix import case_mix, relative_weights
from drgsim.analysis.kindmix import kind_mix
from drgsim.engines.group_run import GroupRun
from drgsim.errors import Problem
from drgsim.records.findings import BY_CODE
from drgsim.units.batch_grouper import STATUSES
from drgsim.units.dip.catalogue_arrays import CompiledCatalogue


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
        **_figures(run),
        "absent_columns": run.absent,
        "ids_checked": run.ids_checked,
        "ids_complete": run.ids_complete,
    }


def _figures(run: GroupRun) -> dict[str, Any]:
    """What is said of DRGs or of kinds."""
    if isinstance(run.scheme, CompiledCatalogue):
        mix = kind_mix(run.counts, run.scheme)
        return {
            "kinds": mix.kinds,
            "cases_by_type": mix.by_type,
            "cases_by_auxiliary_list": mix.by_list,
            "points": round(mix.points, 4),
            "mean_score": mix.mean_score,
        }
    groups = case_mix(run.counts, run.scheme)
    return {
        "groups": groups.groups,
        "cmi": groups.cmi,
        "cmi_weights": run.scheme.reference_weights or None,
        "cmi_share_of_cases": groups.weighted_share,
    }


def group_counts(run: GroupRun) -> pa.Table:
    """Cases of every group that occurs, most first.

    Columns: ``drg`` or ``dip``, ``name``, ``cases``, ``share`` of all records; of DRGs also ``weight``, the relative weight of
    the scheme's reference table.
    """
    weights: dict[str, float] = {}
    if isinstance(run.scheme, CompiledCatalogue):
        key, codes, names = "dip", run.scheme.lines["code"], run.scheme.lines["name"]
    else:
        key, codes, names = "drg", run.scheme.drg_codes, run.scheme.drg_names
        weights = relative_weights(run.scheme.reference_weights) if run.scheme.reference_weights else {}
    cases: dict[str, list[Any]] = {}
    for row in np.flatnonzero(run.counts.groups):
        held = cases.setdefault(codes[row], [names[row], 0])
        held[1] += int(run.counts.groups[row])
    ordered = sorted(cases.items(), key=lambda item: (-item[1][1], item[0]))
    rows = [
        {key: code, "name": name, "cases": n, "share": n / run.counts.records, "weight": weights.get(code)}
        for code, (name, n) in ordered
    ]
    kinds = {key: pa.string(), "name": pa.string(), "cases": pa.int64(), "share": pa.float64()}
    if key == "drg":
        kinds["weight"] = pa.float64()
    return pa.Table.from_pylist(rows, pa.schema(list(kinds.items())))


def group_notes(run: GroupRun) -> list[Problem]:
    """Records without a plain group and doubts about records, with exact counts; columns that no input has."""
    notes = [
        Problem(code, f"{number:,} of {run.counts.records:,} records: {BY_CODE[code].title}", fix=BY_CODE[code].fix)
        for counted in (run.counts.reasons, run.counts.warnings)
        for code, number in counted.most_common()
    ]
    notes += [Problem("left-out", f"{name.replace('_', ' ')}: {count:,}") for name, count in run.noted.items() if count]
    question = run.edition.question() if run.edition else None
    if question:
        notes.append(question)
    if run.absent:
        what = f"absent columns: {', '.join(run.absent)}; they count as missing in every record"
        notes.append(Problem("columns-absent", what, why=f"rules of {run.scheme.id} ask for them"))
    if not run.ids_complete:
        notes.append(Problem("ids-incomplete", "duplicate ids were looked for among the first ids only", why="memory bound"))
    return notes

"""Write DIP catalogues: a folder with ``scheme.toml`` and ``kinds.csv``, and the tables that it needs beside them.

The format is described in ``docs/dip-catalogues.md``; what is written is what reads back.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from drgsim.authoring.schemes.pack_files import toml_text, write_pack
from drgsim.leftovers import scratch_folder
from drgsim.records.arrow import number_text
from drgsim.results.table_files import csv_text
from drgsim.units.dip.catalogue_files import catalogue_digest, classes_file
from drgsim.units.dip.catalogue_reader import CatalogueReader
from drgsim.units.dip.dip_catalogue import (
    CLASS_COLUMNS,
    KIND_COLUMNS,
    LEVEL_COLUMNS,
    LINE_COLUMNS,
    MEAN_COLUMNS,
    SET_COLUMNS,
    Catalogue,
    Kind,
    Level,
)
from drgsim.units.dip.excluded_codes import CONSERVATIVE, EXCLUDED_COLUMNS, NEVER_PRINCIPAL, ONLY_WITH, ExcludedCodes
from drgsim.units.dip.primary_care import PRIMARY_CARE_COLUMNS, PrimaryCareLine
from drgsim.units.schemes.rule_language import print_rule


def catalogue_files(
    settings: Mapping[str, Any],
    kinds: Iterable[Kind],
    levels: Iterable[Level] = (),
    sets: Mapping[str, Sequence[str]] | None = None,
    classes: Iterable[tuple[str, str]] | None = None,
    excluded: ExcludedCodes | None = None,
    primary_care: Sequence[PrimaryCareLine] = (),
) -> dict[str, str]:
    """The files of a catalogue as texts: file name -> content.

    Parameters
    ----------
    settings
        Values of ``scheme.toml``; ``kind = "dip"`` and the counts by type are added.
    kinds
        Lines of ``kinds.csv``, written in this order.
    levels
        Levels of the auxiliary lists that ``kinds`` use, in their order.
    sets
        Code lists that conditions name: name -> codes or patterns of codes, written in this order.
    classes
        Operation classes of procedures: pattern and class; None leaves them to the shared table.
    excluded
        Codes that may not be principal, or do not count.
    primary_care
        Diagnosis and procedures of cases with one price in all hospitals.
    """
    lines = list(kinds)
    by_code = {kind.code: kind.kind for kind in lines}
    placed = LINE_COLUMNS if any(kind.anywhere or kind.condition for kind in lines) else ()
    means = MEAN_COLUMNS if any(kind.level_means for kind in lines) else ()
    counts = {name: sum(kind == name for kind in by_code.values()) for name in dict.fromkeys(by_code.values())}
    toml = {"id": settings.get("id", ""), "kind": "dip", **{key: value for key, value in settings.items() if key != "kind"}}
    files = {
        "scheme.toml": toml_text({**toml, "counts": counts}),
        "kinds.csv": csv_text(
            (*KIND_COLUMNS, *placed, *means), (_row(kind, len(means), placed=bool(placed)) for kind in lines)
        ),
    }
    rows = [(one.aux, one.level, one.title, one.title_zh, print_rule(one.condition), one.evidence) for one in levels]
    if rows:
        files["auxiliary.csv"] = csv_text(LEVEL_COLUMNS, rows)
    if sets:
        files["sets.csv"] = csv_text(SET_COLUMNS, [(name, code) for name, codes in sets.items() for code in codes])
    if classes is not None:
        files["operation_classes.csv"] = csv_text(CLASS_COLUMNS, list(classes))
    if excluded:
        files["excluded_codes.csv"] = csv_text(EXCLUDED_COLUMNS, _excluded_rows(excluded))
    if primary_care:
        care = [(line.dx, "|".join(line.procedures), line.dx_name, line.procedure_name) for line in primary_care]
        files["primary_care.csv"] = csv_text(PRIMARY_CARE_COLUMNS, care)
    return files


def _excluded_rows(excluded: ExcludedCodes) -> list[tuple[str, ...]]:
    """Lines of ``excluded_codes.csv``, by code within diagnoses and procedures."""
    uses = dict.fromkeys(excluded.conservative, (CONSERVATIVE, ""))
    uses |= dict.fromkeys(excluded.never_principal, (NEVER_PRINCIPAL, ""))
    uses |= {code: (ONLY_WITH, "|".join(patterns)) for code, patterns in excluded.only_with.items()}
    rows: list[tuple[str, ...]] = [("diagnosis", code, NEVER_PRINCIPAL, "") for code in sorted(excluded.diagnoses)]
    return rows + [("procedure", code, use, scope) for code, (use, scope) in sorted(uses.items())]


def _row(kind: Kind, levels: int, *, placed: bool) -> list[str]:
    def number(value: float | int | None) -> str:
        return "" if value is None else number_text(float(value))

    return [
        kind.code, kind.dx, kind.procedure, "+".join(kind.related), kind.operation_class, kind.aux, kind.aux_level, kind.kind,
        number(kind.score), number(kind.mean_cost), number(kind.cases), number(kind.cv), kind.dx_name, kind.procedure_name,
        *(("any" if kind.anywhere else "", kind.condition) if placed else ()),
        *(number(mean) for mean in (kind.level_means or (None,) * levels)),
    ]  # fmt: skip


def write_catalogue(folder: str | Path, files: Mapping[str, str], *, replace: bool = False) -> Catalogue:
    """Check the files of a catalogue and write them into a folder that appears whole or not at all.

    Parameters
    ----------
    folder
        The new folder.
    files
        As :func:`catalogue_files` gives them; the same values give the same bytes.
    replace
        Whether a catalogue that is there already gives way.

    Returns
    -------
    Catalogue
        What was written, as it reads.

    Raises
    ------
    SchemeError
        With every problem of the files; nothing is written then.
    OutputError
        The folder is there already or cannot be written.
    """
    target = Path(folder).absolute()
    with scratch_folder() as beside:
        trial = Path(beside) / target.name
        write_pack(trial, files)
        catalogue = CatalogueReader(trial, catalogue_digest(trial), classes_file(trial)).catalogue()
    return dataclasses.replace(catalogue, folder=write_pack(target, files, replace=replace))

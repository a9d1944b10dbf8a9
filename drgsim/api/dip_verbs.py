"""DIP catalogues (病种目录库): report on one, compare two, supervise by one; specifications of how they are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from drgsim.analysis.supervision import supervise as make_lists
from drgsim.analysis.supervision_limits import supervision_settings
from drgsim.api.argument_check import checked, number
from drgsim.api.dip_results import CatalogueChanges, CatalogueTables, Specifications, SupervisionLists
from drgsim.api.given_records import given
from drgsim.api.scheme_verbs import TEXT, WHOLE, as_table
from drgsim.authoring.dip.catalogue_differences import compare_catalogues
from drgsim.authoring.dip.dip_spec import load_spec, spec_names
from drgsim.engines.file_to_file import Progress
from drgsim.records.input_options import InputOptions
from drgsim.report.catalogue_report import (
    REPORT_FILES,
    read_report,
    write_report,
)
from drgsim.report.supervision_workbook import write_supervision
from drgsim.results.whole_outputs import check_folder
from drgsim.units.dip.catalogue_files import load_catalogue

CORE_RULES = ("threshold", "province", "coverage")


@checked()
def dip_report(
    catalogue: str | Path, output: str | Path | None = None, *, compare: str | Path | None = None
) -> CatalogueTables:
    """Report on a catalogue: sizes, coverage, CV, largest kinds; page and workbook. 目录报告

    Parameters
    ----------
    catalogue
        Catalogue: id, or folder of one that was built.
    output
        Folder for page, workbook and tables.
    compare
        Last year's catalogue, for the changes: id or folder.

    Returns
    -------
    CatalogueTables
        ``kinds``, and ``changes`` where there is a catalogue to compare with.

    Raises
    ------
    SchemeError
        ``scheme-unknown``, or what is wrong with the catalogue.
    OutputError
        ``output-holds-more``.

    Examples
    --------
    >>> import drgsim
    >>> drgsim.dip_report("dip-taian-2025").to_arrow("kinds").num_rows
    9114
    """
    loaded = load_catalogue(catalogue)
    if output is not None:
        check_folder(Path(output), own=REPORT_FILES)
    document = read_report(loaded, compare_catalogues(load_catalogue(compare), loaded) if compare else None)
    if output is not None:
        write_report(document, Path(output))
    return CatalogueTables(document)


@checked(least=number(0))
def dip_diff(old: str | Path, new: str | Path, *, output: str | Path | None = None, least: float = 0.0) -> CatalogueChanges:
    """Compare two catalogues: kinds that came, went, split or merged, scores that moved. 目录比较

    Parameters
    ----------
    old, new
        Catalogues: id, or folder of one that was built.
    output
        Folder for table, page and workbook.
    least
        Smallest relative change of a score that counts, 0 or more.

    Returns
    -------
    CatalogueChanges
        ``changes``: kinds that are not the same in both, the most important first.

    Raises
    ------
    SchemeError
        ``scheme-unknown``, or what is wrong with a catalogue.
    OutputError
        ``output-holds-more``.

    Examples
    --------
    >>> import drgsim
    >>> drgsim.dip_diff("dip-taian-2025", "dip-taian-2025").to_arrow().num_rows
    0
    """
    found = compare_catalogues(load_catalogue(old), load_catalogue(new), least)
    if output is not None:
        check_folder(Path(output), own=REPORT_FILES)
        write_report(read_report(found.new, found), Path(output))
    return CatalogueChanges(found)


@checked()
def dip_supervise(
    records: Any,
    scheme: str | Path,
    *,
    output: str | Path | None = None,
    changes: Mapping[str, Any] | None = None,
    reading: InputOptions | None = None,
    progress: Progress | None = None,
) -> SupervisionLists:
    """List per hospital what supervision looks at: coding, repeat, low-standard, long stays, deaths. 监管辅助目录

    Parameters
    ----------
    records
        Discharges with hospital, patient, dates, way of discharge, cost (yuan) and stay (days): what :func:`drgsim.read`
        takes, or what it returned.
    scheme
        DIP catalogue: id or folder.
    output
        Folder for hospitals.csv, cases.csv, a workbook and the record.
    changes
        Name of a limit -> new value, such as ``{"repeat_within_days": 30}``; all limits are assumptions.
    reading
        Layout, own columns and edition of the codes, as :class:`drgsim.InputOptions` says them.
    progress
        Called after every batch with the share done (0 to 1) and the number of records.

    Returns
    -------
    SupervisionLists
        ``hospitals``: cases, coding quality index, cases and share of each list, deaths found over expected; ``cases``: the
        discharges on a list with the figures that put them there.

    Raises
    ------
    InputError
        ``supervision-missing-column``, in any file: all of them at once.
    UsageError
        Limits that do not exist or make no sense.

    Examples
    --------
    >>> import drgsim
    >>> cases = drgsim.sample_path("region/discharges-2026.parquet")
    >>> drgsim.dip_supervise(cases, "dip-taian-2025").to_arrow("hospitals").num_rows
    12
    """
    limits = supervision_settings(changes or {})
    inputs, options = given(records, reading)
    found = make_lists(inputs, scheme, settings=limits, options=options, progress=progress)
    if output is not None:
        write_supervision(found, Path(output))
    return SupervisionLists(found)


@checked()
def dip_specs(spec: str | Path | None = None) -> Specifications:
    """List the specifications, or show one with the evidence of every parameter. 技术规范

    Parameters
    ----------
    spec
        Specification to show; all are listed without one.

    Returns
    -------
    Specifications
        ``specs``: ``id``, ``title``, ``assumptions``, ``parameters``; or ``parameters``: ``path``, ``value`` (as text),
        ``unit``, ``source``, ``evidence`` (official, secondary, derived or assumption), ``note``.

    Raises
    ------
    UsageError
        ``spec-unknown``, or what is wrong with a file.

    Examples
    --------
    >>> import drgsim
    >>> drgsim.dip_specs().to_arrow()["id"].to_pylist()
    ['dip-1.0', 'dip-2.0', 'dip-3.0', 'dip-3.0-draft']
    """
    if spec is None:
        listed = [load_spec(name) for name in spec_names()]
        rows = [
            {
                "id": each.file.id,
                "title": each.file.title,
                "assumptions": len(each.assumptions),
                "parameters": len(each.parameters),
            }
            for each in listed
        ]
        table = as_table(rows, id=TEXT, title=TEXT, assumptions=WHOLE, parameters=WHOLE)
        return Specifications({"specs": table}, listed)
    loaded = load_spec(spec)
    parameters = [asdict(p) | {"value": str(p.value), "evidence": str(p.evidence)} for p in loaded.parameters]
    table = as_table(parameters, path=TEXT, value=TEXT, unit=TEXT, source=TEXT, evidence=TEXT, note=TEXT)
    return Specifications({"parameters": table}, [loaded])

"""DIP catalogues (病种目录库): build one from history, report on it, compare two, supervise by one; their specifications."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from numbers import Real
from pathlib import Path
from typing import Any

from drgsim.analysis.dip_limits import supervision_settings
from drgsim.analysis.dip_supervision import supervise as make_lists
from drgsim.api.argument_check import YEAR_WEIGHTS, ArgumentKind, checked, number, whole
from drgsim.api.dip_results import CatalogueChanges, CatalogueTables, Specifications, SupervisionLists
from drgsim.api.given_records import given
from drgsim.api.scheme_verbs import TEXT, WHOLE, as_table
from drgsim.api.verb_inputs import Inputs, Tabular
from drgsim.authoring.dip.catalogue_building import METHODS, build
from drgsim.authoring.dip.catalogue_differences import compare_catalogues
from drgsim.authoring.dip.catalogue_evaluation import evaluate as evaluated
from drgsim.authoring.dip.catalogue_evaluation import plain_list
from drgsim.authoring.dip.catalogue_evaluation import stability as stable
from drgsim.authoring.dip.dip_history import read_history
from drgsim.authoring.dip.dip_spec import load_spec, spec_names
from drgsim.engines.file_to_file import Progress
from drgsim.errors import Problem, UsageError, did_you_mean
from drgsim.records.input_options import InputOptions
from drgsim.region.hospital_list import Hospital
from drgsim.report.catalogue_report import (
    REPORT_FILES,
    Judgement,
    check_target,
    read_report,
    write_build,
    write_report,
)
from drgsim.report.supervision_workbook import write_supervision
from drgsim.results.whole_outputs import check_folder
from drgsim.units.dip.catalogue_files import load_catalogue

CORE_RULES = ("threshold", "province", "coverage")


@checked(core=ArgumentKind("a word or a number", (str, Real)), years=YEAR_WEIGHTS, stability=whole(0, 50))
def dip_build(
    history: Any,
    output: str | Path,
    *,
    spec: str | Path = "dip-2.0",
    method: str = "list",
    core: str | float | None = None,
    years: str | Sequence[float] | None = None,
    changes: Mapping[str, Any] | None = None,
    title: str = "Catalogue built from history",
    title_zh: str = "由历史数据编制的病种目录库",
    compare: str | Path | None = None,
    evaluate: bool = True,
    stability: int = 0,
    hospitals: Tabular | Mapping[str, Hospital] | None = None,
    reading: InputOptions | None = None,
    progress: Progress | None = None,
    step: Callable[[str], None] | None = None,
) -> CatalogueTables:
    """Build a catalogue of kinds and scores from history. 编制病种目录

    Parameters
    ----------
    history
        Discharges of several years with ``total_cost`` (yuan): what :func:`drgsim.read` takes, or what it returned.
    output
        Folder of the catalogue, with its report in ``report/``; an earlier build is replaced.
    spec
        Specification: ``dip-1.0``, ``dip-2.0``, ``dip-3.0-draft`` or a .yaml file.
    method
        ``list``: the rules alone; ``cluster``: historical cost decides open cases.
    core
        Core kinds by ``threshold``, ``province`` or ``coverage``; or cases a year. As the specification says by default.
    years
        Weights of the years from the oldest on, such as ``"1:2:7"`` or ``(1, 2, 7)``.
    changes
        Path of the specification -> new value.
    title, title_zh
        Titles of the catalogue.
    compare
        Last year's catalogue, for the changes: id or folder.
    evaluate
        Judge the catalogue: RIV and CV beside DRG, prediction of one half from the other.
    stability
        Samples for the adjusted Rand index, 0 (none) to 50.
    hospitals
        ``hospital_id, level``, for means by level: a file, a table, or a mapping by hospital.
    reading
        Layout, own columns and edition of the codes, as :class:`drgsim.InputOptions` says them.
    progress
        Called after every batch that is read with the share done (0 to 1) and the number of records.
    step
        Called with the name of every step.

    Returns
    -------
    CatalogueTables
        ``kinds`` with scores, ``explained``, ``prediction``, ``changes``; ``catalogue`` goes to :func:`drgsim.group`.

    Raises
    ------
    UsageError
        ``dip-unknown-method``, ``dip-bad-core``, ``dip-bad-years``, or what the specification does not know.
    InputError
        A file cannot be read, no discharge has a cost, or the years are not those that the specification weighs.
    OutputError
        ``output-exists`` and ``output-holds-more``.

    Notes
    -----
    Score of a kind = mean cost of the kind / mean cost of all discharges x 1,000 or what the specification says
    (docs/dip-build.md, rule book 3.1).

    Examples
    --------
    >>> import drgsim, tempfile
    >>> files = sorted(drgsim.sample_path().glob("discharges-*.parquet"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     built = drgsim.dip_build(files, folder + "/mine", core=60, evaluate=False)
    >>> built.catalogue.id, built.to_arrow("kinds").num_rows == sum(built.catalogue.counts.values())
    ('mine', True)
    """
    if method not in METHODS:
        raise _refused("dip-unknown-method", f"--method {method!r} is not one of {', '.join(METHODS)}", method, METHODS)
    chosen = load_spec(spec).changed(_changes(core, years, changes))
    before = load_catalogue(compare) if compare else None
    folder = Path(output)
    check_target(folder)
    known = Inputs().hospitals(hospitals)
    levels = None if known is None else {name: hospital.level for name, hospital in known.items()}
    inputs, options = given(history, reading)
    past = read_history(inputs, chosen, hospitals=levels, options=options, progress=progress)
    built = build(past, chosen, method=method, step=step)
    if step:
        step("evaluate 评价")
    judged = Judgement(
        evaluated(built) if evaluate else None,
        stable(built, stability) if stability else None,
        plain_list(built, stability) if evaluate and method == "cluster" else None,
    )
    document = write_build(built, folder, title=title, title_zh=title_zh, diff_with=before, judged=judged)
    return CatalogueTables(document, built)


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
    ['dip-1.0', 'dip-2.0', 'dip-3.0-draft']
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


def _changes(
    core: str | float | None, years: str | Sequence[float] | None, changes: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Changes of a specification: what the short options say, then what is changed by path."""
    made: dict[str, Any] = {}
    if core in CORE_RULES:
        made["core.rule"] = core
    elif core is not None:
        try:
            made |= {"core.rule": "threshold", "core.minimum_cases": float(core)}
        except ValueError:
            what = f"--core {core!r} is neither a number of cases nor one of {', '.join(CORE_RULES)}"
            raise _refused("dip-bad-core", what, str(core), CORE_RULES) from None
    if years is not None:
        try:
            made["history.year_weights"] = [float(part) for part in (years.split(":") if isinstance(years, str) else years)]
        except ValueError:
            raise _refused("dip-bad-years", f"--years {years!r} is not like 1:2:7", "", ()) from None
    return made | dict(changes or {})


def _refused(code: str, what: str, word: str, known: Sequence[str]) -> UsageError:
    return UsageError([Problem(code, what, fix=did_you_mean(word, known) if known else "")])

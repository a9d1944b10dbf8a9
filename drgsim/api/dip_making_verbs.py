"""DIP catalogues (病种目录库) from history: kinds and scores of a region's own, or scores for the kinds of a published one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Any

from drgsim.api.argument_check import YEAR_WEIGHTS, ArgumentKind, checked, whole
from drgsim.api.dip_results import CatalogueTables
from drgsim.api.given_records import given
from drgsim.api.verb_inputs import Inputs, Tabular
from drgsim.authoring.dip.catalogue_building import METHODS, build
from drgsim.authoring.dip.catalogue_evaluation import evaluate as evaluated
from drgsim.authoring.dip.catalogue_evaluation import plain_list
from drgsim.authoring.dip.catalogue_evaluation import stability as stable
from drgsim.authoring.dip.catalogue_scoring import score_catalogue
from drgsim.authoring.dip.dip_history import DipHistory, read_history
from drgsim.authoring.dip.dip_spec import DipSpec, load_spec
from drgsim.engines.file_to_file import Progress
from drgsim.errors import Problem, UsageError, did_you_mean
from drgsim.language import text
from drgsim.records.input_options import InputOptions
from drgsim.region.hospital_list import Hospital
from drgsim.report.catalogue_report import Judgement, check_target, write_build
from drgsim.units.dip.catalogue_files import load_catalogue
from drgsim.units.dip.dip_catalogue import Catalogue

CORE_RULES = ("threshold", "province", "coverage")


@checked(core=ArgumentKind(text("a word or a number"), (str, Real)), years=YEAR_WEIGHTS, stability=whole(0, 50))
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
        Specification: ``dip-1.0``, ``dip-2.0``, ``dip-3.0``, ``dip-3.0-draft`` or a .yaml file.
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
        raise _refused(
            "dip-unknown-method",
            text("--method {method!r} is not one of {methods}", method=method, methods=", ".join(METHODS)),
            method,
            METHODS,
        )
    chosen = load_spec(spec).changed(_changes(core, years, changes))
    before = load_catalogue(compare) if compare else None
    folder = Path(output)
    check_target(folder)
    past = _read(history, chosen, hospitals, reading, progress)
    built = build(past, chosen, method=method, step=step)
    if step:
        step(text("evaluate"))
    judged = Judgement(
        evaluated(built) if evaluate else None,
        stable(built, stability) if stability else None,
        plain_list(built, stability) if evaluate and method == "cluster" else None,
    )
    document = write_build(built, folder, title=title, title_zh=title_zh, diff_with=before, judged=judged)
    return CatalogueTables(document, built)


@checked(core=ArgumentKind(text("a word or a number"), (str, Real)), years=YEAR_WEIGHTS)
def dip_score(
    history: Any,
    output: str | Path,
    *,
    catalogue: str | Path = "dip-3.0",
    spec: str | Path = "dip-3.0",
    core: str | float | None = None,
    years: str | Sequence[float] | None = None,
    changes: Mapping[str, Any] | None = None,
    title: str = "Catalogue with scores from history",
    title_zh: str = "以本地历史数据测算分值的病种目录库",
    compare: str | Path | None = None,
    hospitals: Tabular | Mapping[str, Hospital] | None = None,
    reading: InputOptions | None = None,
    progress: Progress | None = None,
    step: Callable[[str], None] | None = None,
) -> CatalogueTables:
    """Score the kinds of a published catalogue from a region's own history. 本地分值测算

    Parameters
    ----------
    history
        Discharges of several years with ``total_cost`` (yuan): what :func:`drgsim.read` takes, or what it returned.
    output
        Folder of the catalogue, with its report in ``report/``; an earlier one is replaced.
    catalogue
        Catalogue whose kinds are scored: ``dip-3.0``, or the folder of one.
    spec
        Specification of years, trimming, thresholds, score and auxiliary lists.
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
        ``kinds`` with scores, ``changes``; ``catalogue`` goes to :func:`drgsim.group`.

    Raises
    ------
    SchemeError
        ``scheme-unknown``, or what is wrong with the catalogue.
    UsageError
        ``dip-bad-core``, ``dip-bad-years``, or what the specification does not know.
    InputError
        A file cannot be read, no discharge has a cost, or the years are not those that the specification weighs.
    OutputError
        ``output-exists`` and ``output-holds-more``.

    Notes
    -----
    Score of a kind = mean cost of the kind / mean cost of all discharges that the catalogue groups x 1,000 or what the
    specification says (docs/dip-build.md). Kinds with too few cases give theirs to shorter or comprehensive kinds.

    Examples
    --------
    >>> import drgsim, tempfile
    >>> files = sorted(drgsim.sample_path().glob("discharges-*.parquet"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     scored = drgsim.dip_score(files, folder + "/mine", core=20)
    >>> scored.catalogue.id, scored.catalogue.scored
    ('mine', True)
    """
    published = load_catalogue(catalogue)
    chosen = load_spec(spec).changed(_changes(core, years, changes))
    before = load_catalogue(compare) if compare else None
    folder = Path(output)
    check_target(folder)
    past = _read(history, chosen, hospitals, reading, progress, published)
    built = score_catalogue(past, published, chosen, step)
    document = write_build(built, folder, title=title, title_zh=title_zh, diff_with=before, published=published)
    return CatalogueTables(document, built)


def _read(
    history: Any,
    spec: DipSpec,
    hospitals: Tabular | Mapping[str, Hospital] | None,
    reading: InputOptions | None,
    progress: Progress | None,
    published: Catalogue | None = None,
) -> DipHistory:
    """The discharges of a history by the years of a specification, and by the kinds of a published catalogue if any."""
    known = Inputs().hospitals(hospitals)
    levels = None if known is None else {name: hospital.level for name, hospital in known.items()}
    inputs, options = given(history, reading)
    return read_history(inputs, spec, hospitals=levels, catalogue=published, options=options, progress=progress)


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
            what = text(
                "--core {core!r} is neither a number of cases nor one of {core_rules}",
                core=core,
                core_rules=", ".join(CORE_RULES),
            )
            raise _refused("dip-bad-core", what, str(core), CORE_RULES) from None
    if years is not None:
        try:
            made["history.year_weights"] = [float(part) for part in (years.split(":") if isinstance(years, str) else years)]
        except ValueError:
            raise _refused("dip-bad-years", text("--years {years!r} is not like 1:2:7", years=years), "", ()) from None
    return made | dict(changes or {})


def _refused(code: str, what: str, word: str, known: Sequence[str]) -> UsageError:
    return UsageError([Problem(code, what, fix=did_you_mean(word, known) if known else "")])

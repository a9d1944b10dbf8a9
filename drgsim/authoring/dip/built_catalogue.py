"""A catalogue that was built, as the files of a catalogue and as tables for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from drgsim.authoring.dip.auxiliary_styles import FIRST
from drgsim.authoring.dip.catalogue_building import Built
from drgsim.authoring.dip.catalogue_writer import catalogue_files
from drgsim.authoring.dip.dip_history import left_out_words
from drgsim.authoring.dip.kind_structure import KindMembers, diagnosis_names
from drgsim.authoring.dip.level_means import level_means
from drgsim.authoring.dip.rare_combinations import BLANK
from drgsim.language import in_both_languages, in_original, text
from drgsim.units.dip.dip_catalogue import SET_COLUMNS, Catalogue, Kind, Level
from drgsim.units.schemes.pack_tables import read_table
from drgsim.units.schemes.rule_language import sets_of

CV_DIGITS, MONEY_DIGITS = 6, 2
_REST = ("comprehensive", "chapter", "blank")
_COMPREHENSIVE = (
    "what has no core kind goes by category and property of the principal procedure where the history has enough cases, else "
    "to the conservative kind of its category, then to chapter and property, then to the blank group (KBBZ)"
)


class Names(NamedTuple):
    """Chinese names by code."""

    diagnoses: Mapping[str, str]
    procedures: Mapping[str, str]

    @classmethod
    def of(cls, built: Built) -> Names:
        """Names of the codes of a history."""
        book = built.history.book
        return cls(diagnosis_names(book), dict(zip(book.procedures.codes, book.procedures.names, strict=True)))


def kind_lines(built: Built) -> list[Kind]:
    """Lines of ``kinds.csv`` in the order in which equally good ones are tried; kinds without a kept case are left out."""
    lines: list[Kind] = []
    names = Names.of(built)
    by_kind: dict[int, list[int]] = {}
    for number, split in enumerate(built.splits):
        by_kind.setdefault(split.kind, []).append(number)
    means = level_means(built)
    if np.isnan(means).all():
        means = means[:, :0]
    for place, entry in enumerate(built.entries):
        if not built.measured.totals.cases[place].sum():
            continue
        own = [replace(line, level_means=_all_rounded(means[place])) for line in _lines_of(built, place, entry, names)]
        lines += own
        for number in by_kind.get(place, ()):
            split = built.splits[number]
            lines += [
                replace(
                    line, code=f"{entry.code}_{split.aux}{split.level}", aux=split.aux, aux_level=split.level,
                    score=built.split_score(split), mean_cost=_rounded(built.measured.mean[place] * split.coefficient, 2),
                    cases=split.cases, cv=_rounded(split.cv, CV_DIGITS),
                    level_means=_all_rounded(means[len(built.entries) + number]),
                )
                for line in own
            ]  # fmt: skip
    return lines


def _lines_of(built: Built, place: int, entry: KindMembers, names: Names) -> list[Kind]:
    measured = built.measured
    common = Kind(
        entry.code, kind=entry.kind, score=None if entry.kind == "blank" else float(built.score[place]),
        mean_cost=_rounded(measured.mean[place], MONEY_DIGITS), cases=int(measured.cases[place]),
        cv=_rounded(measured.cv[place], CV_DIGITS),
    )  # fmt: skip
    if entry.kind == "first":
        common = replace(common, aux=FIRST, aux_level=entry.code)
    if entry.published:
        values = {name: getattr(common, name) for name in ("score", "mean_cost", "cases", "cv")}
        return [replace(line, **values) for line in entry.published]
    return [
        replace(
            common, dx=line.dx, procedure=line.procedure, related=line.related, operation_class=line.operation_class,
            dx_name=names.diagnoses.get(line.dx, ""),
            procedure_name="+".join(names.procedures[code] for code in (line.procedure, *line.related) if code),
        )
        for line in entry.lines
    ]  # fmt: skip


def _rounded(value: float, digits: int) -> float | None:
    return None if np.isnan(value) else round(float(value), digits)


def _all_rounded(values: np.ndarray) -> tuple[float | None, ...]:
    return tuple(_rounded(value, MONEY_DIGITS) for value in values.tolist())


def built_files(built: Built, *, id: str, title: str, title_zh: str) -> dict[str, str]:
    """The files of the catalogue: file name -> text, for :func:`drgsim.units.dip.catalogue_files.write_catalogue`."""
    lines = kind_lines(built)
    levels, sets = _used_levels(built, lines)
    spec, years = built.spec.file, built.history.years
    settings: dict[str, Any] = {
        "id": id, "title": title, "title_zh": title_zh, "edition": f"{years[0]}-{years[-1]}", "icd10": "医保版2.0",
        "icd9cm3": "医保版2.0", "evidence": "derived",
        **in_both_languages("sources", [_built_from(built)]),
        **in_both_languages("notes", remarks(built)),
        "matching": {
            "principal_procedure": "principal_place", "related": "all_done", "ties": ["principal_procedure_first"],
            "simple_procedures": "excluded_codes" if built.history.excluded else "conservative_class",
            "comprehensive_class": "principal_procedure", "comprehensive_rest": "none",
            "blank": "" if any(line.kind == "blank" for line in lines) else BLANK, "evidence": "assumption",
            "source": "as the catalogue was built",
        },
        "auxiliary": {
            "severity_lists": spec.severity_scheme.value, "several": "highest_score", "evidence": "assumption",
            "source": built.lists.source,
        },
    }  # fmt: skip
    return catalogue_files(settings, lines, levels, sets, None, built.history.excluded)


def scored_files(built: Built, catalogue: Catalogue, *, id: str, title: str, title_zh: str) -> dict[str, str]:
    """The files of a catalogue whose kinds have the region's own scores; it is matched as the published one is."""
    lines = kind_lines(built)
    levels, sets = _used_levels(built, lines)
    years = built.history.years
    file = catalogue.folder / "sets.csv"
    published: dict[str, list[str]] = {}
    for name, code in read_table(file, SET_COLUMNS, SET_COLUMNS, []) if file.is_file() else ():
        published.setdefault(name, []).append(code)
    settings: dict[str, Any] = {
        "id": id, "title": title, "title_zh": title_zh, "edition": f"{years[0]}-{years[-1]}", "icd10": catalogue.icd10,
        "icd9cm3": catalogue.icd9cm3, "evidence": "derived",
        **in_both_languages("sources", [_scored_from(built, catalogue), *catalogue.sources]),
        **in_both_languages("notes", remarks(built)),
        "readings": {**catalogue.readings, "comprehensive": _COMPREHENSIVE},
        "matching": {
            **{name: list(value) if isinstance(value, tuple) else value for name, value in vars(catalogue.matching).items()},
            "order": [*(stage for stage in catalogue.matching.order if stage not in _REST), *_REST],
            "comprehensive_kinds": "listed", "blank": BLANK,
        },
        "auxiliary": {
            **vars(catalogue.auxiliary), "severity_lists": built.spec.file.severity_scheme.value,
            "source": built.lists.source if levels else catalogue.auxiliary.source,
        },
    }  # fmt: skip
    levels = (*catalogue.levels, *levels)
    return catalogue_files(settings, lines, levels, {**published, **sets}, None, catalogue.excluded, catalogue.primary_care)


def _built_from(built: Built) -> str:
    years = built.history.years
    return text(
        "built by drgsim from {count:,} discharges of {first}-{last} by {specification}, method {method}",
        count=built.history.size, first=years[0], last=years[-1], specification=built.spec.file.id, method=built.method,
    )  # fmt: skip


def _scored_from(built: Built, catalogue: Catalogue) -> str:
    years = built.history.years
    return text(
        "kinds of {catalogue}; scores by drgsim from {count:,} discharges of {first}-{last} by {specification}",
        catalogue=catalogue.id, count=built.history.size, first=years[0], last=years[-1], specification=built.spec.file.id,
    )  # fmt: skip


def _used_levels(built: Built, lines: Sequence[Kind]) -> tuple[tuple[Level, ...], dict[str, tuple[str, ...]]]:
    """Levels of the auxiliary lists that some line asks for, and the code lists that they name."""
    used = {line.aux for line in lines if line.aux}
    levels = tuple(level for level in built.lists.levels if level.aux in used)
    named = {name for level in levels for name in sets_of(level.condition)}
    return levels, {name: codes for name, codes in built.lists.sets.items() if name in named}


def remarks(built: Built) -> list[str]:
    """What a reader of the catalogue should know, in sentences."""
    history = built.history
    found = [*history.notes, *built.structure.notes, *_coverage_remarks(built)]
    if history.left_out:
        reasons = left_out_words(history.left_out)
        number = history.read - history.size
        told = text(
            "of {read:,} discharges {number:,} are left out: {reasons}", read=history.read, number=number, reasons=reasons
        )
        found.append(told)
    return [*found, *_case_remarks(built), *map(in_original, built.lists.notes)]


def _coverage_remarks(built: Built) -> Iterator[str]:
    """How many cases a core kind needs, and what the core kinds cover with that."""
    least, file = built.structure.minimum_cases, built.spec.file
    wanted = file.core.coverage.value
    yield text(
        "{core:,} core kinds need {least} and cover {coverage:.1%} of the discharges",
        core=int(built.structure.core.sum()),
        least=_least_cases(built),
        coverage=built.coverage,
    )
    if file.core.rule.value == "coverage" and least <= 1:
        yield text(
            "the history is too small for core.rule coverage: covering {wanted:.0%} takes kinds of a single case, whose scores "
            "predict nothing; use core.rule threshold, a longer history or a smaller core.coverage",
            wanted=wanted,
        )
    elif built.coverage < wanted:
        yield text(
            "core kinds cover less than {wanted:.0%}: the history is small for this threshold; core.rule coverage takes as "
            "many kinds as it needs",
            wanted=wanted,
        )


def _least_cases(built: Built) -> str:
    least = built.structure.minimum_cases
    cases = text("{least:g} case", least=least) if least == 1 else text("{least:g} cases", least=least)
    if built.spec.file.core.per.value != "year":
        return cases
    return text("{cases} ({yearly:g} a year)", cases=cases, yearly=least / len(built.history.years))


def _case_remarks(built: Built) -> Iterator[str]:
    """Core kinds whose score rests on little, kinds without a case."""
    measured, core = built.measured, built.structure.core
    single = core & (measured.cases == 1)
    if single.any():
        yield text(
            "{count:,} core kinds rest on one case ({kinds}): their score is that case's cost, nothing is averaged",
            count=int(single.sum()),
            kinds=_some(built, single),
        )
    for place, year in enumerate(built.history.years):
        missing = core & (measured.year_cases[:, place] == 0)
        if missing.any():
            yield text(
                "{count:,} core kinds have no case in {year} ({kinds}): the other years share its weight",
                count=int(missing.sum()),
                year=year,
                kinds=_some(built, missing),
            )
    most = built.spec.file.checks.cv_auxiliary.value
    wild = core & (measured.cv > most)
    if wild.any():
        yield text(
            "{count:,} core kinds have a CV above {most:g} ({kinds})",
            count=int(wild.sum()),
            most=most,
            kinds=_some(built, wild),
        )
    none = [entry.code for place, entry in enumerate(built.entries) if not measured.totals.cases[place].sum()]
    if none:
        yield text("no case in the history, so no score, left out: {kinds}", kinds=", ".join(none))


def _some(built: Built, which: np.ndarray) -> str:
    places = np.flatnonzero(which)
    shown = ", ".join(built.entries[place].code for place in places[:3])
    return shown + (", ..." if places.size > 3 else "")


def sizes(built: Built) -> dict[str, int]:
    """Kinds by type as the national catalogues count them."""
    core = [entry for entry, listed in zip(built.entries, built.structure.core, strict=True) if listed]
    counted = {
        "core": len(core),
        "core_conservative": sum(not entry.surgical for entry in core),
        "core_surgical": sum(entry.surgical for entry in core),
        "merged": sum(len(entry.lines) > 1 for entry in core),
        "with_auxiliary": len({split.kind for split in built.splits}),
        "auxiliary_levels": len(built.splits),
    }
    for kind in ("comprehensive", "chapter", "blank", "first"):
        counted[kind] = sum(
            entry.kind == kind and bool(built.measured.cases[place]) for place, entry in enumerate(built.entries)
        )
    return counted


def years_table(built: Built) -> pa.Table:
    """Cases and mean cost of every kind by year, and what is remarkable about it."""
    measured, years = built.measured, built.history.years
    shown = np.flatnonzero(measured.cases > 0)
    columns: dict[str, Any] = {
        "code": [built.entries[place].code for place in shown],
        "name": names_of(built, shown),
        "kind": [built.entries[place].kind for place in shown],
        "score": built.score[shown],
        "mean_cost": np.round(measured.mean[shown], MONEY_DIGITS),
        "cv": pa.array(np.round(measured.cv[shown], CV_DIGITS), from_pandas=True),
        "cases": measured.cases[shown],
        "cases_trimmed": measured.cases[shown] - measured.totals.cases[shown].sum(1),
    }
    with np.errstate(invalid="ignore", divide="ignore"):
        means = measured.totals.fen / 100.0 / measured.totals.cases
    for place, year in enumerate(years):
        columns[f"cases_{year}"] = measured.year_cases[shown, place]
        columns[f"mean_cost_{year}"] = pa.array(np.round(means[shown, place], MONEY_DIGITS), from_pandas=True)
    columns["remarks"] = [_remark(built, int(place)) for place in shown]
    return pa.table(columns)


def _remark(built: Built, place: int) -> str:
    measured = built.measured
    found = ["one case"] if measured.cases[place] == 1 else []
    found += [f"no case in {year}" for at, year in enumerate(built.history.years) if not measured.year_cases[place, at]]
    if measured.cv[place] > built.spec.file.checks.cv_auxiliary.value:
        found.append("high CV")
    if built.hidden[place]:
        found.append("two cost populations")
    return "|".join(found)


def names_of(built: Built, places: Sequence[int] | np.ndarray) -> list[str]:
    """Chinese names of kinds: diagnosis and procedures of their first combination."""
    names = Names.of(built)
    return [_lines_of(built, int(place), built.entries[place], names)[0].name for place in places]

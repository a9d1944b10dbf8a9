"""Scores for the kinds of a published catalogue, taken from a region's own history.

The national catalogue lists kinds without scores. Its core kinds stay where the history has enough cases; their cases are those
that grouping gives them. What is left goes to comprehensive kinds, chapters and the blank group, as the draft of the DIP 3.0
specification has it (chapter 3 section 3). Every step groups with the kernel, so that the scored catalogue groups a case as it
was counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from drgsim.authoring.dip.auxiliary_styles import load_lists
from drgsim.authoring.dip.catalogue_building import Built, check_years, with_levels
from drgsim.authoring.dip.core_list import enough_to_cover
from drgsim.authoring.dip.dip_history import DipHistory
from drgsim.authoring.dip.dip_spec import Core, DipSpec
from drgsim.authoring.dip.kind_figures import measure, scores
from drgsim.authoring.dip.kind_structure import LISTED_KINDS, KindLine, KindMembers, Structure
from drgsim.authoring.dip.rare_combinations import BLANK, chapter_of
from drgsim.language import text
from drgsim.units.dip.dip_catalogue import CLASS_SUFFIXES, Catalogue, Kind
from drgsim.units.dip.dip_grouper import DipGrouper
from drgsim.units.dip.dip_kernel import EXCLUDED, NO_LINE

REST = ("comprehensive", "chapter", "blank")
METHOD = "catalogue"


def score_catalogue(
    history: DipHistory, catalogue: Catalogue, spec: DipSpec, step: Callable[[str], None] | None = None
) -> Built:
    """A catalogue with the scores of a history.

    Parameters
    ----------
    history
        Discharges read for this catalogue (``read_history(..., catalogue=...)``).
    catalogue
        Its core kinds are scored; comprehensive kinds are made anew.
    spec
        Years, trimming, thresholds, score and auxiliary lists.
    step
        Called with the name of each step.

    Raises
    ------
    InputError
        The years of the history do not fit the specification.
    """
    say = step or (lambda _: None)
    check_years(history, spec)
    file = spec.file
    say("group 入组")
    lists = load_lists(file.auxiliary.style.value, () if catalogue.levels else file.auxiliary.lists.value)
    core = [kind for kind in catalogue.kinds if kind.kind not in REST]
    every = replace(catalogue.matching, comprehensive_kinds="every_category", blank="")
    open_ = replace(catalogue, kinds=tuple(core), matching=every)
    code = codes_of(history, open_)
    history, code, notes = _grouped_only(history, code, catalogue)
    core, least, more = _core_kinds(history, open_, code, file.core, len(history.years))
    say(text("comprehensive kinds 综合病种"))
    rest = _rest_kinds(history, replace(open_, kinds=tuple(core)), file.comprehensive.minimum_cases.value,
                       file.comprehensive.chapter_minimum_cases.value)  # fmt: skip
    order = (*(stage for stage in catalogue.matching.order if stage not in REST), *REST)
    listed = replace(catalogue.matching, comprehensive_kinds="listed", blank=BLANK, order=order)
    final = replace(catalogue, kinds=(*core, *rest), matching=listed)
    code = codes_of(history, final)
    say("measure 测算")
    entries = _entries(final)
    places = {entry.code: place for place, entry in enumerate(entries)}
    kind = np.array([places[name] for name in code.tolist()], np.int64)
    weights = np.array(file.history.year_weights.value)
    measured = measure(history.cost, history.year, kind, len(entries), weights, file.history.year_mode.value, file.trimming)
    reference = places.get(file.score.reference_kind.value) if file.score.reference_kind else None
    reference_mean = None if reference is None else float(measured.mean[reference])
    score = np.round(scores(measured.mean, measured.overall, file.score, reference_mean), 4)
    structure = Structure(tuple(entries), np.zeros(0, np.int64), least, (*notes, *more))
    none = np.zeros(len(entries), np.bool_)
    built = Built(spec, METHOD, history, lists, structure, kind, measured, score, (), (), none)
    if catalogue.levels:
        return built
    say(text("auxiliary lists 辅助目录"))
    return with_levels(built)


def codes_of(history: DipHistory, catalogue: Catalogue) -> NDArray[np.object_]:
    """Code of the kind of each discharge by a catalogue that has the codes of the one it was read for; "" for none."""
    grouper = DipGrouper(catalogue)
    found = [grouper.group_prepared(batch, batch.invalid) for batch in history.prepared]
    lines = np.concatenate([np.where((each.notes & EXCLUDED) != 0, NO_LINE, each.line) for each in found])
    codes = np.array([*grouper.compiled.lines["code"], ""], object)
    return np.asarray(codes[lines[history.row]])


def _grouped_only(
    history: DipHistory, code: NDArray[np.object_], catalogue: Catalogue
) -> tuple[DipHistory, NDArray[np.object_], list[str]]:
    """The discharges that the catalogue groups: those of the excluded list enter no mean."""
    grouped = code != ""
    if grouped.all():
        return history, code, []
    notes: list[str] = [
        text(
            "{grouped:,} discharges are left out: the excluded list of {catalogue} keeps them from any kind",
            grouped=int((~grouped).sum()),
            catalogue=catalogue.id,
        )
    ]
    return history.part(grouped), code[grouped], notes


def _core_kinds(
    history: DipHistory, open_: Catalogue, code: NDArray[np.object_], core: Core, years: int
) -> tuple[list[Kind], float, list[str]]:
    """The kinds that the history has enough cases for, how many that is, and what is worth telling.

    Kinds with related procedures are judged first: cases of those that are too rare go on to shorter ones, which count them.
    Pre-groups stay with any case.
    """
    kinds = list(open_.kinds)
    first = {kind.code for kind in kinds if kind.kind == "first"}
    threshold = {kind.code for kind in kinds if kind.kind in LISTED_KINDS}
    number = _cases(code)
    least = _least_cases(core, years, [number.get(name, 0) for name in threshold], int(code.size))
    removed = 0
    for judged in (
        {kind.code for kind in kinds if kind.related and kind.code in threshold},
        threshold,
    ):
        number = _cases(code)
        rare = {name for name in judged if number.get(name, 0) < least} | {name for name in first if not number.get(name)}
        kept = [kind for kind in kinds if kind.code not in rare]
        removed += len({kind.code for kind in kinds if kind.code in rare and kind.code in threshold})
        if len(kept) < len(kinds):
            kinds = kept
            code = codes_of(history, replace(open_, kinds=tuple(kinds)))
    absent = sorted(first - {kind.code for kind in kinds})
    notes: list[str] = [
        text(
            "{removed:,} core kinds of {open} have too few cases here: theirs go to shorter or comprehensive kinds",
            removed=removed,
            open=open_.id,
        )
    ]
    if absent:
        notes.append(text("no case in the history, so no score, left out: {absent}", absent=", ".join(absent)))
    return kinds, least, notes if removed else notes[1:]


def _cases(code: NDArray[np.object_]) -> dict[str, int]:
    names, number = np.unique(code.astype(str), return_counts=True)
    return dict(zip(names.tolist(), number.tolist(), strict=True))


def _least_cases(core: Core, years: int, cases: Iterable[int], total: int) -> float:
    """Cases that a kind needs in the whole history, by the rule of the specification."""
    rule, per = core.rule.value, years if core.per.value == "year" else 1
    if rule != "coverage":
        return (core.minimum_cases if rule == "threshold" else core.minimum_cases_province).value * per
    ordered = np.sort(np.array([each for each in cases if each], np.int64))[::-1]
    if not ordered.size:
        return 1.0
    return float(ordered[min(enough_to_cover(ordered, core.coverage.value * total), ordered.size) - 1])


def _rest_kinds(history: DipHistory, open_: Catalogue, least: float, chapter_least: float) -> list[Kind]:
    """Comprehensive kinds and chapters that what is left has enough cases for."""
    code = codes_of(history, open_)
    lines = {kind.code: kind for kind in open_.lines if kind.kind == "comprehensive"}
    number = {name: cases for name, cases in _cases(code).items() if name in lines}
    found = [lines[name] for name in lines if number.get(name, 0) >= least]
    chapters: dict[tuple[str, str], int] = {}
    for name, cases in number.items():
        if cases < least:
            kind = lines[name]
            key = chapter_of(kind.dx), kind.operation_class
            chapters[key] = chapters.get(key, 0) + cases
    return found + [
        Kind(f"{chapter}:{CLASS_SUFFIXES[name]}", chapter, operation_class=name, kind="chapter")
        for (chapter, name), cases in sorted(chapters.items())
        if chapter and cases >= chapter_least
    ]


def _entries(final: Catalogue) -> list[KindMembers]:
    """The kinds by code, in the order of their first lines."""
    lines: dict[str, list[Kind]] = {}
    for kind in final.lines:
        lines.setdefault(kind.code, []).append(kind)
    return [
        KindMembers(
            code, kinds[0].kind,
            tuple(KindLine(kind.dx, kind.procedure, kind.related, kind.operation_class) for kind in kinds), tuple(kinds),
        )
        for code, kinds in lines.items()
    ]  # fmt: skip

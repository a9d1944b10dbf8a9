"""Build a DIP catalogue (病种目录) from history: list, gather, measure, split, score.

Every step is a function of its own; this file puts them in order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from drgsim.authoring.dip.auxiliary_splits import Candidate, Split, choose_splits, level_of
from drgsim.authoring.dip.auxiliary_styles import FIRST, AuxiliaryLists, load_lists
from drgsim.authoring.dip.core_list import core_list
from drgsim.authoring.dip.cost_clusters import cluster_list, hidden_populations
from drgsim.authoring.dip.dip_history import DipHistory, left_out_words
from drgsim.authoring.dip.dip_spec import DipSpec
from drgsim.authoring.dip.kind_figures import Measured, measure, scores
from drgsim.authoring.dip.kind_structure import KindMembers, Structure, arrange, code_of, core_lines
from drgsim.authoring.dip.year_totals import YearTotals, kept_cases
from drgsim.errors import InputError, Problem, UsageError, did_you_mean
from drgsim.language import counted, text

METHODS = ("list", "cluster")
Step = Callable[[str], None]


@dataclass(frozen=True)
class Built:
    """A catalogue with its figures.

    Attributes
    ----------
    spec, method, history
        What it was built from and how.
    lists
        The auxiliary lists.
    structure
        The kinds.
    kind
        Kind of each discharge.
    measured
        Figures of the kinds.
    score
        Score of each kind, four decimals.
    splits, candidates
        Levels that have lines of their own, and every list that was tried.
    hidden
        Kinds that hide two cost populations (``cluster`` only).
    """

    spec: DipSpec
    method: str
    history: DipHistory
    lists: AuxiliaryLists
    structure: Structure
    kind: NDArray[np.int64]
    measured: Measured
    score: NDArray[np.float64]
    splits: tuple[Split, ...]
    candidates: tuple[Candidate, ...]
    hidden: NDArray[np.bool_]

    @property
    def entries(self) -> tuple[KindMembers, ...]:
        """The kinds."""
        return self.structure.entries

    @property
    def coverage(self) -> float:
        """Share of all discharges in core kinds."""
        return float(self.structure.core[self.kind].mean())

    @property
    def by_combination(self) -> bool:
        """Whether diagnosis and procedures alone say the kind; kinds of a published catalogue ask for more."""
        return self.structure.kind.size > 0

    def judge(self, history: DipHistory) -> Built:
        """The same catalogue on other discharges, whose combinations have the same numbers; figures stay as they are."""
        first = first_kind(history, self.spec, self.lists)
        return replace(self, history=history, kind=kind_of_cases(history, first, self.structure, self.spec))

    def split_score(self, split: Split) -> float:
        """Score of a level: score of its kind x coefficient."""
        return round(float(self.score[split.kind]) * split.coefficient, 4)

    def line_of_case(self) -> NDArray[np.int64]:
        """Kind of each discharge with its level: place of the kind, or number of kinds + place of the split.

        Of the levels of several lists the one with the highest score counts.
        """
        line = self.kind.copy()
        best = np.full(self.kind.size, -np.inf)
        by_list: dict[str, list[tuple[int, Split]]] = {}
        for number, split in enumerate(self.splits):
            by_list.setdefault(split.aux, []).append((number, split))
        for name, members in by_list.items():
            bits = self.lists.bits(name)
            width = max(bits) + 1
            allowed = np.zeros(len(self.entries), np.int64)
            place = np.full(len(self.entries) * width, -1, np.int64)
            for number, split in members:
                allowed[split.kind] |= 1 << split.bit
                place[split.kind * width + split.bit] = number
            level = level_of(self.history.mask, allowed[self.kind], bits).astype(np.int64)
            found = np.where(level >= 0, place[self.kind * width + np.maximum(level, 0)], -1)
            value = np.array([self.split_score(split) for split in self.splits])[found]
            better = (found >= 0) & (value > best)
            line[better] = len(self.entries) + found[better]
            best[better] = value[better]
        return line


def build(
    history: DipHistory,
    spec: DipSpec,
    *,
    method: str = "list",
    step: Step | None = None,
    checked: bool = False,
    kinds_only: bool = False,
) -> Built:
    """Build a catalogue.

    Parameters
    ----------
    history
        Discharges of the years that the specification weighs.
    spec
        The specification.
    method
        ``list``: the rules of the specification alone; ``cluster``: historical cost decides where they leave it open.
    step
        Called with the name of each step.
    checked
        The years were checked before: a sample may lack one.
    kinds_only
        Stop before the auxiliary lists.

    Raises
    ------
    InputError
        The years of the history do not fit the specification.
    UsageError
        An unknown method.
    """
    if method not in METHODS:
        fix = did_you_mean(method, METHODS) or text("the methods are {methods}", methods=", ".join(METHODS))
        raise UsageError([Problem("dip-unknown-method", text("there is no method {method!r}", method=method), fix=fix)])
    say = step or (lambda _: None)
    if not checked:
        check_years(history, spec)
    file = spec.file
    lists = load_lists(file.auxiliary.style.value, file.auxiliary.lists.value, file.first)
    first = first_kind(history, spec, lists)
    structure = _structure(history, spec, first, method, say)
    say("measure 测算")
    kind = kind_of_cases(history, first, structure, spec)
    weights = np.array(file.history.year_weights.value)
    measured = measure(
        history.cost, history.year, kind, len(structure.entries), weights, file.history.year_mode.value, file.trimming
    )
    codes = [entry.code for entry in structure.entries]
    reference = file.score.reference_kind.value if file.score.reference_kind else None
    reference_mean = float(measured.mean[codes.index(reference)]) if reference in codes else None
    score = np.round(scores(measured.mean, measured.overall, file.score, reference_mean), 4)
    built = Built(spec, method, history, lists, structure, kind, measured, score, (), (), np.zeros(len(codes), np.bool_))
    if kinds_only:
        return built
    say(text("auxiliary lists 辅助目录"))
    return with_levels(built)


def _structure(history: DipHistory, spec: DipSpec, first: NDArray[np.int64], method: str, say: Step) -> Structure:
    """The kinds: those that the list or the clusters make of the discharges without a first kind, and what takes the rest."""
    say("list 目录")
    file = spec.file
    weights = np.array(file.history.year_weights.value)
    combination = np.where(first < 0, history.combination, -1)
    size = history.combinations.size
    cases = np.bincount(combination[combination >= 0], minlength=size)
    rule, least = file.trimming.rule, file.trimming.minimum_cases.value
    kept = kept_cases(history.cost, combination, history.year, weights.size, rule, least)
    means = YearTotals.of(np.where(kept, combination, -1), history.year, history.cost, size, weights.size).mean(
        weights, file.history.year_mode.value
    )
    if method == "cluster":
        say("cluster 聚类")
        return cluster_list(history, spec, combination, kept, cases, means)
    increase = file.combinations.minimum_increase
    core = core_list(history.combinations, cases, means, weights.size, file.core, increase.value if increase else None)
    entries = [KindMembers(code_of([line]), "core", (line,)) for line in core_lines(core, history.combinations, history.book)]
    return arrange(history, cases, entries, core.minimum_cases, spec)


def with_levels(built: Built) -> Built:
    """The catalogue with the levels of auxiliary lists that its core kinds need."""
    history, structure, file = built.history, built.structure, built.spec.file
    hidden, fall = built.hidden, np.full(len(built.entries), file.auxiliary.minimum_fall.value)
    if built.method == "cluster":
        hidden = hidden_populations(history, built.kind, built.measured, structure.core, file)
        fall[hidden] = np.minimum(fall[hidden], file.clustering.split_fall.value)
    newest = len(file.history.year_weights.value) - 1
    in_period = history.year == newest if file.auxiliary.period.value == "last_year" else True
    judged = np.where(structure.core[built.kind] & built.measured.kept & in_period, built.kind, -1)
    splits, candidates = choose_splits(
        history.cost, history.mask, judged, [entry.lines[0].dx for entry in structure.entries], built.lists,
        file.auxiliary.minimum_cases.value, fall,
    )  # fmt: skip
    return replace(built, splits=tuple(splits), candidates=tuple(candidates), hidden=hidden)


def check_years(history: DipHistory, spec: DipSpec) -> None:
    """Refuse a history whose years are not those that the specification weighs.

    Raises
    ------
    InputError
        ``dip-years``, with the years found and how many discharges could not be used.
    """
    weights, years = spec.file.history.year_weights.value, history.years
    shown = ":".join(f"{weight:g}" for weight in weights)
    problems = []
    if len(years) != len(weights):
        weighed = {"file": spec.file.id, "count": len(weights), "weights": shown}
        what = text("{history}, but {file} weighs {count} years {weights}", history=_listed_history(years), **weighed)
        if history.undated:
            what = text(
                "no discharge has a date of discharge: {files}, but {file} weighs {count} years {weights}",
                files=counted(len(years), "one file counts as one year", "{count} files count as {count} years"),
                **weighed,
            )
        why: str = text("a missing year is not averaged away")
        if history.left_out:
            left = left_out_words(history.left_out)
            why = text("a missing year is not averaged away (discharges left out: {reasons})", reasons=left)
        problems.append(
            Problem(
                "dip-years",
                what,
                where="history.year_weights",
                why=why,
                fix=text("state the dates (discharged), or give a file for each year from the oldest on")
                if history.undated
                else text("add the missing years, or give weights for those that are there, such as --years 3:7"),
            )
        )
    gaps = sorted(set(range(min(years), max(years) + 1)) - set(years)) if years else []
    if gaps:
        problems.append(
            Problem(
                "dip-year-gap",
                text("{history}: {gaps} is missing between them", history=_listed_history(years), gaps=_listed(gaps)),
                fix=text("add it, or leave the years before it out"),
            )
        )
    if problems:
        raise InputError(problems)


def _listed(years: Sequence[int]) -> str:
    listed = ", ".join(map(str, years))
    return text("the year {years}", years=listed) if len(years) == 1 else text("the years {years}", years=listed)


def _listed_history(years: Sequence[int]) -> str:
    return text("the history has {years}", years=_listed(years))


def kind_of_cases(history: DipHistory, first: NDArray[np.int64], structure: Structure, spec: DipSpec) -> NDArray[np.int64]:
    """Kind of each discharge: its first kind where it has one, else that of its combination."""
    before = len(structure.entries) - len(spec.file.first)
    return np.where(first >= 0, first + before, structure.kind[history.combination])


def first_kind(history: DipHistory, spec: DipSpec, lists: AuxiliaryLists) -> NDArray[np.int64]:
    """Place among the first kinds of each discharge, -1 for most."""
    found = np.full(history.size, -1, np.int64)
    bits = dict(zip(reversed(spec.file.first), lists.bits(FIRST), strict=True))
    for place, (code, kind) in reversed(list(enumerate(spec.file.first.items()))):
        names = history.combinations.diagnoses
        suited = np.array([not kind.diagnoses or name.startswith(kind.diagnoses) for name in names], np.bool_)
        found[suited[history.combinations.diagnosis[history.combination]] & (history.mask >> bits[code] & 1 == 1)] = place
    return found

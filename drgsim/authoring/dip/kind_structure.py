"""The kinds of a catalogue before they have figures: which combinations lead to which kind, and how kinds are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drgsim.authoring.dip.combinations import NONE, Combinations
from drgsim.authoring.dip.core_list import NOT_CORE, CoreList, Families, within
from drgsim.authoring.dip.dip_history import DipHistory
from drgsim.authoring.dip.dip_spec import DipSpec
from drgsim.authoring.dip.rare_combinations import BLANK, comprehensive_kinds, operation_classes
from drgsim.records.code_dictionaries import CodeBook
from drgsim.units.dip.dip_catalogue import CLASS_SUFFIXES, CORE_KINDS, Kind

LISTED_KINDS = (*CORE_KINDS, "merged", "split", "tcm")  # core kinds in the wide sense: those that a threshold decides about


@dataclass(frozen=True)
class KindLine:
    """A combination that leads to a kind."""

    dx: str
    procedure: str = ""
    related: tuple[str, ...] = ()
    operation_class: str = ""


@dataclass(frozen=True)
class KindMembers:
    """A kind: its code, its type (see :data:`drgsim.units.dip.dip_catalogue.KINDS`), the combinations that lead to
    it, and its lines in the catalogue that it was taken from."""

    code: str
    kind: str
    lines: tuple[KindLine, ...]
    published: tuple[Kind, ...] = ()

    @property
    def surgical(self) -> bool:
        """Whether some combination has a procedure."""
        return any(line.procedure for line in self.lines)


@dataclass(frozen=True)
class Structure:
    """All kinds, and the kind of each combination of the history."""

    entries: tuple[KindMembers, ...]
    kind: NDArray[np.int64]
    minimum_cases: float
    notes: tuple[str, ...] = ()

    @property
    def core(self) -> NDArray[np.bool_]:
        """Which kinds are core kinds."""
        return np.array([entry.kind in LISTED_KINDS for entry in self.entries], np.bool_)


def code_of(lines: Sequence[KindLine]) -> str:
    """Code of a kind from its first combination, as published tables spell it; ``等`` (and others) when it has several.

    Examples
    --------
    >>> code_of([KindLine("I21.0", "36.0700", ("00.2400", "88.5500"))])
    'I21.0:36.0700_00.2400_88.5500'
    >>> code_of([KindLine("I21.0"), KindLine("I21.0", "88.5500")])
    'I21.0等'
    """
    first = lines[0]
    procedures = "_".join((first.procedure, *first.related)) if first.procedure else ""
    return f"{first.dx}{':' if procedures else ''}{procedures}{'等' if len(lines) > 1 else ''}"


def core_lines(core: CoreList, combinations: Combinations, book: CodeBook) -> list[KindLine]:
    """The combinations that define core kinds."""
    procedures = book.procedures.codes
    return [
        KindLine(
            combinations.diagnoses[diagnosis],
            procedures[procedure] if procedure != NONE else "",
            tuple(procedures[each] for each in related),
        )
        for diagnosis, procedure, related in zip(core.diagnosis.tolist(), core.procedure.tolist(), core.related, strict=True)
    ]


def assign(
    combinations: Combinations, entries: Sequence[KindMembers], book: CodeBook, simple: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Core kind of each combination, below 0 for none, as grouping by the catalogue finds it.

    The principal procedure must be that of the kind and all its related procedures done. Of several kinds one that leaves no
    operation over (simple procedures do not count) goes first, then the one with most related procedures, then the first one.
    """
    diagnosis = {name: place for place, name in enumerate(combinations.diagnoses)}
    procedure = {code: place for place, code in enumerate(book.procedures.codes)}
    families: dict[tuple[int, int], list[tuple[tuple[int, ...], int]]] = {}
    for number, entry in enumerate(entries):
        for line in entry.lines:
            key = diagnosis[line.dx], procedure[line.procedure] if line.procedure else NONE
            related = tuple(sorted(procedure[code] for code in line.related))
            families.setdefault(key, []).append((related, number))
    ranges = Families.of_combinations(combinations)
    heads = ranges.start[:-1]
    kind = np.full(combinations.size, NOT_CORE, np.int64)
    own = zip(combinations.diagnosis[heads].tolist(), combinations.procedures[heads, 0].tolist(), strict=True)
    for family, key in enumerate(own):
        lines = sorted(families.get(key, ()), key=lambda line: -len(line[0]))  # stable: equal ones stay in order
        first, last = int(ranges.start[family]), int(ranges.start[family + 1])
        if len(lines) == 1 and not lines[0][0]:
            kind[first:last] = lines[0][1]
        elif lines:
            for place in range(first, last):
                done = combinations.related(place)
                fitting = [line for line in lines if within(line[0], done)]
                kind[place] = min(fitting, key=lambda line: _left_over(line[0], done, simple))[1] if fitting else NOT_CORE
    return kind


def _left_over(related: tuple[int, ...], done: tuple[int, ...], simple: NDArray[np.bool_]) -> bool:
    """Whether operations are left over that a kind does not name; an unknown procedure counts as one."""
    left = Counter(done)
    left.subtract(related)
    return any(number > 0 and (code < 0 or not simple[code]) for code, number in left.items())


def arrange(
    history: DipHistory,
    cases: NDArray[np.int64],
    core_entries: Sequence[KindMembers],
    minimum_cases: float,
    spec: DipSpec,
    notes: Sequence[str] = (),
) -> Structure:
    """Core kinds first, then the comprehensive ones of the rest, then the first kinds of the specification.

    Parameters
    ----------
    history, cases
        The history, and the cases of each of its combinations.
    core_entries
        Core kinds in the order in which equally good ones are tried.
    minimum_cases
        Cases that a core kind needed.
    """
    core_kind = assign(history.combinations, core_entries, history.book, history.simple)
    rest = core_kind == NOT_CORE
    classes = operation_classes(history.combinations, history.class_of_procedure)
    found = comprehensive_kinds(history.combinations, cases, rest, classes, spec.file.comprehensive)
    comprehensive = [
        KindMembers(BLANK if kind == "blank" else f"{dx}:{CLASS_SUFFIXES[name]}", kind, (KindLine(dx, operation_class=name),))
        for kind, dx, name in found.kinds
    ]
    first = [
        KindMembers(code, "first", tuple(KindLine(dx) for dx in (kind.diagnoses or ("",))))
        for code, kind in spec.file.first.items()
    ]
    kind = np.where(rest, found.kind + len(core_entries), core_kind)
    return Structure((*core_entries, *comprehensive, *first), kind, minimum_cases, tuple(notes))


def diagnosis_names(book: CodeBook) -> Mapping[str, str]:
    """Name of every diagnosis, subcategory and category: that of the shortest code that begins so.

    Examples
    --------
    >>> from drgsim.records.code_dictionaries import national_codes
    >>> diagnosis_names(national_codes())["I21.0"]
    '前壁急性透壁性心肌梗死'
    """
    found: dict[str, str] = {}
    pairs = zip(book.diagnoses.codes, book.diagnoses.names, strict=True)
    for code, name in sorted(pairs, key=lambda pair: (len(pair[0]), pair[0])):
        for length in (len(code), 5, 3):
            found.setdefault(code[:length], name)
    return found

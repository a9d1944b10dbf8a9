"""The kinds of a catalogue before they have figures: which combinations lead to which kind, and how kinds are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from drgsim.dip.combinations import NONE, Combinations
from drgsim.dip.gather import BLANK, SUFFIX, gather, operation_classes
from drgsim.dip.listing import CoreList
from drgsim.dip.model import CLASS_ORDER
from drgsim.dip.spec import Spec
from drgsim.records.codes import CodeBook


@dataclass(frozen=True)
class Line:
    """A combination that leads to a kind."""

    dx: str
    procedure: str = ""
    related: tuple[str, ...] = ()
    operation_class: str = ""


@dataclass(frozen=True)
class Entry:
    """A kind: its code, its type (see :data:`drgsim.dip.model.KINDS`), and the combinations that lead to it."""

    code: str
    kind: str
    lines: tuple[Line, ...]

    @property
    def surgical(self) -> bool:
        """Whether some combination has a procedure."""
        return any(line.procedure for line in self.lines)


@dataclass(frozen=True)
class Structure:
    """All kinds, and the kind of each combination of the history."""

    entries: tuple[Entry, ...]
    kind: NDArray[np.int64]
    minimum_cases: float
    notes: tuple[str, ...] = ()

    @property
    def core(self) -> NDArray[np.bool_]:
        """Which kinds are core kinds."""
        return np.array([entry.kind == "core" for entry in self.entries], np.bool_)


def class_numbers(classes: Mapping[str, str], book: CodeBook) -> NDArray[np.int8]:
    """Operation class of every procedure code, as place in ``CLASS_ORDER``; 0 for one without a class."""
    number = {name: place for place, name in enumerate(CLASS_ORDER)}
    return np.array([number[classes.get(code, CLASS_ORDER[0])] for code in book.procedures.codes], np.int8)


def code_of(lines: Sequence[Line]) -> str:
    """Code of a kind from its first combination, as published tables spell it; ``等`` (and others) when it has several.

    Examples
    --------
    >>> code_of([Line("I21.0", "36.0700", ("00.2400", "88.5500"))])
    'I21.0:36.0700_00.2400_88.5500'
    >>> code_of([Line("I21.0"), Line("I21.0", "88.5500")])
    'I21.0等'
    """
    first = lines[0]
    procedures = "_".join((first.procedure, *first.related)) if first.procedure else ""
    return f"{first.dx}{':' if procedures else ''}{procedures}{'等' if len(lines) > 1 else ''}"


def core_lines(core: CoreList, combinations: Combinations, book: CodeBook) -> list[Line]:
    """The combinations that define core kinds."""
    procedures = book.procedures.codes
    return [
        Line(
            combinations.diagnoses[diagnosis],
            procedures[procedure] if procedure != NONE else "",
            tuple(procedures[each] for each in related),
        )
        for diagnosis, procedure, related in zip(core.diagnosis.tolist(), core.procedure.tolist(), core.related, strict=True)
    ]


def arrange(
    combinations: Combinations,
    cases: NDArray[np.int64],
    core_entries: Sequence[Entry],
    core_kind: NDArray[np.int64],
    minimum_cases: float,
    spec: Spec,
    class_of_procedure: NDArray[np.int8],
    notes: Sequence[str] = (),
) -> Structure:
    """Core kinds first, then what gathers the rest, then the first kinds of the specification.

    Parameters
    ----------
    combinations, cases
        The combinations of a history and their cases.
    core_entries, core_kind
        Core kinds, and the core kind of each combination (below 0: none).
    minimum_cases
        Cases that a core kind needed.
    class_of_procedure
        Operation class of each procedure code.
    """
    rest = core_kind < 0
    found = gather(combinations, cases, rest, operation_classes(combinations, class_of_procedure), spec.file.comprehensive)
    gathered = [
        Entry(BLANK if kind == "blank" else f"{dx}:{SUFFIX[name]}", kind, (Line(dx, operation_class=name),))
        for kind, dx, name in found.kinds
    ]
    first = [
        Entry(code, "first", tuple(Line(dx) for dx in (kind.diagnoses or ("",)))) for code, kind in spec.file.first.items()
    ]
    kind = np.where(rest, found.kind + len(core_entries), core_kind)
    return Structure((*core_entries, *gathered, *first), kind, minimum_cases, tuple(notes))


@lru_cache(maxsize=2)
def _names(codes: tuple[str, ...], names: tuple[str, ...]) -> Mapping[str, str]:
    """Code and its beginnings -> name of the shortest code that has it."""
    found: dict[str, str] = {}
    for code, name in sorted(zip(codes, names, strict=True), key=lambda pair: (len(pair[0]), pair[0])):
        for length in (len(code), 5, 3):
            found.setdefault(code[:length], name)
    return found


def diagnosis_name(dx: str, book: CodeBook) -> str:
    """Name of a diagnosis, or of the shortest code of a category or subcategory.

    Examples
    --------
    >>> from drgsim.records.codes import national_codes
    >>> diagnosis_name("I21.0", national_codes())
    '前壁急性透壁性心肌梗死'
    """
    return _names(book.diagnoses.codes, book.diagnoses.names).get(dx, dx)

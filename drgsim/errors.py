"""Errors that a user can act on: a code, what is wrong, where, why, and what to do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from drgsim.language import text

# names that a call states and nothing has: the call makes no sense (exit code 2), whatever kind of error says so
UNKNOWN_NAMES = frozenset({
    "budget-unknown-terms", "code-unknown", "code-version-unknown", "explain-unknown-id", "layout-unknown", "policy-unknown",
    "policy-unknown-include", "sample-unknown", "scenario-unknown", "scheme-unknown", "spec-unknown", "spec-unknown-style",
    "weights-unknown-table",
})  # fmt: skip
LONGEST_TEXT = 4000  # characters of one text of a problem; a cell that it quotes may have any length
SHOWN_ALIKE = 8  # problems of one code that a message spells out


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Parameters
    ----------
    code
        Short stable name such as ``pack-duplicate-row``; tests and scripts may rely on it.
    what
        One sentence that says what is wrong.
    where
        File, line, column or parameter path; empty when there is none.
    why
        Why it matters or why it was refused; may be empty.
    fix
        The next step for the user; may be empty.
    """

    code: str
    what: str
    where: str = ""
    why: str = ""
    fix: str = ""

    def __post_init__(self) -> None:
        for name in ("what", "where", "why", "fix"):
            said = getattr(self, name)
            if len(said) > LONGEST_TEXT:
                half = LONGEST_TEXT // 2 - 3
                object.__setattr__(self, name, f"{said[:half]} ... {said[-half:]}")

    def __str__(self) -> str:
        lines = [f"[{self.code}] {self.what}"]
        lines += [f"  {label}: {said}" for label, said in (("where", self.where), ("why", self.why), ("do", self.fix)) if said]
        return "\n".join(lines)


@dataclass
class DrgsimError(Exception):
    """Base of every error that drgsim raises on purpose; it carries all problems found, not just the first.

    ``exit_code`` is what the command line returns: 3 for input that cannot be read, 2 for a call that makes no sense, which a
    name that nothing has makes as well.
    """

    problems: Sequence[Problem]
    exit_code: int = field(default=3, kw_only=True)

    def __post_init__(self) -> None:
        if self.problems and all(problem.code in UNKNOWN_NAMES for problem in self.problems):
            self.exit_code = 2
        super().__init__(str(self))

    def __str__(self) -> str:
        """All problems; of many alike the first ones, with the count of the rest."""
        counts = Counter(problem.code for problem in self.problems)
        shown: Counter[str] = Counter()
        lines = []
        for problem in self.problems:
            shown[problem.code] += 1
            if shown[problem.code] <= SHOWN_ALIKE:
                lines.append(str(problem))
            elif shown[problem.code] == counts[problem.code]:
                lines.append(f"[{problem.code}] ... and {counts[problem.code] - SHOWN_ALIKE} more of this kind")
        return "\n".join(lines)

    @classmethod
    def single(cls, code: str, what: str, *, where: str = "", why: str = "", fix: str = "") -> Self:
        """Build an error with one problem."""
        return cls([Problem(code, what, where, why, fix)])


class SchemeError(DrgsimError):
    """A scheme pack is missing or contradicts itself."""


class InputError(DrgsimError):
    """A case-mix file, or a table handed in from Python, cannot be read as discharges."""


class OutputError(DrgsimError):
    """A result cannot be written where the user asked for it."""


class UsageError(DrgsimError):
    """The call itself makes no sense (an unknown option value, two options that exclude each other)."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems, exit_code=2)


def wrong_type(name: str, value: object, wanted: str) -> UsageError:
    """The error of an argument that is of no type it may have (``usage-wrong-type``)."""
    given = type(value).__name__ if value is not None else "None"
    what = text("{name} is given as {given}", name=name, given=given)
    return UsageError([Problem("usage-wrong-type", what, fix=text("give {wanted}", wanted=wanted))])


def did_you_mean(word: str, known: Sequence[str], prefix: str = "did you mean ") -> str:
    """Suggest the nearest known word, or an empty string when none is near.

    Examples
    --------
    >>> did_you_mean("chs-drg-20", ["chs-drg-2.0", "beijing-2022"])
    'did you mean chs-drg-2.0?'
    """
    from difflib import get_close_matches

    near = get_close_matches(word, known, n=1, cutoff=0.6)
    return f"{prefix}{near[0]}?" if near else ""

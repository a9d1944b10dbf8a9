"""Errors that a user can act on: a code, what is wrong, where, why, and what to do next."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from drgsim.language import Text, joined, quoted, text

# names that a call states and nothing has: the call makes no sense (exit code 2), whatever kind of error says so
UNKNOWN_NAMES = frozenset({
    "budget-unknown-terms", "code-unknown", "code-version-unknown", "explain-unknown-id", "layout-unknown", "policy-unknown",
    "policy-unknown-include", "sample-unknown", "scenario-unknown", "scheme-unknown", "spec-unknown", "spec-unknown-style",
    "weights-unknown-table",
})  # fmt: skip
LONGEST_TEXT = 4000  # characters of one text of a problem; a cell that it quotes may have any length
LONGEST_VALUE = 1000  # of one value within a text that is too long
UNREAD = text("its content does not fit its form")  # what a library means that could not read something
SHOWN_ALIKE = 8  # problems of one code that a message spells out


def _shortened(said: str) -> str:
    """A text with the middle of its longest values left out, or without its own middle."""
    if type(said) is Text and said.values:
        values = {name: _cut(value, LONGEST_VALUE) if isinstance(value, str) else value for name, value in said.values.items()}
        said = Text(said.template, values, said.context)
    return said if len(said) <= LONGEST_TEXT else _cut(said, LONGEST_TEXT)


def _cut(said: str, longest: int) -> str:
    half = longest // 2 - 3
    return f"{said[:half]} ... {said[-half:]}" if len(said) > longest else said


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
                object.__setattr__(self, name, _shortened(said))

    def __str__(self) -> str:
        return self.spoken("en")

    def spoken(self, language: str | None = None) -> str:
        """The problem in a language, by default the current one.

        Examples
        --------
        >>> print(Problem("input-empty-file", text("{file} is empty", file="cases.csv"), where="cases.csv").spoken("en"))
        [input-empty-file] cases.csv is empty
          where: cases.csv
        """
        lines = [text("[{code}] {what}", code=self.code, what=self.what)]
        lines += [text("  where: {where}", where=self.where)] if self.where else []
        lines += [text("  why: {why}", why=self.why)] if self.why else []
        lines += [text("  do: {fix}", fix=self.fix)] if self.fix else []
        return joined("\n", lines).spoken(language)


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
        return self.spoken("en")

    def spoken(self, language: str | None = None) -> str:
        """All problems in a language, by default the current one; of many alike the first ones, with the count of the rest."""
        counts = Counter(problem.code for problem in self.problems)
        shown: Counter[str] = Counter()
        lines = []
        for problem in self.problems:
            shown[problem.code] += 1
            if shown[problem.code] <= SHOWN_ALIKE:
                lines.append(problem.spoken(language))
            elif shown[problem.code] == counts[problem.code]:
                more = text(
                    "[{code}] ... and {count} more of this kind", code=problem.code, count=counts[problem.code] - SHOWN_ALIKE
                )
                lines.append(more.spoken(language))
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


_PLACE = re.compile(r"line (\d+),? column (\d+)")  # as readers of YAML, TOML and JSON say it
# what systems say of files and disks, in the words of Python
_OF_THE_SYSTEM: dict[str, Text] = {
    each: each
    for each in (
        text("No such file or directory"),
        text("Permission denied"),
        text("Operation not permitted"),
        text("Is a directory"),
        text("Not a directory"),
        text("File exists"),
        text("Directory not empty"),
        text("File name too long"),
        text("No space left on device"),
        text("Disk quota exceeded"),
        text("Read-only file system"),
        text("Too many open files"),
        text("Input/output error"),
    )
}


def reason_of(error: OSError) -> str:
    """Why the system refused something, in a few words."""
    return _OF_THE_SYSTEM.get(error.strerror or "") or error.strerror or str(error)


def words_of(error: BaseException, meaning: Text | None = None) -> str:
    """What an error says, on one line: a text where drgsim has words for it, else those of the program that raised it.

    Parameters
    ----------
    error
        Of any kind.
    meaning
        What is said in other languages than English where drgsim has no words for it.

    Examples
    --------
    >>> words_of(PermissionError(13, "Permission denied", "cases.csv"))
    "[Errno 13] Permission denied: 'cases.csv'"
    """
    if len(error.args) == 1 and isinstance(error.args[0], Text):
        return error.args[0]
    said = " ".join(str(error).split())
    places = _PLACE.findall(said)
    if places:
        line, column = places[-1]
        return quoted(said, text("something is wrong near line {line}, column {column}", line=line, column=column))
    reason = _OF_THE_SYSTEM.get(error.strerror or "") if isinstance(error, OSError) else None
    if reason is None or not isinstance(error, OSError):
        return quoted(said, meaning) if meaning is not None else said
    known = text("[Errno {number}] {reason}: {file!r}", number=error.errno, reason=reason, file=error.filename)
    if error.filename is None:
        known = text("[Errno {number}] {reason}", number=error.errno, reason=reason)
    return known if known == said else said


def some_names(names: Sequence[str], most: int) -> str:
    """The first names, and how many more there are.

    Examples
    --------
    >>> some_names(["I21.0", "I21.1", "I21.2"], 2)
    'I21.0, I21.1 and 1 more'
    """
    first = ", ".join(names[:most])
    return text("{names} and {count} more", names=first, count=len(names) - most) if len(names) > most else first


def nearest_word(word: str, known: Sequence[str]) -> str:
    """The nearest known word, or an empty string when none is near.

    Examples
    --------
    >>> nearest_word("chs-drg-20", ["chs-drg-2.0", "beijing-2022"])
    'chs-drg-2.0'
    """
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, known, n=1, cutoff=0.6)), "")


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """Suggest the nearest known word, or an empty string when none is near.

    Examples
    --------
    >>> did_you_mean("chs-drg-20", ["chs-drg-2.0", "beijing-2022"])
    'did you mean chs-drg-2.0?'
    """
    near = nearest_word(word, known)
    return text("did you mean {near}?", near=near) if near else ""

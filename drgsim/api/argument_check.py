"""What verbs take, checked before they begin: an argument of a wrong type or beyond its limits gets an error with a code."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import wraps
from numbers import Integral, Real
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np

from drgsim.errors import Problem, UsageError, wrong_type
from drgsim.language import joined, text
from drgsim.records.input_options import InputOptions

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class ArgumentKind:
    """What an argument may be.

    Attributes
    ----------
    said
        In words, for the error.
    types
        Classes that it may be of; true and false are no numbers.
    least, most
        Limits of a number.
    empty
        Whether a text may be empty.
    listed
        Whether it may be a list or tuple of such values.
    keyed
        Whether it may be a mapping of texts to such values.
    """

    said: str
    types: tuple[type, ...] = ()
    least: float = -math.inf
    most: float = math.inf
    empty: bool = True
    listed: bool = False
    keyed: bool = False

    def check(self, name: str, value: Any) -> None:
        """Refuse a value.

        Raises
        ------
        UsageError
            ``usage-wrong-type``, ``usage-out-of-range``, ``usage-empty-text``.

        Examples
        --------
        >>> whole(least=0).check("draws", -1)
        Traceback (most recent call last):
        ...
        drgsim.errors.UsageError: [usage-out-of-range] draws is -1
          do: give a whole number of 0 or more
        """
        if self.keyed and isinstance(value, Mapping):
            values: Iterable[Any] = value.values()
            if not all(isinstance(key, str) for key in value):
                raise wrong_type(name, value, self.said)
        elif self.listed and isinstance(value, list | tuple):
            values = value
        else:
            values = (value,)
        for each in values:
            self._check_one(name, each)

    def _check_one(self, name: str, value: Any) -> None:
        truth = isinstance(value, bool | np.bool_)
        if not isinstance(value, self.types) or (truth and bool not in self.types):
            raise wrong_type(name, value, self.said)
        if isinstance(value, str) and not self.empty and not value.strip():
            raise UsageError(
                [
                    Problem(
                        "usage-empty-text",
                        text("{name} is an empty text", name=name),
                        fix=text("give {wanted}", wanted=self.said),
                    )
                ]
            )
        if isinstance(value, Real) and not truth and not (math.isfinite(value) and self.least <= float(value) <= self.most):
            raise UsageError(
                [
                    Problem(
                        "usage-out-of-range",
                        text("{name} is {value}", name=name, value=value),
                        fix=text("give {wanted}", wanted=self.said),
                    )
                ]
            )


def _within(kind: str, least: float, most: float) -> str:
    if math.isinf(least):
        return kind
    if math.isinf(most):
        return text("{kind} of {least:g} or more", kind=kind, least=least)
    return text("{kind} from {least:g} to {most:g}", kind=kind, least=least, most=most)


def whole(least: float = -math.inf, most: float = math.inf, **more: bool) -> ArgumentKind:
    """A whole number within limits."""
    return ArgumentKind(_within(text("a whole number"), least, most), (Integral,), least, most, **more)


def number(least: float = -math.inf, most: float = math.inf, **more: bool) -> ArgumentKind:
    """A finite number within limits."""
    return ArgumentKind(_within(text("a number"), least, most), (Real,), least, most, **more)


def named(*more: type, said: str = text("a name or a path"), listed: bool = False) -> ArgumentKind:
    """A name or a path, or an object of these classes."""
    for each in more:
        said = text("{said}, or a {kind}", said=said, kind=each.__name__)
    if listed:
        said = text("{said}, one or a list of them", said=said)
    return ArgumentKind(said, (str, Path, *more), empty=False, listed=listed)


def only(*types: type) -> ArgumentKind:
    """An object of these classes."""
    return ArgumentKind(joined(text(" or "), (text("a {kind}", kind=each.__name__) for each in types)), types)


MOST_DRAWS = 100_000  # keeps the figures of all draws within some hundred megabytes
DRAWS = whole(0, MOST_DRAWS)
NAME, TEXT, FLAG = named(), ArgumentKind(text("a text"), (str,)), ArgumentKind(text("True or False"), (bool, np.bool_))
YEAR_WEIGHTS = ArgumentKind(text('weights of the years, such as "1:2:7" or (1, 2, 7)'), (str, Real), listed=True)
TEXTS = ArgumentKind(text("a text, or a list of texts"), (str,), listed=True)
CHANGES = ArgumentKind(text("a mapping of paths to values"), (Mapping,))
AMOUNTS = ArgumentKind(text("a number, or a mapping of texts to numbers"), (Real,), keyed=True)
CALLED = ArgumentKind(text("a function"), (Callable,))  # type: ignore[arg-type]

# arguments that mean the same in every verb that has them
COMMON: dict[str, ArgumentKind] = {
    **dict.fromkeys(("scheme", "output", "before", "after", "compare", "map_file", "folder", "html", "groups"), NAME),
    **dict.fromkeys(("weights_from", "weights_to", "old", "new", "catalogue", "pack", "spec", "workbook", "base"), NAME),
    **dict.fromkeys(("code", "path", "severity", "format", "code_version", "method", "title", "title_zh", "issuer"), TEXT),
    **dict.fromkeys(("source", "unstable", "own", "solve", "target", "between", "decomposition", "kind", "dx", "mdc"), TEXT),
    **dict.fromkeys(("adrg", "of_first", "of_second", "scheme_id", "corrections", "name"), TEXT),
    **dict.fromkeys(("keep_input", "coding_checks", "strict", "findings", "check_coding"), FLAG),
    **dict.fromkeys(("clearing", "stack", "tornado", "evaluate"), FLAG),
    **dict.fromkeys(("assumptions", "replace", "keep_unread"), FLAG),
    **dict.fromkeys(("progress", "step"), CALLED),
    "reading": only(InputOptions),
    "changes": CHANGES,
}  # fmt: skip


def checked(**own: ArgumentKind) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Check the arguments of a verb before it begins: by these kinds, else by those that all verbs have in common.

    What is left at its default is not looked at.
    """

    def decorated(verb: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(verb)
        kinds = {name: own.get(name) or COMMON.get(name) for name in signature.parameters}

        @wraps(verb)
        def checking(*given: P.args, **named: P.kwargs) -> R:
            for name, value in signature.bind(*given, **named).arguments.items():
                kind = kinds[name]
                if kind is not None and value is not signature.parameters[name].default:
                    kind.check(name, value)
            return verb(*given, **named)

        return checking

    return decorated


def as_list(value: Any) -> list[Any]:
    """One value or several as a list: a text is one, not its letters."""
    return list(value) if isinstance(value, list | tuple) else [] if value is None else [value]

"""Parameters that carry unit, date, source and evidence: what policies, specifications and reports have in common."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from drgsim.language import text

T = TypeVar("T")


class Evidence(StrEnum):
    """How well a value is founded.

    ``official``: text of the body that decides; ``secondary``: that text in a mirror, restated by others, or somebody's reading
    of it; ``assumption``: no source; ``derived``: arithmetic on the others.
    """

    OFFICIAL = "official"
    SECONDARY = "secondary"
    ASSUMPTION = "assumption"
    DERIVED = "derived"


@dataclass(frozen=True)
class UsualUnit:
    """The unit that a field of a model usually has, for values that are added by path.

    It stands in the annotation of the field: ``Annotated[Value[int] | None, UsualUnit("days")]``.
    ``payers``: the keys of a :class:`Keyed` are levels and payers, which the model checks, so that others may be added.
    """

    unit: str
    payers: bool = False


class Strict(BaseModel):
    """Unknown keys are errors, numbers are finite; values are immutable once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Evident(Strict):
    """What every parameter carries beside its value."""

    unit: str
    source: str
    evidence: Evidence
    effective_from: date | None = None
    effective_to: date | None = None
    note: str = ""

    @property
    def shown(self) -> Any:
        """What lists of parameters show as the value: all numbers that stand under one evidence."""
        return {name: getattr(self, name) for name in type(self).model_fields if name not in Evident.model_fields}


class Value(Evident, Generic[T]):
    """One value."""

    value: T

    @property
    def shown(self) -> T:
        """The value."""
        return self.value


def _text_keys(values: Any) -> Any:
    return {str(key): value for key, value in values.items()} if isinstance(values, dict) else values


class Keyed(Evident):
    """Numbers by ``level``, ``insurance``, ``level/insurance`` or another key of the parameter; ``*`` stands for all others.

    A level is 1, 2, 3 or, where a city splits levels, level and grade such as 3a; the nearest key wins: 3a/employee,
    3a, 3/employee, 3, employee, ``*``. ``earlier`` holds what was in force before ``effective_from``, the newest first; the
    date of discharge chooses.
    """

    values: Annotated[dict[str, float], BeforeValidator(_text_keys)]
    earlier: tuple[Keyed, ...] = ()

    @property
    def shown(self) -> dict[str, float]:
        """Key -> value."""
        return self.values

    @model_validator(mode="after")
    def _dates_fall(self) -> Keyed:
        starts = [self.effective_from, *(entry.effective_from for entry in self.earlier)]
        if any(start is None for start in starts[:-1]):
            raise ValueError(text("values that replaced earlier ones need effective_from; only the first may lack it"))
        known = [start for start in starts if start is not None]
        if any(newer <= older for newer, older in pairwise(known)):
            raise ValueError(text("earlier values stand from the newest to the oldest, each with an earlier effective_from"))
        return self


class Source(Strict):
    """Where values come from, and how it was read."""

    title: str
    read_in: str = ""
    url: str | None = None

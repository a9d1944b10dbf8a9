"""Which national scheme is in force on a date of discharge, as the packs state it (``[in_force]`` in ``scheme.toml``)."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drgsim.assets import asset_root
from drgsim.errors import SchemeError
from drgsim.language import joined, text
from drgsim.units.schemes.pack import AUTO as AUTO
from drgsim.units.schemes.pack import pack_ids, read_settings

_EPOCH = date(1970, 1, 1).toordinal()


class InForce(NamedTuple):
    """A scheme and the first date of discharge that it is in force for; ``source`` says where that stands."""

    scheme: str
    start: date
    source: str


class NationalSchemes(NamedTuple):
    """The national schemes in the order of their dates, and the place of the one that takes records without a date."""

    schemes: tuple[InForce, ...]
    without_date: int

    def places(self, days: NDArray[np.float64]) -> NDArray[np.int8]:
        """Place of the scheme for each date of discharge (days since 1970, NaN where missing).

        A date before the first scheme has the first one, a missing one ``without_date``.
        """
        starts = np.array([each.start.toordinal() - _EPOCH for each in self.schemes], np.float64)
        found = np.maximum(np.searchsorted(starts, days, side="right") - 1, 0)
        return np.where(np.isnan(days), self.without_date, found).astype(np.int8)

    def words(self) -> str:
        """Which dates of discharge each scheme takes.

        Examples
        --------
        >>> national_schemes().words()
        'chs-drg-2.0 before 2027-01-01, chs-drg-3.0 from 2027-01-01'
        """
        first, *later = self.schemes
        until = text("{scheme} before {end}", scheme=first.scheme, end=later[0].start) if later else first.scheme
        return joined(", ", [until, *(text("{scheme} from {start}", scheme=each.scheme, start=each.start) for each in later)])


def national_schemes() -> NationalSchemes:
    """The national DRG schemes that ship with drgsim, by date.

    Examples
    --------
    >>> [each.scheme for each in national_schemes().schemes]
    ['chs-drg-2.0', 'chs-drg-3.0']

    Raises
    ------
    SchemeError
        ``scheme-none-in-force`` when no pack, or none for records without a date, says that it is in force.
    """
    return _national(asset_root("groupers"))


def undated_scheme() -> str:
    """The national scheme where there is no date of discharge to choose by.

    Examples
    --------
    >>> undated_scheme()
    'chs-drg-2.0'
    """
    national = national_schemes()
    return national.schemes[national.without_date].scheme


@lru_cache(maxsize=4)
def _national(root: Path) -> NationalSchemes:
    found: list[InForce] = []
    undated = ""
    for name in pack_ids("drg"):
        stated = read_settings(root / name).get("in_force", {})
        if stated.get("area") == "national":
            found.append(InForce(name, date.fromisoformat(stated["from"]), stated.get("source", "")))
            undated = name if stated.get("without_date") else undated
    found.sort(key=lambda each: each.start)
    names = [each.scheme for each in found]
    if undated not in names:
        raise SchemeError.single(
            "scheme-none-in-force", text("no scheme says that it takes records without a date of discharge"), where=str(root),
            fix=text("write without_date = true below [in_force] of one national scheme"),
        )  # fmt: skip
    return NationalSchemes(tuple(found), names.index(undated))

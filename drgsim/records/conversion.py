"""Codes of another edition (国临版) to the edition of the schemes (医保版 2.0), by the published maps.

Conversion happens only when asked for: some codes stand in both editions and mean different things, so that a file cannot
be converted by guess. Codes without a counterpart stay unknown, even where 医保版 has a code of the same spelling.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import yaml
from numpy.typing import NDArray

from drgsim.assets import asset_root
from drgsim.errors import Problem, UsageError, did_you_mean
from drgsim.language import joined, text
from drgsim.records.arrow import to_text
from drgsim.records.code_dictionaries import EMPTY, OWN_VERSION, UNKNOWN, CodeList, national_codes
from drgsim.records.code_mending import mend_lists, read_codes
from drgsim.records.damaged_codes import restored_text
from drgsim.records.encode import CodeTable, EncodedLists, build_code_table, encode_lists

MOST_SAMPLES = 20  # distinct codes without a counterpart that a report names
_UNMAPPED = "国临"  # stands before a code without a counterpart, so that no dictionary finds it


@lru_cache(maxsize=1)
def code_versions() -> dict[str, dict[str, str]]:
    """Editions that can be converted, by name: title, zh, and the files of the maps."""
    entries: dict[str, dict[str, str]] = yaml.safe_load((_folder() / "versions.yaml").read_text(encoding="utf-8"))
    return entries


def _folder() -> Any:
    return asset_root("groupers") / "icd"


def check_version(name: str) -> Problem | None:
    """What is wrong with a ``--code-version``, if anything."""
    known = [OWN_VERSION, *code_versions()]
    if name in known:
        return None
    near, listed = did_you_mean(name, known), text("known are {known}", known=", ".join(known))
    fix = joined(" ", [near, listed]) if near else listed
    return Problem(
        "code-version-unknown", text("there is no code version {name!r}", name=name), where="--code-version", fix=fix
    )


@dataclass(frozen=True, eq=False)
class CodeMap:
    """A map of one kind of code.

    Attributes
    ----------
    codes
        The codes of the other edition in the order of the map.
    target
        By number in ``codes``: id in the national dictionary.
    changed
        By number: the counterpart is spelled otherwise.
    other_meaning
        By number: 医保版 has a code of the same spelling, which is not the counterpart.
    """

    codes: CodeList
    target: NDArray[np.int32]
    changed: NDArray[np.bool_]
    other_meaning: NDArray[np.bool_]

    @cached_property
    def table(self) -> CodeTable:
        """Lookup of spelled codes."""
        return build_code_table(self.codes)

    @cached_property
    def _remap(self) -> NDArray[np.int32]:
        """By number + 2: EMPTY and UNKNOWN stay what they are."""
        return np.concatenate([np.array([EMPTY, UNKNOWN], np.int32), self.target])

    def encode(self, column: pa.Array) -> tuple[EncodedLists, NDArray[np.int64]]:
        """Lists of a column as numbers of this map, and rows with halves of pairs joined."""
        return mend_lists(column, encode_lists(column, self.table), self.table, self.codes)

    def counterparts(self, own: EncodedLists) -> EncodedLists:
        """Lists of numbers of this map as ids of the national dictionary."""
        return EncodedLists(self._remap[own.ids + 2], own.offsets)

    def convert(self, code: str, national: CodeList) -> str:
        """The counterpart of a code; one that no dictionary finds when there is none."""
        number = self.codes.find(code)
        if number == EMPTY:
            return ""
        return national.codes[int(self.target[number])] if number >= 0 else _UNMAPPED + code

    def counterpart(self, code: str, national: CodeList) -> str:
        """The counterpart of a code, empty when there is none."""
        number = self.codes.find(code)
        return national.codes[int(self.target[number])] if number >= 0 else ""

    def sources(self, national_id: int) -> list[str]:
        """Codes of the other edition whose counterpart is this one."""
        return [self.codes.codes[number] for number in np.flatnonzero(self.target == national_id)]


@dataclass
class KindReport:
    """What conversion did to one kind of code; counts are exact, counted by occurrence."""

    occurrences: NDArray[np.int64]  # by number in the map
    codes: int = 0
    without: int = 0
    samples: Counter[str] = field(default_factory=Counter)
    capped: bool = False


@dataclass
class Conversion:
    """The maps of an edition for both kinds of code."""

    version: str
    title: str
    title_zh: str
    maps: Mapping[str, CodeMap]

    def text(self, column: str, codes: Any) -> str:
        """A code list, spelled in the edition of the schemes."""
        national = getattr(national_codes(), column)
        text = codes if isinstance(codes, str) else "|".join(code or "" for code in codes or ())
        own = self.maps[column]
        text = restored_text(text, own.codes) if column == "procedures" else text
        return "|".join(own.convert(code, national) for code in read_codes(text, own.codes))


class ConversionReport:
    """Counts what conversion did, batch by batch; reports of batches add up in any order."""

    def __init__(self, conversion: Conversion) -> None:
        self.conversion = conversion
        self.kinds = {name: KindReport(np.zeros(len(map_.codes.codes), np.int64)) for name, map_ in conversion.maps.items()}

    def count(self, name: str, column: pa.Array, own: EncodedLists) -> None:
        """Count a batch: its column and the numbers that :meth:`CodeMap.encode` read from it."""
        kind = self.kinds[name]
        kind.codes += int((own.ids != EMPTY).sum())
        kind.occurrences += np.bincount(own.ids[own.ids >= 0], minlength=len(kind.occurrences))
        without = own.ids == UNKNOWN
        kind.without += int(without.sum())
        if without.any() and not kind.capped:
            rows = np.flatnonzero(np.add.reduceat(np.append(without, False), own.offsets[:-1]) * (np.diff(own.offsets) > 0))
            self._sample(kind, self.conversion.maps[name].codes, column, rows)

    def _sample(self, kind: KindReport, codes: CodeList, column: pa.Array, rows: NDArray[np.int64]) -> None:
        for cell in to_text(column.take(pa.array(rows))).to_pylist():
            for code in read_codes(cell or "", codes):
                if code and codes.find(code) == UNKNOWN:
                    if code not in kind.samples and len(kind.samples) == MOST_SAMPLES:
                        kind.capped = True
                        return
                    kind.samples[code] += 1

    def add(self, other: ConversionReport) -> None:
        """Add the counts of another report."""
        for name, kind in self.kinds.items():
            theirs = other.kinds[name]
            kind.occurrences += theirs.occurrences
            kind.codes += theirs.codes
            kind.without += theirs.without
            kind.capped |= theirs.capped
            for code, number in theirs.samples.items():
                if code in kind.samples or len(kind.samples) < MOST_SAMPLES:
                    kind.samples[code] += number
                else:
                    kind.capped = True

    def to_dict(self) -> dict[str, Any]:
        """Plain values: exact counts, the most frequent changes, and samples of codes without a counterpart."""
        book = national_codes()
        values: dict[str, Any] = {"from": self.conversion.version, "to": OWN_VERSION}
        for name, kind in self.kinds.items():
            map_, national = self.conversion.maps[name], getattr(book, name)
            changes = np.where(map_.changed, kind.occurrences, 0)
            most = np.argsort(-changes, kind="stable")[:MOST_SAMPLES]
            values[name] = {
                "codes": kind.codes,
                "changed": int(changes.sum()),
                "distinct_changed": int((changes > 0).sum()),
                "meaning_differs": int(kind.occurrences[map_.other_meaning].sum()),
                "without_counterpart": kind.without,
                "most_changed": [
                    {
                        "from": map_.codes.codes[at],
                        "to": national.codes[map_.target[at]],
                        "meaning_differs": bool(map_.other_meaning[at]),
                        "occurrences": int(changes[at]),
                    }
                    for at in most
                    if changes[at]
                ],
                "without_counterpart_samples": sorted(kind.samples),
                "samples_capped": kind.capped,
                "samples_known_in_yb2": sum(national.find(code) >= 0 for code in kind.samples),
            }
        return values


@lru_cache(maxsize=4)
def conversion_from(version: str) -> Conversion | None:
    """The maps of an edition; None for the edition of the schemes.

    Raises
    ------
    UsageError
        When there are no maps for it.
    """
    if version == OWN_VERSION:
        return None
    problem = check_version(version)
    if problem:
        raise UsageError([problem])
    entry = code_versions()[version]
    book = national_codes()
    maps = {name: _read_map(entry[name], getattr(book, name)) for name in ("diagnoses", "procedures")}
    return Conversion(version, entry["title"], entry["zh"], maps)


def _read_map(file: str, national: CodeList) -> CodeMap:
    with (_folder() / file).open(encoding="utf-8", newline="") as stream:
        pairs = [(row["from"], row["to"]) for row in csv.DictReader(stream)]
    numbers = {code: number for number, code in enumerate(national.codes)}
    own = CodeList(tuple(code for code, _ in pairs), ("",) * len(pairs), frozenset())
    changed = np.array([code != to for code, to in pairs], np.bool_)
    known = np.array([code in numbers for code, _ in pairs], np.bool_)
    return CodeMap(own, np.array([numbers[to] for _, to in pairs], np.int32), changed, changed & known)

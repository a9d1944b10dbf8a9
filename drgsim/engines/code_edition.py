"""Which edition the codes of a file are of, by the share that each dictionary knows: a question to the user, never an answer.

Many codes stand in several editions, some with another meaning, so that nothing is converted by guess. There is no published
list of 医保版 1.0 among the dictionaries. What a file in it shows is known all the same: most codes are those of 2.0, and the
rest have the form of national codes and stand under headings of 2.0, in no edition that is known. Codes that a hospital added
in the same form look alike, and the question says so.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import pyarrow as pa

from drgsim.errors import Problem
from drgsim.language import text
from drgsim.records.arrow import one_chunk
from drgsim.records.code_dictionaries import EMPTY, OWN_VERSION, CodeList, fold, national_codes, split_codes
from drgsim.records.conversion import code_versions, conversion_from
from drgsim.records.encode import CodeTable, encode_lists, lists_of, records_with_unknown
from drgsim.units.batch_grouper import GroupCounts, GroupsBatches

_FORMS = {
    "diagnoses": re.compile(r"[A-Z]\d{2}\.(?:\d{3}|X\d{2})(?:X\d{3})?(?:\+[A-Z]\d{2}\.\d\*)?"),
    "procedures": re.compile(r"\d{2}\.\d(?:\d{3}|X\d{2})(?:X\d{3})?"),
}
_HEADING = {"diagnoses": 5, "procedures": 4}  # characters of a heading: I21.0, 36.0
_SAMPLES = 3
_UNKNOWN_WARNINGS = ("principal_unknown_code", "other_diagnosis_unknown", "procedure_unknown")
# ours: below these shares a file simply has some codes of its own
WORTH_A_LOOK = 0.02  # of the records with an unknown code
FEWER_UNKNOWN = 0.5  # another edition leaves at most this part of the unknown codes unknown
LEAST_CODES = 20  # below these a share says little
NO_EDITION = 0.2  # of the codes that no edition knows
KINDRED = 0.8  # of the codes that no edition knows have the form and the headings of national ones
LEAST_KINDRED = 5


@dataclass(frozen=True)
class EditionHits:
    """How many of the codes of a sample of records each edition knows.

    Attributes
    ----------
    codes
        Number of codes that were looked up.
    known
        Name of the edition -> codes that it knows.
    kindred
        Codes that no edition knows, of the form of national codes and under headings of 医保版 2.0.
    samples
        Some of these.
    """

    codes: int
    known: dict[str, int]
    kindred: int = 0
    samples: tuple[str, ...] = ()

    def question(self) -> Problem | None:
        """What to ask, if anything."""
        if self.codes < LEAST_CODES:
            return None
        unknown = {name: self.codes - known for name, known in self.known.items()}
        best = min(unknown, key=lambda name: unknown[name])
        shares = ", ".join(f"{_title(name)} {known / self.codes:.1%}" for name, known in self.known.items())
        if best != OWN_VERSION and unknown[best] <= FEWER_UNKNOWN * unknown[OWN_VERSION]:
            what = text("the codes look like {best} (known codes: {shares})", best=_title(best), shares=shares)
            why = text("codes of another edition go without a group, and some mean something else in 医保版 2.0")
            return Problem("code-edition", what, why=why, fix=text("if they are, group with --code-version {best}", best=best))
        if self.kindred >= max(LEAST_KINDRED, WORTH_A_LOOK * self.codes, KINDRED * unknown[OWN_VERSION]):
            what = text(
                "are the codes 医保版 1.0? {kindred:.1%} of them are in no edition that drgsim knows, of the form "
                "and headings of 医保版 2.0: {samples} (known codes: {shares})",
                kindred=self.kindred / self.codes,
                samples=", ".join(self.samples),
                shares=shares,
            )
            why = text("drgsim has no list of 1.0: these may be codes that 2.0 has no more, or that the hospital added")
            fix = text(
                "ask which edition the file is in and export 医保版 2.0; drgsim validate lists the codes with suggestions"
            )
            return Problem("code-edition-1.0", what, why=why, fix=fix)
        if unknown[best] > NO_EDITION * self.codes:
            what = text("many codes are of no edition that drgsim knows (known codes: {shares})", shares=shares)
            fix = text("are they codes of the hospital? Export 医保版 2.0; drgsim validate lists them with suggestions")
            return Problem("code-edition-unclear", what, fix=fix)
        return None

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        question = self.question()
        values = {"codes": self.codes, "known": self.known, "kindred": self.kindred}
        return values | {"question": asdict(question) if question else None}


def _title(version: str) -> str:
    return "医保版 2.0" if version == OWN_VERSION else code_versions()[version]["zh"]


def many_unknown(counts: GroupCounts) -> bool:
    """Whether so many records have unknown codes that the edition may be another one."""
    most = max(counts.warnings[code] for code in _UNKNOWN_WARNINGS)
    return most > WORTH_A_LOOK * counts.records


def edition_hits(batches: Iterable[pa.RecordBatch | pa.Table], grouper: GroupsBatches) -> EditionHits | None:
    """Look up the codes of the first batch in every edition; None where there are none, or where they are converted already."""
    batch = next(iter(batches), None)
    if batch is None or grouper.conversion is not None:
        return None
    own = {"diagnoses": grouper.compiled.diagnoses, "procedures": grouper.compiled.procedures}
    tables: dict[str, dict[str, CodeTable]] = {OWN_VERSION: own}
    for version in code_versions():
        conversion = conversion_from(version)
        assert conversion is not None
        tables[version] = {name: map_.table for name, map_ in conversion.maps.items()}
    known, codes, kindred = dict.fromkeys(tables, 0), 0, Counter[str]()
    for name in own:
        column = one_chunk(batch, name)
        kindred += _kindred(column, name, own[name])
        for version, table in tables.items():
            ids = encode_lists(column, table[name]).ids
            known[version] += int((ids >= 0).sum())
            codes += int((ids != EMPTY).sum()) if version == OWN_VERSION else 0
    samples = tuple(code for code, _ in kindred.most_common(_SAMPLES))
    return EditionHits(codes, known, kindred.total(), samples) if codes else None


@lru_cache(maxsize=2)
def _headings(name: str) -> frozenset[str]:
    """Headings of the national codes of a kind."""
    codes: CodeList = getattr(national_codes(), name)
    return frozenset(fold(code)[: _HEADING[name]] for code in codes.codes)


def _kindred(column: pa.Array, name: str, table: CodeTable) -> Counter[str]:
    """Codes that no edition knows, of the form of national ones and under a heading of 医保版 2.0, with their numbers."""
    national: CodeList = getattr(national_codes(), name)
    editions = [conversion.maps[name].codes for version in code_versions() if (conversion := conversion_from(version))]
    headings = _headings(name)
    found: Counter[str] = Counter()
    for cell in lists_of(column, records_with_unknown(encode_lists(column, table))).to_pylist():
        for code in split_codes(cell):
            kin = code[: _HEADING[name]] in headings and _FORMS[name].fullmatch(code)
            if kin and all(codes.find(code) < 0 for codes in (national, *editions)):
                found[national.canonical(code)] += 1
    return found

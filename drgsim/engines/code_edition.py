"""Which edition the codes of a file are of, by the share that each dictionary knows: a question to the user, never an answer.

Many codes stand in several editions, some with another meaning, so that nothing is converted by guess.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from drgsim.errors import Problem
from drgsim.records.arrow import one_chunk
from drgsim.records.code_dictionaries import EMPTY, OWN_VERSION
from drgsim.records.conversion import code_versions, conversion_from
from drgsim.records.encode import CodeTable, encode_lists
from drgsim.units.batch_grouper import BatchGrouper, GroupCounts

_UNKNOWN_WARNINGS = ("principal_unknown_code", "other_diagnosis_unknown", "procedure_unknown")
# ours: below these shares a file simply has some codes of its own
WORTH_A_LOOK = 0.02  # of the records with an unknown code
FEWER_UNKNOWN = 0.5  # another edition leaves at most this part of the unknown codes unknown
LEAST_CODES = 20  # below these a share says little
NO_EDITION = 0.2  # of the codes that no edition knows


@dataclass(frozen=True)
class EditionHits:
    """How many of the codes of a sample of records each edition knows.

    Attributes
    ----------
    codes
        Number of codes that were looked up.
    known
        Name of the edition -> codes that it knows.
    """

    codes: int
    known: dict[str, int]

    def question(self) -> Problem | None:
        """What to ask, if anything."""
        if self.codes < LEAST_CODES:
            return None
        unknown = {name: self.codes - known for name, known in self.known.items()}
        best = min(unknown, key=lambda name: unknown[name])
        shares = ", ".join(f"{_title(name)} {known / self.codes:.1%}" for name, known in self.known.items())
        if best != OWN_VERSION and unknown[best] <= FEWER_UNKNOWN * unknown[OWN_VERSION]:
            what = f"the codes look like {_title(best)} (known codes: {shares})"
            why = "codes of another edition go without a group, and some mean something else in 医保版 2.0"
            return Problem("code-edition", what, why=why, fix=f"if they are, group with --code-version {best}")
        if unknown[best] > NO_EDITION * self.codes:
            what = f"many codes are of no edition that drgsim knows (known codes: {shares})"
            fix = "are they 医保版 1.0 or codes of the hospital? Export 医保版 2.0; drgsim validate lists them with suggestions"
            return Problem("code-edition-unclear", what, fix=fix)
        return None

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        question = self.question()
        return {"codes": self.codes, "known": self.known, "question": asdict(question) if question else None}


def _title(version: str) -> str:
    return "医保版 2.0" if version == OWN_VERSION else code_versions()[version]["zh"]


def many_unknown(counts: GroupCounts) -> bool:
    """Whether so many records have unknown codes that the edition may be another one."""
    most = max(counts.warnings[code] for code in _UNKNOWN_WARNINGS)
    return most > WORTH_A_LOOK * counts.records


def edition_hits(batches: Iterable[pa.RecordBatch | pa.Table], grouper: BatchGrouper) -> EditionHits | None:
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
    known, codes = dict.fromkeys(tables, 0), 0
    for name in own:
        column = one_chunk(batch, name)
        for version, table in tables.items():
            ids = encode_lists(column, table[name]).ids
            known[version] += int((ids >= 0).sum())
            codes += int((ids != EMPTY).sum()) if version == OWN_VERSION else 0
    return EditionHits(codes, known) if codes else None

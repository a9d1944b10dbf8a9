"""What a few records say, in words: codes with their names, and what a coder would check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.accounts.settled_cases import SettledCases
from drgsim.engines.grouper_of import means_dip
from drgsim.engines.in_memory import group_cases
from drgsim.quality.checked_grouper import checked_grouper
from drgsim.records.arrow import one_chunk, to_text
from drgsim.records.case_table import as_case_table
from drgsim.records.code_dictionaries import OWN_VERSION, CodeList, national_codes
from drgsim.records.input_options import GROUPING, InputOptions

SEPARATORS = "|;；,，、"


@dataclass(frozen=True)
class RecordTexts:
    """Texts of some records, in their order.

    Attributes
    ----------
    diagnoses, procedures
        Codes with their names, the principal one first.
    checks
        What a coder would look at: the code of the rule, and the codes and groups that are concerned.
    """

    diagnoses: list[list[tuple[str, str]]]
    procedures: list[list[tuple[str, str]]]
    checks: list[list[tuple[str, str]]]


def record_texts(cases: SettledCases, places: NDArray[np.int64]) -> RecordTexts:
    """Texts of the records at some places."""
    table = cases.table.take(pa.array(places))
    lists = {name: [named_codes(cell, name) for cell in cells_of(table, name)] for name in ("diagnoses", "procedures")}
    if cases.code_version != OWN_VERSION:  # a code may mean something else there
        lists = {name: [[(code, "") for code, _ in codes] for codes in cells] for name, cells in lists.items()}
    return RecordTexts(lists["diagnoses"], lists["procedures"], checks_of(cases, table))


def cells_of(table: pa.Table, name: str) -> list[str]:
    """Texts of a column; empty ones where it is not there or blank."""
    if name not in table.column_names:
        return [""] * table.num_rows
    return [cell or "" for cell in to_text(one_chunk(table, name), name).cast(pa.string()).to_pylist()]


def named_codes(cell: str, kind: str) -> list[tuple[str, str]]:
    """Codes of a cell of ``diagnoses`` or ``procedures`` with their names; those that no dictionary knows have none.

    Examples
    --------
    >>> named_codes("I10.x00x002|?", "diagnoses")
    [('I10.x00x002', '高血压'), ('?', '')]
    """
    for separator in SEPARATORS[1:]:
        cell = cell.replace(separator, SEPARATORS[0])
    codes, names = _named(kind)
    return [(code, names.get(codes.canonical(code), "")) for code in map(str.strip, cell.split(SEPARATORS[0])) if code]


def in_words(codes: Sequence[tuple[str, str]]) -> str:
    """Codes with their names as one text."""
    return "; ".join(f"{code} {name}".strip() for code, name in codes)


@lru_cache(maxsize=2)
def _named(kind: str) -> tuple[CodeList, Mapping[str, str]]:
    """A national dictionary, and the name of each of its codes."""
    codes: CodeList = getattr(national_codes(), kind)
    return codes, dict(zip(codes.codes, codes.names, strict=True))


def name_of(code: str, kind: str) -> str:
    """Name of a code of ``diagnoses`` or ``procedures``; empty where the dictionary has none."""
    return _named(kind)[1].get(code, "")


def checks_of(cases: SettledCases, table: pa.Table) -> list[list[tuple[str, str]]]:
    """What a coder would check in each of some records of the cases; nothing where the records hold no codes or go by DIP."""
    schemes = cases.schemes
    nothing: list[list[tuple[str, str]]] = [[] for _ in range(table.num_rows)]
    if len(schemes) != 1 or means_dip(schemes[0]) or "diagnoses" not in table.column_names or not table.num_rows:
        return nothing
    answers, _ = group_cases(
        as_case_table(table, InputOptions(), GROUPING), checked_grouper(schemes[0], cases.code_version), cases.code_version
    )
    details = cells_of(answers, "coding_details")
    return [_checks(codes, said) for codes, said in zip(cells_of(answers, "coding_checks"), details, strict=True)]


def _checks(codes: str, said: str) -> list[tuple[str, str]]:
    """Rules with their details, which stand after the title of each.

    Examples
    --------
    >>> _checks("principal_unknown_code|other", "unknown: J40.x → J40.x00?|other")
    [('principal_unknown_code', 'J40.x → J40.x00?'), ('other', '')]
    """
    rules, lines = codes.split("|") if codes else [], said.split("|")
    if len(lines) != len(rules):
        lines = [""] * len(rules)
    return [(rule, line.partition(": ")[2]) for rule, line in zip(rules, lines, strict=True)]

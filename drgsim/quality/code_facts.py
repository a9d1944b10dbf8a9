"""What the classifications and a scheme know about single codes, as arrays by code id + 2 (EMPTY and UNKNOWN know nothing)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drgsim.quality.quality_rules import code_ranges
from drgsim.records.code_dictionaries import CodeList, fold
from drgsim.units.schemes.one_sex_codes import one_sex_diagnoses
from drgsim.units.schemes.rule_lowering import WORD
from drgsim.units.schemes.scheme import Scheme
from drgsim.units.schemes.scheme_lowering import CompiledScheme

MALE, FEMALE = 1, 2
_IDS_BEFORE = 2  # EMPTY and UNKNOWN


@dataclass(frozen=True)
class CodeFacts:
    """Facts by code id + 2.

    Attributes
    ----------
    sex, principal_sex, procedure_sex
        1 male, 2 female, 0 both: of a diagnosis anywhere, of a principal one (the scheme's rules included), of a procedure.
    newborn, childbearing
        Diagnoses of ICD-10 chapters XVI and XV.
    """

    sex: NDArray[np.int8]
    principal_sex: NDArray[np.int8]
    procedure_sex: NDArray[np.int8]
    newborn: NDArray[np.bool_]
    childbearing: NDArray[np.bool_]


def in_ranges(code: str, ranges: Iterable[str]) -> bool:
    """Whether a code falls into one of the ranges, which compare as many characters as they state.

    Examples
    --------
    >>> in_ranges("N98.900", ["N70-N98"]), in_ranges("D07.400", ["D07.0-D07.3", "D06"]), in_ranges("60.2100", ["60-64"])
    (True, False, True)
    """
    for text in ranges:
        first, _, last = text.partition("-")
        last = last or first
        if first <= code[: len(first)] and code[: len(last)] <= last:
            return True
    return False


def marked_codes(codes: CodeList, fact: str) -> NDArray[np.bool_]:
    """By code id + 2: whether a code falls into the ranges of a fact of quality_rules.yaml."""
    ranges = code_ranges(fact)
    longest = max(len(end) for text in ranges for end in text.split("-"))
    heads = {head: in_ranges(head, ranges) for head in {code[:longest] for code in codes.codes}}
    marks = np.zeros(len(codes.codes) + _IDS_BEFORE, np.bool_)
    marks[_IDS_BEFORE:] = [heads[code[:longest]] for code in codes.codes]
    return marks


def code_facts(scheme: Scheme) -> CodeFacts:
    """Facts about the codes of a scheme's book; where ICD-10 is silent, the scheme's rules decide for a principal diagnosis."""
    diagnoses, procedures = scheme.book.diagnoses, scheme.book.procedures
    sex = _sexes(marked_codes(diagnoses, "male_diagnoses"), marked_codes(diagnoses, "female_diagnoses"))
    by_scheme = np.concatenate([np.zeros(_IDS_BEFORE, np.int8), one_sex_diagnoses(scheme)])
    return CodeFacts(
        sex=sex,
        principal_sex=np.where(sex == 0, by_scheme, sex).astype(np.int8),
        procedure_sex=_sexes(marked_codes(procedures, "male_procedures"), marked_codes(procedures, "female_procedures")),
        newborn=marked_codes(diagnoses, "newborn_diagnoses"),
        childbearing=marked_codes(diagnoses, "childbearing_diagnoses"),
    )


def _sexes(male: NDArray[np.bool_], female: NDArray[np.bool_]) -> NDArray[np.int8]:
    return np.select([male, female], [MALE, FEMALE], 0).astype(np.int8)


def is_asterisk(text: str) -> bool:
    """Whether a principal diagnosis that no dictionary lists is spelled as a manifestation code.

    Examples
    --------
    >>> is_asterisk("G01*"), is_asterisk("g01.x00"), is_asterisk("A01.002+G01*"), is_asterisk("I21.9")
    (True, True, False, False)
    """
    code = fold(text)
    return "+" not in code[1:] and (code.endswith("*") or in_ranges(code, code_ranges("asterisk_diagnoses")))


@dataclass(frozen=True)
class ProcedureFit:
    """For schemes without ambiguous groups: in which MDCs the surgical groups name a procedure.

    ``mdcs`` has one bit per MDC by procedure id + 2; ``mdc_bit`` the bit of the MDC that lists a principal diagnosis (0: none);
    ``surgical`` whether a DRG row is surgical, the last entry (no group) not: there the procedure found its group.
    """

    mdcs: NDArray[np.int64]
    mdc_bit: NDArray[np.int64]
    surgical: NDArray[np.bool_]


def procedure_fit(scheme: Scheme, compiled: CompiledScheme) -> ProcedureFit | None:
    """Tables for a scheme whose own groups cannot say that diagnosis and procedure do not fit; None where they can."""
    arrays = compiled.arrays
    if arrays.row_ambiguous.any() or len(compiled.mdc_codes) > WORD:
        return None
    mdc_of_class = np.zeros(len(arrays.op_bits), np.int64)
    surgical = [scheme.adrgs[code].kind == "surgical" for code in compiled.adrg_codes]
    for row in np.flatnonzero(surgical):
        word, shift = divmod(int(row), WORD)
        named = (arrays.op_rows_principal[:, word] >> np.int64(shift)) & 1 == 1
        mdc_of_class[named] |= np.int64(1) << np.int64(arrays.row_mdc[row])
    claimed = arrays.dx_mdc[arrays.dx_class]
    bit = np.where(claimed >= 0, np.int64(1) << np.maximum(claimed, 0).astype(np.int64), 0)
    of_drg = np.append(np.array(surgical, np.bool_)[arrays.drg_row], False)
    return ProcedureFit(mdc_of_class[arrays.op_class], bit, of_drg)

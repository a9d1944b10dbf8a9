"""Rules of every shape, compiled into a small scheme: the kernel decides each as the reference does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drgsim.records.code_dictionaries import CodeBook, CodeList
from drgsim.records.encode import encode_lists
from drgsim.units.drg.drg_grouper import SEVERITIES
from drgsim.units.drg.drg_kernel import EncodedForDrg, group_encoded
from drgsim.units.drg.drg_reference import Discharge, known_mdc, trace_discharge
from drgsim.units.schemes.rule_language import Always, Rule
from drgsim.units.schemes.scheme import Adrg, Drg, Mdc, Scheme
from drgsim.units.schemes.scheme_lowering import lower_scheme
from tests.test_rules import CODES, DISCHARGES, RULES

pytestmark = pytest.mark.jit_off
CODES_USED = ("36.0601", "50.5900", "00.6600", "11.1111")


@pytest.fixture(scope="module")
def tiny(scheme: Scheme) -> Scheme:
    """The real lists cut down to the codes of the test, so that a scheme compiles in a millisecond."""

    def cut(codes: CodeList, used: tuple[str, ...]) -> CodeList:
        return CodeList(tuple(c for c in codes.codes if c in used), ("",) * len(codes.codes), frozenset())

    book = CodeBook(cut(scheme.book.diagnoses, CODES), cut(scheme.book.procedures, CODES_USED))
    held = {*CODES, *CODES_USED}
    return replace(
        scheme,
        book=book,
        sets={name: codes & held for name, codes in scheme.sets.items()},
        severities={code: severity for code, severity in scheme.severities.items() if code in held},
        exclusions={name: codes & held for name, codes in scheme.exclusions.items()},
    )


def _scheme(base: Scheme, rules: list[tuple[Rule, Rule, Rule]], regroup: str) -> Scheme:
    mdcs = []
    for number, (mdc, adrg, drg) in enumerate(rules):
        code = f"T{number}"
        last = Drg(f"{code}9", code, "", drg)
        mdcs.append(Mdc(f"MDC{number}", "", mdc, (Adrg(code, f"MDC{number}", "", "medical", adrg, (last,)),)))
    return replace(base, id="test", mdcs=tuple(mdcs), regroup=regroup)


@settings(max_examples=60)
@given(
    rules=st.lists(st.tuples(st.one_of(st.just(Always()), RULES), RULES, RULES), min_size=1, max_size=4),
    discharges=st.lists(DISCHARGES.filter(lambda d: d.diagnoses), min_size=1, max_size=8),
    regroup=st.sampled_from(["", "each_other_procedure"]),
)
def test_kernel_equals_reference(
    tiny: Scheme, rules: list[tuple[Rule, Rule, Rule]], discharges: list[Discharge], regroup: str
) -> None:
    small = _scheme(tiny, rules, regroup)
    compiled = lower_scheme(small)
    dx = encode_lists(pa.array(["|".join(d.diagnoses) for d in discharges]), compiled.diagnoses)
    op = encode_lists(pa.array(["|".join(d.procedures) for d in discharges]), compiled.procedures)
    numbers = [(d.age, d.sex, d.age_days, d.birth_weight_g, d.los_days, d.icu_hours) for d in discharges]
    texts = np.zeros((len(discharges), 2), np.int64)
    for row, d in enumerate(discharges):
        for column, word in (("LYFS", d.discharge_way), ("RYKS", d.department)):
            for bit, words in enumerate(compiled.text_words[column]):
                texts[row, 0 if column == "LYFS" else 1] |= (word in words) << bit
    batch = EncodedForDrg(*dx, *op, np.array(numbers, np.float64), texts, np.zeros(len(discharges), np.bool_))
    grouped = group_encoded(compiled.arrays, batch)
    for row, discharge in enumerate(discharges):
        drg = grouped.drg[row]
        trace = trace_discharge(discharge, small)
        assert (compiled.drg_codes[drg] if drg >= 0 else "0000") == trace.drg
        assert SEVERITIES[grouped.severity[row]] == trace.severity
        if drg < 0:
            hint = grouped.mdc[row]
            assert (compiled.mdc_codes[hint] if hint >= 0 else "") == known_mdc(discharge, small)

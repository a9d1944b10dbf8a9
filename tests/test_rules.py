"""The rule language (docs/rule-language.md): what parses, what it prints as, and what an error says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drgsim.units.drg.drg_reference import Discharge, RecordFacts, evaluate_rule
from drgsim.units.schemes.rule_language import (
    COMPARISONS,
    NUMBER_VARIABLES,
    Always,
    And,
    CodeIn,
    Compare,
    CountCodes,
    CountSites,
    Not,
    Or,
    Rule,
    TextIn,
    all_of,
    any_of,
    print_rule,
    sets_of,
    variables_of,
)
from drgsim.units.schemes.rule_parser import RuleSyntaxError, parse_rule
from drgsim.units.schemes.scheme import Scheme


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("1", Always()),
        ("ZYZD in DI_B00", CodeIn(("ZYZD",), ("DI_B00",))),
        ("{ZYZD, QTZD} in DI_YR1", CodeIn(("ZYZD", "QTZD"), ("DI_YR1",))),
        ("QTZD in {MCC, CC}", CodeIn(("QTZD",), ("MCC", "CC"))),
        ("ZYSS not in OP_VALID", Not(CodeIn(("ZYSS",), ("OP_VALID",)))),
        ("XSRTL <= 28", Compare("XSRTL", "<=", 28)),
        ("LYFS in {2, 5}", TextIn("LYFS", ("2", "5"))),
        ("length(OP_X ∩ {ZYSS, QTSS}) >= 2", CountCodes(("OP_X",), ("ZYSS", "QTSS"), ">=", 2)),
        ("length({ZYSS, QTSS} ∩ OP_X) >= 2", CountCodes(("OP_X",), ("ZYSS", "QTSS"), ">=", 2)),
        ("sites(DI_1, DI_2; {ZYZD, QTZD}) >= 2", CountSites(("DI_1", "DI_2"), ("ZYZD", "QTZD"), ">=", 2)),
        ("not XB = 1", Not(Compare("XB", "=", 1))),
    ],
)
def test_every_shape_parses(text: str, rule: Rule) -> None:
    assert parse_rule(text) == rule


def test_not_binds_before_and_and_and_before_or() -> None:
    a, b, c = Compare("NL", ">", 1), Compare("NL", ">", 2), Compare("NL", ">", 3)
    assert parse_rule("not NL > 1 and NL > 2 or NL > 3") == Or((And((Not(a), b)), c))
    assert parse_rule("NL > 1 or NL > 2 and NL > 3") == Or((a, And((b, c))))
    assert parse_rule("(NL > 1 or NL > 2) and NL > 3") == And((Or((a, b)), c))


def test_quirks_of_the_workbook_are_survived() -> None:
    plain = parse_rule("ZYSS in OP_A or (NL >= 17 and QTZD in {MCC, CC})")
    assert parse_rule("ZYSS  IN OP_A_x000D_\r\n OR （NL≥17 AND QTZD in ｛MCC，CC｝）") == plain


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("ZYZD in OP_X", 8, "lists procedures"),
        ("ZYZD in", 7, "expected a set"),
        ("NL >", 4, "expected a number"),
        ("(ZYZD in DI_A", 13, r"expected '\)'"),
        ("ZYZD in DI_A xor 1", 13, "expected 'and', 'or'"),
        ("QTZD in {MCC, DI_A}", 9, "cannot be listed together"),
        ("ZYZD in MCC", 8, "QTZD only"),
        ("FOO in DI_A", 0, "unknown variable 'FOO'"),
        ("{ZYZD, ZYSS} in DI_A", 1, "cannot be mixed"),
        ("ZYZD in DI_A and @", 17, "unexpected character"),
        ("NL in {1}", 3, "expected a comparison"),
        ("", 0, "expected a variable"),
    ],
)
def test_errors_tell_the_place(text: str, position: int, words: str) -> None:
    with pytest.raises(RuleSyntaxError, match=words) as caught:
        parse_rule(text)
    assert caught.value.position == position


# random rules over a few sets of the real scheme
_DX_SETS = ("DI_B00", "DI_F00", "DI_FR2", "DI_P07")
_OP_SETS = ("OP_FM3", "OP_VALID", "OP_AB1")


def _variables(names: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.sampled_from([(names[0],), (names[1],), names])


def _sets(names: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True).map(tuple)


_DX, _OP = ("ZYZD", "QTZD"), ("ZYSS", "QTSS")
_NUMBER = st.one_of(
    st.sampled_from([0.0, 1.0, 2.0, 17.0, 28.0, 1500.0]), st.floats(0, 1e9, allow_nan=False).map(lambda x: float(f"{x:.7f}"))
)
_COMPARISON = st.sampled_from(COMPARISONS)
_TESTS = st.one_of(
    st.just(Always()),
    st.builds(CodeIn, _variables(_DX), _sets(_DX_SETS)),
    st.builds(CodeIn, _variables(_OP), _sets(_OP_SETS)),
    st.builds(CodeIn, st.just(("QTZD",)), st.sampled_from([("MCC",), ("CC",), ("MCC", "CC")])),
    st.builds(Compare, st.sampled_from(NUMBER_VARIABLES), _COMPARISON, _NUMBER),
    st.builds(TextIn, st.sampled_from(["LYFS", "RYKS"]), st.sampled_from([("5",), ("2", "5"), ("ICU",)])),
    st.builds(CountCodes, _sets(_OP_SETS), _variables(_OP), _COMPARISON, _NUMBER),
    st.builds(CountCodes, _sets(_DX_SETS), _variables(_DX), _COMPARISON, _NUMBER),
    st.builds(CountCodes, st.sampled_from([("MCC",), ("CC",), ("MCC", "CC")]), st.just(("QTZD",)), _COMPARISON, _NUMBER),
    st.builds(CountSites, _sets(_DX_SETS), _variables(_DX), _COMPARISON, _NUMBER),
)
RULES = st.recursive(
    _TESTS,
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=2, max_size=3).map(all_of),
        st.lists(inner, min_size=2, max_size=3).map(any_of),
    ),
    max_leaves=8,
)
CODES = ("I50.101", "I21.001", "P07.300", "G40.900", "N18.900", "J96.000", "Z99.999x999")
DISCHARGES = st.builds(
    Discharge,
    st.lists(st.sampled_from(CODES), max_size=4).map(tuple),
    st.lists(st.sampled_from(["36.0601", "50.5900", "00.6600", "11.1111"]), max_size=3).map(tuple),
    sex=st.sampled_from([None, 1.0, 2.0]),
    age=st.sampled_from([None, 0.0, 17.0, 65.0]),
    age_days=st.sampled_from([None, 0.0, 28.0, 29.0]),
    birth_weight_g=st.sampled_from([None, 0.0, 1499.0, 2500.0]),
    discharge_way=st.sampled_from(["", "1", "5"]),
    department=st.sampled_from(["", "ICU"]),
)


@given(rule=RULES)
def test_a_printed_rule_reads_back_equal(rule: Rule) -> None:
    again = parse_rule(print_rule(rule))
    assert again == rule
    assert sets_of(again) == sets_of(rule)
    assert variables_of(again) == variables_of(rule)


@given(rule=RULES, discharge=DISCHARGES)
def test_a_printed_rule_means_the_same(scheme: Scheme, rule: Rule, discharge: Discharge) -> None:
    facts = RecordFacts(scheme, discharge, discharge.procedures)
    assert evaluate_rule(parse_rule(print_rule(rule)), facts).holds == evaluate_rule(rule, facts).holds


def test_missing_values_as_the_format_defines_them(scheme: Scheme) -> None:
    facts = RecordFacts(scheme, Discharge(("I50.101",)), ())

    def holds(text: str) -> bool:
        return evaluate_rule(parse_rule(text), facts).holds

    assert not holds("NL = 0")
    assert not holds("NL > 0")
    assert not holds("XB <> 1")
    assert holds("not NL = 0")
    assert holds("ZYSS not in OP_VALID")
    assert not holds("ZYSS in OP_VALID")
    assert not holds("LYFS in {5}")

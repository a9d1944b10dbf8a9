"""What two schemes group differently, by their rules: planted differences, and brute force over small schemes."""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import drgsim
from drgsim.errors import UsageError
from drgsim.records.code_dictionaries import CodeBook, CodeList
from drgsim.units.drg.drg_reference import Discharge, trace_discharge
from drgsim.units.proof.scheme_proof import Witness, prove_schemes
from drgsim.units.schemes.rule_language import Rule
from drgsim.units.schemes.rule_parser import parse_rule
from drgsim.units.schemes.scheme import Adrg, Drg, Mdc, Scheme, Severity
from tests.commands import run

pytest.importorskip("pysat")

# -- small schemes against brute force --------------------------------------------------------------------------------
DX, OP = ("A00.000", "B00.000", "C00.000", "D00.000"), ("10.0000", "20.0000", "30.0000", "40.0000")  # the last in no list
BOOK = CodeBook(CodeList(DX, ("",) * 4, frozenset()), CodeList(OP, ("",) * 4, frozenset()))
AGES, SEXES = (None, 1, 3, 17, 45), (None, 1, 2)
TESTS = [
    "1", "ZYZD in DI_1", "ZYZD in {DI_1, DI_2}", "QTZD in DI_2", "{ZYZD, QTZD} in DI_3", "QTZD not in DI_1",
    "QTZD in MCC", "QTZD in CC", "QTZD in {MCC, CC}", "length({MCC, CC} ∩ QTZD) >= 2", "ZYSS in OP_1", "QTSS in OP_2",
    "{ZYSS, QTSS} in OP_1", "ZYSS not in {OP_1, OP_2}", "length(OP_3 ∩ {ZYSS, QTSS}) >= 2", "length(DI_3 ∩ {ZYZD, QTZD}) = 2",
    "length(OP_3 ∩ QTSS) < 2", "length(DI_2 ∩ {ZYZD, QTZD}) <> 1", "sites(DI_1, DI_2; {ZYZD, QTZD}) >= 2", "NL < 17",
    "NL <= 17", "NL >= 17", "XB = 1", "XB <> 1", "LYFS in {5}",
]  # fmt: skip
PARTS = st.sampled_from(TESTS)
RULES = st.one_of(
    PARTS, PARTS, st.builds("({} and {})".format, PARTS, PARTS), st.builds("({} or not ({}))".format, PARTS, PARTS)
).map(parse_rule)
SETS = st.fixed_dictionaries({
    **{f"DI_{n}": st.frozensets(st.sampled_from(DX[:3])) for n in (1, 2, 3)},
    **{f"OP_{n}": st.frozensets(st.sampled_from(OP[:3])) for n in (1, 2, 3)},
})  # fmt: skip
LEVELS = st.dictionaries(
    st.sampled_from(DX[:3]), st.builds(Severity, st.sampled_from(["MCC", "CC"]), st.sampled_from(["", "E"]))
)
EXCLUDED = st.frozensets(st.sampled_from(DX)).map(lambda codes: {"E": codes})
ROWS = st.lists(st.tuples(RULES, RULES, RULES), min_size=1, max_size=3)


def small(
    rows: list[tuple[Rule, Rule, Rule]], sets: Mapping[str, frozenset[str]], levels: Mapping[str, Severity],
    excluded: Mapping[str, frozenset[str]], regroup: str = "",
) -> Scheme:  # fmt: skip
    mdcs = []
    for number, (mdc, adrg, drg) in enumerate(rows):
        code = f"T{number}"
        drgs = (Drg(f"{code}1", code, "", drg), Drg(f"{code}9", code, "", parse_rule("NL > 1")))
        mdcs.append(Mdc(f"MDC{number}", "", mdc, (Adrg(code, f"MDC{number}", "", "medical", adrg, drgs),)))
    return Scheme(
        "small",
        "",
        "",
        "",
        "",
        "",
        (),
        (),
        ("small",),
        tuple(mdcs),
        sets,
        levels,
        excluded,
        {},
        regroup,
        "",
        {},
        BOOK,
        "",
        Path(),
    )


def records(most: int) -> Iterator[Discharge]:
    """Every record of so many codes, but for what no rule can tell."""
    for first, others in itertools.product(DX, range(most)):
        for more in itertools.combinations(DX, others):
            for number in range(most - others):
                for operated in itertools.permutations(OP, number):
                    yield from (
                        Discharge((first, *more), operated, sex, age, discharge_way=way)
                        for sex, age, way in itertools.product(SEXES, AGES, ("", "5"))
                    )
    # a procedure may be stated twice as well
    for first, code in itertools.product(DX, OP):
        yield from (
            Discharge((first,), (code, code), sex, age, discharge_way=way)
            for sex, age, way in itertools.product(SEXES, AGES, ("", "5"))
        )


def by_brute_force(first: Scheme, second: Scheme, most: int) -> dict[tuple[str, str], int]:
    """Pair of groups -> fewest codes of a record that has it."""
    found: dict[tuple[str, str], int] = {}
    for record in records(most):
        pair = trace_discharge(record, first).drg, trace_discharge(record, second).drg
        codes = len(record.diagnoses) + len(record.procedures)
        if pair[0] != pair[1]:
            found[pair] = min(codes, found.get(pair, codes))
    return found


@settings(max_examples=15, deadline=None)
@given(
    data=st.data(), regroup=st.sampled_from([("", ""), ("", ""), ("each_other_procedure", ""), ("each_other_procedure",) * 2])
)
def test_small_schemes_are_compared_as_by_brute_force(data: st.DataObject, regroup: tuple[str, str]) -> None:
    rows, sets, levels, excluded = (data.draw(each) for each in (ROWS, SETS, LEVELS, EXCLUDED))
    first = small(rows, sets, levels, excluded, regroup[0])
    what = data.draw(st.sampled_from(["nothing", "rows", "order", "sets", "levels", "excluded"]))
    other = {
        "rows": data.draw(ROWS) if what == "rows" else rows[::-1] if what == "order" else rows,
        "sets": data.draw(SETS) if what == "sets" else sets,
        "levels": data.draw(LEVELS) if what == "levels" else levels,
        "excluded": data.draw(EXCLUDED) if what == "excluded" else excluded,
    }
    second = small(**other, regroup=regroup[1])
    proof = prove_schemes(first, second)
    assert proof.complete
    proved = {(each.before.drg, each.after.drg): each.codes for each in proof.witnesses}
    brute = by_brute_force(first, second, 3)
    assert {pair: codes for pair, codes in proved.items() if codes <= 3} == brute
    if what == "nothing" and regroup[0] == regroup[1]:
        assert proof.equal


# -- differences planted in the national scheme -----------------------------------------------------------------------
def with_adrg(scheme: Scheme, code: str, **changes: object) -> Scheme:
    mdcs = [
        replace(mdc, adrgs=tuple(replace(adrg, **changes) if adrg.code == code else adrg for adrg in mdc.adrgs))  # type: ignore[arg-type]
        for mdc in scheme.mdcs
    ]
    return replace(scheme, mdcs=tuple(mdcs))


def only(scheme: Scheme, other: Scheme, **where: str) -> Witness:
    proof = prove_schemes(scheme, other, where)
    assert proof.complete
    assert proof.witnesses
    for witness in proof.witnesses:
        assert witness.before.drg != witness.after.drg
    return proof.witnesses[0]


def test_a_scheme_equals_itself_and_what_was_exported(scheme: Scheme, tmp_path: Path) -> None:
    assert drgsim.schemes_prove(scheme, scheme).equal
    run("schemes", "export", "chs-drg-2.0", str(tmp_path / "book.xlsx"))
    run("schemes", "import", str(tmp_path / "book.xlsx"), "--id", "copy", "--output", str(tmp_path / "copy"))
    assert drgsim.schemes_prove("chs-drg-2.0", tmp_path / "copy").equal


def test_a_scheme_that_groups_again_equals_itself_and_not_another() -> None:
    zhejiang = drgsim.load_scheme("zhejiang-2022")
    assert zhejiang.regroup == "each_other_procedure"
    assert prove_schemes(zhejiang, zhejiang).equal
    found = prove_schemes(zhejiang, replace(zhejiang, regroup=""), {"mdc": "F"}, most=3, level="adrg")
    assert [each.after.drg for each in found.witnesses] == ["0000"] * 3
    assert all(each.before.only_procedure and len(each.discharge.procedures) == 2 for each in found.witnesses)


def test_a_changed_rule_is_found(scheme: Scheme) -> None:
    rule = parse_rule("ZYZD in DI_FR1 and NL > 17")
    found = only(scheme, with_adrg(scheme, "FR1", rule=rule), mdc="F")
    assert found.codes == 1
    assert found.before.adrg == "FR1"
    assert found.discharge.age is None or found.discharge.age <= 17


def test_a_code_that_left_a_list_is_found(scheme: Scheme) -> None:
    sets = {**scheme.sets, "DI_FR1": scheme.sets["DI_FR1"] - {"I21.001"}}
    proof = prove_schemes(scheme, replace(scheme, sets=sets), {"mdc": "F"})
    assert proof.complete
    assert proof.witnesses
    assert {each.discharge.diagnoses[0] for each in proof.witnesses} == {"I21.001"}


def test_a_changed_level_needs_the_other_diagnosis(scheme: Scheme) -> None:
    levels = {**scheme.severities, "I50.101": Severity("CC", scheme.severities["I50.101"].exclusion)}
    assert scheme.severities["I50.101"].level == "MCC"
    found = only(scheme, replace(scheme, severities=levels), adrg="FR1")
    assert found.codes == 2
    assert found.discharge.diagnoses[1] == "I50.101"
    assert (found.before.severity, found.after.severity) == ("MCC", "CC")


def test_a_changed_exclusion_needs_both_diagnoses(scheme: Scheme) -> None:
    name = scheme.severities["I50.101"].exclusion
    excluded = {**scheme.exclusions, name: frozenset(scheme.exclusions.get(name, ())) | {"I21.001"}}
    found = only(scheme, replace(scheme, exclusions=excluded), adrg="FR1")
    assert found.codes == 2
    assert found.discharge.diagnoses[0] == "I21.001"
    assert scheme.severities[found.discharge.diagnoses[1]].exclusion == name


def test_another_order_of_rows_needs_a_record_of_both(scheme: Scheme) -> None:
    mdcs = list(scheme.mdcs)
    place = next(number for number, mdc in enumerate(mdcs) if mdc.code == "MDCF")
    adrgs = list(mdcs[place].adrgs)

    def reordered(rows: list[Adrg]) -> Scheme:
        return replace(scheme, mdcs=(*mdcs[:place], replace(mdcs[place], adrgs=tuple(rows)), *mdcs[place + 1 :]))

    first = next(adrg for adrg in adrgs if adrg.code == "FR1")
    proof = prove_schemes(
        scheme, reordered([first, *[adrg for adrg in adrgs if adrg is not first]]), {"mdc": "F"}, level="adrg"
    )
    assert proof.complete
    assert {each.after.adrg for each in proof.witnesses} == {"FR1"}
    assert {each.before.adrg: each.codes for each in proof.witnesses}["FM3"] == 2  # the diagnosis and the procedure
    assert all(each.discharge.procedures for each in proof.witnesses)
    # rows that ask for different principal procedures may change places
    assert [adrgs[1].code, adrgs[2].code] == ["FB2", "FC1"]
    assert prove_schemes(scheme, reordered([adrgs[0], adrgs[2], adrgs[1], *adrgs[3:]])).equal


def test_another_age_limit_is_found_at_the_limit(scheme: Scheme) -> None:
    one, two = (with_adrg(scheme, "FR1", rule=parse_rule(f"ZYZD in DI_FR1 and NL > {age}")) for age in (17, 18))
    found = only(one, two, dx="I21.001")
    assert (found.codes, found.discharge.age) == (1, 18)


def test_what_needs_more_codes_than_are_counted_is_found_too(scheme: Scheme, monkeypatch: pytest.MonkeyPatch) -> None:
    other = replace(scheme, severities={})
    counted = prove_schemes(scheme, other, {"adrg": "FD2"})
    assert max(each.codes for each in counted.witnesses) == 3  # the diagnosis, the operation and what was a CC
    monkeypatch.setattr("drgsim.units.proof.scheme_proof.BOUNDED", 0)
    found = prove_schemes(scheme, other, {"adrg": "FD2"})
    pairs = [{(each.before.drg, each.after.drg) for each in proof.witnesses} for proof in (counted, found)]
    assert counted.complete
    assert found.complete
    assert pairs[0] == pairs[1] != set()


def test_where_and_limits(scheme: Scheme) -> None:
    other = replace(scheme, severities={})
    assert prove_schemes(scheme, other, {"drg": "FR15"}, most=1).complete is False
    stopped = prove_schemes(scheme, other, seconds=0)
    assert (stopped.equal, stopped.complete, stopped.witnesses) == (False, False, [])
    for where, code in (
        ({"sex": "1"}, "prove-unknown-place"),
        ({"mdc": "FF"}, "prove-nowhere"),
        ({"dx": "?"}, "prove-nowhere"),
    ):
        with pytest.raises(UsageError) as caught:
            prove_schemes(scheme, other, where)
        assert caught.value.problems[0].code == code


# -- as a user calls it -----------------------------------------------------------------------------------------------
def test_the_command_tells_pairs_and_records_that_can_be_grouped(tmp_path: Path) -> None:
    target = tmp_path / "found.csv"
    call = ("schemes", "prove", "chs-drg-2.0", "beijing-2022", "--where", "dx=I20.0", "--where", "adrg=FR3", "-o", str(target))
    shown = run(*call, code=1).stdout
    assert "FR49" in shown
    assert "I20.000 不稳定型心绞痛" in shown
    assert max(len(line) for line in shown.splitlines()) <= 100
    assert "there are no others" in shown
    with target.open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    first = next(row for row in rows if row["before"] == "FR49")
    assert "DI_F00: I20.000" in first["before_lists"]
    assert "FR4: ZYZD in DI_FR4" in first["before_rules"]
    for name, side in (("chs-drg-2.0", "before"), ("beijing-2022", "after")):
        assert drgsim.group(target, name).to_arrow()["drg"].to_pylist() == [row[side] for row in rows]
    found = json.loads(run("schemes", "prove", "chs-drg-2.0", "chs-drg-2.0", "--json").stdout)
    assert (found["equal"], found["complete"], found["pairs"], found["differences"]) == (True, True, 0, [])
    assert "prove-nowhere" in run("schemes", "prove", "chs-drg-2.0", "chs-drg-1.1", "--where", "mdc=X1", code=2).stderr


def test_what_is_missing_without_the_extra_is_said(scheme: Scheme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pysat.solvers", None)
    with pytest.raises(UsageError, match="drgsim\\[prove\\]"):
        prove_schemes(scheme, scheme)

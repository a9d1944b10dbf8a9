"""What each setting of a DIP catalogue decides, on catalogues of a few lines; kernel and reference alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import drgsim
from drgsim.authoring.dip.catalogue_writer import catalogue_files, write_catalogue
from drgsim.errors import SchemeError
from drgsim.units.dip.catalogue_files import load_catalogue
from drgsim.units.dip.dip_catalogue import Catalogue, Kind, Level
from drgsim.units.dip.dip_explanation import explain_kind
from drgsim.units.dip.excluded_codes import ExcludedCodes
from drgsim.units.dip.primary_care import PrimaryCareLine
from drgsim.units.schemes.rule_parser import parse_rule

HEAD = {"id": "small", "title": "Small", "title_zh": "小目录", "evidence": "assumption", "sources": ["made up for tests"]}
STENT, ANGIOGRAPHY, IVUS, VENTILATOR = "36.0700", "37.2200", "00.2401", "96.7201"


def catalogue_of(folder: Path, kinds: Sequence[Kind], levels: Sequence[Level] = (), **settings: Any) -> Catalogue:
    blocks = {name: settings.pop(name) for name in ("auxiliary", "counts") if name in settings}
    return write_catalogue(folder / "small", catalogue_files({**HEAD, "matching": settings, **blocks}, kinds, levels))


def kind_of(catalogue: Catalogue, procedures: str = "", diagnoses: str = "I21.001", **more: Any) -> str:
    """The kind that a record gets, the same from kernel and reference."""
    record = {"discharge_id": 1, "sex": 1, "age": 60, "diagnoses": diagnoses, "procedures": procedures, **more}
    dip: str = drgsim.group([record], catalogue).to_arrow().to_pylist()[0]["dip"]
    assert explain_kind(record, catalogue).trace.dip == dip
    return dip


def core(code: str, dx: str, procedure: str = "", *related: str, score: float = 100, **more: Any) -> Kind:
    return Kind(code, dx, procedure, related, score=score, **more)


def test_the_principal_procedure_must_be_in_its_place_or_not(tmp_path: Path) -> None:
    kinds = [core("STENT", "I21.0", STENT, score=900), core("ANGIO", "I21.0", ANGIOGRAPHY, score=500)]
    strict = catalogue_of(tmp_path / "a", kinds)
    assert kind_of(strict, f"{ANGIOGRAPHY}|{STENT}") == "ANGIO"
    assert kind_of(strict, f"{VENTILATOR}|{STENT}") == "0000"
    first = catalogue_of(tmp_path / "b", kinds, principal_procedure="principal_place_first")
    assert kind_of(first, f"{ANGIOGRAPHY}|{STENT}") == "ANGIO"
    assert kind_of(first, f"{VENTILATOR}|{STENT}") == "STENT"
    free = catalogue_of(tmp_path / "c", kinds, principal_procedure="any_place", ties=["larger_score"])
    assert kind_of(free, f"{ANGIOGRAPHY}|{STENT}") == "STENT"


def test_related_procedures_all_or_most(tmp_path: Path) -> None:
    kinds = [core("BOTH", "I21.0", STENT, ANGIOGRAPHY, IVUS), core("PLAIN", "I21.0", STENT)]
    assert kind_of(catalogue_of(tmp_path / "a", kinds), f"{STENT}|{IVUS}") == "PLAIN"
    most = catalogue_of(tmp_path / "b", kinds, related="most_done")
    assert kind_of(most, f"{STENT}|{IVUS}") == "BOTH"
    assert kind_of(most, STENT) == "PLAIN"


def test_a_full_code_goes_before_the_subcategory_or_procedures_decide(tmp_path: Path) -> None:
    kinds = [core("FULL", "I21.001", STENT), core("SHORT", "I21.0", STENT, IVUS)]
    assert kind_of(catalogue_of(tmp_path / "a", kinds), f"{STENT}|{IVUS}") == "FULL"
    equal = catalogue_of(tmp_path / "b", kinds, full_code="equal")
    assert kind_of(equal, f"{STENT}|{IVUS}") == "SHORT"
    assert kind_of(equal, STENT) == "FULL"  # else alike: the more specific diagnosis


def test_steps_of_ties(tmp_path: Path) -> None:
    kinds = [
        core("DEAR", "I21.0", STENT, ANGIOGRAPHY, score=900, mean_cost=60_000.0),
        core("CHEAP", "I21.0", STENT, IVUS, score=400, mean_cost=30_000.0),
    ]
    done = f"{STENT}|{IVUS}|{ANGIOGRAPHY}"
    larger = catalogue_of(tmp_path / "a", kinds, ties="larger_score")
    assert kind_of(larger, done) == "DEAR"
    nearest = catalogue_of(tmp_path / "b", kinds, ties=["nearest_mean_cost"])
    assert kind_of(nearest, done, total_cost=41_000) == "CHEAP"
    assert kind_of(nearest, done, total_cost=49_000) == "DEAR"
    without = (
        drgsim.group(
            [{"discharge_id": 1, "sex": 1, "age": 60, "diagnoses": "I21.001", "procedures": done, "total_cost": None}], nearest
        )
        .to_arrow()
        .to_pylist()[0]
    )
    assert (without["dip"], without["warnings"]) == ("DEAR", "dip_tie|dip_cost_missing")


def test_the_property_of_the_principal_procedure_or_the_highest(tmp_path: Path) -> None:
    kinds = [
        Kind(name, "I21", operation_class=name, kind="comprehensive", score=1.0)
        for name in ("conservative", "diagnostic", "therapeutic", "surgery")
    ]
    principal = catalogue_of(tmp_path / "a", kinds)
    assert kind_of(principal) == "conservative"
    assert kind_of(principal, f"{VENTILATOR}|{STENT}") == "therapeutic"
    highest = catalogue_of(tmp_path / "b", kinds, comprehensive_class="highest")
    assert kind_of(highest, f"{VENTILATOR}|{STENT}") == "surgery"
    few = catalogue_of(tmp_path / "c", kinds[:1])
    assert kind_of(few, STENT) == "conservative"
    none = catalogue_of(tmp_path / "d", kinds[:1], comprehensive_rest="none", blank="KBBZ")
    assert kind_of(none, STENT) == "KBBZ"


def test_stages_go_in_their_order(tmp_path: Path) -> None:
    weight = Level("newborn", "1", "under 750 g", "750克以下", parse_rule("XSRTL < 29 and XSRTZ < 750"), "secondary")
    kinds = [
        core("P07.0", "P07.0"),
        Kind("AI1", "P07", kind="first", score=9_000.0, aux="newborn", aux_level="1"),
        Kind("AA2", "", "37.5100", kind="first", score=50_000.0),
        core("I21.0", "I21.0"),
        Kind("MERGED", "I21.0", STENT, kind="merged", score=10.0),
        Kind("MERGED", "I21.1", STENT, kind="merged", score=10.0),
        core("I21.0S", "I21.0", STENT, score=20.0),
        Kind("X", "Z99.9", kind="excluded"),
        Kind("Y", "", "99.1000", kind="excluded"),
        Kind("CH", "A00-I99", kind="chapter", score=5.0),
        Kind("REST", kind="blank", score=1.0),
    ]
    c = catalogue_of(tmp_path, kinds, [weight])
    baby = {"diagnoses": "P07.001", "age": 0, "age_days": 3}
    assert kind_of(c, STENT, **baby, birth_weight_g=700) == "AI1"  # whatever was done
    assert kind_of(c, **baby, birth_weight_g=750) == "P07.0"
    assert kind_of(c, "37.5100", "K35.300") == "AA2"
    assert kind_of(c, "37.5100", "nonsense") == "AA2"  # first kinds may ask for no diagnosis
    assert kind_of(c, STENT) == kind_of(c, STENT, "I21.100") == "MERGED"
    assert kind_of(c, "99.1000") == "I21.0"  # an excluded procedure counts as not there
    assert kind_of(c, "", "Z99.901") == "0000"
    assert kind_of(c, STENT, "I22.000") == "CH"
    assert kind_of(c, STENT, "K35.300") == "REST"


def test_levels_split_their_kind_or_are_a_stage_of_their_own(tmp_path: Path) -> None:
    old = Level("age", "1", "66 or over", "66岁及以上", parse_rule("NL >= 66"), "assumption")
    kinds = [core("PLAIN_OLD", "I21.0", STENT, aux="age", aux_level="1"), core("IVUS", "I21.0", STENT, IVUS)]
    split = catalogue_of(tmp_path / "a", kinds, [old])
    assert kind_of(split, f"{STENT}|{IVUS}", age=70) == "IVUS"
    order = ["excluded", "first", "merged", "auxiliary", "core", "comprehensive"]
    assert kind_of(catalogue_of(tmp_path / "b", kinds, [old], order=order), f"{STENT}|{IVUS}", age=70) == "PLAIN_OLD"


def test_of_levels_of_two_lists_the_higher_score_or_the_first_list(tmp_path: Path) -> None:
    levels = [
        Level("stay", "1", "long", "长", parse_rule("ZYTS > 3"), "assumption"),
        Level("age", "1", "old", "老", parse_rule("NL >= 66"), "assumption"),
    ]
    kinds = [
        core("LONG", "I21.0", score=100, aux="stay", aux_level="1"),
        core("OLD", "I21.0", score=200, aux="age", aux_level="1"),
    ]
    case = {"age": 70, "los_days": 9}
    assert kind_of(catalogue_of(tmp_path / "a", kinds, levels), **case) == "OLD"
    assert kind_of(catalogue_of(tmp_path / "b", kinds, levels, auxiliary={"several": "first_listed"}), **case) == "LONG"


def test_one_of_several_procedures_in_its_place_or_anywhere(tmp_path: Path) -> None:
    kinds = [
        Kind("EITHER", "I21.0|I21.1", f"{STENT}|{ANGIOGRAPHY}", (f"{IVUS}|99.1000", f"{IVUS}|99.1000"), score=9.0),
        Kind("ANY", "I21.0", VENTILATOR, score=5.0, anywhere=True),
        Kind("NEITHER", "I21", score=1.0),
    ]
    c = catalogue_of(tmp_path, kinds)
    assert kind_of(c, f"{STENT}|{IVUS}|99.1000") == kind_of(c, f"{ANGIOGRAPHY}|{IVUS}|{IVUS}", "I21.103") == "EITHER"
    assert kind_of(c, f"{STENT}|{IVUS}") == "0000"  # two of the related ones are asked for
    assert kind_of(c, f"{STENT}|{VENTILATOR}") == "ANY"
    assert kind_of(c, f"{STENT}|{VENTILATOR}", "I21.103") == "0000"
    assert kind_of(c, "", "I21.200x003") == "NEITHER"


def test_a_condition_tells_kinds_apart_and_kinds_split_by_it_go_first(tmp_path: Path) -> None:
    kinds = [
        core("PLAIN", "I21.0"),
        Kind("LONG", "I21.0", kind="split", score=2.0, condition="ZYTS > 9"),
        Kind("OLD", "I21.0", kind="split", score=3.0, condition="NL >= 66 and not ZYTS > 9"),
    ]
    c = catalogue_of(tmp_path, kinds)
    assert kind_of(c) == "PLAIN"
    assert kind_of(c, age=70, los_days=10) == "LONG"
    assert kind_of(c, age=70) == "OLD"


def test_excluded_codes_by_use(tmp_path: Path) -> None:
    excluded = ExcludedCodes(
        frozenset({"I21.001"}), frozenset({"99.1000"}), frozenset({IVUS}), {ANGIOGRAPHY: ("I21", "K20-K93")}
    )
    kinds = [
        core("I", "I21.0"), core("P", "I21.0", STENT), core("Q", "I21.0", STENT, IVUS), core("A", "I21.0", ANGIOGRAPHY),
        core("J", "J18.0"), core("JA", "J18.0", ANGIOGRAPHY),
    ]  # fmt: skip
    files = catalogue_files({**HEAD, "matching": {"simple_procedures": "excluded_codes"}}, kinds, (), {}, None, excluded)
    c = write_catalogue(tmp_path / "small", files)
    assert c.excluded == excluded
    assert kind_of(c, STENT) == "0000"  # I21.001 may not be principal
    case = {"diagnoses": "I21.002"}
    assert kind_of(c, "99.1000", **case) == "I"  # counts as not done
    assert kind_of(c, IVUS, **case) == "I"  # never principal, and nothing else was done
    assert kind_of(c, f"{IVUS}|{STENT}", **case) == "Q"  # passed over, but a related one
    assert kind_of(c, ANGIOGRAPHY, **case) == "A"
    assert kind_of(c, ANGIOGRAPHY, "J18.000") == "J"  # not with this diagnosis
    off = {**files, "scheme.toml": files["scheme.toml"].replace("[matching]", '[matching]\norder = ["core"]')}
    assert kind_of(write_catalogue(tmp_path / "off", off), STENT) == "P"


def test_pre_groups_by_fit_or_in_the_order_of_the_table(tmp_path: Path) -> None:
    kinds = [
        Kind("ONE", "", VENTILATOR, kind="first", score=1.0, anywhere=True),
        Kind("TWO", "", VENTILATOR, (STENT,), kind="first", score=1.0, anywhere=True),
    ]
    assert kind_of(catalogue_of(tmp_path / "a", kinds), f"{STENT}|{VENTILATOR}") == "TWO"
    assert kind_of(catalogue_of(tmp_path / "b", kinds, first_kinds="table_order"), f"{STENT}|{VENTILATOR}") == "ONE"


def test_comprehensive_kinds_of_every_category_need_no_line(tmp_path: Path) -> None:
    c = catalogue_of(tmp_path, [core("A", "I21.0")], comprehensive_kinds="every_category")
    assert kind_of(c, "", "J18.000") == "J18:BSZL"
    assert kind_of(c, STENT) == "I21:SS"
    assert c.counts == {"core": 1}


def test_primary_care_marks_cases_of_wider_kinds(tmp_path: Path) -> None:
    listed = [PrimaryCareLine("I21.0", (), "", ""), PrimaryCareLine("I21.1", (STENT,), "", "")]
    kinds = [core("C", "I21"), core("S", "I21", f"{STENT}|{ANGIOGRAPHY}"), core("R", "I21", STENT, IVUS)]
    c = write_catalogue(tmp_path / "small", catalogue_files(HEAD, kinds, (), {}, None, None, listed))
    assert c.primary_care == tuple(listed)

    def type_of(diagnoses: str, procedures: str) -> str:
        record = {"discharge_id": 1, "sex": 1, "age": 60, "diagnoses": diagnoses, "procedures": procedures}
        kind: str = drgsim.group([record], c).to_arrow().to_pylist()[0]["kind"]
        assert explain_kind(record, c).trace.kind == kind
        return kind

    assert type_of("I21.001", "") == type_of("I21.103", STENT) == "primary"
    assert type_of("I21.103", "") == type_of("I21.001", STENT) == type_of("I21.103", ANGIOGRAPHY) == "core"
    assert type_of("I21.103", f"{STENT}|{IVUS}") == "core"  # a kind with a related procedure


# -- bad catalogues -------------------------------------------------------------------------------------------------------
def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    kinds = [
        core("A", "I21.0", STENT),
        core("B", "I21.0", STENT),  # the same combination
        core("A", "I21.1", score=999),  # another score than before
        Kind("C", "I20-I25", kind="core", score=1.0),  # a range of categories is no core kind
        Kind("D", "I21", kind="comprehensiv", score=1.0),
        Kind("E", "I21", kind="comprehensive", score=1.0),  # no property
        Kind("F", "I21.2", "", (STENT,), score=1.0),  # related without principal
        Kind("G", "Q00.X", score=1.0),  # no such diagnosis
        Kind("H", "I21.3", score=None),
        core("I", "I21.4", aux="sverity", aux_level="1"),
    ]
    level = Level("severity", "1", "x", "x", parse_rule("QTZD in DI_MISSING"), "sure")
    settings = {
        **HEAD,
        "titel": "x",
        "matching": {"ties": ["larger_scor"], "related": "all", "ordr": ["core"]},
        "auxiliary": {"severity_lists": "chs-drg-20"},
        "counts": {"core": 3},
    }
    files = {**catalogue_files(settings, kinds, [level]), "kind.csv": "code\n"}
    with pytest.raises(SchemeError) as caught:
        write_catalogue(tmp_path / "bad", files)
    codes = {problem.code for problem in caught.value.problems}
    assert codes >= {
        "dip-unknown-key", "dip-unknown-file", "dip-unknown-setting", "scheme-unknown", "dip-unknown-kind", "dip-kind-class",
        "dip-kind-diagnosis", "dip-kind-procedure", "dip-kind-score", "dip-unknown-evidence", "dip-unknown-set",
        "dip-duplicate-combination", "dip-kind-disagrees", "dip-unknown-level", "dip-unknown-code",
    }  # fmt: skip
    told = str(caught.value)
    assert "did you mean larger_score?" in told
    assert "did you mean severity?" in told
    assert not (tmp_path / "bad").exists()


def test_everything_wrong_with_lists_and_conditions_is_told_at_once(tmp_path: Path) -> None:
    kinds = [
        Kind("A", "I21.0|I22", STENT, score=1.0),  # two shapes
        Kind("B", "I21.1", STENT, (f"{IVUS}|{ANGIOGRAPHY}", f"{IVUS}|99.1000"), score=1.0),  # overlapping alternatives
        Kind("C", "I21.2", score=1.0, condition="QTZD in DI_MISING"),
        Kind("D", "I21.3", score=1.0, condition="NL >>"),
        Kind("E", "I21.4", score=1.0, anywhere=True),  # any place of nothing
    ]
    files = catalogue_files({**HEAD, "scored": False, "readings": {"mergd": "x"}}, kinds)
    files["excluded_codes.csv"] = (
        "code_type,code,use,only_with\n"
        "diagnosis,I21.001,conservative,\nprocedure,99.9999x9,never_principal,\nprocedur,36.0700,never_principal,\n"
        "procedure,36.0700,principal_only_with,\nprocedure,37.2200,conservative,I21\nprocedure,00.2401,principal_only_with,Q99-Z\n"
    )
    files["primary_care.csv"] = "dx,procedure,dx_name,procedure_name\nU9Z,,,\nI21.0,99.9999x9,,\n"
    with pytest.raises(SchemeError) as caught:
        write_catalogue(tmp_path / "bad", files)
    found = [(problem.code, problem.where.partition("/")[2].partition(":")[0]) for problem in caught.value.problems]
    assert Counter(found) >= Counter(
        {
            ("dip-kind-diagnosis", "kinds.csv"): 1, ("dip-kind-procedure", "kinds.csv"): 2, ("dip-unknown-set", "kinds.csv"): 1,
            ("dip-unreadable-condition", "kinds.csv"): 1, ("dip-kind-score", "kinds.csv"): 5,
            ("dip-unknown-use", "excluded_codes.csv"): 2, ("dip-unknown-code", "excluded_codes.csv"): 1,
            ("dip-excluded-scope", "excluded_codes.csv"): 2, ("dip-unknown-code", "primary_care.csv"): 2,
            ("dip-unknown-key", "scheme.toml"): 1,
        }
    )  # fmt: skip
    assert "did you mean merged?" in str(caught.value)
    assert not (tmp_path / "bad").exists()


def test_promised_counts_are_checked(tmp_path: Path) -> None:
    files = catalogue_files(HEAD, [core("A", "I21.0")])
    assert "core = 1" in files["scheme.toml"]
    with pytest.raises(SchemeError, match=r"promises 2 kinds core, kinds\.csv holds 1"):
        write_catalogue(tmp_path / "x", {**files, "scheme.toml": files["scheme.toml"].replace("core = 1", "core = 2")})
    with pytest.raises(SchemeError, match="no kind states a mean_cost"):
        catalogue_of(tmp_path, [core("A", "I21.0")], ties="nearest_mean_cost")


def test_writing_gives_the_same_bytes_and_reads_back(tmp_path: Path) -> None:
    taian = load_catalogue("dip-taian-2025")
    small = [kind for kind in taian.kinds if kind.dx.startswith("J18")]
    first = catalogue_files(HEAD, small, taian.levels, {"DI_METASTASIS": ["C77-C79"], "OP_RADIOTHERAPY": ["92.2"],
                            "OP_CHEMOTHERAPY": ["99.25"]})  # fmt: skip
    written = write_catalogue(tmp_path / "small", first)
    assert written.kinds == tuple(small)
    again = load_catalogue(tmp_path / "small")
    assert (again.kinds, again.levels, again.digest) == (written.kinds, written.levels, written.digest)
    repeated = {**HEAD, "matching": {}}
    assert catalogue_files(repeated, again.kinds, again.levels)["kinds.csv"] == first["kinds.csv"]


def test_the_shipped_catalogue_is_what_was_published() -> None:
    taian = load_catalogue("dip-taian-2025")
    assert dict(taian.counts) == {"core_national": 6_489, "core_local": 1_545, "comprehensive": 1_080}
    assert len(taian.by_code) == 9_114
    assert taian.own_codes == (("procedure", "01.3901"), ("procedure", "32.2800x008"))
    assert taian.by_code["A09.9:44.1300X001_45.2300"].procedure == "44.1300x001"
    assert {level.evidence for level in taian.levels} == {taian.matching.evidence, taian.auxiliary.evidence} == {"assumption"}


def test_a_drg_scheme_is_no_catalogue_and_a_catalogue_no_scheme() -> None:
    with pytest.raises(SchemeError, match="dip-is-drg"):
        load_catalogue("chs-drg-2.0")
    with pytest.raises(SchemeError, match="scheme-is-dip"):
        drgsim.load_scheme("dip-taian-2025")
    with pytest.raises(SchemeError, match=r"did you mean dip-taian-2025\?"):
        load_catalogue("dip-taian-2024x")

"""The national DIP 3.0 catalogue: its tables, a second matcher on 20,000 cases, what each list and reading decides."""

from __future__ import annotations

import random
from collections import Counter
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import drgsim
from drgsim.records.code_dictionaries import national_codes
from drgsim.units.dip.catalogue_check import check_catalogue
from drgsim.units.dip.catalogue_files import load_catalogue
from drgsim.units.dip.dip_explanation import explain_kind
from drgsim.units.dip.dip_grouper import DipGrouper
from drgsim.units.dip.dip_reference import trace_kind
from drgsim.units.drg.drg_reference import Discharge
from tests import dip_national_tables as national
from tests.commands import run
from tests.conftest import ROOT
from tests.dip_second_matcher import Answer, SecondMatcher, split
from tests.sample_region import discharges

CASES = 20_000
# kinds that no case reaches: the same diagnosis and procedure stand in a merged kind, which is tried before
UNREACHED = {"JC-2339": "BX-361", "JC-3992": "BX-1143"}
Case = dict[str, Any]


@lru_cache(maxsize=1)
def matcher() -> SecondMatcher:
    return SecondMatcher(national.tables())


@lru_cache(maxsize=1)
def codes_by_start() -> dict[str, list[str]]:
    """Diagnoses that may be principal, by their first three and five characters."""
    found: dict[str, list[str]] = {}
    for code in national_codes().diagnoses.codes:
        if code not in matcher().excluded:
            for length in (3, 5):
                found.setdefault(code[:length], []).append(code)
    return found


def diagnoses_of(cell: str) -> list[str]:
    """Codes of a cell that may be principal."""
    found = []
    for part in cell.split("|"):
        low, _, high = part.partition("-")
        starts = [start for start in codes_by_start() if len(start) == 3 and low <= start <= high] if high else [low]
        found += [code for start in starts for code in codes_by_start().get(start, [])]
    return found


def constructed() -> dict[str, list[Case]]:
    """For every row of the tables up to 40 cases that should reach its kind, of its diagnoses and principal procedures."""
    t = matcher().tables
    made: dict[str, list[Case]] = {}
    for row in t["pre"]:
        if row["weight"]:
            low, high = map(int, row["weight"].split("-"))
            more = [{"age_days": days, "birth_weight_g": grams} for days, grams in ((0, low), (28, high))]
            made[f"XQ-{row['seq']}"] = [{"dx": ["P22.000", "P07.300"], "ops": [], **each} for each in more]
        else:
            made[f"XQ-{row['seq']}"] = [{"dx": ["I10.x00x002"], "ops": ops} for ops in choices(split(row["procedures"]))]
    for prefix, name in (("BX", "merged"), ("FZ", "burn"), ("FZ", "tumour"), ("FZ", "tb"), ("JC", "basic")):
        for row in t[name]:
            groups = split(row["procedures"]) + split(row.get("related", ""))
            others = others_of(row)
            resistant = row.get("resistant") == "是" and "U84.300"
            dx = diagnoses_of(row["diagnosis"])
            dx = dx[:6] + dx[6 :: max(1, len(dx) // 6)]
            made[f"{prefix}-{row['seq']}"] = [
                {"dx": [code, *others, *([resistant] if resistant else [])], "ops": ops}
                for code in dx
                for ops in choices(groups)
            ][:40]
    return made


def others_of(row: dict[str, str]) -> list[str]:
    """Another diagnosis that a split kind asks for."""
    if not row.get("other"):
        return []
    start = row["other"].split("|")[0].partition("-")[0]
    return [next(code for code in national_codes().diagnoses.codes if code.startswith(start))]


def choices(groups: list[set[str]]) -> list[list[str]]:
    """Procedures that meet all groups: every principal one with some of the others."""
    if not groups:
        return [[]]
    rest = [sorted(group) for group in groups[1:]]
    return [
        [first, *(group[(place + number) % len(group)] for number, group in enumerate(rest))]
        for place, first in enumerate(sorted(groups[0]))
    ]


def answer(case: Case) -> Answer:
    return matcher().match(case["dx"], case["ops"], case.get("age_days"), case.get("birth_weight_g"))


@lru_cache(maxsize=1)
def wanted_answers() -> list[Answer]:
    return [answer(case) for case in all_cases()[0]]


@lru_cache(maxsize=1)
def all_cases() -> tuple[list[Case], dict[str, str]]:
    """Constructed cases and variations of them, and the kinds that none of the constructed ones reaches with what it gets."""
    rng = random.Random(3)
    cases: list[Case] = []
    missed: dict[str, str] = {}
    by_kind = constructed()
    for kind, tried in by_kind.items():
        got = [answer(case) for case in tried]
        hit = next((case for case, each in zip(tried, got, strict=True) if each.code == kind), None)
        if hit is None:
            missed[kind] = Counter(each.code for each in got).most_common(1)[0][0] if got else ""
        cases += [hit or rng.choice(tried)] if tried else []
    listed = sorted(matcher().use)
    done = sorted({code for row in matcher().tables["merged"] for group in split(row["procedures"]) for code in group})
    principal = [code for codes in codes_by_start().values() for code in codes]
    everything = [case for tried in by_kind.values() for case in tried]
    while len(cases) < CASES:
        case = rng.choice(everything)
        dx, ops = list(case["dx"]), list(case["ops"])
        for _ in range(rng.choice((0, 1, 1, 2))):
            ops.insert(rng.randint(0, len(ops)), rng.choice(listed if rng.random() < 0.4 else done))
        for _ in range(rng.choice((0, 0, 1, 2))):
            dx.append(
                rng.choice(("C34.900", "C78.700", "C83.300", "U84.300", "T31.200", "T32.500", "P07.100", rng.choice(principal)))
            )
        if rng.random() < 0.15:
            rng.shuffle(ops)
        if rng.random() < 0.1:
            dx[0] = rng.choice(principal)
        if rng.random() < 0.03:
            dx[0] = rng.choice(sorted(matcher().excluded)[::50])
        more: Case = {name: case[name] for name in ("age_days", "birth_weight_g") if name in case}
        if rng.random() < 0.1:
            more = {"age_days": rng.randint(0, 40), "birth_weight_g": rng.choice((None, 999, 1000, 1499.5, 2499, 2500))}
        cases.append({"dx": dx, "ops": ops, **more})
    return cases, missed


def as_batch(cases: list[Case]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(
        {
            "discharge_id": [str(number) for number in range(len(cases))],
            "diagnoses": ["|".join(case["dx"]) for case in cases],
            "procedures": ["|".join(case["ops"]) for case in cases],
            "age_days": pa.array([case.get("age_days") for case in cases], pa.float64()),
            "birth_weight_g": pa.array([case.get("birth_weight_g") for case in cases], pa.float64()),
            "sex": ["1"] * len(cases),
        }
    )


# -- the tables ------------------------------------------------------------------------------------------------------------
def test_sizes_are_the_official_ones() -> None:
    catalogue = load_catalogue("dip-3.0")
    assert dict(catalogue.counts) == {"first": 19, "merged": 1_725, "split": 113, "core_national": 3_268}
    assert sum(catalogue.counts.values()) == 5_125 == len(catalogue.kinds)
    split_by = Counter(kind.condition.partition("DI_")[2][:4] for kind in catalogue.kinds if kind.kind == "split")
    assert split_by == {"BURN": 25, "TUMO": 42, "TB_R": 30, "TB_D": 16}
    excluded = catalogue.excluded
    sizes = len(excluded.diagnoses), len(excluded.conservative), len(excluded.never_principal), len(excluded.only_with)
    assert sizes == (4_742, 4_017, 87, 7)
    assert len(catalogue.primary_care) == 127
    assert not any(kind.score for kind in catalogue.kinds)


@pytest.mark.skipif(not national.FACTS.is_dir(), reason="the tables of the workbook are not at hand")
def test_the_pack_is_the_tables_cell_by_cell() -> None:
    facts, pack = national.facts(), national.from_pack()
    for name, rows in facts.items():
        if name in ("excluded_diagnoses", "excluded_procedures"):
            assert sorted(map(str, rows)) == sorted(map(str, pack[name])), name
        else:
            assert rows == pack[name], name


# -- the second matcher ----------------------------------------------------------------------------------------------------
def test_kernel_and_second_matcher_agree_on_20000_cases() -> None:
    cases, _ = all_cases()
    answers = DipGrouper("dip-3.0").group_batch(as_batch(cases))[0].to_pylist()
    assert len(answers) == CASES
    for case, got, wanted in zip(cases, answers, wanted_answers(), strict=True):
        assert (got["dip"], got["kind"] == "primary") == (wanted.code, wanted.primary), case
        assert ("dip_tie" in (got["warnings"] or "").split("|")) == wanted.tie, case


def test_reference_and_second_matcher_agree_on_20000_cases() -> None:
    catalogue = load_catalogue("dip-3.0")
    for case, wanted in zip(all_cases()[0], wanted_answers(), strict=True):
        discharge = Discharge(
            tuple(case["dx"]), tuple(case["ops"]), age_days=case.get("age_days"), birth_weight_g=case.get("birth_weight_g")
        )
        trace = trace_kind(discharge, catalogue)
        assert (trace.dip, trace.kind == "primary", trace.tie) == (wanted.code, wanted.primary, wanted.tie), case


def test_all_three_agree_on_the_sample_region() -> None:
    table = pq.read_table(discharges())
    records = table.select(["diagnoses", "procedures", "age_days", "birth_weight_g"]).to_pylist()
    known = national_codes()
    cases = []
    for record in records:
        dx, ops = (str(record[name] or "").split("|") for name in ("diagnoses", "procedures"))
        if all(known.diagnoses.find(code) >= 0 for code in dx) and all(known.procedures.find(code) >= 0 for code in ops):
            cases.append({"dx": dx, "ops": ops, "age_days": record["age_days"], "birth_weight_g": record["birth_weight_g"]})
    assert len(cases) > 3_000
    answers = DipGrouper("dip-3.0").group_batch(as_batch(cases))[0].to_pylist()
    assert [got["dip"] for got in answers] == [answer(case).code for case in cases]


def test_every_kind_is_reached_but_those_that_others_take() -> None:
    missed = all_cases()[1]
    assert missed == UNREACHED


# -- readings, one by one --------------------------------------------------------------------------------------------------
def kind_of(diagnoses: str, procedures: str = "", **more: Any) -> str:
    """The kind of a record and, for primary-care cases, a star; the same from kernel and reference."""
    record = {"discharge_id": 1, "sex": 1, "age": 40, "diagnoses": diagnoses, "procedures": procedures, **more}
    got = drgsim.group([record], "dip-3.0").to_arrow().to_pylist()[0]
    explained = explain_kind(record, "dip-3.0")
    assert (explained.trace.dip, explained.trace.kind or None) == (got["dip"], got["kind"])
    return f"{got['dip']}{'*' if got['kind'] == 'primary' else ''}"


@pytest.mark.parametrize(
    ("diagnoses", "procedures", "more", "kind"),
    [
        ("A02.200", "", {}, "0000"),  # an excluded diagnosis
        ("A02.200", "39.6500", {}, "0000"),  # and no pre-group either
        ("A02.900x002", "", {}, "A02:BSZL"),  # its code alone is excluded; what has no core kind is comprehensive
        ("I10.x00x002", "39.6500", {}, "XQ-11"),  # ECMO in the principal place
        ("I10.x00x002", "96.7201|39.9500x007|39.6500", {}, "XQ-11"),  # pre-groups in the order of their numbers
        ("I10.x00x002", "39.9500x007|96.7201", {}, "XQ-13"),  # both, in any order
        ("I10.x00x002", "87.4401|33.5100", {}, "XQ-7"),  # a procedure that counts as not done does not take the place
        ("I10.x00x002", "38.4100|33.5100", {}, "I10:SS"),  # a transplant in another place is no pre-group
        ("P22.000|P07.300", "", {"age": 0, "age_days": 28, "birth_weight_g": 1999}, "XQ-18"),  # P07 anywhere
        ("P22.000|P07.300", "", {"age": 0, "age_days": 29, "birth_weight_g": 1999}, "JC-4485"),
        ("P07.300", "", {"age": 0, "age_days": 3, "birth_weight_g": 2500}, "JC-4478"),
        ("P07.300", "", {"age": 0, "age_days": 3}, "JC-4478"),  # without a weight
        ("C34.301", "32.4100|32.2001|40.5906", {}, "BX-139"),  # one of each group besides the principal one
        ("C34.301", "32.4100|40.5906", {}, "BX-141"),
        ("K35.300", "47.0100|17.4200", {}, "JC-3625*"),  # robot assistance beside it
        ("K35.300", "17.4200|47.0100", {}, "JC-3625*"),  # never principal: passed over
        ("K35.300", "17.4200", {}, "JC-3629"),  # alone: conservative, and K35.3 without a procedure is not on the list
        ("K35.800", "", {}, "0000"),  # a grey code is excluded
        ("K35.800x001", "", {}, "JC-3629*"),  # K35.8 conservative is on the primary-care list
        ("A09.901", "45.2302", {}, "BX-22"),  # an endoscopy with its diagnoses
        ("J18.901", "45.2302", {}, "JC-3414*"),  # elsewhere it counts as none
        ("Z51.100x004|C83.300", "99.2503|99.2800x005", {}, "FZ-1779"),
        ("Z51.100x004|C34.900|C78.700", "99.2800x006|99.2503", {}, "FZ-1772"),  # any place; the first range
        ("A15.000x010", "", {}, "FZ-1836"),  # resistant by its own code
        ("A15.000x001|U84.300", "", {}, "FZ-1836"),
        ("A15.000x001", "", {}, "FZ-1837"),
        ("T20.201|T31.000", "86.2201", {}, "FZ-1746"),
    ],
)
def test_a_reading(diagnoses: str, procedures: str, more: dict[str, Any], kind: str) -> None:
    assert kind_of(diagnoses, procedures, **more) == kind


def test_an_explanation_names_the_readings_that_it_may_rest_on() -> None:
    told = str(
        explain_kind({"diagnoses": "Z51.100x004|C34.900|C78.700", "procedures": "00.0100|99.2503", "age": 60}, "dip-3.0")
    )
    for words in (
        "reading 口径 (assumption 假设), kinds split by another diagnosis", "excluded procedures",
        "counts as not done 排除列表", "QTZD in DI_TUMOUR_C00_C75", "the catalogue has no scores", "dip_tie",
    ):  # fmt: skip
        assert words in told
    assert "primary-care case 基层病种: J18.9" in str(explain_kind({"diagnoses": "J18.901", "age": 60}, "dip-3.0"))
    barred = str(explain_kind({"diagnoses": "A02.200", "age": 60}, "dip-3.0"))
    assert "the excluded list keeps the principal diagnosis from any kind" in barred
    assert "excluded diagnoses 不纳入分组的主要诊断" in barred


def test_what_is_doubtful_is_told_by_the_check() -> None:
    advice = check_catalogue("dip-3.0").advice
    assert any("17.7200x001" in line for line in advice)
    assert any("rest on assumptions" in line for line in advice)


def test_a_catalogue_without_scores_shows_no_points() -> None:
    said = run("group", str(ROOT / "data" / "samples" / "formats" / "records.csv"), "--scheme", "dip-3.0").stdout
    assert "no scores" in said
    assert "points" not in said

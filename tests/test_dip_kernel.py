"""The DIP kernel equals the reference: on the shipped catalogue, on the sample region, on random catalogues."""

from __future__ import annotations

import itertools
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from drgsim.authoring.dip.catalogue_writer import catalogue_files, write_catalogue
from drgsim.units.batch_grouper import INPUT_COLUMNS
from drgsim.units.dip.catalogue_files import load_catalogue
from drgsim.units.dip.dip_catalogue import CONDITION_NUMBERS, Catalogue, Kind, Level
from drgsim.units.dip.dip_grouper import DipGrouper
from drgsim.units.dip.dip_reference import trace_kind
from drgsim.units.dip.excluded_codes import ExcludedCodes
from drgsim.units.dip.primary_care import PrimaryCareLine
from drgsim.units.drg.drg_reference import discharge_from
from drgsim.units.schemes.rule_parser import parse_rule
from tests.sample_region import discharges

pytestmark = pytest.mark.jit_off


def assert_same(catalogue: Catalogue, records: list[dict[str, Any]]) -> None:
    """Kernel and reference give every record the same kind, level, severity, index and notes."""
    grouper = DipGrouper(catalogue)
    names = list(dict.fromkeys(name for record in records for name in record))
    batch = pa.RecordBatch.from_pylist([{name: record.get(name) for name in names} for record in records])
    answers = grouper.group_batch(batch)[0].to_pylist()
    numbers = grouper.prepare(batch).numbers
    costs = grouper.costs(batch)
    for record, line, cost, answer in zip(records, numbers, costs, answers, strict=True):
        if answer["status"] == "invalid":
            continue
        trace = trace_kind(discharge_from(record, line), catalogue, None if np.isnan(cost) else float(cost))
        warnings = (answer["warnings"] or "").split("|")
        got = tuple(answer[name] if answer[name] is not None else "" for name in ("dip", "kind", "aux", "aux_level"))
        assert got == (trace.dip, trace.kind, trace.aux, trace.aux_level), record
        assert (answer["score"], answer["severity"], answer["cci"]) == (trace.score, trace.severity, trace.cci), record
        assert ("dip_tie" in warnings) == trace.tie, record
        assert (answer["reason"] == "dip_excluded") == trace.excluded, record
        unlisted = "auxiliary_level_unlisted" in warnings or answer["reason"] == "dip_no_level"
        assert unlisted == trace.level_unlisted or answer["reason"] in ("principal_unknown", "dip_excluded"), record


def records_near(catalogue: Catalogue, count: int) -> list[dict[str, Any]]:
    """Records drawn around the lines of a catalogue: its diagnoses, its procedures in part, in order and out of order."""
    rng = np.random.default_rng(11)
    others = ["C78.700", "J96.000", "I10.x00", "E11.200", "I50.900", "X"]
    made = []
    for _ in range(count):
        kind = catalogue.kinds[rng.integers(len(catalogue.kinds))]
        procedures = [code for code in (kind.procedure, *kind.related) if code and rng.random() < 0.9]
        if rng.random() < 0.3:
            procedures.append(catalogue.kinds[rng.integers(len(catalogue.kinds))].procedure or "87.4401")
        if rng.random() < 0.2:
            rng.shuffle(procedures)
        diagnoses = [kind.dx, *(str(code) for code in rng.choice(others, rng.integers(0, 4)))]
        made.append(
            {
                "discharge_id": str(len(made)),
                "diagnoses": "|".join(diagnoses),
                "procedures": "|".join(procedures),
                "age": int(rng.integers(0, 95)),
                "age_days": int(rng.integers(0, 60)) if rng.random() < 0.1 else None,
                "los_days": int(rng.integers(1, 12)) if rng.random() < 0.95 else None,
                "icu_hours": float(rng.choice([0, 47, 48, 191, 192, 360, 744])) if rng.random() < 0.4 else None,
                "discharge_way": str(rng.choice(["1", "5", "5.0", "死亡"])),
                "sex": "1",
            }
        )
    return made


def test_on_records_around_every_kind_of_line_of_taian() -> None:
    catalogue = load_catalogue("dip-taian-2025")
    assert_same(catalogue, records_near(catalogue, 500))


def test_on_the_sample_region() -> None:
    table = pq.read_table(discharges())
    table = table.select([name for name in INPUT_COLUMNS if name in table.schema.names])
    assert_same(load_catalogue("dip-taian-2025"), table.to_pylist()[::47])


# -- random catalogues ----------------------------------------------------------------------------------------------------
# few codes, so that many lines fit the same case and the settings have to decide
DX = ["", "A00-I99", "I21", "I21.0", "I21.001"]
CASE_DX = ["I21.001", "I21.001", "I21.002", "I21.0", "K35.300"]
OTHER_DX = ["C78.700", "J96.000", "E11.200", ""]
OPS = ["36.0700", "37.2200", "99.1000", "88.5500"]
LEVELS = [
    Level("stay", "0", "short", "短", parse_rule("ZYTS <= 3"), "assumption"),
    Level("stay", "1", "long", "长", parse_rule("ZYTS > 3"), "assumption"),
    Level("stay", "2", "CC", "CC", parse_rule("QTZD in {CC, MCC}"), "assumption"),
    Level("age", "0", "old", "老", parse_rule("NL >= 66 and LYFS not in {5}"), "assumption"),
    Level("cci", "0", "comorbid", "合并症", parse_rule("CCI >= 2 or QTZD in DI_X", CONDITION_NUMBERS), "assumption"),
    Level("cci", "1", "operated", "手术", parse_rule("length(OP_X ∩ {ZYSS, QTSS}) >= 2"), "assumption"),
]
SETS = {"DI_X": ["J96"], "OP_X": ["36", "37"]}
TYPES = ["core", "core", "core", "merged", "first", "excluded", "comprehensive", "chapter", "blank", "tcm", "split"]
CONDITIONS = ["", "", "", "NL >= 66", "QTZD in DI_X and ZYTS > 3", "{ZYZD, QTZD} in DI_X", "not QTZD in DI_X"]
# alternatives of related procedures: the same codes or none in common
GROUPS = [*OPS, "37.2200|99.1000", "37.2200|99.1000"]
STEPS = ["nearest_mean_cost", "larger_score", "principal_procedure_first"]
SHAPES = {"core": ["I21", "I21.0", "I21.0|K35.3", "I21.001"], "comprehensive": ["I21"], "chapter": ["A00-I99"]}


def _disjoint(cells: list[str]) -> bool:
    """Whether no two different cells share a code."""
    return all(not set(a.split("|")) & set(b.split("|")) for a, b in itertools.combinations(dict.fromkeys(cells), 2))


@st.composite
def kinds(draw: st.DrawFn) -> Kind:
    type_ = draw(st.sampled_from(TYPES))
    dx = draw(st.sampled_from(SHAPES.get(type_, [""] if type_ == "blank" else DX)))
    by_class = type_ in ("comprehensive", "chapter", "blank")
    procedure = "" if by_class else draw(st.sampled_from(["", *OPS, "36.0700|88.5500"]))
    related = tuple(draw(st.lists(st.sampled_from(GROUPS), max_size=2).filter(_disjoint))) if procedure else ()
    placed = len({*related, procedure}) == 1 or _disjoint([*related, procedure])
    anywhere = bool(procedure) and placed and draw(st.sampled_from([False, False, True]))
    condition = "" if by_class else draw(st.sampled_from(CONDITIONS))
    classes = ["conservative", "diagnostic", "therapeutic", "surgery"]
    operation_class = draw(st.sampled_from(classes if type_ == "comprehensive" else ["", *classes])) if by_class else ""
    level = None if type_ == "excluded" else draw(st.sampled_from([*[None] * 6, *LEVELS]))
    score = float(draw(st.integers(1, 3)) * 100)
    cost = draw(st.sampled_from([None, 1000.0, 2000.0]))
    return Kind(
        "", dx, procedure, related, operation_class, level.aux if level else "", level.level if level else "", type_, score,
        cost, anywhere=anywhere, condition=condition,
    )  # fmt: skip


RULES = st.fixed_dictionaries(
    {
        "order": st.sampled_from(
            [
                ["excluded", "first", "merged", "tcm", "split", "core", "comprehensive", "chapter", "blank"],
                ["excluded", "first", "merged", "auxiliary", "core", "tcm", "comprehensive", "blank"],
                ["first", "core", "comprehensive"],
            ]
        ),
        "principal_procedure": st.sampled_from(["principal_place", "principal_place_first", "any_place"]),
        "related": st.sampled_from(["all_done", "most_done"]),
        "full_code": st.sampled_from(["first", "equal"]),
        "ties": st.sampled_from([list(ties) for n in range(4) for ties in itertools.permutations(STEPS, n)]),
        "comprehensive_class": st.sampled_from(["principal_procedure", "highest"]),
        "comprehensive_rest": st.sampled_from(["conservative", "none"]),
        "first_kinds": st.sampled_from(["best_fit", "table_order"]),
        "simple_procedures": st.sampled_from(["conservative_class", "excluded_codes"]),
        "comprehensive_kinds": st.sampled_from(["listed", "every_category"]),
        "blank": st.sampled_from(["", "KBBZ"]),
    }
)
USES = st.fixed_dictionaries({code: st.sampled_from(["", "", "conservative", "never", "with I21"]) for code in OPS})
CARE = st.lists(
    st.builds(
        PrimaryCareLine, st.sampled_from(["I21", "I21.0", "K35.3"]),
        st.sampled_from([(), ("36.0700",), ("88.5500", "37.2200")]),
        st.just(""), st.just(""),
    ),
    max_size=2, unique_by=lambda line: (line.dx, line.procedures),
)  # fmt: skip
CASES = st.lists(
    st.fixed_dictionaries(
        {
            "diagnoses": st.tuples(st.sampled_from(CASE_DX), st.sampled_from(OTHER_DX), st.sampled_from(OTHER_DX)).map(
                "|".join
            ),
            "procedures": st.lists(st.sampled_from([*OPS, *OPS, "NO.1", ""]), max_size=4).map("|".join),
            "age": st.sampled_from([None, 40, 70]),
            "los_days": st.sampled_from([None, 2, 9]),
            "discharge_way": st.sampled_from(["1", "5", None]),
            "total_cost": st.sampled_from([None, 900.0, 1500.0, 3000.0]),
            "discharge_id": st.just("1"),
            "sex": st.just("1"),
        }
    ),
    min_size=20,
    max_size=20,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], phases=[Phase.generate])  # shrinking takes minutes
@given(
    lines=st.lists(kinds(), min_size=8, max_size=16, unique_by=lambda kind: kind.place),
    matching=RULES,
    cases=CASES,
    several=st.sampled_from(["highest_score", "first_listed"]),
    comorbidity=st.sampled_from(["other_diagnoses", "all_diagnoses"]),
    uses=USES,
    barred=st.sampled_from(["", "", "", "I21.002"]),
    care=CARE,
)
def test_on_random_catalogues(
    lines: list[Kind],
    matching: dict[str, Any],
    cases: list[dict[str, Any]],
    several: str,
    comorbidity: str,
    uses: dict[str, str],
    barred: str,
    care: list[PrimaryCareLine],
) -> None:
    if matching["principal_procedure"] != "principal_place":  # else any place may be meant, where alternatives may not overlap
        lines = [
            kind for kind in lines if len({*kind.related, kind.procedure}) == 1 or _disjoint([*kind.related, kind.procedure])
        ]
    excluded = ExcludedCodes(
        frozenset({barred} - {""}),
        frozenset(code for code, use in uses.items() if use == "conservative"),
        frozenset(code for code, use in uses.items() if use == "never"),
        {code: ("I21",) for code, use in uses.items() if use == "with I21"},
    )
    named = [replace(kind, code=f"K{number}", dx_name=f"kind {number}") for number, kind in enumerate(lines)]
    if not any(kind.mean_cost for kind in named):
        matching = {**matching, "ties": [tie for tie in matching["ties"] if tie != "nearest_mean_cost"]}
    head = {"id": "random", "title": "Random", "title_zh": "随机", "evidence": "assumption", "sources": ["made up"]}
    rules = {**head, "matching": matching, "auxiliary": {"several": several, "comorbidity": comorbidity}}
    with tempfile.TemporaryDirectory() as folder:
        catalogue = write_catalogue(Path(folder) / "random", catalogue_files(rules, named, LEVELS, SETS, None, excluded, care))
        assert_same(catalogue, cases)

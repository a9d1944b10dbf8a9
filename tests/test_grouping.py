"""Groups of real cases and of random ones: expected answers, kernel equal to reference, properties of grouping."""

from __future__ import annotations

import random
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import drgsim
from drgsim.engines.bundled_proof import bundled_schemes, check_scheme
from drgsim.units.drg.drg_grouper import DrgGrouper
from drgsim.units.drg.drg_reference import discharge_from, known_mdc, trace_discharge
from drgsim.units.schemes.rule_language import sets_of
from drgsim.units.schemes.scheme import Scheme
from tests.conftest import SHARED
from tests.test_city_schemes import CITIES


def test_every_conformance_case_from_kernel_and_reference(conformance: Path) -> None:
    result = check_scheme("chs-drg-2.0", conformance)
    assert result.kernel_wrong == ()
    assert result.reference_wrong == ()
    assert result.cases >= 655


@pytest.mark.jit_off
def test_every_bundled_case_from_kernel_and_reference() -> None:
    assert check_scheme("chs-drg-2.0").passed


def test_bundled_cases_reach_every_group(scheme: Scheme, sample_rows: list[dict[str, str]]) -> None:
    assert {row["expected_drg"] for row in sample_rows} == {*scheme.drgs, "0000"}


def test_every_ambiguous_group_is_reached(scheme: Scheme, sample_rows: list[dict[str, str]]) -> None:
    frame = drgsim.group(pd.DataFrame(sample_rows).replace("", None), scheme).to_pandas()
    ambiguous = {adrg.code for adrg in scheme.adrgs.values() if adrg.kind == "ambiguous"}
    assert len(ambiguous) == 20
    assert set(frame.drg[frame.status == "ambiguous"]) == ambiguous


def test_bundled_cases_are_there() -> None:
    assert "chs-drg-2.0" in bundled_schemes()


# -- random records: codes from the lists of one ADRG, so that deep rules are reached, with strangers among them ----------
def _random_records(scheme: Scheme, seed: int, number: int) -> list[dict[str, object]]:
    draw = random.Random(seed)
    adrgs = list(scheme.adrgs.values())
    lists = {name: sorted(codes) for name, codes in scheme.sets.items()}
    book = scheme.book
    records = []
    for place in range(number):
        adrg = draw.choice(adrgs)
        mdc = next(m for m in scheme.mdcs if m.code == adrg.mdc)
        names = sorted(sets_of(adrg.rule) | sets_of(mdc.rule) | sets_of(draw.choice(adrg.drgs).rule))
        dx = [draw.choice(lists[name]) for name in names if name.startswith("DI")]
        op = [draw.choice(lists[name]) for name in names if name.startswith("OP")]
        dx += draw.choices(book.diagnoses.codes, k=draw.randint(0, 4)) + draw.choices(
            sorted(scheme.severities), k=draw.randint(0, 2)
        )
        op += draw.choices(book.procedures.codes, k=draw.choice([0, 0, 1, 2]))
        if draw.random() < 0.1:
            dx.append("Z99.999x999")
        first = dx[:1] or [draw.choice(book.diagnoses.codes)]
        others = dx[1:]
        draw.shuffle(op)
        records.append(
            {
                "discharge_id": str(place),
                "diagnoses": "|".join(first + others),
                "procedures": "|".join(op),
                "sex": draw.choice(["1", "2", "2", "", "9"]),
                "age": draw.choice(["0", "0", "3", "45", "80", ""]),
                "age_days": draw.choice(["0", "5", "28", "29", "200", ""]),
                "birth_weight_g": draw.choice(["", "900", "1499", "1800", "2499", "3200"]),
                "los_days": draw.choice(["", "0", "1", "9", "16", "61"]),
                "icu_hours": draw.choice(["", "", "24", "121"]),
                "discharge_way": draw.choice(["1", "1", "2", "5", ""]),
            }
        )
    return records


def _compare(scheme: Scheme, grouper: DrgGrouper, records: list[dict[str, object]]) -> None:
    batch = pa.RecordBatch.from_pylist(records)
    answers, _ = grouper.group_batch(batch)
    numbers = grouper.prepare(batch).numbers
    for record, line, answer in zip(records, numbers, answers.to_pylist(), strict=True):
        if answer["status"] == "invalid":
            continue
        discharge = discharge_from(record, line)
        trace = trace_discharge(discharge, scheme)
        got = tuple(answer[name] or "" for name in ("mdc", "adrg", "drg", "severity"))
        assert got == (trace.mdc, trace.adrg, trace.drg, trace.severity), record
        if answer["drg"] == "0000":
            assert (answer["mdc_hint"] or "") == known_mdc(discharge, scheme), record


@pytest.mark.jit_off
@settings(max_examples=25)
@given(seed=st.integers(0, 2**32))
def test_kernel_equals_reference_on_random_records(scheme: Scheme, grouper: DrgGrouper, seed: int) -> None:
    _compare(scheme, grouper, _random_records(scheme, seed, 25))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["chs-drg-2.0", "chs-drg-3.0"])
def test_kernel_equals_reference_on_many_records(name: str) -> None:
    scheme = drgsim.load_scheme(name)
    _compare(scheme, DrgGrouper(scheme), _random_records(scheme, 20_241_121, 6_000))


@pytest.mark.slow
@pytest.mark.parametrize("name", CITIES)
def test_kernel_equals_reference_in_packs_made_of_conditions(name: str) -> None:
    scheme = drgsim.load_scheme(name)
    _compare(scheme, DrgGrouper(scheme), _random_records(scheme, 20_261_127, 250))


_ANSWER = ("mdc", "adrg", "drg", "severity", "status", "mdc_hint")


def _answers(grouper: DrgGrouper, records: list[dict[str, object]]) -> list[tuple[object, ...]]:
    answers, _ = grouper.group_batch(pa.RecordBatch.from_pylist(records))
    return [tuple(row[name] for name in _ANSWER) for row in answers.to_pylist()]


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32))
def test_the_order_of_other_codes_never_matters(scheme: Scheme, grouper: DrgGrouper, seed: int) -> None:
    records = _random_records(scheme, seed, 20)
    draw = random.Random(seed + 1)
    shuffled = []
    for record in records:
        changed = dict(record)
        for name in ("diagnoses", "procedures"):
            first, *others = str(record[name]).split("|")
            draw.shuffle(others)
            changed[name] = "|".join([first, *others])
        shuffled.append(changed)
    assert _answers(grouper, shuffled) == _answers(grouper, records)


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32))
def test_an_unknown_extra_code_never_changes_the_group(scheme: Scheme, grouper: DrgGrouper, seed: int) -> None:
    records = _random_records(scheme, seed, 20)
    more = [
        {
            **record,
            "diagnoses": f"{record['diagnoses']}|X99.999x999",
            "procedures": f"{record['procedures']}|99.9999x999" if record["procedures"] else "",
        }
        for record in records
    ]
    assert _answers(grouper, more) == _answers(grouper, records)


@given(seed=st.integers(0, 2**32), cut=st.integers(1, 19))
@settings(max_examples=15)
def test_a_record_is_grouped_the_same_in_any_batch(scheme: Scheme, grouper: DrgGrouper, seed: int, cut: int) -> None:
    records = _random_records(scheme, seed, 20)
    assert _answers(grouper, records[:cut]) + _answers(grouper, records[cut:]) == _answers(grouper, records)


def test_group_takes_frames_tables_and_lists(sample_rows: list[dict[str, str]], scheme: Scheme) -> None:
    rows = [{key: value or None for key, value in row.items()} for row in sample_rows[:200]]
    frame = pd.DataFrame(rows, index=[f"row {n}" for n in range(200)])
    expected = [row["expected_drg"] for row in rows]
    by_frame = drgsim.group(frame, scheme).to_pandas()
    assert list(by_frame.drg) == expected
    assert list(by_frame.index) == list(frame.index)
    assert list(by_frame.discharge_id) == [row["case_id"] for row in rows]
    table = pa.Table.from_pylist(rows)
    assert drgsim.group(table, "chs-drg-2.0").to_arrow().column("drg").to_pylist() == expected
    assert drgsim.group(table.to_batches()[0], scheme).to_arrow().column("drg").to_pylist() == expected
    assert drgsim.group(rows, scheme).to_arrow().column("drg").to_pylist() == expected


@pytest.mark.parametrize("dtype", ["str", "object", "string", "category"])
def test_frames_of_every_text_type_give_the_same(sample_rows: list[dict[str, str]], scheme: Scheme, dtype: str) -> None:
    frame = pd.DataFrame(sample_rows[:60]).replace("", None)
    changed = frame.astype(dtype)
    assert list(drgsim.group(changed, scheme).to_pandas().drg) == [row["expected_drg"] for row in sample_rows[:60]]


def test_frames_with_numbers_lists_and_mixed_columns(scheme: Scheme) -> None:
    frame = pd.DataFrame(
        {
            "discharge_id": [1, "b", 3.5],
            "sex": [1, 2.0, "男"],
            "age": [65.0, "78", None],
            "diagnoses": [["I50.101", "N18.900"], ["O80.000", "Z37.001"], ["I50.101"]],
            "procedures": [[], ["73.5900"], None],
        }
    )
    grouped = drgsim.group(frame, scheme).to_pandas()
    assert list(grouped.drg) == ["FR25", "OR19", "FR25"]
    assert list(grouped.discharge_id) == ["1", "b", "3.5"]


def test_an_empty_frame_gives_an_empty_answer(scheme: Scheme) -> None:
    empty = pd.DataFrame(
        {name: pd.Series([], dtype="str") for name in ("discharge_id", "sex", "age", "diagnoses", "procedures")}
    )
    assert drgsim.group(empty, scheme).to_arrow().num_rows == 0


@pytest.mark.skipif(not (SHARED / "conformance").is_dir(), reason="the full conformance cases are not here")
def test_all_cases_of_the_full_file_are_used(conformance: Path) -> None:
    assert sum(1 for _ in conformance.open(encoding="utf-8")) > 6_000

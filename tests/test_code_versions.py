"""Codes of 国临版 become 医保版 by the published maps, only when asked for, and everything is counted."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import drgsim
from drgsim.analysis.code_search import code_facts, search_codes
from drgsim.engines.file_to_file import group_files
from drgsim.errors import DrgsimError
from drgsim.quality.file_check import check_files
from drgsim.records.code_dictionaries import national_codes
from drgsim.records.conversion import MOST_SAMPLES, Conversion, ConversionReport, conversion_from
from drgsim.records.input_options import InputOptions
from drgsim.units.drg.drg_grouper import DrgGrouper
from drgsim.units.schemes.scheme import Scheme
from tests.commands import run
from tests.conftest import ROOT

ICD = ROOT / "groupers" / "icd"
GL2 = InputOptions(code_version="gl2")
RECORD = {"discharge_id": "1", "sex": "1", "age": "65", "diagnoses": "A01.000x002|A19.000X001|S13.500x010", "procedures": ""}


@pytest.fixture(scope="module")
def conversion() -> Conversion:
    found = conversion_from("gl2")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("kind", "file", "differ"), [("diagnoses", "icd10_gl2_to_yb2.csv", 249), ("procedures", "icd9_gl3_to_yb2.csv", 4)]
)
def test_every_line_of_the_maps_is_applied(conversion: Conversion, kind: str, file: str, differ: int) -> None:
    with (ICD / file).open(encoding="utf-8", newline="") as stream:
        pairs = [(row["from"], row["to"]) for row in csv.DictReader(stream)]
    national = getattr(national_codes(), kind)
    map_ = conversion.maps[kind]
    own, _ = map_.encode(pa.array([source for source, _ in pairs]))
    encoded = map_.counterparts(own)
    assert [national.codes[number] for number in encoded.ids] == [target for _, target in pairs]
    assert own.ids.tolist() == list(range(len(pairs)))
    assert int(map_.other_meaning.sum()) == differ
    assert all(map_.convert(source, national) == target for source, target in pairs[::97])


def test_a_batch_is_counted_exactly(conversion: Conversion) -> None:
    report = ConversionReport(conversion)
    column = pa.array(["A01.000x002|I10.x00", None, "|A19.000x001|NOPE", "", "S13.500x010|NOPE", ""])
    own, _ = conversion.maps["diagnoses"].encode(column)
    report.count("diagnoses", column, own)
    values = report.to_dict()["diagnoses"]
    assert (values["codes"], values["changed"], values["meaning_differs"], values["without_counterpart"]) == (6, 2, 1, 3)
    assert values["without_counterpart_samples"] == ["NOPE", "S13.500X010"]
    assert values["samples_known_in_yb2"] == 1
    assert values["most_changed"][0] == {"from": "A01.000x002", "to": "A01.003", "meaning_differs": False, "occurrences": 1}
    other = ConversionReport(conversion)
    other.add(report)
    other.add(report)
    assert other.to_dict()["diagnoses"]["without_counterpart"] == 6


def test_samples_are_capped_and_the_cap_is_said(conversion: Conversion) -> None:
    report = ConversionReport(conversion)
    column = pa.array([f"NOPE{n}" for n in range(MOST_SAMPLES + 5)])
    report.count("diagnoses", column, conversion.maps["diagnoses"].encode(column)[0])
    values = report.to_dict()["diagnoses"]
    assert values["without_counterpart"] == MOST_SAMPLES + 5
    assert len(values["without_counterpart_samples"]) == MOST_SAMPLES
    assert values["samples_capped"]


def test_codes_are_converted_only_when_asked(scheme: Scheme) -> None:
    plain = DrgGrouper(scheme).prepare(pa.RecordBatch.from_pylist([RECORD]))
    asked = DrgGrouper(scheme, "gl2").prepare(pa.RecordBatch.from_pylist([RECORD]))
    codes = scheme.book.diagnoses
    assert [codes.codes[n] if n >= 0 else "" for n in plain.diagnoses.ids] == ["", "A19.000x001", "S13.500x010"]
    assert [codes.codes[n] if n >= 0 else "" for n in asked.diagnoses.ids] == ["A01.003", "A19.001", ""]
    with pytest.raises(DrgsimError, match="known are yb2, gl2"):
        DrgGrouper(scheme, "gl9")


def test_converted_records_group_as_their_counterparts(scheme: Scheme, conversion: Conversion) -> None:
    """Every n-th code of the map as principal diagnosis, with a procedure of the map."""
    book = national_codes()
    picked = np.arange(0, len(conversion.maps["diagnoses"].target), 41)
    procedures = np.resize(np.arange(0, len(conversion.maps["procedures"].target), 17), len(picked))
    theirs, ours = [], []
    for n, (dx, op) in enumerate(zip(picked, procedures, strict=True)):
        base = {"discharge_id": str(n), "sex": "1", "age": "50"}
        dx_map, op_map = conversion.maps["diagnoses"], conversion.maps["procedures"]
        theirs.append({**base, "diagnoses": dx_map.codes.codes[dx], "procedures": op_map.codes.codes[op]})
        target = {"diagnoses": book.diagnoses.codes[dx_map.target[dx]], "procedures": book.procedures.codes[op_map.target[op]]}
        ours.append({**base, **target})
    converted = drgsim.group(pd.DataFrame(theirs), scheme, reading=GL2).to_pandas()
    pd.testing.assert_frame_equal(converted, drgsim.group(pd.DataFrame(ours), scheme).to_pandas())


def test_a_code_without_a_counterpart_is_a_warning_and_stays_unknown(scheme: Scheme) -> None:
    (answer,) = drgsim.group([RECORD], scheme, reading=GL2).to_arrow().to_pylist()
    assert answer["warnings"] == "other_diagnosis_unknown|code_without_counterpart"
    explanation = drgsim.explain(RECORD, scheme, reading=GL2)
    assert explanation.drg == answer["drg"]
    assert [code.code for code in explanation.diagnoses] == ["A01.003", "A19.001", "国临S13.500x010"]
    assert [code.given for code in explanation.diagnoses][:2] == ["A01.000X002", "A19.000X001"]
    assert "code_without_counterpart" in explanation.warnings
    assert "转换自 A01.000X002" in str(explanation)


def test_codes_of_another_edition_that_a_spreadsheet_damaged_are_restored_in_it(scheme: Scheme) -> None:
    """01.2412 of 国临版 is 01.2402 of 医保版, where no code reads as the number 1.2412."""
    damaged = {**RECORD, "diagnoses": "C71.900", "procedures": "1.2412"}
    whole = {**damaged, "procedures": "01.2412"}
    there, here = drgsim.group([damaged, whole], scheme, reading=GL2).to_arrow().to_pylist()
    assert there["drg"] == here["drg"]
    assert "procedure_restored" in there["warnings"]
    assert "procedure_unknown" not in there["warnings"]
    assert [code.code for code in drgsim.explain(damaged, scheme, reading=GL2).procedures] == ["01.2402"]
    assert "procedure_damaged" in drgsim.group([damaged], scheme).to_arrow().column("warnings")[0].as_py()


def test_runs_report_what_they_converted(tmp_path: Path, scheme: Scheme) -> None:
    rows = [{**RECORD, "discharge_id": str(n)} for n in range(50)]
    path, target = tmp_path / "cases.csv", tmp_path / "out.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    done = group_files([path, path], scheme, target, options=GL2, workers=2)
    assert done.counts.conversion is not None
    values = done.counts.conversion.to_dict()
    assert (values["from"], values["to"]) == ("gl2", "yb2")
    assert values["diagnoses"]["changed"] == 200
    assert values["diagnoses"]["meaning_differs"] == 100
    assert values["diagnoses"]["without_counterpart"] == 100
    assert group_files([path], scheme, target).counts.conversion is None
    report = check_files([path], options=GL2)
    assert report.unknown_codes == {"diagnoses": {"S13.500x010": 50}}
    assert report.conversion is not None
    assert report.conversion["diagnoses"]["changed"] == 100  # although the file is read twice
    shown = run("group", str(path), "-o", str(target), "--code-version", "gl2").stdout
    for words in (
        "gl2 → yb2",
        "mean something else in 医保版",
        "50 without a counterpart",
        "A01.000x002 → A01.003 ×50",
        "S13.500X010",
        "already",
    ):
        assert words in " ".join(shown.split())
    summary = json.loads(run("group", str(path), "-o", str(target), "--code-version", "gl2", "--json").stdout)
    assert summary["code_conversion"]["diagnoses"]["codes"] == 150
    assert "A01.003" in run("explain", str(path), "--id", "7", "--code-version", "gl2").stdout
    typed = run("explain", "--diagnoses", "A01.000x002", "--sex", "1", "--age", "5", "--code-version", "gl2").stdout
    assert "A01.003" in typed


# -- looking codes up -----------------------------------------------------------------------------------------------------
def test_show_says_what_a_scheme_does_with_a_code(scheme: Scheme) -> None:
    (facts,) = code_facts(" i21.001 ", scheme)
    assert facts.name == "急性前壁心肌梗死"
    (failing,) = code_facts("J96.000", scheme)
    assert (failing.level, failing.exclusion_size > 0) == ("MCC", True)
    assert "MDCF 循环系统疾病及功能障碍" in facts.principal_mdcs
    assert {"DI_FR1"} <= set(facts.lists) or "FR1" in facts.groups
    (moved,) = code_facts("A19.000x001", scheme)
    assert moved.versions[0].counterpart == "A19.001"
    assert moved.versions[0].meaning_differs
    assert moved.versions[0].sources == ("A19.800x010",)
    (heading,) = code_facts("I21.0", scheme)
    assert ("I21.001", "急性前壁心肌梗死") in heading.below
    assert code_facts("36.0601", scheme)[0].kind == "procedure"
    with pytest.raises(DrgsimError, match="no edition has the code"):
        code_facts("ZZZ", scheme)


def test_search_holds_all_words_and_ranks() -> None:
    found = search_codes(["心肌梗死"])
    assert all("心肌梗死" in one.name for one in found)
    both = search_codes(["心肌梗死", "前壁"])
    assert 0 < len(both) < len(found)
    assert search_codes(["急性前壁心肌梗死"])[0].code == "I21.001"
    assert search_codes(["I21.001"])[0].code == "I21.001"
    assert search_codes(["心肌"], kinds=("procedure",))[0].kind == "procedure"


def test_codes_commands() -> None:
    shown = run("codes", "show", "I21.0").stdout
    assert "I21.001" in shown
    assert "MDCF" in run("codes", "show", "I21.001").stdout
    assert "code-unknown" in run("codes", "show", "Q", code=2).stderr
    assert json.loads(run("codes", "show", "A19.000x001", "--json").stdout)["versions"][0]["counterpart"] == "A19.001"
    values = json.loads(run("codes", "search", "心肌梗死", "--limit", "5", "--json").stdout)
    assert values["shown"] == len(values["codes"]) == 5
    assert values["found"] > 5
    assert "the nearest 5 of" in run("codes", "search", "心肌梗死", "--limit", "5").stdout
    run("codes", "search", "没有这个词", code=1)


def test_another_edition_is_asked_about_and_nothing_is_converted(tmp_path: Path) -> None:
    with (ICD / "icd10_gl2_to_yb2.csv").open(encoding="utf-8", newline="") as stream:
        pairs = [(row["from"], row["to"]) for row in csv.DictReader(stream)][::20]
    lines = {"gl2": [source for source, _ in pairs], "yb2": [to for _, to in pairs], "none": ["X" + to for _, to in pairs]}
    # as of 医保版 1.0: most codes are those of 2.0, every tenth is of its form and under its headings, and in no edition
    lines["yb1"] = [to if number % 10 else f"{to[:5]}00x899" for number, (_, to) in enumerate(pairs)]
    asked = {}
    for name, codes in lines.items():
        path = tmp_path / f"{name}.csv"
        rows = [f"{number},1,40,{code}," for number, code in enumerate(codes)]
        path.write_text("discharge_id,sex,age,diagnoses,procedures\n" + "\n".join(rows) + "\n", encoding="utf-8")
        summary = json.loads(run("group", str(path), "--json").stdout)["code_edition"]
        asked[name] = summary and summary["question"] and summary["question"]["code"]
        notes = [note.code for note in drgsim.group(path).notes if note.code.startswith("code-edition")]
        assert notes == ([asked[name]] if asked[name] else [])
    assert asked == {"gl2": "code-edition", "yb2": None, "none": "code-edition-unclear", "yb1": "code-edition-1.0"}
    assert "--code-version gl2" in run("group", str(tmp_path / "gl2.csv")).stdout
    assert "code-edition" not in run("group", str(tmp_path / "gl2.csv"), "--code-version", "gl2").stdout

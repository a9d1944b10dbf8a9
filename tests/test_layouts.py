"""The files that hospitals have: every layout is recognised and gives the groups of the canonical records."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import drgsim
from drgsim.engines.file_to_file import group_files
from drgsim.errors import DrgsimError
from drgsim.quality.file_check import check_files
from drgsim.records.code_dictionaries import split_codes
from drgsim.records.input_options import InputOptions
from drgsim.records.layout import layouts, read_header
from drgsim.records.read import open_source
from drgsim.records.recipes import Recipe, derive
from drgsim.records.recognise import recognise
from drgsim.records.schema import columns
from drgsim.units.batch_grouper import STATUSES
from drgsim.units.schemes.scheme import Scheme
from tests.commands import run
from tests.conftest import ROOT

SAMPLES = ROOT / "data" / "samples" / "formats"
RECORDS = len(pd.read_csv(SAMPLES / "records.csv"))
TCM = 2 * len(range(0, RECORDS, 10))  # every tenth settlement list has two diagnoses of Chinese medicine
LAYOUTS = {
    "records.csv": "columns",
    "hqms.csv": "hqms",
    "settlement-list.jsonl": "settlement-list",
    "settlement-list.csv": "settlement-list",
    "grouper.csv": "grouper",
    "chinese-headers.xlsx": "columns",
}
HQMS = {"A48": "7", "A12C": "1", "A14": "65", "A16": "", "C03C": "I21.001", "C06x01C": "I10.x00", "C06x03C": "J96.000",
        "C14x01C": "36.0601", "C35x01C": "", "C35x02C": "00.4500"}  # fmt: skip


def table(tmp_path: Path, rows: list[dict[str, str]], name: str = "cases.csv") -> Path:
    path = tmp_path / name
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def canonical(path: Path, options: InputOptions | None = None, *wanted: str) -> list[dict[str, Any]]:
    names = wanted or tuple(columns())
    return [row for batch in open_source(path, options).batches(names) for row in batch.to_pylist()]


def problem_of(path: Path, options: InputOptions | None = None) -> Any:
    with pytest.raises(DrgsimError) as caught:
        open_source(path, options)
    assert len(caught.value.problems) == 1
    return caught.value.problems[0]


@pytest.fixture(scope="module")
def expected(scheme: Scheme) -> pd.DataFrame:
    return drgsim.group(pd.read_csv(SAMPLES / "records.csv", dtype=str), scheme).to_pandas()


@pytest.mark.parametrize(("name", "layout"), LAYOUTS.items())
def test_every_sample_gives_the_groups_of_the_canonical_records(
    tmp_path: Path, scheme: Scheme, expected: pd.DataFrame, name: str, layout: str
) -> None:
    done = group_files([SAMPLES / name], scheme, tmp_path / "out.parquet")
    assert done.layouts == [layout]
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "out.parquet"), expected, check_dtype=False)
    assert (expected.status == "grouped").mean() > 0.85
    assert set(expected.mdc.dropna()) >= {"MDCP", "MDCF"}


def test_the_sample_that_is_one_json_file(scheme: Scheme, expected: pd.DataFrame) -> None:
    done = group_files([SAMPLES / "settlement-list.json"], scheme, None)
    assert done.counts.records == 1
    alone = json.loads((SAMPLES / "settlement-list.json").read_text(encoding="utf-8"))["input"]["setlinfo"]["setl_id"]
    assert STATUSES[int(np.argmax(done.counts.status))] == expected.set_index("discharge_id").status[alone]


def test_the_samples_come_from_the_committed_tool(tmp_path: Path) -> None:
    import tools.make_format_samples as tool

    tool.write_all(target=tmp_path)
    for name in LAYOUTS:
        if not name.endswith(".xlsx"):  # the zip inside depends on the version of the writer
            assert (tmp_path / name).read_bytes() == (SAMPLES / name).read_bytes()


def test_values_of_the_forms_become_canonical_ones() -> None:
    rows = {name: canonical(SAMPLES / name) for name in ("records.csv", "settlement-list.jsonl", "hqms.csv")}
    for record, listed, page in zip(*rows.values(), strict=True):
        for name in ("total_cost", "patient_paid", "fund_paid"):
            assert float(listed[name]) == float(record[name])
        assert page["total_cost"] == record["total_cost"]
        assert (listed["icu_hours"] or "") == (record["icu_hours"] or "")
        assert (listed["ventilator_hours"] or "") == (record["ventilator_hours"] or "")
        assert page["age"] == record["age"]


# -- recognition ----------------------------------------------------------------------------------------------------------
def test_hqms_codes_keep_their_places(tmp_path: Path) -> None:
    blank = {**HQMS, "C03C": "", "C14x01C": ""}
    rows = canonical(table(tmp_path, [HQMS, blank, {**HQMS, "C14x01C": "-", "C35x02C": "—"}]))
    assert split_codes(rows[0]["diagnoses"]) == ["I21.001", "I10.X00", "J96.000"]
    assert split_codes(rows[0]["procedures"]) == ["36.0601", "00.4500"]
    assert split_codes(rows[1]["diagnoses"]) == ["", "I10.X00", "J96.000"]
    assert split_codes(rows[1]["procedures"]) == ["", "00.4500"]
    assert rows[2]["procedures"] == ""
    frame = pd.DataFrame([HQMS, blank])
    assert list(drgsim.group(frame, "chs-drg-2.0").to_pandas().reason.fillna("")) == ["", "principal_missing"]
    assert drgsim.explain(HQMS, "chs-drg-2.0").drg == drgsim.group(frame, "chs-drg-2.0").to_pandas().drg[0]


def test_headers_in_any_case_and_numbers_without_leading_zeros(tmp_path: Path) -> None:
    row = {name.lower().replace("c06x0", "c06x"): value for name, value in HQMS.items()}
    assert canonical(table(tmp_path, [row])) == canonical(table(tmp_path, [HQMS], "as-is.csv"))


def test_an_age_in_days_alone_is_an_age_of_zero(tmp_path: Path) -> None:
    ages = [("", "5"), ("0", "5"), ("40", "0"), ("", ""), ("x", "5"), ("", "4000")]
    rows = canonical(table(tmp_path, [{**HQMS, "A14": age, "A16": days} for age, days in ages]), None, "age", "age_days")
    assert [(row["age"], row["age_days"]) for row in rows] == [
        ("0", "5"), ("0", "5"), ("40", None), (None, None), ("x", "5"), (None, "4000"),
    ]  # fmt: skip


def test_a_file_that_fits_two_layouts_gets_a_question_back(tmp_path: Path, scheme: Scheme) -> None:
    row = {**HQMS, "discharge_id": "8", "sex": "2", "age": "30", "diagnoses": "O80.000|Z37.001", "procedures": ""}
    path = table(tmp_path, [row])
    problem = problem_of(path)
    assert problem.code == "input-layout-ambiguous"
    assert "--format hqms or --format columns" in problem.fix
    assert "A12C (sex)" in problem.why
    assert "sex (sex)" in problem.why
    for name, drg in (("hqms", drgsim.explain(HQMS, scheme).drg), ("columns", "OR19")):
        assert group_files([path], scheme, tmp_path / "o.csv", options=InputOptions.of(name)).layouts == [name]
        assert pd.read_csv(tmp_path / "o.csv").drg[0] == drg


def test_a_file_that_fits_no_layout_gets_a_question_back(tmp_path: Path) -> None:
    problem = problem_of(table(tmp_path, [{"编号": "1", "甲": "1", "乙": "2", "总费用": "3"}]))
    assert problem.code == "input-layout-unknown"
    for words in ("hqms", "settlement-list", "grouper", "columns", "总费用 (total_cost)", "diagnoses (C03C)"):
        assert words in problem.why
    assert '--map "COLUMN=discharge_id"' in problem.fix
    assert "--format" in problem.fix


def test_a_form_that_lacks_a_column_names_the_header_of_that_form(tmp_path: Path) -> None:
    row = {name: value for name, value in HQMS.items() if name != "C03C"}
    problem = problem_of(table(tmp_path, [row]))
    assert problem.code == "input-missing-column"
    assert "hqms" in problem.where
    assert "C03C" in problem.fix
    assert '--map "COLUMN=diagnoses"' in problem.fix


def test_a_named_layout_is_believed_and_an_unknown_one_refused(tmp_path: Path) -> None:
    path = table(tmp_path, [HQMS])
    with pytest.raises(DrgsimError, match="read as grouper"):
        open_source(path, InputOptions.of("grouper"))
    with pytest.raises(DrgsimError, match="did you mean hqms"):
        InputOptions.of("hqm")
    assert open_source(path, InputOptions.of("病案首页")).reading.layout.name == "hqms"


def test_layouts_name_canonical_columns_only() -> None:
    for layout in layouts():
        assert set(layout.columns) <= set(columns())
        assert layout.title
        assert layout.title_zh
        names = [layout.names_of(name)[0] for name in ("discharge_id", "sex", "age", "diagnoses", "procedures")]
        assert not read_header(layout, [name.replace("{1-41}", "1") for name in names], {}, "x").missing


# -- own names ------------------------------------------------------------------------------------------------------------
def test_own_columns_are_mapped(tmp_path: Path) -> None:
    row = {
        "住院号": "1",
        "次": "2",
        "性别": "女",
        "年龄": "30",
        "主诊": "I21.001",
        "诊2": "I10.x00",
        "诊3": "J96.000",
        "手术": "",
    }
    path = table(tmp_path, [row])
    maps = ["主诊=principal_diagnosis", "诊2=other_diagnoses", "诊3=其他诊断编码", "住院号+次=discharge_id"]
    (read,) = canonical(path, InputOptions.of(maps=maps))
    assert read["diagnoses"] == "I21.001|I10.x00|J96.000"
    assert read["discharge_id"] == "1-2"
    assert canonical(path, InputOptions.of("columns", maps=maps)) == [read]
    for name, content in (
        ("m.yaml", "主诊: principal_diagnosis\n诊2: other_diagnoses\n诊3: other_diagnoses\n住院号+次: discharge_id\n"),
        ("m.csv", "from,to\n" + "\n".join(text.replace("=", ",") for text in maps) + "\n"),
    ):
        (tmp_path / name).write_text(content, encoding="utf-8")
        assert canonical(path, InputOptions.of(map_file=tmp_path / name)) == [read]


def test_a_mapping_goes_before_the_layout(tmp_path: Path) -> None:
    path = table(tmp_path, [{**HQMS, "诊断": "K35.900", "sex": "2"}])
    (read,) = canonical(path, InputOptions.of(maps=["诊断=principal_diagnosis", "sex=sex"]))
    assert read["diagnoses"].startswith("K35.900|I10.x00")
    assert read["sex"] == "2"


def test_wrong_mappings_are_all_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(DrgsimError) as caught:
        InputOptions.of("x", maps=["主诊", "主诊=principal_diagnose", "sex=性"], code_version="gl3")
    assert [problem.code for problem in caught.value.problems] == [
        "map-malformed", "map-unknown-column", "map-unknown-column", "layout-unknown", "code-version-unknown",
    ]  # fmt: skip
    assert "did you mean principal_diagnosis" in caught.value.problems[1].fix
    assert '--map "性=sex"' in caught.value.problems[2].fix
    assert caught.value.exit_code == 2
    problem = problem_of(table(tmp_path, [HQMS]), InputOptions.of(maps=["A12=sex"]))
    assert (problem.code, problem.fix) == ("input-map-column", "did you mean A12C?")
    with pytest.raises(DrgsimError, match="map-file-broken"):
        InputOptions.of(map_file=tmp_path / "none.yaml")


def test_two_columns_for_one_list_are_asked_about() -> None:
    names = ["病案号", "性别", "年龄", "诊断编码", "主要诊断编码", "手术"]
    with pytest.raises(DrgsimError, match="all hold diagnoses") as caught:
        recognise(names, "x.csv")
    assert caught.value.problems[0].code == "input-ambiguous-column"
    maps = ["诊断编码=other_diagnoses", "主要诊断编码=principal_diagnosis"]
    recipe = recognise(names, "x.csv", InputOptions.of(maps=maps)).recipes["diagnoses"]
    assert recipe.columns == ("主要诊断编码", "诊断编码")
    # a canonical column means itself
    assert recognise([*names, "diagnoses"], "x.csv").recipes["diagnoses"].columns == ("diagnoses",)


# -- settlement lists -----------------------------------------------------------------------------------------------------
def settlement(number: int, diagnoses: list[tuple[str, str, str]], **fields: Any) -> dict[str, Any]:
    keys = ("diag_code", "diag_type", "maindiag_flag")
    return {
        "setlinfo": {"setl_id": str(number), "gend": "1", "age": 65.0, **fields},
        "diseinfo": [dict(zip(keys, entry, strict=True)) for entry in diagnoses],
    }


LISTS = [
    settlement(1, [("I10.x00", "2", "0"), ("I21.001", "1", "1")]),
    settlement(2, [("I21.001", "1", ""), ("I10.x00", "1", "")]),
    settlement(3, [("I10.x00", "2", ""), ("I21.001", "1", "")]),
    settlement(4, [("BNX080", "2", "1"), ("A07.06.18", "3", "1"), ("I21.001", "1", "1"), ("A01.002+G01*", "2", "0")]),
    settlement(5, [("I21.001", "1", "0"), ("I10.x00", "2", "0")]),
    settlement(6, [], icuinfo=[{"scs_cutd_sum_dura": "1/2/30"}, {"scs_cutd_inpool_time": "2024-01-01 10:00:00",
                                                                  "scs_cutd_exit_time": "2024-01-01 12:00:00"}]),
    settlement(7, [("I21.001", "1", "1"), ("I10.x00", "1", "1")]),
]  # fmt: skip
READ = ["I21.001|I10.x00", "I21.001|I10.x00", "I21.001|I10.x00", "I21.001|A01.002+G01*", "|I21.001|I10.x00", "",
        "I21.001|I10.x00"]  # fmt: skip


@pytest.mark.parametrize("form", ["lines", "list", "wrapped", "pretty", "folder", "gb18030"])
def test_json_in_every_form(tmp_path: Path, form: str) -> None:
    path = tmp_path / ("lists" if form == "folder" else "lists.json")
    if form == "folder":
        path.mkdir()
        for number, one in enumerate(LISTS):
            (path / f"{number}.json").write_text(json.dumps(one, indent=1), encoding="utf-8-sig")
    elif form in ("lines", "gb18030"):
        text = "\n".join(json.dumps({**one, "名": "甲"}, ensure_ascii=False) for one in LISTS)
        path.write_bytes(text.encode("gb18030" if form == "gb18030" else "utf-8"))
    elif form == "pretty":
        path.write_text("\n".join(json.dumps(one, indent=2) for one in LISTS), encoding="utf-8")
    else:
        value = {"data": [{"input": one} for one in LISTS]} if form == "wrapped" else LISTS
        path.write_text(json.dumps(value), encoding="utf-8")
    source = open_source(path)
    rows = [row for batch in source.batches(tuple(columns())) for row in batch.to_pylist()]
    assert [row["discharge_id"] for row in rows] == list("1234567")
    assert [row["diagnoses"] for row in rows] == READ
    assert rows[5]["icu_hours"] == "28.5"
    assert rows[0]["age"] == "65"
    assert source.noted == Counter(tcm_diagnoses_left_out=2, several_principal_diagnoses=1)
    assert source.done == 1.0


def test_a_long_list_is_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import drgsim.records.read_json as module

    monkeypatch.setattr(module, "_CHUNK", 64)
    monkeypatch.setattr(module, "BATCH_RECORDS", 3)
    path = tmp_path / "lists.json"
    path.write_text(json.dumps(LISTS * 3, indent=1), encoding="utf-8")
    batches = list(open_source(path).batches(["diagnoses"]))
    assert [row for batch in batches for row in batch.column("diagnoses").to_pylist()] == READ * 3
    assert max(batch.num_rows for batch in batches) <= 3


def test_broken_json_is_an_invalid_record_and_other_json_a_question(tmp_path: Path, scheme: Scheme) -> None:
    path = tmp_path / "lists.jsonl"
    path.write_text(json.dumps(LISTS[0]) + '\n{"setlinfo": \n' + json.dumps(LISTS[1]) + "\n", encoding="utf-8")
    done = group_files([path], scheme, tmp_path / "out.csv")
    assert done.counts.records == 3
    assert done.counts.reasons["line_broken"] == 1
    assert pd.read_csv(tmp_path / "out.csv", dtype=str).reason.tolist()[1] == "line_broken"
    other = tmp_path / "other.json"
    for content, code in (('{"a": 1}\n', "input-layout-unknown"), ("[]", "input-no-rows"), ("[1, 2]", "input-layout-unknown")):
        other.write_text(content, encoding="utf-8")
        with pytest.raises(DrgsimError) as caught:
            list(open_source(other).batches(["diagnoses"]))
        assert caught.value.problems[0].code == code
    path.write_text('{"setlinfo": \n' + json.dumps(LISTS[0]) + "\n", encoding="utf-8")  # broken on its first line
    assert group_files([path], scheme, None).counts.status.tolist() == [1, 0, 0, 1]
    broken = tmp_path / "list.json"
    broken.write_text(json.dumps(LISTS, indent=1)[:-40], encoding="utf-8")
    with pytest.raises(DrgsimError, match="no valid JSON from line"):
        list(open_source(broken).batches(["diagnoses"]))
    with pytest.raises(DrgsimError, match="has no JSON form"):
        open_source(path, InputOptions.of("hqms"))


def test_flat_settlement_lists_with_marks(tmp_path: Path) -> None:
    row = {"setl_id": "1", "gend": "1", "age": "65", "oprn_oprt_code1": "00.4500", "oprn_oprt_type1": "2",
           "oprn_oprt_code2": "36.0601", "oprn_oprt_type2": "1", "diag_code1": "I10.x00", "maindiag_flag1": "0",
           "diag_type1": "2", "diag_code2": "I21.001", "maindiag_flag2": "1", "diag_type2": "1", "diag_code3": "A07.06.18",
           "maindiag_flag3": "1", "diag_type3": "3"}  # fmt: skip
    unmarked = {**row, "maindiag_flag1": "", "maindiag_flag2": "", "maindiag_flag3": ""}
    path = table(tmp_path, [row, unmarked])
    source = open_source(path)
    rows = [row for batch in source.batches(["diagnoses", "procedures"]) for row in batch.to_pylist()]
    assert [split_codes(one["diagnoses"]) for one in rows] == [["I21.001", "I10.X00"], ["I10.X00", "I21.001"]]
    assert split_codes(rows[0]["procedures"]) == ["36.0601", "00.4500"]
    assert source.noted["tcm_diagnoses_left_out"] == 2


def test_flat_settlement_lists_may_lack_marks_in_some_places_or_all(tmp_path: Path) -> None:
    row = {"setl_id": "1", "gend": "1", "age": "65", "diag_code1": "I10.x00", "diag_code2": "I21.001", "maindiag_flag2": "1",
           "oprn_oprt_code1": "36.0601", "oprn_oprt_code2": "00.4500"}  # fmt: skip
    plain = {name: value for name, value in row.items() if name != "maindiag_flag2"}
    for number, (given, diagnoses) in enumerate(((row, ["I21.001", "I10.X00"]), (plain, ["I10.X00", "I21.001"]))):
        read = canonical(table(tmp_path, [given], f"{number}.csv"), None, "diagnoses", "procedures")
        assert split_codes(read[0]["diagnoses"]) == diagnoses
        assert split_codes(read[0]["procedures"]) == ["36.0601", "00.4500"]


def test_a_mistyped_principal_code_is_unknown_and_not_of_chinese_medicine(tmp_path: Path, scheme: Scheme) -> None:
    path = tmp_path / "lists.jsonl"
    path.write_text(json.dumps(settlement(1, [("XX9.999", "1", "1"), ("BNX080", "3", "0"), ("I10.x00", "2", "0")])), "utf-8")
    flat = {"setl_id": "1", "gend": "1", "age": "65", "diag_code1": "XX9.999", "diag_type1": "1", "maindiag_flag1": "1",
            "diag_code2": "ZYVXQ0", "diag_type2": "2", "maindiag_flag2": "0", "oprn_oprt_code1": ""}  # fmt: skip
    for each in (path, table(tmp_path, [flat])):
        done = group_files([each], scheme, tmp_path / "out.csv")
        assert done.counts.reasons["principal_unknown"] == 1, each
        assert done.noted["tcm_diagnoses_left_out"] == 1, each


def test_recipes_take_numbers_lists_and_dictionaries() -> None:
    table = pa.table({"a": pa.array(["I21.001", None]).dictionary_encode(), "b": [["I10.x00", None], []], "h": ["0/1/30", "9"]})
    noted: Counter[str] = Counter()
    assert derive(Recipe("codes", ("a", "b")), table, noted).to_pylist() == ["I21.001|I10.x00", ""]
    assert derive(Recipe("hours", ("h",)), table, noted).to_pylist() == ["1.5", "9"]
    assert derive(Recipe("sum", ("x", "y")), pa.table({"x": ["1.1", None], "y": ["2", None]}), noted).to_pylist() == [3.1, None]


# -- commands -------------------------------------------------------------------------------------------------------------
def test_commands_say_which_layout_was_read(tmp_path: Path) -> None:
    source, target = str(SAMPLES / "settlement-list.jsonl"), str(tmp_path / "out.csv")
    shown = run("group", source, "-o", target).stdout
    assert "settlement-list settlement list" in shown
    assert f"中医诊断未参与分组: {TCM}" in shown
    summary = json.loads(run("group", source, "-o", target, "--json").stdout)
    assert summary["layouts"] == ["settlement-list"]
    assert summary["left_out"] == {"tcm_diagnoses_left_out": TCM}
    assert check_files([SAMPLES / "hqms.csv"]).layouts == ["hqms"]
    assert check_files([SAMPLES / "settlement-list.jsonl"]).noted == {"tcm_diagnoses_left_out": TCM}  # although read twice
    first = pd.read_csv(target, dtype=str).iloc[3]
    assert first.drg in run("explain", source, "--id", first.discharge_id, "--brief").stdout
    assert "layout-unknown" in run("validate", source, "--format", "none", code=2).stderr
    path = table(tmp_path, [{"id": "7", "性别": "1", "年龄": "65", "主诊": "I21.001", "手术": ""}])
    assert "I21.001" in run("explain", str(path), "--id", "7", "--map", "主诊=principal_diagnosis").stdout


def test_keep_input_keeps_the_fields_of_json(tmp_path: Path, scheme: Scheme) -> None:
    group_files([SAMPLES / "settlement-list.jsonl"], scheme, tmp_path / "out.csv", keep_input=True)
    kept = pd.read_csv(tmp_path / "out.csv", dtype=str)
    assert {"setl_id", "psn_no", "hi_type", "diag_codes", "drg"} <= set(kept.columns)
    assert kept.psn_no.notna().all()

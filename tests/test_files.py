"""Files in and out: formats, encodings, broken lines, clear errors, whole outputs, the same bytes."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

import drgsim
from drgsim.engines.file_to_file import group_files
from drgsim.errors import DrgsimError, OutputError
from drgsim.records.duplicates import SeenIds
from drgsim.records.findings import BITS
from drgsim.records.read import open_source, read_table
from drgsim.results.table_files import write_table
from drgsim.units.schemes.scheme import Scheme

ROWS = [
    {"discharge_id": "a", "sex": "1", "age": "70", "diagnoses": "I50.101|J96.000", "procedures": "", "科室": "心内科"},
    {"discharge_id": "b", "sex": "2", "age": "29", "diagnoses": "O80.000|Z37.001", "procedures": "", "科室": "产科"},
    {
        "discharge_id": "c",
        "sex": "1",
        "age": "65",
        "diagnoses": "I21.001|I10.x00",
        "procedures": "36.0601|00.4500",
        "科室": "心内科",
    },
]
EXPECTED = ["FR21", "OR19", "FM39"]


def text(rows: list[dict[str, str]] = ROWS, sign: str = ",") -> str:
    return "\n".join([sign.join(rows[0]), *(sign.join(row.values()) for row in rows)]) + "\n"


def groups_of(source: Path, scheme: Scheme, suffix: str = ".parquet") -> pd.DataFrame:
    target = source.with_name(f"{source.name}.out{suffix}")
    group_files([source], scheme, target)
    if suffix == ".parquet":
        return pq.read_table(target).to_pandas()
    return read_table(target).to_pandas() if suffix == ".xlsx" else pd.read_csv(target, dtype=str)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("sign", [",", "\t", ";"])
def test_csv_in_every_encoding(tmp_path: Path, scheme: Scheme, encoding: str, sign: str) -> None:
    source = tmp_path / "cases.csv"
    source.write_bytes(text(sign=sign).encode(encoding))
    assert list(groups_of(source, scheme).drg) == EXPECTED


def test_gb18030_that_starts_as_plain_ascii(tmp_path: Path, scheme: Scheme) -> None:
    rows = [{**ROWS[0], "discharge_id": f"{n:07d}", "dept": "x"} for n in range(40_000)]
    for row in rows:
        row.pop("科室")
    rows[-1]["discharge_id"] = "病案七"
    source = tmp_path / "cases.csv"
    source.write_bytes(text(rows).encode("gb18030"))
    grouped = groups_of(source, scheme)
    assert grouped.discharge_id.iloc[-1] == "病案七"
    assert set(grouped.drg) == {"FR21"}


def test_gzipped_csv_and_windows_line_ends(tmp_path: Path, scheme: Scheme) -> None:
    source = tmp_path / "cases.csv.gz"
    source.write_bytes(gzip.compress(text().replace("\n", "\r\n").encode()))
    assert list(groups_of(source, scheme).drg) == EXPECTED


def test_quoted_cells_hold_commas_and_line_breaks(tmp_path: Path, scheme: Scheme) -> None:
    source = tmp_path / "cases.csv"
    source.write_text(
        'discharge_id,sex,age,diagnoses,procedures,note\n"a, 1",1,70,"I50.101,J96.000",,"two\nlines"\n', encoding="utf-8"
    )
    grouped = groups_of(source, scheme)
    assert list(grouped.drg) == ["FR21"]
    assert list(grouped.discharge_id) == ["a, 1"]


def test_parquet_with_numbers_and_lists(tmp_path: Path, scheme: Scheme) -> None:
    table = pa.table(
        {
            "discharge_id": [1, 2, 3],
            "sex": pa.array([1, 2, 1], pa.int8()),
            "age": [70.0, 29.0, 65.0],
            "diagnoses": [row["diagnoses"].split("|") for row in ROWS],
            "procedures": pa.array([[], None, ["36.0601", "00.4500"]], pa.list_(pa.string())),
        }
    )
    source = tmp_path / "cases.parquet"
    pq.write_table(table, source)
    grouped = groups_of(source, scheme)
    assert list(grouped.drg) == EXPECTED
    assert list(grouped.discharge_id) == ["1", "2", "3"]


def test_xlsx_in_and_out(tmp_path: Path, scheme: Scheme) -> None:
    source = tmp_path / "cases.xlsx"
    book = xlsxwriter.Workbook(str(source))
    book.add_worksheet("空白")
    sheet = book.add_worksheet("病案")
    sheet.write_row(0, 0, list(ROWS[0]))
    for number, row in enumerate(ROWS, start=1):
        sheet.write_row(number, 0, [row["discharge_id"], int(row["sex"]), int(row["age"]), *list(row.values())[3:]])
    book.close()
    assert list(groups_of(source, scheme, ".xlsx").drg) == EXPECTED


def workbook(path: Path, **sheets: list[list[str]]) -> Path:
    book = xlsxwriter.Workbook(str(path))
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    book.close()
    return path


HEADER = list(ROWS[0])
CELLS = [list(row.values()) for row in ROWS]


def test_the_records_of_a_workbook_are_found_behind_its_cover(tmp_path: Path, scheme: Scheme) -> None:
    cover = [["病案首页导出"], ["某医院"], ["列", "含义"]]
    first = [["2024 年"], [], HEADER, CELLS[0], [], ["", ""], CELLS[1]]
    source = workbook(tmp_path / "cases.xlsx", 说明=cover, 一=first, 二=[HEADER, CELLS[2]])
    assert list(groups_of(source, scheme).drg) == EXPECTED


@pytest.mark.parametrize(
    ("sheets", "code"),
    [
        ({"a": [HEADER, CELLS[0]], "b": [HEADER[:-1], CELLS[1][:-1]]}, "input-several-sheets"),
        ({"a": [[*HEADER, "sex"], [*CELLS[0], "1"]]}, "input-duplicate-column"),
        ({"a": [["x", "y"], ["1", "2"]]}, "input-layout-unknown"),
        ({"a": [HEADER]}, "input-no-rows"),
        ({"a": []}, "input-no-header"),
    ],
)
def test_a_workbook_that_leaves_a_doubt(tmp_path: Path, scheme: Scheme, sheets: dict[str, list[list[str]]], code: str) -> None:
    source = workbook(tmp_path / "cases.xlsx", **sheets)
    with pytest.raises(DrgsimError) as error:
        groups_of(source, scheme)
    assert code in {problem.code for problem in error.value.problems}


def odd_columns() -> pa.Table:
    """The records with columns beside the usual ones, of types that a spreadsheet does not know."""
    table = pa.Table.from_pylist([{**row, "diagnoses": row["diagnoses"].split("|")} for row in ROWS])
    extra = {
        "admitted": pa.array([date(2024, 1, 2), None, None]),
        "weight": pa.array([1.5, float("nan"), None]),
        "marks": pa.array([{"a": "甲"}, None, None]),
        "raw": pa.array([b"x", None, None]),
    }
    for name, column in extra.items():
        table = table.append_column(name, column)
    return table


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_columns_of_any_type_come_along(tmp_path: Path, scheme: Scheme, suffix: str) -> None:
    source, target = tmp_path / "cases.parquet", tmp_path / f"out{suffix}"
    pq.write_table(odd_columns(), source)
    group_files([source], scheme, target, keep_input=True)
    if suffix == ".xlsx":
        out = read_table(target).to_pandas().fillna("")
    else:
        out = pd.read_csv(target, dtype=str, keep_default_na=False)
    assert list(out.drg) == EXPECTED
    assert list(out.diagnoses) == [row["diagnoses"] for row in ROWS]
    assert out.admitted[0] == "2024-01-02"
    assert list(out.weight) == ["1.5", "", ""]
    assert out.marks[0] == '{"a": "甲"}'
    assert out.raw[0] == "x"


def test_a_text_longer_than_a_cell_is_refused(tmp_path: Path, scheme: Scheme) -> None:
    source = tmp_path / "cases.parquet"
    pq.write_table(pa.Table.from_pylist([{**row, "note": "x" * 40_000} for row in ROWS]), source)
    with pytest.raises(OutputError) as error:
        group_files([source], scheme, tmp_path / "out.xlsx", keep_input=True)
    assert error.value.problems[0].code == "output-too-long-text"
    assert [path.name for path in tmp_path.iterdir()] == ["cases.parquet"]


def test_several_inputs_keep_their_order(tmp_path: Path, scheme: Scheme) -> None:
    first, second = tmp_path / "1.csv", tmp_path / "2.parquet"
    first.write_text(text(ROWS[:1]), encoding="utf-8")
    pq.write_table(pa.Table.from_pylist(ROWS[1:]), second)
    run = group_files([first, second], scheme, tmp_path / "out.csv")
    assert list(pd.read_csv(tmp_path / "out.csv").drg) == EXPECTED
    assert run.counts.records == 3


def test_keep_input_puts_the_own_columns_first(tmp_path: Path, scheme: Scheme) -> None:
    source = tmp_path / "cases.csv"
    source.write_text(text(), encoding="utf-8")
    for suffix in (".csv", ".parquet"):
        group_files([source], scheme, tmp_path / f"out{suffix}", keep_input=True)
    kept = pd.read_csv(tmp_path / "out.csv", dtype=str)
    assert list(kept.columns[:6]) == list(ROWS[0])
    assert list(kept["科室"]) == [row["科室"] for row in ROWS]
    assert list(kept.drg) == EXPECTED
    assert pq.read_table(tmp_path / "out.parquet").column("科室").to_pylist() == list(kept["科室"])


def test_a_broken_line_is_an_invalid_record_and_stops_nothing(tmp_path: Path, scheme: Scheme) -> None:
    lines = text().splitlines()
    lines.insert(2, "broken,1,70,I50.101,,x,too,many")
    source = tmp_path / "cases.csv"
    source.write_text("\n".join(lines) + "\nshort,1\n", encoding="utf-8")
    grouped = groups_of(source, scheme)
    assert len(grouped) == 5
    assert list(grouped.discharge_id) == ["a", "broken", "b", "c", "short"]  # each at its own place
    broken = grouped[grouped.status == "invalid"]
    assert list(broken.discharge_id) == ["broken", "short"]
    assert set(broken.reason) == {"line_broken"}
    assert list(grouped.drg[grouped.status == "grouped"]) == EXPECTED


def messy(tmp_path: Path, scheme: Scheme, content: str | bytes, name: str = "cases.csv") -> pd.DataFrame:
    source = tmp_path / name
    source.write_bytes(content.encode() if isinstance(content, str) else content)
    return groups_of(source, scheme)


def test_a_stray_quote_swallows_no_record(tmp_path: Path, scheme: Scheme) -> None:
    lines = [f"{n},1,70,I50.101|J96.000,,王" for n in range(9_000)]
    for place in (100, 5_000, 5_001, 8_999):
        lines[place] = lines[place].replace("王", '"王')
    lines[7_000] = lines[7_000].replace("王", '李"')
    grouped = messy(tmp_path, scheme, "discharge_id,sex,age,diagnoses,procedures,name\n" + "\n".join(lines))
    assert list(grouped.discharge_id) == [str(n) for n in range(9_000)]
    assert list(grouped.discharge_id[grouped.reason == "line_broken"]) == ["100", "5000", "5001", "8999"]
    assert set(grouped.drg[grouped.status == "grouped"]) == {"FR21"}


def test_line_breaks_in_quoted_cells_are_believed(tmp_path: Path, scheme: Scheme) -> None:
    rows = [f'{n},1,70,"I50.101|J96.000","","street {n}\nroom, {n}\n\nlast ""line"""' for n in range(3_000)]
    grouped = messy(tmp_path, scheme, "discharge_id,sex,age,diagnoses,procedures,name\n" + "\n".join(rows) + "\n")
    assert len(grouped) == 3_000
    assert set(grouped.drg) == {"FR21"}


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.replace("\n", ",\n"),  # every line ends with a delimiter
        lambda t: t.replace("\n", ",\n", 1),  # only the header does
        lambda t: t.replace("\n", ",\n").replace(",\n", "\n", 1),  # only the data lines do
        lambda t: "\n\n" + t,
        lambda t: "sep=,\n" + t,
        lambda t: "某医院病案首页导出\n" + t,
        lambda t: t.replace("\n", "\r"),
        lambda t: t.replace("\n", "\r\n") + "\r\n,,,,,\r\n  \r\n",
        lambda t: "\ufeff" + "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in t.splitlines()),
        lambda t: t.replace("J96.000", "J96.000\0\0"),
        lambda t: t.replace("\n", "\r").encode("utf-16"),
        lambda t: t.replace("J96.000", "J96.000\r"),  # a lone return within a line
    ],
)
def test_shapes_of_windows_exports(tmp_path: Path, scheme: Scheme, change: Callable[[str], str]) -> None:
    assert list(messy(tmp_path, scheme, change(text())).drg) == EXPECTED


def test_one_bad_byte_costs_one_character(tmp_path: Path, scheme: Scheme) -> None:
    content = text().encode("gb18030").replace("心内科".encode("gb18030"), "心内科".encode("gb18030")[:-1])
    assert list(messy(tmp_path, scheme, content).drg) == EXPECTED
    content = (text() * 1).encode().replace("产科".encode(), b"\xe4\xba")
    assert list(messy(tmp_path, scheme, content).drg) == EXPECTED


# -- errors ---------------------------------------------------------------------------------------------------------------
def error_of(tmp_path: Path, content: str | bytes, name: str = "cases.csv") -> DrgsimError:
    source, target = tmp_path / name, tmp_path / "out.csv"
    source.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(DrgsimError) as caught:
        group_files([source], "chs-drg-2.0", target)
    assert not target.exists()
    assert [path.name for path in tmp_path.iterdir()] == [name]
    return caught.value


def test_a_missing_column_names_column_line_and_remedy(tmp_path: Path) -> None:
    error = error_of(tmp_path, text().replace("diagnoses", "diagnose").replace("age", "agee"))
    assert error.exit_code == 3
    assert [problem.code for problem in error.problems] == ["input-missing-column"] * 2
    age, diagnoses = error.problems
    assert "age (年龄)" in age.what
    assert "line 1" in age.where
    assert "is it agee?" in age.fix
    assert "is it diagnose?" in diagnoses.fix


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"", "cases.csv", "input-empty-file"),
        (b"\n\n", "cases.csv", "input-no-header"),
        (text().splitlines()[0] + "\n", "cases.csv", "input-no-rows"),
        (text().replace("科室", "性别").replace("sex", "gender"), "cases.csv", "input-ambiguous-column"),
        (text().replace("科室", "sex"), "cases.csv", "input-duplicate-column"),
        (b"PAR1 this is no parquet", "cases.parquet", "input-broken-file"),
        (b"this is no workbook", "cases.xlsx", "input-broken-file"),
        (b"x", "cases.dbf", "input-unknown-suffix"),
        (b"\x00\x01\x02\xfe" * 4_000, "cases.csv", "input-broken-file"),
        (b"PK\x03\x04 a workbook", "cases.csv", "input-broken-file"),
        (b"PK\x05\x06" + b"\0" * 18, "cases.zip", "input-zip-empty"),
        (b"%PDF-1.4\n%\xe2\xe3\r text", "cases.xls", "input-broken-file"),
        (b"\x89PNG\r\n\x1a\n text", "cases.csv", "input-broken-file"),
        (gzip.compress(text().encode())[:-9], "cases.csv.gz", "input-broken-file"),
    ],
)
def test_a_file_that_cannot_be_read_gives_one_clear_error(tmp_path: Path, content: str | bytes, name: str, code: str) -> None:
    error = error_of(tmp_path, content, name)
    assert [problem.code for problem in error.problems] == [code]
    assert error.problems[0].fix


def test_a_truncated_parquet_leaves_no_output(tmp_path: Path) -> None:
    good = tmp_path / "good.parquet"
    pq.write_table(pa.Table.from_pylist(ROWS * 1000), good)
    content = good.read_bytes()
    good.unlink()
    error = error_of(tmp_path, content[:200] + b"\0" * 400 + content[600:], "cases.parquet")
    assert error.problems[0].code == "input-broken-file"


def test_all_bad_inputs_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").touch()
    with pytest.raises(DrgsimError) as caught:
        group_files([tmp_path / "none.csv", tmp_path / "empty.csv"], "chs-drg-2.0", tmp_path / "out.csv")
    assert [problem.code for problem in caught.value.problems] == ["input-not-found", "input-empty-file"]


@pytest.mark.parametrize(("target", "code"), [("out.dbf", "output-unknown-suffix"), ("none/out.csv", "output-no-folder")])
def test_an_impossible_target_is_refused_before_any_work(tmp_path: Path, target: str, code: str) -> None:
    source = tmp_path / "cases.csv"
    source.write_text(text(), encoding="utf-8")
    with pytest.raises(DrgsimError) as caught:
        group_files([source], "chs-drg-2.0", tmp_path / target)
    assert caught.value.problems[0].code == code


def test_a_failed_run_leaves_the_earlier_result(tmp_path: Path) -> None:
    source, target = tmp_path / "cases.parquet", tmp_path / "out.csv"
    target.write_text("earlier", encoding="utf-8")
    pq.write_table(pa.Table.from_pylist(ROWS * 1000), source)
    content = source.read_bytes()
    source.write_bytes(content[:200] + b"\0" * 400 + content[600:])
    with pytest.raises(DrgsimError):
        group_files([source], "chs-drg-2.0", target)
    assert target.read_text(encoding="utf-8") == "earlier"


def test_an_unknown_scheme_is_told_with_a_guess() -> None:
    with pytest.raises(DrgsimError, match=r"did you mean chs-drg-2\.0"):
        drgsim.load_scheme("chs-drg-20")


# -- same input, same bytes -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".xlsx"])
def test_the_same_input_gives_the_same_bytes(tmp_path: Path, conformance: Path, suffix: str) -> None:
    outputs = []
    for workers in (1, 3):
        target = tmp_path / f"{workers}{suffix}"
        group_files([conformance], "chs-drg-2.0", target, workers=workers)
        outputs.append(target.read_bytes())
    assert outputs[0] == outputs[1]


# -- duplicate ids --------------------------------------------------------------------------------------------------------
@pytest.mark.slow
def test_duplicate_ids_over_many_batches() -> None:
    seen = SeenIds()
    duplicate, missing = 1 << BITS["id_duplicate"], 1 << BITS["id_missing"]
    for start in range(0, 400_000, 50_000):
        assert not seen.note(pa.array([f"id {n}" for n in range(start, start + 50_000)])).any()
    assert seen.note(pa.array(["id 7", None, "new", "new", "", "id 399999"])).tolist() == [
        duplicate, missing, 0, duplicate, missing, duplicate,
    ]  # fmt: skip
    assert seen.complete


def test_the_memory_bound_on_ids_is_said() -> None:
    seen = SeenIds(most_slots=1 << 10)
    seen.note(pa.array([str(n) for n in range(2_000)]))
    assert not seen.complete


def test_batches_do_not_hold_the_file(tmp_path: Path) -> None:
    source = tmp_path / "cases.csv"
    source.write_text(text(ROWS * 60_000), encoding="utf-8")
    sizes = [batch.num_rows for batch in open_source(source).batches(["discharge_id", "diagnoses"])]
    assert sum(sizes) == 180_000
    assert max(sizes) <= 1 << 16


def test_a_dictionary_that_repeats_values_leaks_no_memory_into_the_file(tmp_path: Path) -> None:
    values = pa.array(["standard", "", "", "", "by item", ""])
    repeated = pa.table({"rule": pa.DictionaryArray.from_arrays(pa.array([0, 1, 3, None, 4, 5], pa.int32()), values)})
    plain = pa.table({"rule": repeated["rule"].cast(pa.string()).dictionary_encode()})
    written = []
    for number, table in enumerate((repeated, plain)):
        write_table(tmp_path / f"{number}.parquet", table)
        written.append((tmp_path / f"{number}.parquet").read_bytes())
    assert written[0] == written[1]
    assert pq.read_table(tmp_path / "0.parquet")["rule"].to_pylist() == ["standard", "", "", None, "by item", ""]

"""Outputs are whole or not there; workbooks hold values and repeat byte for byte; results keep and show themselves."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

from drgsim.errors import DrgsimError, OutputError, Problem
from drgsim.results.result import Result
from drgsim.results.run_record import digest_of, plain, run_record, write_results
from drgsim.results.table_files import open_writer, write_table
from drgsim.results.whole_outputs import RUN_FILE, check_folder, whole_file, whole_folder
from drgsim.results.workbook import Cell, open_workbook

T = TypeVar("T")
TABLE = pa.table({
    "id": ["=1+1", "b"], "cost": pa.array([Decimal("12.30"), None], pa.decimal128(18, 2)), "cases": [3, 4],
    "share": [0.25, float("nan")], "day": [date(2024, 9, 1), None], "codes": [["A", "B"], []],
})  # fmt: skip


class Interrupted(BaseException):
    """As an interrupt from the keyboard: no ``Exception``."""


def broken_off(output: AbstractContextManager[T], write: Callable[[T], object], error: type[BaseException]) -> None:
    """Write into an output and fail."""
    with output as beside:
        write(beside)
        raise error


def code_of(error: pytest.ExceptionInfo[DrgsimError]) -> str:
    return error.value.problems[0].code


# -- whole or not at all ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("error", [ValueError, Interrupted])
@pytest.mark.parametrize("earlier", [True, False])
def test_a_file_that_fails_leaves_what_was_there(tmp_path: Path, error: type[BaseException], earlier: bool) -> None:
    target = tmp_path / "a.txt"
    if earlier:
        target.write_text("before")
    with pytest.raises(error):
        broken_off(whole_file(target), lambda beside: beside.write_text("half"), error)
    assert [path.read_text() for path in tmp_path.iterdir()] == (["before"] if earlier else [])


@pytest.mark.parametrize("error", [ValueError, Interrupted])
@pytest.mark.parametrize("earlier", [True, False])
def test_a_folder_that_fails_leaves_what_was_there(tmp_path: Path, error: type[BaseException], earlier: bool) -> None:
    target = tmp_path / "out"
    if earlier:
        target.mkdir()
        (target / "a.csv").write_text("before")
    with pytest.raises(error):
        broken_off(whole_folder(target, own=["a.csv"]), lambda beside: (beside / "a.csv").write_text("half"), error)
    assert [path.read_text() for path in tmp_path.rglob("*.csv")] == (["before"] if earlier else [])
    assert [path.name for path in tmp_path.iterdir()] == (["out"] if earlier else [])


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".xlsx"])
def test_a_table_that_fails_half_way_leaves_nothing(tmp_path: Path, suffix: str) -> None:
    batch = TABLE.to_batches()[0]
    with pytest.raises(Interrupted):
        broken_off(
            open_writer(tmp_path / f"a{suffix}", TABLE.schema), lambda writer: writer.write(writer.encode(batch)), Interrupted
        )
    assert list(tmp_path.iterdir()) == []


def test_when_the_last_step_fails_the_earlier_folder_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "a.csv").write_text("before")
    rename = Path.rename

    def once_broken(self: Path, to: Path) -> Path:
        if self.parent.name.endswith(".part"):
            raise OSError(28, "No space left on device")
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", once_broken)
    with pytest.raises(OutputError) as caught, whole_folder(target, own=["a.csv"]) as beside:
        (beside / "a.csv").write_text("after")
    assert code_of(caught) == "output-not-writable"
    assert [(path.name, (path / "a.csv").read_text()) for path in tmp_path.iterdir()] == [("out", "before")]


def test_the_mask_of_the_process_holds_and_links_are_written_through(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with whole_file(tmp_path / "a.txt") as beside:
            beside.touch()
        with whole_folder(tmp_path / "out") as beside:
            (beside / "b.txt").touch()
    finally:
        os.umask(before)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o750
    (tmp_path / "link").symlink_to(tmp_path / "a.txt")
    with whole_file(tmp_path / "link") as beside:
        beside.write_text("through")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "a.txt").read_text() == "through"


def test_an_error_about_another_file_is_not_told_as_one_of_the_output(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(FileNotFoundError), whole_file(tmp_path / "out" / "a.txt"):
        (tmp_path / "in" / "missing.csv").read_text()


# -- only its own -------------------------------------------------------------------------------------------------------
def test_what_an_earlier_result_cannot_hold_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    (folder / "report").mkdir(parents=True)
    (folder / "kinds.csv").touch()
    (folder / "report" / "summary.json").touch()
    (folder / "Thumbs.db").touch()
    own = ("kinds.csv", "report/summary.json", "report/page.html")
    check_folder(folder, own=own, marker="kinds.csv")
    for name in ("mine.txt", "report/mine.txt", "more/"):
        more = folder / name
        more.mkdir() if name.endswith("/") else more.touch()
        with pytest.raises(OutputError) as caught:
            check_folder(folder, own=own, marker="kinds.csv")
        assert code_of(caught) == "output-holds-more"
        more.rmdir() if name.endswith("/") else more.unlink()
    with pytest.raises(OutputError) as caught:
        check_folder(folder, own=own, marker="scheme.toml")
    assert code_of(caught) == "output-exists"
    with pytest.raises(OutputError) as caught:
        check_folder(folder, own=own, replace=False)
    assert code_of(caught) == "output-exists"
    with pytest.raises(OutputError) as caught:
        check_folder(folder / "kinds.csv")
    assert code_of(caught) == "output-is-file"


# -- workbooks ----------------------------------------------------------------------------------------------------------
def book(path: Path) -> bytes:
    with open_workbook(path, title="t") as made:
        page = made.sheet("a/b: 说明", widths=(30, 10))
        page.add(("head", 2024), "title")
        page.skip()
        page.add(("x" * 40_000, Cell(0.5, "share"), None, True, float("inf")))
        made.add_table("cases", TABLE, titles={"id": "编号"})
    return path.read_bytes()


def test_a_workbook_holds_values_and_repeats_byte_for_byte(tmp_path: Path) -> None:
    assert book(tmp_path / "a.xlsx") == book(tmp_path / "b.xlsx")
    read = CalamineWorkbook.from_path(str(tmp_path / "a.xlsx"))
    assert read.sheet_names == ["ab 说明", "Cases"]
    page = read.get_sheet_by_name("ab 说明").to_python()
    assert page[0][:2] == ["head", 2024]
    assert page[2][:4] == ["x" * 32_767, 0.5, "", True]
    rows = read.get_sheet_by_name("Cases").to_python()
    assert rows[0] == ["编号", "Cost (yuan)", "Cases", "Share", "day", "codes"]
    assert rows[1] == ["=1+1", 12.3, 3, 0.25, date(2024, 9, 1), "A|B"]
    assert rows[2] == ["b", "", 4, "", "", ""]
    with zipfile.ZipFile(tmp_path / "a.xlsx") as parts:
        sheet = parts.read("xl/worksheets/sheet2.xml").decode()
    assert '<autoFilter ref="A1:F3"/>' in sheet
    assert 'state="frozen"' in sheet
    assert "<f>" not in sheet


# -- records ------------------------------------------------------------------------------------------------------------
def test_a_record_is_plain_and_has_no_clock(tmp_path: Path) -> None:
    import numpy as np

    path = tmp_path / "a.csv"
    path.write_text("x")
    record = run_record(
        "settle", inputs=digest_of([path]), file=path, rate=np.float64("nan"), n=np.int64(3), on=date(2024, 1, 2)
    )
    assert record["inputs"] == {"a.csv": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}
    assert {name: record[name] for name in ("kind", "file", "rate", "n", "on")} == {
        "kind": "settle", "file": "a.csv", "rate": None, "n": 3, "on": "2024-01-02",
    }  # fmt: skip
    other = tmp_path / "next" / "a.csv"
    other.parent.mkdir()
    other.write_text("y")
    assert list(digest_of([path, other, path])) == [f"{tmp_path.name}/a.csv", "next/a.csv"]
    assert plain({"a": (Decimal("1.50"), np.array([1, 2]), {3})}) == {"a": ["1.50", [1, 2], [3]]}


# -- results ------------------------------------------------------------------------------------------------------------
class Paged(Result):
    kind = "paged"
    title = "Paged <b>"

    def _page(self) -> str:
        return "<html></html>"


def result() -> Paged:
    return Paged({"cases": TABLE, "sums": pa.table({"n": range(20)})}, notes=[Problem("few", "<few>", fix="get more")])


def test_a_result_saves_a_folder_that_the_same_verb_replaces(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    assert result().save(folder, formats=("parquet", "csv", "xlsx", "html")) == folder
    names = {"cases.parquet", "sums.parquet", "cases.csv", "sums.csv", "paged.xlsx", "paged.html", RUN_FILE}
    assert {path.name for path in folder.iterdir()} == names
    record = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
    assert record["kind"] == "paged"
    assert record["problems"] == [{"code": "few", "what": "<few>", "where": "", "fix": "get more"}]
    assert record["written"] == sorted(names)
    assert pq.read_table(folder / "sums.parquet").num_rows == 20
    with pytest.raises(OutputError) as caught:
        result().save(folder)
    assert code_of(caught) == "output-exists"
    result().save(folder, "csv", replace=True)
    assert {path.name for path in folder.iterdir()} == {"cases.csv", "sums.csv", RUN_FILE}
    write_results(tmp_path / "other", {}, run_record("other"))
    with pytest.raises(OutputError) as caught:
        result().save(tmp_path / "other", replace=True)
    assert code_of(caught) == "output-other-kind"


def test_a_result_saves_one_file_by_its_suffix(tmp_path: Path) -> None:
    for suffix in (".csv", ".parquet", ".xlsx", ".html"):
        path = tmp_path / suffix[1:] / f"a{suffix}"  # folders above are made
        assert result().save(path) == path
        with pytest.raises(OutputError) as caught:
            result().save(path)
        assert code_of(caught) == "output-exists"
        result().save(path, replace=True)
    assert pq.read_table(tmp_path / "parquet" / "a.parquet").num_rows == 2
    assert CalamineWorkbook.from_path(str(tmp_path / "xlsx" / "a.xlsx")).sheet_names == ["About", "Cases", "sums"]
    assert len(list(tmp_path.rglob("*.*"))) == 4


@pytest.mark.parametrize(
    ("made", "target", "formats", "code"),
    [
        (Paged, "out", ["parqet"], "output-unknown-format"),
        (Paged, "out.xls", [], "output-unknown-suffix"),
        (Result, "out", ["html"], "output-no-page"),
        (Result, "out.html", [], "output-no-page"),
    ],
)
def test_what_cannot_be_saved_is_told_before_anything_is_written(
    tmp_path: Path, made: type[Result], target: str, formats: list[str], code: str
) -> None:
    with pytest.raises(DrgsimError) as caught:
        made({"cases": TABLE}).save(tmp_path / target, formats)
    assert code_of(caught) == code
    assert list(tmp_path.iterdir()) == []


def test_a_notebook_shows_heading_first_rows_and_notes_escaped() -> None:
    shown = result()._repr_html_()
    assert "<h4>Paged &lt;b&gt;</h4>" in shown
    assert "<td>12.30</td>" in shown
    assert "&lt;few&gt; <code>few</code>" in shown
    assert repr(result()) == "<Paged: cases 2 x 6, sums 20 x 1; 1 note>"
    assert result().to_pandas("sums")["n"].sum() == 190


def test_tables_are_written_with_the_same_bytes(tmp_path: Path) -> None:
    for suffix in (".csv", ".parquet", ".xlsx"):
        for name in ("a", "b"):
            write_table(tmp_path / f"{name}{suffix}", TABLE)
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()

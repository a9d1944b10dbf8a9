"""A folder of results is replaced only by the same command, and only while it holds nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from drgsim.errors import OutputError
from drgsim.results.run_record import write_results
from drgsim.results.whole_outputs import RUN_FILE

TABLE = pa.table({"a": [1]})


def write(folder: Path, kind: str = "budget", names: tuple[str, ...] = ("a.csv", "b.parquet")) -> None:
    pages = {"page.html": lambda path: path.write_text("page", encoding="utf-8")}
    write_results(folder, dict.fromkeys(names, TABLE), {"kind": kind}, pages)


def refused(folder: Path, kind: str = "budget") -> str:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(OutputError) as caught:
        write(folder, kind)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    return caught.value.problems[0].code


def test_the_record_lists_what_was_written_and_the_same_command_replaces_it(tmp_path: Path) -> None:
    write(tmp_path / "out")
    record = json.loads((tmp_path / "out" / RUN_FILE).read_text(encoding="utf-8"))
    assert record == {"kind": "budget", "written": ["a.csv", "b.parquet", "page.html", RUN_FILE]}
    (tmp_path / "out" / ".DS_Store").touch()
    write(tmp_path / "out", names=("c.csv",))
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"c.csv", "page.html", RUN_FILE}


def test_what_the_earlier_run_did_not_write_is_kept(tmp_path: Path) -> None:
    write(tmp_path / "out")
    (tmp_path / "out" / "mynotes.txt").write_text("mine", encoding="utf-8")
    assert refused(tmp_path / "out") == "output-holds-more"
    (tmp_path / "out" / "mynotes.txt").unlink()
    (tmp_path / "out" / "mine").mkdir()
    assert refused(tmp_path / "out") == "output-holds-more"


def test_the_result_of_another_command_is_kept(tmp_path: Path) -> None:
    write(tmp_path / "out")
    assert refused(tmp_path / "out", "simulation") == "output-other-kind"


@pytest.mark.parametrize("text", ["", "no json", "[]"])
def test_a_folder_without_a_sound_record_is_kept(tmp_path: Path, text: str) -> None:
    write(tmp_path / "out")
    (tmp_path / "out" / RUN_FILE).write_text(text, encoding="utf-8")
    assert refused(tmp_path / "out") == "output-not-ours"


def test_a_record_without_a_list_answers_for_the_files_of_this_run(tmp_path: Path) -> None:
    write(tmp_path / "out")
    (tmp_path / "out" / RUN_FILE).write_text("{}", encoding="utf-8")
    write(tmp_path / "out")
    (tmp_path / "out" / RUN_FILE).write_text("{}", encoding="utf-8")
    (tmp_path / "out" / "old.csv").touch()
    assert refused(tmp_path / "out") == "output-holds-more"

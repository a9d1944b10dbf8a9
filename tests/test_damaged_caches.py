"""Damaged, full, misplaced and foreign caches cost time and a sentence, never a call or an answer."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drgsim import cache_faults
from drgsim.errors import Problem
from drgsim.units import compiled_cache
from drgsim.units.compiled_cache import cache_path, fetch, store
from tests.conftest import ROOT

KERNEL = """
from drgsim.compiled_code import njit

@njit(cache=True)
def twice(number):
    return inner(number) * 2

@njit(cache=True)
def inner(number):
    return number + 1
"""
CALL = """
import resource, sys
from drgsim import cache_faults
cache_faults.listen(lambda problem: print(problem.code))
if len(sys.argv) > 1:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
from a_kernel import twice
print(twice(20))
"""
ARRAYS = {"a": np.arange(1000), "b": np.zeros((3, 0))}
HARM: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "cut off": lambda content: content[: len(content) // 2],
    "garbage": lambda content: bytes(range(256)) * 8,
    "one bit": lambda content: content[:-9] + bytes([content[-9] ^ 1]) + content[-8:],
}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Problem]:
    found: list[Problem] = []
    monkeypatch.setattr(cache_faults, "_told", set())
    monkeypatch.setattr(cache_faults, "_listeners", [found.append])
    return found


def called(folder: Path, cache: Path, *words: str) -> list[str]:
    (folder / "a_kernel.py").write_text(KERNEL)
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}"}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"  # Python 3.11 keeps a module that the limit of a test cut off
    done = subprocess.run([sys.executable, "-c", CALL, *words], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


# -- compiled code ------------------------------------------------------------------------------------------------------
def test_a_damaged_cache_of_compiled_code_is_made_again_and_told(tmp_path: Path) -> None:
    cache = tmp_path / "numba"
    assert called(tmp_path, cache) == ["42"]
    kept = {path: path.read_bytes() for path in cache.rglob("*") if path.is_file()}
    assert {path.suffix for path in kept} == {".nbi", ".nbc"}
    for suffix, harm in ((".nbc", "cut off"), (".nbi", "empty"), (".nbc", "garbage"), (".nbi", "one bit")):
        for path, content in kept.items():
            path.write_bytes(HARM[harm](content) if path.suffix == suffix else content)
        assert called(tmp_path, cache) == ["cache-damaged", "42"], (suffix, harm)
    assert called(tmp_path, cache) == ["42"], "whole again"


def test_a_cache_of_compiled_code_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    assert called(tmp_path, tmp_path / "numba", "100") == ["cache-unused", "42"]  # no file of more than 100 bytes: a full disk
    (tmp_path / "file").write_text("no folder")
    assert called(tmp_path, tmp_path / "file")[-1] == "42"
    assert (tmp_path / "file").read_text() == "no folder"


# -- compiled rules -----------------------------------------------------------------------------------------------------
@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DRGSIM_CACHE_DIR", str(tmp_path / "cache"))
    found = cache_path("rules", "0" * 64, (__file__,))
    assert found is not None
    return found


def is_kept(path: Path) -> bool:
    found = fetch(path)
    return found is not None and found[0] == {"甲": 1} and all((found[1][name] == ARRAYS[name]).all() for name in ARRAYS)


@pytest.mark.parametrize("harm", HARM)
def test_damaged_rules_are_left_and_told(path: Path, told: list[Problem], harm: str) -> None:
    store(path, {"甲": 1}, ARRAYS)
    assert is_kept(path)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    path.write_bytes(HARM[harm](path.read_bytes()))
    assert fetch(path) is None
    assert [problem.code for problem in told] == ["cache-damaged"]
    assert not path.exists()


def test_the_rules_of_one_name_do_not_stand_for_those_of_another(path: Path, told: list[Problem]) -> None:
    store(path, {"甲": 1}, ARRAYS)
    other = path.with_name(f"other-{path.name}")
    shutil.copyfile(path, other)
    assert fetch(other) is None
    assert is_kept(path)


def test_packed_rules_are_refused(path: Path, told: list[Problem], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np, "savez", np.savez_compressed)
    store(path, {"甲": 1}, {"a": np.zeros(10_000_000)})
    assert path.stat().st_size < 100_000
    assert fetch(path) is None
    assert [problem.code for problem in told] == ["cache-damaged"]


def test_large_files_are_not_read(path: Path, told: list[Problem], monkeypatch: pytest.MonkeyPatch) -> None:
    store(path, {"甲": 1}, ARRAYS)
    monkeypatch.setattr(compiled_cache, "_LARGEST", 100)
    monkeypatch.setattr(Path, "read_bytes", None)
    assert fetch(path) is None


@pytest.mark.skipif(os.name == "nt", reason="rights of another kind")
@pytest.mark.parametrize("rights", [0o777, 0o770])
def test_rules_in_a_folder_that_others_may_write_to_are_not_trusted(path: Path, told: list[Problem], rights: int) -> None:
    store(path, {"甲": 1}, ARRAYS)
    path.parent.chmod(rights)
    assert fetch(path) is None
    assert [problem.code for problem in told] == ["cache-unused"]
    assert path.exists()
    path.unlink()
    store(path, {"甲": 1}, ARRAYS)
    assert not path.exists()


def test_a_cache_folder_that_is_a_file_and_a_full_disk_are_told_as_such(
    tmp_path: Path, told: list[Problem], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("DRGSIM_CACHE_DIR", str(tmp_path / "file"))
    path = cache_path("rules", "0" * 64, (__file__,))
    assert path is not None
    assert fetch(path) is None
    store(path, {}, ARRAYS)
    monkeypatch.setenv("DRGSIM_CACHE_DIR", str(tmp_path / "cache"))
    path = cache_path("rules", "0" * 64, (__file__,))
    assert path is not None
    monkeypatch.setattr(Path, "write_bytes", full)
    store(path, {}, ARRAYS)
    assert [problem.code for problem in told] == ["cache-unused", "cache-unused"]
    assert "No space left" in told[1].what
    assert all("DRGSIM_CACHE_DIR" in problem.fix for problem in told)
    assert list(path.parent.iterdir()) == []

"""Every walk of CONTRIBUTING.md, done in a copy of the project as a contributor would do it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
WALKS = dict(re.findall(r"^## (Walk \d: .+?)\n(.*?)(?=^## |\Z)", TEXT, re.S | re.M))
FOLDERS = ("drgsim", "groupers", "payment_tables", "data", "scenarios")


def blocks(walk: str) -> Iterator[tuple[str, str | None, str]]:
    """Kind of each block, the file that the sentence before it names last, and its text."""
    last = 0
    for found in re.finditer(r"^```(\w+)\n(.*?)^```$", walk, re.S | re.M):
        sentence = walk[last : found.start()].strip().rsplit("\n\n", 1)[-1]
        named = re.findall(r"(?:Write|Edit)\s+`([^`]+)`:$", sentence)
        yield found[1], named[0] if named else None, found[2]
        last = found.end()


def edited(old: str, diff: str) -> str:
    """A text after a diff without line numbers: its context and removed lines must stand in it once."""
    before = "".join(line[1:] + "\n" for line in diff.splitlines() if line[:1] in " -")
    after = "".join(line[1:] + "\n" for line in diff.splitlines() if line[:1] in " +")
    assert old.count(before) == 1, f"these lines do not stand once in the file:\n{before}"
    return old.replace(before, after)


def walk_through(walk: str, copy: Path) -> None:
    """Write and edit the files of a walk, run its commands, and look for what they should print."""
    printed = ""
    for kind, name, text in blocks(walk):
        if kind == "sh":
            for command in text.strip().splitlines():
                printed += run(command, copy)
        elif kind == "text":
            plain = re.sub(r"\s+", " ", printed)
            for line in text.strip().splitlines():
                assert re.sub(r"\s+", " ", line) in plain, f"{line!r} is not in\n{printed}"
            printed = ""
        else:
            assert name is not None, f"no sentence says where this belongs:\n{text}"
            path = copy / name
            new = edited(path.read_text(encoding="utf-8"), text) if kind == "diff" else text
            path.unlink(missing_ok=True)  # a linked file of the checkout stays as it is
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(new, encoding="utf-8")
    assert not printed, "the walk ends with commands, and nothing says what they print"


def run(command: str, copy: Path) -> str:
    """What a command prints, without compiled kernels: a copy of the package has none."""
    program, rest = command.split(" ", 1)
    started = {"drgsim": f'"{sys.executable}" -m drgsim', "python": f'"{sys.executable}"'}[program]
    done = subprocess.run(
        f"{started} {rest}", shell=True, cwd=copy, capture_output=True, text=True, encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(copy), "NUMBA_DISABLE_JIT": "1", "COLUMNS": "200", "PYTHONUTF8": "1"},
    )  # fmt: skip
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


@pytest.mark.parametrize("title", WALKS)
def test_a_walk_works(title: str, tmp_path: Path) -> None:
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, tmp_path / folder, copy_function=_linked, ignore=shutil.ignore_patterns("__pycache__"))
    walk_through(WALKS[title], tmp_path)


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk
        shutil.copy2(source, target)

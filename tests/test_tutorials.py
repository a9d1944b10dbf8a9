"""The four tutorials, in both languages: every command runs, every file is used, and what they show is printed."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from contextlib import chdir, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from tests.commands import run
from tests.conftest import ROOT

TUTORIALS = ("hospital", "bureau", "research", "data")
WRITE = re.compile(r"(?:Write|写入) `([^`]+)`[:：]$")
VERDICTS = {"validate"}  # their exit code is what they found


def blocks(page: str) -> Iterator[tuple[str, str | None, str]]:
    """Kind of each block, the file that the sentence before it says to write, and its text."""
    last = 0
    for found in re.finditer(r"^```(\w+)\n(.*?)^```$", page, re.S | re.M):
        named = WRITE.search(page[last : found.start()].strip())
        yield found[1], named[1] if named else None, found[2]
        last = found.end()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What the first command of each tutorial makes, by command; made once."""
    folder = tmp_path_factory.mktemp("made")
    texts = [(ROOT / "docs" / f"tutorial-{name}.md").read_text(encoding="utf-8") for name in TUTORIALS]
    commands = sorted({line for text in texts for line in text.splitlines() if line.startswith("drgsim synth ")})
    for command in commands:
        run(*shlex.split(command)[1:], cwd=folder)
    return {command: folder / shlex.split(command)[-1] for command in commands}


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", TUTORIALS)
def test_every_command_of_a_tutorial_runs(
    name: str, language: str, made: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRGSIM_LANG", language)
    page = ROOT / "docs" / f"tutorial-{name}{'.zh' if language == 'zh' else ''}.md"
    printed, names, commands = "", {}, 0
    for kind, file, text in blocks(page.read_text(encoding="utf-8")):
        if kind == "sh":
            printed = ""
            for line in text.splitlines():
                printed += made_or_run(line, made, tmp_path)
                commands += 1
        elif kind == "python":
            printed = done(text, names, tmp_path)
        elif kind == "text":
            plain = "".join(printed.split())  # a long path may be broken anywhere
            assert [line for line in text.splitlines() if "".join(line.split()) not in plain] == [], printed
        else:
            assert file is not None, f"no sentence says where this belongs:\n{text}"
            (tmp_path / file).write_text(text, encoding="utf-8")
    assert commands >= 6


def made_or_run(line: str, made: dict[str, Path], folder: Path) -> str:
    """What a command prints; what was made already is copied."""
    if line in made:
        shutil.copytree(made[line], folder / made[line].name)
        return ""
    words = shlex.split(line)
    assert words[0] == "drgsim", line
    done = run(*words[1:], cwd=folder, code=None)
    assert done.returncode in ((0, 1) if words[1] in VERDICTS else (0,)), f"{line}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def done(code: str, names: dict[str, Any], folder: Path) -> str:
    """What a block of Python prints."""
    out = StringIO()
    with chdir(folder), redirect_stdout(out):
        exec(code, names)
    return out.getvalue()

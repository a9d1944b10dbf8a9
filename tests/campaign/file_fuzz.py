"""Files whose bytes are mutated, and hostile YAML: every command ends with a sentence of its own, none with a fault."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from drgsim.assets import asset_root
from tests.campaign.hostile_values import CELLS, TEXTS, VALUES
from tests.campaign.tally import Tally
from tests.commands import run
from tests.conftest import ROOT

ENDS = {0, 1, 2, 3}  # exit codes of a call that ended as it should
_JUNK = [
    b'"',
    b",",
    b"\n",
    b"\r",
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"'",
    b"\x1b[",
    b"{",
    b"]",
    b"<",
    b"\xc3\x28",
    b"PK\x03\x04",
]
_COMMANDS = [
    ["validate", "{}", "--scheme", "chs-drg-2.0"], ["group", "{}", "--scheme", "chs-drg-2.0", "-o", "out.csv"],
    ["group", "{}", "--scheme", "chs-drg-2.0", "-o", "out.csv", "--keep-input"], ["explain", "{}", "--id", "1"], ["map", "{}"],
    ["settle", "{}", "--policy", "beijing/2024", "-o", "paid.csv"], ["weights", "{}", "-o", "weights"],
    ["group", "{}", "--json"],
]  # fmt: skip


def sample_files() -> list[Path]:
    """Files of every format, none large."""
    samples = asset_root("data/samples")
    regions = (samples / "region").glob("*.csv")
    return sorted([*(samples / "formats").iterdir(), *regions, *(samples / "selftest").glob("*.csv")])


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """Bytes with a few faults of the kinds that files get on their way."""
    data = data[: 40_000 if rng.random() < 0.9 and not data.startswith((b"PK", b"PAR1")) else None]
    for _ in range(int(rng.integers(1, 6))):
        at, width = int(rng.integers(0, len(data) + 1)), int(rng.integers(1, 200))
        kind = int(rng.integers(8))
        if kind == 0:
            data = data[:at]
        elif kind == 1:
            data = data[:at] + _JUNK[rng.integers(len(_JUNK))] * int(rng.choice([1, 1, 2, 500])) + data[at:]
        elif kind == 2:
            data = data[:at] + data[at + width :]
        elif kind == 3:
            data = data[:at] + rng.bytes(width) + data[at + width :]
        elif kind == 4:
            data = data[:at] + data[max(0, at - width) : at] * int(rng.choice([1, 2, 50])) + data[at:]
        elif kind == 5 and at < len(data):
            data = data[:at] + bytes([data[at] ^ (1 << int(rng.integers(8)))]) + data[at + 1 :]
        elif kind == 6:
            data = data[:at] + CELLS[rng.integers(len(CELLS))].encode() + data[at:]
        else:
            sign = bytes([int(rng.choice(list(b',"\n|;\t')))])
            data = data.replace(sign, _JUNK[rng.integers(len(_JUNK))], int(rng.choice([1, 5, 1000])))
    return data


def fuzz_files(tally: Tally, number: int) -> None:
    """Call commands with ``number`` mutated files."""
    category, samples = "mutated files", [(path.suffix, path.read_bytes()) for path in sample_files()]
    folder = _fresh(tally.work / "files")
    for place, rng in tally.tries(category, number):
        suffix, data = samples[rng.integers(len(samples))]
        path = folder / f"input{suffix}"
        path.write_bytes(mutated(data, rng))
        command = [word.format(path.name) for word in _COMMANDS[rng.integers(len(_COMMANDS))]]
        _call(tally, category, place, command, folder, path)
        _fresh(folder)


def fuzz_yaml(tally: Tally, number: int) -> None:
    """Check ``number`` hostile files of values: policies, scenarios, terms and specifications."""
    category = "hostile YAML"
    roots = (asset_root("payment_tables"), asset_root("scenarios"))
    policies = sorted(roots[0].glob("*/*/policy.yaml"))
    scenarios = sorted(roots[1].glob("*.yaml"))
    folder = _fresh(tally.work / "yaml")
    for place, rng in tally.tries(category, number):
        kind = int(rng.integers(3))
        source = policies[rng.integers(len(policies))] if kind else scenarios[rng.integers(len(scenarios))]
        target = folder / "own" / "2024"
        target.mkdir(parents=True)
        if kind:
            for table in source.parent.glob("*.csv"):
                shutil.copy(table, target)
        name = target / ("policy.yaml" if kind else "scenario.yaml")
        name.write_text(hostile_yaml(source.read_text(encoding="utf-8"), rng), encoding="utf-8", errors="surrogatepass")
        cases = str(ROOT / "data" / "samples" / "formats" / "records.csv")
        commands = {0: ["scenarios", "check", str(name)], 1: ["policy", "check", str(target)]}
        command = commands.get(kind, ["settle", cases, "--policy", str(target), "-o", "paid.csv"])
        _call(tally, category, place, command, folder, target)
        _fresh(folder)


def hostile_yaml(text: str, rng: np.random.Generator) -> str:
    """A YAML text with hostile values in random places, or a hostile text."""
    choice = rng.random()
    if choice < 0.2:
        return TEXTS[rng.integers(len(TEXTS))]
    if choice < 0.4:
        return text + "\n" + TEXTS[rng.integers(len(TEXTS))]
    if choice < 0.55:
        return mutated(text.encode(), rng).decode("utf-8", errors="replace")
    raw = yaml.safe_load(text)
    for _ in range(int(rng.integers(1, 4))):
        _replaced(raw, VALUES[rng.integers(len(VALUES))], rng)
    return yaml.safe_dump(raw, allow_unicode=True)


def _replaced(node: Any, value: Any, rng: np.random.Generator) -> None:
    """Put a value into a random place below."""
    while isinstance(node, dict | list) and node:
        keys: Sequence[Any] = list(node) if isinstance(node, dict) else range(len(node))
        key = keys[rng.integers(len(keys))]
        below = node[key]
        if not isinstance(below, dict | list) or not below or rng.random() < 0.25:
            node[key] = value
            return
        node = below


def _call(tally: Tally, category: str, place: int, command: list[str], folder: Path, *inputs: Path) -> None:
    tally.count(category)
    try:
        done = run(*command, cwd=folder, code=None)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        tally.fail(category, place, f"{' '.join(command)}\n{type(error).__name__}: {error}", *inputs)
        return
    if done.returncode not in ENDS or "Traceback" in done.stderr:
        reports = [path.read_text(encoding="utf-8") for path in tally.folder.glob("drgsim-fault-*.txt")]
        brief = f"{' '.join(command)}: exit {done.returncode}: {' '.join(done.stderr[:150].split())}"
        said = f"{done.stderr}{''.join(reports[-1:])}\n{brief}"
        tally.fail(category, place, said, *inputs)
    hidden = [name for name in os.listdir(folder) if name.startswith(".")]
    if hidden:
        tally.fail(category, place, f"{' '.join(command)} left {hidden}", *inputs)


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder

"""Two runs side by side: what differs in how they were made, and in what they answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from drgsim.errors import Problem, UsageError, did_you_mean
from drgsim.language import text
from drgsim.money import money_column
from drgsim.simulation.study_folder import Run

_HOSPITAL_MONEY = ("cost", "payment", "fund", "patient", "margin")


def compare_runs(first: Run, second: Run, scenario: tuple[str | None, str | None] = (None, None)) -> dict[str, pa.Table]:
    """Compare the scenario side of two runs.

    Parameters
    ----------
    first, second
        Runs read by :func:`drgsim.simulation.study_folder.read_run`.
    scenario
        Names of the scenarios to compare; not needed where a run has one.

    Returns
    -------
    dict
        ``made`` what differs in inputs, versions, policies and changes; ``headlines`` and ``hospitals`` with both values and
        their difference.

    Raises
    ------
    UsageError
        A run has several scenarios and none was named, or the name is unknown.
    """
    names = [_named(run, name) for run, name in zip((first, second), scenario, strict=True)]
    return {
        "made": _made(first, second, names),
        "headlines": _headlines(first, second, names),
        "hospitals": _hospitals(first, second, names),
    }


def _named(run: Run, name: str | None) -> str:
    known = [entry["name"] for entry in run.record["scenarios"]]
    if name is None and len(known) == 1:
        return str(known[0])
    if name in known:
        return str(name)
    what = (
        text("{folder} has {count} scenarios; name one", folder=run.folder.name, count=len(known))
        if name is None
        else text("{folder} has no scenario {name!r}", folder=run.folder.name, name=name)
    )
    fix = (did_you_mean(name, known) if name else "") or text("its scenarios are {known}", known=", ".join(known))
    raise UsageError([Problem("compare-scenario", what, where=str(run.folder), fix=fix)])


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from _flat(entry, f"{path}.{key}" if path else str(key))
    elif not isinstance(value, list):
        yield path, str(value)


def _made(first: Run, second: Run, names: list[str]) -> pa.Table:
    sides = []
    for run, name in zip((first, second), names, strict=True):
        entry = next(one for one in run.record["scenarios"] if one["name"] == name)
        common = {key: run.record.get(key) for key in ("drgsim", "region", "year", "inputs", "options")}
        facts = dict(_flat({**common, "scenario": entry}))
        rows = run.table("changes").to_pylist()
        facts |= {f"change {row['path']}": f"{row['old']} → {row['new']} {row['unit']}" for row in rows if row["of"] == name}
        facts |= {f"baseline {row['path']}": row["new"] for row in rows if row["of"] == f"{name} (baseline)"}
        sides.append(facts)
    keys = [key for key in dict.fromkeys([*sides[0], *sides[1]]) if sides[0].get(key) != sides[1].get(key)]
    return pa.table({
        "what": pa.array(keys, pa.string()),
        "first": pa.array([sides[0].get(key, "") for key in keys], pa.string()),
        "second": pa.array([sides[1].get(key, "") for key in keys], pa.string()),
    })  # fmt: skip


def _headlines(first: Run, second: Run, names: list[str]) -> pa.Table:
    one, two = (
        {row["figure"]: row for row in run.table("headlines").to_pylist() if row["scenario_name"] == name}
        for run, name in zip((first, second), names, strict=True)
    )
    figures = list(dict.fromkeys([*one, *two]))
    known = {**two, **one}

    def value(side: dict[str, Any], name: str) -> float | None:
        return side[name]["scenario"] if name in side else None

    both = [(value(one, name), value(two, name)) for name in figures]
    return pa.table({
        "figure": figures,
        "title_zh": [known[name]["title_zh"] for name in figures],
        "unit": [known[name]["unit"] for name in figures],
        "first": pa.array([a for a, _ in both], pa.float64()),
        "second": pa.array([b for _, b in both], pa.float64()),
        "difference": pa.array([None if a is None or b is None else float(f"{b - a:.12g}") for a, b in both], pa.float64()),
    })  # fmt: skip


def _hospitals(first: Run, second: Run, names: list[str]) -> pa.Table:
    one, two = (
        {row["hospital"]: row for row in run.table("hospitals").to_pylist() if row["scenario_name"] == name}
        for run, name in zip((first, second), names, strict=True)
    )
    hospitals = sorted({*one, *two})
    columns: dict[str, Any] = {"hospital": hospitals, "name": [({**two, **one})[each]["name"] for each in hospitals]}
    for key in _HOSPITAL_MONEY:
        sides = [[_fen(side, each, f"scenario_{key}") for each in hospitals] for side in (one, two)]
        difference = [b - a for a, b in zip(*sides, strict=True)]
        for label, values in (("first", sides[0]), ("second", sides[1]), ("difference", difference)):
            columns[f"{key}_{label}"] = money_column(np.array(values, np.int64))
    return pa.table(columns)


def _fen(side: dict[str, Any], hospital: str, column: str) -> int:
    return int(side[hospital][column] * 100) if hospital in side else 0

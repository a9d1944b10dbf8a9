"""The directory in three levels (三级目录): core kinds, families of the same diagnosis and kind of operation, categories.

Level 3 (三级) are the core kinds; level 2 (二级) joins what has the same subcategory of diagnosis and the same four characters
of the principal procedure; level 1 (一级) the same category of diagnosis and property of the principal procedure.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.authoring.dip.catalogue_building import Built
from drgsim.authoring.dip.combinations import NONE
from drgsim.authoring.dip.rare_combinations import operation_classes
from drgsim.costs.statistics import group_statistics
from drgsim.units.dip.dip_catalogue import CLASS_ORDER, CLASS_SUFFIXES

FAMILY_CHARACTERS = 4  # 36.06 and 36.07 are both 36.0


def directory_table(built: Built) -> pa.Table:
    """One row per entry: level, code, parent (of level 1: none), entries below it, cases, mean cost in yuan, CV.

    Cases are all; mean and CV are those of the cases that trimming kept, years alike. ``within_limit`` tells whether the CV is
    at most ``checks.cv_auxiliary``. Combinations in comprehensive kinds count on levels 1 and 2 too.
    """
    history, combinations = built.history, built.history.combinations
    classes = operation_classes(combinations, history.class_of_procedure)
    codes = history.book.procedures.codes
    names = combinations.diagnoses
    first, second = [], []
    rows = zip(combinations.diagnosis.tolist(), combinations.procedures[:, 0].tolist(), classes.tolist(), strict=True)
    for diagnosis, procedure, operation in rows:
        class_name = CLASS_ORDER[operation] if operation >= 0 else ""
        first.append(f"{names[diagnosis][:3]}:{CLASS_SUFFIXES.get(class_name, '?')}")
        family = codes[procedure][:FAMILY_CHARACTERS] if procedure >= 0 else ("" if procedure == NONE else "?")
        second.append(f"{names[diagnosis]}:{family}" if family else names[diagnosis])
    limit = built.spec.file.checks.cv_auxiliary.value
    upper = _level(built, 1, first, [""] * len(first), limit)
    middle = _level(built, 2, second, first, limit)
    shown = [entry.code if entry.kind == "core" else "" for entry in built.entries]
    kinds = [shown[kind] for kind in built.structure.kind.tolist()]
    lower = _level(built, 3, kinds, second, limit)
    below1, below2 = _below(middle["parent"]), _below(lower["parent"])
    upper["entries_below"] = [below1.get(code, 0) for code in upper["code"]]
    middle["entries_below"] = [below2.get(code, 0) for code in middle["code"]]
    lower["entries_below"] = [0] * len(lower["code"])
    order = ("level", "code", "parent", "entries_below", "cases", "mean_cost", "cv", "within_limit")
    columns: dict[str, Any] = {name: [*upper[name], *middle[name], *lower[name]] for name in order}
    return pa.table(columns)


def _below(parents: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for parent in parents:
        found[parent] = found.get(parent, 0) + 1
    return found


def _level(built: Built, level: int, keys: list[str], parents: list[str], limit: float) -> dict[str, list[Any]]:
    """Entries of a level, sorted by code; an empty key has none. The parent is that of the combination with most cases."""
    known = sorted({key for key in keys if key})
    place = {key: number for number, key in enumerate(known)}
    of_combination: NDArray[np.int64] = np.array([place.get(key, -1) for key in keys], np.int64)
    own = of_combination[built.history.combination]
    cases = np.bincount(own[own >= 0], minlength=len(known))
    kept = built.measured.kept & (own >= 0)
    statistics = group_statistics(built.history.cost[kept] / 100.0, own[kept], len(known))
    number = np.bincount(built.history.combination, minlength=of_combination.size)
    parent: dict[int, tuple[int, str]] = {}
    for at, (entry, count) in enumerate(zip(of_combination.tolist(), number.tolist(), strict=True)):
        if entry >= 0 and (entry not in parent or count > parent[entry][0]):
            parent[entry] = (count, parents[at])
    used = [at for at in range(len(known)) if cases[at]]
    cv = [None if np.isnan(statistics.cv[at]) else round(float(statistics.cv[at]), 6) for at in used]
    mean = [None if np.isnan(statistics.mean[at]) else round(float(statistics.mean[at]), 2) for at in used]
    return {
        "level": [level] * len(used), "code": [known[at] for at in used], "parent": [parent[at][1] for at in used],
        "cases": [int(cases[at]) for at in used], "mean_cost": mean, "cv": cv,
        "within_limit": [None if value is None else value <= limit for value in cv],
    }  # fmt: skip

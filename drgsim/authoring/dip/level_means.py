"""Mean cost of a kind by level of hospital: what a cost is compared with where deviation is judged within the same level.

A policy that takes its means from the table of a catalogue (``mean_from_table``) looks for ``mean_cost_3`` before
``mean_cost``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drgsim.authoring.dip.catalogue_building import Built
from drgsim.authoring.dip.year_totals import YearTotals
from drgsim.units.dip.dip_catalogue import HOSPITAL_LEVELS


def level_means(built: Built) -> NDArray[np.float64]:
    """Mean cost in yuan of every line and level of hospital, the years weighed as for the kind.

    Returns
    -------
    numpy.ndarray
        (kinds, then levels of auxiliary lists; levels of hospital); NaN where trimming keeps fewer than
        ``auxiliary.minimum_cases`` cases.
    """
    history, file = built.history, built.spec.file
    weights = np.array(file.history.year_weights.value)
    kinds, lines = len(built.entries), len(built.entries) + len(built.splits)
    line = built.line_of_case()
    result = np.full((lines, len(HOSPITAL_LEVELS)), np.nan)
    for place, level in enumerate(HOSPITAL_LEVELS):
        used = built.measured.kept & (history.level == level)
        for first, group in ((0, built.kind), (kinds, np.where(line >= kinds, line, -1))):
            totals = YearTotals.of(np.where(used, group, -1), history.year, history.cost, lines, weights.size)
            mean = totals.mean(weights, file.history.year_mode.value)
            enough = (totals.cases.sum(1) >= file.auxiliary.minimum_cases.value) & (np.arange(lines) >= first)
            result[:, place] = np.where(enough, mean, result[:, place])
    return result

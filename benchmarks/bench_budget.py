"""What a budget costs: taking figures from settled cases once, and computing a year from them again and again.

    python benchmarks/bench_budget.py [CASES]

The figures come from a synthetic region, the years also from panels of many institutions drawn from it.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from drgsim.budgets.budget_year import budget_year
from drgsim.budgets.calibration import Panel, draw_panel
from drgsim.budgets.hospital_figures import HospitalFigures, figures_of
from drgsim.budgets.region_preparation import prepare
from drgsim.budgets.terms import load_terms
from drgsim.money import total
from drgsim.payment.policy import load_policy
from drgsim.synthetic import RegionRequest, generate_region


def seconds(work: Callable[[], object], rounds: int) -> float:
    """Median processor time of a call."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times)


def panel_of(figures: HospitalFigures, institutions: int) -> HospitalFigures:
    """Institutions drawn from the region, with two equal years."""
    share = {"3": 0.1, "2": 0.3, "1": 0.6}
    said = {"unit": "", "source": "benchmark", "evidence": "assumption"}
    spec = Panel.model_validate({
        "institutions": {"values": {level: round(institutions * part) for level, part in share.items()}, **said},
        "size_spread": {"value": 0.5, **said}, "seed": {"value": 1, **said},
    })  # fmt: skip
    panel = draw_panel(figures, spec, (2023, 2024), np.random.Generator(np.random.PCG64(1)))
    panel.spending[:, 1] = panel.spending[:, 0]
    panel.payment[:, 1, :, 0] = panel.spending[:, 1]
    return panel


def main() -> None:
    """Print the times."""
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else 300_000
    policy, terms = load_policy("beijing/2024"), load_terms("beijing/2024")
    with tempfile.TemporaryDirectory() as folder:
        generate_region(Path(folder) / "region", RegionRequest(hospitals=24, cases=cases))
        region = prepare(Path(folder) / "region", policy, terms)
    settlements = list(region.settlements.values())
    paid = sum(total(settlement.fund_payment) for settlement in settlements)
    figures = figures_of(settlements, terms, region.region)
    assert figures.payment.sum() <= paid
    print(f"figures of {cases:,} settled cases: {seconds(lambda: figures_of(settlements, terms, region.region), 5):.2f} s")
    print(f"a year of {figures.size} hospitals: {1000 * seconds(lambda: budget_year(figures, terms, 2024), 51):.1f} ms")
    for institutions in (100, 1_000, 3_000):
        panel = panel_of(figures, institutions)
        fund = int(panel.spending[:, 1].sum())
        used = 1000 * seconds(lambda panel=panel, fund=fund: budget_year(panel, terms, 2024, fund=fund), 11)  # type: ignore[misc]
        print(f"a year of {panel.size:,} institutions: {used:.1f} ms")


if __name__ == "__main__":
    main()

"""How often intervals of simulated figures hold the true value: fresh regions drawn from a large one whose figures are known.

    python benchmarks/bench_coverage.py [--cases 120000] [--share 12] [--regions 30] [--draws 100] [--policy beijing/2024]
                                  [--points] [--level 0.9] [--seed 11]

The truth is the run of a large synthetic region. Each fresh region draws, with replacement, one ``--share``-th of the cases of
every hospital; its intervals are made as ``drgsim simulate --draws`` makes them. Prints, for every headline figure that moves,
how often the interval of the baseline, of a scenario (rate, or budget, 3 % higher) and of the change held the truth.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from drgsim.payment.grouped_cases import Texts
from drgsim.simulation.explore import Evaluator
from drgsim.simulation.headlines import headline_names
from drgsim.simulation.runner import Runner
from drgsim.simulation.scenario import parse_scenario
from drgsim.simulation.simulated_region import Cohort, Region
from drgsim.simulation.study import ScenarioPlan, plan_of
from drgsim.simulation.uncertainty import draw
from drgsim.synthetic import RegionRequest, generate_region

TOTALS = ("yuan", "discharges")  # units of figures that grow with the number of cases
PER_HEAD = ("cost.per_case", "fund.per_insured")
SIDES = ("baseline", "scenario", "change")


def plan_in(region: Region, policy: str, points: bool) -> ScenarioPlan:
    """A baseline under ``policy`` and a scenario with 3 % more."""
    base = "{payment.method: points}" if points else "{}"
    change = "{fund.budget: '*1.03'}" if points else "{rate.base: '*1.03'}"
    text = f"title: t\nauthor: a\nreference: r\nbaseline: {{policy: {policy}, changes: {base}}}\nchanges: {change}\n"
    return plan_of([parse_scenario(text, "coverage")], None, region)


def part_of(cohort: Cohort, places: np.ndarray, rng: np.random.Generator) -> Cohort:
    """Some cases of a cohort as a cohort of its own, with keys of their own."""

    def texts(words: Texts) -> Texts:
        return Texts(words.ids[places], words.values)

    return replace(
        cohort, cases=cohort.cases.take(places), costs={name: fen[places] for name, fen in cohort.costs.items()},
        key=rng.integers(0, 2**63, places.size).astype(np.uint64), mdc=texts(cohort.mdc), adrg=texts(cohort.adrg),
        diagnosis=texts(cohort.diagnosis),
    )  # fmt: skip


def inpatients_only(region: Region) -> Region:
    """The region without outpatient care, which is not drawn, and without the fund's money for it."""
    left = {}
    for year, fund in region.fund.items():
        beside = region.fund_beside(year, fund)
        left[year] = {payer: amount - beside[payer] for payer, amount in fund.items()}
    return replace(region, fund=left, payments={}, outpatients={}, _cohorts={}, _tables={})


def smaller(region: Region, share: int) -> Region:
    """The region with one ``share``-th of budget and insured people, and no discharges yet."""
    fund = {year: {payer: fen // share for payer, fen in by.items()} for year, by in region.fund.items()}
    insured = {year: heads // share for year, heads in region.insured.items()}
    return replace(region, fund=fund, insured=insured, _cohorts={}, _tables={})


def figures_of(region: Region, plan: ScenarioPlan, year: int) -> dict[str, dict[str, float]]:
    """Side -> headline figures."""
    evaluator = Evaluator(Runner(region), plan, year)
    before, after = evaluator.figures(plan.baseline), evaluator.figures(plan.setup)
    return {"baseline": before, "scenario": after, "change": {name: after[name] - before[name] for name in before}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=120_000)
    parser.add_argument("--share", type=int, default=12)
    parser.add_argument("--regions", type=int, default=30)
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--policy", default="beijing/2024")
    parser.add_argument("--points", action="store_true")
    parser.add_argument("--level", type=float, default=0.9)
    parser.add_argument("--seed", type=int, default=11, help="of the fresh regions")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        generate_region(Path(folder) / "region", RegionRequest(hospitals=12, cases=given.cases, years=(2023, 2024), seed=21))
        whole = inpatients_only(Region.of(Path(folder) / "region"))
        plan = plan_in(whole, given.policy, given.points)
        large = whole.cohort(2024, plan.baseline.scheme)
    rng = np.random.default_rng(given.seed)
    of_hospital = [np.flatnonzero(large.cases.hospital.ids == number) for number in np.unique(large.cases.hospital.ids)]
    kept = np.concatenate([mine[: mine.size // given.share * given.share] for mine in of_hospital])  # whole parts
    large = whole._cohorts[2024, plan.baseline.scheme, False] = part_of(large, kept, rng)
    truth = figures_of(whole, plan, 2024)
    members = [np.flatnonzero(large.cases.hospital.ids == number) for number in np.unique(large.cases.hospital.ids)]
    units = {name: entry["unit"] for name, entry in headline_names().items()}
    size = {name: given.share if units[name] in TOTALS and name not in PER_HEAD else 1 for name in units}
    hits = {name: dict.fromkeys(SIDES, 0) for name in units}
    for number in range(given.regions):
        places = np.concatenate([rng.choice(mine, mine.size // given.share) for mine in members])
        region = smaller(whole, given.share)
        region._cohorts[2024, plan.baseline.scheme, False] = part_of(large, places, rng)
        own = plan_in(region, given.policy, given.points)
        found = draw(own, Runner(region), 2024, given.draws, number).intervals(given.level)
        for side in SIDES:
            for name, (low, high) in found[side].items():
                true = truth[side][name] / size[name]
                hits[name][side] += bool(low - 1e-9 * abs(true) <= true <= high + 1e-9 * abs(true))
    print(f"nominal {given.level:.0%}, {given.regions} regions of {given.cases // given.share} cases, {given.draws} draws")
    print(f"{'figure':28}" + "".join(f"{side:>10}" for side in SIDES))
    for name, of_side in hits.items():
        if not math.isnan(truth["baseline"][name]):
            print(f"{name:28}" + "".join(f"{100 * of_side[side] / given.regions:9.0f}%" for side in SIDES))


if __name__ == "__main__":
    main()

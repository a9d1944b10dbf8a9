"""How fast a year of discharges is switched from one scheme to another.

    python benchmarks/bench_switch.py REGION [--cases 1000000] [--policy beijing/2024] [--keep budget] [--draws 100] [--runs 3]

Takes the discharges of a region (``drgsim synth`` makes one), repeats them with ids of their own until there are enough, and
switches them from chs-drg-2.0 to chs-drg-3.0: reading, grouping twice, weights, settling twice, causes, draws, work list and
tables. Prints medians and the ratio to a plain pandas group-by sum of the same costs, and with ``--profile`` where the time
goes; asserts nothing.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import platform
import pstats
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import drgsim
from drgsim.payment.policy import load_policy
from drgsim.region.region_folder import RegionFolder, read_region
from drgsim.simulation.scheme_switch import SwitchOptions, switch_region
from drgsim.simulation.simulated_region import Region
from drgsim.simulation.switch_sides import SideChoice
from drgsim.simulation.switch_tables import switch_tables


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("region", type=Path)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--policy", default="beijing/2024")
    parser.add_argument("--keep", default="budget")
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--profile", action="store_true")
    chosen = parser.parse_args()
    policy = load_policy(chosen.policy)
    choices = (SideChoice("chs-drg-2.0", policy), SideChoice("chs-drg-3.0", policy))
    options = SwitchOptions(keep=chosen.keep, draws=chosen.draws)

    def work(region: RegionFolder) -> None:
        switch_tables(switch_region(Region.of(region), choices, options))

    with tempfile.TemporaryDirectory() as folder:
        work(read_region(drgsim.sample_path("region")))  # compiles
        region = of_size(read_region(chosen.region), chosen.cases, Path(folder))
        frame = pq.read_table(next(iter(region.discharges.values())), columns=["hospital_id", "total_cost"]).to_pandas()
        frame["total_cost"] = frame["total_cost"].astype(float)
        base = median(lambda: frame.groupby("hospital_id")["total_cost"].sum(), chosen.runs)
        print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
        if chosen.profile:
            with cProfile.Profile() as profile:
                work(region)
            pstats.Stats(profile).sort_stats("cumtime").print_stats(40)
            return
        clock, processor = timed(lambda: work(region), chosen.runs)
        print(f"{len(frame):,} cases of {len(region.hospitals)} hospitals, keep {chosen.keep}, {chosen.draws} draws")
        print(
            f"switch and tables: {clock:.2f} s clock, {processor:.2f} s processor, {clock / base:,.0f} x a pandas group-by sum"
        )


def of_size(region: RegionFolder, cases: int, folder: Path) -> RegionFolder:
    """The last year of a region, repeated with ids of their own, as the one year of a region; the fund grows alike."""
    year = region.years[-1]
    table = pq.read_table(region.discharges[year])
    parts, number = [], 0
    while sum(part.num_rows for part in parts) < cases:
        part = table.slice(0, cases - sum(one.num_rows for one in parts))
        ids = pa.array([f"{number}-{place}" for place in range(part.num_rows)])
        parts.append(part.set_column(part.column_names.index("discharge_id"), "discharge_id", ids))
        number += 1
    path = folder / f"discharges-{year}.parquet"
    pq.write_table(pa.concat_tables(parts), path)
    fund = {payer: round(amount * cases / table.num_rows) for payer, amount in region.fund[year].items()}
    return RegionFolder(folder, {year: path}, region.hospitals, {year: fund})


def timed(job: Callable[[], object], runs: int) -> tuple[float, float]:
    """Median seconds of clock and of the processor."""
    clocks, processors = [], []
    for _ in range(runs):
        clock, processor = time.perf_counter(), time.process_time()
        job()
        clocks.append(time.perf_counter() - clock)
        processors.append(time.process_time() - processor)
    return statistics.median(clocks), statistics.median(processors)


def median(job: Callable[[], object], runs: int) -> float:
    return timed(job, runs)[0]


if __name__ == "__main__":
    main()

"""How fast a DIP catalogue is built, and how much memory it takes.

    drgsim synth --hospitals 24 --cases 3000000 --years 2022-2024 --seed 7 --output REGION
    python benchmarks/bench_dip.py REGION [--spec dip-2.0] [--method list] [--runs 1] [--set core.rule=coverage]

Prints wall and processor time of each step, the sum, and the peak memory; and the ratio to the time in which pyarrow reads the
same columns, so that machines can be compared. Asserts nothing.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml

from drgsim.authoring.dip.catalogue_building import build
from drgsim.authoring.dip.catalogue_evaluation import evaluate
from drgsim.authoring.dip.dip_history import COLUMNS, read_history
from drgsim.authoring.dip.dip_spec import load_spec
from drgsim.report.catalogue_report import write_build


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("region", type=Path)
    parser.add_argument("--spec", default="dip-2.0")
    parser.add_argument("--method", default="list")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE")
    chosen = parser.parse_args()
    pairs = (text.partition("=") for text in chosen.set)
    spec = load_spec(chosen.spec).changed({path: yaml.safe_load(value) for path, _, value in pairs})
    files = sorted(chosen.region.glob("discharges-*.parquet"))
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    read_history(files[:1], spec)  # compiles
    print(f"{'step':34}{'wall s':>10}{'processor s':>14}")
    for _ in range(chosen.runs):
        unit = timed(
            "pyarrow reads the columns", lambda: [pq.read_table(path, columns=_known(path)).num_rows for path in files]
        )[0]
        wall = 0.0
        took, history = timed("read, encode, combine", lambda: read_history(files, spec))
        wall += took
        took, built = timed("build", lambda history=history: build(history, spec, method=chosen.method))
        wall += took
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "catalogue"
            took, _ = timed(
                "write with report", lambda built=built, target=target: write_build(built, target, title="t", title_zh="题")
            )
        wall += took
        print(f"{'catalogue':34}{wall:>10.1f}{'':14}  {history.size / wall:,.0f} discharges/s, {wall / unit:.0f} x reading")
        timed("evaluation, on top", lambda built=built: evaluate(built))
        print(f"{history.size:,} discharges, {history.combinations.size:,} combinations, {len(built.entries):,} kinds")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


def _known(path: Path) -> list[str]:
    return [name for name in COLUMNS if name in pq.read_schema(path).names]


def timed(name: str, job: Callable[[], Any]) -> tuple[float, Any]:
    """Wall time and result of a job; prints both times."""
    wall, own = time.perf_counter(), time.process_time()
    result = job()
    wall, own = time.perf_counter() - wall, time.process_time() - own
    print(f"{name:34}{wall:>10.2f}{own:>14.2f}", flush=True)
    return wall, result


if __name__ == "__main__":
    main()

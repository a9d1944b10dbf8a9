"""Time of one million synthetic discharges.

python benchmarks/bench_synth.py [CASES]
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

from drgsim.synthetic import RegionRequest, generate_region


def main() -> None:
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        generate_region(Path(folder) / "region", RegionRequest(hospitals=24, cases=cases))
        seconds = time.perf_counter() - start
        size = sum(path.stat().st_size for path in (Path(folder) / "region").iterdir())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    speed, written = f"{cases / seconds:,.0f} cases/s", f"{size / 2**20:.1f} MiB written"
    print(f"{cases} cases: {seconds:.1f} s, {speed}, {written}, peak {peak:.0f} MiB")


if __name__ == "__main__":
    main()

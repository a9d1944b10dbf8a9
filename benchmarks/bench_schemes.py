"""Whether speed depends on the scheme: the same discharges grouped by every shipped scheme.

    python benchmarks/bench_schemes.py [--rounds 15]

Prints, per scheme, loading from a warm cache, records per second of the whole batch path (encode, check, group, answers) and of
the kernel alone, in processor time of one core; then the ratio of worst to best. Rounds take turns and the fastest one counts:
what a round takes beyond it is other work on the machine, which would otherwise be read as a difference between schemes.
Asserts nothing.
"""

from __future__ import annotations

import argparse
import time

import pyarrow as pa
import pyarrow.parquet as pq

from drgsim.assets import asset_root
from drgsim.units.drg.drg_grouper import INPUT_COLUMNS, DrgGrouper
from drgsim.units.schemes.compiled_scheme import _cache_path, _read_cache, compile_scheme
from drgsim.units.schemes.pack import find_pack, pack_digest, scheme_ids


def sample() -> list[pa.RecordBatch]:
    """The discharges of the sample region, in batches of the size that files are read in."""
    files = sorted((asset_root("data/samples") / "region").glob("discharges-*.parquet"))
    table = pa.concat_tables([pq.read_table(file) for file in files])
    table = table.select([name for name in INPUT_COLUMNS if name in table.schema.names])
    return pa.concat_tables([table] * 3).combine_chunks().to_batches(max_chunksize=1 << 16)


def main() -> None:
    """Parse the call and run."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    batches = sample()
    records = sum(batch.num_rows for batch in batches)
    names = [name for name in scheme_ids() if not name.startswith("dip-")]
    loading: dict[str, float] = {}
    for name in names:
        compile_scheme(name)  # fills the cache
        started = time.perf_counter()
        digest = pack_digest(name)
        path = _cache_path(find_pack(name).name, digest)
        if path is not None and path.is_file():
            _read_cache(path)
        loading[name] = time.perf_counter() - started
    groupers = {name: DrgGrouper(name) for name in names}
    whole: dict[str, list[float]] = {name: [] for name in names}
    kernel: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        for name, grouper in groupers.items():
            started = time.process_time()
            for batch in batches:
                grouper.group_batch(batch)
            whole[name].append(time.process_time() - started)
            prepared = [grouper.prepare(batch) for batch in batches]
            started = time.process_time()
            for ready in prepared:
                grouper.group_prepared(ready, ready.invalid)
            kernel[name].append(time.process_time() - started)
    print(f"{'scheme':<18} {'load ms':>8} {'batch M/s':>10} {'kernel M/s':>11}")
    for name in names:
        a, b = min(whole[name]), min(kernel[name])
        print(f"{name:<18} {1000 * loading[name]:>8.0f} {records / a / 1e6:>10.2f} {records / b / 1e6:>11.2f}")
    for title, times in (("batch", whole), ("kernel", kernel)):
        best = [min(held) for held in times.values()]
        print(f"{title}: worst / best = {max(best) / min(best):.2f}")


if __name__ == "__main__":
    main()

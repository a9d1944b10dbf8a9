"""How fast grouping is, beside what reading and writing alone cost.

    python benchmarks/bench_group.py [--records 1000000] [--records 10000000] [--runs 3] [--scheme chs-drg-2.0 | dip-taian-2025]

Makes its data from the bundled synthetic region (tiled, every record with an id of its own), then measures in one run, each in
a process of its own, medians of ``--runs`` rounds that take turns:

* floor 1: pyarrow reads the columns that grouping needs and writes them;
* floor 2: the same with code lists split and codes dictionary-encoded;
* drgsim: ``group_files`` from file to file;

for Parquet and CSV; then the kernel alone on one core, start-up of ``drgsim --help``, and the first and second
``drgsim group`` of 1,000 records with an empty cache. Prints tables; asserts nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv as pacsv

from drgsim.assets import asset_root
from drgsim.records.arrow import plain_strings

COLUMNS = ["discharge_id", "sex", "age", "age_days", "birth_weight_g", "los_days", "discharge_way", "diagnoses", "procedures"]
BATCH = 1 << 16


def make_data(folder: Path, records: int) -> dict[str, Path]:
    """A Parquet and a CSV file of ``records`` discharges, tiled from the sample region."""
    files = sorted((asset_root("data/samples") / "region").glob("discharges-*.parquet"))
    sample = pa.concat_tables([pq.read_table(file, columns=COLUMNS) for file in files]).combine_chunks()
    sample = plain_strings(sample)
    paths = {"parquet": folder / f"{records}.parquet", "csv": folder / f"{records}.csv"}
    order = np.random.default_rng(7)
    with pq.ParquetWriter(paths["parquet"], sample.schema.set(0, pa.field("discharge_id", pa.string()))) as parquet:
        schema = sample.schema.set(0, pa.field("discharge_id", pa.string()))
        with pacsv.CSVWriter(paths["csv"], schema) as text:
            for start in range(0, records, 500_000):
                rows = min(500_000, records - start)
                ids = pa.array([f"{number:010d}" for number in range(start, start + rows)])
                part = sample.take(pa.array(order.integers(0, sample.num_rows, rows))).set_column(0, "discharge_id", ids)
                parquet.write_table(part)
                text.write_table(part)
    return paths


def floor(source: Path, target: Path, encode: bool) -> None:
    """Read and write the columns with pyarrow; with ``encode``, split the code lists and dictionary-encode the codes too."""
    import pyarrow.compute as pc

    if source.suffix == ".csv":
        types = dict.fromkeys(COLUMNS, pa.string())
        reader = iter(pacsv.open_csv(source, convert_options=pacsv.ConvertOptions(column_types=types, include_columns=COLUMNS)))
    else:
        reader = pq.ParquetFile(source).iter_batches(batch_size=BATCH, columns=COLUMNS)
    writer = None
    for batch in reader:
        if encode:
            for name in ("diagnoses", "procedures"):
                pc.list_flatten(pc.split_pattern(batch.column(name), "|")).dictionary_encode()
        if writer is None:
            writer = (
                pacsv.CSVWriter(target, batch.schema) if target.suffix == ".csv" else pq.ParquetWriter(target, batch.schema)
            )
        writer.write_batch(batch)
    if writer is not None:
        writer.close()


def one(task: str, source: Path, target: Path, scheme: str) -> None:
    """Run one task in this process and print its seconds and peak memory as JSON."""
    import resource

    if task == "drgsim":
        from drgsim.engines.file_to_file import group_files

        group_files([asset_root("data/samples") / "selftest" / "chs-drg-2.0.csv"], scheme, None)  # load what loads once
    else:
        import pyarrow.compute  # noqa: F401
    started = time.perf_counter()
    if task == "drgsim":
        group_files([source], scheme, target)
    else:
        floor(source, target, encode=task == "floor2")
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


def in_process(task: str, source: Path, target: Path, scheme: str) -> dict[str, float]:
    """The task in a fresh process."""
    command = [sys.executable, __file__, "--task", task, "--source", str(source), "--target", str(target), "--scheme", scheme]
    result: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return result


def files(folder: Path, records: int, runs: int, scheme: str) -> None:
    """The table of one size."""
    paths = make_data(folder, records)
    for kind, source in paths.items():
        target = folder / f"out.{kind}"
        results: dict[str, list[dict[str, float]]] = {"floor1": [], "floor2": [], "drgsim": []}
        for _ in range(runs):
            for task, held in results.items():
                held.append(in_process(task, source, target, scheme))
        medians = {task: statistics.median(r["seconds"] for r in held) for task, held in results.items()}
        peak = max(r["mb"] for r in results["drgsim"])
        times = "  ".join(f"{task} {seconds:7.2f} s ({records / seconds / 1e6:5.2f} M/s)" for task, seconds in medians.items())
        ratios = "  ".join(f"drgsim/{task} {medians['drgsim'] / medians[task]:.2f}" for task in ("floor1", "floor2"))
        print(f"{records:>11,} {kind:>8} {source.stat().st_size / 1e6:>7.0f} MB  {times}  {ratios}  peak {peak:,.0f} MB")
        target.unlink(missing_ok=True)
        source.unlink()


def kernel(folder: Path, runs: int, scheme: str) -> None:
    """Kernel alone, and with the encoding of the code lists, in processor time of one core."""
    from drgsim.engines.grouper_of import grouper_of

    source = make_data(folder, 500_000)["parquet"]
    batches = list(pq.ParquetFile(source).iter_batches(batch_size=BATCH, columns=COLUMNS))
    grouper = grouper_of(scheme)
    grouper.group_batch(batches[0])
    kernel_seconds, all_seconds = [], []
    for _ in range(max(runs, 5)):
        started = time.process_time()
        prepared = [grouper.prepare(batch) for batch in batches]
        between = time.process_time()
        for batch in prepared:
            grouper.group_prepared(batch, batch.invalid)
        kernel_seconds.append(time.process_time() - between)
        all_seconds.append(time.process_time() - started)
    for name, seconds in (("kernel alone", kernel_seconds), ("encode and kernel", all_seconds)):
        print(f"{name:>18}, one core: {500_000 / statistics.median(seconds) / 1e6:.2f} M records/s")


def start_up(folder: Path, runs: int) -> None:
    """Start-up, and the first and second grouping of 1,000 records with empty caches."""
    source = make_data(folder, 1_000)["csv"]
    times = []
    for _ in range(max(runs, 5)):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "drgsim", "--help"], check=True, capture_output=True)
        times.append(time.perf_counter() - started)
    print(f"drgsim --help: {statistics.median(times):.2f} s")
    empty = {**os.environ, "DRGSIM_CACHE_DIR": str(folder / "cache"), "NUMBA_CACHE_DIR": str(folder / "numba")}
    for name in ("first", "second", "third"):
        started = time.perf_counter()
        command = [sys.executable, "-m", "drgsim", "group", str(source), "-o", str(folder / "out.csv"), "-q"]
        subprocess.run(command, check=True, env=empty)
        print(f"{name} drgsim group of 1,000 records, caches empty at first: {time.perf_counter() - started:.2f} s")


def main() -> None:
    """Parse the call and run."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--records", type=int, action="append")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--scheme", default="chs-drg-2.0")
    for hidden in ("task", "source", "target"):
        parser.add_argument(f"--{hidden}", help=argparse.SUPPRESS)
    call = parser.parse_args()
    if call.task:
        one(call.task, Path(call.source), Path(call.target), call.scheme)
        return
    print(f"python {platform.python_version()}, pyarrow {pa.__version__}, {os.cpu_count()} cores, scheme {call.scheme}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start_up(folder, call.runs)
        kernel(folder, call.runs, call.scheme)
        for records in call.records or [1_000_000]:
            files(folder, records, call.runs, call.scheme)


if __name__ == "__main__":
    main()

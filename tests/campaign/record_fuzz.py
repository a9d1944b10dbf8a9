"""Mutated records in CSV, JSON, Parquet and XLSX: as many come out as went in, in their order, broken ones included."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import drgsim
from drgsim.engines.bundled_proof import bundled_cases
from drgsim.engines.file_to_file import group_files
from tests.campaign.hostile_values import CELLS, VALUES
from tests.campaign.tally import Tally

RECORDS = 2_000  # in a file
COLUMNS = ("discharge_id", "sex", "age", "age_days", "birth_weight_g", "los_days", "diagnoses", "procedures", "total_cost")
_FORMATS = ("csv", "csv", "csv", "csv.gz", "parquet", "parquet", "broken", "broken", "xlsx", "json", "jsonl", "broken jsonl")
_TYPES = (pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string()))
_SCHEMES = ("chs-drg-2.0", "chs-drg-3.0")
_FIELDS = (
    "setl_id",
    "gend",
    "age",
    "nwb_age",
    "nwb_bir_wt",
    "act_ipt_days",
)  # of a settlement list, as COLUMNS before the codes


def fuzz_records(tally: Tally, number: int) -> None:
    """Group ``number`` mutated records."""
    category, rows = "mutated records", _rows()
    schemes = [drgsim.load_scheme(name) for name in _SCHEMES]
    for place, rng in tally.tries(category, -(-number // RECORDS)):
        table = _mutated(rows, rng)
        path = _written(table, tally.work, rng)
        output = tally.work / "out.parquet"
        tally.count(category, len(table))
        try:
            counted = group_files([path], schemes[place % 2], output).counts.records
            ids = pq.read_table(output, columns=["discharge_id"]).num_rows
            if len({len(table), counted, ids}) > 1:
                tally.fail(category, place, f"{len(table)} records in, {counted} counted, {ids} out", path)
        except drgsim.DrgsimError as error:
            tally.fail(category, place, f"refused a file of cells: {error.problems[0].code} {error.problems[0].what}", path)
        except Exception as error:
            tally.fail(category, place, f"{type(error).__name__}: {error}", path)
        path.unlink()


def _rows() -> list[list[str]]:
    with bundled_cases("chs-drg-2.0").open(encoding="utf-8", newline="") as file:
        return [[row.get(name) or "" for name in COLUMNS] for row in csv.DictReader(file)]


def _mutated(rows: Sequence[Sequence[str]], rng: np.random.Generator) -> list[list[str]]:
    """Sound records of which some cells are hostile; every record keeps an id of its own."""
    table = [[f"r{place}", *rows[pick][1:]] for place, pick in enumerate(rng.integers(0, len(rows), RECORDS))]
    share = rng.choice([0.002, 0.05, 0.5])
    hits = np.flatnonzero(rng.random(RECORDS * (len(COLUMNS) - 1)) < share)
    for hit, cell in zip(hits, rng.integers(0, len(CELLS), len(hits)), strict=True):
        table[hit // (len(COLUMNS) - 1)][1 + hit % (len(COLUMNS) - 1)] = CELLS[cell]
    if rng.random() < 0.3:  # one cell of many characters
        table[rng.integers(RECORDS)][6] = "I50.101|" + "x" * int(rng.choice([70_000, 140_000, 1_100_000, 2_500_000]))
    for place in rng.integers(0, RECORDS, 20):
        table[place][0] = f"{CELLS[rng.integers(len(CELLS))]}r{place}"
    return table


def _written(table: list[list[str]], folder: Path, rng: np.random.Generator) -> Path:
    """The records as a file of one of the formats."""
    kind = str(rng.choice(_FORMATS))
    most = max(len(cell) for row in table for cell in row)
    if kind == "xlsx" and most > 32_767:
        kind = "csv"
    kind, broken = kind.removeprefix("broken ").replace("broken", "csv"), kind.startswith("broken")
    path = folder / f"cases.{kind}"
    if kind == "parquet":
        columns: dict[str, Any] = {
            name: pa.array(values, pa.string()).cast(_TYPES[rng.integers(len(_TYPES))])
            for name, values in zip(COLUMNS, zip(*table, strict=True), strict=True)
        }
        pq.write_table(pa.table(columns), path, row_group_size=int(rng.choice([100, 10_000])))
    elif kind == "xlsx":
        _write_sheet(path, table)
    elif kind in ("json", "jsonl"):
        path.write_text(_json(table, rng, lines=kind == "jsonl", broken=broken), encoding="utf-8")
    else:
        data = _csv(table, rng, broken=broken)
        path.write_bytes(gzip.compress(data, 1) if kind == "csv.gz" else data)
    return path


def _csv(table: list[list[str]], rng: np.random.Generator, *, broken: bool) -> bytes:
    """CSV of a random dialect; in a broken one some records have cells too many or too few, and count as records."""
    delimiter, end = str(rng.choice([",", ";", "\t"])), str(rng.choice(["\n", "\r\n"]))
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    worse = dict.fromkeys(rng.integers(1, RECORDS, 10).tolist() if broken else ())
    cells = {place: int(rng.choice([1, 5, len(COLUMNS) + 1, len(COLUMNS) + 7])) for place in worse}
    writer.writerows((row + row)[: cells.get(place, len(row))] for place, row in enumerate(table))
    encoding = str(rng.choice(["utf-8", "utf-8-sig", "gb18030"]))
    return text.getvalue().encode(encoding)


def _json(table: list[list[str]], rng: np.random.Generator, *, lines: bool, broken: bool) -> str:
    """Settlement lists as JSON, some of their values hostile; in a broken file some lines are cut off, and count as records."""
    lists = [_settlement_list(row) for row in table]
    for place in rng.integers(0, RECORDS, int(rng.choice([0, 20, 500]))):
        fields = lists[place]["setlinfo"]
        fields[_FIELDS[rng.integers(1, len(_FIELDS))]] = VALUES[rng.integers(len(VALUES))]
    if not lines:
        return json.dumps(lists, ensure_ascii=bool(rng.integers(2)), indent=int(rng.choice([0, 2])) or None)
    texts = [json.dumps(each, ensure_ascii=bool(rng.integers(2))) for each in lists]
    for place in rng.integers(1, RECORDS, 10) if broken else ():
        texts[place] = texts[place][: max(2, len(texts[place]) // 2)]
    return "\n".join(texts) + "\n"


def _settlement_list(row: Sequence[str]) -> dict[str, Any]:
    """A record as the interface of settlement lists has it."""
    *fields, diagnoses, procedures, cost = row
    return {
        "setlinfo": dict(zip(_FIELDS, fields, strict=True)) | {"medfee_sumamt": cost},
        "diseinfo": [
            {"diag_code": code, "diag_type": "1", "maindiag_flag": str(int(not place))}
            for place, code in enumerate(diagnoses.split("|"))
        ],
        "oprninfo": [{"oprn_oprt_code": code} for code in procedures.split("|")],
    }


def _write_sheet(path: Path, table: list[list[str]]) -> None:
    import xlsxwriter

    book = xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False, "constant_memory": True})
    sheet = book.add_worksheet()
    for place, row in enumerate([list(COLUMNS), *table]):
        for column, cell in enumerate(row):
            sheet.write_string(place, column, cell)
    book.close()

"""Every Arrow type by every command: what others write in another type is read as the same records."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import drgsim
from drgsim.errors import InputError
from drgsim.records.plain_types import plain_column, plain_columns
from drgsim.records.read import read_table
from tests.sample_region import SAMPLE, YEARS, discharges

ROWS = 160
HOSPITALS = SAMPLE / "hospitals.csv"
POLICY, SCHEME = "beijing/2024", "chs-drg-2.0"
FIRST = pq.read_table(discharges(), columns=["discharge_id"]).column(0)[0].as_py()


def each(test: Callable[[pa.DataType], bool], made: Callable[[pa.Array], pa.Array]) -> Callable[[pa.Table], pa.Table]:
    """A change of every column of some types."""

    def change(table: pa.Table) -> pa.Table:
        columns = [column.combine_chunks() for column in table.columns]
        return pa.table([made(column) if test(column.type) else column for column in columns], table.column_names)

    return change


def texts(kind: pa.DataType) -> Callable[[pa.Table], pa.Table]:
    return each(pa.types.is_string, lambda column: column.cast(kind))


def in_china(column: pa.Array) -> pa.Array:
    """The same clock in a zone: midnight there is the day before in UTC."""
    local = column.cast(pa.timestamp("us"))
    return pa.compute.assume_timezone(local, "Asia/Shanghai")


def with_odd_columns(table: pa.Table) -> pa.Table:
    odd = {
        "list": pa.array([["a", None]] * ROWS), "large list": pa.array([[1]] * ROWS, pa.large_list(pa.int8())),
        "fixed list": pa.array([["a", "b"]] * ROWS, pa.list_(pa.large_string(), 2)), "lists": pa.array([[["a"]]] * ROWS),
        "map": pa.array([[("a", 1)]] * ROWS, pa.map_(pa.string(), pa.int32())), "struct": pa.array([{"a": 1}] * ROWS),
        "time": pa.array([time(1, 2)] * ROWS), "duration": pa.array([timedelta(3)] * ROWS), "nothing": pa.nulls(ROWS),
        "bytes": pa.array([b"\xff\xfe\x00"] * ROWS), "damaged": invalid_text(ROWS),
        "half": pa.array([1.5] * ROWS).cast("float16"), "unsigned": pa.array([2**64 - 1] * ROWS, pa.uint64()),
        "yes": pa.array([True, None] * (ROWS // 2)), "decimal": pa.array([Decimal("1.50")] * ROWS, pa.decimal256(50, 2)),
        "zone": in_china(pa.array([datetime(2024, 1, 1)] * ROWS)),
        "uuid": pa.ExtensionArray.from_storage(pa.uuid(), pa.array([UUID(int=7).bytes] * ROWS, pa.binary(16))),
    }  # fmt: skip
    return pa.table(table.columns + list(odd.values()), table.column_names + list(odd))


def invalid_text(rows: int) -> pa.Array:
    offsets = pa.array([2 * row for row in range(rows + 1)], pa.int32()).buffers()[1]
    return pa.Array.from_buffers(pa.string(), rows, [None, offsets, pa.py_buffer(b"\xff\xfe" * rows)])


KINDS: dict[str, Callable[[pa.Table], pa.Table]] = {
    "large_string": texts(pa.large_string()),
    "string_view": texts(pa.string_view()),
    "dictionary": each(pa.types.is_string, lambda column: column.cast(pa.large_string()).dictionary_encode()),
    "binary": texts(pa.large_binary()),
    "decimals and zones": lambda table: each(pa.types.is_temporal, in_china)(
        each(pa.types.is_floating, lambda column: column.cast(pa.decimal128(18, 2), safe=False))(table)
    ),
    "unsigned and encoded": lambda table: each(pa.types.is_temporal, pa.Array.dictionary_encode)(
        each(pa.types.is_integer, lambda column: column.cast(pa.uint64()))(table)
    ),
    "odd columns": with_odd_columns,
}


def files(folder: Path, suffix: str, keep: bool) -> Any:
    target = folder / f"out{suffix}"
    drgsim.group_files([cases(folder)], SCHEME, target, keep_input=keep)
    return read_table(target).select(["discharge_id", "drg", *(["hospital_id"] if keep else [])])


def cases(folder: Path) -> Path:
    return folder / f"discharges-{YEARS[-1]}.parquet"


def dip(folder: Path) -> Any:
    return drgsim.dip_build(cases(folder), folder / "dip", years=[1], evaluate=False)


VERBS: dict[str, Callable[[Path], Any]] = {
    "group csv": lambda folder: files(folder, ".csv", False),
    "group csv with input": lambda folder: files(folder, ".csv", True),
    "group parquet with input": lambda folder: files(folder, ".parquet", True),
    "group xlsx with input": lambda folder: files(folder, ".xlsx", True),
    "validate": lambda folder: drgsim.validate(cases(folder)),
    "settle": lambda folder: drgsim.settle(cases(folder), POLICY, hospitals=HOSPITALS, unit_value=13000),
    "weights": lambda folder: drgsim.weights(cases(folder), scheme=SCHEME),
    "dip build": dip,
    "dip group": lambda folder: drgsim.group(drgsim.read(cases(folder)), scheme="dip-taian-2025"),
    "explain": lambda folder: drgsim.explain(cases(folder), SCHEME, record_id=FIRST),
    "migrate": lambda folder: drgsim.migrate(cases(folder), SCHEME, "beijing-2022"),
    "switch": lambda folder: drgsim.switch(cases(folder), policy=POLICY, hospitals=HOSPITALS, draws=0),
    "budget": lambda folder: drgsim.budget(folder, POLICY),
    "simulate": lambda folder: drgsim.simulate(folder, "rate-plus-3", policy=POLICY),
}


def answer(result: Any) -> Any:
    return (result if isinstance(result, pa.Table) else result.to_arrow()).to_pylist()


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A small region by kind of types; ``plain`` as drgsim writes it."""
    found = {}
    for kind, change in {"plain": lambda table: table, **KINDS}.items():
        folder = found[kind] = tmp_path_factory.mktemp("types")
        for path in SAMPLE.glob("*.csv"):
            shutil.copy(path, folder)
        for year in YEARS:
            pq.write_table(
                change(pq.read_table(SAMPLE / f"discharges-{year}.parquet").slice(0, ROWS)),
                folder / f"discharges-{year}.parquet",
            )
    return found


@pytest.mark.parametrize("verb", VERBS)
def test_every_command_reads_the_same_records_in_every_type(folders: dict[str, Path], verb: str) -> None:
    wanted = answer(VERBS[verb](folders["plain"]))
    assert wanted
    for kind in KINDS:
        assert answer(VERBS[verb](folders[kind])) == wanted, kind


def test_types_that_parquet_does_not_have() -> None:
    ids = ["a", None, "b"]
    assert plain_column(pa.RunEndEncodedArray.from_arrays([2, 3], ["a", "b"])).to_pylist() == ["a", "a", "b"]
    for kind in (pa.list_view(pa.string()), pa.large_list_view(pa.string_view())):
        assert plain_column(pa.array([ids, None, []], kind)).to_pylist() == ["a||b", None, ""]
    union = pa.UnionArray.from_sparse(pa.array([0, 1], pa.int8()), [pa.array([1, 2]), pa.array(["a", "b"])])
    assert plain_column(union).to_pylist() == ["1", '"b"']
    assert plain_column(pa.array(ids).cast(pa.binary_view())).to_pylist() == ids
    assert pa.types.is_string(plain_column(pa.array([(1, 2, 3)], pa.month_day_nano_interval())).type)


def test_what_a_type_becomes_depends_on_the_type_alone() -> None:
    """Batches of one file must stay alike, whatever stands in them."""
    odd = with_odd_columns(pa.table({"discharge_id": [str(row) for row in range(ROWS)]}))
    missing = pa.table([pa.nulls(3, kind) for kind in odd.schema.types], odd.column_names)
    assert plain_columns(missing).schema.types == plain_columns(odd).schema.types
    assert plain_columns(odd.slice(0, 0)).schema.types == plain_columns(odd).schema.types


def test_values_of_odd_types_are_kept() -> None:
    (row,) = plain_columns(with_odd_columns(pa.table({"id": ["a"] * ROWS})).slice(0, 1)).to_pylist()
    assert row == {
        "id": "a", "list": "a|", "large list": "1", "fixed list": "a|b", "lists": '[["a"]]', "map": '[["a", 1]]',
        "struct": '{"a": 1}', "time": "01:02:00.000000", "duration": "3 days", "nothing": None,
        "bytes": b"\xff\xfe\x00".decode("gb18030", "replace"), "damaged": b"\xff\xfe".decode("gb18030", "replace"),
        "half": 1.5, "unsigned": Decimal(2**64 - 1), "yes": True, "decimal": "1.50", "zone": datetime(2024, 1, 1),
        "uuid": str(UUID(int=7)),
    }  # fmt: skip


def test_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    twice = pa.table([pa.array(["a"]), pa.array(["b"])], ["discharge_id", "discharge_id"])
    pq.write_table(twice, tmp_path / "a.parquet")
    for given in (twice, tmp_path / "a.parquet"):
        with pytest.raises(InputError, match="input-duplicate-column"):
            drgsim.group(given)

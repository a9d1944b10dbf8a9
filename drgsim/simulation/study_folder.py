"""Write a study as a folder: typed tables as Parquet, one workbook, the record of the run; read such a folder again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from drgsim import __version__
from drgsim.errors import InputError
from drgsim.results.run_record import problem_rows, write_results
from drgsim.results.whole_outputs import RUN_FILE
from drgsim.simulation.simulated_region import GIVEN
from drgsim.simulation.study import Study, assumptions_of
from drgsim.units.schemes.pack import pack_digest

KIND = "simulation"
WORKBOOK = "simulation.xlsx"
SHEETS_ZH = {
    "headlines": "要点", "hospitals": "医院", "levels": "级别", "departments": "科室", "groups": "病组", "insurance": "险种",
    "decomposition": "变化分解", "changes": "改动", "grid": "网格", "years": "多年", "sensitivity": "敏感性",
    "solution": "目标求解",
    "assumptions": "假设", "draws": "抽样",
}  # fmt: skip
_EPOCH = datetime(2000, 1, 1)  # the same input gives the same bytes, so no clock goes into a workbook


def record_of(study: Study, **options: Any) -> dict[str, Any]:
    """What was run, without any clock: versions, hashes, changes, problems, assumptions."""
    return {
        "kind": KIND,
        "drgsim": __version__,
        "region": study.region.folder.name,
        "inputs": study.region.digests(),
        "year": study.year,
        "options": options,
        "scenarios": [
            {
                "name": result.plan.name, "title": result.plan.title, "title_zh": result.plan.title_zh,
                "files": {scenario.name: scenario.digest for scenario in result.plan.scenarios},
                "baseline": {"policy": result.plan.baseline.policy.id, "scheme": result.plan.baseline.scheme,
                             "digest": result.plan.baseline.digest},
                "setup": {"policy": result.plan.setup.policy.id, "policy_digest": result.plan.setup.policy.digest,
                          "scheme": result.plan.setup.scheme, "scheme_digest": _scheme_digest(result.plan.setup.scheme),
                          "digest": result.plan.setup.digest},
                "unit_values": dict(result.outcome.unit_values),
                "baseline_unit_values": dict(result.baseline.unit_values),
                "discharges": int(result.outcome.by_payer.counts["cases"].sum()),
                "problems": problem_rows(result.outcome.problems),
            }
            for result in study.results
        ],
        "rows": {name: table.num_rows for name, table in study.tables.items()},
        "notes": list(study.notes),
        "assumptions": assumptions_of(study.results),
        **study.extra,
    }  # fmt: skip


def _scheme_digest(scheme: str) -> str:
    """SHA-256 over the files of a scheme; empty where the cases stated their groups."""
    return "" if scheme == GIVEN else pack_digest(scheme)


def write_study(
    folder: Path, study: Study, record: Mapping[str, Any], files: Mapping[str, Callable[[Path], None]] | None = None
) -> None:
    """Write a study; the folder appears whole or not at all. ``files`` are further files, each with what writes it."""
    assumptions = (
        pa.Table.from_pylist(record["assumptions"]) if record["assumptions"] else pa.table({"of": pa.array([], pa.string())})
    )
    tables = {**study.tables, "assumptions": assumptions}
    extra = {WORKBOOK: lambda path: write_workbook(path, tables), **(files or {})}
    write_results(folder, {f"{name}.parquet": table for name, table in study.tables.items()}, record, extra)


def write_workbook(path: Path, tables: Mapping[str, pa.Table]) -> None:
    """One sheet per table, named in English and Chinese; money with two decimals, header frozen, filter on."""
    import xlsxwriter

    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"created": _EPOCH})
        header = book.add_format({"bold": True, "bg_color": "#E8EEF4", "bottom": 1, "text_wrap": True, "valign": "top"})
        money, number = book.add_format({"num_format": "#,##0.00"}), book.add_format({"num_format": "#,##0.######"})
        for name, table in tables.items():
            sheet = book.add_worksheet(f"{name} {SHEETS_ZH.get(name, '')}".strip()[:31])
            sheet.freeze_panes(1, 2)
            for place, column in enumerate(table.column_names):
                values = table.column(column).to_pylist()
                texts = pa.types.is_string(table.schema.field(column).type)
                width = min(max([len(column), *(len(str(value)) for value in values[:200] if texts and value)]) + 2, 44)
                sheet.set_column(place, place, width if texts else 15)
                sheet.write_string(0, place, column, header)
                for row, value in enumerate(values, start=1):
                    if isinstance(value, Decimal):
                        sheet.write_number(row, place, float(value), money)
                    elif isinstance(value, int | float) and not isinstance(value, bool):
                        sheet.write_number(row, place, value, number)
                    elif value is not None:
                        sheet.write_string(row, place, str(value))
            if table.num_rows:
                sheet.autofilter(0, 0, table.num_rows, table.num_columns - 1)


@dataclass(frozen=True)
class Run:
    """A folder of an earlier run."""

    folder: Path
    record: dict[str, Any]

    def table(self, name: str) -> pa.Table:
        """One of its tables."""
        return pq.read_table(self.folder / f"{name}.parquet")


def read_run(folder: Path) -> Run:
    """Read the folder of an earlier ``drgsim simulate``.

    Raises
    ------
    InputError
        The folder is not one.
    """
    try:
        record = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        what = f"{folder} holds no record of a run ({RUN_FILE})"
        raise InputError.single(
            "run-not-found", what, where=str(folder), fix="name a folder that drgsim simulate wrote"
        ) from error
    if not isinstance(record, dict) or record.get("kind") != KIND:
        what = f"{folder} is the result of another command"
        raise InputError.single("run-other-kind", what, where=str(folder), fix="name a folder that drgsim simulate wrote")
    return Run(folder, record)

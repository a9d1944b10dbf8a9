"""Write a study as a folder: typed tables as Parquet, one workbook, the record of the run; read such a folder again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from drgsim.errors import InputError
from drgsim.language import bilingual, text
from drgsim.results.run_record import run_record, write_results
from drgsim.results.whole_outputs import RUN_FILE, read_record
from drgsim.results.workbook import WorkbookSheet, open_workbook
from drgsim.results.workbook_about import About, about_record
from drgsim.simulation.headlines import headline_names
from drgsim.simulation.simulated_region import GIVEN
from drgsim.simulation.study import Study, assumptions_of
from drgsim.units.schemes.pack import pack_digest

KIND = "simulation"
TITLE = text("What if")
WORKBOOK = "simulation.xlsx"
_MOST_HOSPITALS = 40  # that a chart can name
_LOOKS = {"yuan": "yuan", "share": "fine share", "index": "factor"}  # of units of figures
_WITH_FIGURES = ("grid", "years", "sensitivity", "draws")  # tables with a column for each headline figure


def record_of(study: Study, **options: Any) -> dict[str, Any]:
    """What was run, without any clock: versions, hashes, changes, problems, assumptions."""
    return run_record(
        KIND,
        region=study.region.folder.name,
        inputs=study.region.digests(),
        year=study.year,
        options=options,
        scenarios=[
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
                "problems": result.outcome.problems,
                **result.outcome.selection,
                **{f"baseline_{name}": value for name, value in result.baseline.selection.items()},
            }
            for result in study.results
        ],
        rows={name: table.num_rows for name, table in study.tables.items()},
        notes=study.notes,
        assumptions=assumptions_of(study.results),
        **study.extra,
    )  # fmt: skip


def _scheme_digest(scheme: str) -> str:
    """SHA-256 over the files of a scheme; empty where the cases stated their groups."""
    return "" if scheme == GIVEN else pack_digest(scheme)


def write_study(
    folder: Path, study: Study, record: Mapping[str, Any], files: Mapping[str, Callable[[Path], None]] | None = None
) -> None:
    """Write a study; the folder appears whole or not at all. ``files`` are further files, each with what writes it."""
    tables = with_assumptions(study.tables, record)
    extra = {WORKBOOK: lambda path: write_workbook(path, tables, about_of(record)), **(files or {})}
    write_results(folder, {f"{name}.parquet": table for name, table in study.tables.items()}, record, extra)


def with_assumptions(tables: Mapping[str, pa.Table], record: Mapping[str, Any]) -> dict[str, pa.Table]:
    """The tables of a study, and what it rests on without a source as one more."""
    rows = record["assumptions"]
    return {**tables, "assumptions": pa.Table.from_pylist(rows) if rows else pa.table({"of": pa.array([], pa.string())})}


def about_of(record: Mapping[str, Any], notes: Sequence[str] = ()) -> About:
    """What the first sheet of a study's workbook says."""
    facts: list[tuple[str, str]] = []
    for entry in record["scenarios"]:
        before, after = entry["baseline"], entry["setup"]
        sides = [(text("Policy"), before["policy"], after["policy"]), (text("Scheme"), before["scheme"], after["scheme"])]
        facts.append((text("Scenario"), bilingual(entry["title"], entry["title_zh"])))
        facts += [(label, old if old == new else f"{old} → {new}") for label, old, new in sides]
        facts.append((text("Digest of the setup"), after["digest"][:16]))
    return about_record(TITLE, record, facts=facts, notes=notes)


def write_workbook(path: Path, tables: Mapping[str, pa.Table], about: About) -> None:
    """What was run, charts of the hospitals of each scenario, a sheet per table."""
    figures, looks = _of_figures()
    with open_workbook(path, about) as book:
        overview = book.sheet("overview", widths=(60, 20, 20, 20))
        overview.add((about.title,), "title")
        for name, table in tables.items():
            named = name in _WITH_FIGURES
            sheet = book.add_table(name, table, titles=figures if named else None, looks=looks if named else None, frozen=2)
            if name == "hospitals" and "margin_change" in table.column_names:
                _chart_hospitals(overview, sheet, table.column("scenario_name").to_pylist())


def _of_figures() -> tuple[dict[str, str], dict[str, str | None]]:
    """Titles and looks of columns that are headline figures, and of their changes."""
    titles: dict[str, str] = {
        "fund.carried_in": text("Carried into the fund's budget"),
        "fund.cumulative_balance": text("Balance of the fund to date"),
    }
    looks: dict[str, str | None] = dict.fromkeys(titles, "yuan")
    for name, entry in headline_names().items():
        titles[name] = bilingual(entry["title"], entry["title_zh"])
        titles[f"{name}.change"] = text("Change: {figure}", figure=titles[name])
        looks[name] = looks[f"{name}.change"] = _LOOKS.get(entry["unit"], "number")
    return titles, looks


def _chart_hospitals(overview: WorkbookSheet, sheet: WorkbookSheet, names: list[str]) -> None:
    for scenario in dict.fromkeys(names):
        overview.chart(
            "bar", sheet, label="name", values=["baseline_margin", "scenario_margin"],
            title=text("Margin by hospital (yuan): {scenario}", scenario=scenario),
            rows=(names.index(scenario), min(names.count(scenario), _MOST_HOSPITALS)),
        )  # fmt: skip


@dataclass(frozen=True)
class Run:
    """A run: the folder of an earlier one, or one in memory with its tables."""

    folder: Path
    record: dict[str, Any]
    tables: Mapping[str, pa.Table] | None = None

    @property
    def name(self) -> str:
        """Name of its folder."""
        return self.folder.name

    def table(self, name: str) -> pa.Table:
        """One of its tables."""
        if self.tables is not None:
            return self.tables[name]
        return pq.read_table(self.folder / f"{name}.parquet")


def read_run(folder: Path) -> Run:
    """Read the folder of an earlier ``drgsim simulate``.

    Raises
    ------
    InputError
        The folder is not one.
    """
    record = read_record(folder)
    if record is None:
        what = text("{folder} holds no record of a run ({run_file})", folder=folder, run_file=RUN_FILE)
        raise InputError.single("run-not-found", what, where=str(folder), fix=text("name a folder that drgsim simulate wrote"))
    if record.get("kind") != KIND:
        what = text("{folder} is the result of another command", folder=folder)
        raise InputError.single("run-other-kind", what, where=str(folder), fix=text("name a folder that drgsim simulate wrote"))
    return Run(folder, record)

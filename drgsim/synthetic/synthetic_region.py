"""Make a whole region: check the request, draw it batch by batch, write every file or none."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa

from drgsim.records.vocabulary import PAYERS
from drgsim.results.table_files import csv_text
from drgsim.results.whole_outputs import whole_folder, write_text
from drgsim.synthetic.broken_records import break_records, miscode
from drgsim.synthetic.discharge_batches import draw_cases
from drgsim.synthetic.draw_plan import DrawPlan, make_plan
from drgsim.synthetic.invented_hospitals import make_hospitals
from drgsim.synthetic.item_bills import calibrated, draw_bill
from drgsim.synthetic.outpatient_sums import HEADER as PAYMENTS_HEADER
from drgsim.synthetic.outpatient_sums import OutpatientSums, OutpatientYears, yuan
from drgsim.synthetic.patients import assign_patients
from drgsim.synthetic.planted_behaviour import plant, split_pairs
from drgsim.synthetic.procurement_sums import HEADER, ProcurementSums
from drgsim.synthetic.region_priors import load_priors
from drgsim.synthetic.region_readme import region_readme
from drgsim.synthetic.region_request import RegionRequest
from drgsim.synthetic.region_summary import Summary, Tally, summarise
from drgsim.synthetic.sparse_columns import Columns
from drgsim.synthetic.stay_payers import pay
from drgsim.synthetic.synth_files import LABEL, YearFiles, to_arrow
from drgsim.synthetic.synth_parameters import load_parameters

BATCH = 50_000
Progress = Callable[[int, int], None]


def make_batch(plan: DrawPlan, count: int, dirty: float, seed: np.random.SeedSequence) -> Columns:
    """One finished batch of ``count`` cases, in order of discharge; depends on nothing but its seed and the plan."""
    rng = np.random.Generator(np.random.PCG64(seed))
    batch = draw_cases(plan, count - split_pairs(count, plan), rng)
    draw_bill(plan, batch, rng)
    batch = plant(plan, batch, count, rng)
    assign_patients(batch, rng)
    miscode(plan, batch, rng)
    pay(plan, batch, rng)
    break_records(plan, batch, dirty, rng)
    order = np.argsort(batch["discharged"], kind="stable")
    return {name: column[order] for name, column in batch.items()}


def batch_sizes(cases: int) -> list[int]:
    """Cases per batch."""
    return [BATCH] * (cases // BATCH) + ([cases % BATCH] if cases % BATCH else [])


def _batches(
    plan: DrawPlan, sizes: list[int], dirty: float, seeds: list[np.random.SeedSequence]
) -> Iterator[tuple[Columns, pa.Table]]:
    """Batches in order, the next ones drawn by other threads meanwhile; at most four are held."""
    starts = np.concatenate(([0], np.cumsum(sizes)))

    def work(place: int) -> tuple[Columns, pa.Table]:
        batch = make_batch(plan, sizes[place], dirty, seeds[place])
        return batch, to_arrow(plan, batch, int(starts[place]) + 1)

    with ThreadPoolExecutor(max_workers=min(2, os.cpu_count() or 1)) as pool:
        waiting: deque[Future[tuple[Columns, pa.Table]]] = deque()
        for place in range(len(sizes)):
            waiting.append(pool.submit(work, place))
            if len(waiting) > 2:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def generate_region(output: Path, request: RegionRequest | None = None, progress: Progress | None = None) -> Summary:
    """Write a synthetic region to the new folder ``output``.

    Parameters
    ----------
    output
        Folder to make; must not hold anything. It appears whole or not at all.
    request
        What to make; by default 300,000 cases of 24 hospitals.
    progress
        Called with (cases done, cases wanted).

    Raises
    ------
    UsageError, OutputError
        See :meth:`RegionRequest.check`.
    DrgsimError
        See :func:`load_priors`.
    """
    wanted = request or RegionRequest()
    wanted.check(output)
    sizes = batch_sizes(wanted.cases)
    first, *seeds, last, outside = np.random.SeedSequence(wanted.seed).spawn(3 + len(sizes))
    parameters, known = load_parameters(), load_priors(wanted.priors)
    made = make_hospitals(wanted.hospitals, parameters, known.people.coding_habit, np.random.Generator(np.random.PCG64(first)))
    plan = calibrated(make_plan(known, parameters, made, wanted.years))
    tally, procurement, outpatients, done = Tally(plan), ProcurementSums(plan), OutpatientSums(plan), 0
    with whole_folder(output, replace=False) as beside:
        files = YearFiles(beside, wanted.years)
        for batch, table in _batches(plan, sizes, wanted.dirty, seeds):
            files.add(table, batch["year"])
            tally.add(batch)
            procurement.add(batch)
            outpatients.add(batch)
            done += table.num_rows
            if progress is not None:
                progress(done, wanted.cases)
        files.close()
        summary = summarise(plan, tally, output, wanted.seed, wanted.dirty)
        _write_tables(plan, tally, outpatients.draw(np.random.Generator(np.random.PCG64(outside))), beside)
        write_text(beside / "procurement.csv", csv_text(HEADER, procurement.rows(np.random.Generator(np.random.PCG64(last)))))
        write_text(beside / "README.md", region_readme(plan, summary))
    return summary


def _write_tables(plan: DrawPlan, tally: Tally, outpatients: OutpatientYears, folder: Path) -> None:
    parameters, made = plan.parameters, plan.hospitals
    districts = parameters["region.districts"]
    members = made.members(parameters["hospitals.members"])
    hospitals = csv_text(
        ("id", "name", "level", "grade", "kind", "beds", "district", "member_of", "label"),
        (
            (made.id[i], made.name[i], int(made.level[i]), made.grade[i], made.kind[i], int(made.beds[i]),
             districts[made.district[i]], members[i], LABEL)
            for i in range(len(made))
        ),
    )  # fmt: skip
    write_text(folder / "hospitals.csv", hospitals)
    rate = parameters["region.admission_rate"]
    shares = [parameters[f"region.{name}_share"] for name in ("diabetes", "hypertension")]
    enrolment = csv_text(
        ("year", "district", "insurance", "insured", "diabetes", "hypertension", "label"),
        (
            (year, district, insurance, insured, *(round(insured * share) for share in shares), LABEL)
            for y, year in enumerate(plan.years)
            for d, district in enumerate(districts)
            for p, insurance in enumerate(PAYERS)
            for insured in (round(int(tally.cases[y, p, d]) / rate),)
        ),
    )
    write_text(folder / "enrolment.csv", enrolment)
    write_text(folder / "payments.csv", csv_text(PAYMENTS_HEADER, outpatients.rows()))
    factor, beside = parameters["region.fund_factor"], outpatients.fund.sum(axis=0)
    fund = csv_text(
        ("year", "insurance", "budget_yuan", "label"),
        (
            (year, insurance, yuan(round(int(tally.fund[y, p]) * factor / 1_000_000) * 1_000_000 + int(beside[y, p])), LABEL)
            for y, year in enumerate(plan.years)
            for p, insurance in enumerate(PAYERS)
        ),
    )
    write_text(folder / "fund.csv", fund)

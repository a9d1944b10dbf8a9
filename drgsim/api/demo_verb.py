"""A budget year of the bundled synthetic region, from its discharges to a what-if, and the report of its largest hospital."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

from drgsim.api.argument_check import checked
from drgsim.api.budget_verbs import BudgetYears, budget
from drgsim.api.report_verb import Report, cases_of_year, checked_and_grouped, prices_of
from drgsim.api.weight_verbs import WeightTables, weights
from drgsim.assets import sample_path
from drgsim.budgets.region_preparation import Progress
from drgsim.engines.file_to_file import group_files
from drgsim.engines.group_run import GroupRun
from drgsim.language import text
from drgsim.payment.settlement import Settlement
from drgsim.payment.weight_estimation import WeightSettings
from drgsim.report.casemix_page import casemix_page
from drgsim.report.hospital_report import hospital_parts
from drgsim.report.region_page import RegionYear, year_page
from drgsim.report.report_parts import ReportChoices
from drgsim.report.whatif_page import whatif_page
from drgsim.results.result import Result
from drgsim.results.run_record import json_text, run_record, write_results
from drgsim.results.whole_outputs import RUN_FILE, WRITTEN, whole_folder, write_text
from drgsim.simulation.session import StudyOptions, run_all
from drgsim.simulation.study import Study
from drgsim.simulation.study_folder import record_of, write_study
from drgsim.units.schemes.pack import load_scheme

NOTE = text("Synthetic data: no patient, hospital or cost in it is real.")
SCHEME, POLICY, SCENARIO = "chs-drg-2.0", "beijing/2024", "surplus-share-80"
BASELINE = text(
    "Its baseline pays by the rate at which the fund's budget is just spent; the budget year "
    "above scales the policy's prices by level of hospital."
)
LINKS = (
    (text("case mix"), "casemix.html"), (text("budget"), "budget/budget.html"), (text("what if"), "whatif/whatif.html"),
    (text("the largest hospital"), "hospital/report.html"),
)  # fmt: skip


class SampleYear:
    """The year step by step, in the order of the methods; each writes its part below ``folder``. See :func:`sample_year`.

    Attributes
    ----------
    grouped, page
        The records with their groups, and the page that shows all parts.
    run, weights, budget, study, hospital
        What the steps gave.
    hospital_page
        The page of the largest hospital.
    """

    run: GroupRun
    weights: WeightTables
    budget: BudgetYears
    study: Study
    hospital: Report

    def __init__(self, folder: Path, output: Path) -> None:
        self._folder = folder  # takes the place of ``output`` when the year is done
        self.grouped, self.page = output / "grouped.parquet", output / "index.html"
        self.hospital_page = output / "hospital" / "report.html"
        self.region = sample_path("region")
        self.inputs = sorted(self.region.glob("discharges-*.parquet"))
        self.scheme = load_scheme(SCHEME)

    @property
    def settlement(self) -> Settlement:
        """The settlement of the last year."""
        return self.budget.prepared.settlements[self.budget.years[-1].year]

    def group(self, progress: Progress | None = None) -> None:
        """Group the discharges of all years, with a page on the case mix."""
        written = self._folder / self.grouped.name
        self.run = group_files(self.inputs, SCHEME, written, keep_input=True, progress=progress)
        self.run.output, self._answers = self.grouped, pq.read_table(written)
        title = text("Case mix of the sample region")
        write_text(self._folder / "casemix.html", casemix_page(self.run, self._answers, self.scheme, title=title, note=NOTE))

    def weigh(self) -> None:
        """Estimate weights from the earlier years."""
        settings = WeightSettings(minimum_cases=10, smoothing=10, monotone=True)
        self.weights = weights(self.inputs[:-1], scheme=SCHEME, years="3:7", settings=settings)
        tables = {f"{name}.csv": table for name, table in self.weights.tables.items()}
        write_results(self._folder / "weights", tables, {"kind": "weights", "settings": self.weights.record["settings"]})

    def settle(self, progress: Progress | None = None) -> None:
        """Settle every year and make its budget."""
        self.budget = budget(self.region, POLICY, progress=progress)
        self.budget.save_folder(self._folder / "budget", ("parquet", "html"), replace=True)

    def simulate(self, progress: Progress | None = None) -> None:
        """Run one scenario, and write the page of the whole year."""
        self.study = run_all(self.region, [SCENARIO], StudyOptions(policy=POLICY), progress)
        asked = record_of(self.study, policy=POLICY)
        page = whatif_page(self.study, asked, NOTE)
        write_study(self._folder / "whatif", self.study, asked, {"whatif.html": lambda path: write_text(path, page)})
        record = self.budget.record
        shown = RegionYear(
            self.run, self._answers, self.scheme, self.weights.estimated, self.weights.lines, self.weights.record["settings"],
            self.settlement, self.budget.years, self.study, BASELINE, record["assumptions"],
            [*record["notes"], *self.study.notes],
        )  # fmt: skip
        title = text("A budget year of the sample region")
        write_text(self._folder / self.page.name, year_page(shown, title=title, note=NOTE, links=LINKS))

    def account(self, progress: Progress | None = None) -> None:
        """Account for the largest hospital of the last year, as the budget year settled it."""
        scheme = self.settlement.ledger.policy.file.scheme
        cases = cases_of_year(self.budget, checked_and_grouped(self.inputs[-1], scheme, None, progress))
        region = (text("the region's page"), f"../{self.page.name}")
        parts = hospital_parts(cases, ReportChoices(warnings=(NOTE,), links=(region,), prices=prices_of(self.budget)))
        self.hospital = Report("hospital", cases, parts, self.budget.record["inputs"])
        self.hospital.save_folder(self._folder / self.hospital_page.parent.name, ("html", "xlsx"), replace=True)


@contextmanager
def sample_year(output: str | Path) -> Iterator[SampleYear]:
    """Give the year to go through; its folder appears as ``output`` with the record of the run when the block ends.

    Raises
    ------
    OutputError
        As :func:`demo`, before anything is done.
    """
    target = Path(output)
    with whole_folder(target, kind=Demo.kind) as beside:
        yield SampleYear(beside, target)
        written = [path.relative_to(beside).as_posix() for path in beside.rglob("*") if path.is_file()]
        write_text(beside / RUN_FILE, json_text({**demo_record(), WRITTEN: sorted([*written, RUN_FILE])}))


def demo_record() -> dict[str, Any]:
    """What the demo runs, as every record of a run says it."""
    return run_record(Demo.kind, policy=POLICY, scheme=SCHEME, scenario=SCENARIO)


class Demo(Result):
    """The budget year of the bundled region.

    Attributes
    ----------
    hospitals, weights, headlines
        Arrow tables of the budget, the weights and the scenario.
    grouped, page
        Paths of the records with their groups, and of the page to open in a browser.
    year
        The steps with what they gave.
    """

    kind: ClassVar[str] = "demo"
    title: ClassVar[str] = text("A budget year of the sample region")

    def __init__(self, year: SampleYear) -> None:
        tables = {
            "hospitals": year.budget.hospitals, "weights": year.weights.weights, "headlines": year.study.tables["headlines"],
        }  # fmt: skip
        notes = year.budget.notes
        super().__init__(tables, notes=notes, record=demo_record())
        self.hospitals: pa.Table = tables["hospitals"]
        self.weights: pa.Table = tables["weights"]
        self.headlines: pa.Table = tables["headlines"]
        self.year, self.grouped, self.page = year, year.grouped, year.page


@checked()
def demo(output: str | Path = "drgsim-demo") -> Demo:
    """A budget year of the bundled synthetic region: groups, weights, settlement, budget, a what-if, a hospital. 演示

    Parameters
    ----------
    output
        Folder for the results: new, empty, or an earlier demo that holds nothing else, which is replaced.

    Returns
    -------
    Demo
        Its ``page`` is the one to open in a browser.

    Raises
    ------
    OutputError
        ``output-not-ours``, ``output-other-kind``, ``output-holds-more``: the folder holds what no demo wrote;
        ``output-is-file``, ``output-not-writable``.

    Examples
    --------
    >>> import drgsim
    >>> drgsim.demo("drgsim-demo").page.name  # doctest: +SKIP
    'index.html'
    """
    with sample_year(output) as year:
        year.group()
        year.weigh()
        year.settle()
        year.simulate()
        year.account()
    return Demo(year)

"""``drgsim.synth``: a synthetic region of hospital discharges to try things on."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from pathlib import Path
from typing import Any

from drgsim.api.argument_check import ArgumentKind, as_list, checked, number, whole
from drgsim.api.scheme_verbs import TEXT, WHOLE, as_table
from drgsim.money import yuan_text
from drgsim.results.result import Result
from drgsim.results.run_record import run_record
from drgsim.synthetic import Summary, generate_region, parse_years


class MadeRegion(Result):
    """A synthetic region (合成数据) that was written: table ``discharges``, their number by year, level and planted behaviour.

    Attributes
    ----------
    folder
        The folder, which :func:`drgsim.budget` and :func:`drgsim.simulate` take.
    summary
        The counts; money in fen.
    """

    kind = "synth"
    title = "Synthetic region 合成数据"

    def __init__(self, summary: Summary) -> None:
        self.summary, self.folder = summary, Path(summary.folder)
        rows = [
            {"by": by, "what": str(what), "discharges": number}
            for by, counted in (("year", summary.by_year), ("level", summary.by_level), ("planted", summary.truth))
            for what, number in counted.items()
        ]
        record = run_record(self.kind, **(self.values() | {"output": self.folder.name}))
        super().__init__({"discharges": as_table(rows, by=TEXT, what=TEXT, discharges=WHOLE)}, record=record)

    def values(self) -> dict[str, Any]:
        """The region as plain values; money in yuan as text, exact to the fen."""
        made = self.summary
        return {
            "synthetic": True,
            "output": made.folder,
            "hospitals": made.hospitals,
            "cases": made.cases,
            "years": made.by_year,
            "levels": made.by_level,
            "groups_drawn": made.groups_drawn,
            "seed": made.seed,
            "truth": made.truth,
            "dirty": made.dirty,
            "total_cost": yuan_text(made.total_cost_fen),
            "fund_paid": yuan_text(made.fund_paid_fen),
        }


@checked(
    hospitals=whole(),
    cases=whole(),
    years=ArgumentKind('years such as "2022-2024" or (2022, 2023)', (str, Integral), listed=True),
    seed=whole(),
    dirty=number(),
)
def synth(
    output: str | Path,
    *,
    hospitals: int = 24,
    cases: int = 300_000,
    years: str | tuple[int, ...] = "2022-2024",
    seed: int = 7,
    dirty: float = 0.0,
    progress: Callable[[int, int], None] | None = None,
) -> MadeRegion:
    """Make a synthetic region: hospitals, discharges, enrolment and fund. 生成合成地区数据

    All of it is invented and labelled so. The folder appears whole or not at all; nothing is overwritten.

    Parameters
    ----------
    output
        New folder for the region.
    hospitals
        Number of hospitals, 1 to 999.
    cases
        Number of discharges, all years together, at least one per hospital.
    years
        Years of discharge, one after the other: ``"2022-2024"``, ``"2023"``, or ``(2022, 2023)``.
    seed
        The same seed gives the same bytes.
    dirty
        Share of records to break in named ways, 0 to 0.5.
    progress
        Called with the number of discharges done and wanted.

    Returns
    -------
    MadeRegion
        ``folder``, and the counts.

    Raises
    ------
    UsageError
        ``synth-years``, ``synth-hospitals``, ``synth-cases``, ``synth-seed``, ``synth-dirty``.
    OutputError
        ``output-exists`` when the folder is there already.

    Notes
    -----
    How the data are drawn, and from which published figures: docs/synthetic-region.md.

    Examples
    --------
    >>> import drgsim, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = drgsim.synth(folder + "/region", hospitals=3, cases=300, years="2024")
    ...     sorted(path.name for path in made.folder.iterdir())[0], made.summary.cases
    ('README.md', 300)
    """
    wanted = parse_years(years) if isinstance(years, str) else tuple(as_list(years))
    made = generate_region(
        Path(output), hospitals=hospitals, cases=cases, years=wanted, seed=seed, dirty=dirty, progress=progress
    )
    return MadeRegion(made)

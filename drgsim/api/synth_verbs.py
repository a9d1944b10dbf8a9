"""``drgsim.synth``: a synthetic region of hospital discharges to try things on."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from pathlib import Path
from typing import Any

from drgsim.api.argument_check import NAME, ArgumentKind, as_list, checked, number, whole
from drgsim.api.scheme_verbs import TEXT, WHOLE, as_table
from drgsim.language import text
from drgsim.money import yuan_text
from drgsim.results.result import Result
from drgsim.results.run_record import run_record
from drgsim.synthetic import RegionRequest, Summary, export_priors, generate_region, parse_years


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
    title = text("Synthetic region")

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
            "diseases_drawn": made.diseases_drawn,
            "pathways_drawn": made.pathways_drawn,
            "figures": made.figures,
            "own_priors": made.own_priors,
            "seed": made.seed,
            "truth": made.truth,
            "dirty": made.dirty,
            "total_cost": yuan_text(made.total_cost_fen),
            "fund_paid": yuan_text(made.fund_paid_fen),
        }


@checked(
    hospitals=whole(),
    cases=whole(),
    years=ArgumentKind(text('years such as "2024-2026" or (2024, 2025)'), (str, Integral), listed=True),
    seed=whole(),
    dirty=number(),
    priors=NAME,
)
def synth(
    output: str | Path,
    *,
    hospitals: int = 24,
    cases: int = 300_000,
    years: str | tuple[int, ...] = "2024-2026",
    seed: int = 7,
    dirty: float = 0.0,
    priors: str | Path | None = None,
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
        Years of discharge, one after the other: ``"2024-2026"``, ``"2025"``, or ``(2024, 2025)``.
    seed
        The same seed gives the same bytes.
    dirty
        Share of records to break in named ways, 0 to 0.5.
    priors
        Folder of priors (先验) of one's own, in the shape of the bundled one, which :func:`drgsim.synth_priors` writes: files
        of the same name take the place of the bundled ones, other chapters are added.
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
    DrgsimError
        ``synth-priors-folder``, and ``synth-priors-...`` for everything that is wrong in the files of ``priors``.

    Notes
    -----
    A disease and its care pathway are drawn, never a group; costs add up what the record holds. ``summary.figures`` says how
    many figures of the priors have which evidence. How the data are drawn, and from which published figures:
    docs/synthetic-region.md.

    Examples
    --------
    >>> import drgsim, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = drgsim.synth(folder + "/region", hospitals=3, cases=300, years="2024")
    ...     sorted(path.name for path in made.folder.iterdir())[0], made.summary.cases
    ('README.md', 300)
    """
    wanted = parse_years(years) if isinstance(years, str) else tuple(as_list(years))
    own = None if priors is None else Path(priors)
    request = RegionRequest(hospitals=hospitals, cases=cases, years=wanted, seed=seed, dirty=dirty, priors=own)
    made = generate_region(Path(output), request, progress)
    return MadeRegion(made)


@checked()
def synth_priors(output: str | Path) -> list[Path]:
    """Write the bundled priors of the synthetic region to a new folder, to start one's own from. 导出先验

    Parameters
    ----------
    output
        New folder; nothing is overwritten.

    Returns
    -------
    list of Path
        The files: ``people.yaml``, ``items.yaml``, ``tail.csv`` and ``chapters/*.yaml``.

    Raises
    ------
    OutputError
        ``output-exists`` when the folder is there already.

    Examples
    --------
    >>> import drgsim, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     any(path.name == "people.yaml" for path in drgsim.synth_priors(folder + "/priors"))
    True
    """
    folder = Path(output)
    return [folder / name for name in export_priors(folder)]

"""A region: what its folder states, read once for budgets and simulation."""

from __future__ import annotations

from pathlib import Path

from drgsim.api.argument_check import checked
from drgsim.region.region_folder import RegionFolder, read_region


@checked()
def load_region(folder: str | Path) -> RegionFolder:
    """Read the folder of a region, for :func:`drgsim.budget`, :func:`drgsim.calibrate` and :func:`drgsim.simulate`.

    Parameters
    ----------
    folder
        Folder with discharges-YYYY (.parquet, .csv or .xlsx), hospitals.csv and the tables that docs/budget.md lists, as
        :func:`drgsim.synth` makes it.

    Returns
    -------
    RegionFolder
        ``folder``, ``years``, ``hospitals``, ``fund`` (fen) and more; the discharges are read when they are asked for.

    Raises
    ------
    InputError
        Files are missing or hold what they may not: all problems at once.

    Examples
    --------
    >>> import drgsim
    >>> drgsim.load_region(drgsim.sample_path("region")).years
    (2024, 2025, 2026)
    """
    return read_region(folder)

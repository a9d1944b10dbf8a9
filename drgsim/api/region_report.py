"""A region's folder in the place of a file: which of its discharges a report reads, and its budget years."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from drgsim.api.budget_verbs import BudgetYears, budget
from drgsim.api.verb_inputs import Amounts, Tabular, scheme_of_weights
from drgsim.engines.file_to_file import Progress
from drgsim.errors import Problem, UsageError
from drgsim.language import text
from drgsim.payment.policy import Policy
from drgsim.region.region_folder import RegionFolder, read_region
from drgsim.units.schemes.schemes_in_force import undated_scheme


def region_in(cases: Any) -> RegionFolder | None:
    """The region that was handed in instead of records: what :func:`drgsim.load_region` gave, or one folder.

    Raises
    ------
    InputError
        The folder is no region, see :func:`drgsim.load_region`.
    """
    if isinstance(cases, list | tuple) and len(cases) == 1:
        (cases,) = cases
    if isinstance(cases, RegionFolder):
        return cases
    if isinstance(cases, str | Path) and str(cases).strip() and Path(cases).is_dir():
        return read_region(cases)
    return None


def discharges_for(region: RegionFolder, audience: str) -> list[Path]:
    """Files of discharges that a report reads: research takes all years, others the last one."""
    files = list(region.discharges.values())
    return files if audience == "research" else files[-1:]


def years_of_region(
    region: RegionFolder,
    policy: Policy,
    *,
    scheme: str | None = None,
    weights: Tabular | None = None,
    changes: Mapping[str, float | str] | None = None,
    unit_value: Amounts | None = None,
    shared: Amounts | None = None,
    progress: Progress | None = None,
) -> tuple[BudgetYears, str]:
    """Budget years of a region, and the scheme that groups its cases.

    Raises
    ------
    UsageError
        ``report-region-prices``: the region's fund gives the budget, so that no other is taken.
    """
    given: Sequence[str] = [name for name, value in (("--unit-value", unit_value), ("--budget", shared)) if value is not None]
    if given:
        what = text("{options} cannot be given with the folder of a region", options=", ".join(given))
        why = text("the budget of the region's fund (fund.csv) decides what is paid")
        fix = text("leave it out, or change a price of the policy by --set")
        raise UsageError([Problem("report-region-prices", what, where=str(region.folder), why=why, fix=fix)])
    chosen = scheme or scheme_of_weights(weights) or policy.file.scheme or undated_scheme()
    return budget(region, policy, weights=weights, scheme=chosen, changes=changes, progress=progress), chosen

"""Hospital budgets under BJ-GBI: budget years of a region, and the check of the model against published figures."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from drgsim.api.argument_check import NAME, ArgumentKind, as_list, checked, named, number
from drgsim.api.verb_inputs import AnyRegion, Inputs, Tabular, scheme_of_weights, told
from drgsim.budgets.budget_doubts import doubts
from drgsim.budgets.budget_remarks import remarks
from drgsim.budgets.budget_tables import FUND_ZH, budget_tables, words
from drgsim.budgets.budget_year import BudgetYear, budget_years
from drgsim.budgets.calibration import Calibration, load_settings
from drgsim.budgets.calibration import calibrate as calibrate_figures
from drgsim.budgets.region_preparation import PreparedRegion, Progress, prepare
from drgsim.budgets.terms import PREFIX, BudgetTerms, load_terms
from drgsim.budgets.years_ahead import figures_ahead
from drgsim.errors import Problem, UsageError
from drgsim.language import text
from drgsim.money import yuan_text
from drgsim.parameters.evident_values import evident_nodes
from drgsim.payment.policy import AnyPolicy, Policy, policy_of
from drgsim.payment.selection_from_history import selection_record
from drgsim.region.region_folder import RegionFolder
from drgsim.results.result import Result
from drgsim.results.run_record import digest_of, run_record

_RANGE = re.compile(r"(\d{4})(?:\s*[-–]\s*(\d{4}))?")
PANEL_POLICY = "national/2.0"  # pays the cases of a calibration, whose panel takes the sizes of hospitals from them


class BudgetYears(Result):
    """Budget years of a region's hospitals.

    Attributes
    ----------
    hospitals
        Arrow table by year and hospital: ``index`` (总额指标), ``recorded``, ``ratio`` (used), ``surplus``, ``settled``,
        ``surplus_kept``, ``overspend_not_borne``, ``cash`` (yuan), ``score``, ``months_warned`` and more.
    index, quality, units, warnings, ledger, liquidity, fund, terms
        Arrow tables: the steps of each index, indicators with points, amounts by unit of payment, use by month, cash by line,
        balances by month, the fund's account, and every parameter with its evidence. ``tables`` holds ``pools`` and
        ``pool_funds`` too where employees and residents have budgets apart, and ``negotiated`` where something was.
    years
        The years with their arrays, the last one last.
    prepared, budget_terms
        The region with its settled cases, and the terms.
    """

    kind: ClassVar[str] = "budget"
    title: ClassVar[str] = text("Budget")

    def __init__(
        self,
        years: Sequence[BudgetYear],
        prepared: PreparedRegion,
        terms: BudgetTerms,
        changes: Mapping[str, Any],
        given: Mapping[str, str],
    ) -> None:
        tables = budget_tables(years)
        record = _record(prepared, terms, years, changes, given)
        self._remarks = remarks(prepared, terms)  # the record holds them in English, a page says them in its language
        super().__init__(tables, notes=(*told(self._remarks), *prepared.problems, *doubts(years)), record=record)
        self.years, self.prepared, self.budget_terms = tuple(years), prepared, terms
        self.hospitals: pa.Table = tables["hospitals"]
        self.index: pa.Table = tables["index"]
        self.quality: pa.Table = tables["quality"]
        self.units: pa.Table = tables["units"]
        self.warnings: pa.Table = tables["warnings"]
        self.ledger: pa.Table = tables["ledger"]
        self.liquidity: pa.Table = tables["liquidity"]
        self.fund: pa.Table = tables["fund"]
        self.terms: pa.Table = tables["terms"]

    @property
    def _told(self) -> list[str]:
        return [*self._remarks, *(problem.what for problem in doubts(self.years))]

    def _page(self) -> str:
        from drgsim.report.budget_page import budget_page

        return budget_page(self.years, self.prepared.policy, self._told)

    def _write_workbook(self, path: Path) -> None:
        from drgsim.report.budget_workbook import write_workbook

        write_workbook(path, self.years, self.tables, self.about())


class Calibrated(Result):
    """The budget model against published figures.

    Attributes
    ----------
    years
        Arrow table by year: regime, share of institutions in surplus, growth of the fund's spending per head and more.
    reproduced
        Whether every figure lies within its tolerance.
    calibration
        The years with their arrays, and the figures.
    """

    kind: ClassVar[str] = "calibrate"
    title: ClassVar[str] = text("Calibration")

    def __init__(self, calibration: Calibration, files: Sequence[Path]) -> None:
        settings = calibration.settings
        record = run_record(
            self.kind,
            settings=settings.id,
            settings_digest=calibration.digest,
            terms_digest=calibration.years[0].terms.digest,
            inputs=digest_of(files),
            facts={name: {"published": fact, "model": model} for name, (fact, model) in calibration.results.items()},
            tolerance=settings.tolerance.values,
            reproduced=calibration.reproduced,
            assumptions=[path for path, node in evident_nodes(settings) if node.evidence == "assumption"],
        )
        super().__init__({"years": calibration.table}, record=record)
        self.years: pa.Table = self.tables["years"]
        self.reproduced = calibration.reproduced
        self.calibration = calibration

    def _page(self) -> str:
        from drgsim.report.calibration_page import calibration_page

        return calibration_page(self.calibration)

    def _files(self, formats: Sequence[str]) -> dict[str, pa.Table | Callable[[Path], None]]:
        files = super()._files(formats)
        return {name if name != "calibrate.html" else "calibration.html": each for name, each in files.items()}


@checked(
    region=named(RegionFolder),
    policy=named(Policy),
    terms=named(BudgetTerms),
    weights_scale=number(),
    years=ArgumentKind(text("years such as 2026 or 2026-2030, one or a list of them"), (int, str), listed=True),
)
def budget(
    region: AnyRegion,
    policy: AnyPolicy,
    *,
    terms: str | Path | BudgetTerms | None = None,
    weights: Tabular | None = None,
    weights_scale: float | None = None,
    scheme: str | None = None,
    years: str | Sequence[int | str] | None = None,
    changes: Mapping[str, float | str | bool] | None = None,
    check_coding: bool = False,
    progress: Progress | None = None,
) -> BudgetYears:
    """Index, quality, use, sharing and cash of every hospital and year. 总额预算

    The cases of every year are settled under the policy; the index of a hospital follows from its own history (一院一测), the
    sharing of surplus and overspend from the terms. The formula of BJ-GBI is not public: the model is an assumption, and the
    result lists what it rests on (rule book 4, docs/budget.md).

    Parameters
    ----------
    region
        Folder of a region as :func:`drgsim.synth` makes it, or what :func:`drgsim.load_region` gave.
    policy
        The policy that pays the cases: a name, a folder, or what :func:`drgsim.load_policy` gave.
    terms
        ``general``, ``region/year`` or a budget.yaml; by default what lies beside the policy.
    weights
        Relative values of one's own: what ``drgsim weights`` wrote, the result of :func:`drgsim.weights`, or a table. Where a
        policy has no table of groups and none are given, those of a year come from the region's own years before, those of the
        first year from itself; notes and record tell it.
    weights_scale
        Relative value = scale x the number in ``weights``; 100 makes points of weights.
    scheme
        Group by this scheme instead of the policy's; a DRG policy that has neither table nor scheme is paid by ``chs-drg-2.0``.
    years
        Only these years, such as ``[2026]`` or ``"2026-2030"``; all that have a past by default. Years beyond the data are made
        from the last one by the growth of ``budget.outlook`` (assumptions).
    changes
        Parameter -> new value, or ``"*1.03"``, ``"+5"``, ``"-5"``; paths that start with ``budget.`` are those of the terms,
        the others those of the policy.
    check_coding
        Coding quality by the rules of :func:`drgsim.validate`, not by the share of records with a plain group.
    progress
        Called with the share done (0 to 1) and the number of records.

    Returns
    -------
    BudgetYears
        ``save("budget", formats=["parquet", "xlsx", "html"])`` writes tables, workbook and page.

    Raises
    ------
    InputError
        The region lacks files or holds what it may not; ``budget-mostly-unpaid``.
    UsageError
        ``budget-no-unit-value``, ``budget-no-scheme``, ``usage-no-weights``, ``settle-bad-scale``, ``budget-no-history``,
        ``budget-too-far-ahead``, ``usage-bad-years``, ``budget-negotiated-above-fund``.
    BudgetError, PolicyError
        Unknown terms or policies, or changes that they cannot take.

    Examples
    --------
    >>> import drgsim
    >>> region = drgsim.sample_path("region")
    >>> years = drgsim.budget(region, "beijing/2024", years=[2026])
    >>> years.hospitals.num_rows, years.record["policy"]
    (12, 'beijing/2024')
    """
    if weights_scale is not None and weights is None:
        raise UsageError([Problem("usage-no-weights", text("--weights-scale stands without --weights"))])
    wanted = _years(years)
    loaded, inputs = policy_of(policy), Inputs()
    used = load_terms(loaded) if terms is None else terms if isinstance(terms, BudgetTerms) else load_terms(terms)
    changes = dict(changes or {})
    own = {path: value for path, value in changes.items() if path.startswith(PREFIX)}
    others = {path: value for path, value in changes.items() if path not in own}
    if own:
        used = used.changed(own, "--set")
    changed = loaded.changed(others, "--set") if others else loaded
    (loaded, _), (changed, weighed) = (inputs.weighed(each, weights, weights_scale) for each in (loaded, changed))
    prepared = prepare(
        region, loaded, used, scheme=scheme or scheme_of_weights(weights), changed=changed, check_coding=check_coding,
        progress=progress,
    )  # fmt: skip
    prepared = replace(prepared, problems=(*weighed, *prepared.problems))
    prepared = _until(prepared, used, max(wanted or (), default=0))
    made = budget_years(prepared.figures, used, wanted)
    return BudgetYears(made, prepared, used, changes, inputs.digests)


def _years(years: Any) -> tuple[int, ...] | None:
    """Years as numbers; None for all.

    Examples
    --------
    >>> _years("2026-2028"), _years([2025, "2026"]), _years(None)
    ((2026, 2027, 2028), (2025, 2026), None)
    """
    found: list[int] = []
    for each in as_list(years):
        match = _RANGE.fullmatch(str(each))
        if match is None or (match[2] and int(match[2]) < int(match[1])):
            fix = text("write 2026, or 2026-2030 from the first to the last")
            raise UsageError([Problem("usage-bad-years", text("{each!r} names no years", each=each), where="years", fix=fix)])
        found += range(int(match[1]), int(match[2] or match[1]) + 1)
    return tuple(dict.fromkeys(found)) or None


def _until(prepared: PreparedRegion, terms: BudgetTerms, last: int) -> PreparedRegion:
    """The region with the years up to ``last``; those beyond the data are made by stated growth, and told."""
    known = prepared.figures.years[-1]
    if last <= known:
        return prepared
    figures = figures_ahead(prepared.figures, terms, prepared.region, last)
    listed = ", ".join(
        f"{path.removeprefix('outlook.')} {words(node.shown)}"
        for path, node in evident_nodes(terms.file)
        if path.startswith("outlook.")
    )
    unstated = [str(year) for year in range(known + 1, last + 1) if year not in prepared.region.fund]
    ahead = text("{first} to {last}", first=known + 1, last=last) if last > known + 1 else str(last)
    note = text(
        "{ahead} beyond the data: made from {known} by budget.outlook (assumptions, a year): {listed}", ahead=ahead,
        known=known, listed=listed,
    )  # fmt: skip
    notes = [*prepared.notes, note]
    if unstated:
        growth = terms.file.fund.growth.value
        notes.append(text(
            "no budget of the fund is stated for {unstated}: the last one grows by {growth:.3g} a year",
            unstated=", ".join(unstated), growth=growth,
        ))  # fmt: skip
    return replace(prepared, figures=figures, notes=tuple(notes))


def _record(
    prepared: PreparedRegion,
    terms: BudgetTerms,
    years: Sequence[BudgetYear],
    changes: Mapping[str, Any],
    given: Mapping[str, str],
) -> dict[str, Any]:
    """What was run and what came out, without any clock: the same inputs give the same record."""
    weights = {"weights": prepared.weights} if prepared.weights else {}  # the policy's own need no word
    return run_record(
        BudgetYears.kind,
        policy=prepared.policy.id,
        policy_digest=prepared.policy.digest,
        terms=terms.id,
        terms_digest=terms.digest,
        changes=changes,
        inputs={**prepared.region.digests(), **given},
        **weights,
        **selection_record(prepared.policy),
        absent=prepared.region.absent,
        price_factors=prepared.price_factors,
        notes=remarks(prepared, terms),
        years=[
            {
                "year": year.year,
                "hospitals": year.figures.size,
                "in_surplus": int(year.in_surplus.sum()),
                "warned_in_december": int(year.warnings.warned[:, -1].sum()),
                "scaling": year.index.scaling,
                "fund_yuan": {name: yuan_text(getattr(year.fund, name)) for name in FUND_ZH},
                "largest_ledger_difference_fen": int(abs(year.cash.difference).max()),
            }
            for year in years
        ],
        problems=[*prepared.problems, *doubts(years)],
        assumptions=[f"{PREFIX}{parameter.path}" for parameter in terms.assumptions]
        + [parameter.path for parameter in prepared.policy.assumptions],
    )


@checked(region=named(RegionFolder), settings=NAME)
def calibrate(region: AnyRegion, settings: str | Path | None = None, *, progress: Progress | None = None) -> Calibrated:
    """Item-based payment, then a total budget, on a panel of institutions: do the published figures come out? 校核

    A check, not an estimate: growth, planned budgets and shares are assumed; index, sharing and fund are those of
    :func:`drgsim.budget` (rule book 4).

    Parameters
    ----------
    region
        Folder of a region, or what :func:`drgsim.load_region` gave.
    settings
        Calibration file; the one that ships by default.
    progress
        Called with the share done (0 to 1) and the number of records.

    Returns
    -------
    Calibrated
        ``reproduced`` says whether every figure lies within the tolerance of the file.

    Raises
    ------
    BudgetError
        The file is missing or contradicts itself.

    Examples
    --------
    >>> import drgsim
    >>> drgsim.calibrate(drgsim.sample_path("region")).reproduced
    True
    """
    read, digest = load_settings(Path(settings) if settings is not None else None)
    terms = load_terms(read.terms)
    prepared = prepare(region, policy_of(PANEL_POLICY), terms, progress=progress)
    return Calibrated(calibrate_figures(prepared.figures, read, digest, terms), prepared.region.inputs)

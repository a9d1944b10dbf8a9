"""What a switch of the grouping scheme does to every hospital, in money (分组方案切换测算).

The same cases are grouped and settled by both sides (:mod:`drgsim.simulation.switch_sides`); the year may be closed against the
same budget index. All sums are whole fen; where both sides are alike every difference is exactly 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.budgets.budget_year import BudgetYear
from drgsim.errors import DrgsimError, InputError, Problem
from drgsim.language import Text, joined, text
from drgsim.simulation.case_totals import Measure
from drgsim.simulation.runner import Runner
from drgsim.simulation.setup import Setup
from drgsim.simulation.simulated_region import Region
from drgsim.simulation.switch_causes import Causes, causes_of
from drgsim.simulation.switch_draws import SwitchDraws, drawn_changes
from drgsim.simulation.switch_sides import SideChoice, SwitchSide, settled_sides, with_budget
from drgsim.simulation.switch_work import WorkEntries, work_entries

Progress = Callable[[float, int], None]
STEPS = 5  # of which progress is told
FAR = 0.2  # ours: payment this far from cost says that unit value and weights have different bases


@dataclass(frozen=True)
class SwitchOptions:
    """What a switch is asked for beside its sides.

    Attributes
    ----------
    keep
        What stays the same: ``budget``, ``rate`` or ``weight``.
    year
        Year of the discharges; the last one by default.
    draws, seed, level
        Of the intervals; 0 draws give none.
    """

    keep: str = "budget"
    year: int | None = None
    draws: int = 100
    seed: int = 1
    level: float = 0.95


@dataclass(frozen=True)
class DepartmentRows:
    """Row of each case by hospital and department, and what the rows are: hospital and department (blank where unknown)."""

    of_case: NDArray[np.int64]
    hospital: tuple[str, ...]
    department: tuple[str, ...]


@dataclass(frozen=True)
class SchemeSwitch:
    """The same cases on both sides.

    Attributes
    ----------
    region, year, options
        What was run.
    budget_source
        Where the budget that both sides share out comes from; empty where the unit value is kept.
    sides
        The side that is left, and the one that is switched to.
    causes, work, draws
        Why payments change, what to do before, and the draws of the intervals.
    closed
        The year closed against the budget index by both sides; None where it cannot be.
    notes
        How the figures came about.
    """

    region: Region
    year: int
    options: SwitchOptions
    budget_source: str
    sides: tuple[SwitchSide, SwitchSide]
    causes: Causes
    work: WorkEntries
    rows: DepartmentRows
    draws: SwitchDraws
    closed: tuple[BudgetYear, BudgetYear] | None
    notes: tuple[str, ...]


def switch_region(
    region: Region,
    choices: tuple[SideChoice, SideChoice],
    options: SwitchOptions = SwitchOptions(),
    progress: Progress | None = None,
) -> SchemeSwitch:
    """Group and settle a year of a region by both sides.

    Parameters
    ----------
    region
        With the discharges of the year; earlier years give the weights and the budget index.
    choices
        The side that is left, and the one that is switched to.
    progress
        Called with the share done (0 to 1) and the number of records.
    """
    year = options.year or region.years[-1]
    source = ""
    if options.keep == "budget":
        region, source = with_budget(region, year, choices[0])
    runner = Runner(region)

    def told(step: int) -> None:
        if progress is not None:
            progress(step / STEPS, sides[0].lines.cases.size if step else 0)

    left, right, notes = settled_sides(runner, year, choices, options.keep)
    sides = (left, right)
    _check_paid(sides)
    told(1)
    causes = causes_of(sides)
    rows = department_rows(left)
    told(2)
    draws = drawn_changes(sides, rows.of_case, len(rows.hospital), options.draws, options.seed)
    told(3)
    work = work_entries(sides, causes, region.table(year))
    told(4)
    closed = _closed(runner, sides, year, notes)
    told(5)
    notes = [*notes, *runner.memory.notes, *_further_notes(region, sides, options)]
    return SchemeSwitch(region, year, options, source, sides, causes, work, rows, draws, closed, tuple(dict.fromkeys(notes)))


def _check_paid(sides: tuple[SwitchSide, SwitchSide]) -> None:
    """Refuse cases of which none is paid by groups because something that the policy asks for is missing."""
    for side in sides:
        marks, reason = side.lines.marks, _main_reason(side)
        if reason is not None and not marks.priced.any() and 2 * int((~marks.paid).sum()) > marks.paid.size:
            what = text("no case is paid by the groups of {choice}: {reason}", choice=side.choice.name, reason=reason.what)
            raise InputError([Problem("switch-nothing-paid", what, where=side.choice.policy.id, fix=reason.fix)])


def _main_reason(side: SwitchSide) -> Problem | None:
    """Why most of the unpaid cases of a side are not paid."""
    cases = side.lines.cases
    found = np.bincount(cases.faults[cases.faults >= 0], minlength=len(cases.fault_words))
    if not found.any():
        return None
    words = cases.fault_words[int(found.argmax())]
    return next(problem for problem in side.lines.problems if problem.what.endswith(f"are not paid: {words}"))


def department_rows(side: SwitchSide) -> DepartmentRows:
    """Rows by hospital and department in the order of their names, whatever the order of the cases."""
    cases = side.lines.cases
    hospitals, departments = [*cases.hospital.values, ""], [*cases.department.values, ""]
    of_hospital = np.where(cases.hospital.ids < 0, len(hospitals) - 1, cases.hospital.ids).astype(np.int64)
    of_department = np.where(cases.department.ids < 0, len(departments) - 1, cases.department.ids)
    keys, inverse = np.unique(of_hospital * len(departments) + of_department, return_inverse=True)
    names = [(hospitals[key // len(departments)], departments[key % len(departments)]) for key in keys.tolist()]
    order = sorted(range(len(names)), key=names.__getitem__)
    place = np.empty(len(names), np.int64)
    place[order] = np.arange(len(names))
    return DepartmentRows(place[inverse], tuple(names[row][0] for row in order), tuple(names[row][1] for row in order))


def _closed(
    runner: Runner, sides: tuple[SwitchSide, SwitchSide], year: int, notes: list[str]
) -> tuple[BudgetYear, BudgetYear] | None:
    """The year closed by both sides against the index that the side that is left had; None, and told, where it cannot be."""
    region = runner.region
    if not region.hospitals or not any(each < year for each in region.years) or not region.fund:
        notes.append(text("no budget index: it needs a region folder with an earlier year and a budget of the fund (fund.csv)"))
        return None
    basis = _closing(sides[0].setup)
    try:
        first = runner.outcome(basis, year, sides[0].lines, whole=False).budget
        second = runner.outcome(replace(_closing(sides[1].setup), rate_basis=basis), year, sides[1].lines, whole=False).budget
    except DrgsimError as error:
        notes.append(text("no budget index: {problem}", problem=error.problems[0].what))
        return None
    assert first is not None
    assert second is not None
    return first, second


def _closing(setup: Setup) -> Setup:
    return replace(setup, settings={**setup.settings, "budget.active": True})


def _further_notes(region: Region, sides: tuple[SwitchSide, SwitchSide], options: SwitchOptions) -> list[str]:
    """What a reader must know of these figures."""
    notes: list[str] = []
    unpaid: dict[str, list[str]] = {}
    for side in sides:
        count = int((~side.lines.marks.paid).sum())
        reason = _main_reason(side)
        if count and reason is not None:
            said = text(
                "{count:,} unpaid cases, main reason: {reason} ({fix})",
                count=count,
                reason=reason.what,
                fix=reason.fix,
            )
            unpaid.setdefault(said, []).append(side.choice.name)
    notes += [text("{schemes}: {said}", schemes=joined(text(", "), units), said=said) for said, units in unpaid.items()]
    notes += _level_notes(sides[0], options)
    if len(sides[0].lines.cases.hospital.values) <= 1 and options.keep == "budget":
        notes.append(
            text(
                "one hospital alone shares "
                "its own budget out, so that its total hardly moves: look at departments, or give the "
                "region, or use --weights reference --keep rate"
            )
        )
    first, second = (side.choice.policy.id for side in sides)
    if first != second:
        notes.append(
            text(
                "{first} → {second}: two policies pay: what differs between "
                "their coefficients and rules is part of the change too",
                first=first,
                second=second,
            )
        )
    own = [side.choice.policy for side in sides if side.choice.policy.prices is not None]
    if own:
        notes.append(
            text(
                "{policy}: its own table of groups, published standards and "
                "classes of groups do not decide; they are of one scheme, and weights come by one method on "
                "both sides",
                policy=own[0].id,
            )
        )
    return notes


def _level_notes(side: SwitchSide, options: SwitchOptions) -> list[str]:
    """Whether the policy pays by groups at all, and whether its unit value fits weights of this method."""
    if not side.lines.marks.priced.any():
        said = text("no case is paid by groups: the switch moves no payment")
        return [text("{policy}: {said}", policy=side.choice.policy.id, said=said)]
    cost, payment = (int(side.lines.money[measure].sum()) for measure in (Measure.COST, Measure.PAYMENT))
    if options.keep == "budget" or not cost or abs(payment / cost - 1) <= FAR:
        return []
    return [
        text(
            "{choice}: payment is {share:.0%} of cost, far from it: the "
            "unit value belongs to weights of another base; look at shares, or keep the budget",
            choice=side.choice.name,
            share=payment / cost,
        )
    ]


def problem_words(switch: SchemeSwitch) -> dict[str, Text]:
    """The texts of the table of problems by what stands in it, for who shows it in another language."""
    said = [words for one in switch.sides for problem in one.lines.problems for words in (problem.what, problem.fix)]
    return {str(words): words for words in said if isinstance(words, Text)}


def problems_table(switch: SchemeSwitch) -> pa.Table:
    """What was wrong or doubtful in settling, by side."""
    rows = [
        {"side": side, "code": problem.code, "what": problem.what, "fix": problem.fix}
        for side, one in zip(("from", "to"), switch.sides, strict=True)
        for problem in one.lines.problems
    ]
    return pa.Table.from_pylist(rows, pa.schema([(name, pa.string()) for name in ("side", "code", "what", "fix")]))

"""The two sides of a switch (方案切换): what cases are grouped by, what they weigh, and who pays.

Each side is a unit (a DRG scheme or a DIP catalogue), a way of weights and a policy. The same cases are settled by both, and
one thing is kept the same, which the result states:

* ``budget``: both sides share out the same budget of the fund by points; the unit value follows on each side;
* ``rate``: both sides pay the same unit value, in yuan per mean case;
* ``weight``: as ``rate``, and the weights of the new side are multiplied by one factor, so that the year's cases weigh the same
  in total.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import fsum
from pathlib import Path

import numpy as np

from drgsim.errors import InputError, Problem, UsageError
from drgsim.language import text
from drgsim.money import MISSING
from drgsim.payment.atlas_weights import GIVEN, common_weights
from drgsim.payment.own_weights import with_relative_values, with_values_of
from drgsim.payment.policy import Policy, load_policy, policy_names
from drgsim.payment.price_table import RELATIVE_VALUES, PriceTable
from drgsim.payment.weights_from_history import years_of_history
from drgsim.records.vocabulary import INSURANCES, PAYERS
from drgsim.simulation.case_lines import Lines
from drgsim.simulation.case_totals import Measure
from drgsim.simulation.pricing import with_rates, with_table
from drgsim.simulation.runner import Runner
from drgsim.simulation.setup import Setup, first_setup
from drgsim.simulation.simulated_region import Region
from drgsim.units.dip.compiled_catalogue import compile_catalogue
from drgsim.units.schemes.pack import find_pack, is_dip, load_scheme

KEEPS = ("budget", "rate", "weight")
HISTORY, REFERENCE = "history", "reference"
NATIONAL = "national/"  # policies that hold reference weights


@dataclass(frozen=True)
class SideChoice:
    """What one side is asked to be.

    Attributes
    ----------
    unit
        Id or folder of a DRG scheme or a DIP catalogue.
    policy
        Who pays.
    weights
        ``history`` (estimated from the region's earlier years, the year itself where there is none), ``reference`` (the
        national reference weights of the scheme; of a DIP catalogue its own scores), the name of a payment table, or a file or
        folder as :func:`drgsim.payment.own_weights.with_relative_values` takes them.
    """

    unit: str
    policy: Policy
    weights: str = HISTORY

    @property
    def name(self) -> str:
        """The unit by its id, or by the name of its folder: the same pack elsewhere gives the same record."""
        return Path(self.unit).name

    @property
    def dip(self) -> bool:
        """Whether the unit is a DIP catalogue."""
        return is_dip(find_pack(self.unit))


@dataclass(frozen=True)
class SwitchSide:
    """A side that is settled.

    Attributes
    ----------
    choice, setup
        What it was asked to be, and the setup that came of it.
    lines
        The settled cases of the year.
    weights_label
        Where the weights come from, in words.
    """

    choice: SideChoice
    setup: Setup
    lines: Lines
    weights_label: str

    @property
    def unit_values(self) -> dict[str, float]:
        """Payer -> yuan per unit; ``*`` for all payers."""
        if self.lines.unit_values:
            return dict(self.lines.unit_values)
        stated = self.setup.policy.file.unit_value
        return dict(self.lines.pricing.rates) or (dict(stated.values) if stated is not None else {})


def settled_sides(
    runner: Runner, year: int, choices: tuple[SideChoice, SideChoice], keep: str
) -> tuple[SwitchSide, SwitchSide, list[str]]:
    """Settle the cases of a year by both sides.

    Parameters
    ----------
    runner
        Of the region; with ``keep="budget"`` it needs a budget of the fund, see :func:`with_budget`.
    choices
        The side that is left, and the one that is switched to.
    keep
        One of :data:`KEEPS`.

    Returns
    -------
    tuple
        Both sides, and remarks on how they came about.
    """
    notes: list[str] = []
    first, second = (_setup(runner.region, year, choice, notes) for choice in choices)
    if keep == "budget":
        first, second = by_points(first), by_points(second)
    else:
        rates = _rates(runner, first, year, notes)
        scale = second.policy.file.relative_value.scale.value / first.policy.file.relative_value.scale.value
        first = _at(first, rates)
        second = _at(second, {payer: value / scale for payer, value in rates.items()})
    labels = [_label(choice, runner.region, year) for choice in choices]
    left = SwitchSide(choices[0], first, runner.lines(first, year), labels[0])
    if keep == "weight":
        second = _weighing_alike(runner, left, second, year, notes)
    return left, SwitchSide(choices[1], second, runner.lines(second, year), labels[1]), notes


def by_points(setup: Setup) -> Setup:
    """The setup with a unit value that follows from the fund's budget, whatever the policy states."""
    file = setup.policy.file.model_copy(update={"unit_value": None})
    policy = replace(setup.policy, file=file, digest=_digest(setup.policy.digest, "by points"))
    return replace(setup, policy=policy, settings={**setup.settings, "payment.method": "points"})


def _digest(*parts: str) -> str:
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()


def _at(setup: Setup, rates: Mapping[str, float]) -> Setup:
    """The setup with a unit value that is known before, in yuan per unit by payer or level."""
    policy = setup.policy
    stated = policy.file.unit_value
    if stated is None or dict(stated.values) != dict(rates):
        policy = with_rates(policy, rates)
    return replace(setup, policy=policy, settings={**setup.settings, "payment.method": "rate"})


def _setup(region: Region, year: int, choice: SideChoice, notes: list[str]) -> Setup:
    """The setup of a side before its unit value is decided."""
    setup = replace(first_setup(choice.policy), scheme=choice.unit)
    if choice.weights == HISTORY:
        return replace(setup, settings={**setup.settings, "weights.source": "history"})
    cohort = setup.cohort(region, year)
    common = common_weights(cohort.cases, GIVEN, _given_table(choice))
    policy, _ = with_values_of(choice.policy, common.table, Path(choice.weights), choice.weights)
    if common.filled:
        notes.append(
            text(
                "{choice}: {count} groups without a weight there take one from the costs of these cases, on its level",
                choice=choice.name,
                count=len(common.filled),
            )
        )
    return replace(setup, policy=policy)


def _given_table(choice: SideChoice) -> PriceTable:
    """Weights that are not of the region's history: 1 = the mean case, whatever the unit of what they are taken from."""
    if choice.weights == REFERENCE and choice.dip:
        lines = compile_catalogue(choice.unit)
        codes, values, scale = (
            lines.lines["code"],
            lines.arrays.line_score.tolist(),
            choice.policy.file.relative_value.scale.value,
        )
        found = text("{choice} has no scores of its own", choice=choice.name)
    else:
        name = _table_name(choice)
        if is_given(name):
            policy, _ = with_relative_values(choice.policy, Path(name))
            prices, scale = policy.prices, choice.policy.file.relative_value.scale.value
        else:
            named = load_policy(name)
            prices, scale = named.prices, named.file.relative_value.scale.value
            scale = 1.0 if prices is not None and prices.relative_value[0] == "weight" else scale
        codes, values = (prices.codes, prices.relative_value[1].tolist()) if prices is not None else ((), [])
        found = text("{name} has no table of groups", name=name)
    weights = {str(code): value / scale for code, value in zip(codes, values, strict=True) if value > 0}
    if not weights:
        fix = text("name another payment table or file, or use history")
        raise UsageError([Problem("switch-no-weights", found, where="weights", fix=fix)])
    blank = ("",) * len(weights)
    return PriceTable(tuple(weights), blank, blank, blank, {"weight": np.array(list(weights.values()))})


def is_given(name: str) -> bool:
    """Whether weights are a file or a folder of one's own, and not the name of a payment table."""
    return Path(name).exists() or name.lower().endswith((".csv", ".parquet", ".xlsx"))


def _table_name(choice: SideChoice) -> str:
    """The payment table or file that the weights of a side stand in."""
    if choice.weights != REFERENCE:
        return choice.weights
    scheme = load_scheme(choice.unit).id
    names = [name for name in policy_names() if name.startswith(NATIONAL) and load_policy(name).file.scheme == scheme]
    if not names:
        what = text("there are no national reference weights for {scheme}", scheme=scheme)
        raise UsageError(
            [Problem("switch-no-weights", what, where="weights", fix=text("use history, or name a table or CSV file"))]
        )
    return names[-1]


def _label(choice: SideChoice, region: Region, year: int) -> str:
    """Where the weights of a side come from, in words."""
    if choice.weights == REFERENCE and choice.dip:
        return text("scores of {choice}", choice=choice.name)
    if choice.weights == HISTORY:
        years = years_of_history(region.years, year)
        return text("own history {years}", years=f"{years[0]}-{years[-1]}" if len(years) > 1 else years[0])
    name = _table_name(choice)
    if is_given(name):
        return text("file {name}", name=Path(name).name)
    file = load_policy(name).file
    return f"{name} {file.title_zh}"


def _rates(runner: Runner, first: Setup, year: int, notes: list[str]) -> dict[str, float]:
    """The unit value that both sides keep: the policy's, else the one that the fund's budget gives the side that is left."""
    stated = first.policy.file.unit_value
    if stated is not None and not first.by_points:
        return dict(stated.values)
    values = dict(runner.lines(by_points(first), year).unit_values)
    notes.append(
        text(
            "{policy} states no unit value: both sides pay the one that the budget gives {scheme}",
            policy=first.policy.id,
            scheme=Path(first.scheme).name,
        )
    )
    return values


def _weighing_alike(runner: Runner, left: SwitchSide, second: Setup, year: int, notes: list[str]) -> Setup:
    """The new side with weights times one factor, so that the cases of the year weigh in total what they did."""
    right = runner.lines(second, year)
    before, after = (fsum(lines.weight[lines.marks.priced].tolist()) for lines in (left.lines, right))
    if not before or not after:
        return second
    factor = before / after
    policy = with_table(second, runner.region, year, runner.memory)
    assert policy.prices is not None
    values = {*RELATIVE_VALUES, "mean_cost"}
    numbers = {
        name: np.round(column * factor, 10) if name in values else column for name, column in policy.prices.numbers.items()
    }
    notes.append(
        text(
            "{scheme}: weights x {factor:.6f}, so that the year's cases weigh {before:,.2f} on both sides",
            scheme=Path(second.scheme).name,
            factor=factor,
            before=before,
        )
    )
    policy = replace(policy, prices=replace(policy.prices, numbers=numbers), digest=_digest(policy.digest, repr(factor)))
    return replace(second, policy=policy, settings={**second.settings, "weights.source": "policy"})


# -- the budget that both sides share out ------------------------------------------------------------------------------
def with_budget(region: Region, year: int, choice: SideChoice) -> tuple[Region, str]:
    """The region with a budget of the fund for a year, and where it comes from.

    Its own where it states one; else what the fund pays the side that is left at the policy's unit value; else, where the
    policy states none, what these cases cost the fund.
    """
    if region.fund_year(year) is not None:
        said = text("{year} the fund's budget (fund.csv)", year=region.fund_year(year))
        if region.payments:
            said = text("{year} the fund's budget (fund.csv, less payments.csv)", year=region.fund_year(year))
        return region, said
    stated = choice.policy.file.unit_value
    if stated is not None and choice.policy.file.method not in ("points", "dip"):
        runner = Runner(region)
        setup = _at(_setup(region, year, choice, []), dict(stated.values))
        lines = runner.lines(setup, year)
        found, source = (
            _by_payer(lines.money[Measure.FUND], lines),
            text("what the fund pays at the unit value of {choice}", choice=choice.name),
        )
    else:
        cohort = first_setup(choice.policy)
        cases = replace(cohort, scheme=choice.unit).cohort(region, year).cases
        cost, patient, other = (cases.money[name] for name in ("total_cost", "patient_paid", "other_paid"))
        fund = np.where(cost == MISSING, 0, cost - np.where(patient == MISSING, 0, patient))
        fund = np.where(cases.faults < 0, np.maximum(fund - np.where(other == MISSING, 0, other), 0), 0)
        found = {payer: int(fund[cases.insurance == INSURANCES.index(payer)].sum()) for payer in PAYERS}
        source = text("what these cases cost the fund (assumption: no budget or unit value is stated)")
    found = {payer: amount for payer, amount in found.items() if amount > 0}
    if not found:
        what = text("no budget follows: no case has a payer (insurance: employee or resident) and a cost")
        raise InputError([Problem("switch-no-budget", what, fix=text("state insurance and total_cost, or use --keep rate"))])
    return replace(region, fund={year: found}), source


def _by_payer(amounts: np.ndarray, lines: Lines) -> dict[str, int]:
    return {payer: int(amounts[lines.cases.insurance == INSURANCES.index(payer)].sum()) for payer in PAYERS}

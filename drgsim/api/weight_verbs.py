"""What history says of prices: relative weights of groups, coefficients of hospitals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from numbers import Real
from typing import ClassVar

import pyarrow as pa

from drgsim.api.argument_check import YEAR_WEIGHTS, ArgumentKind, as_list, checked, named, number, only, whole
from drgsim.api.verb_inputs import (
    AnyDischarges,
    AnyHospitals,
    Inputs,
    Tabular,
    check_word,
    scheme_of_weights,
    told,
)  # fmt: skip
from drgsim.costs.trimming import METHODS, TrimRule
from drgsim.engines.grouper_of import means_dip
from drgsim.errors import Problem, UsageError, did_you_mean, wrong_type
from drgsim.language import text
from drgsim.payment.coefficient_history import (
    CoefficientSettings,
    HospitalCoefficients,
    coefficient_tables,
    estimate_coefficients,
)  # fmt: skip
from drgsim.payment.group_evaluation import GroupEvaluation, evaluate
from drgsim.payment.history_tables import read_history, read_scored, weight_tables
from drgsim.payment.policy import AnyPolicy, Policy, policy_of
from drgsim.payment.policy_model import PolicyFile
from drgsim.payment.weight_estimation import CostHistory, EstimatedWeights, WeightSettings, estimate_weights
from drgsim.records.input_options import InputOptions
from drgsim.records.vocabulary import group_column
from drgsim.results.result import Result
from drgsim.results.run_record import run_record

LIMITS = {"iqr": (1.5, 1.5), "percentile": (2.5, 97.5), "multiple": (0.3, 3.0), "none": (0.0, 0.0)}  # low and high, by method
YEAR_MODES, UNSTABLE, PARENTS = ("mean_of_means", "case_weighted"), ("keep", "parent", "drop"), ("adrg", "mdc")
OWN = ("level", "hospital")
Trim = str | tuple[str | None, float | None, float | None] | None


class WeightTables(Result):
    """Relative weights, and how good the groups are.

    Attributes
    ----------
    weights
        Arrow table by group: ``drg`` or ``dip``, ``weight`` (1 = the mean case), ``mean_cost`` (yuan), ``mean_los_days``,
        ``cases``, ``cv``: a price table for :func:`drgsim.settle`.
    groups
        Arrow table by group: ``cases``, ``mean_cost_of_cases`` (yuan), ``cv_population``, ``cv_sample``, ``weight``,
        ``standard_error``, ``flags``.
    evaluation
        Arrow table before and after trimming, over all and by MDC: CV, RIV, share of stable groups, R2 of the stay.
    estimated, lines
        The estimate with its arrays, and the lines of ``evaluation``.
    """

    kind: ClassVar[str] = "weights"
    title: ClassVar[str] = text("Relative weights")

    def __init__(
        self, estimated: EstimatedWeights, lines: list[GroupEvaluation], key: str, problems: list[Problem], notes: list[str],
        inputs: Mapping[str, str], names: Mapping[str, str],
    ) -> None:  # fmt: skip
        tables = {name.removesuffix(".csv"): table for name, table in weight_tables(estimated, lines, key).items()}
        record = run_record(
            self.kind, inputs=inputs, notes=notes, settings=estimated.settings.describe(),
            overall_mean_yuan=estimated.overall_mean, cases_used=int(estimated.kept.sum()), cases=int(estimated.kept.size),
            problems=problems, evaluation=[asdict(line) for line in lines if line.scope == "all"],
        )  # fmt: skip
        super().__init__(tables, notes=(*told(notes), *problems), record=record)
        self.weights: pa.Table = tables["weights"]
        self.groups: pa.Table = tables["groups"]
        self.evaluation: pa.Table = tables["evaluation"]
        self.estimated, self.lines, self._names = estimated, lines, names

    def _page(self) -> str:
        from drgsim.report.weights_page import weights_page

        return weights_page(self.estimated, self.lines, self._names, self.notes)


class CoefficientTables(Result):
    """Coefficients of hospitals and levels, and the budget point value.

    Attributes
    ----------
    coefficients
        Arrow table ``hospital_id, level, group, coefficient`` for :func:`drgsim.settle`.
    levels, hospitals
        Arrow tables that say why: ``cases``, ``cost_per_score`` (yuan), ``ratio``, ``coefficient``.
    point_value
        Budget point value, yuan per unit of score.
    found
        The estimate with its arrays.
    """

    kind: ClassVar[str] = "coefficients"
    title: ClassVar[str] = text("Hospital coefficients")

    def __init__(
        self, found: HospitalCoefficients, policy: tuple[str, str], problems: list[Problem], notes: list[str],
        inputs: Mapping[str, str],
    ) -> None:  # fmt: skip
        tables = {name.removesuffix(".csv"): table for name, table in coefficient_tables(found).items()}
        record = run_record(
            self.kind, policy=policy[0], policy_digest=policy[1], inputs=inputs, notes=notes,
            settings=found.settings.describe(), budget_point_value=round(found.point_value, 6),
            cases=int(found.history.cost.size), problems=problems,
        )  # fmt: skip
        super().__init__(tables, notes=(*told(notes), *problems), record=record)
        self.coefficients: pa.Table = tables["coefficients"]
        self.levels: pa.Table = tables["levels"]
        self.hospitals: pa.Table = tables["hospitals"]
        self.point_value = found.point_value
        self.found = found


@checked(
    policy=named(Policy),
    trim=ArgumentKind(text("a method, or method, low and high limit"), (str, Real, type(None)), listed=True),
    years=YEAR_WEIGHTS,
    long_days=number(),
    settings=only(WeightSettings),
)
def weights(
    history: AnyDischarges,
    *,
    scheme: str | None = None,
    policy: AnyPolicy | None = None,
    trim: Trim = None,
    years: str | Sequence[float] = "",
    long_days: float | None = None,
    settings: WeightSettings | None = None,
    reading: InputOptions | None = None,
) -> WeightTables:
    """Estimate relative weights from the history of discharges, and evaluate the groups. 权重测算

    RW of a group = mean cost of the group / mean cost of all cases, after trimming within each group and year; whatever is
    adjusted, the weights of the cases used sum to their number (rule book 1.4).

    Parameters
    ----------
    history
        Discharges as in :func:`drgsim.settle`; ``total_cost`` in yuan, the year from ``discharged``, else one per file.
    scheme
        DRG scheme or DIP catalogue to group by where the history names no group; ``auto``: the national scheme on the date
        of discharge.
    policy
        Take trimming, weights of the years and the longest stay from this policy where ``trim``, ``years`` and ``long_days``
        leave them open.
    trim
        ``none``, ``iqr`` (default), ``percentile`` or ``multiple``; or method, low and high limit, such as
        ``("percentile", 2.5, 97.5)``: x IQR, percentile or x mean. None leaves each of them to the policy, then to the usual
        one.
    years
        Weights of the years from the oldest on, such as ``"1:2:7"`` or ``(1, 2, 7)``; all alike by default.
    long_days
        Days: longer stays are left out, as payment leaves them outside the groups; 0 keeps them all. By default the limit of
        the policy (none where it pays them like others), and 60 days without a policy.
    settings
        How the years are averaged, unstable and small groups, monotony, adjustments: see :class:`drgsim.WeightSettings`.
    reading
        Layout, own columns and edition of the codes, as :class:`drgsim.InputOptions` says them.

    Returns
    -------
    WeightTables
        Hand it to ``drgsim.settle(..., weights=...)``.

    Raises
    ------
    UsageError
        ``weights-bad-option``.
    InputError
        ``weights-no-groups``, ``settle-not-grouped``, ``cases-several-schemes``, or a file that cannot be read.

    Examples
    --------
    >>> import drgsim
    >>> costs = [8000, 10000, 12000, 4000, 5000, 6000]
    >>> history = [{"drg": "BR23" if cost >= 8000 else "FR25", "total_cost": cost} for cost in costs]
    >>> drgsim.weights(history).weights.select(["drg", "weight"]).to_pylist()
    [{'drg': 'BR23', 'weight': 1.333333}, {'drg': 'FR25', 'weight': 0.666667}]
    """
    inputs = Inputs()
    table, notes = inputs.discharges(history, scheme, reading)
    file = policy_of(policy).file if policy is not None else None
    method = file.method if file is not None else "dip" if scheme is not None and means_dip(scheme) else ""
    past, problems = read_history(table, method)
    if file is not None and file.year_weights is not None and not years:
        years = ":".join(f"{weight:g}" for weight in file.year_weights.value)
    chosen = settings or WeightSettings()
    _check_words(chosen)
    try:
        chosen = replace(
            chosen, trim=_trim_rule(trim, file, chosen.trim), long_days=_long_days(long_days, file, chosen.long_days)
        )
        if years:
            chosen = replace(chosen, year_weights=year_weights(years, sorted(set(past.year.tolist()))))
        estimated = estimate_weights(past, chosen)
    except ValueError as error:
        raise bad_option(str(error)) from error
    problems += _long_stays(past, chosen.long_days)
    named = group_column(table.column_names, method)
    key = "dip" if named is not None and named[0] == "dip" else "drg"
    names = dict(zip(past.codes, past.names, strict=True))
    return WeightTables(estimated, evaluate(past, estimated), key, problems, notes, inputs.digests, names)


def _trim_rule(trim: Trim, file: PolicyFile | None, usual: TrimRule) -> TrimRule:
    """The rule as given; what it leaves open as the policy states it, then as usual for the method."""
    wanted = text('a method, or method, low and high limit such as ("percentile", 2.5, 97.5)')
    if not isinstance(trim, str | None) and (not isinstance(trim, list | tuple) or len(trim) != 3):
        raise wrong_type("trim", trim, wanted)
    method, low, high = (trim, None, None) if isinstance(trim, str) or trim is None else trim
    if not isinstance(method, str | None) or any(isinstance(limit, str) for limit in (low, high)):
        raise wrong_type("trim", trim, wanted)
    if method is None and file is not None and file.trimming is not None:
        method = file.trimming.method.value
        low = file.trimming.low.value if low is None else low
        high = file.trimming.high.value if high is None else high
    if method is None:
        method, limits = usual.method, (usual.low, usual.high)
    else:
        _check_option("--trim", method, METHODS)
        limits = LIMITS[method]
    return TrimRule(method, limits[0] if low is None else low, limits[1] if high is None else high)  # type: ignore[arg-type]


def _long_days(given: float | None, file: PolicyFile | None, usual: float) -> float:
    """The longest stay as given, else as the policy pays by groups (0: any), else the usual one."""
    if given is not None or file is None:
        return usual if given is None else given
    return file.stays.long_days.value if file.stays.long_days is not None else 0.0


def _long_stays(past: CostHistory, long_days: float) -> list[Problem]:
    """How many cases the longest stay leaves out."""
    lost = int((past.usable(0) & ~past.usable(long_days)).sum())
    what = text(
        "{lost} cases are not used: stays over {long_days:g} days, which payment leaves outside the groups",
        lost=lost,
        long_days=long_days,
    )
    return [Problem("weights-long-stays", what, fix=text("--long-days sets another limit, 0 none"))] if lost else []


def _check_words(settings: WeightSettings) -> None:
    for option, value, allowed in (
        ("--year-mode", settings.year_mode, YEAR_MODES), ("--unstable", settings.unstable, UNSTABLE),
        ("--smooth-to", settings.smooth_to, PARENTS),
    ):  # fmt: skip
        _check_option(option, value, allowed)


def _check_option(option: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        hint = did_you_mean(value, list(allowed))
        raise bad_option(f"{option} {value!r} is not one of {', '.join(allowed)}. {hint}".strip())


def year_weights(years: str | Sequence[float], known_years: list[int]) -> dict[int, float]:
    """Weights such as ``1:2:7`` by year, from the oldest on; empty for an empty text.

    Examples
    --------
    >>> year_weights("1:2:7", [2021, 2022, 2023])
    {2021: 1.0, 2022: 2.0, 2023: 7.0}
    """
    if not years:
        return {}
    if not isinstance(years, str):
        years = ":".join(f"{part}" for part in as_list(years))
    try:
        parts = [float(part) for part in years.split(":")]
    except ValueError as error:
        raise bad_option(text("--years {years!r} is not of the form 1:2:7", years=years)) from error
    if len(parts) != len(known_years):
        raise bad_option(
            text(
                "--years {years} has {count} parts, the history has the years {known_years}",
                years=years,
                count=len(parts),
                known_years=known_years,
            )
        )
    return dict(zip(known_years, parts, strict=True))


def bad_option(what: str) -> UsageError:
    """The error of an option that makes no sense."""
    return UsageError([Problem("weights-bad-option", what)])


@checked(policy=named(Policy), weights_scale=number(), years=YEAR_WEIGHTS, minimum_cases=whole())
def coefficients(
    history: AnyDischarges,
    policy: AnyPolicy,
    *,
    hospitals: AnyHospitals | None = None,
    weights: Tabular | None = None,
    weights_scale: float | None = None,
    years: str | Sequence[float] = "",
    own: str = "level",
    bonus: Tabular | Mapping[str, float] | None = None,
    minimum_cases: int = 30,
    scheme: str | None = None,
    reading: InputOptions | None = None,
) -> CoefficientTables:
    """Estimate hospital coefficients and the budget point value from cost per score. 医疗机构系数测算

    k of a level or hospital = its cost per score over that of all, the years weighted; it never falls from a level to a
    higher one (rule book 3.3 and 3.4).

    Parameters
    ----------
    history
        Discharges as in :func:`drgsim.settle`; ``total_cost`` in yuan.
    policy
        The policy whose scores count: a name, a folder, or what :func:`drgsim.load_policy` gave.
    hospitals
        ``hospital_id, level``: a file, a table, a mapping by hospital, or a region.
    weights
        Scores of one's own: what ``drgsim weights`` wrote, the result of :func:`drgsim.weights`, or a table.
    weights_scale
        Score = scale x the number in ``weights``.
    years
        Weights of the years from the oldest on, such as ``"1:2:7"`` or ``(1, 2, 7)``; all alike by default.
    own
        ``level``: a hospital has the coefficient of its level; ``hospital``: that of its own cost.
    bonus
        ``hospital_id, bonus``: what is added to the coefficient of the hospital's level.
    minimum_cases
        With fewer cases a hospital has its level's coefficient.
    scheme
        Scheme or catalogue to group by where the history names no group; the policy's by default.
    reading
        Layout, own columns and edition of the codes.

    Returns
    -------
    CoefficientTables
        Hand it to ``drgsim.settle(..., coefficients=...)``.

    Raises
    ------
    UsageError
        ``usage-unknown-word``, ``weights-bad-option``.
    InputError
        ``coefficients-no-cases``, ``coefficients-two-levels``, ``coefficients-year``, ``coefficients-bonus``.

    Examples
    --------
    >>> import drgsim
    >>> case = {"dip": "I21.0", "hospital_id": "A", "hospital_level": "3", "total_cost": 12000}
    >>> history = [case, {**case, "hospital_id": "B", "hospital_level": "2", "total_cost": 8000}]
    >>> found = drgsim.coefficients(history, "taian/2025")
    >>> found.levels.select(["level", "coefficient"]).to_pylist()
    [{'level': '2', 'coefficient': 0.8}, {'level': '3', 'coefficient': 1.2}]
    """
    check_word("--own", own, OWN)
    inputs = Inputs()
    loaded, _ = inputs.weighed(policy_of(policy), weights, weights_scale)
    known = inputs.hospitals(hospitals)
    table, notes = inputs.discharges(history, scheme or scheme_of_weights(weights) or loaded.file.scheme, reading)
    past, problems = read_scored(table, loaded, known)
    weight, extra = year_weights(years, sorted(set(past.year.tolist()))), inputs.bonus(bonus)
    found = estimate_coefficients(past, CoefficientSettings(weight, own, extra, minimum_cases))  # type: ignore[arg-type]
    return CoefficientTables(found, (loaded.id, loaded.digest), problems, notes, inputs.digests)

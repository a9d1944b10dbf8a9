"""What a budget.yaml may say. The formula of BJ-GBI is not public: its parameters are assumptions unless a source is named.

These pydantic models are the one home of the file format: the loader, the JSON schema for editors and the lists of
assumptions derive from them.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from drgsim.budgets.budget_parts import AdvanceRule, Growth, OutlookTerms, OutpatientTerms, PoolTerms
from drgsim.budgets.indicator_formula import Formula
from drgsim.budgets.sharing_schedule import Schedule
from drgsim.language import text
from drgsim.parameters.evidence import Evident, Keyed, Source, Strict, UsualUnit, Value
from drgsim.payment.level_keys import ByLevel, Level
from drgsim.records.vocabulary import wrong_keys

INDICATORS = (
    "cost_index", "time_index", "low_risk_mortality", "readmission", "high_cost_share", "own_pay_share", "coding",
    "procurement_completion",
)  # fmt: skip
INDICATORS_ZH = {
    "cost_index": "费用消耗指数", "time_index": "时间消耗指数", "low_risk_mortality": "低风险组死亡率",
    "readmission": "15日再住院率", "high_cost_share": "高倍率病例占比", "own_pay_share": "自费率",
    "coding": "编码质量", "procurement_completion": "集采任务完成率",
}  # fmt: skip


class Bounded(Evident):
    """A factor of the index: growth of a measured quantity to the power ``elasticity``, kept within ``low`` and ``high``."""

    elasticity: float = Field(ge=0, le=2)
    low: float = Field(gt=0)
    high: float = Field(gt=0)

    @model_validator(mode="after")
    def _holds_one(self) -> Bounded:
        if not self.low <= 1 <= self.high:
            raise ValueError(text("the bounds {low:g} and {high:g} do not enclose 1, no change", low=self.low, high=self.high))
        return self


class PerPoint(Evident):
    """A factor that follows the quality score: 1 + per_point x (score - neutral), kept within ``low`` and ``high``."""

    neutral: float = Field(ge=0, le=100)
    per_point: float = Field(ge=0)
    low: float = Field(gt=0)
    high: float = Field(gt=0)

    @model_validator(mode="after")
    def _holds_one(self) -> PerPoint:
        if not self.low <= 1 <= self.high:
            raise ValueError(text("the bounds {low:g} and {high:g} do not enclose 1, no change", low=self.low, high=self.high))
        return self


class Limits(Evident):
    """The least and the most that all factors of a hospital together may be."""

    low: float = Field(gt=0)
    high: float = Field(gt=0)

    @model_validator(mode="after")
    def _in_order(self) -> Limits:
        if self.low > self.high:
            raise ValueError(text("low {low:g} is above high {high:g}", low=self.low, high=self.high))
        return self


class SavingsOut(Evident):
    """Procurement savings (带量采购) of the year before: ``share`` of them leaves the index, at most ``most`` of the base."""

    share: float = Field(ge=0, le=1)
    most: float = Field(ge=0, le=1)


class MovedServices(Keyed):
    """Services that are to move between levels (分级诊疗): by level of the hospital that gives, the share of its spending in
    low-weight groups that leaves it; hospitals of ``to_levels`` receive it by their own spending in these groups.
    """

    to_levels: tuple[Level, ...] = Field(min_length=1)

    @property
    def shown(self) -> dict[str, Any]:
        """Shares and who receives."""
        shown: dict[str, Any] = super(Keyed, self).shown
        return shown

    @model_validator(mode="after")
    def _shares(self) -> MovedServices:
        if odd := wrong_keys(self.values):
            raise ValueError(odd)
        wrong = {key: share for key, share in self.values.items() if not 0 <= share <= 1}
        both = sorted(set(self.values) & set(self.to_levels))
        if wrong:
            raise ValueError(text("shares lie between 0 and 1: {wrong}", wrong=wrong))
        if both:
            raise ValueError(text("level {both} both gives and receives", both=", ".join(both)))
        return self


class OverspendInBase(Evident):
    """The parts of a past overspend that count in the base: of what the fund bore, and of what it did not bear."""

    borne: float = Field(ge=0, le=1)
    unborne: float = Field(ge=0, le=1)


class IndexTerms(Strict):
    """The index (总额指标) of a hospital, from its own history (一院一测).

    ``base``: past years count with ``settled``, what the fund owed for them after sharing, or with ``bills``, what
    ``measure.spending`` says; an overspend of such a year only as far as ``overspend`` says. ``lag``: growth, price_wage and
    technology count ``once``, or ``compounded`` over the years from each base year to the budget year.
    """

    base: Value[Literal["settled", "bills"]]
    overspend: OverspendInBase
    year_weights: Value[tuple[float, ...]]
    timing: Value[Literal["prior", "actual"]]
    lag: Value[Literal["once", "compounded"]]
    growth: Value[Growth]
    people: Bounded
    volume: Bounded
    cmi: Bounded
    price_wage: ByLevel
    technology: ByLevel
    quality: PerPoint
    limits: Limits
    procurement: SavingsOut
    moved: MovedServices

    @model_validator(mode="after")
    def _weights(self) -> IndexTerms:
        weights = self.year_weights.value
        if not weights or min(weights) < 0 or sum(weights) <= 0:
            raise ValueError(text("year_weights are the weights of past years, the newest first: 0 or more, not all 0"))
        for name, keyed in (("price_wage", self.price_wage), ("technology", self.technology)):
            if any(rate <= -1 for rate in keyed.values.values()):
                raise ValueError(text("{name} has a rate of -1 or less: nothing would be left", name=name))
        return self


class FundTerms(Strict):
    """What is set aside before the index, and how the indices close on the fund's budget.

    ``closing``: ``exact`` scales the indices to what is left, ``at_most`` only down; ``cover``: ``limited`` bears
    overspends only as far as adjustment fund, reserve and returned surplus reach, ``full`` whatever it costs.
    """

    reserve: Value[Annotated[float, Field(ge=0, lt=1)]]
    adjustment_fund: Value[Annotated[float, Field(ge=0, lt=1)]]
    closing: Value[Literal["exact", "at_most"]]
    cover: Value[Literal["limited", "full"]]
    growth: Value[Growth]


class Target(Evident):
    """Points of an indicator: 100 at ``best``, 0 at ``worst``, linear between.

    ``formula`` makes an indicator of others, see :mod:`drgsim.budgets.indicator_formula`; an entered value goes before it.
    """

    best: float
    worst: float
    title_zh: str = ""
    formula: Formula | None = None

    @model_validator(mode="after")
    def _apart(self) -> Target:
        if self.best == self.worst:
            raise ValueError(text("best and worst are the same: no points follow"))
        return self


class QualityTerms(Strict):
    """The quality score (质量评价), 0 to 100: weighted points of indicators.

    Indicators beside those of :data:`INDICATORS` are entered by hand in indicators.csv, or follow from a formula. An indicator
    that a hospital lacks leaves its weight to the others. ``compare: level`` takes the difference between levels of
    hospitals out of every indicator before it is scored.
    """

    weights: Annotated[Keyed, UsualUnit("weight", payers=True)]
    compare: Value[Literal["region", "level"]]
    targets: Annotated[dict[str, Target], UsualUnit("as the indicator")]

    @model_validator(mode="after")
    def _match(self) -> QualityTerms:
        lacking = sorted(set(self.weights.values) - set(self.targets))
        if lacking:
            raise ValueError(text("targets lacks {lacking}, which weights names", lacking=", ".join(lacking)))
        odd = sorted(name for name in self.targets if self.targets[name].formula and name in INDICATORS)
        if odd:
            raise ValueError(text("{odd} is measured; a formula needs a name of its own", odd=", ".join(odd)))
        if any(weight < 0 for weight in self.weights.values.values()) or sum(self.weights.values.values()) <= 0:
            raise ValueError(text("weights are 0 or more, and not all 0"))
        return self


class SharingTerms(Strict):
    """Which schedule holds; the quality score moves the share of a surplus that the hospital keeps.

    ``carry_over``: a surplus that is kept goes into the account of the next year, else it is paid at clearing.
    ``carry_overspend``: the share of an overspend that the fund did not bear that counts as used in the next year, so that a
    later surplus pays for it.
    """

    use: Value[str]
    schedules: Annotated[dict[str, Schedule], UsualUnit(text("fund's share"))] = Field(min_length=1)
    quality: PerPoint
    carry_over: Value[bool]
    carry_overspend: Value[Annotated[float, Field(ge=0, le=1)]]

    @model_validator(mode="after")
    def _known(self) -> SharingTerms:
        if self.use.value not in self.schedules:
            raise ValueError(
                text(
                    "use names no schedule: {use!r}; the schedules are {names}",
                    use=self.use.value,
                    names=", ".join(self.schedules),
                )
            )
        return self


class Release(Evident):
    """The part of the deposit that is paid after the assessment: all from score ``full_from``, none below ``none_below``."""

    full_from: float = Field(ge=0, le=100)
    none_below: float = Field(ge=0, le=100)

    @model_validator(mode="after")
    def _in_order(self) -> Release:
        if self.none_below > self.full_from:
            raise ValueError(
                text(
                    "none_below {none_below:g} is above full_from {full_from:g}",
                    none_below=self.none_below,
                    full_from=self.full_from,
                )
            )
        return self


class CashTerms(Strict):
    """When money moves: prepayment in January, monthly settlement less the deposit, clearing after the year.

    ``advance``: a further prepayment, beside those of advances.csv. The rest tells a hospital's liquidity: monthly payments
    arrive ``payment_lag`` months later and the clearing in ``clearing_month`` of the next year; the hospital begins with
    ``opening_days`` days of its expenses, which are ``expense_share`` of the bills of insured cases.
    """

    prepayment_months: ByLevel
    good_standing: Value[Annotated[float, Field(ge=0, le=100)]]
    deposit: Value[Annotated[float, Field(ge=0, lt=1)]]
    release: Release
    monthly_cap: Value[Annotated[float, Field(gt=0)]]
    procurement_kept: Keyed
    advance: AdvanceRule
    payment_lag: Value[Annotated[int, Field(ge=0, le=12)]]
    clearing_month: Value[Annotated[int, Field(ge=1, le=12)]]
    opening_days: Value[Annotated[float, Field(ge=0, le=3660)]]
    expense_share: Value[Annotated[float, Field(ge=0, le=10)]]

    @model_validator(mode="after")
    def _shares(self) -> CashTerms:
        wrong = {key: share for key, share in self.procurement_kept.values.items() if not 0 <= share <= 1}
        months = {key: number for key, number in self.prepayment_months.values.items() if not 0 <= number <= 12}
        if wrong or months:
            raise ValueError(text("outside of what is possible: {wrong}", wrong=wrong | months))
        return self


class WarningTerms(Strict):
    """The monthly list (预警): share of the index used against the same period."""

    limit: Value[Annotated[float, Field(gt=0)]]
    attention: Value[Annotated[float, Field(gt=0)]]
    season: Value[Literal["history", "even"]]


class MeasureTerms(Strict):
    """What the figures of a hospital are taken from; a change here means that the cases are read again.

    ``spending``: the history is what the fund paid by item, or what the units of payment give. ``price_level``: the
    policy's own prices; or, where a policy meets a region with other prices, prices scaled once so that in the first year
    the units of payment give what the fund paid by item, over the region or at each level of hospitals.
    """

    spending: Value[Literal["by_item", "by_units"]]
    price_level: Value[Literal["policy", "region", "level"]]
    low_weight: Value[Annotated[float, Field(gt=0)]]
    readmission_days: Value[Annotated[int, Field(ge=0, le=365)]]


class CapitationTerms(Strict):
    """Capitation (按人头) of chronic patients: their stays in ``groups`` are paid by heads registered, not by unit.

    ``per_head`` is the fund's yearly amount by condition, for hospitals of ``levels``, in yuan.
    """

    use: Value[bool]
    per_head: Keyed
    groups: dict[str, tuple[str, ...]]
    levels: Value[tuple[Level, ...]]
    risk: Value[Annotated[float, Field(gt=0)]]

    @model_validator(mode="after")
    def _match(self) -> CapitationTerms:
        odd = sorted(set(self.groups) ^ set(self.per_head.values))
        if odd:
            raise ValueError(
                text("groups and per_head name the same conditions; only one of them has {odd}", odd=", ".join(odd))
            )
        return self


class BudgetFile(Strict):
    """A budget.yaml, after the file that it builds on (``base``) was laid under it."""

    id: str
    title: str
    title_zh: str
    base: str | None = None
    effective_from: date | None = None
    verified: date
    sources: dict[str, Source]
    notes: tuple[str, ...] = ()
    notes_zh: tuple[str, ...] = ()
    index: IndexTerms
    outpatient: OutpatientTerms
    pools: PoolTerms
    fund: FundTerms
    quality: QualityTerms
    sharing: SharingTerms
    cash: CashTerms
    warning: WarningTerms
    measure: MeasureTerms
    capitation: CapitationTerms
    outlook: OutlookTerms

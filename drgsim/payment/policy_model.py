"""What a payment policy file may say. Every parameter carries unit, date, source and evidence.

These pydantic models are the one home of the file format: the loader, the JSON schema for editors and ``drgsim policy
show`` derive from them.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from drgsim.language import text
from drgsim.parameters.evidence import Evidence, Evident, Keyed, Source, Strict, UsualUnit, Value
from drgsim.payment.course_model import Course
from drgsim.payment.curve_model import Curve
from drgsim.payment.level_keys import ByLevel, HospitalClasses
from drgsim.payment.selection_model import GroupSelection, Members
from drgsim.units.schemes.pack import marked_groups

Pays = Literal["curve", "by_item", "standard", "per_diem", "daily", "nothing"]
WITHOUT_GROUPS = ("per_diem", "by_item")  # methods that pay every case alike, whatever its group


class Table(Evident):
    """A CSV table beside the policy file."""

    file: str

    @property
    def shown(self) -> str:
        """Name of the file."""
        return self.file


class RelativeValue(Strict):
    """Weights, points or scores. ``scale`` turns a weight into the policy's own unit: points = 100 x weight."""

    unit: Literal["weight", "point", "score"]
    scale: Annotated[Value[float], UsualUnit(text("units of the policy per weight"))]
    table: Annotated[Table | None, UsualUnit(text("relative value"))] = None
    standard_from_table: bool = False
    coefficient_from_table: bool = False


class Coefficient(Strict):
    """Hospital coefficients (差异系数) beside those that hospitals and cases bring themselves.

    ``table``: a CSV table ``hospital_id, group, coefficient``, in which a blank or ``*`` stands for all hospitals or groups.
    """

    by_hospital: bool = False
    table: Annotated[Table | None, UsualUnit(text("ratio"))] = None
    by: Annotated[ByLevel | None, UsualUnit(text("ratio"), payers=True)] = None
    default: Annotated[Value[float] | None, UsualUnit(text("ratio"))] = None


class Reference(Strict):
    """What a cost is compared with, nearest first; without any, the price of the group.

    ``mean_from_table``: columns mean_cost, mean_cost_LEVEL of the price table; ``mean_cost``: mean cost of all cases,
    yuan per unit of weight (1 = the mean case); ``from_cases``: the mean of the same group and level among the cases
    that are settled. ``sets_price``: the mean cost of the group is what it is worth, and the unit value a factor on it; its
    weight chooses the band of the curve only.
    """

    mean_from_table: bool = False
    mean_cost: Annotated[ByLevel | None, UsualUnit(text("yuan per weight"), payers=True)] = None
    from_cases: Annotated[Value[bool] | None, UsualUnit(text("flag"))] = None
    sets_price: Annotated[Value[bool] | None, UsualUnit(text("flag"))] = None

    @property
    def prices(self) -> bool:
        """Whether the mean cost of a group is its price."""
        return self.sets_price is not None and self.sets_price.value


class DayStep(Strict):
    """Days of a stay up to ``upto`` mean stays count ``factor`` each; the last step has no end."""

    upto: float | None = None
    factor: float


class DayValues(Evident):
    """What days of a stay are worth in groups, or in all that start with a code, and how longer stays are worth less.

    ``weights``: relative value of a day (1 = the mean case); ``mean_days``: mean stay; ``steps``: by multiples of that.
    """

    weights: dict[str, float]
    mean_days: dict[str, float]
    steps: tuple[DayStep, ...]

    @model_validator(mode="after")
    def _whole(self) -> DayValues:
        if set(self.weights) != set(self.mean_days):
            raise ValueError(text("weights and mean_days name the same groups"))
        ends = [step.upto for step in self.steps[:-1] if step.upto is not None]
        if len(ends) != len(self.steps) - 1 or self.steps[-1].upto is not None or ends != sorted({*ends}):
            raise ValueError(text("the steps rise in upto, and only the last has none"))
        return self


class GroupClass(Strict):
    """Groups that are paid another way: basic, by-item, unstable and primary-care groups, single diseases, TCM kinds.

    Groups belong to a class by the table's column ``class``, by ``groups``, ``marks`` of a scheme
    (``chs-drg-3.0/primary_care``), ``tags``, DIP ``kinds`` (``primary``, ``blank``,
    ...), ``operation_classes`` (``conservative``, ...) or ``starts`` (of their codes: an MDC or ADRG), the first of these that
    says something. ``coefficient_of_level``: hospitals' own coefficients do not count. ``value_from_cases``: a group
    without a value (blank kinds) is worth its mean cost over that of all cases that are settled. ``same_price_as``: group ->
    group whose row of the table its cases take (同病同价); with ``kinds`` only cases whose own ``kind`` is one of these.

    ``pays: standard`` with the table's columns ``standard_LEVEL`` is a fixed amount per level whatever the cost (单病种定额).
    ``pays: daily`` is the group's relative value for each day of the stay, without a coefficient (床日病组), or what ``by_day``
    states of a day, in steps. ``cost_share``: what classes that are paid by item get of the bill. ``coefficient_by`` has a
    coefficient for some levels and payers only; ``coefficient_cap``: no coefficient of the class is above it. ``value_factor``
    multiplies the relative value before anything looks at it, ``factor`` what the curve pays.
    """

    title_zh: str
    title: str
    tags: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    operation_classes: tuple[str, ...] = ()
    pays: Pays = "curve"
    curve: str | None = None
    coefficient: Annotated[Value[float] | None, UsualUnit(text("ratio"))] = None
    coefficient_by: Annotated[ByLevel | None, UsualUnit(text("ratio"), payers=True)] = None
    coefficient_cap: Annotated[Value[float] | None, UsualUnit(text("ratio, at most"))] = None
    coefficient_of_level: bool = False
    cost_share: Annotated[Value[float] | None, UsualUnit(text("share of the bill"))] = None
    value_factor: Annotated[Value[float] | None, UsualUnit(text("factor"))] = None
    unit_value: Annotated[ByLevel | None, UsualUnit(text("yuan per unit of relative value"), payers=True)] = None
    factor: Annotated[Value[float] | None, UsualUnit(text("factor"))] = None
    by_day: Annotated[DayValues | None, UsualUnit(text("weight per day"))] = None
    same_price_as: dict[str, str] = Field(default_factory=dict)
    value_from_cases: Annotated[Value[bool] | None, UsualUnit(text("flag"))] = None
    source: str
    evidence: Evidence
    note: str = ""
    unit: ClassVar[str] = ""

    @property
    def named_groups(self) -> tuple[str, ...]:
        """The groups that the class names, and those that its marks stand for."""
        return (*self.groups, *(code for mark in self.marks for code in marked_groups(mark)))

    @property
    def shown(self) -> str:
        """How the class is paid."""
        return self.pays


class AgeFactor(Value[float]):
    """A factor on the relative value paid for patients below an age in years."""

    age_below: float


class WithoutGroup(Value[Pays]):
    """What cases without a group are paid by; ``cost_share`` is what they get of the bill where that is by item."""

    cost_share: float = 1.0


class Stays(Strict):
    """Stays outside the curve: ``long_days`` is exceeded by stays paid by item, ``short_days`` is not."""

    long_days: Annotated[Value[float] | None, UsualUnit(text("days"))] = None
    short_days: Annotated[Value[float] | None, UsualUnit(text("days"))] = None
    incomplete_curve: str | None = None
    incomplete_ways: Annotated[Value[tuple[int, ...]] | None, UsualUnit(text("codes of the way of leaving"))] = None


class Readmission(Strict):
    """A return in the same group within n days multiplies the points of the earlier stay.

    ``scope``: ``hospital`` (the default) looks for returns to the same hospital, ``region`` to any.

    Returns marked ``planned`` (chemotherapy, radiotherapy) do not count, nor do groups that start with one of
    ``except_groups``.
    """

    within_days: Annotated[Value[int], UsualUnit(text("days"))]
    factor: Annotated[Value[float], UsualUnit(text("factor"))]
    scope: Annotated[Value[Literal["hospital", "region"]] | None, UsualUnit(text("rule"))] = None
    except_groups: tuple[str, ...] = ()


class Unstable(Strict):
    """Groups whose costs spread too widely, or that have too few cases, are settled as the class ``group_class`` says.

    ``detect``: ``table`` takes cases and CV from the table of groups (columns ``cases``, ``cv``, as ``drgsim weights`` writes
    them), ``cases`` counts among the cases that are settled.
    """

    group_class: str
    maximum_cv: Annotated[Value[float], UsualUnit(text("CV"))]
    minimum_cases: Annotated[Value[int], UsualUnit(text("cases"))]
    detect: Annotated[Value[Literal["table", "cases", "never"]], UsualUnit(text("rule"))]


class SingleDisease(Strict):
    """Single diseases (单病种): the fund pays a fixed amount per case, the patient the rest up to a limit.

    ``table``: a CSV table ``code, name, level, insurance, fund_amount, personal_limit`` in yuan; blank level or insurance
    stands for all.
    """

    table: Annotated[Table, UsualUnit(text("yuan"))]


class PerDiem(Strict):
    """Payment per bed day (按床日). ``rate`` is in yuan, or in points for the points method.

    Stays of at most ``acute_days`` are settled by item, and beside it by their group without paying (shadow settlement).
    """

    rate: Annotated[ByLevel | None, UsualUnit(text("yuan per day"), payers=True)] = None
    rate_unit: Literal["yuan", "point"] = "yuan"
    day_cap: Annotated[Value[int] | None, UsualUnit(text("days"))] = None
    day_cap_per: Literal["patient", "hospital"] = "patient"
    acute_days: Annotated[Value[int] | None, UsualUnit(text("days"))] = None


class Exempt(Strict):
    """Payment beside the group for new drugs and technology (除外支付). Both limits are exclusive."""

    total_multiple: Annotated[Value[float], UsualUnit(text("x mean cost of the group, exclusive"))]
    cost_share: Annotated[Value[float], UsualUnit(text("share of the total cost, exclusive"))]
    valid_from: Annotated[Value[date] | None, UsualUnit(text("date"))] = None
    valid_to: Annotated[Value[date] | None, UsualUnit(text("date"))] = None
    table: Annotated[Table | None, UsualUnit(text("items"))] = None


class SpecialReview(Strict):
    """Cases that a hospital puts forward for single review (特例单议): at most ``quota`` of the pool's discharges."""

    quota: Annotated[Value[float], UsualUnit(text("share of the discharges of the pool"))]
    pays: Annotated[Value[Literal["by_item", "adjusted"]], UsualUnit(text("rule"))]
    adjusted_factor: Annotated[Value[float] | None, UsualUnit(text("factor"))] = None


class PatientShare(Strict):
    """How the fund's part follows from the amount.

    ``remainder``: amount - patient - other funds; ``ratio``: (amount - own pay - pre-pay - deductible) x benefit ratio.
    The fund pays nothing below 0 where ``floor_at_zero`` says so. ``net`` says of what: of each ``case``, or of what the cases
    of a hospital and payer come to in a month or a year (``hospital_year`` where nothing is stated: a hospital is settled as a
    whole, rule book 2.2 and 3.7).
    """

    mode: Annotated[Value[Literal["remainder", "ratio"]], UsualUnit(text("rule"))]
    floor_at_zero: Annotated[Value[bool], UsualUnit(text("flag"))]
    net: Annotated[Value[Literal["case", "hospital_month", "hospital_year"]] | None, UsualUnit(text("rule"))] = None
    benefit_ratio: Annotated[ByLevel | None, UsualUnit(text("share"), payers=True)] = None

    @property
    def netting(self) -> str:
        """``net``, or ``hospital_year`` where nothing is stated."""
        return "hospital_year" if self.net is None else self.net.value


class Floating(Strict):
    """Floating point value (浮动点值): ``base_share`` of the budget value, the rest of the settlement value."""

    base_share: Annotated[Value[float], UsualUnit(text("share"))]


class Clearing(Strict):
    """Yearly clearing (年度清算) of a hospital: (what the fund owes) x assessment - deductions - prepaid.

    ``basis``: ``cases``: the fund's payments for the cases; ``share``: amounts x the fund's share of the cost.
    """

    basis: Annotated[Value[Literal["cases", "share"]], UsualUnit(text("rule"))]


class Procurement(Strict):
    """Volume-based procurement (带量采购): the standard is not cut; the surplus is kept at these shares by product class."""

    kept_share: Annotated[Keyed, UsualUnit(text("share of the surplus kept"))]
    price_fall: Annotated[Keyed | None, UsualUnit(text("price fall"))] = None


class Capitation(Strict):
    """Per-head payment for chronic conditions; the surplus stays with the consortium."""

    per_head: Annotated[Keyed | None, UsualUnit(text("yuan per head and year"))] = None
    conditions: tuple[str, ...] = ()
    kept_share: Annotated[Value[float] | None, UsualUnit(text("share of the surplus"))] = None


class Trimming(Strict):
    """Trimming (裁剪) that the policy states for its own weights; ``drgsim weights`` takes it as default."""

    method: Annotated[Value[Literal["iqr", "percentile", "multiple", "none"]], UsualUnit(text("rule"))]
    low: Annotated[Value[float], UsualUnit(text("as the method says"))]
    high: Annotated[Value[float], UsualUnit(text("as the method says"))]


_NO_METHOD = {  # what is no method of paying every case, and where it is stated instead
    "per_case": text(
        "fixed amounts per case (按次定额) belong to groups: group_classes with pays: standard, or single_disease"
    ),
    "capitation": text("payment per head (按人头) is settled beside the cases: state the section capitation"),
}


def _method(word: object) -> object:
    if isinstance(word, str) and word in _NO_METHOD:
        raise ValueError(text("{word!r} is no method; {no_method}", word=word, no_method=_NO_METHOD[word]))
    return word


class PolicyFile(Strict):
    """A policy.yaml.

    ``other_copies``: policies of the same region, year and scheme that rest on another copy of the published table, and what
    differs between them.
    """

    id: str
    title: str
    title_zh: str
    region_zh: str
    year: Annotated[str, BeforeValidator(str)]
    method: Annotated[Literal["rate", "points", "dip", "per_diem", "by_item"], BeforeValidator(_method)]
    scheme: str | None = None
    published: date | None = None
    effective_from: date | None
    effective_to: date | None = None
    verified: date
    sources: dict[str, Source]
    notes: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    other_copies: dict[str, str] = Field(default_factory=dict)
    members: Annotated[Members | None, UsualUnit(text("hospitals"))] = None
    group_selection: GroupSelection | None = None
    shadow: Annotated[Value[bool] | None, UsualUnit(text("flag"))] = None
    relative_value: RelativeValue
    unit_value: Annotated[ByLevel | None, UsualUnit(text("yuan per unit of relative value"), payers=True)] = None
    unit_value_from_history: Annotated[Value[bool] | None, UsualUnit(text("flag"))] = None
    budget: Annotated[ByLevel | None, UsualUnit(text("yuan a year"), payers=True)] = None
    reference: Reference = Reference()
    coefficient: Coefficient = Coefficient()
    curves: Annotated[dict[str, Curve], UsualUnit(text("cost ratio"))] = Field(default_factory=dict)
    group_classes: dict[str, GroupClass] = Field(default_factory=dict)
    ambiguous: Annotated[WithoutGroup | None, UsualUnit(text("rule"))] = None
    ungrouped: Annotated[WithoutGroup | None, UsualUnit(text("rule"))] = None
    age_factors: Annotated[tuple[AgeFactor, ...], UsualUnit(text("factor"))] = ()
    stays: Stays = Stays()
    courses: Annotated[tuple[Course, ...], UsualUnit(text("rule"))] = ()
    hospital_classes: Annotated[HospitalClasses | None, UsualUnit(text("class"))] = None
    readmission: Readmission | None = None
    unstable: Unstable | None = None
    per_diem: PerDiem | None = None
    single_disease: SingleDisease | None = None
    extreme_cap: Annotated[Value[float] | None, UsualUnit(text("share of a hospital's discharges"))] = None
    special_review: SpecialReview | None = None
    exempt: Exempt | None = None
    procurement: Procurement | None = None
    capitation: Capitation | None = None
    patient_share: PatientShare
    trimming: Trimming | None = None
    year_weights: Annotated[Value[tuple[float, ...]] | None, UsualUnit(text("oldest to newest"))] = None
    floating: Floating | None = None
    clearing: Clearing | None = None
    prepayment: Annotated[Value[float] | None, UsualUnit(text("months"))] = None
    deposit: Annotated[Value[float] | None, UsualUnit(text("share"))] = None
    adjustment_fund: Annotated[Value[float] | None, UsualUnit(text("share of the budget"))] = None

    @property
    def by_groups(self) -> bool:
        """Whether cases are paid by their groups, and not all of them per day or by item."""
        return self.method not in WITHOUT_GROUPS

    @model_validator(mode="after")
    def _has_main_curve(self) -> PolicyFile:
        if self.by_groups and "main" not in self.curves:
            raise ValueError(text("curves has no entry named main, the curve of ordinary groups"))
        return self

"""What a payment policy file may say. Every parameter carries unit, date, source and evidence.

These pydantic models are the one home of the file format: the loader, the JSON schema for editors and ``drgsim policy
show`` derive from them.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from drgsim.parameters.evidence import Evidence, Evident, Keyed, Source, Strict, Value
from drgsim.payment.curve_expression import ExpressionError, names_used, parse
from drgsim.records.vocabulary import level_hint, level_known, wrong_keys


class CaseClass(StrEnum):
    """How a case was settled, with the Chinese term."""

    NORMAL = "normal"
    HIGH = "high"
    LOW = "low"
    INCOMPLETE = "incomplete"
    OVER_60_DAYS = "over_60_days"
    EXEMPT = "exempt"
    SPECIAL_REVIEW = "special_review"
    BY_ITEM = "by_item"
    PER_DIEM = "per_diem"
    FIXED = "fixed"
    AMBIGUOUS = "ambiguous"
    UNGROUPED = "ungrouped"
    SELF_PAY = "self_pay"
    UNPAID = "unpaid"


CASE_CLASS_ZH = {
    CaseClass.NORMAL: "正常", CaseClass.HIGH: "高倍率", CaseClass.LOW: "低倍率", CaseClass.INCOMPLETE: "住院过程不完整",
    CaseClass.OVER_60_DAYS: "超长住院", CaseClass.EXEMPT: "除外支付", CaseClass.SPECIAL_REVIEW: "特例单议",
    CaseClass.BY_ITEM: "按项目", CaseClass.PER_DIEM: "按床日", CaseClass.FIXED: "定额", CaseClass.AMBIGUOUS: "歧义组",
    CaseClass.UNGROUPED: "未入组", CaseClass.SELF_PAY: "自费", CaseClass.UNPAID: "未结算",
}  # fmt: skip


def _by_level(keyed: Keyed) -> Keyed:
    for entry in (keyed, *keyed.earlier):
        if wrong := wrong_keys(entry.values):
            raise ValueError(wrong)
    return keyed


def _level(word: str) -> str:
    if not level_known(word):
        raise ValueError(f"{word!r} is no level; {level_hint(word)}")
    return word


ByLevel = Annotated[Keyed, AfterValidator(_by_level)]  # keys are levels, payers or level/payer
Level = Annotated[str, BeforeValidator(str), AfterValidator(_level)]
Pays = Literal["curve", "by_item", "standard", "per_diem", "nothing"]
ACTUAL = "actual"


class Table(Evident):
    """A CSV table beside the policy file."""

    file: str


class RelativeValue(Strict):
    """Weights, points or scores. ``scale`` turns a weight into the policy's own unit: points = 100 x weight."""

    unit: Literal["weight", "point", "score"]
    scale: Value[float]
    table: Table | None = None
    standard_from_table: bool = False
    coefficient_from_table: bool = False


class Coefficient(Strict):
    """Hospital coefficients (差异系数) beside those that hospitals and cases bring themselves.

    ``table``: a CSV table ``hospital_id, group, coefficient``, in which a blank or ``*`` stands for all hospitals or groups.
    """

    by_hospital: bool = False
    table: Table | None = None
    by: ByLevel | None = None
    default: Value[float] | None = None


class Reference(Strict):
    """What a cost is compared with, nearest first; without any, the price of the group.

    ``mean_from_table``: columns mean_cost, mean_cost_LEVEL of the price table; ``mean_cost``: mean cost of all cases,
    yuan per unit of weight (1 = the mean case); ``from_cases``: the mean of the same group and level among the cases
    that are settled.
    """

    mean_from_table: bool = False
    mean_cost: ByLevel | None = None
    from_cases: Value[bool] | None = None


class When(Strict):
    """The cases of a band; all conditions must hold. Weights are in units of 1 = the mean case."""

    weight_upto: float | None = None
    coefficient_upto: float | None = None
    closed: bool = True
    levels: tuple[Level, ...] = ()


class Band(Strict):
    """A multiple K for the cases that meet ``when``; the first band that fits counts."""

    K: float | None = None
    when: When = When()
    source: str | None = None
    evidence: Evidence | None = None
    note: str = ""


class Piece(Strict):
    """A stretch of the curve up to a cost ratio. ``closed``: a case exactly at ``upto`` still belongs to it.

    ``source`` and ``evidence`` stand here where they differ from those of the curve.
    """

    case_class: CaseClass
    upto: float | Literal["K"] | None = None
    closed: bool = False
    pays: str
    cap: str | None = None
    source: str | None = None
    evidence: Evidence | None = None
    note: str = ""


class Curve(Evident):
    """A payment curve: relative value paid as a piecewise linear function of the cost ratio."""

    with_coefficient: bool = True
    bands: tuple[Band, ...] = (Band(),)
    pieces: tuple[Piece, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _pieces_hold(self) -> Curve:
        faults = [fault for band in self.bands for fault in self._faults(band)]
        if faults:
            raise ValueError("; ".join(dict.fromkeys(faults)))
        return self

    def _faults(self, band: Band) -> list[str]:
        faults = []
        limits = [band.K if piece.upto == "K" else piece.upto for piece in self.pieces]
        if limits[-1] is not None:
            faults.append("the last piece must have no upto: some costs would belong to no piece")
        if any(limit is None and piece.upto != "K" for limit, piece in zip(limits[:-1], self.pieces, strict=False)):
            faults.append("only the last piece may lack upto")
        if any(piece.upto == "K" and band.K is None for piece in self.pieces):
            faults.append("a piece ends at K, but a band states no K")
        known = [limit for limit in limits if isinstance(limit, float | int)]
        if known != sorted(known) or any(limit <= 0 for limit in known):
            faults.append(f"the limits {known} do not rise from above 0")
        for piece in self.pieces:
            for text in (piece.pays, piece.cap):
                if text is None or text == ACTUAL:
                    continue
                if band.K is None and "K" in names_used(text):
                    faults.append(f"{text!r} uses K, but a band states no K")
                    continue
                try:
                    terms = parse(text, multiple=band.K, with_coefficient=self.with_coefficient)
                except ExpressionError as error:
                    faults.append(str(error))
                    continue
                if text is piece.cap and any(i or j < 0 for i, j in terms):
                    faults.append(f"the cap {text!r} may use k only")
        return faults


class GroupClass(Strict):
    """Groups that are paid another way: basic, by-item, unstable and primary-care groups, single diseases, TCM kinds.

    Groups belong to a class by the table's column ``class``, by ``groups``, ``tags``, DIP ``kinds`` (``primary``, ``blank``,
    ...) or ``operation_classes`` (``conservative``, ...), the first of these that says something. ``coefficient_of_level``:
    hospitals' own coefficients do not count. ``value_from_cases``: a group without a value (blank kinds) is worth
    its mean cost over that of all cases that are settled.

    ``pays: standard`` with the table's columns ``standard_LEVEL`` is a fixed amount per level whatever the cost (单病种定额).
    """

    title_zh: str
    title: str
    tags: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    operation_classes: tuple[str, ...] = ()
    pays: Pays = "curve"
    curve: str | None = None
    coefficient: Value[float] | None = None
    coefficient_of_level: bool = False
    unit_value: ByLevel | None = None
    factor: Value[float] | None = None
    value_from_cases: Value[bool] | None = None
    source: str
    evidence: Evidence
    note: str = ""


class AgeFactor(Value[float]):
    """A factor on the relative value paid for patients below an age in years."""

    age_below: float


class Stays(Strict):
    """Stays outside the curve: ``long_days`` is exceeded by stays paid by item."""

    long_days: Value[float] | None = None
    incomplete_curve: str | None = None
    incomplete_ways: Value[tuple[int, ...]] | None = None


class Readmission(Strict):
    """A return to the same hospital in the same group within n days multiplies the points of the earlier stay.

    Returns marked ``planned`` (chemotherapy, radiotherapy) do not count, nor do groups that start with one of
    ``except_groups``.
    """

    within_days: Value[int]
    factor: Value[float]
    except_groups: tuple[str, ...] = ()


class Unstable(Strict):
    """Groups whose costs spread too widely, or that have too few cases, are settled as the class ``group_class`` says.

    ``detect``: ``table`` takes cases and CV from the table of groups (columns ``cases``, ``cv``, as ``drgsim weights`` writes
    them), ``cases`` counts among the cases that are settled.
    """

    group_class: str
    maximum_cv: Value[float]
    minimum_cases: Value[int]
    detect: Value[Literal["table", "cases", "never"]]


class SingleDisease(Strict):
    """Single diseases (单病种): the fund pays a fixed amount per case, the patient the rest up to a limit.

    ``table``: a CSV table ``code, name, level, insurance, fund_amount, personal_limit`` in yuan; blank level or insurance
    stands for all.
    """

    table: Table


class PerDiem(Strict):
    """Payment per bed day (按床日). ``rate`` is in yuan, or in points for the points method."""

    rate: ByLevel | None = None
    rate_unit: Literal["yuan", "point"] = "yuan"
    day_cap: Value[int] | None = None
    day_cap_per: Literal["patient", "hospital"] = "patient"
    acute_days: Value[int] | None = None


class Exempt(Strict):
    """Payment beside the group for new drugs and technology (除外支付). Both limits are exclusive."""

    total_multiple: Value[float]
    cost_share: Value[float]
    valid_from: Value[date] | None = None
    valid_to: Value[date] | None = None
    table: Table | None = None


class SpecialReview(Strict):
    """Cases that a hospital puts forward for single review (特例单议): at most ``quota`` of the pool's discharges."""

    quota: Value[float]
    pays: Value[Literal["by_item", "adjusted"]]
    adjusted_factor: Value[float] | None = None


class PatientShare(Strict):
    """How the fund's part follows from the amount.

    ``remainder``: amount - patient - other funds; ``ratio``: (amount - own pay - pre-pay - deductible) x benefit ratio.
    """

    mode: Value[Literal["remainder", "ratio"]]
    floor_at_zero: Value[bool]
    benefit_ratio: ByLevel | None = None


class Floating(Strict):
    """Floating point value (浮动点值): ``base_share`` of the budget value, the rest of the settlement value."""

    base_share: Value[float]


class Clearing(Strict):
    """Yearly clearing (年度清算) of a hospital: (what the fund owes) x assessment - deductions - prepaid.

    ``basis``: ``cases``: the fund's payments for the cases; ``share``: amounts x the fund's share of the cost.
    """

    basis: Value[Literal["cases", "share"]]


class Procurement(Strict):
    """Volume-based procurement (带量采购): the standard is not cut; the surplus is kept at these shares by product class."""

    kept_share: Keyed
    price_fall: Keyed | None = None


class Capitation(Strict):
    """Per-head payment for chronic conditions; the surplus stays with the consortium."""

    per_head: Keyed | None = None
    conditions: tuple[str, ...] = ()
    kept_share: Value[float] | None = None


class Trimming(Strict):
    """Trimming (裁剪) that the policy states for its own weights; ``drgsim weights`` takes it as default."""

    method: Value[Literal["iqr", "percentile", "multiple", "none"]]
    low: Value[float]
    high: Value[float]


class PolicyFile(Strict):
    """A policy.yaml."""

    id: str
    title: str
    title_zh: str
    region_zh: str
    year: Annotated[str, BeforeValidator(str)]
    method: Literal["rate", "points", "dip", "per_diem", "per_case", "capitation", "by_item"]
    scheme: str | None = None
    published: date | None = None
    effective_from: date | None
    effective_to: date | None = None
    verified: date
    sources: dict[str, Source]
    notes: tuple[str, ...] = ()
    relative_value: RelativeValue
    unit_value: ByLevel | None = None
    budget: ByLevel | None = None
    reference: Reference = Reference()
    coefficient: Coefficient = Coefficient()
    curves: dict[str, Curve] = Field(min_length=1)
    group_classes: dict[str, GroupClass] = Field(default_factory=dict)
    ambiguous: Value[Pays] | None = None
    ungrouped: Value[Pays] | None = None
    age_factors: tuple[AgeFactor, ...] = ()
    stays: Stays = Stays()
    readmission: Readmission | None = None
    unstable: Unstable | None = None
    per_diem: PerDiem | None = None
    single_disease: SingleDisease | None = None
    extreme_cap: Value[float] | None = None
    special_review: SpecialReview | None = None
    exempt: Exempt | None = None
    procurement: Procurement | None = None
    capitation: Capitation | None = None
    patient_share: PatientShare
    trimming: Trimming | None = None
    year_weights: Value[tuple[float, ...]] | None = None
    floating: Floating | None = None
    clearing: Clearing | None = None
    prepayment: Value[float] | None = None
    deposit: Value[float] | None = None
    adjustment_fund: Value[float] | None = None

    @property
    def by_groups(self) -> bool:
        """Whether cases are paid by their groups, and not all of them per day or by item."""
        return self.method in ("rate", "points", "dip")

    @model_validator(mode="after")
    def _has_main_curve(self) -> PolicyFile:
        if "main" not in self.curves:
            raise ValueError("curves has no entry named main, the curve of ordinary groups")
        return self

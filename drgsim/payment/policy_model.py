"""What a payment policy file may say. Every parameter carries unit, date, source and evidence.

These pydantic models are the one home of the file format: the loader, the JSON schema for editors and ``drgsim policy
show`` derive from them.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from drgsim.parameters.evidence import Evidence, Evident, Keyed, Source, Strict, UsualUnit, Value
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
    scale: Annotated[Value[float], UsualUnit("units of the policy per weight")]
    table: Annotated[Table | None, UsualUnit("relative value")] = None
    standard_from_table: bool = False
    coefficient_from_table: bool = False


class Coefficient(Strict):
    """Hospital coefficients (差异系数) beside those that hospitals and cases bring themselves.

    ``table``: a CSV table ``hospital_id, group, coefficient``, in which a blank or ``*`` stands for all hospitals or groups.
    """

    by_hospital: bool = False
    table: Annotated[Table | None, UsualUnit("ratio")] = None
    by: Annotated[ByLevel | None, UsualUnit("ratio", payers=True)] = None
    default: Annotated[Value[float] | None, UsualUnit("ratio")] = None


class Reference(Strict):
    """What a cost is compared with, nearest first; without any, the price of the group.

    ``mean_from_table``: columns mean_cost, mean_cost_LEVEL of the price table; ``mean_cost``: mean cost of all cases,
    yuan per unit of weight (1 = the mean case); ``from_cases``: the mean of the same group and level among the cases
    that are settled.
    """

    mean_from_table: bool = False
    mean_cost: Annotated[ByLevel | None, UsualUnit("yuan per weight", payers=True)] = None
    from_cases: Annotated[Value[bool] | None, UsualUnit("flag")] = None


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
    unit: ClassVar[str] = "rule"

    @property
    def shown(self) -> str:
        """The band in words, such as ``K = 3 (level 3)``."""
        when = self.when
        parts = [f"level {'/'.join(when.levels)}"] if when.levels else []
        for limit, name in ((when.weight_upto, "weight"), (when.coefficient_upto, "coefficient")):
            if limit is not None:
                parts.append(f"{name} {'up to' if when.closed else 'below'} {limit:g}")
        multiple = f"K = {self.K:g}" if self.K is not None else "other cases"
        return f"{multiple} ({', '.join(parts)})" if parts else multiple


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
    unit: ClassVar[str] = "rule"

    @property
    def shown(self) -> str:
        """The piece in words, such as ``high up to the end: k + r - K``."""
        return f"{self.case_class} up to {self.upto or 'the end'}: {self.pays}"


class Curve(Evident):
    """A payment curve: relative value paid as a piecewise linear function of the cost ratio."""

    with_coefficient: bool = True
    bands: tuple[Band, ...] = (Band(),)
    pieces: tuple[Piece, ...] = Field(min_length=1)

    @property
    def shown(self) -> str:
        """The pieces and the bands with a multiple, in words."""
        return "; ".join([piece.shown for piece in self.pieces] + [band.shown for band in self.bands if band.K is not None])

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
    coefficient: Annotated[Value[float] | None, UsualUnit("ratio")] = None
    coefficient_of_level: bool = False
    unit_value: Annotated[ByLevel | None, UsualUnit("yuan per unit of relative value", payers=True)] = None
    factor: Annotated[Value[float] | None, UsualUnit("factor")] = None
    value_from_cases: Annotated[Value[bool] | None, UsualUnit("flag")] = None
    source: str
    evidence: Evidence
    note: str = ""
    unit: ClassVar[str] = ""

    @property
    def shown(self) -> str:
        """How the class is paid."""
        return self.pays


class AgeFactor(Value[float]):
    """A factor on the relative value paid for patients below an age in years."""

    age_below: float


class Stays(Strict):
    """Stays outside the curve: ``long_days`` is exceeded by stays paid by item."""

    long_days: Annotated[Value[float] | None, UsualUnit("days")] = None
    incomplete_curve: str | None = None
    incomplete_ways: Annotated[Value[tuple[int, ...]] | None, UsualUnit("codes of the way of leaving")] = None


class Readmission(Strict):
    """A return to the same hospital in the same group within n days multiplies the points of the earlier stay.

    Returns marked ``planned`` (chemotherapy, radiotherapy) do not count, nor do groups that start with one of
    ``except_groups``.
    """

    within_days: Annotated[Value[int], UsualUnit("days")]
    factor: Annotated[Value[float], UsualUnit("factor")]
    except_groups: tuple[str, ...] = ()


class Unstable(Strict):
    """Groups whose costs spread too widely, or that have too few cases, are settled as the class ``group_class`` says.

    ``detect``: ``table`` takes cases and CV from the table of groups (columns ``cases``, ``cv``, as ``drgsim weights`` writes
    them), ``cases`` counts among the cases that are settled.
    """

    group_class: str
    maximum_cv: Annotated[Value[float], UsualUnit("CV")]
    minimum_cases: Annotated[Value[int], UsualUnit("cases")]
    detect: Annotated[Value[Literal["table", "cases", "never"]], UsualUnit("rule")]


class SingleDisease(Strict):
    """Single diseases (单病种): the fund pays a fixed amount per case, the patient the rest up to a limit.

    ``table``: a CSV table ``code, name, level, insurance, fund_amount, personal_limit`` in yuan; blank level or insurance
    stands for all.
    """

    table: Annotated[Table, UsualUnit("yuan")]


class PerDiem(Strict):
    """Payment per bed day (按床日). ``rate`` is in yuan, or in points for the points method."""

    rate: Annotated[ByLevel | None, UsualUnit("yuan per day", payers=True)] = None
    rate_unit: Literal["yuan", "point"] = "yuan"
    day_cap: Annotated[Value[int] | None, UsualUnit("days")] = None
    day_cap_per: Literal["patient", "hospital"] = "patient"
    acute_days: Annotated[Value[int] | None, UsualUnit("days")] = None


class Exempt(Strict):
    """Payment beside the group for new drugs and technology (除外支付). Both limits are exclusive."""

    total_multiple: Annotated[Value[float], UsualUnit("x mean cost of the group, exclusive")]
    cost_share: Annotated[Value[float], UsualUnit("share of the total cost, exclusive")]
    valid_from: Annotated[Value[date] | None, UsualUnit("date")] = None
    valid_to: Annotated[Value[date] | None, UsualUnit("date")] = None
    table: Annotated[Table | None, UsualUnit("items")] = None


class SpecialReview(Strict):
    """Cases that a hospital puts forward for single review (特例单议): at most ``quota`` of the pool's discharges."""

    quota: Annotated[Value[float], UsualUnit("share of the discharges of the pool")]
    pays: Annotated[Value[Literal["by_item", "adjusted"]], UsualUnit("rule")]
    adjusted_factor: Annotated[Value[float] | None, UsualUnit("factor")] = None


class PatientShare(Strict):
    """How the fund's part follows from the amount.

    ``remainder``: amount - patient - other funds; ``ratio``: (amount - own pay - pre-pay - deductible) x benefit ratio.
    """

    mode: Annotated[Value[Literal["remainder", "ratio"]], UsualUnit("rule")]
    floor_at_zero: Annotated[Value[bool], UsualUnit("flag")]
    benefit_ratio: Annotated[ByLevel | None, UsualUnit("share", payers=True)] = None


class Floating(Strict):
    """Floating point value (浮动点值): ``base_share`` of the budget value, the rest of the settlement value."""

    base_share: Annotated[Value[float], UsualUnit("share")]


class Clearing(Strict):
    """Yearly clearing (年度清算) of a hospital: (what the fund owes) x assessment - deductions - prepaid.

    ``basis``: ``cases``: the fund's payments for the cases; ``share``: amounts x the fund's share of the cost.
    """

    basis: Annotated[Value[Literal["cases", "share"]], UsualUnit("rule")]


class Procurement(Strict):
    """Volume-based procurement (带量采购): the standard is not cut; the surplus is kept at these shares by product class."""

    kept_share: Annotated[Keyed, UsualUnit("share of the surplus kept")]
    price_fall: Annotated[Keyed | None, UsualUnit("price fall")] = None


class Capitation(Strict):
    """Per-head payment for chronic conditions; the surplus stays with the consortium."""

    per_head: Annotated[Keyed | None, UsualUnit("yuan per head and year")] = None
    conditions: tuple[str, ...] = ()
    kept_share: Annotated[Value[float] | None, UsualUnit("share of the surplus")] = None


class Trimming(Strict):
    """Trimming (裁剪) that the policy states for its own weights; ``drgsim weights`` takes it as default."""

    method: Annotated[Value[Literal["iqr", "percentile", "multiple", "none"]], UsualUnit("rule")]
    low: Annotated[Value[float], UsualUnit("as the method says")]
    high: Annotated[Value[float], UsualUnit("as the method says")]


_NO_METHOD = {  # what is no method of paying every case, and where it is stated instead
    "per_case": "fixed amounts per case (按次定额) belong to groups: group_classes with pays: standard, or single_disease",
    "capitation": "payment per head (按人头) is settled beside the cases: state the section capitation",
}


def _method(word: object) -> object:
    if isinstance(word, str) and word in _NO_METHOD:
        raise ValueError(f"{word!r} is no method; {_NO_METHOD[word]}")
    return word


class PolicyFile(Strict):
    """A policy.yaml."""

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
    relative_value: RelativeValue
    unit_value: Annotated[ByLevel | None, UsualUnit("yuan per unit of relative value", payers=True)] = None
    budget: Annotated[ByLevel | None, UsualUnit("yuan a year", payers=True)] = None
    reference: Reference = Reference()
    coefficient: Coefficient = Coefficient()
    curves: Annotated[dict[str, Curve], UsualUnit("cost ratio")] = Field(default_factory=dict)
    group_classes: dict[str, GroupClass] = Field(default_factory=dict)
    ambiguous: Annotated[Value[Pays] | None, UsualUnit("rule")] = None
    ungrouped: Annotated[Value[Pays] | None, UsualUnit("rule")] = None
    age_factors: Annotated[tuple[AgeFactor, ...], UsualUnit("factor")] = ()
    stays: Stays = Stays()
    readmission: Readmission | None = None
    unstable: Unstable | None = None
    per_diem: PerDiem | None = None
    single_disease: SingleDisease | None = None
    extreme_cap: Annotated[Value[float] | None, UsualUnit("share of a hospital's discharges")] = None
    special_review: SpecialReview | None = None
    exempt: Exempt | None = None
    procurement: Procurement | None = None
    capitation: Capitation | None = None
    patient_share: PatientShare
    trimming: Trimming | None = None
    year_weights: Annotated[Value[tuple[float, ...]] | None, UsualUnit("oldest to newest")] = None
    floating: Floating | None = None
    clearing: Clearing | None = None
    prepayment: Annotated[Value[float] | None, UsualUnit("months")] = None
    deposit: Annotated[Value[float] | None, UsualUnit("share")] = None
    adjustment_fund: Annotated[Value[float] | None, UsualUnit("share of the budget")] = None

    @property
    def by_groups(self) -> bool:
        """Whether cases are paid by their groups, and not all of them per day or by item."""
        return self.method not in WITHOUT_GROUPS

    @model_validator(mode="after")
    def _has_main_curve(self) -> PolicyFile:
        if self.by_groups and "main" not in self.curves:
            raise ValueError("curves has no entry named main, the curve of ordinary groups")
        return self

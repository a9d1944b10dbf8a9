"""What a case states and what becomes of it on its way through the audit; what is given beside the policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from tests.audit.plain_numbers import day, fen, number

Row = Mapping[str, Any]
PAYERS = {"employee": "employee", "resident": "resident", "self": "self", "310": "employee", "390": "resident"}
YES = {"1", "true", "True", "是"}


def text(row: Row, name: str) -> str:
    """A cell as text, blank where there is none."""
    value = row.get(name)
    return "" if value is None else str(value).strip()


@dataclass
class Given:
    """What comes beside the policy: hospitals (id -> level, grade, coefficient, member_of), coefficients by hospital and group,
    a table of relative values of one's own, a budget or unit values by payer (``*`` for all).
    """

    hospitals: Mapping[str, Mapping[str, str]] | None = None
    coefficients: Mapping[tuple[str, str], Fraction] = field(default_factory=dict)
    weights: Mapping[str, Mapping[str, str]] | None = None
    budget: Mapping[str, Fraction] | None = None
    fund_share: Fraction = Fraction(1)
    unit_value: Mapping[str, Fraction] | None = None


class Stay:
    """A row read once, whatever the policies that it is settled by. Yuan as fractions."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self.cost = number(row.get("total_cost"))
        self.cost_fen = fen(self.cost or Fraction(0))
        self.payer = PAYERS.get(text(row, "insurance"))
        self.hospital, self.patient = text(row, "hospital_id"), text(row, "patient_id")
        self.level, self.grade, self.kind = text(row, "hospital_level"), text(row, "hospital_grade"), text(row, "kind")
        self.days, self.age = number(row.get("los_days")), number(row.get("age"))
        self.discharged, self.admitted = day(row.get("discharged")), day(row.get("admitted"))
        parts = [number(row.get(part)) or Fraction(0) for part in ("patient_paid", "other_paid")]
        self.others = sum(fen(part) for part in parts)
        self.wrong_part = any(part < 0 for part in parts)
        self.value, self.weight = number(row.get("relative_value")), number(row.get("relative_weight"))
        self.coefficient, self.mean = number(row.get("coefficient")), number(row.get("group_mean_cost"))
        aux = number(row.get("auxiliary_coefficient"))
        self.auxiliary = Fraction(1) if aux is None else aux

    def marked(self, name: str) -> bool:
        """Whether a column of marks says yes."""
        return text(self.row, name) in YES


@dataclass
class Paid:
    """A case on its way. Money in yuan as fractions, amounts in fen; ``amount`` None: unpaid."""

    stay: Stay
    levels: list[str]
    group: str
    case_class: str = ""
    group_class: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""
    refused: bool = False
    simulated: bool = False  # paid by item, with what its group would pay beside it
    curve: Mapping[str, Any] | None = None
    used: Mapping[str, Any] | None = None  # the curve, also after a piece of it paid the bill
    band: int = 0  # place among those of the curve
    multiple: Fraction | None = None
    limits: Mapping[str, Fraction | None] = field(default_factory=dict)
    units: Fraction | None = None  # relative value, with the auxiliary coefficient
    value: Fraction | None = None  # relative value alone
    weight: Fraction | None = None
    coefficient: Fraction | None = None
    factor: Fraction = Fraction(1)  # readmission, age, class
    published: Fraction | None = None
    unit_value: Fraction | None = None
    reference: Fraction | None = None  # without coefficient
    compared: Fraction | None = None  # what r divides by
    ratio: Fraction | None = None
    paid_units: Fraction | None = None
    standard: Fraction | None = None  # yuan, not rounded
    beside: Fraction = Fraction(0)  # yuan beside what the units are worth
    points: Fraction | None = None  # stated in points, whatever the curve says
    amount: int | None = None
    fixed_fund: int | None = None  # of a single disease
    fund: int | None = None
    above: int | None = None
    shadow: Paid | None = None

    @property
    def row(self) -> Row:
        """The cells."""
        return self.stay.row

    @property
    def cost(self) -> Fraction | None:
        """The bill."""
        return self.stay.cost

    @property
    def payer(self) -> str | None:
        """employee, resident, self; None where unknown."""
        return self.stay.payer

    @property
    def discharged(self) -> date | None:
        """Day of discharge."""
        return self.stay.discharged

    @property
    def bare(self) -> bool:
        """A group with a published standard and no relative value: no unit value changes what it is paid."""
        return self.curve is not None and self.published is not None and self.value is None

    @property
    def price_of_one(self) -> Fraction | None:
        """Yuan of the case without coefficient: relative value x auxiliary coefficient x unit value, or as published."""
        if self.published is not None and self.coefficient:
            return self.published / self.coefficient * self.stay.auxiliary
        return None if self.units is None or self.unit_value is None else self.units * self.unit_value

    def unpaid(self, why: str) -> None:
        """No rule gives an amount."""
        self.case_class, self.why, self.amount, self.curve, self.paid_units = "unpaid", why, None, None, None
        self.points = self.standard = None

    def pays(self, case_class: str, yuan: Fraction | None) -> None:
        """An amount fixed in yuan."""
        if yuan is None:
            self.unpaid(f"{case_class} lacks its amount")
            return
        self.case_class, self.amount, self.curve, self.paid_units = case_class, fen(yuan), None, None

    def pay_units(self) -> None:
        """What its units are worth, with everything beside them."""
        price = self.price_of_one
        if price is None or self.paid_units is None:
            self.unpaid("no unit value")
            return
        self.amount = fen(price * self.paid_units * self.factor + self.beside)

    def pay_standard(self, case_class: str, times: Fraction = Fraction(1)) -> None:
        """Relative value x coefficient, or a multiple of it, whatever the curve says, with the factors of the case."""
        assert self.coefficient is not None
        self.case_class, self.curve, self.paid_units = case_class, self.used, self.coefficient * times
        self.pay_units()

    @property
    def digit(self) -> str:
        """Its level without grade."""
        return next((key[0] for key in self.levels if key[0].isdigit()), "")

    @property
    def by_excess(self) -> Any:
        """The largest excess of the bill over the standard first; equal ones by bill, group, hospital and id."""
        standard, cost = fen(self.standard or Fraction(0)), self.stay.cost_fen
        return standard - cost, -cost, self.group, self.stay.hospital, text(self.row, "discharge_id")

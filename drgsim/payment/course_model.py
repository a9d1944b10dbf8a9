"""What a policy file may say of stays of a special course (特殊病程)."""

from __future__ import annotations

from typing import ClassVar, Literal

from drgsim.parameters.evidence import Evidence, Strict
from drgsim.payment.case_class import CaseClass


class Course(Strict):
    """Stays of a special course (transfers, deaths, leaving against advice), by way of leaving, days and cost ratio.

    The cases that the curve calls normal and that meet every condition stated; the first entry that fits counts. ``pays`` is
    ``by_item``, or a factor on the standard. ``ratio_over`` is exclusive, the other limits are inclusive.
    """

    title_zh: str
    title: str
    ways: tuple[int, ...] = ()
    days_from: float | None = None
    days_upto: float | None = None
    ratio_over: float | None = None
    ratio_upto: float | None = None
    case_class: CaseClass = CaseClass.INCOMPLETE
    pays: float | Literal["by_item"]
    source: str
    evidence: Evidence
    note: str = ""
    unit: ClassVar[str] = "rule"

    @property
    def shown(self) -> str:
        """What the stays are paid."""
        return f"{self.title}: {self.pays if self.pays == 'by_item' else f'{self.pays:g} x standard'}"

"""Who and what is paid by groups: members (试点机构) and chosen groups (入选病组) of a policy, as its file states them."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import model_validator

from drgsim.language import text
from drgsim.parameters.evidence import Evident, Strict, UsualUnit, Value
from drgsim.payment.level_keys import Level


class Members(Evident):
    """Institutions that the policy pays by groups (试点机构); all others are paid by item.

    ``hospitals`` names them by id, ``levels`` adds all of a level. ``count`` says how many there are where their names are not
    public: those that hospitals.csv names in its column ``member_of``, else the ``count`` hospitals of ``levels`` (of all
    levels, where none is stated) with most discharges, which is told.
    """

    hospitals: tuple[str, ...] = ()
    levels: tuple[Level, ...] = ()
    count: int | None = None

    @property
    def shown(self) -> str:
        """What is stated, in one line."""
        parts = [", ".join(self.hospitals), ", ".join(f"level {level}" for level in self.levels)]
        number = "" if self.count is None else f"{self.count} hospitals"
        return "; ".join(part for part in (number, *parts) if part)

    @model_validator(mode="after")
    def _names_some(self) -> Self:
        if not self.hospitals and not self.levels and self.count is None:
            raise ValueError(text("name hospitals or levels, or state their count"))
        if self.count is not None and self.count < 1:
            raise ValueError(text("count is {count}; it must be 1 or more", count=self.count))
        return self


class HistoryRule(Strict):
    """Choose the ``groups`` groups of largest ``by`` (cost, or cases) whose CV of cost lies below ``maximum_cv``.

    CV is the population one, untrimmed; a group of one case has none. Of equal groups the first by code counts.
    """

    groups: Annotated[Value[int], UsualUnit(text("groups"))]
    maximum_cv: Annotated[Value[float], UsualUnit(text("CV"))]
    by: Annotated[Value[Literal["cost", "cases"]], UsualUnit(text("rule"))]

    @model_validator(mode="after")
    def _chooses_some(self) -> Self:
        if self.groups.value < 1 or not self.maximum_cv.value > 0:
            raise ValueError(text("groups is 1 or more, and maximum_cv is above 0"))
        return self


class GroupSelection(Strict):
    """Groups that are paid by groups; all others are paid by item (按项目).

    ``groups`` names them; ``from_history`` is the rule that chooses them where their names are not public: from the years
    before in budgets and scenarios, in settling from a table of weights with ``cases``, ``mean_cost`` and ``cv``, else from the
    cases themselves, which is told. ``note`` says how they were chosen.
    """

    groups: tuple[str, ...] = ()
    from_history: HistoryRule | None = None
    note: str = ""

    @model_validator(mode="after")
    def _has_rule(self) -> Self:
        if not self.groups and self.from_history is None:
            raise ValueError(text("name groups, or state the rule from_history that chooses them"))
        return self

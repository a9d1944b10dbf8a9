"""New technologies (新技术) of a scenario: who gets them, what they cost, whether they are paid beside the group."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from drgsim.errors import Problem, did_you_mean
from drgsim.language import text
from drgsim.parameters.evidence import Strict
from drgsim.parameters.strict_file import validated
from drgsim.payment.level_keys import Level
from drgsim.simulation.scenario import Change
from drgsim.simulation.simulated_region import Cohort


class TechnologyTable(Strict):
    """The table of a new technology as a scenario writes it; see :class:`Technology`."""

    adrg: tuple[str, ...] = Field(min_length=1)
    share: float = Field(gt=0, le=1)
    cost: float = Field(gt=0)
    level: tuple[Level, ...] = ()
    exempt: bool = False
    patient_share: float = Field(default=0.3, ge=0, le=1)


@dataclass(frozen=True)
class Technology:
    """A new technology: ``share`` of the cases of some ADRGs (at some levels) cost ``cost`` yuan more.

    ``exempt``: the cost is paid by item beside the group's price; ``patient_share`` is the patient's part of it.
    """

    name: str
    adrg: tuple[str, ...]
    share: float
    cost: float
    level: tuple[str, ...]
    exempt: bool
    patient_share: float

    @property
    def words(self) -> str:
        """What it is, in one line."""
        of: str = "/".join(self.adrg)
        if self.level:
            of = text("{adrg} at level {levels}", adrg=of, levels="/".join(self.level))
        said = text("{share:.2%} of {adrg}, {cost:,.0f} yuan each", share=self.share, adrg=of, cost=self.cost)
        return text("{said}, paid beside the group", said=said) if self.exempt else said

    def members(self, cohort: Cohort, at: NDArray[np.bool_], draw: NDArray[np.float64]) -> NDArray[np.bool_]:
        """The cases that get it, by their own draw; ``at`` are those of hospitals of its levels."""
        return np.asarray(cohort.adrg.among(self.adrg) & at & (draw < self.share))


def read_technology(name: str, change: Change, cohort: Cohort) -> tuple[Technology | None, list[Problem]]:
    """Read the table of a new technology; ADRGs must occur in the region."""
    where = change.where or change.path
    found: list[Problem] = []
    file = validated(TechnologyTable, change.value, "scenario", where, found)
    if file is None:
        return None, [
            replace(problem, what=text("{path}: {what}", path=change.path, what=problem.what), where=where) for problem in found
        ]
    unknown = [code for code in file.adrg if code not in cohort.adrg.values]
    if unknown:
        fix = did_you_mean(unknown[0], cohort.adrg.values)
        what = text("{path}: no case of the region has the ADRG {unknown}", path=change.path, unknown=", ".join(unknown))
        return None, [Problem("scenario-out-of-scope", what, where=where, fix=fix)]
    return Technology(name, file.adrg, file.share, file.cost, file.level, file.exempt, file.patient_share), []

"""What moving discharges from one scheme to another comes to, as plain values: flows, groups that split or merge, hospitals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from drgsim.analysis.labelled_weights import ESTIMATED, LabelledWeights
from drgsim.language import text
from drgsim.units.drg.drg_grouper import STATUSES
from drgsim.units.schemes.scheme import Scheme

LEAST_SHARE = 0.05  # a part below this share of its group does not make a split or merge; assumption
GROUPED = STATUSES[0]


@dataclass(frozen=True)
class Answer:
    """What a scheme says of a case: DRG (``0000`` without one) and status."""

    drg: str
    status: str

    @property
    def grouped(self) -> bool:
        """Whether the case has a plain group."""
        return self.status == GROUPED


@dataclass(frozen=True)
class Flow:
    """Cases that one scheme puts into ``before`` and the other into ``after``; ``fen`` is their cost."""

    before: Answer
    after: Answer
    cases: int
    fen: int


@dataclass
class MigrationSide:
    """One of the two schemes with what the cases came to under it.

    Attributes
    ----------
    weights
        Relative weights that were used.
    cases, fen
        By DRG of the plainly grouped cases.
    """

    scheme: Scheme
    weights: LabelledWeights
    cases: Counter[str] = field(default_factory=Counter)
    fen: Counter[str] = field(default_factory=Counter)

    def weight(self, answer: Answer) -> float | None:
        """Weight per case of an answer; None where it has none."""
        return self.weights.by_drg.get(answer.drg) if answer.grouped else None

    def name(self, answer: Answer) -> str:
        """Chinese name of the group, empty without one."""
        return self.scheme.drgs[answer.drg].name if answer.drg in self.scheme.drgs else ""

    def adrg(self, answer: Answer) -> str:
        """ADRG, empty without a group."""
        return self.scheme.drgs[answer.drg].adrg if answer.drg in self.scheme.drgs else ""

    def mdc(self, answer: Answer) -> str:
        """MDC, empty without a group."""
        return self.scheme.adrgs[self.adrg(answer)].mdc if answer.drg in self.scheme.drgs else ""


@dataclass(frozen=True)
class Part:
    """A share of a group's cases that goes to, or comes from, one answer of the other scheme."""

    answer: Answer
    cases: int
    share: float


@dataclass(frozen=True)
class GroupChange:
    """What becomes of a group (side ``from``), or what a group is made of (side ``to``).

    Attributes
    ----------
    change
        ``kept`` (one part of the same code), ``renamed`` (one part of another code), ``split`` or ``merged`` (several parts of
        at least ``LEAST_SHARE``), ``ungrouped`` (its largest part has no plain group in the other scheme).
    in_other
        Whether the other scheme has a group of the same code.
    parts
        Largest first.
    """

    side: str
    drg: str
    name: str
    mdc: str
    cases: int
    fen: int
    weight: float | None
    change: str
    in_other: bool
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class HospitalMove:
    """A hospital under both schemes.

    The case-mix index (CMI) is the mean relative weight of the plainly grouped cases whose group has a weight.
    ``relative`` is CMI / CMI of all hospitals, which can be compared even where the two weight tables have different
    bases. Rank 1 is the highest CMI.
    """

    hospital: str
    cases: int
    grouped_before: int
    grouped_after: int
    cmi_before: float | None
    cmi_after: float | None
    relative_before: float | None
    relative_after: float | None
    rank_before: int | None
    rank_after: int | None

    @property
    def change(self) -> float | None:
        """Relative CMI after / before - 1."""
        if not self.relative_before or self.relative_after is None:
            return None
        return self.relative_after / self.relative_before - 1


@dataclass
class Migration:
    """The same discharges under two schemes.

    Attributes
    ----------
    flows
        Most cases first.
    hospitals
        In the order of their CMI before; empty without a column of hospitals, and where the weights are not ``comparable``.
    has_cost, has_hospitals
        Whether every input has the column.
    absent
        For each scheme the columns that its rules ask for and no input has.
    """

    inputs: list[Path]
    before: MigrationSide
    after: MigrationSide
    flows: list[Flow]
    hospitals: list[HospitalMove]
    cmi: tuple[float | None, float | None]
    has_cost: bool
    has_hospitals: bool
    least_share: float
    absent: dict[str, list[str]]

    @property
    def comparable(self) -> bool:
        """Whether both sides have weights of one method: tables, or estimates from this input."""
        return self.before.weights.estimated == self.after.weights.estimated

    @property
    def cases(self) -> int:
        """Number of discharges."""
        return sum(flow.cases for flow in self.flows)

    @property
    def fen(self) -> int:
        """Cost of all discharges in fen."""
        return sum(flow.fen for flow in self.flows)

    def status(self) -> Counter[tuple[str, str]]:
        """(status before, status after) -> cases."""
        counts: Counter[tuple[str, str]] = Counter()
        for flow in self.flows:
            counts[flow.before.status, flow.after.status] += flow.cases
        return counts

    def moved(self, level: str) -> int:
        """Cases whose ``drg``, ``adrg`` or ``mdc`` code differs."""

        def code(side: MigrationSide, answer: Answer) -> str:
            return answer.drg if level == "drg" else getattr(side, level)(answer)

        return sum(f.cases for f in self.flows if code(self.before, f.before) != code(self.after, f.after))

    def groups(self) -> list[GroupChange]:
        """Every group that has cases, of both schemes, most cases first."""
        changes = [*self._changes("from"), *self._changes("to")]
        return sorted(changes, key=lambda group: (group.side, -group.cases, group.drg))

    def _changes(self, which: str) -> Iterator[GroupChange]:
        own, other = (self.before, self.after) if which == "from" else (self.after, self.before)
        parts: dict[Answer, Counter[Answer]] = {}
        for flow in self.flows:
            mine, theirs = (flow.before, flow.after) if which == "from" else (flow.after, flow.before)
            if mine.grouped:
                parts.setdefault(mine, Counter())[theirs] += flow.cases
        for answer, counted in parts.items():
            total = sum(counted.values())
            listed = tuple(Part(part, n, n / total) for part, n in counted.most_common())
            large = sum(part.share >= self.least_share for part in listed)
            if large > 1:
                change = "split" if which == "from" else "merged"
            elif not listed[0].answer.grouped:
                change = "ungrouped"
            else:
                change = "kept" if listed[0].answer.drg == answer.drg else "renamed"
            yield GroupChange(
                which,
                answer.drg,
                own.name(answer),
                own.mdc(answer),
                total,
                own.fen[answer.drg],
                own.weight(answer),
                change,
                answer.drg in other.scheme.drgs,
                listed,
            )

    def notes(self) -> list[str]:
        """What has to be known to read the figures."""
        notes: list[str] = [
            text("{role}: {scheme}, weights {label}", role=role, scheme=side.scheme.id, label=side.weights.label)
            for role, side in self._roles()
        ]
        if not self.comparable:
            notes.append(
                text(
                    "one side has weights of a table and the other estimates them: the case-mix index of hospitals "
                    "is not compared; give tables for both schemes, or {estimated}",
                    estimated=ESTIMATED,
                )
            )
        elif self.before.weights.label != self.after.weights.label:
            notes.append(
                text("the two weights have different bases: compare relative CMI and ranks, not CMI or sums of weight")
            )
        if any(side.weights.evidence == "assumption" for _, side in self._roles()):
            notes.append(
                text("an estimated weight is the mean cost of a group over the mean cost of all grouped cases of this input")
            )
        notes += [
            text("{name}: no column {columns}, missing in every record", name=name, columns=", ".join(columns))
            for name, columns in self.absent.items()
        ]
        return notes

    def _roles(self) -> list[tuple[str, MigrationSide]]:
        return [("from", self.before), ("to", self.after)]

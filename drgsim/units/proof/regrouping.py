"""What a scheme answers that groups again with each other procedure alone where nothing holds (``each_other_procedure``).

The first other procedure that leads to a group decides. Their order is free, so a record can be put in any order in which the
deciding procedure comes first of those that lead to a group.
"""

from __future__ import annotations

from drgsim.units.proof.clauses import TRUE, Model
from drgsim.units.proof.record_literals import CodeView
from drgsim.units.proof.rule_literals import GroupLiterals, RuleLiterals
from drgsim.units.schemes.scheme import UNGROUPED


class Regrouping:
    """The other procedure that decides for one scheme, alone."""

    def __init__(self, rules: RuleLiterals) -> None:
        self.rules = rules
        self._record, self._clauses = rules.record, rules.record.clauses
        whole = self._record.views["procedures"]
        self.deciding = self._clauses.one_of(len(whole.principal))  # by class; class 0 decides nothing
        for chosen, ladder in zip(self.deciding[1:], whole.others[1:], strict=True):
            self._clauses.add(-chosen, ladder[0])
        self.used = -self.deciding[0]
        self.again = rules.first_group(self.alone(self.deciding))
        self._said: set[tuple[int, ...]] = set()

    def alone(self, deciding: list[int]) -> CodeView:
        """One procedure and no other."""
        return CodeView(deciding, [[] for _ in deciding])

    def groups(self, whole: GroupLiterals) -> GroupLiterals:
        """Of which group a discharge is by the whole record, else by the deciding procedure.

        That no other procedure leads to a group is said for classes of procedures as they turn up (:meth:`refine`).
        """
        clauses = self._clauses
        again = self.again
        clauses.add(-self.used, -whole.some)
        clauses.add(-self.used, again.some)
        found = {code: [literal] for code, literal in whole.groups.items() if code != UNGROUPED}
        for code, literal in again.groups.items():
            if code != UNGROUPED:
                found.setdefault(code, []).append(clauses.all_of([self.used, literal]))
        self.none = clauses.all_of([-whole.some, -self.used])
        groups = {code: clauses.any_of(literals) for code, literals in found.items()}
        return GroupLiterals({**groups, UNGROUPED: self.none}, -self.none)

    def refine(self, model: Model) -> bool:
        """Say of the other procedures of a model that they lead to no group where none decides; whether that was new."""
        whole = self._record.views["procedures"]
        new = False
        for number, ladder in enumerate(whole.others):
            if ladder and ladder[0] in model:
                constant = [TRUE if at == number else -TRUE for at in range(len(whole.others))]
                leads = self.rules.first_group(self.alone(constant)).some
                clause = (-self.none, -ladder[0], -leads)
                new |= clause not in self._said
                self._said.add(clause)
                self._clauses.add(*clause)
        return new

    def first_procedure(self, model: Model) -> int:
        """Class of the procedure that decides in a model, 0 for none."""
        return next(number for number, literal in enumerate(self.deciding) if literal in model)


class RegroupingOrder:
    """Where both schemes group again: which orders of the other procedures are possible, since the first one decides."""

    def __init__(self, first: Regrouping, second: Regrouping) -> None:
        clauses = first.rules.record.clauses
        self._pair = (first, second)
        exchanged = [one.rules.first_group(one.alone(two.deciding)) for one, two in ((first, second), (second, first))]
        same = clauses.new()
        clauses.equal_where(same, zip(first.deciding, second.deciding, strict=True))
        for one, two, found in ((first, second, exchanged[0]), (second, first, exchanged[1])):
            clauses.add(-one.none, -two.used, -found.some)
            # what follows from the same procedure is said, since a solver would find it out gate by gate
            clauses.equal_where(same, ((literal, found.groups[code]) for code, literal in one.again.groups.items()))
        clauses.add(-first.used, -second.used, same, -exchanged[0].some, -exchanged[1].some)
        self._second_first = exchanged[1].some  # the first scheme's procedure would decide for the second one as well

    def classes(self, model: Model) -> list[int]:
        """Classes of the deciding procedures, the one that has to come first before the other."""
        numbers = [each.first_procedure(model) for each in self._pair]
        return numbers[::-1] if self._second_first in model else numbers

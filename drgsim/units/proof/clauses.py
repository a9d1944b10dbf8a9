"""Formulas as clauses of a SAT solver: gates, one of many, counters.

A literal is a whole number, its negation the negative one. Equal gates are made once, so that what two schemes have in common
is one and the same literal and needs no proof.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

from drgsim.errors import UsageError
from drgsim.language import text

TRUE = 1
INSTALL = 'pip install "drgsim[prove]"'


_CONFLICTS = 20_000  # after which the solver looks at the clock, a second or two


class TimeIsUp(Exception):
    """The solver was stopped."""


class Model:
    """Literals that hold together: ``literal in model``."""

    def __init__(self, literals: Sequence[int]) -> None:
        self._literals = literals

    def __contains__(self, literal: int) -> bool:
        at = abs(literal) - 1
        return self._literals[at] == literal if at < len(self._literals) else literal < 0  # what no clause names is free


class Clauses:
    """Clauses that grow, and a solver for them.

    Raises
    ------
    UsageError
        ``prove-not-installed``: the solver is not installed.
    """

    def __init__(self) -> None:
        try:
            from pysat.solvers import Solver
        except ModuleNotFoundError as error:
            what = text("schemes are proved equal by a SAT solver, which is not installed")
            raise UsageError.single("prove-not-installed", what, fix=text("install it: {install}", install=INSTALL)) from error
        self._solver: Any = Solver("glucose4", incr=False)
        self._last = 0
        self._gates: dict[frozenset[int], int] = {}
        self._counts: dict[tuple[tuple[int, ...], int], list[int]] = {}
        self.add(self.new())  # TRUE

    def new(self) -> int:
        """A literal that nothing is known of."""
        self._last += 1
        return self._last

    def add(self, *literals: int) -> None:
        """One of these holds."""
        self._solver.add_clause(literals)

    def all_of(self, literals: Iterable[int]) -> int:
        """The literal that holds when all of these do."""
        wanted = frozenset(literals) - {TRUE}
        if -TRUE in wanted or any(-each in wanted for each in wanted):
            return -TRUE
        if len(wanted) < 2:
            return next(iter(wanted), TRUE)
        gate = self._gates.get(wanted)
        if gate is None:
            gate = self._gates[wanted] = self.new()
            for each in wanted:
                self.add(-gate, each)
            self.add(gate, *(-each for each in wanted))
        return gate

    def any_of(self, literals: Iterable[int]) -> int:
        """The literal that holds when some of these do."""
        return -self.all_of(-each for each in literals)

    def one_of(self, number: int) -> list[int]:
        """So many literals of which exactly one holds."""
        literals = [self.new() for _ in range(number)]
        self.at_most_one(literals)
        self.add(*literals)
        return literals

    def at_most_one(self, literals: Sequence[int]) -> None:
        """No two of these hold."""
        before = -TRUE
        for each in literals:
            self.add(-before, -each)
            before = self.any_of([before, each])

    def equal_where(self, condition: int, pairs: Iterable[tuple[int, int]]) -> None:
        """Where the condition holds, both literals of each pair do or neither."""
        for first, second in pairs:
            self.add(-condition, -first, second)
            self.add(-condition, first, -second)

    def counted(self, literals: Sequence[int], most: int) -> list[int]:
        """Literals ``at least 1``, ``at least 2``, ... ``at least most`` of these hold; fewer where there are fewer."""
        given = (tuple(sorted(literals)), most)
        if given not in self._counts:
            self._counts[given] = self._count(given[0], most)
        return self._counts[given]

    def _count(self, literals: Sequence[int], most: int) -> list[int]:
        if len(literals) <= 1:
            return list(literals)[:most]
        middle = len(literals) // 2
        first, second = self._count(literals[:middle], most), self._count(literals[middle:], most)
        total = [self.new() for _ in range(min(most, len(first) + len(second)))]
        for a in range(len(first) + 1):
            for b in range(len(second) + 1):
                if a + b:
                    enough = [-part[n - 1] for part, n in ((first, a), (second, b)) if n]
                    self.add(*enough, total[min(a + b, len(total)) - 1])
                if a + b < len(total):
                    more = [part[n] for part, n in ((first, a), (second, b)) if n < len(part)]
                    self.add(*more, -total[a + b])
        return total

    def prefer(self, literals: Sequence[int]) -> None:
        """Try these first where the clauses leave a choice."""
        self._solver.set_phases(literals)

    def solve(self, assumed: Sequence[int], until: float) -> Model | None:
        """What may hold together with the assumed literals; None when they cannot hold.

        Raises
        ------
        TimeIsUp
            When the monotonic clock is past ``until``.
        """
        while time.monotonic() < until:
            self._solver.conf_budget(_CONFLICTS)
            found = self._solver.solve_limited(assumptions=list(assumed))
            if found is not None:
                return Model(self._solver.get_model()) if found else None
        raise TimeIsUp

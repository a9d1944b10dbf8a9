"""The index of a budget year: bases of inpatient and outpatient care, their factors, limits, and what closes the sum.

As docs/budget.md has it (rule book 4.1 says that no formula is public). Money in fen, as fractions until it is closed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from tests.audit.plain_numbers import fraction, shared_out, whole
from tests.audit.year_facts import Facts, Terms, Year, bound, by_level, per_point

Amounts = Sequence[Sequence[Fraction]]


def year_weights(terms: Terms, at: int) -> dict[int, Fraction]:
    """Weight of each year before ``at`` in a base, the newest first."""
    weights = [fraction(text) for text in terms["index"]["year_weights"]["value"]]
    return {at - 1 - back: weight for back, weight in enumerate(weights) if at - 1 - back >= 0}


def mean_of(weights: Mapping[int, Fraction], values: Sequence[Fraction | int]) -> Fraction:
    """Weighted mean over the years in which a figure is above 0; 0 where there is none."""
    known = {place: weight for place, weight in weights.items() if values[place] > 0}
    total = sum(known.values(), Fraction(0))
    return sum((weight * values[place] for place, weight in known.items()), Fraction(0)) / total if total else Fraction(0)


class IndexAudit:
    """Indices of a year: ``history`` (H, Y) is what past years count, ``outside`` (H, Y) the outpatient part of it."""

    def __init__(
        self, facts: Facts, terms: Terms, at: int, scores: Sequence[Fraction | None], history: Amounts, outside: Amounts
    ) -> None:  # fmt: skip
        self.facts, self.terms, self.at, self.scores = facts, terms, at, scores
        self.told: Mapping[str, Any] = terms["index"]
        self.newest = at if self.told["timing"]["value"] == "actual" else at - 1
        self.weights = year_weights(terms, at)
        self.hospitals = range(len(facts.levels))
        self.inside = [[a - b for a, b in zip(*pair, strict=True)] for pair in zip(history, outside, strict=True)]
        self.outside = outside

    def close(self, budget: int, found: Year) -> None:
        """Indices of all hospitals, and what of the fund's budget stands beside them."""
        fund, raw = self.terms["fund"], self._raw(found)
        reserve = whole(fraction(fund["reserve"]["value"]) * budget)
        held = whole(fraction(fund["adjustment_fund"]["value"]) * budget)
        pool = budget - reserve - held
        agreed = [row[self.at] for row in self.facts.negotiated]
        wanted = [amount * (1 + self.facts.negotiated_share[place][self.at]) for place, amount in enumerate(raw)]
        while True:
            left, total = pool - sum(agreed), sum(wanted, Fraction(0))
            given = left if fund["closing"]["value"] == "exact" or total >= left else whole(total)
            found.index = [part + own for part, own in zip(shared_out(given, wanted), agreed, strict=True)]
            below = [place for place in self.hospitals if found.index[place] < 0]
            if not below:
                break
            for place in below:  # nobody owes an index
                wanted[place], agreed[place] = Fraction(0), 0
        found.fund = {"reserve": reserve, "adjustment_fund": held, "unallocated": pool - sum(found.index)}

    def _raw(self, found: Year) -> list[Fraction]:
        """Bases x factors within limits, less procurement savings, with services that moved."""
        raw = []
        for hospital in self.hospitals:
            base, moved = self._part(hospital, self.inside, outpatient=False)
            beside, beside_moved = self._part(hospital, self.outside, outpatient=True)
            whole_base, running = base + beside, moved + beside_moved
            found.base.append(whole_base)
            found.outpatient.append(beside_moved / running if running else Fraction(0))
            if self._worked(hospital):
                limits = self.told["limits"]
                running = min(max(running, fraction(limits["low"]) * whole_base), fraction(limits["high"]) * whole_base)
            raw.append(max(running - self._savings(hospital, whole_base), Fraction(0)))
        return [max(amount + extra, Fraction(0)) for amount, extra in zip(raw, self._moved(), strict=True)]

    def _worked(self, hospital: int) -> dict[int, Fraction]:
        """Weights of the base years in which the hospital treated anybody, adding up to 1."""
        facts = self.facts
        worked = {
            place: weight for place, weight in self.weights.items()
            if facts.cases[hospital][place] > 0 or facts.visits[hospital][place] > 0
        }  # fmt: skip
        total = sum(worked.values())
        return {place: weight / total for place, weight in worked.items()} if total else {}

    def _part(self, hospital: int, history: Amounts, *, outpatient: bool) -> tuple[Fraction, Fraction]:
        """Base of inpatient or of outpatient care, and what it is after all factors."""
        shares, facts = self._worked(hospital), self.facts
        if not shares:
            base = self._instead(hospital, history, facts.visits if outpatient else facts.weight)
            return base, base
        base = sum((share * history[hospital][place] for place, share in shares.items()), Fraction(0))
        weights = facts.weight[hospital], facts.weighted[hospital]
        cmi = [weight / count if count else Fraction(0) for weight, count in zip(*weights, strict=True)]
        factor = self._yearly(hospital, history, shares)
        factor *= self._growth((facts.heads if outpatient else facts.people)[hospital], self.told["people"])
        factor *= self._growth((facts.visits if outpatient else facts.cases)[hospital], self.told["volume"])
        factor *= Fraction(1) if outpatient else self._growth(cmi, self.told["cmi"])
        return base, base * factor * per_point(self.scores[hospital], self.told["quality"])

    def _instead(self, hospital: int, history: Amounts, measure: Sequence[Sequence[Fraction | int]]) -> Fraction:
        """Without a history: what its level counts per unit of weight (or visit) a year ago x its own."""
        known = [other for other in self.hospitals if self._worked(other)]
        alike = [other for other in known if self.facts.levels[other] == self.facts.levels[hospital]]
        if not sum(measure[other][self.at - 1] for other in alike):
            alike = known
        units = sum((Fraction(measure[other][self.at - 1]) for other in alike), Fraction(0))
        spent = sum((history[other][self.at - 1] for other in alike), Fraction(0))
        return spent / units * measure[hospital][self.at] if units else Fraction(0)

    def _yearly(self, hospital: int, history: Amounts, shares: Mapping[int, Fraction]) -> Fraction:
        """Growth, prices and wages, and technology: once, or from each base year on."""
        levels = self.facts.levels[hospital]
        rate = (1 + fraction(self.told["growth"]["value"])) * (1 + by_level(self.told["price_wage"], levels))
        rate *= 1 + by_level(self.told["technology"], levels)
        if self.told["lag"]["value"] == "once":
            return rate
        parts = {place: share * history[hospital][place] for place, share in shares.items()}
        total = sum(parts.values(), Fraction(0))
        grown = sum((part * rate ** (self.at - place) for place, part in parts.items()), Fraction(0))
        return grown / total if total else rate

    def _growth(self, values: Sequence[Fraction | int], told: Mapping[str, Any]) -> Fraction:
        mean = mean_of(self.weights, values)
        if not mean or not values[self.newest]:
            return Fraction(1)
        power = float(Fraction(values[self.newest]) / mean) ** float(fraction(told["elasticity"]))
        return bound(Fraction(power), told)

    def _savings(self, hospital: int, base: Fraction) -> Fraction:
        told, place = self.told["procurement"], self.at - 1
        cost = self.facts.cost[hospital][place]
        share = Fraction(cost - self.facts.patient[hospital][place], cost) if cost else Fraction(0)
        return min(fraction(told["share"]) * self.facts.savings[hospital][place] * share, fraction(told["most"]) * base)

    def _moved(self) -> list[Fraction]:
        told, low = self.told["moved"], [row[self.at - 1] for row in self.facts.low_weight]
        gives = [by_level(told, self.facts.levels[hospital]) * low[hospital] for hospital in self.hospitals]
        takes = [
            low[hospital] if set(told["to_levels"]) & set(self.facts.levels[hospital]) else 0 for hospital in self.hospitals
        ]
        entered = [Fraction(row[self.at]) for row in self.facts.moved]
        if not sum(takes):
            return entered
        return [entered[place] - gives[place] + sum(gives) * takes[place] / sum(takes) for place in self.hospitals]

"""A budget year computed a second time: index, closing, quality score, sharing, cover and cash, from the text of the terms.

The formulas, in our own words (rule book 4.1 says that none is public; they are as docs/budget.md has them):

- index = (base x factors, within limits, - procurement savings + moved services) x what closes the sum on the fund's pool,
  whole fen by largest remainder, beside what was negotiated; base = weighted mean of what past years count
  (:mod:`tests.audit.index_audit`).
- A schedule gives the fund's share of each yuan of surplus or overspend by bands of due / index (rule book 5); what of an
  overspend nobody bore may count as used in the next year.
- The fund covers overspends as far as its reserves, what is not allocated and returned surplus reach, cut in proportion.
- Cash: prepaid months, months less the deposit until the index is used, deposit by the score, the rest at clearing.
- Pools: each is a year of its own figures and terms.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from tests.audit.index_audit import IndexAudit, year_weights
from tests.audit.plain_numbers import fraction, shared_out, whole
from tests.audit.year_facts import PARTS, Facts, Terms, Year, by_level, per_point, scores


class YearAudit:
    """One year under terms; ``before`` is the year before it, ``history`` and ``outside`` (H, Y) what past years count in the
    base, and the outpatient part of it.
    """

    def __init__(
        self, facts: Facts, terms: Terms, at: int, budget: int, history: Sequence[Sequence[Fraction]],
        outside: Sequence[Sequence[Fraction]], before: YearAudit | None = None,
    ) -> None:  # fmt: skip
        self.facts, self.terms, self.at, self.found = facts, terms, at, Year()
        self.hospitals = range(len(facts.levels))
        self.before = scores(facts, terms, self.at - 1)
        self.found.scores = scores(facts, terms, self.at)
        nothing = [0] * len(facts.levels)
        self.carried_in = [lines["carried_out"] for lines in before.found.cash] if before else nothing
        IndexAudit(facts, terms, at, self.before, history, outside).close(budget, self.found)
        self.owed = [self._owed(hospital) for hospital in self.hospitals]
        idle = [not facts.cases[hospital][at] and not sum(map(abs, self.owed[hospital])) for hospital in self.hospitals]
        carried = before.found.carried if before else nothing
        self.brought = [0 if idle[hospital] else carried[hospital] for hospital in self.hospitals]
        self._sharing(idle)
        self._cash()
        self._warnings()

    # -- what is owed ------------------------------------------------------------------------------------------------
    def _owed(self, hospital: int) -> list[int]:
        """By month; outpatient care as it was paid, or visits or heads x the hospital's own amount of the base years."""
        owed, paid = list(self.facts.owed[hospital][self.at]), self.facts.outpatient[hospital][self.at]
        told = self.terms["outpatient"]
        if told["pays"]["value"] == "by_item":
            return owed
        count = (self.facts.visits if told["pays"]["value"] == "by_visit" else self.facts.heads)[hospital]
        rate = 1 + fraction(told["growth"]["value"])
        each = [
            Fraction(sum(self.facts.outpatient[hospital][place]), number) * rate ** (self.at - place) if number else Fraction(0)
            for place, number in enumerate(count[: self.at])
        ]
        weights = {place: weight for place, weight in year_weights(self.terms, self.at).items() if count[place]}
        total = sum(weights.values(), Fraction(0))
        own = sum((weight * each[place] for place, weight in weights.items()), Fraction(0)) / total if total else Fraction(0)
        if not own:
            return owed
        amount, year = count[self.at] * own, sum(paid)
        until = [
            whole(amount * (Fraction(sum(paid[: month + 1]), year) if year else Fraction(month + 1, 12))) for month in range(12)
        ]
        parts = [until[0], *(until[month] - until[month - 1] for month in range(1, 12))]
        return [amount - was + part for amount, was, part in zip(owed, paid, parts, strict=True)]

    # -- sharing -----------------------------------------------------------------------------------------------------
    def _settled(self, due: int, index: int, score: Fraction | None) -> int:
        if not index:
            return 0
        told = self.terms["sharing"]
        schedule, ratio = told["schedules"][told["use"]["value"]], Fraction(due, index)
        kept, total = per_point(score, told["quality"]), Fraction(index)
        for band in schedule["surplus"]:
            share, lower, upper = fraction(band["fund_share"]), fraction(band["lower"]), fraction(band["upper"])
            if share < 1:
                share = 1 - min((1 - share) * kept, Fraction(1))
            total -= index * share * max(upper - max(lower, ratio), Fraction(0))
        for band in schedule["overspend"]:
            upper = min(ratio, fraction(band["upper"])) if "upper" in band else ratio
            total += index * fraction(band["fund_share"]) * max(upper - fraction(band["lower"]), Fraction(0))
        return whole(total)

    def _sharing(self, idle: Sequence[bool]) -> None:
        facts, found, brought = self.facts, self.found, self.brought
        owed = [sum(months) for months in self.owed]
        surplus = [min(sum(facts.procurement[hospital][self.at]), owed[hospital]) for hospital in self.hospitals]
        found.recorded = [owed[hospital] - surplus[hospital] for hospital in self.hospitals]
        used = [found.recorded[hospital] + brought[hospital] for hospital in self.hospitals]
        wanted = [
            0 if idle[hospital] else self._settled(used[hospital], found.index[hospital], found.scores[hospital])
            for hospital in self.hospitals
        ]
        self.kept = [min(self._kept(hospital), surplus[hospital]) for hospital in self.hospitals]
        over = [max(amount - index, 0) for amount, index in zip(wanted, found.index, strict=True)]
        returned = sum(max(index - amount, 0) for amount, index in zip(wanted, found.index, strict=True))
        reach = found.fund["reserve"] + found.fund["adjustment_fund"] + found.fund["unallocated"] + returned - sum(self.kept)
        given = wanted
        if self.terms["fund"]["cover"]["value"] == "limited" and sum(over) > max(reach, 0):
            parts = shared_out(max(reach, 0), over)
            given = [amount - extra + part for amount, extra, part in zip(wanted, over, parts, strict=True)]
        found.settled = given
        found.fund |= {
            "returned": sum(max(index - amount, 0) for amount, index in zip(given, found.index, strict=True)),
            "borne": sum(max(amount - index, 0) for amount, index in zip(given, found.index, strict=True)),
            "not_covered": sum(wanted) - sum(given),
        }
        share = fraction(self.terms["sharing"]["carry_overspend"]["value"])
        for hospital in self.hospitals:
            unborne = used[hospital] - given[hospital] if used[hospital] > found.index[hospital] else 0
            found.carried.append(whole(share * unborne))
            found.counted.append(self._counts(hospital, used[hospital]))

    def _kept(self, hospital: int) -> int:
        """Procurement surplus that stays with the hospital, each class in whole fen (4.4)."""
        shares, parts = self.terms["cash"]["procurement_kept"]["values"], self.facts.procurement[hospital][self.at]
        return sum(whole(fraction(shares[name]) * part) for name, part in zip(PARTS, parts, strict=True))

    def _counts(self, hospital: int, used: int) -> Fraction:
        """What the year counts in later bases; what is paid for an overspend of the year before is no part of it."""
        told, found = self.terms["index"]["overspend"], self.found
        due, index, settled = found.recorded[hospital], found.index[hospital], found.settled[hospital]
        if self.brought[hospital]:
            settled -= max(min(settled, used) - due, 0)
        borne, unborne = max(settled - index, 0), max(due - settled, 0) if due > index else 0
        if self.terms["index"]["base"]["value"] == "bills":
            less = (1 - fraction(told["borne"])) * borne + (1 - fraction(told["unborne"])) * unborne
            return max(self.facts.spending[hospital][self.at] - less, Fraction(0))
        return max(settled - (1 - fraction(told["borne"])) * borne + fraction(told["unborne"]) * unborne, Fraction(0))

    # -- cash --------------------------------------------------------------------------------------------------------
    def _cash(self) -> None:
        told = self.terms["cash"]
        for hospital in self.hospitals:
            index, owed = self.found.index[hospital], self.owed[hospital]
            score, before = self.found.scores[hospital], self.before[hospital]
            months = by_level(told["prepayment_months"], self.facts.levels[hospital])
            stands = before is None or before >= fraction(told["good_standing"]["value"])
            prepaid = whole(months * index / 12) if stands else 0
            cap, used, deposit = whole(fraction(told["monthly_cap"]["value"]) * index), 0, 0
            self.found.monthly.append([])
            for amount in owed:
                payable = min(used + amount, cap) - min(used, cap)
                used += amount
                held = whole(fraction(told["deposit"]["value"]) * payable)
                deposit += held
                self.found.monthly[-1].append(payable - held)
            released = whole(deposit * self._release(score))
            surplus = max(self.found.settled[hospital] - self.found.recorded[hospital] - self.brought[hospital], 0)
            out = surplus if self.terms["sharing"]["carry_over"]["value"] == "true" else 0
            due = self.found.settled[hospital] + self.kept[hospital] - self.facts.deductions[hospital][self.at]
            due += self.carried_in[hospital] - out - (deposit - released)
            monthly = sum(self.found.monthly[-1])
            lines = {"prepayment": prepaid, "monthly": monthly, "deposit_forfeited": deposit - released, "carried_out": out}
            self.found.cash.append(lines | {"due": due, "released": released, "clearing": due - monthly - released})
        taken = sum(row[self.at] for row in self.facts.deductions)
        self.found.fund["forfeited"] = sum(entry["deposit_forfeited"] for entry in self.found.cash)
        paid = sum(self.found.settled) + sum(self.kept) - taken - self.found.fund["forfeited"]
        self.found.fund |= {"procurement": sum(self.kept), "deductions": taken, "paid": paid}

    def _warnings(self) -> None:
        """Use since January, procurement surplus out in step with what is owed, and the index of the same period."""
        season = [Fraction(1, 12)] * 12
        if self.terms["warning"]["season"]["value"] == "history":
            past = [sum(self.facts.season[place][month] for place in range(self.at)) for month in range(12)]
            season = [Fraction(month, sum(past)) for month in past] if sum(past) else season
        for hospital in self.hospitals:
            surplus, owed = sum(self.owed[hospital]) - self.found.recorded[hospital], self.owed[hospital]
            self.found.to_date.append([sum(season[: month + 1]) * self.found.index[hospital] for month in range(12)])
            used = [sum(owed[: month + 1]) for month in range(12)]
            year = used[-1]
            self.found.used.append([amount - (Fraction(surplus * amount, year) if year else 0) for amount in used])

    def _release(self, score: Fraction | None) -> Fraction:
        told = self.terms["cash"]["release"]
        full, none = fraction(told["full_from"]), fraction(told["none_below"])
        if score is None or score >= full:
            return Fraction(1)
        return max((score - none) / (full - none), Fraction(0))


def run_years(facts: Facts, terms: Terms, budgets: Sequence[int]) -> list[YearAudit]:
    """Years one after the other: each counts in the bases of later years and carries its surplus and overspend on.

    The first year has no index: what its units gave counts, or its bills. Outpatient care is the part of the index that it was,
    where there was one and what is settled counts.
    """
    bills, hospitals = terms["index"]["base"]["value"] == "bills", range(len(facts.levels))

    def part(hospital: int, place: int) -> Fraction:
        whole_year = facts.spending[hospital][place] if bills else sum(facts.owed[hospital][place])
        care = sum(facts.outpatient[hospital][place])
        return min(max(Fraction(care, whole_year), Fraction(0)), Fraction(1)) if whole_year else Fraction(0)

    history = [[Fraction(facts.spending[hospital][0] if bills else sum(facts.owed[hospital][0]))] for hospital in hospitals]
    outside = [[history[hospital][0] * part(hospital, 0)] for hospital in hospitals]
    found: list[YearAudit] = []
    for at, budget in enumerate(budgets[1:], start=1):
        found.append(YearAudit(facts, terms, at, budget, history, outside, found[-1] if found else None))
        year = found[-1].found
        for hospital in hospitals:
            by_index = not bills and year.index[hospital] > 0
            share = year.outpatient[hospital] if by_index else part(hospital, at)
            history[hospital].append(year.counted[hospital])
            outside[hospital].append(year.counted[hospital] * share)
    return found

"""A budget year computed a second time: index, closing, quality score, sharing, cover and cash, from the text of the terms.

The formulas, in our own words (rule book 4.1 says that none is public; they are as docs/budget.md has them):

- index = (base x factors, within limits, - procurement savings + moved services) x what closes the sum on the fund's pool,
  whole fen by largest remainder; base = weighted mean of what past years count.
- A schedule gives the fund's share of each yuan of surplus or overspend by bands of due / index (rule book 5).
- The fund covers overspends as far as its reserves, what is not allocated and returned surplus reach, cut in proportion.
- Cash: prepaid months, months less the deposit until the index is used, deposit by the score, the rest at clearing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

from tests.audit.plain_numbers import shared_out, whole

Terms = Mapping[str, Any]
PARTS = ("selected_within_volume", "selected_beyond_volume", "not_selected")


def terms_text(tables: Path, name: str) -> dict[str, Any]:
    """Terms as texts: the general ones, and over them those of a region; a parameter replaces the one below it."""

    def read(path: Path) -> dict[str, Any]:
        found: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
        return found

    general = read(tables / "budget.yaml")
    if name == "general":
        return general
    for section, entries in read(tables / name / "budget.yaml").items():
        if isinstance(entries, dict) and section in general and section != "sources":
            general[section] = general[section] | entries
    return general


@dataclass
class Facts:
    """Figures of hospitals (H) and years (Y) as plain lists of integers; money in fen, weights and indicators as fractions."""

    levels: Sequence[Sequence[str]]
    years: Sequence[int]
    spending: Sequence[Sequence[int]]
    owed: Sequence[Sequence[Sequence[int]]]  # by month
    cases: Sequence[Sequence[int]]
    people: Sequence[Sequence[int]]
    weight: Sequence[Sequence[Fraction]]
    weighted: Sequence[Sequence[int]]
    cost: Sequence[Sequence[int]]
    patient: Sequence[Sequence[int]]
    low_weight: Sequence[Sequence[int]]
    indicators: Sequence[Sequence[Mapping[str, Fraction | None]]]
    savings: Sequence[Sequence[int]]
    procurement: Sequence[Sequence[Sequence[int]]]
    deductions: Sequence[Sequence[int]]
    moved: Sequence[Sequence[int]]
    season: Sequence[Sequence[int]]  # spending of the region by year and month


@dataclass
class Year:
    """What the auditor finds for a year, H hospitals, fen."""

    index: list[int] = field(default_factory=list)
    base: list[Fraction] = field(default_factory=list)
    scores: list[Fraction | None] = field(default_factory=list)
    recorded: list[int] = field(default_factory=list)
    settled: list[int] = field(default_factory=list)
    counted: list[Fraction] = field(default_factory=list)  # in the base of later years
    cash: list[dict[str, int]] = field(default_factory=list)
    to_date: list[list[Fraction]] = field(default_factory=list)
    used: list[list[Fraction]] = field(default_factory=list)
    fund: dict[str, int] = field(default_factory=dict)


def _by_level(told: Mapping[str, Any], levels: Sequence[str]) -> Fraction:
    values = told["values"]
    return next((Fraction(values[key]) for key in (*levels, "*") if key in values), Fraction(0))


def _bound(value: Fraction, told: Mapping[str, Any]) -> Fraction:
    return min(max(value, Fraction(told["low"])), Fraction(told["high"]))


def _per_point(score: Fraction | None, told: Mapping[str, Any]) -> Fraction:
    if score is None:
        return Fraction(1)
    return _bound(1 + Fraction(told["per_point"]) * (score - Fraction(told["neutral"])), told)


def scores(facts: Facts, terms: Terms, at: int) -> list[Fraction | None]:
    """Weighted mean of points, 0 at worst and 100 at best, over what is measured; by level, less what levels have in common."""
    told, hospitals = terms["quality"], range(len(facts.levels))
    result: list[Fraction | None] = []
    for hospital in hospitals:
        points, weights = Fraction(0), Fraction(0)
        for name, weight in told["weights"]["values"].items():
            value = facts.indicators[hospital][at].get(name)
            if value is None:
                continue
            if told["compare"]["value"] == "level":
                plain = facts.levels[hospital][-1:]
                of_all = [entry for other in hospitals if (entry := facts.indicators[other][at].get(name)) is not None]
                own = [
                    entry for other in hospitals
                    if facts.levels[other][-1:] == plain and (entry := facts.indicators[other][at].get(name)) is not None
                ]  # fmt: skip
                value += sum(of_all, Fraction(0)) / len(of_all) - sum(own, Fraction(0)) / len(own)
            best, worst = Fraction(told["targets"][name]["best"]), Fraction(told["targets"][name]["worst"])
            points += Fraction(weight) * min(max(100 * (value - worst) / (best - worst), Fraction(0)), Fraction(100))
            weights += Fraction(weight)
        result.append(points / weights if weights else None)
    return result


class YearAudit:
    """One year under terms; ``history`` (H, Y) is what past years count in the base."""

    def __init__(
        self, facts: Facts, terms: Terms, year: int, budget: int, history: Sequence[Sequence[Fraction]],
        carried_in: Sequence[int] | None = None,
    ) -> None:  # fmt: skip
        self.facts, self.terms, self.at = facts, terms, facts.years.index(year)
        self.newest = self.at if terms["index"]["timing"]["value"] == "actual" else self.at - 1
        self.history, self.budget, self.found = history, budget, Year()
        self.hospitals = range(len(facts.levels))
        self.before = scores(facts, terms, self.at - 1)
        self.found.scores = scores(facts, terms, self.at)
        self.carried_in = carried_in or [0] * len(facts.levels)
        self._index()
        self._sharing()
        self._cash()
        self._warnings()

    # -- index -------------------------------------------------------------------------------------------------------
    def _shares(self, hospital: int) -> dict[int, Fraction]:
        """Weights of the base years in which the hospital worked."""
        weights = [Fraction(text) for text in self.terms["index"]["year_weights"]["value"]]
        places = {self.at - 1 - back: weight for back, weight in enumerate(weights) if self.at - 1 - back >= 0}
        worked = {place: weight for place, weight in places.items() if self.facts.cases[hospital][place] > 0}
        total = sum(worked.values())
        return {place: weight / total for place, weight in worked.items()} if total else {}

    def _yearly(self, hospital: int) -> Fraction:
        """Growth, prices and wages, and technology: once, or from each base year on."""
        told, levels = self.terms["index"], self.facts.levels[hospital]
        rate = (1 + Fraction(told["growth"]["value"])) * (1 + _by_level(told["price_wage"], levels))
        rate *= 1 + _by_level(told["technology"], levels)
        if told["lag"]["value"] == "once":
            return rate
        parts = {place: share * self.history[hospital][place] for place, share in self._shares(hospital).items()}
        total = sum(parts.values(), Fraction(0))
        grown = sum((part * rate ** (self.at - place) for place, part in parts.items()), Fraction(0))
        return grown / total if total else rate

    def _growth(self, hospital: int, values: Sequence[Fraction | int], told: Mapping[str, Any]) -> Fraction:
        mean = sum((share * values[place] for place, share in self._shares(hospital).items()), Fraction(0))
        if not mean or not values[self.newest]:
            return Fraction(1)
        power = float(Fraction(values[self.newest]) / mean) ** float(Fraction(told["elasticity"]))
        return _bound(Fraction(power), told)

    def _index(self) -> None:
        told, facts = self.terms["index"], self.facts
        raw: list[Fraction] = []
        bases = self._bases()
        for hospital in self.hospitals:
            base = bases[hospital]
            cmi = [
                weight / count if count else Fraction(0)
                for weight, count in zip(facts.weight[hospital], facts.weighted[hospital], strict=True)
            ]
            factor = self._yearly(hospital)
            factor *= self._growth(hospital, facts.people[hospital], told["people"])
            factor *= self._growth(hospital, facts.cases[hospital], told["volume"])
            factor *= self._growth(hospital, cmi, told["cmi"])
            factor *= _per_point(self.before[hospital], told["quality"])
            factor = _bound(factor, told["limits"]) if self._shares(hospital) else Fraction(1)
            raw.append(max(base * factor - self._savings(hospital, base), Fraction(0)))
        moved = self._moved()
        raw = [max(amount + moved[hospital], Fraction(0)) for hospital, amount in enumerate(raw)]
        fund = self.terms["fund"]
        reserve = whole(Fraction(fund["reserve"]["value"]) * self.budget)
        held = whole(Fraction(fund["adjustment_fund"]["value"]) * self.budget)
        pool = self.budget - reserve - held
        if fund["closing"]["value"] == "exact" or sum(raw) > pool:
            self.found.index = shared_out(pool, raw)
        else:
            self.found.index = shared_out(whole(sum(raw, Fraction(0))), raw)
        self.found.base = bases
        self.found.fund = {"reserve": reserve, "adjustment_fund": held, "unallocated": pool - sum(self.found.index)}

    def _bases(self) -> list[Fraction]:
        """Weighted means; a hospital without history starts from what its level spent per weight a year ago x its weight."""
        means = [
            sum((share * self.history[hospital][place] for place, share in self._shares(hospital).items()), Fraction(0))
            for hospital in self.hospitals
        ]
        known = [hospital for hospital in self.hospitals if self._shares(hospital)]
        for hospital in self.hospitals:
            if hospital in known:
                continue
            alike = [other for other in known if self.facts.levels[other] == self.facts.levels[hospital]]
            if not sum(self.facts.weight[other][self.at - 1] for other in alike):
                alike = known
            spent = sum((self.history[other][self.at - 1] for other in alike), Fraction(0))
            weight = sum((self.facts.weight[other][self.at - 1] for other in alike), Fraction(0))
            means[hospital] = spent / weight * self.facts.weight[hospital][self.at]
        return means

    def _savings(self, hospital: int, base: Fraction) -> Fraction:
        told, place = self.terms["index"]["procurement"], self.at - 1
        cost = self.facts.cost[hospital][place]
        share = Fraction(cost - self.facts.patient[hospital][place], cost) if cost else Fraction(0)
        return min(Fraction(told["share"]) * self.facts.savings[hospital][place] * share, Fraction(told["most"]) * base)

    def _moved(self) -> list[Fraction]:
        told, low = self.terms["index"]["moved"], [row[self.at - 1] for row in self.facts.low_weight]
        gives = [
            next((Fraction(told["values"][key]) for key in self.facts.levels[hospital] if key in told["values"]), Fraction(0))
            * low[hospital]
            for hospital in self.hospitals
        ]
        takes = [
            low[hospital] if set(told["to_levels"]) & set(self.facts.levels[hospital]) else 0 for hospital in self.hospitals
        ]
        entered = [Fraction(row[self.at]) for row in self.facts.moved]
        if not sum(takes):
            return entered
        return [entered[place] - gives[place] + sum(gives) * takes[place] / sum(takes) for place in self.hospitals]

    # -- sharing -----------------------------------------------------------------------------------------------------
    def _settled(self, due: int, index: int, score: Fraction | None) -> int:
        if not index:
            return 0
        told = self.terms["sharing"]
        schedule, ratio = told["schedules"][told["use"]["value"]], Fraction(due, index)
        kept, total = _per_point(score, told["quality"]), Fraction(index)
        for band in schedule["surplus"]:
            share, lower, upper = Fraction(band["fund_share"]), Fraction(band["lower"]), Fraction(band["upper"])
            if share < 1:
                share = 1 - min((1 - share) * kept, Fraction(1))
            total -= index * share * max(upper - max(lower, ratio), Fraction(0))
        for band in schedule["overspend"]:
            upper = min(ratio, Fraction(band["upper"])) if "upper" in band else ratio
            total += index * Fraction(band["fund_share"]) * max(upper - Fraction(band["lower"]), Fraction(0))
        return whole(total)

    def _sharing(self) -> None:
        facts, found = self.facts, self.found
        surplus = [sum(facts.procurement[hospital][self.at]) for hospital in self.hospitals]
        owed = [sum(facts.owed[hospital][self.at]) for hospital in self.hospitals]
        found.recorded = [max(owed[hospital] - surplus[hospital], 0) for hospital in self.hospitals]
        idle = [not facts.cases[hospital][self.at] and not owed[hospital] for hospital in self.hospitals]
        wanted = [
            0 if idle[hospital] else self._settled(found.recorded[hospital], found.index[hospital], found.scores[hospital])
            for hospital in self.hospitals
        ]
        shares = self.terms["cash"]["procurement_kept"]["values"]
        self.kept = [
            sum(
                whole(Fraction(shares[name]) * part)
                for name, part in zip(PARTS, facts.procurement[hospital][self.at], strict=True)
            )
            for hospital in self.hospitals
        ]
        over = [max(amount - index, 0) for amount, index in zip(wanted, found.index, strict=True)]
        returned = sum(max(index - amount, 0) for amount, index in zip(wanted, found.index, strict=True))
        reach = found.fund["reserve"] + found.fund["adjustment_fund"] + found.fund["unallocated"] + returned - sum(self.kept)
        if self.terms["fund"]["cover"]["value"] == "limited" and sum(over) > max(reach, 0):
            cut = shared_out(sum(over) - max(reach, 0), over)
            wanted = [amount - part for amount, part in zip(wanted, cut, strict=True)]
        found.settled = wanted
        found.fund |= {"returned": returned, "borne": sum(max(a - b, 0) for a, b in zip(wanted, found.index, strict=True))}
        told = self.terms["index"]["overspend"]
        bills = self.terms["index"]["base"]["value"] == "bills"
        for hospital in self.hospitals:
            due, index, settled = found.recorded[hospital], found.index[hospital], wanted[hospital]
            borne, unborne = max(settled - index, 0), max(due - max(settled, index), 0)
            counts = Fraction(facts.spending[hospital][self.at] if bills else settled)
            if bills:
                counts -= (1 - Fraction(told["borne"])) * borne + (1 - Fraction(told["unborne"])) * unborne
            else:
                counts += -(1 - Fraction(told["borne"])) * borne + Fraction(told["unborne"]) * unborne
            found.counted.append(max(counts, Fraction(0)))

    # -- cash --------------------------------------------------------------------------------------------------------
    def _cash(self) -> None:
        told = self.terms["cash"]
        for hospital in self.hospitals:
            index, owed = self.found.index[hospital], self.facts.owed[hospital][self.at]
            score, before = self.found.scores[hospital], self.before[hospital]
            months = _by_level(told["prepayment_months"], self.facts.levels[hospital])
            stands = before is None or before >= Fraction(told["good_standing"]["value"])
            prepaid = whole(months * index / 12) if stands else 0
            cap, used, deposit, monthly = whole(Fraction(told["monthly_cap"]["value"]) * index), 0, 0, 0
            for amount in owed:
                payable = max(min(used + amount, cap) - min(used, cap), 0)
                used += amount
                held = whole(Fraction(told["deposit"]["value"]) * payable)
                deposit += held
                monthly += payable - held
            release = self._release(score)
            forfeited = deposit - whole(deposit * release)
            surplus = max(self.found.settled[hospital] - self.found.recorded[hospital], 0)
            out = surplus if self.terms["sharing"]["carry_over"]["value"] == "true" else 0
            due = self.found.settled[hospital] + self.kept[hospital] - self.facts.deductions[hospital][self.at] - forfeited
            lines = {"prepayment": prepaid, "monthly": monthly, "deposit_forfeited": forfeited, "carried_out": out}
            self.found.cash.append(lines | {"due": due + self.carried_in[hospital] - out})
        self.found.fund["forfeited"] = sum(entry["deposit_forfeited"] for entry in self.found.cash)

    def _warnings(self) -> None:
        """Use since January, procurement surplus out in step with what is owed, and the index of the same period."""
        season = [Fraction(1, 12)] * 12
        if self.terms["warning"]["season"]["value"] == "history":
            past = [sum(self.facts.season[place][month] for place in range(self.at)) for month in range(12)]
            season = [Fraction(month, sum(past)) for month in past] if sum(past) else season
        for hospital in self.hospitals:
            owed, surplus = self.facts.owed[hospital][self.at], sum(self.facts.procurement[hospital][self.at])
            self.found.to_date.append([sum(season[: month + 1]) * self.found.index[hospital] for month in range(12)])
            used = [sum(owed[: month + 1]) for month in range(12)]
            whole_year = used[-1]
            self.found.used.append([amount - (Fraction(surplus * amount, whole_year) if whole_year else 0) for amount in used])

    def _release(self, score: Fraction | None) -> Fraction:
        told = self.terms["cash"]["release"]
        full, none = Fraction(told["full_from"]), Fraction(told["none_below"])
        if score is None or score >= full:
            return Fraction(1)
        return max((score - none) / (full - none), Fraction(0))


def run_years(facts: Facts, terms: Terms, budgets: Sequence[int]) -> list[YearAudit]:
    """Years one after the other: each counts in the bases of later years and carries its surplus on.

    The first year has no index: what its units gave counts, or its bills.
    """
    bills, hospitals = terms["index"]["base"]["value"] == "bills", range(len(facts.levels))
    history = [[Fraction(facts.spending[hospital][0] if bills else sum(facts.owed[hospital][0]))] for hospital in hospitals]
    carried: list[int] | None = None
    found: list[YearAudit] = []
    for year, budget in zip(facts.years[1:], budgets[1:], strict=True):
        found.append(YearAudit(facts, terms, year, budget, history, carried))
        carried = [lines["carried_out"] for lines in found[-1].found.cash]
        for hospital in hospitals:
            history[hospital].append(found[-1].found.counted[hospital])
    return found

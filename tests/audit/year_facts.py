"""Figures and terms of a budget year as texts and plain lists; the quality score, and what moves by level or by points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

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


def pool_terms(terms: Terms, payer: str) -> dict[str, Any]:
    """The terms of a pool: the common ones with what it has for itself."""
    own = {key: dict(section) if isinstance(section, dict) else section for key, section in terms.items()}
    for path, value in terms["pools"]["changes"]["values"].get(payer, {}).items():
        section, key, *inner = path.split(".")
        own[section][key] = own[section][key] | {inner[0] if inner else "value": value}
    return own


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
    outpatient: Sequence[Sequence[Sequence[int]]]  # the part of owed that is outpatient care, by month, as it was paid
    visits: Sequence[Sequence[int]]
    heads: Sequence[Sequence[int]]
    outpatient_cost: Sequence[Sequence[int]]  # with what patients paid
    stated: Sequence[Sequence[Sequence[int]]]  # the part of owed that no case brings, by month
    bills: Sequence[Sequence[Sequence[int]]]  # of insured cases, by month
    others: Sequence[Sequence[Sequence[int]]]  # what others than the fund pay of them by item, by month
    negotiated: Sequence[Sequence[int]]
    negotiated_share: Sequence[Sequence[Fraction]]
    advances: Sequence[tuple[int, int, int, int | None]]  # hospital, fen, month paid, month recovered: 12 x year + month - 1


@dataclass
class Year:
    """What the auditor finds for a year, H hospitals, fen."""

    index: list[int] = field(default_factory=list)
    base: list[Fraction] = field(default_factory=list)
    scores: list[Fraction | None] = field(default_factory=list)
    recorded: list[int] = field(default_factory=list)
    settled: list[int] = field(default_factory=list)
    counted: list[Fraction] = field(default_factory=list)  # in the base of later years
    outpatient: list[Fraction] = field(default_factory=list)  # part of the index
    carried: list[int] = field(default_factory=list)  # overspend that counts as used next year
    cash: list[dict[str, int]] = field(default_factory=list)
    monthly: list[list[int]] = field(default_factory=list)
    to_date: list[list[Fraction]] = field(default_factory=list)
    used: list[list[Fraction]] = field(default_factory=list)
    fund: dict[str, int] = field(default_factory=dict)


def by_level(told: Mapping[str, Any], levels: Sequence[str]) -> Fraction:
    values = told["values"]
    return next((Fraction(values[key]) for key in (*levels, "*") if key in values), Fraction(0))


def bound(value: Fraction, told: Mapping[str, Any]) -> Fraction:
    return min(max(value, Fraction(told["low"])), Fraction(told["high"]))


def per_point(score: Fraction | None, told: Mapping[str, Any]) -> Fraction:
    if score is None:
        return Fraction(1)
    return bound(1 + Fraction(told["per_point"]) * (score - Fraction(told["neutral"])), told)


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

"""Whether a region's procedures have any business with its diagnoses, by the rules of cases/synthetic/absurd_pairs.yaml."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from drgsim.quality.code_facts import in_ranges

RULES = Path(__file__).parent / "cases" / "synthetic" / "absurd_pairs.yaml"
Codes = tuple[str, ...]


def ranges(text: str | None) -> tuple[str, ...]:
    return tuple((text or "").split())


@dataclass(frozen=True)
class Family:
    name: str
    procedures: tuple[str, ...]
    diagnoses: tuple[str, ...]
    by_companion: bool


@dataclass
class Findings:
    """Counts of stays, and of what is absurd in them by kind and example."""

    stays: int = 0
    with_procedure: int = 0
    further: int = 0
    principal: Counter[tuple[str, str]] = field(default_factory=Counter)
    companion: Counter[tuple[str, str]] = field(default_factory=Counter)
    unjudged: Counter[str] = field(default_factory=Counter)
    pairs: Counter[str] = field(default_factory=Counter)
    pair_stays: Counter[str] = field(default_factory=Counter)
    overall: Counter[str] = field(default_factory=Counter)
    stents: int = 0
    mixed_stents: Counter[tuple[str, ...]] = field(default_factory=Counter)
    wrong_sex: Counter[str] = field(default_factory=Counter)

    def share(self, which: str) -> float:
        """Implausible principal procedures over stays with a procedure; absurd further ones over all stays."""
        found = sum(getattr(self, which).values())
        return found / max(self.with_procedure if which == "principal" else self.stays, 1)


class ClinicRules:
    """The rule list, with what it says of single codes kept."""

    def __init__(self, path: Path = RULES) -> None:
        raw: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        self.families = [
            Family(name, ranges(one["procedures"]), ranges(one["diagnoses"]), bool(one.get("by_companion")))
            for name, one in raw["families"].items()
        ]
        self.anywhere, self.tumour_care = ranges(raw["anywhere"]), ranges(raw["tumour_care"])
        self.pairs = [{**one, **{key: ranges(one.get(key)) for key in PAIR_RANGES}} for one in raw["pairs"]]
        self.kinds = {name: ranges(text) for name, text in raw["one_kind"]["kinds"].items()}
        self.most_mixed = float(raw["one_kind"]["most"])
        self.overall = [{**one, "procedures": ranges(one["procedures"])} for one in raw["overall"]]
        self.sexes = {sex: {key: ranges(text) for key, text in one.items()} for sex, one in raw["sexes"].items()}
        self._known: dict[tuple[str, str], bool] = {}

    @cached_property
    def _families_of(self) -> dict[str, tuple[Family, ...]]:
        return {}

    def families_of(self, procedure: str) -> tuple[Family, ...]:
        kept = self._families_of
        if procedure not in kept:
            kept[procedure] = tuple(one for one in self.families if in_ranges(procedure, one.procedures))
        return kept[procedure]

    def is_in(self, code: str, name: str, texts: tuple[str, ...]) -> bool:
        """``in_ranges``, kept by code and the name of the ranges."""
        key = (code, name)
        if key not in self._known:
            self._known[key] = in_ranges(code, texts)
        return self._known[key]

    def _fits(self, family: Family, diagnoses: Iterable[str]) -> bool:
        return any(self.is_in(code, family.name, family.diagnoses) for code in diagnoses)

    def plausible(self, procedure: str, diagnoses: Codes, principal: bool) -> bool | None:
        """Whether a procedure fits; None where no rule knows it. The principal one asks more of the principal diagnosis."""
        families = self.families_of(procedure)
        if not families:
            return True if self.is_in(procedure, "anywhere", self.anywhere) else None
        return any(self._fits(one, diagnoses if one.by_companion or not principal else diagnoses[:1]) for one in families)

    def judge(self, stays: Iterable[tuple[Codes, Codes, int]]) -> Findings:
        """Stays as (diagnoses, procedures, sex: 1 men, 2 women), the principal code of each first."""
        found = Findings()
        for diagnoses, procedures, sex in stays:
            found.stays += 1
            if not diagnoses or not diagnoses[0]:
                continue
            found.with_procedure += bool(procedures)
            for place, code in enumerate(procedures):
                fit = self.plausible(code, diagnoses, place == 0)
                if fit is None:
                    found.unjudged[code] += 1
                elif not fit:
                    (found.companion if place else found.principal)[(code, diagnoses[0][:5])] += 1
            found.further += max(len(procedures) - 1, 0)
            self._special(diagnoses, procedures, sex, found)
        return found

    def _special(self, diagnoses: Codes, procedures: Codes, sex: int, found: Findings) -> None:
        for rule in self.pairs:
            name = rule["id"]
            if self.is_in(diagnoses[0], f"{name} diagnoses", rule["diagnoses"]) and not any(
                self.is_in(code, f"{name} without", rule["without"]) for code in diagnoses
            ):
                found.pair_stays[name] += 1
                found.pairs[name] += any(
                    self.is_in(code, f"{name} procedures", rule["procedures"])
                    and (not rule["only_codes"] or code in rule["only_codes"])
                    for code in procedures
                )
        for rule in self.overall:
            found.overall[rule["id"]] += any(self.is_in(code, rule["id"], rule["procedures"]) for code in procedures)
        kinds = tuple(name for name, texts in self.kinds.items() if any(self.is_in(code, name, texts) for code in procedures))
        found.stents += bool(kinds)
        if len(kinds) > 1:
            found.mixed_stents[kinds] += 1
        other = self.sexes["female" if sex == 1 else "male"] if sex in (1, 2) else {}
        for what, codes in (("procedures", procedures), ("diagnoses", diagnoses[:1])):
            for code in codes:
                if self.is_in(code, f"{what} of the other than {sex}", other.get(what, ())):
                    found.wrong_sex[code] += 1


TUMOURS = ("C", "D0-D4")
PAIR_RANGES = ("procedures", "diagnoses", "without", "only_codes")

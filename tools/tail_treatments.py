"""Rare treatments as tools/synth_priors.yaml writes them: lines read, prefixes turned into codes, ages and sexes found."""

from __future__ import annotations

import csv
import itertools
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from drgsim.synthetic.age_curves import USUAL_CURVES, age_bands, typical_age
from drgsim.synthetic.prior_checks import is_of
from tools.synth_grouper import MadeUpCase

ROOT = Path(__file__).resolve().parent.parent
PRIORS = Path(__file__).with_name("synth_priors.yaml")
DIAGNOSES_OF_A_WORD, PROCEDURES_OF_A_WORD = 2, 3
FALLING = (1.0, 0.55, 0.35, 0.25, 0.2, 0.15, 0.12, 0.1)  # weights of the first, second ... code that may stand at a place
FALLING_MEDICAL = (1.0, 0.4, 0.2, 0.1, 0.06, 0.04, 0.03, 0.02)  # of the diagnoses of a medical group: the others are rare forms


@dataclass(frozen=True)
class Template:
    """A rare case as a ward would code it."""

    line: str
    diagnosis: str
    others: tuple[str, ...]
    procedures: tuple[str, ...]
    ward: str
    weight: float
    male: float
    age: str
    ages: tuple[int, int]
    birth_weight: tuple[int, int] | None
    emergency: float
    deaths: float
    top_level_only: bool

    def case(self, age: int | None = None, companion: str | None = None) -> MadeUpCase:
        """A record of it at a usual age."""
        bands = age_bands(USUAL_CURVES[self.age])
        usual = -1 if self.age == "newborn" else round(typical_age(bands))
        years = usual if age is None else age
        if years >= 0 and age is None:
            years = min(max(years, self.ages[0]), self.ages[1])
        weight = sum(self.birth_weight) // 2 if self.birth_weight else None
        more = (companion,) if companion else ()
        return MadeUpCase((self.diagnosis, *self.others), (*self.procedures, *more), self.male >= 0.5, years, weight)


def longest(table: dict[str, Any], code: str) -> Any:
    """The value of the longest key that the code begins with."""
    return next((table[code[:size]] for size in range(len(code), 0, -1) if code[:size] in table), None)


def _names(file: str) -> dict[str, str]:
    with (ROOT / "groupers" / "icd" / file).open(encoding="utf-8") as table:
        return {row["code"]: row["name"] for row in csv.DictReader(table)}


class CodeBook:
    """Names of usable codes: of the dictionaries, not grey, no asterisk alone."""

    def __init__(self) -> None:
        grey = {*_names("grey_diagnoses.csv"), *_names("grey_procedures.csv")}
        self.diagnoses, self.procedures = (
            {code: name for code, name in _names(file).items() if code not in grey and ("*" not in code or "+" in code)}
            for file in ("icd10_yb2.csv", "icd9cm3_yb2.csv")
        )

    def matches(self, word: str, names: dict[str, str], most: int) -> list[str]:
        """Codes of ``prefix~words of the name`` or ``prefix~=name``, national ones before extensions."""
        prefix, _, part = word.partition("~")
        near = [(code, name) for code, name in names.items() if code.startswith(prefix)]
        found = [code for code, name in near if (name == part[1:] if part.startswith("=") else part in name)]
        return sorted(found, key=lambda code: ("+" in code, "x" in code[4:], "其他" in names[code], code))[:most]


class TreatmentLines:
    """The lines of synth_priors.yaml as templates."""

    def __init__(self) -> None:
        self.priors: dict[str, Any] = yaml.safe_load(PRIORS.read_text(encoding="utf-8"))
        self.book = CodeBook()
        self.unknown: list[str] = []

    def male(self, diagnosis: str, procedures: tuple[str, ...]) -> float:
        """Share of men."""
        for share, sex in ((0.0, "female"), (1.0, "male")):
            if is_of(diagnosis, f"{sex}_diagnoses") or any(is_of(code, f"{sex}_procedures") for code in procedures):
                return share
        share = longest(self.priors["male_share"], diagnosis)
        return 0.52 if share is None else float(share)

    def _codes(self, word: str, names: dict[str, str], most: int) -> list[str]:
        found = self.book.matches(word, names, most)
        if not found:
            self.unknown.append(word)
        return found

    def template(
        self, line: str, diagnosis: str, others: tuple[str, ...], procedures: tuple[str, ...], **given: Any
    ) -> Template:
        """A template with what the line states (``given``) and else what is usual."""
        ward = given.get("ward", "general_medicine")
        age = given.get("age") or longest(self.priors["age"], diagnosis) or "adult"
        if ward == "obstetrics":
            age = "mother"
        elif ward == "neonatal" or given.get("birth"):
            age = "newborn"
        bands = age_bands(USUAL_CURVES[age])
        low, high = min(band.low for band in bands), max(band.high for band in bands)
        low, high = max(low, int(given.get("min", low))), min(high, int(given.get("max", high)))
        birth = tuple(int(gram) for gram in given["birth"].split("-")) if given.get("birth") else None
        usual, male = self.priors["wards"][ward], given.get("male", self.male(diagnosis, procedures))
        # a ward says how ill its patients are only where the disease does not; intensive care has the worst of any disease
        deaths = None if ward == "icu" else longest(self.priors["deaths"], diagnosis)
        return Template(
            line, diagnosis, others, procedures, ward, float(given.get("w", 1)), float(male),
            age, (low, high), birth, float(given.get("emergency", usual["emergency"])),  # type: ignore[arg-type]
            float(given.get("deaths", usual["deaths"] if deaths is None else deaths)), given.get("levels") == "3",
        )  # fmt: skip

    def of_line(self, line: str) -> list[Template]:
        """All templates that a line stands for, the usual ones with more weight."""
        first, second, third = (part.strip() for part in line.split("|"))
        options = third.split()
        needed = [option[1:] for option in options if option.startswith("&")]
        given = dict(option.split("=") for option in options if not option.startswith("&"))
        others = tuple(code for word in needed for code in self._codes(word, self.book.diagnoses, 1))
        principal = self._places(first, self.book.diagnoses, DIAGNOSES_OF_A_WORD)
        treatments = [
            self._places(part, self.book.procedures, PROCEDURES_OF_A_WORD) for part in second.split("+") if part.strip()
        ]
        out = []
        for (diagnosis, weight), *done in itertools.product(principal, *treatments):
            codes = tuple(dict.fromkeys(code for code, _ in done))
            if len(codes) == len(done) and diagnosis not in others:
                one = self.template(line, diagnosis, others, codes, **given)
                share = weight
                for _, part in done:
                    share *= part
                out.append(replace(one, weight=one.weight * share))
        return out

    def _places(self, words: str, names: dict[str, str], most: int) -> list[tuple[str, float]]:
        places = []
        for rank, word in enumerate(words.split()):
            for place, code in enumerate(self._codes(word, names, most)):
                places.append((code, FALLING[min(rank, 7)] * FALLING[place]))
        return places

    def treatments(self) -> list[Template]:
        """Templates of all lines."""
        return [one for lines in self.priors["treatments"].values() for line in lines for one in self.of_line(line)]

    def medical(self, adrg: str, mdc: str, principals: set[str]) -> list[Template]:
        """Templates without procedures for the diagnoses of a medical ADRG, frequent ones first."""
        common = {word.partition("*")[0]: float(word.partition("*")[2] or 1) for word in self.priors["common"].split()}
        usable = [code for code in principals if code in self.book.diagnoses]
        usable.sort(key=lambda code: ("+" in code, -(longest(common, code) or 0), "x" in code[4:], code))
        child = {"PV1": "infant"}.get(adrg)
        out = []
        for place, code in enumerate(usable[:8]):
            age = child or longest(self.priors["age"], code) or self.priors["age_by_mdc"][mdc]
            age = "infant" if age == "newborn" and mdc != "MDCP" else age
            ward = "paediatrics" if age in ("child", "infant") else self.priors["ward_by_mdc"][mdc]
            one = self.template(f"medical {adrg}", code, (), (), ward=ward, age=age)
            seldom = longest(self.priors["seldom"], code)
            out.append(replace(one, weight=one.weight * FALLING_MEDICAL[place] * (1 if seldom is None else seldom)))
        return out

    def companions(self, template: Template) -> list[tuple[str, float]]:
        """Usual companions of the principal procedure."""
        stated = longest(self.priors["companions"], template.procedures[0]) if template.procedures else None
        out = []
        for word in (stated or "").split():
            prefix, _, share = word.rpartition(":")
            codes = self._codes(prefix, self.book.procedures, 1)
            out += [(code, float(share)) for code in codes if code not in template.procedures]
        return out

"""Make drgsim/synthetic/priors/tail.csv: small pathways of groups that the chapters of priors do not reach, or far too seldom.

    python -m tools.make_synth_templates

It reads the chapters, tools/synth_priors.yaml (rare treatments and who has them), drgsim/synthetic/groups.csv (volumes and
stays) and the packs of chs-drg-2.0 and 3.0, and writes the same bytes from the same data. Run it again when a chapter has
changed.

Every template is kept only if the rules of its scheme answer its ADRG, alone and with each of its companions. ``weight`` is in
discharges per 10,000 of the region, as ``cases`` of a chapter is.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from drgsim.synthetic.care_pathways import CarePathway, pathways_of
from drgsim.synthetic.prior_files import BUNDLED, diseases_of, read_chapters
from tools.synth_grouper import MadeUpCase, SchemeLists
from tools.tail_treatments import CodeBook, Template, TreatmentLines, longest

ROOT = Path(__file__).resolve().parent.parent
VOLUMES = ROOT / "drgsim" / "synthetic" / "groups.csv"
TARGET = BUNDLED / "tail.csv"
SCHEMES = ("chs-drg-2.0", "chs-drg-3.0")
COLUMNS = (
    "adrg", "scheme", "title", "ward", "diagnosis", "others", "procedures", "with", "weight", "levels", "male", "age",
    "min_age", "max_age", "birth_weight", "stay", "season", "emergency", "deaths",
)  # fmt: skip
REGION = 10_000  # discharges that volumes and weights are stated for
TAIL_SHARE = 0.125  # of all discharges, where published volumes give so much
FLOOR, SPLIT_FLOOR = 1.0, 2.4  # discharges of an ADRG at least: of one group, of groups by severity
MOST = 25.0  # discharges that the tail gives one ADRG at most, where synth_priors.yaml states no other number (most)
PER_ADRG = 6
AMBIGUOUS = 130.0  # discharges, less what the chapters have
USUAL_STAY = 7.0
USUAL_LEVELS = {3: 0.75, 2: 0.25}
SELDOM = 0.3  # discharges of a group that hardly appears in a region of usual size
VARIANTS = (("child", (1, 6)), ("adult", (30, 69)), ("elder", (70, 98)))


@dataclass
class Placed:
    """A template with its groups by scheme, and how many discharges it stands for."""

    template: Template
    adrgs: tuple[str, str]
    drgs: tuple[str, str]
    cases: float = 0.0
    scheme: int = 0
    companions: list[tuple[str, float]] = field(default_factory=list)


def chapter_cases(lists: tuple[SchemeLists, ...]) -> tuple[tuple[dict[str, float], dict[str, float]], ...]:
    """Discharges of the chapters by ADRG and by DRG, for each scheme, as its rules answer them."""
    chapters = read_chapters(sorted((BUNDLED / "chapters").glob("*.yaml")))
    pathways = [one for name, disease in diseases_of(chapters).items() for one in pathways_of(name, disease)]
    cases, weights = [], []
    for pathway in pathways:
        for case, share in _cases_of(pathway):
            cases.append(case)
            weights.append(share)
    out = []
    for scheme in lists:
        adrgs, drgs = defaultdict[str, float](float), defaultdict[str, float](float)
        for (adrg, drg), weight in zip(scheme.groups(cases), weights, strict=True):
            adrgs[adrg] += weight
            drgs[drg] += weight
        out.append((dict(adrgs), dict(drgs)))
    return tuple(out)


def _cases_of(pathway: CarePathway) -> Iterator[tuple[MadeUpCase, float]]:
    low, high = pathway.age_limits
    newborn = all(band.newborn for band in pathway.ages)
    total = sum(band.weight for band in pathway.ages)
    old = sum(band.weight for band in pathway.ages if band.low >= 70) / total
    young = sum(band.weight for band in pathway.ages if band.high <= 6) / total
    usual = -1 if newborn else min(max(round(pathway.typical_age), low), high)
    birth = round(sum(pathway.birth_weight) / 2) if pathway.birth_weight else None
    ages = ((usual, 1 - old - young), (80, old), (4, young)) if not newborn else ((usual, 1.0),)
    treatments = [(one.codes, one.share) for one in pathway.procedures] or [((), 1.0)]
    for code, share in pathway.codes.items():
        for codes, part in treatments:
            for age, of_age in ages:
                if of_age > 0:
                    case = MadeUpCase((code,), tuple(codes), pathway.male >= 0.5, age, birth)
                    yield case, pathway.cases * share * part * of_age


class Tail:
    """Templates chosen one scheme after the other, until both reach their groups."""

    def __init__(self) -> None:
        self.lists = tuple(SchemeLists(scheme) for scheme in SCHEMES)
        self.lines = TreatmentLines()
        self.drawn = chapter_cases(self.lists)
        self.published = pd.read_csv(VOLUMES).assign(adrg=lambda table: table["drg"].str[:3])
        self.chosen: list[Placed] = []

    # -- what there is to choose from --------------------------------------------------------------------------------
    def candidates(self) -> list[Placed]:
        templates = self.lines.treatments()
        for scheme in self.lists:
            for adrg in scheme.adrgs.values():
                if adrg.kind == "medical":
                    templates += self.lines.medical(adrg.code, adrg.mdc, scheme.principals(adrg.code))
        return self.placed(list({(one.diagnosis, one.others, one.procedures): one for one in reversed(templates)}.values()))

    def placed(self, templates: list[Template]) -> list[Placed]:
        """With their groups; companions that would change the group are left out, infants too where they would."""
        answers = [scheme.groups([one.case() for one in templates]) for scheme in self.lists]
        found = [
            Placed(one, (first[0], second[0]), (first[1], second[1]))
            for one, first, second in zip(templates, *answers, strict=True)
        ]
        infants = [one for one in found if one.template.age != "newborn" and one.template.ages[0] == 0]
        answers = [scheme.groups([one.template.case(age=0) for one in infants]) for scheme in self.lists]
        for one, first, second in zip(infants, *answers, strict=True):
            if (first[0], second[0]) != one.adrgs and one.template.age != "infant":
                one.template = replace(one.template, ages=(1, one.template.ages[1]))
        tried = [(one, companion) for one in found for companion in self.lines.companions(one.template)]
        answers = [scheme.groups([one.template.case(companion=code) for one, (code, _) in tried]) for scheme in self.lists]
        for (one, companion), first, second in zip(tried, *answers, strict=True):
            if (first[0], second[0]) == one.adrgs:
                one.companions.append(companion)
        return found

    # -- how many ----------------------------------------------------------------------------------------------------
    def reached(self, scheme: int) -> tuple[dict[str, float], dict[str, float]]:
        """Discharges by ADRG and DRG, of the chapters and of what is chosen."""
        adrgs, drgs = (dict(part) for part in self.drawn[scheme])
        for one in self.chosen:
            adrgs[one.adrgs[scheme]] = adrgs.get(one.adrgs[scheme], 0.0) + one.cases
            drgs[one.drgs[scheme]] = drgs.get(one.drgs[scheme], 0.0) + one.cases
        return adrgs, drgs

    def floor(self, scheme: int, adrg: str) -> float:
        return SPLIT_FLOOR if len(self.lists[scheme].adrgs[adrg].drgs) > 1 else FLOOR

    def wanted(self) -> dict[str, float]:
        """Discharges that the tail gives each ADRG of 2.0: published less drawn by the chapters, at least the floor."""
        volumes = self.published.set_index("adrg")[[f"cases_level_{level}" for level in (3, 2, 1)]].sum(axis=1)
        volumes = volumes.groupby(level=0).sum() * (REGION / volumes.sum())
        drawn = self.drawn[0][0]
        kinds = self.lists[0].adrgs
        own = [code for code in kinds if kinds[code].kind not in ("ambiguous", "fallback")]
        least = {code: max(self.floor(0, code) - drawn.get(code, 0.0), 0.0) for code in own}
        most = {code: float(self.lines.priors["most"].get(code, MOST)) for code in own}
        more = {code: min(max(volumes.get(code, 0.0) - drawn.get(code, 0.0), 0.0), most[code]) for code in own}
        room = sum(drawn.values()) * TAIL_SHARE / (1 - TAIL_SHARE) - sum(least.values())
        scale = min(max(room / max(sum(more.values()), 1e-9), 0.0), 1.0)
        wanted = {code: max(least[code], scale * more[code]) for code in own}
        return {code: cases for code, cases in wanted.items() if cases >= 0.1}

    # -- choosing ----------------------------------------------------------------------------------------------------
    def choose(self, pool: Iterable[Placed], cases: float, scheme: int, most: int = PER_ADRG) -> None:
        """The likeliest templates of a group, each line once before any comes twice; ``cases`` are shared by their weights."""
        by_line: dict[str, list[Placed]] = defaultdict(list)
        for one in sorted(pool, key=lambda one: (-one.template.weight, one.template.diagnosis, one.template.procedures)):
            by_line[one.template.line].append(one)
        order = sorted((place, -one.template.weight, line) for line, ones in by_line.items() for place, one in enumerate(ones))
        picked = [by_line[line][place] for place, _, line in order[:most]]
        total = sum(one.template.weight for one in picked)
        for one in picked:
            self.chosen.append(replace(one, cases=cases * one.template.weight / total, scheme=scheme))

    def choose_all(self) -> None:
        """Templates for the ADRGs of 2.0, then for those of 3.0 and the groups that are still missing, then for no group."""
        pool = self.candidates()
        by_adrg: list[dict[str, list[Placed]]] = [defaultdict(list), defaultdict(list)]
        for one in pool:
            for scheme in (0, 1):
                by_adrg[scheme][one.adrgs[scheme]].append(one)
        for adrg, cases in self.wanted().items():
            self.choose(by_adrg[0][adrg], cases, 0)
        self._second_scheme(by_adrg[1])
        for scheme in (0, 1):
            self._groups_by_age_or_robot(pool, scheme)
        self._without_group(by_adrg)

    def _second_scheme(self, by_adrg: dict[str, list[Placed]]) -> None:
        have = self.reached(1)[0]
        for adrg in self.lists[1].adrgs.values():
            missing = self.floor(1, adrg.code) - have.get(adrg.code, 0.0)
            if adrg.kind not in ("ambiguous", "fallback") and missing > 0.2:
                self.choose(by_adrg[adrg.code], missing, 1)

    def _groups_by_age_or_robot(self, pool: list[Placed], scheme: int) -> None:
        """Cases for groups that no usual case has: of children, of the middle-aged, of the old, with a robot."""
        have = self.reached(scheme)[1]
        adrgs = self.lists[scheme].adrgs
        wanted = {
            drg.code: adrg.code
            for adrg in adrgs.values()
            if adrg.kind not in ("ambiguous", "fallback")
            for drg in adrg.drgs
            if have.get(drg.code, 0.0) < SELDOM
        }
        near = [one for one in pool if one.adrgs[scheme] in wanted.values() and one.template.age not in ("newborn", "infant")]
        variants = [one.template for one in near] + [
            replace(one.template, age=age, ages=ages, line=f"{one.template.line} {age}")
            for one in near
            for age, ages in VARIANTS
            if one.template.ages[0] <= sum(ages) // 2 <= one.template.ages[1]
        ]
        by_drg: dict[str, list[Placed]] = defaultdict(list)
        for one in self.placed(variants):
            by_drg[one.drgs[scheme]].append(one)
        for drg, adrg in wanted.items():
            self.choose([one for one in by_drg[drg] if one.adrgs[scheme] == adrg], FLOOR, scheme, most=3)

    def _without_group(self, by_adrg: list[dict[str, list[Placed]]]) -> None:
        ambiguous = [[code for code, adrg in one.adrgs.items() if adrg.kind == "ambiguous"] for one in self.lists]
        have = sum(self.drawn[0][0].get(code, 0.0) for code in ambiguous[0])
        likely = {code: max(one.template.weight for one in by_adrg[0][code]) for code in ambiguous[0] if by_adrg[0][code]}
        for code, weight in likely.items():
            self.choose(by_adrg[0][code], max((AMBIGUOUS - have) * weight / sum(likely.values()), SELDOM), 0)
        for code in ambiguous[1]:
            if not self.reached(1)[0].get(code):
                self.choose(by_adrg[1][code], SELDOM, 1)
        said = self.lines.priors["ungroupable"]
        codes = [code for word in said["codes"].split() for code in self.lines.book.matches(word, self.lines.book.diagnoses, 1)]
        ages = {code: longest(self.lines.priors["age"], code) or "any_mixed" for code in codes}
        pool = self.placed([self.lines.template("ungroupable " + code, code, (), (), age=ages[code]) for code in codes])
        cases = max(said["cases"] - self.drawn[0][0].get("0000", 0.0), 1.0)
        self.choose([one for one in pool if one.adrgs[0] == "0000"], cases, 0, most=12)

    # -- writing -----------------------------------------------------------------------------------------------------
    def rows(self) -> Iterator[list[object]]:
        stays, levels = self._stays(), self._levels()
        chosen = sorted(self.chosen, key=lambda one: (one.scheme, one.adrgs[one.scheme], -one.cases, one.template.diagnosis))
        for one in chosen:
            template, adrg = one.template, one.adrgs[0]
            places = {3: 1.0} if template.top_level_only else levels.get(adrg, USUAL_LEVELS)
            birth = template.birth_weight
            yield [
                one.adrgs[one.scheme], SCHEMES[one.scheme], title(self.lines.book, template), template.ward, template.diagnosis,
                "|".join(template.others), "|".join(template.procedures),
                "|".join(f"{code}:{share:g}" for code, share in one.companions), f"{one.cases:.3f}",
                "|".join(f"{level}:{share:g}" for level, share in places.items()), f"{template.male:g}", template.age,
                *template.ages, f"{birth[0]}-{birth[1]}" if birth else "", f"{stays.get(adrg, USUAL_STAY):.1f}", "",
                f"{template.emergency:g}", f"{template.deaths:g}",
            ]  # fmt: skip

    def _stays(self) -> dict[str, float]:
        """Mean days by ADRG of 2.0."""
        table = self.published
        cases = table[[f"cases_level_{level}" for level in (3, 2, 1)]].sum(axis=1) + 1
        days = (table["mean_los_days"] * cases).groupby(table["adrg"]).sum() / cases.groupby(table["adrg"]).sum()
        return {str(adrg): float(value) for adrg, value in days.items()}

    def _levels(self) -> dict[str, dict[int, float]]:
        """Shares of the levels by ADRG of 2.0."""
        cases = self.published.groupby("adrg")[[f"cases_level_{level}" for level in (3, 2, 1)]].sum()
        out = {}
        for adrg, row in cases.iterrows():
            if row.sum() > 0:
                second, third = (round(float(row[f"cases_level_{level}"] / row.sum()), 2) for level in (2, 1))
                shares = {3: round(1 - second - third, 2), 2: second, 1: third}
                out[str(adrg)] = {level: share for level, share in shares.items() if share > 0}
        return out


def title(book: CodeBook, template: Template) -> str:
    """Diagnosis and principal procedure in words."""
    treated = f"，{book.procedures[template.procedures[0]]}" if template.procedures else ""
    return book.diagnoses[template.diagnosis] + treated


def tail_text(tail: Tail) -> str:
    """tail.csv as text."""
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(COLUMNS)
    out.writerows(tail.rows())
    return text.getvalue()


def main() -> None:
    tail = Tail()
    tail.choose_all()
    TARGET.write_text(tail_text(tail), encoding="utf-8", newline="\n")
    drawn, added = sum(tail.drawn[0][0].values()), sum(one.cases for one in tail.chosen)
    print(f"{len(tail.chosen)} templates, {added:.0f} discharges beside {drawn:.0f} of the chapters")
    print("no such code:", " ".join(sorted(set(tail.lines.unknown))))
    for scheme, name in enumerate(SCHEMES):
        have = tail.reached(scheme)[0]
        missing = [code for code, adrg in tail.lists[scheme].adrgs.items() if adrg.kind != "fallback" and not have.get(code)]
        print(name, "without a case:", " ".join(missing))


if __name__ == "__main__":
    main()

"""The marginals of a region beside what they were drawn from or what is published."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import yaml

from drgsim.synthetic.care_pathways import LEVELS, CarePathway
from drgsim.synthetic.people_file import PeoplePriors
from drgsim.synthetic.prior_files import diseases_of
from drgsim.synthetic.prior_models import DiseasePriors, source_ids
from drgsim.synthetic.region_priors import RegionPriors
from tools.region_cases import AGE_BANDS, AGE_EDGES, DIED, SEVERITIES, percent, riv, spread, trimmed

HEADER = ("| figure | found | drawn from, or published | source |", "|---|---|---|---|")
CHRONIC = ("hypertension", "diabetes", "chd", "copd", "ckd", "heart_failure_chronic", "dementia")
PUNCTURES = ("34.91", "34.04", "54.91", "54.97", "70.0")
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
OF_SPECIFICATION = "asked of the region"


class Row(NamedTuple):
    """One figure: what was found, what it stands beside, and where that comes from."""

    figure: str
    found: str
    expected: str = "–"
    source: str = "assumption"

    def __str__(self) -> str:
        return f"| {' | '.join(self)} |"


@dataclass(frozen=True)
class Priors:
    """What the priors of a region say together: means over pathways by their cases, and how much of it has a source."""

    region: RegionPriors

    @property
    def people(self) -> PeoplePriors:
        """Chronic conditions and complications."""
        return self.region.people

    @cached_property
    def diseases(self) -> dict[str, DiseasePriors]:
        """All diseases by id."""
        return diseases_of(self.region.chapters)

    @property
    def pathways(self) -> tuple[CarePathway, ...]:
        """All pathways of all diseases; those of the tail have no cases of their own and are left out."""
        return self.region.pathways

    def mean(self, values: Iterable[float]) -> float:
        """Mean over pathways, by their cases."""
        return float(np.average(list(values), weights=[one.cases for one in self.pathways]))

    def sourced(self, field: str) -> str:
        """For how much of the cases a field has a source."""
        cases = sum(one.cases for one in self.diseases.values())
        known = sum(one.cases for one in self.diseases.values() if any(path.split(".")[-1] == field for path in one.sources))
        return f"priors; sourced for {percent(known / cases, 0)} of cases, else assumption"

    @cached_property
    def age_shares(self) -> list[float]:
        """Share of cases by band of age."""
        sums = np.zeros(len(AGE_BANDS))
        for one in self.pathways:
            whole = sum(band.weight for band in one.ages)
            for band in one.ages:
                years = np.arange(band.low, band.high + 1)
                places = np.searchsorted(AGE_EDGES, years, side="right") - 1
                np.add.at(sums, places, one.cases * band.weight / whole / len(years))
        return list(sums / sums.sum())


def benchmarks() -> dict[str, dict[str, str]]:
    """Published figures by name: ``says``, ``title``, ``evidence``."""
    found: dict[str, dict[str, str]] = yaml.safe_load(Path(__file__).with_name("region_benchmarks.yaml").read_text("utf-8"))
    return found


def beside(figure: str, found: str, name: str) -> Row:
    """A figure beside a published one."""
    published = benchmarks()[name]
    return Row(figure, found, published["says"], f"{published['title']} ({published['evidence']})")


def marginals(frame: pd.DataFrame, priors: Priors) -> Iterator[str]:
    """Rows of Markdown for all marginals; broken records are left out."""
    sound = frame[~frame["truth"].str.contains("dirty")]
    yield from HEADER
    for part in (people_rows, time_rows, illness_rows, outcome_rows):
        yield from map(str, part(sound, priors))
    yield from map(str, group_rows(sound))
    yield from map(str, cost_rows(sound))


def _by_band(values: Iterable[float], digits: int = 1) -> str:
    return ", ".join(percent(value, digits) for value in values)


def people_rows(frame: pd.DataFrame, priors: Priors) -> Iterator[Row]:
    """Ages and sexes."""
    yield Row("cases", str(len(frame)), source="command")
    ages = frame["band"].value_counts(normalize=True).reindex(list(AGE_BANDS))
    yield Row(f"age {', '.join(AGE_BANDS)}", _by_band(ages, 0), _by_band(priors.age_shares, 0), priors.sourced("age"))
    men = priors.mean(one.male for one in priors.pathways)
    yield Row("men", percent((frame["sex"] == 1).mean()), percent(men), priors.sourced("male"))
    levels = frame["level"].value_counts(normalize=True)
    drawn = (priors.mean(one.levels.get(level, 0.0) for one in priors.pathways) for level in LEVELS)
    found = ", ".join(percent(levels.get(level, 0.0), 0) for level in LEVELS)
    yield Row("hospitals of level 3, 2, 1", found, _by_band(drawn, 0), priors.sourced("levels"))


def time_rows(frame: pd.DataFrame, priors: Priors) -> Iterator[Row]:
    """Seasons and days of the week."""
    admitted = pd.to_datetime(frame["admitted"])
    lungs = frame["diagnoses"].str.match("J1[0-8]|J20|J44")
    for name, rows in (("all", slice(None)), ("pneumonia, influenza, bronchitis (J10-J18, J20, J44)", lungs)):
        index = admitted[rows].dt.month.value_counts(normalize=True).sort_index() * 12
        peaks = sum(one.cases for one in priors.pathways if one.peak) / sum(one.cases for one in priors.pathways)
        told = f"{percent(peaks, 0)} of cases have a season" if name == "all" else "winter"
        yield Row(
            f"admissions by month, 1 the mean: {name}", " ".join(f"{x:.2f}" for x in index), told, priors.sourced("season")
        )
    for name, rows in (("all", slice(None)), ("cataract, hernia, tonsils, gallstones (H25, K40, J35, K80)", _elective(frame))):
        index = admitted[rows].dt.day_of_week.value_counts(normalize=True).reindex(range(7)).fillna(0) * 7
        found = " ".join(f"{day} {x:.2f}" for day, x in zip(WEEKDAYS, index, strict=True))
        urgent = percent(priors.mean(one.emergency for one in priors.pathways), 0)
        yield Row(f"admissions by day of the week: {name}", found, f"{urgent} emergencies", priors.sourced("emergency"))


def _elective(frame: pd.DataFrame) -> pd.Series:
    return frame["diagnoses"].str.match("H25|K40|J35|K80")


def illness_rows(frame: pd.DataFrame, priors: Priors) -> Iterator[Row]:
    """Other diagnoses and chronic conditions by age, complications."""
    others = frame["diagnosis_codes"].map(lambda codes: codes[1:])
    size = others.map(len)
    by_band = size.groupby(frame["band"], observed=False).mean()
    yield Row(f"other diagnoses, mean by age {', '.join(AGE_BANDS)}", ", ".join(f"{x:.1f}" for x in by_band))
    for name in CHRONIC:
        condition = priors.people.comorbidities[name]
        codes = set(condition.codes_of("male")) | set(condition.codes_of("female"))
        has = others.map(lambda listed, wanted=codes: not wanted.isdisjoint(listed))
        found = has.groupby(frame["band"], observed=False).mean()
        drawn = [
            (man + woman) / 2
            for man, woman in zip(*(condition.prevalence(sex, len(AGE_BANDS)) for sex in ("male", "female")), strict=True)
        ]
        cited = ", ".join(sorted({source for one in condition.cited.values() for source in source_ids(one)}))
        yield Row(f"{name} as another diagnosis, by age", _by_band(found, 1), _by_band(drawn, 1), cited or "assumption")
    adult = frame[frame["age"] >= 18]
    of_adults = others[adult.index]
    diabetic = adult["diagnoses"].str.contains("E11")
    yield beside("adults with type 2 diabetes in any place", percent(diabetic.mean()), "diabetes")
    yield beside(
        "of them with hypertension",
        percent(adult.loc[diabetic, "diagnoses"].str.contains("I10").mean()),
        "diabetes_hypertension",
    )
    chronic = _chronic_counts(adult[adult["age"] >= 60], priors)
    yield beside("60 and more with two or more chronic conditions written", percent((chronic >= 2).mean()), "multimorbidity")
    for name, heads in (("kidney_injury", ("N17",)), ("pressure_ulcer", ("L89",)), ("hyponatraemia", ("E87.1",))):
        share = of_adults.map(lambda codes, wanted=heads: any(code.startswith(wanted) for code in codes)).mean()
        yield beside(f"adults with {name.replace('_', ' ')} as another diagnosis", percent(share, 2), name)
    operated = adult[adult["drg"].fillna("").str[1].isin(list("ABCDEFGHJKLMNPQ"))]
    wound = others[operated.index].map(lambda codes: any(code.startswith(("T81.4", "T81.3")) for code in codes)).mean()
    yield beside("wound infections in stays of surgical and procedure groups", percent(wound, 2), "wound_infection")
    punctured = frame["procedure_codes"].map(lambda codes: any(code.startswith(PUNCTURES) for code in codes)).mean()
    yield Row("punctures of chest, abdomen or pelvis", percent(punctured), "under 4 %", OF_SPECIFICATION)


def _chronic_counts(frame: pd.DataFrame, priors: Priors) -> pd.Series:
    """How many chronic conditions of people.yaml are written, the principal diagnosis included."""
    heads = {
        code[:3]: name
        for name, one in priors.people.comorbidities.items()
        for sex in ("male", "female")
        for code in one.codes_of(sex)
        if name not in ("allergy_drug", "cancer_history")
    }
    return frame["diagnosis_codes"].map(lambda codes: len({heads[code[:3]] for code in codes if code[:3] in heads}))


def outcome_rows(frame: pd.DataFrame, priors: Priors) -> Iterator[Row]:
    """Stay, deaths, readmissions."""
    days = priors.mean(
        sum(one.levels.get(level, 0.0) * stay for level, stay in zip(LEVELS, one.stay, strict=True)) for one in priors.pathways
    )
    yield Row(
        "mean stay in days",
        f"{frame['los_days'].mean():.2f}",
        f"{days:.2f}, and what complications add",
        priors.sourced("stay"),
    )
    died = frame["discharge_way"] == DIED
    deaths = percent(priors.mean(one.deaths for one in priors.pathways), 2)
    yield Row("deaths", percent(died.mean(), 2), deaths, priors.sourced("deaths"))
    by_band = died.groupby(frame["band"], observed=False).mean()
    yield Row("deaths by age", _by_band(by_band, 2), "rising with age within a disease", priors.sourced("death_age"))
    severity = frame["severity"].map(lambda one: SEVERITIES.get(str(one), one))
    by_severity = died.groupby(severity).mean()
    yield Row("deaths with MCC, CC, none", _by_band((by_severity.get(x, 0.0) for x in ("MCC", "CC", "none")), 2))
    ventilated = frame["ventilator_hours"].fillna(0) >= 24
    yield beside("deaths of those ventilated for a day and more", percent(died[ventilated].mean()), "ventilated")
    order = frame.sort_values(["patient_id", "admitted", "discharged"])
    same = order["patient_id"].eq(order["patient_id"].shift())
    gap = (pd.to_datetime(order["admitted"]) - pd.to_datetime(order["discharged"]).shift()).dt.days[same]
    again = percent(priors.mean(one.readmission for one in priors.pathways))
    yield Row("back within 30 days", percent((gap.between(0, 30)).sum() / len(frame)), again, priors.sourced("readmission"))
    yield Row("stays per patient", f"{len(frame) / frame['patient_id'].nunique():.2f}")


def group_rows(frame: pd.DataFrame) -> Iterator[Row]:
    """Groups reached, ambiguous and ungroupable cases, severity."""
    for column, asked in (("drg:chs-drg-2.0", "600 of 634 in 300,000"), ("drg:chs-drg-3.0", "700 of 825 in 300,000")):
        if column in frame:
            reached = frame.loc[frame[column].notna() & ~frame[column].isin(["0000"]), column]
            reached = reached[~reached.str.endswith("QY")]
            yield Row(f"groups reached, {column[4:]}", str(reached.nunique()), asked, OF_SPECIFICATION)
    yield Row("ambiguous", percent((frame["status"] == "ambiguous").mean(), 2), "1-2 %", OF_SPECIFICATION)
    refused = frame["status"].isin(["ungroupable", "invalid"]).mean()
    yield Row("ungroupable or invalid", percent(refused, 2), "0.5-2 %", OF_SPECIFICATION)
    adult = frame[frame["age"] >= 18]["severity"].map(lambda one: SEVERITIES.get(str(one), one))
    found = adult.value_counts(normalize=True)
    told = ", ".join(percent(found.get(x, 0.0)) for x in ("MCC", "CC"))
    yield Row("adults with MCC; with CC and no MCC", told, "10-14 %; 25-30 %", "plausible range, assumption")


def cost_rows(frame: pd.DataFrame) -> Iterator[Row]:
    """Bills, their parts, their spread."""
    first = frame[frame["year"] == frame["year"].min()]
    yield beside(
        "mean bill of the first year; all years",
        f"{first['total_cost'].mean():.0f}; {frame['total_cost'].mean():.0f} yuan",
        "bill",
    )
    parts = [name for name in frame.columns if name.startswith("cost_")]
    split = frame[parts].sum() / frame["total_cost"].sum()
    yield Row(
        "parts of the bill",
        ", ".join(f"{name[5:]} {percent(value)}" for name, value in split.items()),
        "price list",
        "items.yaml",
    )
    good = frame[frame["status"] == "grouped"]
    size = good["drg"].value_counts()
    big, cut = size[size >= 30].index, trimmed(good)
    cv = spread(good, big)
    yield Row(
        f"CV of the {len(big)} groups with 30 cases and more",
        f"median {cv.median():.2f}; over 1: {(cv > 1).sum()}",
        "mostly below 1",
        OF_SPECIFICATION,
    )
    yield beside("RIV of cost, raw; trimmed (0.35-0.70 is asked)", f"{riv(good, 'drg'):.3f}; {riv(cut, 'drg'):.3f}", "riv")
    kinds = cut.assign(kind=cut["diagnoses"].str[:5] + "/" + cut["procedures"].fillna(""))
    kinds = kinds[kinds.groupby("kind")["drg"].transform("size") >= 10]
    both = "; ".join(f"{riv(kinds, name):.3f}" for name in ("drg", "kind"))
    yield Row("RIV by DRG; by DIP-like kind (kinds of 10 and more)", both, "neither by construction", OF_SPECIFICATION)


def figures(priors: Priors) -> Iterator[str]:
    """How many figures of the chapters are sourced and assumed, and for how much of the cases."""
    yield "| chapter | diseases | figures sourced | figures assumed | official, secondary, derived works |"
    yield "|---|---|---|---|---|"
    total = [0, 0, 0]
    for chapter in priors.region.chapters:
        counts = [figure_counts(one) for one in chapter.priors.diseases.values()]
        known, assumed = (sum(one[place] for one in counts) for place in (0, 1))
        works = [work.evidence.value for work in chapter.priors.sources.values()]
        kinds = ", ".join(str(works.count(kind)) for kind in ("official", "secondary", "derived"))
        yield f"| {chapter.priors.chapter} | {len(counts)} | {known} | {assumed} | {kinds} |"
        total = [sum(pair) for pair in zip(total, (len(counts), known, assumed), strict=True)]
    yield f"| all | {total[0]} | {total[1]} | {total[2]} | |"


def figure_counts(disease: DiseasePriors) -> tuple[int, int]:
    """Stated fields of a disease and its pathways with and without a source; a map of shares counts as one figure."""
    kept = ("title", "sources", "pathways", "ward", "adrg", "companion_severe")
    fields = [name for name in disease.model_fields_set if name not in kept]
    for name, pathway in disease.pathways.items():
        alias = {"usual": "with"}
        fields += [f"pathways.{name}.{alias.get(one, one)}" for one in pathway.model_fields_set if one not in kept]
    cited = set(disease.sources)
    known = sum(one in cited or any(path.startswith(f"{one}.") for path in cited) for one in fields)
    return known, len(fields) - known

"""The most frequent principal diagnoses of a region beside the priors that they were drawn from."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from drgsim.synthetic.care_pathways import LEVELS, CarePathway
from drgsim.synthetic.prior_files import ChapterFile, diseases_of
from drgsim.synthetic.prior_models import DiseasePriors, source_ids
from drgsim.synthetic.region_priors import RegionPriors
from tools.region_cases import DIED, name_of, percent, shares

MOST, TOP = 40, 5
COLUMNS = ("principal diagnosis", "cases", "stay: median; mean (prior)", "died (prior)", "procedures (prior)")
HEADER = f"| {' | '.join((*COLUMNS, 'companions (prior)', 'sources'))} |"
TOLD = ("stay", "deaths", "treatment")
SMALL = 0.1  # share of the cases from which a disease's sources are named


@dataclass
class Expected:
    """What the priors say of the cases with one three-character principal diagnosis."""

    cases: float = 0.0
    days: float = 0.0
    deaths: float = 0.0
    procedures: Counter[str] = field(default_factory=Counter)
    companions: Counter[str] = field(default_factory=Counter)
    diseases: Counter[str] = field(default_factory=Counter)


def expected_cases(pathways: Iterable[CarePathway]) -> dict[str, Expected]:
    """Three characters -> what the chapters say, cases per 10,000."""
    found: dict[str, Expected] = defaultdict(Expected)
    for pathway in pathways:
        for code, share in pathway.codes.items():
            _add(found[code[:3]], pathway, pathway.cases * share)
    return dict(found)


def _add(one: Expected, pathway: CarePathway, cases: float) -> None:
    one.cases += cases
    one.diseases[pathway.disease] += cases
    one.days += cases * sum(pathway.levels.get(level, 0.0) * days for level, days in zip(LEVELS, pathway.stay, strict=True))
    one.deaths += cases * pathway.deaths
    for treatment in pathway.procedures:
        for code in treatment.codes:
            one.procedures[code] += cases * treatment.share
    for listed in (pathway.usual, pathway.rare):
        for code, share in listed.items():
            one.procedures[code] += cases * share
    for code, share in pathway.companions.items():
        one.companions[code] += cases * share


def sources_of(disease: DiseasePriors) -> dict[str, set[str]]:
    """What of a disease is told in the report -> ids of its sources."""
    found: dict[str, set[str]] = {name: set() for name in TOLD}
    for path, cited in disease.sources.items():
        last = path.rsplit(".", 1)[-1]
        what = "treatment" if path.startswith("pathways.") and last in ("share", "procedures") else last
        if what in found:
            found[what] |= {*source_ids(cited)}
    return found


def disease_table(frame: pd.DataFrame, priors: RegionPriors | None = None, most: int = MOST) -> Iterable[str]:
    """Rows of Markdown: the ``most`` frequent three-character principal diagnoses; without priors what they say is a dash."""
    chapters = [] if priors is None else list(priors.chapters)
    expected = {} if priors is None else expected_cases(priors.pathways)
    diseases, used = diseases_of(chapters), set()
    principal = frame["diagnosis_codes"].map(lambda codes: codes[0] if codes else "")
    yield HEADER
    yield "|---" * 7 + "|"
    for head in principal.str[:3].value_counts().index[:most]:
        part = frame[principal.str[:3] == head]
        prior = expected.get(head, Expected())
        cited = {name: sources_of(diseases[name]) for name, cases in prior.diseases.items() if cases >= SMALL * prior.cases}
        told = {what: sorted(set().union(*(one[what] for one in cited.values()))) for what in TOLD}
        used |= {(name, source) for name, one in cited.items() for sources in one.values() for source in sources}
        yield _row(head, part, principal[part.index], prior, told)
    yield from _legend(chapters, used)


def _row(head: str, part: pd.DataFrame, principal: pd.Series, prior: Expected, told: Mapping[str, list[str]]) -> str:
    each = prior.cases or float("nan")
    procedures = _top(shares(part["procedure_codes"]), prior.procedures, each)
    companions = _top(shares(part["diagnosis_codes"].map(lambda codes: codes[1:])), prior.companions, each)
    stay = f"{part['los_days'].median():.0f}; {part['los_days'].mean():.1f} ({_number(prior.days / each)})"
    died = f"{percent((part['discharge_way'] == DIED).mean())} ({percent(prior.deaths / each)})"
    cited = "; ".join(f"{what}: {', '.join(ids) or 'assumption'}" for what, ids in told.items()) if prior.cases else "–"
    cells = [f"{head} {name_of(principal.value_counts().index[0])}", str(len(part)), stay, died, procedures, companions, cited]
    return f"| {' | '.join(cells)} |"


def _number(value: float) -> str:
    return "–" if value != value else f"{value:.1f}"


def _top(found: pd.Series, prior: Mapping[str, float], cases: float) -> str:
    """The most frequent codes with their shares, and in brackets what the priors say of them beyond the chronic conditions."""
    told = []
    for code, share in found[:TOP].items():
        said = prior[str(code)] / cases if code in prior else float("nan")
        told.append(f"{code} {name_of(str(code))} {percent(share, 0)} ({percent(said, 0)})")
    return "<br>".join(told) or "none"


def _legend(chapters: list[ChapterFile], used: set[tuple[str, str]]) -> Iterable[str]:
    """The works that the table names, once each."""
    works: dict[str, str] = {}
    for chapter in chapters:
        for disease, source in used:
            if disease in chapter.priors.diseases:
                work = chapter.priors.sources[source]
                works[source] = f"* `{source}` ({work.evidence}): {work.title}, {work.publisher} {work.year}"
    if works:
        yield ""
        yield from (works[source] for source in sorted(works))

"""What a chapter of priors must agree with beyond its form: dictionaries, sexes, ages, its own sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from drgsim.errors import Problem, did_you_mean
from drgsim.language import text
from drgsim.quality.code_facts import in_ranges
from drgsim.quality.quality_rules import code_ranges
from drgsim.records.code_dictionaries import CodeList, national_codes
from drgsim.synthetic.care_pathways import CarePathway, Curves, pathways_of
from drgsim.synthetic.prior_models import (
    ChapterPriors,
    Citation,
    CitedWork,
    CoursePriors,
    DiseasePriors,
    PathwayPriors,
    source_ids,
)

CODE = "synth-priors-disagrees"
YOUNGEST_MOTHER, OLDEST_MOTHER = 10, 58


@lru_cache(maxsize=16)
def _ranges(fact: str) -> tuple[str, ...]:
    return tuple(code_ranges(fact))


def is_of(code: str, fact: str) -> bool:
    """Whether a code falls under a fact of the quality rules.

    Examples
    --------
    >>> is_of("O80.000", "female_diagnoses"), is_of("60.2900", "male_procedures")
    (True, True)
    """
    return in_ranges(code, _ranges(fact))


def chapter_problems(chapter: ChapterPriors, where: str, curves: Curves) -> list[Problem]:
    """Everything in a chapter that is well formed and yet cannot be; ``curves`` has every curve of ages that it names."""
    problems: list[Problem] = []
    for name, disease in chapter.diseases.items():
        path = f"{where}: diseases.{name}"
        problems += _unknown_codes(disease, path)
        problems += _uncited(disease, chapter, path)
        for pathway in pathways_of(name, disease, curves):
            problems += _misfits(pathway, f"{path}.pathways.{pathway.name}")
    return problems


def _codes(course: CoursePriors) -> Iterator[tuple[str, str]]:
    for name in ("codes", "companions", "companion_severe"):
        for code in getattr(course, name) or ():
            yield f"{name}.{code}", code


def _procedures(pathway: PathwayPriors) -> Iterator[tuple[str, str]]:
    for place, one in enumerate(pathway.procedures):
        for code in one.codes:
            yield f"procedures.{place}.{code}", code
    for name, listed in (("with", pathway.usual), ("rare", pathway.rare)):
        for code in listed:
            yield f"{name}.{code}", code


def _unknown_codes(disease: DiseasePriors, path: str) -> Iterator[Problem]:
    book = national_codes()
    for place, course in disease.courses():
        for below, code in _codes(course):
            yield from dictionary_problems(code, book.diagnoses, f"{path}{place}.{below}", text("diagnosis"))
        for below, code in _procedures(course) if isinstance(course, PathwayPriors) else ():
            yield from dictionary_problems(code, book.procedures, f"{path}{place}.{below}", text("procedure"))


def dictionary_problems(code: str, codes: CodeList, path: str, what: str) -> Iterator[Problem]:
    if codes.find(code) < 0 or codes.canonical(code) != code:
        near = did_you_mean(code, [known for known in codes.codes if known[:4] == code[:4]])
        yield Problem(
            CODE,
            text("{code} is no {what} of the dictionary (医保2.0)", code=code, what=what),
            path,
            fix=near or text("look the code up"),
        )
    elif codes.is_grey(code):
        finer = [f"{known} {codes.name(known)}" for known in codes.codes if known[:5] == code[:5] and not codes.is_grey(known)]
        fix = (
            text("take one that is more precise: {finer}", finer=", ".join(finer[:6]))
            if finer
            else text("take a code that is more precise")
        )
        yield Problem(CODE, text("{code} {codes} is a grey code (灰码)", code=code, codes=codes.name(code)), path, fix=fix)


def _uncited(disease: DiseasePriors, chapter: ChapterPriors, path: str) -> Iterator[Problem]:
    """Sources that the file does not list, and sources of figures that the disease does not have."""
    tree = disease.model_dump(by_alias=True, exclude_unset=True)
    for field, cited in disease.sources.items():
        yield from unlisted_sources(cited, chapter.sources, f"{path}.sources.{field}")
        if not _stands(tree, field):
            fix = did_you_mean(field, _fields(tree)) or text(
                "name a field of the disease, such as deaths or pathways.pci.share"
            )
            yield Problem(
                CODE,
                text("{field} is sourced but not stated", field=field),
                f"{path}.sources.{field}",
                fix=fix,
            )


def unlisted_sources(cited: Citation, works: Mapping[str, CitedWork], path: str) -> Iterator[Problem]:
    """Sources of one figure that the file does not list."""
    for source in source_ids(cited):
        if source not in works:
            fix = did_you_mean(source, list(works)) or text(
                "list it under sources of the file, or leave the figure an assumption"
            )
            yield Problem(CODE, text("the source {source} is not listed", source=source), path, fix=fix)


def _stands(tree: Any, path: str) -> bool:
    """Whether a dotted path leads to something; keys may hold dots themselves."""
    if not isinstance(tree, Mapping):
        return False
    if any(str(key) == path for key in tree):
        return True
    return any(path.startswith(f"{key}.") and _stands(below, path[len(str(key)) + 1 :]) for key, below in tree.items())


def _fields(tree: Mapping[str, Any]) -> list[str]:
    pathways = tree["pathways"]
    return [*tree, *(f"pathways.{name}.{field}" for name, pathway in pathways.items() for field in pathway)]


def _misfits(pathway: CarePathway, path: str) -> Iterator[Problem]:
    """Codes of one sex in patients of the other, mothers and newborns of other ages, companions that are the disease itself."""
    sexed = [*pathway.codes, *pathway.companions]
    done = [code for one in pathway.procedures for code in one.codes] + [*pathway.usual, *pathway.rare]
    for sex, wrong in (("female", pathway.male > 0), ("male", pathway.male < 1)):
        found = [code for code in sexed if is_of(code, f"{sex}_diagnoses")]
        found += [code for code in done if is_of(code, f"{sex}_procedures")]
        if found and wrong:
            fix = text("write male: 0") if sex == "female" else text("write male: 1")
            yield Problem(
                CODE,
                text("{found} is only for {sex} patients, and male is {male:g}", found=found[0], sex=sex, male=pathway.male),
                path,
                fix=fix,
            )
    low, high = pathway.age_limits
    if any(is_of(code, "childbearing_diagnoses") for code in pathway.codes) and not (
        low >= YOUNGEST_MOTHER and high <= OLDEST_MOTHER
    ):
        fix = text("take the curve mother, or ages within 15-50")
        yield Problem(
            CODE, text("a diagnosis of pregnancy or childbirth at ages {low}-{high}", low=low, high=high), path, fix=fix
        )
    if any(is_of(code, "newborn_diagnoses") for code in pathway.codes) and high > 0:
        fix = text("take the curve newborn or infant")
        yield Problem(CODE, text("a perinatal diagnosis (P00-P96) at ages {low}-{high}", low=low, high=high), path, fix=fix)
    for code in pathway.companions.keys() & pathway.codes.keys():
        if len(pathway.codes) == 1:
            yield Problem(
                CODE, text("{code} is the principal diagnosis and its own companion", code=code), path, fix=text("leave it out")
            )
    unknown = set(pathway.severe or ()) - set(pathway.companions)
    for code in sorted(unknown):
        yield Problem(
            CODE,
            text("{code} of companion_severe is no companion", code=code),
            path,
            fix=text("list it under companions with its share"),
        )

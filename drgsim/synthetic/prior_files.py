"""Folders of priors: the chapters of diseases, read strictly, all problems at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from drgsim.errors import DrgsimError, Problem, did_you_mean
from drgsim.language import text
from drgsim.parameters.strict_file import read_strict, validated
from drgsim.synthetic.age_curves import USUAL_CURVES
from drgsim.synthetic.care_pathways import Curves
from drgsim.synthetic.prior_checks import CODE, chapter_problems
from drgsim.synthetic.prior_models import KIND, PROCEDURE_CODE, ChapterPriors, DiseasePriors

BUNDLED = Path(__file__).with_name("priors")


@dataclass(frozen=True)
class ChapterFile:
    """A chapter as it was read; ``name`` is that of the file."""

    name: str
    priors: ChapterPriors


def read_chapter(path: Path, problems: list[Problem], curves: Curves = USUAL_CURVES) -> ChapterFile | None:
    """A chapter of priors; what is wrong is added to ``problems``; None where its form is wrong."""
    where = f"chapters/{path.name}"
    raw, _ = read_strict(path, KIND, problems, where, text("write it as docs/synthetic-region.md shows"), PROCEDURE_CODE)
    if raw is None:
        return None
    chapter = validated(ChapterPriors, raw, KIND, where, problems)
    if chapter is None or not _curves_known(chapter, where, curves, problems):
        return None
    problems += chapter_problems(chapter, where, curves)
    return ChapterFile(path.name, chapter)


def _curves_known(chapter: ChapterPriors, where: str, curves: Curves, problems: list[Problem]) -> bool:
    known = True
    for name, disease in chapter.diseases.items():
        for place, course in disease.courses():
            if isinstance(course.age, str) and course.age not in curves:
                fix = did_you_mean(course.age, list(curves)) or text("the curves are {curves}", curves=", ".join(curves))
                path = f"{where}: diseases.{name}{place}.age"
                problems.append(Problem(CODE, text("there is no curve of ages {age}", age=course.age), path, fix=fix))
                known = False
    return known


def read_chapters(paths: Sequence[Path], curves: Curves = USUAL_CURVES) -> list[ChapterFile]:
    """Chapters in the order given.

    Raises
    ------
    DrgsimError
        ``synth-priors-...``: everything that is wrong in any of the files, and diseases that stand in two of them.
    """
    problems: list[Problem] = []
    found = [read_chapter(path, problems, curves) for path in paths]
    chapters = [chapter for chapter in found if chapter is not None]
    problems += repeated_diseases(chapters)
    if problems:
        raise DrgsimError(problems)
    return chapters


def repeated_diseases(chapters: Sequence[ChapterFile]) -> list[Problem]:
    """Diseases whose id stands in two chapters."""
    problems: list[Problem] = []
    seen: dict[str, str] = {}
    for chapter in chapters:
        for name in chapter.priors.diseases:
            if name in seen:
                what = text("the disease {name} stands in {file} too", name=name, file=seen[name])
                place = f"chapters/{chapter.name}: diseases.{name}"
                problems.append(Problem(CODE, what, place, fix=text("give one of them another id")))
            seen[name] = chapter.name
    return problems


def diseases_of(chapters: Sequence[ChapterFile]) -> dict[str, DiseasePriors]:
    """All diseases by id."""
    return {name: disease for chapter in chapters for name, disease in chapter.priors.diseases.items()}

"""All priors of a region: the bundled folder, and what a folder of one's own puts in its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from drgsim.errors import DrgsimError, Problem, did_you_mean
from drgsim.language import text
from drgsim.parameters.evidence import Evidence
from drgsim.results.whole_outputs import whole_folder
from drgsim.synthetic.age_curves import USUAL_CURVES
from drgsim.synthetic.care_pathways import CarePathway, pathways_of
from drgsim.synthetic.people_file import PeoplePriors, read_people
from drgsim.synthetic.price_list import PriceList, read_prices
from drgsim.synthetic.prior_checks import CODE
from drgsim.synthetic.prior_files import BUNDLED, ChapterFile, diseases_of, read_chapters
from drgsim.synthetic.prior_models import Citation, CitedWork, source_ids
from drgsim.synthetic.tail_pathways import read_tail

CHAPTERS = "chapters"
SINGLE_FILES = ("people.yaml", "items.yaml", "tail.csv")
# fields that are no figures
_WORDS = {"title", "ward", "adrg", "sources", "pathways", "companion_severe", "cited", "never_with", "after"}


@dataclass(frozen=True)
class RegionPriors:
    """Priors of a region as read.

    Attributes
    ----------
    pathways, tail
        Care pathways of the chapters (``cases`` per 10,000) and of tail.csv (``cases`` a relative weight).
    figures
        Kind of evidence -> number of stated figures (a map of shares counts as one) of chapters, people and prices.
    own
        Names of the files that do not come with the program.
    """

    chapters: tuple[ChapterFile, ...]
    people: PeoplePriors
    prices: PriceList
    pathways: tuple[CarePathway, ...]
    tail: tuple[CarePathway, ...]
    figures: Mapping[str, int]
    own: tuple[str, ...] = ()


def load_priors(folder: Path | None = None) -> RegionPriors:
    """The bundled priors; files of ``folder`` take the place of those of the same name, new chapters are added.

    Raises
    ------
    DrgsimError
        ``synth-priors-folder`` when there is no such folder or it holds something else, ``synth-priors-...`` for everything
        that is wrong in the files.
    """
    if folder is None:
        return _bundled()
    own = _own_files(folder)
    return _read(_files(BUNDLED) | own, tuple(sorted(own)))


@lru_cache(maxsize=1)
def _bundled() -> RegionPriors:
    return _read(_files(BUNDLED), ())


def _files(folder: Path) -> dict[str, Path]:
    """Files of a folder of priors by their name within it."""
    return {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name[0] != "."
    }


def _own_files(folder: Path) -> dict[str, Path]:
    """Files of a folder of one's own, which may hold nothing else."""
    if not folder.is_dir():
        fix = text("drgsim synth --export-priors DIR writes the bundled ones to start from")
        raise DrgsimError.single(
            "synth-priors-folder", text("there is no folder {folder}", folder=folder), where="--priors", fix=fix
        )
    own = _files(folder)
    odd = [
        name for name in own if name not in SINGLE_FILES and not (name.startswith(f"{CHAPTERS}/") and name.endswith(".yaml"))
    ]
    folders = [
        path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_dir() and path.name[0] != "."
    ]
    odd_folders = [name for name in folders if f"{name}/".split("/")[0] != CHAPTERS or name.endswith(".yaml")]
    if odd or odd_folders or not own:
        what = text("{name} is no file of priors", name=odd[0]) if odd else text("the folder holds no priors")
        what = text("{name} is a folder, no file of priors", name=odd_folders[0]) if odd_folders else what
        near = did_you_mean(odd[0], SINGLE_FILES) if odd and not odd_folders else ""
        listed = text(
            "a folder of priors has {single_files} and {chapters}/*.yaml, each of them optional",
            single_files=", ".join(SINGLE_FILES),
            chapters=CHAPTERS,
        )
        raise DrgsimError.single("synth-priors-folder", what, where=str(folder), fix=near or listed)
    return own


def _read(files: Mapping[str, Path], own: tuple[str, ...]) -> RegionPriors:
    problems: list[Problem] = []
    people = _tried(lambda: read_people(files["people.yaml"]), problems)
    prices = _tried(lambda: read_prices(files["items.yaml"]), problems)
    curves = USUAL_CURVES | (people.curves if people is not None else {})
    paths = [path for name, path in files.items() if name.startswith(f"{CHAPTERS}/")]
    chapters = _tried(lambda: read_chapters(paths, curves), problems) or []
    tail = read_tail(files["tail.csv"], curves, problems) if "tail.csv" in files else []
    if people is not None:
        problems += _unknown_conditions(chapters, people)
    if problems or people is None or prices is None:
        raise DrgsimError(problems)
    found = [one for name, disease in diseases_of(chapters).items() for one in pathways_of(name, disease, curves)]
    return RegionPriors(tuple(chapters), people, prices, tuple(found), tuple(tail), _figures(chapters, people, prices), own)


T = TypeVar("T")


def _tried(read: Callable[[], T], problems: list[Problem]) -> T | None:
    """What a reader gives, None where it finds the file wrong; its problems join the others."""
    try:
        return read()
    except DrgsimError as error:
        problems += error.problems
        return None


def _unknown_conditions(chapters: list[ChapterFile], people: PeoplePriors) -> list[Problem]:
    known = list(people.comorbidities)
    problems = []
    for chapter in chapters:
        for name, disease in chapter.priors.diseases.items():
            for place, course in disease.courses():
                for condition in set(course.comorbidity or {}) - set(known):
                    where = f"{CHAPTERS}/{chapter.name}: diseases.{name}{place}.comorbidity"
                    fix = did_you_mean(condition, known) or text("the conditions are {known}", known=", ".join(known))
                    problems.append(
                        Problem(CODE, text("{condition} is no condition of people.yaml", condition=condition), where, fix=fix)
                    )
    return problems


def _figures(chapters: list[ChapterFile], people: PeoplePriors, prices: PriceList) -> dict[str, int]:
    """How many stated figures have a source of which kind; the rest are assumptions."""
    count: Counter[str] = Counter({str(kind): 0 for kind in Evidence})

    def add(stated: int, cited: Mapping[str, Citation], works: Mapping[str, CitedWork]) -> None:
        for one in cited.values():
            count[works[source_ids(one)[0]].evidence] += 1
        count[Evidence.ASSUMPTION] += max(stated - len(cited), 0)

    for chapter in chapters:
        for disease in chapter.priors.diseases.values():
            stated = sum(len(course.model_fields_set - _WORDS) for _, course in disease.courses())
            add(stated, disease.sources, chapter.priors.sources)
    for entry in (*people.comorbidities.values(), *people.complications.values()):
        add(len(entry.model_fields_set - _WORDS), entry.cited, people.sources)
    for priced in (
        prices.mean_bill,
        prices.icu_day,
        prices.ventilator_day,
        *prices.wards.values(),
        *prices.procedures.values(),
    ):
        add(len(priced.model_fields_set - _WORDS), priced.cited, prices.sources)
    return {str(kind): count[kind] for kind in Evidence}


def export_priors(target: Path) -> list[str]:
    """Write the bundled priors to the new folder ``target``; names of the files.

    Raises
    ------
    OutputError
        ``output-exists`` when it is there already.
    """
    files = _files(BUNDLED)
    with whole_folder(target, replace=False) as beside:
        for name, path in files.items():
            (beside / name).parent.mkdir(exist_ok=True)
            (beside / name).write_bytes(path.read_bytes())
    return list(files)

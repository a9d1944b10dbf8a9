"""tail.csv: groups that no disease file reaches, as small care pathways."""

from __future__ import annotations

import csv
from dataclasses import replace
from io import StringIO
from pathlib import Path

from drgsim.errors import Problem
from drgsim.language import text
from drgsim.parameters.strict_file import is_file, read_text
from drgsim.records.code_dictionaries import national_codes
from drgsim.synthetic.age_curves import AgeBand
from drgsim.synthetic.care_pathways import CarePathway, Curves, pathways_of
from drgsim.synthetic.prior_checks import CODE, dictionary_problems
from drgsim.synthetic.prior_models import KIND, DiseasePriors

FILE = "tail.csv"
COLUMNS = (
    "adrg", "scheme", "title", "ward", "diagnosis", "others", "procedures", "with", "weight", "levels", "male", "age",
    "min_age", "max_age", "stay", "season", "emergency", "deaths", "birth_weight",
)  # fmt: skip


def read_tail(path: Path, curves: Curves, problems: list[Problem]) -> list[CarePathway]:
    """The pathways of tail.csv; ``cases`` is their relative weight. None where there is no such file."""
    if not is_file(path):
        return []
    content = read_text(path, KIND, problems, FILE)
    if content is None:
        return []
    reader = csv.DictReader(StringIO(content))
    odd = set(COLUMNS) ^ set(reader.fieldnames or ())
    if odd:
        problems.append(
            Problem(
                CODE,
                text("unknown or missing columns: {odd}", odd=", ".join(sorted(odd))),
                FILE,
                fix=text("they are {columns}", columns=COLUMNS),
            )
        )
        return []
    book, found = national_codes(), []
    for number, row in enumerate(reader, start=2):
        try:
            found.append(_pathway(row, number, curves))
        except (ValueError, KeyError) as error:
            said = str(error).splitlines()
            problems.append(
                Problem(
                    CODE,
                    text("the row cannot be read: {said}", said=" ".join(said[:3])),
                    text("{file}: line {number}", file=FILE, number=number),
                )
            )
            continue
        place = text("{file}: line {number}", file=FILE, number=number)
        for code in (row["diagnosis"], *_split(row["others"])):
            problems += dictionary_problems(code, book.diagnoses, place, text("diagnosis"))
        for code in (*_split(row["procedures"]), *_shares(row["with"])):
            problems += dictionary_problems(code, book.procedures, place, text("procedure"))
    return found


def _split(text: str) -> tuple[str, ...]:
    return tuple(code for code in text.split("|") if code)


def _shares(text: str) -> dict[str, float]:
    return {name: float(share) for name, _, share in (pair.rpartition(":") for pair in _split(text))}


def _pathway(row: dict[str, str], number: int, curves: Curves) -> CarePathway:
    if row["age"] not in curves:
        raise ValueError(text("there is no curve of ages {age}", age=row["age"]))
    low, _, high = row["birth_weight"].partition("-")
    pathway = {
        "share": 1.0,
        "adrg": row["adrg"],
        "procedures": [{"codes": _split(row["procedures"]), "share": 1.0}],
        "with": _shares(row["with"]),
        "birth_weight": (float(low), float(high)) if low else None,
    }
    season, _, peak = row["season"].partition(":")
    disease = DiseasePriors.model_validate(
        {
            "title": row["title"],
            "cases": float(row["weight"]),
            "codes": {row["diagnosis"]: 1.0},
            "levels": {int(level): share for level, share in _shares(row["levels"]).items()},
            "male": float(row["male"]),
            "age": row["age"],
            "stay": float(row["stay"]),
            "deaths": float(row["deaths"] or 0),
            "emergency": float(row["emergency"] or 0.3),
            "season": {season: float(peak or 1.25)} if season else None,
            "ward": row["ward"],
            # what the group's rule asks for belongs to the case, however severe it is
            "companions": dict.fromkeys(_split(row["others"]), 1.0),
            "companion_severe": (),
            "pathways": {row["adrg"]: pathway},
        }
    )
    made = next(pathways_of(f"tail-{number}", disease, curves))
    return replace(made, ages=_within(made.ages, int(row["min_age"] or 0), int(row["max_age"] or 150)))


def _within(bands: tuple[AgeBand, ...], low: int, high: int) -> tuple[AgeBand, ...]:
    kept = [band for band in bands if band.high >= low and band.low <= high]
    if not kept:
        return (AgeBand(low, min(high, low + 10), 1.0),)
    return tuple(replace(band, low=max(band.low, low), high=min(band.high, high)) for band in kept)

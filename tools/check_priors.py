"""Check chapters of priors, and group every pathway by chs-drg-2.0: does it reach the ADRG that it states?

    python -m tools.check_priors [--all] [CHAPTER.yaml ...]      (default: all bundled chapters)

A pathway is grouped as its typical case: commonest principal diagnosis, median age, commoner sex, commonest set of procedures,
of the other diagnoses those that every case has (the outcome of delivery); and once more with all its usual companions.
``--all`` lists every pathway, and what other principal diagnoses, other sets of procedures and rare companions come to. The
exit code is 1 where a file is wrong or a group differs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from drgsim.errors import DrgsimError, Problem
from drgsim.synthetic.care_pathways import CarePathway, pathways_of
from drgsim.synthetic.prior_files import BUNDLED, ChapterFile, read_chapter, repeated_diseases
from drgsim.units.drg.drg_reference import Discharge, trace_discharge
from drgsim.units.schemes.pack import load_scheme
from drgsim.units.schemes.scheme import Scheme

USUAL_WEIGHT = 3300


@dataclass
class Checked:
    """A pathway, the group that it states and what the grouper answers: the typical case and others."""

    pathway: CarePathway
    plain: str
    equipped: str
    others: dict[str, str]

    @property
    def fits(self) -> bool:
        return self.plain == self.pathway.adrg == self.equipped


@lru_cache(maxsize=1)
def scheme() -> Scheme:
    return load_scheme("chs-drg-2.0")


def commonest(shares: dict[str, float] | Iterable[tuple[str, float]]) -> str:
    return max(dict(shares).items(), key=lambda pair: pair[1])[0]


def group(pathway: CarePathway, diagnosis: str, procedures: Sequence[str]) -> str:
    age = pathway.typical_age
    newborn = max(pathway.ages, key=lambda band: band.weight).newborn
    weight = sum(pathway.birth_weight) / 2 if pathway.birth_weight else USUAL_WEIGHT
    days = 5 if newborn else 200
    young = age < 1
    certain = [code for code, share in pathway.companions.items() if share == 1 and code != diagnosis]
    discharge = Discharge(
        (diagnosis, *certain),
        tuple(procedures),
        1 if pathway.male >= 0.5 else 2,
        int(age),
        days if young else None,
        weight if young and newborn else None,
        los_days=pathway.stay[0],
    )
    return trace_discharge(discharge, scheme()).adrg or "0000"


def check(pathway: CarePathway) -> Checked:
    diagnosis = commonest(pathway.codes)
    sets = sorted(pathway.procedures, key=lambda one: -one.share)
    main = list(sets[0].codes) if sets else []
    others = {f"{code} {share:.0%}": group(pathway, code, main) for code, share in pathway.codes.items() if code != diagnosis}
    others |= {f"{'+'.join(one.codes) or 'none'} {one.share:.0%}": group(pathway, diagnosis, one.codes) for one in sets[1:]}
    others |= {f"with {code}": group(pathway, diagnosis, [*main, code]) for code in pathway.rare}
    equipped = group(pathway, diagnosis, [*main, *pathway.usual])
    return Checked(pathway, group(pathway, diagnosis, main), equipped, others)


def show(checked: Checked, everything: bool) -> None:
    pathway = checked.pathway
    mark = " " if checked.fits else "!"
    print(
        f"{mark} {pathway.disease}.{pathway.name:<18} {pathway.cases:7.2f}  states {pathway.adrg}  typical {checked.plain}"
        f"  with all companions {checked.equipped}"
    )
    if everything or not checked.fits:
        for what, adrg in checked.others.items():
            if adrg != pathway.adrg:
                print(f"      {what}: {adrg}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("chapters", nargs="*", type=Path)
    parser.add_argument("--all", action="store_true", help="list what fits too")
    given = parser.parse_args()
    problems: list[Problem] = []
    paths = given.chapters or sorted((BUNDLED / "chapters").glob("*.yaml"))
    chapters: list[ChapterFile] = [one for path in paths if (one := read_chapter(path, problems)) is not None]
    names = {chapter.name for chapter in chapters}
    rest = [path for path in sorted((BUNDLED / "chapters").glob("*.yaml")) if path.name not in names]
    problems += repeated_diseases([*(one for path in rest if (one := read_chapter(path, []))), *chapters])
    if problems:
        print("\n".join(map(str, problems)))
    wrong = total = 0
    cases = 0.0
    for chapter in chapters:
        print(f"== {chapter.name} {chapter.priors.chapter}: {len(chapter.priors.diseases)} diseases")
        for name, disease in chapter.priors.diseases.items():
            cases += disease.cases
            for pathway in pathways_of(name, disease):
                checked = check(pathway)
                total += 1
                wrong += not checked.fits
                if given.all or not checked.fits:
                    show(checked, given.all)
    print(f"{len(chapters)} of {len(paths)} files read, {total} pathways, {wrong} differ; {cases:.1f} cases per 10,000")
    return 1 if problems or wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except DrgsimError as error:
        sys.exit(str(error))

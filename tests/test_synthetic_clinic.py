"""No procedure without business: the rule list of absurd pairs against pathways, and against the stays of a region."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from drgsim.records.code_dictionaries import national_codes
from drgsim.synthetic import generate_region
from drgsim.synthetic.care_pathways import CarePathway, pathways_of
from drgsim.synthetic.prior_files import BUNDLED, read_chapters
from drgsim.synthetic.region_request import RegionRequest
from tests.clinic_rules import ClinicRules, Findings

MEN, WOMEN = 1, 2


@pytest.fixture(scope="module")
def rules() -> ClinicRules:
    return ClinicRules()


@pytest.fixture(scope="module")
def pathways() -> list[CarePathway]:
    chapters = [one for path in sorted((BUNDLED / "chapters").glob("*.yaml")) for one in read_chapters([path])]
    return [each for one in chapters for name, disease in one.priors.diseases.items() for each in pathways_of(name, disease)]


def treatments(pathway: CarePathway) -> Iterator[tuple[str, str, float]]:
    """Principal diagnosis, principal procedure, cases of every treatment of a pathway."""
    for diagnosis, share in pathway.codes.items():
        for one in pathway.procedures:
            if one.codes:
                yield diagnosis, one.codes[0], pathway.cases * share * one.share


@pytest.mark.parametrize(
    ("diagnoses", "procedures"),
    [
        (("J18.900", "I10.x00x002"), ("38.9304",)),
        (("I63.900",), ("34.9101",)),
        (("O20.000",), ("54.9106",)),
        (("K63.500",), ("45.4306",)),
        (("K80.200x003",), ("88.0102",)),
        (("N20.100",), ("56.7401",)),
    ],
)
def test_what_the_rules_were_written_against_is_found(
    rules: ClinicRules, diagnoses: tuple[str, ...], procedures: tuple[str, ...]
) -> None:
    found = rules.judge([(diagnoses, procedures, WOMEN)])
    assert sum(found.principal.values()) + sum(found.pairs.values()) > 0


def test_an_effusion_explains_the_puncture_of_a_chest(rules: ClinicRules) -> None:
    assert not rules.plausible("34.9101", ("M51.202",), principal=True)
    assert rules.plausible("34.9101", ("I25.103", "J90.x00"), principal=True)
    assert not rules.plausible("55.5103", ("I25.103", "N20.000"), principal=True)
    assert rules.plausible("55.5103", ("C64.x00x003",), principal=True)


def test_stents_of_one_kind_and_of_several(rules: ClinicRules) -> None:
    found = rules.judge([(("I20.000",), ("36.0700", "00.4500"), MEN), (("I20.000",), ("36.0700", "39.9009"), MEN)])
    assert found.stents == 2
    assert dict(found.mixed_stents) == {("coronary", "limb"): 1}


def test_a_man_in_childbirth_is_found(rules: ClinicRules) -> None:
    assert rules.judge([(("O80.000",), ("73.5900",), MEN)]).wrong_sex.total() == 2
    assert not rules.judge([(("O80.000",), ("73.5900",), WOMEN)]).wrong_sex


def test_the_rules_know_every_procedure_of_a_pathway(rules: ClinicRules, pathways: list[CarePathway]) -> None:
    names = national_codes().procedures
    unknown = {
        code: names.name(code)
        for pathway in pathways
        for one in (*(each.codes for each in pathway.procedures), tuple(pathway.usual), tuple(pathway.rare))
        for code in one
        if not rules.families_of(code) and rules.plausible(code, ("X",), principal=False) is None
    }
    assert not unknown


def test_every_pathway_treats_its_disease(rules: ClinicRules, pathways: list[CarePathway]) -> None:
    odd = {
        (pathway.disease, pathway.name, diagnosis, procedure): cases
        for pathway in pathways
        for diagnosis, procedure, cases in treatments(pathway)
        if not rules.plausible(procedure, (diagnosis, *pathway.companions), principal=True)
    }
    assert sum(odd.values()) < 0.001 * sum(pathway.cases for pathway in pathways), odd


def side_of(name: str) -> str:
    """One side of the body, both or left open: 单侧, 双侧, nothing."""
    return next((word for word in ("双侧", "单侧") if word in name), "")


def test_one_side_is_operated_on_where_one_is_ill_and_both_where_both_are(pathways: list[CarePathway]) -> None:
    book = national_codes()
    odd = [
        (pathway.disease, pathway.name, diagnosis, procedure)
        for pathway in pathways
        for diagnosis, procedure, _ in treatments(pathway)
        if {side_of(book.diagnoses.name(diagnosis)), side_of(book.procedures.name(procedure))} == {"单侧", "双侧"}
    ]
    assert odd == []


# -- the stays of a region -------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def found(rules: ClinicRules, tmp_path_factory: pytest.TempPathFactory) -> Findings:
    folder = tmp_path_factory.mktemp("clinic") / "region"
    generate_region(folder, RegionRequest(hospitals=12, cases=20_000, seed=7))
    return rules.judge(stay for path in sorted(folder.glob("discharges-*.parquet")) for stay in stays_of(pq.read_table(path)))


def stays_of(table: pa.Table) -> Iterator[tuple[tuple[str, ...], tuple[str, ...], int]]:
    columns = (table.column(name).to_pylist() for name in ("diagnoses", "procedures", "sex"))
    for diagnoses, procedures, sex in zip(*columns, strict=True):
        yield tuple((diagnoses or "").split("|")), tuple(code for code in (procedures or "").split("|") if code), sex


def test_principal_procedures_fit_the_principal_diagnosis(found: Findings) -> None:
    assert found.share("principal") < 0.01, found.principal.most_common(10)


def test_further_procedures_fit_some_diagnosis(found: Findings) -> None:
    assert found.share("companion") < 0.005, found.companion.most_common(10)


def test_the_rules_know_what_a_region_does(found: Findings) -> None:
    assert sum(found.unjudged.values()) < 0.001 * found.with_procedure, found.unjudged.most_common(10)


def test_absurd_pairs_are_as_rare_as_the_rules_say(rules: ClinicRules, found: Findings) -> None:
    by_chance = 2  # stays that a small region may have beyond its share
    odd = {
        rule["id"]: (found.pairs[rule["id"]], found.pair_stays[rule["id"]])
        for rule in rules.pairs
        if found.pairs[rule["id"]] > rule["most"] * found.pair_stays[rule["id"]] + by_chance * (rule["most"] > 0)
    }
    assert not odd


def test_punctures_are_rare_over_all_stays(rules: ClinicRules, found: Findings) -> None:
    for rule in rules.overall:
        assert found.overall[rule["id"]] < rule["most"] * found.stays, rule["title"]


def test_a_stay_has_stents_of_one_kind(rules: ClinicRules, found: Findings) -> None:
    assert found.stents > 100
    assert found.mixed_stents.total() <= rules.most_mixed * found.stents, found.mixed_stents


def test_nobody_has_what_only_the_other_sex_has(found: Findings) -> None:
    assert not found.wrong_sex

"""Folders of priors: what is read, and every mistake named at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from drgsim.errors import DrgsimError
from drgsim.synthetic.care_pathways import pathways_of
from drgsim.synthetic.prior_files import diseases_of, read_chapters

CHAPTER = """
chapter: 呼吸系统疾病 Diseases of the respiratory system
icd: J00-J99
sources:
  book: {title: A book, publisher: A house, year: 2022, evidence: secondary}
diseases:
  pneumonia:
    title: 肺炎
    cases: 300
    codes: {J18.900: 0.7, J15.900: 0.3}
    levels: {3: 0.4, 2: 0.4, 1: 0.2}
    male: 0.55
    age: {0: 1, 1-14: 2, 65-84: 4}
    stay: {3: 9, 1: 7}
    deaths: 0.01
    season: {winter: 1.4}
    ward: respiratory
    companions: {J96.900x002: 0.1}
    pathways:
      plain: {share: 0.9, adrg: ES3, procedures: []}
      scope:
        share: 0.1
        adrg: ES3
        procedures: [{codes: [33.2400], share: 1}]
        with: {38.9300: 0.05}
        deaths: 0.02
        companions: {J90.x00: 0.2}
    sources: {deaths: {id: book, says: page 1}, pathways.scope.share: book}
"""


def write(folder: Path, text: str, name: str = "j-respiratory.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_pathway_says_what_it_states_and_else_what_its_disease_does(tmp_path: Path) -> None:
    disease = diseases_of(read_chapters([write(tmp_path, CHAPTER.replace("33.2400", "33.2400x001"))]))["pneumonia"]
    plain, scope = pathways_of("pneumonia", disease)
    assert (plain.deaths, scope.deaths) == (0.01, 0.02)
    assert plain.cases == pytest.approx(270)
    assert scope.procedures[0].codes == ("33.2400x001",)
    assert dict(scope.companions) == {"J96.900x002": 0.1, "J90.x00": 0.2}
    assert plain.stay == (9, 9, 7)
    assert plain.age_limits == (0, 84)
    assert plain.peak == ("winter", 1.4)


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    text = CHAPTER.replace("J18.900: 0.7", "J18.999: 0.7").replace("33.2400]", "65.9100]").replace("id: book", "id: bok")
    text = text.replace("38.9300: 0.05", "00.6600: 0.05").replace("{deaths:", "{deahts:")
    with pytest.raises(DrgsimError) as caught:
        read_chapters([write(tmp_path, text), write(tmp_path, CHAPTER.replace("33.2400", "33.2400x001"), "k.yaml")])
    told = str(caught.value)
    for words in (
        "J18.999 is no diagnosis",
        "00.6600 经皮冠状动脉腔内血管成形术[PTCA] is a grey code",
        "65.9100 is only for female patients",
        "the source bok is not listed",
        "did you mean book?",
        "deahts is sourced but not stated",
        "the disease pneumonia stands in j-respiratory.yaml too",
        "where: chapters/j-respiratory.yaml: diseases.pneumonia.pathways.scope.with.00.6600",
    ):
        assert words in told
    assert {problem.code for problem in caught.value.problems} == {"synth-priors-disagrees"}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("J15.900: 0.3", "J15.900: 0.2", "the shares of codes add up to 0.9 instead of 1"),
        ("share: 0.9,", "share: 0.8,", "the shares of pathways add up to 0.9 instead of 1"),
        ("male: 0.55", "mael: 0.55", "did you mean male?"),
        ("1-14: 2", "14-1: 2", "runs backwards"),
        ("ward: respiratory", "ward: lung", "diseases.pneumonia.ward"),
        ("adrg: ES3, procedures", "adrg: ES33, procedures", "adrg"),
        ("age: {0: 1, 1-14: 2, 65-84: 4}", "age: eldre", "did you mean elder?"),
        ("evidence: secondary", "evidence: rumour", "sources.book.evidence"),
        ("winter: 1.4", "frost: 1.4", "season"),
        ("stay: {3: 9, 1: 7}", "stay: 0", "stay"),
    ],
)
def test_what_has_no_such_form_is_refused(tmp_path: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(DrgsimError) as caught:
        read_chapters([write(tmp_path, CHAPTER.replace(old, new))])
    assert words in str(caught.value)
    assert all(problem.code.startswith("synth-priors") and problem.where for problem in caught.value.problems)

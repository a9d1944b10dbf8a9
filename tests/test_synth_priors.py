"""Folders of priors: what is read, and every mistake named at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from drgsim.errors import DrgsimError
from drgsim.synthetic import RegionRequest, export_priors, generate_region, load_priors
from drgsim.synthetic.care_pathways import pathways_of
from drgsim.synthetic.draw_plan import make_plan
from drgsim.synthetic.invented_hospitals import make_hospitals
from drgsim.synthetic.planned_marginals import planned_marginals
from drgsim.synthetic.prior_files import BUNDLED, diseases_of, read_chapters
from drgsim.synthetic.synth_parameters import load_parameters

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


# -- a folder of one's own -------------------------------------------------------------------------------------------
def test_the_bundled_priors_are_sound_and_say_what_is_sourced() -> None:
    priors = load_priors()
    assert len({one.disease for one in priors.pathways}) >= 300
    assert len(priors.tail) > 100
    assert set(priors.figures) == {"official", "secondary", "derived", "assumption"}
    assert priors.figures["secondary"] > 100
    assert priors.own == ()


def test_own_files_take_the_place_of_bundled_ones_and_chapters_are_added(tmp_path: Path) -> None:
    (tmp_path / "chapters").mkdir()
    own = (
        CHAPTER.replace("  pneumonia:", "  pneumonia_of_ours:")
        .replace("33.2400", "33.2400x001")
        .replace("cases: 300", "cases: 9000")
    )
    write(tmp_path / "chapters", own, "zz-ours.yaml")
    priors = load_priors(tmp_path)
    assert priors.own == ("chapters/zz-ours.yaml",)
    assert {one.disease for one in load_priors().pathways} < {one.disease for one in priors.pathways}
    made = generate_region(tmp_path / "region", RegionRequest(hospitals=3, cases=600, priors=tmp_path))
    assert made.own_priors == ["chapters/zz-ours.yaml"]
    codes = [
        cell.split("|")[0]
        for path in (tmp_path / "region").glob("*.parquet")
        for cell in pq.read_table(path, columns=["diagnoses"])["diagnoses"].to_pylist()
    ]
    assert sum(code in ("J18.900", "J15.900") for code in codes) > 150
    assert "zz-ours.yaml" in (tmp_path / "region" / "README.md").read_text(encoding="utf-8")


def test_a_chapter_may_name_a_curve_of_the_people_beside_it(tmp_path: Path) -> None:
    (tmp_path / "chapters").mkdir()
    own = CHAPTER.replace("  pneumonia:", "  pneumonia_of_ours:").replace("33.2400", "33.2400x001")
    write(tmp_path / "chapters", own.replace("age: {0: 1, 1-14: 2, 65-84: 4}", "age: miners"), "zz-ours.yaml")
    people = (BUNDLED / "people.yaml").read_text(encoding="utf-8")
    write(tmp_path, people.replace("\nage_curves:\n", "\nage_curves:\n  miners: {30-59: 1}\n"), "people.yaml")
    ours = [one for one in load_priors(tmp_path).pathways if one.disease == "pneumonia_of_ours"]
    assert {one.age_limits for one in ours} == {(30, 59)}


def test_the_tail_may_be_left_out(tmp_path: Path) -> None:
    header = (BUNDLED / "tail.csv").read_text(encoding="utf-8").splitlines()[0]
    (tmp_path / "tail.csv").write_text(header + "\n", encoding="utf-8")
    assert load_priors(tmp_path).tail == ()


@pytest.mark.parametrize("name", ["peple.yaml", "chapters/notes.txt", "own/a.yaml"])
def test_a_folder_that_holds_something_else_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("x", encoding="utf-8")
    with pytest.raises(DrgsimError) as caught:
        load_priors(tmp_path)
    assert caught.value.problems[0].code == "synth-priors-folder"
    assert caught.value.problems[0].fix


@pytest.mark.parametrize("name", ["tail.csv", "people.yaml", "chapters/a.yaml"])
def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir(parents=True)
    (tmp_path / "chapters").mkdir(exist_ok=True)
    (tmp_path / "chapters" / "b.yaml").write_text("{}", encoding="utf-8")
    with pytest.raises(DrgsimError, match=f"{name} is a folder, no file of priors") as caught:
        load_priors(tmp_path)
    assert caught.value.problems[0].code == "synth-priors-folder"


def test_no_folder_and_an_empty_one_are_refused(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(DrgsimError, match="synth-priors-folder"):
            load_priors(folder)


def test_everything_wrong_in_a_folder_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "chapters").mkdir()
    write(tmp_path / "chapters", CHAPTER, "zz-ours.yaml")
    for name in ("people.yaml", "items.yaml"):
        text = (BUNDLED / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(
            text.replace("burden: 0.45", "burdn: 1").replace("mean_bill:", "mean_bil:"), encoding="utf-8"
        )
    with pytest.raises(DrgsimError) as caught:
        load_priors(tmp_path)
    told = " ".join(problem.what for problem in caught.value.problems)
    assert all(word in told for word in ("burdn", "mean_bil", "33.2400"))


def test_bundled_priors_are_written_to_start_from(tmp_path: Path) -> None:
    names = export_priors(tmp_path / "mine")
    assert {"people.yaml", "items.yaml", "tail.csv"} < set(names)
    for name in names:
        assert (tmp_path / "mine" / name).read_bytes() == (BUNDLED / name).read_bytes()
    with pytest.raises(DrgsimError):
        export_priors(tmp_path / "mine")
    assert load_priors(tmp_path / "mine").pathways == load_priors().pathways


def test_marginals_that_are_planned_are_those_of_the_priors() -> None:
    parameters, priors = load_parameters(), load_priors()
    hospitals = make_hospitals(12, parameters, priors.people.coding_habit, np.random.default_rng(3))
    listed = list(planned_marginals(make_plan(priors, parameters, hospitals, (2024,))))
    assert sum(one.share for one in listed) == pytest.approx(1 - parameters["case_mix.tail_share"])
    assert [one.share for one in listed] == sorted((one.share for one in listed), reverse=True)
    stated = diseases_of(priors.chapters)
    for one in listed:
        assert one.title == stated[one.disease].title
        assert sum(one.by_level) == pytest.approx(1, abs=0.01)

"""Scheme packs: what ships, what loading refuses, and every conformance case by kernel and by reference."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import drgsim
from drgsim.assets import asset_root
from drgsim.authoring.schemes.pack_files import write_pack
from drgsim.authoring.schemes.pack_writer import full_pack_files
from drgsim.engines.bundled_proof import check_scheme
from drgsim.errors import SchemeError
from drgsim.units.schemes.coverage import rules_coverage
from drgsim.units.schemes.pack import load_scheme, scheme_ids
from drgsim.units.schemes.pack_check import check_pack
from drgsim.units.schemes.rule_parser import parse_rule
from drgsim.units.schemes.scheme_summaries import catalogue, notes_about, scheme_entry
from tests.conftest import ROOT

SHARED = ROOT.parent / "shared" / "conformance"
# where the whole files are at hand, their slices in the repository would only repeat them
CONFORMANCE = SHARED if SHARED.is_dir() else Path(__file__).parent / "data" / "conformance"
NATIONAL = {"chs-drg-1.0r": 618, "chs-drg-1.1": 628, "chs-drg-2.0": 634, "chs-drg-3.0": 825}


def problems_of(error: pytest.ExceptionInfo[SchemeError]) -> set[str]:
    return {problem.code for problem in error.value.problems}


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    """A copy of a small overlay to spoil."""
    return Path(shutil.copytree(asset_root("groupers") / "suzhou-2023", tmp_path / "suzhou-2023"))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


# -- what ships ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("scheme", "drgs"), NATIONAL.items())
def test_national_schemes_have_their_published_number_of_groups(scheme: str, drgs: int) -> None:
    assert load_scheme(scheme).counts["drg"] == drgs


def test_every_scheme_states_counts_coverage_sources_and_evidence() -> None:
    for entry in catalogue():
        assert {"mdc", "adrg", "drg", "qy"} <= set(entry.counts), entry.id
        assert set(entry.coverage) == {"modelled", "document", "checked", "evidence"}, entry.id
        assert entry.sources, entry.id
        assert entry.notes, entry.id


def test_cities_are_overlays_that_hold_differences_only() -> None:
    for entry in catalogue():
        folder = asset_root("groupers") / entry.id
        if entry.kind == "overlay":
            assert entry.chain[-1] in NATIONAL
            for name in ("sets.csv", "cc.csv", "exclusions.csv"):
                if (folder / name).is_file():
                    assert (folder / name).open(encoding="utf-8").readline().strip().endswith(",change"), (entry.id, name)


def test_doubts_of_a_rule_are_found_in_the_scheme_and_its_bases() -> None:
    assert any("Z37" in note for _, note in notes_about(scheme_entry("chs-drg-1.1"), "OR1"))
    assert any("MDCA" in note for _, note in notes_about(scheme_entry("suzhou-2023"), "MDCA"))
    assert {source for source, _ in notes_about(scheme_entry("beijing-2024"), "DE2")} >= {"chs-drg-2.0"}


def test_conformance_cases_are_of_shipped_schemes() -> None:
    assert {path.stem for path in CONFORMANCE.rglob("*.csv")} <= set(scheme_ids())


@pytest.mark.slow
@pytest.mark.parametrize("scheme", scheme_ids())
def test_every_scheme_keeps_the_counts_it_promises_and_groups_its_conformance_cases(scheme: str) -> None:
    loaded = load_scheme(scheme)
    promised = scheme_entry(scheme).counts
    assert promised["drg"] == loaded.counts["drg"]
    assert promised["adrg"] == loaded.counts["adrg"]
    for cases in CONFORMANCE.rglob(f"{scheme}.csv"):
        found = check_scheme(scheme, cases)
        assert (found.kernel_wrong, found.reference_wrong) == ((), ())
        assert found.cases >= 60


# -- what loading refuses --------------------------------------------------------------------------------------------------
def test_all_problems_of_a_pack_are_told_at_once(overlay: Path) -> None:
    edit(overlay / "scheme.toml", "drg = 648", "drg = 647")
    edit(overlay / "scheme.toml", "title_en", "titel_en")
    edit(overlay / "drg.csv", "QTZD in MCC", "QTZD inn MCC")
    edit(overlay / "adrg.csv", ",surgical,", ",surgery,")
    with pytest.raises(SchemeError) as error:
        load_scheme(overlay)
    assert problems_of(error) >= {"pack-unknown-key", "pack-missing-key", "pack-unreadable-rule", "pack-unknown-adrg-kind"}


def test_a_count_that_the_tables_do_not_keep(overlay: Path) -> None:
    edit(overlay / "scheme.toml", "drg = 648", "drg = 647")
    with pytest.raises(SchemeError, match="promises drg = 647, the tables hold 648"):
        load_scheme(overlay)


@pytest.mark.parametrize(
    ("file", "line", "code"),
    [
        ("sets.csv", "OP_AA1,99.9999x999,+", "pack-unknown-code"),
        ("sets.csv", "OP_AA1,99.9999x999,-", "pack-change-of-nothing"),
        ("sets.csv", "OP_AA1,33.6x00,*", "pack-unknown-change"),
        ("drg.csv", "9,ZZ99,ZZ9,x,1", "pack-unknown-parent"),
        ("drg.csv", "2,AA19,AA1,x,1", "pack-duplicate-row"),
        ("adrg.csv", "99,AA9,MDCA,x,surgical,1", "pack-adrg-without-drg"),
        ("mdc.csv", "99,MDC9,x,1", "pack-order-gap"),
        ("drg.csv", "2,0000,AA1,x,1", "pack-impossible-code"),
        ("drg.csv", "2,,AA1,x,1", "pack-impossible-code"),
        ("adrg.csv", "last,AA9,MDCA,x,surgical,1", "pack-impossible-order"),
        ("drg.csv", f"2,AA13,AA1,x,{'(' * 5000}1{')' * 5000}", "pack-unreadable-rule"),
        ("drg.csv", f"2,AA13,AA1,x,{'not ' * 5000}1", "pack-unreadable-rule"),
    ],
)
def test_a_row_that_contradicts_the_pack(overlay: Path, file: str, line: str, code: str) -> None:
    with (overlay / file).open("a", encoding="utf-8") as table:
        table.write(line + "\n")
    with pytest.raises(SchemeError) as error:
        load_scheme(overlay)
    assert code in problems_of(error)


def test_a_rule_that_names_an_unknown_set(overlay: Path) -> None:
    edit(overlay / "adrg.csv", "ZYSS in OP_AA1", "ZYSS in OP_AA9")
    with pytest.raises(SchemeError, match="names OP_AA9, which sets"):
        load_scheme(overlay)


def test_a_misspelt_table_is_not_passed_over(overlay: Path) -> None:
    (overlay / "exclusion.csv").write_text("exclusion,code,change\n", encoding="utf-8")
    with pytest.raises(SchemeError, match=r"did you mean exclusions\.csv"):
        load_scheme(overlay)


def test_coverage_keys_and_evidence_are_checked(overlay: Path) -> None:
    edit(overlay / "scheme.toml", 'evidence = "secondary"', 'evidence = "sure"')
    with pytest.raises(SchemeError, match=r"coverage\.evidence = 'sure'"):
        load_scheme(overlay)


@pytest.mark.parametrize("setting", ['title_zh = ["a"]', "issuer = 3", 'sources = "a document"', "[options]\nregroup = true"])
def test_a_setting_of_the_wrong_type(overlay: Path, setting: str) -> None:
    lines = (overlay / "scheme.toml").read_text(encoding="utf-8")
    key = setting.split(" ")[0]
    if setting.startswith("["):
        lines += f"\n{setting}\n"
    elif key == "sources":
        lines = lines.replace("sources = [", f"{setting}\nnotes2 = [", 1)
    else:
        lines = "\n".join(setting if line.startswith(key) else line for line in lines.split("\n"))
    (overlay / "scheme.toml").write_text(lines, encoding="utf-8")
    with pytest.raises(SchemeError) as error:
        load_scheme(overlay)
    assert "pack-wrong-type" in problems_of(error)


def test_a_pack_without_groups_is_refused(overlay: Path) -> None:
    for table in ("mdc.csv", "adrg.csv", "drg.csv"):
        header = (overlay / table).read_text(encoding="utf-8").split("\n")[0]
        (overlay / table).write_text(header + "\n", encoding="utf-8")
    with pytest.raises(SchemeError) as error:
        load_scheme(overlay)
    assert "pack-empty-table" in problems_of(error)


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("diagnosis,I10.x00x002,高血压", "pack-local-code-is-national"),
        ("diagnosis,i10.X00X002,高血压", "pack-local-code-is-national"),
        ("procedure,99.1234x777,x", "pack-unused-local-code"),
    ],
)
def test_local_codes_must_be_used_and_not_national(tmp_path: Path, row: str, code: str) -> None:
    pack = Path(shutil.copytree(asset_root("groupers") / "chs-drg-2.0", tmp_path / "copy"))
    with (pack / "local_codes.csv").open("a", encoding="utf-8") as table:
        table.write(row + "\n")
    with pytest.raises(SchemeError) as error:
        load_scheme(pack)
    assert problems_of(error) == {code}


def test_an_overlay_without_group_tables_groups_like_its_base(tmp_path: Path) -> None:
    pack = tmp_path / "same"
    pack.mkdir()
    (pack / "scheme.toml").write_text(
        'id = "same"\ntitle_zh = "x"\ntitle_en = "x"\nkind = "overlay"\nbase = "chs-drg-2.0"\n', encoding="utf-8"
    )
    loaded, base = load_scheme(pack), load_scheme("chs-drg-2.0")
    assert loaded.mdcs == base.mdcs
    assert loaded.sets == base.sets
    assert loaded.chain == ("same", "chs-drg-2.0")


def test_overlay_upon_overlay(tmp_path: Path) -> None:
    pack = tmp_path / "deeper"
    pack.mkdir()
    (pack / "scheme.toml").write_text(
        'id = "deeper"\ntitle_zh = "x"\ntitle_en = "x"\nkind = "overlay"\nbase = "suzhou-2023"\n', encoding="utf-8"
    )
    (pack / "cc.csv").write_text("code,level,exclusion,change\nA01.200,CC,1,-\n", encoding="utf-8")
    assert "A01.200" in load_scheme("suzhou-2023").severities
    loaded = load_scheme(pack)
    assert "A01.200" not in loaded.severities
    assert loaded.chain == ("deeper", "suzhou-2023", "chs-drg-1.1")


# -- writing and checking --------------------------------------------------------------------------------------------------
def test_a_written_pack_reads_back_equal(tmp_path: Path) -> None:
    scheme = load_scheme("chs-drg-2.0")
    again = load_scheme(write_pack(tmp_path / "again", full_pack_files(scheme)))
    for part in ("mdcs", "sets", "severities", "exclusions", "sites", "notes", "coverage", "counts"):
        assert getattr(again, part) == getattr(scheme, part), part


def test_check_tells_gaps_and_rows_that_nothing_reaches() -> None:
    advice = check_pack("beijing-2022").advice
    assert [finding.what.split(":")[0] for finding in advice] == ["RC1", "RC2", "RE1"]
    assert all(finding.code == "pack-cases-left-out" and "ZYTS 0" in finding.what for finding in advice)


@pytest.mark.parametrize(
    ("rules", "gap", "unreachable"),
    [
        (["QTZD in MCC", "QTZD in {MCC, CC}", "1"], "", ()),
        (["QTZD in {MCC, CC}", "QTZD in MCC", "1"], "", ("b",)),
        (["NL <= 6", "NL > 6"], "", ()),
        (["NL < 6", "NL > 6"], "NL 6", ()),
        (["ZYTS >= 18", "ZYTS >= 11 and ZYTS <= 17", "ZYTS <= 10"], "", ()),
        (["not 1", "1"], "", ("a",)),
        (["LYFS in {5}"], "LYFS other", ()),
    ],
)
def test_coverage_of_rules_in_order(rules: list[str], gap: str, unreachable: tuple[str, ...]) -> None:
    found = rules_coverage("abc"[: len(rules)], [parse_rule(rule) for rule in rules])
    assert (found.gap, found.unreachable) == (gap, unreachable)


# -- marks ------------------------------------------------------------------------------------------------------------
def _full_pack(folder: Path, marks: str, described: str) -> Path:
    """3.0 without its large lists: a full pack of one group."""
    folder.mkdir()
    (folder / "scheme.toml").write_text(
        f'id = "x"\ntitle_zh = "x"\ntitle_en = "x"\nkind = "full"\n[marks]\n{described}\n', encoding="utf-8"
    )
    tables = {
        "mdc": "order,mdc,name,rule\n1,MDCF,x,1\n", "adrg": "order,adrg,mdc,name,kind,rule\n1,FZ1,MDCF,x,medical,1\n",
        "drg": "order,drg,adrg,name,rule\n1,FZ19,FZ1,x,1\n", "sets": "set,code\n", "cc": "code,level,exclusion\n",
        "exclusions": "exclusion,code\n", "marks": f"drg,mark\n{marks}",
    }  # fmt: skip
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def test_the_31_primary_care_groups_are_marks_of_3_0() -> None:
    scheme = load_scheme("chs-drg-3.0")
    mark = scheme.marks["primary_care"]
    assert len(mark.groups) == len(set(mark.groups)) == 31
    assert "同病同质同付" in mark.title
    assert not load_scheme("chs-drg-2.0").marks
    assert scheme.marks_of("BV39") == (mark,)
    assert not scheme.marks_of("FR15")
    found = drgsim.explain({"diagnoses": "R51.x00", "sex": "1", "age": 40}, "chs-drg-3.0")
    assert (found.drg, "primary_care" in str(found)) == ("BV39", True)


@pytest.mark.parametrize(
    ("marks", "described", "code"),
    [("FZ18,a\n", 'a = "x"', "pack-unknown-group"), ("FZ19,b\n", 'a = "x"', "pack-unknown-mark"), ("FZ19,a\n", 'a = "x"', "")],
)
def test_a_mark_names_a_group_and_is_described(tmp_path: Path, marks: str, described: str, code: str) -> None:
    folder = _full_pack(tmp_path / "x", marks, described)
    if not code:
        scheme = load_scheme(folder)
        assert scheme.marks["a"].groups == ("FZ19",)
        assert "FZ19,a\n" in full_pack_files(scheme)["marks.csv"]
        return
    with pytest.raises(SchemeError) as error:
        load_scheme(folder)
    assert [problem.code for problem in error.value.problems] == [code]

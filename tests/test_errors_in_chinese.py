"""Whatever is wrong below payment is told in Chinese: no sentence of an error, a note or the catalogue stays in English."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import drgsim
from drgsim import limits
from drgsim.analysis.code_search import code_facts
from drgsim.analysis.labelled_weights import read_weights
from drgsim.authoring.dip.dip_spec import load_spec
from drgsim.authoring.schemes.scheme_from_list import read_group_list
from drgsim.errors import DrgsimError, Problem, words_of
from drgsim.language import spoken
from drgsim.language.catalogue import LOCALE, read_parts
from drgsim.parameters.option_pairs import parse_pairs
from drgsim.parameters.strict_file import parse_strict
from drgsim.quality.quality_rules import changed_thresholds, rules
from drgsim.records.findings import FINDINGS
from drgsim.records.input_options import InputOptions
from drgsim.region.hospital_list import read_hospitals
from drgsim.region.region_folder import read_region
from drgsim.results.whole_outputs import check_output, whole_folder
from drgsim.synthetic.region_request import parse_years
from drgsim.units.dip.catalogue_files import load_catalogue
from drgsim.units.drg.drg_narrative import plain_text
from drgsim.units.schemes.pack import load_scheme
from drgsim.units.schemes.pack_check import check_pack
from drgsim.units.schemes.rule_parser import RuleSyntaxError, parse_rule
from tests.reading_chinese import english_in

CASES = "id,sex,age,diagnoses,procedures\n1,1,60,I21.000,\n"
SCHEME = 'id = "mine"\ntitle_zh = "甲"\ntitle_en = "A"\nkind = "overlay"\nbase = "chs-drg-2.0"\n'
CATALOGUE = 'id = "mine"\ntitle = "A"\ntitle_zh = "甲"\nevidence = "guess"\nsources = []\nkind = "dip"\nodd = 1\n'


def _written(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def _zip(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, CASES)
    return path


def _read(name: str, content: str | bytes, **options: object) -> Callable[[Path], object]:
    return lambda folder: drgsim.read(_written(folder / name, content), **options).to_arrow()


def _pack(content: str, **tables: str) -> Callable[[Path], object]:
    def load(folder: Path) -> object:
        _written(folder / "mine" / "scheme.toml", content)
        for name, rows in tables.items():
            _written(folder / "mine" / f"{name}.csv", rows)
        return check_pack(folder / "mine")

    return load


def _region(**tables: str) -> Callable[[Path], object]:
    sound = {"discharges-2024": CASES, "hospitals": "id,name,level\nH1,甲,3\n"}

    def read(folder: Path) -> object:
        for name, rows in (sound | tables).items():
            _written(folder / f"{name}.csv", rows)
        return read_region(folder)

    return read


def _strict(content: str) -> object:
    problems: list[Problem] = []
    parse_strict(content, "policy", problems, "policy.yaml")
    raise DrgsimError(problems)


def _folder_of_others(folder: Path) -> None:
    _written(folder / "out" / "notes.txt", "x")
    with whole_folder(folder / "out", marker="run.json", kind="group", replace=True):
        pass


WRONG: dict[str, Callable[[Path], object]] = {
    "no file": lambda folder: drgsim.read(folder / "none.csv"),
    "an empty file": _read("cases.csv", ""),
    "blank lines": _read("cases.csv", "\n\n\n"),
    "a header alone": _read("cases.csv", CASES.splitlines()[0] + "\n"),
    "a document": _read("cases.csv", b"%PDF-1.7\n"),
    "no layout": _read("cases.csv", "x,y\n1,2\n"),
    "a column that is missing": _read("cases.csv", "病案号,性别,年龄,主要诊断编码\n1,1,60,I21.000\n"),
    "a header twice": _read("cases.csv", "id,sex,age,age,diagnoses,procedures\n1,1,6,6,I21.000,\n"),
    "two columns of one meaning": _read(
        "cases.csv", "id,x,y,age,diagnoses,procedures\n1,1,1,60,I21.000,\n", maps=("x=sex", "y=sex")
    ),
    "no JSON": _read("cases.json", '[{"a": 1}, {"a": '),
    "JSON of something else": _read("cases.json", '[{"a": 1}]'),
    "a damaged workbook": _read("cases.xlsx", b"PK\3\4" + b"\0" * 50),
    "no Parquet": _read("cases.parquet", b"PAR1" + b"x" * 50),
    "no gzip": _read("cases.csv.gz", b"\x1f\x8b" + b"x" * 50),
    "an archive of two": lambda folder: drgsim.read(_zip(folder / "cases.zip", "a.csv", "b.csv")),
    "an archive of none": lambda folder: drgsim.read(_zip(folder / "cases.zip")),
    "no table": lambda _: drgsim.read(5),
    "mappings": lambda _: InputOptions.of("nothing", ("a", "b=nothing", "sex=性别码"), None, "1.0"),
    "a mapping file": lambda folder: InputOptions.of(None, (), _written(folder / "map.yaml", "- a\n")),
    "a mapping of lines": lambda folder: InputOptions.of(None, (), _written(folder / "map.csv", "from,to\na\n")),
    "a limit": lambda folder: limits.check("columns", 20_000, folder / "cases.csv", "sheet 1"),
    "seconds": lambda _: (_ for _ in ()).throw(limits.too_slow(5)),
    "no scheme": lambda _: load_scheme("chs-drg-20"),
    "no catalogue": lambda _: load_catalogue("dip-national-2"),
    "a scheme in place of a catalogue": lambda _: load_catalogue("chs-drg-2.0"),
    "settings of a scheme": _pack(
        SCHEME + "odd = 1\ncounts = 5\noptions = {regroup = 'no'}\nin_force = {area = 'x', from = 'y'}\n"
    ),
    "a broken setting": _pack("id = = 1"),
    "tables of a scheme": _pack(
        SCHEME,
        drg="order,code,adrg,name,rule\n1,ZZ11,ZZ1,甲,QTZD in\n",
        adrg="order,code,mdc,name,kind,rule\n1,ZZ1,MDCZ,甲,odd,ZYZD in DI_NONE\n",
        sets="set,code,change\nDI_NEW,A00.000,x\n",
        odd="a\n1\n",
    ),
    "settings of a catalogue": lambda folder: load_catalogue(_written(folder / "mine" / "scheme.toml", CATALOGUE).parent),
    "a folder that is no region": lambda folder: read_region(folder / "none"),
    "a region without hospitals": lambda folder: read_region(_written(folder / "discharges-2024.csv", CASES).parent),
    "tables of a region": _region(
        hospitals="id,name,level\nH1,甲,9级\nH1,乙,3\n",
        fund="year,insurance,budget_yuan\n24,employees,x\n2024,employee,-1\n",
        advances="date,hospital_id,amount_yuan\n2024-13-01,H9,1e400\n",
        payments="year,month,hospital_id,unit,amount_yuan,insurance,visits,heads,cost_yuan\n2024,,H1,outpatient,9,employee,1,2,5\n",
    ),
    "hospitals": lambda folder: read_hospitals(_written(folder / "hospitals.csv", "name,level\n甲,3\n")),
    "coefficients": lambda folder: read_hospitals(
        _written(folder / "hospitals.csv", "id,level,coefficient\nH1,9x,-1\nH1,3,x\n")
    ),
    "weights": lambda folder: read_weights(
        _written(folder / "weights.csv", "drg,weight\nZZZZ,1\nFR21,x\nBB15,1\nBB15,2\n"), load_scheme("chs-drg-2.0")
    ),
    "weights without columns": lambda folder: read_weights(
        _written(folder / "w.csv", "a,b\n1,2\n"), load_scheme("chs-drg-2.0")
    ),
    "a code that no edition has": lambda _: code_facts("ZZ9.9", load_scheme("chs-drg-2.0")),
    "no specification": lambda _: load_spec("dip-2"),
    "a specification": lambda folder: load_spec(
        _written(folder / "spec.yaml", "id: a\ncore: 5\nodd: 1\nhistory: {year_weights: {value: [0]}}\n")
    ),
    "a list of groups": lambda folder: read_group_list(_written(folder / "list.csv", "drg,name\n,甲\nAA11,乙\nAA11,丙\n")),
    "broken YAML": lambda _: _strict("a: [1, 2\nb: }"),
    "YAML of nothing": lambda _: _strict("- a"),
    "YAML twice": lambda _: _strict("a: 1\na: .inf\nb: 2024-02-30"),
    "pairs": lambda _: parse_pairs(["a", "b=nan", "c={"]),
    "thresholds": lambda _: changed_thresholds(["age_tolerence_years=1", "newborn_days=-1", "childbearing_to=many"]),
    "years": lambda _: parse_years("soon"),
    "an output that is an input": lambda folder: check_output(_written(folder / "a.csv", "x"), [folder / "a.csv"]),
    "a folder of others": _folder_of_others,
    "a region to make": lambda folder: drgsim.synth(folder / "region", hospitals=0, cases=-1),
}


@pytest.mark.parametrize("case", WRONG)
def test_errors_are_told_in_chinese(case: str, tmp_path: Path) -> None:
    with pytest.raises(DrgsimError) as caught:
        WRONG[case](tmp_path)
    assert english_in(caught.value.spoken("zh")) == []
    assert re.search("[一-鿿]", caught.value.spoken("zh"))
    assert str(caught.value) == caught.value.spoken("en")


def test_what_a_rule_lacks_is_told_in_chinese() -> None:
    for rule in (
        "QTZD in",
        "(NL < 1",
        "not",
        "NL",
        "{ZYZD, ZYSS} in DI_A",
        "ZYZD in OP_A",
        "ZYZD in {MCC, DI_A}",
        "?",
        "XX in DI_A",
    ):
        with pytest.raises(RuleSyntaxError) as caught:
            parse_rule(rule)
        assert english_in(spoken(words_of(caught.value), "zh").replace(rule, "…")) == []


def test_findings_and_rules_are_told_in_chinese() -> None:
    for told in (*FINDINGS, *rules().values()):
        for words in (told.title, told.fix, getattr(told, "why", "")):
            assert english_in(spoken(words, "zh")) == []
            assert not words or spoken(words, "zh") != words


def test_words_of_the_system_are_told_in_chinese(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="directory") as caught:
        (tmp_path / "none").read_bytes()
    assert spoken(words_of(caught.value), "zh").startswith("文件或文件夹不存在")
    with pytest.raises(json.JSONDecodeError) as broken:
        json.loads("[1, 2")
    assert spoken(words_of(broken.value), "zh") == "第 1 行第 6 列附近写法有误"


def test_what_reading_and_grouping_noted_is_told_in_chinese(tmp_path: Path) -> None:
    rows = (
        "id,sex,age,diagnoses,procedures,其他编码\n1,1,60,I21.000,,A00.000\n2,1,,I21.000,\n3,3,x,ZZZ,99.99,\n,,,,,\n合计,,,,,\n"
    )
    path = _written(tmp_path / "cases.csv", rows)
    notes = drgsim.group(path, scheme="chs-drg-2.0").notes
    assert len(notes) > 3
    for note in notes:
        assert english_in(note.spoken("zh")) == []


def test_explanations_are_told_in_chinese() -> None:
    case = {"sex": 1, "age": 60, "diagnoses": ["I21.000", "E11.900", "N18.005"], "procedures": ["36.0600"], "los_days": 5}
    for scheme in ("chs-drg-2.0", "dip-3.0"):
        told = drgsim.explain(case, scheme=scheme)
        shown = re.sub("ZYZD|QTZD|ZYSS|QTSS", "…", spoken(plain_text(told.lines()), "zh"))  # rules are what they are
        assert english_in(shown) == []
        assert str(told).startswith("Discharge 病案")


def _entries() -> Iterator[tuple[str, str, str]]:
    for package, part in read_parts(LOCALE / "zh"):
        for message in part:
            one, chinese = (each if isinstance(each, str) else (each or ("",))[0] for each in (message.id, message.string))
            if one:
                yield package, one, chinese


def test_the_catalogue_is_chinese() -> None:
    english = [
        (package, one)
        for package, one, chinese in _entries()
        if english_in(re.sub(r"\{[^}]*\}", "…", chinese), re.findall("^title: .*$", chinese, re.MULTILINE))  # beside title_zh
    ]
    assert english == []

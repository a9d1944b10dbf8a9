"""The page of ``drgsim page`` in a real browser: the groups of the kernel, the fen of settling, no request, no complaint."""

from __future__ import annotations

import csv
import io
import json
import random
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import drgsim
from drgsim.engines.bundled_proof import bundled_cases
from drgsim.errors import DrgsimError, UsageError
from drgsim.money import MISSING
from drgsim.page.packed_arrays import packed
from drgsim.page.page_prices import page_prices
from drgsim.page.page_words import WORDS
from drgsim.page.scripts import ENGINE, FOLDER, ROOMS
from drgsim.payment.policy import Policy, load_policy
from drgsim.payment.settlement import settle
from tests.chromium import Chromium, chromium_program, running_chromium
from tests.conftest import SHARED

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium_program() is None, reason="needs Chromium (apt-get install chromium)"),
]

SCHEMES = ("chs-drg-2.0", "chs-drg-1.1", "chs-drg-3.0", "beijing-2022", "beijing-2024", "dip-3.0", "dip-taian-2025")
CASES = {"case_id": "discharge_id", "weight_g": "birth_weight_g", "dept": "admission_department"}
HOSTILE = (
    "", " ", "-", "无", "１２", "abc", "12岁", "3月", "4天", "新生儿", "1岁2月", "Y3", "-5", "151", "1e3", "NaN", "3.3kg", "28",
    "3300克", "男", "F", "9", "2024-02-30", "20240105", "45000", "2024年1月5日", "#N/A", "0.66", "3-12", "39.95",
    "I10.x00 高血压", "I10.X００", "A01.002†|G01*", "|I10.x00", "I10.x00x002高血压病", "12,345.60元", "×", "J18.900；E11.900",
    "XXX", "无手术", "<b>", "a\tb",
)  # fmt: skip


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "grouper.html"
    drgsim.grouper_page(SCHEMES, policies=["beijing/2024"], output=path)
    return path


@pytest.fixture(scope="module")
def browser(page_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with running_chromium(tmp_path_factory.mktemp("profile")) as running:
        running.size(1024, 768)
        running.visit(page_file)
        yield running


def grouped_in_page(browser: Chromium, scheme: str, records: list[dict[str, str | None]]) -> list[list[Any]]:
    """Answers of the page's engine: group, status, reason, severity, MDC, warnings, and for DIP score, level and index."""
    browser.value(f"drgsimApp.scheme = {json.dumps(scheme)}")
    answers: list[list[Any]] = []
    for start in range(0, len(records), 2000):
        part = json.dumps(records[start : start + 2000])
        answers += browser.value(f"""{part}.map((record) => {{
            const {{ engine, reader }} = drgsimApp.parts();
            const read = reader.read(record);
            const a = engine.group(read, reader);
            return [a.group, a.status, a.reason, a.severity, a.mdc || a.hint || "",
                    reader.listed(a.found || read.found, "warning").join("|"),
                    a.score === a.score && a.score !== undefined ? a.score : null, a.aux || "", a.level || "", a.cci];
        }})""")
    return answers


def kernel_answers(scheme: str, records: list[dict[str, str | None]]) -> list[list[Any]]:
    names = list(dict.fromkeys(name for record in records for name in record))
    table = pa.table({name: pa.array([record.get(name) for record in records], pa.string()) for name in names})
    rows = drgsim.group(table, scheme).to_arrow().to_pylist()
    if scheme.startswith("dip"):
        return [
            [row["dip"], row["status"], row["reason"] or "", row["severity"], "", row["warnings"] or "", row["score"],
             row["aux"] or "", row["aux_level"] or "", row["cci"]] for row in rows
        ]  # fmt: skip
    return [
        [
            row["drg"],
            row["status"],
            row["reason"] or "",
            row["severity"],
            row["mdc"] or row["mdc_hint"] or "",
            row["warnings"] or "",
        ]
        for row in rows
    ]


def assert_alike(browser: Chromium, scheme: str, records: list[dict[str, str | None]]) -> None:
    kernel = kernel_answers(scheme, records)
    page = [answer[: len(kernel[0])] for answer in grouped_in_page(browser, scheme, records)]
    unlike = [(record, mine, theirs) for record, mine, theirs in zip(records, page, kernel, strict=True) if mine != theirs]
    assert not unlike, "\n".join(map(str, unlike[:3]))


def conformance_cases(scheme: str) -> list[dict[str, str]]:
    homes = (SHARED / "conformance", SHARED / "conformance" / "new")
    files = [path for home in homes if (path := home / f"{scheme}.csv").is_file()]
    with (files or [bundled_cases(scheme)])[0].open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("scheme", [name for name in SCHEMES if name != "beijing-2024"])
def test_the_page_groups_every_conformance_case_as_the_kernel_does(browser: Chromium, scheme: str) -> None:
    try:
        cases = conformance_cases(scheme)
    except DrgsimError:
        pytest.skip(f"no conformance cases of {scheme} are at hand")
    records = [{CASES.get(k, k): v for k, v in case.items() if not k.startswith("expected")} for case in cases]
    expected = "expected_dip" if scheme.startswith("dip") else "expected_drg"
    answers = grouped_in_page(browser, scheme, records)
    assert [answer[0] for answer in answers] == [case[expected] for case in cases]
    assert_alike(browser, scheme, records)


@pytest.mark.parametrize("scheme", ["chs-drg-3.0", "beijing-2024", "dip-3.0", "dip-taian-2025"])
def test_records_of_hostile_cells_are_read_as_the_engine_reads_them(browser: Chromium, scheme: str) -> None:
    chance = random.Random(7)
    book = drgsim.load_scheme("chs-drg-2.0").book
    columns = (
        "sex", "age", "age_days", "birth_date", "admitted", "discharged", "birth_weight_g", "los_days", "icu_hours",
        "discharge_way", "admission_department", "total_cost",
    )  # fmt: skip
    records: list[dict[str, str | None]] = []
    for number in range(1500):
        record: dict[str, str | None] = {"discharge_id": f"r{number}", "sex": "1", "age": "60", "total_cost": "5000"}
        for name in chance.sample(columns, 4):
            record[name] = chance.choice(HOSTILE)
        for side in ("diagnoses", "procedures"):
            codes = [chance.choice(getattr(book, side).codes) for _ in range(chance.randint(0, 5))]
            codes += [chance.choice(HOSTILE)] if chance.random() < 0.4 else []
            record[side] = "|".join(codes)
        records.append(record)
    assert_alike(browser, scheme, records)


# -- prices ----------------------------------------------------------------------------------------------------------------
PRICED = (
    "beijing/2024", "qingyang/2023", "aba/2024", "changsha/2024", "bengbu/undated", "foshan/2025", "dingzhou/undated",
    "dazhou/2024", "bazhong/2024", "hengyang/2024",
)  # fmt: skip
LEVELS = ("", "0", "1", "2", "3")


def cases_at_limits(data: dict[str, Any], codes: list[str], size: int) -> list[dict[str, Any]]:
    """Costs at, one fen below and one above a limit of the curve of a group, level and payer."""
    chance, cases = random.Random(data["id"]), []
    for _ in range(size):
        code, level, payer = (
            chance.choice([*codes, "0000", ""]),
            chance.choice(data["levels"][1:]),
            chance.choice(data["insurances"]),
        )
        own = data["groups"][code]
        place = data["levels"].index(level) * len(data["insurances"]) + data["insurances"].index(payer)
        entry = data["entries"][own if isinstance(own, int) else own[place]]
        asked: dict[str, Any] = {"group": code, "level": level, "insurance": payer}
        asked |= {"days": chance.choice([3, 10, 60, 61, 90]), "age": chance.choice([1, 6, 17, 18, 40, 80])}
        if "row" in entry and not entry["k"]:
            asked["k"] = "1.07"
        if "row" in entry and not (entry.get("unit_value") or entry.get("published")):
            asked["unitValue"] = "98.5"
        asked["cost"] = _cost(chance, data, entry, asked)
        cases.append(asked)
    return cases


def _cost(chance: random.Random, data: dict[str, Any], entry: dict[str, Any], asked: dict[str, Any]) -> int:
    cost = chance.randint(1, 5_000_000)
    if "row" not in entry or chance.random() < 0.2:
        return cost
    k, value, auxiliary = Fraction(asked.get("k") or entry["k"]), Fraction(entry["value"]), Fraction(entry["auxiliary"])
    price = (
        Fraction(entry["published"]) / (value * k)
        if "published" in entry
        else Fraction(asked.get("unitValue") or entry["unit_value"])
    )
    mean = price * value * auxiliary
    if "mean" in entry:
        mean = Fraction(entry["mean"])
    elif "per_weight" in entry:
        mean = Fraction(entry["per_weight"]) * value / Fraction(entry["scale"])
    curve = data["curves"][entry["row"]]
    limits = [piece["upper"] for piece in curve["pieces"] if piece["upper"]]
    if not limits:
        return cost
    ratio = Fraction(chance.choice(limits)) * (k if curve["with_k"] else 1)
    return max(1, int(ratio * mean * 100) + chance.choice([-1, 0, 0, 1]))


def settled_amounts(policy: Policy, cases: list[dict[str, Any]]) -> tuple[list[int], list[str]]:
    own = [float(case["k"]) if "k" in case else None for case in cases]
    table = pa.table({
        "unit": [case["group"] for case in cases],
        "hospital_level": [case["level"] if case["level"] in LEVELS else "" for case in cases],
        "hospital_grade": ["" if case["level"] in LEVELS else case["level"] for case in cases],
        "insurance": [case["insurance"] for case in cases],
        "total_cost": [case["cost"] / 100 for case in cases],
        "los_days": [case["days"] for case in cases], "age": [case["age"] for case in cases],
        "discharged": ["2030-01-01"] * len(cases), **({"coefficient": own} if any(own) else {}),
    })  # fmt: skip
    stated = settle(table, policy, unstable="never")
    amounts, rules = stated.amount.tolist(), stated.table["rule"].to_pylist()
    if any("unitValue" in case for case in cases):
        given = settle(table, policy, unstable="never", unit_value={"*": 98.5})
        for place, case in enumerate(cases):
            if "unitValue" in case:
                amounts[place], rules[place] = int(given.amount[place]), given.table["rule"][place].as_py()
    return amounts, rules


@pytest.mark.parametrize("name", PRICED)
def test_prices_at_the_limits_of_curves_equal_settling_to_the_fen(browser: Chromium, name: str) -> None:
    policy = load_policy(name)
    codes = list(policy.prices.codes)[:400] if policy.prices is not None else ["X"]
    data = page_prices(policy, codes)
    cases = cases_at_limits(data, codes, 1000)
    browser.value(f"window.tried = new drgsim.Prices({json.dumps(data)}); 1")
    priced = browser.value(
        f"{json.dumps(cases)}.map((one) => {{ const p = tried.price(one); "
        "return p.amount === undefined ? p.refused || p.needs : Number(p.amount); })"
    )
    amounts, rules = settled_amounts(policy, cases)
    # what the page says that it does not follow, by the words of the settlement
    words = {"special_course": "over 60 days", "extreme_cap": "beyond"}
    apart = [words[rule["name"]] for rule in data["left_out"] if rule["name"] in words]
    unlike = []
    for case, mine, theirs, rule in zip(cases, priced, amounts, rules, strict=True):
        if isinstance(mine, str):  # a page that cannot tell says so, and why
            told = mine == "per_diem" and "by day" in rule
            right = theirs == MISSING or told
        else:
            right = mine == theirs or any(word in rule for word in apart)
        if not right:
            unlike.append((case, mine, theirs, rule))
    assert not unlike, "\n".join(map(str, unlike[:3]))
    assert sum(isinstance(mine, int) for mine in priced) > len(priced) / 4


def test_policies_that_need_more_than_a_case_are_refused() -> None:
    with pytest.raises(UsageError, match="page-policy-of-cases") as caught:
        drgsim.grouper_page("dip-taian-2025", policies=["taian/2025"])
    assert "drgsim settle" in str(caught.value)


# -- the page --------------------------------------------------------------------------------------------------------------
def choose_file(browser: Chromium, path: Path) -> str:
    """Give the page a file and wait for its answer; the text of the answer."""
    browser.value("drgsimApp.room = 'file'; drgsimApp.show(); drgsimApp.files.answer = null; 1")
    node = browser.ask("DOM.getDocument")["root"]["nodeId"]
    found = browser.ask("DOM.querySelector", nodeId=node, selector="#file-input")["nodeId"]
    browser.ask("DOM.setFileInputFiles", files=[str(path)], nodeId=found)
    return str(
        browser.value("""new Promise((done) => {
        const look = () => drgsimApp.files.answer ? done(drgsimApp.files.told.textContent) : setTimeout(look, 50);
        look();
    })""")
    )


def downloaded(browser: Chromium) -> list[dict[str, str]]:
    text = browser.value("drgsimApp.files.answer.blob.text()")
    return list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))


def test_a_file_is_grouped_and_priced_as_the_engine_does_it(browser: Chromium, tmp_path: Path) -> None:
    table = drgsim.read(drgsim.sample_path("region") / "discharges-2024.parquet").to_arrow().slice(0, 1500)
    own = {"discharge_id": "病案号", "sex": "性别", "age": "年龄", "diagnoses": "诊断编码", "procedures": "手术操作编码"}
    path = tmp_path / "病案.csv"
    columns = [
        "discharge_id",
        "hospital_id",
        "sex",
        "age",
        "age_days",
        "birth_weight_g",
        "los_days",
        "diagnoses",
        "procedures",
        "insurance",
        "total_cost",
    ]
    rows = table.select([name for name in columns if name in table.column_names]).to_pylist()
    with path.open("w", encoding="gb18030", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["2024年出院病例"])
        writer.writerow([own.get(name, name) for name in rows[0]])
        writer.writerows(["" if value is None else value for value in row.values()] for row in rows)
        writer.writerow(["合计", *[""] * (len(rows[0]) - 1)])
    browser.value("drgsimApp.schemes.value = drgsimApp.scheme = 'beijing-2024'; drgsimApp._policies(); drgsimApp.show(); 1")
    browser.value("drgsimApp.level.value = '3'; 1")
    told = choose_file(browser, path)
    assert "1,500" in told
    answers = downloaded(browser)
    read = pa.Table.from_pylist(rows)
    groups = drgsim.group(read, "beijing-2024").to_arrow().to_pylist()
    assert [(row["discharge_id"], row["drg"], row["reason"], row["warnings"]) for row in answers] == [
        (row["discharge_id"], row["drg"], row["reason"] or "", row["warnings"] or "") for row in groups
    ]
    level = pa.array(["3"] * len(rows))
    paid = drgsim.settle(read.append_column("hospital_level", level), "beijing/2024").to_arrow("cases").to_pylist()
    assert [row["amount"] for row in answers] == ["" if row["amount"] is None else str(row["amount"]) for row in paid]


def test_a_file_of_strange_columns_is_mapped_by_hand(browser: Chromium, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text('编号,性,岁,主,"次"\n1,1,60,I21.401,I10.x00x002\n"2",2,70,J18.900,\n', encoding="utf-8")
    browser.value("drgsimApp.schemes.value = drgsimApp.scheme = 'chs-drg-3.0'; drgsimApp._policies(); drgsimApp.show(); 1")
    assert "file-columns" in choose_file(browser, path)
    chosen = {
        "discharge_id": "编号",
        "sex": "性",
        "age": "岁",
        "principal_diagnosis": "主",
        "other_diagnoses": "次",
        "procedures": "次",
    }
    browser.value(f"drgsimApp.files.open(drgsimApp.files.file, {json.dumps(chosen)}); 1")
    browser.value("new Promise((done) => { const f = () => drgsimApp.files.answer ? done(1) : setTimeout(f, 50); f(); })")
    assert [row["discharge_id"] for row in downloaded(browser)] == ["1", "2"]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.csv", b"", "file-empty"),
        ("a.xlsx", b"PK\x03\x04" + b"\0" * 50, "file-damaged"),
        ("a.xls", b"\xd0\xcf\x11\xe0" + b"\0" * 50, "file-old-excel"),
        ("a.parquet", b"PAR1" + b"\0" * 50, "file-parquet"),
        ("a.csv", b"only,nothing,known\n1,2,3\n", "file-columns"),
        ("a.xls", b"\xef\xbb\xbf<html><table><tr><td>1</td></tr></table></html>", "file-html"),
    ],
)
def test_bad_files_are_told(browser: Chromium, tmp_path: Path, name: str, content: bytes, code: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert f"[{code}]" in choose_file(browser, path)


def test_workbooks_are_read(browser: Chromium, tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["病案号", "性别", "年龄", "主要诊断编码", "其他诊断编码1", "手术操作编码1"])
    sheet.append(["=A1", "男", 67, "I21.401", "I50.900x018", 36.0601])
    sheet["A2"].data_type = "s"
    sheet.append([12345, "女", 30, "O80.000", None, None])
    book.create_sheet("说明").append(["填写说明", "第一行", "第二行"])
    for number in range(50):
        book["说明"].append([f"说明{number}"])
    path = tmp_path / "book.xlsx"
    book.save(path)
    choose_file(browser, path)
    assert [row["discharge_id"] for row in downloaded(browser)] == ["'=A1", "12345"]


def test_the_rooms_in_both_languages_without_a_complaint_or_a_request(browser: Chromium, page_file: Path) -> None:
    browser.visit(page_file)
    for language, group_word in (("zh", "为什么进入该组"), ("en", "Why this group")):
        browser.value(f"drgsimApp.words.language = '{language}'; drgsimApp.room = 'case'; 1")
        browser.value("drgsimApp.form.set(drgsimApp.data.example); drgsimApp.show(); 1")
        text = browser.value("document.body.innerText")
        assert group_word in text
        for width in (390, 768, 1024):
            browser.size(width, 768)
            for room in ("case", "file", "about"):
                browser.value(f"drgsimApp.room = '{room}'; drgsimApp.show(); 1")
                assert browser.value("document.documentElement.scrollWidth") <= width, (room, width)
    browser.size(1024, 768)
    held = browser.value("[localStorage.length, sessionStorage.length, document.cookie]")
    assert held == [0, 0, ""]
    assert [each for each in browser.complaints() if "blob:" not in each] == []


def test_codes_are_found_by_code_name_and_initials(browser: Chromium) -> None:
    browser.value("drgsimApp.schemes.value = drgsimApp.scheme = 'chs-drg-3.0'; 1")
    found = browser.value("""["I21.4", "心肌梗死", "gxb"].map((text) => drgsimApp.search("diagnoses").find(text, 30)
        .map((id) => [drgsimApp.parts().reader.diagnoses.codes[id], drgsimApp.parts().reader.diagnoses.names[id]]))""")
    assert all(code.startswith("I21.4") for code, _ in found[0])
    assert all("心肌梗死" in name for _, name in found[1])
    assert any(name.startswith("冠心病") for _, name in found[2])


def test_the_answer_names_the_rule_what_came_close_and_what_a_change_gives(browser: Chromium) -> None:
    browser.value(
        "drgsimApp.schemes.value = drgsimApp.scheme = 'beijing-2024'; drgsimApp._policies(); drgsimApp.room = 'case'; 1"
    )
    browser.value("drgsimApp.words.language = 'en'; drgsimApp.form.set(drgsimApp.data.example); drgsimApp.show(); 1")
    text = browser.value("document.querySelector('.answer').innerText")
    for words in ("FM39", "OP_FM3", "36.0700x004", "59,483.00", "as principal diagnosis", "What came close"):
        assert words in text


# -- parts -----------------------------------------------------------------------------------------------------------------
def test_one_scheme_takes_less_than_six_megabytes_and_is_the_same_every_time() -> None:
    first, second = (drgsim.grouper_page("chs-drg-3.0").html for _ in range(2))
    assert first == second
    assert len(first.encode()) < 6e6
    assert not re.search(r"(?:src|href)=|https?://", first.split('<script id="data"')[0])


def test_every_word_that_the_scripts_say_is_there() -> None:
    said = set()
    for name in (*ENGINE, *ROOMS):
        said |= set(re.findall(r"""\bsay\("([\w-]+)"[,)]""", (FOLDER / name).read_text(encoding="utf-8")))
    assert said - WORDS.keys() == set()
    thrown = set()
    for name in ENGINE:
        thrown |= set(re.findall(r"""FileError\("([\w-]+)\"""", (FOLDER / name).read_text(encoding="utf-8")))
    assert thrown - WORDS.keys() == set()


def test_arrays_that_do_not_fit_are_refused() -> None:
    import numpy as np

    with pytest.raises(OverflowError):
        packed(np.array([1 << 40]))

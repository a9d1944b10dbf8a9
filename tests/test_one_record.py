"""One record at a time gives what a batch gives, group and explanation alike."""

import csv
import random

import pytest

import drgsim
from drgsim.engines.bundled_proof import bundled_cases
from drgsim.engines.grouper_of import explain_record
from drgsim.engines.one_record import Grouper

CASES = {"case_id": "discharge_id", "weight_g": "birth_weight_g", "dept": "admission_department"}
CELLS = (
    None, "", " ", "-", "１２", "abc", "12岁", "3月", "新生儿", -5, 151, 1e3, "3.3kg", "28", 3300, "男", "F", 9, "2024-02-30",
    "20240105", "2024-01-05", "2024-01-05 10:00:00", "#N/A", "0.66", "39.95",
    "I10.X００", "A01.002†|G01*", "|I10.x00", True, 0, "0", 2.5,
)  # fmt: skip
COLUMNS = (
    "sex", "age", "age_days", "birth_date", "admitted", "discharged", "birth_weight_g", "los_days", "icu_hours",
    "discharge_way", "admission_department", "total_cost",
)  # fmt: skip


def records_of(scheme: str, size: int) -> list[dict[str, object]]:
    with bundled_cases(scheme).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [{CASES.get(k, k): v for k, v in row.items() if not k.startswith("expected")} for row in rows[:size]]


def hostile_records(size: int) -> list[dict[str, object]]:
    chance, book = random.Random(11), drgsim.load_scheme("chs-drg-2.0").book
    found = []
    for number in range(size):
        record: dict[str, object] = {
            "discharge_id": f"r{number}",
            "sex": chance.choice([1, "2", "男"]),
            "age": chance.randint(0, 90),
        }
        for name in chance.sample(COLUMNS, 3):
            record[name] = chance.choice(CELLS)
        for side in ("diagnoses", "procedures"):
            codes = [chance.choice(getattr(book, side).codes) for _ in range(chance.randint(0, 5))]
            codes += [str(chance.choice(CELLS))] if chance.random() < 0.2 else []
            record[side] = codes if chance.random() < 0.2 else "|".join(codes)
        found.append(record)
    return found


@pytest.mark.parametrize("scheme", ["chs-drg-2.0", "beijing-2024", "dip-taian-2025", "dip-3.0"])
def test_one_record_is_grouped_as_in_a_batch(scheme: str) -> None:
    single = Grouper(scheme)
    bundled = scheme if scheme in ("chs-drg-2.0", "dip-taian-2025", "dip-3.0") else "chs-drg-2.0"
    for record in [*records_of(bundled, 150), *hostile_records(250)]:
        assert single.one(record) == single._by_batch(record), record


def test_an_explanation_is_the_same_as_that_of_a_record_in_a_file() -> None:
    single = Grouper("chs-drg-2.0")
    for record in [*records_of("chs-drg-2.0", 40), *hostile_records(60)]:
        assert single.explain(record).to_dict() == explain_record(record, "chs-drg-2.0").to_dict()


def test_records_of_other_layouts_and_editions_are_read_too() -> None:
    front_page = {"A48": "7", "A12C": "1", "A14": "67", "C03C": "I21.401", "C14x01C": "36.0700x004"}
    assert Grouper("chs-drg-2.0").one(front_page).group == "FM39"
    assert Grouper("chs-drg-2.0", "gl2").one({"diagnoses": "I10.x00", "sex": 1, "age": 60}).group != ""

"""Make ``data/samples/selftest/dip-*.csv``, which an installed copy proves itself by, from the cases of the tests.

python -m tools.make_dip_selftest
"""

from __future__ import annotations

import csv
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "tests" / "cases" / "dip" / "taian-2025.yaml"
TARGET = ROOT / "data" / "samples" / "selftest" / "dip-taian-2025.csv"
EVERY = 25  # of the kinds of the national catalogue
COLUMNS = ("sex", "age", "los_days", "icu_hours", "discharge_way", "diagnoses", "procedures")


def rows() -> list[dict[str, str]]:
    """The cases that a record can be made of, with the kind that is expected."""
    made = []
    for number, case in enumerate(yaml.safe_load(SOURCE.read_text(encoding="utf-8")), start=1):
        if case["expected"].get("status") != "invalid":
            record = {"sex": 1, "age": 40, "procedures": "", **case["case"]}
            cells = {name: str(record.get(name, "")) for name in COLUMNS}
            made.append({"case_id": f"dip-taian-2025-{number:05d}", **cells, "expected_dip": case["expected"]["dip"]})
    return made


def national_rows() -> list[dict[str, str]]:
    """Cases of the national catalogue 3.0 with the answers of the second matcher: of some kinds, and varied ones."""
    from tests.test_dip_national import all_cases, wanted_answers

    chosen = [*range(0, 5_000, EVERY), *range(6_000, 20_000, 7 * EVERY)]
    made = []
    for number, place in enumerate(chosen, start=1):
        case, wanted = all_cases()[0][place], wanted_answers()[place]
        cells = {"diagnoses": "|".join(case["dx"]), "procedures": "|".join(case["ops"]), "sex": "1", "age": "40"}
        if case.get("age_days") is not None:
            cells |= {"age": "0", "age_days": str(case["age_days"])}
        if case.get("birth_weight_g") is not None:
            cells["birth_weight_g"] = str(case["birth_weight_g"])
        made.append({"case_id": f"dip-3.0-{number:05d}", **cells, "expected_dip": wanted.code})
    return made


def write(target: Path, columns: tuple[str, ...], cases: list[dict[str, str]]) -> None:
    """Write cases as CSV."""
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ("case_id", *columns, "expected_dip"), lineterminator="\n")
        writer.writeheader()
        writer.writerows(cases)


if __name__ == "__main__":
    write(TARGET, COLUMNS, rows())
    columns = ("sex", "age", "age_days", "birth_weight_g", "diagnoses", "procedures")
    write(TARGET.with_name("dip-3.0.csv"), columns, national_rows())

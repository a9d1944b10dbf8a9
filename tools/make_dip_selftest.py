"""Make ``data/samples/selftest/dip-taian-2025.csv``, which an installed copy proves itself by, from the cases of the tests.

python tools/make_dip_selftest.py
"""

from __future__ import annotations

import csv
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "tests" / "cases" / "dip" / "taian-2025.yaml"
TARGET = ROOT / "data" / "samples" / "selftest" / "dip-taian-2025.csv"
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


if __name__ == "__main__":
    with TARGET.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ("case_id", *COLUMNS, "expected_dip"), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows())

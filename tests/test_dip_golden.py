"""DIP grouping, rule book section 3.1: cases that read like a specification, through kernel and reference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import drgsim
from drgsim.units.dip.catalogue_files import load_catalogue
from drgsim.units.dip.dip_catalogue import Catalogue
from drgsim.units.dip.dip_explanation import explain_kind

CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "cases" / "dip" / "taian-2025.yaml").read_text(encoding="utf-8")
)


@pytest.fixture(scope="module")
def taian() -> Catalogue:
    return load_catalogue("dip-taian-2025")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_kinds_of_taian(case: dict[str, Any], taian: Catalogue) -> None:
    record = {"discharge_id": "1", "sex": 1, "age": 40, "procedures": "", **case["case"]}
    answer = drgsim.group([record], taian).to_arrow().to_pylist()[0]
    got = {name: answer[name] if answer[name] is not None else "" for name in case["expected"]}
    assert got == case["expected"]
    explained = explain_kind(record, taian)
    assert explained.dip == answer["dip"]
    assert explained.trace.score == answer["score"]
    assert explained.trace.aux == (answer["aux"] or "")

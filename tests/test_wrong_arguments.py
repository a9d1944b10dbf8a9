"""Whatever a verb is given by mistake, it answers with an error that has a code, never with one of Python."""

from __future__ import annotations

import inspect
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

import drgsim
from drgsim.errors import DrgsimError, UsageError

RECORDS = drgsim.sample_path("formats/records.csv")
REGION = drgsim.sample_path("region")
RECORD = {"discharge_id": "1", "sex": "1", "age": 70, "diagnoses": "I50.101", "procedures": ""}
PAID = {**RECORD, "drg": "FR25", "total_cost": 12000, "insurance": "employee", "hospital_id": "A", "hospital_level": "3"}
WRONG: dict[str, Any] = {
    "None": None, "number": 5, "mapping": {}, "list of lists": [[]], "series": pd.Series([1]), "object": object(),
    "table": pa.table({"a": [1]}), "empty text": "",
}  # fmt: skip
SOUND: dict[str, dict[str, Any]] = {
    "read": {"records": [RECORD]},
    "group": {"records": [RECORD]},
    "group_files": {"inputs": [RECORDS]},
    "explain": {"record": RECORD},
    "validate": {"records": [RECORD]},
    "migrate": {"records": [RECORD], "before": "chs-drg-1.1", "after": "chs-drg-2.0"},
    "settle": {"cases": [PAID], "policy": "beijing/2024"},
    "weights": {"history": [PAID]},
    "coefficients": {"history": [{**PAID, "dip": "I21.0"}], "policy": "taian/2025"},
    "budget": {"region": REGION, "policy": "beijing/2024"},
    "calibrate": {"region": REGION},
    "simulate": {"region": REGION},
    "scenario_describe": {"names": "rate-plus-3"},
    "scenario_check": {"names": "rate-plus-3"},
    "policy_show": {"policy": "beijing/2024"},
    "policy_explain": {"policy": "beijing/2024", "path": "unit_value"},
    "policy_check": {"policy": "beijing/2024"},
    "policy_plot": {"policy": "beijing/2024"},
    "codes_show": {"code": "I10.x00"},
    "codes_search": {"words": "心肌"},
    "schemes_show": {"scheme": "chs-drg-2.0"},
    "schemes_check": {"pack": "chs-drg-2.0"},
    "schemes_prove": {"before": "chs-drg-1.1", "after": "chs-drg-1.1", "most": 1},
    "schemes_diff": {"before": "chs-drg-1.1", "after": "chs-drg-2.0"},
    "schemes_export": {"scheme": "chs-drg-2.0", "output": "book.xlsx"},
    "dip_supervise": {"records": [PAID], "scheme": "dip-taian-2025"},
    "dip_specs": {},
    "dip_diff": {"old": "dip-taian-2025", "new": "dip-taian-2025"},
    "selftest": {},
    "load_region": {"folder": REGION},
    "load_policy": {"name": "beijing/2024"},
    "load_scheme": {"scheme": "chs-drg-2.0"},
    "compare": {"first": "none", "second": "none"},
    "synth": {"output": "region", "hospitals": 0},
}
ARGUMENTS = [(verb, name) for verb in SOUND for name in inspect.signature(getattr(drgsim, verb)).parameters]


@pytest.mark.parametrize(("verb", "name"), ARGUMENTS)
def test_a_wrong_type_has_a_code(verb: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    default = inspect.signature(getattr(drgsim, verb)).parameters[name].default
    for what, wrong in WRONG.items():
        if wrong is default or (verb in ("budget", "calibrate", "simulate") and what in ("None", "mapping", "empty text")):
            continue  # a sound one would run for long
        with suppress(DrgsimError):
            getattr(drgsim, verb)(**{**SOUND[verb], name: wrong})


@pytest.mark.parametrize(
    ("verb", "given"),
    [
        ("simulate", {"draws": -1}),
        ("simulate", {"level": 2}),
        ("simulate", {"seed": "x"}),
        ("simulate", {"policy": 5}),
        ("simulate", {"scenarios": [5]}),
        ("migrate", {"least_share": 5}),
        ("codes_search", {"limit": 0}),
        ("policy_plot", {"coefficient": 0}),
        ("policy_plot", {"coefficient": float("nan")}),
        ("coefficients", {"minimum_cases": "x"}),
        ("dip_diff", {"least": -1}),
        ("read", {"maps": 5}),
        ("read", {"records": ""}),
        ("group", {"reading": "hqms"}),
        ("group", {"reading": {}}),
        ("group", {"scheme": None}),
        ("budget", {"changes": ["a"]}),
        ("budget", {"years": "x"}),
        ("settle", {"budget": "x"}),
        ("settle", {"clearing": "no"}),
        ("weights", {"settings": {}}),
        ("explain", {"record": [RECORD]}),
        ("group_files", {"inputs": pa.table({"a": [1]})}),
        ("schemes_export", {"output": "a.csv"}),
        ("load_policy", {"name": None}),
        ("load_scheme", {"scheme": 5}),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_runs(verb: str, given: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as error:
        getattr(drgsim, verb)(**{**SOUND[verb], **given})
    assert error.value.problems[0].fix


def test_a_text_is_one_of_a_list_and_not_its_letters() -> None:
    rule = "sex_conflict_diagnosis"
    assert drgsim.validate([RECORD], only=rule).record == drgsim.validate([RECORD], only=[rule]).record
    limit = "lone_diagnosis_stay_days=20"
    assert drgsim.validate([RECORD], threshold=limit).record == drgsim.validate([RECORD], threshold=[limit]).record
    assert drgsim.selftest("dip-taian-2025").passed
    assert drgsim.group_files(str(RECORDS)).status == drgsim.group_files([RECORDS]).status
    assert drgsim.read([{"病": "1", **RECORD}], maps="病=patient_id").to_arrow()["patient_id"].to_pylist() == ["1"]


def test_years_are_weighed_by_a_text_or_by_numbers() -> None:
    history = [{**PAID, "discharged": f"{year}-05-01"} for year in (2023, 2024)]
    assert drgsim.weights(history, years=(3, 7)).weights.equals(drgsim.weights(history, years="3:7").weights)


@pytest.mark.parametrize(("target", "formats"), [(None, "csv"), ("", "csv"), (5, "csv"), ("folder", None), ("folder", 5)])
def test_a_result_is_kept_nowhere_without_a_name(target: Any, formats: Any) -> None:
    with pytest.raises(UsageError):
        drgsim.codes_search("心肌").save(target, formats=formats)


@pytest.mark.parametrize("name", ["../../..", "/etc", "region/../../.."])
def test_samples_lie_in_their_folder(name: str) -> None:
    with pytest.raises(DrgsimError, match="sample-unknown"):
        drgsim.sample_path(name)
    with pytest.raises(UsageError):
        drgsim.sample_path(None)  # type: ignore[arg-type]

"""Verbs take what other verbs gave, tables of every kind of text, and mappings; results go to frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

import drgsim
from drgsim.errors import DrgsimError

RECORDS, HOSPITALS = drgsim.sample_path("formats/records.csv"), drgsim.sample_path("region/hospitals.csv")
VERBS: dict[str, Callable[[Any], Any]] = {
    "validate": drgsim.validate,
    "settle": lambda cases: drgsim.settle(cases, "beijing/2024", unit_value=13000),
    "weights": lambda cases: drgsim.weights(cases, scheme="chs-drg-2.0"),
    "coefficients": lambda cases: drgsim.coefficients(cases, "taian/2025", hospitals=HOSPITALS),
    "dip_supervise": lambda cases: drgsim.dip_supervise(cases, "dip-taian-2025"),
    "group": drgsim.group,
    "explain": lambda cases: drgsim.explain(cases, record_id=pd.read_csv(RECORDS).discharge_id[0]),
}
TEXTS = {
    "large": lambda column: column.cast(pa.large_string()),
    "view": lambda column: column.combine_chunks().cast(pa.string_view()),
    "dictionary": lambda column: column.dictionary_encode(),
    "dictionary of large": lambda column: column.cast(pa.large_string()).dictionary_encode(),
}
ONE = {"drg": "FR25", "relative_weight": 1.0, "total_cost": 12000, "insurance": "employee", "hospital_id": "H001"}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_takes_every_kind_of_text(verb: str) -> None:
    plain = pa.Table.from_pandas(pd.read_csv(RECORDS, dtype=str), preserve_index=False)
    columns = [column.cast(pa.string()) for column in plain.columns]
    wanted = VERBS[verb](pa.table(columns, plain.column_names)).to_arrow().to_pylist()
    for name, of_kind in TEXTS.items():
        given = pa.table([of_kind(column) for column in columns], plain.column_names)
        assert VERBS[verb](given).to_arrow().to_pylist() == wanted, name
    assert VERBS[verb](pd.read_csv(RECORDS)).to_arrow().num_rows == len(wanted)


@pytest.mark.parametrize("policy", [row["id"] for row in drgsim.policies().to_arrow().to_pylist() if row["scheme"]])
def test_every_table_of_a_settlement_goes_to_a_frame(policy: str) -> None:
    paid = drgsim.settle(RECORDS, policy, unit_value=13000)
    for name, table in paid.tables.items():
        assert len(paid.to_pandas(name)) == table.num_rows
    words = paid.cases["rule"].combine_chunks().dictionary.to_pylist()
    assert sorted(words) == sorted(set(paid.cases["rule"].to_pylist()) - {None})


def test_a_dictionary_that_repeats_goes_to_a_frame() -> None:
    repeated = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, None]), pa.array(["a", "", ""]))
    frame = drgsim.Result({"cases": pa.table({"rule": repeated})}).to_pandas()
    assert frame["rule"].tolist()[:3] == ["a", "", ""]


def test_a_policy_that_was_read_stands_for_its_name() -> None:
    region, policy = drgsim.sample_path("region"), drgsim.load_policy("beijing/2024")
    scenario = {"changes": {"rate.base": "*1.03"}}
    by_name = drgsim.simulate(region, scenario, policy="beijing/2024")
    read = drgsim.simulate(region, scenario, policy=policy)
    assert read.headlines.equals(by_name.headlines)
    assert read.record == by_name.record
    assert drgsim.scenario_check(scenario, policy=policy).ok
    assert drgsim.policy_check(policy).ok
    assert drgsim.policy_show(policy).to_arrow().equals(drgsim.policy_show("beijing/2024").to_arrow())
    changed = drgsim.simulate(region, policy=policy.changed({"stays.long_days": "+30"}))
    assert changed.record["scenarios"]


def test_hospitals_are_given_by_mapping() -> None:
    paid = drgsim.settle([ONE], "qingyang/2023", hospitals={"H001": {"level": "三甲", "coefficient": 1.4}})
    assert paid.cases["coefficient"].to_pylist() == [1.4]


@pytest.mark.parametrize(
    ("hospitals", "code"),
    [
        ({"H001": {"levl": "三甲"}}, "hospitals-unknown-key"),
        ({"H001": "三甲"}, "hospitals-no-entry"),
        ({"H001": {"coefficient": -1}}, "hospitals-coefficient"),
    ],
)
def test_a_mapping_of_hospitals_is_checked(hospitals: Any, code: str) -> None:
    with pytest.raises(DrgsimError) as error:
        drgsim.settle([ONE], "qingyang/2023", hospitals=hospitals)
    assert error.value.problems[0].code == code


def test_a_policy_with_a_slip_in_its_name_is_guessed() -> None:
    with pytest.raises(DrgsimError, match="did you mean beijing/2024"):
        drgsim.policy_check("bejing/2024")

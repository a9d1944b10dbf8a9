"""``auto``: every record by the national scheme in force on its date of discharge, as the packs state it; no clock is read."""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import drgsim
from drgsim.assets import asset_root
from drgsim.errors import InputError
from drgsim.units.schemes.pack import read_settings
from drgsim.units.schemes.pack_settings import setting_problems
from drgsim.units.schemes.schemes_in_force import national_schemes
from tests.commands import run

OLD, NEW, SWITCH = "chs-drg-2.0", "chs-drg-3.0", "2027-01-01"
ANSWERS = ("mdc", "adrg", "drg", "drg_name", "severity", "status", "reason", "warnings", "mdc_hint")


def _cases(dates: list[Any]) -> list[dict[str, Any]]:
    """Bundled cases, with these dates of discharge one after another."""
    with (asset_root("data/samples") / "selftest" / f"{OLD}.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for number, row in enumerate(csv.DictReader(file)) if number % 4 == 0]
    return [
        {name: value or None for name, value in row.items() if not name.startswith("expected")}
        | {"discharge_id": str(number), "discharged": dates[number % len(dates)]}
        for number, row in enumerate(rows)
    ]


def _answers(table: pa.Table) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.select(["discharge_id", *ANSWERS]).to_pylist()
    return rows


# -- the dates stand in the packs -------------------------------------------------------------------------------------
def test_the_packs_say_when_they_are_in_force() -> None:
    stated = {name: read_settings(asset_root("groupers") / name)["in_force"] for name in (OLD, NEW)}
    assert stated[NEW]["from"] == SWITCH
    assert "医保发〔2026〕22号" in stated[NEW]["source"]
    assert [each.scheme for each in national_schemes().schemes] == [OLD, NEW]
    assert national_schemes().schemes[national_schemes().without_date].scheme == OLD


@pytest.mark.parametrize(
    "wrong",
    [
        {"area": "national", "from": "2027-13-01"},
        {"area": "city", "from": SWITCH},
        {"area": "national", "from": SWITCH, "until": "x"},
        {"area": "national", "from": SWITCH, "without_date": "yes"},
        "2027",
    ],
)
def test_a_date_in_force_that_makes_no_sense_is_told(wrong: Any) -> None:
    settings = {"id": "x", "title_zh": "x", "title_en": "x", "kind": "full"}
    assert not setting_problems(settings | {"in_force": {"area": "national", "from": SWITCH}}, "x")
    assert {problem.code for problem in setting_problems(settings | {"in_force": wrong}, "x")} <= {
        "pack-unknown-in-force", "pack-wrong-type",
    }  # fmt: skip
    assert setting_problems(settings | {"in_force": wrong}, "x")


@given(st.lists(st.one_of(st.none(), st.dates(date(2019, 1, 1), date(2035, 1, 1))), max_size=20))
def test_places_are_those_of_a_plain_comparison(days: list[date | None]) -> None:
    numbers = np.array([np.nan if day is None else (day - date(1970, 1, 1)).days for day in days], np.float64)
    expected = [1 if day is not None and day >= date(2027, 1, 1) else 0 for day in days]
    assert national_schemes().places(numbers).tolist() == expected


# -- grouping ---------------------------------------------------------------------------------------------------------
def test_a_file_across_the_switch_is_grouped_record_by_record() -> None:
    cases = _cases(["2026-12-31", SWITCH, "20270315", None, "2027年6月1日"])
    found = drgsim.group(cases)
    single = {name: _answers(drgsim.group(cases, name).to_arrow()) for name in (OLD, NEW)}
    chosen = found.to_arrow()["scheme"].to_pylist()
    assert chosen[:5] == [OLD, NEW, NEW, OLD, NEW]
    assert _answers(found.to_arrow()) == [single[name][row] for row, name in enumerate(chosen)]
    assert single[OLD] != single[NEW]
    assert found.scheme == f"{OLD}|{NEW}"
    summary = found.record
    assert summary["scheme_by_date"]["records"] == {name: chosen.count(name) for name in (OLD, NEW)}
    assert summary["scheme_by_date"]["without_date"] == sum(case["discharged"] is None for case in cases)
    assert sum(sum(part["status"].values()) for part in summary["schemes"].values()) == len(cases)
    groups = found.to_arrow("groups")
    assert sum(groups["cases"].to_pylist()) == found.status["grouped"] + found.status["ambiguous"]
    assert groups.column_names[0] == "scheme"
    assert {"scheme-by-date", "scheme-without-date"} <= {note.code for note in found.notes}


@pytest.mark.parametrize(("day", "name"), [("2026-12-31", OLD), (SWITCH, NEW), ("2015-01-01", OLD), (None, OLD)])
def test_on_one_side_of_the_switch_it_is_as_if_the_scheme_was_named(day: str | None, name: str) -> None:
    cases = _cases([day])
    found, named = drgsim.group(cases), drgsim.group(cases, name)
    assert found.scheme == name
    assert _answers(found.to_arrow()) == _answers(named.to_arrow())
    assert found.to_arrow("groups").equals(named.to_arrow("groups"))
    assert found.run.counts.groups.tolist() == named.run.counts.groups.tolist()
    told = {note.code for note in found.notes} - {note.code for note in named.notes}
    assert told == ({"scheme-without-date"} if day is None else set())
    assert "scheme" not in named.to_arrow().column_names


def test_files_are_grouped_as_tables_are(tmp_path: Path) -> None:
    first = date(2026, 12, 1)
    cases = _cases([str(first + timedelta(days=day)) for day in range(60)])
    table = pa.Table.from_pylist(cases)
    pq.write_table(table, tmp_path / "cases.parquet")
    done = drgsim.group_files([tmp_path / "cases.parquet"], output=tmp_path / "out.parquet", keep_input=True)
    in_memory = drgsim.group(cases)
    written = pq.read_table(tmp_path / "out.parquet")
    assert written["scheme"].cast(pa.string()).to_pylist() == in_memory.to_arrow()["scheme"].to_pylist()
    assert written["drg"].cast(pa.string()).to_pylist() == in_memory.to_arrow()["drg"].to_pylist()
    assert done.record["scheme_by_date"] == in_memory.record["scheme_by_date"]


def test_the_command_says_which_scheme_grouped_how_many(tmp_path: Path) -> None:
    lines = [
        "id,性别,年龄,出院日期,主要诊断,手术",
        "1,1,67,2026-12-31,I21.001,",
        "2,1,67,2027-01-01,I21.001,",
        "3,1,67,,I21.001,",
    ]
    (tmp_path / "cases.csv").write_text("\n".join(lines), encoding="utf-8")
    summary = json.loads(run("group", "cases.csv", "--json", "-o", "out.csv", cwd=tmp_path).stdout)
    assert summary["scheme_by_date"]["records"] == {OLD: 2, NEW: 1}
    with (tmp_path / "out.csv").open(encoding="utf-8-sig") as file:
        assert [row["scheme"] for row in csv.DictReader(file)] == [OLD, NEW, OLD]
    shown = run("group", "cases.csv", cwd=tmp_path).stdout
    for words in ("Grouped by chs-drg-2.0 and chs-drg-3.0", "1 of 3 records have no date of discharge", "from 2027-01-01"):
        assert words in " ".join(shown.split()), words


# -- the verbs that go on ---------------------------------------------------------------------------------------------
def test_a_record_is_explained_by_the_scheme_of_its_date() -> None:
    record = {"discharge_id": "1", "diagnoses": "O82.000", "procedures": "74.1x01", "sex": "2", "age": 30}
    for day, name in (("2026-12-31", OLD), ("2027-01-01", NEW), (None, OLD)):
        found = drgsim.explain(record | {"discharged": day})
        assert found.first.trace.scheme == name
        assert found.drg == drgsim.group([record], name).to_arrow()["drg"][0].as_py()
    cases = _cases(["2026-12-31", "2027-02-01"])
    assert drgsim.explain(cases, record_id="1").first.trace.scheme == NEW


def test_a_check_compares_each_record_with_its_own_scheme() -> None:
    cases = _cases(["2026-12-31", "2027-02-01"])
    for number, case in enumerate(cases):
        case["total_cost"] = 1000 + number
    both = drgsim.validate(cases, findings=True)
    assert both.report.by_scheme == {OLD: (len(cases) + 1) // 2, NEW: len(cases) // 2}
    apart = [
        row
        for name, start in ((OLD, 0), (NEW, 1))
        for row in drgsim.validate(cases[start::2], name, findings=True).to_arrow("findings").to_pylist()
    ]
    key = lambda row: (row["discharge_id"], row["code"], row["value"])  # noqa: E731
    assert sorted(map(key, both.to_arrow("findings").to_pylist())) == sorted(map(key, apart))


def test_cases_of_two_schemes_are_not_weighed_or_settled_together(tmp_path: Path) -> None:
    cases = [case | {"total_cost": 9000 + 100 * place} for place, case in enumerate(_cases(["2026-12-31", "2027-02-01"]))]
    grouped = drgsim.group(cases)
    for verb in (lambda: drgsim.weights(grouped), lambda: drgsim.settle(grouped, "beijing/2024"),
                 lambda: drgsim.weights(cases, scheme="auto")):  # fmt: skip
        with pytest.raises(InputError, match=r"grouped by chs-drg-2\.0, chs-drg-3\.0"):
            verb()
    new = [case for case in cases if case["discharged"] > SWITCH]
    weighed, named = drgsim.weights(new, scheme="auto"), drgsim.weights(new, scheme=NEW)
    assert weighed.weights.equals(named.weights)
    assert "settle-other-scheme" in {note.code for note in drgsim.settle(new, "beijing/2024", scheme="auto").notes}


def test_coding_checks_stand_beside_answers_of_either_scheme() -> None:
    cases = _cases(["2026-12-31", "2027-02-01"])
    found = drgsim.group(cases, coding_checks=True).to_arrow()
    for name, start in ((OLD, 0), (NEW, 1)):
        apart = drgsim.group(cases[start::2], name, coding_checks=True).to_arrow()
        rows = found.filter(pc.equal(found["scheme"], name)).select(apart.column_names)
        assert rows.to_pylist() == apart.to_pylist()
    assert any(found["coding_checks"].to_pylist())


def test_what_needs_one_scheme_says_so() -> None:
    for verb in (
        lambda: drgsim.migrate(_cases([None]), "auto", NEW),
        lambda: drgsim.codes_show("I10.x00", scheme="auto"),
        lambda: drgsim.load_scheme("auto"),
    ):
        with pytest.raises(drgsim.DrgsimError, match="needs one scheme"):
            verb()

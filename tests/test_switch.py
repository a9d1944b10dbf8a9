"""A switch of the scheme: recomputed in plain Python from settlements of their own, 0 where nothing changes, in any order."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import drgsim
from drgsim.api.switch_verb import Switched
from drgsim.engines.in_memory import group_table
from drgsim.language import speaking
from drgsim.payment.settlement import settle
from drgsim.region.region_folder import read_region
from drgsim.report.sankey import SankeyFlow, sankey_chart
from drgsim.simulation.switch_draws import drawn_changes
from drgsim.simulation.switch_rules import CAUSES, RULES, field_splits
from drgsim.simulation.switch_tables import END, START
from drgsim.units.schemes.pack import load_scheme
from tests.commands import run
from tests.sample_region import SAMPLE, YEAR, YEARS, discharges

KEPT = ("budget", "rate", "weight")
POLICY = "beijing/2024"
NOTHING = Decimal("0.00")


@pytest.fixture(scope="module")
def found() -> Switched:
    return drgsim.switch(SAMPLE, policy=POLICY, draws=40, with_cases=True)


@pytest.fixture(scope="module")
def plain(found: Switched) -> list[dict[str, Any]]:
    """Every case settled once more by each side, from the file on: a table is grouped and settled by itself."""
    region = read_region(SAMPLE)
    table = pq.read_table(discharges())
    sides = []
    for side in found.switch.sides:
        answers = group_table(table, side.choice.unit)
        named = table.append_column("drg", answers["drg"])
        price = side.lines.pricing
        rows = settle(named, price.policy, hospitals=region.hospitals, budget=price.budget).table
        sides.append((answers, rows))
    rows = []
    for number, (before, after) in enumerate(zip(sides[0][1].to_pylist(), sides[1][1].to_pylist(), strict=True)):
        payment = [(row["amount"] or NOTHING) - (row["above_standard"] or NOTHING) for row in (before, after)]
        rows.append({
            "hospital": before["hospital_id"] or "", "department": before["department"] or "", "payment": payment,
            "cost": before["total_cost"] if before["amount"] is not None else NOTHING,
            "unit": [sides[k][0]["drg"][number].as_py() for k in (0, 1)],
            "mdc": [sides[k][0]["mdc"][number].as_py() or "" for k in (0, 1)],
            "class": [row["case_class"] for row in (before, after)],
        })  # fmt: skip
    return rows


def _sums(rows: list[dict[str, Any]], key: Any, side: int) -> dict[Any, list[Any]]:
    """Payment, cost, cases and high cases by a key of the case."""
    sums: dict[Any, list[Any]] = defaultdict(lambda: [NOTHING, NOTHING, 0, 0])
    for row in rows:
        of = sums[key(row, side)]
        of[0] += row["payment"][side]
        of[1] += row["cost"]
        of[2] += 1
        of[3] += row["class"][side] == "high"
    return sums


@pytest.mark.parametrize(
    ("table", "columns", "key"),
    [
        ("hospitals", ("hospital_id",), lambda row, side: (row["hospital"],)),
        ("departments", ("hospital_id", "department"), lambda row, side: (row["hospital"], row["department"])),
        ("mdcs", ("mdc",), lambda row, side: (row["mdc"][side],)),
        ("groups", ("group",), lambda row, side: (row["unit"][side],)),
    ],
)
def test_every_table_is_the_sum_of_the_cases_to_the_fen(
    found: Switched, plain: list[dict[str, Any]], table: str, columns: tuple[str, ...], key: Any
) -> None:
    rows = {tuple(row[name] for name in columns): row for row in found.to_arrow(table).to_pylist()}
    for side, role in enumerate(("from", "to")):
        sums = _sums(plain, key, side)
        assert set(sums) <= set(rows)
        for name, row in rows.items():
            payment, cost, cases, high = sums.get(name, [NOTHING, NOTHING, 0, 0])
            assert (row[f"{role}_payment"], row[f"{role}_cost"]) == (payment, cost)
            assert (row[f"{role}_cases"], row[f"{role}_high"]) == (cases, high)
            assert row[f"{role}_margin"] == payment - cost
    for row in rows.values():
        assert row["payment_change"] == row["to_payment"] - row["from_payment"]


def test_flows_and_steps_are_the_sum_of_the_cases(found: Switched, plain: list[dict[str, Any]]) -> None:
    flows: dict[tuple[str, str], list[Any]] = defaultdict(lambda: [0, NOTHING, NOTHING])
    for row in plain:
        flow = flows[row["unit"][0], row["unit"][1]]
        flow[0] += 1
        flow[1] += row["payment"][0]
        flow[2] += row["payment"][1]
    told = {
        (row["from_group"] or "0000", row["to_group"] or "0000"): [row["cases"], row["from_payment"], row["to_payment"]]
        for row in found.flows.to_pylist()
    }
    assert told == dict(flows)
    scopes: dict[str, dict[str, Decimal]] = defaultdict(dict)
    for row in found.waterfall.to_pylist():
        scopes[row["hospital_id"] if row["scope"] == "hospital" else "*"][row["step"]] = row["amount"]
    for steps in scopes.values():
        inner = sum((amount for step, amount in steps.items() if step not in (START, END)), NOTHING)
        assert steps[START] + inner == steps[END]
    assert scopes["*"][START] == sum((row["payment"][0] for row in plain), NOTHING)
    assert scopes["*"][END] == sum((row["payment"][1] for row in plain), NOTHING)
    inner = set(scopes["*"]) - {START, END, "unit_value"}
    assert inner <= set(CAUSES)
    for step in (START, END, *inner):
        assert sum((steps[step] for name, steps in scopes.items() if name != "*"), NOTHING) == scopes["*"][step]


def test_cases_table_repeats_the_settlements(found: Switched, plain: list[dict[str, Any]]) -> None:
    for told, row in zip(found.to_arrow("cases").to_pylist(), plain, strict=True):
        assert [told["from_payment"], told["to_payment"]] == row["payment"]
        assert told["change"] == row["payment"][1] - row["payment"][0]


def test_the_budget_is_kept_on_both_sides(found: Switched) -> None:
    """Both sides share out what the fund has for the cases: what is left of it is the rounding of cases to the fen."""
    region = read_region(SAMPLE)
    beside = sum(amount for (_, year, *_), amount in region.payments.items() if year == YEAR)
    budget = (sum(region.fund[YEAR].values()) - beside) / 100
    (row,) = [row for row in found.headline.to_pylist() if row["figure"] == "fund"]
    for side in ("from", "to"):
        assert abs(row[side] - budget) < 0.01 * found.switch.causes.moved.size / 2


@pytest.fixture(scope="module")
def overlay(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An overlay of 2.0 that changes nothing."""
    folder = tmp_path_factory.mktemp("packs") / "same"
    folder.mkdir()
    text = 'id = "same"\ntitle_zh = "x"\ntitle_en = "x"\nkind = "overlay"\nbase = "chs-drg-2.0"\n'
    (folder / "scheme.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("keep", KEPT)
def test_a_scheme_without_a_difference_moves_no_figure(overlay: Path, keep: str) -> None:
    same = drgsim.switch(SAMPLE, "chs-drg-2.0", overlay, policy=POLICY, keep=keep, draws=40)
    for row in same.headline.to_pylist():
        assert row["change"] == 0, row["figure"]
    for name in ("hospitals", "departments", "mdcs", "groups"):
        table = same.to_arrow(name)
        changes = [column for column in table.column_names if "change" in column]
        assert len(changes) > 4
        for column in changes:
            assert not any(value for value in table[column].to_pylist()), column
        for column in table.column_names:
            if column.startswith("from_"):
                assert table[column].to_pylist() == table[column.replace("from_", "to_", 1)].to_pylist()
    assert not any(same.hospitals["moved"].to_pylist())
    assert set(same.hospitals["verdict"].to_pylist()) == {"same"}
    steps = [row for row in same.waterfall.to_pylist() if row["step"] not in (START, END)]
    assert not any(row["amount"] for row in steps)
    assert {row["step"] for row in steps} <= {"unit_value", "same", "no_group"}
    assert same.work.num_rows == same.work_cases.num_rows == 0


@pytest.fixture(scope="module")
def some() -> pa.Table:
    """A part of the sample's cases, with an id each."""
    table = pq.read_table(discharges()).slice(0, 700)
    ids = pa.array([f"C{number:04}" for number in range(table.num_rows)])
    return table.set_column(0, "discharge_id", ids)


@settings(max_examples=3)
@given(seed=st.integers(0, 2**32 - 1), keep=st.sampled_from(KEPT))
def test_the_order_of_the_records_never_matters(some: pa.Table, seed: int, keep: str) -> None:
    order = np.random.default_rng(seed).permutation(some.num_rows)
    first, second = (
        drgsim.switch(table, policy=POLICY, keep=keep, draws=40, hospitals=SAMPLE / "hospitals.csv")
        for table in (some, some.take(pa.array(order)))
    )
    for name in first.tables:
        if name != "problems":
            assert first.to_arrow(name).equals(second.to_arrow(name)), name


def test_the_same_call_writes_the_same_bytes(some: pa.Table, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        drgsim.switch(some, policy=POLICY, draws=0).save(tmp_path / folder, formats=["csv", "parquet", "xlsx", "html"])
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert {"switch.html", "switch.xlsx", "summary.json", "work.csv", "work_cases.parquet"} <= set(names)
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


@pytest.mark.parametrize("keep", ["rate", "weight"])
def test_rate_and_weight_are_kept(keep: str) -> None:
    found = drgsim.switch(SAMPLE, policy=POLICY, keep=keep, draws=0)
    figures = {row["figure"]: row for row in found.headline.to_pylist()}
    assert figures["unit_value.*"]["from"] == figures["unit_value.*"]["to"]
    kept = abs(figures["weight"]["change"]) < 1e-3
    assert kept is (keep == "weight")


def test_reference_weights_are_an_option_with_a_label() -> None:
    found = drgsim.switch(SAMPLE, policy=POLICY, weights="reference", keep="rate", draws=0)
    left, right = found.switch.sides
    assert left.weights_label.startswith("national/2.0")
    assert right.weights_label.startswith("national/3.0-draft")
    prices = right.lines.pricing.policy.prices
    assert prices is not None
    national = drgsim.load_policy("national/3.0-draft-2026-06").prices
    assert national is not None
    code = next(
        code for code in prices.codes if code in national.places and national.relative_value[1][national.places[code]] > 0
    )
    assert prices.relative_value[1][prices.places[code]] == pytest.approx(national.relative_value[1][national.places[code]])


# -- why, and what to do -----------------------------------------------------------------------------------------------
def test_every_case_has_one_cause_that_fits_its_groups(found: Switched) -> None:
    before, after = (load_scheme(side.choice.unit) for side in found.switch.sides)
    seen = set()
    for row in found.to_arrow("cases").to_pylist():
        old, new, cause = before.drgs.get(row["from_group"]), after.drgs.get(row["to_group"]), row["cause"]
        seen.add(cause)
        if cause == "same":
            assert row["from_group"] == row["to_group"]
        elif cause in ("adrg", "mdc", "severity_lost", "severity_gained", "split", "age", "field", "renumbered"):
            assert old is not None
            assert new is not None
            assert row["from_group"] != row["to_group"]
        elif cause == "found_group":
            assert old is None or row["from_group"].endswith("QY")
    assert len(seen) > 7


def test_severity_entries_name_the_code_that_makes_the_difference(found: Switched, some: pa.Table) -> None:
    """The plain reference evaluates each record by both schemes and shows the level of every diagnosis."""
    schemes = [load_scheme(side.choice.unit) for side in found.switch.sides]
    by_id = {row["discharge_id"]: row for row in pq.read_table(discharges()).to_pylist()}
    entries = [row for row in found.work_cases.to_pylist() if row["rule"].startswith("severity")]
    assert len(entries) > 100
    for entry in entries[:: max(len(entries) // 60, 1)]:
        codes = by_id[entry["discharge_id"]]["diagnoses"].split("|")
        levels = []
        for scheme in schemes:
            severity = scheme.severities.get(entry["code"])
            excluded = severity is None or codes[0] in scheme.exclusions.get(severity.exclusion, ())
            levels.append(0 if severity is None or excluded else {"CC": 1, "MCC": 2}[severity.level])
        assert entry["code"] in codes[1:]
        assert (levels[1] > levels[0]) is (entry["rule"] == "severity_gained")
        assert levels[0] != levels[1]


def test_new_splits_that_ask_for_a_field_are_found() -> None:
    """CHS-DRG 3.0: robots (17.4), epidural analgesia in labour and high-risk pregnancy (pack notes, adrg.csv, drg.csv)."""
    splits = {split.group: split for split in field_splits(load_scheme("chs-drg-2.0"), load_scheme("chs-drg-3.0"))}
    assert {"EB10", "GB40", "IC30", "MB10", "OC1", "OL1", "OB21"} <= set(splits)
    assert splits["IC30"].codes == ("17.4100", "17.4200", "17.4300", "17.4400", "17.4500")
    assert (splits["OL1"].twin, splits["OL1"].codes) == ("OR1", ("03.9000x001",))
    assert splits["OB21"].variables == ("ZYZD",)
    assert field_splits(load_scheme("chs-drg-3.0"), load_scheme("chs-drg-3.0")) == []


def test_the_work_list_adds_up_and_says_what_to_do(found: Switched) -> None:
    cases: dict[tuple[Any, ...], list[Any]] = defaultdict(lambda: [0, NOTHING])
    names = ("hospital_id", "department", "rule", "code", "detail")
    for row in found.work_cases.to_pylist():
        of = cases[tuple(row[name] for name in names)]
        of[0] += 1
        of[1] += row["change"]
    assert cases == {tuple(row[name] for name in names): [row["cases"], row["change"]] for row in found.work.to_pylist()}
    for row in found.work.to_pylist():
        assert row["todo_zh"] == RULES[row["rule"]].todo_zh
        assert row["department"]


# -- intervals ---------------------------------------------------------------------------------------------------------
def test_intervals_of_known_rates_have_the_width_that_theory_gives() -> None:
    """At a known rate the change of a hospital is a sum of its cases: the bootstrap's variance is n times that of one case."""
    found = drgsim.switch(SAMPLE, policy=POLICY, keep="rate", draws=0).switch
    drawn = drawn_changes(found.sides, found.rows.of_case, len(found.rows.hospital), 400, 3).change
    names = sorted(set(found.rows.hospital))
    of_hospital = np.array([names.index(name) for name in found.rows.hospital])
    for number in range(len(names)):
        mine = of_hospital[found.rows.of_case] == number
        change = found.causes.change[mine].astype(float)
        theory = change.std() * np.sqrt(change.size)
        spread = drawn[:, of_hospital == number].sum(axis=1).std()
        assert spread == pytest.approx(theory, rel=0.2)
    whole = drawn.sum(axis=1).mean()
    assert abs(whole - found.causes.change.sum()) < 4 * drawn.sum(axis=1).std() / np.sqrt(400)


def test_draws_of_a_budget_move_money_between_hospitals_only(found: Switched) -> None:
    """Every draw shares one budget out on both sides, so that the whole does not move."""
    moved = np.abs(found.switch.draws.change).sum(axis=1)
    assert (np.abs(found.switch.draws.change.sum(axis=1)) < 1e-3 * moved).all()


# -- other sides, input ------------------------------------------------------------------------------------------------
def test_drg_to_dip_and_dip_to_dip(some: pa.Table) -> None:
    crossed = drgsim.switch(some, "chs-drg-2.0", "dip-taian-2025", draws=0, hospitals=SAMPLE / "hospitals.csv")
    assert crossed.switch.sides[1].choice.policy.file.method == "dip"
    assert set(crossed.flows["cause"].to_pylist()) <= {"unit", "found_group", "lost_group", "no_group", "ambiguous"}
    both = [side.lines.money[1].sum() for side in crossed.switch.sides]
    assert abs(int(both[0] - both[1])) < some.num_rows
    same = drgsim.switch(some, "dip-taian-2025", "dip-taian-2025", draws=0, hospitals=SAMPLE / "hospitals.csv")
    assert not any(row["change"] for row in same.headline.to_pylist())


def test_a_catalogue_brings_its_own_scores_or_those_of_a_file(some: pa.Table, tmp_path: Path) -> None:
    """The national catalogue has none (a region scores it); the catalogue of Tai'an has, 1,000 for the mean case."""
    left, right = ("dip-taian-2025", "dip-3.0")
    with pytest.raises(drgsim.DrgsimError, match="switch-no-weights"):
        drgsim.switch(some, left, right, weights="reference", draws=0, hospitals=SAMPLE / "hospitals.csv")
    kinds = drgsim.switch(some, right, right, draws=0, hospitals=SAMPLE / "hospitals.csv").groups["group"].to_pylist()
    (tmp_path / "own.csv").write_text("dip,score\n" + "".join(f"{kind},750\n" for kind in kinds if kind), encoding="utf-8")
    found = drgsim.switch(
        some, left, right, weights_from="reference", weights_to=str(tmp_path / "own.csv"), draws=0,
        hospitals=SAMPLE / "hospitals.csv",
    )  # fmt: skip
    weights = [side.lines.weight[side.lines.marks.priced] for side in found.switch.sides]
    assert weights[1] == pytest.approx(0.75)
    scores = group_table(some, left)["score"].to_pylist()
    assert np.nanmean(weights[0]) == pytest.approx(np.mean([score for score in scores if score]) / 1000, rel=0.05)


def test_discharges_of_several_years_are_history_and_year() -> None:
    table = pa.concat_tables([pq.read_table(discharges(year)).slice(0, 500) for year in YEARS[-2:]])
    found = drgsim.switch(table, policy=POLICY, draws=0)
    assert found.switch.year == YEAR
    assert found.switch.region.years == YEARS[-2:]
    assert str(YEARS[-2]) in found.switch.sides[0].weights_label


def test_mistakes_are_told(some: pa.Table) -> None:
    for code, call in (
        ("usage-unknown-word", {"keep": "budgets"}), ("usage-unknown-word", {"language": "de"}),
        ("switch-no-year", {"year": 1999}),
        ("switch-no-weights", {"weights_from": "national/dip-1.0"}),
    ):  # fmt: skip
        with pytest.raises(drgsim.DrgsimError) as error:
            drgsim.switch(some, policy=POLICY, draws=0, **call)
        assert error.value.problems[0].code == code
    with pytest.raises(drgsim.DrgsimError, match="switch-no-budget"):
        drgsim.switch(some.drop_columns(["insurance"]), policy=POLICY, draws=0)
    with pytest.raises(drgsim.DrgsimError, match="switch-nothing-paid") as error:  # paid by level, and no level is known
        drgsim.switch(some, draws=0)
    assert "level" in str(error.value.problems[0].fix)


def test_the_note_of_unpaid_cases_names_the_reason_that_most_have() -> None:
    """Not the first: broken amounts come before a hospital that nobody listed, which leaves many more unpaid."""
    hospitals = read_region(SAMPLE).hospitals
    known = [{"hospital_id": name, "level": one.level} for name, one in hospitals.items() if name != min(hospitals)]
    found = drgsim.switch(str(discharges()), draws=0, hospitals=pa.Table.from_pylist(known))
    said = next(note.what for note in found.notes if "unpaid cases" in note.what)
    assert "not in the list of hospitals" in said


def test_unit_values_of_a_weight_and_of_a_point_have_no_difference(found: Switched, some: pa.Table) -> None:
    both = drgsim.switch(some, "chs-drg-2.0", "dip-taian-2025", policy=POLICY, draws=0)
    for switched, alike in ((found, True), (both, False)):
        assert any("two policies pay" in note.what for note in switched.notes) != alike
        rows = [row for row in switched.headline.to_pylist() if row["figure"].startswith("unit_value.")]
        assert rows
        assert all((row["change"] is not None) == alike and row["from"] and row["to"] for row in rows)
        assert {row["title_zh"] for row in rows} <= {"费率、点值（职工）", "费率、点值（居民）"}


def test_every_column_of_the_workbook_has_a_chinese_header(found: Switched, tmp_path: Path) -> None:
    with speaking("zh"):
        found.save(tmp_path / "switch.xlsx")
    book = openpyxl.load_workbook(tmp_path / "switch.xlsx", read_only=True)
    assert book.sheetnames[:2] == ["说明", "总览"]
    for sheet in book.worksheets[2:]:
        headers = [str(cell.value) for cell in next(sheet.iter_rows(max_row=1))]
        assert not [header for header in headers if header.isascii() and header != "MDC"], sheet.title


def test_the_command_writes_a_folder(tmp_path: Path) -> None:
    done = run("switch", str(SAMPLE), "--policy", POLICY, "--draws", "0", "-o", str(tmp_path / "out"), "--language", "en")
    assert "chs-drg-2.0 → chs-drg-3.0" in done.stdout
    page = (tmp_path / "out" / "switch.html").read_text(encoding="utf-8")
    assert "What to do before the switch" in page
    assert "<script" not in page


# -- the chart ---------------------------------------------------------------------------------------------------------
@given(
    st.lists(
        st.tuples(st.sampled_from("ABCDEFGHIJKLMNOPQRST"), st.sampled_from("abcdefghijklmnopqrst"), st.integers(1, 5000)),
        min_size=1, max_size=30, unique_by=lambda flow: flow[:2],
    ),
    st.sampled_from([(1040.0, 250.0), (350.0, 84.0)]),
)  # fmt: skip
def test_labels_of_the_sankey_never_overlap(flows: list[tuple[str, str, int]], size: tuple[float, float]) -> None:
    drawn = [SankeyFlow(*flow, title="") for flow in flows]
    names = {flow.source: f"{flow.source} 呼吸系统感染，伴合并症或并发症" for flow in drawn}
    chart = sankey_chart(drawn, (names, {}), width=size[0], label_width=size[1])
    boxes = [label.box for label in chart.labels]
    for number, (left, top, right, bottom) in enumerate(boxes):
        assert left >= -1e-6
        assert right <= chart.width + 1e-6
        assert top >= -1e-6
        assert bottom <= chart.height + 1e-6
        for a, b, c, d in boxes[number + 1 :]:
            assert right <= a or c <= left or bottom <= b + 1e-6 or d <= top + 1e-6

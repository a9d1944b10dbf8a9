"""Files of sections that a policy includes: merged strictly, with their evidence; the examples that ship, worked by hand."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

import drgsim
from drgsim.payment.policy import PolicyError, load_policy, read_folder
from drgsim.payment.policy_includes import include_names
from tests.commands import run
from tests.payment_policies import SAID, amounts, keyed, policy_with, settled
from tests.sample_region import SAMPLE, discharges

SOURCES = {"mine": {"title": "made up"}}


def _file(tmp_path: Path, **sections: Any) -> str:
    path = tmp_path / "sections.yaml"
    path.write_text(yaml.safe_dump({"title": "t", "sources": SOURCES, **sections}, allow_unicode=True), encoding="utf-8")
    return str(path)


def _codes(policy: Path, include: str) -> list[str]:
    """Codes of what is wrong with a policy that includes a shipped file, or one that is put beside it."""
    if Path(include).is_absolute():
        include = Path(include).replace(policy / Path(include).name).name
    raw = yaml.safe_load((policy / "policy.yaml").read_text(encoding="utf-8"))
    (policy / "policy.yaml").write_text(yaml.safe_dump({**raw, "include": [include]}, allow_unicode=True), encoding="utf-8")
    return [problem.code for problem in read_folder(policy)[1]]


def test_what_ships_is_said() -> None:
    assert include_names() == [f"examples/{name}" for name in ("primary-care", "psychiatric", "single-disease", "tcm")]


@pytest.mark.parametrize("name", include_names())
def test_an_example_keeps_its_evidence_and_belongs_to_the_digest(name: str) -> None:
    base, policy = load_policy("beijing/2024"), load_policy(f"beijing/2024+{name}")
    added = {parameter.path: parameter for parameter in policy.parameters} | {}
    for parameter in base.parameters:
        del added[parameter.path]
    assert added
    assert {parameter.evidence.value for parameter in added.values()} == {"assumption"}
    assert all(parameter.source_title for parameter in added.values())
    assert policy.file.include == (name,)
    assert policy.digest != base.digest
    assert policy.including([name]) is policy
    assert base.including([name]).file == policy.file


def test_a_policy_file_includes_by_itself(tmp_path: Path) -> None:
    folder = policy_with(tmp_path, {"include": ["sections.yaml"]})
    _file(folder, readmission={
        "within_days": {"value": 15, "unit": "days", "source": "mine", "evidence": "assumption"},
        "factor": {"value": 0.5, "unit": "factor", "source": "mine", "evidence": "assumption"},
    }, notes=["kept"])  # fmt: skip
    policy = load_policy(folder)
    assert policy.file.readmission is not None
    assert (policy.file.readmission.within_days.value, policy.file.notes) == (15, ("kept",))


def test_a_file_beside_the_policy_is_found_from_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its table lies beside it as well."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    folder = policy_with(tmp_path, {"include": ["sections.yaml"]})
    _file(folder, single_disease={"table": {"file": "fixed.csv", "unit": "yuan", "source": "mine", "evidence": "assumption"}})
    (folder / "fixed.csv").write_text("code,fund_amount,personal_limit\nX,5000,100\n", encoding="utf-8")
    paid = settled(folder, drg="X", total_cost=9000.0, relative_value=1.0, hospital_level=3)
    assert amounts(paid) == ["5100.00"]


def test_a_table_of_coefficients_comes_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _file(tmp_path, coefficient={"table": {"file": "own.csv", "unit": "ratio", **SAID, "source": "mine"}})
    (tmp_path / "own.csv").write_text("hospital_id,drg,coefficient\nH1,FR25,1.1\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path.parent)
    included = load_policy("national/2.0").including([f"{tmp_path.name}/sections.yaml"])
    assert included.coefficients is not None
    assert included.coefficients.values == {("H1", "FR25"): 1.1}


def test_a_name_that_stands_twice_is_included_once() -> None:
    once, twice = load_policy("beijing/2024+examples/tcm"), load_policy("beijing/2024+examples/tcm+examples/tcm")
    assert twice.file.include == ("examples/tcm",)
    assert twice.digest == once.digest


CONFLICT, PART = {"policy-include-conflict"}, {"policy-include-part"}
EMPTY = {"main": {"unit": "ratio", "source": "mine", "evidence": "assumption", "pieces": []}}


@pytest.mark.parametrize(
    ("sections", "codes"),
    [
        ({"curves": EMPTY}, CONFLICT),
        ({"unit_value": keyed({"*": 9}, "yuan")}, CONFLICT),
        ({"sources": {"test": {"title": "another"}}}, CONFLICT),
        ({"method": "dip", "include": ["x"]}, PART),
        ({"per_dime": {}}, PART),
        ({"per_diem": {"rate_unit": "hours"}}, {"policy-bad-value"}),
        ({"notes": "a text would be joined letter by letter"}, {"policy-bad-value"}),
        ({"notes": 5, "sources": ["mine"]}, {"policy-bad-value"}),
    ],
)
def test_contradictions_are_refused(tmp_path: Path, sections: dict[str, Any], codes: set[str]) -> None:
    assert set(_codes(policy_with(tmp_path), _file(tmp_path, **sections))) == codes


def test_what_both_say_alike_is_no_conflict(tmp_path: Path) -> None:
    same = {"unit_value": keyed({"*": 30000}, "yuan"), "sources": {"test": {"title": "made up for a test"}}}
    assert _codes(policy_with(tmp_path), _file(tmp_path, **same)) == []


def test_an_unknown_name_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="examples/psychiatric"):
        load_policy("beijing/2024+examples/psychiatry")
    assert _codes(policy_with(tmp_path), "examples/none") == ["policy-unknown-include"]


def test_a_group_stands_in_one_class(tmp_path: Path) -> None:
    one = {"title": "t", "title_zh": "t", **SAID}
    classes = {"a": {**one, "groups": ["X"], "starts": ["Y"]}, "b": {**one, "groups": ["X"], "starts": ["Y"]}}
    with pytest.raises(PolicyError) as caught:
        load_policy(policy_with(tmp_path, {"group_classes": classes}))
    assert [problem.code for problem in caught.value.problems] == ["policy-group-twice"] * 2


def test_two_examples_at_once() -> None:
    policy = load_policy("beijing/2024+examples/psychiatric+examples/single-disease")
    assert policy.file.per_diem is not None
    assert policy.single_diseases is not None


# -- the examples, by hand -------------------------------------------------------------------------------------------------
def test_psychiatry_long_and_short() -> None:
    """TR15: 20 days cost 9,000: by item, its group would pay 28,367; 40 days: 40 x 250 = 10,000 (rule book 4.5: 30 x 250)."""
    paid = settled("beijing/2024+examples/psychiatric", drg="TR15", total_cost=9000.0, los_days=[20, 30, 40])
    assert amounts(paid) == ["9000.00", "9000.00", "10000.00"]
    assert paid.table["shadow_amount"].to_pylist() == [Decimal("28367.00"), Decimal("28367.00"), None]


def test_a_single_disease_is_a_fixed_amount() -> None:
    """Lens surgery, level 3: the fund 5,000, the patient 7,500 - 5,000 = 2,500, at most 2,000; elsewhere 4,000 and 1,500."""
    paid = settled("beijing/2024+examples/single-disease", drg="CB59", total_cost=7500.0, hospital_level=[3, 2])
    assert amounts(paid) == ["7000.00", "5500.00"]
    assert [str(each) for each in paid.table["fund_payment"].to_pylist()] == ["5000.00", "4000.00"]


def test_what_others_paid_above_a_fixed_amount_is_not_paid_back_by_the_patient() -> None:
    """Lens surgery for 3,000, the fund gives 5,000 whatever the bill, others 100: above the amount, which is the hospital's."""
    paid = settled("beijing/2024+examples/single-disease", drg="CB59", total_cost=3000.0, other_paid=100.0, hospital_level=3)
    names = ("amount", "fund_payment", "patient_paid", "other_paid", "above_standard")
    assert [str(paid.table[name][0].as_py()) for name in names] == ["5000.00", "5000.00", "0.00", "100.00", "-100.00"]


def test_primary_care_groups_have_one_price() -> None:
    """Qingyang, employees: 3,399.60 x k of the level (1.4 and 0.7826), and 3,399.60 at both for a primary-care group."""
    case: dict[str, Any] = {"drg": ["BV39", "BV39", "BR23", "BR23"], "relative_weight": 1.0, "total_cost": 3000.0,
                            "insurance": "employee", "hospital_level": [3, 1, 3, 1]}  # fmt: skip
    assert amounts(settled("qingyang/2023", **case)) == ["4759.45", "2660.53", "4759.45", "2660.53"]
    assert amounts(settled("qingyang/2023+examples/primary-care", **case)) == ["3399.60", "3399.60", "4759.45", "2660.53"]


def test_classes_name_groups_by_marks_of_a_scheme() -> None:
    policy = load_policy("qingyang/2023+examples/primary-care")
    entry = policy.file.group_classes["primary_care"]
    assert (len(entry.groups), len(entry.named_groups), len(set(entry.named_groups))) == (0, 31, 31)
    assert {"BR29", "DT1H", "GE29", "IF19"} <= set(entry.named_groups)
    with pytest.raises(PolicyError, match="no mark 'primary_cure'") as error:
        policy.changed({"group_classes.primary_care.marks": ["chs-drg-3.0/primary_cure"]}, "--set")
    assert error.value.problems[0].code == "policy-unknown-mark"


def test_chinese_medicine_is_paid_the_price_of_the_operation() -> None:
    """IS15 is worth 5,228; treated by Chinese medicine 0.7 of IE59, 48,477 x 0.7 = 33,933.90 (a bill above 30 % of 48,477)."""
    paid = settled(
        "beijing/2024+examples/tcm", drg=["IS15", "IS15", "IU25"], total_cost=[5000.0, 15000, 9000], kind=["", "tcm", ""]
    )
    assert amounts(paid) == ["5228.00", "33933.90", "10501.00"]
    assert paid.table["relative_value"].to_pylist() == [0.26, 2.37, 0.51]


def test_in_one_command(tmp_path: Path) -> None:
    out = tmp_path / "settled"
    hospitals = ["--hospitals", str(SAMPLE / "hospitals.csv"), "--output", str(out), "--quiet"]
    run("settle", str(discharges()), "--policy", "beijing/2024", "--include", "examples/psychiatric", *hospitals)
    assert "shadow_margin" in (out / "summary_hospital.csv").read_text(encoding="utf-8")
    shown = run("policy", "show", "beijing/2024+examples/psychiatric").stdout
    assert "includes examples/psychiatric" in " ".join(shown.split())
    assert "Example sections of drgsim, psychiatry" in " ".join(shown.split())


def test_a_new_policy_takes_included_sections_and_their_tables_over(tmp_path: Path) -> None:
    base = load_policy("beijing/2024+examples/single-disease+examples/tcm")
    made = drgsim.policy_new("my-city/2026", base=base, output=tmp_path / "my-city" / "2026").policies[0]
    assert made.file.include == ()
    assert made.single_diseases == base.single_diseases
    assert set(made.file.group_classes) == set(base.file.group_classes)


def test_settle_includes_from_python() -> None:
    case = {"drg": "TR15", "total_cost": 9000.0, "los_days": 40}
    paid = drgsim.settle([case], "beijing/2024", include="examples/psychiatric", changes={"per_diem.rate.*": "*2"})
    assert paid.cases["amount"].to_pylist() == [Decimal("20000.00")]
    assert list(paid.record["include"]) == ["examples/psychiatric"]

"""Differences between two schemes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import openpyxl
import pytest
from rich.cells import cell_len

from drgsim.assets import asset_root
from drgsim.report.scheme_diff_page import difference_page
from drgsim.units.schemes.pack import load_scheme
from drgsim.units.schemes.scheme_differences import SchemeDifference, compare_schemes
from tests.commands import run


@pytest.fixture(scope="module")
def versions() -> SchemeDifference:
    return compare_schemes(load_scheme("chs-drg-1.1"), load_scheme("chs-drg-2.0"))


def test_national_versions(versions: SchemeDifference) -> None:
    summary = versions.summary()
    assert summary["adrg_added"] - summary["adrg_removed"] == (409 + 20) - 376
    assert summary["drg_added"] - summary["drg_removed"] == (634 + 20) - 628
    newborn = next(row for row in versions.rows if row.code == "MDCP")
    assert newborn.aspects == ("rule",)
    assert (newborn.rule_before, newborn.codes_added > 0) == ("ZYZD in DI_P00 and NL = 0", True)


def test_a_small_change_shows_as_itself(tmp_path: Path) -> None:
    pack = Path(shutil.copytree(asset_root("groupers") / "tongchuan-2025", tmp_path / "tongchuan-2025"))
    (pack / "cc.csv").write_text("code,level,exclusion,change\nA01.200,CC,1,-\nA01.200,MCC,1,+\n", encoding="utf-8")
    toml = (pack / "scheme.toml").read_text(encoding="utf-8")
    (pack / "scheme.toml").write_text(toml.replace("cc_changes = 0", "cc_changes = 2"), encoding="utf-8")
    found = compare_schemes(load_scheme("tongchuan-2025"), load_scheme(pack))
    assert (found.rows, found.moves) == ((), ())
    assert [(change.code, change.before, change.after) for change in found.severities] == [("A01.200", "CC", "MCC")]


def test_set_names_alone_are_no_difference() -> None:
    """Two packs call the same lists by other names where the lists are the same: only content counts."""
    scheme = load_scheme("chs-drg-2.0")
    assert compare_schemes(scheme, load_scheme("tongchuan-2025")).is_empty


@pytest.fixture(scope="module")
def switch() -> SchemeDifference:
    return compare_schemes(load_scheme("chs-drg-2.0"), load_scheme("chs-drg-3.0"))


def test_adrgs_of_3_0_are_told_by_their_codes(switch: SchemeDifference) -> None:
    """Checked against the lists: AD1 胰腺移植 is AC3 now, FL4 has the codes of FL5, BE2 went into BE2 and BE3."""
    lines = {line.before: line for line in switch.successions if line.before}
    assert {code: (lines[code].relation, lines[code].after) for code in ("AD1", "AF1", "FL4", "TT2")} == {
        "AD1": ("renamed", ("AC3",)), "AF1": ("renamed", ("AA2",)), "FL4": ("renamed", ("FL5",)), "TT2": ("renamed", ("TT3",)),
    }  # fmt: skip
    assert (lines["BE2"].relation, lines["BE2"].after[:2], lines["BE2"].shared[:2]) == ("split", ("BE2", "BE3"), (30, 45))
    assert (lines["YR2"].relation, lines["YR2"].after) == ("gone", ())
    new = {line.after[0] for line in switch.successions if line.relation == "new"}
    assert {"BN1", "EN1", "FQ1", "IN1"} <= new  # early rehabilitation
    assert not new & {code for line in lines.values() for code in line.after}
    assert switch.summary()["adrg_new"] == len(new)


def test_levels_and_subdivisions_add_up(switch: SchemeDifference) -> None:
    before, after = load_scheme("chs-drg-2.0"), load_scheme("chs-drg-3.0")
    levels = switch.level_changes()
    assert sum(levels.values()) == switch.summary()["severity_changed"]
    for level, was, now in (("MCC", 4477, 1581), ("CC", 8009, 6337)):
        assert sum(entry.level == level for entry in before.severities.values()) == was
        lost = sum(n for (first, _), n in levels.items() if first == level)
        gained = sum(n for (_, then), n in levels.items() if then == level)
        assert was - lost + gained == now
    found = {line.adrg: line for line in switch.subdivisions}
    assert found["BR1"].after == tuple(drg.code for drg in after.adrgs["BR1"].drgs)
    assert set(found) < set(before.adrgs) & set(after.adrgs)


def test_what_stays_has_no_succession(switch: SchemeDifference) -> None:
    scheme = load_scheme("chs-drg-2.0")
    same = compare_schemes(scheme, scheme)
    assert (same.successions, same.subdivisions, same.level_changes()) == ((), (), {})
    assert not any(line.relation in ("renamed", "merged") and line.before in line.after for line in switch.successions)


def test_the_command_writes_everything_and_fits_80_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.commands._CONSOLE", {"COLUMNS": "80", "PYTHONIOENCODING": "utf-8"})
    shown = run("schemes", "diff", "chs-drg-2.0", "chs-drg-3.0", "-o", "diff.xlsx", "--html", "diff.html", cwd=tmp_path).stdout
    assert "ADRG renamed" in shown
    assert max(cell_len(line) for line in shown.splitlines()) <= 80
    book = openpyxl.load_workbook(tmp_path / "diff.xlsx", read_only=True)
    assert {"About", "Rows", "Successions", "Subdivisions", "Codes that move", "CC and MCC", "Levels"} <= set(book.sheetnames)
    assert "ADRGs divided into other DRGs" in (tmp_path / "diff.html").read_text(encoding="utf-8")


def test_json_and_page(versions: SchemeDifference) -> None:
    values = json.loads(json.dumps(versions.as_dict(), ensure_ascii=False))
    assert values["summary"]["mdc_changed"] == 24
    assert len(values["moves"]) == values["summary"]["diagnosis_moved"] + values["summary"]["procedure_moved"]
    page = difference_page(versions)
    assert "chs-drg-1.1 → chs-drg-2.0" in page
    assert "http" not in page.replace("http-equiv", "")

"""Differences between two schemes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from drgsim.assets import asset_root
from drgsim.report.scheme_diff_page import difference_page
from drgsim.units.schemes.pack import load_scheme
from drgsim.units.schemes.scheme_differences import SchemeDifference, compare_schemes


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
    pack = Path(shutil.copytree(asset_root("groupers") / "liaocheng-2025", tmp_path / "liaocheng-2025"))
    (pack / "cc.csv").write_text("code,level,exclusion,change\nA01.200,CC,1,-\nA01.200,MCC,1,+\n", encoding="utf-8")
    toml = (pack / "scheme.toml").read_text(encoding="utf-8")
    (pack / "scheme.toml").write_text(toml.replace("cc_changes = 0", "cc_changes = 2"), encoding="utf-8")
    found = compare_schemes(load_scheme("liaocheng-2025"), load_scheme(pack))
    assert (found.rows, found.moves) == ((), ())
    assert [(change.code, change.before, change.after) for change in found.severities] == [("A01.200", "CC", "MCC")]


def test_set_names_alone_are_no_difference() -> None:
    """Two packs call the same lists by other names where the lists are the same: only content counts."""
    scheme = load_scheme("chs-drg-2.0")
    assert compare_schemes(scheme, load_scheme("liaocheng-2025")).is_empty


def test_json_and_page(versions: SchemeDifference) -> None:
    values = json.loads(json.dumps(versions.as_dict(), ensure_ascii=False))
    assert values["summary"]["mdc_changed"] == 24
    assert len(values["moves"]) == values["summary"]["diagnosis_moved"] + values["summary"]["procedure_moved"]
    page = difference_page(versions)
    assert "chs-drg-1.1 → chs-drg-2.0" in page
    assert "http" not in page.replace("http-equiv", "")

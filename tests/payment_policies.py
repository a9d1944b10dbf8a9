"""Small policies and tables for the tests of settling."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from drgsim.assets import asset_root
from drgsim.payment.policy import POLICY_FILE, load_policy, policy_names
from drgsim.payment.settlement import Settlement, settle

MADE = "# made by tools/make_region_policies.py"  # the first lines of policies that a tool writes from restated facts
MADE_POLICIES = [
    name for name in policy_names() if MADE in (asset_root("payment_tables") / name / POLICY_FILE).read_text("utf-8")[:400]
]
WRITTEN_POLICIES = [name for name in policy_names() if name not in MADE_POLICIES]
SAID = {"source": "test", "evidence": "assumption"}


def value(number: Any, unit: str = "unit", **more: Any) -> dict[str, Any]:
    """A parameter with one value."""
    return {"value": number, "unit": unit, **SAID, **more}


def keyed(values: dict[str, float], unit: str = "unit", **more: Any) -> dict[str, Any]:
    """A parameter with values by key."""
    return {"values": values, "unit": unit, **SAID, **more}


def policy_with(tmp_path: Path, extra: dict[str, Any] | None = None, tables: dict[str, str] | None = None) -> Path:
    """A rate policy of 30 000 yuan from 2024 on with more sections and tables."""
    folder = tmp_path / "test" / "2024"
    folder.mkdir(parents=True, exist_ok=True)
    policy = {
        "id": "test/2024", "title": "test", "title_zh": "测试", "region_zh": "测试", "year": "2024", "method": "rate",
        "effective_from": "2024-01-01", "verified": "2024-01-01", "sources": {"test": {"title": "made up for a test"}},
        "relative_value": {"unit": "weight", "scale": value(1)},
        "unit_value": keyed({"*": 30000}, "yuan"),
        "coefficient": {"default": {"value": 1, "unit": "ratio", "source": "test", "evidence": "derived"}},
        "curves": {"main": {"unit": "ratio", **SAID, "pieces": [
            {"case_class": "normal", "upto": 2, "closed": True, "pays": "k"}, {"case_class": "high", "pays": "k*(1+r-2)"},
        ]}},
        "patient_share": {"mode": value("remainder"), "floor_at_zero": value(True)},
        **(extra or {}),
    }  # fmt: skip
    (folder / "policy.yaml").write_text(yaml.safe_dump(policy, allow_unicode=True), encoding="utf-8")
    for name, text in (tables or {}).items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def table_of(**columns: Any) -> pa.Table:
    """A table; single values stand for every row."""
    size = max((len(entry) for entry in columns.values() if isinstance(entry, list)), default=1)
    return pa.table({name: entry if isinstance(entry, list) else [entry] * size for name, entry in columns.items()})


def settled(policy: str | Path, hospitals: Any = None, options: dict[str, Any] | None = None, **columns: Any) -> Settlement:
    """Settle columns under a policy; ``options`` go to :func:`settle`."""
    return settle(table_of(**columns), load_policy(policy), hospitals=hospitals, **(options or {}))


def codes_of(settlement: Settlement) -> dict[str, str]:
    """Code -> words of the problems of a settlement."""
    return {problem.code: problem.what for problem in settlement.problems}


def amounts(settlement: Settlement) -> list[str]:
    """Amounts as written in files."""
    return [str(amount) for amount in settlement.table["amount"].to_pylist()]

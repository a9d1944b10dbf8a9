"""What the sample region gives and is kept: results of shipped scenarios, and figures within the documents.

``python -m tools.keep_results`` writes them, and tests compare. A document marks a kept figure, within a line or around a
table: ``<!-- kept: NAME -->`` before and ``<!-- end -->`` after it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import yaml

import drgsim
from drgsim.budgets.calibration import Calibration, calibrate, load_settings
from drgsim.budgets.hospital_figures import HospitalFigures
from drgsim.budgets.region_preparation import prepare
from drgsim.budgets.terms import load_terms
from drgsim.payment.policy import load_policy
from drgsim.simulation.decompose import decompose, total
from drgsim.simulation.headlines import headline_names, headlines
from drgsim.simulation.scenario import load_scenario, scenario_names
from drgsim.simulation.study import plan_of, run_plan
from drgsim.units.dip.dip_catalogue import CORE_TYPES
from tests.conftest import ROOT
from tests.sample_region import SAMPLE, YEAR, YEARS, discharges
from tests.simulating import region, runner
from tools.measure_quality import measure

SCENARIOS = ROOT / "tests" / "cases" / "scenarios"
CALIBRATION = ROOT / "payment_tables" / "beijing" / "calibration.yaml"
FIGURES = ("surplus_before", "growth_before", "surplus_after", "growth_after")


# -- files -----------------------------------------------------------------------------------------------------------------
def scenario_result(name: str) -> dict[str, Any]:
    """What a shipped scenario gives on the sample region, as plain values."""
    result = run_plan(plan_of([load_scenario(name)], None, region()), runner(), YEAR, {})
    sides = {"baseline": result.baseline, "static": result.static, "scenario": result.outcome}
    effects = total(decompose(result.baseline, result.outcome))
    entry: dict[str, Any] = {"name": name, "region": region().folder.name, "year": YEAR}
    for side, outcome in sides.items():
        if outcome is None:
            continue
        figures = headlines(outcome, region())
        entry[side] = {
            key: _plain(figures[key], spec["unit"]) for key, spec in headline_names().items() if figures[key] == figures[key]
        }
    entry["decomposition"] = {key: f"{amount / 100:.2f}" for key, amount in effects.items() if amount}
    margins = [
        outcome.by_hospital("payment") + outcome.adjusted - outcome.by_hospital("cost")
        for outcome in (result.baseline, result.outcome)
    ]
    change = zip(result.outcome.hospitals, (margins[1] - margins[0]).tolist(), strict=True)
    entry["margin_change"] = {hospital: f"{amount / 100:.2f}" for hospital, amount in change if hospital}
    return entry


def _plain(value: float, unit: str) -> Any:
    return f"{value:.2f}" if unit == "yuan" else round(value, 12)


def kept_files() -> dict[Path, Callable[[], dict[str, Any]]]:
    """Every kept file with what makes its content."""
    return {SCENARIOS / f"{name}.yaml": lambda name=name: scenario_result(name) for name in scenario_names()}


def file_text(content: dict[str, Any]) -> str:
    """A kept file as it is written."""
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


# -- documents -------------------------------------------------------------------------------------------------------------
def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")


def quality_found() -> str:
    """Records of the sample that were broken on purpose, and how many the quality rules find."""
    kinds, _ = measure([str(discharges(year)) for year in YEARS])
    lines = [f"| `{kind}` | {records:,} | {found:,} |" for kind, (records, found) in kinds.items()]
    return "\n".join(["", "| broken on purpose | records | found |", "|---|---|---|", *lines, ""])


def sample_size() -> str:
    """Discharges of the sample, and those that were broken on purpose."""
    truth = pd.concat([pd.read_parquet(discharges(year), columns=["truth"]) for year in YEARS]).truth
    return f"{len(truth):,} discharges, {truth.str.contains('dirty:').sum():,} of them broken on purpose"


def procedures_elsewhere() -> str:
    """Share of the sample whose principal procedure belongs to other MDCs under CHS-DRG 1.1."""
    report = drgsim.validate([discharges(year) for year in YEARS], scheme="chs-drg-1.1", only=["procedure_in_other_mdcs"])
    named = sum(report.to_pandas("rules").records)
    return _percent(named / report.record["records"])


def taian_kinds() -> str:
    """Shares of kinds that the last year of the sample finds in the catalogue of Tai'an."""
    kind = drgsim.group(discharges(), "dip-taian-2025").to_pandas().kind
    shares = [(kind == name).mean() for name in ("core_national", "core_local", "comprehensive")]
    national, local, comprehensive, none = map(_percent, (*shares, 1 - sum(shares)))
    return (
        f"{len(kind):,} discharges of {YEAR}, made without regard to Tai'an: {national} find a national core kind,\n"
        f"{local} a local one, {comprehensive} a comprehensive one and {none} none"
    )


def national_kinds() -> str:
    """Shares of kinds that the last year of the sample finds in the national catalogue 3.0."""
    kind = drgsim.group(discharges(), "dip-3.0").to_pandas().kind
    core, primary, rest = kind.isin(CORE_TYPES).mean(), (kind == "primary").mean(), (kind == "comprehensive").mean()
    return (
        f"{len(kind):,} discharges of {YEAR}: {_percent(core)} find a core kind ({_percent(primary)} of all as primary-care\n"
        f"cases), {_percent(rest)} a comprehensive one and {_percent(1 - core - rest)} none"
    )


def national_scores() -> str:
    """How much of the sample the national kinds cover that have enough cases in it."""
    with TemporaryDirectory() as folder:
        built = drgsim.dip_score([discharges(year) for year in YEARS], Path(folder) / "own").built
    assert built is not None
    return (
        f"the threshold of 15 cases a year leaves {int(built.structure.core.sum())} core kinds,\n"
        f"which cover {_percent(built.coverage)} of {built.history.size:,} discharges"
    )


def supervised() -> str:
    """Listed and planted cases of the sample under a catalogue that was built from it."""
    files = [discharges(year) for year in YEARS]
    with TemporaryDirectory() as folder:
        drgsim.dip_build(files, Path(folder) / "own")
        lists = drgsim.dip_supervise(files, Path(folder) / "own").to_pandas("cases")
    truth = pd.concat([pd.read_parquet(path, columns=["discharge_id", "truth"]) for path in files])
    found = {}
    for name, planted in (("repeat", "split"), ("low_standard", "low_standard")):
        listed = set(lists.discharge_id[lists["list"] == name])
        found[name] = (len(listed & set(truth.discharge_id[truth.truth.str.contains(planted)])), len(listed))
    repeat, low = found["repeat"], found["low_standard"]
    return f"{repeat[0]} of {repeat[1]} repeat admissions are planted splits and {low[0]} of {low[1]} low-standard ones planted"


@cache
def _panel_figures() -> HospitalFigures:
    return prepare(SAMPLE, load_policy("national/2.0"), load_terms("general")).figures


def calibrated(changes: dict[str, Any]) -> Calibration:
    """The shipped calibration on the sample with values of its file changed: by path, a number is added, a word replaces."""
    raw = yaml.safe_load(CALIBRATION.read_text(encoding="utf-8"))
    for path, change in changes.items():
        *above, last = path.split("/")
        node = raw
        for part in above:
            node = node[int(part) if isinstance(node, list) else part]
        node[last] = round(node[last] + change, 6) if isinstance(change, float) else change
    with TemporaryDirectory() as folder:
        path = Path(folder) / "calibration.yaml"
        path.write_text(yaml.safe_dump(raw, allow_unicode=True), encoding="utf-8")
        return calibrate(_panel_figures(), *load_settings(path))


PANELS: dict[str, dict[str, Any]] = {
    "as shipped": {},
    "needed growth + 1 point": {"behaviour/need_growth/value": 0.01},
    "induced growth + 3 points": {"behaviour/induced_growth/value": 0.03},
    "luck 2 points less": {"behaviour/spread/value": -0.02},
    "planned budgets before + 1 point": {"regimes/0/planned_growth/value": 0.01},
    "planned budgets after + 1 point": {"regimes/1/planned_growth/value": 0.01},
    "`example-shared` as it is in the general terms": {"regimes/1/changes": {"sharing.use": "example-shared"}},
    "item-based sharing after 2013 as well": {"regimes/1/changes/sharing.use": "by-item"},
}


def panels() -> str:
    """The published figures of the calibration, as shipped and with one assumption changed at a time."""
    results = {name: calibrated(changes).results for name, changes in PANELS.items()}
    published = {name: value for name, (value, _) in results["as shipped"].items()}
    rows = [f"| published | {' | '.join(f'{100 * published[name]:.0f}' for name in FIGURES)} |"]
    rows += [
        f"| {title} | {' | '.join(f'{100 * found[name][1]:.1f}' for name in FIGURES)} |" for title, found in results.items()
    ]
    head = "| sample region, % | in surplus before | growth before | in surplus after | growth after |"
    return "\n".join(["", head, "|---|---|---|---|---|", *rows, ""])


BLOCKS: dict[str, dict[str, Callable[[], str]]] = {
    "docs/validate.md": {
        "sample size": sample_size, "broken on purpose": quality_found, "procedures elsewhere": procedures_elsewhere,
    },
    "docs/dip.md": {"Tai'an's kinds": taian_kinds, "the national kinds": national_kinds},
    "docs/dip-build.md": {"supervision": supervised, "national scores": national_scores},
    "docs/budget.md": {"calibration": panels},
}  # fmt: skip


def blocks_of(text: str) -> dict[str, str]:
    """Marked parts of a document by name."""
    return dict(re.findall(r"<!-- kept: (.*?) -->(.*?)<!-- end -->", text, re.S))


def with_block(text: str, name: str, content: str) -> str:
    """The document with a marked part written anew."""
    mark = f"<!-- kept: {name} -->"
    before, _, rest = text.partition(mark)
    return f"{before}{mark}{content}<!-- end -->{rest.partition('<!-- end -->')[2]}"

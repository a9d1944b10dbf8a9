"""What the sample region gives and is kept: results of shipped scenarios, and figures within the documents.

``python -m tools.keep_results`` writes them, and tests compare. A document marks a kept figure, within a line or around a
table: ``<!-- kept: NAME -->`` before and ``<!-- end -->`` after it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
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
SUFFIXES = {"en": ".md", "zh": ".zh.md"}
InBoth = dict[str, str]  # what a document says, by language
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


@cache
def quality_found() -> InBoth:
    """Records of the sample that were broken on purpose, and how many the quality rules find."""
    kinds, _ = measure([str(discharges(year)) for year in YEARS])
    lines = [f"| `{kind}` | {records:,} | {found:,} |" for kind, (records, found) in kinds.items()]
    heads = {"en": "| broken on purpose | records | found |", "zh": "| 故意弄坏的内容 | 病案数 | 找到 |"}
    return {language: "\n".join(["", head, "|---|---|---|", *lines, ""]) for language, head in heads.items()}


@cache
def sample_size() -> InBoth:
    """Discharges of the sample, and those that were broken on purpose."""
    truth = pd.concat([pd.read_parquet(discharges(year), columns=["truth"]) for year in YEARS]).truth
    broken = truth.str.contains("dirty:").sum()
    return {
        "en": f"{len(truth):,} discharges, {broken:,} of them broken on purpose",
        "zh": f"{len(truth):,} 份出院病案，其中 {broken:,} 份被故意弄坏",
    }


@cache
def procedures_elsewhere() -> InBoth:
    """Share of the sample whose principal procedure belongs to other MDCs under CHS-DRG 1.1."""
    report = drgsim.validate([discharges(year) for year in YEARS], scheme="chs-drg-1.1", only=["procedure_in_other_mdcs"])
    named = sum(report.to_pandas("rules").records)
    return dict.fromkeys(SUFFIXES, _percent(named / report.record["records"]))


@cache
def taian_kinds() -> InBoth:
    """Shares of kinds that the last year of the sample finds in the catalogue of Tai'an."""
    kind = drgsim.group(discharges(), "dip-taian-2025").to_pandas().kind
    shares = [(kind == name).mean() for name in ("core_national", "core_local", "comprehensive")]
    national, local, comprehensive, none = map(_percent, (*shares, 1 - sum(shares)))
    return {
        "en": f"{len(kind):,} discharges of {YEAR}, made without regard to Tai'an: {national} find a national core kind,\n"
        f"{local} a local one, {comprehensive} a comprehensive one and {none} none",
        "zh": f"{YEAR} 年的 {len(kind):,} 份出院病案（生成时没有考虑泰安的目录）：{national} 找到国家核心病种，"
        f"{local} 找到本地核心病种，{comprehensive} 找到综合病种，{none} 没有病种",
    }


@cache
def national_kinds() -> InBoth:
    """Shares of kinds that the last year of the sample finds in the national catalogue 3.0."""
    kind = drgsim.group(discharges(), "dip-3.0").to_pandas().kind
    shares = kind.isin(CORE_TYPES).mean(), (kind == "primary").mean(), (kind == "comprehensive").mean()
    core, primary, rest, none = map(_percent, (*shares, 1 - shares[0] - shares[2]))
    return {
        "en": f"{len(kind):,} discharges of {YEAR}: {core} find a core kind ({primary} of all as primary-care\n"
        f"cases), {rest} a comprehensive one and {none} none",
        "zh": f"{YEAR} 年的 {len(kind):,} 份出院病案：{core} 找到核心病种（占全部 {primary} 的属基层病种），"
        f"{rest} 找到综合病种，{none} 没有病种",
    }


@cache
def national_scores() -> InBoth:
    """How much of the sample the national kinds cover that have enough cases in it."""
    with TemporaryDirectory() as folder:
        built = drgsim.dip_score([discharges(year) for year in YEARS], Path(folder) / "own").built
    assert built is not None
    core, covered, discharged = int(built.structure.core.sum()), _percent(built.coverage), f"{built.history.size:,}"
    return {
        "en": f"the threshold of 15 cases a year leaves {core} core kinds,\nwhich cover {covered} of {discharged} discharges",
        "zh": f"按每年 15 例的标准，剩下 {core} 个核心病种，覆盖 {discharged} 份出院病案的 {covered}",
    }


@cache
def supervised() -> InBoth:
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
    (split, repeat), (planted, low) = found["repeat"], found["low_standard"]
    return {
        "en": f"{split} of {repeat} repeat admissions are planted splits and {planted} of {low} low-standard ones planted",
        "zh": f"再入院名单 {repeat} 例中有 {split} 例是预设的分解住院，低标准入院名单 {low} 例中有 {planted} 例是预设的",
    }


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


@dataclass(frozen=True)
class Panel:
    """A run of the calibration: what it is called in Chinese, and which values of the file change."""

    zh: str
    changes: dict[str, Any] = field(default_factory=dict)


PANELS = {
    "as shipped": Panel("自带设置"),
    "needed growth + 1 point": Panel("合理增长 + 1 个百分点", {"behaviour/need_growth/value": 0.01}),
    "induced growth + 3 points": Panel("诱导增长 + 3 个百分点", {"behaviour/induced_growth/value": 0.03}),
    "luck 2 points less": Panel("偶然波动 − 2 个百分点", {"behaviour/spread/value": -0.02}),
    "planned budgets before + 1 point": Panel("改革前计划预算 + 1 个百分点", {"regimes/0/planned_growth/value": 0.01}),
    "planned budgets after + 1 point": Panel("改革后计划预算 + 1 个百分点", {"regimes/1/planned_growth/value": 0.01}),
    "`example-shared` as it is in the general terms": Panel(
        "通用条款中的 `example-shared`", {"regimes/1/changes": {"sharing.use": "example-shared"}}
    ),
    "item-based sharing after 2013 as well": Panel(
        "2013 年以后也用按项目付费的分担", {"regimes/1/changes/sharing.use": "by-item"}
    ),
}
PUBLISHED = {"en": "published", "zh": "公布"}
PANEL_HEADS = {
    "en": "| sample region, % | in surplus before | growth before | in surplus after | growth after |",
    "zh": "| 样本地区，% | 改革前结余占比 | 改革前增长 | 改革后结余占比 | 改革后增长 |",
}


@cache
def panels() -> InBoth:
    """The published figures of the calibration, as shipped and with one assumption changed at a time."""
    results = {name: calibrated(panel.changes).results for name, panel in PANELS.items()}
    published = {name: value for name, (value, _) in results["as shipped"].items()}
    said = {}
    for language, head in PANEL_HEADS.items():
        titles = {name: name if language == "en" else panel.zh for name, panel in PANELS.items()}
        rows = [(PUBLISHED[language], [f"{100 * published[name]:.0f}" for name in FIGURES])]
        rows += [(titles[title], [f"{100 * found[name][1]:.1f}" for name in FIGURES]) for title, found in results.items()]
        lines = [f"| {title} | {' | '.join(figures)} |" for title, figures in rows]
        said[language] = "\n".join(["", head, "|---|---|---|---|---|", *lines, ""])
    return said


PARTS: dict[str, dict[str, Callable[[], InBoth]]] = {
    "docs/validate": {
        "sample size": sample_size, "broken on purpose": quality_found, "procedures elsewhere": procedures_elsewhere,
    },
    "docs/dip": {"Tai'an's kinds": taian_kinds, "the national kinds": national_kinds},
    "docs/dip-build": {"supervision": supervised, "national scores": national_scores},
    "docs/budget": {"calibration": panels},
}  # fmt: skip


def _said(make: Callable[[], InBoth], language: str) -> str:
    return make()[language]


BLOCKS: dict[str, dict[str, Callable[[], str]]] = {
    f"{page}{suffix}": {name: partial(_said, make, language) for name, make in parts.items()}
    for page, parts in PARTS.items()
    for language, suffix in SUFFIXES.items()
}


def blocks_of(text: str) -> dict[str, str]:
    """Marked parts of a document by name."""
    return dict(re.findall(r"<!-- kept: (.*?) -->(.*?)<!-- end -->", text, re.S))


def with_block(text: str, name: str, content: str) -> str:
    """The document with a marked part written anew."""
    mark = f"<!-- kept: {name} -->"
    before, _, rest = text.partition(mark)
    return f"{before}{mark}{content}<!-- end -->{rest.partition('<!-- end -->')[2]}"

"""Write the policies of regions, their golden cases and docs/regions.md from restated facts: one command, byte for byte again.

    python -m tools.make_region_policies FACTS

FACTS is a folder with ``regions/`` (regions.csv, curves.csv, goldens.csv, odd.csv) and the published tables of groups beside
it. What the facts do not say in a form that a program reads stands in ``tools/region_policies.yaml``. Written are policies of
the folders ``payment_tables/<region>/<year>`` that begin with :data:`MARK` (no other is touched), the cases in
``tests/cases/payment/regions.csv`` and the table of all of them in ``docs/regions.md`` and ``docs/regions.zh.md``.
"""

from __future__ import annotations

import csv
import io
import re
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from unicodedata import normalize

import yaml

from drgsim.records.vocabulary import policy_key
from tools.region_curves import Curve, compiled, plain_pieces
from tools.region_document import document
from tools.region_tables import group_table

ROOT = Path(__file__).parents[1]
MARK = "# made by tools/make_region_policies.py: change that, or tools/region_policies.yaml"
SOURCE = "web-grouper-2026"
GENERAL = "rulebook-g"
SOURCES = {
    SOURCE: {
        "title": "Settlement rules of 147 regions, June 2026, restated",
        "read_in": "public OpenDRG web grouper of 2026-06-20, its reading of the city document; not checked against that",
    },
    GENERAL: {"title": "General knowledge, unverified", "read_in": "tagged G in the rule book: a default to be replaced"},
    "rulebook-1.6": {
        "title": "Fund payment per case, rule book section 1.6",
        "read_in": "DIP 3.0 draft of 2026 and a local programme; the form, not the local text",
    },
    "rulebook-2.2": {
        "title": "Point value and clearing, rule book section 2.2",
        "read_in": "points rule of Zhejiang, 2019; the form, not the local text",
    },
}
TABLE_SOURCE = {
    "title": "Published local payment table, restated",
    "read_in": "restated from the table that the region published; not checked against the original",
}
PAYERS = {"职工": "employee", "居民": "resident"}
TITLES = {
    "基础病组": "basic groups", "基础组": "basic groups", "基层病组": "primary-care groups", "基层组": "primary-care groups",
    "不稳定病组": "unstable groups", "非稳定病组": "unstable groups", "不稳定组": "unstable groups",
    "无权重组": "groups without a weight",
    "无历史数据": "groups without history", "中医优势病组": "groups where Chinese medicine has the advantage",
    "同等费率": "groups of one rate", "基础型基层病组": "basic primary-care groups",
    "倾斜型基层病组": "favoured primary-care groups",
    "重症病组": "severe groups", "普通病组": "common groups", "基础病组A": "basic groups A", "基础病组B": "basic groups B",
    "分级诊疗": "groups of tiered care", "分级诊疗组": "groups of tiered care", "付费激励": "groups with an incentive",
    "长期病组（按床日）": "long-stay groups, by day", "无级差组": "groups without levels",
    "三级无级差组": "groups without levels at level 3",
    "基础病组标识": "basic groups", "暂按项目付费": "groups outside the payment by groups",
}  # fmt: skip


@dataclass
class Region:
    """A region of the facts with what the decisions say of it."""

    key: str
    facts: Mapping[str, str]
    rows: list[dict[str, str]]
    odd: list[str]
    spec: Mapping[str, Any]
    folder: str = ""
    notes: list[str] = field(default_factory=list)

    @cached_property
    def year(self) -> str:
        """Year that the region or its list of groups states."""
        return self.facts["year"] or self.facts["year_of_list"] or "undated"

    @cached_property
    def name(self) -> str:
        """English name."""
        return str(self.spec.get("name", re.sub(r"-\d{4}.*", "", self.key).capitalize()))

    @cached_property
    def zh(self) -> str:
        """Chinese name."""
        return str(self.spec.get("zh", re.sub(r"\d+$", "", self.facts["region_zh"]) + "市"))

    @property
    def id(self) -> str:
        """Name of the policy."""
        return self.folder

    def level(self, word: str) -> str:
        """Key of a level of the source: city classes as letters or words, hospital levels as numbers."""
        if word in self.spec.get("levels", {}):
            return str(self.spec["levels"][word])
        plain = normalize("NFKC", word)
        letter = re.fullmatch(r"([A-Z][0-9]?|[IV]+)(类|级|档|层级)?", plain)
        return letter[1] if letter else policy_key(plain)

    def keys(self, words: str) -> list[str]:
        """Keys of an entry such as 三级/职工, 居民, A/B or *."""
        *levels, last = words.split("/")
        if last in PAYERS:
            return [f"{self.level(levels[0])}/{PAYERS[last]}"] if levels else [PAYERS[last]]
        return [self.level(word) if word != "*" else "*" for word in (*levels, last)]

    def numbers(self, text: str) -> dict[str, float]:
        """Key -> number of an entry list such as ``一级=0.8; 二级=1``."""
        without = self.spec.get("without", ())
        entries = [entry.split("=") for entry in text.split("; ") if entry]
        return {
            key: _number(value) for words, value in entries if words.split("/")[0] not in without for key in self.keys(words)
        }

    def own(self, values: Mapping[str, float]) -> dict[str, float]:
        """Values of the decisions by the words of the source."""
        return {key: value for words, value in values.items() for key in self.keys(str(words))}

    @cached_property
    def unit_values(self) -> dict[str, float]:
        """Yuan per unit by level and payer."""
        return self.own(self.spec["values"]) if "values" in self.spec else self.numbers(self.facts["unit_values"])

    @cached_property
    def level_coefficients(self) -> dict[str, float]:
        """Coefficients by level that the rule applies."""
        if "k_by" in self.spec:
            return self.own(self.spec["k_by"])
        rule = self.facts["coefficient_rule"]
        unused = rule.startswith("none") or "not applied" in rule
        return {} if unused else self.numbers(self.facts["coefficients"])


def _number(text: str) -> float:
    value = float(text)
    return int(value) if value == int(value) else value


def said(value: Any, unit: str, **more: Any) -> dict[str, Any]:
    """A parameter as the source gives it."""
    name = "values" if isinstance(value, dict) else "value"
    return {name: value, "unit": unit, "source": SOURCE, "evidence": "secondary", **more}


def assumed(value: Any, unit: str, note: str = "", source: str = GENERAL) -> dict[str, Any]:
    """A parameter without a source."""
    name = "values" if isinstance(value, dict) else "value"
    return {name: value, "unit": unit, "source": source, "evidence": "assumption", **({"note": note} if note else {})}


# -- a policy ----------------------------------------------------------------------------------------------------------
def policy_of(region: Region, facts: Path) -> tuple[dict[str, Any], str | None]:
    """What the policy file of a region holds, and its table of groups."""
    spec, points = region.spec, region.facts["method"] == "points" or region.spec.get("price") == "mean"
    scale = int(region.facts["points_per_weight"] or 1)
    unit = spec.get("unit", "point" if points and not spec.get("scale_one") else "weight")
    money = {"point": "yuan per point", "score": "yuan per score", "weight": "yuan per weight"}[unit]
    if spec.get("price") == "mean":
        money = "factor on the mean cost of the group"
    table, columns = group_table(region, facts)
    relative: dict[str, Any] = {
        "unit": "point" if unit == "score" else unit,
        "scale": said(scale, "weight" if unit == "weight" else f"{unit}s per 1 = the mean case"),
    }
    if table is not None:
        relative["table"] = {"file": "weights.csv", "unit": "weight", "source": "published-table", "evidence": "secondary"}
        relative |= {f"{name}_from_table": True for name in ("standard", "coefficient") if name in columns}
    sources = {**SOURCES, **({"published-table": TABLE_SOURCE} if table is not None else {})}
    stays = {f"{name}_days": said(spec[f"{name}_days"], "days") for name in ("long", "short") if f"{name}_days" in spec}
    file: dict[str, Any] = {
        **_head(region), "sources": sources, "notes": _notes(region, table is not None),
        "relative_value": relative, "unit_value": said(region.unit_values, money) if region.unit_values else {},
        "reference": _reference(region),
        "coefficient": _coefficient(region, columns), "curves": _curves(region), "group_classes": _classes(region, money),
        "ambiguous": _without_group(region, "QY"), "ungrouped": _without_group(region, "0000"), "stays": stays,
        "courses": [{**entry, "source": SOURCE, "evidence": "secondary"} for entry in spec.get("courses", ())],
    }  # fmt: skip
    if "age" in spec:
        file["age_factors"] = [{**said(spec["age"]["factor"], "factor on the points"), "age_below": spec["age"]["below"]}]
    if "assumed" in spec:
        classes = {level: region.level(str(name)) for level, name in spec["assumed"].items()}
        file["hospital_classes"] = assumed(classes, "class", "for hospitals of which only the level is known")
    share = "the fund pays the amount less the shares of patient and other funds"
    file["patient_share"] = {
        "mode": assumed("remainder", "rule", share, "rulebook-1.6"),
        "floor_at_zero": assumed(True, "flag", source="rulebook-1.6"),
        "net": assumed("hospital_year", "rule", source="rulebook-2.2"),
    }
    return {name: value for name, value in file.items() if value not in ({}, [], None) or name == "effective_from"}, table


def _head(region: Region) -> dict[str, Any]:
    points = region.facts["method"] == "points"
    when = "year not stated" if region.year == "undated" else region.year
    zh = "年份不详" if region.year == "undated" else region.year
    kind, kind_zh = ("DRG points", "DRG点数法") if points else ("DRG payment", "DRG付费")
    return {
        "id": region.id, "title": f"{kind}, {region.name}, {when}, as read in June 2026",
        "title_zh": f"{region.zh}{kind_zh}（{zh}，2026年6月读取）", "region_zh": region.zh,
        "year": region.id.split("/")[1], **_scheme(region),
        "method": "points" if points or region.spec.get("price") == "mean" else "rate",
        "effective_from": None, "verified": "2026-11-27",
    }  # fmt: skip


def _scheme(region: Region) -> dict[str, str]:
    """The pack of the region's list of groups, where that ships: both are read from the same public grouper."""
    pack = region.facts["list"].replace("_", "-")
    return {"scheme": pack} if pack and (ROOT / "groupers" / pack / "scheme.toml").is_file() else {}


def _notes(region: Region, has_table: bool) -> list[str]:
    since = "The year is that of the list of groups or of the region's entry; since when the values hold is not stated."
    notes = [since, *region.notes, *region.spec.get("notes", ())]
    if not has_table:
        notes.append("No table of weights ships: state relative_weight in the cases, or give --weights.")
    if region.facts["group_marks"] and not has_table:
        notes.append("Which groups carry a mark was not found: name them in groups, or state the mark as kind (病种类型).")
    return [*notes, *(f"In the source: {text}" for text in region.odd)]


def _reference(region: Region) -> dict[str, Any]:
    standard = region.facts["comparison_standard"]
    if region.spec.get("price") == "mean":
        return {"mean_from_table": True, "sets_price": said(True, "flag")}
    if "reference" in region.spec:
        return {"mean_cost": said({"*": region.spec["reference"]}, "yuan per score")}
    if standard.startswith("A*w") and not region.facts["mean_cost_A"]:
        note = "A is not stated; the mean cost of group and level among the cases stands in for A*w"
        return {"from_cases": assumed(True, "flag", note)}
    if standard.startswith("A*w"):
        return {"mean_cost": said({"*": _number(region.facts["mean_cost_A"])}, "yuan, mean cost of all cases")}
    return {}


def _coefficient(region: Region, columns: Iterable[str]) -> dict[str, Any]:
    rule, spec = region.facts["coefficient_rule"], region.spec
    found: dict[str, Any] = {}
    if region.level_coefficients:
        found["by"] = said(region.level_coefficients, "ratio")
    if "hospitals" in spec or "coefficients" in columns:
        found["table"] = {"file": "coefficients.csv", "unit": "ratio", "source": SOURCE, "evidence": "secondary"}
    if region.level_coefficients:
        return found
    if "from the group list" in rule and "where none" not in rule:
        note = "the list of groups gives coefficients; where none is known 1 is taken"
        return {**found, "by_hospital": "by hospital" in rule, "default": assumed(1, "ratio", note)}
    return {**found, "by_hospital": "by hospital" in rule, "default": said(spec.get("default", 1), "ratio", note=rule)}


def _curves(region: Region) -> dict[str, Any]:
    with_k = "*k" in region.facts["comparison_standard"]
    main = compiled(region) if "curve" not in region.spec else plain_pieces(region.spec["curve"])
    more = {name: plain_pieces(entry) for name, entry in region.spec.get("curve_more", {}).items()}
    return {name: _curve(curve, with_k) for name, curve in {"main": main, **more}.items()}


def _curve(curve: Curve, with_k: bool) -> dict[str, Any]:
    bands = {"bands": curve.bands} if curve.bands != [{}] else {}
    head = {"unit": "cost ratio", "source": SOURCE, "evidence": "secondary", "with_coefficient": with_k}
    return {**head, **bands, "pieces": curve.pieces}


def _without_group(region: Region, code: str) -> dict[str, Any]:
    share = region.spec.get("shares", {}).get(code)
    if region.spec.get("standard_without") == code:
        return said("standard", "rule", note="neither low nor high: the standard whatever the cost")
    return assumed("by_item", "rule") if share is None else said("by_item", "rule", cost_share=share)


def _classes(region: Region, money: str) -> dict[str, Any]:
    return {name: _class(region, dict(entry), money) for name, entry in region.spec.get("classes", {}).items()}


def _class(region: Region, entry: dict[str, Any], money: str) -> dict[str, Any]:
    marks = [mark for mark in (entry["mark"], *entry.get("also", ())) if mark]
    groups = list(entry.get("groups", entry.get("groups_worth", ())))
    found: dict[str, Any] = {"title_zh": entry.get("zh", entry["mark"]), "title": entry.get("title", TITLES.get(entry["mark"]))}
    found |= {"kinds": marks} if marks else {}
    found |= {"groups": groups} if groups else {}
    found |= {name: entry[name] for name in ("starts", "pays", "curve") if name in entry}
    found |= _class_values(region, entry, money)
    return {**found, "source": SOURCE, "evidence": "secondary"}


def _class_values(region: Region, entry: Mapping[str, Any], money: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    levels, outside = region.facts["levels"].split("|"), entry.get("except", ())
    if "k" in entry:
        found["coefficient"] = said(entry["k"], "ratio")
    if "k_of" in entry:
        k = region.level_coefficients[region.level(entry["k_of"])]
        by_level = {region.level(level): k for level in levels if level not in outside}
        found |= {"coefficient_by": said(by_level, "ratio")} if outside else {"coefficient": said(k, "ratio")}
    if "k_by" in entry:
        found["coefficient_by"] = said(region.own(entry["k_by"]), "ratio")
    if "rate" in entry:
        found["unit_value"] = said(region.own(entry["rate"]), money)
    if "rate_of" in entry:
        found["unit_value"] = said(_rates_of(region, entry["rate_of"], [word for word in levels if word not in outside]), money)
    if "by_day" in entry:
        found["by_day"] = {**entry["by_day"], "unit": "weight per day", "source": SOURCE, "evidence": "secondary"}
    if "cap" in entry:
        found["coefficient_cap"] = said(entry["cap"], "ratio, at most")
    for name, unit in (("value_factor", "factor on the weight"), ("cost_share", "share of the bill")):
        found |= {name: said(entry[name], unit)} if name in entry else {}
    return found


def _rates_of(region: Region, of: str, levels: Iterable[str]) -> dict[str, float]:
    """The rates of one level, for others."""
    values, one = region.unit_values, region.level(of)
    by_payer = {key.partition("/")[2]: value for key, value in values.items() if key.partition("/")[0] == one}
    return {
        f"{region.level(level)}/{payer}" if payer else region.level(level): value
        for level in levels for payer, value in by_payer.items()
    }  # fmt: skip


# -- golden cases ------------------------------------------------------------------------------------------------------
CASES = (
    "id", "policy", "level", "insurance", "hospital", "kind", "group", "los_days", "age", "discharge_way", "relative_weight",
    "coefficient", "group_mean_cost", "total_cost", "amount", "case_class", "amount_as_coded",
)  # fmt: skip


def golden_row(region: Region, row: Mapping[str, str]) -> list[str]:
    """One golden case in the words of the engine; ``amount_as_coded`` only where the source has a slip."""
    mark = row["mark"]
    first = next(iter(region.spec.get("classes", {}).values()), {})
    known = [entry.get("mark") for entry in region.spec.get("classes", {}).values()]
    kind = first.get("mark", "") if mark == "是" else next((word for word in known if word and word in mark), mark)
    kind = mark if mark in known else kind
    meant = row["amount_as_meant"]
    levels = row["level"].split("/")[0]
    coefficient = row["coefficient"] if row["coefficient_given"] or row["adjustment"] else ""
    coefficient = "" if _decided_by_class(region, kind) else coefficient
    return [
        row["id"], region.id, region.level(levels) if levels else "", PAYERS.get(row["payer"], ""),
        row["hospital"] if region.spec.get("hospitals") else "", kind, row["group"] or "given", row["stay_days"], row["age"],
        row["leave_way"], row["relative_weight"], coefficient, row["group_mean"], row["total_cost"],
        meant or row["expected_amount"], row["class_as_meant"] or row["class"], row["expected_amount"] if meant else "",
    ]  # fmt: skip


def _decided_by_class(region: Region, kind: str) -> bool:
    entries = region.spec.get("classes", {}).values()
    return any(entry.get("mark") == kind and {"k", "k_by", "k_of"} & set(entry) for entry in entries)


# -- all ---------------------------------------------------------------------------------------------------------------
def rows_of(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def regions_of(facts: Path, tables: Path) -> tuple[list[Region], list[dict[str, str]]]:
    """The regions that become policies, and the rows of those that do not."""
    specs = yaml.safe_load((ROOT / "tools" / "region_policies.yaml").read_text(encoding="utf-8"))
    curves, odd = rows_of(facts / "regions" / "curves.csv"), rows_of(facts / "regions" / "odd.csv")
    stated = {row["region"]: row for row in rows_of(facts / "regions" / "regions.csv")}
    with_curve = {row["region"] for row in curves}  # a curve makes a policy, though its values may have to be given
    without = [row for name, row in stated.items() if name not in with_curve]
    wanted = [name for name in stated if name in with_curve]
    wanted += [name for name, spec in specs.items() if spec and "of" in spec]
    regions = []
    for name in wanted:
        spec = specs.get(name) or {}
        of = spec.get("of", name)
        found = [row["what"] for row in odd if row["region"] == of and row["kind"] == "rule"]
        regions.append(Region(name, stated[of], [row for row in curves if row["region"] == of], found, spec))
    taken = {path.parent.relative_to(tables).as_posix() for path in tables.rglob("policy.yaml") if not _is_made(path)}
    for region in regions:
        wish = f"{region.spec.get('folder', re.sub(r'-20[0-9]{2}$', '', region.key))}/{region.year}"
        region.folder = f"{wish}-b" if wish in taken else wish
        taken.add(region.folder)
    return regions, without


def _is_made(path: Path) -> bool:
    return MARK in path.read_text(encoding="utf-8")[:400]


def policy_text(file: Mapping[str, Any]) -> str:
    """A policy file: one line for each value."""
    out = io.StringIO()
    out.write(f"# yaml-language-server: $schema=../../policy.schema.json\n{MARK}\n")
    for name, value in file.items():
        nested = isinstance(value, dict) and name in ("sources", "group_classes", "patient_share", "curves", "relative_value",
                                                      "reference", "coefficient", "stays")  # fmt: skip
        if name == "curves":
            out.write("curves:\n" + "".join(_curve_text(key, curve) for key, curve in value.items()))
        elif nested:
            out.write(f"{name}:\n" + "".join(f"  {key}: {_flow(entry)}\n" for key, entry in value.items()))
        elif isinstance(value, list):
            out.write(f"{name}:\n" + "".join(f"  - {_flow(entry)}\n" for entry in value))
        else:
            out.write(f"{name}: {_flow(value)}\n")
    return out.getvalue()


def _curve_text(name: str, curve: Mapping[str, Any]) -> str:
    lines = [f"  {name}:"]
    for key, value in curve.items():
        if isinstance(value, list):
            lines += [f"    {key}:", *(f"      - {_flow(entry)}" for entry in value)]
        else:
            lines.append(f"    {key}: {_flow(value)}")
    return "\n".join(lines) + "\n"


def _flow(value: Any) -> str:
    text = yaml.safe_dump(value, allow_unicode=True, default_flow_style=True, sort_keys=False, width=10**6)
    return text.strip().removesuffix("\n...")


def main(facts: Path) -> None:
    """Write everything."""
    tables = ROOT / "payment_tables"
    for path in sorted(tables.rglob("policy.yaml")):
        if _is_made(path):
            shutil.rmtree(path.parent)
    regions, without = regions_of(facts, tables)
    files = {}
    for region in regions:
        folder = tables / region.folder
        folder.mkdir(parents=True)
        files[region.id], table = policy_of(region, facts)
        (folder / "policy.yaml").write_text(policy_text(files[region.id]), encoding="utf-8")
        if table is not None:
            (folder / "weights.csv").write_text(table, encoding="utf-8", newline="")
        if "table" in files[region.id]["coefficient"]:
            listed = region.spec.get("hospitals", {})
            text = "hospital_id,group,coefficient\n" + "".join(f"{name},*,{value}\n" for name, value in listed.items())
            (folder / "coefficients.csv").write_text(text, encoding="utf-8", newline="")
    goldens = rows_of(facts / "regions" / "goldens.csv")
    with (ROOT / "tests" / "cases" / "payment" / "regions.csv").open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(CASES)
        for region in regions:
            of = region.spec.get("of", region.key)
            mine = [row for row in goldens if row["region"] == of and _is_of(region, row)]
            writer.writerows(golden_row(region, row) for row in mine)
    for language, name in (("en", "regions.md"), ("zh", "regions.zh.md")):
        (ROOT / "docs" / name).write_text(document(regions, without, files, language), encoding="utf-8")
    print(f"{len(regions)} policies")


def _is_of(region: Region, row: Mapping[str, str]) -> bool:
    """A pool with values of its own has a policy of its own."""
    return (
        row["payer"] == region.spec["payer"] if "payer" in region.spec else row["payer"] not in region.spec.get("without", ())
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))

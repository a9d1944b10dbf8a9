"""docs/regions.md and docs/regions.zh.md: all regions in one table, how they settle a case and what is doubtful."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from tools.make_region_policies import Region


WORDS = Path(__file__).parent / "region_words.yaml"
INTRODUCTION = {
    "en": [
        "# Regions: how a case is settled across the country", "",
        "各地结算规则一览。 Made by `python -m tools.make_region_policies FACTS`; the facts were read from a public web",
        "grouper of 20 June 2026 (`secondary` throughout: somebody's program reads a city's document that way). `drgsim atlas`",
        "settles the same cases under all of them; `drgsim policy show NAME` has every value.",
        "",
        "Slips that the source makes plainly are settled as they are meant and told in the doubts;",
        "`tests/cases/payment/regions.csv` holds the cases, with the amount as coded where it differs. A new reading of a",
        "region that already had a policy stands beside it (`-b` where the year is the same), and replaces nothing.", "",
        "In the curves r is cost / reference, k the coefficient, x the cost ratio without it, K and E multiples, as in",
        "[payment.md](payment.md).", "",
        "| policy | region | method | value of a unit | curve: low; high | coefficient | weights | doubts |",
    ],
    "zh": [
        "# 各地支付规则一览", "",
        "由 `python -m tools.make_region_policies FACTS` 生成；事实读自一个公开的网页分组器（2026年6月20日），"
        "全部为 `secondary`：是别人的程序对当地文件的理解。`drgsim atlas` 用全部规则结算同一批病例；"
        "`drgsim policy show NAME` 列出每个数值。",
        "",
        "资料中明显的笔误按其本意结算，并写在“疑点”中；`tests/cases/payment/regions.csv` 保存用例，与程序所写不同的另列其金额。"
        "已有政策的地区，新读到的与旧的并列（年度相同的加 `-b`），不替换旧的。", "",
        "曲线中 r 为费用 ÷ 比较基准，k 为系数，x 为不含系数的费用比值，K 和 E 为倍数，`actual` 为按实际费用，"
        "与[病例结算](payment.zh.md)相同。", "",
        "| 政策 | 地区 | 方法 | 费率或点值 | 曲线：低倍率；高倍率 | 系数 | 权重 | 疑点 |",
    ],
}  # fmt: skip
ENDING = {
    "en": ["", "## Without a policy", "", "The source states no rule for these; nothing was invented.", "",
           "| region | what is stated |", "|---|---|"],
    "zh": ["", "## 没有政策的地区", "", "资料没有写明规则；没有编造。", "", "| 地区 | 写明了什么 |", "|---|---|"],
}  # fmt: skip
SHORT = {
    "rate": "费率法", "points": "点数法", "table": "政策的表", "your own": "自备", "from a budget": "由总额算出", "-": "-",
}  # fmt: skip
SHAPES = {
    "en": {
        "span": "{0} to {1}", "low": "below {0}: {1}", "no low": "no low rule", "high": "above {0}: {1}",
        "no high": "no high rule",
    },
    "zh": {
        "span": "{0} 至 {1}", "low": "低于 {0}：{1}", "no low": "无低倍率规则", "high": "高于 {0}：{1}",
        "no high": "无高倍率规则",
    },
}  # fmt: skip


@cache
def _words() -> dict[str, str]:
    return SHORT | {str(word): str(said) for word, said in yaml.safe_load(WORDS.read_text(encoding="utf-8")).items()}


def _said(words: str, language: str) -> str:
    """Words of the facts in a language; a part that has no Chinese is a ``KeyError``."""
    return words if language == "en" else "；".join(_words()[part] for part in words.split("; "))


def document(
    regions: list[Region], without: list[Mapping[str, str]], files: Mapping[str, dict[str, Any]], language: str = "en"
) -> str:
    """docs/regions.md, or docs/regions.zh.md."""
    lines = [*INTRODUCTION[language], "|---|---|---|---|---|---|---|---|"]
    for region in regions:
        file = files[region.id]
        cells = [
            f"`{region.id}`", region.zh, _said(str(file["method"]), language), _span(region.unit_values, language),
            _curve_words(file["curves"]["main"], language), _said(region.facts["coefficient_rule"] or "-", language),
            _said("table" if "table" in file["relative_value"] else "your own", language),
            _said("; ".join(region.odd) or "-", language),
        ]  # fmt: skip
        lines.append("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |")
    lines += ENDING[language]
    for row in without:
        lines.append(f"| {row['region_zh']} ({row['region']}) | {_said(row['status'].removeprefix('no rule: '), language)} |")
    return "\n".join(lines) + "\n"


def _span(values: Mapping[str, float], language: str) -> str:
    if not values:
        return _said("from a budget", language)
    low, high = min(values.values()), max(values.values())
    return f"{low:g}" if low == high else SHAPES[language]["span"].format(f"{low:g}", f"{high:g}")


def _curve_words(curve: Mapping[str, Any], language: str) -> str:
    shapes = SHAPES[language]
    bands, pieces = curve.get("bands", [{}]), curve["pieces"]
    low = next((piece for piece in pieces if piece["case_class"] == "low"), None)
    lows = sorted({band["L"] for band in bands if "L" in band}) or ([low["upto"]] if low else [])
    tops = list(dict.fromkeys(band["K"] for band in bands if "K" in band)) or [pieces[-2]["upto"] if len(pieces) > 1 else None]
    first = shapes["low"].format("/".join(f"{number:g}" for number in lows), low["pays"]) if low else shapes["no low"]
    if len(pieces) == 1:
        return f"{first}; {shapes['no high']}"
    return f"{first}; {shapes['high'].format('/'.join(f'{number:g}' for number in tops if number), pieces[-1]['pays'])}"

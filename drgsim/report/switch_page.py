"""The page of a switch for a director: headline, from old to new payment, hospitals, departments, flows, what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from drgsim.errors import Problem
from drgsim.payment.rules.no_group import UNGROUPED_CODES
from drgsim.report.page import render_page
from drgsim.report.sankey import SankeyFlow, sankey_chart
from drgsim.simulation.scheme_switch import SchemeSwitch
from drgsim.simulation.switch_rules import RULES
from drgsim.simulation.switch_tables import END, START
from drgsim.units.schemes.scheme_differences import SchemeDifference

WAN = 10_000  # yuan of ten thousand yuan (万元)
FLOWS, TOP, WORK, MOST = 30, 10, 20, 60
SMALL = 1000  # yuan below which an amount is said in yuan
_UNIT = {"zh": ("万元", "元"), "en": ("x 10k yuan", "yuan")}
_NO_GROUP = {"zh": "未入组", "en": "no group"}
_NOBODY = {"zh": "（无）", "en": "(none)"}
_KEEP = {
    "budget": {"zh": "基金预算不变（按点数分配）", "en": "the fund's budget is kept (shared out by points)"},
    "rate": {"zh": "费率、点值不变", "en": "the unit value is kept"},
    "weight": {"zh": "费率和总权重不变", "en": "the unit value and the total weight are kept"},
}
_VERDICT = {
    "wins": {"zh": "增", "en": "gains"}, "loses": {"zh": "减", "en": "loses"}, "unclear": {"zh": "不确定", "en": "unclear"},
    "same": {"zh": "不变", "en": "same"},
}  # fmt: skip
_DIFFERENCES = {
    "adrg_new": ("新增ADRG", "ADRGs new"), "adrg_gone": ("取消ADRG", "ADRGs gone"),
    "adrg_renamed": ("改码改名ADRG", "ADRGs renamed"),
    "adrg_split": ("拆分ADRG", "ADRGs split"), "drg_added": ("新增DRG代码", "DRG codes new"),
    "drg_removed": ("取消DRG代码", "DRG codes gone"), "diagnosis_moved": ("换组诊断编码", "diagnoses moved"),
    "procedure_moved": ("换组手术编码", "procedures moved"), "severity_changed": ("MCC、CC级别变化", "MCC or CC changed"),
}  # fmt: skip


def switch_page(
    switch: SchemeSwitch, tables: Mapping[str, pa.Table], notes: Sequence[Problem], language: str = "zh",
    difference: SchemeDifference | None = None,
) -> str:  # fmt: skip
    """HTML of the page, with everything in it and no script; ``language`` is ``zh`` or ``en``.

    ``difference`` are the differences of the two DRG schemes, for the appendix.
    """

    def words(zh: str, en: str) -> str:
        return zh if language == "zh" else en

    headline = {row["figure"]: row for row in tables["headline"].to_pylist()}
    hospitals = sorted(tables["hospitals"].to_pylist(), key=lambda row: float(row["payment_change"]))
    verdicts = [row["verdict"] for row in hospitals]
    left, right = (side.choice.name for side in switch.sides)
    return render_page(
        "switch.html",
        title=words(f"{left} → {right} 切换测算", f"Switch from {left} to {right}"),
        w=words,
        language=language,
        switch=switch,
        left=left,
        right=right,
        sides=list(zip((left, right), switch.sides, strict=True)),
        keep=_KEEP[switch.options.keep][language],
        sentence=_sentence(headline, hospitals, language),
        cards=_cards(headline, verdicts, words),
        steps=_steps(tables["waterfall"].to_pylist(), language),
        hospitals=[_hospital(row, language) for row in _shown(hospitals)],
        hospital_count=len(hospitals),
        closed=switch.closed is not None,
        level=f"{switch.options.level:.0%}",
        departments=_departments(tables["departments"].to_pylist(), language),
        wide=sankey(tables["flows"], language, width=1040, label_width=250).svg,
        narrow=sankey(tables["flows"], language, width=350, label_width=84, short=True).svg,
        work=_work(tables["work"], language),
        work_cases=tables["work_cases"].num_rows,
        worst=_worst(tables["work"], language),
        differences=_differences(difference, words),
        notes=notes,
        wan=_wan,
    )  # fmt: skip


def _wan(yuan: Any, sign: bool = False) -> str:
    """Yuan in 万元; small amounts keep more decimals, so that no change reads as none."""
    value = float(yuan) / WAN
    size = abs(value)
    digits = 1 if size >= 0.1 or value == 0 else 2 if size >= 0.01 else 4
    return f"{value:{'+' if sign and value else ''},.{digits}f}"


def _money(yuan: Any, language: str, sign: bool = True) -> str:
    """An amount with its unit: 万元 from a thousand yuan on, else yuan."""
    if abs(float(yuan)) >= SMALL:
        return f"{_wan(yuan, sign)} {_UNIT[language][0]}"
    return f"{float(yuan):{'+' if sign and float(yuan) else ''},.2f} {_UNIT[language][1]}"


def _sentence(headline: Mapping[str, Any], hospitals: Sequence[Mapping[str, Any]], language: str) -> str:
    """What a director has to know, in one line."""
    cases, moved = headline["cases"]["to"], headline["moved"]["to"]
    share = 100 * moved / cases if cases else 0.0
    gained = sum(float(row["payment_change"]) for row in hospitals if float(row["payment_change"]) > 0)
    payment = headline["payment"]["change"]
    best, worst = (hospitals[-1], hospitals[0]) if hospitals else (None, None)

    def named(row: Mapping[str, Any] | None) -> str:
        if row is None or not float(row["payment_change"]):
            return _NOBODY[language]
        percent = "" if row["payment_change_share"] is None else f", {100 * row['payment_change_share']:+.2f} %"
        return f"{row['name'] or row['hospital_id']} ({_money(row['payment_change'], language)}{percent})"

    if language == "zh":
        return (
            f"{cases:,.0f} 例中 {moved:,.0f} 例（{share:.1f}%）换组；医院支付合计变化 {_money(payment, language)}，"
            f"医院之间转移 {_money(gained, language, False)}。增加最多：{named(best)}；减少最多：{named(worst)}。"
        )
    return (
        f"{moved:,.0f} of {cases:,.0f} cases ({share:.1f} %) change group; payment to all hospitals changes by "
        f"{_money(payment, language)}, and {_money(gained, language, False)} move between hospitals. "
        f"Gains most: {named(best)}; loses most: {named(worst)}."
    )


def _cards(headline: Mapping[str, Any], verdicts: Sequence[str], words: Any) -> list[tuple[str, str]]:
    def both(name: str, form: str = ",.0f") -> str:
        row = headline[name]
        return " → ".join("–" if row[side] is None else f"{row[side]:{form}}" for side in ("from", "to"))

    counts = " · ".join(f"{verdicts.count(word)}" for word in ("wins", "loses", "unclear"))
    return [
        (words("换组病例", "cases that move"), f"{headline['moved']['to']:,.0f}"), ("CMI", both("cmi", ".3f")),
        (words("未入组", "no group"), both("ungrouped")), (words("歧义（QY）", "ambiguous (QY)"), both("ambiguous")),
        (words("高倍率", "high cases"), both("high")), (words("低倍率", "low cases"), both("low")),
        (words("医院 增 · 减 · 不确定", "hospitals: gain · lose · unclear"), counts),
    ]  # fmt: skip


def _steps(rows: Sequence[Mapping[str, Any]], language: str) -> list[dict[str, Any]]:
    """Bars of the waterfall in percent of the width; its axis begins near the amounts, not at 0."""
    whole = [row for row in rows if row["scope"] == "all" and (row["amount"] or row["step"] in (START, END))]
    ends, level = [], 0.0
    for row in whole:
        amount = float(row["amount"])
        before, level = (0.0, amount) if row["step"] in (START, END) else (level, level + amount)
        ends.append((before, level))
    inner = [value for row, pair in zip(whole, ends, strict=True) for value in pair[row["step"] in (START, END) :]]
    low, high = min(inner), max(inner)
    span = (high - low) or max(high, 1.0) * 0.01
    low, high = low - 0.35 * span, high + 0.1 * span
    steps = []
    for row, (before, after) in zip(whole, ends, strict=True):
        total = row["step"] in (START, END)
        first, last = (low, after) if total else (min(before, after), max(before, after))
        steps.append({
            "label": row["step_zh"] if language == "zh" else row["step_en"], "cases": row["cases"], "total": total,
            "left": 100 * (first - low) / (high - low), "width": max(100 * (last - first) / (high - low), 0.25),
            "tone": "total" if total else "up" if after >= before else "down",
            "amount": _wan(row["amount"], not total),
        })  # fmt: skip
    return steps


def _shown(hospitals: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Hospitals from the largest gain to the largest loss; of many those at both ends."""
    ordered = list(hospitals)[::-1]
    return ordered if len(ordered) <= MOST else [*ordered[: MOST // 2], *ordered[-MOST // 2 :]]


def _hospital(row: Mapping[str, Any], language: str) -> dict[str, Any]:
    low = row["change_low"]
    return {
        **row,
        "label": row["name"] or row["hospital_id"] or _NOBODY[language],
        "interval": "–" if low is None else f"{_wan(low, True)} … {_wan(row['change_high'], True)}",
        "word": _VERDICT[row["verdict"]][language],
        "share": "–" if row["payment_change_share"] is None else f"{100 * row['payment_change_share']:+.2f} %",
    }


def _departments(rows: Sequence[Mapping[str, Any]], language: str) -> list[tuple[str, list[dict[str, Any]]]]:
    """The ten departments that gain and the ten that lose most, with bars in percent of the largest."""
    ordered = sorted(rows, key=lambda row: float(row["payment_change"]))
    sides = [("up", [row for row in ordered[::-1] if float(row["payment_change"]) > 0][:TOP]),
             ("down", [row for row in ordered if float(row["payment_change"]) < 0][:TOP])]  # fmt: skip
    most = max((abs(float(row["payment_change"])) for _, some in sides for row in some), default=1.0)
    return [
        (tone, [
            {
                **row, "label": f"{row['name'] or row['hospital_id']} · {row['department'] or _NOBODY[language]}",
                "width": max(100 * abs(float(row["payment_change"])) / most, 0.5),
                "share": "" if row["payment_change_share"] is None else f"{100 * row['payment_change_share']:+.1f} %",
            }
            for row in some
        ])
        for tone, some in sides
    ]  # fmt: skip


def sankey(flows: pa.Table, language: str, *, width: float, label_width: float, short: bool = False) -> Any:
    """The largest flows between groups that differ; ``short`` labels hold the code alone."""
    stays = ("same", "renumbered", "no_group")
    rows = [row for row in flows.to_pylist() if row["cause"] not in stays][:FLOWS]
    labels: tuple[dict[str, str], dict[str, str]] = {}, {}
    for row in rows:
        for side, known in zip(("from", "to"), labels, strict=True):
            code, name = row[f"{side}_group"], row[f"{side}_name"]
            known[code] = _NO_GROUP[language] if code in UNGROUPED_CODES else code if short else f"{code} {name}".strip()
    cases = {"zh": "例", "en": " cases"}[language]
    drawn = [
        SankeyFlow(
            row["from_group"], row["to_group"], row["cases"],
            f"{row['from_group']} {row['from_name']} → {row['to_group']} {row['to_name']}: {row['cases']:,}{cases}, "
            f"{_money(row['change'], language)}",
            "green" if row["change"] > 0 else "red" if row["change"] < 0 else "light",
        )
        for row in rows
    ]  # fmt: skip
    return sankey_chart(drawn, labels, width=width, label_width=label_width)


def _work(work: pa.Table, language: str) -> list[dict[str, Any]]:
    """The work list added up by rule."""
    sums: dict[str, dict[str, Any]] = {}
    for row in work.to_pylist():
        of_rule = sums.setdefault(row["rule"], {"cases": 0, "change": 0.0, "stake": 0.0, "has_stake": False})
        of_rule["cases"] += row["cases"]
        of_rule["change"] += float(row["change"])
        if row["at_stake"] is not None:
            of_rule["stake"] += float(row["at_stake"])
            of_rule["has_stake"] = True
    return [
        {
            "title": rule.title_zh if language == "zh" else rule.title, "todo": rule.todo_zh if language == "zh" else rule.todo,
            **sums[name],
        }
        for name, rule in RULES.items() if name in sums
    ]  # fmt: skip


def _worst(work: pa.Table, language: str) -> list[dict[str, Any]]:
    """Entries of the work list with the largest loss."""
    rows = [row for row in work.to_pylist() if row["rule"] != "field" and float(row["change"]) < 0]
    rows = sorted(rows, key=lambda row: (float(row["change"]), row["hospital_id"], row["code"]))[:WORK]
    for row in rows:
        row["title"] = RULES[row["rule"]].title_zh if language == "zh" else RULES[row["rule"]].title
    return rows


def _differences(difference: SchemeDifference | None, words: Any) -> list[tuple[str, str]]:
    """How many things differ between two DRG schemes; nothing where one side is a catalogue."""
    if difference is None:
        return []
    found = difference.summary()
    return [(words(*_DIFFERENCES[name]), f"{found[name]:,}") for name in _DIFFERENCES if name in found]

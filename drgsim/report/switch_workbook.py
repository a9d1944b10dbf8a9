"""A switch as one workbook for the analyst: a summary, then every table on its own sheet, with Chinese headers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgsim.results.workbook import Workbook, default_format, open_workbook

SHEETS_ZH = {
    "headline": "要点", "waterfall": "支付变化", "hospitals": "医院", "departments": "科室", "mdcs": "MDC", "groups": "病组",
    "flows": "流向", "work": "工作清单", "work_cases": "工作清单病例", "problems": "疑点", "cases": "病例",
}  # fmt: skip
TITLES_ZH = {
    "figure": "指标", "title_zh": "名称", "title": "英文", "unit": "单位", "from": "原方案", "to": "新方案", "change": "变化",
    "scope": "范围", "hospital_id": "机构编号", "name": "医疗机构", "level": "级别", "department": "科室", "moved": "换组病例",
    "step": "步骤", "step_zh": "步骤名称", "step_en": "步骤英文", "cases": "病例", "amount": "金额（元）", "mdc": "MDC",
    "group": "病组", "from_name": "原名称", "to_name": "新名称", "from_group": "原病组", "to_group": "新病组", "cause": "原因",
    "cost": "费用", "from_payment": "原支付", "to_payment": "新支付", "rule": "事项代码", "rule_zh": "事项", "code": "编码",
    "code_name": "编码名称", "detail": "说明", "at_stake": "涉及金额上限", "todo_zh": "怎么做", "todo": "怎么做（英文）",
    "discharge_id": "病案号", "moved_out": "移出病例", "moved_in": "移入病例",
    "cmi_change": "CMI变化", "payment_change": "支付变化", "fund_change": "基金支付变化",
    "margin_change": "盈余变化", "payment_change_share": "支付变化率", "change_low": "区间下限", "change_high": "区间上限",
    "total_cost": "费用", "of_unit_value": "其中费率、点值变化",
    "verdict": "判断", "surplus_change": "结余变化", "side": "侧", "what": "内容", "fix": "处理",
}  # fmt: skip
_SIDE_ZH = {
    "cases": "病例", "unpaid": "未付", "high": "高倍率", "low": "低倍率", "ambiguous": "歧义", "ungrouped": "未入组",
    "weight": "总权重", "cmi": "CMI", "cost": "费用", "payment": "支付", "fund": "基金支付", "margin": "盈余",
    "index": "总额指标",
    "due": "应付", "surplus": "结余", "class": "病例类别",
}  # fmt: skip
_TITLES = TITLES_ZH | {
    f"{side}_{name}": f"{zh}{title}" for side, zh in (("from", "原"), ("to", "新")) for name, title in _SIDE_ZH.items()
}
_WIDTHS = {"name": 30, "detail": 50, "todo_zh": 50, "todo": 50, "rule_zh": 34, "code_name": 26, "from_name": 36, "to_name": 36}


def write_switch_workbook(path: Path, tables: Mapping[str, pa.Table], summary: Mapping[str, Any]) -> None:
    """Write the workbook whole or not at all."""
    with open_workbook(path, title="分组方案切换测算") as book:
        _about(book, summary)
        for name, table in tables.items():
            book.add_table(
                f"{SHEETS_ZH.get(name, '')} {name}".strip(), table, titles=_TITLES,
                width=lambda column: _WIDTHS.get(column, 15), number_format=_format, frozen=2, marked_by=None,
            )  # fmt: skip


def _about(book: Workbook, summary: Mapping[str, Any]) -> None:
    about = book.sheet("说明 about", widths=(30, 110))
    about.add(("分组方案切换测算 Switch of the scheme",), "title")
    for side in ("from", "to"):
        for name, value in summary[side].items():
            if isinstance(value, str):
                about.add((f"{side} {name}", value))
    for name in ("year", "keep", "budget_source"):
        about.add((name, str(summary[name])))
    about.skip()
    for note in summary["notes"]:
        about.add(("note 说明", note))


def _format(field: pa.Field) -> str | None:
    if field.name.endswith("_share"):
        return "fine share"
    if field.name.endswith("cmi") or field.name == "cmi_change":
        return "factor"
    return default_format(field)

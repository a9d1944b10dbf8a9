"""The budget as one workbook for a budget office: a summary, every table on its own sheet, and what it rests on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgsim.budgets.budget_tables import FUND_ZH
from drgsim.budgets.budget_year import BudgetYear
from drgsim.results.workbook import Cell, WorkbookSheet, default_format, open_workbook

SHEETS = {
    "hospitals": "医院", "index": "指标测算", "quality": "质量评价", "units": "按付费单元", "warnings": "月度预警",
    "ledger": "资金台账", "liquidity": "月度现金", "fund": "基金", "terms": "参数", "pools": "分险种医院",
    "pool_funds": "分险种基金",
    "negotiated": "谈判协商",
}  # fmt: skip
_WIDTHS = {
    "hospital": 30, "hospital_id": 11, "year": 7, "month": 7, "parameter": 40, "value": 50, "source": 44, "reason": 50,
    "note": 60, "unit": 34,
}  # fmt: skip
_TITLES = {
    "year": "年度", "hospital_id": "机构编号", "hospital": "医疗机构", "level": "级别", "cases": "病例数", "index": "总额指标",
    "recorded": "应付（计入指标）", "ratio": "使用率", "surplus": "结余（负为超支）", "settled": "清算额",
    "surplus_kept": "结余留用", "overspend_not_borne": "超支自担", "procurement_kept": "集采结余留用", "deductions": "违规扣款",
    "deposit_forfeited": "保证金扣减", "carried_in": "上年结转", "carried_out": "结转下年", "cash": "当年现金",
    "score_before": "上年质量分", "score": "质量分", "kept_factor": "留用系数", "months_warned": "预警月数", "step": "步骤",
    "step_zh": "步骤名称", "factor": "系数", "amount": "金额", "indicator": "指标", "indicator_zh": "指标名称", "value": "数值",
    "points": "得分", "weight": "权重", "unit": "单位", "unit_zh": "付费单元", "share_of_index": "占总额指标", "month": "月份",
    "used": "累计使用", "index_to_date": "同期指标", "status": "状态", "status_zh": "预警状态", "line": "科目",
    "line_zh": "科目名称", "due": "应付", "paid": "已付", "balance": "余额", "item": "项目", "item_zh": "项目名称",
    "per_insured": "参保人均（元）", "parameter": "参数", "effective_from": "生效日期", "evidence": "依据等级",
    "overspend_brought": "上年超支结转", "carried_overspend": "超支结转下年", "least_balance": "最低现金余额",
    "least_month": "最低月份",
    "least_days": "最低现金天数", "least_balance_without": "无预付最低余额", "from_fund": "基金到账",
    "from_others": "个人及其他",
    "expenses": "支出", "paid_ahead": "预付净额", "balance_without": "无预付余额", "days_of_cash": "现金天数",
    "days_without": "无预付天数", "pool": "险种", "share": "比例", "effect": "对指标影响", "reason": "理由",
    "source": "来源", "note": "说明", "inactive": "未起作用的原因",
}  # fmt: skip
_SHARES = {"ratio", "share_of_index", "weight", "share"}
_DAYS = {"days_of_cash", "days_without", "least_days"}


def write_workbook(path: Path, years: Sequence[BudgetYear], tables: Mapping[str, pa.Table], notes: Sequence[str]) -> None:
    """Write the workbook whole or not at all; warned months, overspends and assumptions are set off by colour."""
    with open_workbook(path) as book:
        _summary(book.sheet("汇总", widths=(44, *[20] * (len(years) + 1))), years, notes)
        for name, table in tables.items():
            mark = next((each for each in ("status", "evidence") if each in table.column_names), None)
            book.add_table(
                SHEETS[name], table, titles=_TITLES, width=lambda column: _WIDTHS.get(column, 18),
                number_format=_number_format, frozen=3, marked_by=mark,
            )  # fmt: skip


def _number_format(field: pa.Field) -> str | None:
    if pa.types.is_floating(field.type):
        return "share" if field.name in _SHARES else "number" if field.name in _DAYS else "factor"
    return default_format(field)


def _summary(sheet: WorkbookSheet, years: Sequence[BudgetYear], notes: Sequence[str]) -> None:
    terms = years[0].terms
    sheet.add((f"总额预算 Budget · {terms.file.title_zh}",), "title")
    line = f"{len(terms.assumptions)} of {len(terms.parameters)} parameters are assumptions 假设参数（见“参数”表）"
    sheet.add((line,), "assumption")
    sheet.skip()
    sheet.add([Cell(head, "header") for head in ("元 yuan", *(year.year for year in years))])
    for name, title in FUND_ZH.items():
        sheet.add([f"{title} {name}", *(Cell(getattr(year.fund, name) / 100, "yuan") for year in years)])
    counts: list[tuple[str, Callable[[BudgetYear], Any], str]] = [
        ("总额平衡系数 scaling", lambda year: year.index.scaling, "factor"),
        ("医疗机构数 hospitals", lambda year: year.figures.size, "count"),
        ("结余机构数 in surplus", lambda year: int(year.in_surplus.sum()), "count"),
        ("年末预警机构数 warned in December", lambda year: int(year.warnings.warned[:, -1].sum()), "count"),
        ("台账最大差额（分） largest ledger difference, fen", lambda year: int(abs(year.cash.difference).max()), "count"),
    ]
    for title, of, style in counts:
        sheet.add([title, *(Cell(of(year), style) for year in years)])
    sheet.skip()
    for note in notes:
        sheet.add((note,))

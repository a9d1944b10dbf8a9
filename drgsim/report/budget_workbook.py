"""The budget as one workbook for a budget office: a summary, every table on its own sheet, and what it rests on."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgsim.budgets.budget_tables import FUND_ZH
from drgsim.budgets.budget_year import BudgetYear

_CREATED = datetime(2000, 1, 1)  # the same input gives the same bytes, so no clock goes into a workbook
SHEETS = {
    "hospitals": "医院", "index": "指标测算", "quality": "质量评价", "units": "按付费单元", "warnings": "月度预警",
    "ledger": "资金台账", "fund": "基金", "terms": "参数",
}  # fmt: skip
_WIDTHS = {
    "hospital": 30, "hospital_id": 11, "year": 7, "month": 7, "parameter": 40, "value": 50, "source": 44,
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
    "source": "来源", "note": "说明", "inactive": "未起作用的原因",
}  # fmt: skip
_SHARES = {"ratio", "share_of_index", "weight"}
_PLAIN = {"year", "month"}


def write_workbook(path: Path, years: Sequence[BudgetYear], tables: Mapping[str, pa.Table], notes: Sequence[str]) -> None:
    """Write the workbook whole or not at all; warned months, overspends and assumptions are set off by colour."""
    import xlsxwriter

    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(str(beside), options)
    try:
        book.set_properties({"created": _CREATED})
        formats = {
            "head": book.add_format({"bold": True, "bg_color": "#E8EEF4", "bottom": 1, "text_wrap": True, "valign": "top"}),
            "title": book.add_format({"bold": True, "font_size": 14}),
            "money": book.add_format({"num_format": "#,##0.00"}),
            "count": book.add_format({"num_format": "#,##0"}),
            "share": book.add_format({"num_format": "0.0%"}),
            "number": book.add_format({"num_format": "0.0000"}),
            "warned": book.add_format({"bg_color": "#F6D5D3"}),
            "attention": book.add_format({"bg_color": "#FFF1CC"}),
            "assumption": book.add_format({"bg_color": "#F3E3F6"}),
        }
        _summary(book.add_worksheet("汇总"), formats, years, notes)
        for name, table in tables.items():
            _sheet(book.add_worksheet(SHEETS[name]), formats, table)
        book.close()
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _summary(sheet: Any, formats: Mapping[str, Any], years: Sequence[BudgetYear], notes: Sequence[str]) -> None:
    terms = years[0].terms
    sheet.set_column(0, 0, 44)
    sheet.set_column(1, len(years) + 1, 20)
    sheet.write_string(0, 0, f"总额预算 Budget · {terms.file.title_zh}", formats["title"])
    line = f"{len(terms.assumptions)} of {len(terms.parameters)} parameters are assumptions 假设参数（见“参数”表）"
    sheet.write_string(1, 0, line, formats["assumption"])
    sheet.write_string(3, 0, "元 yuan", formats["head"])
    for column, year in enumerate(years, start=1):
        sheet.write_number(3, column, year.year, formats["head"])
    row = 4
    for name, title in FUND_ZH.items():
        sheet.write_string(row, 0, f"{title} {name}")
        for column, year in enumerate(years, start=1):
            sheet.write_number(row, column, getattr(year.fund, name) / 100, formats["money"])
        row += 1
    counts: list[tuple[str, Any, str]] = [
        ("总额平衡系数 scaling", lambda year: year.index.scaling, "number"),
        ("医疗机构数 hospitals", lambda year: year.figures.size, "count"),
        ("结余机构数 in surplus", lambda year: int(year.in_surplus.sum()), "count"),
        ("年末预警机构数 warned in December", lambda year: int(year.warnings.warned[:, -1].sum()), "count"),
        ("台账最大差额（分） largest ledger difference, fen", lambda year: int(abs(year.cash.difference).max()), "count"),
    ]
    for title, of, form in counts:
        sheet.write_string(row, 0, title)
        for column, year in enumerate(years, start=1):
            sheet.write_number(row, column, of(year), formats[form])
        row += 1
    row += 1
    for note in notes:
        sheet.write_string(row, 0, note)
        row += 1


def _sheet(sheet: Any, formats: Mapping[str, Any], table: pa.Table) -> None:
    sheet.freeze_panes(1, min(3, table.num_columns - 1))
    sheet.set_row(0, 32)
    names = table.column_names
    for place, name in enumerate(names):
        sheet.set_column(place, place, _WIDTHS.get(name, 18))
        sheet.write_string(0, place, f"{_TITLES[name]}\n{name}", formats["head"])
    colour = next((names.index(name) for name in ("status", "evidence") if name in names), None)
    for row, values in enumerate(zip(*(column.to_pylist() for column in table.columns), strict=True), start=1):
        mark = formats.get(values[colour]) if colour is not None else None
        for place, value in enumerate(values):
            if isinstance(value, str):
                sheet.write_string(row, place, value, mark)
            elif isinstance(value, Decimal):
                sheet.write_number(row, place, float(value), formats["money"])
            elif isinstance(value, float):
                sheet.write_number(row, place, value, formats["share" if names[place] in _SHARES else "number"])
            elif value is not None:
                sheet.write_number(row, place, value, None if names[place] in _PLAIN else formats["count"])
    if table.num_rows:
        sheet.autofilter(0, 0, table.num_rows, len(names) - 1)

"""The quality report as a workbook for the coding department, and its findings as a plain table."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa

from drgsim.quality.file_check import HIT_COLUMNS
from drgsim.quality.quality_report import QualityReport
from drgsim.quality.quality_rules import SEVERITY_TITLES, rules
from drgsim.results.table_files import WRITABLE, XLSX_ROWS, TableWriter, check_writable, open_writer

_EPOCH_YEAR = 2000  # the same input gives the same bytes, so no clock goes into a workbook
_HIT_TITLES = ("文件", "病案标识", "医疗机构", "科室", "级别", "规则代码", "问题", "内容", "处理建议")
_HIT_WIDTHS = (22, 18, 14, 16, 12, 30, 34, 60, 34)
NO_DEPARTMENT = "（未填）"


class QualityWorkbook:
    """XLSX with a summary, every finding, and counts by hospital and by department.

    It takes findings as they come (rows go to disk) and is whole or not at all. Use it as a context manager.

    Attributes
    ----------
    written, left_out
        Findings on the sheet, and those beyond ``most`` rows.
    """

    def __init__(self, path: Path, most: int = XLSX_ROWS) -> None:
        import xlsxwriter

        check_writable(path)
        self.path, self.most = path, most
        self.beside = path.with_name(f".{path.name}.{os.getpid()}.part")
        self.beside.touch()
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        self._book = xlsxwriter.Workbook(str(self.beside), options)
        from datetime import datetime

        self._book.set_properties({"created": datetime(_EPOCH_YEAR, 1, 1)})
        self._bold = self._book.add_format({"bold": True, "bg_color": "#E8EEF4", "bottom": 1})
        self._title = self._book.add_format({"bold": True, "font_size": 14})
        self._number = self._book.add_format({"num_format": "#,##0"})
        self._share = self._book.add_format({"num_format": "0.0%"})
        colours = {"error": "#F6D5D3", "warning": "#FFF1CC", "info": "#E6F0F8"}
        self._colour = {name: self._book.add_format({"bg_color": colour}) for name, colour in colours.items()}
        self._summary = self._book.add_worksheet("汇总")
        self._hits = self._book.add_worksheet("病案明细")
        self._hits.freeze_panes(1, 2)
        for place, (title, width) in enumerate(zip(_HIT_TITLES, _HIT_WIDTHS, strict=True)):
            self._hits.set_column(place, place, width)
            self._hits.write_string(0, place, title, self._bold)
        self.written = self.left_out = 0

    def write(self, hits: pa.RecordBatch) -> None:
        """Take findings; those that no longer fit the sheet are counted."""
        room = self.most - self.written
        severity = hits.schema.get_field_index("severity")
        for row in zip(*(column.to_pylist() for column in hits.slice(0, room).columns), strict=True):
            self.written += 1
            for place, value in enumerate(row):
                colour = self._colour[value.rsplit(" ", 1)[-1]] if place == severity else None
                self._hits.write_string(self.written, place, value, colour)
        self.left_out += max(0, hits.num_rows - room)

    def finish(self, report: QualityReport) -> None:
        """Write the sheets that need the whole report."""
        if self.written:
            self._hits.autofilter(0, 0, self.written, len(HIT_COLUMNS) - 1)
        self._summarise(report)
        hospitals = [((name,), records, found) for name, records, found in report.by_hospital()]
        self._counts("按医院", ("医疗机构",), hospitals, report)
        departments: dict[tuple[str, ...], Any] = {place: {} for place in report.place_records}
        for (*place, code), number in report.places.items():
            departments[tuple(place)][code] = number
        rows = [(place, report.place_records[place], departments[place]) for place in sorted(departments)]
        self._counts("按科室", ("医疗机构", "科室"), rows, report)

    def _summarise(self, report: QualityReport) -> None:
        sheet, at = self._summary, 0
        sheet.set_column(0, 0, 34)
        sheet.set_column(1, 1, 12)
        sheet.set_column(2, 3, 12)
        sheet.set_column(4, 5, 40)

        def line(*cells: Any, form: Any = None) -> None:
            nonlocal at
            for place, value in enumerate(cells):
                if isinstance(value, str):
                    sheet.write_string(at, place, value, form)
                elif value is not None:
                    sheet.write_number(at, place, value, self._share if isinstance(value, float) else self._number)
            at += 1

        line("病案编码质量报告 Quality of the coded record", form=self._title)
        line("文件", *[path.name for path in report.inputs][:20])
        line("分组方案", report.scheme)
        line("结论", "通过" if report.passed else "未通过：存在错误")
        line("病案数", report.records)
        for severity, number in report.by_severity.items():
            share = number / report.records if report.records else 0.0
            line(f"有{SEVERITY_TITLES[severity]}（{severity}）的病案", number, float(share))
        shown = f"病案明细共 {self.written:,} 条"
        line(shown + (f"；另有 {self.left_out:,} 条超出工作表上限 {self.most:,} 行，未列出" if self.left_out else "，全部列出"))
        if report.unchecked:
            line(f"文件缺少以下列，相关规则未检查：{'、'.join(report.unchecked)}")
        at += 1
        line("问题", "级别", "病案数", "占比", "处理建议", "规则代码", form=self._bold)
        for count in report.findings:
            rule = count.rule
            share = count.records / report.records
            line(rule.title_zh, SEVERITY_TITLES[rule.severity], count.records, float(share), rule.fix_zh, rule.code)
        for name, title in (("diagnoses", "字典外诊断编码"), ("procedures", "字典外手术操作编码")):
            codes = report.unknown_codes.get(name)
            if codes:
                at += 1
                line(title, "", "次数", form=self._bold)
                for code, number in codes.most_common(50):
                    line(code, None, number)
        at += 1
        line("阈值", "数值", "单位", "依据", "来源", "名称", form=self._bold)
        for t in report.thresholds:
            sheet.write_number(at, 1, t.value)
            line(t.name, None, t.unit, t.evidence, t.source, t.name)

    def _counts(self, name: str, keys: tuple[str, ...], rows: list[Any], report: QualityReport) -> None:
        """A sheet with a row per place and a column per rule that was broken."""
        sheet = self._book.add_worksheet(name)
        sheet.freeze_panes(1, len(keys))
        codes = [count.rule.code for count in report.findings]
        titles = [*keys, "病案数", "问题数", *(rules()[code].title_zh for code in codes)]
        sheet.set_column(0, len(titles) - 1, 16)
        for place, title in enumerate(titles):
            sheet.write_string(0, place, title, self._bold)
        for at, (place, records, found) in enumerate(rows, 1):
            for column, text in enumerate(place):
                sheet.write_string(at, column, text or NO_DEPARTMENT)
            numbers = [records, sum(found.values()), *(found.get(code, 0) for code in codes)]
            for column, number in enumerate(numbers, len(keys)):
                if number or column < len(keys) + 2:
                    sheet.write_number(at, column, number, self._number)
        if rows:
            sheet.autofilter(0, 0, len(rows), len(titles) - 1)

    def __enter__(self) -> QualityWorkbook:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            self._book.close()
            if kind is None:
                self.beside.replace(self.path)
        finally:
            self.beside.unlink(missing_ok=True)


class FindingsTable:
    """Every finding as a row of a CSV or Parquet file."""

    left_out = 0

    def __init__(self, path: Path) -> None:
        self._stack = ExitStack()
        self._path = path

    def write(self, hits: pa.RecordBatch) -> None:
        """Take findings."""
        self._writer.write(self._writer.encode(hits))

    def finish(self, report: QualityReport) -> None:
        """Nothing more to write."""

    def __enter__(self) -> FindingsTable:
        schema = pa.schema([(name, pa.string()) for name in HIT_COLUMNS])
        self._writer: TableWriter = self._stack.enter_context(open_writer(self._path, schema))
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)


def open_findings(path: Path) -> QualityWorkbook | FindingsTable:
    """A workbook for ``.xlsx``, a table for ``.csv`` and ``.parquet``.

    Raises
    ------
    UsageError
        For any other suffix.
    OutputError
        When the folder does not exist or cannot be written to.
    """
    check_writable(path)
    return QualityWorkbook(path) if path.suffix.lower() == WRITABLE[-1] else FindingsTable(path)

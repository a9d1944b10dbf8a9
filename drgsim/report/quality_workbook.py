"""The quality report as a workbook for the coding department, and its findings as a plain table."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgsim.quality.file_check import HIT_COLUMNS
from drgsim.quality.quality_report import QualityReport
from drgsim.quality.quality_rules import SEVERITY_TITLES, rules
from drgsim.results.table_files import WRITABLE, check_writable, open_writer
from drgsim.results.workbook import XLSX_ROWS, Cell, WorkbookSheet, open_workbook

_HIT_TITLES = ("文件", "病案标识", "医疗机构", "科室", "级别", "规则代码", "问题", "内容", "处理建议")
_HIT_WIDTHS = (22, 18, 14, 16, 12, 30, 34, 60, 34)
NO_DEPARTMENT = "（未填）"


class QualityWorkbook(ExitStack):
    """XLSX with a summary, every finding, and counts by hospital and by department.

    It takes findings as they come (rows go to disk) and is whole or not at all. Use it as a context manager.

    Attributes
    ----------
    written, left_out
        Findings on the sheet, and those beyond ``most`` rows.
    """

    def __init__(self, path: Path, most: int = XLSX_ROWS) -> None:
        super().__init__()
        check_writable(path)
        self.path, self.most = path, most
        self.written = self.left_out = 0

    def __enter__(self) -> QualityWorkbook:
        self._book = self.enter_context(open_workbook(self.path))
        self._summary = self._book.sheet("汇总", widths=(34, 12, 12, 12, 40, 40), formats=["count"] * 4)
        self._hits = self._book.sheet("病案明细", _HIT_TITLES, _HIT_WIDTHS, frozen=2)
        return self

    def write(self, hits: pa.RecordBatch) -> None:
        """Take findings; those that no longer fit the sheet are counted."""
        room = self.most - self.written
        severity = hits.schema.get_field_index("severity")
        for row in zip(*(column.to_pylist() for column in hits.slice(0, room).columns), strict=True):
            self.written += 1
            word = row[severity]
            self._hits.add((*row[:severity], Cell(word, word.rsplit(" ", 1)[-1]), *row[severity + 1 :]))
        self.left_out += max(0, hits.num_rows - room)

    def finish(self, report: QualityReport) -> None:
        """Write the sheets that need the whole report."""
        self._summarise(self._summary, report)
        hospitals = [((name,), records, found) for name, records, found in report.by_hospital()]
        self._counts("按医院", ("医疗机构",), hospitals, report)
        departments: dict[tuple[str, ...], Any] = {place: {} for place in report.place_records}
        for (*place, code), number in report.places.items():
            departments[tuple(place)][code] = number
        rows = [(place, report.place_records[place], departments[place]) for place in sorted(departments)]
        self._counts("按科室", ("医疗机构", "科室"), rows, report)

    def _summarise(self, sheet: WorkbookSheet, report: QualityReport) -> None:
        def share(number: int) -> Cell:
            return Cell(number / report.records if report.records else 0.0, "share")

        sheet.add(("病案编码质量报告 Quality of the coded record",), "title")
        sheet.add(("文件", *[path.name for path in report.inputs][:20]))
        sheet.add(("分组方案", report.scheme))
        sheet.add(("结论", "通过" if report.passed else "未通过：存在错误"))
        sheet.add(("病案数", report.records))
        for severity, number in report.by_severity.items():
            sheet.add((f"有{SEVERITY_TITLES[severity]}（{severity}）的病案", number, share(number)))
        left = f"；另有 {self.left_out:,} 条超出工作表上限 {self.most:,} 行，未列出" if self.left_out else "，全部列出"
        sheet.add((f"病案明细共 {self.written:,} 条{left}",))
        if report.unchecked:
            sheet.add((f"文件缺少以下列，相关规则未检查：{'、'.join(report.unchecked)}",))
        sheet.skip()
        sheet.add(("问题", "级别", "病案数", "占比", "处理建议", "规则代码"), "header")
        for count in report.findings:
            rule, records = count.rule, count.records
            sheet.add((rule.title_zh, SEVERITY_TITLES[rule.severity], records, share(records), rule.fix_zh, rule.code))
        for name, title in (("diagnoses", "字典外诊断编码"), ("procedures", "字典外手术操作编码")):
            codes = report.unknown_codes.get(name)
            if codes:
                sheet.skip()
                sheet.add((title, "", "次数"), "header")
                for code, number in codes.most_common(50):
                    sheet.add((code, None, number))
        sheet.skip()
        sheet.add(("阈值", "数值", "单位", "依据", "来源", "名称"), "header")
        for t in report.thresholds:
            sheet.add((t.name, Cell(t.value), t.unit, t.evidence, t.source, t.name))

    def _counts(self, name: str, keys: tuple[str, ...], rows: list[Any], report: QualityReport) -> None:
        """A sheet with a row per place and a column per rule that was broken."""
        codes = [count.rule.code for count in report.findings]
        titles = [*keys, "病案数", "问题数", *(rules()[code].title_zh for code in codes)]
        sheet = self._book.sheet(name, titles, [16] * len(titles), formats=["count"] * len(titles), frozen=len(keys))
        for place, records, found in rows:
            numbers = (found.get(code) or None for code in codes)
            sheet.add((*(text or NO_DEPARTMENT for text in place), records, sum(found.values()), *numbers))


class FindingsTable(ExitStack):
    """Every finding as a row of a CSV or Parquet file. Use it as a context manager."""

    left_out = 0

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def __enter__(self) -> FindingsTable:
        self._writer = self.enter_context(open_writer(self.path, pa.schema([(name, pa.string()) for name in HIT_COLUMNS])))
        return self

    def write(self, hits: pa.RecordBatch) -> None:
        """Take findings."""
        self._writer.write(self._writer.encode(hits))

    def finish(self, report: QualityReport) -> None:
        """Nothing more to write."""


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

"""A comparison of two schemes as a self-contained HTML page."""

from __future__ import annotations

from drgsim.report.page import render_page
from drgsim.units.schemes.adrg_successions import RELATIONS
from drgsim.units.schemes.scheme_differences import SchemeDifference

MOST_ROWS = 3000  # code rows that a page lists; the JSON has all
LEVELS = (("mdc", "MDC 主要诊断大类"), ("adrg", "ADRG 核心组"), ("drg", "DRG 细分组"))
CHANGES = (("added", "added 新增"), ("removed", "removed 取消"), ("changed", "changed 变化"))
ASPECTS = {
    "name": "name 名称", "kind": "kind 类型", "order": "order 顺序", "parent": "parent 归属", "rule": "rule 规则",
    "lists": "code lists 编码集合",
}  # fmt: skip


def difference_page(difference: SchemeDifference) -> str:
    """The page: counts, every row that differs with old and new rule, codes that moved, CC changes."""
    return render_page(
        "scheme_diff.html", title=f"{difference.before} → {difference.after}", d=difference, summary=difference.summary(),
        relations=RELATIONS, moved=difference.level_changes(), levels=LEVELS, changes=CHANGES, aspects=ASPECTS, most=MOST_ROWS,
    )  # fmt: skip

"""Why a discharge has its DIP kind: what an explanation holds, and how it reads as a tree of lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from drgsim.records.arrow import number_text
from drgsim.units.dip.dip_catalogue import KINDS, OPERATION_CLASSES
from drgsim.units.dip.dip_trace import CellTrace, DipTrace, LevelTrace, StageTrace
from drgsim.units.drg.drg_narrative import (
    RecordExplanation,
    TreeLine,
    code_lines,
    finding_lines,
    level_marks,
    person_line,
    plain_text,
    rule_text,
)
from drgsim.units.schemes.scheme import UNGROUPED

STAGE_TITLES = {
    "excluded": "excluded list 排除列表",
    "first": "first kinds 先期分组",
    "merged": "merged kinds 并项病种",
    "tcm": "kinds of Chinese medicine 中医优势病种",
    "split": "kinds split by another diagnosis 诊断辅助细分",
    "auxiliary": "core kinds with a level 诊断辅助细分",
    "core": "core kinds 核心病种",
    "comprehensive": "comprehensive kinds 综合病种",
    "chapter": "chapters 章节",
    "blank": "blank group 空白病组",
}
MOST_SHOWN = 12  # combinations of a stage that did not fit and are spelled out


@dataclass(frozen=True)
class DipExplanation(RecordExplanation):
    """Why a discharge has its kind.

    Attributes
    ----------
    trace
        Every combination that was tried. For an invalid record it says what the catalogue would answer, which then counts for
        nothing.
    assumptions
        What of the matching rests on assumptions of the catalogue.
    """

    trace: DipTrace
    assumptions: tuple[str, ...]

    @property
    def dip(self) -> str:
        """Code of the kind, 0000 when there is none."""
        return UNGROUPED if self.status == "invalid" else self.trace.dip

    def to_dict(self) -> dict[str, Any]:
        """Nested plain dictionaries and lists."""
        return {"dip": self.dip, **asdict(self)}

    def __str__(self) -> str:
        return plain_text(kind_lines(self))


def kind_lines(e: DipExplanation, *, brief: bool = False) -> list[TreeLine]:
    """The explanation as trees: the record, the stages tried, the answer. ``brief`` leaves out what did not match."""
    marks = level_marks(e.trace.other_diagnoses, e.diagnoses)
    record = TreeLine(
        f"Discharge 病案 {e.discharge_id}".rstrip(),
        "title",
        [
            person_line(e.discharge),
            code_lines(e.diagnoses, "diagnosis 诊断", marks),
            code_lines(e.procedures, "procedure 手术操作", _procedure_marks(e)),
            *_comorbidities(e),
        ],
    )
    tried = TreeLine(f"Kinds of {e.trace.catalogue}, in order 匹配过程", "title")
    tried.below += [_stage(stage, e, brief) for stage in e.trace.stages]
    if not tried.below:
        tried.below.append(TreeLine("no kind covers the principal diagnosis 目录中无此主要诊断", "dim"))
    return [record, tried, _answer(e)]


def _procedure_marks(e: DipExplanation) -> list[str]:
    simple = "simple, counts as not done 简单操作"
    return [
        "does not count 排除" if code.code in e.trace.left_out else simple if code.code in e.trace.simple else ""
        for code in e.procedures
    ]


def _comorbidities(e: DipExplanation) -> Iterator[TreeLine]:
    if e.trace.comorbidities:
        below = [
            TreeLine(f"{item.title} {item.title_zh}: {item.points or '0, a graver one counts'}  ← {', '.join(item.codes)}")
            for item in e.trace.comorbidities
        ]
        yield TreeLine(f"comorbidity index 合并症指数 CCI: {e.trace.cci}", "", below)


def _stage(stage: StageTrace, e: DipExplanation, brief: bool) -> TreeLine:
    chosen = [cell for cell in stage.tried if cell.chosen]
    fitting = [cell for cell in stage.tried if cell.fits and not cell.chosen]
    leveled = [cell for cell in stage.tried if not cell.fits and not cell.why]
    # the nearest first: those whose procedures were done in part
    others = sorted((cell for cell in stage.tried if cell.why), key=lambda cell: -cell.matched)
    line = TreeLine(f"{'✓' if chosen else '✗'} {STAGE_TITLES[stage.stage]}", "good" if chosen else "dim")
    if stage.stage == "comprehensive":
        name = "conservative" if stage.rest else e.trace.operation_class
        shown = f"{name} {OPERATION_CLASSES[name]}" if name else "not known 未知"
        line.text += f" — property 操作属性: {shown}" + (" (no kind of its own property 归入内科诊疗组)" if stage.rest else "")
    line.text += f"  (combinations of this diagnosis 组合数: {len(stage.tried)})"
    line.below += [_cell(cell) for cell in chosen]
    if brief:
        return line
    line.below += [_cell(cell) for cell in (*fitting, *leveled)]
    line.below += [_cell(cell) for cell in others[:MOST_SHOWN]]
    if len(others) > MOST_SHOWN:
        line.below.append(TreeLine(f"... and {len(others) - MOST_SHOWN} more that do not fit; --json lists all", "dim"))
    return line


def _cell(cell: CellTrace) -> TreeLine:
    title = f"{cell.code} {cell.name}".rstrip()
    if cell.kind.startswith("core_"):
        title += f" [{KINDS[cell.kind]}]"
    if cell.why:
        return TreeLine(f"✗ {title} — {cell.why}", "dim")
    parts = []
    if cell.procedure:
        place = "principal procedure 主手术" if cell.in_place else "procedure in another place 非主手术"
        parts.append(f"{place}, {cell.matched} matched 匹配")
        parts += [f"{cell.missing} missing 缺"] if cell.missing else []
        parts += [f"{cell.extra} done beyond it 另有"] if cell.extra else []
    if cell.score is not None:
        parts.append(f"score 分值 {number_text(cell.score)}")
    if cell.chosen:
        line = TreeLine(f"✓ {title}", "good")
    elif cell.fits:
        line = TreeLine(f"· {title}: fits less well 次优", "")
    else:
        line = TreeLine(f"✗ {title}: the procedures fit, but it has no line for the level of the case 无对应等级", "warn")
    line.text += f" — {', '.join(parts)}" if parts else ""
    line.below += [_level(level) for level in cell.levels]
    return line


def _level(level: LevelTrace) -> TreeLine:
    score = "" if level.score is None else f", score 分值 {number_text(level.score)}"
    mark = "✓" if level.holds else "✗"
    name = f"{level.aux} {level.level}: {level.title} {level.title_zh}{score}"
    seen = ", ".join(dict.fromkeys(part.seen for part in level.rule.parts if part.seen))
    return TreeLine(f"{mark} {name} — {rule_text(level.rule)}" + (f"  ({seen})" if seen else ""), "" if level.holds else "dim")


def _answer(e: DipExplanation) -> TreeLine:
    t = e.trace
    if e.status == "invalid":
        answer = TreeLine("Answer 结果: invalid 无效 → 0000", "bad")
    elif e.status == "grouped":
        level = f", level 分型 {t.aux} {t.aux_level}" if t.aux else ""
        score = "" if t.score is None else f", score 分值 {number_text(t.score)}"
        answer = TreeLine(f"Answer 结果: {t.dip} {t.name}  ({KINDS[t.kind]} {t.kind}{level}{score})", "good")
    elif t.kind == "blank":
        answer = TreeLine(f"Answer 结果: no kind 未入组 → blank group 空白病组 {t.dip}", "warn")
    else:
        answer = TreeLine("Answer 结果: ungroupable 未入组 → 0000", "bad")
    answer.below += finding_lines(e.reason, e.warnings)
    if e.assumptions:
        answer.below.append(TreeLine(f"assumption 假设: {', '.join(e.assumptions)}; drgsim schemes show {t.catalogue}", "dim"))
    return answer

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
from drgsim.units.drg.drg_reference import RuleTrace
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
READING_TITLES = {
    "excluded_diagnoses": "excluded diagnoses 不纳入分组的主要诊断",
    "excluded_procedures": "excluded procedures 不纳入分组的主要手术操作",
    "primary_care": "primary care 基层病种",
}
MOST_SHOWN = 12  # combinations of a stage that did not fit and are spelled out
MOST_FIRST = 2  # of first kinds, which are the same for every diagnosis


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
    readings
        How the catalogue reads what its text leaves open, where the answer may rest on it: topic and sentence.
    scored
        Whether the kinds of the catalogue have scores.
    """

    trace: DipTrace
    assumptions: tuple[str, ...]
    readings: tuple[tuple[str, str], ...] = ()
    scored: bool = True

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
    if not tried.below and e.trace.excluded:
        words = "the excluded list keeps the principal diagnosis from any kind 排除列表：不可作为主要诊断"
        tried.below.append(TreeLine(f"✗ {words}", "warn"))
    elif not tried.below:
        tried.below.append(TreeLine("no kind covers the principal diagnosis 目录中无此主要诊断", "dim"))
    return [record, tried, _answer(e)]


def _procedure_marks(e: DipExplanation) -> list[str]:
    marks = dict.fromkeys(e.trace.simple, "simple, counts as not done 简单操作")
    marks |= dict.fromkeys(e.trace.not_principal, "may not be principal here 不可作为主要手术操作")
    marks |= dict.fromkeys(e.trace.left_out, "counts as not done 排除列表：按保守治疗")
    return [marks.get(code.code, "") for code in e.procedures]


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
    most = MOST_FIRST if stage.stage == "first" else MOST_SHOWN
    line.below += [_cell(cell) for cell in others[:most]]
    if len(others) > most:
        line.below.append(TreeLine(f"... and {len(others) - most} more that do not fit; --json lists all", "dim"))
    return line


def _cell(cell: CellTrace) -> TreeLine:
    title = f"{cell.code} {cell.name}".rstrip()
    if cell.kind.startswith("core_"):
        title += f" [{KINDS[cell.kind]}]"
    if cell.why:
        seen = f" ({rule_text(cell.condition)})" if cell.condition is not None and not cell.condition.holds else ""
        return TreeLine(f"✗ {title} — {cell.why}{seen}", "dim")
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
    if cell.condition is not None:
        hits = _seen(cell.condition)
        line.below.append(TreeLine(f"✓ condition 条件: {rule_text(cell.condition)}" + (f"  ({hits})" if hits else "")))
    line.below += [_level(level) for level in cell.levels]
    return line


def _seen(rule: RuleTrace) -> str:
    """What parts of a condition saw in the record."""
    return ", ".join(dict.fromkeys(part.seen for part in rule.parts if part.seen)) or rule.seen


def _level(level: LevelTrace) -> TreeLine:
    score = "" if level.score is None else f", score 分值 {number_text(level.score)}"
    mark = "✓" if level.holds else "✗"
    name = f"{level.aux} {level.level}: {level.title} {level.title_zh}{score}"
    seen = _seen(level.rule) if level.rule.parts else ""
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
    if e.status == "grouped" and not e.scored:
        words = "the catalogue has no scores: drgsim dip score takes a region's own 目录无分值"
        answer.below.append(TreeLine(words, "dim"))
    if t.primary_care:
        words = f"primary-care case 基层病种: {t.primary_care} stands on the list, one score for all hospitals 同病同质同付"
        answer.below.append(TreeLine(words))
    answer.below += finding_lines(e.reason, e.warnings)
    if e.assumptions:
        answer.below.append(TreeLine(f"assumption 假设: {', '.join(e.assumptions)}; drgsim schemes show {t.catalogue}", "dim"))
    for topic, words in e.readings:
        title = READING_TITLES.get(topic) or STAGE_TITLES[topic]
        answer.below.append(TreeLine(f"reading 口径 (assumption 假设), {title}: {words}", "dim"))
    return answer

"""Why a discharge has its DIP kind: what an explanation holds, and how it reads as a tree of lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from drgsim.language import bilingual, joined, text
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
    record_title,
    rule_text,
)
from drgsim.units.drg.drg_reference import RuleTrace
from drgsim.units.schemes.scheme import UNGROUPED

STAGE_TITLES = {
    "excluded": text("excluded list 排除列表"),
    "first": text("first kinds 先期分组"),
    "merged": text("merged kinds 并项病种"),
    "tcm": text("kinds of Chinese medicine 中医优势病种"),
    "split": text("kinds split by another diagnosis 诊断辅助细分"),
    "auxiliary": text("core kinds with a level 诊断辅助细分"),
    "core": text("core kinds 核心病种"),
    "comprehensive": text("comprehensive kinds 综合病种"),
    "chapter": text("chapters 章节"),
    "blank": text("blank group 空白病组"),
}
READING_TITLES = {
    "excluded_diagnoses": text("excluded diagnoses 不纳入分组的主要诊断"),
    "excluded_procedures": text("excluded procedures 不纳入分组的主要手术操作"),
    "primary_care": text("primary care 基层病种"),
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
        record_title(e.discharge_id),
        "title",
        [
            person_line(e.discharge),
            code_lines(e.diagnoses, text("diagnosis 诊断"), marks),
            code_lines(e.procedures, text("procedure 手术操作"), _procedure_marks(e)),
            *_comorbidities(e),
        ],
    )
    tried = TreeLine(text("Kinds of {catalogue}, in order 匹配过程", catalogue=e.trace.catalogue), "title")
    tried.below += [_stage(stage, e, brief) for stage in e.trace.stages]
    if not tried.below and e.trace.excluded:
        words = text("the excluded list keeps the principal diagnosis from any kind 排除列表：不可作为主要诊断")
        tried.below.append(TreeLine(joined(" ", ["✗", words]), "warn"))
    elif not tried.below:
        tried.below.append(TreeLine(text("no kind covers the principal diagnosis 目录中无此主要诊断"), "dim"))
    return [record, tried, _answer(e)]


def _procedure_marks(e: DipExplanation) -> list[str]:
    marks = dict.fromkeys(e.trace.simple, text("simple, counts as not done 简单操作"))
    marks |= dict.fromkeys(e.trace.not_principal, text("may not be principal here 不可作为主要手术操作"))
    marks |= dict.fromkeys(e.trace.left_out, text("counts as not done 排除列表：按保守治疗"))
    return [marks.get(code.code, "") for code in e.procedures]


def _comorbidities(e: DipExplanation) -> Iterator[TreeLine]:
    if e.trace.comorbidities:
        below = [
            TreeLine(
                text(
                    "{title}: {points}  ← {codes}",
                    title=bilingual(f"{item.title} {item.title_zh}", item.title_zh),
                    points=item.points or text("0, a graver one counts"),
                    codes=", ".join(item.codes),
                )
            )
            for item in e.trace.comorbidities
        ]
        yield TreeLine(text("comorbidity index 合并症指数 CCI: {cci}", cci=e.trace.cci), "", below)


def _stage(stage: StageTrace, e: DipExplanation, brief: bool) -> TreeLine:
    chosen = [cell for cell in stage.tried if cell.chosen]
    fitting = [cell for cell in stage.tried if cell.fits and not cell.chosen]
    leveled = [cell for cell in stage.tried if not cell.fits and not cell.why]
    # the nearest first: those whose procedures were done in part
    others = sorted((cell for cell in stage.tried if cell.why), key=lambda cell: -cell.matched)
    parts = ["✓ " if chosen else "✗ ", STAGE_TITLES[stage.stage]]
    if stage.stage == "comprehensive":
        name = "conservative" if stage.rest else e.trace.operation_class
        own = bilingual(f"{name} {OPERATION_CLASSES[name]}", OPERATION_CLASSES[name]) if name else text("not known 未知")
        parts.append(text(" — property 操作属性: {property}", property=own))
        parts += [text(" (no kind of its own property 归入内科诊疗组)")] if stage.rest else []
    parts.append(text("  (combinations of this diagnosis 组合数: {count})", count=len(stage.tried)))
    line = TreeLine(joined("", parts), "good" if chosen else "dim")
    line.below += [_cell(cell) for cell in chosen]
    if brief:
        return line
    line.below += [_cell(cell) for cell in (*fitting, *leveled)]
    most = MOST_FIRST if stage.stage == "first" else MOST_SHOWN
    line.below += [_cell(cell) for cell in others[:most]]
    if len(others) > most:
        more = text("... and {count} more that do not fit; --json lists all", count=len(others) - most)
        line.below.append(TreeLine(more, "dim"))
    return line


def _cell(cell: CellTrace) -> TreeLine:
    title = f"{cell.code} {cell.name}".rstrip()
    if cell.kind.startswith("core_"):
        title += f" [{KINDS[cell.kind]}]"
    if cell.why:
        failed = cell.condition is not None and not cell.condition.holds
        seen = [" (", rule_text(cell.condition), ")"] if cell.condition is not None and failed else []
        return TreeLine(joined("", [f"✗ {title} — ", cell.why, *seen]), "dim")
    parts = []
    if cell.procedure:
        place = text("principal procedure 主手术") if cell.in_place else text("procedure in another place 非主手术")
        parts.append(text("{place}, {matched} matched 匹配", place=place, matched=cell.matched))
        parts += [text("{missing} missing 缺", missing=cell.missing)] if cell.missing else []
        parts += [text("{extra} done beyond it 另有", extra=cell.extra)] if cell.extra else []
    if cell.score is not None:
        parts.append(text("score 分值 {score}", score=number_text(cell.score)))
    if cell.chosen:
        line = TreeLine(f"✓ {title}", "good")
    elif cell.fits:
        line = TreeLine(text("· {title}: fits less well 次优", title=title), "")
    else:
        line = TreeLine(
            text("✗ {title}: the procedures fit, but it has no line for the level of the case 无对应等级", title=title), "warn"
        )
    if parts:
        line.text = joined("", [line.text, " — ", joined(", ", parts)])
    if cell.condition is not None:
        held = text("✓ condition 条件: {rule}", rule=rule_text(cell.condition))
        line.below.append(TreeLine(_with_seen(held, _seen(cell.condition))))
    line.below += [_level(level) for level in cell.levels]
    return line


def _seen(rule: RuleTrace) -> str:
    """What parts of a condition saw in the record."""
    return joined(", ", dict.fromkeys(part.seen for part in rule.parts if part.seen)) or rule.seen


def _with_seen(line: str, seen: str) -> str:
    return joined("", [line, "  (", seen, ")"]) if seen else line


def _level(level: LevelTrace) -> TreeLine:
    title = bilingual(f"{level.title} {level.title_zh}", level.title_zh)
    parts: list[str] = ["✓ " if level.holds else "✗ ", f"{level.aux} {level.level}: ", title]
    parts += [] if level.score is None else [text(", score 分值 {score}", score=number_text(level.score))]
    parts += [" — ", rule_text(level.rule)]
    seen = _seen(level.rule) if level.rule.parts else ""
    return TreeLine(_with_seen(joined("", parts), seen), "" if level.holds else "dim")


def _answer(e: DipExplanation) -> TreeLine:
    t = e.trace
    if e.status == "invalid":
        answer = TreeLine(text("Answer 结果: invalid 无效 → 0000"), "bad")
    elif e.status == "grouped":
        parts: list[str] = [bilingual(f"{KINDS[t.kind]} {t.kind}", KINDS[t.kind])]
        parts += [text("level 分型 {list} {level}", list=t.aux, level=t.aux_level)] if t.aux else []
        parts += [] if t.score is None else [text("score 分值 {score}", score=number_text(t.score))]
        told = text("Answer 结果: {dip} {name}  ({told})", dip=t.dip, name=t.name, told=joined(", ", parts))
        answer = TreeLine(told, "good")
    elif t.kind == "blank":
        answer = TreeLine(text("Answer 结果: no kind 未入组 → blank group 空白病组 {dip}", dip=t.dip), "warn")
    else:
        answer = TreeLine(text("Answer 结果: ungroupable 未入组 → 0000"), "bad")
    if e.status == "grouped" and not e.scored:
        words = text("the catalogue has no scores: drgsim dip score takes a region's own 目录无分值")
        answer.below.append(TreeLine(words, "dim"))
    if t.primary_care:
        words = text(
            "primary-care case 基层病种: {primary_care} stands on the list, one score for all hospitals 同病同质同付",
            primary_care=t.primary_care,
        )
        answer.below.append(TreeLine(words))
    answer.below += finding_lines(e.reason, e.warnings)
    if e.assumptions:
        answer.below.append(
            TreeLine(
                text(
                    "assumption 假设: {assumptions}; drgsim schemes show {catalogue}",
                    assumptions=joined(", ", e.assumptions),
                    catalogue=t.catalogue,
                ),
                "dim",
            )
        )
    for topic, sentence in e.readings:
        title = READING_TITLES.get(topic) or STAGE_TITLES[topic]
        said = text("reading 口径 (assumption 假设), {title}: {words}", title=title, words=sentence)
        answer.below.append(TreeLine(said, "dim"))
    return answer

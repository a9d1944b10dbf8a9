"""Why a discharge has its group: what an explanation holds, and how it reads as a tree of lines."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from drgsim.language import bilingual, joined, text
from drgsim.records.findings import BY_CODE
from drgsim.units.drg.drg_reference import DiagnosisTrace, Discharge, GroupTrace, RuleTrace, Trace
from drgsim.units.schemes.scheme import KINDS, UNGROUPED

SEX = {1.0: text("male 男"), 2.0: text("female 女"), None: text("missing")}
KIND_TITLES = {kind: bilingual(f" [{kind} {title}]", f" [{title}]") for kind, title in KINDS.items()}
STATUS_TITLES = {
    "grouped": text("grouped"),
    "ambiguous": text("ambiguous"),
    "ungroupable": text("ungroupable"),
    "invalid": text("invalid"),
}


@dataclass(frozen=True)
class CodeTrace:
    """A code of the record as it was understood."""

    code: str
    name: str
    known: bool
    grey: bool
    given: str = ""  # as the record has it, where it was converted from another edition


@dataclass(frozen=True)
class RecordExplanation(ABC):
    """What every explanation tells of a discharge, whatever it is grouped by.

    Attributes
    ----------
    discharge_id
        As the record gives it, may be empty.
    discharge
        The record as the rules see it.
    diagnoses, procedures
        Its codes with names, principal first.
    status, reason, warnings
        As a batch reports them.
    """

    discharge_id: str
    discharge: Discharge
    diagnoses: tuple[CodeTrace, ...]
    procedures: tuple[CodeTrace, ...]
    status: str
    reason: str
    warnings: tuple[str, ...]

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Nested plain dictionaries and lists."""

    def to_json(self) -> str:
        """The explanation as JSON, Chinese characters as they are."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=2, allow_nan=False)


@dataclass(frozen=True)
class Explanation(RecordExplanation):
    """Why a discharge has its group.

    Attributes
    ----------
    mdc_hint
        As a batch reports it.
    trace
        Every MDC, ADRG and DRG that was tried. For an invalid record it says what the rules would answer, which then
        counts for nothing.
    marks
        What the scheme says of the group beside how it is grouped, such as that it is a primary-care group.
    table_notes
        Where the tables of the scheme themselves leave a case without a group, or make it ambiguous.
    """

    mdc_hint: str
    trace: Trace
    marks: tuple[str, ...] = ()
    table_notes: tuple[str, ...] = ()

    @property
    def drg(self) -> str:
        """Code of the group, 0000 when there is none."""
        return UNGROUPED if self.status == "invalid" else self.trace.drg

    def to_dict(self) -> dict[str, Any]:
        """Nested plain dictionaries and lists."""
        return {"drg": self.drg, **asdict(self)}

    def __str__(self) -> str:
        return str(explanation_text(self))


@dataclass
class TreeLine:
    """A line of the tree: text, style (``good``, ``bad``, ``dim``, ``title``, ``warn`` or none) and the lines below it."""

    text: str
    style: str = ""
    below: list[TreeLine] = field(default_factory=list)


def explanation_lines(e: Explanation, *, brief: bool = False) -> list[TreeLine]:
    """The explanation as trees: the record, the groups tried, the answer. ``brief`` leaves out what did not match."""
    record = TreeLine(
        record_title(e.discharge_id),
        "title",
        [
            person_line(e.discharge),
            code_lines(e.diagnoses, text("diagnosis 诊断"), level_marks(e.trace.other_diagnoses, e.diagnoses)),
            code_lines(e.procedures, text("procedure 手术操作"), [""] * len(e.procedures)),
        ],
    )
    tried = TreeLine(text("Rules of {scheme}, in order 分组过程", scheme=e.trace.scheme), "title")
    if e.trace.only_procedure:
        tried.below.append(
            TreeLine(text("grouped again with {procedure} as the only procedure", procedure=e.trace.only_procedure), "warn")
        )
    for group in e.trace.tried:
        if group.holds or not brief:
            tried.below.append(_group(group, brief))
    return [record, tried, _answer(e)]


def record_title(discharge_id: str) -> str:
    """The head of the record's tree."""
    return text("Discharge 病案 {discharge_id}", discharge_id=discharge_id) if discharge_id else text("Discharge 病案")


def person_line(d: Discharge) -> TreeLine:
    """Sex, age and what else is known of the stay."""
    parts = [
        text("sex 性别 {sex}", sex=SEX[d.sex]),
        text("age 年龄 {years}", years=text("missing") if d.age is None else f"{d.age:g}"),
    ]
    parts += [text("age in days 日龄 {days:g}", days=d.age_days)] if d.age_days is not None else []
    parts += [text("birth weight 出生体重 g {grams:g}", grams=d.birth_weight_g)] if d.birth_weight_g is not None else []
    parts += [text("stay 住院天数 {days:g}", days=d.los_days)] if d.los_days is not None else []
    parts += [text("ICU hours {hours:g}", hours=d.icu_hours)] if d.icu_hours is not None else []
    parts += [text("discharge way 离院方式 {way}", way=d.discharge_way)] if d.discharge_way else []
    parts += [text("department 科室 {department}", department=d.department)] if d.department else []
    return TreeLine(joined(" · ", parts))


def level_marks(others: Sequence[DiagnosisTrace], diagnoses: Sequence[CodeTrace]) -> list[str]:
    """For each diagnosis, principal first, the level that it counts for or what took it away."""
    levels = [""] if diagnoses else []
    for diagnosis in others:
        if diagnosis.excluded:
            principal = diagnoses[0].code
            levels.append(
                text(
                    "{level} taken away: exclusion list {exclusion} holds {principal} 被排除",
                    level=diagnosis.level,
                    exclusion=diagnosis.exclusion,
                    principal=principal,
                )
            )
        else:
            levels.append("" if diagnosis.level == "none" else diagnosis.level)
    return levels


def code_lines(codes: Sequence[CodeTrace], title: str, levels: Sequence[str]) -> TreeLine:
    """Codes with their names and what is remarkable about each."""
    lines = []
    for place, (code, level) in enumerate(zip(codes, levels, strict=True)):
        role = text("principal 主") if place == 0 else text("other 其他")
        if not code.code:
            lines.append(TreeLine(text("{role}: blank", role=role), "warn"))
            continue
        named = f"{code.code} {code.name}".rstrip()
        marks: list[str] = [text("converted from 转换自 {given}", given=code.given)] if code.given and code.known else []
        marks += [level] if level else []
        marks += [] if code.known else [text("not in the national dictionary 未知编码")]
        marks += [text("grey code 灰码")] if code.grey else []
        style = "warn" if not code.known or code.grey else ""
        lines.append(TreeLine(joined(" · ", [text("{role}: {code}", role=role, code=named), *marks]), style))
    return TreeLine(title if lines else text("{title}: none 无", title=title), "", lines)


def _group(group: GroupTrace, brief: bool) -> TreeLine:
    mark = "✓" if group.holds else "✗"
    kind = KIND_TITLES.get(group.kind, "")
    rule = group.rule.rule if group.rule.parts else rule_text(group.rule)
    line = TreeLine(joined("", [f"{mark} {group.code} {group.name}", kind, " — ", rule]), "good" if group.holds else "dim")
    line.below += [_part(part) for part in group.rule.parts]
    tried = [below for below in group.tried if below.holds or not brief]
    line.below += [_group(below, brief) for below in tried]
    if group.holds and group.kind != "drg" and not any(below.holds for below in group.tried):
        line.text = joined("", [line.text, text("  (no group below holds, go on 无匹配，继续)")])
    return line


def _part(part: RuleTrace) -> TreeLine:
    mark = "✓" if part.holds else "✗"
    below = [_part(inner) for inner in part.parts]
    return TreeLine(joined(" ", [mark, rule_text(part)]), "" if part.holds else "dim", below)


def rule_text(rule: RuleTrace) -> str:
    """A rule with the values and codes that it saw."""
    parts: list[str] = [text("always 恒成立") if rule.rule == "1" else rule.rule]
    if rule.seen:
        parts += ["  (", rule.seen, ")"]
    if rule.hits and not rule.parts:
        several = len({hit.listed_in for hit in rule.hits}) > 1 or "{DI_" in rule.rule or "{OP_" in rule.rule
        lists = [f" [{hit.listed_in}]" if several else "" for hit in rule.hits]
        hits = ", ".join(f"{hit.code} {hit.name}{place}" for hit, place in zip(rule.hits, lists, strict=True))
        parts += ["  ← ", hits]
    return joined("", parts)


def _answer(e: Explanation) -> TreeLine:
    style = {"grouped": "good", "ambiguous": "warn"}.get(e.status, "bad")
    if e.status == "invalid":
        answer = TreeLine(text("Answer 结果: invalid 无效 → 0000"), style)
    elif e.trace.mdc:
        path = " → ".join((e.trace.mdc, e.trace.adrg, f"{e.trace.drg} {e.trace.drg_name}"))
        answer = TreeLine(
            text(
                "Answer 结果: {path}  ({status}, severity {severity})",
                path=path,
                status=STATUS_TITLES[e.status],
                severity=e.trace.severity,
            ),
            style,
        )
    else:
        none = text("Answer 结果: ungroupable 未入组 → 0000")
        known = text("Answer 结果: ungroupable 未入组 → 0000, MDC known 所属MDC: {mdc}", mdc=e.mdc_hint)
        answer = TreeLine(known if e.mdc_hint else none, style)
    answer.below += [TreeLine(text("mark 标记: {mark}", mark=mark)) for mark in e.marks]
    answer.below += finding_lines(e.reason, e.warnings)
    answer.below += [TreeLine(text("table 分组表: {note}", note=note), "warn") for note in e.table_notes]
    return answer


def finding_lines(reason: str, warnings: Sequence[str]) -> list[TreeLine]:
    """Reason and warnings in words, with the next step."""
    lines = []
    for label, codes in ((text("reason 原因"), [reason] if reason else []), (text("warning 提示"), warnings)):
        for code in codes:
            finding = BY_CODE[code]
            title = bilingual(f"{finding.title} {finding.title_zh}", finding.title_zh)
            said = text("{label}: {title} [{code}] — {fix}", label=label, title=title, code=code, fix=finding.fix)
            lines.append(TreeLine(said, "warn"))
    return lines


def explanation_text(e: Explanation, *, brief: bool = False) -> str:
    """The explanation as indented plain text."""
    return plain_text(explanation_lines(e, brief=brief))


def plain_text(lines: Sequence[TreeLine]) -> str:
    """Trees of lines as indented plain text."""

    def render(line: TreeLine, depth: int) -> Iterator[str]:
        yield joined("", ["  " * depth, line.text])
        for below in line.below:
            yield from render(below, depth + 1)

    return joined("\n", (shown for line in lines for shown in render(line, 0)))

"""Styles of auxiliary lists (辅助目录) as data: which lists there are, for which diagnoses, with which levels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

from pydantic import BeforeValidator, Field

from drgsim.assets import asset_root
from drgsim.authoring.dip.dip_spec import SPEC_FOLDER, FirstKind, SpecError
from drgsim.errors import Problem, did_you_mean
from drgsim.language import text
from drgsim.parameters.evidence import Evidence, Strict
from drgsim.parameters.strict_file import read_strict, validated
from drgsim.units.dip.dip_catalogue import CONDITION_NUMBERS, Level
from drgsim.units.schemes.rule_parser import RuleSyntaxError, parse_rule

FIRST = "first"  # the list whose levels are the conditions of the first kinds


class LevelLine(Strict):
    """A level of a list; of those that hold, the last one counts."""

    level: Annotated[str, BeforeValidator(str)]
    title: str
    title_zh: str
    condition: str


class ListFile(Strict):
    """A list; ``diagnoses`` are ranges of categories that it is for, none: all."""

    title: str
    title_zh: str
    diagnoses: tuple[str, ...]
    levels: tuple[LevelLine, ...] = Field(min_length=1)


class StyleFile(Strict):
    """A file in ``payment_tables/dip-specs/auxiliary``."""

    id: str
    title: str
    title_zh: str
    evidence: Evidence
    source: str
    notes: tuple[str, ...] = ()
    sets: dict[str, tuple[str, ...]]
    lists: dict[str, ListFile]


@dataclass(frozen=True)
class AuxiliaryLists:
    """Auxiliary lists ready for building.

    Attributes
    ----------
    levels
        Levels of all lists in their order; the place of a level is its bit.
    sets
        Code lists that conditions name, as patterns.
    diagnoses
        Ranges of categories that each list is for; an empty tuple: all.
    evidence, source, notes
        Of the style.
    """

    levels: tuple[Level, ...]
    sets: dict[str, tuple[str, ...]]
    diagnoses: dict[str, tuple[str, ...]]
    evidence: str
    source: str
    notes: tuple[str, ...]

    def bits(self, name: str) -> list[int]:
        """Bits of the levels of a list, in order."""
        return [bit for bit, level in enumerate(self.levels) if level.aux == name]

    def is_for(self, name: str, diagnosis: str) -> bool:
        """Whether a list is for a diagnosis.

        Examples
        --------
        >>> lists = load_lists("1.0", ("severity", "tumour"))
        >>> [(lists.is_for("tumour", dx), lists.is_for("severity", dx)) for dx in ("C34.1", "I21.0", "Z51.1")]
        [(True, False), (False, True), (True, False)]
        """
        ranges = self.diagnoses[name]
        category = diagnosis[:3]
        return not ranges or any(part[:3] <= category <= part[-3:] for part in ranges)


def style_names() -> list[str]:
    """Styles that ship with drgsim.

    Examples
    --------
    >>> style_names()
    ['1.0', '3.0']
    """
    return sorted(path.stem for path in (asset_root("payment_tables") / SPEC_FOLDER / "auxiliary").glob("*.yaml"))


@lru_cache(maxsize=8)
def _style(name: str) -> StyleFile:
    path = asset_root("payment_tables") / SPEC_FOLDER / "auxiliary" / f"{name}.yaml"
    if not path.is_file():
        fix = did_you_mean(name, style_names()) or text("the styles are {style_names}", style_names=", ".join(style_names()))
        problem = Problem("spec-unknown-style", text("there is no style of auxiliary lists {name!r}", name=name), fix=fix)
        raise SpecError([problem], exit_code=2)
    problems: list[Problem] = []
    raw, _ = read_strict(path, "spec", problems)
    file = validated(StyleFile, raw, "spec", path.name, problems) if raw is not None else None
    if file is None or problems:
        raise SpecError(problems)
    return file


def load_lists(style: str, names: tuple[str, ...], first: dict[str, FirstKind] | None = None) -> AuxiliaryLists:
    """The lists of a style that a specification uses, and the conditions of its first kinds.

    Raises
    ------
    SpecError
        An unknown style or list, or a condition that is no rule; all at once.
    """
    file = _style(style)
    problems = [
        Problem(
            "spec-unknown-list",
            text("the style {style} has no auxiliary list {name!r}", style=style, name=name),
            where="auxiliary.lists",
            fix=did_you_mean(name, list(file.lists)) or text("its lists are {lists}", lists=", ".join(file.lists)),
        )
        for name in names
        if name not in file.lists
    ]
    levels = []
    sets = dict(file.sets)
    for name in (name for name in file.lists if name in names):
        for line in file.lists[name].levels:
            try:
                rule = parse_rule(line.condition, CONDITION_NUMBERS)
            except RuleSyntaxError as error:
                where = text("{style}.yaml: lists.{name}, level {level}", style=style, name=name, level=line.level)
                problems.append(Problem("spec-bad-condition", f"{line.condition}: {error}", where=where))
                continue
            levels.append(Level(name, line.level, line.title, line.title_zh, rule, file.evidence.value))
    for code, kind in reversed((first or {}).items()):  # of several that hold the last level counts: the first kind
        for name, (_, codes) in _lists_of(code, kind).items():
            sets[name] = codes
        rule = parse_rule(first_condition(code, kind), CONDITION_NUMBERS)
        levels.append(Level(FIRST, code, kind.title, kind.title_zh, rule, kind.evidence.value))
    if problems:
        raise SpecError(problems, exit_code=2)
    used = {name: file.lists[name].diagnoses for name in file.lists if name in names}
    return AuxiliaryLists(tuple(levels), sets, used, file.evidence.value, file.source, file.notes)


def first_condition(code: str, kind: FirstKind) -> str:
    """The condition of a first kind in the rule language.

    Examples
    --------
    >>> from drgsim.authoring.dip.dip_spec import load_spec
    >>> first = load_spec("dip-3.0-draft").file.first
    >>> first_condition("AI2", first["AI2"])
    'XSRTL < 29 and XSRTZ >= 750 and XSRTZ < 1000'
    >>> first_condition("AA2", first["AA2"])
    '{ZYSS, QTSS} in OP_AA2'
    """
    parts = [f"{variables} in {name}" for name, (variables, _) in _lists_of(code, kind).items()]
    for variable, operator, limit in (
        ("XSRTL", "<", kind.age_days_below), ("XSRTZ", ">=", kind.birth_weight_from), ("XSRTZ", "<", kind.birth_weight_below),
    ):  # fmt: skip
        if limit is not None:
            parts.append(f"{variable} {operator} {limit:g}")
    return " and ".join(parts) or "1"


def _lists_of(code: str, kind: FirstKind) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Code lists of a first kind: name -> the variables that are looked up in it, and its patterns."""
    name = code.replace("-", "_")
    listed = {
        f"DI_{name}": ("{ZYZD, QTZD}", kind.any_diagnoses),
        f"OP_{name}": ("{ZYSS, QTSS}", kind.procedures) if kind.procedures else ("ZYSS", kind.principal_procedures),
        f"OP_{name}_ALSO": ("{ZYSS, QTSS}", kind.also_procedures),
    }
    return {each: (variables, codes) for each, (variables, codes) in listed.items() if codes}

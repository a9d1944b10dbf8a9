"""Make the parts of the documents that data and the program state, in both languages.

    python -m tools.make_reference

A page of ``docs`` marks such a part: ``<!-- made: NAME -->`` before and ``<!-- end made -->`` after it. Pages named
``*.zh.md`` get it in Chinese. :data:`PARTS` says what a name stands for; a test compares.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pandas as pd
import typer
import yaml
from typer.models import ArgumentInfo

import drgsim
from drgsim.cli.main import app
from drgsim.cli.spoken_help import plain_help
from drgsim.language import spoken, term, text_of_data
from drgsim.language.catalogue import translated
from drgsim.quality.quality_rules import rules, thresholds
from drgsim.records.findings import FINDINGS
from drgsim.records.schema import columns
from tools.make_api_docs import VERBS
from tools.measure_region import MARK as MEASURED

DOCS = Path(__file__).parent.parent / "docs"
MARK = re.compile(r"(<!-- made: (?P<name>[^>]+) -->\n).*?(<!-- end made -->)", re.S)
# words of data that the program itself never shows to people
WORDS: dict[str, str] = yaml.safe_load((Path(__file__).parent / "reference_words.yaml").read_text(encoding="utf-8"))


def said(word: object, language: str) -> str:
    """A word or sentence of data in a language."""
    english = "" if word is None or word != word else str(word)
    if language == "en" or not english:
        return english
    return WORDS.get(english) or str(spoken(text_of_data(english), language))


def table(heads: dict[str, str], rows: Iterable[Iterable[object]], language: str, right: Iterable[int] = ()) -> str:
    """A table of Markdown; ``heads`` has the English titles with the Chinese ones, ``right`` the columns of numbers."""
    titles = list(heads) if language == "en" else list(heads.values())
    rule = ["--:" if place in set(right) else "---" for place in range(len(titles))]
    cells = [[str(cell).replace("|", r"\|").replace("\n", " ") for cell in row] for row in rows]
    return "\n".join([f"| {' | '.join(titles)} |", f"|{'|'.join(rule)}|", *(f"| {' | '.join(row)} |" for row in cells)])


def column_part(language: str) -> str:
    """The canonical columns of discharges."""
    heads = {"column": "列", "中文": "中文名", "unit": "单位", "needed": "必需", "also read as": "也识别为"}
    rows = (
        (
            f"`{name}`",
            column.title_zh,
            said(column.unit, language),
            said("yes", language) if column.required else "",
            ", ".join(f"`{alias}`" for alias in column.aliases),
        )
        for name, column in columns().items()
    )
    return table(heads, rows, language)


def finding_part(kind: str) -> Callable[[str], str]:
    """The findings of a kind."""

    def part(language: str) -> str:
        found = [finding for finding in FINDINGS if finding.kind == kind]
        if language == "en":
            heads = {"code": "", "meaning": "", "含义": "", "what to do": ""}
            return table(heads, ((f"`{f.code}`", f.title, f.title_zh, f.fix) for f in found), language)
        heads = {"code": "代码", "meaning": "含义", "what to do": "怎么办"}
        rows = (
            (f"`{f.code}`", f.title_zh, rules()[f.code].fix_zh if f.code in rules() else said(f.fix, language)) for f in found
        )
        return table(heads, rows, language)

    return part


def quality_part(language: str) -> str:
    """The rules about the coded record."""
    if language == "en":
        heads = {"code": "", "severity": "", "meaning": "", "含义": ""}
        return table(heads, ((f"`{r.code}`", r.severity, r.title, r.title_zh) for r in rules().values()), language)
    heads = {"code": "代码", "severity": "级别", "meaning": "含义", "what to do": "怎么办"}
    return table(heads, ((f"`{r.code}`", r.severity, r.title_zh, r.fix_zh) for r in rules().values()), language)


def threshold_part(language: str) -> str:
    """The thresholds of these rules."""
    heads = {"threshold": "阈值", "value": "数值", "unit": "单位", "evidence": "证据", "source": "出处"}
    rows = (
        (f"`{t.name}`", f"{t.value:g}", said(t.unit, language), said(t.evidence, language), said(t.source, language))
        for t in thresholds().values()
    )
    return table(heads, rows, language)


def _whole(number: float) -> str:
    return "" if pd.isna(number) else f"{int(number):,}"


def scheme_part(language: str) -> str:
    """The schemes and catalogues that ship."""
    heads = {
        "id": "编号", "title": "名称", "kind": "类型", "base": "基于", "DRG or DIP kinds": "病组、病种数", "QY": "歧义组",
        "evidence": "证据",
    }  # fmt: skip
    frame = drgsim.schemes().to_pandas()
    rows = (
        (
            f"`{row.id}`",
            row.title_zh,
            said(row.unit, language) if language == "zh" else row.unit.upper(),
            "" if pd.isna(row.base) else f"`{row.base}`",
            _whole(row.drg if pd.isna(row.kinds) else row.kinds),
            _whole(row.qy),
            said(row.evidence, language),
        )
        for row in frame.itertuples()
    )
    return table(heads, rows, language, right=(4, 5))


def policy_part(language: str) -> str:
    """The payment policies that ship."""
    heads = {
        "id": "编号", "title": "名称", "method": "方法", "scheme": "分组方案", "groups with a value": "有数值的病组",
        "parameters": "参数", "of these assumed": "其中为假设",
    }  # fmt: skip
    rows = (
        (
            f"`{row.id}`",
            row.title_zh if language == "zh" else row.title,
            said(row.method, language),
            "" if pd.isna(row.scheme) else f"`{row.scheme}`",
            _whole(row.groups),
            row.parameters,
            row.assumptions,
        )
        for row in drgsim.policies().to_pandas().itertuples()
    )
    return table(heads, rows, language, right=(4, 5, 6))


def scenario_part(language: str) -> str:
    """The scenarios that ship."""
    heads = {"id": "编号", "title": "名称", "policy": "政策", "evidence": "证据"}
    rows = (
        (f"`{row.scenario}`", row.title_zh if language == "zh" else row.title, f"`{row.policy}`", said(row.evidence, language))
        for row in drgsim.scenarios().to_pandas().itertuples()
    )
    return table(heads, rows, language)


def path_part(language: str) -> str:
    """What a scenario may change."""
    heads = {"path": "路径", "title": "含义", "unit": "单位", "default": "默认值", "evidence": "证据", "source": "出处"}
    rows = (
        (
            f"`{row.path}`",
            row.title_zh if language == "zh" else row.title,
            said(row.unit, language),
            f"`{row.default}`" if row.default else "",
            said(row.evidence, language),
            said(row.source, language),
        )
        for row in drgsim.scenario_paths().to_pandas().itertuples()
    )
    return table(heads, rows, language)


KINDS = {
    Path: term("kind of a value", "path"), int: term("kind of a value", "whole number"),
    float: term("kind of a value", "number"), str: term("kind of a value", "text"),
}  # fmt: skip
NEEDED = {"en": "Needed. ", "zh": "必填。"}
USES = {
    "en": "In Python: [`drgsim.{verb}`](api.md#drgsim{verb}).",
    "zh": "Python 中为 [`drgsim.{verb}`](api.zh.md#drgsim{verb})。",
}


def commands(command: Any, path: tuple[str, ...] = ("drgsim",)) -> Iterator[tuple[str, Any]]:
    """Commands by the words that call them, those without any below."""
    for name, below in command.commands.items():
        if hasattr(below, "commands"):
            yield from commands(below, (*path, name))
        else:
            yield " ".join((*path, name)), below


def _helped(written: str | None, language: str) -> str:
    english = plain_help(written or "")
    return english if language == "en" or not english else translated(language, english)


def _kind(annotation: Any, language: str) -> str:
    """What a value of an option is; nothing for one that takes none."""
    parts = [annotation] if get_origin(annotation) is list else [*get_args(annotation)] or [annotation]
    one = next(each for each in parts if each is not type(None))
    if get_origin(one) is list:
        return f"{_kind(get_args(one)[0], language)} …"
    return str(spoken(KINDS[one], language)) if one in KINDS else ""


def _options(command: Any, language: str) -> Iterator[tuple[str, ...]]:
    """Names, kind, default and words of each argument and option, as the function of the command states them."""
    hints = get_type_hints(command.callback, include_extras=True)
    for name, parameter in inspect.signature(command.callback).parameters.items():
        if get_origin(hints[name]) is not Annotated:
            continue  # the context of the call
        annotation, stated = get_args(hints[name])[:2]
        if stated.hidden:
            continue
        # typer takes the first name of an option for its default where the option stands in an annotation
        names = [each for each in (stated.default, *(stated.param_decls or ())) if isinstance(each, str)]
        names = [name] if isinstance(stated, ArgumentInfo) else names or [f"--{name.replace('_', '-')}"]
        needed = parameter.default is inspect.Parameter.empty
        default = parameter.default if isinstance(parameter.default, str | int | float | Path) else None
        yield (
            ", ".join(f"`{each}`" for each in names),
            stated.metavar or _kind(annotation, language),
            "" if needed or default is None or default is False or default == "" else f"`{default}`",
            (NEEDED[language] if needed else "") + _helped(stated.help, language),
        )


def command_help(command: Any, language: str) -> str:
    """What the help of a command says."""
    return _helped(command.help, language)


def option_words(command: Any, language: str) -> dict[str, str]:
    """What the help says of each argument and option, by the name that the function of the command gives it."""
    hints = get_type_hints(command.callback, include_extras=True)
    stated = {name: get_args(hint)[1] for name, hint in hints.items() if get_origin(hint) is Annotated}
    return {name: _helped(each.help, language) for name, each in stated.items()}


def command_part(language: str) -> str:
    """Every command with its arguments and options, in the order of the help."""
    heads = {"option": "选项", "value": "取值", "default": "默认", "what": "说明"}
    made = []
    for words, command in commands(typer.main.get_command(app)):
        name = words.removeprefix("drgsim ")
        verb = VERBS.get(name, name.replace(" ", "_"))
        uses = f"\n\n{USES[language].format(verb=verb)}" if verb in drgsim.__all__ else ""
        made.append(
            f"## {words}\n\n{_helped(command.help, language)}{uses}\n\n{table(heads, _options(command, language), language)}"
        )
    return "\n\n".join(made)


def measured_part(language: str) -> str:
    """The tables of the measured region, whose English ones tools/measure_region.py writes."""
    text = (DOCS / "synthetic-region.md").read_text(encoding="utf-8").partition(MEASURED)[2].strip()
    if language == "zh":
        words = yaml.safe_load((Path(__file__).parent / "measured_words.yaml").read_text(encoding="utf-8"))
        for english in sorted(words, key=len, reverse=True):
            text = text.replace(english, words[english])
    return text


PARTS: dict[str, Callable[[str], str]] = {
    "commands": command_part,
    "columns": column_part,
    "findings invalid": finding_part("invalid"),
    "findings reason": finding_part("reason"),
    "findings warning": finding_part("warning"),
    "quality rules": quality_part,
    "quality thresholds": threshold_part,
    "schemes": scheme_part,
    "policies": policy_part,
    "scenarios": scenario_part,
    "scenario paths": path_part,
    "measured region": measured_part,
}


def made_pages() -> list[Path]:
    """The pages that have made parts."""
    return [path for path in sorted(DOCS.glob("*.md")) if MARK.search(path.read_text(encoding="utf-8"))]


def with_parts(text: str, page: Path) -> str:
    """A page with its made parts anew."""
    language = "zh" if page.name.endswith(".zh.md") else "en"
    return MARK.sub(lambda found: f"{found[1]}{PARTS[found['name']](language)}\n{found[3]}", text)


def main() -> None:
    """Write them."""
    for page in made_pages():
        page.write_text(with_parts(page.read_text(encoding="utf-8"), page), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()

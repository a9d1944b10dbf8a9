"""Make docs/api.md from the docstrings of the public names: ``python -m tools.make_api_docs`` writes it, a test compares it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import drgsim

TARGET = Path(__file__).parent.parent / "docs" / "api.md"
SECTIONS = ("Parameters", "Attributes", "Returns", "Raises", "Notes", "Examples")
# modules in the order of the work, with a heading each; a module that is not named here comes last under its own first line
THEMES = {
    "drgsim.api.reading_verbs": "Read 读取",
    "drgsim.api.mapping_verb": "Read 读取",
    "drgsim.api.grouping_verbs": "Group 分组",
    "drgsim.api.explaining_verbs": "Explain 解释",
    "drgsim.api.quality_verbs": "Check the coded record 质量校验",
    "drgsim.api.migration_verbs": "Move between schemes 方案迁移",
    "drgsim.api.payment_verbs": "Settle 结算",
    "drgsim.api.report_verb": "Reports 分析报告",
    "drgsim.api.atlas_verb": "Under every policy 全国图谱",
    "drgsim.api.weight_verbs": "Weights and coefficients 权重与系数",
    "drgsim.api.region_verbs": "Regions 地区",
    "drgsim.region.region_folder": "Regions 地区",
    "drgsim.api.budget_verbs": "Budgets 总额预算",
    "drgsim.api.switch_verb": "Switch of the scheme 方案切换",
    "drgsim.api.simulation_verbs": "What if 情景模拟",
    "drgsim.api.scenario_verbs": "Scenarios 情景",
    "drgsim.api.policy_verbs": "Policies 支付政策",
    "drgsim.api.scheme_verbs": "Schemes and catalogues 分组方案与病种目录",
    "drgsim.api.scheme_diff_verb": "Schemes and catalogues 分组方案与病种目录",
    "drgsim.api.proof_verb": "Schemes and catalogues 分组方案与病种目录",
    "drgsim.api.pack_verbs": "Making schemes 编制方案",
    "drgsim.api.dip_verbs": "DIP catalogues 病种目录库",
    "drgsim.api.dip_results": "DIP catalogues 病种目录库",
    "drgsim.api.code_verbs": "Codes 编码",
    "drgsim.api.page_verb": "Grouper in one page 单页分组器",
    "drgsim.api.new_verbs": "Files to begin with 模板",
    "drgsim.api.synth_verbs": "Synthetic regions 合成地区",
    "drgsim.api.selftest_verbs": "Self-test 自检",
    "drgsim.api.demo_verb": "Demo 演示",
}
# command -> function, where the words of the command with _ between them are not its name
VERBS = {
    "map": "map_columns",
    "report": "report_on",
    "page": "grouper_page",
    "schemes list": "schemes",
    "policy list": "policies",
    "scenarios list": "scenarios",
    "scenarios describe": "scenario_describe",
    "scenarios check": "scenario_check",
    "scenarios paths": "scenario_paths",
}
OTHERS = "Loaded things, results and errors 对象、结果与错误"
EXCEPTIONS = "\n".join(f"- `{command}` is `drgsim.{verb}`" for command, verb in VERBS.items())
INTRODUCTION = f"""# The functions of drgsim

Made from the docstrings by `python -m tools.make_api_docs`; edit those.

Every command is a function with the same defaults, named by the words of the command with `_` between them: `drgsim settle` is
`drgsim.settle`, `drgsim dip build` is `drgsim.dip_build`. These are named otherwise:

{EXCEPTIONS}

`drgsim group` goes from files to a file, as `drgsim.group_files` does; `drgsim.group` keeps all in memory.

A function takes a path or a list of paths, a pandas frame, an Arrow table, a list of dictionaries or the result of another
verb, returns one result and never prints. Every result has `to_pandas(name)`, `to_arrow(name)`, `save(target, formats)`,
`notes`, `record` and `tables`, and shows itself in a notebook ([`drgsim.Result`](#class-drgsimresult)). Mistakes are raised as
[`drgsim.DrgsimError`](#class-drgsimdrgsimerror) with a code, the place, the reason and the next step.
"""


def sections(docstring: str) -> dict[str, str]:
    """A numpydoc docstring by section; what stands before the first one under an empty name.

    Examples
    --------
    >>> list(sections("Do it.\\n\\nReturns\\n-------\\nint\\n    One.\\n"))
    ['', 'Returns']
    """
    parts = re.split(r"^(\w+)\n-{3,}\n", inspect.cleandoc(docstring), flags=re.MULTILINE)
    return {"": parts[0].strip()} | {name: text.rstrip() for name, text in zip(parts[1::2], parts[2::2], strict=True)}


def entries(section: str) -> Iterator[tuple[str, str]]:
    """Terms of a section, such as ``output`` or ``before, after``, with what is said of them."""
    for part in re.split(r"\n(?=\S)", section.strip("\n")):
        term, _, text = part.partition("\n")
        yield term.strip(), " ".join(inspect.cleandoc(f"\n{text}").split())


def public_names() -> dict[str, list[tuple[str, Any]]]:
    """Heading -> public names and what they are: functions first, then the results that they return."""
    found: dict[str, list[tuple[str, Any]]] = {heading: [] for heading in THEMES.values()}
    for name, home in drgsim._HOMES.items():
        found.setdefault(THEMES.get(home, OTHERS), []).append((name, getattr(drgsim, name)))
    return {
        heading: sorted(members, key=lambda member: (inspect.isclass(member[1]), _line(member[1])))
        for heading, members in found.items()
        if members
    }


def _line(member: Any) -> tuple[str, int]:
    return member.__module__, inspect.getsourcelines(member)[1]


def page() -> str:
    """The text of docs/api.md."""
    lines = [INTRODUCTION]
    for heading, members in public_names().items():
        links = " · ".join(f"[`{name}`](#{_anchor(name)})" for name, _ in members)
        lines.append(f"- {heading}: {links}")
    for heading, members in public_names().items():
        lines.append(f"\n## {heading}")
        lines += [_entry(name, member) for name, member in members]
    return "\n".join(lines) + "\n"


def _anchor(name: str) -> str:
    return f"{'class-' if inspect.isclass(getattr(drgsim, name)) else ''}drgsim{name.lower()}"


def _entry(name: str, member: Any) -> str:
    parts = sections(member.__doc__ or "")
    lines = [f"\n### {'class ' if inspect.isclass(member) else ''}drgsim.{name}\n"]
    if inspect.isfunction(member):
        lines.append(f"```python\n{_signature(name, member)}\n```\n")
    lines.append(_marked(parts[""]))
    for title in SECTIONS:
        if title in parts:
            lines.append(f"\n**{title}**\n")
            lines.append(_section(title, parts[title], member))
    if inspect.isclass(member):
        lines += _methods(member)
    return "\n".join(lines)


def _section(title: str, text: str, member: Any) -> str:
    if title == "Examples":
        return f"```python\n{text}\n```"
    if title == "Notes":
        return _marked(text)
    kinds = _kinds(member) if title == "Parameters" and inspect.isfunction(member) else {}
    lines = []
    for term, said in entries(text):
        kind = kinds.get(term.split(",")[0].strip("* "), "")
        shown = ", ".join(f"`{each.strip()}`" for each in term.split(","))
        lines.append(f"- {shown}{f' ({kind})' if kind else ''}: {_marked(said)}" if said else f"- {shown}")
    return "\n".join(lines)


def _methods(member: Any) -> list[str]:
    """Public methods and properties that the class itself defines, in a line each."""
    lines = []
    for name, value in vars(member).items():
        doc = inspect.getdoc(value)
        if name.startswith("_") or not doc or not (inspect.isfunction(value) or isinstance(value, property | classmethod)):
            continue
        lines.append(f"- `{name}{'' if isinstance(value, property) else '()'}`: {_marked(sections(doc)[''].splitlines()[0])}")
    return ["\n**Methods and properties**\n", *lines] if lines else []


def _signature(name: str, member: Callable[..., Any]) -> str:
    shown = []
    keyword = False
    for parameter in inspect.signature(member).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not keyword:
            keyword = True
            shown.append("*")
        default = parameter.default
        shown.append(parameter.name if default is parameter.empty else f"{parameter.name}={_value(default)}")
    whole = f"drgsim.{name}({', '.join(shown)})"
    if len(whole) <= 120:
        return whole
    return f"drgsim.{name}(\n" + "".join(f"    {each},\n" for each in shown) + ")"


def _value(default: Any) -> str:
    return f'"{default}"' if isinstance(default, str) else repr(default)


def _kinds(member: Callable[..., Any]) -> dict[str, str]:
    """Types of the parameters that are plain; what a verb takes in many shapes is told in words."""
    plain = {"bool": "yes or no", "int": "whole number", "float": "number", "str": "text", "str | Path": "path or id"}
    return {
        name: plain[str(parameter.annotation)]
        for name, parameter in inspect.signature(member).parameters.items()
        if str(parameter.annotation) in plain
    }


def _marked(text: str) -> str:
    """Roles and literals of a docstring as Markdown."""

    def role(match: re.Match[str]) -> str:
        name = match[1].lstrip("~.")
        short = name.removeprefix("drgsim.")
        return f"[`{name}`](#{_anchor(short)})" if name.startswith("drgsim.") and short in drgsim._HOMES else f"`{name}`"

    text = re.sub(r":(?:func|class|meth|data|mod|attr):`([^`]+)`", role, text)
    text = re.sub(r"``([^`]+)``", r"`\1`", text)
    return re.sub(r"\bdocs/([\w-]+\.md)\b", r"[\1](\1)", text)


def main() -> None:
    """Write docs/api.md."""
    TARGET.write_text(page(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()

"""Make docs/api.zh.md: the functions in Chinese, in the words of the commands' help; docs/api.md has the docstrings in full.

python -m tools.make_chinese_api
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import typer
import yaml

from drgsim.cli.main import app
from tools.make_api_docs import VERBS, _signature, public_names, sections
from tools.make_reference import command_help, commands, option_words, table

TARGET = Path(__file__).parent.parent / "docs" / "api.zh.md"
WORDS = yaml.safe_load((Path(__file__).parent / "function_words.yaml").read_text(encoding="utf-8"))
INTRODUCTION = (
    "# Python 函数\n\n由 `python -m tools.make_chinese_api` 生成，用命令帮助的文字；返回值、注意事项和示例见英文页"
    "（网站右上角切换语言，仓库中为 `docs/api.md`）。\n\n"
    "每个命令都是一个函数，默认值相同，名称是命令各词用 `_` 连接：`drgsim settle` 是 `drgsim.settle`，"
    "`drgsim dip build` 是 `drgsim.dip_build`。名称不同的：\n\n{exceptions}\n\n"
    "`drgsim group` 由文件到文件，对应 `drgsim.group_files`；`drgsim.group` 全部在内存中。\n\n"
    "函数接受一个或多个路径、pandas 数据框、Arrow 表、字典列表，或另一个函数的结果；返回一个结果，从不打印。"
    "每个结果都有 `to_pandas(name)`、`to_arrow(name)`、`save(target, formats)`、`notes`、`record`、`tables`，"
    "在笔记本中会显示自己。出错时抛出 `drgsim.DrgsimError`，带有代码、位置、原因和下一步。\n"
)


def _of_verbs() -> dict[str, Any]:
    """Command by the name of its function."""
    found = {}
    for words, command in commands(typer.main.get_command(app)):
        name = words.removeprefix("drgsim ")
        found[VERBS.get(name, name.replace(" ", "_"))] = command
    return found


def parameters(function: Callable[..., Any], command: Any | None) -> Iterator[tuple[str, str, str]]:
    """Name, default and words of what a function takes."""
    told = option_words(command, "zh") if command is not None else {}
    for name, parameter in inspect.signature(function).parameters.items():
        words = told.get(name) or WORDS["parameters"].get(name, "")
        default = "" if parameter.default in (inspect.Parameter.empty, None, (), "") else f"`{parameter.default}`"
        yield f"`{name}`", default, words


def _codes(function: Callable[..., Any]) -> str:
    codes = list(dict.fromkeys(re.findall(r"``([a-z]+(?:-[a-z]+)+)``", sections(function.__doc__ or "").get("Raises", ""))))
    return f"错误代码：{'、'.join(f'`{code}`' for code in codes)}。" if codes else ""


def entry(name: str, function: Callable[..., Any], command: Any | None) -> str:
    """What is said of a function."""
    words = WORDS["functions"].get(name) or command_help(command, "zh")
    rows = list(parameters(function, command))
    heads = {"parameter": "参数", "default": "默认", "what": "说明"}
    parts = [f"### drgsim.{name}", f"```python\n{_signature(name, function)}\n```", words]
    parts += [table(heads, rows, "zh")] if rows else []
    return "\n\n".join([part for part in (*parts, _codes(function)) if part])


def page() -> str:
    """The text of docs/api.zh.md."""
    of_verbs = _of_verbs()
    exceptions = "\n".join(f"- `{command}` 是 `drgsim.{verb}`" for command, verb in VERBS.items())
    lines = [INTRODUCTION.format(exceptions=exceptions)]
    classes = []
    for heading, members in public_names().items():
        functions = [(name, member) for name, member in members if inspect.isfunction(member)]
        classes += [name for name, member in members if inspect.isclass(member)]
        if functions:
            lines.append(f"## {' '.join(re.findall('[^A-Za-z ]+', heading)) or heading}\n")
            lines += [f"{entry(name, member, of_verbs.get(name))}\n" for name, member in functions]
    lines.append("## 结果与其他对象\n")
    rows = ((f"`drgsim.{name}`", WORDS["classes"].get(name, "")) for name in classes)
    lines.append(table({"class": "类", "what": "说明"}, rows, "zh") + "\n")
    return "\n".join(lines)


def main() -> None:
    """Write docs/api.zh.md."""
    TARGET.write_text(page(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()

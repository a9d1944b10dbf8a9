"""The shape of the house: packages import to the left only, nothing runs in a circle, names mean one thing, parts stay small.

The order of packages is read from the table in docs/architecture.md, so that the drawing and the code cannot part.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
MOST_LINES_OF_FILE, MOST_LINES, MOST_PARAMETERS = 400, 60, 7

# What is not so yet; entries may only go.
LONG_FILES = {"units/drg/drg_reference.py"}
LONG_FUNCTIONS = {
    "simulation.goal_seek.read_goal",
}
MANY_PARAMETERS = {
    "payment.settlement.settle",
}
# a command's parameters are its options, and a verb's are those of its command
VERBS = ("cli.", "api.")

Tree = ast.Module


def _modules() -> dict[str, Tree]:
    found = {}
    for path in sorted((ROOT / "drgsim").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return {name: tree for name, tree in found.items() if tree.body}


MODULES = _modules()


def _imports(tree: Tree) -> Iterator[str]:
    """Modules that a module imports anywhere, also within functions and for types only; its version is no dependency."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                if (node.module, alias.name) != ("drgsim", "__version__"):
                    whole = f"{node.module}.{alias.name}"
                    yield whole if whole in MODULES else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


ARROWS = {name: {used for used in _imports(tree) if used in MODULES and used != name} for name, tree in MODULES.items()}


def _order() -> list[str]:
    """Packages of the table "What lives where" of docs/architecture.md, in its order."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = text.partition("## What lives where")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([a-z_.]+)` \|", table, re.MULTILINE)


ORDER = _order()


def _package(module: str) -> str:
    """The row of the table that a module belongs to: the longest name that it begins with."""
    inner = module.removeprefix("drgsim").removeprefix(".") or "drgsim"
    rows = [row for row in ORDER if f"{inner}.".startswith(f"{row}.")]
    assert rows, f"{module} belongs to no package of docs/architecture.md"
    return max(rows, key=len)


def test_the_table_of_packages_is_complete() -> None:
    assert len(set(ORDER)) == len(ORDER)
    assert {_package(module) for module in MODULES} == set(ORDER)


def test_packages_import_only_from_packages_above_them() -> None:
    place = {package: number for number, package in enumerate(ORDER)}
    wrong = defaultdict(list)
    for module, used in ARROWS.items():
        for other in used:
            left, right = _package(other), _package(module)
            if place[left] > place[right]:
                wrong[right, left].append(f"{module} imports {other}")
    assert dict(wrong) == {}


def _circles(arrows: dict[str, set[str]]) -> set[str]:
    """Groups of modules that reach each other."""
    reach: dict[str, set[str]] = {}
    for start in arrows:
        seen, open_ = set(), [start]
        while open_:
            for other in arrows[open_.pop()] - seen:
                seen.add(other)
                open_.append(other)
        reach[start] = seen
    return {" ".join(sorted(other for other in reach[name] if name in reach[other])) for name in arrows if name in reach[name]}


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert _circles(ARROWS) == set()


def test_file_names_and_class_names_mean_one_thing() -> None:
    files, classes = defaultdict(list), defaultdict(list)
    for module, tree in MODULES.items():
        if any(other.startswith(f"{module}.") for other in MODULES):
            continue  # a package: its name is that of its folder
        files[module.rpartition(".")[2]].append(module)
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                classes[node.name].append(module)
    assert {name: where for name, where in files.items() if len(where) > 1} == {}
    assert {name: where for name, where in classes.items() if len(where) > 1} == {}


def _functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    """Functions outside kernels: those are flat on purpose, since arrays are handed to them one by one."""
    for module, tree in MODULES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and not any("njit" in ast.dump(each) for each in node.decorator_list):
                yield f"{module.removeprefix('drgsim.')}.{node.name}", node


def test_functions_are_short_and_take_few_parameters() -> None:
    functions = [(name, node) for name, node in _functions() if not name.startswith(VERBS)]
    long = {name for name, node in functions if (node.end_lineno or 0) - node.lineno + 1 > MOST_LINES}
    assert long <= LONG_FUNCTIONS, long - LONG_FUNCTIONS
    wide = {
        name
        for name, node in functions
        if len([each for each in (*node.args.args, *node.args.kwonlyargs) if each.arg not in ("self", "cls")]) > MOST_PARAMETERS
    }
    assert wide <= MANY_PARAMETERS, wide - MANY_PARAMETERS


def test_files_are_not_long() -> None:
    sizes = {
        str(path.relative_to(ROOT / "drgsim")): len(path.read_text(encoding="utf-8").splitlines())
        for path in (ROOT / "drgsim").rglob("*.py")
    }
    assert {name for name, lines in sizes.items() if lines > MOST_LINES_OF_FILE} <= LONG_FILES

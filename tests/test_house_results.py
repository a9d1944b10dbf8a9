"""What leaves is written in one place: only ``drgsim/results`` renames and knows xlsxwriter, only one module has templates."""

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "drgsim"
RENAMES = {"os.replace", "os.rename", "os.renames", "shutil.move", "tempfile.mkdtemp", "tempfile.mkstemp"}


def modules(*homes: str) -> Iterator[tuple[str, ast.Module]]:
    """All modules but those of the homes."""
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith(homes):
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def renames(tree: ast.Module) -> Iterator[str]:
    """Calls that put a file in the place of another; a text's ``replace`` takes two arguments, a path's one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = ast.unparse(node.func)
            by_method = node.func.attr in ("rename", "replace") and len(node.args) == 1 and not node.keywords
            if name in RENAMES or by_method:
                yield f"line {node.lineno}: {name}"


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield str(node.module).partition(".")[0]
        elif isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)


def test_only_results_puts_a_file_in_the_place_of_another() -> None:
    assert {name: found for name, tree in modules("results/") if (found := list(renames(tree)))} == {}


def test_only_results_knows_xlsxwriter() -> None:
    assert [name for name, tree in modules("results/workbook.py") if "xlsxwriter" in imported(tree)] == []


def test_only_one_module_fills_templates() -> None:
    assert [name for name, tree in modules("report/page.py") if "jinja2" in imported(tree)] == []

"""The names that ``import drgsim`` offers: cheap to import, each in one home, none hidden by a package."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import drgsim

HEAVY = ("numpy", "pandas", "pyarrow", "numba", "scipy", "sklearn", "yaml", "rich", "typer", "jinja2", "pydantic")


def test_importing_drgsim_imports_nothing_heavy() -> None:
    code = f"import sys, drgsim; dir(drgsim); print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_name_is_where_the_table_says() -> None:
    for name, home in drgsim._HOMES.items():
        assert getattr(drgsim, name) is getattr(import_module(home), name)
    assert list(drgsim._HOMES) == sorted(drgsim._HOMES, key=lambda name: (name.lower(), name))


def test_no_package_stands_in_the_place_of_a_name() -> None:
    packages = {path.name for path in Path(drgsim.__file__).parent.iterdir() if path.is_dir()}
    modules = {path.stem for path in Path(drgsim.__file__).parent.glob("*.py")}
    assert not (packages | modules) & set(drgsim._HOMES)

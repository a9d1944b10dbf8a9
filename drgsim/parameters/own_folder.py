"""Files that a YAML file names: they lie in its own folder, so that one from elsewhere opens only what came with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from drgsim.errors import Problem
from drgsim.language import joined, text


def leaves_folder(name: str, folder: Path) -> str:
    """How a file named in a YAML file of ``folder`` leaves that folder; empty where it stays inside.

    Examples
    --------
    >>> [leaves_folder(name, Path("region")) for name in ("weights.csv", "tables/weights.csv")]
    ['', '']
    >>> leaves_folder("/dev/zero", Path("region")), leaves_folder("tables/../../weights.csv", Path("region"))
    ('is an absolute path', 'leads out of the folder')
    """
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    if posix.is_absolute() or windows.anchor:
        return text("is an absolute path")
    if ".." in (*posix.parts, *windows.parts):
        return text("leads out of the folder")
    path = folder / name
    try:
        if path.exists() and not path.resolve().is_relative_to(folder.resolve()):
            return text("is a link that leads out of the folder")
        if path.exists() and not (path.is_file() or path.is_dir()):
            return text("is a device or a pipe, no file")
    except (OSError, ValueError, RuntimeError):  # no name that a file can have; links in a circle
        return text("is no name of a file")
    return ""


def files_outside(
    raw: Any, folder: Path, kind: str, where: str, path: str = "", keys: tuple[str, ...] = ("file",)
) -> Iterator[Problem]:
    """Every name under one of the ``keys`` of a YAML file that leaves the folder, with the code ``<kind>-path-outside``."""
    children: Iterator[tuple[Any, Any]] = iter(())
    if isinstance(raw, dict):
        children = iter(raw.items())
    elif isinstance(raw, list):
        children = iter(enumerate(raw))
    for key, child in children:
        place = f"{path}.{key}" if path else str(key)
        if key in keys and isinstance(child, str):
            yield from outside_problem(child, folder, kind, f"{where}: {place}")
        else:
            yield from files_outside(child, folder, kind, where, place, keys)


def outside_problem(name: str, folder: Path, kind: str, where: str) -> Iterator[Problem]:
    """The problem of one name, if it leaves the folder."""
    if how := leaves_folder(name, folder):
        why = text("a file that names others opens nothing outside its own folder")
        fix = text("put the file beside the one that names it, and name it without a folder above")
        yield Problem(f"{kind}-path-outside", joined(" ", [name, how]), where=where, why=why, fix=fix)

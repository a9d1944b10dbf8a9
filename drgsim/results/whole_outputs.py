"""Outputs that are whole or not there: written beside the target, renamed at the end, and never over what is not their own."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from drgsim import leftovers
from drgsim.errors import SHOWN_ALIKE, OutputError, Problem, UsageError, reason_of, some_names
from drgsim.language import text

RUN_FILE = "run.json"
_PART, _OLD = ".part", ".old"  # ends of hidden names: what is being written, and what it takes the place of
KIND, WRITTEN = "kind", "written"  # in the record of a run: the command that wrote the folder, and its files
_LONGEST_NAME = 180  # bytes of a name that stand in a hidden one; file systems take 255
_LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})  # what file managers leave in any folder


@contextmanager
def whole_file(path: str | Path, *, replace: bool = True) -> Iterator[Path]:
    """Give a path to write to; what was written there takes the place of ``path`` when the block ends without an error.

    What a killed call left of the same file is removed first.

    Parameters
    ----------
    path
        The file; folders above it are made. Through a link the file behind it is written.
    replace
        Whether a file that is there gives way.

    Raises
    ------
    OutputError
        ``output-is-folder``, ``output-exists``, ``output-not-writable``.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with whole_file(Path(folder, "a.txt")) as beside:
    ...         _ = beside.write_text("all of it")
    ...     Path(folder, "a.txt").read_text()
    'all of it'
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise OutputError.single(
            "output-is-folder", text("{path} is a folder", path=path), where=str(path), fix=text("name a file")
        )
    if target.exists() and not replace:
        raise _exists(Path(path), text("name another file, or allow it to be replaced"))
    _clear(target)
    with leftovers.own_mark() as mark, leftovers.unfinished(beside := _beside(target, mark, _PART)):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            beside.touch()  # a place that cannot be written to is told before the work
            yield beside
            with leftovers.moving:
                os.replace(beside, target)
        except OSError as error:
            if _elsewhere(error, target):
                raise
            raise _unwritable(path, error) from error
        finally:
            leftovers.remove(beside)


def write_text(path: str | Path, text: str, *, replace: bool = True) -> None:
    """Write a text file whole or not at all, with the same bytes on every system: UTF-8, LF.

    Raises
    ------
    OutputError
        As :func:`whole_file`.
    """
    with whole_file(path, replace=replace) as beside:
        beside.write_text(text, encoding="utf-8", newline="\n")


@contextmanager
def whole_folder(
    path: str | Path, *, kind: str | None = None, own: Collection[str] = (), marker: str | None = None, replace: bool = True
) -> Iterator[Path]:
    """Give a new folder to write to; it takes the place of ``path`` when the block ends without an error.

    What a killed call left of the same folder is removed first; an earlier result that it had put aside comes back.

    Parameters
    ----------
    path, kind, own, marker, replace
        As of :func:`check_folder`, which is asked first.

    Raises
    ------
    OutputError
        As :func:`check_folder`, and ``output-not-writable``.
    """
    target = Path(os.path.realpath(path))
    _clear(target)
    check_folder(path, kind=kind, own=own, marker=marker, replace=replace)
    with leftovers.own_mark() as mark, leftovers.unfinished(hidden := _beside(target, mark, _PART)):
        old = _beside(target, mark, _OLD)
        beside = hidden / target.name  # under its own name, which what is written may refer to
        try:
            beside.mkdir(parents=True)
            yield beside
            with leftovers.moving:
                _swap(beside, target, old)
        except OSError as error:
            if _elsewhere(error, target):
                raise
            raise _unwritable(path, error) from error
        finally:
            leftovers.remove(hidden)


def check_folder(
    path: str | Path, *, kind: str | None = None, own: Collection[str] = (), marker: str | None = None, replace: bool = True
) -> None:
    """Refuse a folder whose replacement would delete anything but an earlier result of the same kind.

    Parameters
    ----------
    path
        The folder; nothing is refused while it is new or empty.
    kind
        Kind of the run, as its record (``run.json``) in the folder has to say; the record also lists the files of the run.
    own
        Files that an earlier result may hold, by their path inside the folder; for those whose record lists none.
    marker
        The file that shows an earlier result where there is no record of a run.
    replace
        Whether an earlier result gives way.

    Raises
    ------
    OutputError
        ``output-is-file``, ``output-exists``, ``output-not-ours``, ``output-other-kind`` or ``output-holds-more``.
    """
    folder = Path(path)
    if not folder.exists():
        return
    place, fix = str(path), text("name a new folder")
    if not folder.is_dir():
        raise OutputError.single("output-is-file", text("{path} is a file", path=path), where=place, fix=text("name a folder"))
    if all(each.name in _LITTER for each in folder.iterdir()):
        return
    earlier = marker is None or (folder / marker).is_file()
    if not replace and kind is None:
        raise _exists(folder, text("{fix}, or allow it to be replaced", fix=fix) if earlier else fix)
    if not earlier:
        raise OutputError.single(
            "output-exists", text(
"{path} is there already and is not an earlier result (it has no {marker})",
path=path, marker=marker), where=place,
            why=text("what is no earlier result is never replaced"), fix=fix,
        )  # fmt: skip
    names = _listed(folder, kind, own) if kind is not None else {*own}
    if not replace:
        raise _exists(folder, text("{fix}, or allow it to be replaced", fix=fix))
    more = _foreign(folder, names)
    if more:
        shown = some_names(more, SHOWN_ALIKE)
        what = text("other files") if kind is None else text("what the earlier run did not write")
        raise OutputError.single(
            "output-holds-more", text("{path} holds {what}: {shown}", path=path, what=what, shown=shown), where=place,
            why=text("replacing the result would delete it"), fix=text("move it elsewhere, or name a new folder"),
        )  # fmt: skip


def check_output(output: str | Path, inputs: Iterable[str | Path]) -> None:
    """Refuse to write over an input, under whatever name, or into a folder that holds one.

    Raises
    ------
    UsageError
        ``output-is-input``.
    """
    target = Path(output)
    for path in map(Path, inputs):
        if target.exists() and path.exists() and (target.samefile(path) or target.resolve() in path.resolve().parents):
            what, why = text("{output} is also an input, or holds one", output=output), text("inputs are never overwritten")
            raise UsageError([Problem("output-is-input", what, where=str(output), why=why, fix=text("name another output"))])


def read_record(folder: Path) -> dict[str, Any] | None:
    """The record of the run that wrote a folder; None where there is none that can be read."""
    try:
        record = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) else None


def _listed(folder: Path, kind: str, own: Collection[str]) -> set[str]:
    """The files of an earlier run of this kind; a record of an earlier version that lists none answers for ``own``."""
    record, fix = read_record(folder), text("name a new folder")
    if record is None:
        what = text("{folder} is there and is not the result of an earlier run", folder=folder)
        raise OutputError.single("output-not-ours", what, where=str(folder), fix=fix)
    earlier = record.get(KIND, kind)
    if earlier != kind:
        what = text("{folder} is a result of another command: {earlier}, not {kind}", folder=folder, earlier=earlier, kind=kind)
        raise OutputError.single("output-other-kind", what, where=str(folder), why=text("it would be deleted"), fix=fix)
    listed = record.get(WRITTEN, [*own])
    return {*listed, RUN_FILE} if isinstance(listed, list) else {RUN_FILE}


def _foreign(folder: Path, own: Collection[str]) -> list[str]:
    """What a folder holds beside the files of ``own``, sorted; a folder in it is foreign when anything inside is."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.name in _LITTER:
            continue
        if path.is_dir() and not path.is_symlink():
            head = f"{path.name}/"
            inner = {name.removeprefix(head) for name in own if name.startswith(head)}
            if not inner or _foreign(path, inner):
                found.append(head)
        elif path.name not in own:
            found.append(path.name)
    return found


def _swap(beside: Path, target: Path, old: Path) -> None:
    """Put a finished folder in its place; what was there comes back when that fails."""
    if not target.exists():
        beside.rename(target)
        return
    shutil.rmtree(old, ignore_errors=True)
    target.rename(old)
    try:
        beside.rename(target)
    except OSError:
        old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _clear(target: Path) -> None:
    """Remove what dead processes left of a target; the earlier result that one had put aside comes back where none is."""
    before = _before(target)
    for old in leftovers.dead(target.parent, before, _OLD):
        if target.exists():
            leftovers.remove(old)
        else:
            with suppress(OSError):
                old.rename(target)
    for part in leftovers.dead(target.parent, before, _PART):
        leftovers.remove(part)


def _beside(target: Path, mark: str, suffix: str) -> Path:
    """A hidden name in the same folder: a rename within one file system is all or nothing."""
    return target.with_name(f"{_before(target)}{mark}{suffix}")


def _before(target: Path) -> str:
    """What hidden names of a target begin with."""
    name = target.name.encode()
    return f".{target.name}." if len(name) <= _LONGEST_NAME else f".{hashlib.sha256(name).hexdigest()[:16]}."


def _exists(path: Path, fix: str) -> Exception:
    return OutputError.single(
        "output-exists",
        text("{path} is there already", path=path),
        where=str(path),
        why=text("nothing is overwritten unasked"),
        fix=fix,
    )


def _elsewhere(error: OSError, target: Path) -> bool:
    """Whether an error is about another file, as an input that is read meanwhile: it is not told as one of the output."""
    if error.filename is None:
        return False
    path = Path(os.path.realpath(error.filename))
    own = path in (target, target.parent, *target.parent.parents) or target in path.parents
    return not own and not any(part.startswith(_before(target)) for part in path.parts)


def _unwritable(path: str | Path, error: OSError) -> Exception:
    return OutputError.single(
        "output-not-writable",
        text("{path} cannot be written: {reason}", path=path, reason=reason_of(error)),
        where=str(path),
        fix=text("check space and permissions"),
    )

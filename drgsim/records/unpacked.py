"""Files inside others: an archive of one table, a packed file, standard input; laid out on disk, so that memory stays small."""

from __future__ import annotations

import gzip
import shutil
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, NamedTuple
from weakref import WeakKeyDictionary

from drgsim import limits
from drgsim.errors import UNREAD, InputError, words_of
from drgsim.language import text
from drgsim.leftovers import scratch_folder
from drgsim.records.file_kind import ARCHIVE_FAULTS, GZIP_MARK, FileKind, kind_of

STANDARD_INPUT = "-"
_LITTER = ("__MACOSX/", ".")  # what archives of a Mac hold beside the files, and hidden files
_NESTED = 4  # archives within archives
_spools: WeakKeyDictionary[IO[bytes], Unpacked] = WeakKeyDictionary()


class Unpacked(NamedTuple):
    """Where the content of a file lies; the folder lives as long as somebody holds it."""

    path: Path
    folder: TemporaryDirectory[str]


def standard_input() -> Unpacked:
    """What standard input holds, kept on disk: it can be read once, and a file may have to be looked at twice."""
    stream = sys.stdin.buffer
    if stream not in _spools:
        folder = scratch_folder()
        path = Path(folder.name, "standard input")
        with path.open("wb") as file:
            shutil.copyfileobj(stream, file, 1 << 20)
        _spools[stream] = Unpacked(path, folder)
    return _spools[stream]


def unpacked(path: Path) -> Unpacked | None:
    """The one table that an archive or a packed file holds; None for a file that is read as it is.

    A packed text (``.csv.gz``) is read as it is, since its reader unpacks it on the way.

    Raises
    ------
    InputError
        ``input-zip-several``, ``input-zip-empty``, ``input-password``, ``input-broken-file``.
    """
    found: Unpacked | None = None
    content = path
    for _ in range(_NESTED):
        with content.open("rb") as file:
            packed = file.read(2) == GZIP_MARK
        kind = kind_of(content)
        if not (kind is FileKind.ZIP or (packed and kind is not FileKind.TEXT)):
            break
        folder = scratch_folder()
        try:
            content = _gunzip(content, Path(folder.name), path) if packed else _unzip(content, Path(folder.name), path)
        except (OSError, *ARCHIVE_FAULTS) as error:
            if isinstance(error, OSError) and error.errno is not None:  # of the disk, such as a full one, not of the file
                raise
            raise _damaged(path, error) from error
        found = Unpacked(content, folder)
    return found


def _gunzip(path: Path, folder: Path, shown: Path) -> Path:
    target = folder / (path.stem or "content")
    with gzip.open(path) as packed, target.open("wb") as file:
        _copy(packed, file, shown)
    return target


def _copy(packed: IO[bytes] | gzip.GzipFile, file: IO[bytes], shown: Path) -> None:
    total = 0
    while block := packed.read(1 << 20):
        total += len(block)
        limits.check("unpacked_bytes", total, shown)
        file.write(block)


def _archive(path: Path) -> zipfile.ZipFile:
    """An archive; names without a mark of UTF-8 are GBK here, or else what ZIP began with."""
    try:
        return zipfile.ZipFile(path, metadata_encoding="gb18030")
    except UnicodeDecodeError:
        return zipfile.ZipFile(path)


def _unzip(path: Path, folder: Path, shown: Path) -> Path:
    with _archive(path) as archive:
        named = {member.filename: member for member in archive.infolist() if not member.is_dir()}
        members = [
            member
            for name, member in named.items()
            if not name.startswith(_LITTER) and not name.rpartition("/")[2].startswith(".")
        ]
        if len(members) != 1:
            names = ", ".join(member.filename for member in members[:8])
            raise InputError.single(
                "input-zip-several" if members else "input-zip-empty",
                text("{shown} holds {members_count} files: {names}", shown=shown.name, members_count=len(members), names=names)
                if members
                else text("{shown} is an archive without files", shown=shown.name),
                where=str(shown),
                why=text("which of them is meant cannot be told") if members else "",
                fix=text("unpack it and name the files") if members else text("check the export"),
            )
        if members[0].flag_bits & 1:
            raise password_error(shown)
        limits.check("unpacked_bytes", members[0].file_size, shown)
        target = folder / Path(members[0].filename.replace("\\", "/")).name
        with archive.open(members[0]) as packed, target.open("wb") as file:
            _copy(packed, file, shown)
    return target


def password_error(path: Path) -> InputError:
    """The error for a file that only its password opens."""
    return InputError.single(
        "input-password",
        text("{file} is protected by a password 文件有密码保护", file=path.name),
        where=str(path),
        why=text("what is in it cannot be read without the password"),
        fix=text("open it, remove the password (文件 → 信息 → 保护工作簿) and save it again"),
    )


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError.single(
        "input-broken-file",
        text(
            "{file} is cut off or damaged 文件不完整或已损坏: it cannot be unpacked ({error})",
            file=path.name,
            error=words_of(error, UNREAD),
        ),
        where=str(path),
        fix=text("copy or download it again, or export it again"),
    )

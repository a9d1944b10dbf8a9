"""Compiled schemes and catalogues on disk: plain values and arrays in one file, keyed by what they were made of."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from numpy.typing import NDArray

from drgsim import cache_faults
from drgsim.errors import OutputError, reason_of
from drgsim.language import text
from drgsim.results.whole_outputs import whole_file

_VARIABLE = "DRGSIM_CACHE_DIR"
_FOLDER = "compiled-rules"
_DIGEST = 32  # bytes
_LARGEST = 1 << 29  # bytes; compiled schemes have some ten millions


@lru_cache(maxsize=8)
def _code_digest(sources: tuple[str, ...]) -> str:
    """Part of the key: what is kept was made by exactly this code."""
    return hashlib.sha256(b"".join(Path(source).read_bytes() for source in sources)).hexdigest()[:12]


def cache_path(name: str, digest: str, sources: tuple[str, ...]) -> Path | None:
    """File of the cache for some content, compiled by these source files; None where the cache is switched off.

    ``DRGSIM_CACHE_DIR`` names the folder, an empty value switches the cache off.
    """
    folder = os.environ.get(_VARIABLE, platformdirs.user_cache_dir("drgsim"))
    return Path(folder, _FOLDER, f"{name}-{digest[:24]}-{_code_digest(sources)}.cache") if folder else None


def store(path: Path, meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write values and arrays; a folder that cannot be written to is told, the next run compiles again."""
    packed = np.frombuffer(json.dumps(meta, ensure_ascii=False).encode(), dtype=np.uint8)
    content = io.BytesIO()
    np.savez(content, meta=packed, **arrays)  # type: ignore[arg-type]
    whole = content.getvalue()
    try:
        path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
        if _is_private(path.parent):
            with whole_file(path) as beside:
                beside.write_bytes(_digest(path, whole) + whole)
    except OutputError as error:
        _tell_unused(path.parent, error.problems[0].what)
    except OSError as error:
        _tell_unused(path.parent, reason_of(error))


def fetch(path: Path | None) -> tuple[dict[str, Any], dict[str, NDArray[Any]]] | None:
    """Values and arrays of a file; None where it is not there or damaged: that costs a compilation and never an answer."""
    try:
        if path is None or not path.is_file() or not _is_private(path.parent):
            return None
        return _checked(path)
    except OSError as error:
        _tell_unused(path.parent, reason_of(error))  # type: ignore[union-attr]
        return None
    except Exception:  # however damaged
        cache_faults.tell(cache_faults.damaged(str(path.parent)))  # type: ignore[union-attr]
        with suppress(OSError):
            path.unlink()  # type: ignore[union-attr]
        return None


def _checked(path: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The content of a file that holds what was written under its name, and nothing larger than itself."""
    if path.stat().st_size > _LARGEST:
        raise ValueError(path)
    whole = path.read_bytes()
    content = whole[_DIGEST:]
    if whole[:_DIGEST] != _digest(path, content):
        raise ValueError(path)
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        if any(part.compress_type != zipfile.ZIP_STORED for part in parts.infolist()):
            raise ValueError(path)  # what is written here is not packed
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files if name != "meta"}
        return json.loads(stored["meta"].tobytes()), arrays


def _digest(path: Path, content: bytes) -> bytes:
    """Of the name too: the rules of one scheme do not stand under the name of another."""
    return hashlib.sha256(path.name.encode() + b"\0" + content).digest()


def _is_private(folder: Path) -> bool:
    """Whether nobody but the user (or the administrator) may put rules into the folder; told where somebody else may."""
    if os.name == "nt":
        return True
    found = folder.stat()
    private = found.st_uid in (os.getuid(), 0) and not found.st_mode & 0o022
    if not private:
        _tell_unused(folder, text("others may write to it"))
    return private


def _tell_unused(folder: Path, why: str) -> None:
    cache_faults.tell(cache_faults.unused(str(folder), why, _VARIABLE))

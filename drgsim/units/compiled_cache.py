"""Compiled schemes and catalogues on disk: plain values and arrays in one file, keyed by what they were made of."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from numpy.typing import NDArray

from drgsim.errors import OutputError
from drgsim.results.whole_outputs import whole_file


@lru_cache(maxsize=8)
def _code_digest(sources: tuple[str, ...]) -> str:
    """Part of the key: what is kept was made by exactly this code."""
    return hashlib.sha256(b"".join(Path(source).read_bytes() for source in sources)).hexdigest()[:12]


def cache_path(name: str, digest: str, sources: tuple[str, ...]) -> Path | None:
    """File of the cache for some content, compiled by these source files; None where the cache is switched off.

    ``DRGSIM_CACHE_DIR`` names the folder, an empty value switches the cache off.
    """
    folder = os.environ.get("DRGSIM_CACHE_DIR", platformdirs.user_cache_dir("drgsim"))
    return Path(folder) / f"{name}-{digest[:24]}-{_code_digest(sources)}.npz" if folder else None


def store(path: Path, meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write values and arrays; a folder that cannot be written to is no reason to fail, the next run compiles again."""
    packed = np.frombuffer(json.dumps(meta, ensure_ascii=False).encode(), dtype=np.uint8)
    with suppress(OutputError), whole_file(path) as beside, beside.open("wb") as file:
        np.savez(file, meta=packed, **arrays)  # type: ignore[arg-type]


def fetch(path: Path | None) -> tuple[dict[str, Any], dict[str, NDArray[Any]]] | None:
    """Values and arrays of a file; None where it is not there or damaged: that costs a compilation and never an answer."""
    if path is None or not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files if name != "meta"}
            return json.loads(stored["meta"].tobytes()), arrays
    except Exception:  # however damaged
        with suppress(OSError):
            path.unlink()
        return None

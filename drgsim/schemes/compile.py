"""Compiled schemes, kept in memory and on disk: a scheme is lowered once for each content of its files."""

from __future__ import annotations

import json
import os
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from drgsim.records.encode import CodeTable
from drgsim.schemes.lower import CompiledScheme, SchemeArrays, lower_scheme
from drgsim.schemes.model import Scheme
from drgsim.schemes.pack import find_pack, load_scheme, pack_digest

COMPILER_VERSION = 1  # part of the cache key: raise it when the arrays change shape or meaning


def compile_scheme(scheme: Scheme | str | Path | CompiledScheme) -> CompiledScheme:
    """Compile a scheme, or take the compiled one from memory or from the cache on disk.

    The cache is keyed by the SHA-256 of all files of the pack; ``DRGSIM_CACHE_DIR`` names its folder, an empty value
    switches it off.
    """
    if isinstance(scheme, CompiledScheme):
        return scheme
    folder = scheme.folder if isinstance(scheme, Scheme) else find_pack(scheme)
    digest = scheme.digest if isinstance(scheme, Scheme) else pack_digest(folder)
    return _compiled(folder, digest)


@lru_cache(maxsize=8)
def _compiled(folder: Path, digest: str) -> CompiledScheme:
    path = _cache_path(folder.name, digest)
    if path is not None and path.is_file():
        try:
            return _read_cache(path)
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
            path.unlink(missing_ok=True)  # a damaged cache file costs a compilation, never a wrong answer
    compiled = lower_scheme(load_scheme(folder))
    if path is not None:
        _write_cache(path, compiled)
    return compiled


# -- cache --------------------
def _cache_path(name: str, digest: str) -> Path | None:
    folder = os.environ.get("DRGSIM_CACHE_DIR", platformdirs.user_cache_dir("drgsim"))
    return Path(folder) / f"{name}-{digest[:24]}-v{COMPILER_VERSION}.npz" if folder else None


_META = ("id", "digest", "mdc_codes", "adrg_codes", "drg_codes", "drg_names", "reference_weights")


def _write_cache(path: Path, compiled: CompiledScheme) -> None:
    meta: dict[str, Any] = {name: getattr(compiled, name) for name in _META}
    meta["text_words"] = dict(compiled.text_words)
    meta["variables"] = sorted(compiled.variables)
    arrays: dict[str, Any] = {f"s_{name}": value for name, value in compiled.arrays._asdict().items()}
    for prefix, table in (("d_", compiled.diagnoses), ("p_", compiled.procedures)):
        arrays |= {prefix + name: value for name, value in table._asdict().items()}
    arrays["meta"] = np.frombuffer(json.dumps(meta, ensure_ascii=False).encode(), dtype=np.uint8)
    beside = path.with_name(f".{path.stem}-{os.getpid()}.npz")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(beside, **arrays)
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)  # a read-only home is no reason to fail: the next run compiles again


def _read_cache(path: Path) -> CompiledScheme:
    with np.load(path, allow_pickle=False) as stored:
        meta = json.loads(stored["meta"].tobytes())
        tables = [CodeTable(**{name: stored[prefix + name] for name in CodeTable._fields}) for prefix in ("d_", "p_")]
        arrays = SchemeArrays(**{name: stored[f"s_{name}"] for name in SchemeArrays._fields})
    words = {name: tuple(tuple(group) for group in groups) for name, groups in meta.pop("text_words").items()}
    plain: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in meta.items() if name != "variables"
    }
    return CompiledScheme(
        arrays=arrays,
        diagnoses=tables[0],
        procedures=tables[1],
        text_words=words,
        variables=frozenset(meta["variables"]),
        **plain,
    )

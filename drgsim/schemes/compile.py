"""Compiled schemes, kept in memory and on disk: a scheme is lowered once for each content of its files."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from drgsim.records import codes, encode
from drgsim.records.encode import CodeTable
from drgsim.schemes import lower
from drgsim.schemes.lower import CompiledScheme, SchemeArrays, lower_scheme
from drgsim.schemes.model import Scheme
from drgsim.schemes.pack import find_pack, is_as_read, load_scheme, pack_digest

_HELD = "_compiled"  # where a scheme object keeps what it was compiled to


@lru_cache(maxsize=1)
def _compiler_digest() -> str:
    """Part of the cache key: what is kept was made by exactly this code."""
    sources = (Path(lower.__file__), Path(encode.__file__), Path(codes.__file__))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]


def compile_scheme(scheme: Scheme | str | Path | CompiledScheme) -> CompiledScheme:
    """Compile a scheme, or take the compiled one from memory or from the cache on disk.

    The cache is keyed by the SHA-256 of all files of the pack; ``DRGSIM_CACHE_DIR`` names its folder, an empty value
    switches it off.
    """
    if isinstance(scheme, CompiledScheme):
        return scheme
    if isinstance(scheme, Scheme):
        held: CompiledScheme | None = scheme.__dict__.get(_HELD)
        if held is None:
            # a scheme that was read from its files may come from the cache; one that was changed since is lowered as it is
            held = _compiled(scheme.folder, scheme.digest, scheme) if is_as_read(scheme) else lower_scheme(scheme)
            scheme.__dict__[_HELD] = held
        return held
    folder = find_pack(scheme)
    return _compiled(folder, pack_digest(folder))


_MEMORY: dict[str, CompiledScheme] = {}
_MOST_IN_MEMORY = 8


def _compiled(folder: Path, digest: str, scheme: Scheme | None = None) -> CompiledScheme:
    """The compiled scheme of a digest: from memory, from disk, or lowered now."""
    if digest not in _MEMORY:
        if len(_MEMORY) >= _MOST_IN_MEMORY:
            _MEMORY.pop(next(iter(_MEMORY)))
        compiled = _from_disk(folder, digest, scheme)
        _MEMORY[compiled.digest] = compiled
        return compiled
    return _MEMORY[digest]


def _from_disk(folder: Path, digest: str, scheme: Scheme | None) -> CompiledScheme:
    path = _cache_path(folder.name, digest)
    if path is not None and path.is_file():
        try:
            return _read_cache(path)
        except Exception:  # a damaged cache file, however damaged, costs a compilation and never an answer
            with suppress(OSError):
                path.unlink()
    compiled = lower_scheme(scheme or load_scheme(folder))
    if path is not None and compiled.digest == digest:
        _write_cache(path, compiled)
    return compiled


# -- cache --------------------
def _cache_path(name: str, digest: str) -> Path | None:
    folder = os.environ.get("DRGSIM_CACHE_DIR", platformdirs.user_cache_dir("drgsim"))
    return Path(folder) / f"{name}-{digest[:24]}-{_compiler_digest()}.npz" if folder else None


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

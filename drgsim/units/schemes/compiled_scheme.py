"""Compiled schemes, kept in memory and on disk: a scheme is lowered once for each content of its files."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from drgsim.records import code_dictionaries as codes
from drgsim.records import encode
from drgsim.records.encode import CodeTable
from drgsim.units.compiled_cache import cache_path, fetch, store
from drgsim.units.schemes import rule_lowering as lower_rules
from drgsim.units.schemes import scheme_lowering as lower
from drgsim.units.schemes.pack import find_pack, is_as_read, load_scheme, pack_digest
from drgsim.units.schemes.scheme import Scheme
from drgsim.units.schemes.scheme_lowering import CompiledScheme, SchemeArrays, lower_scheme

_HELD = "_compiled"  # where a scheme object keeps what it was compiled to


_SOURCES = tuple(str(module.__file__) for module in (lower, lower_rules, encode, codes))


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
    path = cache_path(folder.name, digest, _SOURCES)
    kept = fetch(path)
    if kept is not None:
        with suppress(KeyError, TypeError):  # a file that lacks something is as good as none
            return _unpacked(*kept)
    compiled = lower_scheme(scheme or load_scheme(folder))
    if path is not None and compiled.digest == digest:
        store(path, *_packed(compiled))
    return compiled


_META = ("id", "digest", "mdc_codes", "adrg_codes", "drg_codes", "drg_names", "reference_weights")


def _packed(compiled: CompiledScheme) -> tuple[dict[str, Any], dict[str, Any]]:
    meta: dict[str, Any] = {name: getattr(compiled, name) for name in _META}
    meta["text_words"] = dict(compiled.text_words)
    meta["variables"] = sorted(compiled.variables)
    arrays: dict[str, Any] = {f"s_{name}": value for name, value in compiled.arrays._asdict().items()}
    return meta, arrays | packed_tables(compiled.diagnoses, compiled.procedures)


def _unpacked(meta: dict[str, Any], stored: Mapping[str, Any]) -> CompiledScheme:
    diagnoses, procedures = unpacked_tables(stored)
    words = {name: tuple(tuple(group) for group in groups) for name, groups in meta.pop("text_words").items()}
    plain: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in meta.items() if name != "variables"
    }
    return CompiledScheme(
        arrays=SchemeArrays(**{name: stored[f"s_{name}"] for name in SchemeArrays._fields}),
        diagnoses=diagnoses,
        procedures=procedures,
        text_words=words,
        variables=frozenset(meta["variables"]),
        **plain,
    )


def packed_tables(diagnoses: CodeTable, procedures: CodeTable) -> dict[str, Any]:
    """The two code tables as arrays to keep."""
    pairs = (("d_", diagnoses), ("p_", procedures))
    return {prefix + name: value for prefix, table in pairs for name, value in table._asdict().items()}


def unpacked_tables(stored: Mapping[str, Any]) -> tuple[CodeTable, CodeTable]:
    """The two code tables from what was kept."""
    tables = [CodeTable(**{name: stored[prefix + name] for name in CodeTable._fields}) for prefix in ("d_", "p_")]
    return tables[0], tables[1]

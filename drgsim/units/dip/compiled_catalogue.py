"""Compiled DIP catalogues: lowered once, kept in memory and on disk."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from drgsim.records import code_dictionaries as codes
from drgsim.records import encode
from drgsim.units.compiled_cache import cache_path, fetch, store
from drgsim.units.dip import catalogue_arrays, catalogue_lowering, charlson, excluded_codes, primary_care
from drgsim.units.dip import code_patterns as patterns
from drgsim.units.dip import dip_catalogue as model
from drgsim.units.dip.catalogue_arrays import CatalogueArrays, CompiledCatalogue
from drgsim.units.dip.catalogue_files import catalogue_digest, load_catalogue
from drgsim.units.dip.catalogue_lowering import lower_catalogue
from drgsim.units.dip.dip_catalogue import Catalogue
from drgsim.units.schemes import rule_lowering as lower_rules
from drgsim.units.schemes.compiled_scheme import packed_tables, unpacked_tables
from drgsim.units.schemes.pack import find_pack

_MODULES = (
    lower_rules, encode, codes, charlson, model, patterns, catalogue_arrays, catalogue_lowering, excluded_codes, primary_care,
)  # fmt: skip
_SOURCES = (*(str(module.__file__) for module in _MODULES), __file__, str(Path(charlson.__file__).with_suffix(".yaml")))
_MEMORY: dict[str, CompiledCatalogue] = {}
_MOST_IN_MEMORY = 8


def compile_catalogue(catalogue: Catalogue | CompiledCatalogue | str | Path) -> CompiledCatalogue:
    """Compile a catalogue, or take the compiled one from memory or from the cache on disk."""
    if isinstance(catalogue, CompiledCatalogue):
        return catalogue
    if isinstance(catalogue, Catalogue):
        held: CompiledCatalogue | None = catalogue.__dict__.get("_compiled")
        if held is None:
            held = catalogue.__dict__["_compiled"] = lower_catalogue(catalogue)
        return held
    folder = find_pack(catalogue)
    digest = catalogue_digest(folder)
    if digest not in _MEMORY:
        if len(_MEMORY) >= _MOST_IN_MEMORY:
            _MEMORY.pop(next(iter(_MEMORY)))
        _MEMORY[digest] = _from_disk(folder, digest)
    return _MEMORY[digest]


def _from_disk(folder: Path, digest: str) -> CompiledCatalogue:
    path = cache_path(folder.name, digest, _SOURCES)
    kept = fetch(path)
    if kept is not None:
        with suppress(KeyError, TypeError):  # a file that lacks something is as good as none
            return _unpacked(*kept)
    compiled = lower_catalogue(load_catalogue(folder))
    if path is not None and compiled.digest == digest:
        store(path, *_packed(compiled))
    return compiled


_PLAIN = ("id", "digest", "wants_cost", "all_diagnoses", "blank")


def _packed(compiled: CompiledCatalogue) -> tuple[dict[str, Any], dict[str, Any]]:
    meta: dict[str, Any] = {name: getattr(compiled, name) for name in _PLAIN}
    meta |= {"text_words": dict(compiled.text_words), "variables": sorted(compiled.variables), "lines": dict(compiled.lines)}
    arrays: dict[str, Any] = {f"s_{name}": value for name, value in compiled.arrays._asdict().items()}
    return meta, arrays | packed_tables(compiled.diagnoses, compiled.procedures)


def _unpacked(meta: dict[str, Any], stored: Mapping[str, Any]) -> CompiledCatalogue:
    diagnoses, procedures = unpacked_tables(stored)
    return CompiledCatalogue(
        arrays=CatalogueArrays(**{name: stored[f"s_{name}"] for name in CatalogueArrays._fields}),
        diagnoses=diagnoses,
        procedures=procedures,
        lines={name: tuple(values) for name, values in meta["lines"].items()},
        text_words={name: tuple(map(tuple, groups)) for name, groups in meta["text_words"].items()},
        variables=frozenset(meta["variables"]),
        **{name: meta[name] for name in _PLAIN},
    )

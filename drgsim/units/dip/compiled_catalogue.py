"""Lower a DIP catalogue to the flat integer arrays that the kernel walks, and keep them.

Lines of ``kinds.csv`` that differ in their auxiliary level only are one *cell*: a combination of diagnosis and procedures.
Every principal diagnosis has a class, and a class the cells whose diagnosis covers it, in the order of the stages. Conditions
of levels become nodes of a decision graph, as the rules of DRG schemes do.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from drgsim.records import code_dictionaries as codes
from drgsim.records import encode
from drgsim.records.encode import CodeTable, build_code_table
from drgsim.units.compiled_cache import cache_path, fetch, store
from drgsim.units.dip import charlson
from drgsim.units.dip import code_patterns as patterns
from drgsim.units.dip import dip_catalogue as model
from drgsim.units.dip.catalogue_files import catalogue_digest, load_catalogue
from drgsim.units.dip.charlson import charlson_table
from drgsim.units.dip.code_patterns import covered_by, shape_of
from drgsim.units.dip.dip_catalogue import CLASS_ORDER, CONDITION_NUMBERS, Catalogue, Kind, stage_of
from drgsim.units.schemes import rule_lowering as lower_rules
from drgsim.units.schemes.compiled_scheme import packed_tables, unpacked_tables
from drgsim.units.schemes.pack import find_pack, load_scheme
from drgsim.units.schemes.rule_language import variables_of
from drgsim.units.schemes.rule_lowering import RuleLowering, classes_of

PLACE, PLACE_FIRST, ANY_PLACE = range(3)
TIE_PRINCIPAL, TIE_COST, TIE_SCORE = range(3)
TIE_IDS = {"principal_procedure_first": TIE_PRINCIPAL, "nearest_mean_cost": TIE_COST, "larger_score": TIE_SCORE}
PLACE_IDS = {"principal_place": PLACE, "principal_place_first": PLACE_FIRST, "any_place": ANY_PLACE}
NO_CODE, ALL_CLASSES, NO_CLASS = -9, -1, -1
# bits of cell_flags
BY_CLASS, ANY_PROCEDURE, IS_EXCLUDED, IS_FULL_CODE, IS_COMPREHENSIVE = 1, 2, 4, 8, 16
_ASKED = ("ZYTS", "LYFS", "RYKS")  # variables whose absence is worth a word where a level asks for them


class CatalogueArrays(NamedTuple):
    """What the kernel reads. Arrays by code are indexed by code id + 2, so that EMPTY and UNKNOWN need no test."""

    dx_class: NDArray[np.int32]
    class_start: NDArray[np.int32]  # (classes + 1,)
    class_cells: NDArray[np.int32]  # cells of each class, by stage and then as in the table
    class_levels: NDArray[np.bool_]  # whether some cell of the class has levels
    class_asks: NDArray[np.int8]  # variables of _ASKED that its levels ask for, as bits
    op_class: NDArray[np.int8]  # place in CLASS_ORDER, NO_CLASS where unknown
    op_simple: NDArray[np.bool_]  # counts as not done when a kind without procedures is looked for
    op_excluded: NDArray[np.bool_]
    cell_stage: NDArray[np.int8]
    cell_flags: NDArray[np.int8]
    cell_shape: NDArray[np.int8]
    cell_class: NDArray[np.int8]
    cell_procedure: NDArray[np.int32]  # NO_CODE for none
    cell_related: NDArray[np.int32]  # (cells + 1,)
    related: NDArray[np.int32]
    cell_base: NDArray[np.int32]  # line without a level, -1 for none
    cell_levels: NDArray[np.int32]  # (cells + 1,)
    levels: NDArray[np.int32]  # (n, 3): list, level, line; by list and level
    level_entry: NDArray[np.int32]  # node of each level's condition
    line_kind: NDArray[np.int32]  # number of the kind's code: lines of one kind are no tie
    line_score: NDArray[np.float64]
    line_cost: NDArray[np.float64]
    ties: NDArray[np.int8]
    settings: NDArray[np.int8]  # principal_procedure, most_done, full_code first, highest class, rest, first_listed
    dx_bits_class: NDArray[np.int32]
    dx_bits: NDArray[np.int64]
    op_bits_class: NDArray[np.int32]
    op_bits: NDArray[np.int64]
    dx_level: NDArray[np.int8]
    dx_exclusion: NDArray[np.int32]
    exclusion_class: NDArray[np.int32]
    exclusion_bits: NDArray[np.int64]
    row_base: NDArray[np.int64]
    severity_bits: NDArray[np.int64]
    nodes: NDArray[np.int32]
    node_values: NDArray[np.float64]
    site_bits: NDArray[np.int32]
    counts: NDArray[np.int32]
    cci_masks: NDArray[np.int32]
    cci_points: NDArray[np.int8]


@dataclass(frozen=True)
class CompiledCatalogue:
    """A catalogue ready for batches.

    Attributes
    ----------
    id, digest
        Of the catalogue that it was compiled from.
    arrays
        Flat arrays for the kernel.
    diagnoses, procedures
        Tables that turn spelled codes into ids.
    lines
        Code, name, type, auxiliary list and level of each line.
    text_words
        For LYFS and RYKS: the word lists of the conditions, by bit number.
    variables
        Variables that some condition asks for.
    wants_cost, all_diagnoses
        Whether ties ask for the cost of a case; whether the principal diagnosis counts for the CCI.
    blank
        Code of the blank group, empty where there is none.
    """

    id: str
    digest: str
    arrays: CatalogueArrays
    diagnoses: CodeTable
    procedures: CodeTable
    lines: Mapping[str, tuple[str, ...]]
    text_words: Mapping[str, tuple[tuple[str, ...], ...]]
    variables: frozenset[str]
    wants_cost: bool
    all_diagnoses: bool
    blank: str


_MODULES = (lower_rules, encode, codes, charlson, model, patterns)
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


# -- lowering --------------------
def position_of(kind: Kind, order: tuple[str, ...]) -> int:
    """Place of a line's stage in the order of matching; -1 where the order leaves it out."""
    stage = stage_of(kind.kind)
    if kind.aux and stage == "core" and "auxiliary" in order:
        stage = "auxiliary"
    return order.index(stage) if stage in order else -1


def is_excluded_procedure(kind: Kind) -> bool:
    """Whether a line of the excluded list says that a procedure does not count, whatever the diagnosis."""
    return kind.kind == "excluded" and bool(kind.procedure) and not (kind.dx or kind.related or kind.aux)


def lower_catalogue(catalogue: Catalogue) -> CompiledCatalogue:
    """Lower a catalogue; :func:`compile_catalogue` keeps the result."""
    return _CatalogueLowering(catalogue).lower()


class _CatalogueLowering:
    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.lines = catalogue.lines
        self.order = catalogue.matching.order
        self.dx_ids = {code: number for number, code in enumerate(catalogue.book.diagnoses.codes)}
        self.op_ids = {code: number for number, code in enumerate(catalogue.book.procedures.codes)}
        self.cells: dict[tuple[Any, ...], list[int]] = {}
        for row, kind in enumerate(self.lines):
            position = position_of(kind, self.order)
            if position >= 0 and not is_excluded_procedure(kind):
                related = tuple(sorted(kind.related))
                key = (position, stage_of(kind.kind), kind.dx, kind.procedure, related, kind.operation_class)
                self.cells.setdefault(key, []).append(row)

    def lower(self) -> CompiledCatalogue:
        catalogue = self.catalogue
        conditions = [level.condition for level in catalogue.levels]
        rules = RuleLowering(catalogue.book, catalogue.sets, *self.severities(), conditions, CONDITION_NUMBERS)
        entries = np.array([rules.entry(condition) for condition in conditions], np.int32)
        level, exclusion, exclusion_class, exclusion_bits = rules.severities()
        dx_bits_class, dx_bits = classes_of(rules.dx.table())
        op_bits_class, op_bits = classes_of(rules.op.table())
        cci = charlson_table(catalogue.book.diagnoses)
        columns = ("code", "name", "kind", "aux", "aux_level")
        texts = {name: tuple(str(getattr(kind, name)) for kind in self.lines) for name in columns}
        numbers = {code: number for number, code in enumerate(dict.fromkeys(texts["code"]))}
        arrays = CatalogueArrays(
            **self.classes(),
            **self.procedures(),
            **self.cell_arrays(),
            level_entry=entries,
            line_kind=np.array([numbers[code] for code in texts["code"]], np.int32),
            line_score=_numbers([kind.score for kind in self.lines]),
            line_cost=_numbers([kind.mean_cost for kind in self.lines]),
            ties=np.array([TIE_IDS[name] for name in catalogue.matching.ties], np.int8),
            settings=self.settings(),
            dx_bits_class=dx_bits_class,
            dx_bits=dx_bits,
            op_bits_class=op_bits_class,
            op_bits=op_bits,
            dx_level=level,
            dx_exclusion=exclusion,
            exclusion_class=exclusion_class,
            exclusion_bits=exclusion_bits,
            **rules.graph_arrays(),
            cci_masks=cci.masks,
            cci_points=cci.points,
        )
        return CompiledCatalogue(
            id=catalogue.id,
            digest=catalogue.digest,
            arrays=arrays,
            diagnoses=build_code_table(catalogue.book.diagnoses),
            procedures=build_code_table(catalogue.book.procedures),
            lines=texts,
            text_words=rules.texts(),
            variables=frozenset(name for level in catalogue.levels for name in variables_of(level.condition)),
            wants_cost="nearest_mean_cost" in catalogue.matching.ties,
            all_diagnoses=catalogue.auxiliary.comorbidity == "all_diagnoses",
            blank=next((kind.code for kind in self.lines if kind.kind == "blank"), ""),
        )

    def severities(self) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """CC and MCC entries and exclusions of the DRG scheme that the catalogue names, for the codes that it knows."""
        scheme = load_scheme(self.catalogue.auxiliary.severity_lists)
        known = self.dx_ids
        severities = {code: entry for code, entry in scheme.severities.items() if code in known}
        exclusions = {name: frozenset(known.keys() & listed) for name, listed in scheme.exclusions.items()}
        return severities, exclusions

    def settings(self) -> NDArray[np.int8]:
        m = self.catalogue.matching
        return np.array(
            [
                PLACE_IDS[m.principal_procedure], m.related == "most_done", m.full_code == "first",
                m.comprehensive_class == "highest", m.comprehensive_rest == "conservative",
                self.catalogue.auxiliary.several == "first_listed",
            ],
            np.int8,
        )  # fmt: skip

    def procedures(self) -> dict[str, NDArray[Any]]:
        """Class of every procedure, and which do not count."""
        count = len(self.op_ids) + 2
        op_class = np.full(count, NO_CLASS, np.int8)
        for code, name in self.catalogue.classes.items():
            op_class[self.op_ids[code] + 2] = CLASS_ORDER.index(name)
        excluded = np.zeros(count, np.bool_)
        if "excluded" in self.order:
            excluded[[self.op_ids[kind.procedure] + 2 for kind in self.lines if is_excluded_procedure(kind)]] = True
        return {"op_class": op_class, "op_simple": op_class == 0, "op_excluded": excluded}

    def classes(self) -> dict[str, NDArray[Any]]:
        """Classes of principal diagnoses: the same class where the same cells come into question."""
        covered: dict[str, list[int]] = {}
        for number, key in enumerate(self.cells):
            covered.setdefault(key[2], []).append(number)
        by_code: list[list[str]] = [[] for _ in self.dx_ids]
        for dx in covered:
            for code in covered_by(dx, self.catalogue.book.diagnoses):
                by_code[self.dx_ids[code]].append(dx)
        keys = list(self.cells)
        # a diagnosis that is not known can have no kind but one that asks for none
        unknown = [cell for cell in covered.get("", ()) if keys[cell][1] in ("excluded", "first")]
        groups: dict[tuple[str, ...], int] = {("?",): 0}
        members = [unknown]
        dx_class = np.zeros(len(self.dx_ids) + 2, np.int32)
        for number, patterns_ in enumerate(by_code):
            key = tuple(patterns_)
            if key not in groups:
                groups[key] = len(members)
                members.append([cell for dx in key for cell in covered[dx]])
            dx_class[number + 2] = groups[key]
        for cells in members:
            cells.sort(key=lambda cell: (keys[cell][0], cell))
        asks = self.asked_by_cell()
        leveled = [any(self.lines[row].aux for row in rows) for rows in self.cells.values()]
        return {
            "dx_class": dx_class,
            "class_start": np.cumsum([0, *map(len, members)]).astype(np.int32),
            "class_cells": np.array([cell for cells in members for cell in cells], np.int32),
            "class_levels": np.array([any(leveled[cell] for cell in cells) for cells in members]),
            "class_asks": np.array([np.bitwise_or.reduce([0, *(asks[cell] for cell in cells)]) for cells in members], np.int8),
        }

    def asked_by_cell(self) -> list[int]:
        """For each cell the variables of _ASKED that its levels ask for, as bits."""
        by_level = {key: variables_of(level.condition) for key, level in self.catalogue.by_level.items()}
        found = []
        for rows in self.cells.values():
            asked = set().union(*(by_level[kind.aux, kind.aux_level] for kind in map(self.lines.__getitem__, rows) if kind.aux))
            found.append(sum(1 << bit for bit, name in enumerate(_ASKED) if name in asked))
        return found

    def cell_arrays(self) -> dict[str, NDArray[Any]]:
        """Combination, stage and lines of each cell."""
        lists = {aux: number for number, aux in enumerate(dict.fromkeys(level.aux for level in self.catalogue.levels))}
        places = {key: number for number, key in enumerate(self.catalogue.by_level)}
        stages, flags, shapes, classes, procedures, bases = [], [], [], [], [], []
        related: list[int] = []
        related_start, level_start = [0], [0]
        levels: list[tuple[int, int, int]] = []
        for (position, stage, dx, procedure, codes_, operation_class), rows in self.cells.items():
            by_class = stage in ("comprehensive", "chapter", "blank")
            shape = shape_of(dx)
            stages.append(position)
            flags.append(
                BY_CLASS * by_class
                | ANY_PROCEDURE * (stage in ("excluded", "first") and not procedure)
                | IS_EXCLUDED * (stage == "excluded")
                | IS_FULL_CODE * (shape == patterns.FULL_DX)
                | IS_COMPREHENSIVE * (stage == "comprehensive")
            )
            shapes.append(shape)
            classes.append(CLASS_ORDER.index(operation_class) if operation_class else ALL_CLASSES)
            procedures.append(self.op_ids[procedure] if procedure else NO_CODE)
            related += [self.op_ids[code] for code in codes_]
            related_start.append(len(related))
            bases.append(next((row for row in rows if not self.lines[row].aux), -1))
            own = [(lists[kind.aux], places[kind.aux, kind.aux_level], row) for row in rows if (kind := self.lines[row]).aux]
            levels += sorted(own)
            level_start.append(len(levels))
        return {
            "cell_stage": np.array(stages, np.int8),
            "cell_flags": np.array(flags, np.int8),
            "cell_shape": np.array(shapes, np.int8),
            "cell_class": np.array(classes, np.int8),
            "cell_procedure": np.array(procedures, np.int32),
            "cell_related": np.array(related_start, np.int32),
            "related": np.array(related, np.int32),
            "cell_base": np.array(bases, np.int32),
            "cell_levels": np.array(level_start, np.int32),
            "levels": np.array(levels, np.int32).reshape(-1, 3),
        }


def _numbers(values: list[float | None]) -> NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], np.float64)

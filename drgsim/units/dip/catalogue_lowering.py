"""Lower a DIP catalogue to the flat integer arrays that the kernel walks.

Lines of ``kinds.csv`` that differ in their auxiliary level only are one *cell*: a combination of diagnosis and procedures.
Every principal diagnosis has a class, and a class the cells whose diagnosis covers it, in the order of the stages. Conditions
of levels and lines become nodes of a decision graph, as the rules of DRG schemes do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drgsim.records.encode import build_code_table
from drgsim.units.dip.catalogue_arrays import (
    ALL_CLASSES,
    ANY_PROCEDURE,
    ANYWHERE,
    ASKED,
    BY_CLASS,
    CODE_BITS,
    IN_TABLE_ORDER,
    IS_COMPREHENSIVE,
    IS_EXCLUDED,
    IS_FULL_CODE,
    LINE_TEXTS,
    MAY_BE_PRINCIPAL,
    NEVER_PRINCIPAL,
    NO_CLASS,
    NO_CODE,
    PLACE_IDS,
    TIE_IDS,
    CatalogueArrays,
    CompiledCatalogue,
)
from drgsim.units.dip.charlson import charlson_table
from drgsim.units.dip.code_patterns import FULL_DX, begins, covered_by, matching_codes, shape_of
from drgsim.units.dip.dip_catalogue import CLASS_ORDER, CONDITION_NUMBERS, PRIMARY, Catalogue, Kind, alternatives, stage_of
from drgsim.units.schemes.pack import load_scheme
from drgsim.units.schemes.rule_language import Always, And, Compare, Rule, all_of, variables_of
from drgsim.units.schemes.rule_lowering import RuleLowering, classes_of


def position_of(kind: Kind, order: tuple[str, ...]) -> int:
    """Place of a line's stage in the order of matching; -1 where the order leaves it out."""
    stage = stage_of(kind.kind)
    if kind.aux and stage == "core" and "auxiliary" in order:
        stage = "auxiliary"
    return order.index(stage) if stage in order else -1


def is_excluded_procedure(kind: Kind) -> bool:
    """Whether a line of the excluded list says that a procedure does not count, whatever the diagnosis."""
    return kind.kind == "excluded" and bool(kind.procedure) and not (kind.dx or kind.related or kind.aux or kind.condition)


def may_be_primary(kind: Kind, catalogue: Catalogue) -> bool:
    """Whether a primary-care case can have a line: one of merged or core kinds, without related procedures or a condition,
    whose diagnosis and procedures meet the list."""
    if stage_of(kind.kind) not in ("merged", "core") or kind.related or kind.condition or kind.kind == PRIMARY:
        return False
    procedures = set(alternatives(kind.procedure))
    return any(
        (bool(procedures & set(line.procedures)) if line.procedures else not procedures)
        and any(begins(dx, line.dx) or begins(line.dx, dx) for dx in alternatives(kind.dx))
        for line in catalogue.primary_care
    )


def lower_catalogue(catalogue: Catalogue) -> CompiledCatalogue:
    """Lower a catalogue; :func:`compile_catalogue` keeps the result."""
    return CatalogueLowering(catalogue).lower()


class CatalogueLowering:
    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.lines = catalogue.lines
        self.order = catalogue.matching.order
        self.dx_ids = {code: number for number, code in enumerate(catalogue.book.diagnoses.codes)}
        self.op_ids = {code: number for number, code in enumerate(catalogue.book.procedures.codes)}
        self.conditions = {text: number for number, text in enumerate(catalogue.conditions, start=len(catalogue.levels))}
        self.cells: dict[tuple[Any, ...], list[int]] = {}
        for row, kind in enumerate(self.lines):
            position = position_of(kind, self.order)
            if position >= 0 and not is_excluded_procedure(kind):
                self.cells.setdefault((position, *kind.combination), []).append(row)
        self.in_cell = [self.lines[rows[0]] for rows in self.cells.values()]

    def lower(self) -> CompiledCatalogue:
        catalogue = self.catalogue
        conditions = [*(level.condition for level in catalogue.levels), *catalogue.conditions.values()]
        rules = RuleLowering(catalogue.book, catalogue.sets, *self.severities(), conditions, CONDITION_NUMBERS)
        entries = np.array([rules.entry(condition) for condition in conditions], np.int32)
        level, exclusion, exclusion_class, exclusion_bits = rules.severities()
        dx_bits_class, dx_bits = classes_of(rules.dx.table())
        op_bits_class, op_bits = classes_of(rules.op.table())
        cci = charlson_table(catalogue.book.diagnoses)
        line_primary, lines = self.primary_lines()
        texts = {name: tuple(str(getattr(kind, name)) for kind in lines) for name in LINE_TEXTS}
        numbers = {code: number for number, code in enumerate(dict.fromkeys(texts["code"]))}
        arrays = CatalogueArrays(
            **self.classes(),
            **self.diagnoses(),
            **self.procedures(),
            **self.cell_arrays(),
            level_entry=entries,
            screen_entry=np.array([rules.entry(_of_numbers(condition)) for condition in conditions], np.int32),
            line_primary=line_primary,
            **self.primary_care(),
            line_kind=np.array([numbers[code] for code in texts["code"]], np.int32),
            line_score=_numbers([kind.score for kind in lines]),
            line_cost=_numbers([kind.mean_cost for kind in lines]),
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
            variables=frozenset(name for condition in conditions for name in variables_of(condition)),
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

    def diagnoses(self) -> dict[str, NDArray[Any]]:
        """Diagnoses that may not be principal, and those with which some procedures may be."""
        excluded = np.zeros(len(self.dx_ids) + 2, np.bool_)
        scope = np.zeros(len(self.dx_ids) + 2, np.int64)
        if "excluded" in self.order:
            excluded[[self.dx_ids[code] + 2 for code in self.catalogue.excluded.diagnoses]] = True
            for number, patterns in enumerate(self.catalogue.excluded.scopes):
                codes = {code for pattern in patterns for code in matching_codes(pattern, self.catalogue.book.diagnoses)}
                scope[[self.dx_ids[code] + 2 for code in codes]] |= np.int64(1) << np.int64(number)
        return {"dx_excluded": excluded, "dx_scope": scope}

    def procedures(self) -> dict[str, NDArray[Any]]:
        """Class of every procedure, which do not count, and which may be the principal one."""
        count, listed = len(self.op_ids) + 2, self.catalogue.excluded
        op_class = np.full(count, NO_CLASS, np.int8)
        for code, name in self.catalogue.classes.items():
            op_class[self.op_ids[code] + 2] = CLASS_ORDER.index(name)
        excluded = np.zeros(count, np.bool_)
        place = np.full(count, MAY_BE_PRINCIPAL, np.int8)
        if "excluded" in self.order:
            alone = [code for kind in self.lines if is_excluded_procedure(kind) for code in alternatives(kind.procedure)]
            excluded[[self.op_ids[code] + 2 for code in (*alone, *listed.conservative)]] = True
            place[[self.op_ids[code] + 2 for code in listed.never_principal]] = NEVER_PRINCIPAL
            for code, patterns in listed.only_with.items():
                place[self.op_ids[code] + 2] = 1 + listed.scopes.index(patterns)
        by_class = self.catalogue.matching.simple_procedures == "conservative_class"
        return {"op_class": op_class, "op_simple": (op_class == 0) & by_class, "op_excluded": excluded, "op_place": place}

    def primary_lines(self) -> tuple[NDArray[np.int32], list[Kind]]:
        """For each line the one of the same kind for primary-care cases (-1 for none), and the lines with those."""
        lines = list(self.lines)
        places = np.full(len(lines), -1, np.int32)
        for row, kind in enumerate(self.lines):
            if may_be_primary(kind, self.catalogue):
                places[row] = len(lines)
                lines.append(replace(kind, kind=PRIMARY))
        return np.append(places, np.full(len(lines) - len(places), -1)).astype(np.int32), lines

    def primary_care(self) -> dict[str, NDArray[Any]]:
        """Classes of principal diagnoses by the procedures with which they are primary-care cases."""
        by_code: dict[int, list[int]] = {}
        for line in self.catalogue.primary_care:
            ops = [self.op_ids[code] for code in line.procedures] or [NO_CODE]
            for code in matching_codes(line.dx, self.catalogue.book.diagnoses):
                by_code.setdefault(self.dx_ids[code], []).extend(ops)
        groups: dict[tuple[int, ...], int] = {(): 0}
        dx_primary = np.zeros(len(self.dx_ids) + 2, np.int32)
        for number, ops in by_code.items():
            dx_primary[number + 2] = groups.setdefault(tuple(ops), len(groups))
        return {
            "dx_primary": dx_primary,
            "primary_start": np.cumsum([0, *map(len, groups)]).astype(np.int32),
            "primary": np.array([op for group in groups for op in group], np.int32),
        }

    def classes(self) -> dict[str, NDArray[Any]]:
        """Classes of principal diagnoses: the same class where the same cells come into question."""
        covered: dict[str, list[int]] = {}
        for number, kind in enumerate(self.in_cell):
            for dx in alternatives(kind.dx) or ("",):
                covered.setdefault(dx, []).append(number)
        by_code: list[list[str]] = [[] for _ in self.dx_ids]
        for dx in covered:
            for code in covered_by(dx, self.catalogue.book.diagnoses):
                by_code[self.dx_ids[code]].append(dx)
        stages = [key[0] for key in self.cells]
        # a diagnosis that is not known can have no kind but one that asks for none
        unknown = [cell for cell in covered.get("", ()) if stage_of(self.in_cell[cell].kind) in ("excluded", "first")]
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
            cells.sort(key=lambda cell: (stages[cell], cell))
        asks = self.asked_by_cell()
        return {
            "dx_class": dx_class,
            "class_start": np.cumsum([0, *map(len, members)]).astype(np.int32),
            "class_cells": np.array([cell for cells in members for cell in cells], np.int32),
            "class_asks": np.array([np.bitwise_or.reduce([0, *(asks[cell] for cell in cells)]) for cells in members], np.int8),
        }

    def asked_by_cell(self) -> list[int]:
        """For each cell the variables of ASKED that its conditions ask for, as bits."""
        by_level = {key: variables_of(level.condition) for key, level in self.catalogue.by_level.items()}
        by_condition = {text: variables_of(rule) for text, rule in self.catalogue.conditions.items()}
        found = []
        for rows in self.cells.values():
            lines = [self.lines[row] for row in rows]
            asked = set().union(*(by_level[kind.aux, kind.aux_level] for kind in lines if kind.aux))
            asked |= by_condition[lines[0].condition] if lines[0].condition else set()
            found.append(sum(1 << bit for bit, name in enumerate(ASKED) if name in asked))
        return found

    def cell_arrays(self) -> dict[str, NDArray[Any]]:
        """Combination, stage and lines of each cell."""
        cells = self.in_cell
        groups = [[self.op_ids[code] for code in alternatives(one)] for kind in cells for one in sorted(kind.related)]
        principals = [[self.op_ids[code] for code in alternatives(kind.procedure)] for kind in cells]
        return {
            "cell_stage": np.array([key[0] for key in self.cells], np.int8),
            "cell_flags": np.array([self.flags(kind) for kind in cells], np.int8),
            "cell_shape": np.array([_shape(kind) for kind in cells], np.int8),
            "cell_class": np.array(
                [CLASS_ORDER.index(kind.operation_class) if kind.operation_class else ALL_CLASSES for kind in cells], np.int8
            ),
            "cell_condition": np.array([self.conditions[kind.condition] if kind.condition else -1 for kind in cells], np.int32),
            "cell_bits": np.array(
                [np.bitwise_or.reduce([0, *(1 << code % CODE_BITS for code in codes)]) for codes in principals], np.int64
            ),
            "cell_procedure": np.cumsum([0, *map(len, principals)]).astype(np.int32),
            "principals": np.array([code for listed in principals for code in listed], np.int32),
            "cell_related": np.cumsum([0, *(len(kind.related) for kind in cells)]).astype(np.int32),
            "group_start": np.cumsum([0, *map(len, groups)]).astype(np.int32),
            "related": np.array([code for group in groups for code in group], np.int32),
            **self.level_arrays(),
        }

    def flags(self, kind: Kind) -> int:
        """What the kernel asks of a cell, as bits."""
        stage = stage_of(kind.kind)
        in_order = stage == "first" and self.catalogue.matching.first_kinds == "table_order"
        return (
            BY_CLASS * (stage in ("comprehensive", "chapter", "blank"))
            | ANY_PROCEDURE * (stage in ("excluded", "first") and not kind.procedure)
            | IS_EXCLUDED * (stage == "excluded")
            | IS_FULL_CODE * (_shape(kind) == FULL_DX)
            | IS_COMPREHENSIVE * (stage == "comprehensive")
            | ANYWHERE * kind.anywhere
            | IN_TABLE_ORDER * in_order
        )

    def level_arrays(self) -> dict[str, NDArray[Any]]:
        """Line without a level and lines by level of each cell."""
        lists = {aux: number for number, aux in enumerate(dict.fromkeys(level.aux for level in self.catalogue.levels))}
        places = {key: number for number, key in enumerate(self.catalogue.by_level)}
        bases, level_start = [], [0]
        levels: list[tuple[int, int, int]] = []
        for rows in self.cells.values():
            bases.append(next((row for row in rows if not self.lines[row].aux), -1))
            own = [(lists[kind.aux], places[kind.aux, kind.aux_level], row) for row in rows if (kind := self.lines[row]).aux]
            levels += sorted(own)
            level_start.append(len(levels))
        return {
            "cell_base": np.array(bases, np.int32),
            "cell_levels": np.array(level_start, np.int32),
            "levels": np.array(levels, np.int32).reshape(-1, 3),
        }


def _of_numbers(condition: Rule) -> Rule:
    """What must hold of numbers for a condition to hold; it is asked first, since codes take longer to look up."""
    parts = condition.rules if isinstance(condition, And) else (condition,)
    known = [part for part in parts if isinstance(part, Compare)]
    return all_of([*known]) if known else Always()


def _shape(kind: Kind) -> int:
    """How specific the diagnosis of a line is; several are of one shape."""
    return shape_of(kind.dx.partition("|")[0])


def _numbers(values: list[float | None]) -> NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], np.float64)

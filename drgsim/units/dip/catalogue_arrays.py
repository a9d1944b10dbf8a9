"""The flat integer arrays of a DIP catalogue that the kernel walks, and what goes with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drgsim.records.encode import CodeTable

PLACE, PLACE_FIRST, ANY_PLACE = range(3)
TIE_PRINCIPAL, TIE_COST, TIE_SCORE = range(3)
TIE_IDS = {"principal_procedure_first": TIE_PRINCIPAL, "nearest_mean_cost": TIE_COST, "larger_score": TIE_SCORE}
PLACE_IDS = {"principal_place": PLACE, "principal_place_first": PLACE_FIRST, "any_place": ANY_PLACE}
CODE_BITS = 62  # of cell_bits
NO_CODE, ALL_CLASSES, NO_CLASS = -9, -1, -1
LINE_TEXTS = ("code", "name", "kind", "aux", "aux_level")
# bits of cell_flags
BY_CLASS, ANY_PROCEDURE, IS_EXCLUDED, IS_FULL_CODE, IS_COMPREHENSIVE, ANYWHERE, IN_TABLE_ORDER = 1, 2, 4, 8, 16, 32, 64
MAY_BE_PRINCIPAL, NEVER_PRINCIPAL = 0, -1  # of op_place; k above 0: with principal diagnoses that have bit k - 1 of dx_scope
ASKED = ("ZYTS", "LYFS", "RYKS")  # variables whose absence is worth a word where a level asks for them


class CatalogueArrays(NamedTuple):
    """What the kernel reads. Arrays by code are indexed by code id + 2, so that EMPTY and UNKNOWN need no test."""

    dx_class: NDArray[np.int32]
    dx_excluded: NDArray[np.bool_]  # may not be the principal diagnosis of a kind
    dx_scope: NDArray[np.int64]
    dx_primary: NDArray[np.int32]  # class of procedures that make a primary-care case
    class_start: NDArray[np.int32]  # (classes + 1,)
    class_cells: NDArray[np.int32]  # cells of each class, by stage and then as in the table
    class_asks: NDArray[np.int8]  # variables of ASKED that its conditions ask for, as bits
    op_class: NDArray[np.int8]  # place in CLASS_ORDER, NO_CLASS where unknown
    op_simple: NDArray[np.bool_]  # counts as not done when a kind without procedures is looked for
    op_excluded: NDArray[np.bool_]  # does not count at all
    op_place: NDArray[np.int8]  # MAY_BE_PRINCIPAL, NEVER_PRINCIPAL, or a scope of diagnoses
    cell_stage: NDArray[np.int8]
    cell_flags: NDArray[np.int8]
    cell_shape: NDArray[np.int8]
    cell_class: NDArray[np.int8]
    cell_condition: NDArray[np.int32]  # place in level_entry, -1 for none
    cell_bits: NDArray[np.int64]  # of the principal procedures, by id: a case without any of them has none of the codes
    cell_procedure: NDArray[np.int32]  # (cells + 1,) principal procedures, one of them
    cell_related: NDArray[np.int32]  # (cells + 1,) related procedures, each a group of codes, one of them
    group_start: NDArray[np.int32]  # (groups + 1,)
    principals: NDArray[np.int32]
    related: NDArray[np.int32]
    cell_base: NDArray[np.int32]  # line without a level, -1 for none
    cell_levels: NDArray[np.int32]  # (cells + 1,)
    levels: NDArray[np.int32]  # (n, 3): list, level, line; by list and level
    level_entry: NDArray[np.int32]  # node of each level's condition, then of each condition of lines
    screen_entry: NDArray[np.int32]  # node of what each of them asks of numbers alone
    line_primary: NDArray[np.int32]  # line of the same kind for primary-care cases, -1 for none
    primary_start: NDArray[np.int32]  # (classes + 1,)
    primary: NDArray[np.int32]  # principal procedures of primary-care cases, NO_CODE for none done
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

"""The numba kernel of DIP: a batch of encoded discharges in, the line of the catalogue that each one matches out.

It walks the arrays that :mod:`drgsim.units.dip.compiled_catalogue` makes and must give the same answers as
:mod:`drgsim.units.dip.dip_reference`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from drgsim.compiled_code import njit
from drgsim.records.code_dictionaries import EMPTY
from drgsim.units.dip.catalogue_arrays import (
    ALL_CLASSES,
    ANY_PROCEDURE,
    ANYWHERE,
    BY_CLASS,
    CODE_BITS,
    IN_TABLE_ORDER,
    IS_COMPREHENSIVE,
    IS_EXCLUDED,
    IS_FULL_CODE,
    NO_CLASS,
    NO_CODE,
    PLACE,
    PLACE_FIRST,
    TIE_COST,
    TIE_PRINCIPAL,
    CatalogueArrays,
)
from drgsim.units.dip.level_conditions import PLAIN_NUMBERS, fill_words, standing_levels
from drgsim.units.dip.principal_place import counting_procedures, is_one_of, may_be_principal, place_of
from drgsim.units.schemes.rule_kernel import decide

NO_LINE = -1
# bits of Matched.notes
EXCLUDED, TIE, LEVEL_UNLISTED = 1, 2, 4
_KEYS = 9  # entries of a rank: full code, place, exact, matched, missing, three ties, shape


class EncodedForDip(NamedTuple):
    """A batch of ``n`` discharges as integers (:mod:`drgsim.records.batch_encoding`); ``cost`` in yuan, NaN where missing."""

    diagnoses: NDArray[np.int32]
    diagnosis_offsets: NDArray[np.int64]
    procedures: NDArray[np.int32]
    procedure_offsets: NDArray[np.int64]
    numbers: NDArray[np.float64]
    texts: NDArray[np.int64]
    cci: NDArray[np.int8]
    cost: NDArray[np.float64]
    skip: NDArray[np.bool_]


class Matched(NamedTuple):
    """Answers of the kernel, one per discharge.

    ``line`` is the line of the catalogue or ``NO_LINE``; ``severity`` 0 none, 1 CC, 2 MCC; ``notes`` the bits EXCLUDED (the
    excluded list took it), TIE (kinds fitted equally, the order of the table decided) and LEVEL_UNLISTED (a combination fitted
    before, but had no line for the levels of the case).
    """

    line: NDArray[np.int32]
    severity: NDArray[np.int8]
    notes: NDArray[np.int8]


def match_encoded(arrays: CatalogueArrays, batch: EncodedForDip) -> Matched:
    """Match a batch. Releases the GIL, so that several batches run side by side."""
    return Matched(*_match(arrays, batch))


@njit(cache=True, nogil=True)
def _points(score: float) -> float:  # pragma: no cover - compiled
    """A score to compare: a line without one comes last."""
    return -1.0 if np.isnan(score) else score


@njit(cache=True, nogil=True, inline="always")
def _line_of_levels(
    base: int, start: int, stop: int, levels: Any, level_holds: Any, level_entry: Any, line_score: Any, first_listed: int,
    nodes: Any, values: Any, sites: Any, words: Any, numbers: Any,
) -> Any:  # pragma: no cover - compiled  # fmt: skip
    """The line of a combination with levels: the last level of each list that holds, then the list that counts."""
    chosen = of_list = NO_LINE
    for entry in range(start, stop):
        level = levels[entry, 1]
        if level_holds[level] == 0:
            level_holds[level] = 1 if decide(nodes, values, sites, level_entry[level], words, numbers) else 2
        if level_holds[level] == 1:
            of_list = levels[entry, 2]
        if (entry + 1 == stop or levels[entry + 1, 0] != levels[entry, 0]) and of_list != NO_LINE:
            gains = not first_listed and _points(line_score[of_list]) > _points(line_score[chosen])
            if chosen == NO_LINE or gains:
                chosen = of_list
            of_list = NO_LINE
    return base if chosen == NO_LINE else chosen


@njit(cache=True, nogil=True, inline="always")
def _fill_rank(
    key: Any, full: bool, in_place: int, exact: bool, matched: int, missing: int, shape: int, line: int, cost: float,
    line_cost: Any, line_score: Any, ties: Any, place_rule: int,
) -> None:  # pragma: no cover - compiled  # fmt: skip
    """The rank of a combination that fits: what counts first stands first, larger is better."""
    key[0] = full
    key[1] = in_place if place_rule == PLACE_FIRST else 0.0
    key[2] = exact
    key[3] = matched
    key[4] = -missing
    key[5] = key[6] = key[7] = 0.0
    for number in range(ties.size):
        if ties[number] == TIE_PRINCIPAL:
            key[5 + number] = in_place
        elif ties[number] == TIE_COST:
            gap = abs(cost - line_cost[line])
            key[5 + number] = -np.inf if np.isnan(gap) else -gap
        else:
            key[5 + number] = _points(line_score[line])
    key[8] = shape


@njit(cache=True, nogil=True, inline="always")
def _better(key: Any, best: Any) -> int:  # pragma: no cover - compiled
    """1 when a rank is better than the best so far, -1 when it is worse, 0 when they are equal."""
    at = 0
    while at < _KEYS and key[at] == best[at]:
        at += 1
    return 0 if at == _KEYS else 1 if key[at] > best[at] else -1


@njit(cache=True, nogil=True)
def _match(s: Any, batch: Any) -> Any:  # noqa: C901  # pragma: no cover - compiled
    # the search stays in one piece: to hand a function its arrays for every combination takes longer than to compare it
    # arrays are unpacked once: handing the whole tuple to a function would count references for every array at every call
    dx_class, class_start, class_cells = s.dx_class, s.class_start, s.class_cells
    dx_excluded, dx_scope, dx_primary = s.dx_excluded, s.dx_scope, s.dx_primary
    op_class, op_simple, op_excluded, op_place = s.op_class, s.op_simple, s.op_excluded, s.op_place
    cell_stage, cell_flags, cell_shape, cell_class = s.cell_stage, s.cell_flags, s.cell_shape, s.cell_class
    cell_condition, cell_procedure, cell_related = s.cell_condition, s.cell_procedure, s.cell_related
    cell_bits, screen_entry = s.cell_bits, s.screen_entry
    principals, group_start, related = s.principals, s.group_start, s.related
    line_primary, primary_start, primary = s.line_primary, s.primary_start, s.primary
    cell_base, cell_levels, levels, level_entry = s.cell_base, s.cell_levels, s.levels, s.level_entry
    line_kind, line_score, line_cost, ties = s.line_kind, s.line_score, s.line_cost, s.ties
    place_rule, most_done, full_first = s.settings[0], s.settings[1], s.settings[2]
    highest, rest, first_listed = s.settings[3], s.settings[4], s.settings[5]
    dx_bits_class, dx_bits, op_bits_class, op_bits = s.dx_bits_class, s.dx_bits, s.op_bits_class, s.op_bits
    dx_level, dx_exclusion = s.dx_level, s.dx_exclusion
    exclusion_class, exclusion_bits, severity_bits = s.exclusion_class, s.exclusion_bits, s.severity_bits
    nodes, values, sites, counts = s.nodes, s.node_values, s.site_bits, s.counts
    diagnoses, diagnosis_offsets = batch.diagnoses, batch.diagnosis_offsets
    procedures, procedure_offsets = batch.procedures, batch.procedure_offsets
    all_numbers, all_texts, cci, cost, skip = batch.numbers, batch.texts, batch.cci, batch.cost, batch.skip

    n = skip.size
    lines = np.full(n, NO_LINE, np.int32)
    severities = np.zeros(n, np.int8)
    notes = np.zeros(n, np.int8)
    most = 1
    for i in range(n):
        most = max(most, procedure_offsets[i + 1] - procedure_offsets[i])
    counting = np.empty(most, np.int32)
    used = np.zeros(most, np.bool_)
    words = np.zeros(s.row_base[7], np.int64)
    dx_width, op_width, op_base, text_base = dx_bits.shape[1], op_bits.shape[1], s.row_base[3], s.row_base[6]
    numbers = np.zeros(PLAIN_NUMBERS + 1 + counts.shape[0], np.float64)
    level_holds = np.zeros(max(1, level_entry.size), np.int8)  # 0 not asked yet, 1 holds, 2 does not
    key = np.zeros(_KEYS, np.float64)
    best = np.zeros(_KEYS, np.float64)

    for i in range(n):
        if skip[i]:
            continue
        dx = diagnoses[diagnosis_offsets[i] : diagnosis_offsets[i + 1]]

        has_mcc, has_cc = standing_levels(dx, dx_level, dx_exclusion, exclusion_class, exclusion_bits)
        severities[i] = 2 if has_mcc else has_cc
        if dx_excluded[dx[0] + 2]:
            notes[i] = EXCLUDED
            continue

        scope = dx_scope[dx[0] + 2]
        size, done, lead = counting_procedures(
            counting, procedures, procedure_offsets[i], procedure_offsets[i + 1], op_excluded, op_simple, op_place, scope
        )
        first_may = size > 0 and may_be_principal(counting[0], scope, op_place)
        case_class = np.int64(0)
        if done:
            case_class = np.int64(NO_CLASS)
            if highest:
                for at in range(size):
                    case_class = max(case_class, op_class[counting[at] + 2])
            else:
                case_class = np.int64(op_class[counting[lead] + 2])

        own = dx_class[dx[0] + 2]
        numbered = prepared = False
        all_bits = np.int64(0)
        for at in range(size):
            if counting[at] >= 0:
                all_bits |= np.int64(1) << np.int64(counting[at] % CODE_BITS)
        place_bits = np.int64(0)
        if lead >= 0 and counting[lead] >= 0:
            place_bits |= np.int64(1) << np.int64(counting[lead] % CODE_BITS)
        if first_may and counting[0] >= 0:
            place_bits |= np.int64(1) << np.int64(counting[0] % CODE_BITS)
        found = NO_LINE
        found_stage = -1
        passed_stage = 1000  # first stage in which a combination fitted but had no line for the levels
        tie = False
        at_cell = class_start[own]
        stop = class_start[own + 1]
        while at_cell < stop and found == NO_LINE:
            stage = cell_stage[class_cells[at_cell]]
            stage_start = at_cell
            while at_cell < stop and cell_stage[class_cells[at_cell]] == stage:
                at_cell += 1
            wanted_class = case_class
            for attempt in range(2):
                for place_in_class in range(stage_start, at_cell):
                    cell = class_cells[place_in_class]
                    flags = cell_flags[cell]
                    if attempt == 1 and not flags & IS_COMPREHENSIVE:
                        continue
                    if found != NO_LINE and flags & IN_TABLE_ORDER:
                        break
                    in_place = matched = missing = extra = 0
                    first_code, last_code = cell_procedure[cell], cell_procedure[cell + 1]
                    if flags & BY_CLASS:
                        if cell_class[cell] != ALL_CLASSES and cell_class[cell] != wanted_class:
                            continue
                        exact = cell_class[cell] != ALL_CLASSES
                    elif first_code == last_code:
                        if done and not flags & ANY_PROCEDURE:
                            continue
                        exact = done == 0
                    else:
                        anywhere = place_rule != PLACE or flags & ANYWHERE != 0
                        if cell_bits[cell] & (all_bits if anywhere else place_bits) == 0:
                            continue
                        first = place_of(counting, size, lead, first_may, anywhere, principals, first_code, last_code)
                        if first < 0:
                            continue
                        in_place = 1 if first == lead or (first == 0 and first_may) else 0
                        matched = 1
                        for at in range(size):
                            used[at] = False
                        used[first] = True
                        for group in range(cell_related[cell], cell_related[cell + 1]):
                            hit = False
                            for at in range(size):
                                if not used[at] and is_one_of(
                                    related, group_start[group], group_start[group + 1], counting[at]
                                ):
                                    used[at] = True
                                    hit = True
                                    break
                            if hit:
                                matched += 1
                            else:
                                missing += 1
                                if not most_done:
                                    break
                        if missing and (not most_done or matched == 1):
                            continue
                        for at in range(size):
                            if not used[at] and counting[at] != EMPTY and not op_simple[counting[at] + 2]:
                                extra += 1
                        exact = missing == 0 and extra == 0

                    # the line of the combination: its condition, the last level of each list that holds, the list that counts
                    line = cell_base[cell]
                    start, end = cell_levels[cell], cell_levels[cell + 1]
                    condition = cell_condition[cell]
                    if (end > start or condition >= 0) and not numbered:
                        numbered = True
                        for level in range(level_holds.size):
                            level_holds[level] = 0
                        for column in range(PLAIN_NUMBERS):
                            numbers[column] = all_numbers[i, column]
                        numbers[PLAIN_NUMBERS] = cci[i]
                    if condition >= 0:
                        asked_of_numbers = level_holds[condition] == 0
                        if asked_of_numbers and not decide(nodes, values, sites, screen_entry[condition], words, numbers):
                            level_holds[condition] = 2
                        if level_holds[condition] == 2:
                            continue
                    if (end > start or condition >= 0) and not prepared:
                        prepared = True
                        for column in range(words.size - text_base):
                            words[text_base + column] = all_texts[i, column]
                        fill_words(
                            words, numbers, dx, procedures[procedure_offsets[i] : procedure_offsets[i + 1]], dx_width, op_width,
                            op_base, text_base, dx_bits_class, dx_bits, op_bits_class, op_bits, dx_level, dx_exclusion,
                            exclusion_class, exclusion_bits, severity_bits, counts, has_mcc, has_cc,
                        )  # fmt: skip
                    if condition >= 0:
                        if level_holds[condition] == 0:
                            level_holds[condition] = (
                                1 if decide(nodes, values, sites, level_entry[condition], words, numbers) else 2
                            )
                        if level_holds[condition] == 2:
                            continue
                    if end > start:
                        line = _line_of_levels(
                            line, start, end, levels, level_holds, level_entry, line_score, first_listed, nodes, values, sites,
                            words, numbers,
                        )  # fmt: skip
                    if line == NO_LINE:
                        passed_stage = min(passed_stage, stage)
                        continue

                    _fill_rank(
                        key, full_first and flags & IS_FULL_CODE, in_place, exact, matched, missing, cell_shape[cell], line,
                        cost[i], line_cost, line_score, ties, place_rule,
                    )  # fmt: skip
                    better = 1 if found == NO_LINE else _better(key, best)
                    if better > 0:
                        found = line
                        found_stage = stage
                        tie = False
                        best[:] = key
                        notes[i] = EXCLUDED if flags & IS_EXCLUDED else 0
                    elif better == 0:
                        tie = tie or line_kind[line] != line_kind[found]
                comprehensive = cell_flags[class_cells[stage_start]] & IS_COMPREHENSIVE
                if found != NO_LINE or not rest or not comprehensive or wanted_class == 0:
                    break
                wanted_class = np.int64(0)  # a property without a comprehensive kind falls to the conservative one
        if found != NO_LINE and line_primary[found] >= 0:
            own_ops = dx_primary[dx[0] + 2]
            for at in range(primary_start[own_ops], primary_start[own_ops + 1]):
                if (primary[at] == NO_CODE and done == 0) or (lead >= 0 and primary[at] == counting[lead]):
                    found = line_primary[found]
                    break
        lines[i] = found
        if tie:
            notes[i] |= TIE
        if passed_stage < 1000 and (found == NO_LINE or found_stage > passed_stage):
            notes[i] |= LEVEL_UNLISTED
    return lines, severities, notes

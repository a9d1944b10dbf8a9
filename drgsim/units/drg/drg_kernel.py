"""The numba kernel: a batch of encoded discharges in, the number of each one's DRG row out.

It walks the arrays that :mod:`drgsim.units.schemes.scheme_lowering` makes and must give the same answers as
:mod:`drgsim.units.drg.drg_reference`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from drgsim.units.schemes.rule_lowering import ACCEPT, NODE_BIT, NODE_NUMBER, WORD
from drgsim.units.schemes.scheme_lowering import SchemeArrays

UNGROUPABLE = -1
NO_MDC = -1
# how an MDC is known for a discharge that no group takes, or what made a discharge ambiguous
PLAIN, MDC_HOLDS, MDC_CLAIMS, PROCEDURE_MISFIT = range(4)


class EncodedForDrg(NamedTuple):
    """A batch of ``n`` discharges as integers; see :mod:`drgsim.records.batch_encoding` for how it is made.

    ``numbers`` is (n, 6) in the order of ``rules.NUMBER_VARIABLES``, NaN where missing; ``texts`` is (n, 2) with one
    bit per word list
    of the scheme; discharges marked in ``skip`` are not grouped, and all others must have a principal diagnosis place.
    """

    diagnoses: NDArray[np.int32]
    diagnosis_offsets: NDArray[np.int64]
    procedures: NDArray[np.int32]
    procedure_offsets: NDArray[np.int64]
    numbers: NDArray[np.float64]
    texts: NDArray[np.int64]
    skip: NDArray[np.bool_]


class Grouped(NamedTuple):
    """Answers of the kernel, one per discharge.

    ``drg`` is the number of the DRG row or ``UNGROUPABLE``; ``severity`` 0 none, 1 CC, 2 MCC; ``mdc`` the MDC that
    is known without a
    group, or ``NO_MDC``; ``cause`` how it is known.
    """

    drg: NDArray[np.int32]
    severity: NDArray[np.int8]
    mdc: NDArray[np.int32]
    cause: NDArray[np.int8]


def group_encoded(arrays: SchemeArrays, batch: EncodedForDrg) -> Grouped:
    """Group a batch. Releases the GIL, so that several batches run side by side."""
    return Grouped(*_group(arrays, batch))


@njit(cache=True, nogil=True)
def _compare(left: float, comparison: int, right: float) -> bool:  # pragma: no cover - compiled
    """A comparison with NaN (a missing value) is false, whatever the operator."""
    if comparison == 0:
        return left >= right
    if comparison == 1:
        return left <= right
    if comparison == 2:
        return left > right
    if comparison == 3:
        return left < right
    if comparison == 4:
        return left == right
    return left < right or left > right


@njit(cache=True, nogil=True)
def decide(nodes: Any, values: Any, sites: Any, node: int, words: Any, numbers: Any) -> bool:  # pragma: no cover
    """Follow the decision graph from ``node`` to its end."""
    while node >= 0:
        kind = nodes[node, 0]
        if kind == NODE_BIT:
            holds = ((words[nodes[node, 2]] >> nodes[node, 3]) & 1) == 1
        elif kind == NODE_NUMBER:
            holds = _compare(numbers[nodes[node, 2]], nodes[node, 1], values[node])
        else:
            count = np.int64(0)
            for site in range(nodes[node, 2], nodes[node, 3]):
                count += (words[sites[site, 0]] >> sites[site, 1]) & 1
            holds = _compare(float(count), nodes[node, 1], values[node])
        node = nodes[node, 4] if holds else nodes[node, 5]
    return node == ACCEPT


@njit(cache=True, nogil=True)
def count_listed(codes: Any, start: int, stop: int, classes: Any, bits: Any, word: int, shift: int) -> int:  # pragma: no cover
    """Number of different codes in a list."""
    count = 0
    for at in range(start, stop):
        if (bits[classes[codes[at] + 2], word] >> shift) & 1:
            fresh = 1
            for before in range(start, at):
                if codes[before] == codes[at]:
                    fresh = 0
            count += fresh
    return count


@njit(cache=True, nogil=True)
def count_levels(
    dx: Any, wanted: int, levels: Any, exclusions: Any, exclusion_bits: Any, excluded_by: int
) -> int:  # pragma: no cover
    """Number of different other diagnoses with a wanted level that the principal diagnosis does not take away."""
    count = 0
    for at in range(1, dx.size):
        level = levels[dx[at] + 2]
        if level & wanted:
            exclusion = exclusions[dx[at] + 2]
            fresh = 1
            if exclusion >= 0 and (exclusion_bits[excluded_by, exclusion // WORD] >> (exclusion % WORD)) & 1:
                fresh = 0
            for before in range(1, at):
                if dx[before] == dx[at]:
                    fresh = 0
            count += fresh
    return count


# position of the only set bit of a word below 2**62, by the word modulo 67
_POSITION = np.zeros(67, np.int64)
for _bit in range(WORD):
    _POSITION[(1 << _bit) % 67] = _bit


@njit(cache=True, nogil=True)
def _group(s: Any, batch: Any) -> Any:  # pragma: no cover - compiled
    # arrays are unpacked once: handing the whole tuple to a function would count references for every array at every call
    dx_class, dx_bits, dx_rows, dx_mdc = s.dx_class, s.dx_bits, s.dx_rows, s.dx_mdc
    dx_level, dx_exclusion = s.dx_level, s.dx_exclusion
    exclusion_class, exclusion_bits, severity_bits = s.exclusion_class, s.exclusion_bits, s.severity_bits
    op_class, op_bits, op_rows_principal, op_rows_other = s.op_class, s.op_bits, s.op_rows_principal, s.op_rows_other
    row_needs_op, row_mdc, row_entry, row_first_drg = s.row_needs_op, s.row_mdc, s.row_entry, s.row_first_drg
    nodes, values, sites, counts = s.nodes, s.node_values, s.site_bits, s.counts
    mdc_entry, mdc_asks, drg_entry, drg_row, row_ambiguous = s.mdc_entry, s.mdc_asks, s.drg_entry, s.drg_row, s.row_ambiguous
    diagnoses, diagnosis_offsets = batch.diagnoses, batch.diagnosis_offsets
    procedures, procedure_offsets = batch.procedures, batch.procedure_offsets
    all_numbers, all_texts, skip = batch.numbers, batch.texts, batch.skip
    regroup = s.regroup[0]

    n = skip.size
    drgs = np.full(n, UNGROUPABLE, np.int32)
    severities = np.zeros(n, np.int8)
    mdcs = np.full(n, NO_MDC, np.int32)
    causes = np.zeros(n, np.int8)

    dx_width, op_width, row_width = dx_bits.shape[1], op_bits.shape[1], row_needs_op.size
    op_base, text_base, end = s.row_base[3], s.row_base[6], s.row_base[7]
    words = np.zeros(end, np.int64)
    rows = np.zeros(row_width, np.int64)
    plain = all_numbers.shape[1]
    numbers = np.zeros(plain + counts.shape[0], np.float64)

    mdc_end = np.zeros(mdc_entry.size, np.int64)  # the rows of an MDC stand together
    for row in range(row_mdc.size):
        mdc_end[row_mdc[row]] = row + 1
    whole = np.zeros(text_base - op_base, np.int64)
    whole_numbers = np.zeros(numbers.size, np.float64)

    for i in range(n):
        if skip[i]:
            continue
        dx = diagnoses[diagnosis_offsets[i] : diagnosis_offsets[i + 1]]
        op_start, op_stop = procedure_offsets[i], procedure_offsets[i + 1]
        for column in range(plain):
            numbers[column] = all_numbers[i, column]
        for column in range(end - text_base):
            words[text_base + column] = all_texts[i, column]

        # diagnoses: bits of ZYZD, QTZD and both, and which MCC and CC the principal diagnosis leaves standing
        first = dx_class[dx[0] + 2]
        excluded_by = exclusion_class[dx[0] + 2]
        for word in range(dx_width):
            words[dx_width + word] = 0
        has_mcc = has_cc = np.int64(0)
        for at in range(1, dx.size):
            code = dx[at] + 2
            listed = dx_class[code]
            if listed:
                for word in range(dx_width):
                    words[dx_width + word] |= dx_bits[listed, word]
            level = dx_level[code]
            if level:
                exclusion = dx_exclusion[code]
                if exclusion < 0 or not (exclusion_bits[excluded_by, exclusion // WORD] >> (exclusion % WORD)) & 1:
                    if level == 2:
                        has_mcc = np.int64(1)
                    else:
                        has_cc = np.int64(1)
        for word in range(dx_width):
            bits = dx_bits[first, word]
            words[word] = bits
            words[2 * dx_width + word] = bits | words[dx_width + word]
        words[dx_width + severity_bits[0, 0]] |= has_mcc << severity_bits[0, 1]
        words[dx_width + severity_bits[1, 0]] |= has_cc << severity_bits[1, 1]
        words[dx_width + severity_bits[2, 0]] |= (has_mcc | has_cc) << severity_bits[2, 1]
        severities[i] = 2 if has_mcc else has_cc

        # a scheme that regroups tries each other procedure alone as the only one; all others have one round
        drg = UNGROUPABLE
        rounds = max(1, op_stop - op_start) if regroup else 1
        for attempt in range(rounds):
            from_op = op_start + attempt
            to_op = from_op + 1 if attempt else op_stop
            # procedures: bits of ZYSS, QTSS and both, and the ADRG rows that name one of them
            for word in range(op_base, text_base):
                words[word] = 0
            for word in range(row_width):
                rows[word] = 0
            for at in range(from_op, to_op):
                listed = op_class[procedures[at] + 2]
                if listed:
                    offset = op_base if at == from_op else op_base + op_width
                    for word in range(op_width):
                        words[offset + word] |= op_bits[listed, word]
                    for word in range(row_width):
                        if at == from_op:
                            rows[word] |= op_rows_principal[listed, word]
                        else:
                            rows[word] |= op_rows_other[listed, word]
            for word in range(op_width):
                words[op_base + 2 * op_width + word] = words[op_base + word] | words[op_base + op_width + word]
            for number in range(counts.shape[0]):
                asked = counts[number, 0]
                codes = dx if asked < 3 else procedures[from_op:to_op]
                start = 1 if asked % 3 == 1 else 0
                stop = min(1, codes.size) if asked % 3 == 0 else codes.size
                if counts[number, 1] < 0:
                    found = count_levels(
                        dx, counts[number, 2], dx_level, dx_exclusion, exclusion_bits, exclusion_class[dx[0] + 2]
                    )
                elif asked < 3:
                    found = count_listed(codes, start, stop, dx_class, dx_bits, counts[number, 1], counts[number, 2])
                else:
                    found = count_listed(codes, start, stop, op_class, op_bits, counts[number, 1], counts[number, 2])
                numbers[plain + number] = found

            if attempt == 0 and regroup:
                whole[:] = words[op_base:text_base]
                whole_numbers[:] = numbers
            # first DRG whose rule, and those of its ADRG and MDC, hold
            mdc = -1
            mdc_holds = False
            for word in range(row_width):
                left = dx_rows[first, word] & (~row_needs_op[word] | rows[word])
                while left > 0:
                    lowest = left & -left
                    left ^= lowest
                    row = word * WORD + _POSITION[lowest % 67]
                    if row_mdc[row] != mdc:
                        mdc = row_mdc[row]
                        mdc_holds = decide(nodes, values, sites, mdc_entry[mdc], words, numbers)
                    if not mdc_holds:  # pass over the other rows of this MDC
                        beyond = mdc_end[mdc] - word * WORD
                        left = (left >> beyond) << beyond if beyond < WORD else np.int64(0)
                        continue
                    if decide(nodes, values, sites, row_entry[row], words, numbers):
                        for candidate in range(row_first_drg[row], row_first_drg[row + 1]):
                            if decide(nodes, values, sites, drg_entry[candidate], words, numbers):
                                drg = candidate
                                break
                    if drg >= 0:
                        break
                if drg >= 0:
                    break
            if drg >= 0:
                break
        drgs[i] = drg

        if drg == UNGROUPABLE:
            if regroup:  # the discharge as it is, not its last procedure alone
                words[op_base:text_base] = whole
                numbers[:] = whole_numbers
            # the MDC may be known all the same: by a rule of its own that holds, or by a list that names the diagnosis
            for mdc in range(mdc_entry.size):
                if mdc_asks[mdc] and decide(nodes, values, sites, mdc_entry[mdc], words, numbers):
                    mdcs[i] = mdc
                    causes[i] = MDC_HOLDS
                    break
            if causes[i] != MDC_HOLDS and dx_mdc[first] >= 0:
                mdcs[i] = dx_mdc[first]
                causes[i] = MDC_CLAIMS
        elif row_ambiguous[drg_row[drg]]:
            # would the same discharge be ambiguous without its procedures?
            for word in range(op_base, text_base):
                words[word] = 0
            for number in range(counts.shape[0]):
                if counts[number, 0] >= 3:
                    numbers[plain + number] = 0.0
            if not decide(nodes, values, sites, row_entry[drg_row[drg]], words, numbers):
                causes[i] = PROCEDURE_MISFIT
    return drgs, severities, mdcs, causes

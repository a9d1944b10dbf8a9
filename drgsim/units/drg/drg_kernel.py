"""The numba kernel: a batch of encoded discharges in, the number of each one's DRG row out.

It walks the arrays that :mod:`drgsim.units.schemes.scheme_lowering` makes and must give the same answers as
:mod:`drgsim.units.drg.drg_reference`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from drgsim.compiled_code import njit
from drgsim.units.schemes.rule_kernel import decide, fill_counts, fill_levels
from drgsim.units.schemes.rule_lowering import WORD
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


# position of the only set bit of a word below 2**62, by the word modulo 67
_POSITION = np.zeros(67, np.int64)
for _bit in range(WORD):
    _POSITION[(1 << _bit) % 67] = _bit


@njit(cache=True, nogil=True, inline="always")
def _fill_diagnoses(
    words: Any, dx: Any, dx_class: Any, dx_bits: Any, dx_level: Any, dx_exclusion: Any, excluded_by: int, exclusion_bits: Any,
) -> Any:  # pragma: no cover - compiled  # fmt: skip
    """Bits of ZYZD, QTZD and both; whether the principal diagnosis leaves an MCC and a CC standing, each 0 or 1."""
    width = dx_bits.shape[1]
    for word in range(width):
        words[width + word] = 0
    has_mcc = has_cc = np.int64(0)
    for at in range(1, dx.size):
        code = dx[at] + 2
        listed = dx_class[code]
        if listed:
            for word in range(width):
                words[width + word] |= dx_bits[listed, word]
        level = dx_level[code]
        if level:
            exclusion = dx_exclusion[code]
            if exclusion < 0 or not (exclusion_bits[excluded_by, exclusion // WORD] >> (exclusion % WORD)) & 1:
                if level == 2:
                    has_mcc = np.int64(1)
                else:
                    has_cc = np.int64(1)
    first = dx_class[dx[0] + 2]
    for word in range(width):
        bits = dx_bits[first, word]
        words[word] = bits
        words[2 * width + word] = bits | words[width + word]
    return has_mcc, has_cc


@njit(cache=True, nogil=True, inline="always")
def _fill_procedures(
    words: Any,
    rows: Any,
    op: Any,
    start: int,
    stop: int,
    base: int,
    op_class: Any,
    op_bits: Any,
    rows_principal: Any,
    rows_other: Any,
) -> None:  # pragma: no cover - compiled
    """Bits of ZYSS, QTSS and both, and the ADRG rows that name one of the procedures."""
    width = op_bits.shape[1]
    for word in range(base, base + 3 * width):
        words[word] = 0
    for word in range(rows.size):
        rows[word] = 0
    for at in range(start, stop):
        listed = op_class[op[at] + 2]
        if listed:
            offset = base if at == start else base + width
            for word in range(width):
                words[offset + word] |= op_bits[listed, word]
            for word in range(rows.size):
                if at == start:
                    rows[word] |= rows_principal[listed, word]
                else:
                    rows[word] |= rows_other[listed, word]
    for word in range(width):
        words[base + 2 * width + word] = words[base + word] | words[base + width + word]


@njit(cache=True, nogil=True, inline="always")
def _known_mdc(
    words: Any, numbers: Any, named: int, mdc_asks: Any, mdc_entry: Any, nodes: Any, values: Any, sites: Any
) -> Any:  # pragma: no cover - compiled
    """The MDC of a discharge without a group: by a rule of its own that holds, or by a list that names the diagnosis."""
    for mdc in range(mdc_entry.size):
        if mdc_asks[mdc] and decide(nodes, values, sites, mdc_entry[mdc], words, numbers):
            return mdc, MDC_HOLDS
    return (named, MDC_CLAIMS) if named >= 0 else (NO_MDC, PLAIN)


@njit(cache=True, nogil=True, inline="always")
def _holds_without_procedures(
    words: Any, numbers: Any, entry: int, base: int, text_base: int, plain: int, counts: Any, nodes: Any, values: Any,
    sites: Any,
) -> bool:  # pragma: no cover - compiled  # fmt: skip
    """Whether a rule holds when the procedures are left out; their words and counts are cleared."""
    for word in range(base, text_base):
        words[word] = 0
    for number in range(counts.shape[0]):
        if counts[number, 0] >= 3:
            numbers[plain + number] = 0.0
    return decide(nodes, values, sites, entry, words, numbers)


@njit(cache=True, nogil=True)
def _group(s: Any, batch: Any) -> Any:  # noqa: C901  # pragma: no cover - compiled
    # the search stays in one piece: to hand it its arrays for every record takes twice as long as the search
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

    dx_width, op_base, text_base = dx_bits.shape[1], s.row_base[3], s.row_base[6]
    words = np.zeros(s.row_base[7], np.int64)
    row_width = row_needs_op.size
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
        for column in range(words.size - text_base):
            words[text_base + column] = all_texts[i, column]
        first = dx_class[dx[0] + 2]
        excluded_by = exclusion_class[dx[0] + 2]
        has_mcc, has_cc = _fill_diagnoses(words, dx, dx_class, dx_bits, dx_level, dx_exclusion, excluded_by, exclusion_bits)
        fill_levels(words, dx_width, severity_bits, has_mcc, has_cc)
        severities[i] = 2 if has_mcc else has_cc

        # a scheme that regroups tries each other procedure alone as the only one; all others have one round
        drg = UNGROUPABLE
        for attempt in range(max(1, op_stop - op_start) if regroup else 1):
            from_op = op_start + attempt
            to_op = from_op + 1 if attempt else op_stop
            _fill_procedures(
                words, rows, procedures, from_op, to_op, op_base, op_class, op_bits, op_rows_principal, op_rows_other
            )
            if counts.shape[0]:
                fill_counts(
                    numbers, plain, counts, dx, procedures[from_op:to_op], dx_class, dx_bits, op_class, op_bits, dx_level,
                    dx_exclusion, exclusion_class, exclusion_bits,
                )  # fmt: skip
            if attempt == 0 and regroup:
                whole[:] = words[op_base:text_base]
                whole_numbers[:] = numbers
            # first DRG whose rule, and those of its ADRG and MDC, hold
            mdc = -1
            mdc_holds = False
            for word in range(row_width):
                left = dx_rows[first, word] & (~row_needs_op[word] | rows[word])
                while left > 0 and drg < 0:
                    lowest = left & -left
                    left ^= lowest
                    row = word * WORD + _POSITION[lowest % 67]
                    if row_mdc[row] != mdc:
                        mdc = row_mdc[row]
                        mdc_holds = decide(nodes, values, sites, mdc_entry[mdc], words, numbers)
                    if not mdc_holds:  # pass over the other rows of this MDC
                        beyond = mdc_end[mdc] - word * WORD
                        left = (left >> beyond) << beyond if beyond < WORD else np.int64(0)
                    elif decide(nodes, values, sites, row_entry[row], words, numbers):
                        for candidate in range(row_first_drg[row], row_first_drg[row + 1]):
                            if decide(nodes, values, sites, drg_entry[candidate], words, numbers):
                                drg = candidate
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
            mdcs[i], causes[i] = _known_mdc(words, numbers, dx_mdc[first], mdc_asks, mdc_entry, nodes, values, sites)
        elif row_ambiguous[drg_row[drg]] and not _holds_without_procedures(
            words, numbers, row_entry[drg_row[drg]], op_base, text_base, plain, counts, nodes, values, sites
        ):
            causes[i] = PROCEDURE_MISFIT
    return drgs, severities, mdcs, causes

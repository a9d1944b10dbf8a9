"""What the conditions of levels see of one discharge: bits of its codes, its numbers and counts (numba)."""

from __future__ import annotations

from typing import Any

import numpy as np

from drgsim.compiled_code import njit
from drgsim.units.schemes.rule_kernel import fill_counts, fill_levels
from drgsim.units.schemes.rule_lowering import WORD

PLAIN_NUMBERS = 6  # of rules.NUMBER_VARIABLES; the CCI comes after them, then the counts of the conditions


@njit(cache=True, nogil=True)
def standing_levels(
    dx: Any, dx_level: Any, dx_exclusion: Any, exclusion_class: Any, exclusion_bits: Any
) -> Any:  # pragma: no cover - compiled
    """Whether the principal diagnosis leaves an MCC and a CC standing, each 0 or 1."""
    excluded_by = exclusion_class[dx[0] + 2]
    has_mcc = has_cc = np.int64(0)
    for at in range(1, dx.size):
        level = dx_level[dx[at] + 2]
        if level:
            exclusion = dx_exclusion[dx[at] + 2]
            if exclusion < 0 or not (exclusion_bits[excluded_by, exclusion // WORD] >> (exclusion % WORD)) & 1:
                if level == 2:
                    has_mcc = np.int64(1)
                else:
                    has_cc = np.int64(1)
    return has_mcc, has_cc


@njit(cache=True, nogil=True)
def fill_words(
    words: Any,
    numbers: Any,
    dx: Any,
    op: Any,
    dx_width: Any,
    op_width: Any,
    op_base: Any,
    text_base: Any,
    dx_class: Any,
    dx_bits: Any,
    op_class: Any,
    op_bits: Any,
    dx_level: Any,
    dx_exclusion: Any,
    exclusion_class: Any,
    exclusion_bits: Any,
    severity_bits: Any,
    counts: Any,
    has_mcc: Any,
    has_cc: Any,
) -> None:  # pragma: no cover - compiled
    """Bits and counts of one discharge that conditions ask for: ZYZD, QTZD, both, ZYSS, QTSS, both; MCC and CC."""
    for word in range(text_base):
        words[word] = 0
    for at in range(dx.size):
        listed = dx_class[dx[at] + 2]
        for word in range(dx_width):
            words[(dx_width if at else 0) + word] |= dx_bits[listed, word]
    for word in range(dx_width):
        words[2 * dx_width + word] = words[word] | words[dx_width + word]
    fill_levels(words, dx_width, severity_bits, has_mcc, has_cc)
    for at in range(op.size):
        listed = op_class[op[at] + 2]
        for word in range(op_width):
            words[op_base + (op_width if at else 0) + word] |= op_bits[listed, word]
    for word in range(op_width):
        words[op_base + 2 * op_width + word] = words[op_base + word] | words[op_base + op_width + word]
    fill_counts(
        numbers, PLAIN_NUMBERS + 1, counts, dx, op, dx_class, dx_bits, op_class, op_bits, dx_level, dx_exclusion,
        exclusion_class, exclusion_bits,
    )  # fmt: skip

"""Lowered rules on the bits and numbers of one record (numba): what the kernels of DRG and DIP have in common.

Arrays are handed over one by one: a tuple of all of them would count references for every array at every call.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from drgsim.compiled_code import njit
from drgsim.units.schemes.rule_lowering import ACCEPT, NODE_BIT, NODE_NUMBER, WORD


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
def decide(nodes: Any, values: Any, sites: Any, node: int, words: Any, numbers: Any) -> bool:  # pragma: no cover - compiled
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
) -> int:  # pragma: no cover - compiled
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


@njit(cache=True, nogil=True)
def fill_counts(
    numbers: Any, place: int, counts: Any, dx: Any, op: Any, dx_class: Any, dx_bits: Any, op_class: Any, op_bits: Any,
    dx_level: Any, dx_exclusion: Any, exclusion_class: Any, exclusion_bits: Any,
) -> None:  # pragma: no cover - compiled  # fmt: skip
    """The counts that conditions ask for, into ``numbers`` from ``place`` on."""
    for number in range(counts.shape[0]):
        asked = counts[number, 0]
        codes = dx if asked < 3 else op
        start = 1 if asked % 3 == 1 else 0
        stop = min(1, codes.size) if asked % 3 == 0 else codes.size
        if counts[number, 1] < 0:
            first = exclusion_class[dx[0] + 2]
            found = count_levels(dx, counts[number, 2], dx_level, dx_exclusion, exclusion_bits, first)
        elif asked < 3:
            found = count_listed(codes, start, stop, dx_class, dx_bits, counts[number, 1], counts[number, 2])
        else:
            found = count_listed(codes, start, stop, op_class, op_bits, counts[number, 1], counts[number, 2])
        numbers[place + number] = found


@njit(cache=True, nogil=True, inline="always")
def fill_levels(words: Any, base: int, severity_bits: Any, has_mcc: int, has_cc: int) -> None:  # pragma: no cover - compiled
    """Bits of the lists that stand for MCC, CC and either; ``base`` is where the words of the other diagnoses begin."""
    words[base + severity_bits[0, 0]] |= has_mcc << severity_bits[0, 1]
    words[base + severity_bits[1, 0]] |= has_cc << severity_bits[1, 1]
    words[base + severity_bits[2, 0]] |= (has_mcc | has_cc) << severity_bits[2, 1]

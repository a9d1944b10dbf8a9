"""Which procedures of a discharge count, and which may take the principal place of a kind (numba)."""

from __future__ import annotations

from typing import Any

import numpy as np

from drgsim.compiled_code import njit
from drgsim.records.code_dictionaries import EMPTY


@njit(cache=True, nogil=True, inline="always")
def may_be_principal(code: int, scope: int, op_place: Any) -> bool:  # pragma: no cover - compiled
    """Whether a procedure may be the principal one with a principal diagnosis of these scopes."""
    place = np.int64(op_place[code + 2])
    return bool(place == 0 or (place > 0 and (scope >> (place - 1)) & 1 == 1))


@njit(cache=True, nogil=True, inline="always")
def counting_procedures(
    counting: Any, procedures: Any, start: int, stop: int, op_excluded: Any, op_simple: Any, op_place: Any, scope: int
) -> Any:  # pragma: no cover - compiled
    """The procedures that count, into ``counting``; a blank principal place stays, so that no other procedure takes it.

    Gives their number, how many are done, not simple and may be principal, and the place of the first of these (-1: none):
    others before it do not take the principal place.
    """
    size = done = 0
    lead = -1
    for at in range(start, stop):
        code = procedures[at]
        if not op_excluded[code + 2]:
            counting[size] = code
            size += 1
            if not op_simple[code + 2] and may_be_principal(code, scope, op_place):
                lead = size - 1 if lead < 0 else lead
                done += code != EMPTY
    return size, done, lead


@njit(cache=True, nogil=True, inline="always")
def is_one_of(codes: Any, start: int, stop: int, code: int) -> bool:  # pragma: no cover - compiled
    """Whether a code is among some codes."""
    found = False
    for at in range(start, stop):
        if codes[at] == code:
            found = True
            break
    return found


@njit(cache=True, nogil=True, inline="always")
def place_of(
    counting: Any, size: int, lead: int, first_may: bool, anywhere: bool, principals: Any, start: int, stop: int
) -> int:  # pragma: no cover - compiled
    """Place of the principal procedure of a combination in a case: a principal place first, then any; -1: it has none."""
    place = -1
    if lead >= 0 and is_one_of(principals, start, stop, counting[lead]):
        place = lead
    elif first_may and is_one_of(principals, start, stop, counting[0]):
        place = 0
    elif anywhere:
        for at in range(size):
            if is_one_of(principals, start, stop, counting[at]):
                place = at
                break
    return place

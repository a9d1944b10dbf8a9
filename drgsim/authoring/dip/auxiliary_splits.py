"""Which auxiliary lists split a kind (辅助目录): where its levels are large enough and the spread of cost falls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drgsim.authoring.dip.auxiliary_styles import AuxiliaryLists
from drgsim.language import text

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Split:
    """A level of a list that has a line of its own in a kind.

    Attributes
    ----------
    kind, aux, level, bit
        Kind (place), list, level and its bit.
    coefficient
        Mean cost of the level / mean cost of the kind.
    cases, mean, cv
        Of the level, in the period that levels are judged by; mean in yuan.
    fall
        Share by which the list lowers the CV of the kind.
    """

    kind: int
    aux: str
    level: str
    bit: int
    coefficient: float
    cases: int
    mean: float
    cv: float
    fall: float


@dataclass(frozen=True)
class Candidate:
    """A list tried on a kind, whether it is used or not."""

    kind: int
    aux: str
    fall: float
    used: bool
    why: str


def level_of(mask: NDArray[np.int64], allowed: NDArray[np.int64] | int, bits: Sequence[int]) -> NDArray[np.int8]:
    """The last of the levels that a case has and its kind allows; -1 for none.

    Parameters
    ----------
    mask
        Levels of each case, a bit each.
    allowed
        Levels that count, for each case or for all.
    bits
        Bits of one list in order.

    Examples
    --------
    >>> level_of(np.array([0b001, 0b011, 0b100, 0]), 0b011, [0, 1, 2]).tolist()
    [0, 1, -1, -1]
    """
    held = mask & allowed
    level = np.full(mask.size, -1, np.int8)
    for bit in bits:
        level[(held >> np.int64(bit)) & 1 == 1] = bit
    return level


def try_list(
    fen: NDArray[np.int64],
    mask: NDArray[np.int64],
    kind: NDArray[np.int64],
    kinds: int,
    bits: Sequence[int],
    minimum_cases: float,
) -> tuple[NDArray[np.int64], Floats, NDArray[np.int64], Floats, Floats]:
    """What a list would do to every kind.

    Levels with too few cases are left out, so that their cases have the level before, or none.

    Returns
    -------
    tuple
        For each kind the bits of its levels and the share by which its CV falls; and of each kind x (bit + 1) the cases, the
        mean and the CV (the first column holds cases without a level).
    """
    width = max(bits) + 2
    allowed = np.full(kinds, sum(1 << bit for bit in bits), np.int64)
    while True:  # a level that is left out hands its cases on, which may take another level away no more
        level = level_of(mask, allowed[kind], bits).astype(np.int64)
        count = np.bincount(kind * width + level + 1, minlength=kinds * width).reshape(kinds, width)
        few = [(count[:, bit + 1] < minimum_cases) & ((allowed >> bit) & 1 == 1) for bit in bits]
        if not any(each.any() for each in few):
            break
        taken = np.zeros(kinds, np.bool_)
        for bit, each in zip(reversed(bits), reversed(few), strict=True):  # one at a time, the last level first
            now = each & ~taken
            allowed[now] -= 1 << bit
            taken |= now
    yuan = fen / 100.0
    cell = kind * width + level + 1
    size = kinds * width
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(cell, yuan, minlength=size) / count.ravel()
        square = np.bincount(cell, (yuan - mean[cell]) ** 2, minlength=size)
        cv = (np.sqrt(square / count.ravel()) / mean).reshape(kinds, width)
        number = count.sum(1)
        whole = np.bincount(kind, yuan, minlength=kinds) / number
        before = np.bincount(kind, (yuan - whole[kind]) ** 2, minlength=kinds)
        fall = 1.0 - np.sqrt(square.reshape(kinds, width).sum(1) / before)
    groups = (count > 0).sum(1)
    return allowed, np.where(groups > 1, np.nan_to_num(fall), 0.0), count, mean.reshape(kinds, width), cv


def choose_splits(
    fen: NDArray[np.int64],
    mask: NDArray[np.int64],
    kind: NDArray[np.int64],
    diagnoses: Sequence[str],
    lists: AuxiliaryLists,
    minimum_cases: float,
    minimum_fall: Floats,
) -> tuple[list[Split], list[Candidate]]:
    """The splits of all kinds.

    Parameters
    ----------
    fen, mask, kind
        Cost, levels and kind of each discharge that levels are judged by; a kind below 0 is not split.
    diagnoses
        Diagnosis of each kind; a list is tried only on those that it is for.
    lists
        The lists.
    minimum_cases
        Cases that each level needs.
    minimum_fall
        Share by which the CV of each kind must fall.
    """
    used = kind >= 0
    fen, mask, kind = fen[used], mask[used], kind[used]
    splits: list[Split] = []
    candidates: list[Candidate] = []
    kinds = len(diagnoses)
    if not fen.size:
        return splits, candidates
    whole = np.bincount(kind, fen / 100.0, minlength=kinds)
    number = np.bincount(kind, minlength=kinds)
    for name in lists.diagnoses:
        suited = np.array([lists.is_for(name, diagnosis) for diagnosis in diagnoses], np.bool_)
        bits = lists.bits(name)
        inside = suited[kind]
        if not inside.any():
            continue
        allowed, fall, count, mean, cv = try_list(fen[inside], mask[inside], kind[inside], kinds, bits, minimum_cases)
        for place in np.flatnonzero(suited & (allowed > 0) & (fall > 0)).tolist():
            enough = bool(fall[place] >= minimum_fall[place])
            why = "" if enough else text("CV falls by {fall:.1%} only", fall=fall[place])
            candidates.append(Candidate(place, name, float(fall[place]), enough, why))
            if not enough:
                continue
            group = whole[place] / number[place]
            splits += [
                Split(
                    place, name, lists.levels[bit].level, bit, float(mean[place, bit + 1] / group), int(count[place, bit + 1]),
                    float(mean[place, bit + 1]), float(cv[place, bit + 1]), float(fall[place]),
                )
                for bit in bits
                if allowed[place] >> bit & 1
            ]  # fmt: skip
    order = {name: at for at, name in enumerate(lists.diagnoses)}
    splits.sort(key=lambda split: (split.kind, order[split.aux], split.bit))
    return splits, candidates

"""Chance that belongs to a case: a number from a seed, a purpose and the case's own key, whatever the order or the scenario.

Scenarios that ask for the same purpose draw the same numbers for the same cases (common random numbers).
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drgsim.compiled_code import njit

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def purpose_seed(seed: int, purpose: str) -> np.uint64:
    """A seed for one purpose, such as ``coding``."""
    digest = hashlib.sha256(f"{seed}/{purpose}".encode()).digest()
    return np.uint64(int.from_bytes(digest[:8], "little"))


@njit(cache=True, nogil=True)
def mix(key: Any, seed: Any, counter: Any) -> Any:  # pragma: no cover - compiled
    """64 random bits of a key, a seed and a counter (two rounds of the splitmix64 finaliser)."""
    z = key ^ (seed + np.uint64(counter) * np.uint64(0x9E3779B97F4A7C15))
    for _ in range(2):
        z = z + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return z


@njit(cache=True, nogil=True)
def _uniform(keys: Any, seed: Any, counter: Any) -> Any:  # pragma: no cover - compiled
    result = np.empty(keys.size)
    for i in range(keys.size):
        result[i] = np.float64(mix(keys[i], seed, counter) >> np.uint64(11)) / 9007199254740992.0
    return result


def uniform(keys: NDArray[np.uint64], seed: int, purpose: str, counter: int = 0) -> NDArray[np.float64]:
    """A number from 0 to below 1 for each case.

    Examples
    --------
    >>> keys = np.array([1, 2, 3], np.uint64)
    >>> first = uniform(keys, 7, "coding")
    >>> bool((first[::-1] == uniform(keys[::-1], 7, "coding")).all()), bool((first == uniform(keys, 7, "stay")).any())
    (True, False)
    """
    return np.asarray(_uniform(keys, purpose_seed(seed, purpose), np.uint64(counter)))


@njit(cache=True, nogil=True)
def _resample(members: Any, starts: Any, keys: Any, seed: Any, counter: Any) -> Any:  # pragma: no cover - compiled
    weight = np.zeros(members.size, np.int64)
    for stratum in range(starts.size - 1):
        first, last = starts[stratum], starts[stratum + 1]
        size = np.uint64(last - first)
        for place in range(first, last):
            picked = mix(keys[members[place]], seed, counter) % size
            weight[members[first + np.int64(picked)]] += 1
    return weight


@njit(cache=True, nogil=True)
def _sums_of_draw(
    starts: Any, keys: Any, seed: Any, counter: Any, cells: Any, values: Any, count: int
) -> Any:  # fmt: skip  # pragma: no cover - compiled
    sums = np.zeros((count, values.shape[1]))
    for stratum in range(starts.size - 1):
        first, last = starts[stratum], starts[stratum + 1]
        size = np.uint64(last - first)
        for place in range(first, last):
            at = first + np.int64(mix(keys[place], seed, counter) % size)
            for k in range(values.shape[1]):
                sums[cells[at], k] += values[at, k]
    return sums


class Bootstrap:
    """Bootstrap within strata: as many cases as there are are drawn with replacement inside each stratum.

    ``stratum`` numbers the stratum of each case; within a stratum the order of the keys decides, not that of the file.
    """

    def __init__(self, keys: NDArray[np.uint64], stratum: NDArray[np.int64], seed: int) -> None:
        self.keys, self.seed = keys, purpose_seed(seed, "bootstrap")
        self.members = np.lexsort((keys, stratum)).astype(np.int64)
        ordered = stratum[self.members]
        changes = np.flatnonzero(np.diff(ordered)) + 1
        self.starts = np.concatenate(([0], changes, [ordered.size])).astype(np.int64)
        self._ordered = keys[self.members]

    def draw(self, number: int) -> NDArray[np.int64]:
        """How often each case is drawn; sums to the size of each stratum.

        Examples
        --------
        >>> strata = Bootstrap(np.arange(6, dtype=np.uint64), np.array([0, 0, 0, 1, 1, 1]), seed=1)
        >>> strata.draw(3)[:3].sum(), strata.draw(3)[3:].sum()
        (np.int64(3), np.int64(3))
        """
        return np.asarray(_resample(self.members, self.starts, self.keys, self.seed, np.uint64(number)))

    def sums(self, number: int, cells: NDArray[np.int64], values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
        """Sums of values by cell over the cases of :meth:`draw`, (cells, columns).

        Parameters
        ----------
        cells, values
            Cell of each case and its values (cases, columns), in the order of :attr:`members`.
        count
            Number of cells.

        Examples
        --------
        >>> strata = Bootstrap(np.arange(4, dtype=np.uint64), np.array([0, 0, 1, 1]), seed=1)
        >>> strata.sums(3, np.array([0, 0, 1, 1]), np.ones((4, 1)), 2)[:, 0].tolist()
        [2.0, 2.0]
        """
        return np.asarray(_sums_of_draw(self.starts, self._ordered, self.seed, np.uint64(number), cells, values, count))

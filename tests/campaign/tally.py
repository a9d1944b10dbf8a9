"""What a campaign tried and what failed: counts by category, and every failing input with the seed that makes it again."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np


@dataclass
class Tally:
    """Counts of a campaign.

    Parameters
    ----------
    folder
        Takes failing inputs.
    work
        Files under way.
    seed
        Of the whole campaign; the seed of a try is this, the category and the number of the try.
    until
        Time of ``time.monotonic`` at which categories stop.
    """

    folder: Path
    work: Path
    seed: int
    until: float = float("inf")
    tried: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    lines: list[str] = field(default_factory=list)

    def tries(self, category: str, number: int) -> Iterator[tuple[int, np.random.Generator]]:
        """Numbers of the tries of a category with their generators, until the time is up."""
        for place in range(number):
            if time.monotonic() > self.until:
                return
            yield place, np.random.default_rng([self.seed, *category.encode(), place])

    def count(self, category: str, number: int = 1) -> None:
        """So many were tried."""
        self.tried[category] += number

    def fail(self, category: str, place: int, what: str, *inputs: Path) -> None:
        """One failed; its inputs are kept."""
        self.failed[category] += 1
        kept = self.folder / f"{category.replace(' ', '-')}-{self.seed}-{place}"
        kept.mkdir(parents=True, exist_ok=True)
        for path in inputs:
            if path.is_dir():
                shutil.copytree(path, kept / path.name, dirs_exist_ok=True, symlinks=True)
            elif path.is_file():
                shutil.copy2(path, kept / path.name)
        (kept / "what.txt").write_text(f"seed {self.seed}, {category}, try {place}\n{what}\n", encoding="utf-8")
        self.lines.append(f"{category}, try {place}: {what.strip().splitlines()[-1][:200] if what.strip() else 'no words'}")

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Categories in here stop after so many seconds, or when the whole time is up."""
        before = self.until
        self.until = min(before, time.monotonic() + seconds)
        try:
            yield
        finally:
            self.until = before

    def table(self) -> str:
        """Category, tried, failed."""
        width = max(map(len, self.tried), default=8) + 2
        rows = [f"{name:<{width}}{self.tried[name]:>12,}{self.failed[name]:>8,}" for name in self.tried]
        return "\n".join([f"{'category':<{width}}{'tried':>12}{'failed':>8}", *rows])


Category = Callable[[Tally, int], None]

"""What is asked of a synthetic region, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from drgsim.errors import OutputError, Problem, UsageError
from drgsim.language import text

MOST_CASES = 100_000_000


def parse_years(written: str) -> tuple[int, ...]:
    """Read ``2024-2026`` or ``2025``.

    Raises
    ------
    UsageError
        ``synth-years`` when it is neither, runs backwards, or leaves 1990-2100.

    Examples
    --------
    >>> parse_years("2024-2026")
    (2024, 2025, 2026)
    """
    first, dash, last = written.strip().partition("-")
    try:
        start, end = int(first), int(last) if dash else int(first)
    except ValueError:
        start, end = 1, 0
    if not (1990 <= start <= end <= 2100) or end - start >= 20:
        raise UsageError(
            [
                Problem(
                    "synth-years",
                    text("cannot read the years {written!r}", written=written),
                    "--years",
                    "",
                    text("write 2024-2026 or 2025, at most 20 years"),
                )
            ]
        )
    return tuple(range(start, end + 1))


@dataclass(frozen=True)
class RegionRequest:
    """What region is made.

    Attributes
    ----------
    hospitals, cases
        Number of hospitals and of discharges over all years together.
    years
        Years of discharge, one after the other.
    seed
        The same request with the same seed gives the same bytes (with the same versions of numpy and pyarrow).
    dirty
        Share of records to break in the ways of :data:`drgsim.synthetic.broken_records.KINDS`.
    priors
        Folder whose files take the place of the bundled priors of the same name; see :func:`load_priors`.
    """

    hospitals: int = 24
    cases: int = 300_000
    years: tuple[int, ...] = (2024, 2025, 2026)
    seed: int = 7
    dirty: float = 0.0
    priors: Path | None = None

    def check(self, output: Path) -> None:
        """Refuse what makes no sense, all problems at once.

        Raises
        ------
        UsageError
            ``synth-hospitals``, ``synth-cases``, ``synth-seed`` or ``synth-dirty``.
        OutputError
            ``synth-output-exists`` when the folder is there and holds something.
        """
        problems, most = [], text("{hospitals} to {most_cases}", hospitals=self.hospitals, most_cases=MOST_CASES)
        if not 1 <= self.hospitals <= 999:
            problems.append(
                Problem(
                    "synth-hospitals",
                    text("{hospitals} hospitals cannot be made", hospitals=self.hospitals),
                    "--hospitals",
                    "",
                    text("1 to 999"),
                )
            )
        if not max(self.hospitals, 1) <= self.cases <= MOST_CASES:
            why = text("every hospital needs a case") if self.cases < self.hospitals else ""
            problems.append(
                Problem("synth-cases", text("{cases} cases cannot be made", cases=self.cases), "--cases", why, most)
            )
        if self.seed < 0:
            problems.append(Problem("synth-seed", text("the seed is negative"), "--seed", "", text("give 0 or more")))
        if not 0.0 <= self.dirty <= 0.5:
            problems.append(
                Problem(
                    "synth-dirty",
                    text("{dirty} is no share of records", dirty=self.dirty),
                    "--dirty",
                    "",
                    text("0 to 0.5, such as 0.01"),
                )
            )
        if problems:
            raise UsageError(problems)
        if output.exists() and (not output.is_dir() or any(output.iterdir())):
            why, fix = text("nothing is overwritten"), text("name a new folder")
            raise OutputError([Problem("synth-output-exists", text("the output is there already"), str(output), why, fix)])

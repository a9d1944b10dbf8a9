"""Scenario files: a header, a baseline and changes by path; read strictly, every mistake told at once.

A change is a plain value, ``"*1.03"`` (factor), ``"+0.5"`` or ``"-0.5"`` (delta), or ``{value: ..., unit: ...}``, whose unit is
then checked. What the paths mean is checked against a policy and a region in :mod:`drgsim.simulation.setup`.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from drgsim.assets import asset_root
from drgsim.errors import DrgsimError, Problem, did_you_mean
from drgsim.language import text
from drgsim.parameters.changed_values import relative_change
from drgsim.parameters.evidence import Strict
from drgsim.parameters.own_folder import files_outside
from drgsim.parameters.strict_file import is_file, parse_strict, read_text, validated

_EXPONENT = re.compile(r"[0-9]+(\.[0-9]*)?[eE][0-9]{1,2}")
MOST_POINTS = 100_000  # of a grid; beyond it a slip of the pen is more likely than patience


class ScenarioError(DrgsimError):
    """A scenario file cannot be read, or asks for something that is not there; it holds all that is wrong."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems, exit_code=2)


@dataclass(frozen=True)
class Change:
    """One change of a scenario.

    Attributes
    ----------
    path
        What changes, as written.
    op
        ``set``, ``factor`` or ``delta``.
    value
        New value, factor or difference.
    unit
        The unit that the file states, empty where it states none.
    where
        File and path for messages.
    """

    path: str
    op: Literal["set", "factor", "delta"]
    value: Any
    unit: str = ""
    where: str = ""

    def apply(self, old: float) -> float:
        """The new number.

        Examples
        --------
        >>> parse_change("rate.base", "*1.03").apply(100.0), parse_change("rate.base", "-5").apply(100.0)
        (103.0, 95.0)
        """
        if self.op == "factor":
            return old * float(self.value)
        return old + float(self.value) if self.op == "delta" else float(self.value)

    @property
    def words(self) -> str:
        """The change as a reader writes it, with at most ten digits."""
        if self.op == "set":
            return str(self.value)
        return f"*{self.value:.10g}" if self.op == "factor" else f"{self.value:+.10g}"

    @property
    def written(self) -> Any:
        """The change as policies and budgets take it, with all digits."""
        if self.op == "set":
            return self.value
        return f"*{self.value!r}" if self.op == "factor" else f"{self.value:+}"


def parse_change(path: str, written: Any, where: str = "") -> Change:
    """Read one change.

    Raises
    ------
    ValueError
        The text begins with an operator and no finite number follows; the message says what to write.
    """
    unit = ""
    if isinstance(written, dict) and set(written) <= {"value", "unit"} and "value" in written:
        unit, written = str(written.get("unit", "")), written["value"]
    if not isinstance(written, str):
        if isinstance(written, float) and not math.isfinite(written):
            raise ValueError(text("{written} is no finite number", written=written))
        return Change(path, "set", written, unit, where)
    written = written.strip()
    if written.endswith("%"):
        raise ValueError(
            text(
                '{written!r} could mean two things: write "*1.03" for 3 % more, or "+0.03" for three points more',
                written=written,
            )
        )
    if _EXPONENT.fullmatch(written):  # YAML 1.1 takes 5.0e7 for a text: it asks for a sign in the exponent
        return Change(path, "set", float(written), unit, where)
    number = relative_change(written)
    if number is None:
        return Change(path, "set", written, unit, where)
    if not math.isfinite(number):
        raise ValueError(text('{written!r} is no change: write a number, "*1.03", "+5" or "-5"', written=written))
    if written[0] == "*":
        return Change(path, "factor", number, unit, where)
    return Change(path, "delta", -number if written[0] == "-" else number, unit, where)


class Baseline(Strict):
    """What a scenario is compared with: a policy, and changes that both sides share."""

    policy: str | None = None
    changes: dict[str, Any] = Field(default_factory=dict)


class Years(Strict):
    """Several years: ``count`` years from the last one of the data on, ``each`` applied once more every year.

    ``carry_fund``: share of the fund's balance, deficits too, that goes into the next year's budget.
    """

    count: int
    each: dict[str, Any] = Field(default_factory=dict)
    carry_fund: float = 1.0

    @field_validator("count")
    @classmethod
    def _few(cls, count: int) -> int:
        if not 1 <= count <= 20:
            raise ValueError(text("{count} years; it must be 1 to 20", count=count))
        return count

    @field_validator("carry_fund")
    @classmethod
    def _share(cls, share: float) -> float:
        if not 0 <= share <= 1:
            raise ValueError(text("{share:g} is no share between 0 and 1", share=share))
        return share


class ScenarioFile(Strict):
    """A scenario file as it is written."""

    title: str
    title_zh: str = ""
    author: str = ""
    reference: str = ""
    evidence: Literal["official", "secondary", "assumption", "derived"] = "assumption"
    notes: tuple[str, ...] = ()
    baseline: Baseline = Baseline()
    changes: dict[str, Any] = Field(default_factory=dict)
    grid: dict[str, list[Any]] = Field(default_factory=dict)
    ranges: dict[str, list[Any]] = Field(default_factory=dict)
    years: Years | None = None

    @field_validator("baseline", mode="before")
    @classmethod
    def _name_of_policy(cls, value: Any) -> Any:
        return {"policy": value} if isinstance(value, str) else value


@dataclass(frozen=True)
class Scenario:
    """A scenario, read and parsed.

    Attributes
    ----------
    name
        File name without suffix.
    file
        The header and what was written.
    changes, baseline, yearly
        Parsed changes of the scenario, of its baseline, and those applied once more every year.
    grid
        Path -> the changes to try.
    ranges
        Path -> lowest and highest change, for uncertainty.
    digest
        SHA-256 of the contents.
    """

    name: str
    file: ScenarioFile
    changes: tuple[Change, ...]
    baseline: tuple[Change, ...]
    yearly: tuple[Change, ...]
    grid: Mapping[str, tuple[Change, ...]]
    ranges: Mapping[str, tuple[Change, Change]]
    digest: str

    def points(self) -> Iterator[tuple[Change, ...]]:
        """All points of the grid, the last path changing fastest; one empty point without a grid."""
        return product(*self.grid.values())

    @property
    def size(self) -> int:
        """Number of points of the grid."""
        return math.prod(len(values) for values in self.grid.values())


def scenario_names(root: Path | None = None) -> list[str]:
    """Names of the scenarios that ship with drgsim, or that lie in ``root``."""
    return sorted(path.stem for path in (root or asset_root("scenarios")).glob("*.yaml"))


def find_scenario(name: str | Path) -> Path:
    """The file of a scenario given by path or by the name of a shipped one.

    Raises
    ------
    ScenarioError
        There is none.
    """
    path = Path(name)
    if is_file(path):
        return path
    shipped = asset_root("scenarios") / f"{path.name.removesuffix('.yaml')}.yaml"
    if path.parent == Path() and is_file(shipped):
        return shipped
    known = scenario_names()
    fix = did_you_mean(path.stem, known) or text(
        "the shipped scenarios are {known}; or give the path of a file", known=", ".join(known)
    )
    raise ScenarioError(
        [Problem("scenario-unknown", text("there is no scenario {name!r}", name=str(name)), where=str(name), fix=fix)]
    )


def load_scenarios(names: Sequence[str | Path]) -> list[Scenario]:
    """Read several scenario files.

    Raises
    ------
    ScenarioError
        All that is wrong with any of them.
    """
    problems: list[Problem] = []
    scenarios = []
    for name in names:
        try:
            scenarios.append(load_scenario(name))
        except ScenarioError as error:
            problems.extend(error.problems)
    twice = sorted({one.name for one in scenarios if sum(other.name == one.name for other in scenarios) > 1})
    problems += [
        Problem("scenario-twice", text("two scenario files have the name {name}", name=name), fix=text("rename one"))
        for name in twice
    ]
    if problems:
        raise ScenarioError(problems)
    return scenarios


def load_scenario(name: str | Path) -> Scenario:
    """Read one scenario file.

    Raises
    ------
    ScenarioError
        The file is missing or has mistakes; all of them.
    """
    path = find_scenario(name)
    problems: list[Problem] = []
    written = read_text(path, "scenario", problems, path.name)
    if written is None:
        raise ScenarioError(problems)
    return parse_scenario(written, path.stem, path.name)


def parse_scenario(written: str, name: str, where: str = "") -> Scenario:
    """Read a scenario from its text; see :func:`load_scenario`."""
    where = where or name
    problems: list[Problem] = []
    raw = parse_strict(written, "scenario", problems, where, text("see docs/simulation.md for the format"))
    if raw is None:
        raise ScenarioError(problems)
    file = validated(ScenarioFile, raw, "scenario", where, problems)
    problems += files_outside(raw, Path(), "scenario", where, keys=("policy", "scheme"))
    problems = [_told(problem) for problem in problems]
    parsed = _parse_all(raw, where, problems)
    if file is not None:
        if not (file.changes or file.grid or file.years):
            problems.append(
                Problem(
                    "scenario-empty",
                    text("{where} changes nothing", where=where),
                    where=where,
                    fix=text("state changes or a grid"),
                )
            )
        size = math.prod(len(values) for values in file.grid.values())
        if size > MOST_POINTS:
            what = text("the grid has {size:,} points; the most is {most:,}", size=size, most=MOST_POINTS)
            problems.append(Problem("scenario-grid-size", what, where=where, fix=text("try fewer values")))
    if problems or file is None:
        raise ScenarioError(problems)
    changes, baseline, yearly, grid, ranges = parsed
    digest = hashlib.sha256(written.encode()).hexdigest()
    return Scenario(name, file, changes, baseline, yearly, grid, ranges, digest)


def _parse_all(raw: Mapping[str, Any], where: str, problems: list[Problem]) -> Any:
    def read(path: str, written: Any, place: str) -> Change:
        try:
            return parse_change(path, written, place)
        except ValueError as error:
            problems.append(
                Problem("scenario-bad-change", text("{path}: {error}", path=path, error=error.args[0]), where=place)
            )
            return Change(path, "set", None, where=place)

    def mapping(section: str, node: Any) -> dict[str, Any]:
        return {str(path): value for path, value in node.items()} if isinstance(node, dict) else {}

    def block(section: str, node: Any) -> tuple[Change, ...]:
        return tuple(read(path, value, f"{where}: {section}.{path}") for path, value in mapping(section, node).items())

    baseline = raw.get("baseline")
    years = raw.get("years")
    grid: dict[str, tuple[Change, ...]] = {}
    for path, values in mapping("grid", raw.get("grid")).items():
        place = f"{where}: grid.{path}"
        if not isinstance(values, list) or not values:
            problems.append(Problem("scenario-bad-grid", text("{path}: a grid needs a list of values", path=path), where=place))
            continue
        grid[path] = tuple(read(path, value, place) for value in values)
    ranges: dict[str, tuple[Change, Change]] = {}
    for path, values in mapping("ranges", raw.get("ranges")).items():
        place = f"{where}: ranges.{path}"
        if not isinstance(values, list) or len(values) != 2:
            problems.append(Problem("scenario-bad-range", text("{path}: a range is [lowest, highest]", path=path), where=place))
            continue
        low, high = (read(path, value, place) for value in values)
        numbers = all(isinstance(end.value, int | float) and not isinstance(end.value, bool) for end in (low, high))
        if low.op != high.op or not numbers or not low.value < high.value:
            what = text(
                "{path}: the range {values} does not rise from a number to a number of the same kind", path=path, values=values
            )
            problems.append(Problem("scenario-bad-range", what, where=place, fix=text('for instance ["*0.98", "*1.02"]')))
        ranges[path] = (low, high)
    return (
        block("changes", raw.get("changes")),
        block("baseline.changes", baseline.get("changes") if isinstance(baseline, dict) else None),
        block("years.each", years.get("each") if isinstance(years, dict) else None),
        grid,
        ranges,
    )


def _told(problem: Problem) -> Problem:
    """A change by path at the top of a file is a common slip."""
    slip = problem.code == "scenario-unknown-name" and "." in problem.what and not problem.fix.startswith("did you mean")
    return replace(problem, fix=text("changes by path stand under changes")) if slip else problem

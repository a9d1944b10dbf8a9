"""Files to begin with: a form for discharges, a region, a scenario, a policy, a scheme, a mapping of columns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from drgsim.api.argument_check import checked
from drgsim.api.pack_verbs import schemes_new
from drgsim.language import text
from drgsim.payment.policy import load_policy
from drgsim.payment.policy_skeleton import NAME, write_skeleton
from drgsim.results.result import Result
from drgsim.results.run_record import run_record
from drgsim.results.whole_outputs import whole_folder
from drgsim.templates.input_template import write_input
from drgsim.templates.map_template import write_map
from drgsim.templates.region_template import write_region
from drgsim.templates.scenario_template import write_scenario


class NewFiles(Result):
    """Files that were written to begin with.

    Attributes
    ----------
    folder, files
        Where they lie, and their names.
    """

    kind: ClassVar[str] = "new"
    title: ClassVar[str] = text("Files to begin with")

    def __init__(self, of: str, folder: Path) -> None:
        self.folder = folder
        self.files = tuple(sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()))
        table = pa.table({"file": pa.array(self.files, pa.string())})
        super().__init__({"files": table}, record=run_record(self.kind, of=of, folder=folder.name, files=self.files))


@checked()
def new_input(folder: str | Path) -> NewFiles:
    """Write a form for discharges, as a workbook with lists of what a cell may hold, and as CSV. 病案填报表

    Parameters
    ----------
    folder
        A new or empty folder.

    Returns
    -------
    NewFiles
        ``folder`` and ``files``.

    Raises
    ------
    OutputError
        ``output-exists`` and others: the folder holds something.

    Examples
    --------
    >>> import drgsim, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = drgsim.new_input(folder + "/mine")
    ...     made.files, drgsim.group(made.folder / "input.xlsx", "chs-drg-2.0").to_arrow().num_rows
    (('README.md', 'input.csv', 'input.xlsx'), 12)
    """
    return _written("input", folder, write_input)


@checked()
def new_region(folder: str | Path) -> NewFiles:
    """Write a region of three hospitals with a few invented cases, which budgets and scenarios take as it is. 地区模板

    Parameters
    ----------
    folder
        A new or empty folder.

    Returns
    -------
    NewFiles
        ``folder`` and ``files``.

    Raises
    ------
    OutputError
        ``output-exists`` and others: the folder holds something.

    Examples
    --------
    >>> import drgsim, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     drgsim.load_region(drgsim.new_region(folder + "/mine").folder).years
    (2025, 2026)
    """
    return _written("region", folder, write_region)


@checked()
def new_scenario(folder: str | Path) -> NewFiles:
    """Write a scenario with one change, and what else could be changed as comments. 情景模板

    Parameters
    ----------
    folder
        A new or empty folder.

    Returns
    -------
    NewFiles
        ``folder`` and ``files``.

    Raises
    ------
    OutputError
        ``output-exists`` and others: the folder holds something.

    Examples
    --------
    >>> import drgsim, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     drgsim.scenario_check(drgsim.new_scenario(folder + "/mine").folder / "scenario.yaml").ok
    True
    """
    return _written("scenario", folder, write_scenario)


@checked()
def new_map(folder: str | Path) -> NewFiles:
    """Write a mapping of columns with every column that drgsim knows. 列名对照模板

    Parameters
    ----------
    folder
        A new or empty folder.

    Returns
    -------
    NewFiles
        ``folder`` and ``files``.

    Raises
    ------
    OutputError
        ``output-exists`` and others: the folder holds something.

    Examples
    --------
    >>> import drgsim, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = drgsim.new_map(folder + "/mine")
    ...     drgsim.InputOptions.of(map_file=made.folder / "map.yaml").maps
    ()
    """
    return _written("map", folder, write_map)


@checked()
def new_policy(folder: str | Path, *, base: str | Path = "beijing/2024", name: str | None = None) -> NewFiles:
    """Write a policy after another one; every value in it is an assumption until a source replaces it. 政策模板

    As :func:`drgsim.policy_new`, which asks for the name first.

    Parameters
    ----------
    folder
        A new or empty folder.
    base
        Policy that the values are taken from.
    name
        ``region/year`` of the new policy; by default as the folder is named, else its name with the year of the base.

    Returns
    -------
    NewFiles
        ``folder`` and ``files``.

    Raises
    ------
    UsageError
        ``policy-bad-name``, ``policy-name-taken``.
    PolicyError
        ``policy-unknown``.
    OutputError
        ``output-exists`` and others: the folder holds something.

    Examples
    --------
    >>> import drgsim, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     drgsim.load_policy(drgsim.new_policy(folder + "/my-city/2026").folder).id
    'my-city/2026'
    """
    target, origin = Path(folder), load_policy(base)
    write_skeleton(name or _policy_name(target, origin.file.year), origin, target)
    return NewFiles("policy", target)


@checked()
def new_scheme(folder: str | Path, *, base: str | Path = "chs-drg-2.0", name: str | None = None) -> NewFiles:
    """Write a city's scheme on a base, as :func:`drgsim.schemes_new`, which can also derive its groups. 方案模板

    Parameters
    ----------
    folder
        A new or empty folder.
    base
        Scheme that the new one differs from.
    name
        Id of the scheme; by default the name of the folder.

    Returns
    -------
    NewFiles
        ``folder`` and ``files``.

    Raises
    ------
    SchemeError
        ``scheme-unknown``.
    OutputError
        ``output-exists`` and others: the folder holds something.

    Examples
    --------
    >>> import drgsim, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     drgsim.schemes_check(drgsim.new_scheme(folder + "/my-city-2026").folder).sound
    True
    """
    target = Path(folder)
    schemes_new(base, name or target.name, output=target)
    return NewFiles("scheme", target)


def _written(kind: str, folder: str | Path, write: Callable[[Path], None]) -> NewFiles:
    target = Path(folder)
    with whole_folder(target, replace=False) as beside:
        write(beside)
    return NewFiles(kind, target)


def _policy_name(folder: Path, year: object) -> str:
    """``region/year`` as the folder is named, or its name and the year of the base."""
    parts = folder.absolute().parts[-2:]
    return "/".join(parts) if NAME.fullmatch("/".join(parts)) else f"{folder.name}/{year}"

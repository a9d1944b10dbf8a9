"""The record of a run: what was run on what, and what was doubtful, without any clock, so that it repeats byte for byte."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from math import isfinite
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgsim.errors import Problem
from drgsim.language import Text
from drgsim.results.table_files import write_table
from drgsim.results.whole_outputs import KIND, RUN_FILE, WRITTEN, whole_folder, write_text
from drgsim.version import __version__


def run_record(kind: str, /, **values: Any) -> dict[str, Any]:
    """The record of a run: its kind, the version of drgsim, and plain values for JSON in the order given.

    Parameters
    ----------
    kind
        The verb that ran, such as ``settle``.
    **values
        By custom: ``inputs`` (:func:`digest_of`), ``policy`` and ``policy_digest``, ``scheme``, ``settings``, counts,
        ``notes``, ``problems``, ``assumptions``. Made plain by :func:`plain`.

    Examples
    --------
    >>> from drgsim.errors import Problem
    >>> record = run_record("weights", cases=2, mean=float("nan"), problems=[Problem("no-cost", "1 case has no cost")])
    >>> record["mean"], record["problems"]
    (None, [{'code': 'no-cost', 'what': '1 case has no cost', 'where': '', 'fix': ''}])
    """
    head = {KIND: kind, "drgsim": __version__}
    return {**head, **{name: plain(value) for name, value in values.items() if name not in head}}


def plain(value: Any) -> Any:
    """A value as JSON can hold it: numbers that cannot be said (NaN, infinity) are null, decimals and dates are texts."""
    if value is None or isinstance(value, bool | Text):
        return value
    if isinstance(value, str):
        return str(value)  # a word of an enumeration as its text
    if isinstance(value, Problem):
        return {"code": value.code, "what": value.what, "where": value.where, "fix": value.fix}
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real) and not isinstance(value, Decimal):
        return float(value) if isfinite(value) else None
    if isinstance(value, Path):
        return value.name  # the same files in another folder give the same record
    if isinstance(value, date):
        return value.isoformat()
    if hasattr(value, "tolist"):  # numpy
        return plain(value.tolist())
    return [plain(each) for each in value] if isinstance(value, Iterable) else str(value)


def problem_rows(problems: Sequence[Problem]) -> list[dict[str, str]]:
    """Problems as plain values."""
    return [plain(problem) for problem in problems]


def digest_of(paths: Iterable[Path]) -> dict[str, str]:
    """SHA-256 of files by name; of files that share a name, by folder and name."""
    files = list(dict.fromkeys(paths))
    names = Counter(path.name for path in files)
    digests = {}
    for path in files:
        with path.open("rb") as file:
            name = path.name if names[path.name] == 1 else f"{path.absolute().parent.name}/{path.name}"
            digests[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return digests


def json_text(values: Any) -> str:
    """Values, made plain, as the text of a JSON file."""
    return json.dumps(plain(values), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def write_results(
    folder: Path,
    tables: Mapping[str, pa.Table],
    record: Mapping[str, Any],
    others: Mapping[str, Callable[[Path], None]] | None = None,
    *,
    replace: bool = True,
) -> list[Path]:
    """Write tables and the record of the run into a folder that appears whole or not at all.

    Parameters
    ----------
    folder
        New, empty, or a folder of an earlier run of the same command that holds nothing else; it is replaced.
    tables
        File name (.csv, .parquet, .xlsx) -> table.
    record
        Written as ``run.json``, with the names of all files as ``written``; its ``kind`` names the command.
    others
        File name -> what writes it to a path: pages and workbooks.
    replace
        Whether the folder of an earlier run gives way.

    Raises
    ------
    OutputError
        The folder is not a result of this command (``output-not-ours``, ``output-other-kind``), holds files that no
        run wrote (``output-holds-more``), or cannot be written.
    """
    names = [*tables, *(others or {}), RUN_FILE]
    with whole_folder(folder, kind=str(record[KIND]), own=names, replace=replace) as beside:
        for name, table in tables.items():
            write_table(beside / name, table)
        for name, write in (others or {}).items():
            write(beside / name)
        write_text(beside / RUN_FILE, json_text({**record, WRITTEN: sorted(names)}))
    return [folder / name for name in names]

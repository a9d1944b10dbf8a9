"""What verbs accept in place of a file: paths, pandas frames, Arrow tables and results of other verbs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

import pyarrow as pa

from drgsim.api.given_records import CaseResult, given
from drgsim.engines.dated_grouper import SCHEME
from drgsim.errors import InputError, Problem, UsageError, did_you_mean
from drgsim.language import text
from drgsim.payment.clearing import Assessment, assessments_of
from drgsim.payment.grouped_files import read_grouped
from drgsim.payment.own_weights import check_scale, scheme_in, table_in, with_values_of
from drgsim.payment.policy import Policy
from drgsim.records.case_table import CaseTable
from drgsim.records.input_options import InputOptions
from drgsim.records.python_tables import python_table
from drgsim.records.read import read_table
from drgsim.region.hospital_list import (
    GroupCoefficients,
    Hospital,
    bonus_of,
    group_coefficients_of,
    hospitals_by_id,
    hospitals_of,
)
from drgsim.region.region_folder import RegionFolder
from drgsim.results.result import Result
from drgsim.results.run_record import digest_of
from drgsim.units.schemes.pack import pack_ids

if TYPE_CHECKING:
    import pandas as pd

Tabular = Union[str, Path, pa.Table, "pd.DataFrame", Result]  # one table: a file, or what is in memory
AnyDischarges = Tabular | Sequence[str | Path] | Sequence[dict[str, Any]]
ROLES = ("cases", "hospitals", "coefficients", "bonus", "weights", "assessment")
AnyRegion = str | Path | RegionFolder
AnyHospitals = Tabular | RegionFolder | Mapping[str, Hospital | Mapping[str, Any]]
Amounts = float | Mapping[str, float]  # one for all payers, or by payer


def table_of(source: Any) -> pa.Table:
    """One table of a file, a frame, an Arrow table or a result."""
    if isinstance(source, str | Path):
        return read_table(source)
    if isinstance(source, CaseResult):
        return source.case_table.records
    return source.to_arrow() if isinstance(source, Result) else python_table(source)[0]


class Inputs:
    """What a verb is given, one table after another, with the SHA-256 of each for its record."""

    def __init__(self) -> None:
        self._files: dict[str, list[Path]] = {}
        self._tables: dict[str, str] = {}
        self.grouped_by: set[str] = set()  # schemes of cases that came with their groups, as far as they are known

    @property
    def digests(self) -> dict[str, str]:
        """SHA-256 by name of file, the discharges first, and by what a table in memory is."""
        files = [path for role in ROLES for path in self._files.get(role, ())]
        return digest_of(files) | {role: self._tables[role] for role in ROLES if role in self._tables}

    def table(self, role: str, source: Tabular) -> tuple[pa.Table, Path]:
        """A table beside the cases, and the name that its mistakes are told by."""
        table = table_of(source)
        if isinstance(source, str | Path):
            self._files[role] = [Path(source)]
            return table, Path(source)
        self._tables[role] = table_digest(table)
        return table, Path(role)

    def discharges(
        self, source: AnyDischarges, scheme: str | None, reading: InputOptions | None, *, needed: bool = True
    ) -> tuple[pa.Table, list[str]]:
        """Grouped discharges, and how they were read; those without a group are grouped by ``scheme``.

        ``needed`` says whether cases must have a group.

        Raises
        ------
        InputError
            ``settle-not-grouped``, ``cases-several-schemes``, or a file cannot be read.
        """
        inputs, options = given(source, reading)
        files = [Path(each) for each in inputs if isinstance(each, str | Path)]
        self.grouped_by = {scheme for each in inputs if isinstance(each, CaseTable) for scheme in each.grouped_by}
        self._files["cases"] = [path for path in files if path.is_file()]
        if not files:
            self._tables["cases"] = table_digest(table_of(source))
        table, notes = read_grouped(inputs, scheme, options, needed=needed)
        if SCHEME in table.column_names:  # what drgsim group wrote
            self.grouped_by |= {*table[SCHEME].unique().to_pylist()} & {*pack_ids()}
        if len(self.grouped_by) > 1:
            raise InputError.single(
                "cases-several-schemes", text("the cases are grouped by {names}", names=', '.join(sorted(self.grouped_by))),
                why=text("a code may mean another group in each, so that weights and prices of one do not fit the other"),
                fix=text("group all of them by one scheme (--scheme), or hand over the cases of each scheme by themselves"),
            )  # fmt: skip
        return table, notes

    def hospitals(self, source: AnyHospitals | None) -> Mapping[str, Hospital] | None:
        """Level, grade and coefficient by hospital."""
        if source is None:
            return None
        if isinstance(source, Mapping):
            return hospitals_by_id(source)
        if isinstance(source, RegionFolder):
            self._files["hospitals"] = [source.folder / "hospitals.csv"]
            return source.hospitals
        table, path = self.table("hospitals", source)
        return hospitals_of(table, path.name)

    def coefficients(self, source: Tabular | GroupCoefficients | None) -> GroupCoefficients | None:
        """Coefficients by hospital and group."""
        if source is None or isinstance(source, GroupCoefficients):
            return source
        table, path = self.table("coefficients", source)
        found, problems = group_coefficients_of(table, path.name)
        if problems:
            raise InputError(problems)
        return found

    def bonus(self, source: Tabular | Mapping[str, float] | None) -> Mapping[str, float]:
        """What is added to the coefficient of a hospital's level."""
        return source if isinstance(source, Mapping) else {} if source is None else bonus_of(*self.table("bonus", source))

    def assessments(self, source: Tabular | Mapping[str, Assessment] | None) -> Mapping[str, Assessment] | None:
        """Results of the yearly assessment by hospital."""
        if source is None or isinstance(source, Mapping):
            return source
        return assessments_of(*self.table("assessment", source))

    def weighed(self, policy: Policy, source: Tabular | None, scale: float | None) -> tuple[Policy, list[Problem]]:
        """The policy with relative values of one's own in the place of its own, and doubts about them."""
        if source is None:
            return policy, []
        if isinstance(source, str | Path):
            source = table_in(Path(source))
        check_scale(scale)
        table, path = self.table("weights", source)
        (digest,) = digest_of(self._files["weights"]).values() if "weights" in self._files else (self._tables["weights"],)
        return with_values_of(policy, table, path, digest, scale)


def scheme_of_weights(source: Tabular | None) -> str | None:
    """The catalogue that a folder of ``drgsim dip build`` groups by; None for any other source of weights."""
    return scheme_in(Path(source)) if isinstance(source, str | Path) else None


def check_word(option: str, value: str | None, allowed: Sequence[str]) -> None:
    """Refuse a word that an option does not know.

    Raises
    ------
    UsageError
        ``usage-unknown-word``.
    """
    if value is not None and value not in allowed:
        what = text("{option} {value!r} is not one of {allowed}", option=option, value=value, allowed=", ".join(allowed))
        raise UsageError([Problem("usage-unknown-word", what, fix=did_you_mean(value, list(allowed)))])


def told(notes: Iterable[str]) -> tuple[Problem, ...]:
    """Remarks on how a result came about, as notes of the result."""
    return tuple(Problem("note", note) for note in notes)


def by_payer(amounts: Amounts | None) -> Mapping[str, float] | None:
    """Amounts by payer; one number is for all (``*``)."""
    return {"*": float(amounts)} if isinstance(amounts, int | float) else amounts


def table_digest(table: pa.Table) -> str:
    """SHA-256 over the contents of a table."""
    hashed = _Hashed()
    with pa.ipc.new_stream(pa.PythonFile(hashed, mode="w"), table.schema) as stream:
        stream.write_table(table.combine_chunks())
    return hashed.sha256.hexdigest()


class _Hashed:
    """A file that keeps nothing but the digest of what is written to it."""

    closed = False

    def __init__(self) -> None:
        self.sha256 = hashlib.sha256()

    def write(self, content: bytes) -> int:
        self.sha256.update(content)
        return len(content)

    def flush(self) -> None: ...

    def close(self) -> None: ...

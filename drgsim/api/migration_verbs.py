"""``drgsim.migrate``: the same discharges under two schemes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from drgsim.analysis.grouped_twice import migrate_files
from drgsim.analysis.migration import LEAST_SHARE, Migration
from drgsim.api.argument_check import checked, number
from drgsim.api.given_records import given
from drgsim.engines.file_to_file import Progress
from drgsim.errors import Problem
from drgsim.language import text
from drgsim.records.input_options import InputOptions
from drgsim.report.migration_page import migrate_page
from drgsim.report.migration_report import (
    check_migration_folder,
    migration_summary,
    migration_tables,
    write_migration,
    write_migration_workbook,
)
from drgsim.results.result import Result


class Migrated(Result):
    """Where cases, cost and weight go from one scheme to another.

    Tables: ``flow`` (cases, cost in yuan and weight by pair of groups), ``groups``, ``splits``, ``merges``, ``hospitals``
    (case-mix index and rank under both).

    Attributes
    ----------
    migration
        The counts, the weights used and their evidence.
    """

    kind = "migrate"
    title = text("Migration between schemes")

    def __init__(self, migration: Migration) -> None:
        self.migration = migration
        notes = [Problem("migrate-note", note) for note in migration.notes()]
        super().__init__(migration_tables(migration), notes=notes, record=migration_summary(migration))

    def _page(self) -> str:
        return migrate_page(self.migration)

    def _write_workbook(self, path: Path) -> None:
        write_migration_workbook(self.tables, migration_summary(self.migration), path)


@checked(least_share=number(0, 1))
def migrate(
    records: Any,
    before: str | Path,
    after: str | Path,
    *,
    output: str | Path | None = None,
    weights_from: str | None = None,
    weights_to: str | None = None,
    least_share: float = LEAST_SHARE,
    reading: InputOptions | None = None,
    progress: Progress | None = None,
) -> Migrated:
    """Move between scheme versions: flows, splits and merges, hospitals. 分组方案版本迁移

    Parameters
    ----------
    records
        What :func:`drgsim.read` takes, or what it returned. ``total_cost`` (yuan) and ``hospital_id`` are used where they are.
    before, after
        The scheme that is left and the one that is moved to: id, or folder of a pack.
    output
        Folder for the tables (CSV, Parquet, XLSX) and a page with a Sankey chart.
    weights_from, weights_to
        Relative weights of each scheme: a CSV file with ``drg`` and ``weight``, a payment table such as ``national/2.0``, or
        ``estimated``. By default the reference weights where both schemes have the same, else both are estimated; with a table
        on one side and an estimate on the other, hospitals are not compared.
    least_share
        Smallest share of a group, 0 to 1, that makes a split or merge.
    reading
        Layout, own columns and edition of the codes, as :class:`drgsim.InputOptions` says them.
    progress
        Called after every batch with the share done (0 to 1) and the number of records.

    Returns
    -------
    Migrated
        ``flow``, ``groups``, ``splits``, ``merges``, ``hospitals``; money is exact.

    Raises
    ------
    InputError
        A file or a table of weights cannot be read.
    SchemeError
        ``scheme-unknown``.
    OutputError
        ``output-holds-more`` when the folder holds anything but an earlier migration.

    Notes
    -----
    Case-mix index of a hospital: sum of the weights of its grouped cases / their number (docs/migrate.md).

    Examples
    --------
    >>> import drgsim
    >>> cases = drgsim.read(drgsim.sample_path("formats/records.csv"))
    >>> moved = drgsim.migrate(cases, "chs-drg-1.1", "chs-drg-2.0")
    >>> moved.migration.cases, sum(moved.to_arrow("flow")["cases"].to_pylist())
    (120, 120)
    """
    folder = None if output is None else Path(output)
    if folder is not None:
        check_migration_folder(folder)
    inputs, options = given(records, reading)
    migration = migrate_files(
        inputs, before, after, weights=(weights_from, weights_to), least_share=least_share, progress=progress, options=options
    )
    if folder is not None:
        write_migration(migration, folder)
    return Migrated(migration)

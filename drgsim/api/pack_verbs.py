"""Scheme packs that experts make: a city's scheme on a base, the national grouping workbook in and out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from drgsim.api.argument_check import checked, named
from drgsim.api.scheme_verbs import TEXT, WHOLE, as_table
from drgsim.authoring.dip.catalogue_writer import write_catalogue
from drgsim.authoring.dip.national_workbook import is_dip_workbook, read_national_workbook
from drgsim.authoring.schemes.overlay_writer import derived_pack_files, skeleton_files
from drgsim.authoring.schemes.pack_files import write_pack
from drgsim.authoring.schemes.scheme_from_list import Derivation, derive_groups, read_group_list
from drgsim.authoring.schemes.workbook_export import write_workbook
from drgsim.authoring.schemes.workbook_import import read_workbook
from drgsim.errors import Problem, UsageError
from drgsim.language import text
from drgsim.results.result import Result
from drgsim.results.run_record import run_record
from drgsim.units.schemes.pack import load_scheme
from drgsim.units.schemes.pack_check import check_pack
from drgsim.units.schemes.scheme import Scheme


class WrittenPack(Result):
    """A pack or workbook that was written.

    Attributes
    ----------
    path
        The folder of the pack, or the workbook.
    counts
        Sizes of what was written, or derived groups by evidence (``base``, ``derived``, ``assumption``, ``open``).
    base
        Id of the scheme that a new one differs from.
    derivation
        Where each rule comes from, for a scheme that was derived from a published list.
    unread
        Rules of a workbook that could not be read; in the pack they never hold.
    notices, advice
        What a reader of the workbook and the maker of the pack should know.
    """

    kind = "schemes-pack"
    title = text("Scheme pack")

    def __init__(
        self,
        path: Path,
        counts: dict[str, int],
        *,
        base: str = "",
        derivation: Derivation | None = None,
        unread: list[Problem] | None = None,
        notices: list[str] | None = None,
        advice: list[str] | None = None,
    ) -> None:
        self.path, self.counts, self.base, self.derivation = path, counts, base, derivation
        self.unread, self.notices, self.advice = unread or [], notices or [], advice or []
        tables: dict[str, pa.Table] = {}
        texts = [*self.notices, *self.advice]
        if derivation is not None:
            rows = [{name: str(getattr(row, name)) for name in ("drg", "name", "evidence")} for row in derivation.rows]
            tables["groups"] = as_table(rows, drg=TEXT, name=TEXT, evidence=TEXT)
            texts += [*derivation.notes, *derivation.to_do()]
        tables["counts"] = as_table([{"what": k, "number": n} for k, n in counts.items()], what=TEXT, number=WHOLE)
        notes = [*self.unread, *(Problem("scheme-note", note) for note in texts)]
        super().__init__(tables, notes=notes, record=run_record(self.kind, path=path, counts=counts, problems=notes))


@checked()
def schemes_new(
    base: str | Path,
    scheme_id: str,
    *,
    groups: str | Path | None = None,
    output: str | Path | None = None,
    title: str = "",
    issuer: str = "",
    source: str = "",
    replace: bool = False,
) -> WrittenPack:
    """Start a city's scheme on a base, and derive its groups from the list that it publishes. 新建地方方案

    Parameters
    ----------
    base
        The scheme that the new one differs from, such as ``chs-drg-2.0``.
    scheme_id
        Id of the new scheme, such as ``my-city-2026``.
    groups
        Published list of the city: a CSV file with the columns ``drg`` and ``name``; an empty overlay without one.
    output
        Folder of the pack; by default a folder named like the id.
    title
        Chinese title; the id by default.
    issuer
        Who publishes the scheme.
    source
        Document that the list comes from.
    replace
        Replace a pack that is there already.

    Returns
    -------
    WrittenPack
        ``path``; for a derived scheme where each rule comes from and what needs a person.

    Raises
    ------
    SchemeError
        ``scheme-unknown``.
    InputError
        The list cannot be read.
    OutputError
        ``output-exists`` and ``output-holds-more``.

    Examples
    --------
    >>> import drgsim, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pack = drgsim.schemes_new("chs-drg-2.0", "my-city-2026", output=folder + "/my-city-2026")
    ...     drgsim.schemes_check(pack.path).sound
    True
    """
    loaded = load_scheme(base)
    folder = Path(output or scheme_id)
    settings: dict[str, Any] = {"id": scheme_id, "title_zh": title or scheme_id, "title_en": scheme_id, "issuer": issuer}
    if groups is None:
        return WrittenPack(write_pack(folder, skeleton_files(loaded, settings), replace=replace), {}, base=loaded.id)
    derivation = derive_groups(loaded, read_group_list(groups))
    settings["sources"] = [source or f"published list {Path(groups).name}", *loaded.sources]
    written = write_pack(folder, derived_pack_files(loaded, derivation, settings), replace=replace)
    kinds = ("base", "derived", "assumption", "open")
    counts = {kind: sum(row.evidence == kind for row in derivation.rows) for kind in kinds}
    return WrittenPack(written, counts, base=loaded.id, derivation=derivation)


@checked()
def schemes_import(
    workbook: str | Path,
    scheme_id: str,
    output: str | Path,
    *,
    corrections: str | None = None,
    keep_unread: bool = False,
    replace: bool = False,
) -> WrittenPack:
    """Read the national workbook of DRG groups, or of DIP kinds, as a pack. 导入国家分组方案工作簿

    Parameters
    ----------
    workbook
        The workbook as it was downloaded (.xlsx or .xls): 分组方案配置信息 of DRG, or 分组方案 of DIP 3.0, told by its sheets.
    scheme_id
        Id of the new scheme or catalogue, such as ``chs-drg-3.0``.
    output
        Folder of the new pack.
    corrections
        Corrections of the exclusion table of DRG: ``published``, or a CSV file (exclusion, code, source).
    keep_unread
        Go on when a rule cannot be read: its row then never holds.
    replace
        Replace a pack that is there already.

    Returns
    -------
    WrittenPack
        ``path``, ``counts``, ``unread``, ``notices`` and ``advice``.

    Raises
    ------
    InputError
        The workbook or a rule in it cannot be read; all problems at once.
    OutputError
        ``output-exists`` and ``output-holds-more``.

    Examples
    --------
    >>> import drgsim, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     book = drgsim.schemes_export("chs-drg-2.0", folder + "/book.xlsx").path
    ...     drgsim.schemes_import(book, "again", folder + "/again").counts["drg"]
    634
    """
    if is_dip_workbook(Path(workbook)):
        tables, notices = read_national_workbook(Path(workbook))
        files = tables.files(scheme_id, f"workbook {Path(workbook).name}")
        catalogue = write_catalogue(Path(output), files, replace=replace)
        return WrittenPack(catalogue.folder, dict(catalogue.counts), notices=notices)
    reading = read_workbook(Path(workbook), scheme_id, corrections=corrections, keep_unread=keep_unread)
    folder = write_pack(Path(output), reading.files, replace=replace)
    advice = [finding.what for finding in check_pack(folder).advice]
    return WrittenPack(folder, reading.counts, unread=reading.unread, notices=reading.notices, advice=advice)


@checked(scheme=named(Scheme))
def schemes_export(scheme: str | Path | Scheme, output: str | Path) -> WrittenPack:
    """Write a scheme as a workbook in the national layout. 导出为国家分组方案工作簿格式

    Parameters
    ----------
    scheme
        Id of a scheme, the folder of a pack, or what :func:`drgsim.load_scheme` returned.
    output
        The workbook to write (.xlsx).

    Returns
    -------
    WrittenPack
        ``path`` of the workbook, and ``counts``.

    Raises
    ------
    SchemeError
        ``scheme-unknown``.
    UsageError
        ``output-unknown-suffix``.
    OutputError
        ``output-not-writable``.

    Examples
    --------
    >>> import drgsim, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     drgsim.schemes_export("chs-drg-2.0", folder + "/book.xlsx").counts["drg"]
    634
    """
    if Path(output).suffix.lower() != ".xlsx":
        what = text("{path} is no name of a workbook", path=Path(output).name)
        raise UsageError([Problem("output-unknown-suffix", what, where=str(output), fix=text("end the name in .xlsx"))])
    loaded = scheme if isinstance(scheme, Scheme) else load_scheme(scheme)
    return WrittenPack(write_workbook(loaded, Path(output)), dict(loaded.counts))

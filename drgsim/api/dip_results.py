"""What the DIP verbs give back: a catalogue, its changes, supervision lists, specifications."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from drgsim.analysis.supervision import Supervision
from drgsim.api.verb_inputs import told
from drgsim.authoring.dip.built_catalogue import years_table
from drgsim.authoring.dip.catalogue_building import Built
from drgsim.authoring.dip.catalogue_differences import CHANGES, CatalogueDiff
from drgsim.authoring.dip.dip_spec import DipSpec
from drgsim.authoring.dip.three_level_directory import directory_table
from drgsim.language import text
from drgsim.report.catalogue_page import catalogue_page
from drgsim.report.catalogue_report import (
    CatalogueDocument,
    changes_table,
    kinds_table,
)
from drgsim.report.supervision_workbook import supervision_record
from drgsim.results.result import Result
from drgsim.results.run_record import run_record


class CatalogueTables(Result):
    """A DIP catalogue with what is known about how it was built and how it changed.

    Tables: ``kinds``; ``changes`` where it was compared; of a built one also ``years`` (kinds by year), ``directory`` (three
    levels), and ``explained`` and ``prediction``, which judge it.

    Attributes
    ----------
    catalogue
        The catalogue, which :func:`drgsim.group` takes.
    summary
        How it was built and how good it is, as plain values; empty for a published one.
    diff
        How it changed; None where it was not compared.
    built
        Its kinds with the discharges that made them; None where it was not built now.
    """

    kind = "dip-catalogue"
    title = text("DIP catalogue")

    def __init__(self, document: CatalogueDocument, built: Built | None = None) -> None:
        self.catalogue, self.summary, self.diff, self.built = document.catalogue, document.summary, document.diff, built
        tables = {"kinds": kinds_table(self.catalogue.kinds)}
        if built:
            tables["years"] = years_table(built)
            if built.by_combination:
                tables["directory"] = directory_table(built)
        judged = self.summary.get("evaluation") or {}
        tables |= {name: pa.Table.from_pylist(judged[name]) for name in ("explained", "prediction") if judged.get(name)}
        if self.diff:
            tables["changes"] = changes_table(self.diff)
        summary = {name: value for name, value in self.summary.items() if name != "drgsim"}
        record = run_record(self.kind, catalogue=self.catalogue.id, counts=dict(self.catalogue.counts), **summary)
        super().__init__(tables, notes=told(self.catalogue.notes), record=record)

    def _page(self) -> str:
        return catalogue_page(self.catalogue, self.summary, self.diff)


class CatalogueChanges(Result):
    """Kinds that came, went, split or merged, and scores that moved: table ``changes``.

    Attributes
    ----------
    diff
        All kinds of both catalogues.
    """

    kind = "dip-diff"
    title = text("Changes of a catalogue")

    def __init__(self, diff: CatalogueDiff) -> None:
        self.diff = diff
        counts = {change: diff.count(change) for change in CHANGES}
        record = run_record(self.kind, old=diff.old.id, new=diff.new.id, mean_change=diff.mean_change, changes=counts)
        super().__init__({"changes": changes_table(diff)}, record=record)


class SupervisionLists(Result):
    """What supervision looks at: tables ``hospitals`` and ``cases``. The lists say where to look, they are no verdict.

    Attributes
    ----------
    found
        The lists with the limits that made them.
    """

    kind = "dip-supervision"
    title = text("Supervision lists")

    def __init__(self, found: Supervision) -> None:
        self.found = found
        tables = {
            name: pa.Table.from_pandas(frame, preserve_index=False)
            for name, frame in (("hospitals", found.hospitals), ("cases", found.cases))
        }
        super().__init__(tables, notes=told(found.notes), record=supervision_record(found))


class Specifications(Result):
    """Specifications of DIP catalogues, or the parameters of one.

    Attributes
    ----------
    specs
        The specifications, read and checked.
    """

    kind = "dip-specs"
    title = text("DIP specifications")

    def __init__(self, tables: Mapping[str, pa.Table], specs: Sequence[DipSpec]) -> None:
        self.specs = tuple(specs)
        super().__init__(tables, record=run_record(self.kind, specs={spec.file.id: spec.digest for spec in specs}))

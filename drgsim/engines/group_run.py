"""What grouping counted, whether of files or of a table in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container
from dataclasses import dataclass, field
from pathlib import Path

from drgsim.engines.code_edition import EditionHits
from drgsim.engines.dated_grouper import DatedGrouper, DatedSchemes
from drgsim.errors import Problem, UsageError
from drgsim.language import text
from drgsim.units.batch_grouper import GroupCounts, GroupsBatches
from drgsim.units.dip.catalogue_arrays import CompiledCatalogue
from drgsim.units.schemes.scheme_lowering import CompiledScheme


@dataclass
class GroupRun:
    """What was grouped, by what, and how it went.

    Attributes
    ----------
    inputs, output
        Files; none for a table in memory.
    scheme
        The compiled scheme or catalogue; several where dates of discharge lie on both sides of a switch.
    by_date
        What was in force from when, where the date of discharge chose the scheme; else empty.
    counts
        What was counted.
    seconds
        Wall time, reading and writing included.
    absent
        Canonical columns that the scheme's rules ask for and no input has.
    ids_checked, ids_complete
        Records whose id was compared with those before it, and whether all ids before could be remembered.
    layouts
        Layout of each input, as it was recognised or named.
    kept_columns
        Whose kept mappings of columns were used.
    noted
        What was left out in reading, such as diagnoses of Chinese medicine.
    edition
        Where many codes are unknown: how many of them other editions know.
    """

    inputs: list[Path]
    output: Path | None
    scheme: CompiledScheme | CompiledCatalogue | DatedSchemes
    counts: GroupCounts
    by_date: str = ""
    seconds: float = 0.0
    absent: list[str] = field(default_factory=list)
    ids_checked: int = 0
    ids_complete: bool = True
    layouts: list[str] = field(default_factory=list)
    kept_columns: list[str] = field(default_factory=list)
    noted: Counter[str] = field(default_factory=Counter)
    edition: EditionHits | None = None

    def finish(self, grouper: GroupsBatches, names: Container[str]) -> None:
        """Say which schemes grouped, once all batches are counted; ``names`` are the columns of the input."""
        groupers: list[GroupsBatches] = [grouper]
        if isinstance(grouper, DatedGrouper):
            order = [each.scheme for each in grouper.national.schemes]
            used = sorted(self.counts.by_scheme, key=order.index) or [order[grouper.national.without_date]]
            groupers = [grouper.grouper(order.index(scheme)) for scheme in used]
            self.by_date = grouper.national.words()
            if len(used) == 1:
                self.scheme = groupers[0].compiled
                self.counts.groups = self.counts.by_scheme[used[0]].groups if self.counts.by_scheme else self.counts.groups
            else:
                self.scheme = DatedSchemes(tuple(each.compiled for each in groupers))
        self.absent = list(dict.fromkeys(name for each in groupers for name in each.absent_columns(names)))

    @property
    def parts(self) -> list[tuple[CompiledScheme | CompiledCatalogue, GroupCounts]]:
        """Every scheme with what it grouped; one in nearly all runs."""
        if isinstance(self.scheme, DatedSchemes):
            return [(scheme, self.counts.by_scheme[scheme.id]) for scheme in self.scheme.schemes]
        return [(self.scheme, self.counts)]

    @property
    def drg_scheme(self) -> CompiledScheme:
        """The compiled DRG scheme, for what is said of DRGs only.

        Raises
        ------
        UsageError
            When the run was by a DIP catalogue, or by several schemes.
        """
        if isinstance(self.scheme, CompiledScheme):
            return self.scheme
        if isinstance(self.scheme, DatedSchemes):
            what = text("the records are grouped by {scheme}, and this is told of one scheme", scheme=self.scheme.id)
            raise UsageError([Problem("run-by-several", what, fix=text("name one with scheme="))])
        raise UsageError([Problem("run-by-dip", text("{scheme} is a DIP catalogue, which has no DRGs", scheme=self.scheme.id))])

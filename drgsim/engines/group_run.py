"""What grouping counted, whether of files or of a table in memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from drgsim.engines.code_edition import EditionHits
from drgsim.errors import Problem, UsageError
from drgsim.units.batch_grouper import GroupCounts
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
        The compiled scheme or catalogue.
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
    scheme: CompiledScheme | CompiledCatalogue
    counts: GroupCounts
    seconds: float = 0.0
    absent: list[str] = field(default_factory=list)
    ids_checked: int = 0
    ids_complete: bool = True
    layouts: list[str] = field(default_factory=list)
    kept_columns: list[str] = field(default_factory=list)
    noted: Counter[str] = field(default_factory=Counter)
    edition: EditionHits | None = None

    @property
    def drg_scheme(self) -> CompiledScheme:
        """The compiled DRG scheme, for what is said of DRGs only.

        Raises
        ------
        UsageError
            When the run was by a DIP catalogue.
        """
        if isinstance(self.scheme, CompiledScheme):
            return self.scheme
        raise UsageError([Problem("run-by-dip", f"{self.scheme.id} is a DIP catalogue, which has no DRGs")])

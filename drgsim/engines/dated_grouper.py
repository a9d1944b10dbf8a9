"""Group every record by the national scheme in force on its date of discharge; no clock is read."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.records.arrow import one_chunk
from drgsim.records.cells import read_days
from drgsim.records.code_dictionaries import OWN_VERSION
from drgsim.records.schema import BROKEN_LINE
from drgsim.units.batch_grouper import GroupCounts, GroupsBatches, texts_by_number
from drgsim.units.drg.drg_grouper import DrgGrouper
from drgsim.units.schemes.scheme_lowering import CompiledScheme
from drgsim.units.schemes.schemes_in_force import national_schemes

DATE, SCHEME = "discharged", "scheme"  # the column that chooses, and the one that says what was chosen


@dataclass(frozen=True)
class DatedSchemes:
    """The schemes of records on both sides of a switch, by date."""

    schemes: tuple[CompiledScheme, ...]

    @property
    def id(self) -> str:
        """Ids, joined by ``|``."""
        return "|".join(scheme.id for scheme in self.schemes)

    @property
    def digest(self) -> str:
        """Digests, joined by ``|``."""
        return "|".join(scheme.digest for scheme in self.schemes)


class DatedGrouper(GroupsBatches):
    """The groupers of the national schemes, each compiled when the first record asks for it.

    Answers have the column ``scheme`` at their end. ``kind`` is the class of these groupers.
    """

    def __init__(self, code_version: str = OWN_VERSION, kind: type[DrgGrouper] = DrgGrouper) -> None:
        super().__init__(code_version)
        self.kind = kind
        self.result_columns = (*kind.result_columns, SCHEME)
        self.input_columns = kind.input_columns
        self.national = national_schemes()
        self._lock = Lock()
        self._groupers: dict[int, DrgGrouper] = {}
        # what the codes of a file are compared with before any record is grouped
        self.compiled = self.grouper(self.national.without_date).compiled

    def grouper(self, place: int) -> DrgGrouper:
        """The grouper of the scheme at this place of the national ones."""
        with self._lock:
            if place not in self._groupers:
                self._groupers[place] = self.kind(self.national.schemes[place].scheme, self.code_version)
            return self._groupers[place]

    @property
    def group_count(self) -> int:
        """None: groups are counted by scheme."""
        return 0

    def places(self, batch: pa.RecordBatch | pa.Table) -> tuple[NDArray[np.int8], int]:
        """Place of the scheme of each record, and the number of records without a date of discharge."""
        days = read_days(one_chunk(batch, DATE)).values
        return self.national.places(days), int(np.isnan(days).sum())

    def group_batch(
        self, batch: pa.RecordBatch | pa.Table, noted: NDArray[np.int64] | None = None
    ) -> tuple[pa.RecordBatch, GroupCounts]:
        """Group each record by its scheme, as :meth:`GroupsBatches.group_batch` says."""
        places, without_date = self.places(batch)
        counts = GroupCounts.empty(0)
        counts.without_date = without_date
        used = np.unique(places).tolist() or [self.national.without_date]
        if len(used) == 1:
            answers, part = self.grouper(used[0]).group_batch(batch, noted)
            counts.add_part(self.national.schemes[used[0]].scheme, part)
        else:
            answers = self._group_parts(batch, noted, {place: np.flatnonzero(places == place) for place in used}, counts)
        names = pa.array([each.scheme for each in self.national.schemes])
        return answers.append_column(SCHEME, texts_by_number(places, names)), counts

    def _group_parts(
        self,
        batch: pa.RecordBatch | pa.Table,
        noted: NDArray[np.int64] | None,
        rows: dict[int, NDArray[np.int64]],
        counts: GroupCounts,
    ) -> pa.RecordBatch:
        """The answers of all parts, in the order of the records."""
        read = batch.select([name for name in (*self.kind.input_columns, BROKEN_LINE) if name in batch.schema.names])
        parts = []
        for place, here in rows.items():
            taken = read.take(pa.array(here))
            answers, part = self.grouper(place).group_batch(taken, None if noted is None else noted[here])
            counts.add_part(self.national.schemes[place].scheme, part)
            parts.append(answers)
        order = np.argsort(np.concatenate(list(rows.values())), kind="stable")
        return (
            pa.Table.from_batches(parts)
            .unify_dictionaries()
            .combine_chunks()
            .take(pa.array(order))
            .combine_chunks()
            .to_batches()[0]
        )

"""A case-mix file that is open for reading, whatever it is written in: batches of canonical columns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from drgsim import limits
from drgsim.errors import UNREAD, InputError, words_of
from drgsim.language import text
from drgsim.records.birth_weights import all_in_kilograms, has_low_weights, with_unit
from drgsim.records.input_options import GROUPING, InputOptions, KeptColumns, Purpose
from drgsim.records.layout import CODE_LISTS, LayoutReading
from drgsim.records.quoted_ids import plain_ids
from drgsim.records.recipes import AS_IS, derive
from drgsim.records.recognise import recognise, recognised
from drgsim.records.schema import BROKEN_LINE
from drgsim.records.side_rows import SideRows
from drgsim.records.unread_columns import hold_codes, named_like_codes

if TYPE_CHECKING:
    from drgsim.records.column_guesses import ColumnGuess

BATCH_ROWS = 1 << 16
_WEIGHT = "birth_weight_g"


class CaseFile(ABC):
    """A case-mix file that is open for reading.

    Attributes
    ----------
    path
        The file, as the user named it.
    names
        Its column names, in order.
    reading
        The layout that was recognised and how canonical columns are made of the file's own.
    canonical
        Canonical name -> the file's own name (of several the first), for the columns that drgsim knows.
    noted
        What was left out on the way, such as diagnoses of Chinese medicine, with exact counts.
    kept
        The mapping that was kept for this file and used; None for none.
    held
        What has to live as long as the file is read, such as the folder that an archive was unpacked into.
    side_rows
        Whether the file may have rows that are no discharges; a table in memory keeps all its rows.
    rows
        Number of rows, where it is known before reading.
    done
        Share of the file that has been read, 0 to 1.
    """

    side_rows = True

    def __init__(
        self,
        path: Path,
        names: Sequence[str],
        options: InputOptions,
        reading: LayoutReading | None = None,
        purpose: Purpose = GROUPING,
    ) -> None:
        self.path = path
        self.names = list(names)
        limits.check("columns", len(self.names), path)
        self.noted: Counter[str] = Counter()
        self._source_column = options.source_column
        self._kilograms: bool | None = None
        self.kept: KeptColumns | None = None
        self.held: object = None
        self.rows: int | None = None
        self.done = 0.0
        try:
            self.reading = reading or recognise(self.names, str(path.name), options, purpose)
        except InputError as error:
            raise self._with_guesses(error, options) from error
        self.canonical = {name: recipe.columns[0] for name, recipe in self.reading.recipes.items()}

    def batches(self, wanted: Iterable[str], *, keep: bool | Iterable[str] = False) -> Iterator[pa.RecordBatch]:
        """Batches with the wanted canonical columns that the file has.

        With ``keep``, all columns of the file (or the named ones) come along under their own names, after the canonical
        ones, with a leading ``=``.
        """
        recipes = {name: self.reading.recipes[name] for name in wanted if name in self.reading.recipes}
        kept = self.names if keep is True else list(keep or ())
        needed = [own for recipe in recipes.values() for own in recipe.needs]
        side_rows = SideRows(self.reading.recipes if self.side_rows else {})
        needed += side_rows.needs
        unread = named_like_codes(self.names, self.reading.recipes) if set(CODE_LISTS) & recipes.keys() else []
        self.noted.clear()  # a file that is read twice notes everything once
        total = 0
        for read in self._read(list(dict.fromkeys([*needed, *kept, *unread]))):
            if unread and not total:
                self._note_unread(hold_codes(read, unread))
            batch = side_rows.discharges(read, self.noted)
            arrays = {
                name: batch.column(recipe.columns[0]) if recipe.how == AS_IS else derive(recipe, batch, self.noted)
                for name, recipe in recipes.items()
            }
            if self.side_rows and "discharge_id" in arrays:
                arrays["discharge_id"] = plain_ids(arrays["discharge_id"])
            if _WEIGHT in arrays:
                arrays[_WEIGHT] = self._weights(arrays[_WEIGHT])
            arrays |= {f"={name}": batch.column(name) for name in kept}
            if self._source_column:
                arrays[f"={self._source_column}"] = pa.array([self.path.name] * batch.num_rows, pa.string())
            if BROKEN_LINE in batch.schema.names:
                arrays[BROKEN_LINE] = batch.column(BROKEN_LINE)
            total += batch.num_rows
            if batch.num_rows:
                yield pa.RecordBatch.from_arrays(list(arrays.values()), list(arrays))
        if total == 0:
            raise InputError.single(
                "input-no-rows",
                text("{file} has a header and no records", file=self.path.name),
                where=str(self.path),
                fix=text("check the export: there is nothing to group"),
            )
        self.done = 1.0

    def _note_unread(self, names: Sequence[str]) -> None:
        if names:
            told = text(
                "columns with codes that are not read (name them with --map) 疑似编码列未读: {names}", names=", ".join(names)
            )
            self.noted[told] = len(names)

    def _weights(self, column: pa.Array) -> pa.Array:
        """Birth weights with their unit where all of the file are kilograms, which takes a second look where one is too low."""
        if self._kilograms is False or not has_low_weights(column):
            return column
        if self._kilograms is None:
            recipe = self.reading.recipes[_WEIGHT]
            twin = self._twin()
            parts = (derive(recipe, batch, Counter()) for batch in twin._read(recipe.needs))
            self._kilograms = all_in_kilograms(parts)
        return with_unit(column) if self._kilograms else column

    def _twin(self) -> CaseFile:
        """The file once more, for a second look while the first one goes on."""
        twin = copy(self)
        twin.noted = Counter()
        return twin

    def guesses(self, known: Mapping[str, str]) -> list[ColumnGuess]:
        """What each column may be; ``known`` are those of the file that are read as a canonical one."""
        from drgsim.records.arrow import to_text
        from drgsim.records.column_guesses import SAMPLED, guess_columns

        head = next(self._read(self.names), None)
        texts = {
            name: [] if head is None else to_text(head.column(name).slice(0, SAMPLED), name).cast(pa.string()).to_pylist()
            for name in self.names
        }
        return guess_columns({name: [text or "" for text in column] for name, column in texts.items()}, known)

    def _with_guesses(self, error: InputError, options: InputOptions) -> InputError:
        """The refusal of columns that were not understood, with what they may be."""
        from drgsim.records.column_guesses import UnknownColumns

        codes = {problem.code for problem in error.problems}
        if not self.names or not codes & {"input-layout-unknown", "input-missing-column"}:
            return error
        known = recognised(self.names, str(self.path.name), replace(options, format=None))
        return UnknownColumns(error.problems, self.guesses(known))

    @abstractmethod
    def _read(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Batches with the file's own columns of these names."""


def broken_file(path: Path, error: Exception) -> InputError:
    """The error for a file that a library cannot read."""
    if isinstance(error, InputError):
        return error
    if isinstance(error, MemoryError):  # of Arrow too, whose errors of all kinds are caught: no fault of the file
        raise error
    return InputError.single(
        "input-broken-file",
        text("{file} cannot be read: {error}", file=path.name, error=words_of(error, UNREAD)),
        where=str(path),
        fix=text("open it in the program that wrote it and export it again"),
    )

"""CSV files as batches of text columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from copy import copy
from pathlib import Path

import pyarrow as pa

from drgsim.language import text
from drgsim.records.case_file import BATCH_ROWS, CaseFile, broken_file
from drgsim.records.csv_text import CleanBlock, CsvText
from drgsim.records.header import HeaderTest
from drgsim.records.input_options import GROUPING, InputOptions, Purpose
from drgsim.records.schema import BROKEN_LINE
from drgsim.records.side_rows import BLANKS

_UNDECODABLE = text("undecodable characters, read as �")


class CsvSource(CaseFile):
    """A CSV file in UTF-8 (with or without a byte-order mark), GB18030 or UTF-16; every cell is read as text.

    A line that does not fit the header is a record at its own place, with its id and the number of its line in ``BROKEN_LINE``.
    """

    def __init__(self, path: Path, options: InputOptions, purpose: Purpose = GROUPING, content: Path | None = None) -> None:
        self._text = CsvText(content or path, HeaderTest(options, purpose), path)
        super().__init__(path, self._text.own_names, options, purpose=purpose)
        if "discharge_id" in self.canonical:
            self._text.id_place = self._text.names.index(self.canonical["discharge_id"])

    def _read(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        from pyarrow import csv as pacsv

        text = self._text
        parse = pacsv.ParseOptions(delimiter=text.delimiter, newlines_in_values=True)
        convert = pacsv.ConvertOptions(
            column_types=dict.fromkeys(text.names, pa.string()),
            include_columns=list(names),
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
            null_values=[""],  # other words that mean nothing are told apart where a column is read
            check_utf8=False,  # the stream is made of decoded text
        )
        try:
            for block in text.clean():
                if not block.records:
                    continue
                # a block at a time: what Arrow reads by itself, in a thread of its own, answers no signal
                whole = pacsv.ReadOptions(block_size=len(block.text) + 1, column_names=text.names, use_threads=False)
                table = pacsv.read_csv(pa.BufferReader(block.text), whole, parse, convert)
                yield from self._batches(table, block)
                self.done = text.done
        except (pa.ArrowException, OSError) as error:
            raise broken_file(self.path, error) from error
        self._note()

    def _batches(self, table: pa.Table, block: CleanBlock) -> Iterator[pa.RecordBatch]:
        if table.num_rows != block.records:  # never fewer records than the file has
            what = text(
                "of {records:,} records, {num_rows:,} can be told apart", records=block.records, num_rows=table.num_rows
            )
            raise broken_file(self.path, ValueError(what))
        if block.broken is not None:
            table = table.append_column(BROKEN_LINE, pa.array(block.broken, mask=block.broken == 0))
        yield from table.to_batches(max_chunksize=BATCH_ROWS)

    def _note(self) -> None:
        """What was left out, and what lines that do not fit have in common."""
        text = self._text
        if text.undecodable:
            self.noted[_UNDECODABLE] += text.undecodable
        if text.blank_lines:
            self.noted[BLANKS] += text.blank_lines
        reading = getattr(self, "reading", None)  # none yet where columns are guessed
        recipes = reading.recipes if reading is not None else {}
        common = text.broken.told({own: name for name, recipe in recipes.items() for own in recipe.columns})
        if common is not None:
            self.noted[common[0]] += common[1]

    def _twin(self) -> CsvSource:
        twin = copy(self)
        twin.noted, twin._text = Counter(), copy(self._text)
        return twin

"""CSV files as batches of text columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from copy import copy
from pathlib import Path

import pyarrow as pa

from drgsim.records.case_file import BATCH_ROWS, CaseFile, broken_file
from drgsim.records.csv_text import BLOCK, CleanStream, CsvText
from drgsim.records.header import HeaderTest
from drgsim.records.input_options import GROUPING, InputOptions, Purpose
from drgsim.records.schema import BROKEN_LINE
from drgsim.records.side_rows import BLANKS


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
        first = 0
        try:
            with pacsv.open_csv(
                pa.PythonFile(CleanStream(text), mode="r"),
                read_options=pacsv.ReadOptions(block_size=BLOCK, column_names=text.names, use_threads=False),
                parse_options=pacsv.ParseOptions(delimiter=text.delimiter, newlines_in_values=True),
                convert_options=pacsv.ConvertOptions(
                    column_types=dict.fromkeys(text.names, pa.string()),
                    include_columns=list(names),
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=True,
                    null_values=[""],  # other words that mean nothing are told apart where a column is read
                    check_utf8=False,  # the stream is made of decoded text
                ),
            ) as reader:
                for block in reader:
                    for start in range(0, block.num_rows, BATCH_ROWS):
                        batch = block.slice(start, BATCH_ROWS)
                        yield self._with_broken_lines(batch, first)
                        first += batch.num_rows
                    self.done = text.done
        except pa.ArrowInvalid as error:
            if "Empty CSV" not in str(error):
                raise broken_file(self.path, error) from error
        except (pa.ArrowException, OSError) as error:
            raise broken_file(self.path, error) from error
        if text.undecodable:
            self.noted["undecodable characters, read as �"] += text.undecodable
        if text.blank_lines:
            self.noted[BLANKS] += text.blank_lines

    def _twin(self) -> CsvSource:
        twin = copy(self)
        twin.noted, twin._text = Counter(), copy(self._text)
        return twin

    def _with_broken_lines(self, batch: pa.RecordBatch, first: int) -> pa.RecordBatch:
        numbers = self._text.broken_lines(first, batch.num_rows)
        if numbers is None:
            return batch
        return batch.append_column(BROKEN_LINE, pa.array(numbers, mask=numbers == 0))

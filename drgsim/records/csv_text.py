"""The text of a CSV file as hospitals export it, made safe to parse: one encoding, one header, no line that swallows others.

A quote that opens a cell and is never closed would swallow every line up to the next quote; lines with too many or too few
cells would stop a parser. Both are found here, byte by byte, before anything is parsed: such a line is replaced, at its own
place, by one that holds nothing but its id, and its number is kept. Everything is one pass over blocks.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim import limits
from drgsim.compiled_code import njit
from drgsim.errors import InputError
from drgsim.records.broken_lines import BrokenLines
from drgsim.records.file_kind import GZIP_MARK
from drgsim.records.header import HEADER_LINES, HeaderTest, distinct_names
from drgsim.records.text_encoding import sniff_encoding

BLOCK = 1 << 23
SNIFFED = 1 << 20
_LONGEST_CELL = 1 << 20
LONGEST_LINE = 1 << 28
csv.field_size_limit(max(csv.field_size_limit(), SNIFFED))  # the first rows hold no longer text than what is sniffed
_NO_TABLES = {
    b"%PDF": "a PDF document, no table", b"\x89PNG": "a picture, no table", b"\xff\xd8\xff": "a picture, no table",
    b"Rar!": "a RAR archive: unpack it and name the file", b"7z\xbc\xaf": "a 7z archive: unpack it and name the file",
}  # fmt: skip
_LONE_RETURN = re.compile(rb"\r(?!\n)")
_BLANK_NAME = "__blank_{}"
_PLAIN, _QUOTE, _FEED, _SIGN, _SPACE = range(5)  # kinds of bytes
_START, _STOP, _RECORD, _FEEDS, _CELLS = range(5)  # columns of the spans that are replaced


class CleanBlock(NamedTuple):
    """Whole records of a CSV file, safe to parse.

    Attributes
    ----------
    text
        The records as UTF-8.
    records
        How many they are.
    broken
        Shape ``(records,)``: number of the line of each record that does not fit the header, 0 for the others; None if all do.
    """

    text: bytes
    records: int
    broken: NDArray[np.int64] | None = None


class CsvText:
    """The records of a CSV file as clean UTF-8.

    Attributes
    ----------
    names
        Column names; blank ones at the end of the header have made-up names.
    delimiter
        ``,``, tab or ``;``.
    undecodable
        Characters that could not be decoded so far; each reads as U+FFFD.
    blank_lines
        Lines without anything in them that were left out so far.
    broken
        Lines that did not fit the header so far.
    done
        Share of the file that was read.
    """

    def __init__(self, content: Path, test: HeaderTest, path: Path | None = None) -> None:
        self.path = path = path or content  # what messages call it
        self._content = content
        self._size = max(content.stat().st_size, 1)
        with content.open("rb") as packed:
            self._compression = "gzip" if packed.read(2) == GZIP_MARK else None
        head = self._head()
        no_text = b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")) and head.count(b"\0") > len(head) // 20
        what = next((what for mark, what in _NO_TABLES.items() if head.startswith(mark)), "no text" if no_text else "")
        if what:
            raise InputError.single("input-broken-file", f"{path.name} is {what}", where=str(path), fix="export it as CSV")
        self.encoding = sniff_encoding(head)
        self._certain = not head.isascii()
        self.undecodable = self.blank_lines = 0
        self.done = 0.0
        text = head.decode(self.encoding, errors="replace").removeprefix("\ufeff").replace("\0", "")
        self._carriage_returns = "\n" not in text and "\r" in text
        text = text.replace("\r\n", "\n").replace("\r", "\n" if self._carriage_returns else " ")
        self.delimiter, self.names, self._header_end = self._find_header(text, test)
        self.broken = BrokenLines(self.names, self.delimiter)

    def _head(self) -> bytes:
        try:
            with self._open() as file:
                return file.read(SNIFFED)
        except OSError as error:
            raise InputError.single(
                "input-broken-file",
                f"{self.path.name} is cut off or damaged 文件不完整或已损坏: {error}",
                where=str(self.path),
                fix="copy or download it again, or export it again",
            ) from error

    # -- header ------------------------------------------------------------------------------------------------------
    def _find_header(self, text: str, test: HeaderTest) -> tuple[str, list[str], int]:
        """Delimiter, names and number of physical lines up to the end of the header."""
        lines = text.split("\n")
        first: tuple[str, list[str], int] | None = None
        for start in range(min(HEADER_LINES, len(lines))):
            line = lines[start]
            if not line.strip() or line.strip().lower().startswith("sep="):
                continue
            delimiter = max(",\t;", key=line.count)
            reader = csv.reader(io.StringIO("\n".join(lines[start:])), delimiter=delimiter)
            try:
                names = next(reader)
            except csv.Error as error:
                raise InputError.single(
                    "input-broken-file",
                    f"the header of {self.path.name} cannot be read: {error}",
                    where=f"{self.path}, line {start + 1}",
                    fix="export it as CSV again",
                ) from error
            found = delimiter, names, start + reader.line_num
            first = first or found
            both = test.in_two_rows([name.strip() for name in names], [name.strip() for name in next(reader, [])])
            if both is not None:
                first = delimiter, both, start + reader.line_num
                break
            if test(names):
                first = found
                break
        if first is None:
            raise InputError.single(
                "input-no-header",
                f"{self.path.name} starts with blank lines only",
                where=f"{self.path}, line 1",
                fix="put the column names into the first line",
            )
        delimiter, names, end = first
        whole = (line for line in lines[end : end + HEADER_LINES] if line.count('"') % 2 == 0)  # no cell goes on below
        following = next(csv.reader(whole, delimiter=delimiter), [])
        while following and len(following) < len(names) and not names[-1].strip():
            names.pop()  # only the header ends with a delimiter
        while len(following) > len(names) and not any(following[len(names) :]):
            names.append("")  # every line ends with a delimiter
        for place, name in enumerate(names):
            if not name.strip():
                names[place] = _BLANK_NAME.format(place + 1)
        return delimiter, distinct_names(names, test, self.path, f"line {end}"), end

    @property
    def own_names(self) -> list[str]:
        """The names that the file itself gives."""
        return [name for name in self.names if not name.startswith("__blank_")]

    # -- text --------------------------------------------------------------------------------------------------------
    def _open(self) -> BinaryIO:
        try:
            file: BinaryIO = pa.input_stream(str(self._content), compression=self._compression)
        except (OSError, pa.ArrowException) as error:
            raise InputError.single(
                "input-broken-file", f"{self.path.name} cannot be read: {error}", where=str(self.path), fix="export it again"
            ) from error
        return file

    def _blocks(self) -> Iterator[bytes]:
        """The file as UTF-8, without a byte-order mark."""
        decoder = codecs.getincrementaldecoder(self.encoding)(errors="replace")
        raw = pa.OSFile(str(self._content))
        with raw, pa.CompressedInputStream(raw, "gzip") if self._compression else raw as file:
            first, unpacked = True, 0
            while True:
                block = file.read(BLOCK)
                if self._compression and block:
                    unpacked += len(block)
                    limits.check("unpacked_bytes", unpacked, self.path)
                self.done = min(raw.tell() / self._size, 1.0) if not raw.closed else 1.0
                if not block:
                    tail = decoder.decode(b"", final=True)
                    if tail:
                        yield tail.encode()
                    return
                if self.encoding == "utf-8" and not self._certain and not block.isascii():
                    # what was sniffed is plain ASCII, which both encodings share: the first foreign character decides
                    self.encoding = sniff_encoding(block)
                    self._certain = True
                    decoder = codecs.getincrementaldecoder(self.encoding)(errors="replace")
                if self.encoding != "utf-8" or not block.isascii():
                    text = decoder.decode(block)
                    self.undecodable += text.count("\ufffd")
                    block = text.encode()
                else:
                    block = decoder.decode(block).encode() if decoder.getstate()[0] else block
                if first:
                    block = block.removeprefix(b"\xef\xbb\xbf")
                    first = False
                yield block

    def _line_feeds(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """Blocks whose lines end in one way: a return within a line, which a parser would take for its end, is a blank."""
        held = b""
        for block in blocks:
            if self._carriage_returns:
                yield block.replace(b"\r", b"\n")
                continue
            block, held = held + block if held else block, b""
            if block.endswith(b"\r"):
                block, held = block[:-1], b"\r"
            if b"\r" in block and block.count(b"\r") != block.count(b"\r\n"):
                block = _LONE_RETURN.sub(b" ", block)
            yield block

    def clean(self) -> Iterator[CleanBlock]:
        """Blocks of whole records after the header, every line with the right number of cells.

        Raises
        ------
        InputError
            ``input-long-line``: no line ends within ``LONGEST_LINE`` bytes.
        """
        self.undecodable = self.blank_lines = 0  # a file may be read more than once
        self.broken = BrokenLines(self.names, self.delimiter)
        columns, sign = len(self.names), ord(self.delimiter)
        self._kinds = np.zeros(256, np.uint8)
        self._kinds[[0x22, 0x0A, sign, 0x20, 0x0D, 0x09]] = [_QUOTE, _FEED, _SIGN, _SPACE, _SPACE, _SPACE]
        self._kinds[sign] = _SIGN  # a tab may be the delimiter
        rest, line, skipped = b"", 1, 0
        blocks = self._line_feeds(self._blocks())
        more = True
        while more:
            block = next(blocks, None)
            more = block is not None
            data = rest + (block or b"")
            while skipped < self._header_end:
                at = data.find(b"\n")
                if at < 0:
                    break
                data, skipped, line = data[at + 1 :], skipped + 1, line + 1
            if skipped == self._header_end:
                view = np.frombuffer(data, np.uint8)
                spans, records, consumed, feeds = _scan(view, self._kinds, sign, columns, not more, _LONGEST_CELL)
                if records or len(spans):
                    yield self._mended(data, spans, records, consumed, line)
                line += feeds
                data = data[consumed:]
            rest = data
            if len(rest) > LONGEST_LINE:
                raise InputError.single(
                    "input-long-line", f"{self.path.name} has a line of more than {LONGEST_LINE >> 20} MiB",
                    where=f"{self.path}, line {line}", why="no record is that long", fix="export it again, one record a line",
                )  # fmt: skip

    def _mended(self, data: bytes, spans: NDArray[np.int64], records: int, consumed: int, line: int) -> CleanBlock:
        """The block with broken lines replaced; blank ones (record -1) are left out."""
        if not len(spans):
            return CleanBlock(data[:consumed], records)
        broken = spans[:, _RECORD] >= 0
        self.blank_lines += int(np.count_nonzero(~broken))
        parts, at = [], 0
        for start, stop, record, _, cells in spans.tolist():
            parts.append(data[at:start])
            if record >= 0:
                parts.append(self._id_only(data[start:stop], quoted=cells > 0))
            at = stop
        parts.append(data[at:consumed])
        lines = None
        if broken.any():
            lines = np.zeros(records, np.int64)
            lines[spans[broken, _RECORD]] = line + spans[broken, _FEEDS]
            self.broken.note(data, spans[broken][:, [_START, _STOP]], spans[broken, _CELLS])
        return CleanBlock(b"".join(parts), records, lines)

    id_place = 0  # which column holds the id; set by whoever knows the columns

    def _id_only(self, record: bytes, quoted: bool) -> bytes:
        """A record that holds nothing but the id of a broken one, whose quotes may be none."""
        text = record.decode(errors="replace").rstrip("\r\n")
        cells = text.split(self.delimiter)
        if quoted:
            with contextlib.suppress(csv.Error):  # of a cell that is too long
                cells = next(csv.reader(io.StringIO(text, ""), delimiter=self.delimiter), [])
        name = cells[self.id_place].strip().strip('"') if len(cells) > self.id_place else ""
        written = io.StringIO()
        row = [""] * len(self.names)
        row[self.id_place] = name
        csv.writer(written, delimiter=self.delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL).writerow(row)
        return written.getvalue().encode()


@njit(cache=True, nogil=True)
def _scan(data: Any, kinds: Any, sign: int, columns: int, final: bool, longest: int) -> Any:  # pragma: no cover - compiled
    """Find records: spans to replace, records, bytes consumed, line feeds.

    A span is where a line starts and stops, its record (-1 for a blank line), the line feeds before it and its cells (0 where a
    quote is left open).

    A record ends at the first line feed that is not in a quoted cell. One of several lines that does not fit the header is one
    broken record where its quotes are regular: they open cells, close them, or are doubled in them, :func:`_quoted_cell`
    believes them all, and there are no more cells than two records have. Elsewhere a quote may be a stray one, and the lines
    that it joins records of their own: the first line is a broken record, and the next one begins another.
    """
    size = data.size
    spans = np.empty((64, 5), np.int64)
    found = 0
    records = 0
    feeds = 0
    at = 0
    while at < size:
        start, feeds_before = at, feeds
        cells = 1
        blank = True
        at_cell_start = True
        whole = False  # whether the end of the record was seen
        stray = False
        regular = True
        while at < size:
            kind = kinds[data[at]]
            if kind == _PLAIN:
                blank = False
                at_cell_start = False
                at += 1
                continue
            if kind == _QUOTE and at_cell_start:
                stop, lines, closed, believed = _quoted_cell(data, at, sign, columns, longest)
                if believed and not closed and not final:
                    return spans[:found].copy(), records, start, feeds_before
                blank = False
                at_cell_start = False
                if believed and closed:
                    feeds += lines
                    at = stop + 1
                    regular = regular and _ends_cell(data, at, sign)
                else:
                    stray = True
                    regular = False
                    at += 1
                continue
            at += 1
            regular = regular and kind != _QUOTE
            whole = kind == _FEED
            feeds += whole
            at_cell_start = kind == _SIGN
            cells += at_cell_start
            blank = blank and kind != _QUOTE
            if whole or (feeds > feeds_before and cells > _most_cells(columns, regular)):
                break
        ended = (whole or final) and not regular
        if feeds - whole > feeds_before and cells != columns and (ended or cells > _most_cells(columns, regular)):
            at, feeds, cells, whole, stray = _end_of_line(data, start), feeds_before + 1, 0, True, True
        if not whole and not final:
            return spans[:found].copy(), records, start, feeds_before
        if blank or stray or cells != columns:
            if found == spans.shape[0]:
                spans = np.concatenate((spans, np.empty_like(spans)))
            spans[found] = start, at, -1 if blank else records, feeds_before, 0 if stray else cells
            found += 1
        records += not blank
    return spans[:found].copy(), records, size, feeds


@njit(cache=True, nogil=True)
def _most_cells(columns: int, regular: bool) -> int:  # pragma: no cover - compiled
    """Cells from which on a record of several lines is none: those of two records where a line feed between them is missing."""
    return 2 * columns if regular else columns


@njit(cache=True, nogil=True)
def _ends_cell(data: Any, at: int, sign: int) -> Any:  # pragma: no cover - compiled
    return at >= data.size or data[at] == sign or data[at] == 0x0A or data[at] == 0x0D


@njit(cache=True, nogil=True)
def _end_of_line(data: Any, at: int) -> int:  # pragma: no cover - compiled
    while at < len(data) and data[at] != 0x0A:
        at += 1
    return min(at + 1, len(data))


@njit(cache=True, nogil=True)
def _quoted_cell(data: Any, at: int, sign: int, columns: int, longest: int) -> Any:  # pragma: no cover - compiled
    """Where the cell that opens with the quote at ``at`` ends, its line breaks, whether it is closed and to be believed.

    It is not believed when a line inside it has as many cells as a record, when it is longer than ``longest``, or when
    something else than the next cell follows on it.
    """
    signs = lines = 0
    inside = at + 1
    while inside < data.size:
        byte = data[inside]
        if byte == 0x22 and not (inside + 1 < data.size and data[inside + 1] == 0x22):
            like_a_record = signs >= columns - 1 and columns > 2
            return inside, lines, True, lines == 0 or (_ends_cell(data, inside + 1, sign) and not like_a_record)
        if byte == 0x22:
            inside += 2
            continue
        if byte == sign:
            signs += 1
        elif byte == 0x0A:
            if lines > 0 and signs >= columns - 1 and columns > 2:
                return inside, lines, False, False
            lines += 1
            signs = 0
        inside += 1
        if inside - at > longest:
            return inside, lines, False, False
    return inside, lines, False, True

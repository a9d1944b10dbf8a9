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
from typing import BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim import limits
from drgsim.errors import UNREAD, InputError, words_of
from drgsim.language import text
from drgsim.records.broken_lines import BrokenLines
from drgsim.records.csv_scan import CELLS, FEED, FEEDS, QUOTE, RECORD, SIGN, SPACE, START, STOP, scan
from drgsim.records.file_kind import GZIP_MARK
from drgsim.records.header import HEADER_LINES, HeaderTest, distinct_names
from drgsim.records.text_encoding import sniff_encoding

BLOCK = 1 << 23
SNIFFED = 1 << 20
_LONGEST_CELL = 1 << 20
LONGEST_LINE = 1 << 28
csv.field_size_limit(max(csv.field_size_limit(), SNIFFED))  # the first rows hold no longer text than what is sniffed
_NO_TABLES = {
    b"%PDF": text("a PDF document, no table"),
    **dict.fromkeys((b"\x89PNG", b"\xff\xd8\xff"), text("a picture, no table")),
    b"Rar!": text("a RAR archive: unpack it and name the file"),
    b"7z\xbc\xaf": text("a 7z archive: unpack it and name the file"),
}
_LONE_RETURN = re.compile(rb"\r(?!\n)")
_BLANK_NAME = "__blank_{}"


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
            raise _broken(path, text("{file} is {what}", file=path.name, what=what), text("export it as CSV"))
        self.encoding = sniff_encoding(head)
        self._certain = not head.isascii()
        self.undecodable = self.blank_lines = 0
        self.done = 0.0
        decoded = head.decode(self.encoding, errors="replace").removeprefix("\ufeff").replace("\0", "")
        self._carriage_returns = "\n" not in decoded and "\r" in decoded
        decoded = decoded.replace("\r\n", "\n").replace("\r", "\n" if self._carriage_returns else " ")
        self.delimiter, self.names, self._header_end = self._find_header(decoded, test)
        self.broken = BrokenLines(self.names, self.delimiter)

    def _head(self) -> bytes:
        try:
            with self._open() as file:
                return file.read(SNIFFED)
        except OSError as error:
            what = text(
                "{file} is cut off or damaged 文件不完整或已损坏: {error}", file=self.path.name, error=words_of(error, UNREAD)
            )
            raise _broken(self.path, what, text("copy or download it again, or export it again")) from error

    # -- header ------------------------------------------------------------------------------------------------------
    def _find_header(self, decoded: str, test: HeaderTest) -> tuple[str, list[str], int]:
        """Delimiter, names and number of physical lines up to the end of the header."""
        lines = decoded.split("\n")
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
                what = text("the header of {file} cannot be read: {error}", file=self.path.name, error=words_of(error, UNREAD))
                raise _broken(self.path, what, text("export it as CSV again"), start + 1) from error
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
                text("{file} starts with blank lines only", file=self.path.name),
                where=text("{path}, line 1", path=self.path),
                fix=text("put the column names into the first line"),
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
        return delimiter, distinct_names(names, test, self.path, text("line {line}", line=end)), end

    @property
    def own_names(self) -> list[str]:
        """The names that the file itself gives."""
        return [name for name in self.names if not name.startswith("__blank_")]

    # -- text --------------------------------------------------------------------------------------------------------
    def _open(self) -> BinaryIO:
        try:
            file: BinaryIO = pa.input_stream(str(self._content), compression=self._compression)
        except (OSError, pa.ArrowException) as error:
            what = text("{file} cannot be read: {error}", file=self.path.name, error=words_of(error, UNREAD))
            raise _broken(self.path, what, text("export it again")) from error
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
        self._kinds[[0x22, 0x0A, sign, 0x20, 0x0D, 0x09]] = [QUOTE, FEED, SIGN, SPACE, SPACE, SPACE]
        self._kinds[sign] = SIGN  # a tab may be the delimiter
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
                spans, records, consumed, feeds = scan(view, self._kinds, sign, columns, not more, _LONGEST_CELL)
                if records or len(spans):
                    yield self._mended(data, spans, records, consumed, line)
                line += feeds
                data = data[consumed:]
            rest = data
            if len(rest) > LONGEST_LINE:
                raise InputError.single(
                    "input-long-line",
                    text("{file} has a line of more than {most} MiB", file=self.path.name, most=LONGEST_LINE >> 20),
                    where=text("{path}, line {line}", path=self.path, line=line),
                    why=text("no record is that long"),
                    fix=text("export it again, one record a line"),
                )

    def _mended(self, data: bytes, spans: NDArray[np.int64], records: int, consumed: int, line: int) -> CleanBlock:
        """The block with broken lines replaced; blank ones (record -1) are left out."""
        if not len(spans):
            return CleanBlock(data[:consumed], records)
        broken = spans[:, RECORD] >= 0
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
            lines[spans[broken, RECORD]] = line + spans[broken, FEEDS]
            self.broken.note(data, spans[broken][:, [START, STOP]], spans[broken, CELLS])
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


def _broken(path: Path, what: str, fix: str, line: int = 0) -> InputError:
    where = text("{path}, line {line}", path=path, line=line) if line else str(path)
    return InputError.single("input-broken-file", what, where=where, fix=fix)

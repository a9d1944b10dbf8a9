"""What a file is, told by its content: names of exports are often wrong (an HTML page named .xls, a CSV named .xlsx)."""

from __future__ import annotations

import gzip
import lzma
import struct
import zipfile
import zlib
from enum import StrEnum
from pathlib import Path

from drgsim.records.text_encoding import sniff_encoding


class FileKind(StrEnum):
    """How a file is read."""

    TEXT = "text"  # CSV, TSV, lines of cells
    JSON = "json"
    PARQUET = "parquet"
    WORKBOOK = "workbook"  # XLSX, XLSB, ODS
    OLD_WORKBOOK = "old workbook"  # XLS, ET: compound files
    PAGE = "page"  # HTML with tables
    XML_WORKBOOK = "xml workbook"  # the XML of Excel 2003
    ZIP = "zip"  # an archive of files
    DAMAGED_ZIP = "damaged zip"


# what reading a damaged or hostile archive may raise: names in no encoding, parts packed in a way that is not known, or locked
ARCHIVE_FAULTS = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, struct.error, UnicodeDecodeError, OverflowError,
    NotImplementedError, RuntimeError,
)  # fmt: skip
GZIP_MARK = b"\x1f\x8b"
_EMPTY_ZIP = b"PK\x05\x06"
_ZIP_MARK, _COMPOUND_MARK, _PARQUET_MARK = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"PAR1"
_LOOKED_AT = 1 << 12


def head_of(path: Path) -> bytes:
    """The first bytes of a file, unpacked when it is a GZIP; as many as can be had when that is cut off."""
    with path.open("rb") as file:
        head = file.read(_LOOKED_AT)
    if not head.startswith(GZIP_MARK):
        return head
    try:
        with gzip.open(path) as packed:
            return packed.read(_LOOKED_AT)
    except (OSError, EOFError, zlib.error):
        return b""


def kind_of(path: Path) -> FileKind:
    """The kind of a file by its first bytes; of a GZIP, the kind of what is in it."""
    head = head_of(path)
    if head.startswith(_PARQUET_MARK):
        return FileKind.PARQUET
    if head.startswith(_COMPOUND_MARK):
        return FileKind.OLD_WORKBOOK
    if head.startswith((_ZIP_MARK, _EMPTY_ZIP)):
        return _kind_of_zip(path)
    text = head.decode(sniff_encoding(head), errors="replace").lstrip("\ufeff \r\n\t").lower()
    if text.startswith(("{", "[{", "[\n", "[ ")) or text == "[":
        return FileKind.JSON
    if text.startswith("<"):
        return FileKind.XML_WORKBOOK if "urn:schemas-microsoft-com:office:spreadsheet" in text[:_LOOKED_AT] and (
            "<workbook" in text
        ) else FileKind.PAGE  # fmt: skip
    return FileKind.TEXT


def _kind_of_zip(path: Path) -> FileKind:
    """A workbook is an archive of parts with known names."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (OSError, *ARCHIVE_FAULTS):
        return FileKind.DAMAGED_ZIP
    parts = {"xl/workbook.xml", "xl/workbook.bin", "content.xml"}
    return FileKind.WORKBOOK if names & parts else FileKind.ZIP

"""The encoding of a text file, told by its first bytes."""

from __future__ import annotations

import codecs


def sniff_encoding(head: bytes) -> str:
    """Encoding of a file by its first bytes: a byte-order mark, else UTF-8 if it reads so, else GB18030.

    Examples
    --------
    >>> sniff_encoding("性别".encode()), sniff_encoding("性别".encode("gb18030")), sniff_encoding("性别".encode("utf-16"))
    ('utf-8', 'gb18030', 'utf-16')
    """
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(head)  # a character cut at the end of the head is no error
    except UnicodeDecodeError as error:
        # one bad byte among good characters is a damaged UTF-8 file, bad bytes from the first foreign character on are GB18030
        good = sum(byte >= 0xC0 for byte in head[: error.start])
        return "utf-8" if good >= 8 else "gb18030"
    return "utf-8"

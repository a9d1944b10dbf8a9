"""Writes ``drgsim/page/pinyin_initials.json``: by which letter the reading of each sign in the national dictionaries begins.

A sign with several readings stands under the letter of its first one, as pypinyin orders them; code search takes initials only
as a help in finding names. Needs pypinyin (``pip install pypinyin``), which drgsim itself does not.
"""

from __future__ import annotations

import json
from pathlib import Path

from pypinyin import Style, pinyin

from drgsim.records.code_dictionaries import national_codes

TARGET = Path(__file__).parent.parent / "drgsim" / "page" / "pinyin_initials.json"


def main() -> None:
    """Write the table."""
    book = national_codes()
    signs = sorted(
        {sign for side in (book.diagnoses, book.procedures) for name in side.names for sign in name if sign > "\x7f"}
    )
    table: dict[str, str] = {}
    for sign in signs:
        letter = pinyin(sign, style=Style.FIRST_LETTER, errors="ignore")
        if letter and letter[0][0].isalpha() and letter[0][0].isascii():
            table[letter[0][0]] = table.get(letter[0][0], "") + sign
    TARGET.write_text(json.dumps(dict(sorted(table.items())), ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

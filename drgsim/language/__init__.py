"""The languages that drgsim speaks: texts that keep what they are made of, and the catalogue that holds them in Chinese.

A sentence or label for a reader is a :class:`Text`. It is a ``str`` in English, so that programs may compare, search and
store it, and keeps its template and values, so that whoever shows it gives it in the language of the reader::

    what = text("column {column} holds {count:,} cells that are no numbers", column="age", count=3)
    spoken(what)        # in the current language
    spoken(what, "zh")  # in Chinese

Only what prints, draws a page or writes a workbook calls ``spoken``. Which language is the current one is decided in
:mod:`drgsim.language.chosen`; translations lie in ``drgsim/locale`` and are kept by ``python -m tools.messages``.
"""

from drgsim.language.chosen import LANGUAGES, choose_language, current_language, language_of, speaking
from drgsim.language.texts import (
    Text,
    bilingual,
    counted,
    from_both_languages,
    in_both_languages,
    in_original,
    joined,
    quoted,
    spoken,
    term,
    text,
    text_of_data,
)

__all__ = [
    "LANGUAGES", "Text", "bilingual", "choose_language", "counted", "current_language", "from_both_languages",
    "in_both_languages", "in_original", "joined", "language_of", "quoted", "speaking", "spoken", "term", "text",
    "text_of_data",
]  # fmt: skip

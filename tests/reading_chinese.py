"""What a Chinese reader meets in English: sentences, as against names, codes, commands and what is quoted."""

from __future__ import annotations

import re
from collections.abc import Iterable

# words that sentences are built with and names are not
_JOINTS = frozenset({
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "can", "cannot", "could", "did", "do", "does", "for", "from",
    "had", "has", "have", "how", "if", "in", "into", "is", "it", "its", "may", "more", "must", "no", "none", "nor", "not",
    "of", "on", "one", "only", "or", "out", "so", "such", "than", "that", "the", "their", "them", "then", "there",
    "these", "they", "this", "those", "to", "too", "twice", "was", "were", "what", "when", "where", "which", "who",
    "whose", "why", "will", "with", "without", "would", "you", "your",
})  # fmt: skip
_RUN = re.compile(r"[A-Za-z][A-Za-z'’-]*(?:[ ,;:]{1,2}[A-Za-z][A-Za-z'’-]*){3,}")
_WORD = re.compile(r"[A-Za-z][A-Za-z'’-]*")
_QUOTED = re.compile(r"`[^`]*`|https?://\S+")


def english_in(shown: str, quoted: Iterable[str] = ()) -> list[str]:
    """Runs of four and more English words among which one is a word that only sentences have.

    Parameters
    ----------
    shown
        What was shown to a reader of Chinese.
    quoted
        What may stand there in English: evidence, titles of sources, the words of another program.

    Examples
    --------
    >>> english_in("错误：the file has no column age（年龄）"), english_in("写 drgsim codes show CODE 查看")
    (['the file has no column age'], [])
    """
    rest = _QUOTED.sub("…", shown)
    for words in sorted(quoted, key=len, reverse=True):
        rest = rest.replace(words, "…")
    lines = re.sub(r"[ \t]*\n[ \t│┃|]*", " ", rest)  # a terminal breaks sentences where a line ends
    return [run for run in _RUN.findall(lines) if any(map(_is_said, re.split("[,;:]", run)))]


def _is_said(words: str) -> bool:
    """Whether words between commas are part of a sentence: lists of names have one word there."""
    found = _WORD.findall(words)
    return len(found) > 2 and bool(_JOINTS & {word.lower() for word in found})

"""How wide a text is drawn, without a font at hand: enough to keep labels apart and to cut them where they do not fit."""

from __future__ import annotations

from unicodedata import east_asian_width

SIZE = 12  # pixels of the letters of charts


def text_width(text: str, size: float = SIZE) -> float:
    """Pixels that a text takes at most: a Chinese character is as wide as the font is high, others 0.62 of it.

    Examples
    --------
    >>> text_width("肺炎"), round(text_width("ES15"), 2)
    (24.0, 29.76)
    """
    return sum(size * (1.0 if east_asian_width(letter) in "WFA" else 0.62) for letter in text)


def fitted(text: str, width: float, size: float = SIZE) -> str:
    """The text, cut with an ellipsis where it is wider.

    Examples
    --------
    >>> fitted("呼吸系统感染", 50)
    '呼吸系…'
    """
    if text_width(text, size) <= width:
        return text
    while text and text_width(text, size) + size > width:
        text = text[:-1]
    return f"{text.rstrip()}…"

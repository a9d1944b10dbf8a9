"""Which language is spoken: what a call chose, else ``DRGSIM_LANG``, else the language of the system."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache

LANGUAGES = {"zh": "中文", "en": "English"}
LANGUAGE_VARIABLE = "DRGSIM_LANG"
_LOCALE_VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")  # in the order of the GNU programs
_WINDOWS_CHINESE = 0x04  # primary language of a Windows language id

_here: ContextVar[str | None] = ContextVar("language", default=None)


def language_of(word: str) -> str | None:
    """The language that a word such as ``zh``, ``zh_CN.UTF-8`` or ``EN`` names; None when it is none of ours.

    Examples
    --------
    >>> language_of("zh_CN.UTF-8"), language_of("en-GB"), language_of("fr")
    ('zh', 'en', None)
    """
    name = word.strip().lower().replace("-", "_").partition("_")[0].partition(".")[0]
    return name if name in LANGUAGES else None


@lru_cache(maxsize=1)
def _language_of_system() -> str:
    if sys.platform == "win32":
        import ctypes

        return "zh" if ctypes.windll.kernel32.GetUserDefaultUILanguage() & 0x3FF == _WINDOWS_CHINESE else "en"
    for variable in _LOCALE_VARIABLES:
        for word in os.environ.get(variable, "").split(":"):
            if word:
                return language_of(word) or "en"
    return "en"


@lru_cache(maxsize=4)
def _language_of_variable(word: str) -> str:
    language = language_of(word)
    if language is None:
        known = ", ".join(LANGUAGES)
        warnings.warn(f"{LANGUAGE_VARIABLE} is {word!r}; it may be {known}; English is spoken", stacklevel=4)
    return language or "en"


def current_language() -> str:
    """``zh`` or ``en``: what :func:`speaking` or :func:`choose_language` set, else ``DRGSIM_LANG``, else the system's."""
    chosen = _here.get()
    if chosen is not None:
        return chosen
    word = os.environ.get(LANGUAGE_VARIABLE, "")
    return _language_of_variable(word) if word else _language_of_system()


def choose_language(language: str | None) -> None:
    """Speak a language from here on (in this context); None goes back to the environment's.

    Raises
    ------
    ValueError
        When the language is not one of :data:`LANGUAGES`.
    """
    if language is not None and language not in LANGUAGES:
        raise ValueError(f"drgsim speaks {', '.join(LANGUAGES)}, not {language!r}")
    _here.set(language)


@contextmanager
def speaking(language: str | None) -> Iterator[None]:
    """Speak a language within a ``with`` block.

    Examples
    --------
    >>> with speaking("zh"):
    ...     current_language()
    'zh'
    """
    before = _here.get()
    choose_language(language)
    try:
        yield
    finally:
        _here.set(before)

"""Texts that are English strings and can be given in another language, because they keep their template and their values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

from drgsim.language.chosen import current_language


class Text(str):
    """A sentence or label: a ``str`` in English that knows its template, its values and its context.

    Made by :func:`text`, :func:`term`, :func:`counted` and :func:`joined`. Operations of ``str`` (``+``, slices,
    ``strip``) give plain English strings: put texts together by templates whose values are texts.

    Attributes
    ----------
    template
        The entry of the catalogue, with names in braces for the values (``str.format``).
    values
        What stands for the names; texts among them are given in the language of the whole.
    context
        Tells homonyms apart; None for most.
    """

    template: str
    values: Mapping[str, Any]
    context: str | None
    _plural: str | None

    def __new__(
        cls, template: str, values: Mapping[str, Any] | None = None, context: str | None = None, plural: str | None = None
    ) -> Self:
        """Make the English string; :func:`text` and its like are easier to call."""
        shape = plural if plural is not None and values is not None and values["count"] != 1 else template
        made = super().__new__(cls, shape.format(**values) if values else shape)
        made.template, made.values, made.context, made._plural = template, values or {}, context, plural
        return made

    def __getnewargs__(self) -> tuple[Any, ...]:
        return self.template, self.values, self.context, self._plural

    def spoken(self, language: str | None = None) -> str:
        """The text in a language, by default the current one; a plain ``str``."""
        language = language or current_language()
        if language == "en":
            return str.__str__(self)
        from drgsim.language.catalogue import translated

        shape = translated(language, self.template, self.context)
        return shape.format(**{name: spoken(value, language) for name, value in self.values.items()}) if self.values else shape


class _Joined(Text):
    """Texts one after the other."""

    _parts: tuple[Any, ...]

    def __new__(cls, separator: str, parts: Iterable[object]) -> Self:
        parts = tuple(parts)
        made = str.__new__(cls, str(separator).join(str(part) for part in parts))
        made.template, made.values, made.context, made._plural = separator, {}, None, None
        made._parts = parts
        return made

    def __getnewargs__(self) -> tuple[Any, ...]:
        return self.template, self._parts

    def spoken(self, language: str | None = None) -> str:
        language = language or current_language()
        return str(spoken(self.template, language)).join(str(spoken(part, language)) for part in self._parts)


def text(template: str, /, **values: Any) -> Text:
    """A text for a reader; the first argument is a literal, so that the catalogue can be kept by reading the code.

    Examples
    --------
    >>> text("{count:,} cases of {group}", count=1200, group="FR21")
    '1,200 cases of FR21'
    """
    return Text(template, values)


def term(context: str, word: str, /, **values: Any) -> Text:
    """A text whose translation depends on what it is about; both arguments are literals.

    Examples
    --------
    >>> term("of a group", "weight")
    'weight'
    """
    return Text(word, values, context)


def counted(count: int, one: str, many: str, /, **values: Any) -> Text:
    """A text that has a singular and a plural in English; ``{count}`` stands for the number.

    Examples
    --------
    >>> counted(1, "{count} case", "{count:,} cases"), counted(1200, "{count} case", "{count:,} cases")
    ('1 case', '1,200 cases')
    """
    return Text(one, {"count": count, **values}, None, many)


class _Bilingual(Text):
    """A text whose Chinese stands beside its English in a data file."""

    _chinese: str

    def __new__(cls, english: str, chinese: str) -> Self:
        made = str.__new__(cls, english)
        made.template, made.values, made.context, made._plural = english, {}, None, None
        made._chinese = chinese
        return made

    def __getnewargs__(self) -> tuple[Any, ...]:
        return self.template, self._chinese

    def spoken(self, language: str | None = None) -> str:
        return self._chinese if (language or current_language()) == "zh" and self._chinese else str.__str__(self)


def bilingual(english: str, chinese: str) -> Text:
    """A text of data that state both languages, such as ``title`` and ``title_zh``; neither is in the catalogue.

    Examples
    --------
    >>> name = bilingual("heart failure", "心力衰竭")
    >>> spoken(name, "en"), spoken(name, "zh")
    ('heart failure', '心力衰竭')
    """
    return _Bilingual(english or chinese, chinese)


def in_original(words: str) -> Text:
    """A sentence of a source or of a file of values, which stays in its language: a Chinese page marks it so.

    Examples
    --------
    >>> spoken(in_original("no level is public"), "en"), spoken(in_original("no level is public"), "zh")
    ('no level is public', '原文：no level is public')
    """
    return bilingual(words, words if any("\u4e00" <= sign <= "\u9fff" for sign in words[:6]) else f"原文：{words}")


def in_both_languages(name: str, sentences: Iterable[str]) -> dict[str, list[str]]:
    """Sentences as a file keeps them, ``name`` in English and ``name_zh`` in Chinese, for :func:`from_both_languages`.

    Examples
    --------
    >>> in_both_languages("notes", [bilingual("one case", "一例")])
    {'notes': ['one case'], 'notes_zh': ['一例']}
    """
    said = list(sentences)
    return {name: [str.__str__(each) for each in said], f"{name}_zh": [spoken(each, "zh") for each in said]}


def from_both_languages(name: str, kept: Mapping[str, Any]) -> tuple[str, ...]:
    """The sentences that a file keeps under ``name``, with the Chinese of ``name_zh`` where it has one for each.

    Examples
    --------
    >>> spoken(from_both_languages("notes", {"notes": ["one case"], "notes_zh": ["一例"]}), "zh")
    ('一例',)
    """
    english, chinese = kept.get(name, ()), kept.get(f"{name}_zh", ())
    if len(english) != len(chinese):  # written by hand, in one language
        return tuple(english)
    return tuple(bilingual(*pair) for pair in zip(english, chinese, strict=True))


class _Quoted(Text):
    """Words of another program, and what they mean."""

    _meaning: Text

    def __new__(cls, words: str, meaning: Text) -> Self:
        made = str.__new__(cls, words)
        made.template, made.values, made.context, made._plural = words, {}, None, None
        made._meaning = meaning
        return made

    def __getnewargs__(self) -> tuple[Any, ...]:
        return str(self), self._meaning

    def spoken(self, language: str | None = None) -> str:
        language = language or current_language()
        return str.__str__(self) if language == "en" else self._meaning.spoken(language)


def quoted(words: str, meaning: Text) -> Text:
    """Words that another program says in English, such as a reader of YAML; in other languages their meaning is given.

    Examples
    --------
    >>> quoted("expected ',' or ']', but got '}'", text("something is wrong near line {line}", line=3))
    "expected ',' or ']', but got '}'"
    """
    return _Quoted(words, meaning)


def text_of_data(sentence: str) -> Text:
    """A text that stands in a data file, whose keys ``tools/messages.py`` names and the catalogue therefore holds."""
    return Text(sentence)


def joined(separator: str, parts: Iterable[object]) -> Text:
    """Texts, or other things, one after the other.

    Examples
    --------
    >>> joined(", ", [text("high"), text("low")])
    'high, low'
    """
    return _Joined(separator, parts)


def spoken(value: Any, language: str | None = None) -> Any:
    """A text in a language, by default the current one; lists and tuples in every part; anything else as it is.

    Examples
    --------
    >>> spoken("FR21", "zh"), spoken(3, "zh")
    ('FR21', 3)
    """
    if isinstance(value, Text):
        return value.spoken(language)
    if type(value) in (list, tuple):
        return type(value)(spoken(part, language) for part in value)
    return value

"""What the columns of a file may be, by their names and by what their cells look like: guesses for a person to confirm."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from drgsim.errors import InputError, Problem
from drgsim.language import joined, term, text
from drgsim.records.code_dictionaries import BLANK_FOLDED, CodeList, fold, national_codes, split_codes
from drgsim.records.layout import CODE_LISTS
from drgsim.records.schema import columns, header_key

SAMPLED = 400  # cells of a column that are looked at
_LIKELY = 0.45  # below this a guess is no help
_FIT, _MISFIT = 0.6, 0.2  # shares of cells that speak for and against
_KNOWN = "known"  # why a column of the file is read as it is: nobody guessed
_BY_NAME, _BY_CELLS, _BY_BOTH = term("of a guess", "name"), term("of a guess", "cells"), text("name and cells")
_CODES = {"diagnosis": "other_diagnoses", "procedure": "other_procedures"}
_PRINCIPAL = {"other_diagnoses": "principal_diagnosis", "other_procedures": "principal_procedure"}


@dataclass(frozen=True)
class ColumnGuess:
    """What a column of a file may be.

    Attributes
    ----------
    own
        Its name in the file.
    sample
        One of its cells.
    canonical
        The canonical column, empty where nothing fits.
    why
        ``known`` (it is read so without being told), ``name``, ``cells``, ``name and cells``; empty where nothing fits.
    """

    own: str
    sample: str
    canonical: str = ""
    why: str = ""


class UnknownColumns(InputError):
    """A file whose columns were not understood, with guesses of what they are."""

    def __init__(self, problems: Sequence[Problem], guesses: Sequence[ColumnGuess]) -> None:
        super().__init__(problems)
        self.guesses = list(guesses)


def guess_columns(cells: Mapping[str, Sequence[str]], known: Mapping[str, str]) -> list[ColumnGuess]:
    """A guess for every column of a file.

    Parameters
    ----------
    cells
        Name of each column -> its first cells as texts.
    known
        Column of the file -> the canonical column that it is read as.

    Examples
    --------
    >>> file = {"住院号": ["1", "2"], "岁数": ["67岁", "5月"], "主诊ICD": ["I21.001", "J18.000"], "次诊1": ["I10.x00x002", ""]}
    >>> [guess.canonical for guess in guess_columns(file, {"住院号": "discharge_id"})]
    ['discharge_id', 'age', 'principal_diagnosis', 'other_diagnoses']
    """
    filled = {name: [text for text in found[:SAMPLED] if fold(text) not in BLANK_FOLDED] for name, found in cells.items()}
    taken = {name for name in known.values() if name not in _PRINCIPAL}
    chosen: dict[str, tuple[str, str]] = {own: (name, _KNOWN) for own, name in known.items() if own in cells}
    ways = sorted(
        (way for own, texts in filled.items() if own not in known for way in _ways(own, texts)), key=lambda way: -way[0]
    )
    for score, own, name, why in ways:
        if score >= _LIKELY and own not in chosen and name not in taken:
            chosen[own] = (name, why)
            taken |= set() if name in _PRINCIPAL else {name}
    _series(filled, chosen)
    _principal(filled, chosen, taken | set(known.values()))
    return [ColumnGuess(own, (filled[own] or [""])[0], *chosen.get(own, ("", ""))) for own in cells]


@lru_cache(maxsize=1)
def _hints() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("column_hints.yaml").read_text(encoding="utf-8"))
    return found


def _ways(own: str, texts: Sequence[str]) -> list[tuple[float, str, str, str]]:
    """Score, own name, canonical name and reason of each thing that a column may be."""
    key = header_key(own).rstrip("0123456789")
    found: list[tuple[float, str, str, str]] = []
    for name, hint in _hints().items():
        words = [*map(header_key, hint["words"]), *(header_key(alias) for alias in columns()[name].aliases if "{" not in alias)]
        fitting = [
            len(word) / max(len(key), len(word))
            for word in words
            if word in key or (key in word and len(key) >= 0.6 * len(word))
        ]
        by_name = 0.0 if any(header_key(word) in key for word in hint.get("not", ())) else max(fitting, default=0.0)
        share = _CELLS[hint["cells"]](texts) if texts and hint["cells"] in _CELLS else None
        if share is not None and share < _MISFIT:
            continue
        fits = share is not None and share >= _FIT
        if by_name > 0:
            found.append((0.45 + 0.35 * by_name + 0.2 * fits, own, name, _BY_BOTH if fits else _BY_NAME))
        elif (fits and name == _CODES.get(hint["cells"])) or (fits and hint["cells"] == "sex"):
            found.append((0.5, own, name, _BY_CELLS))
    return found


def _series(filled: Mapping[str, Sequence[str]], chosen: dict[str, tuple[str, str]]) -> None:
    """A numbered column is what the others of its name are, even where it is blank: 次诊3 beside 次诊1."""
    stems = {header_key(own).rstrip("0123456789"): name for own, (name, _) in chosen.items() if own[-1:].isdecimal()}
    for own, texts in filled.items():
        name = stems.get(header_key(own).rstrip("0123456789"), "")
        if own not in chosen and not texts and own[-1:].isdecimal() and name in _PRINCIPAL:
            chosen[own] = (name, _BY_NAME)


def _principal(filled: Mapping[str, Sequence[str]], chosen: dict[str, tuple[str, str]], taken: set[str]) -> None:
    """Where no column of codes calls itself the principal one, the first is it."""
    for others, principal in _PRINCIPAL.items():
        whole = columns()[principal].part
        mine = [own for own in filled if chosen.get(own, ("", ""))[0] == others and chosen[own][1] != _KNOWN]
        if mine and principal not in taken and whole not in taken:
            name = whole if len(mine) == 1 else principal
            chosen[mine[0]] = (name, chosen[mine[0]][1])


# -- what cells look like: the share of them that do --------------------
def _matching(pattern: str) -> Callable[[Sequence[str]], float]:
    shape = re.compile(pattern)
    return lambda texts: sum(shape.fullmatch(fold(text)) is not None for text in texts) / len(texts)


def _codes_of(kind: str, shape: str) -> Callable[[Sequence[str]], float]:
    looks = re.compile(shape)

    def share(texts: Sequence[str]) -> float:
        book: CodeList = getattr(national_codes(), kind)
        firsts = [(split_codes(text) or [""])[0] for text in texts]
        return sum(code in book.keys or looks.match(code) is not None for code in firsts) / len(firsts)

    return share


def _distinct(texts: Sequence[str]) -> float:
    return len(set(texts)) / len(texts) if not any(re.search(r"[年/:]", text) for text in texts[:20]) else 0.0


_DATE = (
    r"(19|20)\d\d[-/.年]?\d{1,2}[-/.月]?\d{1,2}日?(T?\d{1,2}:.*)?|[2-5]\d{4}(\.\d+)?"  # five digits: days as Excel counts them
)
_MONEY = r"[-(]?[¥$]?-?[\d,]*\.?\d+(元|万|万元)?\)?"
_CELLS: dict[str, Callable[[Sequence[str]], float]] = {
    "id": _distinct,
    "sex": _matching("[12]|男|女|男性|女性|M|F|[12]-?[男女]"),
    "date": _matching(_DATE),
    "age": _matching(r"\d{1,3}(\.\d+)?|\d{1,3}(岁|Y|月|M|天|D|日|周|小时|时)(\d{1,2}(月|天|个月|日))?|新生儿"),
    "number": _matching(r"-?\d+(\.\d+)?(天|日|G|KG|克|小时)?"),
    "money": _matching(_MONEY),
    "insurance": _matching(".*(职工|居民|自费|医保|合作|离休|公费|其他|保险|新农合).*|310|390|0?\\d"),
    "diagnosis": _codes_of("diagnoses", r"[A-Z]\d{2}(\.|$|[0-9X])"),
    "procedure": _codes_of("procedures", r"\d{2}\.\d"),
}


def share_that_fits(name: str, texts: Sequence[str]) -> float | None:
    """The share of cells, blank ones left out, that look like those of a canonical column; None where nothing is known of it.

    Examples
    --------
    >>> share_that_fits("age", ["70", "", "West Road"]), share_that_fits("age", [""])
    (0.5, None)
    """
    parts = (column.name for column in columns().values() if column.part == name)
    hint = next((_hints()[each] for each in (name, *parts) if each in _hints()), None)
    filled = [text for text in texts[:SAMPLED] if fold(text) not in BLANK_FOLDED]
    return _CELLS[hint["cells"]](filled) if hint and filled and hint["cells"] in _CELLS else None


# -- the mapping as a file --------------------
def mapping_text(guesses: Sequence[ColumnGuess], file: str, missing: Sequence[str] = ()) -> str:
    """The guesses as a mapping file for ``--map-file``; columns that are known need no line, unknown ones are comments.

    Examples
    --------
    >>> print(mapping_text([ColumnGuess("岁数", "67岁", "age", "name and cells"), ColumnGuess("患者", "张三")], "a.xlsx"))
    # Columns of a.xlsx 列名对照: check each line, correct what is wrong, and use it with --map-file.
    # own column: canonical column (docs/input.md)
    岁数: age  # 年龄; name and cells, as in 67岁
    # 患者: ?  # as in 张三
    <BLANKLINE>
    """
    lines = [
        text("# Columns of {file} 列名对照: check each line, correct what is wrong, and use it with --map-file.", file=file),
        text("# own column: canonical column (docs/input.md)"),
    ]
    for guess in guesses:
        sample = "".join(letter for letter in " ".join(guess.sample.split()) if letter.isprintable())[:24]
        own = _yaml_key(guess.own)
        if guess.why == _KNOWN:
            continue
        if guess.canonical:
            lines.append(
                text(
                    "{own}: {canonical}  # {title_zh}; {why}, as in {sample}",
                    own=own,
                    canonical=guess.canonical,
                    title_zh=columns()[guess.canonical].title_zh,
                    why=guess.why,
                    sample=sample or "-",
                )
            )
        else:
            lines.append(text("# {own}: ?  # as in {sample}", own=own, sample=sample or "-"))
    lines += [
        text(
            "# no column looks like {name} {title_zh}, which is needed",
            name=name,
            title_zh=columns()[name].title_zh,
        )
        for name in missing
    ]
    return joined("\n", [*lines, ""])


def _yaml_key(name: str) -> str:
    """A name as a key of YAML: plain where it reads as itself, else between quotes."""
    if re.fullmatch(r"[^\W\d][\w（）()]*", name) and yaml.safe_load(name) == name:
        return name
    letters = (letter if letter.isprintable() and letter not in '"\\' else f"\\U{ord(letter):08x}" for letter in name)
    return f'"{"".join(letters)}"'


def still_missing(guesses: Sequence[ColumnGuess]) -> list[str]:
    """Needed canonical columns that no guess gives."""
    given = {guess.canonical for guess in guesses}
    parts = {columns()[name].part for name in given if name and columns()[name].part}
    return [
        column.name for column in columns().values() if column.required and column.name not in given | (parts & {*CODE_LISTS})
    ]

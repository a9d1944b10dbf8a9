"""Words of files for payers, levels and flags, and names of columns: ``vocabulary.yaml``.

Files, policies, scenario paths and options may all say tertiary, 三级, 三甲 or 3a; inside, a level is 0 (not rated), 1, 2, 3 or
a level and its grade such as 3a.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any
from unicodedata import normalize

import yaml

from drgsim.errors import did_you_mean
from drgsim.language import text
from drgsim.records.schema import header_key

PAYERS = ("employee", "resident")
PAYERS_ZH = {"employee": "职工", "resident": "居民"}
INSURANCES = (*PAYERS, "self")
UNRATED = "0"
LEVELS = (UNRATED, "1", "2", "3")
ALL_KEYS = "*"


@lru_cache(maxsize=1)
def words() -> dict[str, Any]:
    """The file as it stands: kind -> name -> words."""
    loaded: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("vocabulary.yaml").read_text(encoding="utf-8"))
    return loaded


@lru_cache(maxsize=4)
def meanings(kind: str) -> dict[str, str]:
    """Header key of a word -> the name that policies use, for ``insurance``, ``level`` or ``grade``."""
    return {header_key(str(word)): str(name) for name, known in words()[kind].items() for word in known}


# -- the column that names the group ---------------------------------------------------------------------------------------
GROUP_KINDS = ("unit", "drg", "dip")  # in the order in which they are looked for


def group_words() -> list[str]:
    """Every name of a column that may name the group of a case."""
    return [str(word) for kind in GROUP_KINDS for word in (kind, *words()["columns"][kind])]


def group_kinds(method: str = "") -> tuple[str, ...]:
    """Kinds of groups in the order in which a policy of this method takes them from a table that has several."""
    return ("unit", "dip", "drg") if method == "dip" else GROUP_KINDS


def group_column(names: Iterable[str], method: str = "") -> tuple[str, str] | None:
    """Kind and name of the column that names the group of a case; None where a table has none.

    Parameters
    ----------
    names
        Columns of the table.
    method
        Method of the policy that pays: ``dip`` takes a DIP kind before a DRG, every other method a DRG before a DIP kind.

    Examples
    --------
    >>> group_column(["drg", "病种编码"], "dip"), group_column(["drg", "病种编码"], "points"), group_column(["age"])
    (('dip', '病种编码'), ('drg', 'drg'), None)
    """
    known = list(names)
    for kind in group_kinds(method):
        if kind in known:
            return kind, kind
        keys = {header_key(str(word)) for word in (kind, *words()["columns"][kind])}
        found = next((name for name in known if header_key(name) in keys), None)
        if found is not None:
            return kind, found
    return None


# -- levels ----------------------------------------------------------------------------------------------------------------
@lru_cache(maxsize=1)
def _level_words() -> dict[str, tuple[str, ...]]:
    """Header key of every word of a level, alone or with a grade after it -> its keys, the nearest first."""
    found: dict[str, tuple[str, ...]] = {}
    for word, level in meanings("level").items():
        found[word] = (level,)
        if level != UNRATED:
            found |= {
                word + ending: (level + grade, level) if grade else (level,) for ending, grade in meanings("grade").items()
            }
    found |= {word + str(words()["hospital"]): keys for word, keys in found.items()}
    for level, classes in words()["city_class"].items():
        found |= {header_key(name): tuple(filter(None, (name, level))) for name in classes}
    return found


def _keys_of(word: str) -> tuple[str, ...]:
    """Keys of a word of the table, or of a Chinese one that begins with such a word (三级甲等综合医院); empty where unknown."""
    text = header_key(word)
    known = _level_words()
    if text in known:
        return known[text]
    starts = (text[:length] for length in range(len(text) - 1, 1, -1))
    return next((known[start] for start in starts if start in known and not start.isascii()), ())


def level_keys(level: str, grade: str = "") -> tuple[str, ...]:
    """Keys under which a policy may know a hospital, the nearest first. Words that are not in the table stay as they are.

    Examples
    --------
    >>> level_keys("三级", "甲等"), level_keys("3"), level_keys("3", "p3a"), level_keys("三甲"), level_keys("Secondary")
    (('3a', '3'), ('3',), ('p3a', '3'), ('3a', '3'), ('2',))
    >>> level_keys("未定级"), level_keys("", "二级乙等"), level_keys("IV")
    (('0',), ('2b', '2'), ('IV',))
    >>> level_keys("Ⅲ级"), level_keys("Ⅲ"), level_keys("三级医院"), level_keys("3", "III")
    (('3',), ('III', '3'), ('3',), ('III', '3'))
    """
    number = normalize("NFKC", header_key(level))  # Ⅲ is one character
    roman = words()["roman"].get(number)
    keys = (number, roman) if roman else _keys_of(level) or tuple(filter(None, [level.strip()]))
    if not grade.strip():
        return keys
    if not keys and _keys_of(grade):
        return _keys_of(grade)
    plain, known, own = keys[-1] if keys else "", meanings("grade").get(header_key(grade)), grade.strip()
    near = [plain + known] if known else []
    if known is None:  # a city's own classes (A, B, C, p3a), or the level with its grade again
        near += _keys_of(own) or [own]
    elif own.isupper():
        near.append(own)
    return tuple(dict.fromkeys(key for key in (*near, plain) if key))


def level_known(word: str) -> bool:
    """Whether a word names a level, or may be a city's own class of hospitals."""
    return bool(_keys_of(word)) or re.fullmatch(words()["own_class"], word.strip()) is not None


def level_words() -> list[str]:
    """Every word for a level without its grade, as the table writes it."""
    return [str(word) for spellings in words()["level"].values() for word in spellings]


def level_hint(word: str) -> str:
    """What to write instead of a word that names no level."""
    listed = text("write 1, 2, 3 (三级, tertiary), with a grade 3a (三甲), 0 (未定级), or a city's own class such as A or p3a")
    return did_you_mean(word.strip().lower(), level_words()) or listed


def policy_key(key: str) -> str:
    """A key ``level``, ``payer`` or ``level/payer`` in the words of the engine; any other stays as it is.

    Examples
    --------
    >>> [policy_key(key) for key in ("三级甲等/职工", "tertiary", "resident", "*", "p3a/employee", "diabetes", "三级综合医院")]
    ['3a/employee', '3', 'resident', '*', 'p3a/employee', 'diabetes', '3']
    """
    first, slash, payer = key.partition("/")
    text, payers = header_key(first), meanings("insurance")
    if text in _level_words() or text.endswith(words()["hospital"]):
        spelt = (_keys_of(first) or (first,))[0]
    else:
        number = normalize("NFKC", text)
        spelt = number if number in words()["roman"] else payers.get(text, first)
    return spelt + slash + payers.get(header_key(payer), payer)


def is_level_key(key: str) -> bool:
    """Whether a key in the words of the engine is a level, with or without a grade, or may be a city's own class."""
    return _keys_of(key)[:1] == (key,) or re.fullmatch(words()["own_class"], key) is not None


def is_policy_key(key: str) -> bool:
    """Whether a key is ``*``, a payer, a level, or a level and a payer."""
    first, slash, payer = policy_key(key).partition("/")
    if slash:
        return is_level_key(first) and payer in INSURANCES
    return first == ALL_KEYS or first in INSURANCES or is_level_key(first)


def wrong_keys(keys: Iterable[str]) -> str:
    """What is wrong with the keys of a parameter by level and payer; empty where they are sound."""
    seen: dict[str, str] = {}
    for key in keys:
        if not is_policy_key(key):
            near = did_you_mean(key, PAYERS)
            return text(
                "{key!r} is no level, payer or level/payer; {near}", key=key, near=near or level_hint(key.split("/")[0])
            )
        if policy_key(key) in seen:
            return text("{seen!r} and {key!r} mean the same", seen=seen[policy_key(key)], key=key)
        seen[policy_key(key)] = key
    classes = {key.partition("/")[0] for key in seen} & {*words()["roman"]}
    if classes and "I" not in classes:  # a city that has a class III has a class I
        key = min(classes)
        return text(
            "{key!r} is a city's own class here, which stands beside I; for the level write {roman} or {key}级",
            key=key,
            roman=words()["roman"][key],
        )
    return ""


def policy_column(column: str, families: tuple[str, ...]) -> str:
    """A column of a table by level and payer in the words of the engine: ``standard_三级_职工`` is ``standard_3_employee``."""
    family = next((start for start in families if column.startswith(start)), None)
    if family is None:
        return column
    return family + "_".join(policy_key(part) for part in column.removeprefix(family).split("_"))


def policy_path(path: str) -> str:
    """A path of a policy whose last word may be a key: ``coefficient.by.三级`` is ``coefficient.by.3``."""
    head, dot, last = path.rpartition(".")
    return head + dot + policy_key(last)


def in_policy_words(node: Any) -> Any:
    """A policy file as read, with the keys of ``values`` and the words of ``levels`` in the words of the engine."""
    if isinstance(node, list):
        return [in_policy_words(each) for each in node]
    if not isinstance(node, dict):
        return node
    result: dict[Any, Any] = {}
    for name, value in node.items():
        if name == "values" and isinstance(value, dict):
            keys = {key: policy_key(str(key)) for key in value}
            twice = len(set(keys.values())) < len(keys)  # left as written: the file's model says which two
            result[name] = {key if twice else keys[key]: in_policy_words(each) for key, each in value.items()}
        elif name in ("levels", "to_levels"):
            result[name] = _levels_in(value)
        else:
            result[name] = in_policy_words(value)
    return result


def _levels_in(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [policy_key(str(each)) for each in value]
    return {**value, "value": _levels_in(value["value"])} if isinstance(value, dict) and "value" in value else value

"""Layouts of case-mix files as data: which columns a form has and how they become canonical ones.

The forms are in ``layouts/*.yaml``; the layout ``columns`` (canonical names and their usual spellings in English and
Chinese) is ``columns.yaml``. :mod:`drgsim.records.recognise` chooses among them by the headers of a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from drgsim.errors import Problem, did_you_mean
from drgsim.language import bilingual, joined, text
from drgsim.records.recipes import AS_IS, Recipe
from drgsim.records.schema import columns, header_key, header_names

GENERAL = "columns"
GENERAL_TITLE = bilingual("usual column names, English or Chinese", "通用列名（英文或中文表头）")
CODE_LISTS = ("diagnoses", "procedures")
_RANGE = re.compile(r"(.*)\{(\d+)-(\d+)\}(.*)")


@dataclass(frozen=True)
class Layout:
    """A form of case-mix file.

    Attributes
    ----------
    name, also
        Its name and other names for ``--format``.
    title, title_zh
        What it is.
    columns
        Canonical name -> ways to have it, the best first; empty for the general layout.
    nodes
        How JSON nodes become flat fields; empty for layouts that are tables only.
    """

    name: str
    also: tuple[str, ...]
    title: str
    title_zh: str
    columns: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    nodes: Mapping[str, Any] = field(default_factory=dict)

    def names_of(self, canonical: str) -> list[str]:
        """The names under which this layout has a canonical column, as they are written in its description."""
        if self.name == GENERAL:
            return [canonical, *columns()[canonical].aliases]
        found: list[str] = []
        for way in self.columns.get(canonical, ()):
            if isinstance(way, str):
                found.append(way)
            else:
                found += _names(way.get("principal") or way.get("numbered") or way["of"])
        return found


@dataclass
class LayoutReading:
    """What a layout makes of the columns of a file.

    Attributes
    ----------
    recipes
        Canonical name -> how it is made.
    missing
        Required canonical columns that it cannot make.
    problems
        Columns that contradict each other.
    own
        Number of canonical columns that come from the layout and not from a mapping of the user's.
    """

    layout: Layout
    recipes: dict[str, Recipe] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    own: int = 0


@dataclass
class _Claims:
    """What a file has of a code list: whole lists, the principal code, the others."""

    whole: list[Recipe] = field(default_factory=list)
    principal: str = ""
    others: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def layouts() -> tuple[Layout, ...]:
    """All layouts, the special ones before the general."""
    entries = []
    for path in Path(__file__).with_name("layouts").glob("*.yaml"):
        entry = yaml.safe_load(path.read_text(encoding="utf-8"))
        ways = {name: tuple(way) if isinstance(way, list) else (way,) for name, way in entry["columns"].items()}
        title = bilingual(entry["title"], entry["zh"])
        layout = Layout(path.stem, tuple(entry["also"]), title, entry["zh"], ways, entry.get("nodes", {}))
        entries.append((entry["order"], layout))
    general = Layout(GENERAL, ("canonical", "chinese", "中文"), GENERAL_TITLE, GENERAL_TITLE.spoken("zh"))
    return (*(layout for _, layout in sorted(entries, key=lambda entry: entry[0])), general)


@lru_cache(maxsize=1)
def known_headers() -> frozenset[str]:
    """Keys of all headers that some layout has under one name (numbered columns left out)."""
    found = set(header_names())
    for layout in layouts():
        for name in layout.columns:
            found |= {header_key(own) for own in layout.names_of(name) if "{" not in own}
    return frozenset(found)


def layout_named(name: str) -> Layout | None:
    """The layout with this name or one of its other names."""
    key = header_key(name)
    return next((layout for layout in layouts() if key in map(header_key, (layout.name, *layout.also))), None)


def check_format(name: str | None) -> Problem | None:
    """What is wrong with a ``--format``, if anything."""
    if name is None or layout_named(name):
        return None
    known = [layout.name for layout in layouts()]
    near, listed = did_you_mean(name, known), text("the layouts are {known}", known=", ".join(known))
    fix = joined(" ", [near, listed]) if near else listed
    return Problem("layout-unknown", text("there is no input layout {name!r}", name=name), where="--format", fix=fix)


def canonical_name(own: str, name: str, where: str) -> tuple[str, Problem | None]:
    """The canonical column that a mapping names (by itself or an alias), or what is wrong with the mapping."""
    found = header_names().get(header_key(name))
    if found:
        return found, None
    fix = did_you_mean(name, list(columns())) or text("the columns are {columns}", columns=", ".join(columns()))
    if header_key(own) in header_names():
        fix = text('the file\'s column comes first: --map "{name}={own}"', name=name, own=own)
    return "", Problem("map-unknown-column", text("there is no canonical column {name!r}", name=name), where=where, fix=fix)


# -- what a layout makes of a header --------------------
def read_header(layout: Layout, names: Sequence[str], mapped: Mapping[str, Sequence[Recipe]], where: str) -> LayoutReading:
    """What ``layout`` makes of a file's column names, with the user's mappings before its own.

    Parameters
    ----------
    mapped
        Canonical name (also the parts of code lists) -> what the user says it is made of.
    where
        The file, for messages.
    """
    reading = LayoutReading(layout)
    claims = {name: _Claims() for name in CODE_LISTS}
    if layout.name == GENERAL:
        _read_general(names, reading, claims, mapped, where)
    else:
        _read_special(layout, names, reading, claims)
    for name in CODE_LISTS:
        reading.own += bool(claims[name].whole or claims[name].principal or claims[name].others)
        recipe = _list_recipe(name, claims[name], mapped, reading.problems, where)
        if recipe:
            reading.recipes[name] = recipe
    reading.own += sum(name not in CODE_LISTS for name in reading.recipes)
    for name, recipes in mapped.items():
        if name not in columns() or (name not in CODE_LISTS and not columns()[name].part):
            reading.recipes[name] = recipes[0]
    dated = {"birth_date", "admitted"} <= reading.recipes.keys()  # an age between two dates need not be stated
    reading.missing = [
        column.name
        for column in columns().values()
        if column.required and column.name not in reading.recipes and not (dated and column.name == "age")
    ]
    return reading


def _names(entry: Any) -> list[str]:
    return [entry] if isinstance(entry, str) else list(entry)


def numbered_names(pattern: str, names: Iterable[str]) -> dict[int, str]:
    """Number -> column, for the columns that a pattern such as ``C06x{1-40}C`` stands for.

    Examples
    --------
    >>> numbered_names("其他诊断编码{1-40}", ["其他诊断编码2", "其他诊断编码_01", "其他诊断编码41", "其他诊断编码（3）"])
    {1: '其他诊断编码_01', 2: '其他诊断编码2', 3: '其他诊断编码（3）'}
    """
    parts = _RANGE.fullmatch(pattern)
    if parts is None:
        return {}
    before, low, high, after = parts.groups()
    shape = re.compile(rf"{re.escape(header_key(before))}[(\[]?0*([0-9]+)[)\]]?{re.escape(header_key(after))}")
    found: dict[int, str] = {}
    for name in names:
        match = shape.fullmatch(header_key(name))
        if match and int(low) <= int(match[1]) <= int(high):
            found.setdefault(int(match[1]), name)
    return dict(sorted(found.items()))


def _present(entry: Any, names: Sequence[str]) -> list[str]:
    """The file's columns for a name, a pattern, or several of them, in this order."""
    keys = {header_key(name): name for name in reversed(names)}
    found: list[str] = []
    for one in _names(entry):
        found += (
            numbered_names(one, names).values() if "{" in one else [keys[header_key(one)]] if header_key(one) in keys else []
        )
    return found


def _read_special(layout: Layout, names: Sequence[str], reading: LayoutReading, claims: dict[str, _Claims]) -> None:
    for canonical, ways in layout.columns.items():
        for way in ways:
            if canonical in CODE_LISTS:
                if _claim(way, names, claims[canonical]):
                    break
            elif recipe := _simple_recipe(way, names):
                reading.recipes[canonical] = recipe
                break


def _claim(way: Any, names: Sequence[str], claims: _Claims) -> bool:
    """Note what a file has of a code list in this way; False when it has nothing."""
    if isinstance(way, str):
        claims.whole = [Recipe(AS_IS, (name,)) for name in _present(way, names)]
    elif "numbered" in way:
        found = numbered_names(way["numbered"], names)
        if found:
            beside = {kind: numbered_names(way[kind], names) for kind in ("flag", "type") if kind in way}
            flags, types = (
                tuple(beside[kind].get(number, "") for number in found) if kind in beside else () for kind in ("flag", "type")
            )
            claims.whole = [Recipe("codes", tuple(found.values()), flags, types)]
    else:
        claims.principal = next(iter(_present(way["principal"], names)), "")
        claims.others = tuple(_present(way["others"], names))
    return bool(claims.whole or claims.principal or claims.others)


def _simple_recipe(way: Any, names: Sequence[str]) -> Recipe | None:
    if isinstance(way, str):
        found = _present(way, names)
        return Recipe(AS_IS, (found[0],)) if found else None
    needed = _present(way["of"], names)
    if len(needed) < len(_names(way["of"])):
        # an age may be given in days alone: the years are then 0, which the recipe sees from a blank column
        return None
    return Recipe(way["how"], (*needed, *_present(way.get("and", ()), names)))


def _read_general(
    names: Sequence[str],
    reading: LayoutReading,
    claims: dict[str, _Claims],
    mapped: Mapping[str, Sequence[Recipe]],
    where: str,
) -> None:
    used = {name for recipes in mapped.values() for recipe in recipes for name in recipe.columns}
    found = _own_columns([name for name in names if name not in used], mapped, reading.problems, where)
    for name, own in found.items():
        if name not in CODE_LISTS and not columns()[name].part:
            reading.recipes[name] = Recipe(AS_IS, (own,))
    for column in columns().values():
        target = column.part or column.name
        if target not in CODE_LISTS:
            continue
        alone = found.get(column.name)
        numbered = _numbered(column.aliases, [name for name in names if name not in used])
        if column.name == target:
            claims[target].whole = [Recipe(AS_IS, (alone,))] if alone else []
            claims[target].whole += [Recipe("codes", tuple(numbered))] if numbered else []
        elif column.name.startswith("principal"):
            claims[target].principal = alone or ""
        else:
            claims[target].others = (*([alone] if alone else []), *numbered)
    for name in CODE_LISTS:
        if found.get(name) == name:  # the canonical column means itself whatever stands beside it
            claims[name] = _Claims([Recipe(AS_IS, (name,))])


def _numbered(aliases: Sequence[str], names: Sequence[str]) -> list[str]:
    """The numbered columns of the first alias that the file has any of."""
    return next((list(found.values()) for alias in aliases if (found := numbered_names(alias, names))), [])


def _own_columns(
    names: Sequence[str], mapped: Mapping[str, Sequence[Recipe]], problems: list[Problem], where: str
) -> dict[str, str]:
    """Canonical name -> the file's own column; one that has the canonical name means it whatever stands beside it."""
    found: dict[str, str] = {}
    for name in names:
        canonical = header_names().get(header_key(name))
        if canonical is None or canonical in mapped or found.get(canonical) == canonical:
            continue
        if canonical in found and name != canonical:
            problems.append(_twice(canonical, (found[canonical], name), where))
        else:
            found[canonical] = name
    return found


def _twice(canonical: str, names: Sequence[str], where: str) -> Problem:
    what = text("the columns {names} both mean {canonical}", names=" and ".join(map(repr, names)), canonical=canonical)
    fix = text(
        'rename or remove one of the two, or say which one counts: --map "{names}={canonical}"',
        names=names[0],
        canonical=canonical,
    )
    return Problem("input-ambiguous-column", what, where=text("{where}, line 1", where=where), fix=fix)


def _list_recipe(
    name: str, claims: _Claims, mapped: Mapping[str, Sequence[Recipe]], problems: list[Problem], where: str
) -> Recipe | None:
    """How a code list is made: a whole list, or the principal code and the others."""
    parts = [column.name for column in columns().values() if column.part == name]
    principal_name, others_name = parts
    if name in mapped:
        return _together([own for recipe in mapped[name] for own in recipe.columns])
    principal = [own for recipe in mapped.get(principal_name, ()) for own in recipe.columns]
    others = [own for recipe in mapped.get(others_name, ()) for own in recipe.columns]
    whole = [] if principal and others else claims.whole
    principal = principal or [claims.principal] * bool(claims.principal)
    others = others or [own for own in claims.others if own not in principal]
    ways = [recipe.columns[0] for recipe in whole] + principal[:1] + ([] if principal else others[:1])
    if len(ways) > 1:
        fix = text(
            'say what each holds: --map "COLUMN={name}" for a list with the principal code first, or --map '
            '"COLUMN={principal_name}" and --map "COLUMN={others_name}"',
            name=name,
            principal_name=principal_name,
            others_name=others_name,
        )
        what = text(
            "the columns {ways} all hold {name} ({title_zh})",
            ways=", ".join(map(repr, ways)),
            name=name,
            title_zh=columns()[name].title_zh,
        )
        problems.append(Problem("input-ambiguous-column", what, where=text("{where}, line 1", where=where), fix=fix))
        return whole[0] if whole else None
    if whole:
        return whole[0]
    return _together([*principal, *others]) if principal else None


def _together(own: list[str]) -> Recipe:
    return Recipe(AS_IS if len(own) == 1 else "codes", tuple(own))

"""Recognise the layout of a file by its headers; ask a clear question back when several fit, or none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from drgsim.errors import InputError, Problem, did_you_mean, nearest_word, some_names
from drgsim.language import joined, text
from drgsim.records.input_options import GROUPING, InputOptions, Purpose
from drgsim.records.layout import GENERAL, LayoutReading, layout_named, layouts, read_header
from drgsim.records.recipes import AS_IS, Recipe
from drgsim.records.schema import columns, header_key, header_names

_SHOWN = 6  # columns that a question names for each layout


def recognise(
    names: Sequence[str], where: str, options: InputOptions | None = None, purpose: Purpose = GROUPING
) -> LayoutReading:
    """The layout of a file with these column names and what it makes of them.

    A layout fits when it can make every column that the purpose needs. Layouts that read a file in the same way are no doubt.

    Raises
    ------
    InputError
        ``input-layout-ambiguous`` or ``input-layout-unknown`` when it is not clear which layout is meant;
        ``input-missing-column`` or ``input-ambiguous-column`` when it is clear but does not fit; all problems at once.
    """
    options = options or InputOptions()
    if purpose.raw:
        return LayoutReading(layouts()[-1])
    mapped = mapped_columns(names, options.maps, where)
    if options.format is not None:
        layout = layout_named(options.format)
        if layout is None:
            raise InputError.single(
                "layout-unknown", text("there is no input layout {format!r}", format=options.format), where="--format"
            )
        return _checked(_for(purpose, read_header(layout, names, mapped, where)), names, where)
    readings = [_for(purpose, read_header(layout, names, mapped, where)) for layout in layouts()]
    readings = [reading for reading in readings if reading.own or reading.layout.name == GENERAL]
    fits = _distinct([reading for reading in readings if not reading.missing])
    if purpose.required is not None:
        fits = _fullest(fits)
    if len(fits) == 1:
        return _checked(fits[0], names, where)
    if fits:
        raise _ambiguous(fits, where)
    near = sorted(_distinct([reading for reading in readings if reading.recipes]), key=lambda reading: len(reading.missing))
    needed = sum(column.required for column in columns().values())
    if near and len(near[0].missing) <= needed - 2 and (len(near) == 1 or len(near[0].missing) < len(near[1].missing)):
        return _checked(near[0], names, where)
    raise _unknown(readings, names, where)


def recognised(names: Sequence[str], where: str, options: InputOptions) -> dict[str, str]:
    """Column of the file -> the canonical column that it is read as, of those columns that are understood by themselves."""
    mapped = mapped_columns(names, options.maps, where)
    readings = [read_header(layout, names, mapped, where) for layout in layouts()]
    fullest = max(readings, key=lambda reading: len(reading.recipes))
    found = {own: name for name, recipe in fullest.recipes.items() for own in recipe.columns}
    for own in names:
        name = header_names().get(header_key(own))
        if name and columns()[name].part:  # a part of a list that lacks the other part
            found.setdefault(own, name)
    return found


def _fullest(fits: Sequence[LayoutReading]) -> list[LayoutReading]:
    """The readings that make the most columns: where little is required, many layouts fit by a column or two."""
    most = max((len(reading.recipes) for reading in fits), default=0)
    return [reading for reading in fits if len(reading.recipes) == most]


def _for(purpose: Purpose, reading: LayoutReading) -> LayoutReading:
    """The reading with what is missing for the purpose."""
    if purpose.required is not None:
        reading.missing = [name for name in purpose.required if name not in reading.recipes]
    return reading


def mapped_columns(names: Sequence[str], maps: Iterable[tuple[str, str]], where: str) -> dict[str, list[Recipe]]:
    """Canonical name -> what the user says it is made of, for columns that the file has."""
    mapped: dict[str, list[Recipe]] = {}
    problems: list[Problem] = []
    by_spelling = {name.strip(): name for name in reversed(names)}
    for own, canonical in maps:
        parts = [own] if own in by_spelling else [part.strip() for part in own.split("+")]
        absent = [part for part in parts if part not in by_spelling]
        if absent:
            fix = did_you_mean(absent[0], list(names)) or text("the file has {names}", names=_some(names))
            what = text("the mapping names the column {column!r}, which the file does not have", column=absent[0])
            problems.append(Problem("input-map-column", what, where=text("{where}, line 1", where=where), fix=fix))
            continue
        mapped.setdefault(canonical, []).append(
            Recipe(AS_IS if len(parts) == 1 else "join", tuple(by_spelling[part] for part in parts))
        )
    for canonical, recipes in mapped.items():
        if len(recipes) > 1 and canonical not in ("diagnoses", "procedures", "other_diagnoses", "other_procedures"):
            what = text("{count} columns are mapped to {canonical}", count=len(recipes), canonical=canonical)
            fix = text("map one; several columns can make up a code list only")
            problems.append(Problem("input-ambiguous-column", what, where=where, fix=fix))
    if problems:
        raise InputError(problems)
    return mapped


def _distinct(readings: Sequence[LayoutReading]) -> list[LayoutReading]:
    """Readings without those that another one contains; of equal ones the first."""
    kept = []
    for place, reading in enumerate(readings):
        mine = reading.recipes.items()
        if not any(
            mine < other.recipes.items() or (mine == other.recipes.items() and at < place)
            for at, other in enumerate(readings)
            if at != place
        ):
            kept.append(reading)
    return kept


def _checked(reading: LayoutReading, names: Sequence[str], where: str) -> LayoutReading:
    """The reading, if it has all that grouping needs and nothing contradicts itself."""
    problems = list(reading.problems)
    for name in reading.missing:
        column = columns()[name]
        accepted = reading.layout.names_of(name)
        parts = [part for part in columns().values() if part.part == name]
        if reading.layout.name == GENERAL and parts:
            accepted = [*accepted, *(alias for part in parts[:1] for alias in (part.name, *part.aliases))]
        near = nearest_word(accepted[0], names) if accepted else ""
        rename = text(
            'rename it, or say which one it is: --map "COLUMN={name}"; names that are understood: {accepted}',
            name=name,
            accepted=", ".join(accepted),
        )
        problems.append(
            Problem(
                "input-missing-column",
                text("the file has no column {name} ({title_zh})", name=name, title_zh=column.title_zh),
                where=text(
                    "{where}, line 1, read as {layout} {title_zh}",
                    where=where,
                    layout=reading.layout.name,
                    title_zh=reading.layout.title_zh,
                ),
                why=text("grouping without it would give wrong groups in silence"),
                fix=joined(" ", [text("is it {near}?", near=near), rename]) if near else rename,
            )
        )
    if problems:
        raise InputError(problems)
    return reading


def _some(names: Iterable[str]) -> str:
    """The first names, and how many more there are."""
    return some_names(list(names), _SHOWN)


def _matched(recipes: Mapping[str, Recipe]) -> str:
    return _some(f"{recipe.columns[0]} ({name})" for name, recipe in recipes.items())


def _ambiguous(fits: Sequence[LayoutReading], where: str) -> InputError:
    why = joined(
        "; ",
        (
            text(
                "{layout} {title_zh} reads {columns}",
                layout=fit.layout.name,
                title_zh=fit.layout.title_zh,
                columns=_matched(_needed(fit)),
            )
            for fit in fits
        ),
    )
    return InputError(
        [
            Problem(
                "input-layout-ambiguous",
                text(
                    "the headers fit {count} layouts: {layouts}. Which one is meant?",
                    count=len(fits),
                    layouts=", ".join(fit.layout.name for fit in fits),
                ),
                where=text("{where}, line 1", where=where),
                why=why,
                fix=text("say it: {ways}", ways=joined(text(" or "), (f"--format {fit.layout.name}" for fit in fits))),
            )
        ]
    )


def _needed(reading: LayoutReading) -> dict[str, Recipe]:
    return {name: recipe for name, recipe in reading.recipes.items() if columns()[name].required}


def _unknown(readings: Sequence[LayoutReading], names: Sequence[str], where: str) -> InputError:
    lines = []
    for layout in layouts():
        reading = next((reading for reading in readings if reading.layout is layout), None)
        recipes = reading.recipes if reading else {}
        missing = reading.missing if reading else [column.name for column in columns().values() if column.required]
        lacks = ", ".join(f"{name} ({(layout.names_of(name) or ['-'])[0]})" for name in missing)
        lines.append(
            text(
                "{layout} {title_zh}: finds {found}; lacks {lacks}",
                layout=layout.name,
                title_zh=layout.title_zh,
                found=_matched(recipes) or text("nothing"),
                lacks=lacks,
            )
        )
    missing = min((reading.missing for reading in readings), key=len)
    return InputError(
        [
            Problem(
                "input-layout-unknown",
                text("the headers ({names}) fit no known layout. Which columns hold what?", names=_some(names)),
                where=text("{where}, line 1", where=where),
                why=joined(" | ", lines),
                fix=text(
                    "say it: {maps}, or name a layout with --format; --map-file takes many mappings",
                    maps=joined(" ", (text('--map "COLUMN={name}"', name=name) for name in missing)),
                ),
            )
        ]
    )

"""What a pack's ``scheme.toml`` may say, checked key by key with the type of every value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from drgsim.errors import Problem, did_you_mean
from drgsim.language import text

_TEXTS = ("id", "title_zh", "title_en", "issuer", "kind", "base", "icd10", "icd9cm3", "reference_weights")
_REQUIRED = ("id", "title_zh", "title_en", "kind")
_LISTS = ("sources", "notes")
_TABLES = {"sites": str, "counts": int, "options": str, "coverage": str, "marks": str}
_IN_FORCE = {"area": str, "from": str, "source": str, "without_date": bool}
AREAS = ("national",)
_KNOWN = (*_TEXTS, *_LISTS, *_TABLES, "in_force")
_KINDS = ("full", "overlay")
_COVERAGE = ("modelled", "document", "checked", "evidence")
_OPTIONS = {"regroup": ("each_other_procedure",)}
_WORDS = {str: text("a text"), int: text("a whole number")}
EVIDENCE = ("official", "secondary", "derived", "assumption")


def setting_problems(settings: Mapping[str, Any], pack: str) -> list[Problem]:
    """Everything that is wrong with the settings of a pack; ``pack`` is the name of its folder."""
    where = f"{pack}/scheme.toml"
    return [Problem(code, what, where=where, fix=fix) for code, what, fix in _problems(settings)]


def _problems(settings: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for key, value in settings.items():
        if key not in _KNOWN:
            fix = did_you_mean(key, _KNOWN) or text("the keys are {known}", known=", ".join(_KNOWN))
            yield "pack-unknown-key", text("scheme.toml has an unknown key {key!r}", key=key), fix
        else:
            yield from _type_problems(key, value)
    for key in _REQUIRED:
        if key not in settings or settings[key] == "":
            yield "pack-missing-key", text("scheme.toml lacks {key}", key=key), ""
    if settings.get("kind", "full") not in _KINDS:
        yield "pack-unknown-kind", text("kind is {kind!r}", kind=settings["kind"]), text("use full or overlay")
    for option, value in _table(settings, "options"):
        if option not in _OPTIONS or value not in _OPTIONS[option]:
            choices = "; ".join(f"{name}: {', '.join(values)}" for name, values in _OPTIONS.items())
            yield "pack-unknown-option", text("options.{option} = {value!r} is not known", option=option, value=value), choices
    for key, value in _table(settings, "coverage"):
        if key not in _COVERAGE or (key == "evidence" and value not in EVIDENCE):
            fix = text("keys: {coverage}; evidence: {evidence}", coverage=", ".join(_COVERAGE), evidence=", ".join(EVIDENCE))
            yield "pack-unknown-coverage", text("coverage.{key} = {value!r} is not known", key=key, value=value), fix
    if "in_force" in settings:
        yield from _in_force_problems(settings["in_force"])


def _in_force_problems(stated: Any) -> Iterator[tuple[str, str, str]]:
    """From which date of discharge on a scheme is the one of an area."""
    if not isinstance(stated, dict):
        yield (
            "pack-wrong-type",
            text("in_force is not a table"),
            text("write [in_force] on a line of its own and its values below"),
        )
        return
    for key, value in stated.items():
        if key not in _IN_FORCE or type(value) is not _IN_FORCE[key]:
            fix = text("area, from and source are texts, without_date is true or false")
            yield "pack-unknown-in-force", text("in_force.{key} = {value!r} is not known", key=key, value=value), fix
    if stated.get("area") not in AREAS:
        yield (
            "pack-unknown-in-force",
            text("in_force.area is {area!r}", area=stated.get("area")),
            text("areas: {areas}", areas=", ".join(AREAS)),
        )
    try:
        date.fromisoformat(str(stated.get("from")))
    except ValueError:
        yield (
            "pack-unknown-in-force",
            text("in_force.from is {date!r}, not a date", date=stated.get("from")),
            text('write from = "2027-01-01"'),
        )


def _type_problems(key: str, value: Any) -> Iterator[tuple[str, str, str]]:
    if key in _TEXTS and not isinstance(value, str):
        yield "pack-wrong-type", text("{key} = {value!r} is not a text", key=key, value=value), text("write it in quotes")
    elif key in _LISTS and not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
        yield "pack-wrong-type", text("{key} is not a list of texts", key=key), text('write {key} = ["...", "..."]', key=key)
    elif key in _TABLES and not isinstance(value, dict):
        yield (
            "pack-wrong-type",
            text("{key} is not a table", key=key),
            text("write [{key}] on a line of its own and its values below", key=key),
        )
    elif key in _TABLES:
        for name, item in value.items():
            if type(item) is not _TABLES[key]:  # True is no count
                yield (
                    "pack-wrong-type",
                    text("{key}.{name} = {item!r} is not {words}", key=key, name=name, item=item, words=_WORDS[_TABLES[key]]),
                    "",
                )


def _table(settings: Mapping[str, Any], key: str) -> list[tuple[str, Any]]:
    value = settings.get(key, {})
    return list(value.items()) if isinstance(value, dict) else []

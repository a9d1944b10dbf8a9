"""Levels of hospitals as words of a policy or of terms: checked against the table of words, the nearest known one named."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from drgsim.parameters.evidence import Keyed
from drgsim.records.vocabulary import level_hint, level_known, wrong_keys


def _by_level(keyed: Keyed) -> Keyed:
    for entry in (keyed, *keyed.earlier):
        if wrong := wrong_keys(entry.values):
            raise ValueError(wrong)
    return keyed


def _level(word: str) -> str:
    if not level_known(word):
        raise ValueError(f"{word!r} is no level; {level_hint(word)}")
    return word


ByLevel = Annotated[Keyed, AfterValidator(_by_level)]  # keys are levels, payers or level/payer
Level = Annotated[str, BeforeValidator(str), AfterValidator(_level)]

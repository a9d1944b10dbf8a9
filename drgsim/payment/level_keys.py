"""Levels of hospitals as words of a policy or of terms: checked against the table of words, the nearest known one named."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from drgsim.parameters.evidence import Keyed
from drgsim.records.vocabulary import is_level_key, level_hint, policy_key, wrong_keys


def _by_level(keyed: Keyed) -> Keyed:
    if wrong := wrong_keys(keyed.values):
        raise ValueError(wrong)
    values = {policy_key(key): value for key, value in keyed.values.items()}
    return keyed.model_copy(update={"values": values, "earlier": tuple(_by_level(entry) for entry in keyed.earlier)})


def _level(word: str) -> str:
    if not is_level_key(policy_key(word)):
        raise ValueError(f"{word!r} is no level; {level_hint(word)}")
    return policy_key(word)


ByLevel = Annotated[Keyed, AfterValidator(_by_level)]  # keys are levels, payers or level/payer, in the words of the engine
Level = Annotated[str, BeforeValidator(str), AfterValidator(_level)]

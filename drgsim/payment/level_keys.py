"""Levels of hospitals as words of a policy or of terms: checked against the table of words, the nearest known one named."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, model_validator

from drgsim.language import text
from drgsim.parameters.evidence import Evident, Keyed
from drgsim.records.vocabulary import is_level_key, level_hint, policy_key, wrong_keys


def _by_level(keyed: Keyed) -> Keyed:
    if wrong := wrong_keys(keyed.values):
        raise ValueError(wrong)
    values = {policy_key(key): value for key, value in keyed.values.items()}
    return keyed.model_copy(update={"values": values, "earlier": tuple(_by_level(entry) for entry in keyed.earlier)})


def _level(word: str) -> str:
    if not is_level_key(policy_key(word)):
        raise ValueError(text("{word!r} is no level; {level_hint}", word=word, level_hint=level_hint(word)))
    return policy_key(word)


ByLevel = Annotated[Keyed, AfterValidator(_by_level)]  # keys are levels, payers or level/payer, in the words of the engine
Level = Annotated[str, BeforeValidator(str), AfterValidator(_level)]


class HospitalClasses(Evident):
    """The city's own class that a hospital is taken to have of which only the level is known: level -> class (医疗机构类别)."""

    values: dict[str, Level]

    @property
    def shown(self) -> dict[str, str]:
        """Level -> class."""
        return self.values

    @model_validator(mode="after")
    def _levels_are_levels(self) -> HospitalClasses:
        wrong = [level for level in self.values if not is_level_key(level)]
        if wrong:
            raise ValueError(text("{wrong!r} is no level; {level_hint}", wrong=wrong[0], level_hint=level_hint(wrong[0])))
        return self

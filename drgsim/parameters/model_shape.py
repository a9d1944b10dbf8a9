"""What the model of a file of parameters allows at each of its places: the names, the models below, the usual unit."""

from __future__ import annotations

from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from drgsim.parameters.evidence import UsualUnit


@dataclass(frozen=True)
class Shape:
    """A place of a model.

    Attributes
    ----------
    model
        The model that stands here, None where a plain value, a mapping or a list does.
    entries
        What the entries of a mapping or a list are, None where there is neither.
    usual
        The unit that the field usually has.
    """

    model: type[BaseModel] | None = None
    entries: Any = None
    usual: UsualUnit | None = None

    @property
    def names(self) -> list[str]:
        """Names of the model's fields."""
        return list(self.model.model_fields) if self.model is not None else []

    @property
    def evident(self) -> bool:
        """Whether unit, source and evidence must be stated here."""
        return self.model is not None and "evidence" in self.names and self.model.model_fields["evidence"].is_required()

    def at(self, name: str) -> Shape | None:
        """The place below, None where the model knows no such name."""
        if self.model is not None:
            field = self.model.model_fields.get(name)
            if field is None:
                return None
            usual = next((each for each in field.metadata if isinstance(each, UsualUnit)), self.usual)
            return shape_of(field.annotation, usual)
        return shape_of(self.entries, self.usual) if self.entries is not None else None


def shape_of(annotation: Any, usual: UsualUnit | None = None) -> Shape:
    """The shape of an annotation; of several the first that is not None counts.

    Examples
    --------
    >>> from drgsim.parameters.evidence import Keyed
    >>> shape_of(Keyed | None).names[-2:], shape_of(dict[str, Keyed]).at("any").model.__name__
    (['values', 'earlier'], 'Keyed')
    """
    origin = get_origin(annotation)
    if origin is Annotated:
        return shape_of(get_args(annotation)[0], usual)
    if origin in (Union, UnionType):
        return shape_of(next(part for part in get_args(annotation) if part is not NoneType), usual)
    if origin in (dict, tuple, list):
        return Shape(entries=get_args(annotation)[-1 if origin is dict else 0], usual=usual)
    return Shape(annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None, usual=usual)

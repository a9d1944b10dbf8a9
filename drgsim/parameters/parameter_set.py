"""A file of parameters, read and checked: its values with their evidence, and the same file with other values."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Generic, Self, TypeVar

from pydantic import BaseModel

from drgsim.errors import DrgsimError, Problem
from drgsim.parameters.changed_values import ChangeByPath
from drgsim.parameters.evidence import Evidence
from drgsim.parameters.evident_values import Parameter, parameters_of
from drgsim.parameters.strict_file import unfit_values, validated

F = TypeVar("F", bound=BaseModel)


@dataclass(frozen=True)
class ParameterSet(Generic[F]):
    """The parameters of one file.

    Attributes
    ----------
    file
        The contents, by the model of this kind of file.
    digest
        A SHA-256 over all that was read and every change.
    raw
        The YAML as read, for :meth:`changed`.
    """

    file: F
    digest: str
    raw: Mapping[str, Any] = field(repr=False)

    model: ClassVar[type[BaseModel]]
    kind: ClassVar[str]  # begins the codes of problems
    called: ClassVar[str]  # by messages
    error: ClassVar[type[DrgsimError]]
    refusal: ClassVar[int] = 3  # exit code of a change that is refused
    prefix: ClassVar[str] = ""  # that paths may start with

    @property
    def id(self) -> str:
        """Name such as ``region/year``."""
        return str(getattr(self.file, "id", self.kind))

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """Every value that carries evidence, in the order of the file."""
        return tuple(parameters_of(self.file))

    @property
    def assumptions(self) -> tuple[Parameter, ...]:
        """The parameters that rest on no source."""
        return tuple(parameter for parameter in self.parameters if parameter.evidence is Evidence.ASSUMPTION)

    def changed(self, changes: Mapping[str, Any], source: str = "changed") -> Self:
        """The same file with other values; tables are shared, never copied.

        Parameters
        ----------
        changes
            Path -> new value, ``"*1.03"``, ``"+5"``, ``"-5"`` relative to the old number, or a mapping of what stands below the
            path. A path is one of :attr:`parameters`, may go on with a key (``unit_value.employee``) or name what the file
            lacks and its model knows (``per_diem.rate.employee``, ``readmission``): unit, source and evidence are filled in.
        source
            Named as source of the changed values, whose evidence becomes ``assumption``.

        Raises
        ------
        DrgsimError
            Of the kind of file: ``-unknown-path``, ``-bad-value`` and what the model refuses; all at once.
        """
        if not changes:
            return self
        raw = deepcopy(dict(self.raw))
        problems: list[Problem] = []
        if "sources" in self.model.model_fields:
            raw.setdefault("sources", {}).setdefault(source, {"title": f"changed by {source}"})
        for path, written in changes.items():
            short = self.own_path(path.removeprefix(self.prefix))
            found = unfit_values(written, self.kind, path)
            problems += found
            if not found:
                ChangeByPath(short, source, self.kind, self.called, problems).apply(raw, self.model, written)
        if problems:
            self.checked(self.in_own_words(raw), self.id, problems)  # what else is wrong, so that all is told at once
            raise self._refused(problems)
        return self.rebuilt(raw, repr(sorted(changes.items(), key=lambda item: item[0])))

    def rebuilt(self, raw: Mapping[str, Any], mark: str) -> Self:
        """The file read again from a changed YAML; ``mark`` names the change in the digest.

        Raises
        ------
        DrgsimError
            The model refuses the values.
        """
        problems: list[Problem] = []
        raw = self.in_own_words(raw)
        file = self.checked(raw, self.id, problems)
        if file is None:
            raise self._refused(problems)
        digest = hashlib.sha256((self.digest + mark).encode()).hexdigest()
        return replace(self, file=file, digest=digest, raw=raw)

    def _refused(self, problems: list[Problem]) -> DrgsimError:
        error = self.error(problems)
        error.exit_code = self.refusal
        return error

    @staticmethod
    def own_path(path: str) -> str:
        """A path in the words of the engine, where this kind of file knows several words for a key."""
        return path

    @staticmethod
    def in_own_words(node: Any) -> Any:
        """The YAML in the words of the engine."""
        return node

    @classmethod
    def checked(cls, raw: Mapping[str, Any], where: str, problems: list[Problem]) -> F | None:
        """The contents by the model, None where anything is wrong, for reasons added to ``problems``."""
        file: Any = validated(cls.model, raw, cls.kind, where, problems)
        if file is None:
            return None
        found = list(cls.contradictions(file, where))
        problems += found
        return None if found else file

    @classmethod
    def contradictions(cls, file: F, where: str) -> Iterator[Problem]:
        """What this kind of file must not say beside what its model refuses."""
        return iter(())

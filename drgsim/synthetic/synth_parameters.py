"""Parameters of the synthetic region: every value with its unit, source and evidence, read from synth.yaml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drgsim.errors import DrgsimError, Problem
from drgsim.language import text
from drgsim.parameters.evidence import Evidence
from drgsim.parameters.strict_file import read_strict

EVIDENCE = tuple(Evidence)
_KEYS = {"value", "unit", "source", "evidence"}


@dataclass(frozen=True)
class SynthParameter:
    """One value of synth.yaml.

    Parameters
    ----------
    path
        Place in the file, such as ``cost.regional_mean``.
    value
        Number, text, list or mapping.
    unit, source
        What it is measured in and where it comes from.
    evidence
        ``official``, ``secondary``, ``assumption`` or ``derived``.
    """

    path: str
    value: Any
    unit: str
    source: str
    evidence: str


class Parameters(Mapping[str, Any]):
    """Values by path; ``parameters["cost.regional_mean"]`` is the bare value, ``.describe()`` yields the evidence."""

    def __init__(self, entries: list[SynthParameter]) -> None:
        self._entries = {entry.path: entry for entry in entries}

    def __getitem__(self, path: str) -> Any:
        return self._entries[path].value

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def describe(self) -> list[SynthParameter]:
        """All parameters with unit, source and evidence, in the order of the file."""
        return list(self._entries.values())


def parse_parameters(tree: Mapping[str, Any]) -> Parameters:
    """Check the tree of synth.yaml and flatten it.

    Raises
    ------
    DrgsimError
        ``synth-parameter`` when a value lacks unit, source or evidence, or has an unknown key or evidence.
    """
    entries: list[SynthParameter] = []

    def walk(node: Any, path: str) -> None:
        if not isinstance(node, Mapping):
            raise DrgsimError.single("synth-parameter", text("a value stands without unit, source and evidence"), where=path)
        if "value" not in node:
            for key, child in node.items():
                walk(child, f"{path}.{key}" if path else str(key))
            return
        odd = set(node) ^ _KEYS
        if odd:
            raise DrgsimError.single(
                "synth-parameter", text("unknown or missing: {odd}", odd=", ".join(sorted(odd))), where=path
            )
        if node["evidence"] not in EVIDENCE:
            raise DrgsimError.single(
                "synth-parameter", text("unknown evidence {evidence!r}", evidence=node["evidence"]), where=path
            )
        entries.append(SynthParameter(path, node["value"], str(node["unit"]), str(node["source"]), node["evidence"]))

    walk(tree, "")
    return Parameters(entries)


def load_parameters() -> Parameters:
    """Parameters that ship with the program.

    Examples
    --------
    >>> load_parameters()["time.cost_growth"]
    0.025
    """
    problems: list[Problem] = []
    raw, _ = read_strict(Path(__file__).with_name("synth.yaml"), "synth", problems)
    if raw is None or problems:
        raise DrgsimError(problems)
    return parse_parameters(raw)

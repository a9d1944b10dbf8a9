"""What a scheme says about itself, without reading its tables: for lists of schemes and the doubts about a rule."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drgsim.units.schemes.pack import base_chain, read_settings, scheme_ids


@dataclass(frozen=True)
class SchemeEntry:
    """One line of the catalogue.

    Attributes
    ----------
    chain
        The scheme's id and those of its bases, nearest first.
    counts
        As ``scheme.toml`` promises them; loading the scheme checks them.
    coverage
        What is ``modelled``, from which ``document``, how it was ``checked`` and its ``evidence``.
    notes
        Notes of the scheme and of its bases: (scheme id, note).
    """

    id: str
    title_zh: str
    title_en: str
    issuer: str
    kind: str
    chain: tuple[str, ...]
    counts: Mapping[str, int]
    coverage: Mapping[str, str]
    sources: tuple[str, ...]
    notes: tuple[tuple[str, str], ...]

    @property
    def doubts(self) -> tuple[tuple[str, str], ...]:
        """Notes that doubt something."""
        return tuple(note for note in self.notes if is_doubt(note[1]))


def scheme_entry(scheme: str | Path) -> SchemeEntry:
    """The catalogue entry of a scheme.

    Examples
    --------
    >>> entry = scheme_entry("beijing-2022")
    >>> entry.chain, entry.counts["drg"]
    (('beijing-2022', 'chs-drg-1.1'), 696)
    """
    chain = base_chain(scheme)
    settings: list[dict[str, Any]] = [read_settings(folder) for folder in chain]
    own = settings[0]
    ids = tuple(str(values.get("id", folder.name)) for values, folder in zip(settings, chain, strict=True))
    notes = tuple((ids[at], note) for at, values in enumerate(settings) for note in values.get("notes", ()))
    return SchemeEntry(
        ids[0], own.get("title_zh", ""), own.get("title_en", ""), own.get("issuer", ""), own.get("kind", ""), ids,
        own.get("counts", {}), own.get("coverage", {}), tuple(own.get("sources", ())), notes,
    )  # fmt: skip


def catalogue() -> list[SchemeEntry]:
    """All schemes that ship with drgsim."""
    return [scheme_entry(name) for name in scheme_ids()]


def is_doubt(note: str) -> bool:
    """Whether a note tells of something unsure, approximate, put right or left open, rather than of a check that was passed."""
    words = (
        "unsure",
        "approximate",
        "oracle_bug",
        "unreadable",
        "not known",
        "not in the source",
        "lacks",
        "to do:",
        "asks for Z37",
        "derived:",
        "kept",
    )
    return any(word in note for word in words)


def notes_about(entry: SchemeEntry, code: str) -> list[tuple[str, str]]:
    """Notes, of the scheme and its bases, that name an MDC, ADRG or DRG, or the ADRG of a DRG.

    Examples
    --------
    >>> [note[:14] for _, note in notes_about(scheme_entry("chs-drg-1.1"), "OR1")]
    ['OR1 (vaginal d', 'unsure: OR1 as']
    """
    names = {code, code[:3]} if not code.startswith("MDC") else {code}
    pattern = re.compile(r"(?<![A-Z0-9])(?:" + "|".join(map(re.escape, sorted(names))) + r")[0-9A-Z_]{0,2}(?![A-Z0-9])")
    return [(scheme, note) for scheme, note in entry.notes if pattern.search(note)]

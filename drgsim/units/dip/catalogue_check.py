"""Check a DIP catalogue beyond what loading refuses: lines that no case reaches, levels that leave cases out, doubts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from drgsim.errors import some_names
from drgsim.language import joined, text
from drgsim.units.dip.catalogue_files import load_catalogue
from drgsim.units.dip.catalogue_lowering import position_of
from drgsim.units.dip.dip_catalogue import Catalogue
from drgsim.units.schemes.pack import read_settings

SHOWN = 5


@dataclass
class CatalogueCheck:
    """A catalogue that loads, and what its maker should know; ``advice`` never makes it unusable."""

    scheme: Catalogue
    advice: list[str] = field(default_factory=list)


def check_catalogue(catalogue: str | Path) -> CatalogueCheck:
    """Load a catalogue and look for what is doubtful.

    Raises
    ------
    SchemeError
        With everything that makes the catalogue unusable.

    Examples
    --------
    >>> check_catalogue("dip-taian-2025").advice[0][:53]
    '492 combinations have levels but no line without one,'
    """
    loaded = load_catalogue(catalogue)
    report = CatalogueCheck(loaded)
    settings = read_settings(loaded.folder)
    missing = [key for key in ("counts", "matching", "region_zh", "edition") if not settings.get(key)]
    if missing:
        report.advice.append(
            text("scheme.toml does not state {missing}: defaults count, where there are any", missing=", ".join(missing))
        )
    cells: dict[tuple[object, ...], list[str]] = {}
    for kind in loaded.kinds:
        cells.setdefault(kind.place[:5], []).append(f"{kind.aux} {kind.aux_level}".strip())
    partial = [(place, levels) for place, levels in cells.items() if "" not in levels]
    if partial:
        place, levels = partial[0]
        combination = ":".join(str(part) for part in place[1:3] if part)
        report.advice.append(
            text(
                "{count:,} combinations have levels but no line without one, such as {combination} "
                "({levels}): a case without a listed level goes on to the next kind that fits",
                count=len(partial),
                combination=combination,
                levels=", ".join(levels),
            )
        )
    unreached = Counter(kind.kind for kind in loaded.kinds if position_of(kind, loaded.matching.order) < 0)
    for name, number in unreached.items():
        report.advice.append(
            text(
                "{number:,} lines of kind {name} are never tried: matching.order leaves their stage out",
                number=number,
                name=name,
            )
        )
    if loaded.own_codes:
        shown = some_names([code for _, code in loaded.own_codes], SHOWN)
        report.advice.append(text("codes that the national dictionaries lack: {codes}", codes=shown))
    assumed = [name for name in ("matching", "auxiliary") if getattr(loaded, name).evidence == "assumption"]
    if assumed:
        report.advice.append(text("{assumed} rest on assumptions (scheme.toml)", assumed=joined(text(" and "), assumed)))
    return report

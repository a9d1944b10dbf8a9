"""Marks of groups: what a scheme says of some DRGs beside how they are grouped, such as that they are primary-care groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from drgsim.errors import did_you_mean
from drgsim.language import text
from drgsim.units.schemes.pack_part import PackPart
from drgsim.units.schemes.pack_tables import read_table
from drgsim.units.schemes.scheme import Mark, Mdc

MARKS_FILE = "marks.csv"
MARKS_COLUMNS = ("drg", "mark")


def read_marks(part: PackPart, settings: Sequence[Mapping[str, Any]], mdcs: Sequence[Mdc]) -> dict[str, Mark]:
    """The marks of a pack: its own ``marks.csv``, else that of the nearest base, without groups that the pack does not have.

    ``settings`` are those of the pack and its bases, nearest first; a mark is described below ``[marks]``.
    """
    at = next((place for place, folder in enumerate(part.chain) if (folder / MARKS_FILE).is_file()), None)
    if at is None:
        return {}
    titles: Mapping[str, str] = settings[at].get("marks", {})
    known = {drg.code for mdc in mdcs for adrg in mdc.adrgs for drg in adrg.drgs}
    groups: dict[str, list[str]] = {mark: [] for mark in titles}
    for code, mark in read_table(part.chain[at] / MARKS_FILE, MARKS_COLUMNS, MARKS_COLUMNS, part.problems):
        if mark not in titles:
            fix = did_you_mean(mark, list(titles)) or text('describe it in scheme.toml: [marks] {mark} = "..."', mark=mark)
            part.wrong(
                "pack-unknown-mark",
                text("{code} has the mark {mark!r}, which scheme.toml does not describe", code=code, mark=mark),
                MARKS_FILE,
                fix=fix,
            )
        elif code in known:
            groups[mark].append(code)
        elif at == 0:
            fix = did_you_mean(code, sorted(known))
            part.wrong(
                "pack-unknown-group",
                text("the mark {mark} names {code}, which is no DRG of the pack", mark=mark, code=code),
                MARKS_FILE,
                fix=fix,
            )
    return {mark: Mark(mark, title, tuple(groups[mark])) for mark, title in titles.items()}

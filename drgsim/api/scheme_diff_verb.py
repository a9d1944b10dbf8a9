"""``drgsim.schemes_diff``: what changes from one scheme to another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgsim.api.argument_check import checked
from drgsim.api.scheme_verbs import TEXT, WHOLE, as_table
from drgsim.language import text
from drgsim.report.scheme_diff_page import difference_page
from drgsim.results.result import Result
from drgsim.results.run_record import run_record
from drgsim.results.whole_outputs import write_text
from drgsim.units.schemes.pack import load_scheme
from drgsim.units.schemes.scheme_differences import SchemeDifference, compare_schemes


class SchemeChanges(Result):
    """What changes from one scheme to another.

    Tables: ``rows`` (MDCs, ADRGs and DRGs that came, went or changed), ``successions`` (ADRGs renamed, split, merged, new and
    gone, told by their codes), ``subdivisions`` (ADRGs with other DRGs), ``moves`` (codes listed by other rows),
    ``severities`` (diagnoses between none, CC and MCC, and by what excludes them), ``levels`` (how many of them).

    Attributes
    ----------
    difference
        All differences.
    """

    kind = "schemes-diff"
    title = text("Differences between schemes")

    def __init__(self, difference: SchemeDifference) -> None:
        self.difference = difference
        tables = {
            name: pa.Table.from_pylist([_flat(asdict(each)) for each in getattr(difference, name)])
            for name in ("rows", "successions", "subdivisions", "moves", "severities")
        }
        levels = [{"before": was, "after": now, "diagnoses": n} for (was, now), n in difference.level_changes().items()]
        tables["levels"] = as_table(levels, before=TEXT, after=TEXT, diagnoses=WHOLE)
        record = run_record(self.kind, before=difference.before, after=difference.after, **difference.summary())
        super().__init__(tables, record=record)

    def _page(self) -> str:
        return difference_page(self.difference)


@checked()
def schemes_diff(before: str | Path, after: str | Path, *, html: str | Path | None = None) -> SchemeChanges:
    """Compare two schemes: MDCs, ADRGs, groups, rules, codes moved, CC changes. 比较两个方案

    Parameters
    ----------
    before, after
        Ids of DRG schemes, or folders of packs.
    html
        File for a self-contained page.

    Returns
    -------
    SchemeChanges
        ``rows``, ``successions``, ``subdivisions``, ``moves``, ``severities`` and ``levels``; ``difference`` has them as
        objects, ``save("diff.xlsx")`` and ``save("diff.html")`` write all of them.

    Raises
    ------
    SchemeError
        ``scheme-unknown``, or what is wrong with a pack.

    Examples
    --------
    >>> import drgsim
    >>> drgsim.schemes_diff("chs-drg-1.1", "chs-drg-2.0").difference.is_empty
    False
    """
    found = SchemeChanges(compare_schemes(load_scheme(before), load_scheme(after)))
    if html is not None:
        write_text(html, difference_page(found.difference))
    return found


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: "|".join(map(str, value)) if isinstance(value, list | tuple) else value for name, value in row.items()}

"""Copies of one published table that disagree: each is a policy of its own and names the others, so that nobody mixes them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from drgsim.errors import Problem
from drgsim.language import joined, text
from drgsim.payment.policy import POLICY_FILE, Policy, read_folder
from drgsim.payment.price_table import PriceTable

SHOWN = 3


def copies_that_disagree(policy: Policy) -> list[Problem]:
    """Policies beside one, of the same year and scheme, whose tables contradict its own without a word.

    Returns
    -------
    list of Problem
        ``policy-tables-disagree``: a table beside it says otherwise and ``other_copies`` does not name it;
        ``policy-other-copy``: ``other_copies`` names a policy that is not there, or that says the same.
    """
    found, where = [], f"{policy.folder.parent.name}/{policy.folder.name}"
    told = dict(policy.file.other_copies)
    for other in _beside(policy):
        differences = dict(_differences(policy.prices, other.prices)) if policy.prices and other.prices else {}
        known = told.pop(other.id, None) is not None
        if differences and not known:
            groups = list(dict.fromkeys(code for codes in differences.values() for code in codes))
            listed = ", ".join(groups[:SHOWN]) + (", ..." if len(groups) > SHOWN else "")
            found.append(
                Problem(
                    "policy-tables-disagree",
                    text(
                        "the table of {other} has other {differences} for {listed}",
                        other=other.id,
                        differences=joined(text(" and "), differences),
                        listed=listed,
                    ),
                    where=f"{where}: relative_value.table",
                    why=text("{count} groups of the same year and scheme differ", count=len(groups)),
                    fix=text(
                        "take all columns from one copy, and name the other: other_copies: {{{other}: what differs}}",
                        other=other.id,
                    ),
                )
            )
        elif known and not differences:
            found.append(_no_copy(text("the table of {other} says the same", other=other.id), where))
    return found + [
        _no_copy(text("there is no policy {name} of the same year and scheme beside this one", name=name), where)
        for name in told
    ]


def _no_copy(what: str, where: str) -> Problem:
    return Problem("policy-other-copy", what, where=f"{where}: other_copies", fix=text("take it out of other_copies"))


def _beside(policy: Policy) -> Iterator[Policy]:
    for path in sorted(policy.folder.parent.glob(f"*/{POLICY_FILE}")):
        if path.parent.resolve() != policy.folder.resolve():
            other, _ = read_folder(path.parent)
            if other is not None and (other.file.year, other.file.scheme) == (policy.file.year, policy.file.scheme):
                yield other


def _differences(one: PriceTable, two: PriceTable) -> Iterator[tuple[str, list[str]]]:
    """Column -> groups of both tables for which it differs; only columns that both tables fill."""
    shared = [code for code in one.codes if code in two.places]
    here, there = [one.places[code] for code in shared], [two.places[code] for code in shared]
    for name in one.numbers.keys() & two.numbers.keys():
        mine, theirs = one.numbers[name][here], two.numbers[name][there]
        differ = np.isfinite(mine) & np.isfinite(theirs) & (mine != theirs)
        if differ.any():
            yield name, [shared[place] for place in np.flatnonzero(differ)]
    if any(one.tags) and any(two.tags):
        marked = [code for code, mine, theirs in zip(shared, here, there, strict=True) if one.tags[mine] != two.tags[theirs]]
        if marked:
            yield "tag", marked

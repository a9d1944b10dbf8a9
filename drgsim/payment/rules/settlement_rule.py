"""What a settlement rule is: what it reads, which classes it gives, where it stands, and whether other prices change it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Protocol

from drgsim.language import bilingual
from drgsim.payment.case_class import CaseClass
from drgsim.payment.grouped_cases import Cases
from drgsim.payment.ledger import Ledger
from drgsim.payment.policy import Policy


class Titled(Protocol):
    """What a policy names in both languages."""

    title: str
    title_zh: str


def titled(entry: Titled) -> str:
    """The name of a class of groups, course or the like; in English with the Chinese one, under which documents know it."""
    return bilingual(f"{entry.title} ({entry.title_zh})", entry.title_zh)


class Stage(IntEnum):
    """Where a rule stands in the order of settling.

    ``GROUPS``: tells groups apart before the policy is looked up for them. ``TERMS``: changes what was looked up, such as a
    factor. ``BEFORE_CURVE``: decides cases that no curve sees. ``CURVE``: the payment curve. ``AFTER_CURVE``: looks at what it
    paid.
    """

    GROUPS = 1
    TERMS = 2
    BEFORE_CURVE = 3
    CURVE = 4
    AFTER_CURVE = 5


class Repricing(Enum):
    """What other prices and curves do to a rule, so that the quick way of simulation knows whether it may go on.

    ``REFUSED``: anything; the quick way steps aside. ``KEPT``: nothing: the rule decides the same cases, pays them the same and
    changes no more than the factors of single cases. ``AGAIN``: what a case gets follows from its own line and price alone, so
    that the rule is walked again on the repriced lines of the curve (class, amount, standard and terms; neither ratio nor
    units). Before the curve it counts as ``REFUSED``.
    """

    REFUSED = "refused"
    KEPT = "kept"
    AGAIN = "again"


def refused(policy: Policy, cases: Cases) -> Repricing:
    """The answer of a rule that says nothing."""
    return Repricing.REFUSED


def kept(policy: Policy, cases: Cases) -> Repricing:
    """The answer of a rule that no price changes."""
    return Repricing.KEPT


@dataclass(frozen=True)
class Rule:
    """One rule of settling.

    Attributes
    ----------
    name, title, title_zh
        What it is called.
    stage
        Where it stands; within a stage the order of the list decides.
    settle
        Applies it to all cases of a ledger; a rule that the policy does not have leaves the ledger alone.
    reads
        Sections of the policy that it reads.
    columns
        Columns of the cases that it reads, beside the cost and the group.
    classes
        Classes that it gives.
    repricing
        What other prices do to it under a policy and for cases.
    """

    name: str
    title: str
    title_zh: str
    stage: Stage
    settle: Callable[[Ledger], None]
    reads: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    classes: tuple[CaseClass, ...] = ()
    repricing: Callable[[Policy, Cases], Repricing] = refused

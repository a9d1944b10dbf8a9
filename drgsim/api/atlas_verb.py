"""One case-mix through the rules of the whole country: the same discharges under every policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatch
from typing import ClassVar

import numpy as np

from drgsim.api.argument_check import checked
from drgsim.api.verb_inputs import AnyDischarges, AnyHospitals, Inputs, Tabular, check_word, told
from drgsim.engines.file_to_file import Progress
from drgsim.errors import InputError, Problem, UsageError, did_you_mean
from drgsim.language import text
from drgsim.money import yuan_text
from drgsim.payment.atlas import AtlasEntry, median_entry, settle_everywhere
from drgsim.payment.atlas_weights import (
    COMMON,
    HISTORY,
    NATIONAL,
    NATIONAL_POLICY,
    OWN,
    CommonWeights,
    common_weights,
)
from drgsim.payment.grouped_cases import Cases, read_cases
from drgsim.payment.policy import Policy, load_policy, policy_names
from drgsim.records.input_options import InputOptions
from drgsim.records.vocabulary import INSURANCES, level_hint, level_keys, level_known
from drgsim.report.atlas_tables import atlas_table, doubts_table, left_out_table, terms_table
from drgsim.results.result import Result
from drgsim.results.run_record import run_record

MEDIAN = "median"
SCHEME = "chs-drg-2.0"  # by which discharges without a group are grouped: the national weights are of its groups


class Atlas(Result):
    """What the same cases are paid under every policy, ranked by payment over cost.

    Tables: ``policies`` (one row per policy: cases paid, cost, payment, fund, margin, ``payment_to_cost``, ``cmi`` and
    ``yuan_per_weight`` at the common weights, ``own_weights``, ``coefficient`` and ``curve`` as factors one after the other,
    counts and amounts by how cases are paid, ``difference`` to the reference and its parts ``effect_...``, which add up),
    ``terms`` (by policy, level and payer: the hospital class taken, coefficient, unit value), ``doubts`` (what is not paid
    or paid with a doubt, and why), ``left_out`` (policies that pay none of the cases).

    Attributes
    ----------
    entries
        The settlements with their arrays in fen, in order of rank.
    reference
        The entry that the others are compared with.
    common
        The common weights.
    left_out_for
        Why each policy that pays none of the cases does so.
    """

    kind: ClassVar[str] = "atlas"
    title: ClassVar[str] = text("Atlas of payment")

    def __init__(
        self, entries: Sequence[AtlasEntry], left_out: Sequence[tuple[Policy, Problem]], reference: AtlasEntry,
        common: CommonWeights, notes: list[str], inputs: Inputs,
    ) -> None:  # fmt: skip
        self.entries, self.reference, self.common = tuple(entries), reference, common
        self.left_out_for = [problem for _, problem in left_out]
        tables = {
            "policies": atlas_table(entries, reference), "terms": terms_table(entries), "doubts": doubts_table(entries),
            "left_out": left_out_table(left_out),
        }  # fmt: skip
        record = run_record(
            self.kind, inputs=inputs.digests, notes=notes, cases=entries[0].paid.size, policies=len(entries),
            left_out={policy.id: reason.what for policy, reason in left_out}, reference=reference.policy.id,
            common_weights=common.label, filled_groups=common.filled,
            payment_yuan={entry.policy.id: yuan_text(entry.payment) for entry in entries},
            policy_digests={entry.policy.id: entry.policy.digest for entry in entries},
            assumptions={entry.policy.id: [each.path for each in entry.policy.assumptions] for entry in entries},
        )  # fmt: skip
        super().__init__(tables, notes=told(notes), record=record)

    def _page(self) -> str:
        from drgsim.report.atlas_page import atlas_page

        return atlas_page(self.tables, self.reference.policy.id, self.common, self.notes)


@checked()
def atlas(
    cases: AnyDischarges,
    *,
    policies: Sequence[str] = (),
    reference: str = MEDIAN,
    hospitals: AnyHospitals | None = None,
    hospital: str | None = None,
    level: str | None = None,
    insurance: str | None = None,
    weights: Tabular | None = None,
    weights_from: str | None = None,
    own_tables: bool = True,
    scheme: str | None = None,
    reading: InputOptions | None = None,
    progress: Progress | None = None,
) -> Atlas:
    """Settle the same cases under all policies and rank them, with what makes the difference. 全国支付图谱

    The rank is that of payment over the cost of the cases paid; policies that pay less than nine in ten cases come last.
    Codes of groups differ between lists. A policy whose own table knows nine in ten of the cases pays by it; all others pay by
    one common set of weights (1 = the mean case) x their scale. Which it was, and how levels are taken, stands in the tables.

    Parameters
    ----------
    cases
        Discharges as :func:`drgsim.settle` takes them; those without a group are grouped by ``scheme``.
    policies
        Patterns of names such as ``sichuan*`` or ``*/2026``; all policies by default.
    reference
        Policy that the others are compared with, or ``median``: the one in the middle of those that pay nearly all cases.
    hospitals
        ``hospital_id, level, grade, coefficient``: a file, a table, a mapping by hospital, or a region.
    hospital
        Only the cases of this hospital.
    level, insurance
        Level (3, 三甲, a city's own class) and payer (``employee``, ``resident``) instead of what the cases say.
    weights
        Common weights of one's own: what ``drgsim weights`` wrote, or a table with a group and ``weight``.
    weights_from
        Common weights: ``national`` (reference weights 2.0) or ``history`` (estimated from these cases); by default national
        where they know nine in ten cases.
    own_tables
        Whether policies may use their own tables; without, all pay by the common weights.
    scheme
        DRG scheme by which discharges without a group are grouped, chs-drg-2.0 by default.
    reading
        Layout, own columns and edition of the codes, as :class:`drgsim.InputOptions` says them.
    progress
        Called after every policy with the share done (0 to 1) and the number of policies.

    Returns
    -------
    Atlas
        ``policies``, ``terms``, ``doubts``, ``left_out``; money is exact.

    Raises
    ------
    UsageError
        ``atlas-no-policy``, ``atlas-unknown-reference``, ``atlas-unknown-level``, ``usage-unknown-word``.
    InputError
        ``atlas-no-cases``, ``settle-not-grouped``, ``settle-missing-column``, or a file that cannot be read.

    Notes
    -----
    Price = common weight x unit value; standard = own relative value x unit value x coefficient; amount = what curve and rules
    pay. The parts of a difference are the differences of these steps over the cases that both policies pay, and the amounts of
    cases that only one of them pays (docs/payment.md).

    Examples
    --------
    >>> import drgsim
    >>> case = {"drg": "FR25", "total_cost": 12000, "insurance": "employee", "hospital_level": "3"}
    >>> found = drgsim.atlas([case], policies=["guangxi*", "guilin/*", "nanning/*", "harbin/2024"], weights_from="national")
    >>> found.to_arrow()["policy"].to_pylist()
    ['guilin/2024', 'nanning/2024']
    """
    check_word("--weights-from", weights_from, (NATIONAL, HISTORY))
    check_word("--insurance", insurance, INSURANCES)
    chosen = _chosen(policies, reference)
    inputs = Inputs()
    known = inputs.hospitals(hospitals)
    table, notes = inputs.discharges(cases, scheme or SCHEME, reading)
    read = _as_asked(read_cases(table, known, "rate"), hospital, level, insurance)
    loaded = [load_policy(name) for name in chosen]
    given = None
    if weights is not None:
        given = inputs.weighed(load_policy(NATIONAL_POLICY), weights, None)[0].prices  # a policy that counts in weights
    common = common_weights(read, weights_from, given)
    entries, left_out = settle_everywhere(read, loaded, common, own=own_tables, progress=progress)
    if not entries:
        raise InputError(
            [
                Problem(reason.code, text("{policy}: {reason}", policy=policy.id, reason=reason.what))
                for policy, reason in left_out
            ]
        )
    return Atlas(entries, left_out, _reference(entries, reference), common, [*notes, *_told(entries, common)], inputs)


def _chosen(patterns: Sequence[str], reference: str) -> list[str]:
    """Names of policies that fit one of the patterns, and the reference."""
    every = policy_names()
    wanted = [patterns] if isinstance(patterns, str) else list(patterns)
    chosen = [name for name in every if not wanted or any(fnmatch(name, pattern) for pattern in wanted)]
    if not chosen:
        fix = did_you_mean(wanted[0], every) or text("patterns are names with * and ?, such as sichuan* or */2026")
        raise UsageError([Problem("atlas-no-policy", text("no policy fits {wanted}", wanted=", ".join(wanted)), fix=fix)])
    if reference != MEDIAN and reference not in every:
        fix = did_you_mean(reference, every) or text("drgsim policy list names them")
        raise UsageError(
            [
                Problem(
                    "atlas-unknown-reference",
                    text("there is no policy {reference!r} to compare with", reference=reference),
                    fix=fix,
                )
            ]
        )
    return chosen if reference in (MEDIAN, *chosen) else [*chosen, reference]


def _reference(entries: Sequence[AtlasEntry], name: str) -> AtlasEntry:
    if name == MEDIAN:
        return median_entry(entries)
    found = next((entry for entry in entries if entry.policy.id == name), None)
    if found is None:
        what = text("{name} pays none of the cases, and nothing can be compared with it", name=name)
        raise UsageError([Problem("atlas-unknown-reference", what, fix=text("choose another one, or median"))])
    return found


def _as_asked(cases: Cases, hospital: str | None, level: str | None, insurance: str | None) -> Cases:
    """The cases of one hospital, at another level or payer."""
    if hospital is not None:
        if hospital not in cases.hospital.values:
            fix = did_you_mean(hospital, cases.hospital.values) or text("hospital_id names it")
            raise InputError(
                [Problem("atlas-no-cases", text("no case is of the hospital {hospital!r}", hospital=hospital), fix=fix)]
            )
        cases = cases.take(np.flatnonzero(cases.hospital.ids == cases.hospital.values.index(hospital)))
    if cases.size == 0:
        raise InputError([Problem("atlas-no-cases", text("there are no cases"), fix=text("give discharges"))])
    if level is not None:
        if not level_known(level):
            raise UsageError(
                [Problem("atlas-unknown-level", text("{level!r} is no level", level=level), fix=level_hint(level))]
            )
        cases = replace(cases, level=np.zeros(cases.size, np.int32), levels=[level_keys(level)])
    if insurance is not None:
        cases = replace(cases, insurance=np.full(cases.size, INSURANCES.index(insurance), np.int8))
    return cases


def _told(entries: Sequence[AtlasEntry], common: CommonWeights) -> list[str]:
    """How relative values were found, for all policies at once."""
    own = [entry.policy.id for entry in entries if entry.weights == OWN]
    notes: list[str] = [
        text(
            "common weights: {label}; they serve {count} policies",
            label=common.label,
            count=sum(entry.weights == COMMON for entry in entries),
        )
    ]
    if common.filled:
        notes.append(
            text("{count} groups without such a weight take one from the costs of these cases", count=len(common.filled))
        )
    if own:
        notes.append(
            text(
                "their own tables know the cases and serve {count} policies; the same code may be another group there",
                count=len(own),
            )
        )
    assumed = sum(any(problem.code == "settle-assumed-class" for problem in entry.settlement.problems) for entry in entries)
    if assumed:
        notes.append(
            text(
                "{assumed} policies go by hospital classes of their own, which are assumed from the level (table terms)",
                assumed=assumed,
            )
        )
    return notes

"""Records that two schemes group differently: all of them by pairs of groups, with a smallest record for each pair.

Both schemes become formulas over one record. A SAT solver looks for a record of few codes whose groups differ; the pair of
groups is then ruled out and the search goes on, first with one code, then with two, and so on. When nothing is left without a
bound on the number of codes, the list is complete; when nothing was found, the schemes are equal. Each record is grouped by
both reference groupers before it is told.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from drgsim.errors import UsageError, did_you_mean
from drgsim.language import text
from drgsim.units.drg.drg_reference import Discharge, GroupTrace, Trace, trace_discharge
from drgsim.units.proof.clauses import TRUE, Clauses, Model, TimeIsUp
from drgsim.units.proof.code_classes import SchemeLists
from drgsim.units.proof.record_literals import RecordLiterals
from drgsim.units.proof.regrouping import Regrouping, RegroupingOrder
from drgsim.units.proof.rule_literals import GroupLiterals, RuleLiterals
from drgsim.units.schemes.scheme import UNGROUPED, Scheme

BOUNDED = 8  # codes beside the principal diagnosis up to which a record is the smallest; what needs more may not be
PLACES = ("mdc", "adrg", "drg", "dx")
Progress = Callable[[int, int], None]  # differences so far, codes of a record that are being tried


@dataclass(frozen=True)
class Witness:
    """A smallest record that two schemes group differently.

    Attributes
    ----------
    discharge
        The record.
    before, after
        What the reference groupers did with it.
    """

    discharge: Discharge
    before: Trace
    after: Trace

    @property
    def traces(self) -> tuple[Trace, Trace]:
        """Both traces."""
        return self.before, self.after

    @property
    def codes(self) -> int:
        """Number of codes of the record."""
        return len(self.discharge.diagnoses) + len(self.discharge.procedures)


@dataclass
class SchemeProof:
    """What was found.

    Attributes
    ----------
    before, after
        Ids of the schemes.
    level
        What was compared: ``drg``, ``adrg`` or ``mdc``.
    witnesses
        One for each pair of groups that some record has, those of the fewest codes first.
    complete
        Whether all pairs were found; without any, the schemes are then equal. False when time or the number asked for ran out.
    classes
        Number of classes of codes that the rules of both schemes tell apart, by variable.
    seconds
        Wall time.
    """

    before: str
    after: str
    level: str = "drg"
    witnesses: list[Witness] = field(default_factory=list)
    complete: bool = False
    classes: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def equal(self) -> bool:
        """Whether it is proved that both schemes give every record the same group (of this level)."""
        return self.complete and not self.witnesses


def prove_schemes(
    before: Scheme,
    after: Scheme,
    where: Mapping[str, str] | None = None,
    *,
    level: str = "drg",
    most: int | None = None,
    seconds: float = 600.0,
    progress: Progress | None = None,
) -> SchemeProof:
    """Find a smallest record for every pair of groups that two schemes give one record, or prove that there is none.

    Parameters
    ----------
    before, after
        The schemes.
    where
        ``mdc``, ``adrg``, ``drg``: records that one of the schemes puts there; ``dx``: how the principal diagnosis begins.
    level
        What is compared: ``drg``, or ``adrg`` or ``mdc`` alone.
    most
        Number of pairs after which to stop; None for all.
    seconds
        Time after which to stop.
    progress
        Told of every pair.

    Raises
    ------
    UsageError
        ``prove-not-installed``, ``prove-unknown-place``, ``prove-nowhere``.

    Examples
    --------
    >>> from drgsim.units.schemes.pack import load_scheme
    >>> scheme = load_scheme("chs-drg-2.0")
    >>> prove_schemes(scheme, scheme).equal
    True
    """
    started = time.monotonic()
    search = _Search((before, after), where or {}, level, started + seconds)
    proof = SchemeProof(
        before.id, after.id, level, classes={name: len(role.members) for name, role in search.record.roles.items()}
    )
    try:
        for witness in search.witnesses():
            proof.witnesses.append(witness)
            if progress:
                progress(len(proof.witnesses), search.allowed + 1)
            if most is not None and len(proof.witnesses) >= most:
                break
        else:
            proof.complete = True
    except TimeIsUp:
        pass
    proof.witnesses.sort(key=lambda each: (each.codes, each.before.drg, each.after.drg))
    proof.seconds = time.monotonic() - started
    return proof


class _Search:
    def __init__(self, schemes: tuple[Scheme, Scheme], where: Mapping[str, str], level: str, until: float) -> None:
        self.schemes, self.level, self.until = schemes, level, until
        self.clauses = Clauses()
        lists = [SchemeLists(number, scheme) for number, scheme in enumerate(self.schemes)]
        _check_places(where, self.schemes)
        self.record = RecordLiterals(self.clauses, lists, where.get("dx", ""))
        self.rules = [RuleLiterals(self.record, number, each) for number, each in enumerate(lists)]
        self.again: dict[int, Regrouping] = {}
        drgs = [self._groups(number) for number in range(2)]
        self.order = RegroupingOrder(self.again[0], self.again[1]) if len(self.again) == 2 else None
        self.allowed = 0
        for place in PLACES[:3]:
            if place in where:
                self.clauses.add(*self._placed(drgs, place, where[place]))
        self.groups = [self._of_level(number, found) for number, found in enumerate(drgs)]
        first, second = self.groups
        differ = (self.clauses.all_of([literal, -second.get(code, -TRUE)]) for code, literal in first.items())
        self.clauses.add(self.clauses.any_of(differ))

    def _groups(self, number: int) -> GroupLiterals:
        whole = self.rules[number].first_group(self.record.views["procedures"])
        if not self.schemes[number].regroup:
            return whole
        self.again[number] = Regrouping(self.rules[number])
        return self.again[number].groups(whole)

    def _of_level(self, number: int, found: GroupLiterals) -> dict[str, int]:
        """Literals of the groups of the level that is compared."""
        groups: dict[str, list[int]] = {}
        for code, literal in found.groups.items():
            groups.setdefault(_above(self.schemes[number], code, self.level), []).append(literal)
        return {code: self.clauses.any_of(literals) for code, literals in groups.items()}

    def _placed(self, drgs: list[GroupLiterals], place: str, code: str) -> Iterator[int]:
        for scheme, found in zip(self.schemes, drgs, strict=True):
            for drg, literal in found.groups.items():
                if _above(scheme, drg, place) in (code, f"MDC{code}" if place == "mdc" else code):
                    yield literal

    @cached_property
    def _more_codes(self) -> list[int]:
        """Literals ``at least 1``, ``at least 2``, ... codes beside the principal diagnosis."""
        return self.clauses.counted(self.record.codes(), BOUNDED + 1)

    def witnesses(self) -> Iterator[Witness]:
        """One record for each pair of groups, those of the fewest codes first."""
        while self._model([]) is not None:
            bound = [-self._more_codes[self.allowed]] if self.allowed < len(self._more_codes) else []
            for assumed in ([*bound, self.record.plain], [*bound, self.record.sensible], bound):
                yield from self._all(assumed)
            if not bound:
                return
            self.allowed += 1

    def _all(self, assumed: list[int]) -> Iterator[Witness]:
        """Records under these assumptions, one for each pair of groups; a pair that was found is ruled out."""
        while (model := self._model(assumed)) is not None:
            pair = [next(code for code, literal in each.items() if literal in model) for each in self.groups]
            witness = self._witness(model)
            found = [_above(s, t.drg, self.level) for s, t in zip(self.schemes, witness.traces, strict=True)]
            if found != pair:
                self._refine(model, pair, witness)
                continue
            self.clauses.add(*(-each[code] for each, code in zip(self.groups, pair, strict=True)))
            yield witness

    def _model(self, assumed: list[int]) -> Model | None:
        return self.clauses.solve(assumed, self.until)

    def _witness(self, model: Model) -> Witness:
        discharge = self.record.record(model)
        first = self.order.classes(model) if self.order else [each.first_procedure(model) for each in self.again.values()]
        others = discharge.procedures[1:]
        for number in reversed([number for number in first if number]):
            members = self.record.roles["QTSS"].members[number]
            others = tuple(sorted(others, key=lambda code: code not in members))
        discharge = replace(discharge, procedures=(*discharge.procedures[:1], *others))
        return Witness(discharge, *(trace_discharge(discharge, scheme) for scheme in self.schemes))

    def _refine(self, model: Model, pair: list[str], witness: Witness) -> None:
        """Say what the formulas leave open of schemes that group again; else formulas and reference contradict each other."""
        answers = [trace.drg for trace in witness.traces]
        open_yet = [number for number in self.again if pair[number] == UNGROUPED and answers[number] != UNGROUPED]
        if not any(self.again[number].refine(model) for number in open_yet):
            ids = [scheme.id for scheme in self.schemes]
            raise RuntimeError(
                text(
                    "the proof expects {pair} of {ids}, the references answer {answers}: {discharge}",
                    pair=pair,
                    ids=ids,
                    answers=answers,
                    discharge=witness.discharge,
                )
            )


def _above(scheme: Scheme, drg: str, level: str) -> str:
    """Code of the MDC, ADRG or DRG that a DRG is in; no group is in none."""
    if level == "drg" or drg == UNGROUPED:
        return drg
    adrg = scheme.drgs[drg].adrg
    return adrg if level == "adrg" else scheme.adrgs[adrg].mdc


def _check_places(where: Mapping[str, str], schemes: tuple[Scheme, Scheme]) -> None:
    for level, code in where.items():
        if level not in PLACES:
            what = text("records cannot be chosen by {level!r}", level=level)
            raise UsageError.single(
                "prove-unknown-place", what, fix=text("choose one of {places}: --where mdc=F", places=", ".join(PLACES))
            )
        known = {
            "mdc": [name for s in schemes for m in s.mdcs for name in (m.code, m.code.removeprefix("MDC"))],
            "adrg": [name for s in schemes for name in s.adrgs],
            "drg": [name for s in schemes for name in s.drgs],
            "dx": [name for s in schemes for name in s.book.diagnoses.codes],
        }[level]
        if not any(name.startswith(code) if level == "dx" else name == code for name in known):
            what = text(
                "neither {first} nor {second} has {level}={code}",
                first=schemes[0].id,
                second=schemes[1].id,
                level=level,
                code=code,
            )
            raise UsageError.single("prove-nowhere", what, fix=did_you_mean(code, known))


def deciding_path(trace: Trace) -> list[GroupTrace]:
    """MDC, ADRG and DRG that a trace ends in; nothing where no group holds."""
    path: list[GroupTrace] = []
    groups = trace.tried
    while trace.drg != UNGROUPED and groups:
        path.append(groups[-1])
        groups = groups[-1].tried
    return path

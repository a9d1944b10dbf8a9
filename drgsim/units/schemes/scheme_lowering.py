"""Lower a scheme to the flat integer arrays that the kernel walks.

Rules become nodes and code lists bits as :mod:`drgsim.units.schemes.rule_lowering` tells. Candidate rows are found before any
rule is evaluated, by two necessary conditions worked out here once:

* given only the principal diagnosis, the rules of the MDC and of the ADRG do not contradict it (three-valued evaluation);
* an ADRG whose rule is false without procedures needs at least one procedure from one of its lists.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drgsim.records.encode import CodeTable, build_code_table
from drgsim.units.schemes.rule_language import (
    Always,
    And,
    CodeIn,
    CountCodes,
    CountSites,
    Not,
    Or,
    Rule,
    asserted,
    tests_something,
    variables_of,
    walk,
)
from drgsim.units.schemes.rule_lowering import RuleLowering, classes_of, listed, set_bit, words_of
from drgsim.units.schemes.scheme import Scheme

NO, MAYBE, YES = 0, 1, 2


class SchemeArrays(NamedTuple):
    """What the kernel reads. ``class`` arrays are indexed by code id + 2, so that EMPTY and UNKNOWN need no test.

    Word counts: ``wd`` for diagnosis bits, ``wp`` for procedure bits, ``wr`` for ADRG rows, ``we`` for exclusion lists.
    """

    dx_class: NDArray[np.int32]
    dx_bits: NDArray[np.int64]  # (classes, wd)
    dx_rows: NDArray[np.int64]  # (classes, wr): ADRG rows that this principal diagnosis leaves possible
    dx_mdc: NDArray[np.int32]  # (classes,): MDC whose own list names this principal diagnosis, or -1
    dx_level: NDArray[np.int8]  # by code: 0 none, 1 CC, 2 MCC
    dx_exclusion: NDArray[np.int32]  # by code: number of the exclusion list, or -1
    exclusion_class: NDArray[np.int32]
    exclusion_bits: NDArray[np.int64]  # (classes, we): exclusion lists that hold this principal diagnosis
    op_class: NDArray[np.int32]
    op_bits: NDArray[np.int64]  # (classes, wp)
    op_rows_principal: NDArray[np.int64]  # (classes, wr): rows that name this procedure as principal procedure
    op_rows_other: NDArray[np.int64]  # (classes, wr): rows that name it as another procedure
    row_needs_op: NDArray[np.int64]  # (wr,)
    row_base: NDArray[np.int64]  # (8,): where each of BIT_ROWS starts in the scratch words, then the text bits, then the end
    severity_bits: NDArray[np.int64]  # (3, 2): word and shift of MCC, CC, either in the QTZD row
    nodes: NDArray[np.int32]  # (n, 6): kind, comparison, a, b, next node if it holds, next node if not
    node_values: NDArray[np.float64]
    site_bits: NDArray[np.int32]  # (n, 2): word and shift, for node ranges of sites(...)
    counts: NDArray[np.int32]  # (n, 3): row of variables, word and shift of the list (-1 and level mask for MCC, CC)
    mdc_entry: NDArray[np.int32]
    mdc_asks: NDArray[np.bool_]  # whether the rule of the MDC tests anything, so that holding tells something
    row_mdc: NDArray[np.int32]
    row_entry: NDArray[np.int32]
    row_ambiguous: NDArray[np.bool_]
    row_first_drg: NDArray[np.int32]  # (rows + 1,)
    drg_entry: NDArray[np.int32]
    drg_row: NDArray[np.int32]
    regroup: NDArray[np.bool_]  # (1,): group again with each other procedure alone


@dataclass(frozen=True)
class CompiledScheme:
    """A scheme ready for batches.

    Attributes
    ----------
    id, digest
        Of the scheme that it was compiled from.
    arrays
        Flat arrays for the kernel.
    diagnoses, procedures
        Tables that turn spelled codes into ids.
    mdc_codes, adrg_codes, drg_codes, drg_names
        By MDC number, ADRG row and DRG row.
    text_words
        For LYFS and RYKS: the word lists of the rules, by bit number.
    variables
        Variables that some rule asks for.
    reference_weights
        Name of the payment table whose weights give a CMI, or empty.
    """

    id: str
    digest: str
    arrays: SchemeArrays
    diagnoses: CodeTable
    procedures: CodeTable
    mdc_codes: tuple[str, ...]
    adrg_codes: tuple[str, ...]
    drg_codes: tuple[str, ...]
    drg_names: tuple[str, ...]
    text_words: Mapping[str, tuple[tuple[str, ...], ...]]
    variables: frozenset[str]
    reference_weights: str


def lower_scheme(scheme: Scheme) -> CompiledScheme:
    """Lower a scheme; :func:`drgsim.units.schemes.compiled_scheme.compile_scheme` keeps the result."""
    return SchemeLowering(scheme).lower()


# -- lowering --------------------
class SchemeLowering(RuleLowering):
    def __init__(self, scheme: Scheme) -> None:
        super().__init__(
            scheme.book, scheme.sets, scheme.severities, scheme.exclusions, [rule for _, rule in scheme.rules()]
        )  # fmt: skip
        self.scheme = scheme
        self.mdcs = scheme.mdcs
        self.rows = [(number, adrg) for number, mdc in enumerate(self.mdcs) for adrg in mdc.adrgs]
        self.drgs = [(row, drg) for row, (_, adrg) in enumerate(self.rows) for drg in adrg.drgs]

    def lower(self) -> CompiledScheme:
        scheme = self.scheme
        entries = [
            np.array([self.entry(rule) for rule in rules], np.int32)
            for rules in (
                [mdc.rule for mdc in self.mdcs],
                [adrg.rule for _, adrg in self.rows],
                [drg.rule for _, drg in self.drgs],
            )
        ]
        dx_class, dx_bits = classes_of(self.dx.table())
        op_class, op_bits = classes_of(self.op.table())
        level, exclusion, exclusion_class, exclusion_bits = self.severities()
        first_drg = np.searchsorted([row for row, _ in self.drgs], np.arange(len(self.rows) + 1))
        arrays = SchemeArrays(
            dx_class=dx_class,
            dx_bits=dx_bits,
            dx_rows=self.possible_rows(dx_bits),
            dx_mdc=self.claiming_mdc(dx_bits),
            dx_level=level,
            dx_exclusion=exclusion,
            exclusion_class=exclusion_class,
            exclusion_bits=exclusion_bits,
            op_class=op_class,
            op_bits=op_bits,
            op_rows_principal=self.naming_rows(op_bits, "ZYSS"),
            op_rows_other=self.naming_rows(op_bits, "QTSS"),
            row_needs_op=self.rows_needing_procedure(),
            **self.graph_arrays(),
            mdc_entry=entries[0],
            mdc_asks=np.array([tests_something(mdc.rule) for mdc in self.mdcs]),
            row_mdc=np.array([mdc for mdc, _ in self.rows], np.int32),
            row_entry=entries[1],
            row_ambiguous=np.array([adrg.kind == "ambiguous" for _, adrg in self.rows]),
            row_first_drg=first_drg.astype(np.int32),
            drg_entry=entries[2],
            drg_row=np.array([row for row, _ in self.drgs], np.int32),
            regroup=np.array([scheme.regroup == "each_other_procedure"]),
        )
        return CompiledScheme(
            id=scheme.id,
            digest=scheme.digest,
            arrays=arrays,
            diagnoses=build_code_table(scheme.book.diagnoses),
            procedures=build_code_table(scheme.book.procedures),
            mdc_codes=tuple(mdc.code for mdc in self.mdcs),
            adrg_codes=tuple(adrg.code for _, adrg in self.rows),
            drg_codes=tuple(drg.code for _, drg in self.drgs),
            drg_names=tuple(drg.name for _, drg in self.drgs),
            text_words=self.texts(),
            variables=frozenset(name for _, rule in scheme.rules() for name in variables_of(rule)),
            reference_weights=scheme.reference_weights,
        )

    # -- candidates --------------------
    def possible_rows(self, dx_bits: NDArray[np.int64]) -> NDArray[np.int64]:
        """Per class of principal diagnosis: rows whose rules it does not contradict."""

        def known(test: Rule) -> NDArray[np.int8]:
            if isinstance(test, CodeIn) and "ZYZD" in test.variables:
                hit = listed(dx_bits, self.dx.bit(test.sets))
                return np.where(hit, YES, NO if test.variables == ("ZYZD",) else MAYBE).astype(np.int8)
            return np.full(len(dx_bits), MAYBE, np.int8)

        rows = np.zeros((len(dx_bits), words_of(len(self.rows))), np.int64)
        by_mdc = [_evaluate(mdc.rule, known) for mdc in self.mdcs]
        for row, (mdc, adrg) in enumerate(self.rows):
            set_bit(rows, np.minimum(by_mdc[mdc], _evaluate(adrg.rule, known)) != NO, row)
        return rows

    def claiming_mdc(self, dx_bits: NDArray[np.int64]) -> NDArray[np.int32]:
        """Per class of principal diagnosis: first MDC that names it in a list of its own rule, -1 for none."""
        claims = np.full(len(dx_bits), -1, np.int32)
        for number, mdc in reversed(list(enumerate(self.mdcs))):
            for test in asserted(mdc.rule):
                if isinstance(test, CodeIn) and "ZYZD" in test.variables:
                    claims[listed(dx_bits, self.dx.bit(test.sets))] = number
        return claims

    def naming_rows(self, op_bits: NDArray[np.int64], variable: str) -> NDArray[np.int64]:
        """Per class of procedure: rows that name it in a list asked of ``variable``."""
        rows = np.zeros((len(op_bits), words_of(len(self.rows))), np.int64)
        for row, (mdc, adrg) in enumerate(self.rows):
            for rule in (self.mdcs[mdc].rule, adrg.rule):
                for test in walk(rule):
                    if isinstance(test, CodeIn | CountCodes) and variable in test.variables:
                        set_bit(rows, listed(op_bits, self.op.bit(test.sets)), row)
                    elif isinstance(test, CountSites) and variable in test.variables:
                        for name in test.sets:
                            set_bit(rows, listed(op_bits, self.op.bit([name])), row)
        return rows

    def rows_needing_procedure(self) -> NDArray[np.int64]:
        """Rows that cannot hold unless some procedure is in one of their lists."""

        def without(test: Rule) -> NDArray[np.int8]:
            asks = variables_of(test)
            if not asks & {"ZYSS", "QTSS"}:
                return np.array([MAYBE], np.int8)
            if isinstance(test, CountCodes | CountSites):
                return np.array([YES if _holds(0, test.operator, test.value) else NO], np.int8)
            return np.array([NO], np.int8)

        rows = np.zeros((1, words_of(len(self.rows))), np.int64)
        for row, (mdc, adrg) in enumerate(self.rows):
            if min(_evaluate(self.mdcs[mdc].rule, without)[0], _evaluate(adrg.rule, without)[0]) == NO:
                set_bit(rows, 0, row)
        return np.asarray(rows[0])


def _holds(left: float, operator: str, right: float) -> bool:
    return {
        ">=": left >= right,
        "<=": left <= right,
        ">": left > right,
        "<": left < right,
        "=": left == right,
        "<>": left != right,
    }[operator]


def _evaluate(rule: Rule, known: Callable[[Rule], NDArray[np.int8]]) -> NDArray[np.int8]:
    """Three-valued value of a rule: NO < MAYBE < YES, ``and`` is the minimum and ``or`` the maximum."""
    match rule:
        case Not(inner):
            return YES - _evaluate(inner, known)
        case And(rules):
            return np.asarray(np.minimum.reduce([_evaluate(part, known) for part in rules]))
        case Or(rules):
            return np.asarray(np.maximum.reduce([_evaluate(part, known) for part in rules]))
        case Always():
            return np.full_like(known(rule), YES)
    return known(rule)

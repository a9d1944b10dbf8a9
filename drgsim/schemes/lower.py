"""Lower a scheme to the flat integer arrays that the kernel walks.

Code lists become bits: each diagnosis (procedure) code has a class, each class a row of bits, one bit per list that holds
the code. Rules become nodes of a decision graph: a node tests one thing and names the node to go to when it holds and the one
when it does not.
Candidate rows are found before any rule is evaluated, by two necessary conditions worked out here once:

* given only the principal diagnosis, the rules of the MDC and of the ADRG do not contradict it (three-valued evaluation);
* an ADRG whose rule is false without procedures needs at least one procedure from one of its lists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from drgsim.records.codes import CodeList
from drgsim.records.encode import CodeTable, build_code_table
from drgsim.schemes.model import Scheme
from drgsim.schemes.rules import (
    NUMBER_VARIABLES,
    SEVERITY_SETS,
    TEXT_VARIABLES,
    Always,
    And,
    CodeIn,
    Compare,
    CountCodes,
    CountSites,
    Not,
    Or,
    Rule,
    TextIn,
    asserted,
    tests_something,
    variables_of,
    walk,
)

WORD = 62  # bits used of each int64 word, so that no operation ever meets the sign bit
_LEVELS = {"CC": 1, "MCC": 2}
ACCEPT, REJECT = -1, -2  # node targets that end a rule
NODE_BIT, NODE_NUMBER, NODE_SITES = range(3)
COMPARISON_IDS = {">=": 0, "<=": 1, ">": 2, "<": 3, "=": 4, "<>": 5}
# rows of bits that the kernel prepares for each discharge; a CodeIn test reads one bit of one row
BIT_ROWS = (("ZYZD",), ("QTZD",), ("QTZD", "ZYZD"), ("ZYSS",), ("QTSS",), ("QTSS", "ZYSS"))
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
    """Lower a scheme; :func:`drgsim.schemes.compile.compile_scheme` keeps the result."""
    return _Lowering(scheme).lower()


# -- bits --------------------
def _words(bits: int) -> int:
    return max(1, -(-bits // WORD))


def _set_bit(table: NDArray[np.int64], index: Any, bit: int) -> None:
    table[index, bit // WORD] |= np.int64(1) << np.int64(bit % WORD)


def _classes(table: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Classes of equal rows; class 0 has no bits, and stands for EMPTY and UNKNOWN at indices 0 and 1."""
    padded = np.vstack([np.zeros((2, table.shape[1]), np.int64), table])
    rows, inverse = np.unique(padded, axis=0, return_inverse=True)
    inverse = inverse.reshape(-1)
    empty = inverse[0]
    swap = np.arange(len(rows))
    swap[[0, empty]] = [empty, 0]  # its own inverse
    return swap[inverse].astype(np.int32), np.ascontiguousarray(rows[swap])


class _Side:
    """Bits of the lists of one side (diagnoses or procedures), unions of lists included."""

    def __init__(self, codes: CodeList, sets: Mapping[str, frozenset[str]]) -> None:
        self.codes = codes
        self.sets = sets
        self.ids = {code: number for number, code in enumerate(codes.codes)}
        self.bits: dict[tuple[str, ...], int] = {}

    def bit(self, names: Iterable[str]) -> int:
        return self.bits.setdefault(tuple(sorted(set(names))), len(self.bits))

    def table(self) -> NDArray[np.int64]:
        table = np.zeros((len(self.codes.codes), _words(len(self.bits))), np.int64)
        for names, bit in self.bits.items():
            if names[0] not in SEVERITY_SETS:
                members = {self.ids[code] for name in names for code in self.sets[name]}
                _set_bit(table, np.fromiter(members, np.int64, len(members)), bit)
        return table


def _listed(table: NDArray[np.int64], bit: int) -> NDArray[np.bool_]:
    return (table[:, bit // WORD] >> np.int64(bit % WORD)) & 1 == 1


# -- lowering --------------------
class _Lowering:
    def __init__(self, scheme: Scheme) -> None:
        self.scheme = scheme
        self.dx = _Side(scheme.book.diagnoses, scheme.sets)
        self.op = _Side(scheme.book.procedures, scheme.sets)
        self.nodes: dict[tuple[int, int, int, int, int, int, float], int] = {}
        self.sites: list[tuple[int, int]] = []
        self.counts: list[tuple[int, int, int]] = []
        self.text_words: dict[str, list[tuple[str, ...]]] = {name: [] for name in TEXT_VARIABLES}
        self.mdcs = scheme.mdcs
        self.rows = [(number, adrg) for number, mdc in enumerate(self.mdcs) for adrg in mdc.adrgs]
        self.drgs = [(row, drg) for row, (_, adrg) in enumerate(self.rows) for drg in adrg.drgs]

    def lower(self) -> CompiledScheme:
        scheme = self.scheme
        self.number_bits()
        entries = [
            np.array([self.entry(rule) for rule in rules], np.int32)
            for rules in (
                [mdc.rule for mdc in self.mdcs],
                [adrg.rule for _, adrg in self.rows],
                [drg.rule for _, drg in self.drgs],
            )
        ]
        dx_class, dx_bits = _classes(self.dx.table())
        op_class, op_bits = _classes(self.op.table())
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
            row_base=self.row_base,
            severity_bits=np.array([divmod(self.dx.bits[names], WORD) for names in (("MCC",), ("CC",), ("CC", "MCC"))]),
            nodes=np.array([node[:6] for node in self.nodes], np.int32).reshape(-1, 6),
            node_values=np.array([node[6] for node in self.nodes], np.float64),
            site_bits=np.array(self.sites, np.int32).reshape(-1, 2),
            counts=np.array(self.counts, np.int32).reshape(-1, 3),
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
            text_words={name: tuple(words) for name, words in self.text_words.items()},
            variables=frozenset(name for _, rule in scheme.rules() for name in variables_of(rule)),
            reference_weights=scheme.reference_weights,
        )

    def side(self, variables: tuple[str, ...]) -> _Side:
        return self.dx if variables[0] in BIT_ROWS[2] else self.op

    # -- decision graph --------------------
    def number_bits(self) -> None:
        """Give every list that a rule asks for its bit, before widths are known."""
        for names in (("MCC",), ("CC",), ("CC", "MCC")):
            self.dx.bit(names)
        for _, rule in self.scheme.rules():
            for test in walk(rule):
                if isinstance(test, CodeIn | CountCodes):
                    self.side(test.variables).bit(test.sets)
                elif isinstance(test, CountSites):
                    for name in test.sets:
                        self.side(test.variables).bit([name])
        widths = [_words(len(side.bits)) for side in (self.dx, self.dx, self.dx, self.op, self.op, self.op)]
        self.row_base = np.cumsum([0, *widths, len(TEXT_VARIABLES)]).astype(np.int64)

    def place(self, variables: tuple[str, ...], sets: Iterable[str]) -> tuple[int, int]:
        """Scratch word and shift of the bit that says whether some code of ``variables`` is in ``sets``."""
        word, shift = divmod(self.side(variables).bit(sets), WORD)
        return int(self.row_base[BIT_ROWS.index(tuple(sorted(variables)))]) + word, shift

    def entry(self, rule: Rule) -> int:
        return self.target(rule, ACCEPT, REJECT)

    def target(self, rule: Rule, yes: int, no: int) -> int:
        """Node that decides ``rule`` and goes to ``yes`` or ``no``."""
        match rule:
            case Always():
                return yes
            case Not(inner):
                return self.target(inner, no, yes)
            case And(rules):
                for part in reversed(rules):
                    yes = self.target(part, yes, no)
                return yes
            case Or(rules):
                for part in reversed(rules):
                    no = self.target(part, yes, no)
                return no
            case CodeIn(variables, sets):
                return self.node(NODE_BIT, 0, *self.place(variables, sets), yes, no)
            case Compare(variable, operator, value):
                column = NUMBER_VARIABLES.index(variable)
                return self.node(NODE_NUMBER, COMPARISON_IDS[operator], column, 0, yes, no, value)
            case TextIn(variable, words):
                known = self.text_words[variable]
                if words not in known:
                    known.append(words)
                word = int(self.row_base[6]) + TEXT_VARIABLES.index(variable)
                return self.node(NODE_BIT, 0, word, known.index(words), yes, no)
            case CountCodes(sets, variables, operator, value):
                column = len(NUMBER_VARIABLES) + self.count(variables, sets)
                return self.node(NODE_NUMBER, COMPARISON_IDS[operator], column, 0, yes, no, value)
            case CountSites(sets, variables, operator, value):
                start = len(self.sites)
                self.sites += [self.place(variables, [name]) for name in sets]
                return self.node(NODE_SITES, COMPARISON_IDS[operator], start, len(self.sites), yes, no, value)
        raise TypeError(f"not a rule: {rule!r}")

    def count(self, variables: tuple[str, ...], sets: tuple[str, ...]) -> int:
        """Number of a ``length(...)``; the kernel counts each of them once per discharge."""
        row = BIT_ROWS.index(tuple(sorted(variables)))
        if sets[0] in SEVERITY_SETS:  # levels are no lists of codes: -1 stands for the word, a mask of levels for the shift
            entry = (row, -1, sum(_LEVELS[name] for name in set(sets)))
        else:
            entry = (row, *divmod(self.side(variables).bit(sets), WORD))
        if entry not in self.counts:
            self.counts.append(entry)
        return self.counts.index(entry)

    def node(self, kind: int, comparison: int, a: int, b: int, yes: int, no: int, value: float = 0.0) -> int:
        return self.nodes.setdefault((kind, comparison, a, b, yes, no, value), len(self.nodes))

    # -- CC and MCC --------------------
    def severities(self) -> tuple[NDArray[np.int8], NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]:
        ids, count = self.dx.ids, len(self.dx.codes.codes)
        numbers = {name: number for number, name in enumerate(sorted(self.scheme.exclusions))}
        level = np.zeros(count + 2, np.int8)
        exclusion = np.full(count + 2, -1, np.int32)
        for code, severity in self.scheme.severities.items():
            level[ids[code] + 2] = 2 if severity.level == "MCC" else 1
            exclusion[ids[code] + 2] = numbers.get(severity.exclusion, -1)
        table = np.zeros((count, _words(len(numbers))), np.int64)
        for name, codes in self.scheme.exclusions.items():
            _set_bit(table, np.array([ids[code] for code in codes], np.int64), numbers[name])
        return level, exclusion, *_classes(table)

    # -- candidates --------------------
    def possible_rows(self, dx_bits: NDArray[np.int64]) -> NDArray[np.int64]:
        """Per class of principal diagnosis: rows whose rules it does not contradict."""

        def known(test: Rule) -> NDArray[np.int8]:
            if isinstance(test, CodeIn) and "ZYZD" in test.variables:
                hit = _listed(dx_bits, self.dx.bit(test.sets))
                return np.where(hit, YES, NO if test.variables == ("ZYZD",) else MAYBE).astype(np.int8)
            return np.full(len(dx_bits), MAYBE, np.int8)

        rows = np.zeros((len(dx_bits), _words(len(self.rows))), np.int64)
        by_mdc = [_evaluate(mdc.rule, known) for mdc in self.mdcs]
        for row, (mdc, adrg) in enumerate(self.rows):
            _set_bit(rows, np.minimum(by_mdc[mdc], _evaluate(adrg.rule, known)) != NO, row)
        return rows

    def claiming_mdc(self, dx_bits: NDArray[np.int64]) -> NDArray[np.int32]:
        """Per class of principal diagnosis: first MDC that names it in a list of its own rule, -1 for none."""
        claims = np.full(len(dx_bits), -1, np.int32)
        for number, mdc in reversed(list(enumerate(self.mdcs))):
            for test in asserted(mdc.rule):
                if isinstance(test, CodeIn) and "ZYZD" in test.variables:
                    claims[_listed(dx_bits, self.dx.bit(test.sets))] = number
        return claims

    def naming_rows(self, op_bits: NDArray[np.int64], variable: str) -> NDArray[np.int64]:
        """Per class of procedure: rows that name it in a list asked of ``variable``."""
        rows = np.zeros((len(op_bits), _words(len(self.rows))), np.int64)
        for row, (mdc, adrg) in enumerate(self.rows):
            for rule in (self.mdcs[mdc].rule, adrg.rule):
                for test in walk(rule):
                    if isinstance(test, CodeIn | CountCodes) and variable in test.variables:
                        _set_bit(rows, _listed(op_bits, self.op.bit(test.sets)), row)
                    elif isinstance(test, CountSites) and variable in test.variables:
                        for name in test.sets:
                            _set_bit(rows, _listed(op_bits, self.op.bit([name])), row)
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

        rows = np.zeros((1, _words(len(self.rows))), np.int64)
        for row, (mdc, adrg) in enumerate(self.rows):
            if min(_evaluate(self.mdcs[mdc].rule, without)[0], _evaluate(adrg.rule, without)[0]) == NO:
                _set_bit(rows, 0, row)
        return rows[0]


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
            return np.minimum.reduce([_evaluate(part, known) for part in rules])
        case Or(rules):
            return np.maximum.reduce([_evaluate(part, known) for part in rules])
        case Always():
            return np.full_like(known(rule), YES)
    return known(rule)

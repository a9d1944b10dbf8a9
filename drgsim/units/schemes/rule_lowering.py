"""Lower rules to nodes of a decision graph, and the code lists that they name to bits.

Code lists become bits: each diagnosis (procedure) code has a class, each class a row of bits, one bit per list that holds
the code. Rules become nodes of a decision graph: a node tests one thing and names the node to go to when it holds and the one
when it does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drgsim.records.code_dictionaries import CodeBook, CodeList
from drgsim.units.schemes.rule_language import (
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
    walk,
)
from drgsim.units.schemes.scheme import Severity

WORD = 62  # bits used of each int64 word, so that no operation ever meets the sign bit
_LEVELS = {"CC": 1, "MCC": 2}
ACCEPT, REJECT = -1, -2  # node targets that end a rule
NODE_BIT, NODE_NUMBER, NODE_SITES = range(3)
COMPARISON_IDS = {">=": 0, "<=": 1, ">": 2, "<": 3, "=": 4, "<>": 5}
# rows of bits that the kernel prepares for each discharge; a CodeIn test reads one bit of one row
BIT_ROWS = (("ZYZD",), ("QTZD",), ("QTZD", "ZYZD"), ("ZYSS",), ("QTSS",), ("QTSS", "ZYSS"))


def words_of(bits: int) -> int:
    return max(1, -(-bits // WORD))


def set_bit(table: NDArray[np.int64], index: Any, bit: int) -> None:
    table[index, bit // WORD] |= np.int64(1) << np.int64(bit % WORD)


def classes_of(table: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Classes of equal rows; class 0 has no bits, and stands for EMPTY and UNKNOWN at indices 0 and 1."""
    padded = np.vstack([np.zeros((2, table.shape[1]), np.int64), table])
    rows, inverse = np.unique(padded, axis=0, return_inverse=True)
    inverse = inverse.reshape(-1)
    empty = inverse[0]
    swap = np.arange(len(rows))
    swap[[0, empty]] = [empty, 0]  # its own inverse
    return swap[inverse].astype(np.int32), np.ascontiguousarray(rows[swap])


class ListBits:
    """Bits of the lists of one side (diagnoses or procedures), unions of lists included."""

    def __init__(self, codes: CodeList, sets: Mapping[str, frozenset[str]]) -> None:
        self.codes = codes
        self.sets = sets
        self.ids = {code: number for number, code in enumerate(codes.codes)}
        self.bits: dict[tuple[str, ...], int] = {}

    def bit(self, names: Iterable[str]) -> int:
        return self.bits.setdefault(tuple(sorted(set(names))), len(self.bits))

    def table(self) -> NDArray[np.int64]:
        table = np.zeros((len(self.codes.codes), words_of(len(self.bits))), np.int64)
        for names, bit in self.bits.items():
            if names[0] not in SEVERITY_SETS:
                members = {self.ids[code] for name in names for code in self.sets[name]}
                set_bit(table, np.fromiter(members, np.int64, len(members)), bit)
        return table


def listed(table: NDArray[np.int64], bit: int) -> NDArray[np.bool_]:
    return np.asarray((table[:, bit // WORD] >> np.int64(bit % WORD)) & 1 == 1)


class RuleLowering:
    """Gives every list that some rules name its bit, then turns rules into nodes.

    Parameters
    ----------
    book
        Code lists by which records are encoded.
    sets
        Code lists that the rules name.
    severities, exclusions
        MCC and CC entries, and the principal diagnoses that take them away.
    rules
        Every rule that will be lowered.
    numbers
        Names of the number variables, in the order of the columns that the kernel gets.
    """

    def __init__(
        self,
        book: CodeBook,
        sets: Mapping[str, frozenset[str]],
        severities: Mapping[str, Severity],
        exclusions: Mapping[str, frozenset[str]],
        rules: Iterable[Rule],
        numbers: tuple[str, ...] = NUMBER_VARIABLES,
    ) -> None:
        self.dx = ListBits(book.diagnoses, sets)
        self.op = ListBits(book.procedures, sets)
        self.levels = severities
        self.exclusions = exclusions
        self.rules = tuple(rules)
        self.numbers = numbers
        self.nodes: dict[tuple[int, int, int, int, int, int, float], int] = {}
        self.sites: list[tuple[int, int]] = []
        self.counts: list[tuple[int, int, int]] = []
        self.text_words: dict[str, list[tuple[str, ...]]] = {name: [] for name in TEXT_VARIABLES}
        self.number_bits()

    def side(self, variables: tuple[str, ...]) -> ListBits:
        return self.dx if variables[0] in BIT_ROWS[2] else self.op

    # -- decision graph --------------------
    def number_bits(self) -> None:
        """Give every list that a rule asks for its bit, before widths are known."""
        for names in (("MCC",), ("CC",), ("CC", "MCC")):
            self.dx.bit(names)
        for rule in self.rules:
            for test in walk(rule):
                if isinstance(test, CodeIn | CountCodes):
                    self.side(test.variables).bit(test.sets)
                elif isinstance(test, CountSites):
                    for name in test.sets:
                        self.side(test.variables).bit([name])
        widths = [words_of(len(side.bits)) for side in (self.dx, self.dx, self.dx, self.op, self.op, self.op)]
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
                column = self.numbers.index(variable)
                return self.node(NODE_NUMBER, COMPARISON_IDS[operator], column, 0, yes, no, value)
            case TextIn(variable, words):
                return self.node(NODE_BIT, 0, *self.text_place(variable, words), yes, no)
            case CountCodes(sets, variables, operator, value):
                column = len(self.numbers) + self.count(variables, sets)
                return self.node(NODE_NUMBER, COMPARISON_IDS[operator], column, 0, yes, no, value)
            case CountSites(sets, variables, operator, value):
                start = len(self.sites)
                self.sites += [self.place(variables, [name]) for name in sets]
                return self.node(NODE_SITES, COMPARISON_IDS[operator], start, len(self.sites), yes, no, value)
        raise TypeError(f"not a rule: {rule!r}")

    def text_place(self, variable: str, words: tuple[str, ...]) -> tuple[int, int]:
        """Scratch word and shift of the bit that says whether a text is among ``words``."""
        known = self.text_words[variable]
        if words not in known:
            known.append(words)
        return int(self.row_base[6]) + TEXT_VARIABLES.index(variable), known.index(words)

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

    # -- arrays --------------------
    def graph_arrays(self) -> dict[str, NDArray[Any]]:
        """Nodes and counts as arrays, once every rule is lowered."""
        return {
            "row_base": self.row_base,
            "severity_bits": np.array([divmod(self.dx.bits[names], WORD) for names in (("MCC",), ("CC",), ("CC", "MCC"))]),
            "nodes": np.array([node[:6] for node in self.nodes], np.int32).reshape(-1, 6),
            "node_values": np.array([node[6] for node in self.nodes], np.float64),
            "site_bits": np.array(self.sites, np.int32).reshape(-1, 2),
            "counts": np.array(self.counts, np.int32).reshape(-1, 3),
        }

    def texts(self) -> dict[str, tuple[tuple[str, ...], ...]]:
        """For LYFS and RYKS: the word lists of the rules, by bit number."""
        return {name: tuple(words) for name, words in self.text_words.items()}

    # -- CC and MCC --------------------
    def severities(self) -> tuple[NDArray[np.int8], NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]:
        ids, count = self.dx.ids, len(self.dx.codes.codes)
        numbers = {name: number for number, name in enumerate(sorted(self.exclusions))}
        level = np.zeros(count + 2, np.int8)
        exclusion = np.full(count + 2, -1, np.int32)
        for code, severity in self.levels.items():
            level[ids[code] + 2] = 2 if severity.level == "MCC" else 1
            exclusion[ids[code] + 2] = numbers.get(severity.exclusion, -1)
        table = np.zeros((count, words_of(len(numbers))), np.int64)
        for name, codes in self.exclusions.items():
            set_bit(table, np.array([ids[code] for code in codes], np.int64), numbers[name])
        return level, exclusion, *classes_of(table)

"""A DRG scheme as data for a page: the flat arrays of the kernel, the names of its groups, its rules as small trees."""

from __future__ import annotations

from typing import Any

from drgsim.page.packed_arrays import halved, halved_graph, halved_place, packed
from drgsim.page.page_codes import local_codes
from drgsim.units.schemes.rule_language import (
    SEVERITY_SETS,
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
    print_rule,
)
from drgsim.units.schemes.scheme import Scheme
from drgsim.units.schemes.scheme_lowering import CompiledScheme, SchemeLowering

_HALVED = ("dx_bits", "dx_rows", "op_bits", "op_rows_principal", "op_rows_other", "exclusion_bits", "row_needs_op")
_AS_THEY_ARE = (
    "dx_class", "dx_mdc", "dx_level", "dx_exclusion", "exclusion_class", "op_class", "mdc_entry", "mdc_asks", "row_mdc",
    "row_entry", "row_ambiguous", "row_first_drg", "drg_entry", "drg_row", "regroup",
)  # fmt: skip


def page_scheme(scheme: Scheme) -> dict[str, Any]:
    """A scheme as JSON can hold it.

    Returns
    -------
    dict
        ``unit`` ("drg"), ``id``, ``title``, ``digest``, ``arrays`` (see :mod:`drgsim.page.packed_arrays`), ``mdcs``, ``adrgs``
        and ``drgs`` with code, name, rule and its tree, ``words`` of texts that rules compare, ``variables`` that they ask
        for, and ``local`` codes that follow those of the national dictionaries.
    """
    lowering = SchemeLowering(scheme)
    compiled = lowering.lower()
    return {
        "unit": "drg",
        "id": scheme.id,
        "title": {"zh": scheme.title_zh, "en": scheme.title_en},
        "digest": scheme.digest,
        "arrays": {name: packed(array) for name, array in _arrays(compiled).items()},
        "mdcs": [[mdc.code, mdc.name, print_rule(mdc.rule), tree(mdc.rule, lowering)] for mdc in scheme.mdcs],
        "adrgs": [
            [adrg.code, adrg.name, adrg.kind, print_rule(adrg.rule), tree(adrg.rule, lowering)] for _, adrg in lowering.rows
        ],
        "drgs": [[drg.code, drg.name, print_rule(drg.rule), tree(drg.rule, lowering)] for _, drg in lowering.drgs],
        "words": {name: [list(group) for group in groups] for name, groups in compiled.text_words.items()},
        "variables": sorted(compiled.variables),
        "local": local_codes(scheme.book),
        "notes": list(scheme.notes),
        "coverage": dict(scheme.coverage),
    }


def _arrays(compiled: CompiledScheme) -> dict[str, Any]:
    arrays = compiled.arrays
    return (
        {name: getattr(arrays, name) for name in _AS_THEY_ARE}
        | {name: halved(getattr(arrays, name)) for name in _HALVED}
        | halved_graph(arrays)
    )


def tree(rule: Rule, lowering: Any) -> list[Any]:
    """A rule as a tree that a page can evaluate and explain; the first entry says what it is.

    ``["in", variables, sets, word, shift]``, ``["compare", variable, column, operator, value]``, ``["text", variable, words,
    word, shift]``, ``["count", sets, variables, column, operator, value, [word, shift] or None]``, ``["sites", [[word, shift,
    set], ...], variables, operator, value]``, ``["not", tree]``, ``["and", tree, ...]``, ``["or", tree, ...]``, ``["always"]``.
    Words and shifts are those of the scratch words of a record (of a count: of the row of a code's class); columns those of
    its numbers.
    """
    match rule:
        case Always():
            return ["always"]
        case Not(inner):
            return ["not", tree(inner, lowering)]
        case And(rules):
            return ["and", *(tree(part, lowering) for part in rules)]
        case Or(rules):
            return ["or", *(tree(part, lowering) for part in rules)]
        case CodeIn(variables, sets):
            return ["in", list(variables), list(sets), *halved_place(*lowering.place(variables, sets))]
        case Compare(variable, operator, value):
            return ["compare", variable, lowering.numbers.index(variable), operator, value]
        case TextIn(variable, words):
            return ["text", variable, list(words), *halved_place(*lowering.text_place(variable, words))]
        case CountCodes(sets, variables, operator, value):
            column = len(lowering.numbers) + lowering.count(variables, sets)
            levels = sets[0] in SEVERITY_SETS
            listed = None if levels else halved_place(*divmod(lowering.side(variables).bit(sets), 62))
            return ["count", list(sets), list(variables), column, operator, value, listed]
        case CountSites(sets, variables, operator, value):
            places = [[*halved_place(*lowering.place(variables, [name])), name] for name in sets]
            return ["sites", places, list(variables), operator, value]
    raise TypeError(f"not a rule: {rule!r}")

"""Which principal diagnoses a scheme takes in one sex only, read off its rules."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drgsim.units.schemes.rule_language import CodeIn, Compare, Rule, asserted, variables_of
from drgsim.units.schemes.scheme import Mdc, Scheme
from drgsim.units.schemes.scheme_lowering import MAYBE, NO, YES, _evaluate, _holds

SEX_VARIABLE = "XB"


def one_sex_diagnoses(scheme: Scheme) -> NDArray[np.int8]:
    """Sex (1 male, 2 female) that the rules ask for when a code is principal diagnosis; 0 where both may do.

    A sex may do when an MDC that lists the code does not refuse it and, among that MDC's groups in their order, a real
    group is possible before an ambiguous one is certain. An MDC whose rules never ask for the sex takes both.

    Returns
    -------
    array of int8
        By code id of ``scheme.book.diagnoses``.
    """
    codes = scheme.book.diagnoses.codes
    ids = {code: number for number, code in enumerate(codes)}
    members: dict[tuple[str, ...], NDArray[np.bool_]] = {}

    def listed(sets: tuple[str, ...]) -> NDArray[np.bool_]:
        if sets not in members:
            hit = np.zeros(len(codes), np.bool_)
            hit[[ids[code] for name in sets for code in scheme.sets.get(name, ()) if code in ids]] = True
            members[sets] = hit
        return members[sets]

    def value(rule: Rule, sex: int) -> NDArray[np.int8]:
        def known(test: Rule) -> NDArray[np.int8]:
            if isinstance(test, CodeIn) and "ZYZD" in test.variables:
                return np.where(listed(test.sets), YES, NO if test.variables == ("ZYZD",) else MAYBE).astype(np.int8)
            if isinstance(test, Compare) and test.variable == SEX_VARIABLE:
                return np.full(len(codes), YES if _holds(sex, test.operator, test.value) else NO, np.int8)
            return np.full(len(codes), MAYBE, np.int8)

        return _evaluate(rule, known)

    def takes(mdc: Mdc, claimed: NDArray[np.bool_], sex: int) -> NDArray[np.bool_]:
        open_ = claimed & (value(mdc.rule, sex) != NO)
        taken = np.zeros(len(codes), np.bool_)
        for adrg in mdc.adrgs:
            answer = value(adrg.rule, sex)
            if adrg.kind != "ambiguous":
                taken |= open_ & (answer != NO)
            open_ = open_ & (answer != YES)
        return taken

    allowed = np.zeros((3, len(codes)), np.bool_)
    for mdc in scheme.mdcs:
        claims = [t for t in asserted(mdc.rule) if isinstance(t, CodeIn) and "ZYZD" in t.variables]
        claimed = np.logical_or.reduce([listed(t.sets) for t in claims]) if claims else np.zeros(len(codes), np.bool_)
        asks = any(SEX_VARIABLE in variables_of(rule) for rule in (mdc.rule, *(adrg.rule for adrg in mdc.adrgs)))
        for sex in (1, 2):
            allowed[sex] |= takes(mdc, claimed, sex) if asks else claimed
    return np.select([allowed[1] & ~allowed[2], allowed[2] & ~allowed[1]], [1, 2], 0).astype(np.int8)

"""Codes that a DIP catalogue excludes (排除列表): diagnoses and procedures that may not be principal, or do not count.

``excluded_codes.csv`` lists them one by one; combinations that are excluded are lines of ``kinds.csv``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from drgsim.errors import did_you_mean
from drgsim.language import text
from drgsim.records.code_dictionaries import CodeBook
from drgsim.units.dip.code_patterns import begins, matching_codes, plain_code
from drgsim.units.schemes.pack_part import PackPart
from drgsim.units.schemes.pack_tables import Row

EXCLUDED_COLUMNS = ("code_type", "code", "use", "only_with")
NEVER_PRINCIPAL, CONSERVATIVE, ONLY_WITH = "never_principal", "conservative", "principal_only_with"
USES = {
    NEVER_PRINCIPAL: text("may not be principal 不可作为主要诊断或主要手术操作"),
    CONSERVATIVE: text("counts as no procedure 按保守治疗入组"),
    ONLY_WITH: text("may be the principal procedure with some diagnoses only 限主要诊断范围"),
}
MOST_SCOPES = 62  # bits of a word
_USES_OF = {"diagnosis": (NEVER_PRINCIPAL,), "procedure": tuple(USES)}


@dataclass(frozen=True)
class ExcludedCodes:
    """The codes by use.

    Attributes
    ----------
    diagnoses
        May not be the principal diagnosis of a kind.
    conservative
        Procedures that count as not done.
    never_principal
        Procedures that may not be the principal one.
    only_with
        Procedure -> patterns of principal diagnoses with which it may be the principal procedure.
    """

    diagnoses: frozenset[str] = frozenset()
    conservative: frozenset[str] = frozenset()
    never_principal: frozenset[str] = frozenset()
    only_with: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.diagnoses or self.conservative or self.never_principal or self.only_with)

    @property
    def scopes(self) -> tuple[tuple[str, ...], ...]:
        """The different ranges of principal diagnoses."""
        return tuple(dict.fromkeys(self.only_with.values()))

    def use_of(self, procedure: str) -> str:
        """Use of a procedure, empty for one that is not listed."""
        if procedure in self.conservative:
            return CONSERVATIVE
        if procedure in self.never_principal:
            return NEVER_PRINCIPAL
        return ONLY_WITH if procedure in self.only_with else ""

    def may_be_principal(self, procedure: str, diagnosis: str) -> bool:
        """Whether a procedure may be the principal one with a principal diagnosis.

        Examples
        --------
        >>> listed = ExcludedCodes(only_with={"44.1300x001": ("K20-K93",)})
        >>> [listed.may_be_principal("44.1300x001", dx) for dx in ("K29.500", "I10.x00")]
        [True, False]
        """
        use = self.use_of(procedure)
        if use == ONLY_WITH:
            return any(begins(diagnosis, pattern) for pattern in self.only_with[procedure])
        return not use


def read_excluded(part: PackPart, rows: Sequence[Row], book: CodeBook, name: str = "excluded_codes.csv") -> ExcludedCodes:
    """The rows of ``excluded_codes.csv``; everything that is wrong with them goes to the problems of the part."""
    found: dict[str, set[str]] = {"diagnosis": set(), CONSERVATIVE: set(), NEVER_PRINCIPAL: set()}
    only_with: dict[str, tuple[str, ...]] = {}
    for line, (code_type, code, use, scope) in enumerate(rows, start=2):
        where = f"{name}:{line}"
        allowed = _USES_OF.get(code_type)
        if allowed is None:
            part.wrong(
                "dip-unknown-use",
                text("code_type is {code_type!r}", code_type=code_type),
                where,
                fix=text("use diagnosis or procedure"),
            )
            continue
        if use not in allowed:
            fix = did_you_mean(use, allowed) or f"use {', '.join(allowed)}"
            part.wrong(
                "dip-unknown-use",
                text("{code}: use of a {code_type} is {use!r}", code=code, code_type=code_type, use=use),
                where,
                fix=fix,
            )
            continue
        codes = book.diagnoses if code_type == "diagnosis" else book.procedures
        number = codes.find(code)
        if number < 0:
            part.wrong(
                "dip-unknown-code",
                text("{code} is no {code_type} that the dictionaries know", code=code, code_type=code_type),
                where,
            )
            continue
        patterns = tuple(plain_code(one) for one in scope.split("|") if one.strip())
        if bool(patterns) != (use == ONLY_WITH):
            fix = (
                text("give the principal diagnoses, such as K20-K93|I85") if use == ONLY_WITH else text("leave only_with empty")
            )
            part.wrong(
                "dip-excluded-scope",
                text("{code}: only_with is {scope!r} for {use}", code=code, scope=scope, use=use),
                where,
                fix=fix,
            )
        for pattern in patterns:
            if not matching_codes(pattern, book.diagnoses):
                part.wrong(
                    "dip-unknown-code", text("{code}: no diagnosis begins with {pattern}", code=code, pattern=pattern), where
                )
        spelled = codes.codes[number]
        if use == ONLY_WITH:
            only_with[spelled] = patterns
        else:
            found["diagnosis" if code_type == "diagnosis" else use].add(spelled)
    if len(set(only_with.values())) > MOST_SCOPES:
        what = text("{name} has more than {most_scopes} different only_with", name=name, most_scopes=MOST_SCOPES)
        part.wrong("dip-excluded-scope", what, name, fix=text("join those that differ little"))
    return ExcludedCodes(
        frozenset(found["diagnosis"]), frozenset(found[CONSERVATIVE]), frozenset(found[NEVER_PRINCIPAL]), only_with
    )

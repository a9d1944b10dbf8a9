"""Read rules of the national grouping workbook; every error tells the character at which a rule stops making sense.

The grammar stands in :mod:`drgsim.units.schemes.rule_language`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from drgsim.language import text
from drgsim.units.schemes.rule_language import (
    COMPARISONS,
    DIAGNOSIS_VARIABLES,
    NUMBER_VARIABLES,
    PROCEDURE_VARIABLES,
    SEVERITY_SETS,
    TEXT_VARIABLES,
    Always,
    CodeIn,
    Compare,
    CountCodes,
    CountSites,
    Not,
    Rule,
    TextIn,
    all_of,
    any_of,
)

_DEEPEST = 50  # the deepest official rule nests 4 times
_SHOWN = 60  # characters around the place of the trouble


class RuleSyntaxError(ValueError):
    """A rule that cannot be read, with the place of the trouble."""

    def __init__(self, message: str, rule: str, position: int) -> None:
        self.reason = message
        self.text = rule
        self.position = position
        start = max(0, position - _SHOWN)
        around = rule[start : position + _SHOWN]
        super().__init__(
            text(
                "{message} at character {position}\n  {around}\n  {mark}",
                message=message,
                position=position + 1,
                around=around,
                mark=" " * (position - start) + "^",
            )
        )


class _Token(NamedTuple):
    kind: str  # "word", "number", "sign" or "end"
    text: str
    position: int


_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<number>\d+(?:\.\d+)?(?![A-Za-z0-9_.\u4e00-\u9fff]))"
    r"|(?P<word>[A-Za-z0-9_.\u4e00-\u9fff]+)|(?P<sign>>=|<=|<>|[(){},;∩<>=])"
)
# one character each, so that positions stay those of the user's text
_SAME_WIDTH = str.maketrans("（）｛｝，；＞＜＝、\u3000\u00a0\r\n\t", "(){},;><=,     ")
_JOINED = str.maketrans({"≥": ">=", "≤": "<=", "≠": "<>"})


def _clean(text: str) -> str:
    return text.replace("_x000D_", " ").translate(_SAME_WIDTH).translate(_JOINED)


def _tokens(rule: str) -> Iterator[_Token]:
    position = 0
    while position < len(rule):
        match = _TOKEN.match(rule, position)
        if match is None:
            raise RuleSyntaxError(text("unexpected character {sign!r}", sign=rule[position]), rule, position)
        if match.lastgroup != "space":
            yield _Token(str(match.lastgroup), match.group(), position)
        position = match.end()
    yield _Token("end", "", len(rule))


class _Parser:
    def __init__(self, text: str, numbers: tuple[str, ...]) -> None:
        self.numbers = numbers
        self.text = _clean(text)
        self.tokens = list(_tokens(self.text))
        self.at = 0
        self.depth = 0

    # -- tokens --------------------
    @property
    def token(self) -> _Token:
        return self.tokens[self.at]

    def fail(self, message: str, token: _Token | None = None) -> RuleSyntaxError:
        return RuleSyntaxError(message, self.text, (token or self.token).position)

    def take(self) -> _Token:
        token = self.token
        self.at += 1
        return token

    def keyword(self, word: str) -> bool:
        if self.token.kind == "word" and self.token.text.lower() == word:
            self.at += 1
            return True
        return False

    def sign(self, sign: str) -> bool:
        if self.token.kind == "sign" and self.token.text == sign:
            self.at += 1
            return True
        return False

    def expect(self, sign: str, after: str) -> None:
        if not self.sign(sign):
            found = repr(self.token.text) if self.token.text else text("the end of the rule")
            raise self.fail(text("expected {sign!r} {after}, found {found}", sign=sign, after=after, found=found))

    # -- grammar --------------------
    def parse(self) -> Rule:
        rule = self.disjunction()
        if self.token.kind != "end":
            raise self.fail(text("expected 'and', 'or' or the end of the rule, found {word!r}", word=self.token.text))
        return rule

    def disjunction(self) -> Rule:
        rules = [self.conjunction()]
        while self.keyword("or"):
            rules.append(self.conjunction())
        return any_of(rules)

    def conjunction(self) -> Rule:
        rules = [self.unary()]
        while self.keyword("and"):
            rules.append(self.unary())
        return all_of(rules)

    def unary(self) -> Rule:
        if self.keyword("not"):
            self.depth += 1
            if self.depth > _DEEPEST:
                raise self.fail(text("more than {deepest} times 'not' inside each other", deepest=_DEEPEST))
            inner = self.unary()
            self.depth -= 1
            return Not(inner)
        if self.sign("("):
            self.depth += 1
            if self.depth > _DEEPEST:
                raise self.fail(text("more than {deepest} parentheses inside each other", deepest=_DEEPEST))
            rule = self.disjunction()
            self.depth -= 1
            self.expect(")", text("to close the parenthesis"))
            return rule
        return self.test()

    def test(self) -> Rule:
        token = self.token
        if token.kind == "number" and token.text == "1":
            self.take()
            return Always()
        word = token.text.lower()
        if token.kind == "word" and word in ("length", "sites"):
            self.take()
            return self.count(word)
        names = self.names(text("a variable"))
        first = names[0].text.upper()
        if len(names) == 1 and first in self.numbers:
            return Compare(first, self.comparison(), self.number())
        negated = self.keyword("not")
        if not self.keyword("in"):
            found = repr(self.token.text) if self.token.text else text("the end of the rule")
            wanted = text("a comparison") if first in self.numbers else text("'in' or 'not in'")
            raise self.fail(
                text("expected {wanted} after {word}, found {found}", wanted=wanted, word=names[-1].text, found=found)
            )
        rule: Rule
        if len(names) == 1 and first in TEXT_VARIABLES:
            rule = TextIn(first, tuple(name.text for name in self.names(text("a value"), braces=True)))
        else:
            variables = self.code_variables(names)
            rule = CodeIn(variables, self.code_sets(variables))
        return Not(rule) if negated else rule

    def count(self, function: str) -> Rule:
        self.expect("(", text("after {function}", function=function))
        if function == "sites":
            tokens = [self.name(text("a set"))]
            while self.sign(","):
                tokens.append(self.name(text("a set")))
            self.expect(";", text("between the sets and the variables"))
            variables = self.code_variables(self.names(text("a variable")))
            sets = self.check_sets(tokens, variables)
        else:
            left = self.names(text("a set"))
            self.expect("∩", text("inside length"))
            right = self.names(text("a variable"))
            if left[0].text.upper() in DIAGNOSIS_VARIABLES + PROCEDURE_VARIABLES:
                left, right = right, left
            variables = self.code_variables(right)
            sets = self.check_sets(left, variables)
        self.expect(")", text("to close {function}", function=function))
        shape = CountSites if function == "sites" else CountCodes
        return shape(sets, variables, self.comparison(), self.number())

    # -- pieces --------------------
    def name(self, wanted: str) -> _Token:
        if self.token.kind not in ("word", "number"):
            found = repr(self.token.text) if self.token.text else text("the end of the rule")
            raise self.fail(text("expected {wanted}, found {found}", wanted=wanted, found=found))
        return self.take()

    def names(self, wanted: str, *, braces: bool = False) -> list[_Token]:
        if not self.sign("{"):
            if braces:
                raise self.fail(text("expected '{' before the list of values"))
            return [self.name(wanted)]
        names = [self.name(wanted)]
        while self.sign(","):
            names.append(self.name(wanted))
        self.expect("}", text("to close the list"))
        return names

    def code_variables(self, names: list[_Token]) -> tuple[str, ...]:
        variables = tuple(name.text.upper() for name in names)
        for variable, token in zip(variables, names, strict=True):
            if variable not in DIAGNOSIS_VARIABLES + PROCEDURE_VARIABLES:
                known = ", ".join(DIAGNOSIS_VARIABLES + PROCEDURE_VARIABLES + self.numbers + TEXT_VARIABLES)
                raise self.fail(text("unknown variable {word!r} (known: {known})", word=token.text, known=known), token)
        if len({_side(variable) for variable in variables}) > 1:
            raise self.fail(text("diagnoses and procedures cannot be mixed in one list of variables"), names[0])
        if len(set(variables)) < len(variables):
            raise self.fail(text("a variable stands twice in the list"), names[0])
        return variables

    def code_sets(self, variables: tuple[str, ...]) -> tuple[str, ...]:
        return self.check_sets(self.names(text("a set")), variables)

    def check_sets(self, names: list[_Token], variables: tuple[str, ...]) -> tuple[str, ...]:
        for token in names:
            if token.text in SEVERITY_SETS:
                if variables != ("QTZD",):
                    raise self.fail(text("{word} can be asked of QTZD only", word=token.text), token)
                if len(names) != sum(name.text in SEVERITY_SETS for name in names):
                    raise self.fail(text("MCC and CC cannot be listed together with code sets"), token)
            elif not token.text.startswith(("DI_", "OP_")):
                raise self.fail(text("expected a set (DI_..., OP_..., MCC or CC), found {word!r}", word=token.text), token)
            elif _side(variables[0]) != token.text[:2]:
                kind = text("procedures") if token.text.startswith("OP_") else text("diagnoses")
                raise self.fail(
                    text(
                        "{word} lists {kind}, which {variable} never holds",
                        word=token.text,
                        kind=kind,
                        variable=variables[0],
                    ),
                    token,
                )
        return tuple(name.text for name in names)

    def comparison(self) -> str:
        if self.token.kind != "sign" or self.token.text not in COMPARISONS:
            raise self.fail(text("expected a comparison (>= <= > < =)"))
        return self.take().text

    def number(self) -> float:
        if self.token.kind != "number":
            raise self.fail(text("expected a number"))
        return float(self.take().text)


def _side(variable: str) -> str:
    return "DI" if variable in DIAGNOSIS_VARIABLES else "OP"


def parse_rule(text: str, numbers: tuple[str, ...] = NUMBER_VARIABLES) -> Rule:
    """Read a rule.

    Parameters
    ----------
    text
        The rule.
    numbers
        Names of the number variables; conditions of DIP catalogues know more of them than DRG rules.

    Raises
    ------
    RuleSyntaxError
        With the character at which the rule stops making sense.

    Examples
    --------
    >>> parse_rule("{ZYZD, QTZD} in DI_YR1 and XSRTL <= 28")
    And(rules=(CodeIn(variables=('ZYZD', 'QTZD'), sets=('DI_YR1',)),
               Compare(variable='XSRTL', operator='<=', value=28.0)))
    """
    return _Parser(text, numbers).parse()

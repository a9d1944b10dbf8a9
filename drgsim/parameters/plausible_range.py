"""How large a parameter may be: by the unit that its field usually has, and a limit for every number.

The limits only keep out what no policy can mean, such as a share above 1 or days beyond a life; they are our own, not official.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from decimal import Decimal

from drgsim.language import text
from drgsim.parameters.evidence import UsualUnit

MOST = 1e15  # of any number: yuan beyond it are more than all that is paid in the world


@dataclass(frozen=True)
class PlausibleRange:
    """The least and the most that a number may be; ``above``: the least itself is too little."""

    least: float = -MOST
    most: float = MOST
    above: bool = False

    def fault(self, value: float) -> str:
        """What is wrong with a number, in words; empty where nothing is."""
        if value > self.most:
            return text("is {value}, above {most:g}", value=_short(value), most=self.most)
        if value < self.least or (self.above and value == self.least):
            bound = text("is {value}, not above {least:g}", value=_short(value), least=self.least)
            return bound if self.above else text("is {value}, below {least:g}", value=_short(value), least=self.least)
        return ""


# beginning of the usual unit -> range; the first that fits counts
BY_UNIT: tuple[tuple[str, PlausibleRange], ...] = (
    ("share", PlausibleRange(0, 1)),
    ("price fall", PlausibleRange(0, 1)),
    ("ratio", PlausibleRange(0, 1e6, above=True)),  # a limit that no bill meets is a way to have none
    ("cost ratio", PlausibleRange(0, 1e6)),
    ("factor", PlausibleRange(0, 1000)),
    ("x mean cost", PlausibleRange(0, 1e6)),
    ("CV", PlausibleRange(0, 1000)),
    ("days", PlausibleRange(0, 36_500)),
    ("months", PlausibleRange(0, 24)),
    ("units of the policy per weight", PlausibleRange(0, 1e6, above=True)),
    ("weight per day", PlausibleRange(0, 36_500)),
    ("yuan per weight", PlausibleRange(0, 1e9, above=True)),
    ("yuan per", PlausibleRange(0, 1e9)),
    ("yuan a year", PlausibleRange(0, 1e13)),
    ("as the indicator", PlausibleRange()),
    ("", PlausibleRange(0, MOST)),
)


def range_of(usual: UsualUnit | None) -> PlausibleRange:
    """The range of a field.

    Examples
    --------
    >>> range_of(UsualUnit("share of the bill")), range_of(None).fault(1e16)
    (PlausibleRange(least=0, most=1, above=False), 'is 1e+16, above 1e+15')
    """
    if usual is None:
        return PlausibleRange()
    return next(each for unit, each in BY_UNIT if usual.unit.startswith(unit))


def _short(value: float) -> str:
    """A number as a reader takes it in; an integer of YAML may have hundreds of digits.

    Examples
    --------
    >>> _short(10**16), _short(10**400)
    ('1e+16', '1e+400')
    """
    return repr(float(value)) if abs(value) <= sys.float_info.max else f"{Decimal(value):.0e}"

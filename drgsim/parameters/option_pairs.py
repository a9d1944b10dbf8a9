"""Changes as they are typed on a command line: ``PATH=VALUE``."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from drgsim.errors import Problem, UsageError
from drgsim.language import text
from drgsim.parameters.changed_values import relative_change
from drgsim.parameters.strict_file import parse_value


def parse_pairs(texts: Iterable[str], code: str = "usage-no-pair", *, signed: bool = False) -> dict[str, Any]:
    """Path -> value of options ``PATH=VALUE``.

    Values are read as YAML, so that numbers, lists and mappings are what they look like; changes such as ``*1.03``, ``+5`` and
    ``-5`` stay texts; with ``signed`` a sign belongs to the number.

    Raises
    ------
    UsageError
        ``code`` for a text without ``=``, ``usage-bad-value`` for one whose value is no YAML or no finite number; all at once.

    Examples
    --------
    >>> parse_pairs(["stays.long_days=+30", "readmission={within_days: 15, factor: 0.5}", "unit_value.*=*1.03"])
    {'stays.long_days': '+30', 'readmission': {'within_days': 15, 'factor': 0.5}, 'unit_value.*': '*1.03'}
    """
    problems: list[Problem] = []
    pairs: dict[str, Any] = {}
    for pair in texts:
        path, equals, written = (part.strip() for part in pair.partition("="))
        amount = math.nan if (change := relative_change(written)) is None else change
        if not equals:
            problems.append(Problem(code, text("{pair!r} is not PATH=VALUE", pair=pair), where=pair))
        elif math.isfinite(amount) and not (signed and written[0] in "+-"):
            pairs[path] = written
        else:
            pairs[path] = _value(written, pair, problems)
    if problems:
        raise UsageError(problems)
    return pairs


def _value(written: str, where: str, problems: list[Problem]) -> Any:
    try:  # before YAML, to which 010 is eight and 5e7 a text
        number = float(written)
    except ValueError:
        return parse_value(written, "usage", problems, where)
    if not math.isfinite(number):
        problems.append(Problem("usage-bad-value", text("{written!r} is no finite number", written=written), where=where))
        return number
    return int(written) if written.isdecimal() else number

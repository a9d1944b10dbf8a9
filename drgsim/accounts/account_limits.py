"""The limits of the accounts, as parameters with evidence (``account_limits.yaml``)."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from drgsim.errors import Problem, UsageError
from drgsim.parameters.evidence import Source, Strict, Value
from drgsim.parameters.parameter_set import ParameterSet
from drgsim.parameters.strict_file import read_strict


class AccountLimits(Strict):
    """The limits."""

    sources: dict[str, Source]
    long_stay_multiple: Value[float]
    long_stay_days: Value[int]
    dear_category_multiple: Value[float]
    reference_cases: Value[int]
    review_cost_multiple: Value[float]
    review_quota: Value[float]


class _LimitsFile(ParameterSet[AccountLimits]):
    model = AccountLimits
    kind = "account limits"
    called = "the accounts"
    error = UsageError
    refusal = 2


@lru_cache(maxsize=1)
def account_limits() -> AccountLimits:
    """The limits as the file states them.

    Examples
    --------
    >>> account_limits().long_stay_multiple.value
    2.0
    """
    path = Path(__file__).with_name("account_limits.yaml")
    problems: list[Problem] = []
    raw, _ = read_strict(path, _LimitsFile.kind, problems)
    file = _LimitsFile.checked(raw, path.name, problems) if raw is not None else None
    if file is None or problems:
        raise UsageError(problems)
    return file

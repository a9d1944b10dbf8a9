"""Volume-based procurement (带量采购): what falling prices save, and what a hospital keeps of it."""

from __future__ import annotations

from collections.abc import Mapping

from drgsim.money import Number, exact, round_half_away


def kept_surplus(surplus: Mapping[str, int], kept_share: Mapping[str, Number]) -> dict[str, int]:
    """What a hospital keeps of the surplus from procurement (带量采购结余留用), by product class (rule book 4.4).

    Parameters
    ----------
    surplus
        Fen by product class.
    kept_share
        Share kept by product class, as in ``procurement.kept_share`` of a policy.

    Raises
    ------
    KeyError
        A class without a share.

    Examples
    --------
    >>> kept_surplus({"a": 120_000_000, "b": 60_000_000, "c": 20_000_000}, {"a": 1, "b": 0.7, "c": 0.5})
    {'a': 120000000, 'b': 42000000, 'c': 10000000}
    """
    return {name: round_half_away(exact(amount) * exact(kept_share[name])) for name, amount in surplus.items()}


def price_saving(cost: int, fall: Number) -> int:
    """Saving on products of a cost (fen) when their price falls by a share.

    Examples
    --------
    >>> price_saving(1_000_000, 0.383)
    383000
    """
    return round_half_away(exact(cost) * exact(fall))

"""Changes of a payment curve that a single path of the policy cannot say: the multiple K of one level, the low limit."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from drgsim.errors import DrgsimError
from drgsim.language import text
from drgsim.payment.case_class import CaseClass
from drgsim.payment.policy import Policy
from drgsim.records.vocabulary import level_keys
from drgsim.simulation.scenario import Change

MAIN = "main"


def low_piece(policy: Policy) -> str | None:
    """Path of the limit of low cases in the main curve: of the last low piece that ends at a number."""
    found = None
    for number, piece in enumerate(policy.file.curves[MAIN].pieces):
        if piece.case_class is CaseClass.LOW and isinstance(piece.upto, float | int):
            found = f"curves.{MAIN}.pieces.{number}.upto"
    return found


def change_multiple(policy: Policy, change: Change, level: str) -> tuple[Policy, tuple[float, ...], tuple[float, ...]]:
    """The policy with another multiple K, for all cases or for one hospital level, whose band is split off where it has none.

    Returns
    -------
    tuple
        The policy, and the multiples before and after.

    Raises
    ------
    DrgsimError
        The curve has no multiple, or several and one plain value is given for all.

    Examples
    --------
    >>> from drgsim.payment.policy import load_policy
    >>> from drgsim.simulation.scenario import parse_change
    >>> change = parse_change("outlier.high.multiple.tertiary", 2.5)
    >>> changed, old, new = change_multiple(load_policy("beijing/2024"), change, "3")
    >>> old, new, [(band.K, band.when.levels) for band in changed.file.curves["main"].bands]
    ((3.0,), (2.5,), [(2.5, ('3',)), (3.0, ())])
    """
    raw = deepcopy(dict(policy.raw))
    curve = raw["curves"][MAIN]
    result: list[dict[str, Any]] = []
    old: list[float] = []
    new: list[float] = []
    for band in curve.get("bands", []):
        levels = [str(name) for name in band.get("when", {}).get("levels", [])]
        inside = [name for name in levels if level in level_keys(name)]  # 3a is a level 3
        wider = not levels or bool(set(levels) & set(level_keys(level)))
        if band.get("K") is None or (level and not inside and not wider):
            result.append(band)
            continue
        old.append(float(band["K"]))
        new.append(change.apply(float(band["K"])))
        changed = {**deepcopy(band), "K": new[-1]}
        if not level or (levels and inside == levels):
            result.append(changed)
            continue
        changed["when"] = {**changed.get("when", {}), "levels": inside or [level]}
        rest = deepcopy(band)
        if inside:
            rest["when"]["levels"] = [name for name in levels if name not in inside]
        result += [changed, rest]
    if not old:
        what = text("{path}: the main curve of {policy} has no multiple", path=change.path, policy=policy.id)
        if level:
            what = text("{what} for level {level}", what=what, level=level)
        raise DrgsimError.single("scenario-out-of-scope", what, fix=text("see drgsim policy show"))
    if change.op == "set" and len(set(old)) > 1:
        listed = ", ".join(f"{value:g}" for value in old)
        what = text(
            "{path}: the bands of {policy} have the multiples {listed}", path=change.path, policy=policy.id, listed=listed
        )
        fix = text('write a factor such as "*0.9", or change one band: curves.main.bands.0.K')
        raise DrgsimError.single("scenario-out-of-scope", what, fix=fix)
    curve["bands"] = result
    return policy.rebuilt(raw, f"{change.path} {change.words}"), tuple(old), tuple(new)

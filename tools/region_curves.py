"""Curves of regions: rows of facts (limits, what is paid) as bands and pieces of a policy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tools.make_region_policies import Region

# what the facts say is paid -> the expression of a policy; slips as they are meant
PAYS = {
    "C": "actual", "S": "k", "S*k = w*R*k": "k", "m*PV": "k", "w*k*PV": "k", "s*w*k*PV": "k",
    "s*(C/A)*PV": "x", "C*PV": "x", "w*(C/m)*PV": "x", "C/A*PV": "actual", "r*w*PV (scale s missing)": "x",
    "s*(C/A)*k*PV": "x*k",
    "s*(w*k + C/A - K*w)*PV": "k + x - K", "s*(w*k + C/A - K'*w)*PV": "k + x - E", "s*w*(k + C/A - K)*PV": "k + x - K",
    "s*w*(k + r - K)*PV": "k + r - K", "w*(k + r - K)*PV": "k + r - K", "s*(C/A - (K - 1)*w*k)*PV": "x - (K - 1)*k",
    "S*(r - K + 1) = C - (K - 1)*S": "x - (K - 1)*k", "C - (K - 1)^w * k * s * PV": "x - (K - 1)*k",
    "(C - (K - 1)*m)*PV": "x - (K - 1)", "C - S": "x - k", "k*C - (K - 1)*w*k*R": "k*x - (K - 1)*k",
    "S*(1 + 0.7*(r - K))": "k*(1 + 0.7*(r - K))", "S*(1.7 + 0.5*(r - K))": "k*(1.7 + 0.5*(r - K))",
}  # fmt: skip


@dataclass
class Curve:
    """Bands and pieces as a policy file has them."""

    bands: list[dict[str, Any]]
    pieces: list[dict[str, Any]]


def plain_pieces(entry: Mapping[str, Any]) -> Curve:
    """A curve of the decisions: pieces as [class, upto, closed or open, pays]."""
    pieces = [_piece(case_class, upto, closed == "closed", str(pays)) for case_class, upto, closed, pays in entry["pieces"]]
    return Curve([dict(band) for band in entry.get("bands", [{}])], pieces)


def _piece(case_class: str, upto: float | str | None, closed: bool, pays: str) -> dict[str, Any]:
    limit = {} if upto is None else {"upto": upto, **({"closed": True} if closed else {})}
    return {"case_class": case_class, **limit, "pays": pays}


def compiled(region: Region) -> Curve:
    """The curve of a region whose rows are one low piece, and a normal and a high one for each band."""
    rows = [row for row in region.rows if row["r_from"] or row["class"] == "high"]
    low = [row for row in rows if row["class"] == "low"]
    normal, high = ([row for row in rows if row["class"] == name] for name in ("normal", "high"))
    if len(low) != 1 or len(normal) != len(high) or {row["when"] for row in normal} != {row["when"] for row in high}:
        raise SystemExit(f"{region.key}: its rows are no plain bands; state its curve in tools/region_policies.yaml")
    how = {(row["to_inclusive"], top["pays"]) for row, top in zip(normal, high, strict=True)}
    if len(how) != 1:
        raise SystemExit(f"{region.key}: its bands end or pay in different ways")
    (closed, pays) = how.pop()
    expression = PAYS[pays]
    bands = [_band(region, row["when"], float(row["r_to"]), "E" in expression) for row in normal]
    if region.spec.get("excess"):  # the multiple of the payment is 1.5 from weight 4 on
        last = bands.pop()
        bands += [{"when": {"weight_upto": 4, "closed": False}, **last}, {**last, "E": 1.5}]
    pieces = [
        _piece("low", float(low[0]["r_to"]), low[0]["to_inclusive"] == "yes", PAYS[low[0]["pays"]]),
        _piece("normal", "K", closed == "yes", "k"), _piece("high", None, False, expression.replace("E", _excess(region))),
    ]  # fmt: skip
    return Curve(bands, pieces)


def _excess(region: Region) -> str:
    return "E" if region.spec.get("excess") else "K"


def _band(region: Region, when: str, multiple: float, excess: bool) -> dict[str, Any]:
    conditions: dict[str, Any] = {}
    for part in when.split(", "):
        upto = re.fullmatch(r"(?:[\d.]+ < )?w <= ([\d.]+)", part)
        if upto:
            conditions["weight_upto"] = float(upto[1])
        elif part.startswith("level "):
            conditions["levels"] = [region.level(word) for word in part.removeprefix("level ").split(" / ")]
        elif part and not part.startswith(("w > ", "other levels")):
            raise SystemExit(f"{region.key}: {part!r} is no condition of a band")
    paid = {"E": 2.0} if excess and region.spec.get("excess") else {}
    return {**({"when": conditions} if conditions else {}), "K": multiple, **paid}

"""A page of one file: schemes, dictionaries, prices, words and scripts together."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drgsim.language import current_language
from drgsim.page.page_catalogue import page_catalogue
from drgsim.page.page_codes import page_codes
from drgsim.page.page_layouts import page_layouts
from drgsim.page.page_prices import page_prices
from drgsim.page.page_scheme import page_scheme
from drgsim.page.page_words import page_words
from drgsim.page.scripts import ENGINE, ROOMS, joined_scripts
from drgsim.payment.policy import Policy
from drgsim.records.findings import FINDINGS
from drgsim.units.dip.dip_catalogue import Catalogue
from drgsim.units.schemes.scheme import Scheme
from drgsim.version import __version__

_HERE = Path(__file__).parent
EXAMPLE = {
    "diagnoses": "I21.401|I50.900x018|I10.x00x002|E11.900", "procedures": "36.0700x004|36.0601|88.5600", "sex": "1",
    "age": "67", "los_days": "6", "total_cost": "38450.20",
}  # fmt: skip  # made up


@dataclass(frozen=True)
class PageParts:
    """What a page holds, as JSON can hold it: see :mod:`drgsim.page`."""

    data: dict[str, Any]

    @property
    def html(self) -> str:
        """The page."""
        parts = {
            "title": self.data["words"]["title"][self.data["language"]],
            "style": (_HERE / "page.css").read_text(encoding="utf-8"),
            "data": _inside_script(self.data),
            "engine": joined_scripts(ENGINE),
            "app": joined_scripts(ROOMS),
        }
        source = (_HERE / "page.html").read_text(encoding="utf-8")
        return re.sub(r"\{\{ (\w+) \}\}", lambda place: parts[place[1]], source)


def page_parts(schemes: Sequence[Scheme | Catalogue], policies: Sequence[Policy] = ()) -> PageParts:
    """The parts of a page that groups by schemes and prices by policies.

    Parameters
    ----------
    schemes
        DRG schemes and DIP catalogues, the one to begin with first.
    policies
        Each prices the groups of the scheme that it names, which must be among ``schemes``.

    Raises
    ------
    UsageError
        As :func:`drgsim.page.page_prices.page_prices`.
    """
    held = [page_scheme(each) if isinstance(each, Scheme) else page_catalogue(each) for each in schemes]
    groups = {each["id"]: _groups(each) for each in held}
    prices = []
    for policy in policies:
        scheme = policy.file.scheme or ""
        prices.append({**page_prices(policy, groups[scheme]), "schemes": [scheme]})
    return PageParts({
        "version": __version__, "language": current_language(), "schemes": held, "policies": prices, "codes": page_codes(),
        "layouts": page_layouts(), "words": page_words(), "example": EXAMPLE,
        "findings": [{"code": f.code, "kind": f.kind, "en": str(f.title), "zh": str(f.title_zh)} for f in FINDINGS],
    })  # fmt: skip


def _groups(scheme: dict[str, Any]) -> list[str]:
    rows = scheme["drgs"] if scheme["unit"] == "drg" else scheme["lines"]
    return [row[0] for row in rows]


def _inside_script(data: dict[str, Any]) -> str:
    """JSON that no text in it can end the script element with."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")

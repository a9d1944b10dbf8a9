"""Read what the name and the code of a DRG say about its condition, by the patterns of ``name_patterns.yaml``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from drgsim.language import text

ALIKE = 0.55  # a name less alike its ADRG's than this is told to the user
EXPECTED = {"MCC": ("MCC",), "ANY": ("ANY", "CC"), "NONE": ("NONE", "NOT_MCC"), "ALL": ("ALL",)}


@lru_cache(maxsize=1)
def patterns() -> Mapping[str, Any]:
    """The patterns, as ``name_patterns.yaml`` states them."""
    return dict(yaml.safe_load((Path(__file__).parent / "name_patterns.yaml").read_text(encoding="utf-8")))


@dataclass(frozen=True)
class NameReading:
    """What a row of a published list says.

    Attributes
    ----------
    name
        The name as published; where its beginning was cut off, with the name of the ADRG put back.
    severity
        MCC, CC, ANY, NOT_MCC, NONE, ALL, or empty when neither words nor suffix say it.
    conditions
        Further conditions, in the rule language.
    phrases
        The words that were read as conditions.
    unknown
        Words that no pattern reads.
    evidence
        ``derived`` or, where the words leave a limit open, ``assumption``.
    doubts
        What a reader should know.
    alike
        How alike the ADRG's part of the name is to the ADRG's name in the base, 0 to 1.
    """

    name: str
    severity: str
    conditions: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    evidence: str = "derived"
    doubts: tuple[str, ...] = ()
    alike: float = 1.0

    @property
    def wordless(self) -> bool:
        """Whether nothing but the ADRG's own name stands there, so that only the code can say what the row is."""
        return not self.phrases and not self.unknown and self.alike >= ALIKE


@dataclass
class _Found:
    severity: str = ""
    conditions: list[str] = field(default_factory=list)
    phrases: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    evidence: str = "derived"
    doubts: list[str] = field(default_factory=list)


def plain(text: str) -> str:
    """Half-width, without blanks and marks."""
    folded = unicodedata.normalize("NFKC", re.sub(patterns()["marks"], "", text))
    return re.sub(r"\s", "", folded).replace("＜", "<").strip("、,;，。")


def mend_code(code: str) -> str:
    """A DRG code with misprints of O and 0, I and 1 put right: a letter stands first and second, a digit third.

    Examples
    --------
    >>> mend_code("0Z13"), mend_code("GSI5"), mend_code("FR2A"), mend_code("0000"), mend_code("0QY")
    ('OZ13', 'GS15', 'FR2A', '0000', 'OQY')
    """
    code = plain(code).upper()
    if re.match(patterns()["not_a_group"], code) or len(code) < 3:
        return code
    letters, digits = patterns()["misprints"]["letters"], patterns()["misprints"]["digits"]
    head = letters.get(code[0], code[0]) + letters.get(code[1], code[1])
    third = code[2] if head[1:] == "Q" and code[2:] == "Y" else digits.get(code[2], code[2])
    return str(head + third + code[3:])


def read_name(name: str, suffix: str, adrg_name: str, ends: frozenset[str] = frozenset()) -> NameReading:
    """What a row says.

    Parameters
    ----------
    name, suffix
        Of the row: its name, and what follows the ADRG in its code.
    adrg_name
        Name of the ADRG in the base.
    ends
        Upper ends that other rows of the ADRG state (``14`` for ``8-14天``): they decide what ``14天以上`` means.

    Examples
    --------
    >>> read_name("脑卒中，伴严重合并症或并发症", "1", "脑卒中").severity
    'MCC'
    >>> read_name("癫痫，小于17岁，伴合并症或并发症", "7", "癫痫").conditions
    ('NL < 17',)
    """
    head, phrases, alike, cut = split_name(name, adrg_name)
    found = _Found()
    for phrase in phrases:
        _read_phrase(phrase, ends, found)
    if cut:
        found.doubts.append(text("the list cuts the name ({head}); the ADRG's name is put back", head=head))
    elif alike < ALIKE:
        found.doubts.append(text("the name differs from the ADRG's in the base ({adrg_name})", adrg_name=adrg_name))
    severity = _severity(found, suffix)
    shown = "，".join([adrg_name, *phrases]) if cut else re.sub(patterns()["marks"], "", name).strip()
    return NameReading(
        shown, severity, tuple(found.conditions), tuple(found.phrases), tuple(found.unknown), found.evidence,
        tuple(found.doubts), 1.0 if cut else alike,
    )  # fmt: skip


def _severity(found: _Found, suffix: str) -> str:
    says = patterns()["suffixes"].get(suffix, "")
    if found.conditions or found.unknown:
        return found.severity or "ALL"
    if found.severity and says and found.severity not in EXPECTED[says]:
        found.doubts.append(
            text(
                "the words ({phrases}) and the last character of the code ({suffix}) disagree; the code is followed",
                phrases="，".join(found.phrases),
                suffix=suffix,
            )
        )
        return str(says)
    return found.severity or says


def _read_phrase(phrase: str, ends: frozenset[str], found: _Found) -> None:
    for pattern in patterns()["severity"]:
        if re.fullmatch(pattern["words"], phrase):
            if found.severity and found.severity != pattern["means"]:
                found.unknown.append(phrase)
            found.severity = pattern["means"]
            found.phrases.append(phrase)
            return
    for pattern in patterns()["conditions"]:
        match = re.fullmatch(pattern["words"], phrase, re.IGNORECASE)
        if match is None:
            continue
        rule = pattern["rule"]
        if "upper_end" in pattern and match["n"] in ends:
            rule = pattern["upper_end"]
            found.doubts.append(
                text("{phrase} is read as more than {n}, since another row of the ADRG ends there", phrase=phrase, n=match["n"])
            )
        rule = rule.format(**match.groupdict())
        opened = re.sub(r"\bZYTS = 1$", "ZYTS <= 1", rule.replace("ZYTS >= 1 and ", ""))
        if opened != rule:
            found.doubts.append(text("a stay of 0 days counts as 1 day"))
        found.conditions.append(opened)
        found.phrases.append(phrase)
        if pattern.get("doubt"):
            found.doubts.append(pattern["doubt"])
        if pattern.get("evidence"):
            found.evidence = pattern["evidence"]
        return
    found.unknown.append(phrase)


def upper_ends(names: list[str]) -> frozenset[str]:
    """Numbers at which some row's condition ends."""
    return frozenset(
        end
        for name in names
        for end in re.findall(r"(?:[-—~至]|≤|<=|小于等于)(\d+)|(?<=\D)(\d+)(?=周?岁及?以下)", plain(name))
        for end in end
        if end
    )


def split_name(name: str, adrg_name: str) -> tuple[str, list[str], float, bool]:
    """The part of a name that is the ADRG's, the phrases after it, how alike the first part is, whether it is cut off."""
    text, base = plain(name), plain(adrg_name)
    parts = _split(text)
    scores = [_alike(",".join(parts[:size]), base) for size in range(1, len(parts) + 1)]
    size = max(range(len(parts)), key=lambda at: scores[at]) + 1 if parts else 0
    # a phrase that a pattern reads is never part of the ADRG's name
    readable = next((at for at, part in enumerate(parts) if at > 0 and _readable(part)), len(parts))
    size = min(size, readable)
    head, phrases = ",".join(parts[:size]), parts[size:]
    alike = _alike(head, base)
    if head.startswith(base) and head != base:
        rest = re.sub(patterns()["filler"], "", head[len(base) :]) or head[len(base) :]
        bracket = re.fullmatch(patterns()["brackets"], rest)
        return base, [bracket.group(1) if bracket else rest, *phrases], 1.0, False
    cut = head != base and 2 * len(head) >= len(base) and base.endswith(head)
    return head, phrases, alike, cut


def _split(text: str) -> list[str]:
    """Parts between commas that stand outside brackets."""
    parts, depth, start = [], 0, 0
    for at, sign in enumerate(text):
        depth += (sign in "([") - (sign in ")]")
        if depth == 0 and re.match(patterns()["comma"], sign):
            parts.append(text[start:at])
            start = at + 1
    parts.append(text[start:])
    return [part.strip("、") for part in parts if part.strip("、")]


def _readable(part: str) -> bool:
    kinds = patterns()["severity"] + patterns()["conditions"]
    return any(re.fullmatch(pattern["words"], part, re.IGNORECASE) for pattern in kinds)


def _alike(text: str, base: str) -> float:
    return 1.0 if text == base else SequenceMatcher(None, text, base, autojunk=False).ratio()

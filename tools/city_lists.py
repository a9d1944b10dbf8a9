"""Code lists of a city: those of its own groups, and what it changes in the lists of its base."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from drgsim.units.schemes.rule_language import sets_of
from drgsim.units.schemes.scheme import Scheme
from tools.city_conditions import UnreadCondition

_CODE = re.compile(r"[A-Z]?[0-9][0-9.xA-Z+*]*")
_VALID = "OP_VALID"


@dataclass
class CityLists:
    """The lists of one city.

    Attributes
    ----------
    base
        The scheme upon which the city's differences stand.
    listed
        (table, ADRG or MDC, number of the list) -> [(sign, code as the facts print it)].
    changes
        Rows of ``sets.csv`` found so far: list, code, sign.
    notes
        What was left out, and why.
    """

    base: Scheme
    listed: dict[tuple[str, str, str], list[tuple[str, str]]]
    changes: list[tuple[str, str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _named: dict[str, frozenset[str]] = field(default_factory=dict)
    _asked: set[tuple[str, str, str]] = field(default_factory=set)

    def of_group(self, drg: str, adrg: str, number: int, variable: str) -> str:
        """Name of the list that a condition of a group asks for; its codes become a list of the pack."""
        key = ("adrg", adrg, f"0.{number}")
        codes = frozenset(filter(None, (_code(text) for sign, text in self.listed.get(key, []) if sign == "+")))
        kind = "DI" if "ZD" in variable else "OP"
        if not codes or {_kind(code) for code in codes} != {kind}:
            raise UnreadCondition(f"the source does not give list {number} of {adrg}")
        self._asked.add(key)
        same = next((name for name, known in self._named.items() if known == codes and name[3:6] == adrg), None)
        if same:
            return same
        name = f"{kind}_{drg}"
        if name in self._named or name in self.base.sets:
            name = next(f"{name}_{n}" for n in range(2, 9) if f"{name}_{n}" not in {*self._named, *self.base.sets})
        self._named[name] = codes
        self.changes += [(name, code, "+") for code in codes]
        return name

    def drop_unused(self, used: set[str]) -> None:
        """Take lists away that no rule names in the end."""
        self.changes = [row for row in self.changes if row[0] not in self._named or row[0] in used]

    def change_base(self) -> None:
        """Turn what is left into changes of the lists of the base."""
        moved = self._rearranged()
        for (table, owner, number), entries in self.listed.items():
            if ("adrg", owner, number) in self._asked or owner in moved:
                continue
            if table in ("CC", "CCE"):  # fragments of names only
                continue
            for kind in ("DI", "OP"):
                rows = [(sign, code) for sign, text in entries if (code := _whole(text)) and _kind(code) == kind]
                if rows:
                    self._change(table, owner, number, kind, rows)
        cells = {text for entries in self.listed.values() for _, text in entries if len(text) > 1}
        damaged = {text.split()[0] for text in cells if not _whole(text)}
        if damaged:
            self.notes.append(
                f"cells with other text than a code are left out in changes, and read without it in lists of groups: "
                f"{', '.join(sorted(damaged))}"
            )

    def local_codes(self) -> list[tuple[str, str, str]]:
        """Codes that neither the national dictionaries nor the base have."""
        known = {"DI": set(self.base.book.diagnoses.codes), "OP": set(self.base.book.procedures.codes)}
        kinds = {"DI": "diagnosis", "OP": "procedure"}
        used = {(name[:2], code) for name, code, sign in self.changes if sign == "+"}
        return [(kinds[side], code, "") for side, code in sorted(used) if code not in known[side]]

    def _change(self, table: str, owner: str, number: str, kind: str, rows: list[tuple[str, str]]) -> None:
        name = _VALID if table == "valid_procedures" else self._base_list(table, owner, kind, rows)
        if not name:
            signs = Counter(sign for sign, _ in rows)
            shown = " ".join(f"{sign}{count}" for sign, count in sorted(signs.items()))
            self.notes.append(f"{owner}: {shown} codes left out; which list of the base they belong to is not told")
            return
        codes = self.base.sets[name]
        self.changes += [(name, code, sign) for sign, code in rows if (sign == "+") != (code in codes)]

    def _base_list(self, table: str, owner: str, kind: str, rows: Sequence[tuple[str, str]]) -> str:
        """The only list that can be meant: the principal diagnoses of an MDC, the one list of an ADRG, the one that holds
        what is taken away."""
        if table == "mdc":
            return f"DI_{owner[-1]}00" if kind == "DI" else ""
        names = sorted(sets_of(self.base.adrgs[owner].rule)) if owner in self.base.adrgs else []
        names = [name for name in names if name.startswith(kind) and name != _VALID]
        holding = [name for name in names if any(sign == "-" and code in self.base.sets[name] for sign, code in rows)]
        found = names if len(names) == 1 else holding
        return found[0] if len(found) == 1 else ""

    def _rearranged(self) -> set[str]:
        """ADRGs whose lists only changed places: what one list loses another gains."""
        found = set()
        for owner in {owner for table, owner, _ in self.listed if table == "adrg"}:
            signs: dict[str, set[str]] = {"+": set(), "-": set()}
            for (_, each, _), entries in self.listed.items():
                if each == owner:
                    for sign, text in entries:
                        signs[sign].add(text)
            if signs["+"] == signs["-"]:
                found.add(owner)
                self.notes.append(f"{owner}: the source arranges the same lists otherwise; read as unchanged")
        return found


def read_lists(base: Scheme, folder: Path) -> CityLists:
    """The differences of lists in a folder of facts (``lists_vs_*.csv``: table, id, list, change, code)."""
    listed: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
    for path in sorted(folder.glob("lists_vs_*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                key = (row["table"], row["id"], row["list"])
                listed.setdefault(key, []).append((row["change"], row["code"]))
    return CityLists(base, {key: sorted(set(entries)) for key, entries in sorted(listed.items())})


def _code(text: str) -> str:
    """The code at the beginning of a cell that may carry a Chinese name after it; empty where no code stands there."""
    found = _CODE.match(text.strip())
    after = text.strip()[found.end() :].strip() if found else "-"
    return found[0] if found and (not after or not after[0].isascii()) else ""


def _whole(text: str) -> str:
    """A cell that holds a code and nothing else."""
    return text if _CODE.fullmatch(text) else ""


def _kind(code: str) -> str:
    return "DI" if code[0].isalpha() else "OP"

"""A second matcher of the national DIP 3.0 catalogue: plain Python, written from the tables of the workbook alone.

It shares no code with the package. What the text leaves open is read as ``groupers/dip-3.0/scheme.toml`` says under [readings].
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.dip_national_tables import ROOT, Rows

ENDOSCOPY = ("A00-A09", "C15-C26", "D01", "D12", "D13", "D37", "I85", "K20-K93")
SUFFIX = {"conservative": "BSZL", "diagnostic": "ZDXCZ", "therapeutic": "ZLXCZ", "surgery": "SS"}


def within(code: str, cell: str) -> bool:
    """Whether a diagnosis is one of those of a cell: codes that it begins with, or ranges of categories."""
    for part in cell.split("|"):
        if "-" in part:
            low, high = part.split("-")
            if low <= code[:3] <= high:
                return True
        elif code.startswith(part):
            return True
    return False


def split(cell: str) -> list[set[str]]:
    """Groups of codes: one of each must be done."""
    return [set(group.split("|")) for group in cell.split("+")] if cell else []


@dataclass(frozen=True)
class Answer:
    """Code of the kind, ``0000`` for none; whether it is a primary-care case; whether kinds tied for it."""

    code: str
    primary: bool = False
    tie: bool = False


class SecondMatcher:
    """Matches a discharge by the tables."""

    def __init__(self, tables: dict[str, Rows]) -> None:
        self.tables = tables
        self.excluded = {row["code"] for row in tables["excluded_diagnoses"]}
        self.use = {row["code"]: row["use"] for row in tables["excluded_procedures"]}
        self.resistant = {row["code"] for row in tables["tb_resistant"]}
        self.classes = _classes()
        self.by_diagnosis: dict[str, dict[str, Rows]] = {"merged": {}, "basic": {}}
        for name, found in self.by_diagnosis.items():
            for row in tables[name]:
                found.setdefault(row["diagnosis"], []).append(row)

    def match(
        self, diagnoses: Sequence[str], procedures: Sequence[str], days: float | None = None, grams: float | None = None
    ) -> Answer:
        """The kind of a discharge with known diagnoses; the first diagnosis and procedure are the principal ones."""
        principal, others = diagnoses[0], diagnoses[1:]
        if principal in self.excluded:
            return Answer("0000")
        done = [code for code in procedures if self.use.get(code) != "conservative"]
        may = [place for place, code in enumerate(done) if self.may_be_principal(code, principal)]
        lead = may[0] if may else None
        pre = self.pre(diagnoses, done, lead, days, grams)
        if pre:
            return Answer(f"XQ-{pre}")
        for stage in (self.merged, self.splits, self.basic):
            fits = stage(principal, others, done, lead)
            if fits:
                best = max(rank for rank, _, _ in fits)
                chosen = [(code, plain) for rank, code, plain in fits if rank == best]
                code, plain = chosen[0]
                listed = self.primary(principal, None if lead is None else done[lead])
                return Answer(code, plain and listed, len({code for code, _ in chosen}) > 1)
        return Answer(f"{principal[:3]}:{SUFFIX[self.property_of(None if lead is None else done[lead])]}")

    def may_be_principal(self, code: str, principal: str) -> bool:
        use = self.use.get(code, "")
        return use == "" or (use == "principal_only_with" and any(within(principal, part) for part in ENDOSCOPY))

    def pre(self, diagnoses: Sequence[str], done: list[str], lead: int | None, days: float | None, grams: float | None) -> str:
        for row in self.tables["pre"]:
            if row["weight"]:
                low, high = map(int, row["weight"].split("-"))
                young = days is not None and days < 29
                if (
                    young
                    and grams is not None
                    and low <= grams < high + 1
                    and any(code.startswith("P07") for code in diagnoses)
                ):
                    return row["seq"]
            elif row["place"] == "any":
                if all(group & set(done) for group in split(row["procedures"])):
                    return row["seq"]
            elif lead is not None and done[lead] in split(row["procedures"])[0]:
                return row["seq"]
        return ""

    @staticmethod
    def fit(groups: list[set[str]], done: list[str], lead: int | None, anywhere: bool = False) -> tuple[int, bool] | None:
        """How many procedures a kind takes and whether the principal one is in its place; None where it does not fit."""
        if not groups:
            return (0, False) if lead is None else None
        in_place = lead is not None and done[lead] in groups[0]
        if not in_place and not anywhere:
            return None
        left = list(done)
        if in_place:
            assert lead is not None
            left.pop(lead)
        else:
            first = next((code for code in left if code in groups[0]), None)
            if first is None:
                return None
            left.remove(first)
        for group in groups[1:]:
            found = next((code for code in left if code in group), None)
            if found is None:
                return None
            left.remove(found)
        return len(groups), in_place

    def rank(
        self, groups: list[set[str]], done: list[str], lead: int | None, diagnosis: str, anywhere: bool = False
    ) -> tuple[int, bool, int] | None:
        """More procedures first, then the principal one in its place, then the more specific diagnosis."""
        fits = self.fit(groups, done, lead, anywhere)
        return None if fits is None else (*fits, 0 if "-" in diagnosis else len(diagnosis.split("|")[0]))

    def merged(self, principal: str, others: Sequence[str], done: list[str], lead: int | None) -> list:  # type: ignore[type-arg]
        found = []
        for dx in (principal[:3], principal[:5]):
            for row in self.by_diagnosis["merged"].get(dx, []):
                groups = split(row["procedures"]) + split(row["related"])
                rank = self.rank(groups, done, lead, row["diagnosis"])
                if rank:
                    found.append((rank, f"BX-{row['seq']}", not row["related"]))
        return sorted(found, key=lambda each: int(each[1][3:]))

    def splits(self, principal: str, others: Sequence[str], done: list[str], lead: int | None) -> list:  # type: ignore[type-arg]
        found = []
        for row in (*self.tables["burn"], *self.tables["tumour"]):
            anywhere = "related" not in row
            if within(principal, row["diagnosis"]) and any(within(code, row["other"]) for code in others):
                groups = split(row["procedures"]) + split(row.get("related", ""))
                rank = self.rank(groups, done, lead, row["diagnosis"], anywhere)
                if rank:
                    found.append((rank, f"FZ-{row['seq']}", False))
        for row in self.tables["tb"]:
            if within(principal, row["diagnosis"]):
                resistant = any(code.startswith("U84.300") for code in others)
                resistant |= row["by_principal"] == "True" and principal in self.resistant
                rank = self.rank(split(row["procedures"]), done, lead, row["diagnosis"])
                if rank and resistant == (row["resistant"] == "是"):
                    found.append((rank, f"FZ-{row['seq']}", False))
        return found

    def basic(self, principal: str, others: Sequence[str], done: list[str], lead: int | None) -> list:  # type: ignore[type-arg]
        found = []
        for dx in (principal[:3], principal[:5]):
            for row in self.by_diagnosis["basic"].get(dx, []):
                rank = self.rank(split(row["procedures"]), done, lead, row["diagnosis"])
                if rank:
                    found.append((rank, f"JC-{row['seq']}", True))
        return sorted(found, key=lambda each: int(each[1][3:]))

    def primary(self, principal: str, lead: str | None) -> bool:
        for row in self.tables["primary_care"]:
            if principal.startswith(row["diagnosis"]):
                if lead is None and not row["procedures"]:
                    return True
                if lead is not None and lead in row["procedures"].split("|"):
                    return True
        return False

    def property_of(self, lead: str | None) -> str:
        """Property of the principal procedure by the longest pattern; what has none is conservative."""
        if lead is None:
            return "conservative"
        best, name = -1, "conservative"
        for pattern, class_ in self.classes:
            low, _, high = pattern.partition("-")
            high = high or low
            if low <= lead[: len(low)] and lead[: len(high)] <= high and len(low) > best:
                best, name = len(low), class_
        return name


def _classes() -> list[tuple[str, str]]:
    path = Path(ROOT, "groupers", "icd", "operation_classes.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [(row["procedure"], row["class"]) for row in csv.DictReader(file)]

"""Cases at every limit of a policy: exactly there, one fen above and below; days, ages, dates and marks on both sides."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import count
from random import Random
from typing import Any

from tests.audit.audited_case import Given, Paid, Stay
from tests.audit.case_audit import Audit
from tests.audit.case_values import CaseValues
from tests.audit.policy_text import PolicyText

Row = dict[str, Any]
ORDINARY_LEVELS = [("3", ""), ("3a", ""), ("3", "b"), ("2", ""), ("2a", ""), ("2b", ""), ("1", "")]
MOST_GROUPS = 8
NO_GROUPS = ("", "0000", "QY")
UNUSUAL_LEVELS = [("", ""), ("九级", ""), ("0", ""), ("三级", "甲等"), ("3", "S"), ("", "A")]
COLUMNS = (
    "discharge_id",
    "hospital_id",
    "patient_id",
    "insurance",
    "hospital_level",
    "hospital_grade",
    "drg",
    "dip",
    "total_cost",
    "los_days",
    "age",
    "admitted",
    "discharged",
    "patient_paid",
    "other_paid",
    "relative_value",
    "relative_weight",
    "coefficient",
    "auxiliary_coefficient",
    "group_mean_cost",
    "incomplete",
    "special_review",
    "by_item",
    "per_diem",
    "per_diem_rate",
    "planned",
    "exempt_cost",
    "exempt_mean_cost",
    "kind",
    "discharge_way",
    "single_disease",
)


class LimitCases:
    """Rows for one policy, from its own text; ``rows`` has them all with every column of ``COLUMNS``."""

    def __init__(self, policy: PolicyText, given: Given) -> None:
        self.policy, self.given, self.random = policy, given, Random(policy.at("id"))
        self.column = "dip" if policy.at("method") == "dip" else "drg"
        self.values, self.names = CaseValues(policy, given), count(1)
        ordinary = (key for key in policy.table if key not in NO_GROUPS and not self.values.class_of(self._case(key)))
        self.ordinary = next(ordinary, "X1")
        own = sorted({hospital for hospital, _ in policy.coefficients if hospital != "*"})[:3]
        self.hospitals = ["H0", "H1", "H2", "H3", *own]
        self.rows = [self._whole(row) for row in self._all()]

    def _whole(self, row: Row) -> Row:
        return {name: row.get(name) for name in COLUMNS if name not in ("drg", "dip")} | {self.column: row["group"]}

    def _all(self) -> Iterator[Row]:
        for parts in (self._on_the_curve(), self._marked(), self._lacking(), self._around_days_and_ages(), self._netted()):
            yield from parts
        yield from self._chosen()
        for parts in (self._returning(), self._exempt(), self._reviewed(), self._courses(), self._single_diseases()):
            yield from parts

    # -- building blocks ---------------------------------------------------------------------------------------------
    def _row(self, **more: Any) -> Row:
        number = next(self.names)
        discharged = date(2026, 1, 5) + timedelta(days=number % 300)
        cost = more.get("total_cost", Decimal("8000.00"))
        row: Row = {
            "discharge_id": f"C{number}",
            "hospital_id": self.hospitals[number % len(self.hospitals)],
            "patient_id": f"P{number}",
            "insurance": "employee",
            "hospital_level": "3",
            "hospital_grade": "",
            "total_cost": cost,
            "los_days": 8,
            "age": 50,
            "admitted": discharged - timedelta(days=8),
            "discharged": discharged,
            "patient_paid": None if cost is None else _yuan(int(cost * 100) * self.random.randint(5, 60) // 100),
        }
        return row | more

    def _levels(self) -> list[tuple[str, str]]:
        text = "".join(f" {key} " for key in _keys(self.policy.raw)) + " ".join(self.policy.columns).replace("_", " ")
        own = sorted(set(re.findall(r"\b(?:[ABCS]|I{1,3}|IV|p3a)\b", text)))
        classes = list(dict.fromkeys(self.policy.at("hospital_classes.values", {}).values()))
        return ORDINARY_LEVELS + [(level, name) for name in dict.fromkeys(own + classes) for level in _beside(name)]

    def _groups(self) -> list[Row]:
        """Groups of the table: some of every tag and class, the lightest and the heaviest; without a table, weights."""
        weights = [str(limit) for limit in self._weight_limits()]
        stated = [{"group": "X1", "relative_weight": float(weight)} for weight in weights]
        if not self.policy.table:
            return stated
        by_tag: dict[str, list[str]] = {}
        for group, row in self.policy.table.items():
            by_tag.setdefault(row.get("tag", "") + row.get("kind", ""), []).append(group)
        tags = sorted(by_tag, key=lambda tag: -len(by_tag[tag]))
        chosen = [by_tag[tag][place] for place in (0, -1) for tag in tags][:MOST_GROUPS]
        return [{"group": group} for group in dict.fromkeys(chosen)] + [row | {"group": chosen[0]} for row in stated[:6]]

    def _weight_limits(self) -> list[Decimal]:
        limits = set()
        for curve in self.policy.raw["curves"].values():
            for band in curve.get("bands", []):
                if "weight_upto" in band.get("when", {}):
                    at = Decimal(band["when"]["weight_upto"])
                    limits |= {at, at - Decimal("0.0001"), at + Decimal("0.0001")}
        return sorted(limits | {Decimal("0.37"), Decimal("1.2"), Decimal("7.5")})

    def _classes(self) -> Iterator[Row]:
        """What puts a case into each class of groups: a group that the table names, a code of the policy, its own mark."""
        for entry in self.policy.raw.get("group_classes", {}).values():
            if entry.get("same_price_as"):
                kinds = (*entry.get("kinds", ()), None)
                yield from ({"group": key, "kind": kind} for key in entry["same_price_as"] for kind in kinds)
                continue
            of_table = [key for key in self.policy.table if self.values.class_of(self._case(key)) is entry]
            codes = [*entry.get("groups", []), *(f"{start}A19" for start in entry.get("starts", []))]
            for code in dict.fromkeys((*of_table[:1], *codes[:1], *codes[-1:])):
                yield {"group": code, "relative_weight": 1.2}
            yield from ({"group": self.ordinary, "kind": kind, "relative_weight": 1.2} for kind in entry.get("kinds", ()))

    def _case(self, group: str) -> Paid:
        return Paid(Stay({}), [], group)

    def _of_bands(self) -> Iterator[Row]:
        """A case in every band of every curve, with a mean cost of 10,000 and coefficient 1, so that limits are whole fen."""
        routes: list[tuple[str, Row]] = [("main", {"group": self.ordinary})]
        for row in self._classes():
            entry = self.values.class_of(Paid(Stay(row), [], row["group"]))
            routes += [(entry.get("curve", "main"), row)] if entry else []
        if incomplete := self.policy.at("stays.incomplete_curve"):
            routes.append((incomplete, {"group": self.ordinary, "incomplete": "1"}))
        for curve, row in routes:
            weight, taken = Decimal(0), set[str]()
            for band in self.policy.raw["curves"][curve].get("bands", [{}]):
                when = band.get("when", {})
                below = Decimal(0) if when.get("closed", "true") == "true" else Decimal("0.0001")
                weight = Decimal(when["weight_upto"]) - below if "weight_upto" in when else weight + 1
                at = Decimal(when["coefficient_upto"]) - below if "coefficient_upto" in when else Decimal(1)
                levels = when.get("levels") or [next(level for level in ("3", "2", "1", "0") if level not in taken)]
                payers = when.get("payers") or [next(payer for payer in ("employee", "resident") if payer not in taken)]
                for level in (levels[0], levels[-1]):
                    yield row | {
                        "group_mean_cost": 10000.0, "coefficient": float(at), "relative_weight": float(weight),
                        "insurance": payers[0], "hospital_level": level if level[:1].isdigit() else "3",
                        "hospital_grade": level if not level[:1].isdigit() else "",
                    }  # fmt: skip
                if "weight_upto" not in when:
                    weight, taken = Decimal(0), taken | set(when.get("levels", ())) | set(when.get("payers", ()))

    # -- the curve ---------------------------------------------------------------------------------------------------
    def _on_the_curve(self) -> Iterator[Row]:
        probes = []
        for group in self._groups():
            for level, grade in self._levels():
                payers = (
                    ("employee", "resident") if level == "3" and not grade else (self.random.choice(("employee", "resident")),)
                )
                probes += [self._row(**group, hospital_level=level, hospital_grade=grade, insurance=payer) for payer in payers]
            for mean, k in ((10000, 1), (7500, 1.25), (12345.67, 0.8)):
                more = {"group_mean_cost": float(mean), "coefficient": float(k), "relative_weight": 1.0}
                probes.append(self._row(**(group | more)))
        probes += [self._row(**row) for row in (*self._of_bands(), *self._classes())]
        if self.policy.says("reference.from_cases"):
            probes = [probe | {"group_mean_cost": 9000.0} for probe in probes]
        yield from self._at_limits(probes)
        if self.policy.says("reference.from_cases"):  # where the cases themselves make the mean
            for group in self._groups():
                yield from (self._row(**group, total_cost=_yuan(cost)) for cost in (100_000, 300_000, 900_000, 700_000))

    def _at_limits(self, probes: list[Row]) -> Iterator[Row]:
        """Each probe at the limits of its curve: the auditor says what its cost is compared with and where its pieces end."""
        audit = Audit(self.policy, [self._whole(probe) for probe in probes], self.given)
        for probe, case in zip(probes, audit.cases, strict=True):
            if case.used is None or case.compared is None:
                yield probe
                continue
            limits = [case.limits.get(piece.get("upto"), piece.get("upto")) for piece in case.used["pieces"]]
            costs = {100, 20_000_000}
            for limit in limits:
                if limit is not None:
                    at = Fraction(limit) * case.compared * 100
                    floor = at.numerator // at.denominator
                    costs |= {floor - 1, floor, floor + 1, floor + 2}
            for cost in sorted(cost for cost in costs if cost >= 0):
                number = next(self.names)
                yield probe | {
                    "discharge_id": f"C{number}",
                    "patient_id": f"P{number}",
                    "total_cost": _yuan(cost),
                    "patient_paid": _yuan(cost // 3),
                }

    # -- marks and faults --------------------------------------------------------------------------------------------
    def _marked(self) -> Iterator[Row]:
        for group in self._groups()[:4]:
            for mark in ("by_item", "per_diem", "incomplete", "special_review"):
                yield self._row(**group, **{mark: "1"})
                yield self._row(**group, **{mark: "1"}, insurance="self")
            yield self._row(**group, per_diem="1", per_diem_rate=250.0, los_days=30)
            yield self._row(**group, per_diem="1", per_diem_rate=333.335, los_days=3)
            for cost in ("100.00", "7000.00", "9000.00", "11000.00", "90000.00"):
                yield self._row(**group, incomplete="1", total_cost=Decimal(cost), coefficient=1.1)
                yield self._row(**group, auxiliary_coefficient=1.2, total_cost=Decimal(cost))
        for code in ("", "0000", "BQY", "QY", "ZQY", "9999", "UNLISTED"):
            for more in ({}, {"relative_weight": 1.2}, {"relative_value": 120.0}, {"los_days": 70}, {"per_diem": "1"}):
                yield self._row(group=code, **more)
            for cost in ("90.00", "900000.00"):  # a standard whatever the cost
                yield self._row(group=code, relative_weight=1.2, total_cost=Decimal(cost))
                yield self._row(group=code, group_mean_cost=9000.0, total_cost=Decimal(cost))

    def _lacking(self) -> Iterator[Row]:
        group = self._groups()[0]
        for more in (
            {"total_cost": None},
            {"total_cost": Decimal("0.00")},
            {"total_cost": Decimal("-1.00")},
            {"total_cost": Decimal("0.01")},
            {"insurance": ""},
            {"insurance": "other"},
            {"insurance": "self"},
            {"patient_paid": None},
            {"patient_paid": Decimal("-0.01")},
            {"patient_paid": Decimal("99999.00")},
            {"other_paid": Decimal("500.00")},
            {"other_paid": Decimal("-5.00")},
            {"los_days": None},
            {"age": None},
            {"discharged": None},
            {"admitted": None},
        ):
            yield self._row(**(group | more))
        for level, grade in UNUSUAL_LEVELS:
            for cost in ("500.00", "8000.00", "80000.00"):
                yield self._row(**group, hospital_level=level, hospital_grade=grade, total_cost=Decimal(cost))

    def _around_days_and_ages(self) -> Iterator[Row]:
        most = int(self.policy.fraction("stays.long_days") or 60)
        ages = [int(entry["age_below"]) for entry in self.policy.raw.get("age_factors", [])]
        for group in self._groups()[:3]:
            for cost in (Decimal("300.00"), Decimal("8000.00"), Decimal("300000.00")):
                yield from (self._row(**group, los_days=days, total_cost=cost) for days in (most - 1, most, most + 1))
                yield from (
                    self._row(**group, age=age + more, total_cost=cost)
                    for age in (*ages, 0)
                    for more in (-1, 0, 1)
                    if age + more >= 0
                )

    def _netted(self) -> Iterator[Row]:
        """Hospitals whose patients paid more than the cases are worth, over years, months and payers."""
        group = self._groups()[0] | {"relative_weight": 1.0}
        for hospital in ("N1", "N2"):
            for year, month in ((2025, 12), (2026, 1), (2026, 2), (2026, 2)):
                for payer in ("employee", "resident"):
                    for paid in (199_999, 7_777_777, 1_000_001) if hospital == "N1" else (5_000_001, 9_000_007, 33_333_333):
                        yield self._row(
                            **group,
                            hospital_id=hospital,
                            insurance=payer,
                            discharged=date(year, month, 20),
                            admitted=date(year, month, 12),
                            patient_paid=_yuan(paid),
                            total_cost=Decimal("9000.00"),
                        )

    def _returning(self) -> Iterator[Row]:
        told = self.policy.at("readmission")
        if not told:
            return
        within = int(told["within_days"]["value"])
        for place, (gap, more) in enumerate(
            [
                (within - 1, {}),
                (within, {}),
                (within + 1, {}),
                (0, {}),
                (3, {"planned": "1"}),
                (3, {"hospital_id": "H9"}),
                (3, {"group": "ES33"}),
                (3, {"insurance": "self"}),
                (3, {"total_cost": None}),
                (3, {"los_days": 75}),
                (3, {"by_item": "1"}),
            ]
        ):
            for group in ("ES21", told.get("except_groups", ["RB1"])[0] + "5"):
                first = self._row(
                    group=group, relative_weight=1.2, patient_id=f"R{group}{place}", hospital_id="H1", group_mean_cost=9000.0
                )
                begins = first["discharged"] + timedelta(days=gap)
                later = first | {
                    "discharge_id": f"{first['discharge_id']}b",
                    "admitted": begins,
                    "discharged": begins + timedelta(days=8),
                }
                yield from (first, later | more)

    def _exempt(self) -> Iterator[Row]:
        if not self.policy.at("exempt"):
            return
        multiple, share = self.policy.must("exempt.total_multiple"), self.policy.must("exempt.cost_share")
        for mean in (15000, 30000):
            for total in (-1, 0, 1):
                cost = int(multiple * mean * 100) + total
                at = share * cost
                for item in (
                    at.numerator // at.denominator - 1,
                    at.numerator // at.denominator,
                    at.numerator // at.denominator + 1,
                    cost,
                    cost + 1,
                ):
                    for more in (
                        {},
                        {"discharged": date(2022, 7, 12), "admitted": date(2022, 7, 2)},
                        {"exempt_mean_cost": None},
                    ):
                        yield self._row(
                            group=self._groups()[-1]["group"],
                            relative_weight=1.5,
                            group_mean_cost=float(mean),
                            total_cost=_yuan(cost),
                            **({"exempt_cost": _yuan(item), "exempt_mean_cost": Decimal("12000.00")} | more),
                        )

    def _reviewed(self) -> Iterator[Row]:
        if not self.policy.at("special_review"):
            return
        group = self._groups()[0] | {"relative_weight": 1.0, "group_mean_cost": 9000.0}
        for cost in range(500_000, 12_000_000, 70_000):
            yield self._row(**group, special_review="1", total_cost=_yuan(cost))
        for when in (date(2025, 8, 14), date(2025, 8, 15), date(2025, 8, 16)):
            yield self._row(
                **group, special_review="1", total_cost=Decimal("200000.00"), discharged=when, admitted=when - timedelta(days=8)
            )

    def _chosen(self) -> Iterator[Row]:
        """Where groups are chosen from history: calm groups at every limit, by members and others; one too wild, one rare."""
        if not self.policy.at("group_selection"):
            return
        stated: Row = {"relative_weight": 1.0, "group_mean_cost": 10000.0, "coefficient": 1.0, "hospital_level": "3"}
        for group in ("P1", "P2"):
            for fen in (*[1_000_000] * 20, 299_999, 300_000, 300_001, 2_999_999, 3_000_000, 3_000_001):
                yield self._row(group=group, total_cost=_yuan(fen), **stated)
                yield self._row(group=group, total_cost=_yuan(fen), **stated, los_days=61)
        for place in range(12):
            more = {"hospital_id": "S1", "hospital_level": "2"} if place % 2 else {"hospital_id": f"S{place}"}
            yield self._row(**({"group": "P1", **stated} | more))
            yield self._row(group="P3", total_cost=_yuan(10**place if place < 9 else 1), **stated)
        yield self._row(group="P4", **stated)
        yield self._row(group="P1", **(stated | {"hospital_id": ""}))

    def _courses(self) -> Iterator[Row]:
        """Ways of leaving, days and cost ratios on both sides of what each course says, one condition at a time."""
        for told in self.policy.raw.get("courses", []):
            group = {"group": self.ordinary, "relative_weight": 1.0, "group_mean_cost": 10000.0, "coefficient": 1.0}
            limits = [Fraction(told[name]) for name in ("ratio_over", "ratio_upto") if name in told] or [Fraction(1, 2)]
            days = [int(told[name]) for name in ("days_from", "days_upto") if name in told] or [8]
            for way in (*told.get("ways", []), "1", None):
                for stay in (more + at for at in days for more in (-1, 0, 1)):
                    for fen in (int(at * 1_000_000) + more for at in limits for more in (-1, 0, 1)):
                        row = self._row(**group, discharge_way=way and int(way), los_days=stay, total_cost=_yuan(fen))
                        yield row | {"special_review": "1" if stay % 2 else None}

    def _single_diseases(self) -> Iterator[Row]:
        """Bills below the fund's amount, between it and the limit, exactly at both and above; by own word and by group."""
        for told in self.policy.single_diseases:
            fund, limit = (int(100 * Fraction(told[name])) for name in ("fund_amount", "personal_limit"))
            for level in ("3", "2a", "1", ""):
                for cost in (1, fund - 1, fund, fund + 1, fund + limit - 1, fund + limit, fund + limit + 1, 5 * fund):
                    paid = _yuan(min(cost, limit))
                    row = self._row(group=told["code"], hospital_level=level, total_cost=_yuan(cost), patient_paid=paid)
                    yield row | ({"hospital_id": "N2"} if cost == fund else {})
                    yield row | {"discharge_id": f"{row['discharge_id']}s", "group": "ES21", "single_disease": told["code"]}


def _beside(name: str) -> tuple[str, ...]:
    """Levels to state beside a class: none beside one that is a level itself (2a)."""
    return ("",) if name[0].isdigit() else ("3", "")


def _yuan(fen: int) -> Decimal:
    return Decimal(fen) / 100


def _keys(raw: Any) -> Iterator[str]:
    if isinstance(raw, dict):
        for key, entry in raw.items():
            yield from re.split("/", key)
            yield from _keys(entry)
    elif isinstance(raw, list):
        for entry in raw:
            yield from _keys(entry)

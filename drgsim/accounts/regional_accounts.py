"""The accounts of a region: the fund by payer and month, unit values, hospitals that gain and lose, what is worth a look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from drgsim.accounts.hospital_balance import HospitalBalance, hospital_balance, unit_value_table
from drgsim.accounts.settled_cases import SettledCases
from drgsim.analysis.supervision import Supervision, supervise
from drgsim.language import Text, text
from drgsim.money import MISSING, money_column
from drgsim.payment.settlement import unit_names
from drgsim.records.input_options import InputOptions

WORTH_A_LOOK = "look"  # column of the comparison


@dataclass(frozen=True)
class RegionalAccounts:
    """Figures of all hospitals of a file or a region's year.

    Attributes
    ----------
    cases
        The settled cases.
    balance
        Margins taken apart.
    unit_values
        Unit values by payer and level, see :func:`drgsim.accounts.hospital_balance.unit_value_table`.
    supervision
        The supervision lists; None where they cannot be made.
    without_supervision
        Why they cannot.
    """

    cases: SettledCases
    balance: HospitalBalance
    unit_values: pa.Table
    supervision: Supervision | None
    without_supervision: Text | None

    @cached_property
    def hospital_names(self) -> Mapping[str, str]:
        """Names of the hospitals that a list names."""
        known = self.cases.settlement.ledger.cases.hospitals or {}
        return {name: entry.name for name, entry in known.items()}

    @cached_property
    def group_names(self) -> Mapping[str, str]:
        """Names of the groups."""
        ledger = self.cases.settlement.ledger
        return dict(zip(ledger.cases.unit.values, unit_names(ledger), strict=True))

    @cached_property
    def hospitals(self) -> pa.Table:
        """One row per hospital, by id: the sums of the settlement with the parts of its margin."""
        summary = self.cases.settlement.summaries["hospital"]
        parts = {row["hospital"]: row for row in self.balance.table.to_pylist()}
        names = summary["hospital"].to_pylist()
        wanted = ("cases", "unpaid", "weight", "cmi", "cost", "payment", "fund_payment", "margin", "high_share", "low_share",
                  "cost_index", "time_index")  # fmt: skip
        money = pa.decimal128(18, 2)
        return pa.table({
            "hospital": pa.array(names, pa.string()),
            "name": pa.array([self.hospital_names.get(name, "") for name in names], pa.string()),
            **{name: summary[name] for name in wanted},
            "margin_share": pa.array([parts[name]["margin_share"] for name in names], pa.float64()),
            **{name: pa.array([parts[hospital][name] for hospital in names], money) for name in ("of_prices", "of_costs")},
        })  # fmt: skip

    @cached_property
    def groups(self) -> pa.Table:
        """One row per group, the largest loss first."""
        table = self.cases.settlement.summaries["group"]
        codes = table["group"].to_pylist()
        names = pa.array([self.group_names.get(code, "") for code in codes], pa.string())
        named = table.add_column(1, "name", names)
        margin = np.array([float(value) for value in table["margin"].to_pylist()])
        return named.take(pa.array(np.lexsort((np.array(codes), margin)), pa.int64()))

    @cached_property
    def months(self) -> pa.Table:
        """Cases, bills, payment and the fund's part by month of discharge (yuan), paid cases with a date."""
        settlement = self.cases.settlement
        month = self.cases.month
        used = (settlement.amount != MISSING) & (month >= 0)
        months, place = np.unique(month[used], return_inverse=True)
        sums = {}
        for name, amounts in (
            ("cost", self.cases.cost), ("payment", settlement.amount), ("fund_payment", settlement.fund_payment),
        ):  # fmt: skip
            known = np.where(amounts == MISSING, 0, amounts)[used]
            sums[name] = np.zeros(months.size, np.int64)
            np.add.at(sums[name], place, known)
        names = [str(np.datetime64(int(each), "M")) for each in months]
        return pa.table({
            "month": pa.array(names, pa.string()), "cases": np.bincount(place, minlength=months.size).astype(np.int64),
            **{name: money_column(amounts) for name, amounts in sums.items()},
        })  # fmt: skip

    @property
    def tables(self) -> Mapping[str, pa.Table]:
        """All figures as tables."""
        settlement, found = self.cases.settlement, self.supervision
        tables = {
            "hospitals": self.hospitals, "groups": self.groups, "insurances": settlement.summaries["insurance"],
            "months": self.months, "classes": settlement.summaries["case_class"], "unit_values": self.unit_values,
        }  # fmt: skip
        if found is None:
            return tables
        return tables | {
            "supervision_hospitals": pa.Table.from_pandas(found.hospitals, preserve_index=False),
            "supervision_comparison": pa.Table.from_pandas(found.comparison, preserve_index=False),
            "supervision_cases": pa.Table.from_pandas(found.cases, preserve_index=False),
        }


def regional_accounts(cases: SettledCases) -> RegionalAccounts:
    """The accounts of all hospitals of settled cases."""
    settlement = cases.settlement
    found, missing = None, _why_no_lists(cases)
    if missing is None:
        options = InputOptions(code_version=cases.code_version)
        found = supervise([cases.table], cases.schemes[0], options=options, strict=False)
    return RegionalAccounts(cases, hospital_balance(settlement), unit_value_table(settlement), found, missing)


def _why_no_lists(cases: SettledCases) -> Text | None:
    """Why supervision lists cannot be made; None where they can."""
    lacking = [name for name in ("diagnoses", "procedures", "sex", "age") if name not in cases.table.column_names]
    if lacking:
        return text("The records hold no {columns}, so that no supervision list can be made.", columns=", ".join(lacking))
    if not cases.schemes:
        return text("The file names its groups and nobody knows the scheme: name it with --scheme to have the lists made.")
    if len(cases.schemes) > 1:
        names = ", ".join(cases.schemes)
        return text("The cases are of several schemes ({names}): name one with --scheme to have the lists made.", names=names)
    return None

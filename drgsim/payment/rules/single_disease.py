"""Single diseases (单病种): fixed amounts of the fund per case and level, with a limit of what the patient pays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from drgsim.errors import Problem
from drgsim.money import MISSING, fen
from drgsim.payment.policy_model import CaseClass
from drgsim.records.arrow import one_chunk
from drgsim.records.batch_encoding import read_numbers
from drgsim.records.cells import read_words
from drgsim.records.schema import header_key
from drgsim.records.vocabulary import level_hint, level_known, meanings, policy_key

if TYPE_CHECKING:
    from drgsim.payment.ledger import Ledger

COLUMNS = ("code", "name", "level", "insurance", "fund_amount", "personal_limit")
NEEDED = ("code", "fund_amount", "personal_limit")


@dataclass(frozen=True)
class SingleDiseases:
    """Fixed amounts: (code, level key, payer) -> fen of the fund and fen that the patient pays at most.

    A blank level or payer stands for all.
    """

    amounts: Mapping[tuple[str, str, str], tuple[int, int]]

    @property
    def codes(self) -> frozenset[str]:
        """The diseases."""
        return frozenset(code for code, _, _ in self.amounts)

    def of(self, code: str, levels: tuple[str, ...], insurance: str) -> tuple[int, int] | None:
        """The nearest entry: level and payer, level, payer, all; None where there is none.

        Examples
        --------
        >>> table = SingleDiseases({("cataract", "3", ""): (600_000, 200_000), ("cataract", "", ""): (500_000, 100_000)})
        >>> table.of("cataract", ("3a", "3"), "employee"), table.of("cataract", ("2",), "")
        ((600000, 200000), (500000, 100000))
        """
        keys = [(level, payer) for level in levels for payer in (insurance, "")] + [("", insurance), ("", "")]
        return next((self.amounts[code, *key] for key in keys if (code, *key) in self.amounts), None)


def single_diseases_of(table: pa.Table, where: str) -> tuple[SingleDiseases, list[Problem]]:
    """Fixed amounts of a table with :data:`COLUMNS` in yuan; the problems are all that is wrong with it."""
    absent = [name for name in NEEDED if name not in table.column_names]
    if absent:
        fix = f"the columns are {', '.join(COLUMNS)}"
        what = f"{where} has no column {', '.join(absent)}"
        return SingleDiseases({}), [Problem("single-disease-column", what, where=f"{where}, line 1", fix=fix)]
    blank = [""] * table.num_rows
    texts = {
        name: read_words(table.select([name]), name).to_pylist() if name in table.column_names else blank
        for name in ("code", "level", "insurance")
    }
    money = {name: read_numbers(one_chunk(table, name))[0] for name in ("fund_amount", "personal_limit")}
    payers = meanings("insurance")
    problems: list[Problem] = []
    amounts: dict[tuple[str, str, str], tuple[int, int]] = {}
    for row in range(table.num_rows):
        place = f"{where}, line {row + 2}"
        code, level, payer = texts["code"][row], policy_key(texts["level"][row]), texts["insurance"][row]
        if level and not level_known(level):
            problems.append(Problem("single-disease-level", f"{level!r} is no level", where=place, fix=level_hint(level)))
        if payer:
            payer = payers.get(header_key(payer), payer)
        key = (code, level, payer)
        if not code:
            problems.append(Problem("single-disease-no-code", "an amount without a code", where=place))
        if payer not in ("", "employee", "resident"):
            fix = "write employee or resident, or leave it empty for both"
            problems.append(Problem("single-disease-payer", f"{payer!r} is no payer", where=place, fix=fix))
        if key in amounts:
            what = f"{code} has two amounts for level {level or 'any'} and payer {payer or 'any'}"
            problems.append(Problem("single-disease-twice", what, where=place, fix="remove one of the two lines"))
        wrong = [name for name, values in money.items() if not values[row] >= 0 or np.isinf(values[row])]
        for name in wrong:
            problems.append(Problem("single-disease-number", f"{name} is no number of 0 or more", where=place))
        if not wrong:
            amounts[key] = (fen(float(money["fund_amount"][row])), fen(float(money["personal_limit"][row])))
    return SingleDiseases(amounts), problems


def settle_single_diseases(ledger: Ledger) -> None:
    """Pay the fixed amount of the fund and what the patient pays of the rest of the bill, up to the limit.

    A case belongs to a single disease when its column ``single_disease`` or its group names one of the policy's.
    """
    table, cases = ledger.policy.single_diseases, ledger.cases
    if table is None:
        return
    codes = table.codes
    named, unit = cases.single_disease, cases.unit
    disease_of = np.full(cases.size, -1, np.int32)
    names = sorted(codes)
    for texts in (unit, named):  # the case's own word goes before its group
        of_text = np.array([names.index(value) if value in codes else -1 for value in texts.values] + [-1], np.int32)
        disease_of = np.where(of_text[texts.ids] >= 0, of_text[texts.ids], disease_of)
    unknown = (named.ids >= 0) & (disease_of < 0) & ledger.open_cases
    cases.warn(
        "settle-unknown-single-disease", unknown, "single_disease names none of the policy's; paid as other cases",
        f"the policy has {', '.join(names)}", sample=named.sample(unknown),
    )  # fmt: skip
    members = (disease_of >= 0) & ledger.open_cases
    if not members.any():
        return
    keys = ledger.resolver.keys
    amounts = np.full((len(names), len(keys), 2), MISSING)
    for place, name in enumerate(names):
        for number, (levels, insurance) in enumerate(keys):
            found = table.of(name, levels, insurance)
            if found is not None:
                amounts[place, number] = found
    fund, limit = amounts[disease_of, ledger.resolver.combination].T
    absent = members & (fund == MISSING)
    cases.fault(
        "settle-missing-single-disease", absent, "the policy has no fixed amount of the disease for this level and payer",
        "state hospital_level and insurance, or add the amount to the policy's table", sample=unit.sample(absent),
    )  # fmt: skip
    members &= ~absent
    fund, limit = np.where(members, fund, 0), np.where(members, limit, 0)
    patient = np.clip(np.where(members, ledger.cost, 0) - fund, 0, limit)
    for place, name in enumerate(names):
        words = f"single disease (单病种) {name}: fixed amount of the fund, the patient pays the rest up to a limit"
        ledger.decide(members & (disease_of == place), CaseClass.FIXED, words)
    ledger.pay_yuan(members, fund + patient)
    ledger.fixed_fund = np.where(members, fund, ledger.fixed_fund)

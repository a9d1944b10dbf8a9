"""The table of single diseases (单病种): the fund's fixed amount per case and level, and what the patient pays at most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from drgsim.errors import Problem
from drgsim.language import text
from drgsim.money import fen
from drgsim.records.arrow import one_chunk
from drgsim.records.cell_numbers import read_numbers
from drgsim.records.cells import read_words
from drgsim.records.schema import header_key
from drgsim.records.vocabulary import is_level_key, level_hint, meanings, policy_key

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
        fix = text("the columns are {columns}", columns=", ".join(COLUMNS))
        what = text("{where} has no column {absent}", where=where, absent=", ".join(absent))
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
        if level and not is_level_key(level):
            problems.append(
                Problem("single-disease-level", text("{level!r} is no level", level=level), where=place, fix=level_hint(level))
            )
        if payer:
            payer = payers.get(header_key(payer), payer)
        key = (code, level, payer)
        if not code:
            problems.append(Problem("single-disease-no-code", text("an amount without a code"), where=place))
        if payer not in ("", "employee", "resident"):
            fix = text("write employee or resident, or leave it empty for both")
            problems.append(Problem("single-disease-payer", text("{payer!r} is no payer", payer=payer), where=place, fix=fix))
        if key in amounts:
            what = text(
                "{code} has two amounts for level {level} and payer {payer}",
                code=code,
                level=level or text("any"),
                payer=payer or text("any"),
            )
            problems.append(Problem("single-disease-twice", what, where=place, fix=text("remove one of the two lines")))
        wrong = [name for name, values in money.items() if not values[row] >= 0 or np.isinf(values[row])]
        for name in wrong:
            problems.append(Problem("single-disease-number", text("{name} is no number of 0 or more", name=name), where=place))
        if not wrong:
            amounts[key] = (fen(float(money["fund_amount"][row])), fen(float(money["personal_limit"][row])))
    return SingleDiseases(amounts), problems

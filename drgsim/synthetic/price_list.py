"""The price list (items.yaml): what a day in a ward and a procedure cost in yuan, at level 3 in the first year."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, get_args

import numpy as np
from pydantic import Field

from drgsim.errors import DrgsimError, Problem
from drgsim.language import text
from drgsim.parameters.evidence import Strict
from drgsim.parameters.strict_file import read_strict, validated
from drgsim.records.code_dictionaries import national_codes
from drgsim.synthetic.choices import Floats
from drgsim.synthetic.people_file import WARDS, Citations, citation_problems
from drgsim.synthetic.prior_checks import CODE
from drgsim.synthetic.prior_models import KIND, PROCEDURE_CODE, Category, CitedWork, Factor, Share, Ward, Yuan

CATEGORIES: tuple[Category, ...] = get_args(Category)
_FIX = text("write it as the head of items.yaml says")


class Priced(Strict):
    """An entry of the list; ``cited`` says where its figures come from, field -> source."""

    cited: Citations = Field({}, alias="from")


class DayPrices(Priced):
    """Yuan a day. A bed counts as ``nursing``; ``admission`` is what is examined once, when a patient comes."""

    bed: Yuan = 0.0
    nursing: Yuan = 0.0
    drugs: Yuan = 0.0
    examinations: Yuan = 0.0
    consumables: Yuan = 0.0
    operation: Yuan = 0.0
    other: Yuan = 0.0
    admission: Yuan = 0.0

    @property
    def by_category(self) -> Floats:
        """Yuan a day in the order of :data:`CATEGORIES`, the bed under ``nursing``."""
        return np.array([getattr(self, name) + (self.bed if name == "nursing" else 0.0) for name in CATEGORIES])


class ProcedurePrices(Priced):
    """Yuan once for a procedure, and yuan for each day of the stay for what is done daily."""

    title: str
    operation: Yuan = 0.0
    consumables: Yuan = 0.0
    examinations: Yuan = 0.0
    drugs: Yuan = 0.0
    nursing: Yuan = 0.0
    other: Yuan = 0.0
    daily: dict[Category, Yuan] = Field({})


class MeanBill(Priced):
    """The mean bill per discharge that all prices are scaled to, over the region, in the first year."""

    yuan: Annotated[float, Field(gt=0)]


class SessionRules(Strict):
    """Several procedures of one stay: factor on the operation fee of all but the dearest."""

    second_operation: Share


class PriceList(Strict):
    """The whole of items.yaml."""

    sources: dict[str, CitedWork] = Field({})
    mean_bill: MeanBill
    levels: dict[Literal[3, 2, 1], dict[Category, Factor]]
    session: SessionRules
    wards: dict[Ward, DayPrices]
    icu_day: DayPrices
    ventilator_day: DayPrices
    procedures: dict[str, ProcedurePrices]

    @cached_property
    def longest(self) -> int:
        """Characters of the longest beginning of a code that has a price."""
        return max(map(len, self.procedures))

    def price_of(self, code: str) -> ProcedurePrices | None:
        """The price of the longest beginning of a procedure code, None where none is listed.

        Examples
        --------
        >>> prices = read_prices(Path(__file__).with_name("priors") / "items.yaml")
        >>> prices.price_of("47.0100").title, prices.price_of("47.0901").title
        ('腹腔镜阑尾切除', '阑尾切除(开放)')
        """
        starts = (code[:length] for length in range(min(self.longest, len(code)), 0, -1))
        return next((self.procedures[start] for start in starts if start in self.procedures), None)

    def procedure_prices(self, codes: Sequence[str]) -> tuple[Floats, Floats]:
        """Yuan once and yuan a day of procedures.

        Returns
        -------
        tuple
            Two arrays, shape (codes, 6) in the order of :data:`CATEGORIES`; zeros for codes without a price.
        """
        once, daily = np.zeros((len(codes), len(CATEGORIES))), np.zeros((len(codes), len(CATEGORIES)))
        for row, code in enumerate(codes):
            price = self.price_of(code)
            if price is not None:
                once[row] = [getattr(price, name) for name in CATEGORIES]
                daily[row] = [price.daily.get(name, 0.0) for name in CATEGORIES]
        return once, daily

    def level_factors(self, level: Literal[3, 2, 1]) -> Floats:
        """Factors of a hospital level in the order of :data:`CATEGORIES`."""
        factors = self.levels[level]
        return np.array([factors.get(name, 1.0) for name in CATEGORIES])


def read_prices(path: Path) -> PriceList:
    """The price list.

    Raises
    ------
    DrgsimError
        ``synth-priors-...``: everything that is wrong in the file.
    """
    problems: list[Problem] = []
    raw, _ = read_strict(path, KIND, problems, path.name, _FIX, PROCEDURE_CODE)
    prices = None if raw is None else validated(PriceList, raw, KIND, path.name, problems)
    if prices is not None:
        problems += price_problems(prices, path.name)
    if prices is None or problems:
        raise DrgsimError(problems)
    return prices


def price_problems(prices: PriceList, where: str) -> list[Problem]:
    """Everything in a price list that is well formed and yet cannot be."""
    problems = list(_cited_problems(prices, where))
    for ward in WARDS:
        if ward not in prices.wards:
            problems.append(
                Problem(
                    CODE,
                    text("the ward {ward} has no prices", ward=ward),
                    f"{where}: wards",
                    fix=text("give yuan a day"),
                )
            )
    for level in (3, 2, 1):
        if level not in prices.levels:
            problems.append(
                Problem(
                    CODE,
                    text("level {level} has no factors", level=level),
                    f"{where}: levels",
                    fix=text("give a factor by category"),
                )
            )
    codes = [code for code in national_codes().procedures.codes if not national_codes().procedures.is_grey(code)]
    without = [code for code in codes if prices.price_of(code) is None]
    for chapter in sorted({code[:2] for code in without}):
        what = text(
            "procedures of {chapter} have no price, such as {code}",
            chapter=chapter,
            code=next(code for code in without if code[:2] == chapter),
        )
        problems.append(
            Problem(
                CODE,
                what,
                f"{where}: procedures",
                fix=text('give the beginning "{chapter}" a price', chapter=chapter),
            )
        )
    for start in prices.procedures:
        if not any(code.startswith(start) for code in codes):
            what = text("no procedure begins with {start}", start=start)
            problems.append(
                Problem(
                    CODE,
                    what,
                    f"{where}: procedures.{start}",
                    fix=text('write the beginning of a code, such as "47.01"'),
                )
            )
    return problems


def _cited_problems(prices: PriceList, where: str) -> Iterator[Problem]:
    entries: list[tuple[str, Priced]] = [(name, getattr(prices, name)) for name in ("mean_bill", "icu_day", "ventilator_day")]
    entries += [(f"wards.{ward}", day) for ward, day in prices.wards.items()]
    entries += [(f"procedures.{start}", price) for start, price in prices.procedures.items()]
    for path, entry in entries:
        yield from citation_problems(entry, prices.sources, f"{where}: {path}")

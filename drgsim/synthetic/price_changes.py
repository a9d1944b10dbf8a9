"""What changes prices from year to year: cuts of volume-based procurement (带量采购), and new technologies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from drgsim.synthetic.choices import Flags, Floats, Ints
from drgsim.synthetic.price_list import CATEGORIES
from drgsim.synthetic.sparse_columns import Columns
from drgsim.synthetic.synth_parameters import Parameters

CONSUMABLES = CATEGORIES.index("consumables")


@dataclass(frozen=True)
class PriceChanges:
    """Cuts and new technologies by code number.

    Attributes
    ----------
    cut_of
        (procedures,) number of the cut that a procedure's consumables fall under, -1 for none.
    falls
        (cuts,) by how much they fall from the second year on.
    new_diagnosis, new_procedure
        (technologies, diagnoses) and (technologies, procedures) that a technology is for.
    """

    cut_of: Ints
    falls: Floats
    new_diagnosis: Flags
    new_procedure: Flags


def _begin(codes: Sequence[str], beginnings: Sequence[str]) -> Flags:
    return np.array([bool(beginnings) and code.startswith(tuple(beginnings)) for code in codes], dtype=bool)


def price_changes(parameters: Parameters, diagnoses: Sequence[str], procedures: Sequence[str]) -> PriceChanges:
    """Cuts and technologies of the parameters on the codes of a region."""
    cut_of = np.full(len(procedures), -1, dtype=np.int32)
    for place, cut in enumerate(parameters["time.vbp"]):
        cut_of[_begin(procedures, cut["procedures"])] = place
    technologies = parameters["time.new_technology"]
    return PriceChanges(
        cut_of=cut_of,
        falls=np.array([cut["fall"] for cut in parameters["time.vbp"]]),
        new_diagnosis=np.array([_begin(diagnoses, item["diagnoses"]) for item in technologies]),
        new_procedure=np.array([_begin(procedures, item["procedures"]) for item in technologies]),
    )


def cut_prices(changes: PriceChanges, batch: Columns) -> None:
    """Lower ``device_fen`` (cases x cuts, what the consumables hold of each cut's devices) and the consumables with it."""
    fallen = np.rint(batch["device_fen"] * changes.falls).astype(np.int64) * (batch["year"] >= 1)[:, None]
    batch["device_fen"] = batch["device_fen"] - fallen
    batch["fen"][:, CONSUMABLES] -= fallen.sum(axis=1)


def add_technologies(
    changes: PriceChanges, parameters: Parameters, batch: Columns, last_year: int, rng: np.random.Generator
) -> None:
    """Add ``new_technology`` (0 none) and ``new_technology_fen``; level 3 hospitals in the last of several years."""
    count = len(batch["fen"])
    name, added = np.zeros(count, dtype=np.int8), np.zeros(count, dtype=np.int64)
    may = (batch["year"] == last_year) & (last_year > 0) & (batch["level"] == 0)
    procedures = batch["procedures"]
    for number, item in enumerate(parameters["time.new_technology"], start=1):
        used = ((procedures >= 0) & changes.new_procedure[number - 1][procedures]).any(axis=1)
        fits = may & (used | changes.new_diagnosis[number - 1][batch["principal"]])
        hit = fits & (rng.random(count) < item["share"]) & (name == 0)
        amount = np.rint(item["cost"] * 100 * np.exp(rng.normal(0.0, 0.1, count))).astype(np.int64)
        name[hit] = number
        added[hit] = amount[hit]
        batch["fen"][hit, CATEGORIES.index(item["category"])] += amount[hit]
    batch["new_technology"], batch["new_technology_fen"] = name, added

"""Lists of single cases: what each line says, from arrays of all cases and the places of the few that are listed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.accounts.settled_cases import SettledCases
from drgsim.money import MISSING, money_column
from drgsim.payment.case_class import CLASSES
from drgsim.payment.case_columns import Texts
from drgsim.payment.settlement import unit_names

Places = NDArray[np.int64]


def listed_columns(cases: SettledCases, places: Places) -> dict[str, Any]:
    """Columns of a list: id, where and whose the case is, group, class, days, cost, standard, payment and margin (yuan)."""
    ledger = cases.settlement.ledger
    names = Texts(cases.group.ids, unit_names(ledger))
    days, ratio = cases.days[places], ledger.ratio[places]
    return {
        "discharge_id": ledger.cases.ids.take(pa.array(places)).cast(pa.string()),
        "department": texts_at(cases.department, places), "doctor": texts_at(cases.doctor, places),
        "group": texts_at(cases.group, places), "name": texts_at(names, places),
        "case_class": texts_at(Texts(ledger.case_class.astype(np.int32), [str(each) for each in CLASSES]), places),
        "weight": pa.array(cases.weight[places], from_pandas=True),
        "days": pa.array(days, from_pandas=True),
        "cost": money_column(cases.cost[places]), "standard": money_column(ledger.standard[places]),
        "cost_ratio": pa.array(ratio, from_pandas=True),
        "payment": money_column(cases.revenue[places]), "margin": money_column(cases.margin[places]),
    }  # fmt: skip


def texts_at(texts: Texts, places: Places) -> pa.Array:
    """Texts of some cases; empty ones where a case has none."""
    ids = texts.ids[places]
    return pa.array([*texts.values, ""], pa.string()).take(pa.array(np.where(ids < 0, len(texts.values), ids)))


def dearest_first(cases: SettledCases, places: Places, values: NDArray[np.int64], most: int) -> Places:
    """The places with the smallest values (the largest losses) first; equal ones by the id of the case."""
    known = np.where(values == MISSING, np.iinfo(np.int64).max, values)
    if places.size > most:  # sort no more texts than may stand in the list
        kept = known <= np.partition(known, most - 1)[most - 1]
        places, known = places[kept], known[kept]
    ids = cases.settlement.ledger.cases.ids.take(pa.array(places)).cast(pa.string()).fill_null("").to_pylist()
    return places[np.lexsort((np.array(ids, np.str_), known))][:most]

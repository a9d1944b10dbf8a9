"""One batch of discharges: disease and pathway, person, codes, course, dates. No loop over cases."""

from __future__ import annotations

import numpy as np

from drgsim.synthetic.admission_days import MONDAY, draw_admissions
from drgsim.synthetic.case_codes import draw_diagnoses, draw_procedures
from drgsim.synthetic.case_course import draw_discharge_way, draw_intensive_care, draw_stay
from drgsim.synthetic.case_persons import draw_persons
from drgsim.synthetic.draw_plan import DrawPlan
from drgsim.synthetic.returning_patients import link_returns
from drgsim.synthetic.sparse_columns import Columns

SATURDAY, SUNDAY = 6, 7


def draw_cases(plan: DrawPlan, count: int, rng: np.random.Generator) -> Columns:
    """Draw ``count`` cases.

    Columns: ``pathway, level`` (place in LEVELS), ``hospital``, those of :func:`draw_persons`, ``procedures`` and ``diagnoses``
    (code numbers, -1 for none), ``principal, icu_hours, ventilator_hours, added_days, added_yuan, los_days, long_stay``,
    ``admitted, discharged`` (days since 1970), ``year`` (place), ``head`` (row of the patient's first stay), ``alone`` (the
    patient's only stay) and ``discharge_way``.
    """
    cell = plan.cells.draw(np.zeros(count, dtype=np.int32), rng.random(count))
    batch: Columns = {"pathway": cell // 3, "level": cell % 3}
    ward = plan.pathways.ward[batch["pathway"]]
    batch["hospital"] = plan.hospitals_of.draw(ward * 3 + batch["level"], rng.random(count))
    draw_persons(plan, batch, rng)
    draw_procedures(plan, batch, rng)
    draw_intensive_care(plan, batch, rng)
    draw_diagnoses(plan, batch, rng)
    draw_stay(plan, batch, rng)
    _dates(plan, batch, rng)
    link_returns(plan, batch, rng)
    set_year(plan, batch)
    draw_discharge_way(plan, batch, rng)
    return batch


def _dates(plan: DrawPlan, batch: Columns, rng: np.random.Generator) -> None:
    """Admission, and discharge after the stay, seldom at a weekend.

    Who would leave after the region's last day came whole weeks earlier instead, as many as the region's years have: so the
    first days see the discharges of those who came before them, on the same day of the week and in the same season.
    """
    days = plan.days
    admitted = draw_admissions(days, plan.pathways, batch["pathway"], rng).astype(np.int64)
    stay = batch["los_days"].astype(np.int64)
    weekday = (admitted + stay - MONDAY) % 7 + 1
    u = rng.random(len(stay))
    moved = plan.parameters["time.weekend_discharge"]
    free = ~batch["died"] & (stay >= 3) & (batch["icu_hours"] < 0) & (batch["ventilator_hours"] < 0)
    stay = stay - (free & (weekday == SATURDAY) & (u < moved[SATURDAY])) + (free & (weekday == SUNDAY) & (u < moved[SUNDAY]))
    weeks = (days.last - days.first + 1) // 7 * 7
    admitted = np.where(admitted + stay > days.last, admitted - weeks, admitted)
    batch["los_days"] = stay.astype(np.int32)
    batch["admitted"], batch["discharged"] = admitted, admitted + stay


def set_year(plan: DrawPlan, batch: Columns) -> None:
    """Add ``year``, the place of the year of discharge."""
    year = batch["discharged"].astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    batch["year"] = np.clip(year - plan.years[0], 0, len(plan.years) - 1)

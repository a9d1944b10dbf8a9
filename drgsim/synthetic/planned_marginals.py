"""What a region was planned to be like, disease by disease: the figures that a drawn region is measured against."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from drgsim.synthetic.draw_plan import DrawPlan


@dataclass(frozen=True)
class DiseaseMarginals:
    """One disease of the priors, over its pathways and levels as the region's hospitals have them.

    Attributes
    ----------
    share
        Of all cases of the region.
    male, deaths, readmission, emergency
        Shares of the disease's cases.
    age, stay
        Mean years and days.
    by_level
        Shares at level 3, 2, 1.
    """

    disease: str
    title: str
    share: float
    male: float
    age: float
    stay: float
    deaths: float
    readmission: float
    emergency: float
    by_level: tuple[float, float, float]


def planned_marginals(plan: DrawPlan) -> Iterator[DiseaseMarginals]:
    """Marginals of every disease of the chapters, the most frequent first; those of the tail are not listed."""
    arrays = plan.pathways
    cells = arrays.cases[:, None] * arrays.levels
    weight = cells.sum(axis=1)
    diseases = np.unique(arrays.disease[~arrays.tail])
    for disease in diseases[np.argsort([-weight[arrays.disease == one].sum() for one in diseases])]:
        rows = np.flatnonzero(arrays.disease == disease)
        part = weight[rows] / weight[rows].sum()
        level = cells[rows].sum(axis=0) / weight[rows].sum()
        yield DiseaseMarginals(
            disease=arrays.disease_ids[disease],
            title=arrays.pathways[rows[0]].title,
            share=float(weight[rows].sum() / weight.sum()),
            stay=float((cells[rows] * arrays.stay[rows]).sum() / weight[rows].sum()),
            age=float(part @ arrays.mean_age[rows]),
            by_level=(float(level[0]), float(level[1]), float(level[2])),
            **{name: float(part @ getattr(arrays, name)[rows]) for name in ("male", "deaths", "readmission", "emergency")},
        )

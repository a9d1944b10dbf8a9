"""What a researcher asks of groups: how well they explain costs, which of them spread most, and where they might be split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa

from drgsim.accounts.case_divisions import case_divisions
from drgsim.accounts.group_spread import CostsExplained, Histogram, explained, group_table, histogram
from drgsim.accounts.settled_cases import SettledCases
from drgsim.accounts.split_hints import SplitLimits, split_hints
from drgsim.engines.grouper_of import means_dip
from drgsim.errors import Problem
from drgsim.language import Text, text
from drgsim.payment.history_tables import read_history
from drgsim.payment.settlement import unit_names
from drgsim.payment.weight_estimation import CostHistory, EstimatedWeights, estimate_weights
from drgsim.units.dip.catalogue_files import load_catalogue
from drgsim.units.dip.dip_catalogue import Catalogue
from drgsim.units.dip.dip_grouper import DipGrouper
from drgsim.units.drg.drg_grouper import DrgGrouper
from drgsim.units.schemes.pack import load_scheme

LIMITS = SplitLimits()
MOST_DRAWN = 6  # groups of each kind whose costs are drawn


@dataclass(frozen=True)
class GroupResearch:
    """Figures of the groups of settled cases.

    Attributes
    ----------
    cases
        The settled cases.
    history, weights
        Their costs by group, and which of them trimming keeps.
    names
        Group -> name.
    problems
        What was left out.
    hints, hint_titles
        Where groups might be split, see :func:`drgsim.accounts.split_hints.split_hints`, and the words of each line.
    without_hints
        Why there are none; None where they were looked for.
    """

    cases: SettledCases
    history: CostHistory
    weights: EstimatedWeights
    names: Mapping[str, str]
    problems: tuple[Problem, ...]
    hints: pa.Table
    hint_titles: Sequence[Text | str]
    without_hints: Text | None

    @cached_property
    def measures(self) -> list[CostsExplained]:
        """How much the groups explain, over all cases and by MDC."""
        return explained(self.history, self.weights)

    @cached_property
    def groups(self) -> pa.Table:
        """One row per group, with its name."""
        table = group_table(self.history, self.weights)
        names = pa.array([self.names.get(code, "") for code in table["group"].to_pylist()], pa.string())
        return table.add_column(1, "name", names)

    @cached_property
    def largest(self) -> list[str]:
        """Groups with most cases."""
        return self._first(self.groups["cases"].to_numpy())

    @cached_property
    def most_spread(self) -> list[str]:
        """Groups with enough cases that hold most of what the groups leave unexplained."""
        enough = self.groups["cases"].to_numpy() >= LIMITS.part
        return self._first(np.where(enough, np.nan_to_num(self.groups["unexplained_share"].to_numpy()), -1.0))

    @cached_property
    def category_names(self) -> Mapping[str, str]:
        """MDC -> name, where one DRG scheme grouped."""
        schemes = self.cases.schemes
        return (
            {} if len(schemes) != 1 or means_dip(schemes[0]) else {mdc.code: mdc.name for mdc in load_scheme(schemes[0]).mdcs}
        )

    def _first(self, values: np.ndarray) -> list[str]:
        codes = self.groups["group"].to_pylist()
        order = np.argsort(-values, kind="stable")[:MOST_DRAWN]  # the table is in the order of codes
        return [codes[place] for place in order.tolist() if values[place] > 0]

    def histogram(self, group: str) -> Histogram:
        """Costs of a group."""
        place = self.history.codes.index(group)
        used = self.history.usable(self.weights.settings.long_days) & (self.history.group == place)
        return histogram(self.history.cost[used])

    @property
    def tables(self) -> Mapping[str, pa.Table]:
        """All figures as tables."""
        fields = list(CostsExplained.__dataclass_fields__)
        measures = pa.table({name: [getattr(line, name) for line in self.measures] for name in fields})
        drawn = dict.fromkeys([*self.largest, *self.most_spread])
        rows = [
            {"group": group, "from": float(low), "to": float(high), "cases": int(count)}
            for group in drawn
            for made in [self.histogram(group)]
            for low, high, count in zip(made.edges, made.edges[1:], made.counts, strict=False)
        ]
        kinds = {"group": pa.string(), "from": pa.float64(), "to": pa.float64(), "cases": pa.int64()}
        return {
            "group_evaluation": self.groups, "explained_costs": measures, "split_hints": self.hints.drop_columns(["trial"]),
            "cost_distributions": pa.Table.from_pylist(rows, pa.schema(kinds.items())),
        }  # fmt: skip


def group_research(cases: SettledCases) -> GroupResearch:
    """Figures of the groups of settled cases.

    Raises
    ------
    InputError
        ``weights-no-groups``.
    """
    ledger = cases.settlement.ledger
    history, problems = read_history(cases.table, ledger.policy.file.method)
    dip = ledger.policy.file.method == "dip" or any(means_dip(scheme) for scheme in cases.schemes)
    if dip:  # a kind is no part of a family or category that its code begins with
        history = replace(history, adrg=history.codes, mdc=("",) * len(history.codes))
    weights = estimate_weights(history)
    names = dict(zip(ledger.cases.unit.values, unit_names(ledger), strict=True))
    cost = np.where(weights.kept, history.cost, np.nan)
    missing = _why_no_hints(cases)
    if missing is not None:
        hints = split_hints(cost, history.group, history.codes, [])
        return GroupResearch(cases, history, weights, names, tuple(problems), hints, [], missing)
    scheme = cases.schemes[0]
    loaded = load_catalogue(scheme) if dip else load_scheme(scheme)
    edition = cases.code_version
    grouper = DipGrouper(loaded, edition) if isinstance(loaded, Catalogue) else DrgGrouper(loaded, edition)
    divisions, procedures = case_divisions(cases.table, grouper, loaded.book)
    hints = split_hints(cost, history.group, history.codes, divisions, procedures, LIMITS)
    titles = [
        divisions[row["trial"]].title if row["trial"] >= 0 else f"{row['code']} {row['title']}" for row in hints.to_pylist()
    ]
    return GroupResearch(cases, history, weights, names, tuple(problems), hints, titles, None)


def _why_no_hints(cases: SettledCases) -> Text | None:
    """Why the cases cannot be divided; None where they can."""
    lacking = [name for name in ("diagnoses", "procedures") if name not in cases.table.column_names]
    if lacking:
        return text("The records hold no {columns}, so that no division of a group can be tried.", columns=", ".join(lacking))
    if not cases.schemes:
        return text("The file names its groups and nobody knows the scheme: name it with --scheme to have divisions tried.")
    if len(cases.schemes) > 1:
        names = ", ".join(cases.schemes)
        return text("The cases are of several schemes ({names}): name one with --scheme to have divisions tried.", names=names)
    return None

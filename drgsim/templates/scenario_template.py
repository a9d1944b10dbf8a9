"""A scenario to begin with: a policy that is compared, one change that works, and what else could be changed."""

from __future__ import annotations

from pathlib import Path

from drgsim.language import spoken, text
from drgsim.results.whole_outputs import write_text

FILE = "scenario.yaml"


def write_scenario(folder: Path) -> None:
    """Fill a folder with scenario.yaml; ``drgsim simulate REGION --scenario FOLDER/scenario.yaml`` takes it as it is."""
    write_text(folder / FILE, str(spoken(_scenario())))


def _scenario() -> str:
    return text(
        """# A scenario: what changes, against a baseline. Lines that begin with # are comments.
# Try it on the region that comes with drgsim, or on your own (drgsim new region FOLDER):
#   drgsim scenarios check scenario.yaml
#   drgsim simulate REGION --scenario scenario.yaml --output whatif
title: The rate rises by 3 percent
title_zh: 费率上调3%
# Who wrote it and what it rests on; both may be left out.
# author: who wrote it
# reference: number and date of the notice
# How well it is founded: official, secondary, derived or assumption.
evidence: assumption
# notes:
#   - what a reader has to doubt

# What the scenario is compared with: a policy (drgsim policy list), and changes that both sides share.
baseline:
  policy: beijing/2024
  # changes:
  #   rate.source: fund        # the rate that just spends the fund's budget
  #   budget.active: true      # close the year against hospital budgets

# What changes. A plain value sets, "*1.03" is a factor, "+5" and "-5" add and take away; in quotes.
# drgsim scenarios paths lists what can be changed, drgsim policy show lists the parameters of a policy.
changes:
  rate.base: "*1.03"
  # outlier.high.multiple: 2.5
  # cases.volume.level.3: "*0.95"
  # cases.price.consumables: "*0.9"

# Several values at once; every combination is run.
# grid:
#   rate.base: ["*0.98", "*1.00", "*1.02"]

# How far values may lie from what is stated: for --tornado and --draws.
# ranges:
#   rate.base: ["*0.99", "*1.01"]

# Several years: each is applied once more every year.
# years:
#   count: 3
#   each: {cases.volume: "*1.02"}
"""
    )

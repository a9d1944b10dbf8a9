# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # A budget year and a what-if · 总额预算与情景模拟
#
# The data are synthetic (合成数据), and most terms of the budget are assumptions: no formula of BJ-GBI is public.

# %%
import numpy as np
import pandas as pd

from drgsim.assets import asset_root
from drgsim.budgets.budget_index import STEPS, STEPS_ZH
from drgsim.budgets.budget_year import budget_year
from drgsim.simulation.session import Options, run_all

region = asset_root("data/samples") / "region"
study = run_all(region, ["surplus-share-80"], Options(draws=20))
result = study.results[0]

# %% [markdown]
# The baseline closes the year hospital by hospital against its index (一院一测): who is below it?

# %%
year = result.baseline.budget
assert year is not None
hospitals = study.tables["hospitals"].to_pandas().set_index("hospital")
hospitals[["name", "baseline_index", "baseline_surplus", "baseline_quality"]]

# %% [markdown]
# The indices close on the fund's budget: reserve + adjustment fund + indices + what is left.

# %%
fund = year.fund
assert fund.reserve + fund.adjustment_fund + fund.index + fund.unallocated == fund.budget
year.index.scaling

# %% [markdown]
# How the index of the largest hospital comes about, in ten thousand yuan: the steps sum to it.

# %%
largest = int(np.argmax(year.index.index))
assert year.index.waterfall[largest].sum() == year.index.index[largest]
pd.Series(year.index.waterfall[largest] / 1e6, index=[f"{STEPS_ZH[step]} {step}" for step in STEPS]).round(2)

# %% [markdown]
# The warning list of June: hospitals above the index of the same period (Ningbo warns at 100 %).

# %%
june = pd.Series(year.warnings.ratio[:, 5], index=year.figures.hospitals)
june[june > year.terms.file.warning.limit.value].sort_values(ascending=False).round(3)

# %% [markdown]
# The end of its ledger in yuan: what became due, what was paid, and a balance that ends at zero.

# %%
ledger = pd.DataFrame(year.cash.lines(largest), columns=["month", "line", "due", "paid", "balance"])
assert ledger.balance.iloc[-1] == 0
ledger.assign(**{name: ledger[name] / 100 for name in ("due", "paid", "balance")}).tail(8)

# %% [markdown]
# What if hospitals kept 80 % of a surplus? The change with its 95 % interval, the draws being the same on both sides.

# %%
headlines = study.tables["headlines"].to_pandas().set_index("figure")
headlines.loc[
    ["fund.payment", "fund.balance", "hospital.margin"],
    ["title_zh", "baseline", "scenario", "change", "change_low", "change_high"],
]

# %% [markdown]
# Who wins, and why: the parts sum to the change to the fen.

# %%
hospitals.loc[hospitals.verdict == "wins", ["name", "payment_change", "margin_change"]]

# %%
parts = study.tables["decomposition"].to_pandas().set_index("hospital").loc["all"].drop("scenario_name")
assert parts.drop("fund_change").sum() == parts.fund_change
parts[parts != 0]

# %% [markdown]
# A budget year is small arrays: other terms can be tried on it at once.

# %%
shares = {}
for growth in (0.0, 0.05, 0.1):
    tried = budget_year(year.figures, year.terms.changed({"budget.index.growth": growth}), year.year)
    shares[growth] = int(tried.in_surplus.sum())
shares

# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Weights from history, and how good the groups are · 权重测算与分组效能
#
# The relative weight (RW) of a group is its mean cost over the mean cost of all cases. Three years of the synthetic region
# (合成数据) are the history; nothing here is a figure of any real city.

# %%
import pandas as pd

import drgsim

files = [drgsim.sample_path(f"region/discharges-{year}.parquet") for year in (2024, 2025, 2026)]
history = drgsim.group(files, "chs-drg-2.0")
history.status

# %% [markdown]
# What trimming does. Costs are skewed, so a few cases carry much of a group's mean; the limits are set within each group.
# RIV is the share of the cost's variance that lies between groups; trimming takes away variance that no grouping could explain.

# %%
rules = {
    "none": "none",
    "Q1 - 1.5 IQR .. Q3 + 1.5 IQR": ("iqr", 1.5, 1.5),
    "2.5 % .. 97.5 %": ("percentile", 2.5, 97.5),
    "0.3 .. 3 x mean": ("multiple", 0.3, 3.0),
}
rows = {}
for name, rule in rules.items():
    lines = drgsim.weights(history, trim=rule).evaluation.to_pandas()
    rows[name] = lines[(lines.scope == "all") & lines.trimmed].iloc[0]
columns = {"riv": "RIV", "cv": "CV", "stable_share": "CV < 1", "r2_days": "R2 of stay"}
pd.DataFrame(rows).T[["cases", *columns]].rename(columns=columns)

# %% [markdown]
# The weights of a year are noise where a group is small. Years count 1:2:7 here, the latest most; groups of fewer than ten
# cases lean towards their ADRG, and within an ADRG more severe never costs less.

# %%
settings = drgsim.WeightSettings(minimum_cases=10, unstable="keep", smoothing=10, smooth_to="adrg", monotone=True)
weights = drgsim.weights(history, years="1:2:7", settings=settings)
weights.record["settings"]

# %%
weights.groups.to_pandas().sort_values("cases", ascending=False).head(10).round(3)

# %% [markdown]
# The weights mean nothing unless they keep their scale: over the cases used, the sum of the weights is the number of cases.

# %%
plain = drgsim.weights(history)
table = plain.weights.to_pandas()
assert abs((table.weight * table.cases).sum() / plain.record["cases_used"] - 1) < 1e-5

# %% [markdown]
# Which MDCs are explained well, and which would be worth another split?

# %%
lines = weights.evaluation.to_pandas()
by_mdc = lines[lines.trimmed & (lines.scope != "all") & (lines.cases >= 200)]
by_mdc[["scope", "cases", "groups", "riv", "cv"]].sort_values("riv").round(3)

# %% [markdown]
# `drgsim.settle(..., weights=weights)` pays by them. The same from the command line: `drgsim weights discharges-*.parquet
# --scheme chs-drg-2.0 --years 1:2:7 --monotone --output weights`, and `drgsim settle ... --weights weights`.

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
import numpy as np
import pandas as pd

from drgsim.assets import asset_root
from drgsim.costs.trimming import TrimRule
from drgsim.payment.grouped_files import read_grouped
from drgsim.payment.history_tables import read_history
from drgsim.payment.weight_estimation import WeightSettings, estimate_weights, evaluate

files = sorted((asset_root("data/samples") / "region").glob("discharges-*.parquet"))
table, notes = read_grouped(files, "chs-drg-2.0")
history, problems = read_history(table)
[*notes, *(problem.what for problem in problems)]

# %% [markdown]
# What trimming does. Costs are skewed, so a few cases carry much of a group's mean; the limits are set within each group.
# RIV is the share of the cost's variance that lies between groups; trimming takes away variance that no grouping could explain.

# %%
rules = {
    "none": TrimRule("none"),
    "Q1 - 1.5 IQR .. Q3 + 1.5 IQR": TrimRule("iqr", 1.5, 1.5),
    "2.5 % .. 97.5 %": TrimRule("percentile", 2.5, 97.5),
    "0.3 .. 3 x mean": TrimRule("multiple", 0.3, 3.0),
}
rows = {}
for name, rule in rules.items():
    lines = evaluate(history, estimate_weights(history, WeightSettings(trim=rule)))
    after = next(line for line in lines if line.scope == "all" and line.trimmed)
    rows[name] = {
        "cases": after.cases,
        "RIV": after.riv,
        "CV": after.cv,
        "CV < 1": after.stable_share,
        "R2 of stay": after.r2_days,
    }
pd.DataFrame(rows).T.round(3)

# %% [markdown]
# The weights of a year are noise where a group is small. Years count 1:2:7 here, the latest most; groups of fewer than ten
# cases lean towards their ADRG, and within an ADRG more severe never costs less.

# %%
settings = WeightSettings(
    year_weights={2022: 1, 2023: 2, 2024: 7}, minimum_cases=10, unstable="keep", smoothing=10, smooth_to="adrg", monotone=True
)
weights = estimate_weights(history, settings)
settings.describe()

# %%
result = pd.DataFrame(
    {
        "drg": weights.codes,
        "cases": weights.statistics.count.astype(int),
        "weight": weights.weight,
        "standard error": weights.standard_error,
        "what happened": [", ".join(flags) for flags in weights.flags],
    }
)
result.sort_values("cases", ascending=False).head(10).round(3)

# %% [markdown]
# The weights mean nothing unless they keep their scale: over the cases used, the sum of the weights is the number of cases.

# %%
plain = estimate_weights(history)
used = history.group[plain.kept]
assert np.isclose(plain.weight[used].sum(), plain.kept.sum(), rtol=1e-9)

# %% [markdown]
# Which MDCs are explained well, and which would be worth another split?

# %%
lines = [line for line in evaluate(history, weights) if line.trimmed and line.scope != "all"]
by_mdc = pd.DataFrame(
    [{"MDC": line.scope, "cases": line.cases, "groups": line.groups, "RIV": line.riv, "CV": line.cv} for line in lines]
)
by_mdc[by_mdc.cases >= 200].sort_values("RIV").round(3)

# %% [markdown]
# The same from the command line: `drgsim weights discharges-*.parquet --scheme chs-drg-2.0 --years 1:2:7 --monotone
# --output weights`, and `drgsim settle ... --weights weights` pays by them.

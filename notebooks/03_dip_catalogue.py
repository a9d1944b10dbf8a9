# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # A DIP catalogue from three years of history · 由历史数据编制 DIP 病种目录
#
# The data are synthetic (合成数据): no patient, hospital or cost in them is real, and the catalogue is of no region.

# %%
import tempfile
from pathlib import Path

import pandas as pd

import drgsim

files = sorted(drgsim.sample_path("region").glob("discharges-*.parquet"))
folder = Path(tempfile.mkdtemp())

# %% [markdown]
# Every step is a parameter with its evidence. The sample is small (20,000 discharges), so the threshold of 15 cases a year
# would leave little: here core kinds (核心病种) are as many as cover 95 % of the discharges, and levels need 15 cases.

# %%
drgsim.dip_specs("dip-2.0").to_pandas().set_index("path")[["value", "unit", "evidence"]]

# %%
options = {"core": "coverage", "changes": {"auxiliary.period": "history", "auxiliary.minimum_cases": 15}}

# %% [markdown]
# The plain list, and the list in which historical cost decides what is one kind.

# %%
plain = drgsim.dip_build(files, folder / "plain", method="list", **options)
clustered = drgsim.dip_build(files, folder / "clustered", method="cluster", stability=2, **options)
both = {"list": plain, "cluster": clustered}
plain.summary["discharges"]

# %%
pd.DataFrame({name: {**built.summary["sizes"], "coverage": built.summary["core_coverage"]} for name, built in both.items()})

# %% [markdown]
# Explained variance (RIV) beside DRG on the same discharges. The columns `riv_out` and `cv_out` count: there one half of the
# discharges is judged by what the other half made. Kinds of one or two cases explain themselves and predict nobody.

# %%
tables = {name: built.to_pandas("explained") for name, built in both.items()}
table = pd.concat(tables, names=["method"]).droplevel(1).drop(columns="name_zh")
table.round(3)

# %%
unseen = table.reset_index().set_index(["method", "name"]).cv_out.loc[:, "DIP kinds"]
assert unseen["cluster"] < unseen["list"]

# %% [markdown]
# Scores of one half against the other, by size of kind: what is small is guessed.

# %%
clustered.to_pandas("prediction").round(3)

# %% [markdown]
# Kinds from samples of 80 % of the discharges agree with those of the whole (adjusted Rand index, 1 = the same).

# %%
clustered.summary["stability"]

# %% [markdown]
# The largest kinds, with auxiliary levels (辅助目录) where they split a kind; and what a reader should know.

# %%
lines = clustered.to_pandas("kinds")
lines[lines.kind == "core"].nlargest(12, "cases")[["code", "dx_name", "procedure_name", "aux", "score", "cases", "cv"]]

# %%
print("\n".join(clustered.summary["remarks"]))

# %% [markdown]
# The catalogue groups as any other does.

# %%
groups = drgsim.group(files[-1], clustered.catalogue)
groups.status

# %%
groups.to_pandas("groups").head(10)

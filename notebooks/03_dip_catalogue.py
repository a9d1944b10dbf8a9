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
from dataclasses import asdict

import pandas as pd

from drgsim.assets import asset_root
from drgsim.authoring.dip.built_catalogue import kind_lines, remarks, sizes
from drgsim.authoring.dip.catalogue_building import build
from drgsim.authoring.dip.catalogue_evaluation import evaluate, stability
from drgsim.authoring.dip.dip_history import read_history
from drgsim.authoring.dip.dip_spec import load_spec

files = sorted((asset_root("data/samples") / "region").glob("discharges-*.parquet"))

# %% [markdown]
# Every step is a parameter with its evidence. The sample is small (20,000 discharges), so the threshold of 15 cases a year
# would leave little: here core kinds (核心病种) are as many as cover 95 % of the discharges, and levels need 15 cases.

# %%
spec = load_spec("dip-2.0").changed({"core.rule": "coverage", "auxiliary.period": "history", "auxiliary.minimum_cases": 15})
pd.DataFrame([asdict(p) for p in spec.parameters]).set_index("path")[["value", "unit", "evidence"]]

# %%
history = read_history(files, spec)
history.size, history.years, dict(history.left_out)

# %% [markdown]
# The plain list, and the list in which historical cost decides what is one kind.

# %%
plain = build(history, spec, method="list")
clustered = build(history, spec, method="cluster")
pd.DataFrame({built.method: {**sizes(built), "coverage": round(built.coverage, 3)} for built in (plain, clustered)})

# %% [markdown]
# Explained variance (RIV) beside DRG on the same discharges. The columns `riv_out` and `cv_out` count: there one half of the
# discharges is judged by what the other half made. Kinds of one or two cases explain themselves and predict nobody.

# %%
tables = {built.method: pd.DataFrame(map(asdict, evaluate(built).explained)) for built in (plain, clustered)}
table = pd.concat(tables, names=["method"]).droplevel(1).drop(columns="name_zh")
table.round(3)

# %%
unseen = table.reset_index().set_index(["method", "name"]).riv_out.loc[:, "DIP kinds"]
assert unseen["cluster"] > unseen["list"]

# %% [markdown]
# Scores of one half against the other, by size of kind: what is small is guessed.

# %%
pd.DataFrame(map(asdict, evaluate(clustered).prediction)).round(3)

# %% [markdown]
# Kinds from samples of 80 % of the discharges agree with those of the whole (adjusted Rand index, 1 = the same).

# %%
stability(clustered, samples=2)

# %% [markdown]
# The largest kinds, with auxiliary levels (辅助目录) where they split a kind; and what a reader should know.

# %%
lines = pd.DataFrame([asdict(line) for line in kind_lines(clustered)])
lines[lines.kind == "core"].nlargest(12, "cases")[["code", "dx_name", "procedure_name", "aux", "score", "cases", "cv"]]

# %%
print("\n".join(remarks(clustered)))

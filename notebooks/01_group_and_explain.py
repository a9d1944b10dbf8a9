# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Group a region and explain a case · 分组与解释
#
# The data are synthetic (合成数据): no patient, hospital or cost in them is real.

# %%
import drgsim

scheme = drgsim.load_scheme("chs-drg-2.0")
cases = drgsim.read(drgsim.sample_path("region/discharges-2026.parquet"))
scheme.counts

# %% [markdown]
# Every record comes back, in the same order, with its group or the reason why it has none.

# %%
groups = drgsim.group(cases, scheme)
groups.status

# %%
groups.to_pandas("groups").head(10)

# %% [markdown]
# Case-mix index of the hospitals: the mean relative weight (RW) of their grouped cases.

# %%
weights = groups.to_pandas("groups").set_index("drg").weight
grouped = groups.cases.to_pandas().query("status == 'grouped'").join(weights, on="drg")
cmi = grouped.groupby("hospital_id").weight.mean().sort_values(ascending=False)
cmi.round(3)

# %% [markdown]
# Why is a case where it is? The explanation shows every rule that was tried, with the codes that hit.

# %%
case = grouped[grouped.severity == "MCC"].iloc[0]
explanation = drgsim.explain(case[["discharge_id", "sex", "age", "diagnoses", "procedures"]].to_dict(), scheme)
print(explanation)

# %%
assert explanation.drg == case.drg

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
import drgsim

region = drgsim.sample_path("region")
year = drgsim.budget(region, "beijing/2024", years=[2026])
what = drgsim.simulate(region, "surplus-share-80", draws=40)

# %% [markdown]
# The year closes hospital by hospital against its index (一院一测): who is below it?

# %%
year.hospitals.to_pandas().set_index("hospital_id")[["hospital", "index", "recorded", "ratio", "surplus", "score"]]

# %% [markdown]
# The indices close on the fund's budget: reserve + adjustment fund + indices + what is left.

# %%
fund = year.fund.to_pandas().set_index("item").amount
assert fund[["reserve", "adjustment_fund", "index", "unallocated"]].sum() == fund.budget
fund

# %% [markdown]
# How the index of the largest hospital comes about: the steps sum to it.

# %%
hospitals = year.hospitals.to_pandas().sort_values("index")
largest = hospitals.iloc[-1]
steps = year.index.to_pandas().query("hospital_id == @largest.hospital_id")
assert steps.amount.sum() == largest["index"]
steps[["step_zh", "step", "factor", "amount"]]

# %% [markdown]
# The warning list of June: hospitals above the index of the same period.

# %%
june = year.warnings.to_pandas().query("month == 6 and status == 'warned'")
june[["hospital", "used", "index_to_date", "ratio"]].sort_values("ratio", ascending=False)

# %% [markdown]
# The end of its ledger in yuan: what became due, what was paid, and a balance that ends at zero.

# %%
ledger = year.ledger.to_pandas().query("hospital_id == @largest.hospital_id")
assert ledger.balance.iloc[-1] == 0
ledger[["month", "line_zh", "due", "paid", "balance"]].tail(8)

# %% [markdown]
# What if hospitals kept 80 % of a surplus? The change with its 95 % interval, the draws being the same on both sides.

# %%
headlines = what.headlines.to_pandas().set_index("figure")
headlines.loc[
    ["fund.payment", "fund.balance", "hospital.margin"],
    ["title_zh", "baseline", "scenario", "change", "change_low", "change_high"],
]

# %% [markdown]
# Who wins, and why: the parts sum to the change to the fen.

# %%
what.hospitals.to_pandas().query("verdict == 'wins'")[["name", "payment_change", "margin_change"]]

# %%
parts = what.decomposition.to_pandas().set_index("hospital").loc["all"].drop("scenario_name")
assert parts.drop("fund_change").sum() == parts.fund_change
parts[parts != 0]

# %% [markdown]
# Other terms can be tried at once: hospitals in surplus by the growth that the index allows.

# %%
shares = {}
for growth in (0.0, 0.05, 0.1):
    tried = drgsim.budget(region, "beijing/2024", years=[2026], changes={"budget.index.growth": growth})
    shares[growth] = tried.record["years"][0]["in_surplus"]
shares

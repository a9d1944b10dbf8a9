# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # A budget year under BJ-GBI, with a what-if · 总额预算年度与情景
#
# Synthetic region (合成数据), Beijing's policy at the price level of the region. The formula of the index and the yearly
# shares of BJ-GBI are not public: the terms below are assumptions, and the list says so.

# %%
import numpy as np
import pandas as pd

from drgsim.assets import asset_root
from drgsim.budget.index import STEPS, STEPS_ZH
from drgsim.budget.prepare import prepare
from drgsim.budget.run import budget_year, budget_years
from drgsim.budget.tables import budget_tables
from drgsim.budget.terms import load_terms
from drgsim.payment.policy import load_policy

policy = load_policy("beijing/2024")
terms = load_terms(policy)
region = prepare(asset_root("data/samples") / "region", policy, terms)
f"{len(terms.assumptions)} of {len(terms.parameters)} parameters are assumptions", *region.notes

# %% [markdown]
# From the cases only small arrays are needed from here on: what the fund spent and owes by hospital, year and month.

# %%
figures = region.figures
{"spending by item": figures.spending.shape, "due by unit of payment": figures.payment.shape}

# %% [markdown]
# How the index of the largest hospital comes about, in ten thousand yuan. The steps sum to the index, and the indices of all
# hospitals to the fund's budget less reserve and adjustment fund, to the fen.

# %%
year = budget_years(figures, terms)[-1]
largest = int(np.argmax(year.index.index))
steps = pd.Series(year.index.waterfall[largest] / 1e6, index=[f"{STEPS_ZH[step]} {step}" for step in STEPS])
assert year.index.waterfall[largest].sum() == year.index.index[largest]
assert year.fund.reserve + year.fund.adjustment_fund + year.fund.index == year.fund.budget
steps.round(2)

# %% [markdown]
# Use, quality and sharing of every hospital.

# %%
table = budget_tables([year])["hospitals"].to_pandas()
money = ["index", "recorded", "settled", "surplus_kept", "overspend_not_borne"]
table[money] = table[money].astype(float) / 1e4
table[["hospital_id", "level", *money, "ratio", "score", "months_warned"]].round(2)

# %% [markdown]
# The warning list of June: hospitals above the index of the same period (Ningbo warns at 100 %).

# %%
june = year.warnings.ratio[:, 5]
pd.Series(june, index=figures.hospitals)[june > terms.file.warning.limit.value].sort_values(ascending=False).round(3)

# %% [markdown]
# The ledger of one hospital: what became due, what was paid, and a balance that ends at zero.

# %%
ledger = pd.DataFrame(year.cash.lines(largest), columns=["month", "line", "due", "paid", "balance"])
assert ledger.balance.iloc[-1] == 0
ledger.assign(**{name: ledger[name] / 100 for name in ("due", "paid", "balance")}).tail(8)

# %% [markdown]
# What if surplus and overspend were shared otherwise? The cases are not read again; a year costs a millisecond.
# Under `fund.cover: limited` the fund bears overspends only as far as adjustment fund, reserve and returned surplus reach, so
# the more generous schedules end at the same balance and leave a part not covered.

# %%
answers = {}
for name in terms.file.sharing.schedules:
    other = budget_year(figures, terms.changed({"budget.sharing.use": name}), 2024)
    assert other.fund.paid + other.fund.balance == other.fund.budget
    answers[name] = {
        "paid by the fund": other.fund.paid / 1e6,
        "balance": other.fund.balance / 1e6,
        "not covered": other.fund.not_covered / 1e6,
        "surplus kept": other.cash.due["surplus_kept"].sum() / 1e6,
        "overspend not borne": other.cash.due["overspend_not_borne"].sum() / 1e6,
    }
pd.DataFrame(answers).T.round(1)

# %% [markdown]
# How much does the score matter? Its effect on the index doubled, hospital by hospital.

# %%
doubled = budget_year(figures, terms.changed({"budget.index.quality.per_point": "*2"}), 2024)
change = pd.Series((doubled.index.index - year.index.index) / 1e6, index=figures.hospitals)
assert abs(change.sum()) < 1e-9, "what some gain others lose: the fund's budget stays what it is"
change.round(2)

# %% [markdown]
# The same from the command line: `drgsim budget data/samples/region --policy beijing/2024 --output budget`, with
# `--set budget.sharing.use=example-ratio` for another schedule.

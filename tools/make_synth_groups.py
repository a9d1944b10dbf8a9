"""Restate published payment tables as drgsim/synthetic/groups.csv: cost, stay and volume of every DRG.

    python tools/make_synth_groups.py --payments FOLDER_OF_PAYMENT_TABLES

``FOLDER_OF_PAYMENT_TABLES`` holds the published local tables as CSV (see docs/synthetic-region.md). The
product never reads them: it reads groups.csv, where each row names the table that its numbers came from.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent.parent
SCHEME = HERE / "groupers" / "chs-drg-2.0"
TARGET = HERE / "drgsim" / "synthetic" / "groups.csv"

# tables that carry a weight for (nearly) all 634 groups, the first that knows a group wins
WEIGHT_TABLES = (
    "national-reference-2.0",
    "tongchuan-2025",
    "liaocheng-2025",
    "sichuan-2024",
    "beijing-2024",
    "yantai-2024",
)
# groups without a number anywhere (transplants that hardly happen): index of the nearest relative, an assumption
ASSUMED_INDEX = {"AA19": 30.0, "AC19": 22.0, "AD19": 20.0, "AF19": 28.0, "PB19": 8.0, "NG19": 0.9}
VOLUME_COLUMNS = {
    "3": ("总控权重_三级",),
    "2": ("总控权重_二级A类", "总控权重_二级B类"),
    "1": ("总控权重_一级",),
}


def load(folder: Path, table: str) -> pd.DataFrame:
    return pd.read_csv(folder / f"{table}.csv").drop_duplicates("drg").set_index("drg")


def same_scheme(table: pd.DataFrame, names: pd.Series) -> pd.DataFrame:
    """Rows whose code and name are those of chs-drg-2.0; other regions reuse a code with another meaning."""
    return table[table["name"] == names.reindex(table.index)]


def cost_index(folder: Path, groups: pd.DataFrame) -> pd.DataFrame:
    reference = load(folder, WEIGHT_TABLES[0])["weight"]
    found = pd.DataFrame({"cost_index": np.nan, "cost_source": ""}, index=groups.index)
    for table in WEIGHT_TABLES:
        weight = same_scheme(load(folder, table), groups["name"])["weight"].dropna()
        ratio = (weight / reference.reindex(weight.index)).dropna().median()
        value = (weight / ratio).reindex(groups.index)
        use = found["cost_index"].isna() & (value > 0)
        found.loc[use, "cost_index"] = value[use]
        found.loc[use, "cost_source"] = table
    for drg, value in ASSUMED_INDEX.items():
        if np.isnan(found.loc[drg, "cost_index"]):
            found.loc[drg] = [value, "assumption"]
    return found


def stay(folder: Path, groups: pd.DataFrame, index: pd.Series) -> pd.DataFrame:
    """Mean stay: Sichuan's group where code and name agree, else its ADRG's mean shifted by the square root of cost."""
    table = load(folder, "sichuan-2024")
    los = table["mean_los_days"].dropna()
    exact = same_scheme(table, groups["name"])["mean_los_days"].dropna().reindex(groups.index)
    adrg = groups.index.str[:3]
    los_of_adrg = los.groupby(los.index.str[:3]).mean()
    index_of_adrg = index.groupby(adrg).mean()
    shifted = los_of_adrg.reindex(adrg).to_numpy() * np.sqrt(index.to_numpy() / index_of_adrg.reindex(adrg).to_numpy())
    mdc = los.groupby(los.index.str[:1]).mean().reindex(groups.index.str[:1]).to_numpy()
    value = exact.fillna(pd.Series(shifted, groups.index)).fillna(pd.Series(mdc, groups.index))
    source = np.where(exact.notna(), "sichuan-2024", np.where(np.isnan(shifted), "assumption", "sichuan-2024 (ADRG)"))
    return pd.DataFrame({"mean_los_days": value.clip(lower=1.0), "los_source": source}, index=groups.index)


def volumes(folder: Path, groups: pd.DataFrame) -> pd.DataFrame:
    """Yearly cases by hospital level: published total weight of the group over its weight (Yantai 2024)."""
    table = load(folder, "yantai-2024")
    cases = {
        f"cases_level_{level}": sum((table[c].fillna(0) / table["weight"]).fillna(0) for c in columns)
        for level, columns in VOLUME_COLUMNS.items()
    }
    frame = pd.DataFrame(cases).reindex(groups.index).fillna(0.0)
    frame["volume_source"] = np.where(frame.sum(axis=1) > 0, "yantai-2024", "assumption")
    return frame


def level_ratios(folder: Path) -> dict[str, float]:
    """Median over groups of mean cost and stay in level 2 and 1 over level 3, both insurances (Chengdu)."""
    table = load(folder, "chengdu-undated")
    out = {}
    for level in "21":
        for kind in ("cost", "los"):
            parts = [table[f"mean_{kind}_{level}_{p}"] / table[f"mean_{kind}_3_{p}"] for p in ("employee", "resident")]
            out[f"{kind}_{level}"] = float(pd.concat(parts).median())
    out["cost_resident"] = float((table["mean_cost_3_resident"] / table["mean_cost_3_employee"]).median())
    return out


def severity(rules: pd.Series, adrg: pd.Series) -> list[str]:
    """What the other diagnoses must hold to reach each DRG row: the rule of the row, after the rows above it."""
    out = []
    for (_drg, rule), group in zip(rules.items(), adrg, strict=True):
        siblings = list(rules[adrg == group])
        above = set(siblings[: siblings.index(rule)])
        if rule == "QTZD in MCC":
            out.append("MCC")
        elif rule == "QTZD in {MCC, CC}":
            out.append("CC" if "QTZD in MCC" in above else "CC MCC")
        elif rule == "1":
            taken = {"MCC"} if above == {"QTZD in MCC"} else ({"MCC", "CC"} if above else set())
            out.append(" ".join(level for level in ("none", "CC", "MCC") if level not in taken))
        else:
            raise ValueError(f"unknown severity rule {rule!r}")
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--payments", type=Path, required=True)
    folder = parser.parse_args().payments
    groups = pd.read_csv(SCHEME / "drg.csv", dtype=str)
    groups = groups[~groups["drg"].str.endswith("QY")].set_index("drg")
    cost = cost_index(folder, groups)
    table = groups[["name"]].join(cost).join(stay(folder, groups, cost["cost_index"])).join(volumes(folder, groups))
    table.insert(1, "severity", severity(groups["rule"], groups["adrg"]))
    table = table.round({"cost_index": 4, "mean_los_days": 2} | {f"cases_level_{level}": 1 for level in "321"})
    table.to_csv(TARGET, lineterminator="\n")
    print(f"{TARGET.name}: {len(table)} groups")
    print(table["cost_source"].value_counts().to_string())
    print(table["los_source"].value_counts().to_string())
    print(table["volume_source"].value_counts().to_string())
    print("level ratios for synth.yaml:", {k: round(v, 3) for k, v in level_ratios(folder).items()})


if __name__ == "__main__":
    main()

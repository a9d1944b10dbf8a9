"""Measure a synthetic region: the figures of docs/synthetic-region.md.

    python tools/measure_region.py DIR

Groups every discharge with chs-drg-2.0, then prints mix, cost, stay, payers, time and behaviour as Markdown.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from drgsim.grouping.kernel import Encoded, group_encoded
from drgsim.records.batch import prepare_batch
from drgsim.schemes.compile import compile_scheme

ROOT = Path(__file__).resolve().parent.parent
MONEY = ("total_cost", "patient_paid", "fund_paid", "cost_drugs", "cost_consumables", "cost_examinations", "cost_operation", "cost_nursing", "cost_other", "new_technology_cost")


def load(folder: Path) -> pd.DataFrame:
    """Discharges with their group by the kernel: ``drg`` (0000 ungroupable, invalid), yuan as floats."""
    scheme = compile_scheme("chs-drg-2.0")
    frames = []
    for path in sorted(folder.glob("discharges-*.parquet")):
        table = pq.read_table(path)
        words = [[list(w) for w in x] if x else [] for x in scheme.text_words.values()] if not isinstance(scheme.text_words, dict) else scheme.text_words
        ready = prepare_batch(table, scheme.diagnoses, scheme.procedures, words, scheme.variables)
        answer = group_encoded(scheme.arrays, Encoded(*ready.diagnoses, *ready.procedures, ready.numbers, ready.texts, ready.invalid))
        for name in MONEY:
            at = table.schema.get_field_index(name)
            table = table.set_column(at, name, table.column(name).cast("float64"))
        frame = table.to_pandas()
        codes = np.array([*scheme.drg_codes, "0000"], dtype=object)
        frame["drg"] = codes[answer.drg]
        frame.loc[ready.invalid, "drg"] = "invalid"
        frame["severity"] = answer.severity
        frame["year"] = int(path.stem[-4:])
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def riv(cost: np.ndarray, group: np.ndarray) -> float:
    """1 - sum of squares inside groups / total sum of squares (rule book 1.3)."""
    mean = pd.Series(cost).groupby(group).transform("mean").to_numpy()
    return float(1 - ((cost - mean) ** 2).sum() / ((cost - cost.mean()) ** 2).sum())


def trimmed(frame: pd.DataFrame, by: str = "drg") -> pd.DataFrame:
    """Stays up to 60 days and 5 yuan or more, then Q1 - 1.5 IQR to Q3 + 1.5 IQR inside each group (rule book 1.2)."""
    frame = frame[(frame["los_days"] <= 60) & (frame["total_cost"] >= 5)]
    q = frame.groupby(by)["total_cost"].quantile([0.25, 0.75]).unstack()
    low, high = (q[0.25] - 1.5 * (q[0.75] - q[0.25])), (q[0.75] + 1.5 * (q[0.75] - q[0.25]))
    cost, group = frame["total_cost"], frame[by]
    return frame[(cost >= group.map(low)) & (cost <= group.map(high))]


def main(folder: Path) -> None:
    frame = load(folder)
    table = pd.read_csv(ROOT / "drgsim" / "records" / "synth" / "groups.csv").set_index("drg")
    n = len(frame)
    sound = frame[~frame["truth"].str.contains("dirty")]
    qy = sound["drg"].str.endswith("QY")
    none = sound["drg"].isin(["0000", "invalid"])
    good = sound[~qy & ~none]
    size = good["drg"].value_counts()
    print(f"cases {n}, groups reached {len(size)} of {len(table)}; ambiguous {qy.mean():.2%}, ungroupable or invalid {none.mean():.2%}")
    print(f"cases in the largest 10 groups {size.head(10).sum() / len(good):.1%}, largest 100 {size.head(100).sum() / len(good):.1%}; groups under 30 cases {(size < 30).sum()}")
    print("largest:", dict(size.head(8)))
    newborn = good[good["age_days"].between(0, 28)]
    print(f"newborns {len(newborn)}, with weight {newborn['birth_weight_g'].notna().mean():.1%}")

    level = frame["hospital_id"].map(pd.read_csv(folder / "hospitals.csv").set_index("id")["level"])
    mean = good.groupby("drg")["total_cost"].mean()
    weight = mean / good["total_cost"].mean()
    good = good.assign(level=level, rw=good["drg"].map(weight), mdc=good["drg"].str[0], r=good["total_cost"] / good["drg"].map(mean))
    print("CMI by level:", good.groupby("level")["rw"].mean().round(3).to_dict(), "share:", good["level"].value_counts(normalize=True).round(3).to_dict())
    print("MDC share by level:\n", pd.crosstab(good["mdc"], good["level"], normalize="columns").round(3).T.to_string())
    cmi = good.groupby("hospital_id")["rw"].mean()
    print(f"CMI of hospitals {cmi.min():.2f} to {cmi.max():.2f}")

    plain = good[good["truth"] == ""]
    big = size[size >= 30].index
    cv = good.groupby("drg")["total_cost"].agg(lambda x: x.std(ddof=1) / x.mean())[big]
    print(f"CV of {len(big)} groups with 30+ cases: median {cv.median():.2f}, 0.3-0.9 {cv.between(0.3, 0.9).mean():.1%}, over 1 {(cv > 1).sum()}, CV<1 {(cv < 1).mean():.1%}")
    cut = trimmed(good)
    cvt = cut.groupby("drg")["total_cost"].agg(lambda x: x.std(ddof=1) / x.mean())[big]
    print(f"CV after trimming median {cvt.median():.2f}; trimmed away {1 - len(cut) / len(good):.1%}")
    print(f"RIV raw {riv(good['total_cost'].to_numpy(), good['drg'].to_numpy()):.3f}, after trimming {riv(cut['total_cost'].to_numpy(), cut['drg'].to_numpy()):.3f}")
    kind = cut["diagnoses"].str[:5] + "/" + cut["procedures"]
    lone = kind.map(kind.value_counts())
    print(f"RIV by DIP-like kind (4-character principal + all procedures, kinds of 10+ cases): {riv(cut['total_cost'][lone >= 10].to_numpy(), kind[lone >= 10].to_numpy()):.3f}, DRG on the same cases {riv(cut['total_cost'][lone >= 10].to_numpy(), cut['drg'][lone >= 10].to_numpy()):.3f}")
    both = (cut["drg"] + kind)[lone >= 10]
    print(f"  DRG x kind: {riv(cut['total_cost'][lone >= 10].to_numpy(), both.to_numpy()):.3f}")
    print(f"r>2 {(good['r'] > 2).mean():.2%}, r>3 {(good['r'] > 3).mean():.2%}, r<0.4 {(good['r'] < 0.4).mean():.2%}; stays over 60 days {(good['los_days'] > 60).mean():.2%}")
    few = size[size >= 100].index
    base = plain[plain["new_technology"] == ""]
    ratio = (base.groupby("drg")["total_cost"].mean() / base["total_cost"].mean())[few] / table["cost_index"].reindex(few)
    ratio = ratio / np.average(ratio, weights=size[few])
    los = (base.groupby("drg")["los_days"].mean() / table["mean_los_days"].reindex(base["drg"].unique()))[few]
    print(f"groups with 100+ cases: mean cost over published index, correlation of logs {np.corrcoef(np.log(base.groupby('drg')['total_cost'].mean()[few]), np.log(table['cost_index'].reindex(few)))[0, 1]:.3f}, within 20 % {ratio.between(0.8, 1.2).mean():.1%}; 5-95 % {ratio.quantile(0.05):.2f}-{ratio.quantile(0.95):.2f}")
    print(f"mean stay over published: median {los.median():.2f}, 5-95 % {los.quantile(0.05):.2f}-{los.quantile(0.95):.2f}")
    print(f"mean cost {good['total_cost'].mean():.0f}, median {good['total_cost'].median():.0f}, mean stay {good['los_days'].mean():.2f}, death {(good['discharge_way'] == 5).mean():.2%}")
    print("cost by category:", {c[5:]: round(float(good[c].sum() / good["total_cost"].sum()), 3) for c in MONEY[3:9]})
    print("by year: cases", frame["year"].value_counts().sort_index().to_dict(), "mean cost", good.groupby("year")["total_cost"].mean().round(0).to_dict())
    month = pd.to_datetime(frame["discharged"]).dt.month
    print("month index all:", (month.value_counts(normalize=True).sort_index() * 12).round(2).tolist())
    e = frame["drg"].str.startswith("E")
    print("month index MDCE:", (month[e].value_counts(normalize=True).sort_index() * 12).round(2).tolist())
    for adrg in (("FL2", "FL3"), ("BE2", "BM1"), ("IC3",)):
        part = base[base["drg"].str[:3].isin(adrg)]
        c = part.groupby("year")["cost_consumables"].mean()
        print("consumables", adrg, (c / c.iloc[0]).round(3).to_dict())
    print("new technology by year:", frame[frame["new_technology"] != ""].groupby("year").size().to_dict(), f"cost {frame['new_technology_cost'].sum() / 1e4:.0f} 万元")
    print("insurance:", frame["insurance"].value_counts(normalize=True).round(3).to_dict())
    fund = good[good["insurance"] != "self"]
    share = fund.assign(level=level).groupby(["insurance", "level"])[["fund_paid", "total_cost"]].sum()
    print("fund share of cost:", (share["fund_paid"] / share["total_cost"]).round(3).to_dict())
    print("truth:", (frame["truth"].replace("", "ordinary").value_counts(normalize=True) * 100).round(3).to_dict())
    for name in ("upcoded", "low_standard", "split"):
        part = good[good["truth"] == name]
        print(name, f"mean r {part['r'].mean():.2f}, mean stay {part['los_days'].mean():.1f}")
    people = frame.sort_values(["patient_id", "admitted"])
    gap = (pd.to_datetime(people["admitted"]) - pd.to_datetime(people["discharged"]).shift()).dt.days[people["patient_id"].eq(people["patient_id"].shift())]
    half = people["truth"].eq("split")
    print(f"stays per patient {n / frame['patient_id'].nunique():.2f}; readmitted within 15 days: {(gap <= 15).sum()}, of them split {half.reindex(gap.index)[gap <= 15].sum()}; overlaps {(gap < 0).sum()}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Measure a synthetic region: the figures of docs/synthetic-region.md, as Markdown rows.

    python tools/measure_region.py DIR

Every discharge is grouped by chs-drg-2.0 first; broken records (``dirty:``) are left out of all shares.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from drgsim.records.batch_encoding import prepare_batch
from drgsim.units.drg.drg_kernel import EncodedForDrg, group_encoded
from drgsim.units.schemes.compiled_scheme import compile_scheme

ROOT = Path(__file__).resolve().parent.parent
CATEGORIES = [f"cost_{x}" for x in ("drugs", "consumables", "examinations", "operation", "nursing", "other")]
VBP = {
    "EP (FL2, FL3)": ("FL2", "FL3"),
    "neuro-intervention (BE2, BM1)": ("BE2", "BM1"),
    "sports medicine (IC3)": ("IC3",),
}


def load(folder: Path) -> pd.DataFrame:
    """Discharges with ``drg`` (``0000`` ungroupable, ``invalid``), ``level``, ``year``; money as float yuan."""
    scheme = compile_scheme("chs-drg-2.0")
    levels = pd.read_csv(folder / "hospitals.csv").set_index("id")["level"]
    codes = np.array([*scheme.drg_codes, "0000"], dtype=object)
    frames = []
    for path in sorted(folder.glob("discharges-*.parquet")):
        table = pq.read_table(path)
        ready = prepare_batch(table, scheme.diagnoses, scheme.procedures, scheme.text_words, scheme.variables)
        encoded = EncodedForDrg(*ready.diagnoses, *ready.procedures, ready.numbers, ready.texts, ready.invalid)
        answer = group_encoded(scheme.arrays, encoded)
        for place, field in enumerate(table.schema):
            if "decimal" in str(field.type):
                table = table.set_column(place, field.name, table.column(place).cast("float64"))
        drg = np.where(ready.invalid, "invalid", codes[answer.drg])
        frames.append(table.to_pandas().assign(drg=drg, year=int(path.stem[-4:])))
    frame = pd.concat(frames, ignore_index=True)
    return frame.assign(level=frame["hospital_id"].map(levels))


def riv(frame: pd.DataFrame, by: str) -> float:
    """1 - squares inside groups / total squares of cost (rule book 1.3)."""
    cost = frame["total_cost"]
    inside = ((cost - cost.groupby(frame[by]).transform("mean")) ** 2).sum()
    return float(1 - inside / ((cost - cost.mean()) ** 2).sum())


def trimmed(frame: pd.DataFrame) -> pd.DataFrame:
    """Stays up to 60 days and 5 yuan or more, then Q1 - 1.5 IQR to Q3 + 1.5 IQR inside each group (rule book 1.2)."""
    frame = frame[(frame["los_days"] <= 60) & (frame["total_cost"] >= 5)]
    q = frame.groupby("drg")["total_cost"].quantile([0.25, 0.75]).unstack()
    width = 1.5 * (q[0.75] - q[0.25])
    low, high = frame["drg"].map(q[0.25] - width), frame["drg"].map(q[0.75] + width)
    return frame[frame["total_cost"].between(low, high)]


def spread(frame: pd.DataFrame, groups: pd.Index) -> pd.Series:
    """Coefficient of variation of cost (sample standard deviation) of the named groups."""
    grouped = frame.groupby("drg")["total_cost"]
    return (grouped.std(ddof=1) / grouped.mean())[groups]


def row(name: str, value: object) -> None:
    print(f"| {name} | {value} |")


def mix(sound: pd.DataFrame, good: pd.DataFrame, groups: int) -> None:
    size = good["drg"].value_counts()
    row("groups reached", f"{len(size)} of {groups}")
    row("ambiguous", f"{sound['drg'].str.endswith('QY').mean():.2%}")
    row("ungroupable or invalid", f"{sound['drg'].isin(['0000', 'invalid']).mean():.2%}")
    row("share of the largest 10, 100 groups", f"{size[:10].sum() / len(good):.1%}, {size[:100].sum() / len(good):.1%}")
    row("groups with fewer than 30 cases", (size < 30).sum())
    newborn = good[good["age_days"].between(0, 28)]
    row("newborns, of them with birth weight", f"{len(newborn)}, {newborn['birth_weight_g'].notna().mean():.1%}")
    weight = good["drg"].map(good.groupby("drg")["total_cost"].mean() / good["total_cost"].mean())
    row("CMI of level 3, 2, 1", ", ".join(f"{weight[good['level'] == x].mean():.3f}" for x in (3, 2, 1)))
    hospital = weight.groupby(good["hospital_id"]).mean()
    row("CMI of hospitals", f"{hospital.min():.2f} to {hospital.max():.2f}")
    for letter in "AROEF":
        by = good["drg"].str.startswith(letter).groupby(good["level"]).mean()
        row(f"share of MDC{letter} in level 3, 2, 1", ", ".join(f"{by[x]:.1%}" for x in (3, 2, 1)))


def cost(good: pd.DataFrame) -> None:
    table = pd.read_csv(ROOT / "drgsim" / "synthetic" / "groups.csv").set_index("drg")
    size = good["drg"].value_counts()
    big, cut = size[size >= 30].index, trimmed(good)
    cv, cv_cut = spread(good, big), spread(cut, big)
    row(
        f"CV of {len(big)} groups with 30 cases or more",
        f"median {cv.median():.2f}; after trimming {cv_cut.median():.2f}",
    )
    row("of them 0.3 to 0.9; over 1", f"{cv.between(0.3, 0.9).mean():.1%}; {(cv > 1).sum()} groups")
    row("RIV of cost, raw; after trimming", f"{riv(good, 'drg'):.3f}; {riv(cut, 'drg'):.3f}")
    row("trimmed away", f"{1 - len(cut) / len(good):.1%}")
    kinds = cut.assign(kind=cut["diagnoses"].str[:5] + "/" + cut["procedures"])
    kinds = kinds[kinds.groupby("kind")["drg"].transform("size") >= 10]
    kinds = kinds.assign(both=kinds["drg"] + kinds["kind"])
    row(
        "RIV by DRG; by DIP-like kind; by both (kinds of 10 or more)",
        "; ".join(f"{riv(kinds, x):.3f}" for x in ("drg", "kind", "both")),
    )
    ratio = good["total_cost"] / good.groupby("drg")["total_cost"].transform("mean")
    row(
        "r > 2 (high), r < 0.4 (low), r > 3",
        f"{(ratio > 2).mean():.2%}, {(ratio < 0.4).mean():.2%}, {(ratio > 3).mean():.2%}",
    )
    row("stays over 60 days", f"{(good['los_days'] > 60).mean():.2%}")
    plain = good[(good["truth"] == "") & (good["new_technology"] == "")]
    known = size[size >= 100].index
    mean = plain.groupby("drg")["total_cost"].mean()[known]
    rel = mean / table["cost_index"][known]
    rel = rel / np.average(rel, weights=size[known])
    row(
        "mean cost over published index (100 cases or more)",
        f"5-95 %: {rel.quantile(0.05):.2f} to {rel.quantile(0.95):.2f}",
    )
    stay = plain.groupby("drg")["los_days"].mean()[known] / table["mean_los_days"][known]
    row(
        "mean stay over published",
        f"median {stay.median():.2f}, 5-95 %: {stay.quantile(0.05):.2f} to {stay.quantile(0.95):.2f}",
    )
    first = good[good["year"] == good["year"].min()]
    row(
        "mean cost of the first year; all years",
        f"{first['total_cost'].mean():.0f}; {good['total_cost'].mean():.0f} yuan",
    )
    row("mean stay; deaths", f"{good['los_days'].mean():.2f} days; {(good['discharge_way'] == 5).mean():.2%}")
    share = good[CATEGORIES].sum() / good["total_cost"].sum()
    row("cost by category", ", ".join(f"{name[5:]} {value:.1%}" for name, value in share.items()))


def payers(good: pd.DataFrame) -> None:
    row("insurance", ", ".join(f"{k} {v:.1%}" for k, v in good["insurance"].value_counts(normalize=True).items()))
    for name in ("employee", "resident"):
        part = good[good["insurance"] == name].groupby("level")[["fund_paid", "total_cost"]].sum()
        share = part["fund_paid"] / part["total_cost"]
        row(f"fund share of cost, {name}, level 3, 2, 1", ", ".join(f"{share[x]:.1%}" for x in (3, 2, 1)))


def time(frame: pd.DataFrame, good: pd.DataFrame) -> None:
    row("cases by year", ", ".join(map(str, frame.groupby("year").size())))
    row("mean cost by year", ", ".join(f"{x:.0f}" for x in good.groupby("year")["total_cost"].mean()))
    month = pd.to_datetime(frame["discharged"]).dt.month
    for name, rows in (("all", month), ("MDCE", month[frame["drg"].str.startswith("E")])):
        index = rows.value_counts(normalize=True).sort_index() * 12
        row(f"month index, {name}", " ".join(f"{x:.2f}" for x in index))
    plain = good[(good["truth"] == "") & (good["new_technology"] == "")]
    for name, adrg in VBP.items():
        part = plain[plain["drg"].str[:3].isin(adrg)]
        rest = part["total_cost"] - part["cost_consumables"]
        level = np.log(part["cost_consumables"] / rest).groupby(part["year"]).mean()
        fall = ", ".join(f"{np.exp(x - level.iloc[0]) - 1:+.1%}" for x in level)
        row(f"consumables over the rest of the bill, {name}, against the first year", fall)
    new = frame[frame["new_technology"] != ""]
    row("cases with new technology by year", new.groupby("year").size().to_dict())


def behaviour(frame: pd.DataFrame, good: pd.DataFrame) -> None:
    ratio = good["total_cost"] / good.groupby("drg")["total_cost"].transform("mean")
    for name in ("upcoded", "split", "low_standard"):
        part = good["truth"] == name
        share = frame["truth"].str.startswith(name).mean()
        stay = good.loc[part, "los_days"].mean()
        row(name, f"{share:.2%} of cases, mean r {ratio[part].mean():.2f}, mean stay {stay:.1f} days")
    row("dirty", f"{frame['truth'].str.contains('dirty').mean():.2%}")
    order = frame.sort_values(["patient_id", "admitted", "discharged"])
    same = order["patient_id"].eq(order["patient_id"].shift())
    gap = (pd.to_datetime(order["admitted"]) - pd.to_datetime(order["discharged"]).shift()).dt.days[same]
    split = order["truth"].str.startswith("split")[same]
    row("stays per patient", f"{len(frame) / frame['patient_id'].nunique():.2f}")
    row(
        "readmitted within 15 days; of them split; overlapping stays",
        f"{(gap <= 15).sum()}; {split[gap <= 15].sum()}; {(gap < 0).sum()}",
    )


def main(folder: Path) -> None:
    frame = load(folder)
    sound = frame[~frame["truth"].str.contains("dirty")]
    good = sound[~sound["drg"].str.endswith("QY") & ~sound["drg"].isin(["0000", "invalid"])]
    row("cases", len(frame))
    mix(sound, good, 634)
    cost(good)
    payers(good)
    time(frame, good)
    behaviour(frame, good)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

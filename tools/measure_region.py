"""Measure a synthetic region: the tables of docs/synthetic-region.md, as Markdown.

    python -m tools.measure_region DIR [--priors DIR] [--into docs/synthetic-region.md]

Every discharge is grouped first, by chs-drg-2.0 and by chs-drg-3.0 where it is there; broken records (``dirty:``) are left out.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from drgsim.synthetic.region_priors import RegionPriors, load_priors
from drgsim.synthetic.synth_parameters import load_parameters
from tools.region_cases import load, percent
from tools.region_diseases import disease_table
from tools.region_marginals import HEADER, Priors, Row, figures, marginals

MARK = "<!-- tables of tools/measure_region.py -->"


def money_rows(frame: pd.DataFrame) -> Iterator[Row]:
    """Who pays, how prices move over the years, levels against each other."""
    shares = frame["insurance"].value_counts(normalize=True)
    yield Row("insurance", ", ".join(f"{name} {percent(share)}" for name, share in shares.items()), source="synth.yaml")
    for name in ("employee", "resident"):
        part = frame[frame["insurance"] == name].groupby("level")[["fund_paid", "total_cost"]].sum()
        paid = part["fund_paid"] / part["total_cost"]
        told = ", ".join(percent(paid.get(level, np.nan)) for level in (3, 2, 1))
        yield Row(f"fund share of cost, {name}, level 3, 2, 1", told, source="synth.yaml")
    good = frame[frame["status"] == "grouped"]
    weight = good["drg"].map(good.groupby("drg")["total_cost"].mean() / good["total_cost"].mean())
    told = ", ".join(f"{weight[good['level'] == level].mean():.3f}" for level in (3, 2, 1))
    hospitals = weight.groupby(good["hospital_id"]).mean()
    yield Row("CMI of level 3, 2, 1; of hospitals", f"{told}; {hospitals.min():.2f} to {hospitals.max():.2f}")
    by_year = frame.groupby("year")["total_cost"].agg(["size", "mean"])
    yield Row(
        "cases and mean bill by year", "; ".join(f"{year}: {n:.0f}, {mean:.0f}" for year, n, mean in by_year.itertuples())
    )
    plain = frame[(frame["truth"] == "") & (frame["new_technology"] == "")]
    for cut in load_parameters()["time.vbp"]:
        heads = tuple(cut["procedures"])
        part = plain[plain["procedure_codes"].map(lambda codes, heads=heads: any(code.startswith(heads) for code in codes))]
        rest = part["total_cost"] - part["cost_consumables"]
        level = np.log((part["cost_consumables"] / rest).clip(lower=1e-6)).groupby(part["year"]).mean()
        fall = ", ".join(f"{np.exp(x - level.iloc[0]) - 1:+.1%}" for x in level)
        told = f"-{100 * cut['fall']:.1f} % of the devices alone"
        yield Row(f"all consumables over the rest of the bill against the first year, {cut['title']}", fall, told, "synth.yaml")


def behaviour_rows(frame: pd.DataFrame) -> Iterator[Row]:
    """What is planted for auditors."""
    ratio = frame["total_cost"] / frame.groupby("drg")["total_cost"].transform("mean")
    for name in ("upcoded", "split", "low_standard"):
        part = frame["truth"].str.contains(name)
        told = f"mean r {ratio[part].mean():.2f}, mean stay {frame.loc[part, 'los_days'].mean():.1f} days"
        yield Row(f"planted: {name}", f"{percent(part.mean(), 2)} of cases, {told}", source="synth.yaml, invented rate")


def report(folder: Path, priors: RegionPriors) -> Iterator[str]:
    """All tables of a region."""
    frame = load(folder)
    sound = frame[~frame["truth"].str.contains("dirty")]
    yield "### The 40 most frequent principal diagnoses\n"
    yield from disease_table(sound, priors)
    yield "\n### Marginals\n"
    read = Priors(priors)
    yield from marginals(frame, read)
    yield "\n### Money and planted behaviour\n"
    yield from HEADER
    yield from map(str, money_rows(sound))
    yield from map(str, behaviour_rows(sound))
    yield "\n### Figures sourced and assumed\n"
    yield from figures(read)


def written_into(document: str, lines: Iterable[str]) -> str:
    """A document with the tables behind its mark in place of those that stood there.

    Raises
    ------
    ValueError
        When the document has no mark.
    """
    text, mark, _ = document.partition(MARK)
    if not mark:
        raise ValueError(f"the document has no line {MARK}")
    return text + mark + "\n\n" + "\n".join(lines) + "\n"


def main() -> None:
    """Print the report of a region, or write it into a document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--priors", type=Path, help="the folder that the region was drawn from, where it is one's own")
    parser.add_argument("--into", type=Path, help="a document whose tables are replaced")
    options = parser.parse_args()
    lines = report(options.folder, load_priors(options.priors))
    if options.into is None:
        print("\n".join(lines))
    else:
        options.into.write_text(written_into(options.into.read_text("utf-8"), lines), "utf-8")


if __name__ == "__main__":
    main()

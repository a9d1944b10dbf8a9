"""The README.md that lies beside every synthetic region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drgsim.records.synth.dirty import KINDS
from drgsim.records.synth.plan import Plan

if TYPE_CHECKING:
    from drgsim.records.synth.region import Summary

_TEXT = """\
# 合成数据 · Synthetic region

**Everything here is invented. 本目录全部为程序生成的合成数据，不含任何真实患者，不是官方数据。** No person, hospital, price or budget is
real, and nothing here is an official figure. Names of hospitals and products are made up.

Made by `drgsim synth --hospitals {hospitals} --cases {cases} --years {years} --seed {seed} --dirty {dirty}`. The same command
with the same versions of drgsim, numpy and pyarrow writes the same bytes.

| file | what |
|---|---|
| `hospitals.csv` | {hospitals} hospitals: id, name, level (3 三级, 2 二级, 1 一级), grade, kind, beds, district |
| `discharges-YYYY.parquet` | {cases} discharges by year of discharge, canonical columns; money is decimal yuan with two places |
| `enrolment.csv` | insured people by year, district and insurance, and registered patients with diabetes and hypertension |
| `fund.csv` | yearly fund budget by insurance, yuan |

## How it was made

1. A group of CHS-DRG 2.0 and a hospital level are drawn with the volumes that one published local table implies, changed where that
   table has gaps; a hospital of the level follows by beds and kind.
2. A code template (principal diagnosis, procedures) of the group is drawn, then a person that fits it, other diagnoses that reach the
   severity of the group, and the dates (growth, season).
3. Cost starts from the published reference weight of the group and depends on stay, codes, severity, age, death, level, hospital and
   payer, with log-normal noise; it is split into six categories and between patient and fund, exact to the fen:
   `patient_paid + fund_paid = total_cost`, and the `cost_` columns add up to `total_cost`.
4. Price cuts for consumables (集采) from the second year on, and invented new technologies in the last year
   (`new_technology`, `new_technology_cost`, which is part of the cost columns).

## The truth column

`truth` tells what was planted: {truth}. It is empty for ordinary cases and the answers are joined by `|`. With `--dirty`, broken records
carry `dirty:` and one of {kinds}. **No grouper, payment rule or detector may read `truth`; it is only there to measure them.**
About {ungroupable:.1%} of the cases are meant to find no group and {ambiguous:.1%} to be ambiguous, as in life; these are not in `truth`.

## Assumptions

| parameter | value | unit | source | evidence |
|---|---|---|---|---|
{parameters}
"""


def region_readme(plan: Plan, summary: Summary) -> str:
    """Text of README.md: what the files are, how they were made, every parameter with its evidence."""
    years = str(plan.years[0]) if len(plan.years) == 1 else f"{plan.years[0]}-{plan.years[-1]}"
    rows = []
    for entry in plan.parameters.describe():
        value = str(entry.value)
        value = value if len(value) <= 90 else value[:87] + "..."
        cells = (entry.path, value, entry.unit, entry.source, entry.evidence)
        rows.append("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |")
    mix = plan.parameters
    return _TEXT.format(
        hospitals=summary.hospitals,
        cases=summary.cases,
        years=years,
        seed=summary.seed,
        dirty=f"{summary.dirty_share:g}",
        truth=", ".join(f"`{name}` {count}" for name, count in summary.truth.items()),
        kinds=", ".join(f"`{kind}`" for kind in KINDS),
        ungroupable=mix["case_mix.ungroupable_share"] + mix["case_mix.cut_code_share"] + mix["case_mix.no_principal_share"],
        ambiguous=mix["case_mix.ambiguous_share"],
        parameters="\n".join(rows),
    )

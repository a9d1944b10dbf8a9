"""The README.md that lies beside every synthetic region."""

from __future__ import annotations

from importlib.resources import files

from drgsim.synthetic.broken_records import KINDS
from drgsim.synthetic.draw_plan import DrawPlan
from drgsim.synthetic.region_summary import Summary


def region_readme(plan: DrawPlan, summary: Summary) -> str:
    """Text of README.md: what the files are, how they were made, every parameter with its evidence."""
    years = str(plan.years[0]) if len(plan.years) == 1 else f"{plan.years[0]}-{plan.years[-1]}"
    rows = []
    for entry in plan.parameters.describe():
        value = str(entry.value)
        value = value if len(value) <= 90 else value[:87] + "..."
        cells = (entry.path, value, entry.unit, entry.source, entry.evidence)
        rows.append("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |")
    mix = plan.parameters
    text = files(__package__).joinpath("readme_template.md").read_text(encoding="utf-8")
    return text.format(
        hospitals=summary.hospitals,
        cases=summary.cases,
        years=years,
        seed=summary.seed,
        dirty=f"{summary.dirty_share:g}",
        truth=", ".join(f"`{name}` {count}" for name, count in summary.truth.items()),
        kinds=", ".join(f"`{kind}`" for kind in KINDS),
        unreadable=sum(mix[f"case_mix.{kind}_code_share"] for kind in ("cut", "grey", "none")),
        diseases=len({one.disease for one in plan.priors.pathways}),
        pathways=len(plan.priors.pathways),
        tail=mix["case_mix.tail_share"],
        figures=", ".join(f"{number:,} {kind}" for kind, number in summary.figures.items()),
        own=", ".join(f"`{name}`" for name in summary.own_priors) or "none",
        parameters="\n".join(rows),
    )

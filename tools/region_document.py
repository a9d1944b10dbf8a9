"""docs/regions.md: all regions in one table, how they settle a case and what is doubtful."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tools.make_region_policies import Region


def document(regions: list[Region], without: list[Mapping[str, str]], files: Mapping[str, dict[str, Any]]) -> str:
    """docs/regions.md."""
    lines = [
        "# Regions: how a case is settled across the country", "",
        "各地结算规则一览。 Made by `python -m tools.make_region_policies FACTS`; the facts were read from a public web",
        "grouper of 20 June 2026 (`secondary` throughout: somebody's program reads a city's document that way). `drgsim atlas`",
        "settles the same cases under all of them; `drgsim policy show NAME` has every value.",
        "",
        "Slips that the source makes plainly are settled as they are meant and told in the doubts;",
        "`tests/cases/payment/regions.csv` holds the cases, with the amount as coded where it differs. A new reading of a",
        "region that already had a policy stands beside it (`-b` where the year is the same), and replaces nothing.", "",
        "In the curves r is cost / reference, k the coefficient, x the cost ratio without it, K and E multiples, as in",
        "[payment.md](payment.md).", "",
        "| policy | region | method | value of a unit | curve: low; high | coefficient | weights | doubts |",
        "|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for region in regions:
        file = files[region.id]
        doubts = "; ".join(region.odd) or "-"
        cells = [
            f"`{region.id}`", region.zh, str(file["method"]), _span(region.unit_values), _curve_words(file["curves"]["main"]),
            region.facts["coefficient_rule"] or "-", "table" if "table" in file["relative_value"] else "your own", doubts,
        ]  # fmt: skip
        lines.append("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |")
    lines += ["", "## Without a policy", "", "The source states no rule for these; nothing was invented.", ""]
    lines += ["| region | what is stated |", "|---|---|"]
    lines += [f"| {row['region_zh']} ({row['region']}) | {row['status'].removeprefix('no rule: ')} |" for row in without]
    return "\n".join(lines) + "\n"


def _span(values: Mapping[str, float]) -> str:
    if not values:
        return "from a budget"
    low, high = min(values.values()), max(values.values())
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _curve_words(curve: Mapping[str, Any]) -> str:
    bands, pieces = curve.get("bands", [{}]), curve["pieces"]
    low = next((piece for piece in pieces if piece["case_class"] == "low"), None)
    lows = sorted({band["L"] for band in bands if "L" in band}) or ([low["upto"]] if low else [])
    tops = list(dict.fromkeys(band["K"] for band in bands if "K" in band)) or [pieces[-2]["upto"] if len(pieces) > 1 else None]
    first = f"below {'/'.join(f'{number:g}' for number in lows)}: {low['pays']}" if low else "no low rule"
    last = pieces[-1]
    high = (
        f"above {'/'.join(f'{number:g}' for number in tops if number)}: {last['pays']}" if len(pieces) > 1 else "no high rule"
    )
    return f"{first}; {high}"

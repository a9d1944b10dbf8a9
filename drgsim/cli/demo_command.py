"""``drgsim demo``: a budget year of the bundled region, from its discharges to a what-if, with a page to look at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from drgsim.language import bilingual, joined, term, text

if TYPE_CHECKING:
    from drgsim.api.demo_verb import SampleYear


def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.")] = Path("drgsim-demo"),
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the paths of the results only.")] = False,
) -> None:
    """A budget year of the bundled synthetic region: groups, weights, settlement, budget, a what-if."""
    from drgsim.api.demo_verb import NOTE, sample_year
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out, progress_bar

    with sample_year(output) as year:
        if not quiet:
            out.print(f"[yellow]{escape(NOTE)}[/]")
        with progress_bar(text("1/5 Grouping"), quiet) as progress:
            year.group(progress)
        if not quiet:
            _show_groups(year)
        with progress_bar(text("2/5 Weights"), quiet):
            year.weigh()
        if not quiet:
            _show_weights(year)
        with progress_bar(text("3/5 Settlement and budget"), quiet) as progress:
            year.settle(progress)
        if not quiet:
            _show_budget(year)
        with progress_bar(text("4/5 What if"), quiet) as progress:
            year.simulate(progress)
        if not quiet:
            _show_what_if(year)
        with progress_bar(text("5/5 The largest hospital"), quiet) as progress:
            year.account(progress)
    if quiet:
        out.print(f"{year.grouped}\n{year.page}\n{year.hospital_page}")
    else:
        out.print(text("report of the largest hospital: [bold]{page}[/]", page=year.hospital_page))
        out.print(
            text(
                "open [bold]{page}[/] in a browser · every record with its group: [bold]{grouped}[/]",
                page=year.page,
                grouped=year.grouped,
            )
        )


def _show_groups(year: SampleYear) -> None:
    from drgsim.analysis.casemix import largest_groups
    from drgsim.cli.group_command import percent_of, show_summary
    from drgsim.cli.terminal import rows_table

    run = year.run
    show_summary(run)
    rows = [
        [code, name, f"{cases:,}", percent_of(cases / run.counts.records)]
        for code, name, cases in largest_groups(run.counts, run.drg_scheme)
    ]
    rows_table(text("The ten largest groups"), ["DRG", text("name"), text("cases"), text("share")], rows, right=(2, 3))


def _show_weights(year: SampleYear) -> None:
    from drgsim.cli.terminal import rows_table

    rows = [
        [term("of trimming", "after") if line.trimmed else term("of trimming", "before"),
         f"{line.cases:,}", f"{line.groups}", f"{line.riv:.3f}",
         f"{line.stable_share:.1%}"]
        for line in year.weights.lines
        if line.scope == "all"
    ]  # fmt: skip
    years = sorted(year.weights.estimated.settings.year_weights)
    title = text("Weights from {first}-{last}", first=years[0], last=years[-1])
    rows_table(title, [text("trimming"), text("cases"), text("groups"), "RIV", "CV < 1"], rows, right=(1, 2, 3, 4))


def _show_budget(year: SampleYear) -> None:
    from drgsim.cli import budget_command, settle_command

    policy, last = year.settlement.ledger.policy, year.budget.years[-1].year
    settle_command.show_classes(
        year.settlement,
        text("Settled by {policy}, {last} · {title}", policy=policy.id, last=last, title=_title(policy.file)),
    )
    budget_command.show_years(year.budget.years, joined(" · ", map(_title, (policy.file, year.budget.budget_terms.file))))


def _title(file: Any) -> str:
    return bilingual(file.title, file.title_zh)


def _show_what_if(year: SampleYear) -> None:
    from drgsim.api.demo_verb import BASELINE
    from drgsim.cli import simulate_command
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out

    simulate_command.show_scenario(year.study, year.study.results[0])
    out.print(f"[dim]{escape(BASELINE)}[/]")

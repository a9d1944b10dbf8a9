"""``drgsim budget``: budget years of a region's hospitals under BJ-GBI."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from drgsim.cli.common_options import PageOption, check_page, pairs, write_page
from drgsim.language import bilingual, joined, term, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drgsim.api.budget_verbs import BudgetYears
    from drgsim.budgets.budget_year import BudgetYear

NAME_CELLS = 24  # so that a row stays a line on a narrow terminal


def budget(
    region: Annotated[Path, typer.Argument(help="Folder of a region, as drgsim synth makes it.", show_default=False)],
    policy: Annotated[str, typer.Option("--policy", "-p", help="Policy such as beijing/2024, or its folder.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for tables, workbook and page.", show_default=False)],
    terms: Annotated[
        str | None,
        typer.Option("--terms", help="general, region/year, or a budget.yaml; default: what lies beside the policy."),
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(help="Relative values of your own: the folder that drgsim weights wrote, or a table.")
    ] = None,
    weights_scale: Annotated[
        float | None, typer.Option(help="Relative value = SCALE x the number in --weights; 100 makes points of weights.")
    ] = None,
    scheme: Annotated[str | None, typer.Option("--scheme", "-s", help="Group by this scheme instead of the policy's.")] = None,
    year: Annotated[list[int] | None, typer.Option("--year", help="Only this year, may repeat; else all with a past.")] = None,
    years: Annotated[
        str | None, typer.Option("--years", help="Years such as 2026-2030; those beyond the data by the terms' outlook.")
    ] = None,
    change: Annotated[
        list[str] | None, typer.Option("--set", help="PATH=VALUE: budget.PATH for the terms, else the policy's; such as *1.03.")
    ] = None,
    check_coding: Annotated[
        bool, typer.Option("--check-coding", help="Coding quality by the rules of drgsim validate, not by the share grouped.")
    ] = False,
    page: PageOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the record of the run as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Index, quality, use, sharing and cash of every hospital and year.

    A policy without a table of groups is paid by --weights, else by weights from the region's own earlier years. The formula
    of BJ-GBI is not public: the model is an assumption, and every output lists what it rests on.
    """
    from drgsim.api import budget_verbs
    from drgsim.cli.terminal import print_json, progress_bar

    check_page(page, [region], output)
    with progress_bar(text("Settling"), quiet or as_json) as progress:
        result = budget_verbs.budget(
            region, policy, terms=terms, weights=weights, weights_scale=weights_scale, scheme=scheme,
            years=[*(year or []), *([years] if years else [])] or None,
            changes=pairs(change or []), check_coding=check_coding, progress=progress,
        )  # fmt: skip
    result.save_folder(output, ("parquet", "xlsx", "html"), replace=True)
    if as_json:
        print_json(result.record)
    elif not quiet:
        show(result, output)
    write_page(result, page, quiet or as_json)


def show_years(years: Sequence[BudgetYear], title: str) -> None:
    """The last year by hospital, and the fund year by year, as tables on the terminal."""
    from drgsim.cli.terminal import out, rows_table

    last = years[-1]
    rows = [
        [hospital, _short(name), f"{index / 1e6:,.2f}", f"{ratio:.1%}", f"{score:.0f}", f"{kept / 1e6:+,.2f}", str(int(warned))]
        for hospital, name, index, ratio, score, kept, warned in zip(
            last.figures.hospitals, last.figures.names, last.index.index, last.ratio, last.scores.score,
            last.settled - last.recorded, last.warnings.warned.sum(axis=1), strict=True,
        )
    ]  # fmt: skip
    columns = [
        "id",
        text("hospital"),
        term("of a budget", "index"),
        text("used"),
        text("score"),
        text("shared"),
        text("warned"),
    ]
    rows_table(
        text("Budget of {year}, in million yuan · {title}", year=last.year, title=title),
        columns,
        rows,
        right=(2, 3, 4, 5, 6),
        whole=(0,),
    )
    fund = []
    for year in years:
        amounts = (year.fund.budget, year.fund.index, year.fund.paid, year.fund.balance)
        money = [f"{amount / 1e6:,.2f}" for amount in amounts]
        fund.append([str(year.year), *money, f"{year.index.scaling:.4f}", f"{int(year.in_surplus.sum())}/{year.figures.size}"])
    columns = [
        text("year"), text("budget"), term("of a budget", "index"), text("paid"), text("balance"), text("scaling"),
        text("in surplus"),
    ]  # fmt: skip
    rows_table(text("The fund, in million yuan"), columns, fund, right=(1, 2, 3, 4, 5, 6))
    out.print(text("shared: what sharing adds to (+) or takes from (-) the amount due by units of payment"), style="dim")


def show(result: BudgetYears, output: Path) -> None:
    """The years, and what carries them."""
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out, show_note, show_warning

    terms = result.budget_terms
    show_years(
        result.years, joined(" · ", (bilingual(one.title, one.title_zh) for one in (result.prepared.policy.file, terms.file)))
    )
    for note in result.notes:
        (show_note(note.what) if note.code == "note" else show_warning(note))
    count = len(terms.assumptions)
    out.print(
        text(
            "[magenta]{count} of {all} budget parameters are assumptions[/]: sheet 参数 of budget.xlsx",
            count=count,
            all=len(terms.parameters),
        )
    )
    out.print(
        text(
            "wrote [bold]{output}[/]: budget.html, budget.xlsx and {count} years of tables",
            output=escape(str(output)),
            count=len(result.years),
        )
    )


def _short(name: str) -> str:
    """A name that fits its column: a Chinese character takes two cells."""
    from rich.cells import cell_len, set_cell_size

    return name if cell_len(name) <= NAME_CELLS else set_cell_size(name, NAME_CELLS - 1).rstrip() + "…"

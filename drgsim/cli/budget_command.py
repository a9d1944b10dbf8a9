"""``drgsim budget``: budget years of a region's hospitals under BJ-GBI."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drgsim.budgets.budget_year import BudgetYear
    from drgsim.budgets.region_preparation import PreparedRegion
    from drgsim.budgets.terms import BudgetTerms

NAME_CELLS = 24  # so that a row stays a line on a narrow terminal


def budget(
    region: Annotated[Path, typer.Argument(help="Folder of a region, as drgsim synth makes it.", show_default=False)],
    policy: Annotated[str, typer.Option("--policy", "-p", help="Policy such as beijing/2024, or its folder.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for tables, workbook and page.", show_default=False)],
    terms: Annotated[
        str | None,
        typer.Option("--terms", help="general, region/year, or a budget.yaml; default: what lies beside the policy."),
    ] = None,
    scheme: Annotated[str | None, typer.Option("--scheme", "-s", help="Group by this scheme instead of the policy's.")] = None,
    year: Annotated[list[int] | None, typer.Option("--year", help="Only this year, may repeat; else all with a past.")] = None,
    change: Annotated[
        list[str] | None, typer.Option("--set", help="PATH=VALUE: budget.PATH for the terms, else the policy's; such as *1.03.")
    ] = None,
    check_coding: Annotated[
        bool, typer.Option("--check-coding", help="Coding quality by the rules of drgsim validate, not by the share grouped.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the record of the run as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Index, quality, use, sharing and cash of every hospital and year. 总额预算

    The formula of BJ-GBI is not public: the model is an assumption, and every output lists what it rests on.
    """
    from drgsim.budgets.budget_doubts import doubts
    from drgsim.budgets.budget_tables import budget_tables
    from drgsim.budgets.budget_year import budget_years
    from drgsim.budgets.region_preparation import prepare
    from drgsim.budgets.terms import PREFIX, load_terms
    from drgsim.cli.common_options import pairs
    from drgsim.cli.terminal import print_json, progress_bar
    from drgsim.payment.policy import load_policy
    from drgsim.report.budget_page import budget_page
    from drgsim.report.budget_workbook import write_workbook
    from drgsim.results.run_record import write_results
    from drgsim.results.whole_outputs import write_text

    loaded = load_policy(policy)
    used = load_terms(loaded) if terms is None else load_terms(terms)
    changes = pairs(change or [])
    own = {path: value for path, value in changes.items() if path.startswith(PREFIX)}
    others = {path: value for path, value in changes.items() if path not in own}
    if own:
        used = used.changed(own, "--set")
    with progress_bar("Settling", quiet or as_json) as progress:
        prepared = prepare(region, loaded, used, scheme=scheme, changes=others, check_coding=check_coding, progress=progress)
    years = budget_years(prepared.figures, used, tuple(year) if year else None)
    tables = budget_tables(years)
    record = run_record(prepared, used, years, changes)
    told = [*record["notes"], *(problem.what for problem in doubts(years))]
    write_results(
        output,
        {f"{name}.parquet": table for name, table in tables.items()},
        record,
        {
            "budget.xlsx": lambda path: write_workbook(path, years, tables, told),
            "budget.html": lambda path: write_text(path, budget_page(years, prepared.policy, told)),
        },
    )
    if as_json:
        print_json(record)
    elif not quiet:
        show(years, prepared, used, output)


def run_record(
    prepared: PreparedRegion, terms: BudgetTerms, years: Sequence[BudgetYear], changes: dict[str, Any]
) -> dict[str, Any]:
    """What was run and what came out, without any clock: the same inputs give the same record."""
    from drgsim import __version__
    from drgsim.budgets.budget_doubts import doubts
    from drgsim.budgets.budget_tables import FUND_ZH
    from drgsim.results.run_record import digest_of, problem_rows

    def yuan(fen: int) -> str:
        sign = "-" if fen < 0 else ""
        return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"

    return {
        "kind": "budget",
        "drgsim": __version__,
        "policy": prepared.policy.id,
        "policy_digest": prepared.policy.digest,
        "terms": terms.id,
        "terms_digest": terms.digest,
        "changes": changes,
        "inputs": digest_of(prepared.region.files),
        "absent": list(prepared.region.absent),
        "price_factors": prepared.price_factors,
        "notes": notes(prepared, terms),
        "years": [
            {
                "year": year.year,
                "hospitals": year.figures.size,
                "in_surplus": int(year.in_surplus.sum()),
                "warned_in_december": int(year.warnings.warned[:, -1].sum()),
                "scaling": year.index.scaling,
                "fund_yuan": {name: yuan(getattr(year.fund, name)) for name in FUND_ZH},
                "largest_ledger_difference_fen": int(abs(year.cash.difference).max()),
            }
            for year in years
        ],
        "problems": problem_rows([*prepared.problems, *doubts(years)]),
        "assumptions": [f"budget.{parameter.path}" for parameter in terms.assumptions]
        + [parameter.path for parameter in prepared.policy.assumptions],
    }


def notes(prepared: PreparedRegion, terms: BudgetTerms) -> list[str]:
    """What a reader must know beside the figures."""
    result = [*terms.file.notes, *prepared.notes]
    if prepared.region.absent:
        result.append(f"the region states no {', '.join(prepared.region.absent)}: nothing is assumed in their place")
    unpaid = int(prepared.figures.unpaid.sum())
    if unpaid:
        result.append(f"{unpaid} insured cases could not be paid by the policy and use none of the index")
    return result


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
    columns = ["id", "hospital 医院", "index", "used", "score", "shared", "warned"]
    rows_table(f"Budget 万元 {last.year} · {title}", columns, rows, right=(2, 3, 4, 5, 6), whole=(0,))
    fund = []
    for year in years:
        amounts = (year.fund.budget, year.fund.index, year.fund.paid, year.fund.balance)
        money = [f"{amount / 1e6:,.2f}" for amount in amounts]
        fund.append([str(year.year), *money, f"{year.index.scaling:.4f}", f"{int(year.in_surplus.sum())}/{year.figures.size}"])
    columns = ["year", "budget", "index", "paid", "balance", "scaling", "in surplus"]
    rows_table("The fund 基金 万元", columns, fund, right=(1, 2, 3, 4, 5, 6))
    out.print(
        "shared: what sharing adds to (+) or takes from (-) the amount due by units of payment 结余留用与超支自担", style="dim"
    )


def show(years: Sequence[BudgetYear], prepared: PreparedRegion, terms: BudgetTerms, output: Path) -> None:
    """The years, and what carries them."""
    from rich.markup import escape

    from drgsim.budgets.budget_doubts import doubts
    from drgsim.cli.terminal import out

    show_years(years, f"{prepared.policy.file.title_zh} · {terms.file.title_zh}")
    for note in notes(prepared, terms):
        out.print(f"[yellow]note[/] {escape(note)}", soft_wrap=True)
    for problem in (*prepared.problems, *doubts(years)):
        out.print(f"[yellow]![/] {escape(problem.what)} [dim]\\[{problem.code}][/]", soft_wrap=True)
    count = len(terms.assumptions)
    out.print(f"[magenta]{count} of {len(terms.parameters)} budget parameters are assumptions[/]: sheet 参数 of budget.xlsx")
    out.print(f"wrote [bold]{escape(str(output))}[/]: budget.html, budget.xlsx and {len(years)} years of tables")


def _short(name: str) -> str:
    """A name that fits its column: a Chinese character takes two cells."""
    from rich.cells import cell_len, set_cell_size

    return name if cell_len(name) <= NAME_CELLS else set_cell_size(name, NAME_CELLS - 1).rstrip() + "…"

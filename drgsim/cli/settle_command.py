"""``drgsim settle``: what each case is paid under a policy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from drgsim.cli.common_options import (
    CodeVersionOption,
    FormatOption,
    InputsArgument,
    MapFileOption,
    MapOption,
    PageOption,
    SheetOption,
    amounts,
    check_page,
    input_options,
    pairs,
    write_page,
)  # fmt: skip
from drgsim.language import bilingual, text

if TYPE_CHECKING:
    from drgsim.api.payment_verbs import Settled
    from drgsim.payment.settlement import Settlement


OWN, MONEY, CLEARING = "Data of your own", "Prices and budget", "Prepayment and clearing"


def settle(
    inputs: InputsArgument,
    policy: Annotated[str, typer.Option("--policy", "-p", help="Policy such as beijing/2024, or its folder.")],
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            help="Folder, or a .csv, .parquet or .xlsx file for the cases; - or a database URL with ?table= for these alone.",
        ),
    ],
    hospitals: Annotated[
        Path | None, typer.Option(rich_help_panel=OWN, help="hospitals.csv: hospital_id, level, grade, coefficient.")
    ] = None,
    level: Annotated[
        str | None,
        typer.Option(rich_help_panel=OWN, help="Level of the file's one hospital, such as 3 or 三甲: needs no list."),
    ] = None,
    grade: Annotated[
        str | None, typer.Option(rich_help_panel=OWN, help="Its grade, where the policy asks for it, such as 甲 or A.")
    ] = None,
    coefficients: Annotated[
        Path | None,
        typer.Option(rich_help_panel=OWN, help="Coefficients by hospital and group: hospital_id, group, coefficient."),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel=OWN, help="Relative values of your own: the folder that drgsim weights wrote, or a table."
        ),
    ] = None,
    weights_scale: Annotated[
        float | None,
        typer.Option(
            rich_help_panel=OWN, help="Relative value = SCALE x the number in --weights; 100 makes points of weights."
        ),
    ] = None,
    unstable: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=OWN, help="Where unstable groups are found: table, cases or never; the policy's word by default."
        ),
    ] = None,
    scheme: Annotated[str | None, typer.Option("--scheme", "-s", help="Group by this scheme where there is no group.")] = None,
    format: FormatOption = None,
    maps: MapOption = None,
    map_file: MapFileOption = None,
    sheets: SheetOption = None,
    code_version: CodeVersionOption = "yb2",
    budget: Annotated[
        list[str] | None, typer.Option(rich_help_panel=MONEY, help="employee=YUAN, resident=YUAN or YUAN for all.")
    ] = None,
    fund_share: Annotated[
        float, typer.Option(rich_help_panel=MONEY, help="Fund's share of the cost: divides a budget of the fund.")
    ] = 1.0,
    unit_value: Annotated[
        list[str] | None, typer.Option(rich_help_panel=MONEY, help="KEY=YUAN per unit, instead of the policy's.")
    ] = None,
    budget_value: Annotated[
        list[str] | None,
        typer.Option(rich_help_panel=MONEY, help="Budget point value, for policies with a floating value: PAYER=YUAN or YUAN."),
    ] = None,
    clearing: Annotated[
        bool,
        typer.Option(
            "--clearing",
            rich_help_panel=CLEARING,
            help="Also write prepayment.csv by month and clearing.csv by hospital.",
        ),
    ] = False,
    prepay: Annotated[
        float | None, typer.Option(rich_help_panel=CLEARING, help="Share of a month paid in advance; the policy's by default.")
    ] = None,
    assessment: Annotated[
        Path | None, typer.Option(rich_help_panel=CLEARING, help="hospital_id, assessment, deductions of the yearly clearing.")
    ] = None,
    change: Annotated[
        list[str] | None, typer.Option("--set", rich_help_panel=MONEY, help="PATH=VALUE: change a parameter, such as *1.03.")
    ] = None,
    include: Annotated[
        list[str] | None,
        typer.Option(rich_help_panel=MONEY, help="Sections to add to the policy, such as examples/psychiatric."),
    ] = None,
    page: PageOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Settle every discharge and sum up by hospital, department, group, insurance and case class.

    A file without groups is grouped first, with the input options of `drgsim group`. Cases that no rule can pay have no
    amount; they are counted, with the reason. Exit code 1 when no case could be paid.
    """
    from drgsim.api import payment_verbs
    from drgsim.cli.terminal import print_json, result_on_standard_output
    from drgsim.records.case_table import own_columns
    from drgsim.records.read import READABLE
    from drgsim.results.table_files import STANDARD_OUTPUT, WRITABLE, check_writable, is_stream_or_table, shown_place
    from drgsim.results.whole_outputs import check_output

    reading = input_options(format, maps, map_file, code_version, sheets, also=own_columns())
    read: list[str | Path] = [*inputs, *(side for side in (hospitals, coefficients, weights, assessment) if side is not None)]
    check_output(output, read)
    check_page(page, read, output)
    if is_stream_or_table(output) or Path(output).suffix.lower() in (*WRITABLE, *READABLE):  # .xls is no name of a folder
        check_writable(output)
    paid = payment_verbs.settle(
        inputs, policy, hospitals=hospitals, level=level, grade=grade, coefficients=coefficients, weights=weights,
        weights_scale=weights_scale, unstable=unstable, scheme=scheme, reading=reading, budget=amounts(budget, "--budget"),
        fund_share=fund_share, unit_value=amounts(unit_value, "--unit-value"),
        budget_value=amounts(budget_value, "--budget-value"),
        changes=pairs(change or []), include=include, clearing=clearing, prepay=prepay, assessment=assessment,
    )  # fmt: skip
    _write(paid, output)
    with result_on_standard_output(output == STANDARD_OUTPUT):
        if as_json:
            print_json(paid.record)
        elif not quiet:
            show(paid, shown_place(output))
        write_page(paid, page, quiet or as_json)
    if paid.record["paid"] == 0:
        raise typer.Exit(1)


def _write(paid: Settled, place: str) -> None:
    """The cases and their summaries: a folder, or a file with a folder of summaries beside it."""
    from drgsim.results.run_record import write_results
    from drgsim.results.table_files import WRITABLE, is_stream_or_table, write_table

    if is_stream_or_table(place):
        write_table(place, paid.cases)
        return
    output = Path(place)
    summaries = {f"summary_{name}.csv": table for name, table in paid.settlement.summaries.items()}
    summaries["assumptions.csv"] = paid.assumptions
    for name, table in (("prepayment.csv", paid.prepayment), ("clearing.csv", paid.clearing)):
        summaries |= {name: table} if table is not None else {}
    if output.suffix.lower() in WRITABLE:
        write_table(output, paid.cases, about=paid.about())
        write_results(output.with_name(f"{output.stem}.summaries"), summaries, paid.record)
    else:
        write_results(output, {"cases.parquet": paid.cases, **summaries}, paid.record)


def show_classes(settlement: Settlement, title: str) -> None:
    """The settlement by class of case, as a table on the terminal."""
    from drgsim.cli.terminal import out, rows_table

    money = ("payment", "fund_payment", "margin")  # five columns fit a narrow terminal
    rows = [
        [bilingual(row["case_class"], row["case_class_zh"]), f"{row['cases']:,}", *(f"{row[name]:,.0f}" for name in money)]
        for row in settlement.summaries["case_class"].to_pylist()
    ]
    whole = settlement.summaries["all"].to_pylist()[0]
    rows.append([text("all cases"), f"{whole['cases']:,}", *(f"{whole[name]:,.0f}" for name in money)])
    columns = [text("class"), text("cases"), text("payment, yuan"), text("fund, yuan"), text("margin, yuan")]
    rows_table(title, columns, rows, right=(1, 2, 3, 4), whole=(0,))
    if "shadow_payment" in whole:
        out.print(
            text(
                "groups would pay {cases:,} simulated cases {payment:,.0f} yuan, {margin:+,.0f} against the "
                "bills that are paid",
                cases=whole["shadow_cases"],
                payment=whole["shadow_payment"],
                margin=whole["shadow_margin"],
            )
        )
    if whole["above_standard"]:
        kept = -whole["above_standard"]
        out.print(
            text(
                "[dim]patients paid {kept:,.0f} yuan above the standard, which hospitals keep beside the payment[/]", kept=kept
            )
        )


def show(paid: Settled, output: Path | None) -> None:
    """The settlement, its doubts and what it rests on, on the terminal."""
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out, show_warning
    from drgsim.records.vocabulary import PAYERS_ZH

    settlement, policy = paid.settlement, paid.policy
    title = bilingual(policy.file.title, policy.file.title_zh)
    show_classes(settlement, text("Settled by {policy} · {title}", policy=policy.id, title=title))
    for payer, value in settlement.unit_values.items():
        out.print(
            text(
                "unit value {payer}: [bold]{value:,.6f}[/] yuan, from the budget",
                payer=text("of all payers") if payer == "*" else bilingual(payer, PAYERS_ZH.get(payer, payer)),
                value=value,
            )
        )
    for note in paid.record["notes"]:
        out.print(f"[dim]{escape(note)}[/]")
    for problem in settlement.problems:
        show_warning(problem)
        for said in (problem.where, problem.fix):
            if said:
                out.print(f"  [dim]{escape(said)}[/]", soft_wrap=True)
    count = len(policy.assumptions)
    if count:
        name = "+".join([policy.id, *policy.file.include])
        out.print(
            text(
                "[magenta]{count} assumptions[/] carry this result: drgsim policy show {name} --assumptions",
                count=count,
                name=name,
            )
        )
    out.print(text("wrote [bold]{output}[/]", output=escape(output)))

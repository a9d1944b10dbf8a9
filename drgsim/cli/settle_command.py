"""``drgsim settle``: what each case is paid under a policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from drgsim.cli.common_options import CodeVersionOption, FormatOption, InputsArgument, MapFileOption, MapOption, input_options

if TYPE_CHECKING:
    import pyarrow as pa

    from drgsim.errors import Problem
    from drgsim.payment.policy import Policy
    from drgsim.payment.settlement import Settlement


OWN, MONEY, CLEARING = "Data of your own 自有数据", "Prices and budget 价格与总额", "Prepayment and clearing 预结与清算"


def settle(
    inputs: InputsArgument,
    policy: Annotated[str, typer.Option("--policy", "-p", help="Policy such as beijing/2024, or its folder.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder, or a .csv, .parquet or .xlsx file for the cases.")],
    hospitals: Annotated[
        Path | None, typer.Option(rich_help_panel=OWN, help="hospitals.csv: hospital_id, level, grade, coefficient.")
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
            help="Also write prepayment.csv by month and clearing.csv by hospital. 预结与清算",
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
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Settle every discharge and sum up by hospital, department, group, insurance and case class. 结算

    A file without groups is grouped first, with the input options of `drgsim group`. Cases that no rule can pay have no
    amount; they are counted, with the reason. Exit code 1 when no case could be paid.
    """
    from drgsim.cli.terminal import print_json
    from drgsim.payment.grouped_files import check_output, own_columns, read_grouped
    from drgsim.payment.own_weights import scheme_in, with_relative_values
    from drgsim.payment.policy import load_policy
    from drgsim.payment.settlement import settle as run
    from drgsim.payment.unstable import DETECT
    from drgsim.records.read import READABLE
    from drgsim.region.hospital_list import read_group_coefficients, read_hospitals
    from drgsim.results.run_record import write_results
    from drgsim.results.table_files import WRITABLE, check_writable, write_table

    options = input_options(format, maps, map_file, code_version, also=own_columns())
    check_output(output, [*inputs, *(side for side in (hospitals, coefficients, weights, assessment) if side is not None)])
    check_choice("--unstable", unstable, DETECT)
    if weights_scale is not None and weights is None:
        raise usage("usage-no-weights", "--weights-scale stands without --weights")
    if (prepay is not None or assessment is not None) and not clearing:
        raise usage("usage-no-clearing", "--prepay and --assessment belong to --clearing")
    loaded = load_policy(policy)
    doubts: list[Problem] = []
    if change:
        loaded = loaded.changed(dict(pairs(change)), "--set")
    if weights is not None:
        loaded, doubts = with_relative_values(loaded, weights, weights_scale)
    known = read_hospitals(hospitals) if hospitals is not None else None
    by_group = read_group_coefficients(coefficients) if coefficients is not None else None
    table, notes = read_grouped(inputs, scheme or scheme_in(weights) or loaded.file.scheme, options)
    if output.suffix.lower() in (*WRITABLE, *READABLE):  # .xls is no name of a folder
        check_writable(output, table.num_rows)
    settlement = run(
        table,
        loaded,
        hospitals=known,
        budget=amounts(budget, "--budget"),
        fund_share=fund_share,
        unit_value=amounts(unit_value, "--unit-value"),
        coefficients=by_group,
        unstable=unstable,  # type: ignore[arg-type]
        budget_value=amounts(budget_value, "--budget-value"),
    )
    settlement = replace(settlement, problems=(*doubts, *settlement.problems))
    sides = [side for side in (hospitals, coefficients, weights_file(weights), assessment) if side is not None]
    record = run_record(settlement, loaded, [*inputs, *sides], notes)
    summaries = {f"summary_{name}.csv": summary for name, summary in settlement.summaries.items()}
    summaries["assumptions.csv"] = assumptions_table(loaded)
    if clearing:
        summaries |= _cleared(settlement, loaded, prepay, assessment, fund_share)
    if output.suffix.lower() in WRITABLE:
        write_table(output, settlement.table)
        write_results(output.with_name(f"{output.stem}.summaries"), summaries, record)
    else:
        write_results(output, {"cases.parquet": settlement.table, **summaries}, record)
    if as_json:
        print_json(record)
    elif not quiet:
        show(settlement, loaded, notes, output)
    if record["paid"] == 0:
        raise typer.Exit(1)


def assumptions_table(policy: Policy) -> pa.Table:
    """What the result rests on without a source, to lie beside it: parameter, value, unit, source, note."""
    import pyarrow as pa

    found = policy.assumptions
    names = ("parameter", "value", "unit", "source", "note")
    rows = [(entry.path, str(entry.value), entry.unit, entry.source, entry.note) for entry in found]
    return pa.table({name: pa.array([row[place] for row in rows], pa.string()) for place, name in enumerate(names)})


def _cleared(
    settlement: Settlement, policy: Policy, prepay: float | None, assessment: Path | None, fund_share: float
) -> dict[str, pa.Table]:
    """Prepayment by month and clearing by hospital."""
    from drgsim.payment.clearing import PREPAID_AS, monthly_prepayments, read_assessments, yearly_clearing

    stated = policy.file.prepayment
    share = prepay
    if share is None and stated is not None and stated.unit.startswith(PREPAID_AS):
        share = stated.value
    if share is None or not 0 <= share <= 1:
        fix = "give --prepay, such as 0.9"
        raise usage("usage-no-prepayment", f"what share of a month {policy.id} pays in advance is not known (0 to 1)", fix)
    prepaid = monthly_prepayments(settlement, share)
    judged = read_assessments(assessment) if assessment is not None else None
    return {"prepayment.csv": prepaid, "clearing.csv": yearly_clearing(settlement, prepaid, judged, fund_share)}


def weights_file(path: Path | None) -> Path | None:
    """The table behind --weights: the file, or the one in the folder that drgsim weights or dip build wrote."""
    from drgsim.payment.own_weights import table_in

    return table_in(path) if path is not None else None


def usage(code: str, what: str, fix: str = "") -> Exception:
    """The error of a call that makes no sense."""
    from drgsim.errors import Problem, UsageError

    return UsageError([Problem(code, what, fix=fix)])


def check_choice(option: str, value: str | None, allowed: Sequence[str]) -> None:
    """Refuse a word that an option does not know."""
    from drgsim.errors import did_you_mean

    if value is not None and value not in allowed:
        fix = did_you_mean(value, list(allowed))
        raise usage("usage-unknown-word", f"{option} {value!r} is not one of {', '.join(allowed)}", fix)


def pairs(texts: list[str]) -> list[tuple[str, str | float]]:
    """Options as they are typed, NAME=VALUE: numbers as numbers, changes such as ``*1.03`` as texts."""
    from drgsim.errors import Problem, UsageError

    wrong = [text for text in texts if "=" not in text]
    if wrong:
        raise UsageError([Problem("usage-no-pair", f"{text!r} is not NAME=VALUE") for text in wrong])
    pairs: list[tuple[str, str | float]] = []
    for text in texts:
        name, value = text.split("=", 1)
        try:
            pairs.append((name.strip(), float(value) if value[:1] not in "+-" else value))
        except ValueError:
            pairs.append((name.strip(), value))
    return pairs


def amounts(texts: list[str] | None, option: str) -> dict[str, float] | None:
    from drgsim.errors import Problem, UsageError

    if not texts:
        return None
    entries = pairs([text if "=" in text else f"*={text}" for text in texts])
    wrong = [name for name, value in entries if not isinstance(value, float)]
    if wrong:
        raise UsageError([Problem("usage-no-number", f"{option} {name}: the amount is no number") for name in wrong])
    return {name: float(value) for name, value in entries}


def run_record(settlement: Settlement, policy: Policy, inputs: list[Path], notes: list[str]) -> dict[str, Any]:
    """What was run and what came out, without any clock: the same inputs give the same record."""
    from drgsim import __version__
    from drgsim.money import MISSING, total
    from drgsim.results.run_record import digest_of, problem_rows

    ledger = settlement.ledger
    return {
        "kind": "settle",
        "drgsim": __version__,
        "policy": policy.id,
        "policy_digest": policy.digest,
        "inputs": digest_of(inputs),
        "notes": notes,
        "cases": ledger.cases.size,
        "paid": int((settlement.amount != MISSING).sum()),
        "amount_yuan": f"{total(settlement.amount) / 100:.2f}",
        "fund_payment_yuan": f"{total(settlement.fund_payment) / 100:.2f}",
        "unit_values": dict(settlement.unit_values),
        "problems": problem_rows(settlement.problems),
        "assumptions": [parameter.path for parameter in policy.assumptions],
    }


def show_classes(settlement: Settlement, title: str) -> None:
    """The settlement by class of case, as a table on the terminal."""
    from drgsim.cli.terminal import rows_table

    money = ("payment", "fund_payment", "margin")  # the cost is payment - margin; five columns fit a narrow terminal
    rows = [
        [f"{row['case_class']} {row['case_class_zh']}", f"{row['cases']:,}", *(f"{row[name]:,.0f}" for name in money)]
        for row in settlement.summaries["case_class"].to_pylist()
    ]
    whole = settlement.summaries["all"].to_pylist()[0]
    rows.append(["all 合计", f"{whole['cases']:,}", *(f"{whole[name]:,.0f}" for name in money)])
    columns = ["class 类别", "cases", "payment 元", "fund 元", "margin 元"]
    rows_table(title, columns, rows, right=(1, 2, 3, 4), whole=(0,))


def show(settlement: Settlement, policy: Policy, notes: list[str], output: Path) -> None:
    """The settlement, its doubts and what it rests on, on the terminal."""
    from rich.markup import escape

    from drgsim.cli.terminal import out

    show_classes(settlement, f"Settled by {policy.id} · {policy.file.title_zh}")
    for payer, value in settlement.unit_values.items():
        out.print(f"unit value {'all' if payer == '*' else payer}: [bold]{value:,.6f}[/] yuan, from the budget")
    for note in notes:
        out.print(f"[dim]{escape(note)}[/]")
    for problem in settlement.problems:
        out.print(f"[yellow]![/] {escape(problem.what)} [dim]\\[{problem.code}][/]", soft_wrap=True)
        for text in (problem.where, problem.fix):
            if text:
                out.print(f"  [dim]{escape(text)}[/]", soft_wrap=True)
    count = len(policy.assumptions)
    if count:
        out.print(f"[magenta]{count} assumptions[/] carry this result: drgsim policy show {policy.id} --assumptions")
    out.print(f"wrote [bold]{escape(str(output))}[/]")

"""``drgsim demo``: a budget year of the bundled region, from its discharges to a what-if, with a page to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

NOTE = "Synthetic data: no patient, hospital or cost in it is real. 合成数据：患者、医院与费用均非真实。"
SCHEME, POLICY, SCENARIO = "chs-drg-2.0", "beijing/2024", "surplus-share-80"
BASELINE = (
    "Its baseline pays by the rate at which the fund's budget is just spent; the budget year above scales the policy's prices "
    "by level of hospital. 情景基线按基金预算倒算费率，与上文按级别缩放价格的口径不同。"
)


def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.")] = Path("drgsim-demo"),
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the paths of the results only.")] = False,
) -> None:
    """A budget year of the bundled synthetic region: groups, weights, settlement, budget, a what-if. 演示"""
    import pyarrow.parquet as pq

    from drgsim.analysis.casemix import largest_groups
    from drgsim.assets import asset_root
    from drgsim.budgets.budget_tables import budget_tables
    from drgsim.budgets.budget_year import budget_years
    from drgsim.budgets.region_preparation import prepare
    from drgsim.budgets.terms import load_terms
    from drgsim.cli import budget_command, settle_command, simulate_command
    from drgsim.cli.group_command import percent_of, show_summary
    from drgsim.cli.terminal import out, progress_bar, rows_table
    from drgsim.engines.file_to_file import group_files
    from drgsim.payment.grouped_files import read_grouped
    from drgsim.payment.history_tables import read_history, weight_tables
    from drgsim.payment.policy import load_policy
    from drgsim.payment.weight_estimation import WeightSettings, estimate_weights, evaluate
    from drgsim.report.budget_page import budget_page
    from drgsim.report.casemix_page import casemix_page
    from drgsim.report.region_page import RegionYear, year_page
    from drgsim.report.whatif_page import whatif_page
    from drgsim.results.run_record import write_results
    from drgsim.results.whole_outputs import write_text
    from drgsim.simulation.session import Options, run_all
    from drgsim.simulation.study_folder import record_of, write_study
    from drgsim.units.schemes.pack import load_scheme

    region = asset_root("data/samples") / "region"
    inputs = sorted(region.glob("discharges-*.parquet"))
    output.mkdir(parents=True, exist_ok=True)
    grouped, page = output / "grouped.parquet", output / "index.html"
    if not quiet:
        out.print(f"[yellow]{NOTE}[/]")

    with progress_bar("1/4 Grouping 分组", quiet) as progress:
        run = group_files(inputs, SCHEME, grouped, keep_input=True, progress=progress)
    scheme, answers = load_scheme(SCHEME), pq.read_table(grouped)
    heading = "Case mix of the sample region 样例地区病例组合"
    write_text(output / "casemix.html", casemix_page(run, answers, scheme, title=heading, note=NOTE))
    if not quiet:
        show_summary(run)
        rows = [
            [code, name, f"{cases:,}", percent_of(cases / run.counts.records)]
            for code, name, cases in largest_groups(run.counts, run.drg_scheme)
        ]
        rows_table("The ten largest groups 最大的十个组", ["DRG", "name 名称", "cases", "share"], rows, right=(2, 3))

    with progress_bar("2/4 Weights 权重", quiet):
        history, _ = read_history(read_grouped(inputs[:-1], SCHEME)[0])
        years = sorted(set(history.year.tolist()))
        settings = WeightSettings(
            year_weights=dict(zip(years, (3, 7), strict=True)), minimum_cases=10, smoothing=10, monotone=True
        )
        weights = estimate_weights(history, settings)
        evaluation = evaluate(history, weights)
        described = {"kind": "weights", "settings": settings.describe()}
        write_results(output / "weights", weight_tables(weights, evaluation), described)
    if not quiet:
        lines = [line for line in evaluation if line.scope == "all"]
        rows = [
            ["after 裁剪后" if line.trimmed else "before 裁剪前", f"{line.cases:,}", f"{line.groups}", f"{line.riv:.3f}",
             f"{line.stable_share:.1%}"]
            for line in lines
        ]  # fmt: skip
        title = f"Weights from {years[0]}-{years[-1]} 权重测算"
        rows_table(title, ["trimming", "cases", "groups", "RIV", "CV < 1"], rows, right=(1, 2, 3, 4))

    policy = load_policy(POLICY)
    terms = load_terms(policy)
    with progress_bar("3/4 Settlement and budget 结算与总额预算", quiet) as progress:
        prepared = prepare(region, policy, terms, progress=progress)
    last = max(prepared.settlements)
    settlement = prepared.settlements[last]
    if not quiet:
        settle_command.show_classes(settlement, f"Settled by {POLICY}, {last} · {policy.file.title_zh}")

    budgets = budget_years(prepared.figures, terms)
    record = budget_command.run_record(prepared, terms, budgets, {})
    write_results(
        output / "budget",
        {f"{name}.parquet": table for name, table in budget_tables(budgets).items()},
        record,
        {"budget.html": lambda path: write_text(path, budget_page(budgets, prepared.policy, record["notes"]))},
    )
    if not quiet:
        budget_command.show_years(budgets, f"{policy.file.title_zh} · {terms.file.title_zh}")

    with progress_bar("4/4 What if 情景", quiet) as progress:
        study = run_all(region, [SCENARIO], Options(policy=POLICY), progress)
    asked = record_of(study, policy=POLICY)
    write_study(
        output / "whatif", study, asked, {"whatif.html": lambda path: write_text(path, whatif_page(study, asked, NOTE))}
    )
    if not quiet:
        simulate_command.show_scenario(study, study.results[0])
        out.print(f"[dim]{BASELINE}[/]")

    shown = RegionYear(
        run, answers, scheme, weights, evaluation, settings.describe(), settlement, budgets, study, BASELINE,
        record["assumptions"], [*record["notes"], *study.notes],
    )  # fmt: skip
    links = [
        ("case mix 病例组合", "casemix.html"),
        ("budget 预算", "budget/budget.html"),
        ("what if 情景", "whatif/whatif.html"),
    ]
    write_text(page, year_page(shown, title="A budget year of the sample region 样例地区预算年度", note=NOTE, links=links))
    if quiet:
        out.print(f"{grouped}\n{page}")
        return
    out.print(f"open [bold]{page}[/] in a browser · every record with its group: [bold]{grouped}[/]")

"""``drgsim demo``: the main job on the bundled sample, with a result to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

NOTE = "Synthetic data: no patient, hospital or cost in it is real. 合成数据：患者、医院与费用均非真实。"


def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.")] = Path("drgsim-demo"),
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the paths of the results only.")] = False,
) -> None:
    """Group the bundled synthetic region and show its case mix. 演示"""
    import pyarrow.parquet as pq

    from drgsim.analysis.casemix import largest_groups
    from drgsim.assets import asset_root
    from drgsim.cli.group import DEFAULT_SCHEME, percent_of, show_summary
    from drgsim.cli.terminal import out, progress_bar, rows_table
    from drgsim.engines.local import group_files
    from drgsim.report.casemix import casemix_page
    from drgsim.report.page import write_page
    from drgsim.schemes.pack import load_scheme

    inputs = sorted((asset_root("data/samples") / "region").glob("discharges-*.parquet"))
    output.mkdir(parents=True, exist_ok=True)
    grouped, page = output / "grouped.parquet", output / "casemix.html"
    if not quiet:
        out.print(f"[yellow]{NOTE}[/]")
    with progress_bar("Grouping", quiet) as progress:
        run = group_files(inputs, DEFAULT_SCHEME, grouped, keep_input=True, progress=progress)
    write_page(
        page,
        casemix_page(
            run,
            pq.read_table(grouped),
            load_scheme(DEFAULT_SCHEME),
            title="Case mix of the sample region 样例地区病例组合",
            note=NOTE,
        ),
    )
    if quiet:
        out.print(f"{grouped}\n{page}")
        return
    show_summary(run)
    rows = [
        [code, name, f"{cases:,}", percent_of(cases / run.counts.records)]
        for code, name, cases in largest_groups(run.counts, run.drg_scheme)
    ]
    rows_table("The ten largest groups 最大的十个组", ["DRG", "name 名称", "cases", "share"], rows, right=(2, 3))
    out.print(f"open [bold]{page}[/] in a browser · every record with its group: [bold]{grouped}[/]")

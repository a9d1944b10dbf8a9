"""``drgsim dip``: build, report, compare and supervise by DIP catalogues (按病种分值付费)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from drgsim.cli.common_options import (
    CodeVersionOption,
    FormatOption,
    InputsArgument,
    MapFileOption,
    MapOption,
    PageOption,
    SheetOption,
    check_page,
    input_options,
    write_page,
)
from drgsim.language import bilingual, text

if TYPE_CHECKING:
    from drgsim.api.dip_results import CatalogueTables

app = typer.Typer(help="Build, report and compare DIP catalogues, supervise by them.", no_args_is_help=True)
History = Annotated[list[str], typer.Argument(help="Discharges of several years, one or more files.", show_default=False)]
Catalogue = Annotated[str, typer.Argument(help="Catalogue: id, or folder of one that was built.", show_default=False)]
Output = Annotated[Path, typer.Option("--output", "-o", help="Folder to write.", show_default=False)]
Core = Annotated[str | None, typer.Option(help="Core kinds by threshold, province or coverage; or cases a year.")]
Years = Annotated[str | None, typer.Option(help="Weights of the years from the oldest on, such as 1:2:7.")]
Change = Annotated[list[str] | None, typer.Option("--set", help="PATH=VALUE of the specification, may repeat.")]
Compare = Annotated[str | None, typer.Option("--compare", help="Last year's catalogue, for the changes.")]
HospitalsFile = Annotated[Path | None, typer.Option(help="hospitals.csv: hospital_id, level; for means by level.")]
Json = Annotated[bool, typer.Option("--json", help="Print as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]


@app.command()
def build(
    history: History,
    output: Output,
    spec: Annotated[
        str, typer.Option("--spec", "-s", help="Specification: dip-1.0, dip-2.0, dip-3.0, dip-3.0-draft or a .yaml.")
    ] = "dip-2.0",
    method: Annotated[str, typer.Option(help="list: the rules alone; cluster: historical cost decides open cases.")] = "list",
    core: Core = None,
    years: Years = None,
    change: Change = None,
    title: Annotated[str, typer.Option(help="Title in English.")] = "Catalogue built from history",
    title_zh: Annotated[str, typer.Option("--title-zh", help="Title in Chinese.")] = "由历史数据编制的病种目录库",
    compare: Compare = None,
    evaluate: Annotated[bool, typer.Option("--evaluate/--no-evaluate", help="RIV beside DRG, prediction.")] = True,
    stability: Annotated[int, typer.Option(help="Samples for the adjusted Rand index; 0 = none.", min=0, max=50)] = 0,
    hospitals: HospitalsFile = None,
    format: FormatOption = None,
    maps: MapOption = None,
    map_file: MapFileOption = None,
    sheets: SheetOption = None,
    code_version: CodeVersionOption = "yb2",
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Build a catalogue of kinds and scores from history."""
    from drgsim.api import dip_making_verbs
    from drgsim.cli.terminal import progress_bar

    silent = quiet or as_json
    reading = input_options(format, maps, map_file, code_version, sheets)
    with progress_bar(text("Reading history"), silent) as progress:
        built = dip_making_verbs.dip_build(
            list(history), output, spec=spec, method=method, core=core, years=years, changes=_pairs(change), title=title,
            title_zh=title_zh, compare=compare, evaluate=evaluate, stability=stability, hospitals=hospitals, reading=reading,
            progress=progress, step=_step(silent),
        )  # fmt: skip
    _show_made(built, output, as_json, quiet)


@app.command()
def score(
    history: History,
    output: Output,
    catalogue: Annotated[str, typer.Option("--catalogue", "-c", help="Catalogue whose kinds are scored.")] = "dip-3.0",
    spec: Annotated[str, typer.Option("--spec", "-s", help="Specification: dip-3.0, another or a .yaml.")] = "dip-3.0",
    core: Core = None,
    years: Years = None,
    change: Change = None,
    title: Annotated[str, typer.Option(help="Title in English.")] = "Catalogue with scores from history",
    title_zh: Annotated[str, typer.Option("--title-zh", help="Title in Chinese.")] = "以本地历史数据测算分值的病种目录库",
    compare: Compare = None,
    hospitals: HospitalsFile = None,
    format: FormatOption = None,
    maps: MapOption = None,
    map_file: MapFileOption = None,
    sheets: SheetOption = None,
    code_version: CodeVersionOption = "yb2",
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Score the kinds of a published catalogue from a region's history."""
    from drgsim.api import dip_making_verbs
    from drgsim.cli.terminal import progress_bar

    silent = quiet or as_json
    reading = input_options(format, maps, map_file, code_version, sheets)
    with progress_bar(text("Reading history"), silent) as progress:
        scored = dip_making_verbs.dip_score(
            list(history), output, catalogue=catalogue, spec=spec, core=core, years=years, changes=_pairs(change), title=title,
            title_zh=title_zh, compare=compare, hospitals=hospitals, reading=reading, progress=progress, step=_step(silent),
        )  # fmt: skip
    _show_made(scored, output, as_json, quiet)


@app.command()
def report(
    catalogue: Catalogue,
    output: Output,
    compare: Compare = None,
    page: PageOption = None,
    quiet: Quiet = False,
) -> None:
    """Report on a catalogue: sizes, coverage, CV, largest kinds; page and workbook."""
    from drgsim.api import dip_verbs
    from drgsim.cli.dip_text import show_diff
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out, rows_table
    from drgsim.units.dip.dip_catalogue import KINDS

    check_page(page, output=output)
    found = dip_verbs.dip_report(catalogue, output, compare=compare)
    write_page(found, page, quiet)
    if quiet:
        return
    loaded = found.catalogue
    rows = [[bilingual(kind, KINDS[kind]), f"{number:,}"] for kind, number in loaded.counts.items()]
    rows_table(f"{loaded.id} {loaded.title_zh}", [text("kinds"), text("number")], rows, right=(1,))
    if found.diff:
        show_diff(found.diff)
    out.print(text("open [bold]{output}[/] in a browser", output=escape(str(output / "catalogue.html"))), soft_wrap=True)


@app.command()
def diff(
    old: Catalogue,
    new: Catalogue,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder for table, page and workbook.")] = None,
    least: Annotated[float, typer.Option(help="Smallest relative change of a score that counts.", min=0.0)] = 0.0,
    as_json: Json = False,
) -> None:
    """Compare two catalogues: kinds that came, went, split or merged, scores that moved."""
    from drgsim.api import dip_verbs
    from drgsim.authoring.dip.catalogue_differences import CHANGES
    from drgsim.cli.dip_text import show_diff
    from drgsim.cli.terminal import print_json
    from drgsim.report.catalogue_report import change_row

    found = dip_verbs.dip_diff(old, new, output=output, least=least).diff
    if as_json:
        print_json({
            "old": found.old.id, "new": found.new.id, "mean_change": found.mean_change,
            "equal": found.is_empty, "parts": list(found.parts),
            "changes": {change: found.count(change) for change in CHANGES},
            "kinds": [change_row(each) for each in found.changes if each.change != "same"],
        })  # fmt: skip
    else:
        show_diff(found)


@app.command()
def supervise(
    inputs: InputsArgument,
    scheme: Annotated[str, typer.Option("--scheme", "-s", help="DIP catalogue: id or folder.", show_default=False)],
    output: Output,
    change: Annotated[list[str] | None, typer.Option("--set", help="NAME=VALUE of a limit, may repeat.")] = None,
    format: FormatOption = None,
    maps: MapOption = None,
    map_file: MapFileOption = None,
    sheets: SheetOption = None,
    code_version: CodeVersionOption = "yb2",
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """List per hospital what supervision looks at: coding, repeat, low-standard, long stays, deaths."""
    from drgsim.api import dip_verbs
    from drgsim.cli.dip_text import show_supervision
    from drgsim.cli.terminal import print_json, progress_bar
    from drgsim.report.supervision_workbook import supervision_record

    reading = input_options(format, maps, map_file, code_version, sheets)
    with progress_bar(text("Judging"), quiet or as_json) as progress:
        found = dip_verbs.dip_supervise(
            list(inputs), scheme, output=output, changes=_pairs(change), reading=reading, progress=progress
        ).found
    if as_json:
        print_json(supervision_record(found))
    elif not quiet:
        show_supervision(found, output)


@app.command()
def specs(
    spec: Annotated[str | None, typer.Argument(help="Specification to show; all are listed without one.")] = None,
    as_json: Json = False,
) -> None:
    """List the specifications, or show one with the evidence of every parameter."""
    from drgsim.api import dip_verbs
    from drgsim.cli.dip_text import show_spec
    from drgsim.cli.terminal import print_json, rows_table

    found = dip_verbs.dip_specs(spec)
    if spec is not None:
        (loaded,) = found.specs
        if as_json:
            print_json([
                {"path": p.path, "value": p.value, "unit": p.unit, "source": p.source, "evidence": str(p.evidence),
                 "note": p.note}
                for p in loaded.parameters
            ])  # fmt: skip
        else:
            show_spec(loaded)
        return
    if as_json:
        print_json([{"id": s.file.id, "title": s.file.title, "assumptions": len(s.assumptions)} for s in found.specs])
        return
    rows = [
        [s.file.id, bilingual(s.file.title, s.file.title_zh), f"{len(s.assumptions)}/{len(s.parameters)}"] for s in found.specs
    ]
    rows_table(text("DIP specifications"), [text("specification"), text("title"), text("assumed")], rows, right=(2,))


def _step(silent: bool) -> Callable[[str], None]:
    """What tells the steps of a long call at the terminal."""
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import err

    def say(step: str) -> None:
        if not silent and err.is_terminal:
            err.print(f"[dim]{escape(step)}[/]")

    return say


def _show_made(made: CatalogueTables, output: Path, as_json: bool, quiet: bool) -> None:
    """A catalogue that was built or scored, and what changed since last year's."""
    from drgsim.cli.dip_text import show_build, show_diff
    from drgsim.cli.terminal import print_json

    if as_json:
        print_json(made.summary)
    elif not quiet:
        show_build(made.summary, output)
        if made.diff:
            show_diff(made.diff)


def _pairs(change: list[str] | None) -> dict[str, Any]:
    from drgsim.parameters.option_pairs import parse_pairs

    return parse_pairs(change or (), "dip-bad-set")

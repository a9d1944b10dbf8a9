"""Options that every command which reads case-mix files has in common."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from drgsim.language import bilingual, joined, text

if TYPE_CHECKING:
    from drgsim.records.input_options import InputOptions
    from drgsim.results.result import Result

InputsArgument = Annotated[
    list[str],
    typer.Argument(
        help="Case-mix files: .csv, .parquet, .xlsx, .json, .zip and others, a folder of .json files, - for standard input, "
        "or a database URL with ?table=.",
        show_default=False,
    ),
]
SchemeOption = Annotated[
    str,
    typer.Option(
        "--scheme", "-s",
        help="Id of a DRG scheme or DIP catalogue, or the folder of one; auto: the national scheme on the date of discharge.",
    ),
]  # fmt: skip
FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format",
        "-f",
        help="Layout of the input: columns, hqms, settlement-list or grouper; recognised by the headers when left out.",
        show_default=False,
    ),
]
MapOption = Annotated[
    list[str] | None,
    typer.Option("--map", "-m", help='A column of your own, may repeat: "主诊=principal_diagnosis".', show_default=False),
]
MapFileOption = Annotated[
    Path | None, typer.Option("--map-file", help="Many mappings: YAML (own: canonical) or CSV (from,to).", show_default=False)
]
SheetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--sheet", help="Sheet of a workbook, by name or number, may repeat; those with discharges.", show_default=False
    ),
]
CodeVersionOption = Annotated[
    str,
    typer.Option("--code-version", help="Edition of the codes: yb2 医保版 2.0, or gl2 国临版, which is converted to 医保版."),
]
PageOption = Annotated[
    Path | None,
    typer.Option("--page", help=text("Write the page here too, a file that ends in .html."), show_default=False),
]
SHOWN_CODES = 6  # codes that a summary of conversion names


def input_options(
    format: str | None,
    maps: list[str] | None,
    map_file: Path | None,
    code_version: str,
    sheets: list[str] | None = None,
    also: Collection[str] = (),
) -> InputOptions:
    """The options as typed, checked, with the mappings that are kept; ``also`` names further columns that may be mapped to."""
    from drgsim.cli.option_defaults import kept_columns
    from drgsim.records.input_options import InputOptions
    from drgsim.records.schema import columns

    options = InputOptions.of(format, maps or (), map_file, code_version, also, sheets or ())
    known = {*columns(), *also}  # what another command reads may be kept as well
    kept = (replace(each, maps=tuple(pair for pair in each.maps if pair[1] in known)) for each in kept_columns())
    return replace(options, kept=tuple(kept))


def show_reading(layouts: Iterable[str], kept: Iterable[str], noted: Mapping[str, int]) -> None:
    """Which layout was recognised, whose mapping of columns was used, and what was left out in reading."""
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out
    from drgsim.records.layout import layout_named
    from drgsim.records.noted_titles import NOTED_TITLES

    named = (layout_named(name) for name in dict.fromkeys(layouts))
    titles = joined(
        "; ", (text("{name} {title}", name=one.name, title=bilingual(one.title, one.title_zh)) for one in named if one)
    )
    out.print(text("input layout: {titles}", titles=titles))
    for files in dict.fromkeys(kept):
        out.print(text("columns as kept for {files}", files=escape(files)))
    for name, number in noted.items():
        if number:
            out.print(f"[yellow]{escape(NOTED_TITLES.get(name, name))}[/]: {number:,}")


def show_conversion(values: Mapping[str, Any] | None) -> None:
    """What the conversion of codes did."""
    if values is None:
        return
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out

    out.print(text("codes converted {first} → {to}", first=values["from"], to=values["to"]))
    for name, title in (("diagnoses", text("diagnoses")), ("procedures", text("procedures"))):
        kind = values[name]
        out.print(
            text(
                "  {title}: {codes:,} codes, {changed:,} changed ({distinct_changed:,} different), "
                "{meaning_differs:,} of them mean something else in 医保版, {without_counterpart:,} without a "
                "counterpart",
                title=title,
                codes=kind["codes"],
                changed=kind["changed"],
                distinct_changed=kind["distinct_changed"],
                meaning_differs=kind["meaning_differs"],
                without_counterpart=kind["without_counterpart"],
            )
        )
        if kind["most_changed"]:
            shown = kind["most_changed"][:SHOWN_CODES]
            listed = ", ".join(f"{one['from']} → {one['to']} ×{one['occurrences']:,}" for one in shown)
            more = ", ..." if kind["distinct_changed"] > len(shown) else ""
            out.print(f"    [dim]{escape(listed)}{more}[/]")
        samples = kind["without_counterpart_samples"]
        if samples:
            listed = ", ".join(samples[:SHOWN_CODES])
            more = " ..." if len(samples) > SHOWN_CODES else ""
            told = text("    [yellow]without a counterpart[/]: {listed}", listed=f"{escape(listed)}{more}")
            if kind["samples_capped"]:
                told = text("{told} (the first {count} different codes are kept as samples)", told=told, count=len(samples))
            out.print(told)
        if kind["samples_known_in_yb2"]:
            out.print(
                text(
                    "    [yellow]{count} of these are codes of 医保版[/]: is the file in 医保版 "
                    "already? Then leave --code-version out",
                    count=kind["samples_known_in_yb2"],
                )
            )


def check_page(page: Path | None, inputs: Iterable[str | Path] = (), output: str | Path | None = None) -> None:
    """Refuse, before anything is done, a page that has no name of one, would lie over an input or in the folder of results."""
    from drgsim.errors import Problem, UsageError
    from drgsim.results.whole_outputs import check_output

    if page is None:
        return
    if page.suffix.lower() != ".html":
        what, fix = text("{page} is no name of a page", page=page), text("name a file that ends in .html")
        raise UsageError([Problem("usage-page-name", what, where="--page", fix=fix)])
    check_output(page, inputs)
    if output is not None and Path(output).resolve() in page.resolve().parents:
        what, why = text("{page} lies in the folder of results", page=page), text("each run replaces that folder as a whole")
        fix = text("name a file beside the folder")
        raise UsageError([Problem("usage-page-in-results", what, where="--page", why=why, fix=fix)])


def write_page(result: Result, page: Path | None, silent: bool) -> None:
    """The page of a result where it was asked for; an earlier one is replaced."""
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out

    if page is None:
        return
    result.save(page, replace=True)
    if not silent:
        shown = f"[bold]{escape(str(page))}[/]"
        out.print(text("open {page} in a browser", page=shown), soft_wrap=True)


def pairs(texts: list[str]) -> dict[str, Any]:
    """Options as they are typed, NAME=VALUE: numbers as decimals, changes such as ``*1.03`` as texts, the rest as YAML."""
    from drgsim.parameters.option_pairs import parse_pairs

    read = parse_pairs(texts)
    return {name: float(value) if type(value) is int else value for name, value in read.items()}


def amounts(texts: list[str] | None, option: str) -> dict[str, float] | None:
    """Amounts by payer or another key, as they are typed: KEY=YUAN, or YUAN for all."""
    from drgsim.errors import Problem, UsageError

    if not texts:
        return None
    entries = pairs([written if "=" in written else f"*={written}" for written in texts])
    wrong = [name for name, value in entries.items() if not isinstance(value, float)]
    if wrong:
        raise UsageError(
            [
                Problem("usage-no-number", text("{option} {name}: the amount is no number", option=option, name=name))
                for name in wrong
            ]
        )
    return entries

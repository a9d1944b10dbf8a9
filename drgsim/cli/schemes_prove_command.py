"""``drgsim schemes prove``: what do two schemes group differently, by their rules?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from drgsim.language import spoken, text

if TYPE_CHECKING:
    from drgsim.api.proof_verb import SchemesProved

SHOWN = 15  # pairs of groups on the terminal


def prove(
    before: Annotated[str, typer.Argument(help="Id of a DRG scheme, or the folder of a pack.")],
    after: Annotated[str, typer.Argument(help="The scheme to compare it with.")],
    where: Annotated[
        list[str] | None,
        typer.Option(help="Which records, may repeat: mdc=F, adrg=FR1, drg=FR15, dx=I21.", show_default=False),
    ] = None,
    level: Annotated[str, typer.Option(help="What is compared: drg, or adrg or mdc alone.")] = "drg",
    most: Annotated[
        int | None, typer.Option(min=1, help="Stop after so many pairs of groups; all when left out.", show_default=False)
    ] = None,
    seconds: Annotated[float, typer.Option(min=0, help="Stop after so many seconds.")] = 600.0,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Table of all pairs with their records: .csv, .parquet or .xlsx.", show_default=False
        ),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Print every pair, not only the first.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print all pairs as JSON.")] = False,
) -> None:
    """Find every pair of groups that two schemes give one record, or prove that there is none.

    By the rules themselves, not by samples: each pair comes with a smallest record, which both reference groupers confirm.
    Exit code 0 when the schemes are proved equal, else 1.
    """
    from drgsim.api import proof_verb
    from drgsim.cli.terminal import print_json

    with _counting(as_json) as progress:
        found = proof_verb.schemes_prove(
            before, after, where=where or (), level=level, most=most, seconds=seconds, output=output, progress=progress
        )
    if as_json:
        print_json({**found.record, "differences": found.to_arrow().to_pylist()})
    else:
        _show(found, full, output)
    if not found.equal:
        raise typer.Exit(1)


@contextmanager
def _counting(quiet: bool) -> Iterator[Callable[[int, int], None] | None]:
    """Shows how many pairs there are so far; nothing where nobody would see it."""
    from drgsim.cli.terminal import err

    if quiet or not err.is_terminal:
        yield None
        return
    with err.status(spoken(text("Reading rules"))) as status:
        yield lambda pairs, codes: status.update(
            spoken(text("{pairs:,} pairs of groups, now records of up to {codes} codes", pairs=pairs, codes=codes))
        )


def _show(found: SchemesProved, full: bool, output: Path | None) -> None:
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out, rows_table

    proof = found.proof
    both = text("[bold]{before} ↔ {after}[/], by {level}", before=proof.before, after=proof.after, level=proof.level.upper())
    out.print(both)
    classes = "/".join(f"{number:,}" for number in proof.classes.values())
    out.print(
        text(
            "[dim]classes of codes that rules tell apart ({names}): {classes} · {seconds:.1f} s[/]",
            names="/".join(proof.classes),
            classes=classes,
            seconds=proof.seconds,
        )
    )
    if found.equal:
        out.print(text("[green]✓[/] equal: no record is grouped differently"))
        return
    number = len(proof.witnesses)
    rows = found.to_arrow().to_pylist()
    shown = rows if full else rows[:SHOWN]
    title = text("Pairs of groups")
    if len(shown) < number:
        title = text("Pairs of groups (the first {shown}; --full, --json or --output for all)", shown=SHOWN)
    if rows:
        table = [[row["before"], row["after"], f"{row['codes']:.0f}", _record(row)] for row in shown]
        rows_table(
            title,
            [text("before"), text("after"), text("codes"), text("smallest record")],
            table,
            right=(2,),
            whole=(0, 1),
        )
    if proof.complete:
        out.print(text("{number:,} pairs of groups differ; there are no others", number=number))
    else:
        out.print(
            text(
                "[yellow]{number:,} pairs of groups differ so far; not all were looked for[/] (--seconds, --most)",
                number=number,
            )
        )
    if output is not None:
        out.print(text("wrote [bold]{output}[/]", output=escape(output)))


def _record(row: dict[str, object]) -> str:
    """A record in words: its codes with their names, and the numbers that are there."""
    lines = []
    for codes, names in (("diagnoses", "diagnosis_names"), ("procedures", "procedure_names")):
        pairs = zip(str(row[codes]).split("|"), str(row[names]).split("|"), strict=True)
        lines += [f"{code} {name}".strip() for code, name in pairs if code]
    units = {"age": " 岁", "age_days": " 天", "birth_weight_g": " g", "los_days": " 天住院", "icu_hours": " h ICU"}
    numbers = [f"{row[name]:g}{unit}" for name, unit in units.items() if row[name] is not None]
    sex = {1.0: "男", 2.0: "女"}.get(row["sex"], "")  # type: ignore[call-overload]
    texts = [str(row[name]) for name in ("discharge_way", "admission_department") if row[name]]
    return "\n".join([*lines, " · ".join([*([sex] if sex else []), *numbers, *texts])])

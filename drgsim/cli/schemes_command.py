"""``drgsim schemes``: which DRG schemes and DIP catalogues there are and what each holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from drgsim.cli import schemes_check_command as schemes_check
from drgsim.cli import schemes_diff_command as schemes_diff
from drgsim.cli import schemes_dip_command as schemes_dip
from drgsim.cli import schemes_new_command as schemes_new
from drgsim.cli import schemes_prove_command as schemes_prove
from drgsim.cli import schemes_workbook_command as schemes_workbook
from drgsim.cli.policy_command import EVIDENCE
from drgsim.language import bilingual, joined, spoken, text

if TYPE_CHECKING:
    from drgsim.units.schemes.scheme import Scheme
    from drgsim.units.schemes.scheme_summaries import SchemeEntry

COVERAGE = {
    "modelled": text("modelled"), "document": text("document"), "checked": text("checked"), "evidence": text("evidence"),
}  # fmt: skip
_SIZES = ("adrg", "drg", "qy")  # every scheme has 26 MDCs, or nearly so
app = typer.Typer(help="List, show and check DRG schemes and DIP catalogues.", no_args_is_help=True)


@app.command("list")
def list_schemes(
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Tell what is modelled, from which document, how it was checked.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """List the DRG schemes and DIP catalogues that ship with drgsim."""
    from drgsim.api import scheme_verbs
    from drgsim.cli.terminal import out, print_json, rows_table

    listed = scheme_verbs.schemes()
    entries = listed.entries
    if as_json:
        print_json(listed.values)
        return
    rows = [
        [e.id, _region(e), e.chain[1] if len(e.chain) > 1 else "", *(str(e.counts.get(name, "")) for name in _SIZES),
         EVIDENCE.get(e.coverage.get("evidence", ""), "")]
        for e in entries
    ]  # fmt: skip
    rows_table(
        text("Grouping schemes"),
        ["id", text("region"), text("base"), "ADRG", "DRG", "QY", text("evidence")],
        rows,
        right=(3, 4, 5),
        whole=(0, 2),
    )
    schemes_dip.show_list(listed)
    if coverage:
        for entry in entries:
            out.print(f"[bold]{entry.id}[/]")
            for key in ("modelled", "document", "checked"):
                out.print(text("  {word}: {told}", word=COVERAGE[key], told=entry.coverage.get(key) or "-"), markup=False)
            out.print(text("  doubts: {count}", count=len(entry.doubts)))
    out.print(
        text(
            "[dim]--coverage tells what is modelled, from which document and how it was checked; drgsim "
            "schemes show ID tells the doubts[/]"
        )
    )


def _region(entry: SchemeEntry) -> str:
    """Whose scheme it is: the year stands in the id, and the whole title in ``schemes show``."""
    region, _, rest = entry.title_zh.partition("DRG细分")
    return region if rest else entry.title_en


@app.command()
def show(
    scheme: Annotated[str, typer.Argument(help="Id of a scheme or catalogue, or its folder.")],
    mdc: Annotated[str | None, typer.Option(help="Show the ADRGs of one MDC, such as MDCF.")] = None,
    adrg: Annotated[str | None, typer.Option(help="Show one ADRG with its rules and code lists, such as FR2.")] = None,
    dx: Annotated[str | None, typer.Option(help="Of a DIP catalogue: the kinds of a diagnosis, such as I21.0 or I21.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Show what a scheme or catalogue holds, in words and counts."""
    from drgsim.api import scheme_verbs
    from drgsim.cli.terminal import print_json
    from drgsim.units.schemes.scheme import Scheme

    shown = scheme_verbs.schemes_show(scheme, mdc=mdc, adrg=adrg, dx=dx)
    if as_json:
        print_json(shown.values)
    elif not isinstance(shown.scheme, Scheme):
        schemes_dip.show(shown, dx)
    elif adrg is not None:
        _show_adrg(shown.scheme, shown.values)
    elif mdc is not None:
        _show_mdc(shown.scheme, mdc)
    else:
        _show_scheme(shown.scheme, shown.values["kinds"])


def _show_scheme(scheme: Scheme, kinds: Mapping[str, int]) -> None:
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out, rows_table
    from drgsim.units.schemes.pack import read_settings
    from drgsim.units.schemes.scheme import KINDS
    from drgsim.units.schemes.scheme_summaries import is_doubt, scheme_entry

    out.print(f"[bold]{scheme.id}[/]  {escape(bilingual(scheme.title_en, scheme.title_zh))}")
    out.print(
        text(
            "issuer: {issuer} · codes: ICD-10 {icd10}, ICD-9-CM-3 {icd9cm3}",
            issuer=scheme.issuer or "-",
            icd10=scheme.icd10,
            icd9cm3=scheme.icd9cm3,
        )
    )
    in_force = read_settings(scheme.folder).get("in_force")
    if in_force:
        out.print(
            text(
                "in force: discharges from {start} · {source}",
                start=in_force["from"],
                source=escape(in_force.get("source", "")),
            )
        )
    if scheme.is_overlay:
        out.print(text("built on: {names}", names=" → ".join(scheme.chain[1:])))
    c = scheme.counts
    by_kind = joined(
        text(", "),
        (f"{kinds[kind]} {spoken(bilingual(kind, zh))}" for kind, zh in KINDS.items() if kinds[kind] and kind != "ambiguous"),
    )
    out.print(
        text(
            "{mdc} MDC · {adrg} ADRG ({by_kind}) · {drg} DRG · {qy} ambiguous",
            mdc=c["mdc"],
            adrg=c["adrg"],
            by_kind=by_kind,
            drg=c["drg"],
            qy=c["qy"],
        )
    )
    out.print(
        text(
            "{sets} code lists with {set_rows:,} rows · {cc_rows:,} CC/MCC diagnoses · "
            "{exclusion_rows:,} exclusion rows in {count} lists",
            sets=c["sets"],
            set_rows=c["set_rows"],
            cc_rows=c["cc_rows"],
            exclusion_rows=c["exclusion_rows"],
            count=len(scheme.exclusions),
        )
    )
    rows = [
        [
            str(place),
            m.code,
            m.name,
            str(sum(a.kind != "ambiguous" for a in m.adrgs)),
            str(sum(len(a.drgs) for a in m.adrgs if a.kind != "ambiguous")),
            "QY" if any(a.kind == "ambiguous" for a in m.adrgs) else "",
        ]
        for place, m in enumerate(scheme.mdcs, start=1)
    ]
    rows_table(
        text("MDCs in the order in which they are tried"),
        ["", "MDC", text("name"), "ADRG", "DRG", "QY"],
        rows,
        right=(3, 4),
        whole=(0,),
    )
    for mark in scheme.marks.values():
        out.print(
            text(
                "[bold]{mark}[/] {title}\n  {count} groups: {names}",
                mark=mark.name,
                title=escape(mark.title),
                count=len(mark.groups),
                names=", ".join(mark.groups),
            )
        )
    if scheme.coverage:
        out.print(text("[bold]Coverage[/]"))
        for key, value in scheme.coverage.items():
            out.print(text("  {word}: {told}", word=COVERAGE.get(key, key), told=escape(value)))
    own = [(scheme.id, note) for note in scheme.notes]
    inherited = [(source, note) for source, note in scheme_entry(scheme.folder).notes if source != scheme.id]
    for title, lines in (
        (text("Sources"), [(scheme.id, line) for line in scheme.sources]),
        (text("Checks and doubts"), own),
        (text("Checks and doubts of the base"), inherited),
    ):
        if lines:
            out.print(f"[bold]{escape(title)}[/]")
        for source, line in lines:
            shown = escape(line) if source == scheme.id else f"[dim]{source}[/] {escape(line)}"
            out.print(f"  · {shown}", style="yellow" if is_doubt(line) else "")


def _show_mdc(scheme: Scheme, code: str) -> None:
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out, rows_table
    from drgsim.units.schemes.rule_language import print_rule
    from drgsim.units.schemes.scheme import KINDS

    mdc = next(m for m in scheme.mdcs if m.code == code)
    out.print(f"[bold]{mdc.code}[/] {mdc.name}\n[dim]{escape(text('rule'))}[/] {print_rule(mdc.rule)}", markup=True)
    rows = [
        [str(place), a.code, a.name, bilingual(a.kind, KINDS[a.kind]), ", ".join(d.code for d in a.drgs)]
        for place, a in enumerate(mdc.adrgs, start=1)
    ]
    rows_table(text("ADRGs in order"), ["", "ADRG", text("name"), text("kind"), "DRG"], rows, right=(0,))


def _show_adrg(scheme: Scheme, values: Mapping[str, Any]) -> None:
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out
    from drgsim.units.schemes.scheme import KINDS

    adrg = scheme.adrgs[values["adrg"]]
    mdc = next(m for m in scheme.mdcs if m.code == adrg.mdc)
    kind = escape(bilingual(adrg.kind, KINDS[adrg.kind]))
    out.print(f"[bold]{adrg.code}[/] {adrg.name}  [dim]{kind} · {mdc.code} {mdc.name}[/]")
    out.print(f"[dim]{escape(text('rule'))}[/]  {escape(values['rule'])}")
    _show_doubts(scheme, adrg.code)
    _show_doubts(scheme, adrg.mdc)
    for drg in values["drgs"]:
        rule = text("always") if drg["rule"] == "1" else drg["rule"]
        marks = "".join(f" [cyan]{mark}[/]" for mark in drg["marks"])
        out.print(f"  [bold]{drg['drg']}[/] {escape(drg['name'])}{marks}  [dim]{escape(rule)}[/]")
    for name, codes in values["sets"].items():
        book = scheme.book.diagnoses if name.startswith("DI") else scheme.book.procedures
        title = f" {scheme.sites[name]}" if name in scheme.sites else ""
        out.print(text("[bold]{name}[/]{title}  {count:,} codes", name=name, title=title, count=len(codes)))
        for code in codes:
            out.print(f"  {code}  [dim]{escape(book.name(code))}[/]")


def _show_doubts(scheme: Scheme, code: str) -> None:
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out
    from drgsim.units.schemes.scheme_summaries import notes_about, scheme_entry

    for source, note in notes_about(scheme_entry(scheme.folder), code):
        out.print(text("[yellow]note[/] [dim]{source}[/]  {note}", source=source, note=escape(note)))


app.command("check")(schemes_check.check)
app.command("diff")(schemes_diff.diff)
app.command("prove")(schemes_prove.prove)
app.command("new")(schemes_new.new)
app.command("import")(schemes_workbook.import_workbook)
app.command("export")(schemes_workbook.export_workbook)

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

if TYPE_CHECKING:
    from drgsim.units.schemes.scheme import Scheme
    from drgsim.units.schemes.scheme_summaries import SchemeEntry

_SIZES = ("adrg", "drg", "qy")  # every scheme has 26 MDCs, or nearly so
app = typer.Typer(help="List, show and check DRG schemes and DIP catalogues. 分组方案与病种目录", no_args_is_help=True)


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
         e.coverage.get("evidence", "")]
        for e in entries
    ]  # fmt: skip
    rows_table(
        "Grouping schemes 分组方案",
        ["id", "region 地区", "base", "ADRG", "DRG", "QY", "evidence 依据"],
        rows,
        right=(3, 4, 5),
        whole=(0, 2),
    )
    schemes_dip.show_list(listed)
    if coverage:
        for entry in entries:
            out.print(f"[bold]{entry.id}[/]")
            for word, key in (("modelled 已建模", "modelled"), ("document 文件", "document"), ("checked 核对", "checked")):
                out.print(f"  {word}: {entry.coverage.get(key) or '-'}", markup=False)
            out.print(f"  doubts 存疑: {len(entry.doubts)}")
    out.print(
        "[dim]--coverage tells what is modelled, from which document and how it was checked; "
        "drgsim schemes show ID tells the doubts[/]"
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
    from rich.markup import escape

    from drgsim.cli.terminal import out, rows_table
    from drgsim.units.schemes.pack import read_settings
    from drgsim.units.schemes.scheme import KINDS
    from drgsim.units.schemes.scheme_summaries import is_doubt, scheme_entry

    out.print(f"[bold]{scheme.id}[/]  {escape(scheme.title_zh)}  {escape(scheme.title_en)}")
    out.print(f"issuer 发布: {scheme.issuer or '-'} · codes 编码: ICD-10 {scheme.icd10}, ICD-9-CM-3 {scheme.icd9cm3}")
    in_force = read_settings(scheme.folder).get("in_force")
    if in_force:
        out.print(f"in force 施行: discharges from {in_force['from']} 起出院 · {escape(in_force.get('source', ''))}")
    if scheme.is_overlay:
        out.print(f"built on 基于: {' → '.join(scheme.chain[1:])}")
    c = scheme.counts
    by_kind = ", ".join(f"{kinds[kind]} {kind} {zh}" for kind, zh in KINDS.items() if kinds[kind] and kind != "ambiguous")
    out.print(f"{c['mdc']} MDC · {c['adrg']} ADRG ({by_kind}) · {c['drg']} DRG · {c['qy']} ambiguous 歧义")
    out.print(
        f"{c['sets']} code lists with {c['set_rows']:,} rows · {c['cc_rows']:,} CC/MCC diagnoses · "
        f"{c['exclusion_rows']:,} exclusion rows in {len(scheme.exclusions)} lists"
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
        "MDCs in the order in which they are tried 主要诊断大类",
        ["", "MDC", "name", "ADRG", "DRG", "QY"],
        rows,
        right=(3, 4),
        whole=(0,),
    )
    for mark in scheme.marks.values():
        out.print(f"[bold]{mark.name}[/] {escape(mark.title)}\n  {len(mark.groups)} groups 组: {', '.join(mark.groups)}")
    if scheme.coverage:
        out.print("[bold]Coverage 覆盖[/]")
        for key, value in scheme.coverage.items():
            out.print(f"  {key}: {escape(value)}")
    own = [(scheme.id, note) for note in scheme.notes]
    inherited = [(source, note) for source, note in scheme_entry(scheme.folder).notes if source != scheme.id]
    for title, lines in (
        ("Sources 来源", [(scheme.id, line) for line in scheme.sources]),
        ("Checks and doubts 核对与存疑", own),
        ("Checks and doubts of the base 基础方案的核对与存疑", inherited),
    ):
        if lines:
            out.print(f"[bold]{title}[/]")
        for source, line in lines:
            shown = escape(line) if source == scheme.id else f"[dim]{source}[/] {escape(line)}"
            out.print(f"  · {shown}", style="yellow" if is_doubt(line) else "")


def _show_mdc(scheme: Scheme, code: str) -> None:
    from drgsim.cli.terminal import out, rows_table
    from drgsim.units.schemes.rule_language import print_rule
    from drgsim.units.schemes.scheme import KINDS

    mdc = next(m for m in scheme.mdcs if m.code == code)
    out.print(f"[bold]{mdc.code}[/] {mdc.name}\n[dim]rule[/] {print_rule(mdc.rule)}", markup=True)
    rows = [
        [str(place), a.code, a.name, f"{a.kind} {KINDS[a.kind]}", ", ".join(d.code for d in a.drgs)]
        for place, a in enumerate(mdc.adrgs, start=1)
    ]
    rows_table("ADRGs in order 核心组", ["", "ADRG", "name", "kind", "DRGs"], rows, right=(0,))


def _show_adrg(scheme: Scheme, values: Mapping[str, Any]) -> None:
    from rich.markup import escape

    from drgsim.cli.terminal import out
    from drgsim.units.schemes.scheme import KINDS

    adrg = scheme.adrgs[values["adrg"]]
    mdc = next(m for m in scheme.mdcs if m.code == adrg.mdc)
    out.print(f"[bold]{adrg.code}[/] {adrg.name}  [dim]{adrg.kind} {KINDS[adrg.kind]} · {mdc.code} {mdc.name}[/]")
    out.print(f"[dim]rule[/]  {escape(values['rule'])}")
    _show_doubts(scheme, adrg.code)
    _show_doubts(scheme, adrg.mdc)
    for drg in values["drgs"]:
        rule = "always 恒成立" if drg["rule"] == "1" else drg["rule"]
        marks = "".join(f" [cyan]{mark}[/]" for mark in drg["marks"])
        out.print(f"  [bold]{drg['drg']}[/] {escape(drg['name'])}{marks}  [dim]{escape(rule)}[/]")
    for name, codes in values["sets"].items():
        book = scheme.book.diagnoses if name.startswith("DI") else scheme.book.procedures
        title = f" {scheme.sites[name]}" if name in scheme.sites else ""
        out.print(f"[bold]{name}[/]{title}  {len(codes):,} codes")
        for code in codes:
            out.print(f"  {code}  [dim]{escape(book.name(code))}[/]")


def _show_doubts(scheme: Scheme, code: str) -> None:
    from rich.markup import escape

    from drgsim.cli.terminal import out
    from drgsim.units.schemes.scheme_summaries import notes_about, scheme_entry

    for source, note in notes_about(scheme_entry(scheme.folder), code):
        out.print(f"[yellow]note 说明[/] [dim]{source}[/]  {escape(note)}")


app.command("check")(schemes_check.check)
app.command("diff")(schemes_diff.diff)
app.command("prove")(schemes_prove.prove)
app.command("new")(schemes_new.new)
app.command("import")(schemes_workbook.import_workbook)
app.command("export")(schemes_workbook.export_workbook)

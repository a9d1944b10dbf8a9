"""What ``drgsim schemes`` says of DIP catalogues: the list, one catalogue, the kinds of a diagnosis."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drgsim.api.scheme_verbs import SchemeTable
    from drgsim.units.dip.dip_catalogue import Catalogue, Kind

MOST_KINDS = 200  # kinds of a diagnosis that the terminal lists


def show_list(listed: SchemeTable) -> None:
    """The shipped catalogues as a table."""
    from drgsim.cli.terminal import rows_table
    from drgsim.units.dip.dip_catalogue import CORE_TYPES

    rows = [
        [
            entry["id"], entry["title_zh"], f"{sum(entry['counts'].values()):,}",
            f"{sum(n for kind, n in entry['counts'].items() if kind in CORE_TYPES):,}",
            f"{entry['counts'].get('comprehensive', 0):,}", entry["evidence"],
        ]
        for entry in listed.values
        if entry.get("unit") == "dip"
    ]  # fmt: skip
    columns = ["id", "title", "kinds 病种", "core 核心", "comprehensive 综合", "evidence 依据"]
    rows_table("DIP catalogues 病种目录库", columns, rows, right=(2, 3, 4, 5), whole=(0,))


def show(shown: SchemeTable, dx: str | None) -> None:
    """One catalogue, or the kinds of a diagnosis."""
    from drgsim.api.scheme_verbs import kinds_of
    from drgsim.units.dip.dip_catalogue import Catalogue

    assert isinstance(shown.scheme, Catalogue)
    if dx is None:
        _show_catalogue(shown.scheme)
    else:
        _show_kinds(shown.scheme, dx, kinds_of(shown.scheme, dx))


def _show_kinds(catalogue: Catalogue, dx: str, kinds: list[Kind]) -> None:
    from drgsim.cli.terminal import out, rows_table
    from drgsim.units.dip.dip_catalogue import KINDS

    rows = [
        [
            kind.code, kind.name, "+".join(kind.related), kind.condition or f"{kind.aux} {kind.aux_level}".strip(),
            KINDS[kind.kind],
            "" if kind.score is None else f"{kind.score:,.2f}",
        ]
        for kind in kinds[:MOST_KINDS]
    ]  # fmt: skip
    columns = ["code", "name", "related 相关操作", "level, condition 分型", "type 类别", "score 分值"]
    rows_table(f"Kinds of {catalogue.id} for {dx}", columns, rows, right=(5,))
    if len(kinds) > MOST_KINDS:
        out.print(f"[dim]... and {len(kinds) - MOST_KINDS:,} more; --json lists all[/]")


def _show_catalogue(catalogue: Catalogue) -> None:
    from rich.markup import escape

    from drgsim.cli.terminal import out
    from drgsim.units.dip.dip_catalogue import KINDS

    out.print(f"[bold]{catalogue.id}[/]  {escape(catalogue.title_zh)}  {escape(catalogue.title)}")
    out.print(
        f"region 地区: {escape(catalogue.region_zh) or '-'} · edition 版本: {escape(catalogue.edition) or '-'} · "
        f"codes 编码: ICD-10 {catalogue.icd10}, ICD-9-CM-3 {catalogue.icd9cm3} · "
        f"evidence 依据: [magenta]{catalogue.evidence}[/]"
    )
    total = sum(catalogue.counts.values())
    by_type = ", ".join(f"{number:,} {kind} {KINDS[kind]}" for kind, number in catalogue.counts.items())
    out.print(f"{total:,} kinds 病种: {by_type} · {len({kind.dx for kind in catalogue.kinds}):,} diagnoses")
    _show_lists(catalogue)
    if catalogue.own_codes:
        listed = ", ".join(code for _, code in catalogue.own_codes)
        out.print(f"[yellow]codes that the national dictionaries lack 字典外编码[/]: {listed}")
    for title, settings in (("Matching 匹配规则", catalogue.matching), ("Auxiliary lists 辅助目录", catalogue.auxiliary)):
        out.print(f"[bold]{title}[/]  evidence 依据: [magenta]{settings.evidence}[/]")
        for name, value in vars(settings).items():
            if name != "evidence" and value:
                out.print(f"  {name}: {escape(', '.join(value) if isinstance(value, tuple) else str(value))}")
    _show_levels(catalogue)
    _show_readings(catalogue)
    for title, lines in (("Sources 来源", catalogue.sources), ("Notes 说明", catalogue.notes)):
        if lines:
            out.print(f"[bold]{title}[/]")
        for line in lines:
            out.print(f"  · {escape(line)}")
    out.print(f"[dim]drgsim schemes show {catalogue.id} --dx I21.0 lists the kinds of a diagnosis[/]")


def _show_levels(catalogue: Catalogue) -> None:
    """Levels of the auxiliary lists with the number of their kinds."""
    from drgsim.cli.terminal import rows_table
    from drgsim.units.schemes.rule_language import print_rule

    used: dict[tuple[str, str], int] = {}
    for kind in catalogue.kinds:
        if kind.aux:
            used[kind.aux, kind.aux_level] = used.get((kind.aux, kind.aux_level), 0) + 1
    if catalogue.levels:
        rows = [
            [
                f"{one.aux} {one.level}", f"{one.title} {one.title_zh}", print_rule(one.condition),
                f"{used.get((one.aux, one.level), 0):,}", one.evidence,
            ]
            for one in catalogue.levels
        ]  # fmt: skip
        columns = ["level 分型", "meaning 含义", "condition 条件", "kinds", "evidence 依据"]
        rows_table("Levels of the auxiliary lists", columns, rows, right=(3,))


def _show_readings(catalogue: Catalogue) -> None:
    """How the catalogue reads what its text leaves open."""
    from rich.markup import escape

    from drgsim.cli.terminal import out

    if catalogue.readings:
        out.print("[bold]Readings 口径[/]  what the text leaves open; evidence 依据: [magenta]assumption 假设[/]")
        for topic, words in catalogue.readings.items():
            out.print(f"  {topic}: {escape(words)}")


def _show_lists(catalogue: Catalogue) -> None:
    """Scores, excluded lists and primary-care list in short."""
    from drgsim.cli.terminal import out

    excluded = catalogue.excluded
    if not catalogue.scored:
        out.print("[yellow]no scores 无分值[/]: drgsim dip score HISTORY takes a region's own")
    if excluded:
        out.print(
            f"excluded lists 排除列表: {len(excluded.diagnoses):,} diagnoses; of procedures {len(excluded.conservative):,} "
            f"count as not done 按保守治疗, {len(excluded.never_principal):,} are never principal 不可作为主要手术, "
            f"{len(excluded.only_with):,} with some diagnoses only 限主要诊断"
        )
    if catalogue.primary_care:
        out.print(f"primary-care list 基层病种: {len(catalogue.primary_care):,} diagnoses with procedures, one score for all")

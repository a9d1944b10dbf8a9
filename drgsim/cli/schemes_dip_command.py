"""What ``drgsim schemes`` says of DIP catalogues: the list, one catalogue, the kinds of a diagnosis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drgsim.cli.policy_command import EVIDENCE
from drgsim.language import bilingual, joined, spoken, text

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
            entry["id"], bilingual(entry["title"], entry["title_zh"]), f"{sum(entry['counts'].values()):,}",
            f"{sum(n for kind, n in entry['counts'].items() if kind in CORE_TYPES):,}",
            f"{entry['counts'].get('comprehensive', 0):,}", EVIDENCE.get(entry["evidence"], entry["evidence"]),
        ]
        for entry in listed.values
        if entry.get("unit") == "dip"
    ]  # fmt: skip
    columns = ["id", text("title"), text("kinds"), text("core"), text("comprehensive"), text("evidence")]
    rows_table(text("DIP catalogues"), columns, rows, right=(2, 3, 4, 5), whole=(0,))


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
            bilingual(kind.kind, KINDS[kind.kind]),
            "" if kind.score is None else f"{kind.score:,.2f}",
        ]
        for kind in kinds[:MOST_KINDS]
    ]  # fmt: skip
    columns = [text("code"), text("name"), text("related"), text("level, condition"), text("type"), text("score")]
    rows_table(text("Kinds of {catalogue} for {dx}", catalogue=catalogue.id, dx=dx), columns, rows, right=(5,))
    if len(kinds) > MOST_KINDS:
        out.print(text("[dim]... and {count:,} more; --json lists all[/]", count=len(kinds) - MOST_KINDS))


def _show_catalogue(catalogue: Catalogue) -> None:
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out
    from drgsim.units.dip.dip_catalogue import KINDS

    out.print(f"[bold]{catalogue.id}[/]  {escape(bilingual(catalogue.title, catalogue.title_zh))}")
    out.print(
        text(
            "region: {region} · edition: {edition} · codes: ICD-10 {icd10}, ICD-9-CM-3 {icd9cm3} · "
            "evidence: [magenta]{evidence}[/]",
            region=escape(catalogue.region_zh) or "-",
            edition=escape(catalogue.edition) or "-",
            icd10=catalogue.icd10,
            icd9cm3=catalogue.icd9cm3,
            evidence=EVIDENCE.get(catalogue.evidence, catalogue.evidence),
        )
    )
    total = sum(catalogue.counts.values())
    by_type = joined(
        text(", "), (f"{number:,} {spoken(bilingual(kind, KINDS[kind]))}" for kind, number in catalogue.counts.items())
    )
    out.print(
        text(
            "{total:,} kinds: {by_type} · {count:,} diagnoses",
            total=total,
            by_type=by_type,
            count=len({kind.dx for kind in catalogue.kinds}),
        )
    )
    _show_lists(catalogue)
    if catalogue.own_codes:
        listed = ", ".join(code for _, code in catalogue.own_codes)
        out.print(text("[yellow]codes that the national dictionaries lack[/]: {listed}", listed=listed))
    for title, settings in ((text("Matching"), catalogue.matching), (text("Auxiliary lists"), catalogue.auxiliary)):
        out.print(
            text(
                "[bold]{title}[/]  evidence: [magenta]{evidence}[/]",
                title=title,
                evidence=EVIDENCE.get(settings.evidence, settings.evidence),
            )
        )
        for name, value in vars(settings).items():
            if name != "evidence" and value:
                out.print(f"  {name}: {escape(', '.join(value) if isinstance(value, tuple) else str(value))}")
    _show_levels(catalogue)
    _show_readings(catalogue)
    for title, lines in ((text("Sources"), catalogue.sources), (text("Notes"), catalogue.notes)):
        if lines:
            out.print(f"[bold]{escape(title)}[/]")
        for line in lines:
            out.print(f"  · {escape(spoken(line))}")
    out.print(text("[dim]drgsim schemes show {catalogue} --dx I21.0 lists the kinds of a diagnosis[/]", catalogue=catalogue.id))


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
                f"{one.aux} {one.level}", bilingual(one.title, one.title_zh), print_rule(one.condition),
                f"{used.get((one.aux, one.level), 0):,}", EVIDENCE.get(one.evidence, one.evidence),
            ]
            for one in catalogue.levels
        ]  # fmt: skip
        columns = [text("level"), text("meaning"), text("condition"), text("kinds"), text("evidence")]
        rows_table(text("Levels of the auxiliary lists"), columns, rows, right=(3,))


def _show_readings(catalogue: Catalogue) -> None:
    """How the catalogue reads what its text leaves open."""
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out

    if catalogue.readings:
        out.print(text("[bold]Readings[/]  what the text leaves open; evidence: [magenta]assumption[/]"))
        for topic, words in catalogue.readings.items():
            out.print(f"  {topic}: {escape(words)}")


def _show_lists(catalogue: Catalogue) -> None:
    """Scores, excluded lists and primary-care list in short."""
    from drgsim.cli.terminal import out

    excluded = catalogue.excluded
    if not catalogue.scored:
        out.print(text("[yellow]no scores[/]: drgsim dip score HISTORY takes a region's own"))
    if excluded:
        out.print(
            text(
                "excluded lists: {diagnoses:,} diagnoses; of procedures {conservative:,} count as not done, "
                "{never:,} are never principal, {only:,} with some diagnoses only",
                diagnoses=len(excluded.diagnoses),
                conservative=len(excluded.conservative),
                never=len(excluded.never_principal),
                only=len(excluded.only_with),
            )
        )
    if catalogue.primary_care:
        out.print(
            text("primary-care list: {count:,} diagnoses with procedures, one score for all", count=len(catalogue.primary_care))
        )

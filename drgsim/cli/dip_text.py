"""What ``drgsim dip`` prints for people."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drgsim.cli.policy_command import COLOURS, EVIDENCE
from drgsim.language import bilingual, joined, term, text, text_of_data

if TYPE_CHECKING:
    from drgsim.analysis.supervision import Supervision
    from drgsim.authoring.dip.catalogue_differences import CatalogueDiff
    from drgsim.authoring.dip.dip_spec import DipSpec

MOST = 10
SHORT = {  # so that a hospital's row fits into 80 columns
    "coding": text("coding"),
    "repeat": text("repeat"),
    "low_standard": term("of a supervision list", "low"),
    "extra_long": term("of a supervision list", "long"),
    "low_risk_death": text("deaths"),
}


def show_build(summary: Mapping[str, Any], output: Path) -> None:
    """What was built, how good it is, and what it rests on."""
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out, rows_table, show_note

    s = summary["sizes"]
    rows: list[list[str]] = [
        [text("core"), f"{s['core']:,}"],
        [text("  without procedure"), f"{s['core_conservative']:,}"],
        [text("  with procedure"), f"{s['core_surgical']:,}"],
        [text("  of several combinations"), f"{s['merged']:,}"],
        [text("  with auxiliary levels"),
         text("{count:,} ({levels:,} levels)", count=s["with_auxiliary"], levels=s["auxiliary_levels"])],
        *([bilingual(name, title), f"{s[name]:,}"] for name, title in (
            ("first", "先期分组"), ("comprehensive", "综合病种"), ("chapter", "章节病种"), ("blank", "空白病组")) if s[name]),
        [text("core coverage"), f"{summary['core_coverage']:.1%}"],
        [text("mean cost"), text("{amount:,.2f} yuan", amount=summary["mean_cost_yuan"])],
    ]  # fmt: skip
    spec = summary["specification"]
    rows_table(f"{spec['id']} {spec['title_zh']}, {summary['method']}", ["", text("kinds")], rows, right=(1,))
    evaluation = summary["evaluation"]
    if evaluation:
        plain = summary["plain_list"]
        listed = [(each["name"], each) for each in evaluation["explained"]]
        listed += [(text("plain list"), plain["explained"][0])] if plain else []
        rows = [
            [name, f"{e['groups']:,}", *(_number(e[key]) for key in ("riv", "adjusted", "riv_out", "cv", "cv_out"))]
            for name, e in listed
        ]
        columns = [text("grouped by"), text("groups"), "RIV", text("adjusted"), text("unseen"), "CV", text("unseen")]
        rows_table(text("Explained cost"), columns, rows, right=(1, 2, 3, 4, 5, 6))
        rows = [
            [
                row["size"],
                f"{row['kinds']:,}",
                f"{row['cases']:,}",
                f"{row['error']:.1%}",
                f"{row['median']:.1%}",
                f"{row['chance']:.1%}",
            ]
            for row in evaluation["prediction"]
        ]
        columns = [
            text("cases of kind"), text("kinds"), text("discharges"), text("error"), text("median"), text("by chance"),
        ]  # fmt: skip
        rows_table(text("Scores of one half against the other"), columns, rows, right=(0, 1, 2, 3, 4, 5))
        for line in evaluation["notes"]:
            out.print(f"[dim]{escape(line)}[/]")
    if summary["stability"]:
        own, other = summary["stability"], (summary["plain_list"] or {}).get("stability")
        told = text(
            "adjusted Rand index of {samples} samples: mean {mean:.3f}, least {least:.3f}", samples=own["samples"],
            mean=own["mean"], least=own["least"],
        )  # fmt: skip
        out.print(text("{told}; plain list {mean:.3f}", told=told, mean=other["mean"]) if other else told)
    for remark in summary["remarks"]:
        show_note(remark)
    assumed = sum(entry["evidence"] == "assumption" for entry in summary["parameters"])
    out.print(
        text(
            "rests on [bold magenta]{assumed} assumptions[/] of {count} parameters: drgsim dip specs {id}",
            assumed=assumed,
            count=len(summary["parameters"]),
            id=escape(spec["id"]),
        )
    )
    out.print(
        text(
            "wrote [bold]{output}[/]; open [bold]{page}[/]",
            output=escape(str(output)),
            page=escape(str(output / "report" / "catalogue.html")),
        ),
        soft_wrap=True,
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def show_diff(found: CatalogueDiff) -> None:
    """Numbers of changes, and the most important of each."""
    from drgsim.authoring.dip.catalogue_differences import CHANGES
    from drgsim.cli.terminal import out, rows_table

    rows = [[bilingual(change, title), f"{found.count(change):,}"] for change, title in CHANGES.items()]
    rows_table(f"{found.old.id} → {found.new.id}", [text("change"), text("kinds")], rows, right=(1,))
    if found.is_empty:
        out.print(text("no difference: kinds, conditions, code lists, excluded codes, primary-care list, order of matching"))
        return
    if found.parts:
        out.print(text("parts that differ: {names}", names=", ".join(found.parts)))
    for change in ("score", "new", "gone", "merged", "split", "type"):
        chosen = [each for each in found.changes if each.change == change][:MOST]
        if not chosen:
            continue
        rows = [
            [
                each.code, each.name, *("–" if score is None else f"{score:,.1f}" for score in (each.before, each.after)),
                "–" if each.ratio is None else f"{100 * (each.ratio - 1):+.1f} %",
                f"{each.cases_after or each.cases_before or 0:,}",
                ", ".join(each.into[:2]) + (", ..." if len(each.into) > 2 else ""),
            ]
            for each in chosen
        ]  # fmt: skip
        columns = [
            text("kind"), text("name"), text("score"), "→", text("change"), text("cases"), text("combinations in"),
        ]  # fmt: skip
        if not any(each.into for each in chosen):  # only merged and split kinds have a counterpart: leave the room to names
            columns, rows = columns[:-1], [row[:-1] for row in rows]
        rows_table(
            text("{change}: the most important", change=bilingual(change, CHANGES[change])),
            columns,
            rows,
            right=(2, 3, 4, 5),
        )
    if found.mean_change is not None:
        told = text("scores of kinds in both move by {share:.1%} on average (weighted by cases)", share=found.mean_change)
        out.print(told, markup=False)


def show_supervision(found: Supervision, output: Path) -> None:
    """A line per hospital."""
    from drgsim.analysis.supervision_words import WORDS
    from drgsim.cli.markup import escape
    from drgsim.cli.terminal import out, rows_table, show_note
    from drgsim.report.supervision_workbook import supervision_record

    rows = [
        [
            row["hospital_id"] or "–", f"{row['cases']:,}", f"{row['coding_quality_index']:.1f}",
            *(f"{row[f'{name}_cases']:,}" for name in SHORT),
            "–" if row["death_ratio"] is None else f"{row['death_ratio']:.2f}",
        ]
        for row in supervision_record(found)["hospitals"]
    ]  # fmt: skip
    columns = [text("hospital"), text("cases"), term("of coding quality", "index"), *SHORT.values(), "O/E"]
    rows_table(
        text("Supervision lists by {scheme}", scheme=found.scheme),
        columns,
        rows,
        right=tuple(range(1, len(columns))),
        whole=(0,),
    )
    listed = joined(text(", "), (WORDS[name].title for name in SHORT))
    out.print(
        text(
            "[dim]cases on each list: {listed}; O/E: deaths over those expected; shares are in hospitals.csv[/]", listed=listed
        )
    )
    for note in found.notes:
        show_note(note)
    out.print(text("[bold magenta]all limits are assumptions[/]: the lists say where to look, they are no verdict"))
    out.print(
        text("wrote [bold]{output}[/]: hospitals.csv, cases.csv, supervision.xlsx, run.json", output=escape(str(output))),
        soft_wrap=True,
    )


def show_spec(loaded: DipSpec) -> None:
    """Every parameter with its evidence in colour."""
    from drgsim.cli.markup import escape
    from drgsim.cli.spoken_table import SpokenTable
    from drgsim.cli.terminal import out, show_note

    out.print(f"[bold]{escape(loaded.file.id)}[/] {escape(bilingual(loaded.file.title, loaded.file.title_zh))}")
    table = SpokenTable()
    for name, rigid in ((text("parameter"), True), (text("value, unit; source"), False), (text("evidence"), True)):
        table.add_column(name, overflow="fold", no_wrap=rigid)
    for p in loaded.parameters:
        lines = [
            f"{escape(str(p.value))} [dim]{escape(text_of_data(p.unit))}[/]",
            f"[dim]{escape(loaded.file.sources[p.source].title)}[/]",
        ]
        lines += [f"[dim]{escape(p.note)}[/]"] if p.note else []
        evidence = f"[{COLOURS[p.evidence]}]{escape(EVIDENCE[p.evidence])}[/]"
        table.add_row(p.path, "\n".join(lines), evidence)
    out.print(table)
    for note in loaded.file.notes:
        show_note(note)

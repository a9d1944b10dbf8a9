"""What ``drgsim dip`` prints for people."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drgsim.cli.policy_command import COLOURS, EVIDENCE_ZH

if TYPE_CHECKING:
    from drgsim.analysis.supervision import Supervision
    from drgsim.authoring.dip.catalogue_differences import CatalogueDiff
    from drgsim.authoring.dip.dip_spec import DipSpec

MOST = 10
SHORT = {  # two lines, so that a hospital's row fits into 80 columns
    "coding": "coding\n编码",
    "repeat": "repeat\n二次",
    "low_standard": "low\n低标",
    "extra_long": "long\n超长",
    "low_risk_death": "deaths\n死亡",
}


def show_build(summary: Mapping[str, Any], output: Path) -> None:
    """What was built, how good it is, and what it rests on."""
    from rich.markup import escape

    from drgsim.cli.terminal import out, rows_table

    s = summary["sizes"]
    rows = [
        ["core 核心病种", f"{s['core']:,}"],
        ["  without procedure 保守治疗", f"{s['core_conservative']:,}"],
        ["  with procedure 手术操作", f"{s['core_surgical']:,}"],
        ["  of several combinations 多组合", f"{s['merged']:,}"],
        ["  with auxiliary levels 辅助目录", f"{s['with_auxiliary']:,} ({s['auxiliary_levels']:,} levels)"],
        *([f"{name} {title}", f"{s[name]:,}"] for name, title in (
            ("first", "先期分组"), ("comprehensive", "综合病种"), ("chapter", "章节病种"), ("blank", "空白病组")) if s[name]),
        ["core coverage 核心覆盖率", f"{summary['core_coverage']:.1%}"],
        ["mean cost 例均费用", f"{summary['mean_cost_yuan']:,.2f} 元"],
    ]  # fmt: skip
    spec = summary["specification"]
    rows_table(f"{spec['id']} {spec['title_zh']}, {summary['method']}", ["", "kinds"], rows, right=(1,))
    evaluation = summary["evaluation"]
    if evaluation:
        plain = summary["plain_list"]
        listed = [(each["name"], each) for each in evaluation["explained"]]
        listed += [("plain list 规则目录", plain["explained"][0])] if plain else []
        rows = [
            [name, f"{e['groups']:,}", *(_number(e[key]) for key in ("riv", "adjusted", "riv_out", "cv", "cv_out"))]
            for name, e in listed
        ]
        columns = ["grouped by", "groups", "RIV", "adjusted", "unseen", "CV", "unseen"]
        rows_table("Explained cost 分组效能", columns, rows, right=(1, 2, 3, 4, 5, 6))
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
        columns = ["cases of kind", "kinds", "discharges", "error", "median", "by chance"]
        rows_table("Scores of one half against the other 分值预测误差", columns, rows, right=(0, 1, 2, 3, 4, 5))
        for line in evaluation["notes"]:
            out.print(f"[dim]{escape(line)}[/]")
    if summary["stability"]:
        own, other = summary["stability"], (summary["plain_list"] or {}).get("stability")
        against = f"; plain list {other['mean']:.3f}" if other else ""
        out.print(f"adjusted Rand index of {own['samples']} samples: mean {own['mean']:.3f}, least {own['least']:.3f}{against}")
    for remark in summary["remarks"]:
        out.print(f"[yellow]note[/] {escape(remark)}")
    assumed = sum(entry["evidence"] == "assumption" for entry in summary["parameters"])
    out.print(
        f"rests on [bold magenta]{assumed} assumptions 假设[/] of {len(summary['parameters'])} parameters: "
        f"drgsim dip specs {escape(spec['id'])}"
    )
    out.print(
        f"wrote [bold]{escape(str(output))}[/]; open [bold]{escape(str(output / 'report' / 'catalogue.html'))}[/]",
        soft_wrap=True,
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def show_diff(found: CatalogueDiff) -> None:
    """Numbers of changes, and the most important of each."""
    from rich.markup import escape

    from drgsim.authoring.dip.catalogue_differences import CHANGES
    from drgsim.cli.terminal import out, rows_table

    rows = [[f"{change} {title}", f"{found.count(change):,}"] for change, title in CHANGES.items()]
    rows_table(f"{found.old.id} → {found.new.id}", ["change", "kinds"], rows, right=(1,))
    if found.is_empty:
        out.print("no difference 无差异: kinds, conditions, code lists, excluded codes, primary-care list, order of matching")
        return
    if found.parts:
        out.print(f"parts that differ 有差异的部分: {', '.join(found.parts)}")
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
        columns = ["kind", "name", "score", "→", "change", "cases", "combinations in"]
        if not any(each.into for each in chosen):  # only merged and split kinds have a counterpart: leave the room to names
            columns, rows = columns[:-1], [row[:-1] for row in rows]
        rows_table(f"{change} {CHANGES[change]}: the most important", columns, rows, right=(2, 3, 4, 5))
    if found.mean_change is not None:
        out.print(f"scores of kinds in both move by {found.mean_change:.1%} on average {escape('(weighted by cases)')}")


def show_supervision(found: Supervision, output: Path) -> None:
    """A line per hospital."""
    from rich.markup import escape

    from drgsim.analysis.supervision_words import WORDS
    from drgsim.cli.terminal import out, rows_table
    from drgsim.language import spoken
    from drgsim.report.supervision_workbook import supervision_record

    rows = [
        [
            row["hospital_id"] or "–", f"{row['cases']:,}", f"{row['coding_quality_index']:.1f}",
            *(f"{row[f'{name}_cases']:,}" for name in SHORT),
            "–" if row["death_ratio"] is None else f"{row['death_ratio']:.2f}",
        ]
        for row in supervision_record(found)["hospitals"]
    ]  # fmt: skip
    columns = ["hospital\n医院", "cases\n病例", "index\n质量", *SHORT.values(), "O/E\n比值"]
    rows_table(
        f"Supervision lists by {found.scheme} 监管辅助目录", columns, rows, right=tuple(range(1, len(columns))), whole=(0,)
    )
    listed = ", ".join(spoken(WORDS[name].title) for name in SHORT)
    out.print(f"[dim]cases on each list: {listed}; O/E: deaths over those expected; shares are in hospitals.csv[/]")
    for note in found.notes:
        out.print(f"[yellow]note[/] {escape(note)}")
    out.print("[bold magenta]all limits are assumptions 假设[/]: the lists say where to look, they are no verdict")
    out.print(f"wrote [bold]{escape(str(output))}[/]: hospitals.csv, cases.csv, supervision.xlsx, run.json", soft_wrap=True)


def show_spec(loaded: DipSpec) -> None:
    """Every parameter with its evidence in colour."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    from drgsim.cli.terminal import out

    out.print(f"[bold]{escape(loaded.file.id)}[/] {escape(loaded.file.title_zh)} · {escape(loaded.file.title)}")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name, rigid in (("parameter", True), ("value, unit; source", False), ("evidence", True)):
        table.add_column(name, overflow="fold", no_wrap=rigid)
    for p in loaded.parameters:
        lines = [f"{escape(str(p.value))} [dim]{escape(p.unit)}[/]", f"[dim]{escape(loaded.file.sources[p.source].title)}[/]"]
        lines += [f"[dim]{escape(p.note)}[/]"] if p.note else []
        evidence = f"[{COLOURS[p.evidence]}]{p.evidence} {EVIDENCE_ZH[p.evidence]}[/]"
        table.add_row(p.path, "\n".join(lines), evidence)
    out.print(table)
    for note in loaded.file.notes:
        out.print(f"[yellow]note[/] {escape(note)}", soft_wrap=True)

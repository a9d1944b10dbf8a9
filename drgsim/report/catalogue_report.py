"""What a DIP catalogue holds, for people: a page, a workbook, and the folder of a catalogue that was built."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgsim.authoring.dip.built_catalogue import built_files, remarks, scored_files, sizes, years_table
from drgsim.authoring.dip.catalogue_building import Built
from drgsim.authoring.dip.catalogue_differences import CatalogueDiff, KindChange
from drgsim.authoring.dip.catalogue_evaluation import CatalogueEvaluation, PlainList, Stability
from drgsim.authoring.dip.catalogue_writer import write_catalogue
from drgsim.authoring.dip.three_level_directory import directory_table
from drgsim.authoring.schemes.pack_files import PACK_FILES
from drgsim.language import bilingual, in_both_languages, joined, text
from drgsim.report.catalogue_page import catalogue_page
from drgsim.results.result_titles import word_title
from drgsim.results.run_record import json_text, run_record
from drgsim.results.table_files import write_table
from drgsim.results.whole_outputs import check_folder, whole_folder, write_text
from drgsim.results.workbook import open_workbook
from drgsim.results.workbook_about import About, about_record
from drgsim.units.dip.catalogue_files import load_catalogue
from drgsim.units.dip.dip_catalogue import KINDS, LINE_COLUMNS, Catalogue, Kind

REPORT = "report"
SUMMARY = "summary.json"
REPORT_FILES = ("catalogue.html", "catalogue.xlsx", "changes.csv", SUMMARY, "kinds-by-year.csv", "directory.csv")
BUILT_FILES = (*PACK_FILES, *(f"{REPORT}/{name}" for name in REPORT_FILES))


@dataclass(frozen=True)
class CatalogueDocument:
    """A catalogue with what is known about how it was built (``summary``, empty for a published one) and how it changed."""

    catalogue: Catalogue
    summary: Mapping[str, Any]
    diff: CatalogueDiff | None = None


@dataclass(frozen=True)
class Judgement:
    """How good a built catalogue is, as far as it was asked: evaluation, stability, the plain list for comparison."""

    evaluation: CatalogueEvaluation | None = None
    stability: Stability | None = None
    plain: PlainList | None = None


def build_summary(built: Built, judged: Judgement) -> dict[str, Any]:
    """How a catalogue was built and how good it is, as plain values for JSON; the same history gives the same bytes."""
    spec, history = built.spec, built.history
    return run_record(
        "dip-build",
        specification={
            "id": spec.file.id, "title": spec.file.title, "title_zh": spec.file.title_zh, "digest": spec.digest,
            "notes": list(spec.file.notes),
        },
        method=built.method,
        years=dict(zip(map(str, history.years), spec.file.history.year_weights.value, strict=True)),
        discharges={"read": history.read, "used": history.size, "left_out": dict(sorted(history.left_out.items()))},
        mean_cost_yuan=round(built.measured.overall, 2),
        sizes=sizes(built),
        national_core_kinds=spec.file.checks.core_kinds.value if spec.file.checks.core_kinds else None,
        core_minimum_cases=built.structure.minimum_cases,
        core_coverage=round(built.coverage, 6),
        remarks=remarks(built),
        evaluation=_evaluated(judged.evaluation) if judged.evaluation else None,
        stability=_rounded(asdict(judged.stability)) if judged.stability else None,
        plain_list=_rounded(asdict(judged.plain)) if judged.plain else None,
        parameters=[
            {"path": p.path, "value": p.value, "unit": p.unit, "evidence": str(p.evidence), "source": p.source, "note": p.note}
            for p in spec.parameters
        ],
        sources={name: source.title for name, source in spec.file.sources.items()},
    )  # fmt: skip


def _evaluated(evaluation: CatalogueEvaluation) -> dict[str, Any]:
    figures: dict[str, Any] = _rounded(asdict(evaluation))
    return figures | in_both_languages("notes", evaluation.notes)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return None if value != value else round(value, 6)
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list | tuple) else value


def check_target(folder: Path) -> None:
    """Refuse a folder that holds anything but a catalogue that was built before, ahead of any work.

    Raises
    ------
    OutputError
        ``output-exists`` or ``output-holds-more``.
    """
    check_folder(folder, own=BUILT_FILES, marker=f"{REPORT}/{SUMMARY}")


def write_build(
    built: Built,
    folder: Path,
    *,
    title: str,
    title_zh: str,
    judged: Judgement | None = None,
    diff_with: Catalogue | None = None,
    published: Catalogue | None = None,
) -> CatalogueDocument:
    """Write a built catalogue with its report; the folder appears whole or not at all, an earlier build is replaced.

    ``published``: the catalogue whose kinds were scored, where they were not made from the history.

    ``kinds.csv``, ``scheme.toml`` and their like make the catalogue; ``report/`` holds the page, the workbook, the kinds by
    year, the directory in three levels and the summary.
    """
    from drgsim.authoring.dip.catalogue_differences import compare_catalogues

    folder = folder.absolute()
    with whole_folder(folder, own=BUILT_FILES, marker=f"{REPORT}/{SUMMARY}") as beside:
        names = {"id": folder.name, "title": title, "title_zh": title_zh}
        files = scored_files(built, published, **names) if published else built_files(built, **names)
        catalogue = write_catalogue(beside, files)
        summary = build_summary(built, judged or Judgement())
        diff = compare_catalogues(diff_with, catalogue) if diff_with else None
        tables = {"kinds-by-year": years_table(built)} | ({"directory": directory_table(built)} if built.by_combination else {})
        write_report(CatalogueDocument(catalogue, summary, diff), beside / REPORT, tables)
    return CatalogueDocument(load_catalogue(folder), summary, diff)


def read_report(catalogue: Catalogue, diff: CatalogueDiff | None = None) -> CatalogueDocument:
    """The report of a catalogue on disk, with the summary of its building where there is one."""
    path = catalogue.folder / REPORT / SUMMARY
    summary = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return CatalogueDocument(catalogue, summary, diff)


def write_report(report: CatalogueDocument, folder: Path, tables: Mapping[str, pa.Table] | None = None) -> None:
    """Write page, workbook, summary and tables, each whole, into a folder that is new or holds nothing but such files.

    Raises
    ------
    OutputError
        ``output-holds-more``.
    """
    check_folder(folder, own=REPORT_FILES)
    folder.mkdir(parents=True, exist_ok=True)
    shown = {**(tables or {}), **({"changes": changes_table(report.diff)} if report.diff else {})}
    for name, table in shown.items():
        write_table(folder / f"{name}.csv", table)
    if report.summary:
        write_text(folder / SUMMARY, json_text(report.summary))
    write_workbook(report, shown, folder / "catalogue.xlsx")
    write_text(folder / "catalogue.html", catalogue_page(report.catalogue, report.summary, report.diff))


def kinds_table(kinds: Iterable[Kind]) -> pa.Table:
    """Kinds of a catalogue; their mean cost (yuan), cases and CV where these are known."""
    words, real = pa.string(), pa.float64()
    columns = dict.fromkeys(("code", "dx", "procedure", "related", "operation_class", "aux", "aux_level", "kind"), words)
    columns |= {"score": real, "mean_cost": real, "cases": pa.int64(), "cv": real, "dx_name": words, "procedure_name": words}
    shown = list(kinds)
    if any(kind.anywhere or kind.condition for kind in shown):
        columns |= dict.fromkeys(LINE_COLUMNS, words)
    listed = [
        {name: getattr(kind, name, "any" if kind.anywhere else "") for name in columns} | {"related": "+".join(kind.related)}
        for kind in shown
    ]
    return pa.Table.from_pylist(listed, pa.schema(list(columns.items())))


def changes_table(diff: CatalogueDiff) -> pa.Table:
    """Kinds that are not the same in both catalogues, the most important first."""
    rows = [change_row(each) for each in diff.changes if each.change != "same"]
    real, whole, words = pa.float64(), pa.int64(), pa.string()
    kinds = {
        "code": words, "name": words, "kind": words, "change": words, "score_before": real, "score_after": real, "ratio": real,
        "cases_before": whole, "cases_after": whole, "into": words,
    }  # fmt: skip
    return pa.Table.from_pylist(rows, pa.schema(list(kinds.items())))


def change_row(each: KindChange) -> dict[str, Any]:
    """One change as plain values."""
    return {
        "code": each.code, "name": each.name, "kind": each.kind, "change": each.change, "score_before": each.before,
        "score_after": each.after, "ratio": None if each.ratio is None else round(each.ratio, 6),
        "cases_before": each.cases_before, "cases_after": each.cases_after, "into": "|".join(each.into),
    }  # fmt: skip


_KIND_WORDS = {name: bilingual(name.replace("_", " "), title) for name, title in KINDS.items()}


# -- workbook ----------------------------------------------------------------------------------------------------------
def write_workbook(report: CatalogueDocument, tables: Mapping[str, pa.Table], path: Path) -> None:
    """The workbook: what it is and rests on, then a sheet per table."""
    with open_workbook(path, _about(report)) as book:
        if report.summary:
            sources = report.summary["sources"]
            names = ("path", "value", "unit", "evidence", "source")
            rows = [
                {**entry, "value": str(entry["value"]), "source": sources[entry["source"]]}
                for entry in report.summary["parameters"]
            ]
            listed = pa.table({name: pa.array([row[name] for row in rows], pa.string()) for name in names})
            book.add_table("parameters", listed, marked_by="evidence")
        for name, table in {"kinds": kinds_table(report.catalogue.kinds), **tables}.items():
            book.add_table(name, table, words={"kind": _KIND_WORDS})


def _about(report: CatalogueDocument) -> About:
    catalogue, summary = report.catalogue, report.summary
    counts = joined(", ", [joined(" ", (f"{number:,}", _KIND_WORDS[kind])) for kind, number in catalogue.counts.items()])
    facts = [
        (text("Catalogue"), joined(" ", (catalogue.id, bilingual(catalogue.title, catalogue.title_zh)))),
        (text("Digest of the catalogue"), catalogue.digest[:16]), (text("Kinds"), counts),
        (text("Evidence"), word_title("evidence", catalogue.evidence)),
        *((text("Source"), source) for source in catalogue.sources),
    ]  # fmt: skip
    if summary:
        spec = summary["specification"]
        assumed = sum(entry["evidence"] == "assumption" for entry in summary["parameters"])
        facts += [
            (text("Specification"), joined(" ", (spec["id"], bilingual(spec["title"], spec["title_zh"])))),
            (text("Method"), summary["method"]),
            (text("Assumptions"), text("{count} of {all} parameters", count=assumed, all=len(summary["parameters"]))),
        ]  # fmt: skip
    about = about_record(text("Catalogue of DIP kinds"), summary or {"kind": "dip report"}, facts=facts)
    return replace(about, notes=list(catalogue.notes))

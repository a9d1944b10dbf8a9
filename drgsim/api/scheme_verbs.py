"""DRG schemes and DIP catalogues: which there are, what they hold, whether they are sound, how they differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgsim.api.argument_check import checked
from drgsim.errors import DrgsimError, Problem, SchemeError, UsageError, did_you_mean
from drgsim.language import text
from drgsim.report.catalogue_report import kinds_table
from drgsim.results.result import Result
from drgsim.results.run_record import run_record
from drgsim.units.dip.catalogue_check import CatalogueCheck, check_catalogue
from drgsim.units.dip.catalogue_files import catalogue_ids, load_catalogue
from drgsim.units.dip.code_patterns import plain_code
from drgsim.units.dip.dip_catalogue import Catalogue, Kind
from drgsim.units.dip.dip_reference import covers
from drgsim.units.schemes.pack import find_pack, is_dip, load_scheme, read_settings
from drgsim.units.schemes.pack_check import PackReport, check_pack
from drgsim.units.schemes.rule_language import print_rule, sets_of
from drgsim.units.schemes.scheme import KINDS, Adrg, Drg, Mdc, Scheme
from drgsim.units.schemes.scheme_summaries import SchemeEntry, catalogue

TEXT, WHOLE = pa.string(), pa.int64()


class SchemeTable(Result):
    """Schemes and catalogues, or what one of them holds.

    Attributes
    ----------
    values
        The same as nested plain values.
    scheme
        The scheme or catalogue that is shown; None where several are listed.
    entries
        What the listed DRG schemes say of themselves.
    """

    kind = "schemes"
    title = text("Schemes and catalogues")

    def __init__(
        self,
        tables: Mapping[str, pa.Table],
        values: Any,
        scheme: Scheme | Catalogue | None = None,
        entries: Iterable[SchemeEntry] = (),
    ) -> None:
        self.values, self.scheme, self.entries = values, scheme, tuple(entries)
        shown = {} if scheme is None else {"scheme": scheme.id, "scheme_digest": scheme.digest}
        super().__init__(tables, record=run_record(self.kind, **shown))


class SchemeCheck(Result):
    """Whether a pack or catalogue is sound: tables ``problems``, ``advice`` and ``lists``.

    Attributes
    ----------
    sound
        Whether it can be used.
    advice
        What its maker should know, with a code each; it never makes a pack unusable.
    lists
        Of a scheme: codes that lists hold and no group takes, as its tables have it.
    scheme
        The scheme or catalogue; None when it cannot be loaded.
    error
        The error with all problems when it is not sound.
    """

    kind = "schemes-check"
    title = text("Check of a scheme")

    def __init__(self, found: PackReport | CatalogueCheck | DrgsimError) -> None:
        self.error = found if isinstance(found, DrgsimError) else None
        self.scheme = None if isinstance(found, DrgsimError) else found.scheme
        self.advice: list[Problem] = []
        self.lists: list[Problem] = []
        if isinstance(found, PackReport):
            self.advice, self.lists = found.advice, found.lists
        elif isinstance(found, CatalogueCheck):
            self.advice = [Problem("catalogue-advice", line) for line in found.advice]
        self.sound = self.error is None
        problems = list(self.error.problems) if self.error else []
        tables = {"problems": as_table([vars(each) for each in problems], code=TEXT, what=TEXT, where=TEXT, why=TEXT, fix=TEXT)}
        notes = [*problems, *self.advice]
        record = run_record(self.kind, sound=self.sound, counts=self.counts, problems=notes)
        for name, findings in (("advice", self.advice), ("lists", self.lists)):
            tables[name] = as_table([{"code": each.code, "what": each.what} for each in findings], code=TEXT, what=TEXT)
        super().__init__(tables, notes=notes, record=record)

    @property
    def counts(self) -> dict[str, int]:
        """Sizes: MDCs, ADRGs, DRGs, ambiguous rows, code lists; or kinds of a catalogue by type."""
        return {} if self.scheme is None else dict(self.scheme.counts)


def schemes() -> SchemeTable:
    """List the DRG schemes and DIP catalogues that ship with drgsim.

    Returns
    -------
    SchemeTable
        ``schemes``: ``id``, ``unit`` (drg or dip), ``title_zh``, ``base``, sizes (``mdc``, ``adrg``, ``drg``, ``qy``,
        ``kinds``) and ``evidence``, one row each; ``entries`` with coverage, sources and doubts.

    Examples
    --------
    >>> import drgsim
    >>> "chs-drg-2.0" in drgsim.schemes().to_arrow()["id"].to_pylist()
    True
    """
    entries = catalogue()
    kinds = [{"unit": "dip", **read_settings(find_pack(name))} for name in catalogue_ids()]
    values = [{**asdict(entry), "doubts": [note for _, note in entry.doubts]} for entry in entries] + kinds
    rows = [
        {"id": e.id, "unit": "drg", "title_zh": e.title_zh, "base": e.chain[1] if len(e.chain) > 1 else None, **e.counts,
         "evidence": e.coverage.get("evidence")}
        for e in entries
    ] + [
        {"id": e["id"], "unit": "dip", "title_zh": e["title_zh"], "kinds": sum(e["counts"].values()), "evidence": e["evidence"]}
        for e in kinds
    ]  # fmt: skip
    sizes = dict.fromkeys(("mdc", "adrg", "drg", "qy", "kinds"), WHOLE)
    table = as_table(rows, id=TEXT, unit=TEXT, title_zh=TEXT, base=TEXT, **sizes, evidence=TEXT)
    return SchemeTable({"schemes": table}, values, entries=entries)


@checked()
def schemes_show(scheme: str | Path, *, mdc: str | None = None, adrg: str | None = None, dx: str | None = None) -> SchemeTable:
    """Show what a scheme or catalogue holds.

    Parameters
    ----------
    scheme
        Id of a DRG scheme or DIP catalogue, or its folder.
    mdc
        The ADRGs of one MDC, such as ``MDCF``, with their rules.
    adrg
        One ADRG, such as ``FR2``, with its rules and code lists.
    dx
        Of a DIP catalogue: the kinds of a diagnosis, such as ``I21.0`` or ``I21``.

    Returns
    -------
    SchemeTable
        A scheme: ``mdcs``; an MDC: ``adrgs``; an ADRG: ``drgs`` and ``codes``; a catalogue or diagnosis: ``kinds``.

    Raises
    ------
    UsageError
        ``scheme-unknown-mdc``, ``scheme-unknown-adrg``, ``dip-unknown-diagnosis``; ``scheme-is-dip`` and ``scheme-is-drg`` for
        what the other kind has.
    SchemeError
        ``scheme-unknown``, or what is wrong with the pack.

    Examples
    --------
    >>> import drgsim
    >>> drgsim.schemes_show("chs-drg-2.0", adrg="FR2").to_arrow("drgs")["drg"].to_pylist()
    ['FR21', 'FR25']
    """
    if is_dip(find_pack(scheme)):
        if mdc or adrg:
            what = text("{scheme} is a DIP catalogue, which has neither MDCs nor ADRGs", scheme=scheme)
            raise UsageError(
                [Problem("scheme-is-dip", what, fix=text("drgsim schemes show {scheme} --dx I21.0", scheme=scheme))]
            )
        return _show_catalogue(load_catalogue(scheme), dx)
    if dx is not None:
        what = text("{scheme} is a DRG scheme: --dx shows kinds of a DIP catalogue", scheme=scheme)
        raise UsageError([Problem("scheme-is-drg", what, fix=text("--mdc and --adrg show groups"))])
    loaded = load_scheme(scheme)
    for level, wanted, known in (("ADRG", adrg, list(loaded.adrgs)), ("MDC", mdc, [m.code for m in loaded.mdcs])):
        if wanted is not None and wanted not in known:
            fix = did_you_mean(wanted, known) or text("drgsim schemes show {scheme} lists them", scheme=scheme)
            code = f"scheme-unknown-{level.lower()}"
            raise UsageError(
                [Problem(code, text("{scheme} has no {level} {wanted}", scheme=loaded.id, level=level, wanted=wanted), fix=fix)]
            )
    if adrg is not None:
        return _show_adrg(loaded, adrg_values(loaded, loaded.adrgs[adrg]))
    if mdc is not None:
        return _show_mdc(loaded, next(m for m in loaded.mdcs if m.code == mdc))
    rows = [
        {"mdc": m.code, "name": m.name, "adrgs": sum(a.kind != "ambiguous" for a in m.adrgs),
         "drgs": sum(len(a.drgs) for a in m.adrgs if a.kind != "ambiguous"),
         "ambiguous": any(a.kind == "ambiguous" for a in m.adrgs)}
        for m in loaded.mdcs
    ]  # fmt: skip
    table = as_table(rows, mdc=TEXT, name=TEXT, adrgs=WHOLE, drgs=WHOLE, ambiguous=pa.bool_())
    return SchemeTable({"mdcs": table}, _scheme_values(loaded), loaded)


@checked()
def schemes_check(pack: str | Path) -> SchemeCheck:
    """Check a pack or catalogue: tables, rules, codes, counts, and whether its groups cover every case. 检查方案包

    Parameters
    ----------
    pack
        Folder of a pack or catalogue, or its id.

    Returns
    -------
    SchemeCheck
        ``sound``, all ``problems`` and ``advice``.

    Examples
    --------
    >>> import drgsim
    >>> drgsim.schemes_check("chs-drg-2.0").sound
    True
    """
    try:
        return SchemeCheck(check_catalogue(pack) if is_dip(find_pack(pack)) else check_pack(pack))
    except SchemeError as error:
        return SchemeCheck(error)


def as_table(rows: Iterable[Mapping[str, Any]], **kinds: pa.DataType) -> pa.Table:
    """Rows with these columns, in this order."""
    return pa.Table.from_pylist([dict(row) for row in rows], pa.schema(list(kinds.items())))


# -- DRG schemes -----------------------------------------------------------------------------------------------------------
def kind_counts(scheme: Scheme) -> dict[str, int]:
    """ADRGs by kind."""
    return {kind: sum(adrg.kind == kind for adrg in scheme.adrgs.values()) for kind in KINDS}


def adrg_values(scheme: Scheme, adrg: Adrg) -> dict[str, Any]:
    """An ADRG with its rules, DRGs and code lists as plain values."""
    rules = [adrg.rule, *(drg.rule for drg in adrg.drgs)]
    return {
        "adrg": adrg.code,
        "name": adrg.name,
        "mdc": adrg.mdc,
        "kind": adrg.kind,
        "rule": print_rule(adrg.rule),
        "drgs": [
            {
                "drg": d.code,
                "name": d.name,
                "rule": print_rule(d.rule),
                "marks": [mark.name for mark in scheme.marks_of(d.code)],
            }
            for d in adrg.drgs
        ],
        "sets": {name: sorted(scheme.sets[name]) for name in sorted({n for rule in rules for n in sets_of(rule)})},
    }


def _drg_values(scheme: Scheme, drg: Drg) -> dict[str, Any]:
    marks = [mark.name for mark in scheme.marks_of(drg.code)]
    return {"drg": drg.code, "name": drg.name, "rule": print_rule(drg.rule), "marks": marks}


def _scheme_values(scheme: Scheme) -> dict[str, Any]:
    return {
        "id": scheme.id,
        "title_zh": scheme.title_zh,
        "title_en": scheme.title_en,
        "issuer": scheme.issuer,
        "chain": list(scheme.chain),
        "icd10": scheme.icd10,
        "icd9cm3": scheme.icd9cm3,
        "counts": dict(scheme.counts),
        "kinds": kind_counts(scheme),
        "coverage": dict(scheme.coverage),
        "in_force": read_settings(scheme.folder).get("in_force", {}),
        "marks": [asdict(mark) for mark in scheme.marks.values()],
        "sources": list(scheme.sources),
        "notes": list(scheme.notes),
        "digest": scheme.digest,
    }


def _show_mdc(scheme: Scheme, mdc: Mdc) -> SchemeTable:
    values = {
        "mdc": mdc.code,
        "name": mdc.name,
        "rule": print_rule(mdc.rule),
        "adrgs": [adrg_values(scheme, adrg) for adrg in mdc.adrgs],
    }
    rows = [
        {"adrg": a.code, "name": a.name, "kind": a.kind, "rule": print_rule(a.rule), "drgs": "|".join(d.code for d in a.drgs)}
        for a in mdc.adrgs
    ]
    return SchemeTable({"adrgs": as_table(rows, adrg=TEXT, name=TEXT, kind=TEXT, rule=TEXT, drgs=TEXT)}, values, scheme)


def _show_adrg(scheme: Scheme, values: Mapping[str, Any]) -> SchemeTable:
    codes = [
        {"list": name, "code": code,
         "name": (scheme.book.diagnoses if name.startswith("DI") else scheme.book.procedures).name(code)}
        for name, listed in values["sets"].items()
        for code in listed
    ]  # fmt: skip
    tables = {
        "drgs": as_table(values["drgs"], drg=TEXT, name=TEXT, rule=TEXT),
        "codes": as_table(codes, list=TEXT, code=TEXT, name=TEXT),
    }
    return SchemeTable(tables, values, scheme)


# -- DIP catalogues --------------------------------------------------------------------------------------------------------
def _show_catalogue(shown: Catalogue, dx: str | None) -> SchemeTable:
    kinds = list(shown.kinds) if dx is None else kinds_of(shown, dx)
    values = _catalogue_values(shown) if dx is None else [vars(kind) for kind in kinds]
    return SchemeTable({"kinds": kinds_table(kinds)}, values, shown)


def _catalogue_values(shown: Catalogue) -> dict[str, Any]:
    plain = ("id", "title", "title_zh", "region_zh", "edition", "icd10", "icd9cm3", "evidence", "sources", "notes", "digest")
    return {
        **{name: getattr(shown, name) for name in plain},
        "counts": dict(shown.counts),
        "matching": asdict(shown.matching),
        "auxiliary": asdict(shown.auxiliary),
        "levels": [{**asdict(level), "condition": print_rule(level.condition)} for level in shown.levels],
        "own_codes": [list(pair) for pair in shown.own_codes],
    }


def kinds_of(shown: Catalogue, dx: str) -> list[Kind]:
    """Kinds of a diagnosis: of a category, a subcategory or a full code.

    Raises
    ------
    UsageError
        ``dip-unknown-diagnosis``.
    """
    wanted = plain_code(dx)
    kinds = [kind for kind in shown.kinds if kind.dx and (kind.dx.startswith(wanted) or covers(kind.dx, wanted))]
    if not kinds:
        known = sorted({kind.dx for kind in shown.kinds if kind.dx})
        fix = did_you_mean(wanted, known) or text("give a category (I21), a subcategory (I21.0) or a full code")
        raise UsageError(
            [
                Problem(
                    "dip-unknown-diagnosis", text("{shown} has no kind for the diagnosis {dx}", shown=shown.id, dx=dx), fix=fix
                )
            ]
        )
    return kinds

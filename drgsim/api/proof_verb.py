"""``drgsim.schemes_prove``: the records that two schemes group differently, found in the rules, or that there are none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgsim.api.argument_check import TEXT, TEXTS, as_list, checked, named, number, whole
from drgsim.errors import Problem, UsageError
from drgsim.language import text
from drgsim.records.code_dictionaries import CodeList
from drgsim.results.result import Result
from drgsim.results.run_record import run_record
from drgsim.results.table_files import write_table
from drgsim.units.drg.drg_reference import GroupTrace
from drgsim.units.proof.scheme_proof import Progress, SchemeProof, Witness, deciding_path, prove_schemes
from drgsim.units.schemes.pack import load_scheme
from drgsim.units.schemes.scheme import Scheme

_TEXTS = (
    "discharge_id", "before", "before_name", "after", "after_name", "diagnoses", "diagnosis_names", "procedures",
    "procedure_names", "before_rules", "after_rules", "before_lists", "after_lists", "discharge_way", "admission_department",
)  # fmt: skip
_NUMBERS = ("codes", "sex", "age", "age_days", "birth_weight_g", "los_days", "icu_hours")


class SchemesProved(Result):
    """What two schemes group differently: table ``differences``, one row for each pair of groups with a smallest record.

    Attributes
    ----------
    proof
        The records with the traces of both reference groupers, and whether the list is complete.
    """

    kind = "schemes-prove"
    title = text("Records that two schemes group differently")

    def __init__(self, proof: SchemeProof, schemes: tuple[Scheme, Scheme], where: Mapping[str, str]) -> None:
        self.proof = proof
        rows = [_row(place, each, schemes) for place, each in enumerate(proof.witnesses, start=1)]
        kinds = {**dict.fromkeys(_TEXTS, pa.string()), **dict.fromkeys(_NUMBERS, pa.float64())}
        order = [*_TEXTS[:5], "codes", *_TEXTS[5:9], *_NUMBERS[1:], *_TEXTS[13:], *_TEXTS[9:13]]
        table = pa.Table.from_pylist(rows, pa.schema([(name, kinds[name]) for name in order]))
        record = run_record(
            self.kind, before=proof.before, after=proof.after, where=dict(where), level=proof.level, equal=proof.equal,
            complete=proof.complete, pairs=len(proof.witnesses), code_classes=proof.classes, seconds=round(proof.seconds, 3),
        )  # fmt: skip
        what = text("time or the number asked for ran out before every pair of groups was looked for")
        notes = (
            ()
            if proof.complete
            else (Problem("prove-incomplete", what, fix=text("give more --seconds, or narrow it by --where")),)
        )
        super().__init__({"differences": table}, notes=notes, record=record)

    @property
    def equal(self) -> bool:
        """Whether it is proved that both schemes give every record the same group."""
        return self.proof.equal


@checked(
    before=named(Scheme),
    after=named(Scheme),
    where=TEXTS,
    level=TEXT,
    most=whole(1),
    seconds=number(0),
)
def schemes_prove(
    before: Scheme | str | Path,
    after: Scheme | str | Path,
    *,
    where: Iterable[str] = (),
    level: str = "drg",
    most: int | None = None,
    seconds: float = 600.0,
    output: str | Path | None = None,
    progress: Progress | None = None,
) -> SchemesProved:
    """Find every pair of groups that two DRG schemes give one record, with a smallest record, or prove that there is none. 证明

    Nothing is sampled: the rules of both schemes become formulas over classes of codes that no rule tells apart, and a SAT
    solver looks for records until none is left. Each record is grouped by both reference groupers before it is told.

    Parameters
    ----------
    before, after
        DRG schemes: ids, folders of packs, or what :func:`drgsim.load_scheme` returned.
    where
        Which records, all of: ``mdc=F``, ``adrg=FR1``, ``drg=FR15`` (one of the schemes puts them there), ``dx=I21`` (how the
        principal diagnosis begins).
    level
        What is compared: ``drg``, or ``adrg`` or ``mdc`` alone.
    most
        Number of pairs after which to stop; None for all.
    seconds
        Time after which to stop; the result then says that it is not complete.
    output
        CSV, Parquet or XLSX file for the table; it can be grouped as it is.
    progress
        Called with the number of pairs and the number of codes that is being tried.

    Returns
    -------
    SchemesProved
        ``differences``: the groups before and after, the record, and the rules and lists that decided on either side.

    Raises
    ------
    SchemeError
        ``scheme-unknown``, or what is wrong with a pack.
    UsageError
        ``prove-not-installed`` (``pip install "drgsim[prove]"``), ``prove-unknown-place``, ``prove-nowhere``,
        ``prove-unknown-level``.

    Examples
    --------
    >>> import drgsim
    >>> drgsim.schemes_prove("chs-drg-2.0", "chs-drg-2.0").equal
    True
    >>> found = drgsim.schemes_prove("chs-drg-2.0", "chs-drg-3.0", where=["dx=I20.0"], most=1)
    >>> found.equal, found.to_arrow().num_rows
    (False, 1)
    """
    first, second = (each if isinstance(each, Scheme) else load_scheme(each) for each in (before, after))
    if level not in ("drg", "adrg", "mdc"):
        raise UsageError.single(
            "prove-unknown-level", text("there is no level {level!r}", level=level), fix=text("choose one of drg, adrg, mdc")
        )
    places = _places(as_list(where))
    proof = prove_schemes(first, second, places, level=level, most=most, seconds=seconds, progress=progress)
    found = SchemesProved(proof, (first, second), places)
    if output is not None:
        write_table(output, found.to_arrow(), about=found.about())
    return found


def _places(where: Iterable[str]) -> dict[str, str]:
    places = {}
    for written in where:
        name, sign, value = written.partition("=")
        if not sign or not value.strip():
            raise UsageError.single(
                "prove-unknown-place", text("{written!r} chooses no records", written=written), fix=text("write --where mdc=F")
            )
        places[name.strip()] = value.strip()
    return places


def _row(place: int, witness: Witness, schemes: tuple[Scheme, Scheme]) -> dict[str, Any]:
    discharge = asdict(witness.discharge)
    diagnoses, procedures = discharge.pop("diagnoses"), discharge.pop("procedures")
    book = schemes[0].book, schemes[1].book
    row: dict[str, Any] = {
        "discharge_id": f"W{place:05d}",
        "codes": witness.codes,
        "diagnoses": "|".join(diagnoses),
        "diagnosis_names": _names(diagnoses, [each.diagnoses for each in book]),
        "procedures": "|".join(procedures),
        "procedure_names": _names(procedures, [each.procedures for each in book]),
        "admission_department": discharge.pop("department"),
        **discharge,
    }
    for side, trace in zip(("before", "after"), witness.traces, strict=True):
        path = deciding_path(trace)
        row |= {
            side: trace.drg,
            f"{side}_name": trace.drg_name,
            f"{side}_rules": "; ".join(f"{group.code}: {group.rule.rule}" for group in path),
            f"{side}_lists": "; ".join(dict.fromkeys(line for group in path for line in _hits(group))),
        }
    return row


def _names(codes: Iterable[str], lists: Iterable[CodeList]) -> str:
    known = list(lists)
    return "|".join(next((name for each in known if (name := each.name(code))), "") for code in codes)


def _hits(group: GroupTrace) -> list[str]:
    return [f"{hit.listed_in}: {hit.code}" for hit in group.rule.hits]

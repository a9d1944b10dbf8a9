"""``drgsim.explain``: why a discharge has its group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from numbers import Integral
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from drgsim.api.argument_check import ArgumentKind, checked, named
from drgsim.api.given_records import CaseResult, given
from drgsim.engines.dated_grouper import DATE
from drgsim.engines.grouper_of import DEFAULT_SCHEME, explain_record, scheme_of_record
from drgsim.errors import InputError, Problem, UsageError
from drgsim.language import bilingual, joined, text
from drgsim.quality.coding_checks import CodingDoubt, doubts_of
from drgsim.records.case_table import open_all
from drgsim.records.findings import BY_CODE
from drgsim.records.input_options import InputOptions
from drgsim.records.schema import BROKEN_LINE
from drgsim.results.result import Result
from drgsim.results.run_record import run_record
from drgsim.units.batch_grouper import INPUT_COLUMNS
from drgsim.units.dip.dip_catalogue import Catalogue
from drgsim.units.dip.dip_narrative import DipExplanation, kind_lines
from drgsim.units.drg.drg_narrative import (
    CodeTrace,
    Explanation,
    RecordExplanation,
    TreeLine,
    explanation_lines,
    plain_text,
)
from drgsim.units.schemes.pack import load_scheme
from drgsim.units.schemes.scheme import Scheme
from drgsim.units.schemes.schemes_in_force import AUTO

_VENTILATOR = "ventilator_hours"
MOST_EXPLAINED = 5  # records with one id


class Explanations(Result):
    """Why a discharge has its group: tables ``steps`` (what was tried) and ``codes`` (how its codes were understood).

    Attributes
    ----------
    first
        The explanation: its ``trace`` holds every rule that was tried, with the codes that hit.
    all
        One per record: an id may stand several times in a file; the first five at most.
    records
        Number of records with this id.
    doubts
        Of each: what a coder would check (:func:`drgsim.validate` checks more, with the other records beside it).
    """

    kind = "explain"
    title = text("Explanation")

    def __init__(
        self, explained: Sequence[RecordExplanation], doubts: Sequence[Sequence[CodingDoubt]], records: int = 1
    ) -> None:
        self.all, self.records, self.first = tuple(explained), records, explained[0]
        self.doubts = tuple(tuple(each) for each in doubts)
        notes = [Problem(code, BY_CODE[code].title, fix=BY_CODE[code].fix) for code in self.first.warnings]
        if records > 1:
            what = text("{records} records have the id {discharge_id}", records=records, discharge_id=self.first.discharge_id)
            notes.insert(
                0,
                Problem(
                    "explain-same-id",
                    what,
                    why=text("each is explained, the first {most_explained} at most", most_explained=MOST_EXPLAINED),
                ),
            )
        record = run_record(self.kind, records=records, explanations=self.dicts())
        super().__init__({"steps": _steps(self.all), "codes": _codes(self.all)}, notes=notes, record=record)

    @property
    def drg(self) -> str:
        """Code of the DRG, 0000 when there is none.

        Raises
        ------
        UsageError
            ``explain-by-dip`` when the discharge was explained by a DIP catalogue.
        """
        if isinstance(self.first, Explanation):
            return self.first.drg
        raise UsageError(
            [Problem("explain-by-dip", text("the discharge was explained by a DIP catalogue"), fix=text("ask for dip"))]
        )

    @property
    def dip(self) -> str:
        """Code of the DIP kind, 0000 when there is none.

        Raises
        ------
        UsageError
            ``explain-by-drg`` when the discharge was explained by a DRG scheme.
        """
        if isinstance(self.first, DipExplanation):
            return self.first.dip
        raise UsageError(
            [Problem("explain-by-drg", text("the discharge was explained by a DRG scheme"), fix=text("ask for drg"))]
        )

    @property
    def status(self) -> str:
        """``grouped``, ``ambiguous``, ``ungroupable`` or ``invalid``."""
        return self.first.status

    @property
    def reason(self) -> str:
        """Why there is no plain group; empty where there is one."""
        return self.first.reason

    @property
    def warnings(self) -> tuple[str, ...]:
        """Codes of the doubts about the record."""
        return self.first.warnings

    @property
    def diagnoses(self) -> tuple[CodeTrace, ...]:
        """The diagnoses as they were understood, principal first."""
        return self.first.diagnoses

    @property
    def procedures(self) -> tuple[CodeTrace, ...]:
        """The procedures as they were understood, principal first."""
        return self.first.procedures

    def to_dict(self) -> dict[str, Any]:
        """The first explanation as nested plain dictionaries and lists: the whole trace, and ``coding_checks``."""
        return self.dicts()[0]

    def dicts(self) -> list[dict[str, Any]]:
        """Every explanation as nested plain dictionaries and lists."""
        return [
            each.to_dict() | {"coding_checks": [{"code": doubt.rule.code, "value": doubt.value} for doubt in doubts]}
            for each, doubts in zip(self.all, self.doubts, strict=True)
        ]

    def lines(self, *, brief: bool = False) -> list[TreeLine]:
        """The explanations as trees of lines; ``brief`` leaves out what did not match."""
        shown = zip(self.all, self.doubts, strict=True)
        return [line for each, doubts in shown for line in [*_lines(each, brief), *_doubt_lines(doubts)]]

    def __str__(self) -> str:
        return plain_text(self.lines())

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


@checked(scheme=named(Scheme, Catalogue), record_id=ArgumentKind(text("an id"), (str, Integral)))
def explain(
    record: Any,
    scheme: Scheme | Catalogue | str | Path = DEFAULT_SCHEME,
    *,
    record_id: str | int | None = None,
    strict: bool = False,
    reading: InputOptions | None = None,
) -> Explanations:
    """Show every rule that was tried for one discharge, and why it matched or not. 入组路径解释

    Parameters
    ----------
    record
        One discharge as a mapping (a dictionary, a row of a frame): canonical columns or their aliases, ``diagnoses`` and
        ``procedures`` as a list of codes or a text separated by ``|``; columns may be left out. Or, with ``record_id``,
        discharges as :func:`drgsim.read` takes them.
    scheme
        A DRG scheme or DIP catalogue, or its id or folder; ``auto``, the default: the national scheme in force on the date of
        discharge (2.0 where the record has none).
    record_id
        The record's ``discharge_id``.
    strict
        Refuse columns that no discharge has, such as a misspelt one; a record of a file may have columns of its own.
    reading
        Layout, own columns and edition of the codes, as :class:`drgsim.InputOptions` says them.

    Returns
    -------
    Explanations
        ``drg`` or ``dip``, ``status``, ``reason``, ``warnings``; ``first`` with the whole trace; ``str()`` tells it as text.

    Raises
    ------
    InputError
        ``explain-unknown-id``; ``explain-broken-line`` when the line of the record does not fit the header.
    UsageError
        ``explain-without-record`` when there is a file and no id; ``explain-unknown-column`` with ``strict``.

    Notes
    -----
    The explanation comes from the readable reference implementation, which tests hold equal to the fast one.

    Examples
    --------
    >>> import drgsim
    >>> record = {"diagnoses": "O80.000|Z37.001", "procedures": "73.5900", "sex": "2", "age": 29}
    >>> drgsim.explain(record, "chs-drg-2.0").drg[:3]
    'OR1'
    >>> drgsim.explain({"diagnoses": "K35.300", "procedures": "47.0100", "sex": "1", "age": 29}, "dip-taian-2025").dip
    'K35.3:47.0100'
    >>> cases = drgsim.read(drgsim.sample_path("formats/records.csv"))
    >>> drgsim.explain(cases, record_id=cases.to_arrow()["discharge_id"][0].as_py()).status in drgsim.group(cases).status
    True
    """
    if record_id is None and not isinstance(record, str | Path | CaseResult):
        if not isinstance(record, Mapping):
            raise UsageError([Problem(
                "explain-no-record", text("a {name} is no record", name=type(record).__name__),
                fix=text("give one record as a dictionary, or record_id with a file or a table"),
            )])  # fmt: skip
        scheme = _chosen(record, scheme, reading)
        explained = explain_record(record, scheme, reading, strict=strict)
        return Explanations([explained], [_doubts(explained, record, scheme)])
    found, options = _found(record, record_id, reading)
    version = InputOptions(code_version=options.code_version)
    found_few = found[:MOST_EXPLAINED]
    schemes = [_chosen(one, scheme, version) for one in found_few]
    each = [explain_record(one, by, version) for one, by in zip(found_few, schemes, strict=True)]
    return Explanations(each, [_doubts(*all_) for all_ in zip(each, found_few, schemes, strict=True)], len(found))


def _chosen(
    record: Mapping[str, Any], scheme: Scheme | Catalogue | str | Path, reading: InputOptions | None
) -> Scheme | Catalogue | str | Path:
    """The scheme as given; in the place of ``auto`` the one in force on the record's date of discharge."""
    return scheme_of_record(record, reading) if scheme == AUTO else scheme


def _doubts(
    explained: RecordExplanation, record: Mapping[str, Any], scheme: Scheme | Catalogue | str | Path
) -> list[CodingDoubt]:
    """What a coder would check in a record that a DRG scheme groups."""
    if not isinstance(explained, Explanation):
        return []
    seen = explained.discharge
    cells = {
        "sex": seen.sex, "age": seen.age, "age_days": seen.age_days, "birth_weight_g": seen.birth_weight_g,
        "los_days": seen.los_days, "icu_hours": seen.icu_hours, "discharge_way": seen.discharge_way,
        "admission_department": seen.department, "diagnoses": "|".join(seen.diagnoses), "procedures": "|".join(seen.procedures),
        "discharge_id": explained.discharge_id,
    }  # fmt: skip
    if record.get(_VENTILATOR) is not None:
        cells[_VENTILATOR] = str(record[_VENTILATOR])
    batch = pa.RecordBatch.from_pylist([cells])
    assert not isinstance(scheme, Catalogue)
    return doubts_of(batch, scheme if isinstance(scheme, Scheme) else load_scheme(scheme))


def _doubt_lines(doubts: Sequence[CodingDoubt]) -> list[TreeLine]:
    lines = []
    for doubt in doubts:
        rule = doubt.rule
        title = bilingual(rule.title, rule.title_zh)
        what = text("{title} [{code}]", title=title, code=rule.code)
        if doubt.value:
            what = text("{title} [{code}]: {value}", title=title, code=rule.code, value=doubt.value)
        lines.append(TreeLine(what, "warn", [TreeLine(bilingual(rule.fix, rule.fix_zh), "dim")]))
    return [TreeLine(text("Coding checks"), "title", lines)] if lines else []


def _found(
    records: Any, record_id: str | int | None, reading: InputOptions | None
) -> tuple[list[Mapping[str, Any]], InputOptions]:
    """All records with this id."""
    if record_id is None:
        what, fix = text("explain needs to know which record"), text("add --id with the record's id")
        raise UsageError([Problem("explain-without-record", what, fix=fix)])
    inputs, options = given(records, reading)
    found: list[dict[str, Any]] = []
    for source in open_all(inputs, options):
        for batch in source.batches((*INPUT_COLUMNS, DATE, "total_cost", _VENTILATOR)):
            ids = pc.utf8_trim_whitespace(batch.column("discharge_id").cast("string"))
            here = batch.filter(pc.equal(ids, str(record_id).strip())).to_pylist()
            found += [record | {"": source.path} for record in here]
    if not found:
        names = joined(text(", "), (getattr(each, "name", text("the table")) for each in inputs))
        raise InputError.single(
            "explain-unknown-id",
            text("{names} has no record with the id {record_id}", names=names, record_id=record_id),
            where=", ".join(str(each) for each in inputs if isinstance(each, Path)),
            fix=text("the id is the one in the column discharge_id (or its alias) of the file"),
        )
    broken = [record for record in found if record.get(BROKEN_LINE) is not None]
    if broken:
        raise InputError(
            [
                Problem(
                    "explain-broken-line",
                    text(
                        "the record {record_id} has no cells to explain: its line does not fit the header", record_id=record_id
                    ),
                    where=text("{file}, line {line}", file=record[""], line=record[BROKEN_LINE]),
                    why=text("drgsim group answers such a record with status invalid, reason line_broken"),
                    fix=text("give the line as many cells as the header, then explain it"),
                )
                for record in broken
            ]
        )
    return [{name: value for name, value in record.items() if name and name != BROKEN_LINE} for record in found], options


def _lines(explained: RecordExplanation, brief: bool = False) -> list[TreeLine]:
    if isinstance(explained, DipExplanation):
        return kind_lines(explained, brief=brief)
    assert isinstance(explained, Explanation)
    return explanation_lines(explained, brief=brief)


def _steps(explained: Sequence[RecordExplanation]) -> pa.Table:
    """The lines of the trees in order, each with its depth."""

    def walk(line: TreeLine, level: int) -> Iterator[tuple[int, str, str]]:
        yield level, line.style, line.text
        for below in line.below:
            yield from walk(below, level + 1)

    rows = [(number, *step) for number, each in enumerate(explained) for line in _lines(each) for step in walk(line, 0)]
    kinds = {"record": pa.int32(), "level": pa.int32(), "style": pa.string(), "text": pa.string()}
    return pa.table({name: pa.array([row[at] for row in rows], kind) for at, (name, kind) in enumerate(kinds.items())})


def _codes(explained: Sequence[RecordExplanation]) -> pa.Table:
    rows = [
        {"record": number, "kind": kind, **vars(code)}
        for number, each in enumerate(explained)
        for kind, codes in (("diagnosis", each.diagnoses), ("procedure", each.procedures))
        for code in codes
    ]
    texts, flags = ("code", "name"), ("known", "grey")
    kinds = [("record", pa.int32()), ("kind", pa.string()), *((n, pa.string()) for n in texts),
             *((n, pa.bool_()) for n in flags), ("given", pa.string())]  # fmt: skip
    return pa.Table.from_pylist(rows, pa.schema(kinds))

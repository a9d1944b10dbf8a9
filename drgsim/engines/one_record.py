"""One record at a time, for a form at a desk: the answers of a batch of one, in some microseconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import isnan
from typing import Any

import numpy as np
import pyarrow as pa

from drgsim.engines.grouper_of import AnyScheme, explain_record, grouper_of
from drgsim.records.code_dictionaries import EMPTY, OWN_VERSION, split_codes
from drgsim.records.findings import FINDINGS, INVALID, WARNING, codes_in, mask_of
from drgsim.records.input_options import InputOptions
from drgsim.units.batch_grouper import SEVERITIES, GroupsBatches
from drgsim.units.dip.catalogue_arrays import LINE_TEXTS
from drgsim.units.dip.dip_grouper import DipGrouper
from drgsim.units.dip.dip_kernel import EXCLUDED, LEVEL_UNLISTED, TIE, EncodedForDip, match_encoded
from drgsim.units.dip.dip_narrative import DipExplanation
from drgsim.units.drg.drg_explanation import ReadRecord, canonical_record, code_traces, explanation_of
from drgsim.units.drg.drg_grouper import DrgGrouper
from drgsim.units.drg.drg_kernel import MDC_CLAIMS, MDC_HOLDS, PROCEDURE_MISFIT, EncodedForDrg, group_encoded
from drgsim.units.drg.drg_narrative import Explanation
from drgsim.units.drg.drg_reference import Discharge
from drgsim.units.schemes.pack import load_scheme
from drgsim.units.schemes.scheme import UNGROUPED, Scheme
from drgsim.units.single_reading import NotPlain, SingleReader, SingleRecord

_INVALID = mask_of(INVALID)
_WARNING = mask_of(WARNING)
_PLACE = {finding.code: 1 << place for place, finding in enumerate(FINDINGS)}
_GROUP = np.zeros(1, np.bool_)  # skip nothing


@dataclass(frozen=True, slots=True)
class CaseGroup:
    """The group of one discharge; texts are empty where there is none.

    Attributes
    ----------
    group, name
        Code and Chinese name of the DRG or DIP kind; ``0000`` where no group takes the discharge.
    status, reason, warnings
        As the columns of the same name of :func:`drgsim.group`.
    severity
        ``none``, ``CC`` or ``MCC``.
    mdc, adrg, mdc_hint
        Of a DRG; ``mdc_hint`` the MDC that is known without a group.
    kind, score, aux, aux_level, cci
        Of a DIP kind; ``score`` and ``cci`` None for a DRG.
    """

    group: str
    name: str
    status: str
    reason: str
    warnings: tuple[str, ...]
    severity: str
    mdc: str = ""
    adrg: str = ""
    mdc_hint: str = ""
    kind: str = ""
    score: float | None = None
    aux: str = ""
    aux_level: str = ""
    cci: int | None = None


class Grouper:
    """Groups records one at a time: what a form needs while a person waits.

    A plain record (canonical columns, known codes, plain numbers and dates) takes some ten microseconds; others are read as a
    batch of one is. :func:`drgsim.group` is for many records.

    Parameters
    ----------
    scheme
        As of :func:`drgsim.group`.
    code_version
        Edition of the codes.

    Raises
    ------
    SchemeError
        There is no such scheme, or it has mistakes.

    Examples
    --------
    >>> import drgsim
    >>> grouper = drgsim.Grouper("chs-drg-2.0")
    >>> found = grouper.one({"diagnoses": "I50.101|N18.900", "sex": 2, "age": 78})
    >>> found.group, found.severity, found.status
    ('FR25', 'none', 'grouped')
    >>> grouper.explain({"diagnoses": "I50.101|N18.900", "sex": 2, "age": 78}).trace.adrg
    'FR2'
    """

    def __init__(self, scheme: AnyScheme | GroupsBatches, code_version: str = OWN_VERSION) -> None:
        self.grouper = grouper_of(scheme, code_version)
        self._source: Any = scheme
        self._options = InputOptions(code_version=code_version)
        self._reader: SingleReader | None = None
        self._warnings: dict[int, tuple[str, ...]] = {}
        grouper = self.grouper
        if isinstance(grouper, DrgGrouper | DipGrouper) and grouper.conversion is None:
            c = grouper.compiled
            self._reader = SingleReader(c.diagnoses, c.procedures, c.text_words, c.variables)
            self._solve = self._kind if isinstance(grouper, DipGrouper) else self._drg
        if isinstance(grouper, DrgGrouper):
            rows = grouper.compiled.arrays.drg_row
            self._rows = rows.tolist()
            self._mdcs = grouper.compiled.arrays.row_mdc[rows].tolist()
            self._ambiguous = grouper.compiled.arrays.row_ambiguous[rows].tolist()

    def one(self, record: Mapping[str, Any]) -> CaseGroup:
        """The group of one record.

        Parameters
        ----------
        record
            Canonical columns, or those of any layout that files have (HQMS, settlement list).
        """
        if self._reader is not None and "diagnoses" in record and record.keys() <= PLAIN_COLUMNS:
            try:
                return self._solve(self._reader.read(record))
            except NotPlain:
                pass
        return self._by_batch(record)

    def explain(self, record: Mapping[str, Any]) -> Explanation | DipExplanation:
        """Why a record has its group; the same as :func:`drgsim.explain` finds, ``.to_dict()`` for JSON."""
        plain = isinstance(self.grouper, DrgGrouper) and "diagnoses" in record and record.keys() <= PLAIN_COLUMNS
        if self._reader is not None and plain:
            try:
                read = self._reader.read(record)
            except NotPlain:
                pass
            else:
                return self._explained(record, read)
        return explain_record(record, self._source, self._options)

    @cached_property
    def _scheme(self) -> Scheme:
        return self._source if isinstance(self._source, Scheme) else load_scheme(self._source)

    def _explained(self, record: Mapping[str, Any], read: SingleRecord) -> Explanation:
        scheme, answer = self._scheme, self._drg(read)
        book = scheme.book
        cells = {name: "" if record.get(name) is None else record[name] for name in TEXT_COLUMNS}
        codes = {
            name: tuple(split_codes(cell if isinstance(cell := record.get(name) or "", str) else "|".join(cell)))
            for name in ("diagnoses", "procedures")
        }
        age, sex, age_days, weight, los, icu = (None if isnan(number) else number for number in read.numbers)
        discharge = Discharge(
            codes["diagnoses"], codes["procedures"], sex, age, age_days, weight, los, icu, str(cells["discharge_way"]),
            str(cells["admission_department"]),
        )  # fmt: skip
        told = {
            "discharge_id": str(cells["discharge_id"]), "status": answer.status, "reason": answer.reason,
            "mdc_hint": answer.mdc_hint,
        }  # fmt: skip
        dx, op = (code_traces(getattr(book, name), found, found) for name, found in codes.items())
        return explanation_of(ReadRecord(None, told, discharge, dx, op, answer.warnings), scheme)

    def _drg(self, read: SingleRecord) -> CaseGroup:
        warnings = self._warnings_of(read.findings)
        if read.findings & _INVALID:
            return CaseGroup(UNGROUPED, "", "invalid", _first_invalid(read.findings), warnings, SEVERITIES[0])
        dx, op = read.diagnoses, read.procedures
        batch = EncodedForDrg(
            dx, np.array([0, dx.size]), op, np.array([0, op.size]), np.array([read.numbers]), np.array([read.texts]), _GROUP
        )
        drgs, severities, mdcs, causes = group_encoded(self.grouper.compiled.arrays, batch)
        drg, cause, severity = int(drgs[0]), int(causes[0]), SEVERITIES[severities[0]]
        c = self.grouper.compiled
        if drg < 0:
            hint = c.mdc_codes[mdcs[0]] if mdcs[0] >= 0 else ""
            return CaseGroup(UNGROUPED, "", "ungroupable", _why_none(read.findings, cause), warnings, severity, mdc_hint=hint)
        status, reason = "grouped", ""
        if self._ambiguous[drg]:
            status = "ambiguous"
            reason = "procedure_outside_mdc" if cause == PROCEDURE_MISFIT else "ambiguous_diagnosis"
        return CaseGroup(
            c.drg_codes[drg], c.drg_names[drg], status, reason, warnings, severity, c.mdc_codes[self._mdcs[drg]],
            c.adrg_codes[self._rows[drg]],
        )  # fmt: skip

    def _kind(self, read: SingleRecord) -> CaseGroup:
        """The DIP kind: what :meth:`DipGrouper.answer` gives for a batch."""
        c = self.grouper.compiled
        arrays, dx, op = c.arrays, read.diagnoses, read.procedures
        items = 0
        for code in dx[0 if c.all_diagnoses else 1 :].tolist():
            items |= int(arrays.cci_masks[code + 2])
        cci, invalid = int(arrays.cci_points[items]), bool(read.findings & _INVALID)
        line, severity, notes = -1, 0, 0
        if not invalid:
            batch = EncodedForDip(
                dx, np.array([0, dx.size]), op, np.array([0, op.size]), np.array([read.numbers]), np.array([read.texts]),
                np.array([cci], np.int8), np.array([read.cost if c.wants_cost else np.nan]), _GROUP,
            )  # fmt: skip
            lines, severities, noted = match_encoded(arrays, batch)
            line, severity, notes = int(lines[0]), int(severities[0]), int(noted[0])
        findings = self._findings_of_kind(read, line, notes)
        warnings = self._warnings_of(findings)
        if invalid:
            return CaseGroup(UNGROUPED, "", "invalid", _first_invalid(findings), warnings, SEVERITIES[0], cci=cci)
        if line < 0 or notes & EXCLUDED:
            reason = _why_no_kind(findings, notes)
            return CaseGroup(UNGROUPED, "", "ungroupable", reason, warnings, SEVERITIES[severity], cci=cci)
        code, name, kind, aux, level = (c.lines[each][line] for each in LINE_TEXTS)
        score, blank = float(arrays.line_score[line]), kind == "blank"
        return CaseGroup(
            code, name, "ungroupable" if blank else "grouped", _why_no_kind(findings, notes) if blank else "", warnings,
            SEVERITIES[severity], kind=kind, score=None if isnan(score) else score, aux=aux, aux_level=level, cci=cci,
        )  # fmt: skip

    def _findings_of_kind(self, read: SingleRecord, line: int, notes: int) -> int:
        arrays, found = self.grouper.compiled.arrays, read.findings & ~_PLACE["icu_hours_missing"]
        first = int(read.diagnoses[0]) if read.diagnoses.size else EMPTY
        asked = int(arrays.class_asks[arrays.dx_class[first + 2]])
        for bit, code in enumerate(("los_missing", "discharge_way_missing", "department_missing")):
            if not asked >> bit & 1:
                found &= ~_PLACE[code]
        if notes & TIE:
            found |= _PLACE["dip_tie"]
        if notes & LEVEL_UNLISTED and line >= 0:
            found |= _PLACE["auxiliary_level_unlisted"]
        if self.grouper.compiled.wants_cost and isnan(read.cost):
            found |= _PLACE["dip_cost_missing"]
        return found

    def _warnings_of(self, findings: int) -> tuple[str, ...]:
        mask = findings & _WARNING
        if mask not in self._warnings:
            self._warnings[mask] = tuple(codes_in(mask, WARNING))
        return self._warnings[mask]

    def _by_batch(self, record: Mapping[str, Any]) -> CaseGroup:
        table = canonical_record(record, self._options).combine_chunks()
        batch = table.to_batches()[0] if table.num_rows else pa.RecordBatch.from_pylist([{}], schema=table.schema)
        answers, _ = self.grouper.group_batch(batch)
        row: dict[str, Any] = {name: "" if value is None else value for name, value in answers.to_pylist()[0].items()}
        warnings = tuple(filter(None, row["warnings"].split("|")))
        common = (row["status"], row["reason"], warnings, row["severity"])
        if "dip" in row:
            score = None if row["score"] == "" else row["score"]
            return CaseGroup(
                row["dip"], row["dip_name"], *common, kind=row["kind"], score=score, aux=row["aux"], aux_level=row["aux_level"],
                cci=row["cci"],
            )  # fmt: skip
        return CaseGroup(row["drg"], row["drg_name"], *common, mdc=row["mdc"], adrg=row["adrg"], mdc_hint=row["mdc_hint"])


TEXT_COLUMNS = ("discharge_id", "discharge_way", "admission_department")
PLAIN_COLUMNS = frozenset({
    "discharge_id", "hospital_id", "patient_id", "sex", "age", "age_days", "birth_date", "admitted", "discharged",
    "birth_weight_g", "los_days", "icu_hours", "discharge_way", "admission_department", "discharge_department", "diagnoses",
    "procedures", "insurance", "total_cost", "admission_weight_g", "ventilator_hours", "patient_paid", "fund_paid",
})  # fmt: skip


def _first_invalid(findings: int) -> str:
    invalid = findings & _INVALID
    return FINDINGS[(invalid & -invalid).bit_length() - 1].code


def _why_no_kind(findings: int, notes: int) -> str:
    if notes & EXCLUDED:
        return "dip_excluded"
    if findings & _PLACE["principal_unknown_code"]:
        return "principal_unknown"
    return "dip_no_level" if notes & LEVEL_UNLISTED else "dip_no_kind"


def _why_none(findings: int, cause: int) -> str:
    if findings & _PLACE["principal_unknown_code"]:
        return "principal_unknown"
    if findings & _PLACE["principal_grey_code"]:
        return "principal_grey"
    return {MDC_CLAIMS: "mdc_rule_not_met", MDC_HOLDS: "no_group_in_mdc"}.get(cause, "principal_in_no_mdc")

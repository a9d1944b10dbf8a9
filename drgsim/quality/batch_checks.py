"""Check a batch of discharges against every quality rule: whole columns at a time, no Python per record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgsim.quality.code_facts import CodeFacts, ProcedureFit, code_facts, is_asterisk, procedure_fit
from drgsim.quality.coding_checks import CodingChecks, Grouping, RuleHits, Texts
from drgsim.quality.quality_kernel import CODE_RULES, NO_CODE, PROCEDURE_RULES, first_codes, look_at_codes
from drgsim.quality.quality_rules import Threshold
from drgsim.records.arrow import one_chunk, to_text
from drgsim.records.batch_encoding import PreparedBatch
from drgsim.records.cells import Days, Fen, read_days, read_fen, read_words, whole_years
from drgsim.records.code_dictionaries import EMPTY, UNKNOWN, CodeList
from drgsim.records.duplicates import SeenIds
from drgsim.records.findings import BITS
from drgsim.units.schemes.scheme import Scheme
from drgsim.units.schemes.scheme_lowering import CompiledScheme

PART = "=cost_"  # how a batch names the file's own columns of parts
_AGE, _AGE_DAYS, _STAY = 0, 2, 4  # columns of PreparedBatch.numbers
_PRINCIPAL = r"^(?P<code>[^|;,、；，｜\n]*)"
_ID_BIT = np.int64(1) << np.int64(BITS["id_duplicate"])


class GroupMeans(NamedTuple):
    """Mean cost in fen by DRG row, NaN where too few cases; the last entry stands for no group."""

    fen: NDArray[np.float64]


class Checker:
    """Everything about a scheme and the settings that the checks of a batch need.

    Parameters
    ----------
    scheme, compiled
        The scheme that the records are grouped by.
    thresholds
        As :func:`drgsim.quality.quality_rules.thresholds` gives them.
    """

    def __init__(self, scheme: Scheme, compiled: CompiledScheme, thresholds: Mapping[str, Threshold]) -> None:
        self.facts: CodeFacts = code_facts(scheme)
        self.fit: ProcedureFit | None = procedure_fit(scheme, compiled)
        self.limit = {name: threshold.value for name, threshold in thresholds.items()}
        self.coding = CodingChecks(scheme, compiled, self.limit)
        self.stays = SeenIds()
        self._book = scheme.book

    @cached_property
    def _diagnosis_labels(self) -> pa.Array:
        return _labels(self._book.diagnoses)

    @cached_property
    def _procedure_labels(self) -> pa.Array:
        return _labels(self._book.procedures)

    def check(
        self, batch: pa.RecordBatch, prepared: PreparedBatch, grouping: Grouping, means: GroupMeans | None
    ) -> Iterator[RuleHits]:
        """Every broken rule of a batch; rules whose columns the file lacks say nothing."""
        yield from self._codes(prepared, batch)
        yield from self._fit(prepared, grouping)
        yield from self.coding.check(batch, prepared, grouping)
        dates = {name: read_days(one_chunk(batch, name)) for name in ("birth_date", "admitted", "discharged")}
        yield from self._dates(prepared, dates)
        yield from self._duplicates(batch, dates)
        total = read_fen(one_chunk(batch, "total_cost"))
        yield from self._money(batch, total)
        yield from self._against_group(prepared, dates, total, grouping, means)

    # -- codes --------------------
    def _codes(self, prepared: PreparedBatch, batch: pa.RecordBatch) -> Iterator[RuleHits]:
        limits = (self.limit["newborn_days"], self.limit["childbearing_from"], self.limit["childbearing_to"])
        found = look_at_codes(prepared, self.facts, limits)
        self._others = found.others
        for code, named in zip(CODE_RULES, found.codes, strict=True):
            labels = self._procedure_labels if code in PROCEDURE_RULES else self._diagnosis_labels
            yield RuleHits(code, np.flatnonzero(named != NO_CODE), _taker(labels, named))
        # the dictionary has no asterisk code of its own, so that such a principal diagnosis is an unknown one
        unknown = np.flatnonzero(first_codes(*prepared.diagnoses) == UNKNOWN)
        if len(unknown):
            texts = to_text(one_chunk(batch, "diagnoses").take(pa.array(unknown)), "diagnoses")
            first = pc.struct_field(pc.extract_regex(pc.fill_null(texts, ""), _PRINCIPAL), "code").dictionary_encode()
            asterisk = np.array([is_asterisk(text or "") for text in first.dictionary.to_pylist()], np.bool_)
            yield RuleHits("asterisk_principal", unknown[asterisk[first.indices.to_numpy()]], None)

    def _fit(self, prepared: PreparedBatch, grouping: Grouping) -> Iterator[RuleHits]:
        """Surgical procedures of other MDCs only, for schemes that have no ambiguous groups to say so."""
        if self.fit is None:
            return
        procedure = first_codes(*prepared.procedures)
        named = self.fit.mdcs[procedure + 2]
        own = self.fit.mdc_bit[first_codes(*prepared.diagnoses) + 2]
        rows = np.flatnonzero((named != 0) & (own != 0) & (named & own == 0) & ~self.fit.surgical[grouping.drg])
        yield RuleHits("procedure_in_other_mdcs", rows, _taker(self._procedure_labels, procedure))

    # -- dates --------------------
    def _dates(self, prepared: PreparedBatch, dates: Mapping[str, Days]) -> Iterator[RuleHits]:
        born, admitted, discharged = (dates[name].values for name in ("birth_date", "admitted", "discharged"))
        broken = np.logical_or.reduce([day.broken for day in dates.values()])
        yield RuleHits("date_unreadable", np.flatnonzero(broken), None)
        age, age_days, stay = (prepared.numbers[:, place] for place in (_AGE, _AGE_DAYS, _STAY))
        with np.errstate(invalid="ignore"):
            yield RuleHits("born_after_admission", np.flatnonzero(born > admitted), None)
            yield RuleHits("discharged_before_admission", np.flatnonzero(discharged < admitted), None)
            between = discharged - admitted
            off = np.abs(stay - between) > self.limit["stay_tolerance_days"]
            within_a_day = (between == 0) & (stay == 1)
            yield RuleHits("stay_contradicts_dates", np.flatnonzero(off & (between >= 0) & ~within_a_day), None)
            # dates out of order are said already and would repeat themselves here
            in_order = (born <= admitted) & ~(discharged < admitted)
            years = whole_years(born, admitted)
            wrong = in_order & (np.abs(age - years) > self.limit["age_tolerance_years"])
            yield RuleHits("age_contradicts_birth_date", np.flatnonzero(wrong), None)
            wrong = in_order & (np.abs(age_days - (admitted - born)) > self.limit["age_days_tolerance"])
            yield RuleHits("age_days_contradict_birth_date", np.flatnonzero(wrong), None)

    def _duplicates(self, batch: pa.RecordBatch, dates: Mapping[str, Days]) -> Iterator[RuleHits]:
        if "patient_id" not in batch.schema.names:
            return
        admitted, discharged = dates["admitted"].values, dates["discharged"].values
        known = ~np.isnan(admitted) & ~np.isnan(discharged)
        days = [pa.array(np.where(known, day, 0).astype(np.int64)).cast(pa.string()) for day in (admitted, discharged)]
        patient, hospital = (read_words(batch, name) for name in ("patient_id", "hospital_id"))
        stays = pc.binary_join_element_wise(patient, hospital, *days, "\x1f")
        known &= np.asarray(pc.not_equal(patient, ""))
        noted = self.stays.note(pc.if_else(pa.array(known), stays, pa.scalar(None, pa.string())))
        yield RuleHits("discharge_duplicate", np.flatnonzero(noted & _ID_BIT), None)

    # -- money --------------------
    def _money(self, batch: pa.RecordBatch, total: Fen) -> Iterator[RuleHits]:
        patient, fund = (read_fen(one_chunk(batch, name)) for name in ("patient_paid", "fund_paid"))
        parts = [read_fen(one_chunk(batch, name)) for name in batch.schema.names if name.lower().startswith(PART)]
        slack = int(self.limit["cost_tolerance_fen"])
        amounts = [total, patient, fund, *parts]
        yield RuleHits(
            "cost_unreadable", np.flatnonzero(np.logical_or.reduce([fen.broken & ~fen.beyond for fen in amounts])), None
        )
        yield RuleHits("cost_implausible", np.flatnonzero(np.logical_or.reduce([fen.beyond for fen in amounts])), None)
        if "total_cost" in batch.schema.names:
            yield RuleHits("cost_missing", np.flatnonzero(~total.there & ~total.broken), None)
        yield RuleHits("cost_zero", np.flatnonzero(total.there & (total.values == 0)), None)
        below = np.logical_or.reduce([fen.values < 0 for fen in (total, *parts)])
        yield RuleHits("cost_negative", np.flatnonzero(below), None)
        yield RuleHits("payment_negative", np.flatnonzero((patient.values < 0) | (fund.values < 0)), None)
        if parts:
            together = np.sum([fen.values for fen in parts], axis=0)
            some = np.logical_or.reduce([fen.there for fen in parts])
            off = total.there & some & (np.abs(together - total.values) > slack)
            yield RuleHits("cost_parts_do_not_sum", np.flatnonzero(off), _yuan_taker("分项合计", together))
        paid = patient.values + fund.values
        off = total.there & patient.there & fund.there & (np.abs(paid - total.values) > slack)
        yield RuleHits("payments_do_not_sum", np.flatnonzero(off), _yuan_taker("支付合计", paid))

    def _against_group(
        self, prepared: PreparedBatch, dates: Mapping[str, Days], total: Fen, grouping: Grouping, means: GroupMeans | None
    ) -> Iterator[RuleHits]:
        stay = prepared.numbers[:, _STAY]
        between = dates["discharged"].values - dates["admitted"].values
        mean = means.fen[grouping.drg] if means else np.full(len(stay), np.nan)
        with np.errstate(invalid="ignore"):
            far = total.values > self.limit["cost_far_multiple"] * mean
            high = total.values > self.limit["lone_diagnosis_cost_multiple"] * mean
            long = np.where(np.isnan(stay), between, stay) > self.limit["lone_diagnosis_stay_days"]
        text = _yuan_taker("本组均值", np.nan_to_num(mean).astype(np.int64))
        yield RuleHits("cost_far_above_group", np.flatnonzero(far), text)
        alone = (self._others == 0) & (first_codes(*prepared.diagnoses) != EMPTY)
        yield RuleHits("other_diagnoses_missing", np.flatnonzero(alone & (long | high)), text if means else None)


def _labels(codes: CodeList) -> pa.Array:
    return pa.array([f"{code} {name}".rstrip() for code, name in zip(codes.codes, codes.names, strict=True)], pa.string())


def _taker(labels: pa.Array, ids: NDArray[np.int32]) -> Texts:
    return lambda rows: labels.take(pa.array(ids[rows]))


def _yuan_taker(title: str, fen: NDArray[np.int64]) -> Texts:
    def texts(rows: NDArray[np.int64]) -> pa.Array:
        chosen = fen[rows]
        whole, rest = (pa.array(part).cast(pa.string()) for part in np.divmod(np.abs(chosen), 100))
        sign = pc.if_else(pa.array(chosen < 0), f"{title} -", f"{title} ")
        yuan = pc.binary_join_element_wise(whole, pc.utf8_lpad(rest, 2, "0"), ".")
        # no mean (0 fen) is nothing to show
        return pc.if_else(pa.array(chosen != 0), pc.binary_join_element_wise(sign, yuan, ""), "")

    return texts

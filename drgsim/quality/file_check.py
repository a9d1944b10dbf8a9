"""Check case-mix files: exact counts of every broken rule, samples, and every finding to whoever takes them.

The files are read twice: first to group the records, because some rules compare a record with its group, then to check
them. Between the two, five bytes per record are kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgsim.engines.dated_grouper import DatedGrouper
from drgsim.money import add_at
from drgsim.quality.batch_checks import PART, Checker, GroupMeans
from drgsim.quality.coding_checks import UNUSABLE, Grouping, RuleHits
from drgsim.quality.quality_report import MOST_SAMPLES, QualityReport, RuleCount, Sample
from drgsim.quality.quality_rules import SEVERITIES, SEVERITY_TITLES, QualityRule, Threshold, chosen_rules, thresholds
from drgsim.records.arrow import ids_of, one_chunk, to_text
from drgsim.records.case_file import CaseFile
from drgsim.records.case_table import open_all
from drgsim.records.cells import read_fen, read_words
from drgsim.records.code_dictionaries import CodeList
from drgsim.records.code_mending import read_codes
from drgsim.records.duplicates import SeenIds
from drgsim.records.findings import BITS, FINDINGS, REASON
from drgsim.records.input_options import InputOptions
from drgsim.records.schema import BROKEN_LINE, columns
from drgsim.units.drg.drg_grouper import INPUT_COLUMNS, DrgGrouper
from drgsim.units.schemes.pack import load_scheme
from drgsim.units.schemes.schemes_in_force import AUTO

_BESIDE_GROUPING = (
    "hospital_id",
    "patient_id",
    "birth_date",
    "admitted",
    "discharged",
    "discharge_department",
    "total_cost",
    "patient_paid",
    "fund_paid",
    "ventilator_hours",
)
CHECKED_COLUMNS = tuple(dict.fromkeys((*INPUT_COLUMNS, *_BESIDE_GROUPING)))
HIT_COLUMNS = ("file", "discharge_id", "hospital_id", "department", "severity", "code", "title_zh", "value", "fix_zh")
_UNKNOWN_CODES = {"diagnoses": ("principal_unknown_code", "other_diagnosis_unknown"), "procedures": ("procedure_unknown",)}
_MOST_VALUE = 120  # characters of a value that is shown


class Sink(Protocol):
    """Takes the findings, in the order of the files, as batches of ``HIT_COLUMNS``."""

    def write(self, hits: pa.RecordBatch) -> None:
        """Take a batch."""


def check_files(
    inputs: Sequence[Any],
    scheme: str | Path = AUTO,
    *,
    chosen: Mapping[str, QualityRule] | None = None,
    limits: Mapping[str, Threshold] | None = None,
    progress: Callable[[float, int], None] | None = None,
    sink: Sink | None = None,
    options: InputOptions | None = None,
) -> QualityReport:
    """Check every record of the files; group means and duplicates count over all of them.

    Parameters
    ----------
    inputs
        CSV, Parquet, XLSX or JSON files, or tables.
    scheme
        Id or folder of the scheme that the records are to be grouped by; ``auto``: the national one on the date of discharge.
    chosen
        Rules to report, as :func:`drgsim.quality.quality_rules.chosen_rules` gives them; all by default.
    limits
        Thresholds; as they ship by default.
    progress
        Called after every batch with the share done and the number of records.
    sink
        Takes every finding.
    options
        Layout, own column names and edition of the codes.

    Raises
    ------
    InputError
        When a file cannot be read; all problems at once.
    UsageError
        For rules or severities that do not exist.
    """
    given = chosen_rules() if chosen is None else chosen
    run = _Run(inputs, scheme, given, limits or thresholds(), sink, options or InputOptions())
    run.group(progress)
    run.check(progress)
    return run.finish()


class _Side:
    """What checks the records of one scheme: its grouper, its checks, the mean cost of its groups."""

    def __init__(self, scheme: str | Path, grouper: DrgGrouper, limits: Mapping[str, Threshold], stays: SeenIds) -> None:
        loaded = load_scheme(scheme)
        self.id, self.grouper = loaded.id, grouper
        self.listed: dict[str, CodeList] = {"diagnoses": loaded.book.diagnoses, "procedures": loaded.book.procedures}
        if grouper.conversion:  # unknown are then the codes that the map of the edition does not list
            self.listed = {name: map_.codes for name, map_ in grouper.conversion.maps.items()}
        self.checker = Checker(loaded, grouper.compiled, limits)
        self.checker.stays = stays  # a stay may be there twice in any two batches
        self.least = max(1, limits["group_least_cases"].value)
        rows = grouper.group_count
        self._cases, self._fen = np.zeros(rows + 1, np.int64), np.zeros(rows + 1, np.int64)

    def group(self, batch: pa.RecordBatch) -> Grouping:
        """Group records, and take their cost into the means of their groups."""
        answers, _ = self.grouper.group_batch(batch)
        rows = self.grouper.group_count
        drg = np.asarray(answers.column("drg").indices).astype(np.int32)
        reason = np.asarray(answers.column("reason").indices.fill_null(-1)).astype(np.int8)
        if "total_cost" in batch.schema.names:
            cost = read_fen(one_chunk(batch, "total_cost"))
            counts = np.asarray(pc.equal(answers.column("status"), "grouped")) & (cost.values > 0)
            self._cases += np.bincount(drg[counts], minlength=rows + 1)
            add_at(self._fen, drg[counts], cost.values[counts])
        return Grouping(np.where(drg == rows, -1, drg).astype(np.int32), reason)

    @cached_property
    def means(self) -> GroupMeans | None:
        """Mean cost of the groups, once all records are grouped; None where no cost is known."""
        if not self._cases.any():
            return None
        enough = (self._cases >= self.least) & (np.arange(len(self._cases)) < self.grouper.group_count)
        return GroupMeans(np.where(enough, self._fen / np.maximum(self._cases, 1), np.nan))


class _Run:
    def __init__(
        self,
        inputs: Sequence[Any],
        scheme: str | Path,
        chosen: Mapping[str, QualityRule],
        limits: Mapping[str, Threshold],
        sink: Sink | None,
        options: InputOptions,
    ) -> None:
        self.sources = open_all(inputs, options)
        self.dated = DatedGrouper(options.code_version) if scheme == AUTO else None
        self.scheme, self.code_version, self.limits = scheme, options.code_version, limits
        self.stays = SeenIds()
        self.sides: dict[int, _Side] = {}
        first = self.side(self.dated.national.without_date if self.dated else 0)
        self.converted = first.grouper.new_report()
        self.chosen = chosen
        self.sink = sink
        self.seen = SeenIds()
        self.grouped: list[Grouping] = []
        self.known = {name for source in self.sources for name in source.canonical}
        self.report = QualityReport([source.path for source in self.sources], first.id)
        self.report.layouts = [source.reading.layout.name for source in self.sources]
        self.report.kept_columns = [source.kept.files for source in self.sources if source.kept]
        self.report.unchecked = [name for name in _BESIDE_GROUPING if name not in self.known]
        self.report.thresholds = list(limits.values())
        self.counts: dict[str, int] = dict.fromkeys(chosen, 0)
        self.samples: dict[str, list[Sample]] = {code: [] for code in chosen}
        self.unknown: dict[str, Counter[str]] = {name: Counter() for name in _UNKNOWN_CODES}

    def side(self, place: int) -> _Side:
        """What checks the records of the scheme at this place of the national ones, or of the one that was named."""
        if place not in self.sides:
            scheme = self.dated.national.schemes[place].scheme if self.dated else self.scheme
            grouper = self.dated.grouper(place) if self.dated else DrgGrouper(scheme, self.code_version)
            self.sides[place] = _Side(scheme, grouper, self.limits, self.stays)
        return self.sides[place]

    def parts(self, batch: pa.RecordBatch) -> Iterator[tuple[_Side, pa.RecordBatch, NDArray[np.int64] | slice]]:
        """The records of a batch by their scheme, and where they stand in it."""
        places = np.zeros(batch.num_rows, np.int8) if self.dated is None else self.dated.places(batch)[0]
        used = np.unique(places).tolist()
        for place in used:
            rows = np.flatnonzero(places == place) if len(used) > 1 else slice(None)
            yield self.side(place), batch if len(used) == 1 else batch.take(pa.array(rows)), rows

    # -- first reading --------------------
    def group(self, progress: Callable[[float, int], None] | None) -> None:
        """Group all records and take the mean cost of the groups."""
        read = 0
        by_scheme: Counter[str] = Counter()
        for source in self.sources:
            for batch in source.batches([*INPUT_COLUMNS, "total_cost"]):
                for side, part, _ in self.parts(batch):
                    self.grouped.append(side.group(part))
                    by_scheme[side.id] += part.num_rows
                if self.dated is not None:
                    self.report.without_date += self.dated.places(batch)[1]
                read += batch.num_rows
                if progress:
                    progress(sum(s.done for s in self.sources) / len(self.sources) / 2, read)
        used = [self.sides[place] for place in sorted(self.sides) if by_scheme[self.sides[place].id]]
        self.report.scheme = "|".join(side.id for side in used) or self.report.scheme
        self.report.by_scheme = dict(by_scheme) if self.dated else {}
        absent = [name for side in used or self.sides.values() for name in side.grouper.absent_columns(self.known)]
        self.report.absent = list(dict.fromkeys(absent))

    # -- second reading --------------------
    def check(self, progress: Callable[[float, int], None] | None) -> None:
        """Check all records."""
        groupings = iter(self.grouped)
        for place, source in enumerate(self.sources):
            parts = [n for n in source.names if f"={n}".lower().startswith(PART) and n not in source.canonical.values()]
            self.report.cost_columns = sorted({*self.report.cost_columns, *parts})
            for batch in source.batches(CHECKED_COLUMNS, keep=parts):
                noted = self.seen.note(ids_of(batch))
                for side, part, rows in self.parts(batch):
                    self.batch(source, part, side, next(groupings), noted[rows])
                if progress:
                    done = (place + source.done) / len(self.sources)
                    progress(0.5 + done / 2, self.report.records)

    def batch(self, source: CaseFile, batch: pa.RecordBatch, side: _Side, grouping: Grouping, noted: NDArray[np.int64]) -> None:
        ids = ids_of(batch)
        prepared = side.grouper.prepare(batch, self.converted)
        findings = prepared.findings | noted
        hits = [*side.checker.check(batch, prepared, grouping, side.means), *_noted(findings, grouping)]
        if BROKEN_LINE in batch.schema.names:  # such a record is its line only: nothing else is worth saying of it
            broken = batch.column(BROKEN_LINE).is_valid().to_numpy(zero_copy_only=False)
            findings[broken] = 0
            hits = [hit._replace(rows=hit.rows[~broken[hit.rows]]) for hit in hits]
            hits.append(RuleHits("line_broken", np.flatnonzero(broken), _line_numbers(batch)))
        for name, codes in side.listed.items():
            if any(code in self.chosen for code in _UNKNOWN_CODES[name]):
                _count_unknown(batch, findings, name, codes, self.unknown[name])
        self.report.records += batch.num_rows
        places = _Places(batch)
        worst = {severity: np.zeros(batch.num_rows, np.bool_) for severity in SEVERITIES}
        for code, rows, detail in hits:
            rule = self.chosen.get(code)
            if rule is None or not len(rows):
                continue
            self.counts[code] += len(rows)
            worst[rule.severity][rows] = True
            held = self.samples[code]
            if len(held) < MOST_SAMPLES:
                few = rows[: MOST_SAMPLES - len(held)]
                names = ids.take(pa.array(few)).to_pylist()
                values = _values(batch, rule, few, detail).to_pylist()
                held += [Sample(name or "", value, source.path.name) for name, value in zip(names, values, strict=True)]
            for place, number in places.count(rows):
                self.report.places[(*place, code)] += number
            if self.sink is not None:
                self.sink.write(_hit_batch(source.path.name, batch, ids, places, rule, rows, detail))
        for place, number in places.count(np.arange(batch.num_rows)):
            self.report.place_records[place] += number
        for severity, has in worst.items():
            self.report.by_severity[severity] += int(has.sum())

    def finish(self) -> QualityReport:
        """The report: most serious first, then most frequent."""
        order = {code: place for place, code in enumerate(self.chosen)}
        broken = [code for code, number in self.counts.items() if number]
        broken.sort(key=lambda code: (SEVERITIES.index(self.chosen[code].severity), -self.counts[code], order[code]))
        self.report.findings = [RuleCount(self.chosen[code], self.counts[code], tuple(self.samples[code])) for code in broken]
        self.report.unknown_codes = {name: codes for name, codes in self.unknown.items() if codes}
        self.report.noted = sum((source.noted for source in self.sources), Counter())
        self.report.conversion = self.converted.to_dict() if self.converted else None
        self.report.ids_complete = self.seen.complete and self.stays.complete
        return self.report


_REASONS = [(number, finding.code) for number, finding in enumerate(FINDINGS) if finding.kind == REASON]


def _noted(findings: NDArray[np.int64], grouping: Grouping) -> Iterator[RuleHits]:
    """What grouping noted, as findings of this report; of unusable codes the coding checks say more."""
    for code, bit in BITS.items():
        if FINDINGS[bit].kind != REASON and code not in UNUSABLE:
            rows = np.flatnonzero(findings >> np.int64(bit) & 1)
            if len(rows):
                yield RuleHits(code, rows, None)
    for number, code in _REASONS:
        rows = np.flatnonzero(grouping.reason == number)
        if len(rows):
            yield RuleHits(code, rows, None)


class _Places:
    """Hospital and department of the records of a batch."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self.hospital = read_words(batch, "hospital_id")
        left, entered = read_words(batch, "discharge_department"), read_words(batch, "admission_department")
        self.department = pc.if_else(pc.equal(left, ""), entered, left)
        joined = pc.binary_join_element_wise(self.hospital, self.department, "\x1f").dictionary_encode()
        self._names = [tuple(text.split("\x1f", 1)) for text in joined.dictionary.to_pylist()]
        self._places = np.asarray(joined.indices)

    def count(self, rows: NDArray[np.int64]) -> Iterator[tuple[tuple[str, ...], int]]:
        """Hospital and department with the number of these rows that are theirs."""
        numbers = np.bincount(self._places[rows], minlength=len(self._names))
        return ((self._names[place], int(numbers[place])) for place in np.flatnonzero(numbers))


def _values(batch: pa.RecordBatch, rule: QualityRule, rows: NDArray[np.int64], detail: Callable[..., Any] | None) -> pa.Array:
    """What to show of each row: the detail of the finding and the columns of the rule, titled where there are several."""
    taken = pa.array(rows)
    shown = [name for name in rule.shows if name in batch.schema.names]
    parts = [] if detail is None else [detail(rows)]
    for name in shown:
        text = to_text(one_chunk(batch, name).take(taken), name)
        text = pc.utf8_slice_codeunits(pc.fill_null(text, ""), 0, _MOST_VALUE)
        if len(shown) + len(parts) > 1:
            text = pc.binary_join_element_wise(pa.scalar(columns()[name].title_zh), text, " ")
        parts.append(text)
    if not parts:
        return pa.array([""] * len(rows), pa.string())
    joined = pc.binary_join_element_wise(*parts, " · ")
    return pc.utf8_trim(joined, characters=" ·")


def _line_numbers(batch: pa.RecordBatch) -> Callable[[NDArray[np.int64]], pa.Array]:
    def texts(rows: NDArray[np.int64]) -> pa.Array:
        numbers = batch.column(BROKEN_LINE).take(pa.array(rows)).cast(pa.string())
        return pc.fill_null(pc.binary_join_element_wise(pa.scalar("line"), numbers, " "), "")

    return texts


def _hit_batch(
    file: str,
    batch: pa.RecordBatch,
    ids: pa.Array,
    places: _Places,
    rule: QualityRule,
    rows: NDArray[np.int64],
    detail: Callable[..., Any] | None,
) -> pa.RecordBatch:
    taken = pa.array(rows)

    def same(text: str) -> pa.Array:
        return pa.array([text]).take(pa.array(np.zeros(len(rows), np.int64)))

    arrays = [
        same(file),
        pc.fill_null(ids.take(taken), ""),
        places.hospital.take(taken),
        places.department.take(taken),
        same(f"{SEVERITY_TITLES[rule.severity]} {rule.severity}"),
        same(rule.code),
        same(rule.title_zh),
        _values(batch, rule, rows, detail),
        same(rule.fix_zh),
    ]
    return pa.RecordBatch.from_arrays(arrays, list(HIT_COLUMNS))


def _count_unknown(
    batch: pa.RecordBatch, findings: NDArray[np.int64], name: str, codes: CodeList, counts: Counter[str]
) -> None:
    """Count the unknown codes of the records that have some; distinct texts are split once."""
    if name not in batch.schema.names:
        return
    mask = sum(1 << BITS[code] for code in _UNKNOWN_CODES[name])
    texts = batch.column(name).filter(pa.array((findings & mask) != 0))
    for entry in pc.value_counts(to_text(texts, name)).to_pylist():
        for code in read_codes(entry["values"] or "", codes):
            if code and codes.find(code) < 0:
                counts[codes.canonical(code)] += entry["counts"]

"""A batch of canonical columns to integers for the kernel, with everything doubtful noted per record.

A doubt about the data never changes what the scheme's rules say and never passes in silence: an unreadable number
counts as missing
and is noted; an impossible value makes the record invalid.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgsim.compiled_code import njit
from drgsim.records.ages import read_ages
from drgsim.records.arrow import distinct_texts, number_text, one_chunk, to_text
from drgsim.records.birth_weights import read_birth_weights
from drgsim.records.cell_numbers import parse_days, parse_number, read_numbers
from drgsim.records.cells import read_days
from drgsim.records.code_dictionaries import BLANK_FOLDED, EMPTY, UNKNOWN, fold, national_codes
from drgsim.records.code_mending import mend_lists
from drgsim.records.damaged_codes import mend_procedures, note_unreadable
from drgsim.records.encode import CodeTable, EncodedLists, encode_lists, records_with_unknown
from drgsim.records.findings import BITS, INVALID, mask_of

if TYPE_CHECKING:
    from drgsim.records.conversion import ConversionReport

SEX_WORDS = {"男": 1.0, "男性": 1.0, "M": 1.0, "MALE": 1.0, "女": 2.0, "女性": 2.0, "F": 2.0, "FEMALE": 2.0}
# column, finding when impossible, largest possible value
VALUE_LIMITS = (
    ("age", "age_impossible", 150.0),
    ("age_days", "age_days_impossible", 55_000.0),
    ("birth_weight_g", "weight_impossible", 20_000.0),
    ("los_days", "los_impossible", 36_500.0),
    ("icu_hours", "icu_hours_impossible", 876_000.0),
)
_AGE_COLUMNS = ("age", "age_days", "birth_date", "admitted")
# rule variable -> column and finding when a scheme asks for it and the record lacks it
_ASKED = {"ZYTS": ("los_days", "los_missing"), "ICUXS": ("icu_hours", "icu_hours_missing")}
_ASKED_TEXTS = {"LYFS": ("discharge_way", "discharge_way_missing"), "RYKS": ("admission_department", "department_missing")}
_NUMBER_ORDER = ("age", "sex", "age_days", "birth_weight_g", "los_days", "icu_hours")  # of rules.NUMBER_VARIABLES
NEWBORN_DAYS = 28
_INVALID_MASK = mask_of(INVALID)


class PreparedBatch(NamedTuple):
    """A batch as the kernel takes it, with the findings of each record as bits (see :data:`drgsim.records.findings.BITS`)."""

    diagnoses: EncodedLists
    procedures: EncodedLists
    numbers: NDArray[np.float64]
    texts: NDArray[np.int64]
    findings: NDArray[np.int64]

    @property
    def invalid(self) -> NDArray[np.bool_]:
        """Records to which no rule can be applied."""
        return np.asarray((self.findings & _INVALID_MASK) != 0)


def prepare_batch(
    batch: pa.RecordBatch | pa.Table,
    diagnoses: CodeTable,
    procedures: CodeTable,
    text_words: Mapping[str, Iterable[Iterable[str]]],
    asked: Iterable[str],
    conversion: ConversionReport | None = None,
) -> PreparedBatch:
    """Encode a batch and note what is doubtful.

    Parameters
    ----------
    batch
        Canonical columns; ``diagnoses`` must be there, any other may be absent and then counts as missing.
    diagnoses, procedures
        Code tables of the scheme.
    text_words
        Word lists that the scheme's rules compare LYFS and RYKS with.
    asked
        Rule variables that the scheme asks for.
    conversion
        Where the codes are of another edition: the report that this batch is counted in, with the maps.
    """
    rows = batch.num_rows
    findings = np.zeros(rows, np.int64)
    tables = {"diagnoses": diagnoses, "procedures": procedures}
    given = {name: one_chunk(batch, name) for name in tables}
    lists = [_encode(given[name], name, table, conversion, findings) for name, table in tables.items()]
    for column, encoded in zip(given.values(), lists, strict=True):
        note_unreadable(column, encoded, findings)
    _note_codes(lists[0], diagnoses.grey, _CODE_BITS[0], True, findings)
    _note_codes(lists[1], procedures.grey, _CODE_BITS[1], False, findings)

    wanted = set(asked)
    values = _read_values(batch, findings, "ZYTS" in wanted)
    for name, impossible, largest in VALUE_LIMITS:
        with np.errstate(invalid="ignore"):
            _note(findings, impossible, (values[name] < 0) | (values[name] > largest))
    values["sex"], broken = _read_sex(one_chunk(batch, "sex"))
    _note(findings, "sex_unreadable", broken)
    _note(findings, "sex_missing", np.isnan(values["sex"]) & ~broken)
    _note_ages(findings, values)

    for variable, (name, missing) in _ASKED.items():
        if variable in wanted:
            _note(findings, missing, np.isnan(values[name]))
    texts = np.zeros((rows, len(_ASKED_TEXTS)), np.int64)
    for place, (variable, (name, missing)) in enumerate(_ASKED_TEXTS.items()):
        if variable in wanted:
            texts[:, place], blank = _read_words(one_chunk(batch, name), [set(words) for words in text_words[variable]])
            _note(findings, missing, blank)
    numbers = np.column_stack([values[name] for name in _NUMBER_ORDER]) if rows else np.zeros((0, len(_NUMBER_ORDER)))
    return PreparedBatch(lists[0], lists[1], np.ascontiguousarray(numbers), texts, findings)


def _encode(
    column: pa.Array, name: str, table: CodeTable, conversion: ConversionReport | None, findings: NDArray[np.int64]
) -> EncodedLists:
    """Ids of a code list, converted first where the codes are of another edition."""
    if conversion is None:
        codes = getattr(national_codes(), name)
        encoded, paired = mend_lists(column, encode_lists(column, table), table, codes)
        if name == "procedures":
            encoded = mend_procedures(column, encoded, (table, codes), findings)
    else:
        map_ = conversion.conversion.maps[name]
        own, paired = map_.encode(column)
        if name == "procedures":
            own = mend_procedures(column, own, (map_.table, map_.codes), findings)
        encoded = map_.counterparts(own)
        conversion.count(name, column, own)
        findings[records_with_unknown(own)] |= np.int64(1) << np.int64(BITS["code_without_counterpart"])
    findings[paired] |= np.int64(1) << np.int64(BITS["pair_joined"])
    return encoded


def _note(findings: NDArray[np.int64], code: str, where: NDArray[np.bool_]) -> None:
    if where.any():
        findings[where] |= np.int64(1) << np.int64(BITS[code])


# -- codes --------------------
# of each list: blank principal place, unknown and grey principal code, unknown and grey other code
_CODE_BITS = np.array(
    [
        [
            BITS["principal_missing"],
            BITS["principal_unknown_code"],
            BITS["principal_grey_code"],
            BITS["other_diagnosis_unknown"],
            BITS["other_diagnosis_grey"],
        ],
        [
            BITS["principal_procedure_missing"],
            BITS["procedure_unknown"],
            BITS["principal_procedure_grey"],
            BITS["procedure_unknown"],
            BITS["other_procedure_grey"],
        ],
    ],
    np.int64,
)


@njit(cache=True, nogil=True)
def _note_codes(
    lists: EncodedLists, grey: NDArray[np.bool_], bits: NDArray[np.int64], needed: bool, findings: NDArray[np.int64]
) -> None:  # pragma: no cover - compiled
    """Note what is wrong with the codes of a list; ``needed``: an empty list lacks its principal code."""
    ids, offsets = lists.ids, lists.offsets
    for record in range(findings.size):
        noted = np.int64(0)
        start, stop = offsets[record], offsets[record + 1]
        if start == stop and needed:
            noted = np.int64(1) << bits[0]
        for at in range(start, stop):
            code, other = ids[at], 2 * (at > start)
            if code == EMPTY:
                noted |= np.int64(1) << bits[0]
            elif code == UNKNOWN:
                noted |= np.int64(1) << bits[1 + other]
            elif grey[code + 2]:
                noted |= np.int64(1) << bits[2 + other]
        findings[record] |= noted


# -- numbers --------------------
def _count_days(batch: pa.RecordBatch | pa.Table, stay: NDArray[np.float64], missing: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Days of the stay from its two dates where they are missing, as settling counts them: a stay of one day counts one."""
    rows = np.flatnonzero(missing)
    if not rows.size or not {"admitted", "discharged"} <= {*batch.schema.names}:
        return stay
    dates = {name: one_chunk(batch, name).take(pa.array(rows)) for name in ("admitted", "discharged")}
    between = read_days(dates["discharged"]).values - read_days(dates["admitted"]).values
    known = between >= 0  # never where one of them is not known
    counted = stay.copy()
    counted[rows[known]] = np.maximum(between[known], 1)
    return counted


def _read_values(batch: pa.RecordBatch | pa.Table, findings: NDArray[np.int64], stays: bool) -> dict[str, NDArray[np.float64]]:
    """Ages, birth weight, stay and hours as numbers, with what cannot be read or is doubtful noted.

    ``stays``: the scheme asks for days of stay, which are counted from the dates where they are not stated.
    """
    columns = {name: one_chunk(batch, name) for name in _AGE_COLUMNS if name in batch.schema.names}
    ages = read_ages(columns, batch.num_rows)
    weights = read_birth_weights(one_chunk(batch, "birth_weight_g"))
    stay, stay_broken = read_numbers(one_chunk(batch, "los_days"), parse_days)
    if stays:
        stay = _count_days(batch, stay, np.isnan(stay) & ~stay_broken)
    icu, icu_broken = read_numbers(one_chunk(batch, "icu_hours"))
    for code, where in (
        ("age_unreadable", ages.years_unreadable),
        ("age_days_unreadable", ages.days_unreadable),
        ("age_days_estimated", ages.estimated),
        ("age_dates_conflict", ages.contradicted),
        ("weight_unreadable", weights.broken),
        ("weight_too_low", weights.too_low),
        ("weight_from_kilograms", weights.converted),
        ("los_unreadable", stay_broken),
        ("icu_hours_unreadable", icu_broken),
    ):
        _note(findings, code, where)
    return {
        "age": ages.years, "age_days": ages.days, "birth_weight_g": weights.grams, "los_days": stay, "icu_hours": icu,
    }  # fmt: skip


def _read_sex(column: pa.Array) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """1 or 2, NaN where missing or anything else; and where it is anything else."""
    if not pa.types.is_integer(column.type) and column.null_count < len(column):
        words, places = distinct_texts(to_text(column))
        read = [SEX_WORDS.get(fold(word), parse_number(word)) for word in words]
        values = np.array([-1.0 if number is None else number for number in read] + [np.nan])
        value = values[places]
    else:
        value, _ = read_numbers(column)
    broken = ~np.isnan(value) & (value != 1) & (value != 2)
    return np.where(broken, np.nan, value), broken


def _note_ages(findings: NDArray[np.int64], values: dict[str, NDArray[np.float64]]) -> None:
    with np.errstate(invalid="ignore", over="ignore"):  # of an age that no number of days holds
        for name in ("age", "age_days"):
            whole = np.floor(values[name])
            _note(findings, "age_fraction", whole < values[name])
            values[name] = whole
        age, days = values["age"], values["age_days"]
        unreadable = (findings >> np.int64(BITS["age_unreadable"]) & 1) == 1
        _note(findings, "age_missing", np.isnan(age) & ~unreadable)
        _note(findings, "age_days_missing", (age == 0) & np.isnan(days))
        # a year has 365 or 366 days; two days of slack for counting the day of birth
        _note(findings, "age_conflict", (days > (age + 1) * 366.0 + 2) | (days < age * 365.0 - 2))
        newborn = (days <= NEWBORN_DAYS) & ~(age > 0)
        weight = values["birth_weight_g"]
        _note(findings, "newborn_weight_missing", newborn & (np.isnan(weight) | (weight == 0)))


# -- words --------------------
def _read_words(column: pa.Array, lists: list[set[str]]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """For each record one bit per word list that holds its text; and where the text is blank."""
    encoded = pc.fill_null(to_text(column), "").dictionary_encode()
    words = [plain_word(word) for word in encoded.dictionary.to_pylist()]
    wanted = [{plain_word(word) for word in words_} for words_ in lists]
    masks = np.array([sum(1 << bit for bit, known in enumerate(wanted) if word in known) for word in words], np.int64)
    blank = np.array([word in BLANK_FOLDED for word in words], np.bool_)
    places = encoded.indices.to_numpy(zero_copy_only=False)
    return masks[places], blank[places]


def plain_word(text: str) -> str:
    """Spelling of a word that rules compare: folded, and a whole number without a decimal point.

    Examples
    --------
    >>> plain_word(" 2.0"), plain_word("icu")
    ('2', 'ICU')
    """
    folded = fold(text)
    try:
        return number_text(float(folded)) if "." in folded else folded
    except ValueError:
        return folded

"""A policy as its files say it: the YAML as texts, the table as a dictionary. What the auditor cannot read, it names."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

from tests.audit.plain_numbers import day, number

ABOUT = {  # what a file says about itself, and about things beside the cases
    "id", "title", "title_zh", "region_zh", "year", "published", "effective_from", "effective_to", "verified", "sources",
    "notes", "scheme", "procurement", "capitation", "trimming", "year_weights", "clearing", "prepayment", "deposit", "budget",
    "floating", "other_copies", "include",
}  # fmt: skip
SAID = {"unit", "source", "evidence", "note", "effective_from", "title", "title_zh"}
VALUE, KEYED = {"value"}, {"values", "earlier"}
KNOWN: dict[str, Any] = {  # section -> what stands in it; a set are plain keys, a mapping goes on
    "method": {"rate", "points", "dip", "per_diem", "by_item"},
    "relative_value": {
        "unit": None, "scale": VALUE, "table": {"file"}, "standard_from_table": None, "coefficient_from_table": None
    },
    "unit_value": KEYED,
    "reference": {"mean_from_table": None, "mean_cost": KEYED, "from_cases": VALUE, "sets_price": VALUE},
    "coefficient": {"by_hospital": None, "by": KEYED, "default": VALUE, "table": {"file"}},
    "ambiguous": VALUE | {"cost_share"},
    "ungrouped": VALUE | {"cost_share"},
    "hospital_classes": {"values"},
    "stays": {"long_days": VALUE, "short_days": VALUE, "incomplete_curve": None, "incomplete_ways": VALUE},
    "readmission": {"within_days": VALUE, "factor": VALUE, "scope": VALUE, "except_groups": None},
    "unstable": {"group_class": None, "maximum_cv": VALUE, "minimum_cases": VALUE, "detect": VALUE},
    "per_diem": {"rate": KEYED, "rate_unit": None, "acute_days": VALUE},
    "single_disease": {"table": {"file"}},
    "members": {"hospitals", "levels", "count"},
    "group_selection": {"groups": None, "from_history": {"groups": VALUE, "maximum_cv": VALUE, "by": VALUE}},
    "unit_value_from_history": VALUE,
    "shadow": VALUE,
    "special_review": {"quota": VALUE, "pays": VALUE},
    "exempt": {"total_multiple": VALUE, "cost_share": VALUE, "valid_from": VALUE, "valid_to": VALUE},
    "extreme_cap": VALUE,
    "adjustment_fund": VALUE,
    "patient_share": {"mode": VALUE, "floor_at_zero": VALUE, "net": VALUE},
}  # fmt: skip
CLASS_KEYS = {
    "tags", "groups", "kinds", "operation_classes", "pays", "curve", "coefficient", "coefficient_of_level", "unit_value",
    "value_from_cases", "factor", "coefficient_by", "coefficient_cap", "value_factor", "cost_share", "starts", "same_price_as",
    "by_day",
}  # fmt: skip
PAYS = {"curve", "by_item", "per_diem", "daily"}
COURSE_KEYS = {"ways", "days_from", "days_upto", "ratio_over", "ratio_upto", "case_class", "pays"}
CURVE_KEYS, BAND_KEYS = {"with_coefficient", "bands", "pieces"}, {"K", "L", "E", "when"}
PIECE_KEYS, WHEN_KEYS = (
    {"case_class", "upto", "closed", "pays", "cap"},
    {"weight_upto", "coefficient_upto", "closed", "levels", "payers"},
)
COLUMNS = {"drg", "dip", "unit", "name", "weight", "points", "score", "class", "tag", "kind", "mean_cost", "standard"}
LEVEL_COLUMNS = ("coef_", "standard_", "mean_cost_")


def _fraction(text: Any) -> Fraction:
    found = number(text)
    assert found is not None
    return found


def _rows(file: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Columns and rows of a CSV table."""
    with file.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        return list(reader.fieldnames or []), list(reader)


def _read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    return found


class PolicyText:
    """A policy folder, with sections that it includes or that are named beside it (``examples/psychiatric``).

    Attributes
    ----------
    raw
        The YAML with every scalar as the text that stands there, so that no float comes between.
    table
        Group -> row of the CSV beside it; the group in upper case.
    coefficients
        (hospital, group) -> coefficient of the policy's own table; ``*`` stands for all.
    single_diseases
        Rows of the table of single diseases.
    """

    def __init__(self, folder: Path, tables: Path | None = None, include: Sequence[str] = ()) -> None:
        self.folder = folder
        self.raw = _read(folder / "policy.yaml")
        self.table: dict[str, dict[str, str]] = {}
        self.columns: list[str] = []
        self.single_diseases: list[dict[str, str]] = []
        self.coefficients: dict[tuple[str, str], Fraction] = {}
        self._at: dict[str, Any] = {}
        self._take(self.raw, folder)
        for name in (*self.raw.get("include", []), *include):
            assert tables is not None, "where the included sections lie"
            section = _read(tables / f"{name}.yaml")
            self._take(section, (tables / name).parent)
            for key, entry in section.items():
                if key not in ABOUT:
                    self.raw[key] = {**self.raw.get(key, {}), **entry}

    def _take(self, raw: Mapping[str, Any], folder: Path) -> None:
        """Tables that a file names, beside it."""
        if told := raw.get("relative_value", {}).get("table"):
            self.columns, rows = _rows(folder / told["file"])
            name = next(name for name in ("dip", "unit", "drg") if name in self.columns)
            self.table = {row[name].strip(): row for row in rows}
        if told := raw.get("coefficient", {}).get("table"):
            for row in _rows(folder / told["file"])[1]:
                key = (row["hospital_id"].strip() or "*", row["group"].strip() or "*")
                self.coefficients[key] = _fraction(row["coefficient"])
        if told := raw.get("single_disease", {}).get("table"):
            self.single_diseases = _rows(folder / told["file"])[1]

    def at(self, path: str, otherwise: Any = None) -> Any:
        """What stands at a dotted path."""
        if path not in self._at:
            self._at[path] = self._found(path)
        return otherwise if self._at[path] is None else self._at[path]

    def _found(self, path: str) -> Any:
        found: Any = self.raw
        for part in path.split("."):
            if not isinstance(found, Mapping) or part not in found:
                return None
            found = found[part]
        return found

    def value(self, path: str) -> Any:
        """The text of a parameter with one value."""
        return self.at(f"{path}.value")

    def fraction(self, path: str) -> Fraction | None:
        """The number of a parameter with one value."""
        return number(self.value(path))

    def must(self, path: str) -> Fraction:
        """The number of a parameter that the rule cannot do without."""
        found = self.fraction(path)
        assert found is not None, path
        return found

    def says(self, path: str) -> bool:
        """A flag, stated plainly or as a parameter."""
        told = self.at(path)
        return (told.get("value") if isinstance(told, Mapping) else told) == "true"

    def unknown(self) -> list[str]:
        """Paths of the file and columns of its table that this auditor has no rule for."""
        found = list(_below(self.raw, KNOWN, ABOUT | {"curves", "group_classes", "age_factors", "courses"}, ""))
        for entry in self.raw.get("group_classes", {}).values():
            found += [f"group_classes.pays={entry['pays']}"] if entry.get("pays", "curve") not in PAYS else []
            found += [f"group_classes.{key}" for key in set(entry) - CLASS_KEYS - SAID]
        for curve in self.raw.get("curves", {}).values():
            found += [f"curves.{key}" for key in set(curve) - CURVE_KEYS - SAID]
            found += [f"curves.bands.{key}" for band in curve.get("bands", []) for key in set(band) - BAND_KEYS - SAID]
            found += [f"curves.pieces.{key}" for piece in curve["pieces"] for key in set(piece) - PIECE_KEYS - SAID]
            whens = [band.get("when", {}) for band in curve.get("bands", [])]
            found += [f"curves.when.{key}" for when in whens for key in set(when) - WHEN_KEYS]
        found += [
            f"age_factors.{key}"
            for entry in self.raw.get("age_factors", [])
            for key in set(entry) - VALUE - SAID - {"age_below"}
        ]
        found += [f"courses.{key}" for entry in self.raw.get("courses", []) for key in set(entry) - COURSE_KEYS - SAID]
        for name in ("ambiguous", "ungrouped"):
            found += [f"{name} pays {self.value(name)}"] if self.value(name) not in (None, "by_item", "standard") else []
        found += [f"column {name}" for name in self.columns if name not in COLUMNS and not name.startswith(LEVEL_COLUMNS)]
        return sorted(set(found))


def _below(raw: Mapping[str, Any], known: Mapping[str, Any], more: set[str], path: str) -> Iterator[str]:
    for key, entry in raw.items():
        if key in more:
            continue
        rule = known.get(key, "none")
        if rule == "none":
            yield f"{path}{key}"
        elif isinstance(rule, set) and isinstance(entry, Mapping):
            yield from (f"{path}{key}.{inner}" for inner in set(entry) - rule - SAID)
        elif isinstance(rule, set) and entry not in rule:
            yield f"{path}{key}={entry}"
        elif isinstance(rule, Mapping):
            yield from _below(entry, rule, SAID, f"{path}{key}.")


def dated(told: Mapping[str, Any], discharged: date | None) -> Mapping[str, Any]:
    """The values in force at a discharge: the newest entry that is in force by then, else the oldest of those earlier."""
    entries = sorted([told, *told.get("earlier", [])], key=lambda entry: str(entry.get("effective_from", "")), reverse=True)
    if discharged is None or len(entries) == 1:
        return told
    for entry in entries:
        begins = day(entry.get("effective_from"))
        if begins is None or discharged >= begins:
            return entry
    return entries[-1]


def nearest(
    told: Mapping[str, Any] | None, levels: Sequence[str], payer: str | None, discharged: date | None = None
) -> Fraction | None:
    """The number of a keyed parameter: of level and payer, of the level, of the payer, of all; the grade before its level."""
    if told is None:
        return None
    values = dated(told, discharged)["values"]
    for level in levels:
        for key in (f"{level}/{payer}", level):
            if key in values:
                return _fraction(values[key])
    for key in (payer, "*"):
        if key in values:
            return _fraction(values[key])
    return None


LETTERS = {"甲": "a", "乙": "b", "丙": "c", "甲等": "a", "乙等": "b", "丙等": "c", "a": "a", "b": "b", "c": "c"}
DIGITS = {"0": "0", "1": "1", "2": "2", "3": "3", "一级": "1", "二级": "2", "三级": "3", "未定级": "0"}


def level_keys(level: str, grade: str) -> list[str]:
    """Keys of a hospital, the nearest first: its own class, the grade of its level (3a), its level.

    Only the words that stand in the tables here and in the sample; every spelling is a matter of reading, tested elsewhere.
    """
    keys: list[str] = []
    for word in (grade, level):
        usual = word.lower() in LETTERS or word in DIGITS or re.fullmatch(r"[0-3][abc]", word)
        if word and (not usual or re.fullmatch(r"[A-Z]{1,4}", word)):
            keys.append(word)
    match = re.fullmatch(r"([0-3])([abc]?)", level)
    digit, letter = (match.group(1), match.group(2)) if match else (DIGITS.get(level, ""), "")
    whole = re.fullmatch(r"([0-3])([abc])", grade)
    letter = LETTERS.get(grade.lower(), whole.group(2) if whole else letter)
    digit = digit or (whole.group(1) if whole else "")
    keys += [f"{digit}{letter}"] if digit and letter else []
    keys += [digit] if digit else []
    return keys  # an unknown word is a level that no key names

"""A form for discharges: a workbook with lists of what a cell may hold, and the same rows as CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from drgsim.language import Text, current_language, spoken, text
from drgsim.records.schema import columns
from drgsim.results.result_titles import column_title
from drgsim.results.table_files import write_table
from drgsim.results.whole_outputs import write_text
from drgsim.results.workbook import WorkbookSheet, open_workbook
from drgsim.results.workbook_about import About, Fact
from drgsim.templates.example_cases import COLUMNS, LABEL, example_cases

_YEAR, _HOSPITAL, _CASES = 2026, "H004", 12
_LAST = 100_000  # row down to which cells are checked while typing
_CHOICES = {
    "sex": ("1", "2"), "discharge_way": ("1", "2", "3", "4", "5", "9"),
    "insurance": ("职工", "居民", "自费"), "hospital_level": ("1", "2", "3"),
}  # fmt: skip
_IN_ENGLISH = {"职工": "employee", "居民": "resident", "自费": "self"}
_NUMBERS = {"age": (0, 130), "age_days": (0, 365), "birth_weight_g": (200, 9999), "los_days": (0, 36_500),
            "icu_hours": (0, 90_000), "ventilator_hours": (0, 90_000)}  # fmt: skip
_MONEY = ("total_cost", "patient_paid", "fund_paid")
FIELDS = (*COLUMNS[:2], "hospital_level", *COLUMNS[2:])


def _help() -> dict[str, Text]:
    """What a column holds."""
    return {
        "discharge_id": text("Id of the stay, different for every row; as text, so that zeros in front stay."),
        "hospital_id": text("Id of the hospital."),
        "hospital_level": text("Level of the hospital, 1 to 3, or with its grade (三甲); or use drgsim settle --level."),
        "patient_id": text("Id of the patient, the same in every stay: readmissions are found by it."),
        "sex": text("1 male, 2 female."),
        "birth_date": text("Day of birth, such as 1960-05-31; not needed where the age is stated."),
        "age": text("Age in years; of infants 0, with the age in days beside it."),
        "age_days": text("Age in days, of children below one year."),
        "birth_weight_g": text("Birth weight in grams, of newborns."),
        "admitted": text("Day of admission."),
        "discharged": text("Day of discharge."),
        "los_days": text("Days of stay; counted from the dates where it is blank."),
        "discharge_department": text("Department of discharge: figures by department go by it."),
        "discharge_way": text("1 by order, 2 to another hospital, 3 to primary care, 4 against advice, 5 died, 9 other."),
        "insurance": text("Employees, residents, or self-pay."),
        "diagnoses": text("Codes of ICD-10 (医保版 2.0), the principal one first, with | between them."),
        "procedures": text("Codes of ICD-9-CM-3 (医保版 2.0), the principal one first, with | between them; may be blank."),
        "icu_hours": text("Hours in intensive care."),
        "ventilator_hours": text("Hours on a ventilator; some groups ask for it."),
        "total_cost": text("Total cost of the stay in yuan."),
        "patient_paid": text("What the patient paid, in yuan."),
        "fund_paid": text("What the fund paid, in yuan."),
    }


def _title(name: str) -> Text:
    found = column_title(name)
    assert found is not None
    return found.said


def example_table() -> pa.Table:
    """The example rows under the canonical names of the form."""
    table = example_cases(_YEAR, {_HOSPITAL: _CASES})
    level = pa.array(["2"] * table.num_rows)
    return table.add_column(FIELDS.index("hospital_level"), "hospital_level", level)


def write_input(folder: Path) -> None:
    """Fill a folder with input.xlsx, input.csv and README.md; ``drgsim group`` takes both files as they are."""
    table = example_table()
    write_table(folder / "input.csv", table)
    about = About(
        text("Discharges to fill in"), "new input",
        says=text("The rows are invented examples: replace them by your own, and keep the header."),
        facts=[(text("Data"), LABEL), (text("Try"), "drgsim group input.xlsx --scheme chs-drg-2.0 --output groups.xlsx"),
               *_explained()],
    )  # fmt: skip
    with open_workbook(folder / "input.xlsx", about) as book:
        sheet = book.table_sheet("discharges", table.schema, looks=dict.fromkeys(_MONEY, "yuan"), frozen=1)
        for row in zip(*(_cells(name, table[name].to_pylist()) for name in FIELDS), strict=True):
            sheet.add(row)
        _check_cells(sheet)
        sheet.raw.activate()
    write_text(folder / "README.md", str(spoken(_readme())))


def _cells(name: str, values: list[Any]) -> list[Any]:
    """Cells as a person fills them in: ids, codes and words as texts, in the words of the language."""
    if name == "insurance":
        words = {english: chinese if current_language() == "zh" else english for chinese, english in _IN_ENGLISH.items()}
        return [words.get(value, value) for value in values]
    return [str(value) if name in ("sex", "discharge_way") and value is not None else value for value in values]


def _check_cells(sheet: WorkbookSheet) -> None:
    """Lists and limits of what a cell may hold, and what it is, told where the cell is chosen."""
    says = _help()
    for place, name in enumerate(FIELDS):
        rule: dict[str, Any] = {"validate": "any"}
        if name in _CHOICES:
            words = [_IN_ENGLISH.get(word, word) if current_language() == "en" else word for word in _CHOICES[name]]
            rule = {"validate": "list", "source": words, "error_type": "warning"}
        elif name in _NUMBERS or name in _MONEY:
            low, high = _NUMBERS.get(name, (0, 100_000_000))
            rule = {"validate": "decimal", "criteria": "between", "minimum": low, "maximum": high}
        title, line = str(spoken(_title(name)))[:32], str(spoken(says[name]))[:255]
        told = {"input_title": title, "input_message": line, "error_title": title, "error_message": line, "ignore_blank": True}
        sheet.raw.data_validation(1, place, _LAST, place, {**rule, **told})


def _explained() -> list[Fact]:
    """What each column holds, for the first sheet."""
    needed = [name for name in FIELDS if name in columns() and columns()[name].required]
    return [
        (_title(name), text("Needed. {what}", what=what) if name in needed else what)
        for name, what in ((name, _help()[name]) for name in FIELDS)
    ]


def _readme() -> Text:
    return text(
        """# Discharges to fill in

input.xlsx has lists of what a cell may hold, and says what each column is when a cell is chosen; input.csv holds the same
rows. The rows are invented examples. Replace them by your own and keep the header; columns that you do not have may go.

    drgsim validate input.xlsx
    drgsim group input.xlsx --scheme chs-drg-2.0 --output groups.xlsx
    drgsim settle input.xlsx --policy beijing/2024 --output settled

An export of your own system needs no form: `drgsim group EXPORT` reads most of them, and `drgsim map EXPORT` says what its
columns are. docs/input.md has every column and the names that are understood.
"""
    )

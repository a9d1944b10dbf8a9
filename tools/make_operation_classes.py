"""Make ``groupers/icd/operation_classes.csv``: is a procedure surgery, a therapeutic or a diagnostic operation?

DIP gathers rare combinations by the property of the principal procedure and leaves it to each region to say which property
a procedure has; no national table of it was found in the open. This stands in, *derived* from two facts and two guesses:

* the categories that ICD-9-CM-3 itself titles diagnostic procedures (biopsy, endoscopy, imaging, tests) are diagnostic;
* what CHS-DRG 2.0 names in a surgical group is surgery (chapters 00 to 86 only, the interventions among them);
* imaging, measurements and laboratory (chapters 87 to 91) are simple operations, which leave a case conservative (guess);
* everything else is therapeutic (guess).

    python tools/make_operation_classes.py
"""

from __future__ import annotations

from pathlib import Path

from drgsim.records.code_dictionaries import national_codes
from drgsim.results.table_files import csv_text
from drgsim.units.dip.code_patterns import matching_codes
from drgsim.units.schemes.pack import load_scheme
from drgsim.units.schemes.rule_language import CodeIn, CountCodes, walk

TARGET = Path(__file__).resolve().parents[1] / "groupers" / "icd" / "operation_classes.csv"
# categories that ICD-9-CM-3 titles diagnostic procedures, examinations or imaging
DIAGNOSTIC = (
    "00.2 01.1 03.3 04.1 05.1 06.1 07.1 08.1 09.1 10.2 11.2 12.2 14.1 15.0 16.2 18.1 20.3 21.2 22.1 24.1 25.0 26.1 "
    "27.2 28.1 29.1 31.4 33.2 34.2 37.2 38.2 40.1 41.3 42.2 44.1 45.1 45.2 48.2 49.2 50.1 51.1 52.1 54.2 55.2 56.3 "
    "57.3 58.2 59.2 60.1 61.1 62.1 63.0 64.1 65.1 66.1 67.1 68.1 69.09 70.2 71.1 75.1 75.31 75.32 75.33 75.34 75.35 "
    "75.36 76.1 77.4 78.8 80.2 80.3 81.98 83.2 85.1 86.1 92.0 92.1 93.0 94.0 94.1 95.0 95.1 95.2 "
    "95.4 "
)
SIMPLE = ("87", "88", "89", "90", "91")  # imaging, measurements and laboratory: a stay with nothing else is conservative
THERAPEUTIC = ("17.9", "39.95", "38.9")  # Chinese medicine, dialysis, punctures of vessels: named by surgical groups too
LAST_SURGICAL_CHAPTER = "86"


def classes() -> dict[str, str]:
    """Class of every procedure of the national dictionary."""
    book = national_codes().procedures
    scheme = load_scheme("chs-drg-2.0")
    surgical = {
        code
        for adrg in scheme.adrgs.values()
        if adrg.kind == "surgical"
        for test in walk(adrg.rule)
        if isinstance(test, CodeIn | CountCodes) and test.variables[0] in ("ZYSS", "QTSS")
        for name in test.sets
        for code in scheme.sets[name]
    }
    # a code that may not be principal is in no list: it follows the codes below it
    below = {code[:5] for code in surgical}
    found = {}
    for code in book.codes:
        is_surgical = code in surgical or (code in book.grey and code[:5] in below)
        found[code] = "surgery" if is_surgical and code[:2] <= LAST_SURGICAL_CHAPTER else "therapeutic"
    for patterns, name in ((DIAGNOSTIC.split(), "diagnostic"), (THERAPEUTIC, "therapeutic"), (SIMPLE, "conservative")):
        for pattern in patterns:
            found.update(dict.fromkeys(matching_codes(pattern, book), name))
    return found


def compressed(found: dict[str, str]) -> list[tuple[str, str]]:
    """The fewest beginnings of codes that say the same when the longest that fits decides, by trial from short to long."""
    rows: dict[str, str] = {}

    def describe(codes: list[str], length: int, said: str) -> None:
        kinds = {found[code] for code in codes}
        if kinds == {said}:
            return
        if len(kinds) == 1:
            rows[codes[0][:length] if length else codes[0]] = kinds.pop()
            return
        groups: dict[str, list[str]] = {}
        step = next(step for step in (2, 4, 5, 7, 8, 9, 10, 11, 99) if step > length)
        for code in codes:
            groups.setdefault(code[:step], []).append(code)
        usual = max(sorted(kinds), key=lambda kind: sum(found[code] == kind for code in codes))
        if length and usual != said:
            rows[codes[0][:length]] = said = usual
        for below in groups.values():
            describe(below, step, said)

    describe(list(found), 0, "")
    # a code that is the beginning of others spoke for them too: these say for themselves
    for code in (code for code, said in read_back(rows).items() if said != found[code]):
        rows[code] = found[code]
    assert read_back(rows) == found
    return sorted(rows.items())


def read_back(rows: dict[str, str]) -> dict[str, str]:
    """What the rows say of every code: the longest that fits decides."""
    book = national_codes().procedures
    said = {}
    for pattern in sorted(rows, key=len):
        said.update(dict.fromkeys(matching_codes(pattern, book), rows[pattern]))
    return said


if __name__ == "__main__":
    TARGET.write_text(csv_text(("procedure", "class"), compressed(classes())), encoding="utf-8")

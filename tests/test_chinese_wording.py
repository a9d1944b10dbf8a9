"""What a Chinese reader is told: no sentence that means two things, none that accuses, none left in English unmarked."""

from collections import Counter
from types import SimpleNamespace

import pytest

from drgsim.cli.terminal import out, rows_table
from drgsim.language import from_both_languages, in_both_languages, in_original, spoken, text
from drgsim.payment.grouped_files import _doubts
from drgsim.records.findings import FINDINGS
from drgsim.results.result_titles import column_title


def test_no_two_findings_read_alike() -> None:
    for language in ("en", "zh"):
        titles = [spoken(finding.title, language) for finding in FINDINGS]
        assert sorted(titles) == sorted(set(titles))


def test_doubts_are_named_and_not_only_coded() -> None:
    (told,) = _doubts(SimpleNamespace(warnings=Counter({"principal_unknown_code": 1234, "sex_missing": 2})))
    assert told.startswith("doubts about the records: principal_unknown_code 1,234, sex_missing 2 (")
    assert "主要诊断编码未知 1,234 例" in spoken(told, "zh")
    assert "sex_missing" not in spoken(told, "zh")


def test_a_light_case_is_no_accusation() -> None:
    assert spoken(text("light for its severity"), "zh") == "费用与严重程度不符"
    title = column_title("severity_misfit_cases")
    assert title is not None
    assert "高编" not in spoken(title.said, "zh")


def test_words_of_a_source_stay_and_are_marked() -> None:
    assert spoken(in_original("Official: by its own history"), "zh") == "原文：Official: by its own history"
    assert spoken(in_original("按各院历史测算"), "zh") == "按各院历史测算"


def test_a_file_of_one_language_is_read_as_it_is() -> None:
    kept = in_both_languages("notes", [text("yuan per weight"), "一句话"])
    assert kept == {"notes": ["yuan per weight", "一句话"], "notes_zh": ["元/权重", "一句话"]}
    assert spoken(from_both_languages("notes", kept), "zh") == ("元/权重", "一句话")
    assert from_both_languages("notes", {"notes": ["by hand"]}) == ("by hand",)


@pytest.mark.parametrize(
    ("cell", "shown"), [("-0", "0"), ("-0.00", "0.00"), ("-0.0 %", "0.0 %"), ("-0.01", "-0.01"), ("-05", "-05")]
)
def test_no_table_shows_minus_zero(cell: str, shown: str) -> None:
    with out.capture() as shot:
        rows_table("", ["margin"], [[cell]])
    assert shot.get().strip().splitlines()[-1].strip() == shown

"""Words that the parts of a hospital's report have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from drgsim.accounts.coding_work import SAME, words_of
from drgsim.accounts.loss_reasons import TITLES, LossReason
from drgsim.language import Text, bilingual, joined, term, text
from drgsim.payment.case_class import CASE_CLASS_ZH, CaseClass
from drgsim.report.page_parts import WAN, NamedCode, TableColumn, shown_value, shown_wan

PAYERS: Mapping[str, Text] = {
    "employee": term("payer", "employees"), "resident": term("payer", "residents"), "self": term("payer", "self-paying"),
    "": term("payer", "not known"),
}  # fmt: skip
NOT_NAMED = text("not named")
_SMALL = 1000  # yuan below which an amount is written in yuan


def amount(yuan: Any, *, signed: bool = False) -> Text:
    """An amount with its unit, as a sentence has it: in whole yuan in English, in 万元 in Chinese, small ones to the fen."""
    value = float(yuan)
    if abs(value) < _SMALL:
        return text("{amount} yuan", amount=shown_value(value, "yuan", signed=signed))
    return bilingual(f"{shown_value(value, 'count', signed=signed)} yuan", f"{shown_wan(value, signed=signed)}万元")


def share(part: float, whole: float) -> str:
    """A share in per cent; a dash of nothing."""
    return shown_value(part / whole if whole else None, "share")


def class_title(name: str) -> Text:
    """The class of a case in words."""
    if not name:
        return NOT_NAMED
    return bilingual(name.replace("_", " "), CASE_CLASS_ZH[CaseClass(name)])


def reason_titles(codes: str) -> Text:
    """Reasons of a losing case in words."""
    return joined(text("; "), [TITLES[LossReason(code)] for code in codes.split("|") if code])


def reason_title(code: str) -> Text:
    """A reason of the table of reasons; its last line is all losing cases together."""
    return TITLES[LossReason(code)] if code in TITLES else text("all losing cases, each once")


def matter_of(row: Mapping[str, Any]) -> list[Text]:
    """What is the matter with a record: why it has no group, and what a coder would check."""
    checks = [each for each in zip(row["checks"].split("|"), row["details"].split("|"), strict=False) if each[0]]
    said = {code for code, _ in checks}
    first = [words_of(row["reason"])[0]] if row["reason"] and SAME.get(row["reason"]) not in said else []
    return first + [joined(": ", [words_of(code)[0], detail] if detail else [words_of(code)[0]]) for code, detail in checks]


def rows_of(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of figures with numbers as floats, and groups as a code with its name."""
    found = []
    for row in rows:
        made = {name: float(value) if hasattr(value, "as_tuple") else value for name, value in row.items()}
        if "group" in row:
            made["group"] = NamedCode(row["group"] or "–", row.get("name") or "")
        found.append(made)
    return found


def money_columns(*, indices: bool = True) -> list[TableColumn]:
    """Columns that sums by group, department or doctor have in common."""
    columns = [
        TableColumn(text("cases"), "cases", "count"),
        TableColumn(text("CMI"), "cmi", ".2f"),
        TableColumn(text("cost (10k yuan)"), "cost", "wan"),
        TableColumn(text("revenue (10k yuan)"), "revenue", "wan"),
        TableColumn(text("margin (10k yuan)"), "margin", "wan", signed=True),
        TableColumn(text("margin per case (yuan)"), "margin_per_case", ",.0f", signed=True),
        TableColumn(text("high"), "high_share", "share", minor=True),
        TableColumn(text("low"), "low_share", "share", minor=True),
        TableColumn(text("mean days"), "mean_days", ".1f", minor=True),
    ]
    if indices:
        columns += [
            TableColumn(text("cost index"), "cost_index", ".2f", minor=True),
            TableColumn(text("time index"), "time_index", ".2f", minor=True),
        ]
    return columns


def with_revenue(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of sums with what the hospital has of the cases: the payment, and what patients paid above it."""
    return [{**row, "revenue": row["payment"] - row["above_standard"]} for row in rows_of(rows)]


def wan(yuan: float) -> float:
    """Yuan as ten thousand yuan."""
    return yuan / WAN

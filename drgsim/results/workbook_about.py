"""What the first sheet of a workbook says: what this is, by which command and version, what it rests on, what was doubtful."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from drgsim.language import Text, text
from drgsim.results.whole_outputs import KIND
from drgsim.results.workbook_sheet import Cell
from drgsim.version import __version__

Fact = tuple[str, Any]
_SHOWN = 16  # hexadecimal digits of a digest, and files that are named
_COMMANDS = {"simulation": "simulate", "schemes-diff": "schemes diff", "schemes-prove": "schemes prove",
             "dip-build": "dip build", "dip-supervision": "dip supervise"}  # fmt: skip


@dataclass(frozen=True)
class About:
    """What a workbook is and rests on.

    Attributes
    ----------
    title
        Its heading.
    command
        The command that wrote it, without ``drgsim``.
    says
        One sentence on what it is for.
    facts
        Label and value, in order: policy, scheme, digests, dates, counts.
    notes
        What a reader has to doubt.
    kept
        Columns that keep their names, as those of an input do.
    """

    title: str
    command: str = ""
    says: str = ""
    facts: Sequence[Fact] = ()
    notes: Sequence[str] = ()
    kept: Collection[str] = ()


def _labels() -> dict[str, Text]:
    """Labels of what records state."""
    return {
        "policy": text("Policy"), "policy_digest": text("Digest of the policy"), "scheme": text("Scheme"),
        "scheme_digest": text("Digest of the scheme"), "catalogue": text("Catalogue"), "region": text("Region"),
        "years": text("Years"), "records": text("Records"), "cases": text("Cases"),
        "discharges": text("Discharges"), "paid": text("Cases that are paid"), "amount_yuan": text("Payment (yuan)"),
        "fund_payment_yuan": text("Paid by the fund (yuan)"), "above_standard_yuan": text("Above the standard (yuan)"),
        "cost_yuan": text("Cost (yuan)"), "weights": text("Weights"), "before": text("Old scheme"), "after": text("New scheme"),
        "first": text("First run"), "second": text("Second run"), "budget_source": text("Budget"), "keep": text("What is kept"),
        "include": text("Sections added"), "method": text("Method"), "title": text("Title"),
    }  # fmt: skip


def about_record(
    title: str, record: Mapping[str, Any], *, facts: Iterable[Fact] = (), notes: Iterable[str] = (), says: str = ""
) -> About:
    """What a record of a run says of a workbook.

    Parameters
    ----------
    title
        Heading of the workbook.
    record
        As :func:`drgsim.results.run_record.run_record` makes it.
    facts
        More of them, which stand first, such as the dates of the discharges.
    notes
        What was doubtful; by default the notes of the record, which are in English.

    Examples
    --------
    >>> about = about_record("Settlement", {"kind": "settle", "drgsim": "1.0", "policy": "beijing/2024", "assumptions": ["a"]})
    >>> about.command, [(str(label), str(value)) for label, value in about.facts[-1:]]
    ('settle', [('Assumptions', '1 value rests on no source')])
    """
    kind = str(record.get(KIND, ""))
    command = _COMMANDS.get(kind, kind)
    told = list(notes) or [note for note in record.get("notes") or () if isinstance(note, str)]
    return About(title, command, says, [*made_by(command), *facts, *_facts(record)], list(dict.fromkeys(told)))


def made_by(command: str) -> list[Fact]:
    """The command and the version that wrote a workbook."""
    return [(text("Command"), f"drgsim {command}".strip()), (text("Version"), f"drgsim {__version__}")]


def _facts(record: Mapping[str, Any]) -> list[Fact]:
    found: list[Fact] = []
    if isinstance(record.get("year"), int):
        found.append((text("Year"), str(record["year"])))
    for name, label in _labels().items():
        value = record.get(name)
        if isinstance(value, list | tuple) and all(isinstance(each, str | int) for each in value):
            value = ", ".join(map(str, value))
        elif isinstance(value, Mapping):
            value = ", ".join(map(str, value)) if name == "years" else None
        if name.endswith("_yuan") and value not in (None, ""):
            found.append((label, Cell(Decimal(str(value)), "left yuan")))
        elif isinstance(value, str | int | float) and value != "":
            found.append((label, value[:_SHOWN] if name.endswith("digest") and isinstance(value, str) else value))
    inputs = record.get("inputs")
    if isinstance(inputs, Mapping):
        files = [f"{name} (SHA-256 {str(digest)[:_SHOWN]}…)" for name, digest in inputs.items()]
        found += [(text("Files") if place == 0 else "", line) for place, line in enumerate(files[:_SHOWN])]
        if len(files) > _SHOWN:
            found.append(("", text("and {count} more", count=len(files) - _SHOWN)))
    assumptions = record.get("assumptions")
    if isinstance(assumptions, list | tuple):
        found.append((text("Assumptions"), _resting_on_nothing(len(assumptions))))
    return found


def _resting_on_nothing(number: int) -> Text:
    from drgsim.language import counted

    return counted(number, "{count} value rests on no source", "{count:,} values rest on no source")

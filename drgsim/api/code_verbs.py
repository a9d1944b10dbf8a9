"""Codes of diagnoses and procedures: what is known of one, and which a search finds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from drgsim.analysis.code_search import KINDS, CodeCard, FoundCode, code_facts, search_codes
from drgsim.api.argument_check import TEXTS, checked, whole
from drgsim.api.scheme_verbs import TEXT, as_table
from drgsim.errors import Problem, UsageError, did_you_mean
from drgsim.language import text
from drgsim.results.result import Result
from drgsim.results.run_record import run_record
from drgsim.units.schemes.pack import load_scheme
from drgsim.units.schemes.schemes_in_force import undated_scheme


class CodeAnswers(Result):
    """Codes: table ``codes``.

    Attributes
    ----------
    cards
        What a scheme and the dictionaries say about each code that was asked for.
    found
        Every code that a search found, the nearest first; the table holds those within the limit.
    """

    kind = "codes"
    title = text("Codes")

    def __init__(self, table: pa.Table, *, cards: Sequence[CodeCard] = (), found: Sequence[FoundCode] = ()) -> None:
        self.cards, self.found = tuple(cards), tuple(found)
        super().__init__({"codes": table}, record=run_record(self.kind, codes=table.num_rows, found=len(self.found)))


@checked()
def codes_show(code: str, *, scheme: str | Path | None = None) -> CodeAnswers:
    """Show a code: its name, what a scheme does with it, and its counterparts in other editions. 编码查询

    Parameters
    ----------
    code
        Code in any spelling; ``I21.0`` shows the codes below it. ICD-10 or ICD-9-CM-3, 医保版 2.0.
    scheme
        DRG scheme that says what the code does: id or folder; the national one where nothing is said (2.0).

    Returns
    -------
    CodeAnswers
        ``codes``: ``code``, ``name``, ``kind``, ``known``, ``grey``, ``level`` (MCC, CC or none), one row for each dictionary
        that has the spelling; ``cards`` with all that is known.

    Raises
    ------
    InputError
        ``code-unknown`` with the nearest known one.

    Examples
    --------
    >>> import drgsim
    >>> drgsim.codes_show("i10.x00").cards[0].code
    'I10.x00'
    """
    cards = code_facts(code, load_scheme(scheme or undated_scheme()))
    names = ("code", "name", "kind", "known", "grey", "level")
    rows = [{name: getattr(card, name) for name in names} for card in cards]
    flag = pa.bool_()
    return CodeAnswers(as_table(rows, code=TEXT, name=TEXT, kind=TEXT, known=flag, grey=flag, level=TEXT), cards=cards)


@checked(words=TEXTS, limit=whole(1))
def codes_search(words: str | Sequence[str], *, kind: str = "all", limit: int = 20) -> CodeAnswers:
    """Search codes by their Chinese names; the nearest first.

    Parameters
    ----------
    words
        Words that the name or code must hold, all of them.
    kind
        ``diagnosis``, ``procedure`` or ``all``.
    limit
        Most codes in the table, at least 1.

    Returns
    -------
    CodeAnswers
        ``codes``: ``code``, ``name``, ``kind``, ``grey``; ``found`` holds all that were found.

    Raises
    ------
    UsageError
        ``codes-unknown-kind``.

    Examples
    --------
    >>> import drgsim
    >>> drgsim.codes_search("急性心肌梗死", limit=1).to_arrow().num_rows
    1
    """
    if kind not in ("all", *KINDS):
        fix = did_you_mean(kind, ["all", *KINDS]) or text("it is diagnosis, procedure or all")
        raise UsageError(
            [Problem("codes-unknown-kind", text("there is no kind of code {kind!r}", kind=kind), where="--kind", fix=fix)]
        )
    found = search_codes([words] if isinstance(words, str) else words, kinds=KINDS if kind == "all" else (kind,))
    rows = [{name: getattr(one, name) for name in ("code", "name", "kind", "grey")} for one in found[:limit]]
    return CodeAnswers(as_table(rows, code=TEXT, name=TEXT, kind=TEXT, grey=pa.bool_()), found=found)

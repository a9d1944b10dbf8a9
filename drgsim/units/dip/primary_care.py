"""Primary-care kinds (基层病种): diagnoses and procedures that have one price in all hospitals, whatever kind they are in.

The list is finer than the kinds: J18.9 without a procedure is on it, and has the kind of the whole category J18. So a case is
marked, not a kind: it keeps the code and the score of its kind, and its type is ``primary``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from drgsim.language import text
from drgsim.records.code_dictionaries import CodeBook
from drgsim.units.dip.code_patterns import begins, covered_by, plain_code
from drgsim.units.schemes.pack_part import PackPart
from drgsim.units.schemes.pack_tables import Row

PRIMARY_CARE_COLUMNS = ("dx", "procedure", "dx_name", "procedure_name")


@dataclass(frozen=True)
class PrimaryCareLine:
    """A line of ``primary_care.csv``: principal diagnosis (any that begins so) and procedures, none for conservative cases."""

    dx: str
    procedures: tuple[str, ...]
    dx_name: str
    procedure_name: str

    def holds(self, diagnosis: str, lead: str, *, conservative: bool) -> bool:
        """Whether a case with this principal diagnosis and procedure is on the line.

        Examples
        --------
        >>> line = PrimaryCareLine("K35", ("47.0100",), "", "")
        >>> line.holds("K35.800", "47.0100", conservative=False), line.holds("K35.800", "", conservative=True)
        (True, False)
        """
        done = lead in self.procedures if self.procedures else conservative
        return done and begins(diagnosis, self.dx)


def read_primary_care(part: PackPart, rows: Sequence[Row], book: CodeBook) -> tuple[PrimaryCareLine, ...]:
    """The rows of ``primary_care.csv``; everything that is wrong with them goes to the problems of the part."""
    found = []
    for line, (dx, procedure, dx_name, procedure_name) in enumerate(rows, start=2):
        where = f"primary_care.csv:{line}"
        pattern = plain_code(dx)
        if not pattern or not covered_by(pattern, book.diagnoses):
            part.wrong("dip-unknown-code", text("no diagnosis begins with {dx!r}", dx=dx), where)
        procedures = tuple(plain_code(one) for one in procedure.split("|") if one.strip())
        for code in procedures:
            if book.procedures.find(code) < 0:
                part.wrong("dip-unknown-code", text("{code} is no procedure that the dictionaries know", code=code), where)
        spelled = tuple(book.procedures.canonical(code) for code in procedures)
        found.append(PrimaryCareLine(pattern, spelled, dx_name, procedure_name))
    return tuple(found)


def is_primary(lines: Iterable[PrimaryCareLine], diagnosis: str, lead: str, *, conservative: bool) -> bool:
    """Whether a case is on the list."""
    return any(line.holds(diagnosis, lead, conservative=conservative) for line in lines)

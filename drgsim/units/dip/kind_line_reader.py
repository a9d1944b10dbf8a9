"""Reading the lines of ``kinds.csv``: what is wrong in a line alone is told with its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from math import isfinite

from drgsim.errors import did_you_mean
from drgsim.language import joined, text
from drgsim.records.code_dictionaries import CodeBook
from drgsim.units.dip.code_patterns import (
    ANY_DX,
    CATEGORY_DX,
    FULL_DX,
    RANGE_DX,
    SUBCATEGORY_DX,
    plain_code,
    shape_of,
)
from drgsim.units.dip.dip_catalogue import KINDS, MEAN_COLUMNS, OPERATION_CLASSES, Kind, alternatives, stage_of
from drgsim.units.schemes.pack_part import PackPart
from drgsim.units.schemes.pack_tables import Row

# shapes of principal diagnosis that a stage may have
_SHAPES: Mapping[str, tuple[int, ...]] = {
    "core": (CATEGORY_DX, SUBCATEGORY_DX, FULL_DX),
    "comprehensive": (CATEGORY_DX,),
    "chapter": (RANGE_DX,),
    "blank": (ANY_DX,),
}
_SHAPE_NAMES = (
    text("empty"),
    text("a range (A00-A99)"),
    text("a category (I21)"),
    text("a subcategory (I21.0)"),
    text("a full code (I21.001)"),
)
_UNSCORED = ("excluded", "blank")


class KindLineReader(PackPart):
    """Reads lines of kinds; problems go to those of the pack."""

    def kind(self, row: Row, line: int, columns: Sequence[str], *, scored: bool) -> Kind:
        """A line of ``kinds.csv``, with what is wrong in it alone reported."""
        cells = dict(zip(columns, row, strict=True))
        where = f"kinds.csv:{line}"
        type_, code = cells["kind"], cells["code"].strip()
        if not code:
            self.wrong("dip-kind-without-code", text("line {line} names no code", line=line), where)
        if type_ not in KINDS:
            fix = did_you_mean(type_, tuple(KINDS)) or text("use one of {kinds}", kinds=", ".join(KINDS))
            self.wrong("dip-unknown-kind", text("{code}: kind is {type!r}", code=code, type=type_), where, fix=fix)
        dx = self.diagnosis(cells["dx"], type_, code, where)
        procedure = _plain(cells["procedure"])
        related = tuple(_plain(one) for one in cells["related"].split("+") if one.strip())
        if related and not procedure:
            what = text("{code} has related procedures and no principal one", code=code)
            self.wrong("dip-kind-procedure", what, where, fix=text("put the principal procedure into the column procedure"))
        operation_class = self.operation_class(cells["operation_class"], type_, code, where)
        if bool(cells["aux"]) != bool(cells["aux_level"]):
            self.wrong("dip-kind-level", text("{code}: aux and aux_level belong together", code=code), where)
        place = cells.get("procedure_place", "")
        if place not in ("", "any") or (place and not procedure):
            what = text("{code}: procedure_place is {place!r}", code=code, place=place)
            if not procedure:
                what = text("{code}: procedure_place is {place!r}, and it has no procedure", code=code, place=place)
            self.wrong("dip-kind-procedure", what, where, fix=text("use any for a procedure in any place, or leave it empty"))
        numbers = {name: self.number(cells[name], name, code, where) for name in ("score", "mean_cost", "cases", "cv")}
        if bool(cells["score"].strip()) != scored and type_ not in _UNSCORED:
            what = (
                text("{code} has no score", code=code)
                if scored
                else text("{code} has a score in a catalogue without", code=code)
            )
            self.wrong("dip-kind-score", what, where, fix=text("scored = false in scheme.toml says that no kind has one"))
        cases = numbers["cases"]
        if cases is not None and not cases.is_integer():
            self.wrong(
                "dip-kind-number", text("{code}: cases is {cases!r}, no whole number", code=code, cases=cells["cases"]), where
            )
        means = tuple(self.number(cells[name], name, code, where) for name in columns if name in MEAN_COLUMNS)
        return Kind(
            code, dx, procedure, related, operation_class, cells["aux"], cells["aux_level"], type_, numbers["score"],
            numbers["mean_cost"], None if cases is None else int(cases), numbers["cv"], cells["dx_name"],
            cells["procedure_name"], means, place == "any", cells.get("condition", "").strip(),
        )  # fmt: skip

    def diagnosis(self, cell: str, type_: str, code: str, where: str) -> str:
        """The principal diagnosis of a line; several must be of one shape, which the stage allows."""
        dx = _plain(cell)
        shapes = {shape_of(one) for one in alternatives(dx)} or {ANY_DX}
        allowed = _SHAPES.get(stage_of(type_))
        if allowed and not shapes <= set(allowed):
            wanted = joined(text(" or "), (_SHAPE_NAMES[shape] for shape in allowed))
            shown = joined(", ", (_SHAPE_NAMES[shape] for shape in sorted(shapes)))
            what = text(
                "{code}: the principal diagnosis {cell!r} of a {type} kind is {shown}",
                code=code,
                cell=cell,
                type=type_,
                shown=shown,
            )
            self.wrong("dip-kind-diagnosis", what, where, fix=text("give {wanted}", wanted=wanted))
        elif len(shapes) > 1:
            what = text("{code}: the principal diagnoses {cell!r} are of several shapes", code=code, cell=cell)
            self.wrong("dip-kind-diagnosis", what, where, fix=text("give a line of the same code for each shape"))
        return dx

    def operation_class(self, name: str, type_: str, code: str, where: str) -> str:
        """The property of comprehensive, chapter and blank kinds."""
        if name and name not in OPERATION_CLASSES:
            fix = text("use one of {known}", known=", ".join(OPERATION_CLASSES))
            self.wrong("dip-unknown-class", text("{code}: operation_class is {name!r}", code=code, name=name), where, fix=fix)
        if name and stage_of(type_) not in ("comprehensive", "chapter", "blank"):
            what = text("{code}: a {type} kind has no operation_class", code=code, type=type_)
            self.wrong("dip-kind-class", what, where, fix=text("leave it empty, or make the kind comprehensive"))
        if type_ == "comprehensive" and not name:
            self.wrong("dip-kind-class", text("{code}: a comprehensive kind needs an operation_class", code=code), where)
        return name

    def number(self, cell: str, name: str, code: str, where: str) -> float | None:
        """A number at or above 0, None where the cell is empty."""
        if not cell.strip():
            return None
        try:
            value = float(cell)
        except ValueError:
            value = float("nan")
        if not isfinite(value) or value < 0:
            self.wrong(
                "dip-kind-number",
                text("{code}: {name} is {cell!r}, no number at or above 0", code=code, name=name, cell=cell),
                where,
            )
            return None
        return value

    def check_alternatives(self, kind: Kind, where: str, *, placed: str) -> None:
        """Procedures of a line ask for the same alternatives or for others: then any order finds them."""
        cells = [*kind.related]
        if kind.anywhere or placed != "principal_place":  # in its place the principal procedure is told by the place
            cells.append(kind.procedure)
        groups = {frozenset(alternatives(cell)) for cell in cells}
        shared = [sorted(a & b) for a, b in combinations(groups, 2) if a & b]
        if shared:
            what = text(
                "{kind}: {shared} may count for two procedures that ask for different codes",
                kind=kind.code,
                shared=shared[0][0],
            )
            self.wrong("dip-kind-procedure", what, where, fix=text("give lines of the same code in which it counts for one"))


def _plain(cell: str) -> str:
    """Codes of a cell as the dictionaries write them."""
    return "|".join(plain_code(one) for one in cell.split("|") if one.strip())


def spelled_line(kind: Kind, book: CodeBook) -> Kind:
    """The same line with full codes as the dictionaries spell them."""

    def spelled(cell: str) -> str:
        return "|".join(map(book.procedures.canonical, alternatives(cell)))

    dx = "|".join(book.diagnoses.canonical(one) if shape_of(one) == FULL_DX else one for one in alternatives(kind.dx))
    procedure, related = spelled(kind.procedure), tuple(map(spelled, kind.related))
    if (dx, procedure, related) == (kind.dx, kind.procedure, kind.related):
        return kind
    return replace(kind, dx=dx, procedure=procedure, related=related)

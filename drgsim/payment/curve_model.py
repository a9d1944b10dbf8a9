"""What a policy file may say of a payment curve (支付曲线): its bands and pieces."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from drgsim.language import joined, text
from drgsim.parameters.evidence import Evidence, Evident, Strict
from drgsim.payment.case_class import CaseClass
from drgsim.payment.curve_expression import ExpressionError, names_used, parse
from drgsim.payment.level_keys import Level

ACTUAL = "actual"


class When(Strict):
    """The cases of a band; all conditions must hold. Weights are in units of 1 = the mean case."""

    weight_upto: float | None = None
    coefficient_upto: float | None = None
    closed: bool = True
    levels: tuple[Level, ...] = ()
    payers: tuple[Literal["employee", "resident", "self"], ...] = ()


class Band(Strict):
    """A multiple K for the cases that meet ``when``; the first band that fits counts.

    ``L`` is the ratio below which its cases are low, where it differs between bands; ``E`` the multiple beyond which the cost
    is paid, where that is not K.
    """

    K: float | None = None
    L: float | None = None
    E: float | None = None
    when: When = When()
    source: str | None = None
    evidence: Evidence | None = None
    note: str = ""
    unit: ClassVar[str] = "rule"

    def limit(self, upto: float | Literal["K", "L"] | None) -> float | None:
        """The cost ratio at which a piece ends in this band."""
        return self.K if upto == "K" else self.L if upto == "L" else upto

    @property
    def shown(self) -> str:
        """The band in words, such as ``K = 3 (level 3)``."""
        when = self.when
        parts = [text("level {levels}", levels="/".join(when.levels))] if when.levels else []
        parts += [text("payer {payers}", payers="/".join(when.payers))] if when.payers else []
        for limit, name in ((when.weight_upto, text("weight")), (when.coefficient_upto, text("coefficient"))):
            if limit is not None and when.closed:
                parts.append(text("{name} up to {limit:g}", name=name, limit=limit))
            elif limit is not None:
                parts.append(text("{name} below {limit:g}", name=name, limit=limit))
        named = [(name, value) for name, value in (("L", self.L), ("K", self.K), ("E", self.E)) if value is not None]
        multiple = ", ".join(f"{name} = {value:g}" for name, value in named) or text("other cases")
        return text("{multiple} ({parts})", multiple=multiple, parts=joined(text(", "), parts)) if parts else multiple


class Piece(Strict):
    """A stretch of the curve up to a cost ratio. ``closed``: a case exactly at ``upto`` still belongs to it.

    ``source`` and ``evidence`` stand here where they differ from those of the curve.
    """

    case_class: CaseClass
    upto: float | Literal["K", "L"] | None = None
    closed: bool = False
    pays: str
    cap: str | None = None
    source: str | None = None
    evidence: Evidence | None = None
    note: str = ""
    unit: ClassVar[str] = "rule"

    @property
    def shown(self) -> str:
        """The piece in words, such as ``high up to the end: k + r - K``."""
        return text(
            "{case_class} up to {upto}: {pays}", case_class=self.case_class, upto=self.upto or text("the end"), pays=self.pays
        )


class Curve(Evident):
    """A payment curve: relative value paid as a piecewise linear function of the cost ratio."""

    with_coefficient: bool = True
    bands: tuple[Band, ...] = (Band(),)
    pieces: tuple[Piece, ...] = Field(min_length=1)

    @property
    def shown(self) -> str:
        """The pieces and the bands with a multiple, in words."""
        bands = [band.shown for band in self.bands if band.K is not None or band.L is not None]
        return joined(text("; "), [*(piece.shown for piece in self.pieces), *bands])

    @model_validator(mode="after")
    def _pieces_hold(self) -> Curve:
        faults = [fault for band in self.bands for fault in self._faults(band)]
        if faults:
            raise ValueError("; ".join(dict.fromkeys(faults)))
        return self

    def _faults(self, band: Band) -> list[str]:
        faults: list[str] = []
        limits = [band.limit(piece.upto) for piece in self.pieces]
        if limits[-1] is not None:
            faults.append(text("the last piece must have no upto: some costs would belong to no piece"))
        if any(piece.upto is None for piece in self.pieces[:-1]):
            faults.append(text("only the last piece may lack upto"))
        for name in ("K", "L"):
            if any(piece.upto == name and band.limit(name) is None for piece in self.pieces):
                faults.append(text("a piece ends at {name}, but a band states no {name}", name=name))
        known = [limit for limit in limits if isinstance(limit, float | int)]
        if known != sorted(known) or any(limit <= 0 for limit in known):
            faults.append(text("the limits {known} do not rise from above 0", known=known))
        for piece in self.pieces:
            for written in (piece.pays, piece.cap):
                if written is None or written == ACTUAL:
                    continue
                lacks = [name for name in ("K", "E") if getattr(band, name) is None and name in names_used(written)]
                if lacks:
                    faults.extend(
                        text("{written!r} uses {name}, but a band states no {name}", written=written, name=name)
                        for name in lacks
                    )
                    continue
                try:
                    terms = parse(written, multiple=band.K, with_coefficient=self.with_coefficient, excess=band.E)
                except ExpressionError as error:
                    faults.append(error.args[0])
                    continue
                if written is piece.cap and any(i or j < 0 for i, j in terms):
                    faults.append(text("the cap {written!r} may use k only", written=written))
        return faults

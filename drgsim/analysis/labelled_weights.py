"""Relative weights for an analysis: a payment table, a user's CSV, or an estimate from the input's cost, always labelled."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from drgsim.analysis.casemix import relative_weights
from drgsim.errors import InputError, Problem
from drgsim.language import joined, text
from drgsim.records.text_encoding import sniff_encoding
from drgsim.units.schemes.scheme import Scheme

ESTIMATED = "estimated"
ESTIMATED_LABEL = text("estimated from this input")
NO_WEIGHTS = "none"


@dataclass(frozen=True)
class LabelledWeights:
    """Relative weight (RW, 相对权重) by DRG, and where it comes from.

    Attributes
    ----------
    label
        For people: the payment table, the file, ``estimated from this input`` or ``none``.
    evidence
        ``table``, ``file``, ``assumption`` for an estimate, or empty.
    """

    label: str
    evidence: str
    by_drg: Mapping[str, float] = field(default_factory=dict)

    @property
    def estimated(self) -> bool:
        """Whether they are no more than what the input itself says."""
        return self.evidence not in ("table", "file")


def weights_of_both(
    schemes: Sequence[Scheme], choices: Sequence[str | None]
) -> tuple[LabelledWeights | None, LabelledWeights | None]:
    """Weights of two schemes that are compared; None where they have to be estimated.

    What a call leaves open is chosen so that both sides have one method: reference weights only where both schemes have the
    same, and estimated ones where the other side is to be estimated. ``choices`` are as in :func:`chosen_weights`.
    """
    first, second = schemes
    same = first.reference_weights == second.reference_weights
    if ESTIMATED in choices or (set(choices) == {None} and not same):
        choices = [choice or ESTIMATED for choice in choices]
    return chosen_weights(first, choices[0]), chosen_weights(second, choices[1])


def chosen_weights(scheme: Scheme, choice: str | None) -> LabelledWeights | None:
    """Weights of a scheme; None where they have to be estimated.

    Parameters
    ----------
    choice
        A CSV file with columns drg and weight, the name of a payment table, ``estimated``, or None for the reference weights
        of the scheme (estimated where it has none).
    """
    if choice == ESTIMATED or (choice is None and not scheme.reference_weights):
        return None
    if choice is None:
        return LabelledWeights(
            text("payment table {table}", table=scheme.reference_weights),
            "table",
            relative_weights(scheme.reference_weights),
        )
    if choice.lower().endswith(".csv"):
        return LabelledWeights(Path(choice).name, "file", read_weights(Path(choice), scheme))
    return LabelledWeights(text("payment table {table}", table=choice), "table", relative_weights(choice))


def read_weights(path: Path, scheme: Scheme) -> dict[str, float]:
    """Weights from a CSV with the columns drg and weight.

    Raises
    ------
    InputError
        With every line that cannot be used.
    """
    if not path.is_file():
        raise InputError.single(
            "weights-not-found", text("there is no file {path}", path=path), where=str(path), fix=text("check the path")
        )
    problems: list[Problem] = []
    weights: dict[str, float] = {}
    encoding = sniff_encoding(path.read_bytes()).replace("utf-8", "utf-8-sig")
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        reader = csv.DictReader(file)
        missing = [name for name in ("drg", "weight") if name not in (reader.fieldnames or ())]
        if missing:
            what = text("the file has no column {missing}", missing=joined(text(" and no column "), missing))
            raise InputError.single(
                "weights-missing-column",
                what,
                where=text("{path}, line 1", path=path),
                fix=text("name the columns drg and weight"),
            )
        for row in reader:
            where, drg, cell = (
                text("{path}, line {line}", path=path, line=reader.line_num),
                (row["drg"] or "").strip(),
                (row["weight"] or "").strip(),
            )
            if not cell:
                continue
            if drg not in scheme.drgs:
                fix = text("use the codes of {scheme}", scheme=scheme.id)
                problems.append(
                    Problem(
                        "weights-unknown-drg",
                        text("{scheme} has no group {drg!r}", scheme=scheme.id, drg=drg),
                        where=where,
                        fix=fix,
                    )
                )
            if drg in weights:
                problems.append(
                    Problem(
                        "weights-twice", text("{drg} has two weights", drg=drg), where=where, fix=text("remove one of the two")
                    )
                )
            try:
                weights[drg] = float(cell)
            except ValueError:
                weights[drg] = float("nan")
            if not 0 < weights[drg] < float("inf"):
                what = text("the weight of {drg} is {cell!r}, which is no number above 0", drg=drg, cell=cell)
                problems.append(Problem("weights-not-a-number", what, where=where, fix=text("correct or leave it empty")))
    if problems:
        raise InputError(problems)
    return weights

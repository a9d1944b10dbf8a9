"""The parameters of a policy: listed with their evidence, and changed by path."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import BaseModel

from drgsim.errors import Problem, did_you_mean
from drgsim.payment.policy_model import Band, Evidence, Piece, PolicyFile, Value


@dataclass(frozen=True)
class Parameter:
    """One parameter of a policy with its evidence, as ``drgsim policy show`` lists it.

    ``own_start`` and ``own_end`` are the days that the value itself states, None where those of the policy hold.
    """

    path: str
    value: Any
    unit: str
    effective_from: str
    source: str
    evidence: Evidence
    note: str
    own_start: date | None = None
    own_end: date | None = None


def evident_nodes(node: BaseModel, path: str = "") -> Iterator[tuple[str, Any]]:
    """Path and model of everything in a file that carries evidence, in the order of the file."""
    if getattr(node, "evidence", None) is not None:
        yield path, node
    for name, value in node.__dict__.items():
        place = f"{path}.{name}" if path else name
        entries = enumerate(value) if isinstance(value, tuple) else value.items() if isinstance(value, dict) else ()
        if isinstance(value, BaseModel):
            yield from evident_nodes(value, place)
        for key, child in entries:
            if isinstance(child, BaseModel):
                yield from evident_nodes(child, f"{place}.{key}")


def parameters_of(file: PolicyFile) -> Iterator[Parameter]:
    """Every value of a policy that carries evidence, in the order of the file."""
    return (_parameter(node, path, file) for path, node in evident_nodes(file))


def _parameter(node: Any, path: str, file: PolicyFile) -> Parameter:
    own = getattr(node, "effective_from", None)
    if isinstance(node, Value):
        value = node.value
    elif hasattr(node, "values"):
        value = node.values
    elif hasattr(node, "file"):
        value = node.file
    elif hasattr(node, "pieces"):
        value = "; ".join(
            [_piece_words(piece) for piece in node.pieces] + [band_words(band) for band in node.bands if band.K is not None]
        )
    elif isinstance(node, Band):
        value = band_words(node)
    else:
        value = _piece_words(node) if isinstance(node, Piece) else node.pays
    unit = "rule" if isinstance(node, Band | Piece) else getattr(node, "unit", "")
    start = own or file.effective_from
    source = node.source if node.source is not None else ""
    return Parameter(
        path, value, unit, str(start or "unknown"), source, node.evidence, node.note, own, getattr(node, "effective_to", None)
    )


def _piece_words(piece: Piece) -> str:
    return f"{piece.case_class} up to {piece.upto or 'the end'}: {piece.pays}"


def band_words(band: Band) -> str:
    """A band in words, such as ``K = 3 (level 3)``."""
    when = band.when
    parts = [f"level {'/'.join(when.levels)}"] if when.levels else []
    for limit, name in ((when.weight_upto, "weight"), (when.coefficient_upto, "coefficient")):
        if limit is not None:
            parts.append(f"{name} {'up to' if when.closed else 'below'} {limit:g}")
    multiple = f"K = {band.K:g}" if band.K is not None else "other cases"
    return f"{multiple} ({', '.join(parts)})" if parts else multiple


def apply_change(
    raw: dict[str, Any], path: str, change: float | str | bool, source: str, problems: list[Problem], kind: str = "this policy"
) -> None:
    """Change one value in the YAML; its evidence becomes an assumption with the scenario as source."""
    node: Any = raw
    parts = path.split(".")
    holder: dict[str, Any] | None = None
    for place, part in enumerate(parts):
        key: Any = int(part) if isinstance(node, list) and part.isdigit() else part
        if isinstance(node, dict) and "values" in node and key not in node:
            node = node["values"]
            keys = {str(known): known for known in node}
            key = keys.get(".".join(parts[place:]), key)
        try:
            old = node[key]
        except (KeyError, IndexError, TypeError):
            known = [str(name) for name in node] if isinstance(node, dict) else []
            fix = did_you_mean(str(key), known) or (f"the names here are {', '.join(known)}" if known else "")
            problems.append(Problem("policy-unknown-path", f"{path} is no parameter of {kind}", where=path, fix=fix))
            return
        if isinstance(old, dict) and "evidence" in old:
            holder = old
        if isinstance(old, dict | list):
            node = old
            continue
        node[key] = _new(old, change)
        break
    else:
        if not isinstance(node, dict) or "value" not in node:
            what = f"{path} holds several values; name one of them"
            problems.append(Problem("policy-unknown-path", what, where=path))
            return
        node["value"] = _new(node["value"], change)
    if holder is not None:
        holder["evidence"], holder["source"] = Evidence.ASSUMPTION.value, source


def _new(old: Any, change: float | str | bool) -> Any:
    if isinstance(change, str) and change[:1] in "*+-" and isinstance(old, int | float):
        amount = float(change[1:])
        return old * amount if change[0] == "*" else old + amount if change[0] == "+" else old - amount
    return change

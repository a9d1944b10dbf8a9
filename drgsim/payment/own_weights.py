"""Settle by relative values of one's own: put the weights of a file in the place of a policy's."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgsim.errors import InputError, Problem, UsageError
from drgsim.language import text
from drgsim.parameters.evidence import Evidence, Value
from drgsim.payment.policy import Policy
from drgsim.payment.policy_model import Table
from drgsim.payment.price_table import FAMILIES, KEYS, NUMBERS, RELATIVE_VALUES, PriceTable, classes_of
from drgsim.records.arrow import one_chunk
from drgsim.records.cell_numbers import read_numbers
from drgsim.records.cells import read_words
from drgsim.records.read import read_table
from drgsim.records.schema import header_key
from drgsim.records.vocabulary import group_words, policy_column, words

WEIGHTS_FILE = "weights.csv"
SOURCE = "--weights"
CATALOGUE_FILE = "kinds.csv"
CATALOGUE_KEY = "code"  # names the kind in the table of a DIP catalogue
WEIGHT_LIKE = 0.1  # a median this far below the mean case of the policy looks like a weight and not like points


def with_relative_values(policy: Policy, path: Path, scale: float | None = None) -> tuple[Policy, list[Problem]]:
    """The policy with the relative values of a file; coefficients, classes of groups and rules stay its own.

    Parameters
    ----------
    path
        The folder that ``drgsim weights`` or ``drgsim dip build`` wrote, or a table with a group (``drg``, ``dip``, ``unit``)
        and one of ``weight`` (1 = the mean case), ``points``, ``score`` or ``relative_value`` (in the policy's unit). Columns
        ``mean_cost``, ``cases`` and ``cv`` come along. Published standards of the policy no longer decide.
    scale
        Relative value = scale x the number of the file. Default: the policy's scale for ``weight``, such as 100 for points, and
        1 for the others.

    Returns
    -------
    tuple
        The policy, and doubts about the file.

    Raises
    ------
    InputError
        No group or value column, a group twice, a value that is no number above 0; all at once.
    UsageError
        The scale is not above 0.

    Examples
    --------
    >>> import tempfile
    >>> from drgsim.payment.policy import load_policy
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "weights.csv").write_text("drg,weight\\nBR23,0.729\\n")
    ...     own, _ = with_relative_values(load_policy("ningbo/2022"), Path(folder))
    >>> own.prices.relative_value
    ('relative_value', array([72.9]))
    """
    check_scale(scale)
    path = table_in(path)
    return with_values_of(policy, read_table(path), path, hashlib.sha256(path.read_bytes()).hexdigest(), scale)


def with_values_of(
    policy: Policy, table: pa.Table, path: Path, content: str, scale: float | None = None
) -> tuple[Policy, list[Problem]]:
    """As :func:`with_relative_values`, from a table that is read already.

    ``path`` is what mistakes are told of, ``content`` the SHA-256 of what was read, for the policy's digest.
    """
    key, value = _key_and_value(table, path)
    problems: list[Problem] = []
    numbers = _numbers(table, value, path, problems)
    codes = _codes(table, key, numbers[value], path, problems)
    if problems:
        raise InputError(problems)
    factor = scale if scale is not None else policy.file.relative_value.scale.value if value == "weight" else 1.0
    numbers["relative_value"] = np.round(numbers[value] * factor, 10)
    doubts = _doubts(policy, value, numbers["relative_value"], codes, path, scale)
    if policy.file.reference.mean_from_table and "mean_cost" in numbers:
        doubts.append(
            Problem("settle-weights-mean", text("costs are compared with mean_cost of {path}", path=path.name), where=str(path))
        )
    keep = first_lines(codes)
    texts = {name: column[keep] for name, column in _texts(table).items()}
    numbers = {name: column[keep] for name, column in numbers.items() if name not in RELATIVE_VALUES[1:]}
    prices = _merged(policy, [codes[place] for place in keep.tolist()], numbers, texts)
    return _with_prices(policy, prices, path, content, factor), doubts


def check_scale(scale: float | None) -> None:
    """Refuse a scale that is not above 0.

    Raises
    ------
    UsageError
        ``settle-bad-scale``.
    """
    if scale is not None and not 0 < scale < float("inf"):
        fix = text("100 turns weights into points")
        raise UsageError(
            [
                Problem(
                    "settle-bad-scale",
                    text("the scale {scale:g} is not above 0", scale=scale),
                    where="--weights-scale",
                    fix=fix,
                )
            ]
        )


def table_in(path: Path) -> Path:
    """The table of a folder that ``drgsim weights`` or ``drgsim dip build`` wrote; a file is itself."""
    if not path.is_dir():
        return path
    return next((path / name for name in (WEIGHTS_FILE, CATALOGUE_FILE) if (path / name).is_file()), path / WEIGHTS_FILE)


def has_given_values(policy: Policy) -> bool:
    """Whether the relative values of a policy are given ones."""
    table = policy.file.relative_value.table
    return table is not None and table.source == SOURCE


def scheme_in(path: Path | None) -> str | None:
    """The catalogue that a folder of ``drgsim dip build`` groups by; None for other folders and files."""
    return str(path) if path is not None and (path / "scheme.toml").is_file() else None


def _key_and_value(table: pa.Table, path: Path) -> tuple[str, str]:
    """The column of groups, and the canonical name of the column of values."""
    known = {header_key(name): name for name in table.column_names}
    keys = [known[header_key(name)] for name in (*KEYS, *group_words(), CATALOGUE_KEY) if header_key(name) in known]
    names = _value_columns()
    found = [name for name in names if any(header_key(alias) in known for alias in names[name])]
    problems = []
    if not keys:
        fix = text("name the column of groups {keys}", keys=", ".join(KEYS))
        problems.append(
            Problem("weights-no-group", text("{path} has no column of groups", path=path.name), where=str(path), fix=fix)
        )
    if not found:
        what, fix = (
            text("{path} has no column of values", path=path.name),
            text("name it one of {names}", names=", ".join(names)),
        )
        problems.append(Problem("weights-no-value", what, where=str(path), fix=fix))
    if problems:
        raise InputError(problems)
    return keys[0], found[0]


def _value_columns() -> dict[str, tuple[str, ...]]:
    aliases = words()["columns"]
    return {
        "relative_value": ("relative_value", *aliases["relative_value"]), "points": ("points",), "score": ("score",),
        "weight": ("weight", "relative_weight", *aliases["relative_weight"]),
    }  # fmt: skip


def _codes(table: pa.Table, key: str, values: NDArray[np.float64], path: Path, problems: list[Problem]) -> list[str]:
    """Codes of the groups; several lines of a catalogue may lead to one kind, which then has one value."""
    codes: list[str] = read_words(table.select([key]), key).to_pylist()
    seen: dict[str, int] = {}
    catalogue = header_key(key) == header_key(CATALOGUE_KEY)
    for line, code in enumerate(codes, start=2):
        if not code:
            problems.append(
                Problem(
                    "weights-no-group", text("a value without a group"), where=text("{file}, line {line}", file=path, line=line)
                )
            )
        elif code in seen and not (catalogue and np.array_equal(values[line - 2], values[seen[code] - 2], equal_nan=True)):
            what, fix = (
                text("{code} stands twice, on lines {seen} and {line}", code=code, seen=seen[code], line=line),
                text("remove one of the two"),
            )
            problems.append(Problem("weights-twice", what, where=text("{file}, line {line}", file=path, line=line), fix=fix))
        seen.setdefault(code, line)
    return codes


def _numbers(table: pa.Table, value: str, path: Path, problems: list[Problem]) -> dict[str, NDArray[np.float64]]:
    names = {header_key(alias): value for alias in _value_columns()[value]}
    names |= {header_key(name): name for name in NUMBERS if name not in RELATIVE_VALUES}
    found: dict[str, NDArray[np.float64]] = {}
    for header in table.column_names:
        name = names.get(header_key(header)) or (policy_column(header, FAMILIES) if header.startswith(FAMILIES) else None)
        if name is None or name in found:
            continue
        numbers, broken = read_numbers(one_chunk(table, header))
        with np.errstate(invalid="ignore"):
            wrong = broken | np.isinf(numbers) | (numbers <= 0 if name == value else numbers < 0)
        for line in np.flatnonzero(wrong).tolist():
            what = text("{header} is no finite number of 0 or more", header=header)
            if name == value:
                what = text("{header} is no finite number above 0", header=header)
            problems.append(
                Problem(
                    "weights-not-a-number",
                    what,
                    where=text("{file}, line {line}", file=path, line=line + 2),
                    fix=text("correct it or leave it empty"),
                )
            )
        found[name] = numbers
    return found


def first_lines(codes: list[str]) -> NDArray[np.int64]:
    """Places of the codes at which each stands for the first time.

    Examples
    --------
    >>> first_lines(["A", "B", "A"]).tolist()
    [0, 1]
    """
    return np.sort(np.unique(np.array(codes), return_index=True)[1])


def _texts(table: pa.Table) -> dict[str, NDArray[np.object_]]:
    """Marks of a DIP catalogue: kind and operation class; a kind without a procedure is conservative (内科诊疗)."""
    found = {
        name: np.array(read_words(table.select([name]), name).to_pylist(), object)
        for name in ("kind", "operation_class", "procedure")
        if name in table.column_names
    }
    procedure = found.pop("procedure", None)
    if procedure is not None:
        stated = found.get("operation_class", np.full(table.num_rows, "", object))
        found["operation_class"] = np.where((stated == "") & (procedure == ""), "conservative", stated)
    return found


def _doubts(
    policy: Policy, value: str, numbers: NDArray[np.float64], codes: list[str], path: Path, scale: float | None
) -> list[Problem]:
    doubts = []
    own = policy.file.relative_value.scale.value
    middle = float(np.nanmedian(numbers)) if not np.isnan(numbers).all() else 0.0
    if scale is None and value == "relative_value" and own > 1 and 0 < middle < WEIGHT_LIKE * own:
        what = text(
            "the median of {path} is {middle:g}, and the mean case of {policy} is worth {own:g}: are these weights?",
            path=path.name,
            middle=middle,
            policy=policy.id,
            own=own,
        )
        fix = text("name the column weight, or give --weights-scale {own:g}", own=own)
        doubts.append(Problem("settle-weights-unit", what, where=str(path), fix=fix))
    blank = int(np.isnan(numbers).sum())
    if blank:
        what = text(
            "{blank} of {count} groups of {path} have no value; their cases are not paid by weight",
            blank=blank,
            count=len(codes),
            path=path.name,
        )
        doubts.append(Problem("settle-weights-blank", what, where=str(path)))
    return doubts


def _merged(
    policy: Policy, codes: list[str], numbers: dict[str, NDArray[np.float64]], texts: dict[str, NDArray[np.object_]]
) -> PriceTable:
    """The groups of the file and those of the policy; of the policy's numbers only coefficients stay."""
    old = policy.prices
    blank = ("",) * len(codes)
    kinds, operations = (tuple(texts.get(name, blank)) for name in ("kind", "operation_class"))
    classes = classes_of(policy.file, codes, blank, blank, kinds, operations)
    if old is None:
        return PriceTable(tuple(codes), blank, classes, blank, numbers, kinds, operations)
    mine = set(codes)
    every = (*codes, *(code for code in old.codes if code not in mine))
    place = np.array([old.places.get(code, -1) for code in every], np.int64)

    def in_table(values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(values[at] if at >= 0 else "" for at in place.tolist())

    def of_either(own: tuple[str, ...], values: tuple[str, ...]) -> tuple[str, ...]:
        rest = in_table(values) if values else ("",) * len(every)
        return tuple(mine or other for mine, other in zip_longest(own, rest, fillvalue=""))

    arrays = {name: np.append(column, np.full(len(every) - len(codes), np.nan)) for name, column in numbers.items()}
    for name, column in old.numbers.items():
        if name.startswith("coef_") and name not in arrays:
            arrays[name] = np.append(column, np.nan)[place]
    new = (*classes, *("",) * (len(every) - len(codes)))
    resolved = tuple(mine or other for mine, other in zip(in_table(old.classes), new, strict=True))
    return PriceTable(
        every, in_table(old.names), resolved, in_table(old.tags), arrays, of_either(kinds, old.kinds),
        of_either(operations, old.operation_classes),
    )  # fmt: skip


def _with_prices(policy: Policy, prices: PriceTable, path: Path, content: str, factor: float) -> Policy:
    spec = policy.file.relative_value
    note = text(
        "relative values of {path}, x {factor:g}; published standards of the policy do not decide",
        path=path.name,
        factor=factor,
    )
    table = Table(file=path.name, unit=spec.unit, source=SOURCE, evidence=Evidence.ASSUMPTION, note=note)
    scale: Value[float] = spec.scale
    relative = spec.model_copy(update={"table": table, "standard_from_table": False, "scale": scale})
    sources = {**policy.file.sources, SOURCE: next(iter(policy.file.sources.values())).model_copy(
        update={"title": text("relative values given with the call: {path}", path=path.name), "read_in": "", "url": None}
    )}  # fmt: skip
    file = policy.file.model_copy(update={"relative_value": relative, "sources": sources})
    digest = hashlib.sha256(f"{policy.digest} {content} {factor!r}".encode()).hexdigest()
    return replace(policy, file=file, prices=prices, digest=digest)

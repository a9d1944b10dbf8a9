"""Tables of groups of regions: published tables in the columns that policies know."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.make_region_policies import Region

KNOWN = {"county3": "县三级", "city3": "市三级", "below2": "二级以下"}  # what the tables call a level
HOSPITALS = {"均费-濉溪县中医院": "A", "均费-烈山区古饶秦集医院": "B", "均费-相山平安医院": "C"}


def group_table(region: Region, facts: Path) -> tuple[str | None, set[str]]:
    """The table of a region as text and what else it gives: ``standard``, ``coefficient``; None where none is public."""
    name = region.spec.get("table")
    if name is None:
        return None, set()
    with (facts / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    columns = {column: _column(region, column) for column in rows[0]}
    kept = {column: new for column, new in columns.items() if new is not None}
    worth = {code: value for entry in _entries(region) for code, value in entry.get("groups_worth", {}).items()}
    fixed = {code: value for entry in _entries(region) for code, value in entry.get("standard_resident", {}).items()}
    header = [*kept.values(), *(["standard_resident"] if fixed else []), "class"]
    shares = "QY" in region.spec.get("shares", {})
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        if shares and row["drg"].endswith("QY"):
            continue
        cells = {new: row[column] if column in ("drg", "name") else _cell(row[column]) for column, new in kept.items()}
        _put_own(region, row, cells, worth)
        if fixed:
            cells["standard_resident"] = str(fixed.get(row["drg"], ""))
        cells["class"] = _class_of(region, row.get("tag") or "", row["drg"])
        writer.writerow([cells[name] for name in header])
    gives = {"standard"} if fixed or "standards" in region.spec else set()
    gives |= {"coefficient"} if any(name.startswith("coef") for name in kept.values()) else set()
    return out.getvalue(), gives


def _entries(region: Region) -> Iterable[Mapping[str, object]]:
    return region.spec.get("classes", {}).values()  # type: ignore[no-any-return]


def _column(region: Region, column: str) -> str | None:
    """Name of a column in a policy's table; None for those that it has no use for."""
    if column in ("drg", "name", "weight"):
        return column
    if region.spec.get("price") == "mean":
        if column in HOSPITALS:
            return f"mean_cost_{HOSPITALS[column]}"
        return column if column.startswith("mean_cost") else None
    family, _, rest = column.partition("_")
    if family == "coef" and re.fullmatch(r"[0-9][abc]?|county3|city3|below2", rest):
        return f"coef_{KNOWN.get(rest, rest)}"
    if family == "standard" and rest in region.spec.get("standards", {}):
        return f"standard_{region.spec['standards'][rest]}"
    return None


def _cell(text: str) -> str:
    """A number; what is none (a dash, a word) is blank."""
    return text if re.fullmatch(r"[0-9.]+", text) else ""


def _put_own(region: Region, row: Mapping[str, str], cells: dict[str, str], worth: Mapping[str, object]) -> None:
    """What a region says of some groups beside its table."""
    if row["drg"] in worth:
        cells["weight"] = str(worth[row["drg"]])
    if cells.get("weight") in ("0", "0.00"):  # no case is worth nothing: the list has no weight
        cells["weight"] = ""
    tag = row.get("tag") or ""
    only = region.spec.get("standards", {}).get("only")
    if only is not None and only not in tag:
        cells.update({name: "" for name in cells if name.startswith("standard_")})
    for entry in _entries(region):
        if "mean_of" in entry and str(entry["mark"]) in tag:
            _take_level(cells, str(entry["mean_of"]))


def _take_level(cells: dict[str, str], level: str) -> None:
    """The means of one level for all levels."""
    for payer in ("employee", "resident"):
        for other in ("1", "2", "3"):
            cells[f"mean_cost_{other}_{payer}"] = cells.get(f"mean_cost_{level}_{payer}", "")


def _class_of(region: Region, tag: str, code: str) -> str:
    """Class of a group by its marks: a mark that is one of the words of the tag, or begins with one."""
    words = re.split(r"[; ]+", tag)
    for name, entry in region.spec.get("classes", {}).items():
        if code in entry.get("groups", ()) or code in entry.get("groups_worth", {}):
            return str(name)
    for name, entry in region.spec.get("classes", {}).items():
        marks = [mark for mark in (entry["mark"], *entry.get("also", ())) if mark]
        if any(mark in words for mark in marks):
            return str(name)
    return ""

"""Read settlement lists from JSON: one file, JSON lines, or a folder of files.

Records are parsed one by one, so that memory holds one batch whatever the size of the file; only a file that is one
object around a list of records is read whole. A record becomes a flat row of the layout's fields, of which the same
recipes as for a flat CSV make the canonical columns.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import pyarrow as pa

from drgsim import limits
from drgsim.errors import InputError, UsageError
from drgsim.language import text
from drgsim.records.case_file import CaseFile, broken_file
from drgsim.records.code_dictionaries import BLANK
from drgsim.records.input_options import InputOptions
from drgsim.records.layout import Layout, layout_named, layouts, read_header
from drgsim.records.recipes import TCM_LEFT_OUT, is_marked, is_tcm, parse_hours
from drgsim.records.schema import BROKEN_LINE
from drgsim.records.text_encoding import sniff_encoding

BATCH_RECORDS = 1 << 13
SEVERAL_PRINCIPAL = "several_principal_diagnoses"
_CHUNK = 1 << 20
_SNIFFED = 1 << 16
_LINES = (".jsonl", ".ndjson")
_HEAD = 200  # records whose fields --keep-input keeps
_WRAPPERS = ("input", "data", "body", "output", "records", "list")
_TCM_TYPES = ("3", "4")


class JsonEntry(NamedTuple):
    """A value found in a JSON file: the line where it begins, and the parsed value; None when it cannot be parsed."""

    line: int
    value: Any


def json_files(folder: Path) -> list[Path]:
    """JSON files of a folder in the order of their names."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in (".json", ".jsonl", ".ndjson"))


class JsonSource(CaseFile):
    """Settlement lists as JSON; what cannot be parsed becomes an invalid record."""

    side_rows = False

    def __init__(self, path: Path, options: InputOptions, content: Path | None = None) -> None:
        self._files = json_files(path) if path.is_dir() else [content or path]
        self._size = sum(file.stat().st_size for file in self._files) or 1
        self._layout = _json_layout(path, options)
        names = _flat_names(self._layout)
        self._extra = self._fields_of_head(path, set(names))
        names = [*names, *self._extra]
        mapped = _mappings(names, path, options)
        super().__init__(path, names, options, read_header(self._layout, names, mapped, path.name))

    def _fields_of_head(self, path: Path, known: set[str]) -> list[str]:
        """Further fields of the first records, for --keep-input and --map. Raises when they are no settlement lists."""
        fields: dict[str, None] = {}
        seen = readable = 0
        for file in self._files:
            for entry in _entries(file):
                seen += 1
                for record in _records(entry.value, self._layout):
                    readable += 1
                    fields |= dict.fromkeys(_scalars(record, self._layout))
                if seen >= _HEAD:
                    break
            if seen >= _HEAD:
                break
        if seen and not readable:
            nodes = self._layout.nodes
            raise InputError.single(
                "input-layout-unknown",
                text(
                    "{file} holds no settlement lists: no record has the nodes {record} and {node}",
                    file=path.name,
                    record=nodes["record"],
                    node=nodes["diagnoses"]["node"],
                ),
                where=str(path),
                why=text("JSON is read as settlement lists of interface 4101/4101A (医保基金结算清单)"),
                fix=text("export other data as CSV, XLSX or Parquet"),
            )
        return [name for name in fields if name not in known]

    def _read(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        rows: list[Mapping[str, Any]] = []
        done = 0
        for file in self._files:
            for entry in _entries(file):
                records = list(_records(entry.value, self._layout)) if entry.value is not None else []
                rows += [flat_record(record, self._layout, self.noted) for record in records]
                if not records:  # a record at its own place, of which only the line is known
                    rows.append({BROKEN_LINE: entry.line})
                if len(rows) >= BATCH_RECORDS:
                    yield _batch(rows, names)
                    rows = []
            done += file.stat().st_size
            self.done = min(done / self._size, 1.0)
        if rows:
            yield _batch(rows, names)


def _json_layout(path: Path, options: InputOptions) -> Layout:
    with_nodes = [layout for layout in layouts() if layout.nodes]
    layout = layout_named(options.format) if options.format else with_nodes[0]
    if layout is None or not layout.nodes:
        raise UsageError.single(
            "layout-not-json",
            text("the layout {format} has no JSON form, and {file} is JSON", format=options.format, file=path.name),
            where="--format",
            fix=text("JSON is read as {layout}; leave --format out", layout=", ".join(layout.name for layout in with_nodes)),
        )
    return layout


def _mappings(names: Sequence[str], path: Path, options: InputOptions) -> Any:
    from drgsim.records.recognise import mapped_columns

    return mapped_columns(names, options.maps, path.name)


def _flat_names(layout: Layout) -> list[str]:
    """Names of the flat row: of each canonical column the first way to have it."""
    names: list[str] = []
    for canonical, ways in layout.columns.items():
        if canonical in ("diagnoses", "procedures"):
            names.append(layout.nodes[canonical]["to"])
            continue
        for way in ways[:1]:
            if isinstance(way, str):
                names.append(way)
            else:
                names += [way["of"], *([way["and"]] if "and" in way else [])]
    return list(dict.fromkeys(names))


# -- finding records --------------------
def _entries(path: Path) -> Iterator[JsonEntry]:
    """JSON values of a file: of each line, of a list, or one after the other."""
    try:
        with path.open("rb") as raw:
            head = raw.read(_SNIFFED)
        encoding = "utf-8-sig" if (found := sniff_encoding(head)) == "utf-8" else found
        with path.open(encoding=encoding) as file:
            first = next((line for line in _lines(file, path) if line.strip()), "")
        if path.suffix.lower() in _LINES or _is_object(first):
            with path.open(encoding=encoding) as file:
                for number, line in enumerate(_lines(file, path), start=1):
                    if line.strip():
                        yield JsonEntry(number, _parsed(line))
        else:
            with path.open(encoding=encoding) as file:
                yield from _values(file, path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise broken_file(path, error) from error


def _lines(file: TextIO, path: Path) -> Iterator[str]:
    """Lines, none of them longer than one value may be."""
    most = limits.limit("json_bytes")
    for number in itertools.count(1):
        line = file.readline(most + 1)
        if not line:
            return
        limits.check("json_bytes", len(line), path, number)
        yield line


def _is_object(line: str) -> bool:
    """Whether a line is a whole JSON object: the file is then JSON lines."""
    return isinstance(_parsed(line), dict)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _values(file: Any, name: str) -> Iterator[JsonEntry]:
    """Values of a list or of a sequence of values, with no more than one of them and a chunk of text in memory.

    A file that does not begin with a value is one broken entry, so that it costs a folder of files no more than itself.
    """
    decoder = json.JSONDecoder()
    content, at, line, wanted = "", 0, 1, _CHUNK
    ended = any_yet = False
    while True:
        while at < len(content) and content[at] in " \t\r\n,[]":
            line += content[at] == "\n"
            at += 1
        try:
            value, stop = decoder.raw_decode(content, at) if at < len(content) else (None, at)
            if stop == len(content) and not ended and not isinstance(value, dict):
                value, stop = None, at  # a number that the next chunk may go on with
        except (ValueError, RecursionError) as error:
            if ended and any_yet:  # what follows cannot be told apart: to go on would lose records in silence
                raise InputError.single(
                    "input-broken-file",
                    text("{name} is no valid JSON from line {line} on", name=name, line=line),
                    where=text("{name}, line {line}", name=name, line=line),
                    fix=text("export it again; in JSON lines (.jsonl) a broken line costs only itself"),
                ) from error
            if ended:
                yield JsonEntry(line, None)
                return
            value, stop = None, at
        if stop > at:
            yield JsonEntry(line, value)
            any_yet = True
            line += content.count("\n", at, stop)
            at, wanted = stop, _CHUNK
            continue
        if ended:
            return
        limits.check("json_bytes", len(content) - at, Path(name), line)
        more = file.read(wanted)
        wanted *= 2  # a value that is longer than a chunk is not tried again for every chunk
        ended = not more
        content, at = content[at:] + more, 0


def _node(record: Mapping[str, Any], name: str) -> Any:
    """A node by its name in any case."""
    if name in record:
        return record[name]
    return next((value for key, value in record.items() if key.lower() == name), None)


def _records(value: Any, layout: Layout) -> Iterator[Mapping[str, Any]]:
    """Settlement lists in a value, also inside the wrappers of the interface."""
    if isinstance(value, list):
        for one in value:
            if not isinstance(one, list):  # a list in a list is no settlement list, however deep
                yield from _records(one, layout)
    elif isinstance(value, dict):
        if _node(value, layout.nodes["record"]) is not None or _node(value, layout.nodes["diagnoses"]["node"]) is not None:
            yield value
            return
        for name in _WRAPPERS:
            inner = _node(value, name)
            if inner is not None:
                yield from _records(inner, layout)
                return


# -- one record --------------------
def flat_record(record: Mapping[str, Any], layout: Layout, noted: Counter[str]) -> dict[str, Any]:
    """A settlement list as a flat row; diagnoses of Chinese medicine are left out and counted in ``noted``."""
    nodes = layout.nodes
    row = _scalars(record, layout)
    for ways in layout.columns.values():
        names = [way for way in ways if isinstance(way, str)]
        if len(names) > 1 and names[0] == ways[0]:
            row[names[0]] = next((row[name] for name in names if row.get(name)), None)
    for way in layout.columns["patient_paid"]:
        if isinstance(way, dict) and not row.get("psn_part_amt"):
            row["psn_part_amt"] = _total([row.get(name) for name in way["of"]])
    for kind in ("diagnoses", "procedures"):
        row[nodes[kind]["to"]] = _codes(record, nodes[kind], noted)
    for field, entry in nodes["sums"].items():
        if not row.get(field):
            row[field] = _total([_text(_node(one, entry["value"])) for one in _list(record, entry["node"])])
    hours = [_hours(one, nodes["hours"]) for one in _list(record, nodes["hours"]["node"])]
    unreadable = [text for text, number in hours if number is None and text]
    known = [number for _, number in hours if number is not None]
    if hours:
        row[nodes["hours"]["value"]] = unreadable[0] if unreadable else f"{sum(known):g}" if known else None
    return row


def _scalars(record: Mapping[str, Any], layout: Layout) -> dict[str, Any]:
    inner = _node(record, layout.nodes["record"])
    fields = {**record, **(inner if isinstance(inner, dict) else {})}
    return {key.lower(): _text(value) for key, value in fields.items() if not isinstance(value, dict | list)}


def _list(record: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The entries of a node, wherever it stands; a node may hold one entry or a list of them."""
    inner = _node(record, "setlinfo")
    found = _node(record, name)
    if found is None and isinstance(inner, dict):
        found = _node(inner, name)
    entries = found if isinstance(found, list) else [found]
    return [one for one in entries if isinstance(one, dict)]


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, dict | list):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip()
    return None if text in BLANK else text


def _codes(record: Mapping[str, Any], node: Mapping[str, str], noted: Counter[str]) -> str:
    """Codes of a node, the marked one first; where others are marked as such and none as principal, its place stays blank."""
    found: list[tuple[str, str, str]] = []
    for one in _list(record, node["node"]):
        code = _text(_node(one, node["code"]))
        kind = (_text(_node(one, node["type"])) or "") if "type" in node else ""
        if code is None:
            continue
        if "type" in node and (kind in _TCM_TYPES or is_tcm(code)):
            noted[TCM_LEFT_OUT] += 1
        else:
            found.append((code, _text(_node(one, node["flag"])) or "", kind))
    if not found:
        return ""
    codes = [code for code, _, _ in found]
    marked = [place for place, (_, flag, _) in enumerate(found) if is_marked(flag)]
    if len(marked) > 1:
        noted[SEVERAL_PRINCIPAL] += node["node"] == "diseinfo"
    if not marked and not any(flag for _, flag, _ in found):  # nothing is marked: the type tells, or else the order
        first_type = [place for place, (_, _, kind) in enumerate(found) if kind == "1"]
        marked = first_type if len(first_type) == 1 else [0]
    principal = codes.pop(marked[0]) if marked else ""
    return "|".join([principal, *codes])


def _hours(entry: Mapping[str, Any], node: Mapping[str, str]) -> tuple[str, float | None]:
    """The duration of a stay in intensive care as it is written, and in hours; from its times where it is blank."""
    text = _text(_node(entry, node["value"]))
    if text:
        return text, parse_hours(text)
    times = [_time(_text(_node(entry, node[name]))) for name in ("start", "end")]
    if times[0] is None or times[1] is None:
        return "", None
    return "", max((times[1] - times[0]).total_seconds() / 3600, 0.0)


def _time(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text.replace("/", "-")).replace(tzinfo=None) if text else None
    except ValueError:
        return None


def _total(amounts: Sequence[str | None]) -> str | None:
    """Sum of amounts in yuan; missing when none can be read."""
    fen = []
    for amount in amounts:
        try:
            fen.append(round(float(amount) * 100) if amount else None)
        except (ValueError, OverflowError):
            fen.append(None)
    known = [part for part in fen if part is not None]
    return f"{sum(known) / 100:.2f}" if known else None


def _batch(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> pa.RecordBatch:
    arrays = [pa.array([row.get(name) for row in rows], pa.string()) for name in names]
    batch = pa.RecordBatch.from_arrays(arrays, list(names))
    broken = pa.array([row.get(BROKEN_LINE) for row in rows], pa.int64())
    return batch.append_column(BROKEN_LINE, broken) if broken.null_count < len(rows) else batch

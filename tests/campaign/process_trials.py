"""Calls that are killed, that find the disk full, a cache damaged or a bomb: targets stay whole and nothing is left behind."""

from __future__ import annotations

import gzip
import os
import resource
import shutil
import signal
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from drgsim.assets import asset_root
from tests.campaign.file_fuzz import ENDS
from tests.campaign.forked_calls import call, crowd, digests, seconds_of
from tests.campaign.tally import Tally

_COLUMNS = ("discharge_id", "sex", "age", "diagnoses", "procedures")
_ADDRESS_SPACE = 6 << 30  # of a call that reads a bomb
_SECONDS = 60  # that a bomb may take
_SAID = 100_000  # characters that anybody may be told
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def _calls() -> dict[str, tuple[list[str], list[str]]]:
    """Targets, what makes their first contents, and what replaces it."""
    region = asset_root("data/samples") / "region"
    year, other = (str(region / f"discharges-{number}.parquet") for number in (2025, 2026))
    dip = ["--years", "1", "-o", "catalogue"]
    group, settle = ["--scheme", "chs-drg-2.0", "-o", "out.csv"], ["--policy", "beijing/2024", "-o", "paid"]
    return {
        "out.csv": (["group", other, *group], ["group", year, *group]),
        "paid": (["settle", other, *settle], ["settle", year, *settle]),
        "catalogue": (["dip", "build", other, *dip], ["dip", "build", year, *dip]),
    }


class _Target:
    """One target with its contents before and after a call, and the time that the call takes."""

    def __init__(self, name: str, before: list[str], after: list[str], folder: Path) -> None:
        self.name, self.words, self.folder = name, after, folder
        folder.mkdir(parents=True)
        self.target = folder / name
        call(before, folder)
        self.old = digests(self.target)
        self.seconds, ended = seconds_of(after, folder)
        self.new = digests(self.target)
        self.said = "" if ended.code == 0 and self.old and self.new and self.old != self.new else f"{ended.code} {ended.said}"

    def whole(self) -> bool:
        """Whether the target holds one of its two contents."""
        return digests(self.target) in (self.old, self.new)

    def left(self) -> list[str]:
        """Hidden files beside the target."""
        return [name for name in os.listdir(self.folder) if name.startswith(".")]


def _targets(tally: Tally, category: str, folder: Path) -> list[_Target]:
    shutil.rmtree(folder, ignore_errors=True)
    made = [_Target(name, *words, folder / name) for name, words in _calls().items()]
    for target in made:
        if target.said:
            tally.fail(category, 0, f"{target.words} cannot be tried: {target.said}")
    return [target for target in made if not target.said]


def kill_calls(tally: Tally, number: int) -> None:
    """Kill calls at random moments: the target is whole, and nothing is left after the next call."""
    category = "kills"
    targets = _targets(tally, category, tally.work / "kills")
    for place, rng in tally.tries(category, number if targets else 0):
        target = targets[place % len(targets)]
        sent = signal.SIGKILL if rng.random() < 0.5 else _SIGNALS[rng.integers(len(_SIGNALS))]
        ended = call(
            target.words, target.folder, signal_at=(sent, float(rng.random() * target.seconds * 1.05)), seconds=20 * crowd()
        )
        tally.count(category)
        said = f"{target.name}, signal {sent}, exit {ended.code}"
        if not target.whole():
            tally.fail(category, place, f"{said}: the target is damaged", target.target)
        if ended.late or ended.code not in (0, -sent, 128 + sent):
            tally.fail(category, place, f"{said}{' too late' if ended.late else ''}: {ended.said[-300:]}")
        if sent != signal.SIGKILL and ended.code == 128 + sent and target.left() and place < len(targets):
            tally.fail(category, place, f"{said}: left {target.left()}")
    for place, target in enumerate(targets):
        ended = call(target.words, target.folder)
        if ended.code or digests(target.target) != target.new or target.left():
            tally.fail(category, place, f"{target.name}: after the next call {ended.code}, left {target.left()}", target.target)


def fill_disks(tally: Tally, number: int) -> None:
    """Leave little space on a file system, where one may be mounted, or let files grow to a limit only."""
    category = "full disks"
    targets = _targets(tally, category, tally.work / "disks")
    for place, rng in tally.tries(category, number if targets else 0):
        target = targets[place % len(targets)]
        free = int(rng.choice([0, 1, 4096, 20_000, 100_000]))
        with _small_disk(target, free) if place % 2 else nullcontext(target.folder) as folder:
            full = folder != target.folder
            ended = call(target.words, folder, limits={} if full else {resource.RLIMIT_FSIZE: free}, said=target.folder)
            whole = digests(folder / target.name) in (target.old, target.new)
            left = [name for name in os.listdir(folder) if name.startswith(".")]
        tally.count(category)
        if ended.code not in (0, 3, 1) or not whole or left or ended.late:
            how = f"{'disk' if full else 'file'} of {free} bytes: {ended.code}, {'whole' if whole else 'damaged'}, left {left}"
            tally.fail(category, place, f"{target.name}, {how}: {ended.said[-300:]}")


@contextmanager
def _small_disk(target: _Target, free: int) -> Iterator[Path]:
    """A file system with the target and so many free bytes; the folder of the target where nothing may be mounted."""
    folder = target.folder.parent / "mounted"
    folder.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "drgsim-campaign", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        yield target.folder
        return
    try:
        copy = shutil.copytree if target.target.is_dir() else shutil.copy2
        copy(target.target, folder / target.name)
        space = os.statvfs(folder)
        (folder / "filler").write_bytes(bytes(max(0, space.f_bavail * space.f_frsize - free)))
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], capture_output=True, check=True)


def damage_caches(tally: Tally, number: int) -> None:
    """Cut, fill with junk and replace files of the caches: the same answer comes."""
    category = "cache damage"
    folder = tally.work / "caches"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    cases = str(asset_root("data/samples") / "formats" / "records.csv")
    words, cache = ["group", cases, "--scheme", "chs-drg-2.0", "-o", "out.csv"], folder / "cache"
    environment = {"DRGSIM_CACHE_DIR": str(cache)}
    call(words, folder, environment=environment)
    sound = digests(folder / "out.csv")
    for place, rng in tally.tries(category, number):
        files = [path for path in cache.rglob("*") if path.is_file()] if cache.is_dir() else []
        kind = int(rng.integers(5))
        for path in files if kind < 4 else ():
            _damage(path, kind, rng)
        if kind == 4 or not files:
            shutil.rmtree(cache, ignore_errors=True)
            cache.write_bytes(b"no folder")
        (folder / "out.csv").unlink(missing_ok=True)
        ended = call(words, folder, environment=environment)
        tally.count(category)
        if ended.code or digests(folder / "out.csv") != sound or ended.late:
            tally.fail(category, place, f"kind {kind}: {ended.code}: {ended.said[-300:]}", cache)
        if cache.is_file():
            cache.unlink()


def _damage(path: Path, kind: int, rng: np.random.Generator) -> None:
    data = path.read_bytes()
    at = int(rng.integers(0, len(data) + 1))
    contents = [data[:at], rng.bytes(len(data)), b"", data[:at] + rng.bytes(64) + data[at + 64 :]]
    path.write_bytes(contents[kind])


def explode_bombs(tally: Tally, number: int) -> None:
    """Small files that would take all memory or time."""
    category, folder = "bombs", tally.work / "bombs"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    makers = (_far_cell, _quotes, _zeros, _wide_header, _many_sheets_cells, _one_line, _often, _packed, _rows)
    verbs = (["group", "{}", "--scheme", "chs-drg-2.0", "-o", "out.csv"], ["validate", "{}"], ["explain", "{}", "--id", "1"])
    for place, _ in tally.tries(category, min(number, len(makers) * len(verbs))):
        path = makers[place % len(makers)](folder)
        verb = [word.format(path.name) for word in verbs[place // len(makers)]]
        ended = call(verb, folder, limits={resource.RLIMIT_AS: _ADDRESS_SPACE}, seconds=_SECONDS * crowd())
        tally.count(category)
        if ended.late or ended.code not in ENDS or len(ended.said) > _SAID:
            how = "late" if ended.late else ended.code
            tally.fail(category, place, f"{verb[0]} {path.name}: {how}, {len(ended.said):,} said: {ended.said[-300:]}", path)
        path.unlink()


def _far_cell(folder: Path) -> Path:
    import xlsxwriter

    path = folder / "far.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["discharge_id", "sex", "age", "diagnoses", "procedures"])
        sheet.write_row(1, 0, ["1", "1", "70", "I50.101", ""])
        sheet.write(1_048_575, 16_383, "far")
    return path


def _quotes(folder: Path) -> Path:
    path = folder / "quotes.csv"
    path.write_bytes(b"discharge_id,sex,age,diagnoses,procedures\n" + b'"' * 600_001)
    return path


def _zeros(folder: Path) -> Path:
    path = folder / "zeros.csv.gz"
    with gzip.open(path, "wb", 9) as file:
        for _ in range(1024):
            file.write(bytes(1 << 20))
    return path


def _wide_header(folder: Path) -> Path:
    path = folder / "wide.csv"
    path.write_text(",".join(f"c{number}" for number in range(100_000)) + "\n" + "," * 99_999 + "\n", encoding="utf-8")
    return path


def _many_sheets_cells(folder: Path) -> Path:
    """A workbook of which one sheet grows to a gigabyte."""
    path, plain = folder / "grows.xlsx", _far_cell(folder)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            if "sheet1.xml" not in name or "rels" in name:
                target.writestr(name, source.read(name))
        row = b"<row><c t='inlineStr'><is><t>" + b"a" * 1000 + b"</t></is></c></row>"
        head = b"<worksheet xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'><sheetData>"
        with target.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write(head)
            for _ in range(1000):
                sheet.write(row * 1000)
            sheet.write(b"</sheetData></worksheet>")
    plain.unlink()
    return path


def _often(folder: Path) -> Path:
    """A Parquet file of one text that many records mean."""
    path, rows = folder / "often.parquet", 65_536
    text = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["x" * 100_000]))
    pq.write_table(pa.table({name: text if name == "diagnoses" else pa.nulls(rows, pa.string()) for name in _COLUMNS}), path)
    return path


def _packed(folder: Path) -> Path:
    """A Parquet file whose cell of 300 MB takes some kilobytes."""
    path, text = folder / "packed.parquet", pa.array(["\0" * 300_000_000])
    table = pa.table({name: text if name == "diagnoses" else pa.array(["1"]) for name in _COLUMNS})
    pq.write_table(table, path, compression="zstd", use_dictionary=False)
    return path


def _rows(folder: Path) -> Path:
    """A packed page of rows without cells."""
    path = folder / "rows.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("rows.html", "w") as page:
        page.write(b"<table>")
        for _ in range(60):
            page.write(b"<tr>" * 1_000_000)
    return path


def _one_line(folder: Path) -> Path:
    path = folder / "line.csv"
    path.write_bytes(b"discharge_id,sex,age,diagnoses,procedures\n1,1,70,I50.101," + b"x" * (64 << 20))
    return path

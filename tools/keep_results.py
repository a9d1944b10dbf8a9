"""Make the sample anew, with everything that is kept of it, and tell how much each kept figure changed.

    python -m tools.keep_results [--check] [--region DIR]

In this order: data/samples/region (by ``drgsim synth``, or a copy of ``--region``), data/samples/formats, the results of
shipped scenarios in tests/cases/scenarios, and the marked figures of the documents (tests/kept_results.py says which). Printed
is every kept figure that changed, with its old and new value and the relative change, the largest first. ``--check`` writes
nothing and answers 1 where something differs.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq
import yaml

import drgsim

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "data" / "samples"
SAMPLE = {"hospitals": 12, "cases": 20_000, "years": "2024-2026", "seed": 7, "dirty": 0.01}
NUMBER = re.compile(r"(?<![\w.-])-?\d[\d,]*(?:\.\d+)?(?![\w-])")
Change = tuple[str, Any, Any]


def same_file(one: Path, two: Path) -> bool:
    """Whether two files say the same; what a version of a writer decides is left out."""
    if one.suffix == ".parquet":
        return bool(pq.read_table(one).equals(pq.read_table(two)))
    return one.suffix == ".xlsx" or one.read_bytes() == two.read_bytes()


def differing(made: Path, kept: Path) -> list[str]:
    """Names of the files that two folders do not have alike."""
    names = sorted({path.name for folder in (made, kept) if folder.is_dir() for path in folder.iterdir()})
    both = [name for name in names if (made / name).is_file() and (kept / name).is_file()]
    return [name for name in names if name not in both or not same_file(made / name, kept / name)]


def keep_folder(made: Path, kept: Path, check: bool) -> list[str]:
    """Put a folder in the place of another, unless both say the same or it is a check."""
    names = differing(made, kept)
    if names and not check:
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(made, kept)
    return names


def keep_samples(given: Path | None, check: bool) -> list[str]:
    """The region and the same records in every layout; files that changed."""
    with TemporaryDirectory() as folder:
        region, formats = Path(folder) / "region", Path(folder) / "formats"
        if given is None:
            drgsim.synth(region, **SAMPLE)  # type: ignore[arg-type]
        else:
            shutil.copytree(given, region)
        changed = [f"region/{name}" for name in keep_folder(region, SAMPLES / "region", check)]
        from tools import make_format_samples

        formats.mkdir()
        make_format_samples.write_all(region, formats)
        return changed + [f"formats/{name}" for name in keep_folder(formats, SAMPLES / "formats", check)]


def leaves(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Values of nested mappings by path."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from leaves(value, f"{path} {key}".strip())
    else:
        yield path, node


def numbers_of(text: str) -> Iterator[tuple[str, Any]]:
    """Numbers of a marked part, by row of its table and place."""
    for row, line in enumerate(text.splitlines()):
        cells = [cell.strip() for cell in line.split("|") if cell.strip()]
        title = cells[0] if len(cells) > 1 else str(row)
        rest = " ".join(cells[1:]) if len(cells) > 1 else line
        yield from ((f"{title} {place + 1}", number.replace(",", "")) for place, number in enumerate(NUMBER.findall(rest)))


def changes_between(what: str, old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    """Figures that are not the same on both sides."""
    names = [*old, *(name for name in new if name not in old)]
    return [(f"{what}: {name}", old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)]


def keep_files(check: bool) -> list[Change]:
    """Results in files of their own."""
    from tests.kept_results import SCENARIOS, file_text, kept_files

    found: list[Change] = []
    files = kept_files()
    for path in sorted({*SCENARIOS.glob("*.yaml")} - set(files)):
        if not path.stem.endswith(".actual"):  # what a failed test leaves behind
            found.append((f"{path.stem}: the file", "kept", None))
        if not check:
            path.unlink()
    for path, make in files.items():
        old = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
        text = file_text(make())
        found += changes_between(path.stem, dict(leaves(old)), dict(leaves(yaml.safe_load(text))))
        if not check:
            path.write_text(text, encoding="utf-8")
    return found


def keep_documents(check: bool) -> list[Change]:
    """Marked figures of the documents."""
    from tests.kept_results import BLOCKS, blocks_of, with_block

    found: list[Change] = []
    for name, blocks in BLOCKS.items():
        path = ROOT / name
        text = path.read_text(encoding="utf-8")
        for title, make in blocks.items():
            old, new = blocks_of(text)[title], make()
            if old != new:
                figures = changes_between(f"{path.stem}, {title}", dict(numbers_of(old)), dict(numbers_of(new)))
                found += figures or [(f"{path.stem}, {title}: the words", "kept", "other")]
                text = with_block(text, title, new)
        if not check:
            path.write_text(text, encoding="utf-8")
    return found


def relative(old: Any, new: Any) -> float | None:
    """(new - old) / |old| of two numbers; nothing where one is none, infinite from 0."""
    try:
        before, after = float(old), float(new)
    except (TypeError, ValueError):
        return None
    if before == after:
        return 0.0
    return (after - before) / abs(before) if before else float("inf")


def table_of(changes: list[Change]) -> str:
    """The changes as a table, the largest first; what is no number before them."""
    rated = [(relative(old, new), what, old, new) for what, old, new in changes]
    rated.sort(key=lambda row: -abs(row[0]) if row[0] is not None else float("-inf"))
    lines = ["| kept figure | old | new | change |", "|---|---|---|---|"]
    for share, what, old, new in rated:
        told = "" if share is None else "from 0" if share == float("inf") else f"{share:+.2%}"
        lines.append(f"| {what} | {old} | {new} | {told} |")
    return "\n".join(lines)


def main() -> int:
    """Keep everything, or check it; 1 where a check finds a difference."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, answer 1 where something differs")
    parser.add_argument("--region", type=Path, help="a region that takes the place of the one that drgsim synth makes")
    given = parser.parse_args()
    files = keep_samples(given.region, given.check)
    sys.stdout.write(f"{len(files)} files of the sample changed" + (f": {', '.join(files)}\n" if files else "\n"))
    changes = keep_files(given.check) + keep_documents(given.check)
    sys.stdout.write(f"{len(changes)} kept figures changed\n")
    if changes:
        sys.stdout.write(table_of(changes) + "\n")
    return int(given.check and bool(files or changes))


if __name__ == "__main__":
    raise SystemExit(main())

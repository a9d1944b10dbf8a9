"""A mapping of columns to begin with: every column that drgsim knows, to be set beside those of a file."""

from __future__ import annotations

from pathlib import Path

from drgsim.language import spoken, text
from drgsim.records.schema import columns
from drgsim.results.result_titles import column_title
from drgsim.results.whole_outputs import write_text

FILE = "map.yaml"


def write_map(folder: Path) -> None:
    """Fill a folder with map.yaml; ``--map-file`` takes it as it is and leaves every file as it was."""
    lines = [f"# {line}" if line else "#" for line in str(spoken(_head())).splitlines()]
    for name, column in columns().items():
        found = column_title(name)
        said = str(spoken(found.said)) if found is not None else column.title_zh
        needed = f" ({spoken(text('needed'))})" if column.required else ""
        lines.append(f"# {column.title_zh}: {name}  # {said}{needed}")
    write_text(folder / FILE, "\n".join(lines) + "\n")


def _head() -> str:
    return text(
        """What the columns of your file are: your name on the left, the column of drgsim on the right.
Take the # away from the lines that you need, write your own names on the left:
  drgsim group FILE --scheme chs-drg-2.0 --map-file map.yaml --output groups.csv
Columns that drgsim knows by their name need no line. drgsim map FILE writes this file with guesses for your own file.
"A48+A49": discharge_id joins two columns; several columns may be mapped to other_diagnoses and other_procedures.
"""
    )

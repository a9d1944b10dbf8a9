"""The files of a pack as texts, and a pack written from them: a folder that appears whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drgsim.results.whole_outputs import whole_folder, write_text

SETTINGS = "scheme.toml"  # what makes a folder a pack
_TABLES = (
    "mdc", "adrg", "drg", "sets", "cc", "exclusions", "local_codes", "derivation", "kinds", "auxiliary", "operation_classes",
    "excluded_codes", "primary_care",
)  # fmt: skip
PACK_FILES = (SETTINGS, *(f"{name}.csv" for name in _TABLES))


def toml_text(settings: Mapping[str, Any]) -> str:
    """``scheme.toml`` from its values; tables come after all plain keys.

    Examples
    --------
    >>> print(toml_text({"id": "my-city", "counts": {"mdc": 26}, "notes": ["one"]}), end="")
    id = "my-city"
    notes = [
      "one",
    ]
    <BLANKLINE>
    [counts]
    mdc = 26
    """
    plain = {key: value for key, value in settings.items() if not isinstance(value, Mapping)}
    lines = []
    for key, value in plain.items():
        if isinstance(value, str | int):
            lines.append(f"{key} = {_toml(value)}")
        else:
            lines += [f"{key} = [", *(f"  {_toml(item)}," for item in value), "]"]
    for key, value in settings.items():
        if isinstance(value, Mapping):
            lines += ["", f"[{key}]", *(f"{name} = {_toml(item)}" for name, item in value.items())]
    return "\n".join(lines) + "\n"


def _toml(value: str | int) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def write_pack(folder: Path, files: Mapping[str, str], *, replace: bool = False) -> Path:
    """Write a pack's files into a folder that appears whole or not at all.

    Parameters
    ----------
    folder
        The folder of the pack.
    files
        Name -> text.
    replace
        Whether a pack that is there already gives way. Anything else that is there never does.

    Raises
    ------
    OutputError
        ``output-exists``, ``output-holds-more`` or ``output-not-writable``.
    """
    folder = folder.absolute()
    with whole_folder(folder, own={*PACK_FILES, *files}, marker=SETTINGS, replace=replace) as beside:
        for name, text in files.items():
            write_text(beside / name, text)
    return folder

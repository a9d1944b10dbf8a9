"""Words of files for payers, levels and flags, and names of columns: ``vocabulary.yaml``."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from drgsim.records.schema import header_key


@lru_cache(maxsize=1)
def words() -> dict[str, Any]:
    """The file as it stands: kind -> name -> words."""
    loaded: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("vocabulary.yaml").read_text(encoding="utf-8"))
    return loaded


@lru_cache(maxsize=4)
def meanings(kind: str) -> dict[str, str]:
    """Header key of a word -> the name that policies use, for ``insurance``, ``level`` or ``grade``."""
    return {header_key(str(word)): str(name) for name, known in words()[kind].items() for word in known}

"""What every reader of pack tables has: the folder, the folders of its bases, and the problems found so far."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from drgsim.errors import Problem, SchemeError


@dataclass
class PackPart:
    """A part of a pack that is being read.

    ``chain`` holds the folders of the pack and its bases, nearest first; ``problems`` is shared by all parts, so that
    everything is told at once.
    """

    folder: Path
    chain: list[Path]
    problems: list[Problem]

    def wrong(self, code: str, what: str, where: str = "", **more: str) -> None:
        """Note a problem; ``where`` is a file of the pack."""
        self.problems.append(Problem(code, what, where=f"{self.folder.name}/{where}" if where else self.folder.name, **more))

    def stop_if_wrong(self) -> None:
        """Raise what was found so far."""
        if self.problems:
            raise SchemeError(self.problems)

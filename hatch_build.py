"""Puts the compiled catalogues of translations into the wheel; a checkout reads the ``.po`` files themselves."""

import importlib.util
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompiledCatalogues(BuildHookInterface):
    """One ``.mo`` file for each folder of ``drgsim/locale``."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before the wheel is put together."""
        if version == "editable":
            return
        package = Path(self.root) / "drgsim"
        spec = importlib.util.spec_from_file_location("catalogue", package / "language" / "catalogue.py")
        catalogue = importlib.util.module_from_spec(spec)  # by its file: drgsim itself needs more than a build has
        spec.loader.exec_module(catalogue)
        made = Path(tempfile.mkdtemp())
        for folder in sorted(path for path in (package / "locale").iterdir() if path.is_dir()):
            target = made / f"{folder.name}.mo"
            target.write_bytes(catalogue.compiled(folder))
            build_data["force_include"][str(target)] = f"drgsim/locale/{target.name}"

"""drgsim: group China's hospital discharges by CHS-DRG and explain every one.

>>> import drgsim
>>> scheme = drgsim.load_scheme("chs-drg-2.0")
>>> record = {"diagnoses": "I50.101|N18.900", "procedures": "", "sex": 2, "age": 78}
>>> drgsim.explain(record, scheme).drg
'FR25'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drgsim.engines.file_to_file import group_files
    from drgsim.engines.grouper_of import explain
    from drgsim.engines.in_memory import group
    from drgsim.errors import DrgsimError
    from drgsim.units.schemes.pack import load_scheme, scheme_ids

__version__ = "0.1.0"

# resolved on first use, so that `drgsim --help` does not wait for numba and Arrow
_HOMES = {
    "DrgsimError": "drgsim.errors",
    "explain": "drgsim.engines.grouper_of",
    "group": "drgsim.engines.in_memory",
    "group_files": "drgsim.engines.file_to_file",
    "load_scheme": "drgsim.units.schemes.pack",
    "scheme_ids": "drgsim.units.schemes.pack",
}
__all__ = ["DrgsimError", "__version__", "explain", "group", "group_files", "load_scheme", "scheme_ids"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'drgsim' has no attribute {name!r}")

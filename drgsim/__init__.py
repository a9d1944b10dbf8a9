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
    from drgsim.engines.either import explain
    from drgsim.engines.local import group_files
    from drgsim.engines.table import group
    from drgsim.errors import DrgsimError
    from drgsim.schemes.pack import load_scheme, scheme_ids

__version__ = "0.1.0"

# resolved on first use, so that `drgsim --help` does not wait for numba and Arrow
_HOMES = {
    "DrgsimError": "drgsim.errors",
    "explain": "drgsim.engines.either",
    "group": "drgsim.engines.table",
    "group_files": "drgsim.engines.local",
    "load_scheme": "drgsim.schemes.pack",
    "scheme_ids": "drgsim.schemes.pack",
}
__all__ = ["DrgsimError", "__version__", "explain", "group", "group_files", "load_scheme", "scheme_ids"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'drgsim' has no attribute {name!r}")

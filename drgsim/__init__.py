"""drgsim: how China's hospitals are paid by case; every verb of the command line is a function here.

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
    from drgsim.api.explaining_verbs import explain as explain
    from drgsim.api.grouping_verbs import group as group
    from drgsim.api.grouping_verbs import group_files as group_files
    from drgsim.api.payment_verbs import Settled as Settled
    from drgsim.api.payment_verbs import settle as settle
    from drgsim.api.reading_verbs import read as read
    from drgsim.api.weight_verbs import CoefficientTables as CoefficientTables
    from drgsim.api.weight_verbs import WeightTables as WeightTables
    from drgsim.api.weight_verbs import coefficients as coefficients
    from drgsim.api.weight_verbs import weights as weights
    from drgsim.assets import sample_path as sample_path
    from drgsim.errors import DrgsimError as DrgsimError
    from drgsim.payment.policy import Policy as Policy
    from drgsim.payment.policy import load_policy as load_policy
    from drgsim.payment.weight_estimation import WeightSettings as WeightSettings
    from drgsim.records.input_options import InputOptions as InputOptions
    from drgsim.units.schemes.pack import load_scheme as load_scheme
    from drgsim.units.schemes.pack import scheme_ids as scheme_ids

__version__ = "0.1.0"

# Public name -> module that has it: imported on first use, so that `import drgsim` waits for no numba and no Arrow.
# No name may be that of a package of drgsim: importing the package would put it in the place of the function.
_HOMES = {
    "coefficients": "drgsim.api.weight_verbs",
    "CoefficientTables": "drgsim.api.weight_verbs",
    "DrgsimError": "drgsim.errors",
    "explain": "drgsim.api.explaining_verbs",
    "group": "drgsim.api.grouping_verbs",
    "group_files": "drgsim.api.grouping_verbs",
    "InputOptions": "drgsim.records.input_options",
    "load_policy": "drgsim.payment.policy",
    "load_scheme": "drgsim.units.schemes.pack",
    "Policy": "drgsim.payment.policy",
    "read": "drgsim.api.reading_verbs",
    "sample_path": "drgsim.assets",
    "scheme_ids": "drgsim.units.schemes.pack",
    "settle": "drgsim.api.payment_verbs",
    "Settled": "drgsim.api.payment_verbs",
    "weights": "drgsim.api.weight_verbs",
    "WeightSettings": "drgsim.payment.weight_estimation",
    "WeightTables": "drgsim.api.weight_verbs",
}
__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'drgsim' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)

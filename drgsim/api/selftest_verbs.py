"""``drgsim.selftest``: an installed copy proves itself."""

from __future__ import annotations

import platform
from collections.abc import Sequence

import numba
import numpy
import pyarrow as pa

from drgsim.api.argument_check import TEXTS, as_list, checked
from drgsim.engines.bundled_proof import SchemeTest, bundled_schemes, check_scheme
from drgsim.errors import Problem, UsageError, did_you_mean
from drgsim.language import text
from drgsim.results.result import Result
from drgsim.results.run_record import run_record
from drgsim.version import __version__


class SelfTested(Result):
    """Bundled cases by scheme, and those where the kernel or the reference gave another group than expected.

    Attributes
    ----------
    schemes
        The tests, one per scheme.
    passed
        Whether every case got its group from both.
    versions
        Versions of drgsim and of what it stands on.
    """

    kind = "selftest"
    title = text("Self-test")

    def __init__(self, schemes: Sequence[SchemeTest]) -> None:
        self.schemes = tuple(schemes)
        self.passed = bool(schemes) and all(test.passed for test in schemes)
        self.versions = {
            "drgsim": __version__,
            "python": platform.python_version(),
            "numba": numba.__version__,
            "numpy": numpy.__version__,
            "pyarrow": pa.__version__,
            "jit": "off" if getattr(numba.config, "DISABLE_JIT", 0) else "on",
        }
        rows = [vars(test) for test in schemes]
        listed = pa.list_(pa.string())
        kinds = {"scheme": pa.string(), "cases": pa.int64(), "kernel_wrong": listed, "reference_wrong": listed}
        table = pa.Table.from_pylist(rows, pa.schema(list(kinds.items())))
        super().__init__(
            {"schemes": table}, record=run_record(self.kind, passed=self.passed, versions=self.versions, schemes=rows)
        )


@checked(schemes=TEXTS)
def selftest(schemes: Sequence[str] | None = None) -> SelfTested:
    """Group bundled cases with kernel and reference and compare both with the expected groups. 自检

    Parameters
    ----------
    schemes
        DRG schemes and DIP catalogues to test; all with bundled cases by default.

    Returns
    -------
    SelfTested
        ``passed``, and by scheme the cases that were wrong.

    Raises
    ------
    UsageError
        ``selftest-unknown-scheme`` when a scheme has no bundled cases.

    Examples
    --------
    >>> import drgsim
    >>> drgsim.selftest(["dip-taian-2025"]).passed
    True
    """
    known = bundled_schemes()
    named = as_list(schemes)
    for name in named:
        if name not in known:
            fix = did_you_mean(name, known) or text("choose from {known}", known=", ".join(known))
            raise UsageError([Problem("selftest-unknown-scheme", text("no bundled cases for {name}", name=name), fix=fix)])
    return SelfTested([check_scheme(name) for name in named or known])

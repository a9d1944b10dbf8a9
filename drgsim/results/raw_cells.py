"""Whether cells of CSV files are written as they are, for programs, and not as spreadsheets may read them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_RAW: ContextVar[bool] = ContextVar("drgsim_raw_cells", default=False)


@contextmanager
def raw_cells(raw: bool = True) -> Iterator[None]:
    """Write texts that look like formulas as they are, see :mod:`drgsim.results.safe_cells`."""
    token = _RAW.set(raw)
    try:
        yield
    finally:
        _RAW.reset(token)


def cells_are_raw() -> bool:
    """Whether :func:`raw_cells` holds."""
    return _RAW.get()

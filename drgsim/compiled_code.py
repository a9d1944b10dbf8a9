"""numba's ``njit`` with a cache of compiled code that damage, a full disk or a wrong path does not stop.

numba reads back what it finds: a file cut off or overwritten ends the call, or runs as code. Here every file carries the
SHA-256 of its content; what does not agree is compiled again, and what cannot be written is left unwritten. Both are told.
"""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Callable
from typing import Any, TypeVar

import numba
from numba.core.caching import FunctionCache, IndexDataCacheFile

from drgsim import cache_faults
from drgsim.errors import reason_of
from drgsim.language import text

_DIGEST = 32  # bytes
_LARGEST = 1 << 28  # bytes of a file; compiled functions have some hundred thousand
_VARIABLE = "NUMBA_CACHE_DIR"
_F = TypeVar("_F", bound=Callable[..., Any])


def njit(*, cache: bool = False, **options: Any) -> Callable[[_F], _F]:
    """``numba.njit``; with ``cache=True`` by the cache of this module."""
    return lambda function: _compiled(function, cache, options)


def _compiled(function: _F, cached: bool, options: dict[str, Any]) -> _F:
    dispatcher: Any = numba.njit(**options)(function)
    if cached and hasattr(dispatcher, "_cache"):  # none where compiling is switched off
        try:
            dispatcher._cache = _CheckedCache(function)
        except (RuntimeError, OSError) as error:  # numba found no place for it
            cache_faults.tell(cache_faults.unused(os.environ.get(_VARIABLE, text("the user's folder")), str(error), _VARIABLE))
    return dispatcher  # type: ignore[no-any-return]


class _CheckedFile(IndexDataCacheFile):
    """The files of one function, each behind its digest."""

    def _load_index(self) -> dict[Any, str]:
        try:
            version, stamp, overloads = pickle.loads(self._checked(self._index_path))
        except FileNotFoundError:
            return {}
        except MemoryError:
            raise
        except Exception:  # however damaged
            cache_faults.tell(cache_faults.damaged(self._cache_path))
            return {}
        return dict(overloads) if (version, stamp) == (self._version, self._source_stamp) else {}

    def _save_index(self, overloads: dict[Any, str]) -> None:
        self._write(self._index_path, self._dump((self._version, self._source_stamp, overloads)))

    def _load_data(self, name: str) -> Any:
        return pickle.loads(self._checked(self._data_path(name)))

    def _save_data(self, name: str, data: Any) -> None:
        self._write(self._data_path(name), self._dump(data))

    def _write(self, path: str, content: bytes) -> None:
        with self._open_for_write(path) as file:
            file.write(hashlib.sha256(content).digest() + content)

    def _checked(self, path: str) -> bytes:
        with open(path, "rb") as file:
            whole = file.read() if os.fstat(file.fileno()).st_size <= _LARGEST else b""
        digest, content = whole[:_DIGEST], whole[_DIGEST:]
        if hashlib.sha256(content).digest() != digest:
            raise ValueError(path)
        return content


class _CheckedCache(FunctionCache):
    """The cache of one function: it answers or it does not, and never ends a call."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        stamp = self._impl.locator.get_source_stamp()
        self._cache_file = _CheckedFile(self._cache_path, f"{self._impl.filename_base}.checked", stamp)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except FileNotFoundError:
            return None
        except MemoryError:
            raise
        except Exception:  # however damaged
            cache_faults.tell(cache_faults.damaged(self._cache_path))
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except OSError as error:
            self.disable()
            cache_faults.tell(cache_faults.unused(self._cache_path, reason_of(error), _VARIABLE))

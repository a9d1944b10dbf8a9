"""The version of drgsim, on its own so that whatever writes it need not import the names that users import."""

from __future__ import annotations

__version__ = "0.1.0"

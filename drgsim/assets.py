"""Where the data that ships with drgsim lies: beside the checkout, or inside an installed wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def asset_root(name: str) -> Path:
    """Folder ``name`` (``groupers``, ``payment_tables`` or ``data/samples``).

    An installed wheel carries the folders under ``drgsim/_assets``; a checkout has them beside the package.
    """
    for base in (_PACKAGE / "_assets", _PACKAGE.parent):
        folder = base / name
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"drgsim is installed without its {name} folder; install it again from a complete wheel")

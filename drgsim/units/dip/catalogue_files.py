"""Find and read DIP catalogues: a folder with ``scheme.toml`` and ``kinds.csv``, and the tables that it needs beside them.

The format is described in ``docs/dip-catalogues.md``. Everything that is wrong with a catalogue is reported at once.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from drgsim.assets import asset_root
from drgsim.errors import SchemeError, did_you_mean
from drgsim.language import text
from drgsim.records.code_dictionaries import DICTIONARY_FILES
from drgsim.units.dip.catalogue_reader import CatalogueReader
from drgsim.units.dip.dip_catalogue import Catalogue
from drgsim.units.schemes.pack import find_pack, is_dip, pack_ids

CATALOGUE_FILES = (
    "scheme.toml", "kinds.csv", "auxiliary.csv", "sets.csv", "operation_classes.csv", "excluded_codes.csv", "primary_care.csv",
)  # fmt: skip
SHARED_CLASSES = "operation_classes.csv"  # in groupers/icd: the classes of a catalogue that states none


def catalogue_ids() -> list[str]:
    """Ids of the DIP catalogues that ship with drgsim."""
    return pack_ids("dip")


def load_catalogue(catalogue: str | Path) -> Catalogue:
    """Read a DIP catalogue by id or folder and check it.

    Parameters
    ----------
    catalogue
        Id of a shipped catalogue (``dip-taian-2025``) or folder of one that was built.

    Raises
    ------
    SchemeError
        With every problem found in the catalogue.

    Examples
    --------
    >>> catalogue = load_catalogue("dip-taian-2025")
    >>> dict(catalogue.counts)
    {'core_national': 6489, 'core_local': 1545, 'comprehensive': 1080}
    """
    folder = find_pack(catalogue)
    if not is_dip(folder):
        known = catalogue_ids()
        raise SchemeError.single(
            "dip-is-drg",
            text("{folder} is a DRG scheme, no DIP catalogue", folder=folder.name),
            where=str(folder),
            fix=did_you_mean(str(catalogue), known) or text("the DIP catalogues are {known}", known=", ".join(known)),
        )
    return _load(folder, catalogue_digest(folder))


@lru_cache(maxsize=8)
def _load(folder: Path, digest: str) -> Catalogue:
    return CatalogueReader(folder, digest, classes_file(folder)).catalogue()


def classes_file(folder: Path) -> Path:
    """Table of operation classes that a catalogue uses: its own, or the one that ships for all."""
    own = folder / SHARED_CLASSES
    return own if own.is_file() else asset_root("groupers") / "icd" / SHARED_CLASSES


def catalogue_digest(folder: Path) -> str:
    """SHA-256 over the files of a catalogue, the code dictionaries and the operation classes."""
    icd = asset_root("groupers") / "icd"
    files = [icd / name for name in DICTIONARY_FILES] + [folder / name for name in CATALOGUE_FILES] + [classes_file(folder)]
    sha = hashlib.sha256()
    for path in dict.fromkeys(files):
        if path.is_file():
            sha.update(f"{path.name}\0".encode())
            sha.update(hashlib.sha256(path.read_bytes()).digest())
    return sha.hexdigest()

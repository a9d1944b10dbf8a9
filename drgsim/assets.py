"""Where the data that ships with drgsim lies: beside the checkout, or inside an installed wheel."""

from __future__ import annotations

from pathlib import Path

from drgsim.language import text

_PACKAGE = Path(__file__).resolve().parent


def asset_root(name: str) -> Path:
    """Folder ``name`` (``groupers``, ``payment_tables`` or ``data/samples``).

    An installed wheel carries the folders under ``drgsim/_assets``; a checkout has them beside the package.
    """
    for base in (_PACKAGE / "_assets", _PACKAGE.parent):
        folder = base / name
        if folder.is_dir():
            return folder
    raise FileNotFoundError(
        text("drgsim is installed without its {name} folder; install it again from a complete wheel", name=name)
    )


def sample_path(name: str = "region") -> Path:
    """A file or folder of the data that ship with drgsim; all of it is synthetic (合成数据).

    Parameters
    ----------
    name
        ``region``: the sample region, 20,000 discharges of 12 hospitals in the years 2024-2026 with their hospitals,
        enrolment and fund; one of its files, such as ``region/discharges-2026.parquet``; a file of ``selftest`` or
        ``formats``. data/samples/README.md tells how they were made.

    Returns
    -------
    pathlib.Path
        Where it lies.

    Raises
    ------
    InputError
        ``sample-unknown``.

    Examples
    --------
    >>> sample_path("region/hospitals.csv").name
    'hospitals.csv'
    """
    from drgsim.errors import InputError, did_you_mean, wrong_type

    if not isinstance(name, str | Path):
        raise wrong_type("name", name, text("the name of a sample"))
    root = asset_root("data/samples")
    path = root / name
    if ".." in Path(name).parts or Path(name).is_absolute() or not path.exists():
        known = sorted(str(each.relative_to(root).as_posix()) for each in root.rglob("*"))
        raise InputError.single(
            "sample-unknown", text("there is no sample {name}", name=name), fix=did_you_mean(str(name), known)
        )
    return path

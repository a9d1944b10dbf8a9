"""Restate the national DIP 3.0 catalogue as ``groupers/dip-3.0``.

    python tools/make_dip_national.py --tables national-3.0

The folder holds the tables of the official workbook, one file each: pre.csv, merged.csv, burn.csv, tumor.csv, tb.csv,
tb_resistant.csv, basic.csv, excluded_diagnoses.csv, excluded_procedures.csv, primary_care.csv. The official workbook itself
is read by ``drgsim schemes import``, with the same code from the tables on.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from drgsim.authoring.dip.catalogue_writer import write_catalogue
from drgsim.authoring.dip.national_tables import NationalTables, national_layout

TARGET = Path(__file__).resolve().parents[1] / "groupers" / "dip-3.0"


def tables_of(folder: Path) -> NationalTables:
    """The tables of a folder."""
    rows = {}
    for name in national_layout()["tables"]:
        with (folder / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
            rows[name] = list(csv.DictReader(file))
    return NationalTables(rows)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--tables", type=Path, required=True)
    print(write_catalogue(TARGET, tables_of(arguments.parse_args().tables).files(), replace=True))

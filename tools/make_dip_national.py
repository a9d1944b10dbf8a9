"""Restate the national DIP 3.0 catalogue as ``groupers/dip-3.0``.

    python tools/make_dip_national.py --tables national-3.0

The folder holds the tables of the official workbook, one file each: pre.csv, merged.csv, burn.csv, tumor.csv, tb.csv,
tb_resistant.csv, basic.csv, excluded_diagnoses.csv, excluded_procedures.csv, primary_care.csv. Nothing is added to them but
how they are read where the text leaves it open: these readings stand in ``dip_national.toml``, all of them assumptions.
"""

from __future__ import annotations

import argparse
import csv
import re
import tomllib
from pathlib import Path

from drgsim.authoring.dip.catalogue_writer import catalogue_files, write_catalogue
from drgsim.authoring.dip.kind_structure import diagnosis_names
from drgsim.records.code_dictionaries import national_codes
from drgsim.units.dip.dip_catalogue import Kind, alternatives
from drgsim.units.dip.excluded_codes import ExcludedCodes
from drgsim.units.dip.primary_care import PrimaryCareLine

TARGET = Path(__file__).resolve().parents[1] / "groupers" / "dip-3.0"
# the seven endoscopies that may be principal with these principal diagnoses only
ENDOSCOPY_DIAGNOSES = ("A00-A09", "C15-C26", "D01", "D12", "D13", "D37", "I85", "K20-K93")
RESISTANT = "ZYZD in DI_TB_RESISTANT or QTZD in DI_TB_DRUGS"
SETTINGS = tomllib.loads(Path(__file__).with_name("dip_national.toml").read_text(encoding="utf-8"))


class Tables:
    """The tables of the workbook, and the catalogue that they make."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.book = national_codes()
        self.names = diagnosis_names(self.book)

    def rows(self, name: str) -> list[dict[str, str]]:
        """Rows of a table."""
        with (self.folder / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    def procedure_name(self, procedure: str, related: tuple[str, ...] = ()) -> str:
        """Name of a combination of procedures: the first code of each group."""
        words = []
        for cell in (procedure, *related):
            codes = alternatives(cell)
            name = next((name for code in codes if (name := self.book.procedures.name(code))), "")
            words.append(name + ("等" if len(codes) > 1 else ""))
        return "+".join(word for word in words if word)

    def kind(self, code: str, type_: str, dx: str, dx_name: str, cell: str, **more: object) -> Kind:
        """A line; ``cell`` holds principal and related procedures joined by a plus."""
        procedure, *related = cell.split("+") if cell else ("",)
        own = tuple(related)
        name = self.procedure_name(procedure, own)
        return Kind(code, dx, procedure, own, kind=type_, dx_name=dx_name, procedure_name=name, **more)  # type: ignore[arg-type]

    def first(self) -> list[Kind]:
        """Pre-groups."""
        found = []
        for row in self.rows("pre"):
            code, condition = f"XQ-{row['seq']}", ""
            if row["birth_weight_g"]:
                low, high = map(int, row["birth_weight_g"].split("-"))
                days = int(re.sub(r"\D", "", row["age"]))
                condition = f"{{ZYZD, QTZD}} in DI_LOW_WEIGHT and XSRTL < {days}"
                condition += (f" and XSRTZ >= {low}" if low else "") + f" and XSRTZ < {high + 1}"
            anywhere = row["place"] == "any"
            found.append(self.kind(code, "first", "", row["name"], row["procedures"], anywhere=anywhere, condition=condition))
        return found

    def merged(self) -> list[Kind]:
        """Merged kinds."""
        return [
            self.kind(
                f"BX-{row['seq']}", "merged", row["diagnosis"], row["diagnosis_name"],
                row["procedures"] + (f"+{row['related']}" if row["related"] else ""),
            )
            for row in self.rows("merged")
        ]  # fmt: skip

    def split(self) -> tuple[list[Kind], dict[str, list[str]]]:
        """Kinds split by another diagnosis, and the code lists of their conditions."""
        found, sets = [], {}
        areas = list(dict.fromkeys(row["secondaryDiagnosis"] for row in self.rows("burn")))
        for row in self.rows("burn"):
            area = f"DI_BURN_{areas.index(row['secondaryDiagnosis']) + 1}"
            sets[area] = row["secondaryDiagnosis"].split()
            cell = _bars(row["principalProcedure"]) + (f"+{_bars(row['relatedProcedure'])}" if row["relatedProcedure"] else "")
            name = f"{row['burnDegree']}，{row['burnArea']}"
            dx = _bars(row["principalDiagnosis"])
            found.append(self.kind(f"FZ-{row['seq']}", "split", dx, name, cell, condition=f"QTZD in {area}"))
        for row in self.rows("tumor"):
            tumour = f"DI_TUMOUR_{row['secondaryDiagnosis'].replace('-', '_')}"
            sets[tumour] = [row["secondaryDiagnosis"]]
            name = f"{row['principalDiagnosisName']}，{row['secondaryDiagnosisName']}"
            found.append(
                self.kind(
                    f"FZ-{row['seq']}", "split", row["principalDiagnosis"], name, row["procedureExpression"], anywhere=True,
                    condition=f"QTZD in {tumour}",
                )
            )  # fmt: skip
        sets["DI_TB_RESISTANT"] = [row["code"] for row in self.rows("tb_resistant")]
        sets["DI_TB_DRUGS"] = ["U84.300"]
        for row in self.rows("tb"):
            rule = RESISTANT if "主要诊断" in row["drugResistantRule"] else "QTZD in DI_TB_DRUGS"
            condition = rule if row["drugResistant"] == "是" else f"not ({rule})"
            name = f"{row['principalDiagnosisName']}，{'耐药' if row['drugResistant'] == '是' else '非耐药'}"
            found.append(
                self.kind(
                    f"FZ-{row['seq']}", "split", row["principalDiagnosis"], name, _bars(row["principalProcedure"]),
                    condition=condition,
                )
            )  # fmt: skip
        return found, sets

    def basic(self) -> list[Kind]:
        """Basic kinds."""
        return [
            self.kind(f"JC-{row['seq']}", "core_national", row["diagnosis"], row["diagnosis_name"], row["procedures"])
            for row in self.rows("basic")
        ]

    def excluded(self) -> ExcludedCodes:
        """Excluded diagnoses and procedures."""
        uses = {row["code"]: row["use"] for row in self.rows("excluded_procedures")}
        return ExcludedCodes(
            frozenset(row["code"] for row in self.rows("excluded_diagnoses")),
            frozenset(code for code, use in uses.items() if use == "conservative"),
            frozenset(code for code, use in uses.items() if use == "never_principal"),
            {code: ENDOSCOPY_DIAGNOSES for code, use in uses.items() if use == "principal_only_with"},
        )

    def primary_care(self) -> list[PrimaryCareLine]:
        """Primary-care list; a dagger without its asterisk half means every code that begins so."""
        return [
            PrimaryCareLine(
                row["principalDiagnosis"].removesuffix("+"), tuple(row["principalProcedure"].split()),
                row["principalDiagnosisName"], row["principalProcedureName"],
            )
            for row in self.rows("primary_care")
        ]  # fmt: skip

    def files(self) -> dict[str, str]:
        """The files of the catalogue."""
        split, sets = self.split()
        sets["DI_LOW_WEIGHT"] = ["P07"]
        kinds = [*self.first(), *self.merged(), *split, *self.basic()]
        return catalogue_files(SETTINGS, kinds, (), sets, None, self.excluded(), self.primary_care())


def _bars(cell: str) -> str:
    return "|".join(cell.split())


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--tables", type=Path, required=True)
    print(write_catalogue(TARGET, Tables(arguments.parse_args().tables).files(), replace=True))

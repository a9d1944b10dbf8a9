"""The national DIP 3.0 catalogue from the tables of its official workbook.

Nothing is added to the tables but how they are read where the text leaves it open: these readings stand in
``national_catalogue.toml``, all of them assumptions.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from drgsim.authoring.dip.catalogue_writer import catalogue_files
from drgsim.records.code_dictionaries import national_codes
from drgsim.units.dip.dip_catalogue import Kind, alternatives
from drgsim.units.dip.excluded_codes import ExcludedCodes
from drgsim.units.dip.primary_care import PrimaryCareLine

SETTINGS = Path(__file__).with_name("national_catalogue.toml")
RESISTANT = "ZYZD in DI_TB_RESISTANT or QTZD in DI_TB_DRUGS"
Rows = Sequence[Mapping[str, str]]


@lru_cache(maxsize=1)
def national_layout() -> Mapping[str, Any]:
    """Sheets and columns of the workbook, as ``national_layout.yaml`` states them."""
    return dict(yaml.safe_load(Path(__file__).with_name("national_layout.yaml").read_text(encoding="utf-8")))


class NationalTables:
    """The tables of the workbook by name (as in ``national_layout.yaml``), and the catalogue that they make."""

    def __init__(self, rows: Mapping[str, Rows]) -> None:
        self.rows = rows
        self.book = national_codes()

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
        for row in self.rows["pre"]:
            code, condition = f"XQ-{row['seq']}", ""
            if row["birth_weight_g"]:
                low, high = map(int, row["birth_weight_g"].split("-"))
                days = int(re.sub(r"\D", "", row["age"]))
                condition = f"{{ZYZD, QTZD}} in DI_LOW_WEIGHT and XSRTL < {days}"
                condition += (f" and XSRTZ >= {low}" if low else "") + f" and XSRTZ < {high + 1}"
            anywhere = row["place"] == "any"
            found.append(
                self.kind(code, "first", "", row["name"], _bars(row["procedures"]), anywhere=anywhere, condition=condition)
            )
        return found

    def merged(self) -> list[Kind]:
        """Merged kinds."""
        return [
            self.kind(
                f"BX-{row['seq']}", "merged", row["diagnosis"], row["diagnosis_name"],
                _bars(row["procedures"]) + (f"+{_bars(row['related'])}" if row["related"] else ""),
            )
            for row in self.rows["merged"]
        ]  # fmt: skip

    def split(self) -> tuple[list[Kind], dict[str, list[str]]]:
        """Kinds split by another diagnosis, and the code lists of their conditions."""
        found, sets = [], {}
        areas = list(dict.fromkeys(row["secondaryDiagnosis"] for row in self.rows["burn"]))
        for row in self.rows["burn"]:
            area = f"DI_BURN_{areas.index(row['secondaryDiagnosis']) + 1}"
            sets[area] = _codes(row["secondaryDiagnosis"])
            cell = _bars(row["principalProcedure"]) + (f"+{_bars(row['relatedProcedure'])}" if row["relatedProcedure"] else "")
            name = f"{row['burnDegree']}，{row['burnArea']}"
            dx = "|".join(_codes(row["principalDiagnosis"]))
            found.append(self.kind(f"FZ-{row['seq']}", "split", dx, name, cell, condition=f"QTZD in {area}"))
        for row in self.rows["tumor"]:
            tumour = f"DI_TUMOUR_{row['secondaryDiagnosis'].replace('-', '_')}"
            sets[tumour] = [row["secondaryDiagnosis"]]
            name = f"{row['principalDiagnosisName']}，{row['secondaryDiagnosisName']}"
            found.append(
                self.kind(
                    f"FZ-{row['seq']}", "split", row["principalDiagnosis"], name, _bars(row["procedureExpression"]),
                    anywhere=True, condition=f"QTZD in {tumour}",
                )
            )  # fmt: skip
        sets["DI_TB_RESISTANT"] = [row["code"] for row in self.rows["tb_resistant"]]
        sets["DI_TB_DRUGS"] = ["U84.300"]
        for row in self.rows["tb"]:
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
            self.kind(f"JC-{row['seq']}", "core_national", row["diagnosis"], row["diagnosis_name"], _bars(row["procedures"]))
            for row in self.rows["basic"]
        ]

    def excluded(self) -> ExcludedCodes:
        """Excluded diagnoses and procedures."""
        endoscopy = tuple(national_layout()["principal_only_with"])
        uses = {row["code"]: row["use"] for row in self.rows["excluded_procedures"]}
        return ExcludedCodes(
            frozenset(row["code"] for row in self.rows["excluded_diagnoses"]),
            frozenset(code for code, use in uses.items() if use == "conservative"),
            frozenset(code for code, use in uses.items() if use == "never_principal"),
            {code: endoscopy for code, use in uses.items() if use == "principal_only_with"},
        )

    def primary_care(self) -> list[PrimaryCareLine]:
        """Primary-care list; a dagger without its asterisk half means every code that begins so."""
        return [
            PrimaryCareLine(
                row["principalDiagnosis"].removesuffix("+"), tuple(_codes(row["principalProcedure"])),
                row["principalDiagnosisName"], row["principalProcedureName"],
            )
            for row in self.rows["primary_care"]
        ]  # fmt: skip

    def files(self, catalogue_id: str = "", source: str = "") -> dict[str, str]:
        """The files of the catalogue, under its own id and source unless others are named."""
        settings = tomllib.loads(SETTINGS.read_text(encoding="utf-8"))
        if catalogue_id:
            settings["id"] = catalogue_id
        if source:
            settings["sources"][0] = source
        split, sets = self.split()
        sets["DI_LOW_WEIGHT"] = ["P07"]
        kinds = [*self.first(), *self.merged(), *split, *self.basic()]
        return catalogue_files(settings, kinds, (), sets, None, self.excluded(), self.primary_care())


def _codes(cell: str) -> list[str]:
    """Codes of a cell, whatever separates them."""
    return [code for code in re.split(r"[\s|、;；,，]+", cell) if code]


def _bars(cell: str) -> str:
    """Codes of a cell joined by bars; groups of them stay joined by plus."""
    return "+".join("|".join(_codes(group)) for group in cell.split("+"))

"""Restate Tai'an's published table of DIP scores as the catalogue ``groupers/dip-taian-2025``.

    python tools/make_dip_taian.py --table taian-2025.csv

The table has the columns of ``kinds.csv`` without costs and counts. Nothing is added to it but what its levels are taken
to mean (``auxiliary.csv``) and how cases are matched (``scheme.toml``): both are assumptions, and say so.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from drgsim.authoring.dip.catalogue_writer import catalogue_files, write_catalogue
from drgsim.units.dip.dip_catalogue import CONDITION_NUMBERS, Kind, Level
from drgsim.units.schemes.rule_parser import parse_rule

TARGET = Path(__file__).resolve().parents[1] / "groupers" / "dip-taian-2025"
SETTINGS = {
    "id": "dip-taian-2025",
    "title": "DIP catalogue of Tai'an, 2025 edition",
    "title_zh": "泰安市DIP病种目录库（2025版）",
    "region_zh": "泰安市",
    "edition": "2025",
    "icd10": "医保版2.0",
    "icd9cm3": "医保版2.0",
    "evidence": "secondary",
    "sources": ["DIP score table of Tai'an (Shandong), 2025 edition, as published; kinds and scores restated without change"],
    "notes": [
        "one city's table, never the national catalogue",
        "the table does not say what the levels of its auxiliary lists mean: auxiliary.csv is an assumption that fits the "
        "medians of the scores by level, and can be changed",
        "how cases are matched is not in the table: [matching] is an assumption after the rules of the DIP 3.0 draft",
        "the property of a procedure (surgery, therapeutic, diagnostic) is not in the table: it is taken from "
        "groupers/icd/operation_classes.csv, derived",
        "the blank group KBBZ (空白病组) is not in the table: it takes what no kind takes, and has no score",
        "procedure codes have a capital X in places and are read as the national ones; those that the national dictionary "
        "lacks are kept as codes of the catalogue's own (drgsim schemes show dip-taian-2025 lists them)",
        "of 725 combinations with levels 492 have no line without a level: a case that has none of the listed levels goes on "
        "to the next kind that fits",
    ],
    "matching": {
        "order": ["excluded", "first", "merged", "tcm", "core", "comprehensive", "chapter", "blank"],
        "principal_procedure": "principal_place",
        "related": "all_done",
        "full_code": "first",
        "ties": ["principal_procedure_first", "larger_score"],
        "comprehensive_class": "principal_procedure",
        "comprehensive_rest": "conservative",
        "blank": "KBBZ",
        "evidence": "assumption",
        "source": "DIP 3.0 technical specification, draft of 2026, chapter 3 section 3; the local text was not found",
    },
    "auxiliary": {
        "severity_lists": "chs-drg-2.0",
        "several": "highest_score",
        "comorbidity": "other_diagnoses",
        "evidence": "assumption",
        "source": "lists of DIP 1.0 style as a public program has them; the highest level counts (DIP 3.0 draft)",
    },
}  # fmt: skip
DEAD = "LYFS in {5, 死亡}"
LEVELS = [
    ("severity", "0", "I-A stay up to 3 days", "I-A 住院3天及以内", "ZYTS <= 3"),
    ("severity", "1", "I-B stay over 3 days", "I-B 住院3天以上", "ZYTS > 3"),
    ("severity", "2", "II has a CC", "II 有一般合并症", "QTZD in CC"),
    ("severity", "3", "III has an MCC", "III 有严重合并症", "QTZD in MCC"),
    ("severity", "4", "IV-A died within 3 days", "IV-A 3天及以内死亡", f"{DEAD} and ZYTS <= 3"),
    ("severity", "5", "IV-B died later", "IV-B 3天以上死亡", f"{DEAD} and ZYTS > 3"),
    ("age", "0", "0-28 days", "0-28天", "XSRTL <= 28 and not NL >= 1"),
    ("age", "1", "29 days to 1 year", "29天-1周岁", "NL < 1 and not XSRTL <= 28"),
    ("age", "2", "1-6 years", "1-6岁", "NL >= 1 and NL <= 6"),
    ("age", "3", "7-17 years", "7-17岁", "NL >= 7 and NL <= 17"),
    ("age", "4", "18-65 years", "18-65岁", "NL >= 18 and NL <= 65"),
    ("age", "5", "66 years or over", "66岁及以上", "NL >= 66"),
    ("tumour", "0", "I-A stay up to 3 days", "I-A 住院3天及以内", "ZYTS <= 3"),
    ("tumour", "1", "I-B stay over 3 days", "I-B 住院3天以上", "ZYTS > 3"),
    ("tumour", "2", "II has a CC", "II 有一般合并症", "QTZD in CC"),
    ("tumour", "3", "III has an MCC", "III 有严重合并症", "QTZD in MCC"),
    ("tumour", "4", "IV metastasis", "IV 转移", "QTZD in DI_METASTASIS"),
    ("tumour", "5", "V-A radiotherapy", "V-A 放疗", "{ZYSS, QTSS} in OP_RADIOTHERAPY"),
    ("tumour", "6", "V-B chemotherapy", "V-B 化疗", "{ZYSS, QTSS} in OP_CHEMOTHERAPY"),
    ("tumour", "7", "VI-A died within 3 days", "VI-A 3天及以内死亡", f"{DEAD} and ZYTS <= 3"),
    ("tumour", "8", "VI-B died later", "VI-B 3天以上死亡", f"{DEAD} and ZYTS > 3"),
    ("cci", "0", "comorbidity index 0", "CCI 0", "CCI < 1"),
    ("cci", "1", "comorbidity index 1-2", "CCI 1-2", "CCI >= 1 and CCI <= 2"),
    ("cci", "2", "comorbidity index 3-4", "CCI 3-4", "CCI >= 3 and CCI <= 4"),
    ("cci", "3", "comorbidity index 5 or more", "CCI 5及以上", "CCI >= 5"),
    ("icu", "0", "2-7 days in intensive care", "监护2-7天", "ICUXS >= 48 and ICUXS < 192"),
    ("icu", "1", "8-14 days in intensive care", "监护8-14天", "ICUXS >= 192 and ICUXS < 360"),
    ("icu", "2", "15-30 days in intensive care", "监护15-30天", "ICUXS >= 360 and ICUXS < 744"),
    ("icu", "3", "31 days or more in intensive care", "监护31天及以上", "ICUXS >= 744"),
]
SETS = {
    "DI_METASTASIS": ["C77-C79"],
    "OP_RADIOTHERAPY": ["92.2", "92.3"],
    "OP_CHEMOTHERAPY": ["99.25"],
}  # fmt: skip


def kind_of(row: dict[str, str]) -> Kind:
    """A line of the published table."""
    related = tuple(code for code in row["related"].split("+") if code)
    return Kind(
        row["code"], row["dx"], row["procedure"], related, row["operation_class"], row["aux"], row["aux_level"], row["kind"],
        float(row["score"]), dx_name=row["dx_name"], procedure_name=row["procedure_name"],
    )  # fmt: skip


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--table", type=Path, required=True)
    with arguments.parse_args().table.open(encoding="utf-8", newline="") as file:
        kinds = [kind_of(row) for row in csv.DictReader(file)]
    levels = [Level(*level[:4], parse_rule(level[4], CONDITION_NUMBERS), "assumption") for level in LEVELS]
    print(write_catalogue(TARGET, catalogue_files(SETTINGS, kinds, levels, SETS), replace=True))

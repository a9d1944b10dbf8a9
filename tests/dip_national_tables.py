"""The tables of the official DIP 3.0 workbook as the second matcher of the tests reads them.

They come from the facts folder where it is there; else the pack gives them back, cell by cell.
"""

from __future__ import annotations

import csv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FACTS = ROOT.parent / "shared" / "dip" / "national-3.0"
PACK = ROOT / "groupers" / "dip-3.0"
Rows = list[dict[str, str]]


def _read(path: Path) -> Rows:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def facts() -> dict[str, Rows]:
    """The tables of the facts folder, with the columns that matching needs."""
    burn = [
        {
            "seq": row["seq"], "diagnosis": "|".join(row["principalDiagnosis"].split()),
            "other": "|".join(row["secondaryDiagnosis"].split()), "procedures": "|".join(row["principalProcedure"].split()),
            "related": "|".join(row["relatedProcedure"].split()),
        }
        for row in _read(FACTS / "burn.csv")
    ]  # fmt: skip
    tumour = [
        {
            "seq": row["seq"], "diagnosis": row["principalDiagnosis"], "other": row["secondaryDiagnosis"],
            "procedures": row["procedureExpression"],
        }
        for row in _read(FACTS / "tumor.csv")
    ]  # fmt: skip
    tb = [
        {
            "seq": row["seq"], "diagnosis": row["principalDiagnosis"],
            "procedures": "|".join(row["principalProcedure"].split()),
            "resistant": row["drugResistant"], "by_principal": str("主要诊断" in row["drugResistantRule"]),
        }
        for row in _read(FACTS / "tb.csv")
    ]  # fmt: skip
    return {
        "pre": [
            {"seq": row["seq"], "procedures": row["procedures"], "place": row["place"], "weight": row["birth_weight_g"]}
            for row in _read(FACTS / "pre.csv")
        ],
        "merged": [
            {name: row[name] for name in ("seq", "diagnosis", "procedures", "related")} for row in _read(FACTS / "merged.csv")
        ],
        "burn": burn,
        "tumour": tumour,
        "tb": tb,
        "tb_resistant": [{"code": row["code"]} for row in _read(FACTS / "tb_resistant.csv")],
        "basic": [{name: row[name] for name in ("seq", "diagnosis", "procedures")} for row in _read(FACTS / "basic.csv")],
        "excluded_diagnoses": [{"code": row["code"]} for row in _read(FACTS / "excluded_diagnoses.csv")],
        "excluded_procedures": [
            {"code": row["code"], "use": row["use"]} for row in _read(FACTS / "excluded_procedures.csv")
        ],
        "primary_care": [
            {
                "diagnosis": row["principalDiagnosis"].removesuffix("+"),
                "procedures": "|".join(row["principalProcedure"].split()),
            }
            for row in _read(FACTS / "primary_care.csv")
        ],
    }  # fmt: skip


def from_pack() -> dict[str, Rows]:
    """The same tables from the files of the pack."""
    sets: dict[str, list[str]] = {}
    for row in _read(PACK / "sets.csv"):
        sets.setdefault(row["set"], []).append(row["code"])
    tables: dict[str, Rows] = {name: [] for name in ("pre", "merged", "burn", "tumour", "tb", "basic")}
    for row in _read(PACK / "kinds.csv"):
        category, seq = row["code"].split("-")
        procedures, related, condition = row["procedure"], row["related"], row["condition"]
        joined = procedures + (f"+{related}" if related else "")
        own = {"seq": seq, "diagnosis": row["dx"]}
        if category == "XQ":
            low = condition.partition("XSRTZ >= ")[2].split(" ")[0] or "0"
            high = condition.partition("XSRTZ < ")[2]
            weight = f"{low}-{int(high) - 1}" if high else ""
            place = row["procedure_place"] or ("" if weight else "principal")
            tables["pre"].append({"seq": seq, "procedures": joined, "place": place, "weight": weight})
        elif category == "BX":
            tables["merged"].append({**own, "procedures": procedures, "related": related})
        elif category == "JC":
            tables["basic"].append({**own, "procedures": procedures})
        elif "BURN" in condition:
            other = "|".join(sets[condition.removeprefix("QTZD in ")])
            tables["burn"].append({**own, "other": other, "procedures": procedures, "related": related})
        elif "TUMOUR" in condition:
            other = "|".join(sets[condition.removeprefix("QTZD in ")])
            tables["tumour"].append({**own, "other": other, "procedures": joined})
        else:
            resistant = "否" if condition.startswith("not") else "是"
            by_principal = str("DI_TB_RESISTANT" in condition)
            tables["tb"].append({**own, "procedures": procedures, "resistant": resistant, "by_principal": by_principal})
    excluded = _read(PACK / "excluded_codes.csv")
    tables["tb_resistant"] = [{"code": code} for code in sets["DI_TB_RESISTANT"]]
    tables["excluded_diagnoses"] = [{"code": row["code"]} for row in excluded if row["code_type"] == "diagnosis"]
    tables["excluded_procedures"] = [
        {"code": row["code"], "use": row["use"]} for row in excluded if row["code_type"] == "procedure"
    ]
    tables["primary_care"] = [
        {"diagnosis": row["dx"], "procedures": row["procedure"]} for row in _read(PACK / "primary_care.csv")
    ]
    return tables


def tables() -> dict[str, Rows]:
    """The tables: the facts where they are at hand."""
    return facts() if FACTS.is_dir() else from_pack()

"""Write data/samples/formats: the same discharges of the synthetic region in every layout that drgsim reads.

    python -m tools.make_format_samples

Every file holds the records of ``records.csv`` (canonical columns), in the same order. The same input gives the same bytes.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import xlsxwriter

ROOT = Path(__file__).resolve().parents[1]
REGION = ROOT / "data" / "samples" / "region"
TARGET = ROOT / "data" / "samples" / "formats"
RECORDS = 120
NEWBORNS = 15
CANONICAL = (
    "discharge_id", "hospital_id", "patient_id", "sex", "birth_date", "age", "age_days", "birth_weight_g", "admitted",
    "discharged", "los_days", "admission_department", "discharge_way", "insurance", "diagnoses", "procedures", "icu_hours",
    "ventilator_hours", "total_cost", "patient_paid", "fund_paid",
)  # fmt: skip
TCM = ("A07.06.18", "B04.02.01.03.03")  # a disease and a syndrome of Chinese medicine, as settlement lists carry them


def sample(region: Path) -> list[dict[str, str]]:
    """Every n-th record of the last year, newborns, and stays in intensive care, as text."""
    frame = pd.read_parquet(max(region.glob("discharges-*.parquet")), columns=list(CANONICAL))
    clean = frame[frame.sex.isin([1, 2]) & frame.age.between(0, 120) & ~frame.discharge_id.duplicated()]
    newborns = clean[(clean.age == 0) & (clean.age_days <= 28)].head(NEWBORNS)
    intensive = clean[clean.icu_hours > 0].head(NEWBORNS)
    rest = clean.drop(newborns.index.union(intensive.index))
    rest = rest.iloc[:: len(rest) // (RECORDS - len(newborns) - len(intensive))]
    chosen = pd.concat([newborns, intensive, rest]).head(RECORDS).sort_index()
    return [{name: "" if pd.isna(value) else _plain(value) for name, value in row.items()} for row in chosen.to_dict("records")]


def _plain(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def split(codes: str, places: int) -> list[str]:
    """Codes in a fixed number of places, the principal one first."""
    listed = codes.split("|") if codes else []
    if len(listed) > places:
        raise SystemExit(f"a record has {len(listed)} codes, more than {places}")
    return listed + [""] * (places - len(listed))


def write_csv(path: Path, header: list[str], rows: list[list[str]], encoding: str = "utf-8") -> None:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def hqms(records: list[dict[str, str]], target: Path) -> None:
    """Front page with HQMS headers and the places that the standard has."""
    header = ["A01", "A48", "A49", "A12C", "A13", "A14", "A16", "A18x01", "A17", "A46C"]
    header += ["B12", "B15", "B13C", "B20", "B34C"]
    header += [
        "C03C",
        *(f"C06x{n:02}C" for n in range(1, 41)),
        "C14x01C",
        *(f"C35x{n:02}C" for n in range(1, 41)),
        "D01",
        "D09",
    ]
    rows = []
    for r in records:
        infant = r["age"] == "0"
        row = [r["hospital_id"], r["discharge_id"], "1", r["sex"], r["birth_date"], "" if infant else r["age"]]
        row += [r["age_days"] if infant else "0", r["birth_weight_g"], r["birth_weight_g"], r["insurance"], r["admitted"]]
        row += [r["discharged"], r["admission_department"], r["los_days"], r["discharge_way"]]
        rows.append([*row, *split(r["diagnoses"], 41), *split(r["procedures"], 41), r["total_cost"], r["patient_paid"]])
    write_csv(target / "hqms.csv", header, rows)


def duration(hours: str) -> str:
    """Hours as days/hours/minutes."""
    if not hours:
        return ""
    minutes = round(float(hours) * 60)
    return f"{minutes // 1440}/{minutes % 1440 // 60}/{minutes % 60}"


def settlement(r: dict[str, str], number: int) -> dict[str, Any]:
    """A settlement list; every tenth carries diagnoses of Chinese medicine, every other has its principal code not first."""
    info = {
        "setl_id": r["discharge_id"], "fixmedins_code": r["hospital_id"], "psn_no": r["patient_id"], "gend": r["sex"],
        "brdy": r["birth_date"], "age": "" if r["age"] == "0" else r["age"], "nwb_age": r["age_days"],
        "nwb_bir_wt": r["birth_weight_g"], "adm_time": r["admitted"], "dscg_time": r["discharged"],
        "act_ipt_days": r["los_days"], "adm_caty": r["admission_department"], "dscg_way": r["discharge_way"],
        "hi_type": r["insurance"], "vent_used_dura": duration(r["ventilator_hours"]), "psn_selfpay": r["patient_paid"],
        "psn_ownpay": "0.00",
    }  # fmt: skip
    diagnoses = [
        {"diag_type": "1" if place == 0 else "2", "diag_code": code, "maindiag_flag": str(int(place == 0))}
        for place, code in enumerate(r["diagnoses"].split("|"))
    ]
    if number % 2:
        diagnoses = [*diagnoses[1:2], diagnoses[0], *diagnoses[2:]]
    if number % 10 == 0:
        kinds = zip(("3", "4"), TCM, strict=True)
        diagnoses += [{"diag_type": kind, "diag_code": code, "maindiag_flag": "1"} for kind, code in kinds]
    procedures = [
        {"oprn_oprt_type": "1" if place == 0 else "2", "oprn_oprt_code": code}
        for place, code in enumerate(r["procedures"].split("|") if r["procedures"] else [])
    ]
    icu = [{"scs_cutd_ward_type": "9", "scs_cutd_sum_dura": duration(r["icu_hours"])}] if r["icu_hours"] else []
    return {
        "setlinfo": info, "payinfo": [{"fund_pay_type": "310100", "fund_payamt": r["fund_paid"]}], "diseinfo": diagnoses,
        "iteminfo": [{"med_chrgitm": "14", "amt": r["total_cost"]}], "oprninfo": procedures, "icuinfo": icu,
    }  # fmt: skip


def settlement_lists(records: list[dict[str, str]], target: Path) -> None:
    """Settlement lists as JSON lines, as a single JSON file, and flat."""
    lists = [settlement(record, number) for number, record in enumerate(records)]
    lines = [json.dumps(one, ensure_ascii=False) + "\n" for one in lists]
    (target / "settlement-list.jsonl").write_text("".join(lines), encoding="utf-8")
    single = {"infno": "4101A", "input": next(one for one in lists if one["oprninfo"])}
    (target / "settlement-list.json").write_text(json.dumps(single, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    fields = [name for name in lists[0]["setlinfo"] if name not in ("psn_selfpay", "psn_ownpay")]
    header = [*fields, "scs_cutd_sum_dura", "diag_code", "oprn_oprt_code", "medfee_sumamt", "psn_part_amt", "fund_pay_sumamt"]
    rows = [
        [
            *(one["setlinfo"][name] for name in fields),
            *(duration(r["icu_hours"]), r["diagnoses"], r["procedures"], r["total_cost"], r["patient_paid"], r["fund_paid"]),
        ]
        for one, r in zip(lists, records, strict=True)
    ]
    write_csv(target / "settlement-list.csv", header, rows)


def grouper(records: list[dict[str, str]], target: Path) -> None:
    """The ten columns, in GB18030 as many hospital systems write."""
    header = ["Index", "gender", "age", "ageDay", "weight", "dept", "inHospitalTime", "leavingType", "zdList", "ssList"]
    own = [
        "discharge_id", "sex", "age", "age_days", "birth_weight_g", "admission_department", "los_days", "discharge_way",
        "diagnoses", "procedures",
    ]  # fmt: skip
    write_csv(target / "grouper.csv", header, [[r[name] for name in own] for r in records], "gb18030")


def chinese(records: list[dict[str, str]], target: Path) -> None:
    """A workbook with Chinese headers and codes in columns of their own."""
    plain = {
        "病案号": "discharge_id", "医疗机构代码": "hospital_id", "性别": "sex", "出生日期": "birth_date", "年龄(岁)": "age",
        "年龄(天)": "age_days", "新生儿出生体重(克)": "birth_weight_g", "入院时间": "admitted", "出院时间": "discharged",
        "实际住院天数": "los_days", "入院科别": "admission_department", "离院方式": "discharge_way",
        "重症监护小时": "icu_hours", "总费用": "total_cost",
    }  # fmt: skip
    most = {name: max(len(r[name].split("|")) for r in records) for name in ("diagnoses", "procedures")}
    header = [*plain, "主要诊断编码", *(f"其他诊断编码{n}" for n in range(1, most["diagnoses"]))]
    header += ["主要手术操作编码", *(f"其他手术操作编码{n}" for n in range(1, most["procedures"]))]
    with xlsxwriter.Workbook(str(target / "chinese-headers.xlsx"), {"in_memory": True}) as book:
        book.set_properties({"title": "合成数据 synthetic data", "created": pd.Timestamp("2024-01-01").to_pydatetime()})
        sheet = book.add_worksheet("病案首页")
        sheet.write_row(0, 0, header)
        for number, r in enumerate(records, start=1):
            cells = [{"1": "男", "2": "女"}[r["sex"]] if name == "sex" else r[name] for name in plain.values()]
            cells += [code for name in ("diagnoses", "procedures") for code in split(r[name], most[name])]
            for place, cell in enumerate(cells):
                if cell:
                    sheet.write_string(number, place, cell)


def write_all(region: Path = REGION, target: Path = TARGET) -> int:
    """Write all files and return the number of records."""
    target.mkdir(parents=True, exist_ok=True)
    records = sample(region)
    write_csv(target / "records.csv", list(CANONICAL), [list(record.values()) for record in records])
    for write in (hqms, settlement_lists, grouper, chinese):
        write(records, target)
    return len(records)


def main() -> None:
    """Write all files of the sample."""
    sys.stdout.write(f"{write_all()} records in {len(list(TARGET.iterdir()))} files\n")


if __name__ == "__main__":
    main()

"""Build the code templates of the synthetic region from the scheme pack: templates.csv and pools.csv.

    python tools/make_synth_templates.py

A template is a principal diagnosis, procedures and (where the rule asks for them) other diagnoses that a ward would
code together and that lead to one ADRG. It is kept only if the grouping rules answer that ADRG, alone and with each
companion procedure; pools hold only codes whose severity no principal diagnosis of the ADRG excludes.
Clinical preferences come from synth_priors.yaml, code lists from the pack.
"""

from __future__ import annotations

import csv
import itertools
import zlib
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from synth_grouper import Record, TemplateGrouper

from drgsim.units.schemes.rule_language import And, CodeIn, CountCodes, CountSites, Not, Or, Rule

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
TARGET = ROOT / "drgsim" / "synthetic"
TEMPLATES_PER_ADRG = {"medical": 30, "surgical": 24, "procedure": 24, "ambiguous": 20}
ZIPF = 0.9
POOL_SIZE = {"MCC": 14, "CC": 16, "none": 22}
RANK = {"none": 0, "CC": 1, "MCC": 2}
BIRTH_WEIGHT = {"PS1": (700, 1499), "PS2": (1500, 1999), "PS3": (2000, 2499), "PS4": (2500, 3300)}


def weighted_prefixes(text: str) -> list[tuple[str, float]]:
    out = []
    for word in text.split():
        prefix, _, weight = word.partition("*")
        out.append((prefix, float(weight or 1)))
    return out


def hashed(code: str, salt: str = "") -> float:
    return zlib.crc32((salt + code).encode()) / 2**32


def longest(table: dict[str, Any], code: str) -> Any:
    for size in range(len(code), 0, -1):
        if code[:size] in table:
            return table[code[:size]]
    return None


class Builder:
    def __init__(self) -> None:
        self.priors = yaml.safe_load((HERE / "synth_priors.yaml").read_text(encoding="utf-8"))
        self.grouper = TemplateGrouper("chs-drg-2.0")
        icd = ROOT / "groupers" / "icd"
        self.diagnoses = [row["code"] for row in csv.DictReader((icd / "icd10_yb2.csv").open(encoding="utf-8"))]
        self.procedures = [row["code"] for row in csv.DictReader((icd / "icd9cm3_yb2.csv").open(encoding="utf-8"))]
        self.grey = {row["code"] for row in csv.DictReader((icd / "grey_diagnoses.csv").open(encoding="utf-8"))}
        self.grey_px = {row["code"] for row in csv.DictReader((icd / "grey_procedures.csv").open(encoding="utf-8"))}
        self.common = dict(weighted_prefixes(self.priors["common"]))
        self.known_dx, self.known_px = set(self.diagnoses), set(self.procedures)
        self.female = tuple(self.priors["female"].split())
        self.male = tuple(self.priors["male"].split())

    # -- who falls ill ----------------------------------------------------------------------------------------------
    def sex(self, code: str, adrg: str) -> int:
        if adrg.startswith(("N", "O", "JA")) or code.startswith(self.female):
            return 2
        return 1 if adrg.startswith("M") or code.startswith(self.male) else 0

    def age(self, code: str, adrg: str, mdc: str) -> str:
        if adrg[0] == "P":
            return "infant" if adrg == "PV1" else "newborn"
        if adrg[0] == "O":
            return "mother"
        profile = longest(self.priors["age"], code) or self.priors["age_by_mdc"][mdc]
        return "infant" if profile == "newborn" else profile

    def record(self, dx: list[str], px: list[str], sex: int, age: str, adrg: str) -> Record:
        days = {"newborn": 5, "infant": 120}.get(age)
        low, high = BIRTH_WEIGHT.get(adrg, (3300, 3300))
        years = 0 if days is not None else {"mother": 28, "child": 6}.get(age, 50)
        return Record(dx, px, years, sex or 1, days, (low + high) // 2 if age == "newborn" else None)

    # -- candidate codes --------------------------------------------------------------------------------------------
    def rank(self, codes: list[str], preferred: list[tuple[str, float]], salt: str, keep: int) -> list[tuple[str, float]]:
        """Weight codes: preferred prefixes first, short codes before extensions, then a Zipf tail in a fixed order."""
        prefer = dict(preferred)
        scored = []
        for code in codes:
            weight = longest(prefer, code) or 0.0
            plain = 1.0 if "x" not in code else (0.7 if code.endswith(("x001", "x002", "x003")) else 0.35)
            scored.append((-(weight * (0.4 + hashed(code, salt)) * plain) if weight else 1 - plain + hashed(code, salt), code))
        scored.sort()
        best = [code for _, code in scored[:keep]]
        base = np.arange(1, len(best) + 1) ** -ZIPF
        boost = [1.0 + (longest(prefer, code) or 0.0) for code in best]
        return list(zip(best, base * boost, strict=True))

    def diagnosis_candidates(self, adrg: str, mdc: str, own: list[str] | None, keep: int) -> list[tuple[str, float]]:
        allowed = set(self.grouper.principals(mdc))
        codes = [
            c
            for c in (own if own is not None else sorted(allowed) or self.diagnoses)
            if c in self.known_dx and c not in self.grey
        ]
        if allowed:
            codes = [c for c in codes if c in allowed]
        codes = [c for c in codes if "+" not in c and "*" not in c] or codes
        prior = self.priors["adrg"].get(adrg, "").split("|")[0]
        preferred = weighted_prefixes(prior)
        if preferred and own is None:
            near = [c for c in codes if c.startswith(tuple(p for p, _ in preferred))]
            codes = near or codes
        return self.rank(sorted(set(codes)), preferred or list(self.common.items()), adrg, keep)

    def procedure_candidates(self, adrg: str, sets: list[str], keep: int) -> list[tuple[str, float]]:
        codes = sorted({c for name in sets for c in sorted(self.grouper.sets[name]) if c in self.known_px})
        codes = [c for c in codes if c not in self.grey_px] or codes
        prior = self.priors["adrg"].get(adrg, "")
        preferred = weighted_prefixes(prior.partition("|")[2])
        return self.rank(codes, preferred, adrg, keep)

    # -- templates --------------------------------------------------------------------------------------------------
    def options(self, rule: Rule) -> list[list[CodeIn | Not]]:
        """Disjunctive form of the code tests of a rule; numbers (age, weight) are met by the age profile."""
        match rule:
            case Or(rules):
                return [option for part in rules for option in self.options(part)]
            case And(rules):
                return [list(itertools.chain(*parts)) for parts in itertools.product(*(self.options(part) for part in rules))]
            case CodeIn():
                return [[rule]]
            case CountSites(sets, _, _, _):
                return [[CodeIn(("ZYZD",), (a,)), CodeIn(("QTZD",), (b,))] for a in sets for b in sets if a != b]
            case CountCodes(sets, _, _, _):
                return [[CodeIn(("ZYSS",), sets), CodeIn(("QTSS",), sets)]]
            case _:
                return [[]]

    def draw(self, adrg: str, mdc: str, kind: str, rng: np.random.Generator) -> list[dict[str, Any]]:
        rule = self.grouper.rules[adrg]
        mdc_rule = self.grouper.mdc_rules[mdc]
        options = self.options(rule)
        if mdc == "MDCZ" or mdc == "MDCY":
            options = [a + b for a in options for b in self.options(mdc_rule)]
        if len(options) > 12:
            options = [options[i] for i in rng.choice(len(options), 12, replace=False)]
        out: dict[tuple[Any, ...], dict[str, Any]] = {}
        quota = max(3, -(-TEMPLATES_PER_ADRG[kind] * 2 // len(options)))
        for option in options:
            for template in self.draw_option(adrg, mdc, option, quota, rng):
                key = (template["diagnosis"], *template["procedures"])
                if key not in out and self.accept(template, adrg, mdc):
                    out[key] = template
        return sorted(out.values(), key=lambda t: -t["weight"])[: TEMPLATES_PER_ADRG[kind]]

    def draw_option(self, adrg: str, mdc: str, option: list[Any], quota: int, rng: np.random.Generator) -> list[dict[str, Any]]:
        dx_own: list[str] | None = None
        other_dx: list[list[str]] = []
        px_slots: list[list[str]] = []
        for test in option:
            if not isinstance(test, CodeIn):
                continue
            codes = sorted({c for name in test.sets for c in self.grouper.sets[name]})
            if test.variables == ("QTZD",):
                other_dx.append(codes)
            elif "ZYZD" in test.variables:
                dx_own = codes if dx_own is None else sorted(set(dx_own) & set(codes))
            else:
                px_slots.append(list(test.sets))
        diagnoses = self.diagnosis_candidates(adrg, mdc, dx_own, 24)
        if not diagnoses:
            return []
        slots = [self.procedure_candidates(adrg, sets, 16) for sets in px_slots]
        if any(not slot for slot in slots):
            return []
        joint = []
        for (dx, dw), *pxs in itertools.product(diagnoses, *(slot[:10] for slot in slots)):
            weight = float(dw) * float(np.prod([w for _, w in pxs])) * (0.6 + 0.8 * hashed(dx + "".join(p for p, _ in pxs)))
            joint.append((weight, dx, [p for p, _ in pxs]))
        joint.sort(key=lambda item: (-item[0], item[1], item[2]))
        out = []
        for weight, dx, pxs in joint[:quota]:
            others = [codes[int(rng.integers(len(codes)))] for codes in other_dx]
            if adrg == "OR1" and any(c.startswith("Z37.0") for c in other_dx[0]):
                others = [next(c for c in other_dx[0] if c.startswith("Z37.0"))]
            elif adrg[0] == "O" and (adrg == "OB1" or adrg.startswith("OC")):
                others = ["Z37.000"]
            out.append(
                {
                    "adrg": adrg,
                    "diagnosis": dx,
                    "others": others,
                    "procedures": list(dict.fromkeys(pxs)),
                    "weight": weight,
                }
            )
        return out

    def accept(self, template: dict[str, Any], adrg: str, mdc: str) -> bool:
        dx = template["diagnosis"]
        sex, age = self.sex(dx, adrg), self.age(dx, adrg, mdc)
        codes = [dx, *template["others"]]
        if dx in template["others"] or self.grouper.adrg(self.record(codes, template["procedures"], sex, age, adrg)) != adrg:
            return False
        infant = self.record(codes, template["procedures"], sex, "infant", adrg)
        template["min_age"] = 0 if adrg[0] == "P" or self.grouper.adrg(infant) == adrg else 1
        template["sex"], template["age"] = sex, age
        share = longest(self.priors["male_share"], dx)
        template["male_share"] = {1: 1.0, 2: 0.0}.get(sex, share if share is not None else 0.52)
        template["base"] = self.grouper.severity(codes)
        return True

    def add_companions(self, templates: list[dict[str, Any]], adrg: str, rng: np.random.Generator) -> None:
        """Procedures that may come along: diagnostics of the MDC, and more of the operation's own list."""
        prior = self.priors["companions"]
        prefixes = tuple((prior.get(adrg[0], "") + " " + prior["any"]).split())
        pool = [c for c in self.procedures if c.startswith(prefixes) and c not in self.grey_px and "x0" not in c]
        own = [c for name in self.grouper.procedure_sets(adrg) for c in sorted(self.grouper.sets[name]) if c in self.known_px]
        for template in templates:
            picks = [pool[i] for i in rng.permutation(len(pool))[:10]]
            if own and template["procedures"] and adrg[1:] != "QY":
                picks = [own[i] for i in rng.permutation(len(own))[:2]] + picks
            codes = [template["diagnosis"], *template["others"]]
            kept: list[str] = []
            for code in picks:
                trial = [*template["procedures"], *kept, code]
                lone = [*template["procedures"], code]
                same = all(
                    self.grouper.adrg(self.record(codes, px, template["sex"], template["age"], adrg)) == adrg
                    for px in (trial, lone)
                )
                if same and code not in template["procedures"] and len(kept) < 4:
                    kept.append(code)
            template["companions"] = kept

    # -- other diagnoses --------------------------------------------------------------------------------------------
    def secondary_weights(self, who: str, adrg: str) -> dict[str, float]:
        weights: dict[str, float] = defaultdict(float)
        for entry in self.priors["secondary"]:
            if entry["who"] != who:
                continue
            near = adrg.startswith(tuple(entry["mdc"].split())) if "mdc" in entry else None
            if near is False:
                continue
            for prefix, weight in weighted_prefixes(entry["codes"]):
                matches = [c for c in self.diagnoses if c.startswith(prefix) and c not in self.grey and "*" not in c]
                for place, code in enumerate(sorted(matches, key=lambda c: ("x" in c[4:], hashed(c, adrg)))[:4]):
                    weights[code] += weight * (2.0 if near else 1.0) / (place + 1) ** 1.5
        return weights

    def pools(self, templates: list[dict[str, Any]], adrg: str) -> list[tuple[str, str, str, str]]:
        rows = []
        whos = {self.who(t["age"]) for t in templates} | ({"adult", "child"} if adrg[0] not in "OP" else set())
        principals = {t["diagnosis"] for t in templates}
        forbidden = self.grouper.other_diagnosis_sets | principals
        for who in sorted(whos):
            weights = self.secondary_weights(who, adrg)
            by_level: dict[str, list[tuple[float, str]]] = defaultdict(list)
            for code, weight in weights.items():
                sex = self.sex(code, "")
                if code in forbidden or weight <= 0 or (sex and adrg[0] not in "MNO") or code[0] in "ST":
                    continue
                if (sex == 1 and adrg[0] in "NO") or (sex == 2 and adrg[0] == "M"):
                    continue
                levels = {self.grouper.severity([p, code]) for p in principals}
                if len(levels) == 1:
                    level = levels.pop()
                    if level == "none" and code in self.grouper.cc:
                        continue  # an excluded complication says nothing about this ward
                    by_level[level].append((weight * (0.5 + hashed(code, adrg)), code))
            for level, items in sorted(by_level.items()):
                items.sort(reverse=True)
                chosen = items[: POOL_SIZE[level]]
                rows.append((adrg, who, level, "|".join(f"{code}:{weight:.2f}" for weight, code in chosen)))
        return rows

    @staticmethod
    def who(age: str) -> str:
        return {"newborn": "newborn", "infant": "child", "child": "child", "mother": "mother"}.get(age, "adult")

    # -- cases that find no group -------------------------------------------------------------------------------------
    def ambiguous(self, by_adrg: dict[str, list[dict[str, Any]]], rng: np.random.Generator) -> None:
        operations = [t["procedures"][:1] for a, ts in by_adrg.items() if a[0] not in "APYZ" for t in ts[:6] if t["procedures"]]
        operations = [o for o in operations if o[0] in self.grouper.sets["OP_VALID"]]
        for qy, mdc in self.grouper.ambiguous.items():
            medical = [t for a, ts in by_adrg.items() if a[0] == qy[0] and a[1] in "RSTUVWXYZ" for t in ts[:8]]
            found: dict[tuple[str, ...], dict[str, Any]] = {}
            for _ in range(600):
                if not medical or len(found) >= TEMPLATES_PER_ADRG["ambiguous"]:
                    break
                near = medical[int(rng.integers(len(medical)))]
                operation = operations[int(rng.integers(len(operations)))]
                template = {**near, "adrg": qy, "procedures": operation, "companions": [], "weight": 1.0}
                if self.accept(template, qy, mdc):
                    found[(near["diagnosis"], *operation)] = template
            by_adrg[qy] = list(found.values())

    def ungroupable(self) -> list[dict[str, Any]]:
        """Principal diagnoses that no MDC lists: grey codes, causes, germs and states that belong in another place."""
        out = []
        chosen = [
            c
            for c in self.diagnoses
            if c[0] in "UVWXYZ" or c[:3] in ("B95", "B96", "B97", "R99", "Z37", "Z38") or c in self.grey
        ]
        chosen.sort(key=lambda c: hashed(c, "0000"))
        for code in chosen:
            if len(out) == 60:
                break
            if self.sex(code, "") == 0 and self.grouper.adrg(self.record([code], [], 1, "adult", "")) == "0000":
                out.append(
                    {
                        "adrg": "0000",
                        "diagnosis": code,
                        "others": [],
                        "procedures": [],
                        "companions": [],
                        "weight": 1.0 / (1 + len(out)) ** 0.5,
                        "sex": 0,
                        "age": "any_mixed",
                        "min_age": 1,
                        "male_share": 0.52,
                        "base": "none",
                    }
                )
        return out

    def build(self) -> None:
        by_adrg: dict[str, list[dict[str, Any]]] = {}
        for adrg, mdc, kind in self.grouper.adrgs:
            if kind == "ambiguous":
                continue
            rng = np.random.default_rng(zlib.crc32(adrg.encode()))
            by_adrg[adrg] = self.draw(adrg, mdc, kind, rng)
            self.add_companions(by_adrg[adrg], adrg, rng)
            if not by_adrg[adrg]:
                print("no template:", adrg)
        pools = [row for adrg, templates in by_adrg.items() if templates for row in self.pools(templates, adrg)]
        self.ambiguous(by_adrg, np.random.default_rng(20))
        by_adrg["0000"] = self.ungroupable()
        with (TARGET / "templates.csv").open("w", encoding="utf-8", newline="") as file:
            out = csv.writer(file, lineterminator="\n")
            columns = "adrg diagnosis other_diagnoses procedures companions weight male_share age min_age base"
            out.writerow(columns.split())
            for adrg, templates in by_adrg.items():
                total = sum(t["weight"] for t in templates)
                for t in templates:
                    out.writerow(
                        [
                            adrg,
                            t["diagnosis"],
                            "|".join(t["others"]),
                            "|".join(t["procedures"]),
                            "|".join(t["companions"]),
                            f"{t['weight'] / total:.4f}",
                            f"{t['male_share']:g}",
                            t["age"],
                            t["min_age"],
                            t["base"],
                        ]
                    )
        with (TARGET / "pools.csv").open("w", encoding="utf-8", newline="") as file:
            out = csv.writer(file, lineterminator="\n")
            out.writerow(["adrg", "who", "level", "codes"])
            out.writerows(pools)
        print("templates", sum(map(len, by_adrg.values())), "ADRGs", len(by_adrg), "pools", len(pools))
        thin = {a: len(t) for a, t in by_adrg.items() if len(t) < 4}
        print("few templates:", thin)


if __name__ == "__main__":
    Builder().build()

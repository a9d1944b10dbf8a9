"""Reading a DIP catalogue strictly: every problem of its tables and settings is collected, then reading stops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import Any

from drgsim.errors import Problem, SchemeError, did_you_mean
from drgsim.records.code_dictionaries import CodeBook, fold, national_codes
from drgsim.units.dip.code_patterns import (
    ANY_DX,
    CATEGORY_DX,
    FULL_DX,
    RANGE_DX,
    SUBCATEGORY_DX,
    covered_by,
    matching_codes,
    plain_code,
    shape_of,
)
from drgsim.units.dip.dip_catalogue import (
    CHOICES,
    CLASS_COLUMNS,
    CONDITION_NUMBERS,
    KIND_COLUMNS,
    KINDS,
    LEVEL_COLUMNS,
    MEAN_COLUMNS,
    OPERATION_CLASSES,
    SET_COLUMNS,
    SETTINGS,
    STAGES,
    TIES,
    Auxiliary,
    Catalogue,
    Kind,
    Level,
    Matching,
    stage_of,
)
from drgsim.units.schemes.pack import find_pack, read_settings
from drgsim.units.schemes.pack_part import PackPart
from drgsim.units.schemes.pack_settings import EVIDENCE
from drgsim.units.schemes.pack_tables import Row, read_table
from drgsim.units.schemes.rule_language import Always, Rule, sets_of
from drgsim.units.schemes.rule_parser import RuleSyntaxError, parse_rule

_TEXTS = ("id", "kind", "title", "title_zh", "region_zh", "edition", "icd10", "icd9cm3", "evidence")
_KEYS = (*_TEXTS, "sources", "notes", "counts", "matching", "auxiliary")
_FILES = ("kinds.csv", "auxiliary.csv", "sets.csv", "operation_classes.csv")
# shapes of principal diagnosis that a stage may have
_SHAPES: Mapping[str, tuple[int, ...]] = {
    "core": (SUBCATEGORY_DX, FULL_DX),
    "comprehensive": (CATEGORY_DX,),
    "chapter": (RANGE_DX,),
    "blank": (ANY_DX,),
}
_SHAPE_NAMES = ("empty", "a range (A00-A99)", "a category (I21)", "a subcategory (I21.0)", "a full code (I21.001)")
_UNSCORED = ("excluded", "blank")
_MOST_LEVELS = 62


class CatalogueReader(PackPart):
    """Reads one catalogue; collects problems and raises them together."""

    def __init__(self, folder: Path, digest: str, classes: Path) -> None:
        super().__init__(folder, [folder], [])  # a catalogue has no base
        self.digest = digest
        self.classes_path = classes

    def catalogue(self) -> Catalogue:
        """The catalogue, or a SchemeError with every problem."""
        settings = self.settings()
        matching, auxiliary = self.matching(settings), self.auxiliary(settings)
        before = len(self.problems)
        columns = (*KIND_COLUMNS, *self.mean_columns())
        kind_rows = self.table("kinds.csv", columns, columns, needed=True)
        level_rows = self.table("auxiliary.csv", LEVEL_COLUMNS, ("aux", "level"))
        set_rows = self.table("sets.csv", SET_COLUMNS, SET_COLUMNS)
        class_rows = read_table(self.classes_path, CLASS_COLUMNS, ("procedure",), self.problems)
        if len(self.problems) > before:  # a contradiction between tables means nothing while a table cannot be read
            self.stop_if_wrong()
        kinds = tuple(self.kind(row, line, columns) for line, row in enumerate(kind_rows, start=2))
        book, own = self.book(kinds)
        kinds = tuple(_spelled(kind, book) for kind in kinds)
        sets = self.sets(set_rows, book)
        levels = tuple(self.level(row, line, sets) for line, row in enumerate(level_rows, start=2))
        classes = self.classes(class_rows, book)
        catalogue = Catalogue(
            **{key: str(settings.get(key, "")) for key in _TEXTS if key != "kind"},
            sources=tuple(settings.get("sources", ())),
            notes=tuple(settings.get("notes", ())),
            matching=matching,
            auxiliary=auxiliary,
            kinds=kinds,
            levels=levels,
            sets=sets,
            classes=classes,
            book=book,
            own_codes=own,
            digest=self.digest,
            folder=self.folder,
        )
        self.check_together(catalogue, settings.get("counts", {}))
        self.stop_if_wrong()
        return catalogue

    # -- scheme.toml --------------------
    def settings(self) -> dict[str, Any]:
        """The values of ``scheme.toml`` with unknown and missing keys reported."""
        settings = read_settings(self.folder)
        for key in settings:
            if key not in _KEYS:
                fix = did_you_mean(key, _KEYS) or f"the keys are {', '.join(_KEYS)}"
                self.wrong("dip-unknown-key", f"scheme.toml has an unknown key {key!r}", "scheme.toml", fix=fix)
        for key in ("id", "title", "title_zh", "evidence", "sources"):
            if not settings.get(key):
                self.wrong("dip-missing-key", f"scheme.toml lacks {key}", "scheme.toml")
        self.evidence(settings.get("evidence"), "evidence")
        for path in sorted(self.folder.glob("*.csv")):
            if path.name not in _FILES:
                self.wrong(
                    "dip-unknown-file", f"{path.name} is not a table of a catalogue", path.name,
                    why="a misspelt table would be passed over in silence",
                    fix=did_you_mean(path.name, _FILES) or "rename or remove the file",
                )  # fmt: skip
        return settings

    def evidence(self, value: Any, place: str) -> None:
        """Report evidence that is none of the known words."""
        if value is not None and value not in EVIDENCE:
            what = f"{place} is {value!r}"
            self.wrong("dip-unknown-evidence", what, "scheme.toml", fix=f"use one of {', '.join(EVIDENCE)}")

    def block(self, settings: Mapping[str, Any], name: str) -> dict[str, Any]:
        """The values of ``[matching]`` or ``[auxiliary]`` that are sound."""
        sound: dict[str, Any] = {}
        for key, value in settings.get(name, {}).items():
            allowed = CHOICES[name].get(key)
            if key not in SETTINGS[name]:
                fix = did_you_mean(key, SETTINGS[name]) or f"the keys are {', '.join(SETTINGS[name])}"
                self.wrong("dip-unknown-key", f"[{name}] has an unknown key {key!r}", "scheme.toml", fix=fix)
            elif allowed and value not in allowed:
                fix = did_you_mean(str(value), allowed) or f"use one of {', '.join(allowed)}"
                self.wrong("dip-unknown-setting", f"{name}.{key} is {value!r}", "scheme.toml", fix=fix)
            else:
                sound[key] = value
        self.evidence(sound.get("evidence"), f"{name}.evidence")
        return sound

    def matching(self, settings: Mapping[str, Any]) -> Matching:
        """Settings of matching."""
        sound = self.block(settings, "matching")
        for key, known in (("order", STAGES), ("ties", TIES)):
            if key not in sound:
                continue
            names = sound[key] = tuple(sound[key]) if isinstance(sound[key], list) else (str(sound[key]),)
            for name in names:
                if name not in known:
                    fix = did_you_mean(name, known) or f"use {', '.join(known)}"
                    self.wrong("dip-unknown-setting", f"matching.{key} names {name!r}", "scheme.toml", fix=fix)
            if len(set(names)) < len(names):
                self.wrong("dip-unknown-setting", f"matching.{key} names a step twice", "scheme.toml")
        return Matching(**sound)

    def auxiliary(self, settings: Mapping[str, Any]) -> Auxiliary:
        """Settings of the auxiliary lists."""
        sound = Auxiliary(**self.block(settings, "auxiliary"))
        try:
            find_pack(sound.severity_lists)
        except SchemeError as error:
            where = f"{self.folder.name}/scheme.toml: auxiliary.severity_lists"
            self.problems += [replace(problem, where=where) for problem in error.problems]
        return sound

    # -- tables --------------------
    def table(self, name: str, columns: Sequence[str], key: Sequence[str], *, needed: bool = False) -> list[Row]:
        """Rows of a table of the catalogue, none where it is not there."""
        path = self.folder / name
        if not path.is_file():
            if needed:
                self.wrong("dip-missing-table", f"the catalogue lacks {name}", name)
            return []
        return read_table(path, columns, key, self.problems)

    def mean_columns(self) -> tuple[str, ...]:
        """The means by level of hospital, all of them where ``kinds.csv`` has one: a table states them together."""
        path = self.folder / "kinds.csv"
        if not path.is_file():
            return ()
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            header = file.readline().strip().split(",")
        return MEAN_COLUMNS if any(name in MEAN_COLUMNS for name in header) else ()

    def kind(self, row: Row, line: int, columns: Sequence[str]) -> Kind:
        """A line of ``kinds.csv``, with what is wrong in it alone reported."""
        cells = dict(zip(columns, row, strict=True))
        where = f"kinds.csv:{line}"
        type_, code = cells["kind"], cells["code"].strip()
        if not code:
            self.wrong("dip-kind-without-code", f"line {line} names no code", where)
        if type_ not in KINDS:
            fix = did_you_mean(type_, tuple(KINDS)) or f"use one of {', '.join(KINDS)}"
            self.wrong("dip-unknown-kind", f"{code}: kind is {type_!r}", where, fix=fix)
        dx = plain_code(cells["dx"])
        allowed = _SHAPES.get(stage_of(type_))
        if allowed and shape_of(dx) not in allowed:
            wanted = " or ".join(_SHAPE_NAMES[shape] for shape in allowed)
            what = f"{code}: the principal diagnosis {cells['dx']!r} of a {type_} kind is {_SHAPE_NAMES[shape_of(dx)]}"
            self.wrong("dip-kind-diagnosis", what, where, fix=f"give {wanted}")
        procedure = plain_code(cells["procedure"])
        related = tuple(plain_code(one) for one in cells["related"].split("+") if one.strip())
        if related and not procedure:
            what = f"{code} has related procedures and no principal one"
            self.wrong("dip-kind-procedure", what, where, fix="put the principal procedure into the column procedure")
        operation_class = cells["operation_class"]
        if operation_class and operation_class not in OPERATION_CLASSES:
            fix = f"use one of {', '.join(OPERATION_CLASSES)}"
            self.wrong("dip-unknown-class", f"{code}: operation_class is {operation_class!r}", where, fix=fix)
        if operation_class and stage_of(type_) not in ("comprehensive", "chapter", "blank"):
            what = f"{code}: a {type_} kind has no operation_class"
            self.wrong("dip-kind-class", what, where, fix="leave it empty, or make the kind comprehensive")
        if type_ == "comprehensive" and not operation_class:
            self.wrong("dip-kind-class", f"{code}: a comprehensive kind needs an operation_class", where)
        if bool(cells["aux"]) != bool(cells["aux_level"]):
            self.wrong("dip-kind-level", f"{code}: aux and aux_level belong together", where)
        numbers = {name: self.number(cells[name], name, code, where) for name in ("score", "mean_cost", "cases", "cv")}
        if not cells["score"].strip() and type_ not in _UNSCORED:
            self.wrong("dip-kind-score", f"{code} has no score", where)
        cases = numbers["cases"]
        if cases is not None and not cases.is_integer():
            self.wrong("dip-kind-number", f"{code}: cases is {cells['cases']!r}, no whole number", where)
        return Kind(
            code, dx, procedure, related, operation_class, cells["aux"], cells["aux_level"], type_, numbers["score"],
            numbers["mean_cost"], None if cases is None else int(cases), numbers["cv"], cells["dx_name"],
            cells["procedure_name"],
            tuple(self.number(cells[name], name, code, where) for name in columns[len(KIND_COLUMNS) :]),
        )  # fmt: skip

    def number(self, text: str, name: str, code: str, where: str) -> float | None:
        """A number at or above 0, None where the cell is empty."""
        if not text.strip():
            return None
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not isfinite(value) or value < 0:
            self.wrong("dip-kind-number", f"{code}: {name} is {text!r}, no number at or above 0", where)
            return None
        return value

    def book(self, kinds: Sequence[Kind]) -> tuple[CodeBook, tuple[tuple[str, str], ...]]:
        """Dictionaries that know every code of the catalogue, short diagnoses included, and the codes that are its own."""
        national = national_codes()
        diagnoses = {kind.dx: kind.dx_name for kind in reversed(kinds) if shape_of(kind.dx) >= CATEGORY_DX}
        procedures = dict.fromkeys((code for kind in kinds for code in kind.related), "")
        procedures |= {kind.procedure: kind.procedure_name for kind in reversed(kinds) if kind.procedure}
        local = [
            {code: name for code, name in found.items() if fold(code) not in known.keys}
            for found, known in ((diagnoses, national.diagnoses), (procedures, national.procedures))
        ]
        own = [("diagnosis", code) for code in sorted(local[0]) if shape_of(code) == FULL_DX]
        own += [("procedure", code) for code in sorted(local[1])]
        return national.extended(*local), tuple(own)

    def sets(self, rows: Sequence[Row], book: CodeBook) -> dict[str, frozenset[str]]:
        """Code lists of ``sets.csv`` with their patterns resolved."""
        found: dict[str, set[str]] = {}
        for line, (name, pattern) in enumerate(rows, start=2):
            if not name.startswith(("DI_", "OP_")):
                what = f"{name!r} is no name of a code list"
                self.wrong("dip-set-name", what, f"sets.csv:{line}", fix="begin it with DI_ or OP_")
                continue
            codes = matching_codes(pattern, book.diagnoses if name.startswith("DI_") else book.procedures)
            if not codes or not pattern.strip():
                self.wrong("dip-unknown-code", f"{name}: no code begins with {pattern!r}", f"sets.csv:{line}")
            found.setdefault(name, set()).update(codes)
        return {name: frozenset(codes) for name, codes in found.items()}

    def level(self, row: Row, line: int, sets: Mapping[str, frozenset[str]]) -> Level:
        """A line of ``auxiliary.csv``."""
        aux, level, title, title_zh, text, evidence = row
        where = f"auxiliary.csv:{line}"
        rule: Rule = Always()
        try:
            rule = parse_rule(text, CONDITION_NUMBERS)
        except RuleSyntaxError as error:
            self.wrong("dip-unreadable-condition", f"condition of {aux} {level}: {error}", where)
        for name in sorted(sets_of(rule) - set(sets)):
            fix = did_you_mean(name, sorted(sets)) or "add its codes to sets.csv"
            self.wrong("dip-unknown-set", f"{aux} {level} names {name}, which sets.csv does not list", where, fix=fix)
        if not aux or not level:
            self.wrong("dip-level-without-name", f"line {line} names no list or no level", where)
        if evidence not in EVIDENCE:
            what = f"{aux} {level}: evidence is {evidence!r}"
            self.wrong("dip-unknown-evidence", what, where, fix=f"use one of {', '.join(EVIDENCE)}")
        return Level(aux, level, title, title_zh, rule, evidence)

    def classes(self, rows: Sequence[Row], book: CodeBook) -> dict[str, str]:
        """Operation class of every procedure that has one; the longest pattern that fits decides."""
        found: dict[str, str] = {}
        for line, (pattern, name) in sorted(enumerate(rows, start=2), key=lambda each: len(each[1][0].partition("-")[0])):
            if name not in OPERATION_CLASSES:
                where = f"{self.classes_path.parent.name}/{self.classes_path.name}:{line}"
                what, fix = f"{pattern}: class is {name!r}", f"use one of {', '.join(OPERATION_CLASSES)}"
                self.problems.append(Problem("dip-unknown-class", what, where=where, fix=fix))
            found.update(dict.fromkeys(matching_codes(pattern, book.procedures), name))
        return found

    # -- checks across tables --------------------
    def check_together(self, catalogue: Catalogue, promised: Mapping[str, int]) -> None:
        """Lines against each other, levels against lines, settings against tables, counts against promises."""
        self.check_places(catalogue)
        levels = {(level.aux, level.level) for level in catalogue.levels}
        lists = sorted({aux for aux, _ in levels})
        if len(levels) > _MOST_LEVELS:
            self.wrong("dip-many-levels", f"auxiliary.csv has {len(levels)} levels, {_MOST_LEVELS} at most", "auxiliary.csv")
        for line, kind in enumerate(catalogue.kinds, start=2):
            if kind.aux and (kind.aux, kind.aux_level) not in levels:
                fix = did_you_mean(kind.aux, lists) or "say in auxiliary.csv what the level means"
                what = f"{kind.code} has {kind.aux} {kind.aux_level}, which auxiliary.csv does not have"
                self.wrong("dip-unknown-level", what, f"kinds.csv:{line}", fix=fix)
        known = national_codes().diagnoses  # short codes of the catalogue's own would know themselves
        for line, kind in enumerate(catalogue.kinds, start=2):
            if shape_of(kind.dx) != FULL_DX and not covered_by(kind.dx, known):
                self.wrong("dip-unknown-code", f"{kind.code}: no diagnosis begins with {kind.dx}", f"kinds.csv:{line}")
        if "nearest_mean_cost" in catalogue.matching.ties and not any(kind.mean_cost for kind in catalogue.kinds):
            why, fix = "no kind states a mean_cost", "fill the column, or leave nearest_mean_cost out of matching.ties"
            self.wrong("dip-ties-without-cost", "ties are to go to the nearest mean cost", "scheme.toml", why=why, fix=fix)
        actual = {**dict.fromkeys(KINDS, 0), **catalogue.counts}
        for name, count in promised.items():
            if name not in actual:
                fix = did_you_mean(name, tuple(KINDS))
                self.wrong("dip-unknown-count", f"counts.{name} is no type of kind", "scheme.toml", fix=fix)
            elif actual[name] != count:
                what = f"scheme.toml promises {count} kinds {name}, kinds.csv holds {actual[name]}"
                self.wrong("dip-wrong-count", what, "scheme.toml")

    def check_places(self, catalogue: Catalogue) -> None:
        """No combination leads to two kinds; lines of one code agree."""
        places: dict[tuple[object, ...], tuple[str, int]] = {}
        first: dict[str, tuple[Kind, int]] = {}
        for line, kind in enumerate(catalogue.kinds, start=2):
            code, before = places.setdefault(kind.place, (kind.code, line))
            if before != line:
                what = f"{kind.code} on line {line} is the same combination as {code} on line {before}"
                self.wrong("dip-duplicate-combination", what, f"kinds.csv:{line}", fix="remove one of the two lines")
            same, before = first.setdefault(kind.code, (kind, line))
            for name in ("kind", "score", "mean_cost", "cases", "cv", "level_means"):
                if getattr(same, name) != getattr(kind, name):
                    what = f"{kind.code} has another {name} on line {line} than on line {before}"
                    self.wrong("dip-kind-disagrees", what, f"kinds.csv:{line}", fix="lines of one kind say the same of it")


def _spelled(kind: Kind, book: CodeBook) -> Kind:
    """The same line with full codes as the dictionaries spell them."""
    procedure, related = kind.procedure, kind.related
    dx = book.diagnoses.canonical(kind.dx) if shape_of(kind.dx) == FULL_DX else kind.dx
    if procedure:
        procedure = book.procedures.canonical(procedure)
        related = tuple(book.procedures.canonical(code) for code in related)
    if (dx, procedure, related) == (kind.dx, kind.procedure, kind.related):
        return kind
    return replace(kind, dx=dx, procedure=procedure, related=related)

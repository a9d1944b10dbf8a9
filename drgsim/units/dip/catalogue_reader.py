"""Reading a DIP catalogue strictly: every problem of its tables and settings is collected, then reading stops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from drgsim.errors import Problem, SchemeError, did_you_mean, words_of
from drgsim.language import from_both_languages, text
from drgsim.records.code_dictionaries import CodeBook, fold, national_codes
from drgsim.units.dip.code_patterns import (
    CATEGORY_DX,
    FULL_DX,
    covered_by,
    matching_codes,
    shape_of,
)
from drgsim.units.dip.dip_catalogue import (
    CHOICES,
    CLASS_COLUMNS,
    CONDITION_NUMBERS,
    KIND_COLUMNS,
    KINDS,
    LEVEL_COLUMNS,
    LINE_COLUMNS,
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
    alternatives,
)
from drgsim.units.dip.excluded_codes import EXCLUDED_COLUMNS, read_excluded
from drgsim.units.dip.kind_line_reader import KindLineReader, spelled_line
from drgsim.units.dip.primary_care import PRIMARY_CARE_COLUMNS, read_primary_care
from drgsim.units.schemes.pack import find_pack, read_settings
from drgsim.units.schemes.pack_settings import EVIDENCE
from drgsim.units.schemes.pack_tables import Row, read_table
from drgsim.units.schemes.rule_language import Always, Rule, sets_of
from drgsim.units.schemes.rule_parser import RuleSyntaxError, parse_rule

_TEXTS = ("id", "kind", "title", "title_zh", "region_zh", "edition", "icd10", "icd9cm3", "evidence")
_KEYS = (*_TEXTS, "scored", "sources", "sources_zh", "notes", "notes_zh", "counts", "readings", "matching", "auxiliary")
_FILES = ("kinds.csv", "auxiliary.csv", "sets.csv", "operation_classes.csv", "excluded_codes.csv", "primary_care.csv")
_READINGS = ("excluded_diagnoses", "excluded_procedures", *STAGES, "primary_care")  # topics
_MOST_LEVELS = 62


class CatalogueReader(KindLineReader):
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
        columns = (*KIND_COLUMNS, *self.more_columns())
        kind_rows = self.table("kinds.csv", columns, columns, needed=True)
        level_rows = self.table("auxiliary.csv", LEVEL_COLUMNS, ("aux", "level"))
        set_rows = self.table("sets.csv", SET_COLUMNS, SET_COLUMNS)
        class_rows = read_table(self.classes_path, CLASS_COLUMNS, ("procedure",), self.problems)
        excluded_rows = self.table("excluded_codes.csv", EXCLUDED_COLUMNS, ("code_type", "code"))
        care_rows = self.table("primary_care.csv", PRIMARY_CARE_COLUMNS, ("dx", "procedure"))
        if len(self.problems) > before:  # a contradiction between tables means nothing while a table cannot be read
            self.stop_if_wrong()
        scored = settings.get("scored", True)
        kinds = tuple(self.kind(row, line, columns, scored=scored) for line, row in enumerate(kind_rows, start=2))
        book, own = self.book(kinds)
        kinds = tuple(spelled_line(kind, book) for kind in kinds)
        sets = self.sets(set_rows, book)
        levels = tuple(self.level(row, line, sets) for line, row in enumerate(level_rows, start=2))
        classes = self.classes(class_rows, book)
        catalogue = Catalogue(
            **{key: str(settings.get(key, "")) for key in _TEXTS if key != "kind"},
            sources=from_both_languages("sources", settings),
            notes=from_both_languages("notes", settings),
            scored=scored,
            readings=dict(settings.get("readings", {})),
            matching=matching,
            auxiliary=auxiliary,
            kinds=kinds,
            levels=levels,
            sets=sets,
            classes=classes,
            conditions=self.conditions(kinds, sets),
            excluded=read_excluded(self, excluded_rows, book),
            primary_care=read_primary_care(self, care_rows, book),
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
                fix = did_you_mean(key, _KEYS) or text("the keys are {keys}", keys=", ".join(_KEYS))
                self.wrong("dip-unknown-key", text("scheme.toml has an unknown key {key!r}", key=key), "scheme.toml", fix=fix)
        for key in ("id", "title", "title_zh", "evidence", "sources"):
            if not settings.get(key):
                self.wrong("dip-missing-key", text("scheme.toml lacks {key}", key=key), "scheme.toml")
        self.evidence(settings.get("evidence"), "evidence")
        for topic in settings.get("readings", {}):
            if topic not in _READINGS:
                fix = did_you_mean(topic, _READINGS) or text("the topics are {readings}", readings=", ".join(_READINGS))
                self.wrong(
                    "dip-unknown-key", text("[readings] has an unknown topic {topic!r}", topic=topic), "scheme.toml", fix=fix
                )
        if not isinstance(settings.get("scored", True), bool):
            self.wrong(
                "dip-unknown-setting",
                text("scored is {scored!r}", scored=settings["scored"]),
                "scheme.toml",
                fix=text("use true or false"),
            )
        for path in sorted(self.folder.glob("*.csv")):
            if path.name not in _FILES:
                self.wrong(
                    "dip-unknown-file", text("{file} is not a table of a catalogue", file=path.name), path.name,
                    why=text("a misspelt table would be passed over in silence"),
                    fix=did_you_mean(path.name, _FILES) or text("rename or remove the file"),
                )  # fmt: skip
        return settings

    def evidence(self, value: Any, place: str) -> None:
        """Report evidence that is none of the known words."""
        if value is not None and value not in EVIDENCE:
            what = text("{place} is {value!r}", place=place, value=value)
            self.wrong(
                "dip-unknown-evidence", what, "scheme.toml", fix=text("use one of {evidence}", evidence=", ".join(EVIDENCE))
            )

    def block(self, settings: Mapping[str, Any], name: str) -> dict[str, Any]:
        """The values of ``[matching]`` or ``[auxiliary]`` that are sound."""
        sound: dict[str, Any] = {}
        for key, value in settings.get(name, {}).items():
            allowed = CHOICES[name].get(key)
            if key not in SETTINGS[name]:
                fix = did_you_mean(key, SETTINGS[name]) or text("the keys are {settings}", settings=", ".join(SETTINGS[name]))
                self.wrong(
                    "dip-unknown-key", text("[{name}] has an unknown key {key!r}", name=name, key=key), "scheme.toml", fix=fix
                )
            elif allowed and value not in allowed:
                fix = did_you_mean(str(value), allowed) or text("use one of {allowed}", allowed=", ".join(allowed))
                self.wrong(
                    "dip-unknown-setting",
                    text("{name}.{key} is {value!r}", name=name, key=key, value=value),
                    "scheme.toml",
                    fix=fix,
                )
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
                    self.wrong(
                        "dip-unknown-setting", text("matching.{key} names {name!r}", key=key, name=name), "scheme.toml", fix=fix
                    )
            if len(set(names)) < len(names):
                self.wrong("dip-unknown-setting", text("matching.{key} names a step twice", key=key), "scheme.toml")
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
                self.wrong("dip-missing-table", text("the catalogue lacks {name}", name=name), name)
            return []
        return read_table(path, columns, key, self.problems)

    def more_columns(self) -> tuple[str, ...]:
        """Columns of ``kinds.csv`` that may be left out and are there; of the means by level of hospital all or none."""
        path = self.folder / "kinds.csv"
        if not path.is_file():
            return ()
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            header = file.readline().strip().split(",")
        means = MEAN_COLUMNS if any(name in MEAN_COLUMNS for name in header) else ()
        return (*(name for name in LINE_COLUMNS if name in header), *means)

    def book(self, kinds: Sequence[Kind]) -> tuple[CodeBook, tuple[tuple[str, str], ...]]:
        """Dictionaries that know every code of the catalogue, short diagnoses included, and the codes that are its own."""
        national = national_codes()
        diagnoses = {
            dx: kind.dx_name for kind in reversed(kinds) for dx in alternatives(kind.dx) if shape_of(dx) >= CATEGORY_DX
        }
        procedures = dict.fromkeys((code for kind in kinds for one in kind.related for code in alternatives(one)), "")
        procedures |= {code: "" for kind in kinds for code in alternatives(kind.procedure)}
        procedures |= {kind.procedure: kind.procedure_name for kind in reversed(kinds) if kind.procedure in procedures}
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
                what = text("{name!r} is no name of a code list", name=name)
                self.wrong("dip-set-name", what, f"sets.csv:{line}", fix=text("begin it with DI_ or OP_"))
                continue
            codes = matching_codes(pattern, book.diagnoses if name.startswith("DI_") else book.procedures)
            if not codes or not pattern.strip():
                self.wrong(
                    "dip-unknown-code",
                    text("{name}: no code begins with {pattern!r}", name=name, pattern=pattern),
                    f"sets.csv:{line}",
                )
            found.setdefault(name, set()).update(codes)
        return {name: frozenset(codes) for name, codes in found.items()}

    def level(self, row: Row, line: int, sets: Mapping[str, frozenset[str]]) -> Level:
        """A line of ``auxiliary.csv``."""
        aux, level, title, title_zh, cells, evidence = row
        where = f"auxiliary.csv:{line}"
        rule = self.rule(cells, f"{aux} {level}", where, sets)
        if not aux or not level:
            self.wrong("dip-level-without-name", text("line {line} names no list or no level", line=line), where)
        if evidence not in EVIDENCE:
            what = text("{aux} {level}: evidence is {evidence!r}", aux=aux, level=level, evidence=evidence)
            self.wrong("dip-unknown-evidence", what, where, fix=text("use one of {evidence}", evidence=", ".join(EVIDENCE)))
        return Level(aux, level, title, title_zh, rule, evidence)

    def rule(self, written: str, of: str, where: str, sets: Mapping[str, frozenset[str]]) -> Rule:
        """A condition, read, with what is wrong in it reported."""
        rule: Rule = Always()
        try:
            rule = parse_rule(written, CONDITION_NUMBERS)
        except RuleSyntaxError as error:
            self.wrong("dip-unreadable-condition", text("condition of {of}: {error}", of=of, error=words_of(error)), where)
        for name in sorted(sets_of(rule) - set(sets)):
            fix = did_you_mean(name, sorted(sets)) or text("add its codes to sets.csv")
            self.wrong(
                "dip-unknown-set", text("{of} names {name}, which sets.csv does not list", of=of, name=name), where, fix=fix
            )
        return rule

    def conditions(self, kinds: Sequence[Kind], sets: Mapping[str, frozenset[str]]) -> dict[str, Rule]:
        """The conditions of lines, each read once."""
        found: dict[str, Rule] = {}
        for line, kind in enumerate(kinds, start=2):
            if kind.condition and kind.condition not in found:
                found[kind.condition] = self.rule(kind.condition, kind.code, f"kinds.csv:{line}", sets)
        return found

    def classes(self, rows: Sequence[Row], book: CodeBook) -> dict[str, str]:
        """Operation class of every procedure that has one; the longest pattern that fits decides."""
        found: dict[str, str] = {}
        for line, (pattern, name) in sorted(enumerate(rows, start=2), key=lambda each: len(each[1][0].partition("-")[0])):
            if name not in OPERATION_CLASSES:
                where = f"{self.classes_path.parent.name}/{self.classes_path.name}:{line}"
                what, fix = (
                    text("{pattern}: class is {name!r}", pattern=pattern, name=name),
                    text("use one of {operation_classes}", operation_classes=", ".join(OPERATION_CLASSES)),
                )
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
            self.wrong(
                "dip-many-levels",
                text(
                    "auxiliary.csv has {levels_count} levels, {most_levels} at most",
                    levels_count=len(levels),
                    most_levels=_MOST_LEVELS,
                ),
                "auxiliary.csv",
            )
        for line, kind in enumerate(catalogue.kinds, start=2):
            if kind.aux and (kind.aux, kind.aux_level) not in levels:
                fix = did_you_mean(kind.aux, lists) or text("say in auxiliary.csv what the level means")
                what = text(
                    "{kind} has {aux} {aux_level}, which auxiliary.csv does not have",
                    kind=kind.code,
                    aux=kind.aux,
                    aux_level=kind.aux_level,
                )
                self.wrong("dip-unknown-level", what, f"kinds.csv:{line}", fix=fix)
        known = national_codes().diagnoses  # short codes of the catalogue's own would know themselves
        for line, kind in enumerate(catalogue.kinds, start=2):
            for dx in alternatives(kind.dx):
                if shape_of(dx) != FULL_DX and not covered_by(dx, known):
                    self.wrong(
                        "dip-unknown-code",
                        text("{kind}: no diagnosis begins with {dx}", kind=kind.code, dx=dx),
                        f"kinds.csv:{line}",
                    )
            self.check_alternatives(kind, f"kinds.csv:{line}", placed=catalogue.matching.principal_procedure)
        if "nearest_mean_cost" in catalogue.matching.ties and not any(kind.mean_cost for kind in catalogue.kinds):
            why, fix = (
                text("no kind states a mean_cost"),
                text("fill the column, or leave nearest_mean_cost out of matching.ties"),
            )
            self.wrong(
                "dip-ties-without-cost", text("ties are to go to the nearest mean cost"), "scheme.toml", why=why, fix=fix
            )
        actual = {**dict.fromkeys(KINDS, 0), **catalogue.counts}
        for name, count in promised.items():
            if name not in actual:
                fix = did_you_mean(name, tuple(KINDS))
                self.wrong("dip-unknown-count", text("counts.{name} is no type of kind", name=name), "scheme.toml", fix=fix)
            elif actual[name] != count:
                what = text(
                    "scheme.toml promises {count} kinds {name}, kinds.csv holds {actual}",
                    count=count,
                    name=name,
                    actual=actual[name],
                )
                self.wrong("dip-wrong-count", what, "scheme.toml")

    def check_places(self, catalogue: Catalogue) -> None:
        """No combination leads to two kinds; lines of one code agree."""
        places: dict[tuple[object, ...], tuple[str, int]] = {}
        first: dict[str, tuple[Kind, int]] = {}
        for line, kind in enumerate(catalogue.kinds, start=2):
            code, before = places.setdefault(kind.place, (kind.code, line))
            if before != line:
                what = text(
                    "{kind} on line {line} is the same combination as {code} on line {before}",
                    kind=kind.code,
                    line=line,
                    code=code,
                    before=before,
                )
                self.wrong(
                    "dip-duplicate-combination",
                    what,
                    f"kinds.csv:{line}",
                    fix=text("remove one of the two lines"),
                )
            same, before = first.setdefault(kind.code, (kind, line))
            for name in ("kind", "score", "mean_cost", "cases", "cv", "level_means"):
                if getattr(same, name) != getattr(kind, name):
                    what = text(
                        "{kind} has another {name} on line {line} than on line {before}",
                        kind=kind.code,
                        name=name,
                        line=line,
                        before=before,
                    )
                    self.wrong(
                        "dip-kind-disagrees",
                        what,
                        f"kinds.csv:{line}",
                        fix=text("lines of one kind say the same of it"),
                    )

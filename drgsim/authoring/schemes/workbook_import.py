"""The national grouping workbook to a scheme pack.

The official file has six sheets (MDC, ADRG, DRG, 集合, CC, 排除表). What it does not state is worked out or left empty, never
made up: :mod:`drgsim.authoring.schemes.workbook_groups` tells how kinds and orders come about. An export adds a sheet with
the settings of the pack.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from drgsim.authoring.schemes.pack_writer import natural
from drgsim.authoring.schemes.workbook_groups import GroupSheets, WorkbookReading
from drgsim.authoring.schemes.workbook_pack import workbook_pack
from drgsim.authoring.schemes.workbook_sheets import Sheet, layout, pack_names, read_sheets
from drgsim.errors import SchemeError, words_of
from drgsim.language import text
from drgsim.records.code_dictionaries import CodeList, national_codes


def read_workbook(
    path: str | Path, scheme_id: str, *, corrections: str | Path | None = None, keep_unread: bool = False
) -> WorkbookReading:
    """Read a workbook in the official layout as a full pack.

    Parameters
    ----------
    path
        The workbook.
    scheme_id
        Id of the pack.
    corrections
        ``published`` for the corrections that ship with drgsim, or a CSV table with the columns exclusion, code, source.
    keep_unread
        Make rows whose rule cannot be read never hold (``not 1``) and go on, instead of refusing the workbook.

    Raises
    ------
    InputError
        When the file is no workbook.
    SchemeError
        With everything that is wrong, each with sheet and row.
    """
    return _WorkbookReader(Path(path), scheme_id, keep_unread).read(corrections)


class _WorkbookReader(GroupSheets):
    """All sheets: groups, code lists, CC and exclusions, checked against each other."""

    def read(self, corrections: str | Path | None) -> WorkbookReading:
        sheets, extra, self.problems = read_sheets(self.path)
        if self.problems:
            raise SchemeError(self.problems)
        settings, local_names = _extra(extra)
        mdcs = self.mdcs(sheets["mdc"])
        adrgs = self.children(sheets["adrg"], "adrg", "mdc", {row[1] for row in mdcs})
        drgs = self.children(sheets["drg"], "drg", "adrg", {row[1] for row in adrgs})
        for code in sorted({str(row[1]) for row in adrgs} - {str(row[2]) for row in drgs}):
            self.wrong(
                "workbook-adrg-without-drg",
                text("ADRG {code} has no row in sheet {sheet}", code=code, sheet=sheets["drg"].name),
                sheets["adrg"],
            )
        sets, names = self.sets(sheets["sets"])
        cc = self.cc(sheets["cc"], names)
        exclusions = self.exclusions(sheets["exclusions"], corrections)
        self.check_exclusion_ids(sheets["cc"], cc, {row[0] for row in exclusions})
        local = self.local_codes(sets, cc, exclusions, {**names, **local_names})
        if self.result.unread and not self.keep_unread:
            self.problems += self.result.unread
        if self.problems:
            raise SchemeError(self.problems)
        tables = {
            "mdc": mdcs, "adrg": adrgs, "drg": drgs, "sets": sets, "cc": cc, "exclusions": exclusions, "local_codes": local,
        }  # fmt: skip
        stated = {"title_zh": sheets["mdc"].title, "document": self.path.name} | settings
        notes: list[str] = [
            text("rule not read, the row never holds: {where}", where=problem.where) for problem in self.result.unread
        ]
        if settings:  # an export states its notes; what this reading changed is added
            notes = [*(note for note in self.result.notices if note.startswith("correction applied")), *notes]
        else:
            notes = [text("read from the workbook {file}", file=self.path.name), *self.result.notices, *notes]
        self.result.files, self.result.counts = workbook_pack(self.id, stated, notes, tables)
        return self.result

    # -- lists -------------------------------------------------------------------------------------------------------------
    def sets(self, sheet: Sheet) -> tuple[list[Sequence[Any]], dict[str, str]]:
        rows: dict[tuple[str, str], None] = {}
        names: dict[str, str] = {}
        defined: set[str] = set()
        written: dict[str, str] = {}  # name in the pack -> name in the workbook
        double = 0
        for number, row in sheet:
            official, code = row["set"], row["code"]
            if not official or not code:
                self.wrong("workbook-broken-row", text("a row of the sets lacks the set or the code"), sheet, number)
                continue
            name = pack_names(official)
            if written.setdefault(name, official) != official:
                what = text(
                    "the sets {first} and {second} would both be called {name}",
                    first=written[name],
                    second=official,
                    name=name,
                )
                self.wrong(
                    "workbook-set-twice", what, sheet, number, fix=text("give one of them another name, in the rules too")
                )
                continue
            defined.add(name)
            if row.get("name"):
                names.setdefault(code, row["name"])
            double += (name, code) in rows
            if name in self.named:
                rows[name, code] = None
        for name in sorted(set(self.named) - defined):
            self.wrong(
                "workbook-unknown-set",
                text(
                    "{named} names the set {name}, which sheet {sheet} does not list",
                    named=self.named[name],
                    name=name,
                    sheet=sheet.name,
                ),
            )
        self.notice(double, text("rows of sheet {sheet} stand twice; kept once", sheet=sheet.name))
        unused = sorted(defined - set(self.named))
        self.notice(
            len(unused),
            text(
                "sets that no rule names are left out: {sets}",
                sets=", ".join(unused[:8]) + (" ..." if len(unused) > 8 else ""),
            ),
        )
        return list[Sequence[Any]](sorted(rows)), names

    def cc(self, sheet: Sheet, names: dict[str, str]) -> list[Sequence[Any]]:
        rows: dict[str, tuple[str, str, str]] = {}
        none, without = layout()["cc"]["no_exclusion"], 0
        for number, row in sheet:
            code, level = row["code"], re.sub(r"[^A-Z]", "", row["level"].upper())
            if row["exclusion"] in none:
                row["exclusion"] = ""
                without += 1
            if level not in ("MCC", "CC"):
                self.wrong(
                    "workbook-unknown-level",
                    text("{code}: the type is {level!r}", code=code, level=row["level"]),
                    sheet,
                    number,
                    fix=text("use MCC or CC"),
                )
            elif code in rows and rows[code] != (code, level, row["exclusion"]):
                self.wrong(
                    "workbook-duplicate-row",
                    text("{code} stands twice in sheet {sheet} with different entries", code=code, sheet=sheet.name),
                    sheet,
                    number,
                )
            else:
                rows[code] = (code, level, row["exclusion"])
                if row.get("name"):
                    names.setdefault(code, row["name"])
        self.notice(
            without,
            text(
                "rows of sheet {sheet} have {exclusion} as exclusion: no principal diagnosis excludes them",
                sheet=sheet.name,
                exclusion=none[0],
            ),
        )
        return [rows[code] for code in sorted(rows)]

    def exclusions(self, sheet: Sheet, corrections: str | Path | None) -> list[Sequence[Any]]:
        rows: dict[tuple[str, str], None] = {}
        double = 0
        for number, row in sheet:
            if not row["exclusion"] or not row["code"]:
                self.wrong("workbook-broken-row", text("a row of the exclusions lacks the id or the code"), sheet, number)
                continue
            double += (row["exclusion"], row["code"]) in rows
            rows[row["exclusion"], row["code"]] = None
        self.notice(double, text("rows of sheet {sheet} stand twice; kept once", sheet=sheet.name))
        known = {key[0] for key in rows}
        for exclusion, code, source in read_corrections(corrections):
            if exclusion not in known:
                self.result.notices.append(
                    text(
                        "correction {exclusion} {code} not applied: the workbook has no exclusion list {exclusion}",
                        exclusion=exclusion,
                        code=code,
                    )
                )
            elif (exclusion, code) in rows:
                self.result.notices.append(
                    text("correction {exclusion} {code} not needed: the row is there", exclusion=exclusion, code=code)
                )
            else:
                rows[exclusion, code] = None
                self.result.notices.append(
                    text(
                        "correction applied: {exclusion} {code} added ({source})", exclusion=exclusion, code=code, source=source
                    )
                )
        return sorted(rows, key=lambda key: (natural(key[0]), key[1]))

    def check_exclusion_ids(self, sheet: Sheet, cc: list[Sequence[Any]], known: set[str]) -> None:
        for exclusion, count in sorted(Counter(row[2] for row in cc if row[2] and row[2] not in known).items()):
            self.wrong(
                "workbook-unknown-exclusion",
                text(
                    "{count} rows of sheet {sheet} refer to exclusion {exclusion}, which the workbook does not list",
                    count=count,
                    sheet=sheet.name,
                    exclusion=exclusion,
                ),
            )

    def local_codes(
        self, sets: list[Sequence[Any]], cc: list[Sequence[Any]], exclusions: list[Sequence[Any]], names: Mapping[str, str]
    ) -> list[Sequence[Any]]:
        """Codes outside the national dictionaries: they stay in the lists and are named in ``local_codes.csv``."""
        national = national_codes()
        used = {"diagnosis": {row[0] for row in cc} | {row[1] for row in exclusions}, "procedure": set[str]()}
        for name, code in sets:
            used["diagnosis" if name.startswith("DI_") else "procedure"].add(code)
        books: dict[str, CodeList] = {"diagnosis": national.diagnoses, "procedure": national.procedures}
        local = [(kind, code) for kind in books for code in sorted(used[kind].difference(books[kind].codes))]
        self.notice(len(local), text("codes outside the national dictionaries (医保版2.0), listed in local_codes.csv"))
        return [(kind, code, names.get(code, "")) for kind, code in local]


def _extra(rows: Sequence[Sequence[Any]]) -> tuple[dict[str, Any], dict[str, str]]:
    """Settings and names of local codes from the sheet that an export adds."""
    settings: dict[str, Any] = {}
    names: dict[str, str] = {}
    for row in rows[1:]:
        cells = [str(cell) for cell in (*row, "", "", "")[:3]]
        if cells[0] == "setting":
            try:
                settings[cells[1]] = json.loads(cells[2])
            except json.JSONDecodeError as error:
                raise SchemeError.single(
                    "workbook-unreadable-setting",
                    text("the setting {name} is not valid JSON: {error}", name=cells[1], error=words_of(error)),
                    where=text("sheet {sheet}", sheet=layout()["extra"]),
                    fix=text("remove the sheet, or export the scheme again"),
                ) from error  # fmt: skip
        elif cells[0] == "local code":
            names[cells[1]] = cells[2]
    return settings, names


def read_corrections(corrections: str | Path | None) -> list[tuple[str, str, str]]:
    """Rows (exclusion, code, source) of ``published`` or of a CSV table."""
    if not corrections:
        return []
    path = Path(__file__).parent / "corrections.csv" if str(corrections) == "published" else Path(corrections)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [(row["exclusion"], row["code"], row.get("source") or path.name) for row in csv.DictReader(file)]
    except (OSError, KeyError, UnicodeDecodeError) as error:
        raise SchemeError.single(
            "corrections-unreadable",
            text("the corrections {path} cannot be read: {error!r}", path=path, error=error),
            where=str(path),
            fix=text("give published, or a CSV table with the columns exclusion, code and source"),
        ) from error

"""What a user says about the input: its layout, columns of its own, the version of its codes."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from drgsim.errors import UNREAD, Problem, UsageError, words_of
from drgsim.language import text
from drgsim.records.code_dictionaries import OWN_VERSION


@dataclass(frozen=True)
class Purpose:
    """What a command wants of a file.

    Attributes
    ----------
    required
        Canonical columns without which the file is refused; None for those that grouping needs.
    also
        Names of further columns that the command reads itself: they may be mapped to, and they tell a header from a title.
    raw
        The columns are taken as they are; no layout is looked for.
    """

    required: tuple[str, ...] | None = None
    also: Collection[str] = ()
    raw: bool = False


GROUPING = Purpose()
RAW = Purpose(required=(), raw=True)


@dataclass(frozen=True)
class KeptColumns:
    """A mapping of columns that is kept for the files of a hospital.

    Attributes
    ----------
    files
        A pattern of paths (``仁爱*.csv``, ``H01/*``), or a word that the path has, such as the id of a hospital.
    maps
        Pairs (column of the file, canonical column).
    source
        The file that says so.
    """

    files: str
    maps: tuple[tuple[str, str], ...]
    source: str = ""

    def fits(self, path: str) -> bool:
        """Whether a file, as the user named it, is one of these.

        Examples
        --------
        >>> KeptColumns("H01", ()).fits("2024/H01_09.csv"), KeptColumns("H01", ()).fits("H012.csv")
        (True, False)
        >>> KeptColumns("H01/*.csv", ()).fits("all/H01/9月.csv"), KeptColumns("仁爱", ()).fits("仁爱医院9月.xlsx")
        (True, True)
        """
        if any(sign in self.files for sign in "*?["):
            return PurePath(path).match(self.files)
        return re.search(rf"(?<![0-9A-Za-z]){re.escape(self.files)}(?![0-9A-Za-z])", path) is not None


@dataclass(frozen=True)
class InputOptions:
    """How to read case-mix files.

    Attributes
    ----------
    format
        Name of a layout; None to recognise it by the headers.
    maps
        Pairs (column of the file, canonical column); they go before what the layout says. ``A48+A49`` joins two columns
        by ``-``.
    code_version
        Edition of the codes: ``yb2`` (医保版 2.0) or one that ``groupers/icd/versions.yaml`` has maps for, such as ``gl2``.
    sheets
        Sheets of a workbook to read, by name or number; those that hold discharges when none is named.
    source_column
        Name of a column that is put beside those of the file and says which file a record is of; None for no such column.
    kept
        Mappings that are kept for files; of those that fit a file the first holds for it, after ``maps``.
    """

    format: str | None = None
    maps: tuple[tuple[str, str], ...] = ()
    code_version: str = OWN_VERSION
    sheets: tuple[str, ...] = ()
    source_column: str | None = None
    kept: tuple[KeptColumns, ...] = ()

    def for_file(self, path: str) -> InputOptions:
        """The options for one file: what is kept for it is among ``maps``, unless these say something else.

        Examples
        --------
        >>> kept = KeptColumns("H01", (("主诊", "principal_diagnosis"), ("岁", "age")))
        >>> InputOptions(maps=(("年龄2", "age"),), kept=(kept,)).for_file("H01.csv").maps
        (('年龄2', 'age'), ('主诊', 'principal_diagnosis'))
        """
        kept = next((each for each in self.kept if each.fits(path.rpartition("@")[2])), None)
        if kept is None:
            return replace(self, kept=())
        said = {name for pair in self.maps for name in pair}
        more = tuple(pair for pair in kept.maps if not said & set(pair))
        return replace(self, maps=self.maps + more, kept=(kept,))

    @classmethod
    def of(
        cls,
        format: str | None = None,
        maps: Sequence[str] = (),
        map_file: str | Path | None = None,
        code_version: str = OWN_VERSION,
        also: Collection[str] = (),
        sheets: Sequence[str] = (),
    ) -> InputOptions:
        """Options as they are typed: ``maps`` as ``"own=canonical"``, after those of a mapping file.

        ``also`` names columns beside the canonical ones that the command reads, such as ``drg`` in settling.

        Raises
        ------
        UsageError
            When a mapping names no canonical column or a layout or code version does not exist; all problems at once.

        Examples
        --------
        >>> InputOptions.of(maps=["主诊=principal_diagnosis"]).maps
        (('主诊', 'principal_diagnosis'),)
        """
        from drgsim.records.conversion import check_version
        from drgsim.records.layout import canonical_name, check_format

        problems: list[Problem] = []
        pairs = [(own, name, str(map_file)) for own, name in (_mapping_file(Path(map_file), problems) if map_file else ())]
        for pair in maps:
            own, sign, name = pair.rpartition("=")
            if sign and own.strip():
                pairs.append((own.strip(), name.strip(), f"--map {pair}"))
            else:
                fix = text('write the file\'s column, "=", and the canonical one: --map "主诊=principal_diagnosis"')
                problems.append(
                    Problem("map-malformed", text("the mapping {pair!r} has no '='", pair=pair), where="--map", fix=fix)
                )
        read: list[tuple[str, str]] = []
        for own, name, where in pairs:
            canonical, problem = (name, None) if name in also else canonical_name(own, name, where)
            if problem:
                problems.append(problem)
            else:
                read.append((own, canonical))
        problems += [problem for problem in (check_format(format), check_version(code_version)) if problem]
        if problems:
            raise UsageError(problems)
        return cls(format, tuple(read), code_version, tuple(sheets))


def _mapping_file(path: Path, problems: list[Problem]) -> list[tuple[str, str]]:
    """Pairs of a mapping file: YAML ``own: canonical``, or CSV with the two columns in this order (``from,to``)."""
    from drgsim.records.text_encoding import sniff_encoding

    found: list[Problem] = []
    fix = text('YAML has lines such as "主诊: principal_diagnosis"; CSV has the columns from,to')
    try:
        content = path.read_bytes()
        decoded = content.decode(sniff_encoding(content)).lstrip("\ufeff")
    except (OSError, ValueError) as error:
        what = text("the mapping file {file} cannot be read: {error}", file=path.name, error=words_of(error, UNREAD))
        problems.append(Problem("map-file-broken", what, where=str(path), fix=fix))
        return []
    read = _yaml_pairs if path.suffix.lower() in (".yaml", ".yml") else _csv_pairs
    pairs = read(decoded, found)
    problems += [replace(each, code="map-file-broken", where=str(path), fix=each.fix or fix) for each in found]
    return [] if found else pairs


def _yaml_pairs(content: str, problems: list[Problem]) -> list[tuple[str, str]]:
    from drgsim.parameters.strict_file import parse_value

    entries = parse_value(content, "map-file", problems, text("the mapping file"))
    if problems or entries is None:  # an empty file maps nothing
        return []
    if not isinstance(entries, dict) or not all(isinstance(name, str) for name in entries.values()):
        problems.append(Problem("map-file", text("the mapping file is no mapping of names to names")))
        return []
    return [(str(own), name) for own, name in entries.items()]


def _csv_pairs(content: str, problems: list[Problem]) -> list[tuple[str, str]]:
    import csv

    try:
        rows = [row for row in csv.reader(content.splitlines()) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        problems.append(Problem("map-file", text("the mapping file cannot be read: {error}", error=words_of(error, UNREAD))))
        return []
    if rows and [cell.strip().lower() for cell in rows[0][:2]] == ["from", "to"]:
        del rows[0]
    if any(len(row) < 2 for row in rows):
        problems.append(Problem("map-file", text("the mapping file has a line without a second column")))
        return []
    return [(row[0].strip(), row[1].strip()) for row in rows]

"""A city's scheme from the list of groups that it publishes: codes and names become DRG rules upon the ADRGs of a base.

Most cities publish no rules. The ADRGs of their schemes are those of the national version; what is their own is how an ADRG is
split, and the codes and names of the list say that in fixed words (see ``name_patterns.yaml``). What the words do not say needs
a person: such a row never holds (``not 1``) until somebody writes its rule.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from drgsim.authoring.schemes.group_names import NameReading, mend_code, patterns, plain, read_name, upper_ends
from drgsim.errors import UNREAD, InputError, Problem, words_of
from drgsim.language import joined, term, text
from drgsim.units.schemes.coverage import case_share, rules_coverage
from drgsim.units.schemes.rule_language import Rule, print_rule
from drgsim.units.schemes.rule_parser import parse_rule
from drgsim.units.schemes.scheme import Adrg, Scheme

NEVER = "not 1"
RANK = {"MCC": 0, "CC": 1, "ANY": 2, "NOT_MCC": 3, "NONE": 4, "ALL": 5, "": 6}
_ALONE = {
    "MCC": "QTZD in MCC", "CC": "QTZD in CC and QTZD not in MCC", "ANY": "QTZD in {MCC, CC}", "NOT_MCC": "QTZD not in MCC",
    "NONE": "QTZD not in {MCC, CC}",
}  # fmt: skip
_IN_TURN = {"MCC": "QTZD in MCC", "CC": "QTZD in {MCC, CC}", "ANY": "QTZD in {MCC, CC}"}
_CODE_TITLES = ("drg", "code", "drg编码", "drg代码", "drg组编码", "病组编码", "病组代码", "分组编码", "编码", "代码")
_NAME_TITLES = ("name", "drg名称", "drg组名称", "病组名称", "分组名称", "名称")
_WORDS = term("basis of a group", "words")


@dataclass(frozen=True)
class DerivedRow:
    """One DRG of the new scheme with its rule and where the rule comes from.

    ``evidence`` is ``derived`` (from words), ``secondary`` (a condition that a public program states), ``assumption``, ``base``
    (taken over unchanged) or ``open`` (a person must write the rule; ``needs`` says what is missing).
    """

    drg: str
    adrg: str
    name: str
    rule: str
    evidence: str
    basis: str
    needs: str = ""
    doubt: str = ""


@dataclass
class Derivation:
    """What a list of groups gives.

    Attributes
    ----------
    rows
        DRGs in the order in which they are tried, ADRG by ADRG in the order of the base.
    missing
        ADRGs of the base without a row in the list; their DRGs are those of the base until somebody decides.
    strangers
        Rows of the list whose ADRG the base does not have.
    left_out
        Rows that are no groups (not groupable, blank).
    notes
        What else was decided.
    new_ambiguous
        Ambiguous rows that the base lacks, with the rule by analogy.
    conditions
        Whether a source beside the list states conditions of the groups.
    set_changes
        Rows of ``sets.csv``: list, code, ``+`` or ``-``. A list of names gives none.
    local_codes
        Rows of ``local_codes.csv``: kind, code, name.
    """

    rows: list[DerivedRow] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    strangers: list[tuple[str, str]] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    new_ambiguous: dict[str, str] = field(default_factory=dict)
    conditions: bool = False
    set_changes: list[tuple[str, str, str]] = field(default_factory=list)
    local_codes: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def open_rows(self) -> list[DerivedRow]:
        """Rows that need a person."""
        return [row for row in self.rows if row.evidence == "open"]

    @property
    def assumptions(self) -> list[DerivedRow]:
        """Rows whose rule rests on an assumption."""
        return [row for row in self.rows if row.evidence == "assumption"]

    @property
    def complete(self) -> bool:
        """Whether every row of the list has a rule that its words state, and every ADRG of the base has a row."""
        return not (self.open_rows or self.assumptions or self.missing or self.strangers)

    def to_do(self) -> list[str]:
        """What needs a person, one line each."""
        told: dict[str, list[DerivedRow]] = {}
        for row in self.open_rows:
            told.setdefault(row.needs, []).append(row)
        for row in self.assumptions:
            told.setdefault(text("confirm — {doubt}", doubt=row.doubt), []).append(row)
        lines: list[str] = [
            joined(": ", [f"{rows[0].drg} {rows[0].name}" if len(rows) == 1 else ", ".join(row.drg for row in rows), doubt])
            for doubt, rows in told.items()
        ]
        if self.missing:
            codes = ", ".join(self.missing)
            lines.append(text("{missing}: the list has no group of these ADRGs; those of the base are kept", missing=codes))
        return lines + [
            text("{code} {name}: the base has no such ADRG; the row is left out", code=code, name=name)
            for code, name in self.strangers
        ]


def read_group_list(path: str | Path) -> list[tuple[str, str]]:
    """Codes and names of a published list: a CSV table (UTF-8 or GB 18030) with a column of DRG codes and one of names.

    Raises
    ------
    InputError
        With everything that is wrong with the list.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError.single(
            "list-unreadable", text("{path} cannot be read: {error}", path=path, error=words_of(error, UNREAD)), where=str(path)
        ) from error
    try:
        content = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        content = data.decode("gb18030", errors="replace")
    table = list(csv.reader(content.splitlines()))
    titles = [plain(cell).lower() for cell in table[0]] if table else []
    places = [next((titles.index(title) for title in known if title in titles), -1) for known in (_CODE_TITLES, _NAME_TITLES)]
    if min(places) < 0:
        raise InputError.single(
            "list-without-columns",
            (
                text("{file} has no column of codes", file=path.name)
                if places[0] < 0
                else text("{file} has no column of names", file=path.name)
            ),
            where=f"{path.name}:1",
            fix=text("name the columns drg and name"),
        )
    rows: list[tuple[str, str]] = []
    problems: list[Problem] = []
    seen: dict[str, int] = {}
    for number, cells in enumerate(table[1:], start=2):
        code, name = (cells[at].strip() if at < len(cells) else "" for at in places)
        if not code and not name:
            continue
        if not code:
            problems.append(
                Problem("list-row-without-code", text("{name} has no code", name=name), where=f"{path.name}:{number}")
            )
        elif mend_code(code) in seen:
            what = text(
                "{code} stands twice, on lines {before} and {number}", code=code, before=seen[mend_code(code)], number=number
            )
            problems.append(
                Problem("list-duplicate-row", what, where=f"{path.name}:{number}", fix=text("remove one of the two rows"))
            )
        else:
            seen[mend_code(code)] = number
            rows.append((code, name))
    if problems:
        raise InputError(problems)
    return rows


def derive_groups(base: Scheme, listed: Iterable[tuple[str, str]]) -> Derivation:
    """Derive the DRGs of a city from its list of codes and names, upon the ADRGs of ``base``."""
    result = Derivation()
    by_adrg: dict[str, list[tuple[str, str, str]]] = {}
    for printed, name in listed:
        code = mend_code(printed)
        doubt = "" if code == plain(printed).upper() else text("the list prints the code as {printed}", printed=printed)
        if re.match(patterns()["not_a_group"], code):
            result.left_out.append((printed, name))
        elif re.match(patterns()["ambiguous"], code) or code[:3] in base.adrgs:
            by_adrg.setdefault(code[:3], []).append((code, name, doubt))
        else:
            result.strangers.append((printed, name))
    for adrg in base.adrgs.values():
        rows = by_adrg.get(adrg.code, [])
        if adrg.kind in ("ambiguous", "fallback") or not rows:
            result.rows += [_of_base(base, drg.code, adrg) for drg in adrg.drgs]
            if adrg.kind not in ("ambiguous", "fallback"):
                result.missing.append(adrg.code)
        elif {code for code, _, _ in rows} == {drg.code for drg in adrg.drgs}:
            result.rows += [_of_base(base, drg.code, adrg) for drg in adrg.drgs]
        else:
            result.rows += _split_adrg(adrg, rows)
    _ambiguous(base, by_adrg, result)
    if result.left_out:
        shown = ", ".join(f"{code} {name}".strip() for code, name in result.left_out)
        result.notes.append(
            text(
                "rows of the list that are no groups are left out, their cases go on to later MDCs or to 0000: {shown}",
                shown=shown,
            )
        )
    return result


def _of_base(base: Scheme, code: str, adrg: Adrg) -> DerivedRow:
    drg = base.drgs[code]
    return DerivedRow(code, adrg.code, drg.name, print_rule(drg.rule), "base", text("as in {base}", base=base.id))


def _ambiguous(base: Scheme, by_adrg: dict[str, list[tuple[str, str, str]]], result: Derivation) -> None:
    listed = {code for code in by_adrg if re.match(patterns()["ambiguous"], code)}
    own = {code for code, adrg in base.adrgs.items() if adrg.kind == "ambiguous"}
    if own - listed:
        rows = ", ".join(sorted(own - listed))
        which = text("the ambiguous rows {rows}", rows=rows) if listed else text("any ambiguous (QY) row")
        result.notes.append(text("the list does not name {which}; those of {base} are kept", which=which, base=base.id))
    for code in sorted(listed - own):
        usual = Counter(print_rule(base.adrgs[known].rule) for known in own).most_common(1)
        mdc = next((m for m in base.mdcs if m.code[-1] == code[0]), None)
        if not usual or mdc is None:
            result.strangers.append((code, by_adrg[code][0][1]))
            continue
        doubt = text("{base} has no {code}; the rule is the one that most of its ambiguous rows have", base=base.id, code=code)
        result.new_ambiguous[code] = usual[0][0]
        result.rows.append(DerivedRow(code, code, by_adrg[code][0][1], "1", "derived", text("by analogy"), doubt=doubt))
        result.notes.append(doubt)


# -- one ADRG --------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class _Row:
    code: str
    reading: NameReading
    doubts: tuple[str, ...]


def _split_adrg(adrg: Adrg, listed: Sequence[tuple[str, str, str]]) -> list[DerivedRow]:
    ends = upper_ends([name for _, name, _ in listed])
    rows = []
    for code, name, doubt in listed:
        reading = read_name(name, code[3:], adrg.name, ends)
        if code == adrg.code:
            doubt = joined("; ", filter(None, (doubt, text("the code lacks its last character"))))
        rows.append(_Row(code, reading, (*reading.doubts, *([doubt] if doubt else []))))
    if len(rows) == 1:
        return [_only_row(adrg, rows[0])]
    # a name of its own without words that split (ECMO among ventilated patients) is a condition that nobody has read yet
    foreign = [row for row in rows if not row.reading.phrases and not row.reading.unknown and not row.reading.wordless]
    silent = [row for row in rows if not row.reading.severity and row.reading.wordless]
    known = [row for row in rows if row.reading.severity and not row.reading.unknown and row not in foreign]
    worded = Counter((row.reading.conditions, row.reading.severity) for row in known)
    twins = [row for row in known if worded[row.reading.conditions, row.reading.severity] > 1]
    known = [row for row in known if row not in twins]
    unread = [row for row in rows if row.reading.unknown] + foreign + twins + (silent if len(silent) > 1 else [])
    if len(silent) == 1:  # what the other rows leave
        reading = replace(silent[0].reading, severity="ALL")
        doubt = text("neither words nor code state a condition: takes what the other rows leave")
        known.append(_Row(silent[0].code, reading, (*silent[0].doubts, doubt)))
    derived = [*(_open(adrg, row) for row in unread), *_in_order(adrg, known)]
    return _checked(adrg, derived)


def _only_row(adrg: Adrg, row: _Row) -> DerivedRow:
    """An ADRG with one row is not split, unless the code or the words say that it is half of a split."""
    reading = row.reading
    if reading.severity in ("ALL", "") and not reading.conditions:
        doubts = row.doubts
        if reading.unknown:
            words = "，".join(reading.unknown)
            doubts = (*doubts, text("words without effect, since the ADRG has no other row: {words}", words=words))
        return DerivedRow(
            row.code, adrg.code, reading.name, "1", "derived", text("the only row of the ADRG"), doubt=joined("; ", doubts)
        )
    needs = text("the list has only this row of {adrg}; say where its other cases go", adrg=adrg.code)
    rule = _rule(reading.conditions, _ALONE.get(reading.severity, ""))
    return DerivedRow(row.code, adrg.code, reading.name, rule, "open", _WORDS, needs, joined("; ", row.doubts))


def _open(adrg: Adrg, row: _Row) -> DerivedRow:
    words = "，".join(row.reading.unknown)
    needs = (
        text("write the condition for: {words}", words=words)
        if words
        else text("say what tells this row from the others of its ADRG")
    )
    return DerivedRow(row.code, adrg.code, row.reading.name, NEVER, "open", _WORDS, needs, joined("; ", row.doubts))


def _in_order(adrg: Adrg, rows: list[_Row]) -> list[DerivedRow]:
    """Rows with conditions before those without; within equal conditions MCC, CC, rest."""
    groups: dict[tuple[str, ...], list[_Row]] = {}
    for row in rows:
        groups.setdefault(row.reading.conditions, []).append(row)
    shares = case_share([_parsed(conditions) for conditions in groups])
    order = sorted(groups, key=lambda conditions: (shares[list(groups).index(conditions)], list(groups).index(conditions)))
    overlap = _overlap_doubts([conditions for conditions in order if conditions])
    derived = []
    for conditions in order:
        members = sorted(groups[conditions], key=lambda row: RANK[row.reading.severity])
        for place, row in enumerate(members):
            reading = row.reading
            last = place == len(members) - 1
            takes_rest = last and len(members) > 1 and reading.severity not in _IN_TURN
            severity = (
                ""
                if takes_rest or reading.severity == "ALL"
                else (_ALONE if len(members) == 1 else _IN_TURN).get(reading.severity, _ALONE.get(reading.severity, ""))
            )
            doubts = [*row.doubts, *overlap.get(conditions, ())]
            if takes_rest:
                doubts += _gap_doubts([member.reading.severity for member in members])
            basis = (
                _WORDS
                if reading.phrases
                else text("last character of the code")
                if reading.severity != "ALL"
                else text("what other rows leave")
            )
            shown = joined(": ", [basis, "，".join(reading.phrases)]) if reading.phrases else basis
            derived.append(
                DerivedRow(
                    row.code,
                    adrg.code,
                    reading.name,
                    _rule(conditions, severity),
                    reading.evidence,
                    shown,
                    doubt=joined("; ", dict.fromkeys(doubts)),
                )
            )
    return derived


def _gap_doubts(severities: list[str]) -> list[str]:
    """Where the words of a split leave out some cases that the last row takes."""
    if severities[-1] == "NONE" and not {"CC", "ANY"} & set(severities):
        return [text("no row of the split names cases with a CC alone; this last row takes them")]
    if severities[-1] == "NOT_MCC" and {"CC", "ANY"} & set(severities):
        return [text("its words would also take a CC, which another row of the split names; that row goes first")]
    if "CC" in severities and "MCC" not in severities:
        return [text("no row of the split names cases with an MCC; the row of the CC takes them")]
    return []


def _overlap_doubts(groups: list[tuple[str, ...]]) -> dict[tuple[str, ...], list[str]]:
    """Two special conditions that can hold together, neither inside the other: the list does not say which goes first."""
    found: dict[tuple[str, ...], list[str]] = {}
    for at, first in enumerate(groups):
        for second in groups[at + 1 :]:
            one, two = _parsed(first), _parsed(second)
            both = case_share([one, two, parse_rule(f"({print_rule(one)}) and ({print_rule(two)})")])
            if both[2] > 0 and both[2] != both[0]:
                other = joined(text(" and "), second)
                found.setdefault(first, []).append(
                    text("goes before {second}, which may hold too; the list does not say the order", second=other)
                )
    return found


def _checked(adrg: Adrg, rows: list[DerivedRow]) -> list[DerivedRow]:
    """Mark what the rows together do not cover, and rows that no case reaches."""
    coverage = rules_coverage([row.drg for row in rows], [parse_rule(row.rule) for row in rows])
    checked = []
    for row in rows:
        if row.evidence != "open" and row.drg in coverage.unreachable:
            row = replace(row, evidence="open", needs=text("the rows before it take every case that its words state"))
        checked.append(row)
    if coverage.gap and checked:
        gap = text("no row of {adrg} takes a case with {gap}", adrg=adrg.code, gap=coverage.gap)
        last = checked[-1]
        checked[-1] = replace(last, evidence="open", needs=joined("; ", filter(None, (last.needs, gap))))
    return checked


def _rule(conditions: Sequence[str], severity: str) -> str:
    return print_rule(_parsed((*conditions, *([severity] if severity else []))))


def _parsed(conditions: Sequence[str]) -> Rule:
    return parse_rule(" and ".join(conditions) or "1")

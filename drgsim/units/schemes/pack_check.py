"""Check a pack beyond what loading refuses: cases left out, rows that nothing reaches, lists that do not fit together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from drgsim.errors import Problem
from drgsim.language import joined, text
from drgsim.units.schemes.coverage import adrg_coverage
from drgsim.units.schemes.hole_findings import hole_findings
from drgsim.units.schemes.pack import load_scheme, read_settings
from drgsim.units.schemes.rule_language import Always, Not
from drgsim.units.schemes.scheme import Adrg, Scheme


@dataclass
class PackReport:
    """A pack that loads, and what its maker should know.

    Attributes
    ----------
    scheme
        The scheme.
    advice
        What is doubtful in its rules. It never makes a pack unusable: a published scheme may leave cases out on purpose.
    lists
        Codes that its lists hold and its groups do not take, as its tables have it.
    """

    scheme: Scheme
    advice: list[Problem] = field(default_factory=list)
    lists: list[Problem] = field(default_factory=list)


def check_pack(pack: str | Path) -> PackReport:
    """Load a pack and look for what is doubtful.

    Raises
    ------
    SchemeError
        With everything that makes the pack unusable.

    Examples
    --------
    >>> report = check_pack("chs-drg-2.0")
    >>> report.advice, [finding.code for finding in report.lists][:2]
    ([], ['pack-codes-outside-mdc', 'pack-codes-without-adrg'])
    """
    scheme = load_scheme(pack)
    report = PackReport(scheme)
    settings = read_settings(scheme.folder)
    missing = [key for key in ("sources", "counts", "coverage") if not settings.get(key)]
    if missing:
        report.advice.append(
            Problem("pack-states-too-little", text("scheme.toml does not state {missing}", missing=", ".join(missing)))
        )
    never = [code for code, rule in scheme.rules() if rule == Not(Always())]
    if never:
        report.advice.append(
            Problem("pack-open-rows", text("rows whose condition is not known (not 1): {never}", never=", ".join(never)))
        )
    for adrg in scheme.adrgs.values():
        report.advice += _coverage_findings(adrg, never)
    for finding in hole_findings(scheme):
        (report.advice if finding.code == "pack-row-outside-adrg" else report.lists).append(finding)
    return report


def _coverage_findings(adrg: Adrg, never: list[str]) -> Iterator[Problem]:
    coverage = adrg_coverage(adrg)
    if coverage.gap:
        what = text("no DRG takes a case with {gap}; it goes on to later groups", gap=coverage.gap)
        yield Problem("pack-cases-left-out", joined(": ", [adrg.code, what]))
    if coverage.undecided:
        yield Problem(
            "pack-coverage-unknown",
            text("{adrg}: too many conditions to tell whether its DRGs cover every case", adrg=adrg.code),
        )
    shadowed = [code for code in coverage.unreachable if code not in never]
    if shadowed:
        what = text("no case gets here, rows before take them all (special rows go before general ones)")
        yield Problem("pack-unreached-rows", joined(": ", [", ".join(shadowed), what]))

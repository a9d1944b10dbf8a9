"""Check a pack beyond what loading refuses: groups that leave cases out, rows that nothing reaches, missing statements."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from drgsim.units.schemes.coverage import adrg_coverage
from drgsim.units.schemes.pack import load_scheme, read_settings
from drgsim.units.schemes.rule_language import Always, Not
from drgsim.units.schemes.scheme import Scheme


@dataclass
class PackReport:
    """A pack that loads, and what its maker should know.

    ``advice`` never makes a pack unusable: a published scheme may leave cases out on purpose.
    """

    scheme: Scheme
    advice: list[str] = field(default_factory=list)


def check_pack(pack: str | Path) -> PackReport:
    """Load a pack and look for what is doubtful.

    Raises
    ------
    SchemeError
        With everything that makes the pack unusable.

    Examples
    --------
    >>> check_pack("chs-drg-2.0").advice
    []
    """
    scheme = load_scheme(pack)
    report = PackReport(scheme)
    settings = read_settings(scheme.folder)
    missing = [key for key in ("sources", "counts", "coverage") if not settings.get(key)]
    if missing:
        report.advice.append(f"scheme.toml does not state {', '.join(missing)}")
    never = [code for code, rule in scheme.rules() if rule == Not(Always())]
    if never:
        report.advice.append(f"rows whose condition is not known (not 1): {', '.join(never)}")
    for adrg in scheme.adrgs.values():
        coverage = adrg_coverage(adrg)
        if coverage.gap:
            report.advice.append(f"{adrg.code}: no DRG takes a case with {coverage.gap}; it goes on to later groups")
        if coverage.undecided:
            report.advice.append(f"{adrg.code}: too many conditions to tell whether its DRGs cover every case")
        shadowed = [code for code in coverage.unreachable if code not in never]
        if shadowed:
            report.advice.append(
                f"{', '.join(shadowed)}: no case gets here, rows before take them all (special rows go before general ones)"
            )
    return report

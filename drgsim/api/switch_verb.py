"""``drgsim.switch``: what a switch of the grouping scheme does to every hospital, in money."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from drgsim.api.argument_check import DRAWS, FLAG, ArgumentKind, checked, named, number, whole
from drgsim.api.given_records import case_table
from drgsim.api.verb_inputs import AnyHospitals, AnyRegion, Inputs, check_word, table_digest, told
from drgsim.errors import InputError, Problem, UsageError
from drgsim.language import text
from drgsim.payment.case_columns import columns_of, days_of
from drgsim.payment.discharge_dates import periods_of
from drgsim.payment.policy import AnyPolicy, Policy, load_policy, policy_of
from drgsim.records.code_dictionaries import OWN_VERSION
from drgsim.records.input_options import InputOptions
from drgsim.region.region_folder import RegionFolder
from drgsim.results.result import Result
from drgsim.results.run_record import json_text, run_record
from drgsim.results.whole_outputs import write_text
from drgsim.results.workbook_about import About, Fact, about_record
from drgsim.simulation.scheme_switch import Progress, SchemeSwitch, SwitchOptions, problem_words, switch_region
from drgsim.simulation.simulated_region import Region
from drgsim.simulation.switch_sides import HISTORY, KEEPS, SideChoice
from drgsim.simulation.switch_tables import case_table as table_of_cases
from drgsim.simulation.switch_tables import switch_tables
from drgsim.units.schemes.pack import find_pack, is_dip, load_scheme
from drgsim.units.schemes.scheme_differences import SchemeDifference, compare_schemes

LANGUAGES = ("zh", "en")
SUMMARY, APPENDIX = "summary.json", "schemes-diff.html"
_DEFAULTS = {False: "national/2.0", True: "national/dip-1.0"}  # policies by whether the unit is a DIP catalogue


class Switched(Result):
    """The same cases under two schemes, settled by one method.

    Attributes
    ----------
    headline
        Arrow table ``figure``, ``from``, ``to``, ``change`` in ``unit``.
    waterfall
        Arrow table: from the payment before to the payment after, of all and by hospital; the steps add up to the fen.
    hospitals, departments, mdcs, groups
        Arrow tables with both sides (``from_``, ``to_``) and the change, yuan; hospitals and departments with interval and
        verdict, hospitals with budget index and surplus where a budget closes the year.
    flows
        Arrow table: pairs of groups with cases, both payments and the cause of most cases.
    work, work_cases
        Arrow tables: what to look at before the switch, by department, rule and code, and case by case.
    switch
        The sides with their settled cases.
    """

    kind: ClassVar[str] = "switch"
    title: ClassVar[str] = text("Switch of the scheme")

    def __init__(self, switch: SchemeSwitch, record: Mapping[str, Any], *, language: str | None, cases: bool) -> None:
        tables = switch_tables(switch)
        super().__init__(
            {**tables, **({"cases": table_of_cases(switch)} if cases else {})}, notes=told(switch.notes), record=record
        )
        self.switch, self.language = switch, language
        self.headline: pa.Table = tables["headline"]
        self.waterfall: pa.Table = tables["waterfall"]
        self.hospitals: pa.Table = tables["hospitals"]
        self.departments: pa.Table = tables["departments"]
        self.mdcs: pa.Table = tables["mdcs"]
        self.groups: pa.Table = tables["groups"]
        self.flows: pa.Table = tables["flows"]
        self.work: pa.Table = tables["work"]
        self.work_cases: pa.Table = tables["work_cases"]

    @property
    def summary(self) -> dict[str, Any]:
        """Headline, waterfall of all cases and verdicts as plain values."""
        steps = [row for row in self.waterfall.to_pylist() if row["scope"] == "all"]
        verdicts = self.hospitals["verdict"].to_pylist()
        return {
            **{name: self.record[name] for name in ("from", "to", "year", "keep", "budget_source") if name in self.record},
            "headline": {
                row["figure"]: {name: row[name] for name in ("from", "to", "change", "unit")}
                for row in self.headline.to_pylist()
            },
            "waterfall": [{"step": row["step"], "cases": row["cases"], "yuan": str(row["amount"])} for row in steps],
            "hospitals": {word: verdicts.count(word) for word in ("wins", "loses", "unclear", "same")},
            "notes": [note.what for note in self.notes],
        }

    @cached_property
    def difference(self) -> SchemeDifference | None:
        """What differs between the two DRG schemes; None where a side is a DIP catalogue."""
        if any(side.choice.dip for side in self.switch.sides):
            return None
        before, after = (load_scheme(side.choice.unit) for side in self.switch.sides)
        return compare_schemes(before, after)

    def _page(self) -> str:
        from drgsim.report.switch_page import switch_page

        return switch_page(self.switch, self.tables, self.notes, self.language, self.difference)

    def _write_workbook(self, path: Path) -> None:
        from drgsim.report.switch_workbook import write_switch_workbook

        write_switch_workbook(path, self.tables, self.about(), problem_words(self.switch))

    def about(self) -> About:
        facts: list[Fact] = []
        for label, side in ((text("Old scheme"), self.record["from"]), (text("New scheme"), self.record["to"])):
            facts += [(label, side["unit"]), (text("Policy"), f"{side['policy']} ({side['policy_digest'][:16]})")]
            facts.append((text("Digest of the setup"), side["setup"][:16]))
        return about_record(self.title, self.record, facts=facts, notes=self._said)

    def _files(self, formats: Sequence[str]) -> dict[str, pa.Table | Callable[[Path], None]]:
        files = {**super()._files(formats), SUMMARY: lambda path: write_text(path, json_text(self.summary))}
        difference = self.difference if "html" in formats else None
        if difference is not None:
            from drgsim.report.scheme_diff_page import difference_page

            page = difference_page(difference)
            files[APPENDIX] = lambda path: write_text(path, page)
        return files


@checked(
    policy=named(Policy),
    policy_to=named(Policy),
    weights=ArgumentKind(text("a text"), (str, Path), empty=False),
    year=whole(),
    draws=DRAWS,
    seed=whole(0),
    level=number(0.5, 0.999),
    keep=ArgumentKind(text("one of {keeps}", keeps=", ".join(KEEPS)), (str,)),
    language=ArgumentKind(text("zh or en"), (str,)),
    with_cases=FLAG,
)
def switch(
    records: AnyRegion | Any,
    before: str | Path = "chs-drg-2.0",
    after: str | Path = "chs-drg-3.0",
    *,
    policy: AnyPolicy | None = None,
    policy_to: AnyPolicy | None = None,
    keep: str = "budget",
    weights: str = HISTORY,
    weights_from: str | None = None,
    weights_to: str | None = None,
    hospitals: AnyHospitals | None = None,
    year: int | None = None,
    draws: int = 100,
    seed: int = 1,
    level: float = 0.95,
    with_cases: bool = False,
    language: str | None = None,
    reading: InputOptions | None = None,
    progress: Progress | None = None,
) -> Switched:
    """What a switch of the grouping scheme does to every hospital, in money, and what to do before. 分组方案切换测算

    Groups the same cases by both schemes and settles them by both, with weights of one method. Where both are alike every
    change is exactly 0 (docs/switch.md).

    Parameters
    ----------
    records
        Folder of a region (discharges-YYYY, hospitals.csv, fund.csv), what :func:`drgsim.load_region` gave, or discharges as
        :func:`drgsim.read` takes them, with ``total_cost``, ``insurance`` and ``hospital_id``.
    before, after
        What is left and what is switched to: id or folder of a DRG scheme or a DIP catalogue.
    policy
        Who pays: a name, a folder, or what :func:`drgsim.load_policy` gave. Its own table of groups does not decide. By default
        the national rules without a rate.
    policy_to
        Who pays after the switch, where it is another one (DRG to DIP).
    keep
        What stays the same: ``budget`` (the fund's budget, shared out by points on both sides), ``rate`` (the unit value), or
        ``weight`` (the unit value, and the total weight of the year's cases).
    weights
        Of both sides: ``history`` (the region's earlier years, else these cases) or ``reference`` (national reference weights;
        of a DIP catalogue its own scores).
    weights_from, weights_to
        Of one side, instead: a payment table, or a file or folder as ``weights`` of :func:`drgsim.settle` takes them.
    hospitals
        ``hospital_id, level, grade, coefficient`` of discharges that are no region.
    year
        Year of the discharges; the last one by default. Earlier years are the history.
    draws
        Draws of cases for the intervals, 40 or more; 0 for none.
    seed
        Seed of the draws.
    level
        Level of the intervals, 0.5 to 0.999.
    with_cases
        Whether the result holds the table ``cases``: every case on both sides.
    language
        Of the page: ``zh`` or ``en``, by default that of the run.
    reading
        Layout and own columns of discharges, as :class:`drgsim.InputOptions` says them.
    progress
        Called with the share done (0 to 1) and the number of records.

    Returns
    -------
    Switched
        ``save("switch", formats=["csv", "parquet", "xlsx", "html"])`` writes tables, workbook, page and summary.json.

    Raises
    ------
    UsageError
        ``usage-unknown-word``, ``switch-no-weights``, ``switch-code-version``, ``switch-no-year``.
    InputError
        ``switch-no-budget``, ``switch-nothing-paid``, ``settle-missing-column``, or a file that cannot be read.
    SchemeError
        ``scheme-unknown``.

    Notes
    -----
    Payment of a case = weight x unit value x coefficient as the policy's curve has it; change = payment after - payment before.

    Examples
    --------
    >>> import drgsim
    >>> found = drgsim.switch(drgsim.sample_path("region"), draws=0)
    >>> [row["change"] == 0 for row in found.headline.to_pylist() if row["figure"] in ("cases", "moved")]
    [True, False]
    """
    check_word("keep", keep, KEEPS)
    if language is not None:
        check_word("language", language, LANGUAGES)
    region, inputs = _region_of(records, hospitals, reading)
    if year is not None and year not in region.years:
        fix = text("choose one of {names}", names=", ".join(map(str, region.years)))
        raise UsageError(
            [Problem("switch-no-year", text("there are no discharges of {year}", year=year), where="year", fix=fix)]
        )
    choices = _choices((before, after), (policy, policy_to), weights, (weights_from, weights_to))
    options = SwitchOptions(keep, year, draws, seed, level)
    found = switch_region(region, choices, options, progress)
    return Switched(found, _record(found, inputs), language=language, cases=with_cases)


def _choices(
    units: tuple[str | Path, str | Path], policies: tuple[AnyPolicy | None, AnyPolicy | None], weights: str,
    own: tuple[str | None, str | None],
) -> tuple[SideChoice, SideChoice]:  # fmt: skip
    """Both sides; a policy that is not named is the other side's where it pays the same kind of unit."""
    dip = [is_dip(find_pack(unit)) for unit in units]
    first = policy_of(policies[0]) if policies[0] is not None else load_policy(_DEFAULTS[dip[0]])
    if policies[1] is not None:
        second = policy_of(policies[1])
    else:
        second = first if dip[0] == dip[1] else load_policy(_DEFAULTS[dip[1]])
    left, right = (
        SideChoice(str(unit), policy, str(mine or weights))
        for unit, policy, mine in zip(units, (first, second), own, strict=True)
    )
    return left, right


def _region_of(records: Any, hospitals: AnyHospitals | None, reading: InputOptions | None) -> tuple[Region, Mapping[str, str]]:
    """A region by its folder, or one made of discharges, whose years are those of the dates of discharge; with its digests."""
    if isinstance(records, RegionFolder) or (isinstance(records, str | Path) and _is_region(Path(records))):
        region = Region.of(records)
        return region, region.digests()
    if isinstance(records, list | tuple) and len(records) == 1 and isinstance(records[0], str | Path):
        return _region_of(records[0], hospitals, reading)
    inputs = Inputs()
    listed = inputs.hospitals(hospitals) or {}
    read, options = case_table(records, reading)
    if options.code_version != OWN_VERSION:
        what = text("codes of {code_version} are not converted here", code_version=options.code_version)
        fix = text("group them with drgsim group --code-version first, and give the converted codes")
        raise UsageError([Problem("switch-code-version", what, where="code_version", fix=fix)])
    table = read.records
    if table.num_rows == 0:
        raise InputError([Problem("switch-no-cases", text("there are no discharges"), fix=text("give discharges"))])
    columns = columns_of(table)
    days, _ = days_of(columns.get("discharged"), table.num_rows)
    of_case = periods_of(days, "Y") + 1970
    known = of_case[of_case > 1970]
    of_case = np.where(of_case > 1970, of_case, known.max() if known.size else 0)
    name = read.paths[0] if read.paths else Path("discharges")
    years = sorted(set(of_case.tolist()))
    region = Region(name.with_suffix(""), dict.fromkeys(years, name), listed)
    for each in years:
        region._tables[each] = table.filter(pa.array(of_case == each)) if len(years) > 1 else table
    digests = inputs.digests if not read.paths else {**inputs.digests, "cases": table_digest(table)}
    return region, digests


def _is_region(path: Path) -> bool:
    return path.is_dir() and any(path.glob("discharges-*"))


def _record(found: SchemeSwitch, inputs: Mapping[str, str]) -> dict[str, Any]:
    """What was run on what."""
    sides = {
        role: {
            "unit": side.choice.name, "policy": side.choice.policy.id, "policy_digest": side.setup.policy.digest,
            "weights": side.weights_label, "unit_values": side.unit_values, "setup": side.setup.digest,
        }
        for role, side in zip(("from", "to"), found.sides, strict=True)
    }  # fmt: skip
    policies = {side.choice.policy.id: side.choice.policy for side in found.sides}
    return run_record(
        Switched.kind, region=found.region.folder.name, inputs=inputs, year=found.year, keep=found.options.keep,
        budget_source=found.budget_source, draws=found.options.draws, seed=found.options.seed, level=found.options.level,
        **sides, cases=int(found.causes.moved.size), notes=found.notes,
        assumptions={name: [each.path for each in policy.assumptions] for name, policy in policies.items()},
    )  # fmt: skip

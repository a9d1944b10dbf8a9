"""Read the terms of a budget: ``budget.yaml`` beside a policy, laid over the general set that it builds on.

Every mistake is reported at once, with its path inside the file and the nearest known word.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from drgsim.assets import asset_root
from drgsim.budgets.sharing_schedule import Schedule
from drgsim.budgets.terms_model import BudgetFile
from drgsim.errors import DrgsimError, Problem, did_you_mean
from drgsim.language import from_both_languages, in_original, text
from drgsim.parameters.own_folder import outside_problem
from drgsim.parameters.parameter_set import ParameterSet
from drgsim.parameters.strict_file import is_file, read_strict
from drgsim.payment.policy import Policy
from drgsim.records.vocabulary import PAYERS, in_policy_words, policy_path

TERMS_FILE = "budget.yaml"
GENERAL = "general"
PREFIX = "budget."
LATER = (  # parts that files of their own may lack, because they came to be later: they have them as the general set says
    "index.lag", "outpatient", "pools", "sharing.carry_overspend", "cash.advance", "cash.payment_lag", "cash.clearing_month",
    "cash.opening_days", "cash.expense_share", "outlook",
)  # fmt: skip


class BudgetError(DrgsimError):
    """The terms of a budget are missing or contradict themselves."""


@dataclass(frozen=True)
class BudgetTerms(ParameterSet[BudgetFile]):
    """The terms of a budget year, read and checked. Paths of :meth:`changed` may start with ``budget.``.

    Examples
    --------
    >>> load_terms("general").changed({"budget.index.growth": "*2"}).file.index.growth.value
    0.1
    """

    model = BudgetFile
    kind = "budget"
    called = text("this budget")
    error = BudgetError
    prefix = PREFIX
    own_path = staticmethod(policy_path)
    in_own_words = staticmethod(in_policy_words)

    @property
    def told(self) -> tuple[str, ...]:
        """The notes of the file, in Chinese by its ``notes_zh``; without these they stay as they are."""
        both = from_both_languages("notes", {"notes": self.file.notes, "notes_zh": self.file.notes_zh})
        return both if self.file.notes_zh else tuple(map(in_original, both))

    @property
    def schedule(self) -> Schedule:
        """The sharing schedule in use."""
        return self.file.sharing.schedules[self.file.sharing.use.value]

    def of_pool(self, payer: str) -> BudgetTerms:
        """These terms with what ``pools.changes`` says of a payer.

        Raises
        ------
        BudgetError
            A change names what the terms lack, or gives it what it may not have.
        """
        return self._of_pools[payer]

    @cached_property
    def _of_pools(self) -> Mapping[str, BudgetTerms]:
        """Payer -> its terms, made once: each change is a reading of the whole file."""
        changes: Mapping[str, Mapping[str, Any]] = self.file.pools.changes.values  # type: ignore[assignment]
        return {payer: self.changed(changes.get(payer, {}), "pools.changes") for payer in PAYERS}

    @cached_property
    def inactive(self) -> Mapping[str, str]:
        """Path -> why the parameter moves nothing under these terms."""
        file = self.file
        result: dict[str, str] = {}
        for name in file.sharing.schedules:
            if name != file.sharing.use.value:
                result[f"sharing.schedules.{name}"] = text("another schedule is in use")
        if file.pools.use.value == "joined":
            result["pools.changes"] = text("employees and residents are joined")
        if not file.outpatient.use.value or file.outpatient.pays.value == "by_item":
            result["outpatient.growth"] = text("outpatient care is paid as it was spent")
        if not file.outpatient.use.value:
            result["outpatient.pays"] = text("outpatient care lies outside of the budget")
        if not file.capitation.use.value:
            for name in ("per_head", "levels", "risk"):
                result[f"capitation.{name}"] = text("capitation is not in use")
        for name in file.quality.targets:
            if not file.quality.weights.values.get(name):
                result[f"quality.targets.{name}"] = text("the indicator has no weight")
        return result


def terms_names() -> list[str]:
    """Names of the terms that ship: ``general``, and the folders, most of them of policies, that have a budget.yaml."""
    base = asset_root("payment_tables")
    return [GENERAL, *sorted(path.parent.relative_to(base).as_posix() for path in base.glob(f"*/*/{TERMS_FILE}"))]


def load_terms(name: str | Path | Policy) -> BudgetTerms:
    """Read terms by name (``general``, ``region/year``), by file or folder, or those that lie beside a policy.

    Raises
    ------
    BudgetError
        There are none, or they have mistakes: all of them.
    """
    if isinstance(name, Policy):
        path = name.folder / TERMS_FILE
        if not is_file(path):
            raise BudgetError.single(
                "budget-no-terms", text("no {file} lies beside the policy {policy}", file=TERMS_FILE, policy=name.id),
                where=str(name.folder),
                why=text("a budget needs terms, and none is official"),
                fix=text("name one with --terms: {known}, or a file of your own", known=', '.join(terms_names())),
            )  # fmt: skip
    else:
        path = _path_of(name)
    problems: list[Problem] = []
    raw, digest = _read(path, problems, ())
    file = BudgetTerms.checked(raw, path.name, problems) if raw is not None and not problems else None
    if file is None or raw is None or problems:
        raise BudgetError(problems)
    return BudgetTerms(file, digest, raw)


def terms_schema() -> dict[str, Any]:
    """JSON schema of budget.yaml. Sections may be left out, because a file may build on another one by ``base``."""
    schema = BudgetFile.model_json_schema()
    schema["required"] = ["id", "title", "title_zh", "verified"]
    for name, definition in schema["$defs"].items():
        if name.endswith("Terms"):
            definition.pop("required", None)
    return schema


def _path_of(name: str | Path, beside: Path | None = None) -> Path:
    """The file of terms of a name; one that a file names ships with drgsim or lies ``beside`` that file."""
    base = asset_root("payment_tables")
    given, shipped = Path(name) if beside is None else beside / name, base / str(name) / TERMS_FILE
    candidates = [given, given / TERMS_FILE]
    candidates.insert(2 if beside is None else 0, shipped)
    if str(name) == GENERAL:
        candidates = [base / TERMS_FILE]
    for path in candidates:
        if is_file(path):
            return path
    known = terms_names()
    fix = did_you_mean(str(name), known) or text("the terms are {known}; or give a file", known=", ".join(known))
    raise BudgetError.single(
        "budget-unknown-terms", text("there are no budget terms {name!r}", name=str(name)), where=str(name), fix=fix
    )


def _read(path: Path, problems: list[Problem], seen: tuple[Path, ...]) -> tuple[dict[str, Any] | None, str]:
    """The YAML of a file over that of its base, and the digest of both."""
    raw, content = read_strict(path, "budget", problems)
    if raw is None:
        return None, ""
    raw = in_policy_words(raw)
    digest = hashlib.sha256(content).hexdigest()
    if raw.get("base") is None:
        return _completed(raw, path, problems), digest
    outside = list(outside_problem(str(raw["base"]), path.parent, "budget", f"{path.name}: base"))
    if outside:
        problems += outside
        return None, ""
    below = _path_of(str(raw["base"]), path.parent)
    if below in (path, *seen):
        problems.append(Problem("budget-base", text("{path} builds on itself", path=path.name), where=str(path)))
        return None, ""
    under, under_digest = _read(below, problems, (path, *seen))
    if under is None:
        return None, ""
    return _laid_over(under, raw), hashlib.sha256((under_digest + digest).encode()).hexdigest()


def _completed(raw: dict[str, Any], path: Path, problems: list[Problem]) -> dict[str, Any]:
    """Terms that stand alone, with the general set's parts of :data:`LATER` where they lack them."""
    general = _path_of(GENERAL)
    below = None if path == general else read_strict(general, "budget", problems)[0]
    if below is None:
        return raw
    result: dict[str, Any] = {**raw, "sources": {**below["sources"], **(raw.get("sources") or {})}}
    for place in LATER:
        section, _, name = place.partition(".")
        whole = result.get(section)
        if not name:
            result.setdefault(section, below[section])
        elif isinstance(whole, dict) and name not in whole:
            result[section] = {**whole, name: below[section][name]}
    return result


def _laid_over(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Sections are joined; a parameter, which carries its own evidence, replaces the one below it."""
    result = dict(under)
    for name, value in over.items():
        below = result.get(name)
        joined = isinstance(value, dict) and isinstance(below, dict) and "evidence" not in value
        result[name] = _laid_over(below, value) if joined else value  # type: ignore[arg-type]
    return result

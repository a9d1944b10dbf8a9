"""Read the terms of a budget: ``budget.yaml`` beside a policy, laid over the general set that it builds on.

Every mistake is reported at once, with its path inside the file and the nearest known word.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from drgsim.assets import asset_root
from drgsim.budgets.terms_model import BudgetFile, Schedule
from drgsim.errors import DrgsimError, Problem, did_you_mean
from drgsim.parameters.evident_values import Parameter, apply_change, evident_nodes
from drgsim.parameters.strict_file import fault_problem, strict_loader
from drgsim.payment.policy import Policy
from drgsim.payment.policy_model import Evidence, Evident, Keyed, Value
from drgsim.records.vocabulary import in_policy_words, policy_path

TERMS_FILE = "budget.yaml"
GENERAL = "general"
PREFIX = "budget."


class BudgetError(DrgsimError):
    """The terms of a budget are missing or contradict themselves."""


@dataclass(frozen=True)
class BudgetTerms:
    """The terms of a budget year, read and checked.

    Attributes
    ----------
    file
        The contents of budget.yaml.
    digest
        A SHA-256 over the files read and the changes made.
    raw
        The YAML as read, for :meth:`changed`.
    """

    file: BudgetFile
    digest: str
    raw: Mapping[str, Any] = field(repr=False)

    @property
    def id(self) -> str:
        """Name such as ``general`` or ``region/year``."""
        return self.file.id

    @property
    def schedule(self) -> Schedule:
        """The sharing schedule in use."""
        return self.file.sharing.schedules[self.file.sharing.use.value]

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """Every value that carries evidence, in the order of the file; paths without the prefix ``budget.``."""
        return tuple(_parameter(path, node, self.file) for path, node in evident_nodes(self.file))

    @property
    def assumptions(self) -> tuple[Parameter, ...]:
        """The parameters that rest on no source."""
        return tuple(parameter for parameter in self.parameters if parameter.evidence is Evidence.ASSUMPTION)

    @cached_property
    def inactive(self) -> Mapping[str, str]:
        """Path -> why the parameter moves nothing under these terms."""
        file = self.file
        result: dict[str, str] = {}
        for name in file.sharing.schedules:
            if name != file.sharing.use.value:
                result[f"sharing.schedules.{name}"] = "another schedule is in use"
        if not file.capitation.use.value:
            for name in ("per_head", "levels", "risk"):
                result[f"capitation.{name}"] = "capitation is not in use"
        for name in file.quality.targets:
            if not file.quality.weights.values.get(name):
                result[f"quality.targets.{name}"] = "the indicator has no weight"
        return result

    def changed(self, changes: Mapping[str, float | str | bool], source: str = "scenario") -> BudgetTerms:
        """The terms with other values, as :meth:`drgsim.payment.policy.Policy.changed` does it.

        Parameters
        ----------
        changes
            Path -> new value, or ``"*1.03"``, ``"+5"``, ``"-5"`` relative to the old one. Paths may start with
            ``budget.``, such as ``budget.sharing.schedules.by-item.surplus.0.fund_share``.
        source
            Named as source of the changed values, whose evidence becomes ``assumption``.

        Raises
        ------
        BudgetError
            Unknown paths, or values that the model refuses; all at once.

        Examples
        --------
        >>> load_terms("general").changed({"budget.index.growth": "*2"}).file.index.growth.value
        0.1
        """
        raw = deepcopy(dict(self.raw))
        problems: list[Problem] = []
        raw.setdefault("sources", {}).setdefault(source, {"title": f"changed by {source}"})
        for path, change in changes.items():
            apply_change(raw, policy_path(path.removeprefix(PREFIX)), change, source, problems, "this budget")
        raw = in_policy_words(raw)
        file = _validate(raw, self.id, problems) if not problems else None
        if file is None or problems:
            raise BudgetError(problems)
        mark = hashlib.sha256((self.digest + repr(sorted(changes.items()))).encode()).hexdigest()
        return BudgetTerms(file, mark, raw)


def terms_names() -> list[str]:
    """Names of the terms that ship: ``general``, and the policies that have a budget.yaml."""
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
        if not path.is_file():
            raise BudgetError.single(
                "budget-no-terms", f"no {TERMS_FILE} lies beside the policy {name.id}", where=str(name.folder),
                why="a budget needs terms, and none is official",
                fix=f"name one with --terms: {', '.join(terms_names())}, or a file of your own",
            )  # fmt: skip
    else:
        path = _path_of(name)
    problems: list[Problem] = []
    raw, digest = _read(path, problems, ())
    file = _validate(raw, path.name, problems) if raw is not None and not problems else None
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


def _path_of(name: str | Path) -> Path:
    base = asset_root("payment_tables")
    given = Path(name)
    candidates = [given, given / TERMS_FILE, base / str(name) / TERMS_FILE]
    if str(name) == GENERAL:
        candidates = [base / TERMS_FILE]
    for path in candidates:
        if path.is_file():
            return path
    known = terms_names()
    fix = did_you_mean(str(name), known) or f"the terms are {', '.join(known)}; or give a file"
    raise BudgetError.single("budget-unknown-terms", f"there are no budget terms {str(name)!r}", where=str(name), fix=fix)


def _read(path: Path, problems: list[Problem], seen: tuple[Path, ...]) -> tuple[dict[str, Any] | None, str]:
    """The YAML of a file over that of its base, and the digest of both."""
    try:
        content = path.read_bytes()
        raw = yaml.load(content.decode("utf-8-sig"), Loader=strict_loader(problems, path.name, "policy"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        problems.append(Problem("budget-unreadable", f"{path.name} cannot be read: {error}", where=str(path)))
        return None, ""
    if not isinstance(raw, dict):
        problems.append(Problem("budget-unreadable", f"{path.name} holds no mapping of parameters", where=str(path)))
        return None, ""
    raw = in_policy_words(raw)
    digest = hashlib.sha256(content).hexdigest()
    if raw.get("base") is None:
        return raw, digest
    below = _path_of(str(raw["base"]))
    if below in (path, *seen):
        problems.append(Problem("budget-base", f"{path.name} builds on itself", where=str(path)))
        return None, ""
    under, under_digest = _read(below, problems, (path, *seen))
    if under is None:
        return None, ""
    return _laid_over(under, raw), hashlib.sha256((under_digest + digest).encode()).hexdigest()


def _laid_over(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Sections are joined; a parameter, which carries its own evidence, replaces the one below it."""
    result = dict(under)
    for name, value in over.items():
        below = result.get(name)
        joined = isinstance(value, dict) and isinstance(below, dict) and "evidence" not in value
        result[name] = _laid_over(below, value) if joined else value  # type: ignore[arg-type]
    return result


def _validate(raw: Mapping[str, Any], where: str, problems: list[Problem]) -> BudgetFile | None:
    try:
        file = BudgetFile.model_validate(raw)
    except ValidationError as error:
        problems.extend(fault_problem(dict(fault), where, BudgetFile, "policy") for fault in error.errors())
        return None
    before = len(problems)
    known = list(file.sources)
    for path, node in evident_nodes(file):
        if node.source not in file.sources:
            what = f"{path} names the source {node.source!r}, which sources does not list"
            fix = did_you_mean(node.source, known) or f"the sources are {', '.join(known)}"
            problems.append(Problem("policy-unknown-source", what, where=f"{where}: {path}", fix=fix))
    return file if len(problems) == before else None


def _parameter(path: str, node: Evident, file: BudgetFile) -> Parameter:
    value: Any
    if isinstance(node, Value):
        value = node.value
    elif isinstance(node, Schedule):
        value = "; ".join(
            f"{name} {band.lower:g} to {'more' if band.upper is None else format(band.upper, 'g')}: fund {band.fund_share}"
            for name, bands in (("surplus", node.surplus), ("overspend", node.overspend))
            for band in bands
        )
    elif type(node) is Keyed:
        value = node.values
    else:  # several numbers under one evidence
        value = {name: getattr(node, name) for name in type(node).model_fields if name not in Evident.model_fields}
    start = node.effective_from or file.effective_from
    return Parameter(path, value, node.unit, str(start or "unknown"), node.source, node.evidence, node.note)

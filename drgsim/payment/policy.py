"""Read payment policies: ``payment_tables/<region>/<year>/policy.yaml`` with its CSV tables.

Every mistake in a folder is reported at once, with its path inside the file and the nearest known word.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import yaml
from pydantic import BaseModel, ValidationError

from drgsim.assets import asset_root
from drgsim.errors import DrgsimError, InputError, Problem, did_you_mean
from drgsim.parameters.evident_values import Parameter, apply_change, parameters_of
from drgsim.parameters.strict_file import fault_problem, strict_loader
from drgsim.payment.policy_model import Evidence, PolicyFile, Table
from drgsim.payment.price_table import PriceTable, read_exempt, read_prices
from drgsim.payment.single_disease_table import SingleDiseases, single_diseases_of
from drgsim.records.read import read_table
from drgsim.records.vocabulary import in_policy_words, policy_path
from drgsim.region.hospital_list import GroupCoefficients, group_coefficients_of

POLICY_FILE = "policy.yaml"
T = TypeVar("T")


class PolicyError(DrgsimError):
    """A payment policy is missing or contradicts itself."""


@dataclass(frozen=True)
class Policy:
    """A payment policy, read and checked.

    Attributes
    ----------
    file
        The contents of policy.yaml.
    prices
        The table of groups, or None where the policy publishes none.
    exempt_list, coefficients, single_diseases
        The other tables that the policy has: exempt items, coefficients by hospital and group, fixed amounts.
    folder, digest
        Where it was read, and a SHA-256 over all files read.
    raw
        The YAML as read, for :meth:`changed`.
    """

    file: PolicyFile
    prices: PriceTable | None
    folder: Path
    digest: str
    raw: Mapping[str, Any] = field(repr=False)
    exempt_list: Mapping[str, tuple[int, int]] | None = None
    coefficients: GroupCoefficients | None = None
    single_diseases: SingleDiseases | None = None

    @property
    def id(self) -> str:
        """Name such as ``region/year``."""
        return self.file.id

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """Every value that carries evidence, in the order of the file."""
        return tuple(parameters_of(self.file))

    @property
    def assumptions(self) -> tuple[Parameter, ...]:
        """The parameters that rest on no source."""
        return tuple(parameter for parameter in self.parameters if parameter.evidence is Evidence.ASSUMPTION)

    def changed(self, changes: Mapping[str, float | str], source: str = "scenario") -> Policy:
        """The policy with other values; the price table is shared, never copied.

        Parameters
        ----------
        changes
            Path -> new number, or ``"*1.03"``, ``"+5"``, ``"-5"`` relative to the old one. A path is one of
            :attr:`parameters`, or it goes on with a key such as ``unit_value.employee``.
        source
            Named as source of the changed values, whose evidence becomes ``assumption``.

        Raises
        ------
        PolicyError
            Unknown paths, or values that the policy model refuses; all at once.
        """
        raw = deepcopy(dict(self.raw))
        problems: list[Problem] = []
        sources = raw.setdefault("sources", {})
        sources.setdefault(source, {"title": f"changed by {source}"})
        for path, change in changes.items():
            apply_change(raw, policy_path(path), change, source, problems)
        if problems:
            raise PolicyError(problems)
        return self.rebuilt(raw, repr(sorted(changes.items(), key=repr)))

    def rebuilt(self, raw: Mapping[str, Any], mark: str) -> Policy:
        """The policy read again from a changed YAML; ``mark`` names the change in the digest, the price table is shared.

        Raises
        ------
        PolicyError
            The policy model refuses the values.
        """
        problems: list[Problem] = []
        raw = in_policy_words(raw)
        file = _validate(raw, self.id, problems)
        if file is None or problems:
            raise PolicyError(problems)
        digest = hashlib.sha256((self.digest + mark).encode()).hexdigest()
        return replace(self, file=file, digest=digest, raw=raw)


def policy_names(root: Path | None = None) -> list[str]:
    """Names of the policies that ship with drgsim, or that lie below ``root``."""
    base = root or asset_root("payment_tables")
    return sorted(path.parent.relative_to(base).as_posix() for path in base.rglob(POLICY_FILE))


def load_policy(name: str | Path) -> Policy:
    """Read a policy by name (``region/year``) or by folder.

    Raises
    ------
    PolicyError
        The policy is unknown, or has mistakes: all of them.
    """
    folder = Path(name)
    if not (folder / POLICY_FILE).is_file():
        folder = asset_root("payment_tables") / str(name)
    if not (folder / POLICY_FILE).is_file():
        known = policy_names()
        listed = f"the policies are {', '.join(known)}; or give a folder that holds {POLICY_FILE}"
        fix = did_you_mean(str(name), known) or listed
        raise PolicyError.single("policy-unknown", f"there is no payment policy {str(name)!r}", where=str(name), fix=fix)
    policy, problems = read_folder(folder)
    if policy is None or problems:
        raise PolicyError(problems)
    return policy


def read_folder(folder: Path) -> tuple[Policy | None, list[Problem]]:
    """Read a policy folder; the problems are all that is wrong with it."""
    problems: list[Problem] = []
    path = folder / POLICY_FILE
    where = f"{folder.parent.name}/{folder.name}"
    try:
        content = path.read_bytes()
        raw = yaml.load(content.decode("utf-8-sig"), Loader=strict_loader(problems, where, "policy"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        problems.append(Problem("policy-unreadable", f"{path.name} cannot be read: {error}", where=where))
        return None, problems
    if not isinstance(raw, dict):
        problems.append(Problem("policy-unreadable", f"{path.name} holds no mapping of parameters", where=where))
        return None, problems
    raw = in_policy_words(raw)
    file = _validate(raw, where, problems)
    if file is None:
        return None, problems
    digest = hashlib.sha256(content)
    prices = exempt = None
    if file.exempt is not None and file.exempt.table is not None:
        exempt = read_exempt(folder / file.exempt.table.file, problems)
    if file.relative_value.table is not None:
        prices = read_prices(folder / file.relative_value.table.file, file, problems)
    coefficients = single = None
    if file.coefficient.table is not None:
        coefficients = _side_table(folder / file.coefficient.table.file, group_coefficients_of, where, problems)
    if file.single_disease is not None:
        single = _side_table(folder / file.single_disease.table.file, single_diseases_of, where, problems)
    for table in _tables(file):
        table_path = folder / table.file
        if table_path.is_file():
            digest.update(table_path.read_bytes())
        else:
            problems.append(Problem("policy-missing-table", f"the table {table.file} is named but not there", where=where))
    return Policy(file, prices, folder, digest.hexdigest(), raw, exempt, coefficients, single), problems


def _side_table(
    path: Path, parse: Callable[[pa.Table, str], tuple[T, list[Problem]]], where: str, problems: list[Problem]
) -> T | None:
    """A table beside the policy file, None where it is missing (which is reported for all tables at once) or broken."""
    if not path.is_file():
        return None
    try:
        table, found = parse(read_table(path), f"{where}/{path.name}")
    except InputError as error:
        problems.extend(error.problems)
        return None
    problems.extend(found)
    return table


def _tables(node: BaseModel) -> Iterator[Table]:
    if isinstance(node, Table):
        yield node
    for value in node.__dict__.values():
        for child in value if isinstance(value, tuple) else value.values() if isinstance(value, dict) else (value,):
            if isinstance(child, BaseModel):
                yield from _tables(child)


# -- checks ----------------------------------------------------------------------------------------------------------------
def _validate(raw: Mapping[str, Any], where: str, problems: list[Problem]) -> PolicyFile | None:
    try:
        file = PolicyFile.model_validate(raw)
    except ValidationError as error:
        problems.extend(fault_problem(dict(fault), where, PolicyFile, "policy") for fault in error.errors())
        return None
    before = len(problems)
    known = list(file.sources)
    for parameter in parameters_of(file):
        if parameter.source not in file.sources:  # a piece or band that states evidence states its source too
            what = f"{parameter.path} names the source {parameter.source!r}, which sources does not list"
            fix = did_you_mean(parameter.source, known) or f"the sources are {', '.join(known)}"
            problems.append(Problem("policy-unknown-source", what, where=f"{where}: {parameter.path}", fix=fix))
    classes = list(file.group_classes)
    if file.unstable is not None and file.unstable.group_class not in classes:
        fix = did_you_mean(file.unstable.group_class, classes) or f"the classes are {', '.join(classes) or 'none'}"
        what = f"unstable.group_class names no class of groups: {file.unstable.group_class!r}"
        problems.append(Problem("policy-unknown-class", what, where=f"{where}: unstable.group_class", fix=fix))
    curves = [(f"group_classes.{name}.curve", entry.curve) for name, entry in file.group_classes.items()]
    for path, curve in [*curves, ("stays.incomplete_curve", file.stays.incomplete_curve)]:
        if curve is not None and curve not in file.curves:
            fix = did_you_mean(curve, list(file.curves)) or f"the curves are {', '.join(file.curves)}"
            what = f"{path} names no curve: {curve!r}"
            problems.append(Problem("policy-unknown-curve", what, where=f"{where}: {path}", fix=fix))
    return file if len(problems) == before else None

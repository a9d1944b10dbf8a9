"""Read payment policies: ``payment_tables/<region>/<year>/policy.yaml`` with its CSV tables.

Every mistake in a folder is reported at once, with its path inside the file and the nearest known word.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

import pyarrow as pa

from drgsim.assets import asset_root
from drgsim.errors import DrgsimError, InputError, Problem, SchemeError, did_you_mean, wrong_type
from drgsim.language import joined, text
from drgsim.parameters.evident_values import nodes
from drgsim.parameters.own_folder import files_outside, outside_problem
from drgsim.parameters.parameter_set import ParameterSet
from drgsim.parameters.strict_file import is_file, read_strict
from drgsim.payment.policy_includes import Included, table_path, with_includes
from drgsim.payment.policy_model import PolicyFile, Table
from drgsim.payment.price_table import PriceTable, read_exempt, read_prices
from drgsim.payment.single_disease_table import SingleDiseases, single_diseases_of
from drgsim.records.read import read_table
from drgsim.records.vocabulary import in_policy_words, policy_path
from drgsim.region.hospital_list import GroupCoefficients, group_coefficients_of
from drgsim.units.schemes.pack import marked_groups

POLICY_FILE = "policy.yaml"
T = TypeVar("T")


class PolicyError(DrgsimError):
    """A payment policy is missing or contradicts itself."""


@dataclass(frozen=True)
class Policy(ParameterSet[PolicyFile]):
    """A payment policy, read and checked.

    Attributes
    ----------
    folder
        Where it was read.
    prices
        The table of groups, or None where the policy publishes none.
    exempt_list, coefficients, single_diseases
        The other tables that the policy has: exempt items, coefficients by hospital and group, fixed amounts.

    Examples
    --------
    >>> policy = load_policy("beijing/2024").changed({"per_diem.rate.employee": 500, "stays.long_days": "+30"})
    >>> policy.file.per_diem.rate.values, policy.file.stays.long_days.value
    ({'employee': 500.0}, 90.0)
    """

    folder: Path
    prices: PriceTable | None = None
    exempt_list: Mapping[str, tuple[int, int]] | None = None
    coefficients: GroupCoefficients | None = None
    single_diseases: SingleDiseases | None = None

    model = PolicyFile
    kind = "policy"
    called = text("this policy")
    error = PolicyError
    own_path = staticmethod(policy_path)
    in_own_words = staticmethod(in_policy_words)

    def rebuilt(self, raw: Mapping[str, Any], mark: str) -> Self:
        """See :meth:`drgsim.parameters.parameter_set.ParameterSet.rebuilt`; the tables are those that were read."""
        policy = super().rebuilt(raw, mark)
        known = {table.file for table in tables_of(self.file)}
        strange = [table.file for table in tables_of(policy.file) if table.file not in known]
        if strange:
            raise PolicyError.single(
                "policy-missing-table",
                text("the table {table} was not read with {policy}", table=", ".join(strange), policy=self.id),
                where=str(self.folder),
                why=text("a change by path cannot bring a table"),
                fix=text("name it in a policy folder of your own: drgsim policy new"),
            )
        return policy

    def including(self, names: Sequence[str]) -> Policy:
        """The policy with further files of sections, such as ``examples/psychiatric`` (:mod:`drgsim.payment.policy_includes`).

        Relative values that were given beside the policy are not kept: include first.

        Raises
        ------
        PolicyError
            ``policy-unknown-include``, ``policy-include-conflict`` and whatever else is wrong; all at once.

        Examples
        --------
        >>> load_policy("beijing/2024").including(["examples/psychiatric"]).file.include
        ('examples/psychiatric',)
        """
        further = [name for name in names if name not in self.file.include]
        if not further:
            return self
        problems: list[Problem] = []
        read = with_includes(self.raw, further, self.id, problems)
        policy, problems = _with_tables(read, self.digest.encode(), self.folder, problems, anywhere=True)
        if policy is None or problems:
            raise PolicyError(problems)
        return policy

    @classmethod
    def contradictions(cls, file: PolicyFile, where: str) -> Iterator[Problem]:
        """Classes and curves that are named and do not exist, and a method without what it pays by."""
        if file.method == "per_diem" and (file.per_diem is None or file.per_diem.rate is None):
            yield Problem(
                "policy-no-rate", text("method per_diem pays days x rate, and the policy states no rate per day"),
                where=f"{where}: per_diem.rate", why=text("nothing would be paid"),
                fix=text("state per_diem.rate: {values: {'*': YUAN}, unit, source, evidence}"),
            )  # fmt: skip
        strange = list(_strange_marks(file, where))
        yield from strange or _named_twice(file, where)
        classes = list(file.group_classes)
        if file.unstable is not None and file.unstable.group_class not in classes:
            fix = did_you_mean(file.unstable.group_class, classes) or text(
                "the classes are {classes}", classes=", ".join(classes) or text("none")
            )
            what = text("unstable.group_class names no class of groups: {group_class!r}", group_class=file.unstable.group_class)
            yield Problem("policy-unknown-class", what, where=f"{where}: unstable.group_class", fix=fix)
        curves = [(f"group_classes.{name}.curve", entry.curve) for name, entry in file.group_classes.items()]
        for path, curve in [*curves, ("stays.incomplete_curve", file.stays.incomplete_curve)]:
            if curve is not None and curve not in file.curves:
                fix = did_you_mean(curve, list(file.curves)) or text("the curves are {names}", names=", ".join(file.curves))
                what = text("{path} names no curve: {curve!r}", path=path, curve=curve)
                yield Problem("policy-unknown-curve", what, where=f"{where}: {path}", fix=fix)


def policy_names(root: Path | None = None) -> list[str]:
    """Names of the policies that ship with drgsim, or that lie below ``root``."""
    base = root or asset_root("payment_tables")
    return sorted(path.parent.relative_to(base).as_posix() for path in base.rglob(POLICY_FILE))


def load_policy(name: str | Path) -> Policy:
    """Read a policy by name (``region/year``) or by folder.

    Parameters
    ----------
    name
        Name of a shipped policy, such as ``beijing/2024`` (:func:`drgsim.policies` lists them), or a folder; with ``+`` and
        the name of a file of sections that it shall include, such as ``beijing/2024+examples/psychiatric``.

    Returns
    -------
    Policy
        Its parameters with unit, date, source and evidence; what :func:`drgsim.settle` and others take.

    Raises
    ------
    PolicyError
        The policy is unknown (``policy-unknown``), or has mistakes: all of them.

    Examples
    --------
    >>> load_policy("beijing/2024").file.scheme
    'beijing-2024'
    """
    if not isinstance(name, str | Path) or not str(name).strip():
        raise wrong_type("policy", name, text("a name such as beijing/2024, or a folder"))
    base, *includes = str(name).split("+")
    if includes and not is_file(Path(name) / POLICY_FILE):
        return load_policy(base).including(includes)
    folder = Path(name)
    if not is_file(folder / POLICY_FILE):
        folder = asset_root("payment_tables") / str(name)
    if not is_file(folder / POLICY_FILE):
        known = policy_names()
        listed = text(
            "drgsim policy list names the {count} that ship; or give a folder that holds {policy_file}",
            count=len(known), policy_file=POLICY_FILE,
        )  # fmt: skip
        own = text("a policy of your own begins with: drgsim new policy FOLDER")
        fix = joined(text("; "), (did_you_mean(str(name), known) or listed, own))
        what = text("there is no payment policy {name!r}", name=str(name))
        raise PolicyError.single("policy-unknown", what, where=str(name), fix=fix)
    policy, problems = read_folder(folder)
    if policy is None or problems:
        raise PolicyError(problems)
    return policy


AnyPolicy = str | Path | Policy


def policy_of(policy: AnyPolicy) -> Policy:
    """A policy by its name, its folder, or as it is."""
    return policy if isinstance(policy, Policy) else load_policy(policy)


def read_folder(folder: Path) -> tuple[Policy | None, list[Problem]]:
    """Read a policy folder; the problems are all that is wrong with it."""
    problems: list[Problem] = []
    where = f"{folder.parent.name}/{folder.name}"
    raw, content = read_strict(folder / POLICY_FILE, "policy", problems, where)
    if raw is None:
        return None, problems
    raw = in_policy_words(raw)
    named = raw.get("include") or ()
    names = [str(name) for name in named] if isinstance(named, list) else []
    outside = [*files_outside(raw, folder, "policy", where)]
    outside += [each for name in names for each in outside_problem(name, folder, "policy", f"{where}: include")]
    outside += files_outside({"scheme": raw.get("scheme")}, Path(), "policy", where, keys=("scheme",))
    if outside:
        return None, [*problems, *outside]
    read = with_includes(raw, names, where, problems, folder) if names else Included(raw, b"")
    return _with_tables(read, content, folder, problems)


def _with_tables(
    read: Included, content: bytes, folder: Path, problems: list[Problem], *, anywhere: bool = False
) -> tuple[Policy | None, list[Problem]]:
    """The policy of a YAML with the tables that it names; ``content`` begins its digest; ``anywhere``: :func:`table_path`."""
    where, raw = f"{folder.parent.name}/{folder.name}", read.raw
    file = Policy.checked(raw, where, problems)
    if file is None:
        return None, problems
    digest = hashlib.sha256(content + read.content)
    prices = exempt = None
    if file.exempt is not None and file.exempt.table is not None:
        exempt = read_exempt(table_path(folder, file.exempt.table.file, anywhere), problems)
    if file.relative_value.table is not None:
        prices = read_prices(folder / file.relative_value.table.file, file, problems)
    coefficients = single = None
    if file.coefficient.table is not None:
        path = table_path(folder, file.coefficient.table.file, anywhere)
        coefficients = _side_table(path, group_coefficients_of, where, problems)
    if file.single_disease is not None:
        single = _side_table(table_path(folder, file.single_disease.table.file, anywhere), single_diseases_of, where, problems)
    for table in tables_of(file):
        path = table_path(folder, table.file, anywhere)
        if path.is_file():
            digest.update(path.read_bytes())
        else:
            problems.append(
                Problem("policy-missing-table", text("the table {file} is named but not there", file=table.file), where=where)
            )
    return Policy(file, digest.hexdigest(), raw, folder, prices, exempt, coefficients, single), problems


def _side_table(
    path: Path, parse: Callable[[pa.Table, str], tuple[T, list[Problem]]], where: str, problems: list[Problem]
) -> T | None:
    """A table beside the policy file, None where it is missing (which is reported for all tables at once) or broken."""
    if not is_file(path):
        return None
    try:
        table, found = parse(read_table(path), f"{where}/{path.name}")
    except InputError as error:
        problems.extend(error.problems)
        return None
    problems.extend(found)
    return table


def _strange_marks(file: PolicyFile, where: str) -> Iterator[Problem]:
    """Marks that no scheme has."""
    for name, entry in file.group_classes.items():
        for mark in entry.marks:
            try:
                marked_groups(mark)
            except SchemeError as error:
                for problem in error.problems:
                    place = f"{where}: group_classes.{name}.marks"
                    yield Problem("policy-unknown-mark", problem.what, where=place, fix=problem.fix)


def _named_twice(file: PolicyFile, where: str) -> Iterator[Problem]:
    """Groups, or beginnings of codes, that two classes of groups name."""
    for part in ("named_groups", "starts"):
        seen: dict[str, str] = {}
        for name, entry in file.group_classes.items():
            for code in getattr(entry, part):
                if seen.setdefault(code, name) != name:
                    what = text(
                        "{code} stands in two classes of groups, {seen} and {name}", code=code, seen=seen[code], name=name
                    )
                    place = f"{where}: group_classes.{name}.{part.removeprefix('named_')}"
                    yield Problem("policy-group-twice", what, where=place, fix=text("name it in one of them"))


def tables_of(file: PolicyFile) -> Iterator[Table]:
    """The tables beside a policy file that it names."""
    return (node for _, node in nodes(file) if isinstance(node, Table))

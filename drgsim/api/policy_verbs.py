"""Payment policies: which there are, what they state on what evidence, whether a folder holds a sound one, their curves."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa

from drgsim.api.argument_check import FLAG, checked, named, number
from drgsim.assets import asset_root
from drgsim.errors import Problem, UsageError, did_you_mean
from drgsim.language import text
from drgsim.parameters.evident_values import Parameter
from drgsim.payment.policy import POLICY_FILE, AnyPolicy, Policy, policy_names, policy_of, read_folder
from drgsim.payment.policy_model import PolicyFile
from drgsim.payment.policy_summaries import PolicySummary, policy_summaries
from drgsim.payment.table_copies import copies_that_disagree
from drgsim.results.result import Result
from drgsim.results.run_record import run_record

if TYPE_CHECKING:
    from drgsim.budgets.terms import BudgetTerms


class PolicyTable(Result):
    """Policies, or the parameters of one.

    Attributes
    ----------
    policies
        The policies that the rows are of; those of a list are read when they are first asked for.
    parameters, terms
        The parameters that the rows are of, and the budget terms where they are theirs.
    ok
        Whether a folder that was checked holds a sound policy; ``notes`` hold every mistake.
    """

    kind: ClassVar[str] = "policy"
    title: ClassVar[str] = text("Payment policies")

    def __init__(
        self,
        table: pa.Table,
        *,
        policies: Sequence[AnyPolicy] = (),
        parameters: Sequence[Parameter] = (),
        terms: BudgetTerms | None = None,
        problems: Sequence[Problem] = (),
    ) -> None:
        super().__init__({"policy": table}, notes=problems)
        self._policies, self.parameters, self.terms = tuple(policies), tuple(parameters), terms
        self.ok = not problems

    @cached_property
    def policies(self) -> tuple[Policy, ...]:
        return tuple(map(policy_of, self._policies))


class PolicyCurves(Result):
    """The payment curves of a policy.

    Attributes
    ----------
    html
        The page, self-contained.
    jumps
        In words, where a curve jumps.
    """

    kind: ClassVar[str] = "policy"
    title: ClassVar[str] = text("Payment curves")

    def __init__(self, policy: Policy, coefficient: float) -> None:
        from drgsim.report.curve_page import curve_page

        self.html, self.jumps = curve_page(policy, coefficient)
        super().__init__(
            {"jumps": pa.table({"jump": pa.array(self.jumps, pa.string())})},
            record=run_record(self.kind, policy=policy.id, policy_digest=policy.digest, coefficient=coefficient),
        )

    def _page(self) -> str:
        return self.html


@checked()
def policies(pattern: str = "", *, method: str | None = None) -> PolicyTable:
    """List the policies that ship with drgsim.

    Parameters
    ----------
    pattern
        Part of the name or of the Chinese title, or a pattern with * and ? such as ``*/2026``; all by default.
    method
        Only policies of this method: ``rate``, ``points``, ``dip``, ``per_diem`` or ``by_item``.

    Returns
    -------
    PolicyTable
        One row per policy: ``id``, ``title``, ``title_zh``, ``region_zh``, ``method``, ``scheme``, ``groups`` (with a price),
        ``assumptions`` (parameters without a source) of the ``parameters``, ``digest``.

    Raises
    ------
    UsageError
        ``policy-no-match``.

    Examples
    --------
    >>> import drgsim
    >>> drgsim.policies("beijing/20?4").to_arrow()["id"].to_pylist()
    ['beijing/2024']
    """
    listed = [one for one in policy_summaries() if _fits(one, pattern) and method in (None, one["method"])]
    if not listed:
        fix = did_you_mean(pattern, policy_names()) or text("drgsim policy list shows all; methods are rate, points, dip")
        asked = " ".join(filter(None, (repr(pattern) if pattern else "", method or "")))
        raise UsageError([Problem("policy-no-match", text("no policy is {asked}", asked=asked), fix=fix)])
    return PolicyTable(pa.Table.from_pylist(listed), policies=[one["id"] for one in listed])


def _fits(policy: PolicySummary, pattern: str) -> bool:
    if any(sign in pattern for sign in "*?"):
        return fnmatch(policy["id"], pattern)
    return pattern in policy["id"] or (not pattern.isascii() and pattern in policy["title_zh"])


@checked(policy=named(Policy), budget=FLAG)
def policy_show(policy: AnyPolicy, *, assumptions: bool = False, budget: bool = False) -> PolicyTable:
    """Show every parameter of a policy with its unit, date, source and evidence.

    Parameters
    ----------
    policy
        Policy such as ``beijing/2024``, its folder, or what :func:`drgsim.load_policy` gave.
    assumptions
        Only what rests on no source.
    budget
        The budget terms of this name (or ``general``) instead.

    Returns
    -------
    PolicyTable
        One row per parameter: ``path``, ``value`` (as text), ``unit``, ``effective_from``, ``evidence`` (official, secondary,
        derived or assumption), ``source`` (its key in the file), ``source_title``, ``note``.

    Raises
    ------
    PolicyError, BudgetError
        ``policy-unknown``, ``budget-unknown-terms``, or a file with mistakes.

    Examples
    --------
    >>> import drgsim
    >>> drgsim.policy_show("beijing/2024", assumptions=True).to_arrow()["evidence"].unique().to_pylist()
    ['assumption']
    """
    if budget:
        from drgsim.budgets.terms import load_terms  # what settles cases comes with it, which listing parameters need not load

        terms = load_terms(policy)
        chosen = terms.assumptions if assumptions else terms.parameters
        return PolicyTable(_parameters(chosen), parameters=chosen, terms=terms)
    loaded = policy_of(policy)
    chosen = loaded.assumptions if assumptions else loaded.parameters
    return PolicyTable(_parameters(chosen), policies=[loaded], parameters=chosen)


@checked(policy=named(Policy))
def policy_explain(policy: AnyPolicy, path: str) -> PolicyTable:
    """Explain one parameter, or those below a path: value, unit, since when, and how well it is founded.

    Parameters
    ----------
    policy
        As in :func:`drgsim.policy_show`.
    path
        Parameter such as ``unit_value``.

    Returns
    -------
    PolicyTable
        As of :func:`drgsim.policy_show`.

    Raises
    ------
    UsageError
        ``policy-unknown-path``.

    Examples
    --------
    >>> import drgsim
    >>> drgsim.policy_explain("beijing/2024", "unit_value").to_arrow()["unit"].to_pylist()
    ['yuan per weight']
    """
    loaded = policy_of(policy)
    found = [p for p in loaded.parameters if p.path == path or p.path.startswith(f"{path}.") or path.startswith(f"{p.path}.")]
    if not found:
        known = [parameter.path for parameter in loaded.parameters]
        fix = did_you_mean(path, known) or text("the parameters are {known}", known=", ".join(known))
        raise UsageError(
            [Problem("policy-unknown-path", text("{loaded} has no parameter {path}", loaded=loaded.id, path=path), fix=fix)]
        )
    return PolicyTable(_parameters(found), policies=[loaded], parameters=found)


@checked(policy=named(Policy))
def policy_check(policy: AnyPolicy) -> PolicyTable:
    """Check a policy and find every mistake at once.

    Parameters
    ----------
    policy
        Folder that holds policy.yaml, the name of a shipped policy, or what :func:`drgsim.load_policy` gave.

    Returns
    -------
    PolicyTable
        ``ok``, ``notes`` with every mistake, and its parameters where the policy can be read.

    Raises
    ------
    UsageError
        ``policy-no-file``.

    Examples
    --------
    >>> import drgsim
    >>> drgsim.policy_check("beijing/2024").ok
    True
    """
    if isinstance(policy, Policy):  # it was checked when it was read
        return PolicyTable(_parameters(policy.parameters), policies=[policy], parameters=policy.parameters)
    folder = Path(policy)
    if not (folder / POLICY_FILE).is_file() and str(policy) in policy_names():
        folder = asset_root("payment_tables") / str(policy)
    if not (folder / POLICY_FILE).is_file():
        fix = did_you_mean(str(policy), policy_names()) or text("drgsim policy list names those that ship")
        raise UsageError(
            [
                Problem(
                    "policy-no-file",
                    text("{folder} holds no {policy_file}", folder=folder, policy_file=POLICY_FILE),
                    where=str(folder),
                    fix=fix,
                )
            ]
        )
    read, problems = read_folder(folder)
    if read is not None and not problems:
        problems = copies_that_disagree(read)
    parameters = read.parameters if read is not None else ()
    return PolicyTable(
        _parameters(parameters), policies=[read] if read is not None else (), parameters=parameters, problems=problems
    )


@checked(base=named(Policy))
def policy_new(name: str, *, base: AnyPolicy = "beijing/2024", output: str | Path | None = None) -> PolicyTable:
    """Write the folder of a new policy: a commented skeleton after another one, which checks clean and settles.

    Parameters
    ----------
    name
        ``region/year`` of the new policy, such as ``my-city/2026``.
    base
        The policy that the values are taken from, as in :func:`drgsim.policy_show`. In the new one every value is an
        assumption with this policy as its source, until a source of the region replaces it.
    output
        The new folder; by default ``region/year`` below the current one.

    Returns
    -------
    PolicyTable
        The parameters of the new policy; ``policies[0].folder`` is where it was written.

    Raises
    ------
    UsageError
        ``policy-bad-name`` or ``policy-name-taken``.
    PolicyError
        ``policy-unknown`` for the base.
    OutputError
        ``output-exists`` and others: the folder holds something.

    Examples
    --------
    >>> import drgsim, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = drgsim.policy_new("my-city/2026", output=f"{folder}/my-city/2026")
    >>> made.policies[0].id, made.to_arrow()["evidence"].unique().to_pylist()
    ('my-city/2026', ['assumption'])
    """
    from drgsim.payment.policy_skeleton import write_skeleton

    policy = write_skeleton(name, base, output)
    return PolicyTable(_parameters(policy.parameters), policies=[policy], parameters=policy.parameters)


@checked(budget=FLAG)
def policy_schema(*, budget: bool = False) -> dict[str, Any]:
    """The JSON schema of policy.yaml, for editors that complete and check while typing.

    Parameters
    ----------
    budget
        Of budget.yaml instead.

    Returns
    -------
    dict
        The schema, ready for JSON.

    Examples
    --------
    >>> import drgsim
    >>> "unit_value" in drgsim.policy_schema()["properties"]
    True
    """
    if not budget:
        return PolicyFile.model_json_schema()
    from drgsim.budgets.terms import terms_schema

    return terms_schema()


@checked(policy=named(Policy), coefficient=number(0.01))
def policy_plot(policy: AnyPolicy, *, coefficient: float = 1.0) -> PolicyCurves:
    """Draw the payment curves of a policy and find their jumps (rule book 1.7).

    Parameters
    ----------
    policy
        As in :func:`drgsim.policy_show`.
    coefficient
        Hospital coefficient k to draw for, 0.01 or more.

    Returns
    -------
    PolicyCurves
        ``save("policy.html")`` writes the page.

    Raises
    ------
    PolicyError
        ``policy-unknown``.

    Examples
    --------
    >>> import drgsim
    >>> drgsim.policy_plot("beijing/2024").jumps[:1]
    ['main: K = 3: at r = 0.3 from 0.3 to 1 (+0.7)']
    """
    return PolicyCurves(policy_of(policy), coefficient)


def _parameters(parameters: Sequence[Parameter]) -> pa.Table:
    """Parameters as a table of texts."""
    columns = ("path", "value", "unit", "effective_from", "evidence", "source", "source_title", "note")
    return pa.table({
        name: pa.array([str(getattr(parameter, name)) for parameter in parameters], pa.string()) for name in columns
    })  # fmt: skip

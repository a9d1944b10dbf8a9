"""What a list of policies says of each, kept on disk by the contents of all their files: reading a hundred takes seconds."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TypedDict

from drgsim.assets import asset_root
from drgsim.payment import policy, policy_includes, policy_model, price_table
from drgsim.payment.policy import Policy, load_policy, policy_names
from drgsim.units.compiled_cache import cache_path, fetch, store

_SOURCES = (__file__, policy.__file__, policy_includes.__file__, policy_model.__file__, price_table.__file__)


class PolicySummary(TypedDict):
    """One policy in a list: ``groups`` have a price, ``assumptions`` of the ``parameters`` rest on no source."""

    id: str
    title: str
    title_zh: str
    region_zh: str
    method: str
    scheme: str | None
    groups: int
    assumptions: int
    parameters: int
    digest: str


def summary_of(policy: Policy) -> PolicySummary:
    """What a list says of a policy."""
    file = policy.file
    return {
        "id": policy.id, "title": file.title, "title_zh": file.title_zh, "region_zh": file.region_zh,
        "method": str(file.method), "scheme": file.scheme, "groups": len(policy.prices.codes) if policy.prices else 0,
        "assumptions": len(policy.assumptions), "parameters": len(policy.parameters), "digest": policy.digest,
    }  # fmt: skip


def policy_summaries() -> list[PolicySummary]:
    """Summaries of the policies that ship, in the order of their names.

    Examples
    --------
    >>> policy_summaries()[0]["id"]
    'aba/2024'
    """
    kept = cache_path("policies", _digest(asset_root("payment_tables")), _SOURCES)
    found = fetch(kept)
    if found is not None:
        return list(found[0]["policies"])
    summaries = [summary_of(load_policy(name)) for name in policy_names()]
    if kept is not None:
        store(kept, {"policies": summaries}, {})
    return summaries


def _digest(folder: Path) -> str:
    """SHA-256 over the names and contents of all files of a folder."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()} {len(content)} ".encode())
        digest.update(content)
    return digest.hexdigest()

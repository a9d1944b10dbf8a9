"""A grouper in one HTML file: schemes and policies as a page that needs nothing but a browser."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from drgsim.api.argument_check import checked, named
from drgsim.language import text
from drgsim.page.page_writer import PageParts, page_parts
from drgsim.payment.policy import Policy, policy_of
from drgsim.results.result import Result
from drgsim.results.run_record import run_record
from drgsim.results.whole_outputs import write_text
from drgsim.units.dip.catalogue_files import load_catalogue
from drgsim.units.dip.dip_catalogue import Catalogue
from drgsim.units.schemes.pack import find_pack, is_dip, load_scheme
from drgsim.units.schemes.scheme import Scheme

AnyScheme = str | Path | Scheme | Catalogue


class GrouperPage(Result):
    """A page that groups and prices by itself.

    Attributes
    ----------
    html
        The page: one file, no request leaves it.
    parts
        What it holds, as JSON can hold it.
    """

    kind: ClassVar[str] = "page"
    title: ClassVar[str] = text("Grouper in one page")

    def __init__(self, parts: PageParts) -> None:
        self.parts = parts
        held = [*parts.data["schemes"], *parts.data["policies"]]
        table = pa.table({
            "id": [each["id"] for each in held],
            "title_zh": [each["title"]["zh"] for each in held],
            "digest": [each["digest"] for each in held],
        })  # fmt: skip
        schemes = {each["id"]: each["digest"] for each in parts.data["schemes"]}
        policies = {each["id"]: each["digest"] for each in parts.data["policies"]}
        super().__init__({"held": table}, record=run_record(self.kind, schemes=schemes, policies=policies))

    @cached_property
    def html(self) -> str:
        return self.parts.html

    def _page(self) -> str:
        return self.html


@checked(policies=named(Policy, listed=True))
def grouper_page(
    schemes: AnyScheme | Sequence[AnyScheme], *, policies: Sequence[str | Path | Policy] = (), output: str | Path | None = None
) -> GrouperPage:
    """Make a page that groups discharges in a browser, without Python and without a network.

    Parameters
    ----------
    schemes
        DRG schemes and DIP catalogues: ids, folders, or loaded ones; the page begins with the first.
    policies
        Each prices the groups of the scheme that it names; that scheme is added where it is not among ``schemes``.
    output
        File to write.

    Returns
    -------
    GrouperPage
        Table ``held``: id, Chinese title and digest of what is in it. Some 2.5 MB for one DRG scheme.

    Raises
    ------
    SchemeError, PolicyError
        One of them is not there, or has mistakes.
    UsageError
        ``page-policy-of-cases``, ``page-policy-without-groups``: what a policy pays cannot be told from one case.

    Examples
    --------
    >>> import drgsim
    >>> page = drgsim.grouper_page("dip-taian-2025")
    >>> page.to_arrow()["id"].to_pylist(), page.html.startswith("<!DOCTYPE html>")
    (['dip-taian-2025'], True)
    """
    asked = [schemes] if isinstance(schemes, str | Path | Scheme | Catalogue) else list(schemes)
    loaded = [_loaded(each) for each in asked]
    paying = [policy_of(each) for each in policies]
    for policy in paying:
        if policy.file.scheme and policy.file.scheme not in [each.id for each in loaded]:
            loaded.append(_loaded(policy.file.scheme))
    unique = list({each.id: each for each in loaded}.values())
    page = GrouperPage(page_parts(unique, paying))
    if output is not None:
        write_text(output, page.html)
    return page


def _loaded(scheme: AnyScheme) -> Scheme | Catalogue:
    if isinstance(scheme, Scheme | Catalogue):
        return scheme
    return load_catalogue(scheme) if is_dip(find_pack(scheme)) else load_scheme(scheme)

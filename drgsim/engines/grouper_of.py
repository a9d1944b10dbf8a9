"""DRG scheme or DIP catalogue: what a name, a folder or an object means, and the grouper for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drgsim.records.code_dictionaries import OWN_VERSION
from drgsim.records.input_options import InputOptions
from drgsim.units.batch_grouper import BatchGrouper
from drgsim.units.dip.catalogue_arrays import CompiledCatalogue
from drgsim.units.dip.dip_catalogue import Catalogue
from drgsim.units.dip.dip_explanation import explain_kind
from drgsim.units.dip.dip_grouper import DipGrouper
from drgsim.units.dip.dip_narrative import DipExplanation
from drgsim.units.drg.drg_explanation import explain_group
from drgsim.units.drg.drg_grouper import Grouper
from drgsim.units.drg.drg_narrative import Explanation
from drgsim.units.schemes.pack import find_pack, is_dip
from drgsim.units.schemes.scheme import Scheme
from drgsim.units.schemes.scheme_lowering import CompiledScheme

DEFAULT_SCHEME = "chs-drg-2.0"  # the national one, where nothing else is said
AnyScheme = Scheme | CompiledScheme | Catalogue | CompiledCatalogue | str | Path


def means_dip(scheme: AnyScheme) -> bool:
    """Whether a scheme, its id or folder is a DIP catalogue.

    Examples
    --------
    >>> means_dip("dip-taian-2025"), means_dip("chs-drg-2.0")
    (True, False)
    """
    if isinstance(scheme, str | Path):
        return is_dip(find_pack(scheme))
    return isinstance(scheme, Catalogue | CompiledCatalogue)


def grouper_of(scheme: AnyScheme | BatchGrouper, code_version: str = OWN_VERSION) -> BatchGrouper:
    """The grouper for a DRG scheme or a DIP catalogue; one that is made already is itself."""
    if isinstance(scheme, BatchGrouper):
        return scheme
    if isinstance(scheme, Scheme | CompiledScheme):
        return Grouper(scheme, code_version)
    return DipGrouper(scheme, code_version) if means_dip(scheme) else Grouper(str(scheme), code_version)


def explain_record(
    record: Mapping[str, Any],
    scheme: Scheme | Catalogue | str | Path,
    options: InputOptions | None = None,
    *,
    strict: bool = False,
) -> Explanation | DipExplanation:
    """Explain the group or kind of one discharge; :func:`drgsim.explain` tells what the parameters are."""
    if isinstance(scheme, Catalogue) or (not isinstance(scheme, Scheme) and means_dip(scheme)):
        return explain_kind(record, scheme, options, strict=strict)
    return explain_group(record, scheme, options, strict=strict)

"""DRG scheme or DIP catalogue: what a name, a folder or an object means, and the grouper for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drgsim.engines.dated_grouper import DATE, DatedGrouper
from drgsim.records.arrow import one_chunk
from drgsim.records.cells import read_days
from drgsim.records.code_dictionaries import OWN_VERSION
from drgsim.records.input_options import InputOptions
from drgsim.units.batch_grouper import GroupsBatches
from drgsim.units.dip.catalogue_arrays import CompiledCatalogue
from drgsim.units.dip.dip_catalogue import Catalogue
from drgsim.units.dip.dip_explanation import explain_kind
from drgsim.units.dip.dip_grouper import DipGrouper
from drgsim.units.dip.dip_narrative import DipExplanation
from drgsim.units.drg.drg_explanation import canonical_record, explain_group
from drgsim.units.drg.drg_grouper import DrgGrouper
from drgsim.units.drg.drg_narrative import Explanation
from drgsim.units.schemes.pack import find_pack, is_dip
from drgsim.units.schemes.scheme import Scheme
from drgsim.units.schemes.scheme_lowering import CompiledScheme
from drgsim.units.schemes.schemes_in_force import AUTO, national_schemes

DEFAULT_SCHEME = AUTO  # the national one on the date of discharge, where nothing else is said
AnyScheme = Scheme | CompiledScheme | Catalogue | CompiledCatalogue | str | Path


def means_dip(scheme: AnyScheme) -> bool:
    """Whether a scheme, its id or folder is a DIP catalogue.

    Examples
    --------
    >>> means_dip("dip-taian-2025"), means_dip("chs-drg-2.0")
    (True, False)
    """
    if isinstance(scheme, str | Path):
        return scheme != AUTO and is_dip(find_pack(scheme))
    return isinstance(scheme, Catalogue | CompiledCatalogue)


def grouper_of(scheme: AnyScheme | GroupsBatches, code_version: str = OWN_VERSION) -> GroupsBatches:
    """The grouper for a DRG scheme, a DIP catalogue or ``auto``: the national schemes by date; one that is made is itself."""
    if isinstance(scheme, GroupsBatches):
        return scheme
    if scheme == AUTO:
        return DatedGrouper(code_version)
    if isinstance(scheme, Scheme | CompiledScheme):
        return DrgGrouper(scheme, code_version)
    return DipGrouper(scheme, code_version) if means_dip(scheme) else DrgGrouper(str(scheme), code_version)


def scheme_of_record(record: Mapping[str, Any], options: InputOptions | None = None) -> str:
    """The national scheme in force on the date of discharge of one record, which is what ``auto`` means for it.

    Examples
    --------
    >>> scheme_of_record({"diagnoses": "I10.x00", "出院日期": "2027-01-01"}), scheme_of_record({"diagnoses": "I10.x00"})
    ('chs-drg-3.0', 'chs-drg-2.0')
    """
    national = national_schemes()
    days = read_days(one_chunk(canonical_record(record, options or InputOptions()), DATE)).values
    return national.schemes[int(national.places(days)[0])].scheme


def explain_record(
    record: Mapping[str, Any],
    scheme: Scheme | Catalogue | str | Path,
    options: InputOptions | None = None,
    *,
    strict: bool = False,
) -> Explanation | DipExplanation:
    """Explain the group or kind of one discharge; :func:`drgsim.explain` tells what the parameters are."""
    if scheme == AUTO:
        scheme = scheme_of_record(record, options)
    if isinstance(scheme, Catalogue) or (not isinstance(scheme, Scheme) and means_dip(scheme)):
        return explain_kind(record, scheme, options, strict=strict)
    return explain_group(record, scheme, options, strict=strict)

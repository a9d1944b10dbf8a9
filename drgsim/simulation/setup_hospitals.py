"""The hospitals as a setup has them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from drgsim.records.vocabulary import level_keys
from drgsim.region.hospital_list import Hospital
from drgsim.simulation.setup import Setup
from drgsim.simulation.simulated_region import Region


def hospitals_of(setup: Setup, region: Region) -> Mapping[str, Hospital]:
    """Hospitals with changed levels and coefficients; the region's own mapping where nothing changes them."""
    edits = [edit for edit in setup.hospitals if edit.field in ("level", "coefficient")]
    if not edits:
        return region.hospitals
    default = setup.policy.file.coefficient.default
    result = dict(region.hospitals)
    for edit in edits:
        for name in region.hospitals:
            if not hospital_fits(region, name, edit.kind, edit.key):
                continue
            if edit.field == "level":
                keys = level_keys(str(edit.change.value))
                result[name] = replace(result[name], level=keys[0], grade="" if len(keys) > 1 else result[name].grade)
            else:
                old = result[name].coefficient
                old = (default.value if default is not None else 1.0) if math.isnan(old) else old
                result[name] = replace(result[name], coefficient=edit.change.apply(old))
    return result


def hospital_fits(region: Region, hospital: str, kind: str, key: str) -> bool:
    """Whether a hospital belongs to a level, is the one named, or all are meant."""
    return kind == "all" or (kind == "level" and key in region.level_keys(hospital)) or (kind == "hospital" and hospital == key)

"""A DIP catalogue as data for a page: the flat arrays of the kernel and the texts of its lines."""

from __future__ import annotations

from typing import Any

from drgsim.page.packed_arrays import halved, halved_graph, packed
from drgsim.page.page_codes import local_codes
from drgsim.units.dip.catalogue_arrays import LINE_TEXTS
from drgsim.units.dip.catalogue_lowering import lower_catalogue
from drgsim.units.dip.dip_catalogue import KINDS, OPERATION_CLASSES, Catalogue
from drgsim.units.schemes.rule_language import print_rule

_HALVED = ("dx_bits", "op_bits", "exclusion_bits", "cell_bits")
_OTHERS = ("row_base", "severity_bits", "nodes", "node_values", "site_bits", "counts")  # of the decision graph


def page_catalogue(catalogue: Catalogue) -> dict[str, Any]:
    """A catalogue as JSON can hold it.

    Returns
    -------
    dict
        ``unit`` ("dip"), ``id``, ``title``, ``digest``, ``arrays`` (see :mod:`drgsim.page.packed_arrays`), ``lines`` (code,
        name, kind, auxiliary list and level of each), ``levels`` with their conditions in words, ``kinds`` and ``classes``
        with their Chinese names, ``words``, ``variables`` and ``local`` as :func:`drgsim.page.page_scheme.page_scheme` has
        them.
    """
    compiled = lower_catalogue(catalogue)
    arrays = compiled.arrays._asdict()
    plain = {name: array for name, array in arrays.items() if name not in (*_HALVED, *_OTHERS)}
    bits = {name: halved(arrays[name]) for name in _HALVED}
    lines = zip(*(compiled.lines[name] for name in LINE_TEXTS), strict=True)
    return {
        "unit": "dip",
        "id": catalogue.id,
        "title": {"zh": catalogue.title_zh, "en": catalogue.title},
        "digest": catalogue.digest,
        "arrays": {name: packed(array) for name, array in (plain | bits | halved_graph(compiled.arrays)).items()},
        "lines": [list(line) for line in lines],
        "levels": [
            [level.aux, level.level, level.title, level.title_zh, print_rule(level.condition)] for level in catalogue.levels
        ],
        "conditions": [[text, print_rule(rule)] for text, rule in catalogue.conditions.items()],
        "kinds": KINDS,
        "classes": OPERATION_CLASSES,
        "words": {name: [list(group) for group in groups] for name, groups in compiled.text_words.items()},
        "variables": sorted(compiled.variables),
        "wants_cost": compiled.wants_cost,
        "all_diagnoses": compiled.all_diagnoses,
        "local": local_codes(catalogue.book),
        "notes": list(catalogue.notes),
        "readings": dict(catalogue.readings),
        "coverage": {"evidence": catalogue.evidence},
    }

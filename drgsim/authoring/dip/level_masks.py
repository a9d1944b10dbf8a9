"""All levels of auxiliary lists that discharges have, as bits: what building a catalogue asks, beside grouping by one.

Conditions are lowered and evaluated as grouping does it, so that a built catalogue means the same levels.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drgsim.authoring.dip.auxiliary_styles import AuxiliaryLists
from drgsim.authoring.dip.catalogue_writer import catalogue_files
from drgsim.authoring.schemes.pack_files import write_pack
from drgsim.compiled_code import njit
from drgsim.leftovers import scratch_folder
from drgsim.records.batch_encoding import PreparedBatch
from drgsim.records.code_dictionaries import OWN_VERSION
from drgsim.units.dip.catalogue_files import classes_file
from drgsim.units.dip.catalogue_reader import CatalogueReader
from drgsim.units.dip.charlson import CharlsonTable, comorbidity_index
from drgsim.units.dip.dip_catalogue import Catalogue, Kind
from drgsim.units.dip.dip_grouper import DipGrouper
from drgsim.units.dip.dip_kernel import EncodedForDip
from drgsim.units.dip.excluded_codes import ExcludedCodes
from drgsim.units.dip.level_conditions import PLAIN_NUMBERS, fill_words, standing_levels
from drgsim.units.schemes.rule_kernel import decide


def empty_catalogue(lists: AuxiliaryLists, severity_scheme: str, excluded: ExcludedCodes | None = None) -> Catalogue:
    """A catalogue that has auxiliary lists, excluded codes and no kind but the blank one."""
    settings = {
        "id": "levels", "title": "levels", "title_zh": "辅助目录", "evidence": lists.evidence, "sources": [lists.source],
        "auxiliary": {"severity_lists": severity_scheme},
    }  # fmt: skip
    files = catalogue_files(settings, [Kind("KBBZ", kind="blank")], lists.levels, lists.sets, None, excluded)
    with scratch_folder() as beside:
        folder = write_pack(Path(beside) / "levels", files)
        return CatalogueReader(folder, "", classes_file(folder)).catalogue()


class LevelMasks:
    """Levels of lists for batches of discharges."""

    def __init__(
        self,
        lists: AuxiliaryLists,
        severity_scheme: str,
        code_version: str = OWN_VERSION,
        excluded: ExcludedCodes | None = None,
    ) -> None:
        self.catalogue = empty_catalogue(lists, severity_scheme, excluded)
        self.grouper = DipGrouper(self.catalogue, code_version)

    def masks(self, prepared: PreparedBatch, skip: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Levels of each discharge, a bit each in the order of the lists; none where ``skip``."""
        compiled = self.grouper.compiled
        d, p, arrays = prepared.diagnoses, prepared.procedures, compiled.arrays
        cci = comorbidity_index(d, CharlsonTable(arrays.cci_masks, arrays.cci_points), principal=compiled.all_diagnoses)
        no_cost = np.full(skip.size, np.nan)
        encoded = EncodedForDip(d.ids, d.offsets, p.ids, p.offsets, prepared.numbers, prepared.texts, cci, no_cost, skip)
        return np.asarray(_masks(arrays, encoded))


@njit(cache=True, nogil=True)
def _masks(s: Any, batch: Any) -> Any:  # pragma: no cover - compiled
    entry, nodes, values, sites, counts = s.level_entry, s.nodes, s.node_values, s.site_bits, s.counts
    dx_bits_class, dx_bits, op_bits_class, op_bits = s.dx_bits_class, s.dx_bits, s.op_bits_class, s.op_bits
    dx_level, dx_exclusion, severity_bits = s.dx_level, s.dx_exclusion, s.severity_bits
    exclusion_class, exclusion_bits = s.exclusion_class, s.exclusion_bits
    diagnoses, diagnosis_offsets = batch.diagnoses, batch.diagnosis_offsets
    procedures, procedure_offsets = batch.procedures, batch.procedure_offsets
    words = np.zeros(s.row_base[7], np.int64)
    dx_width, op_width, op_base, text_base = dx_bits.shape[1], op_bits.shape[1], s.row_base[3], s.row_base[6]
    numbers = np.zeros(PLAIN_NUMBERS + 1 + counts.shape[0], np.float64)
    masks = np.zeros(batch.skip.size, np.int64)
    for i in range(masks.size):
        if batch.skip[i]:
            continue
        dx = diagnoses[diagnosis_offsets[i] : diagnosis_offsets[i + 1]]
        has_mcc, has_cc = standing_levels(dx, dx_level, dx_exclusion, exclusion_class, exclusion_bits)
        for column in range(PLAIN_NUMBERS):
            numbers[column] = batch.numbers[i, column]
        numbers[PLAIN_NUMBERS] = batch.cci[i]
        for column in range(words.size - text_base):
            words[text_base + column] = batch.texts[i, column]
        fill_words(
            words, numbers, dx, procedures[procedure_offsets[i] : procedure_offsets[i + 1]], dx_width, op_width, op_base,
            text_base, dx_bits_class, dx_bits, op_bits_class, op_bits, dx_level, dx_exclusion, exclusion_class, exclusion_bits,
            severity_bits, counts, has_mcc, has_cc,
        )  # fmt: skip
        for level in range(entry.size):
            if decide(nodes, values, sites, entry[level], words, numbers):
                masks[i] |= np.int64(1) << np.int64(level)
    return masks

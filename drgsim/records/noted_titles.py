"""Words for what reading left out or joined, wherever it is told: on the terminal and in the notes of a result."""

from __future__ import annotations

from typing import Final

from drgsim.language import text
from drgsim.records.read_json import SEVERAL_PRINCIPAL
from drgsim.records.recipes import TCM_LEFT_OUT
from drgsim.records.side_rows import BLANKS, HEADERS, SIGNATURES, TOTALS

NOTED_TITLES: Final = {
    TCM_LEFT_OUT: text("diagnoses of Chinese medicine left out 中医诊断未参与分组"),
    TOTALS: text("totals rows left out 合计行未计入"),
    SIGNATURES: text("signature and remark rows left out 签名备注行未计入"),
    HEADERS: text("repeated headers left out 重复表头未计入"),
    BLANKS: text("blank rows, or rows without id, sex and diagnosis, left out 空行未计入"),
    SEVERAL_PRINCIPAL: text("records with several principal diagnoses (the first counts) 主要诊断标记重复"),
}

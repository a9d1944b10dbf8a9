"""Columns that a file has beside those that are read, and that look as if they held diagnoses or procedures.

A name that nobody foresaw (其它疾病2) would take its codes out of every record in silence; such columns are told. Names and
cells both have to speak for it, so that names of diseases, outpatient diagnoses and the like are no alarm.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from drgsim.records.arrow import one_chunk, to_text
from drgsim.records.layout import CODE_LISTS
from drgsim.records.recipes import Recipe
from drgsim.records.schema import header_key

_KIND = r"(?:诊断|疾病|手术|操作|DIAG|DX|PROC|OPER|ICD)"
_OTHERS = r"其他|其它|次|合并症|并发症|第[二三四五六七八九十\d]|SECOND|OTHER"
_SOUNDS = re.compile(rf"(?:{_OTHERS}).*|.*{_KIND}\D*\d+\D*")
_OTHERWISE = re.compile(
    r"名称|姓名|日期|时间|医师|医生|者|助手|级别|切口|麻醉|类型|类别|病情|情况|标志|标识|序号|门诊|急诊|入院|病理|损伤|中医|费|"
    r"NAME|DATE|TIME|TYPE|FLAG|TCM"
)
_CODE = r"^\s*['=\"]*(?:[A-Za-z]\d{2}(?:[.xX\d+*]|\s*$)|\d{2}\.\d{2})"
_LOOKED_AT, _SHARE = 400, 0.5


def named_like_codes(names: Sequence[str], recipes: Mapping[str, Recipe]) -> list[str]:
    """Columns that are not read and whose names sound like a list of codes.

    Examples
    --------
    >>> lists = {"diagnoses": Recipe("codes", ("主要诊断编码", "其他诊断编码1")), "procedures": Recipe("as_is", ("手术编码",))}
    >>> named_like_codes(["主要诊断编码", "其他诊断编码1", "其他诊断名称1", "出院疾病2", "手术编码", "门诊诊断"], lists)
    ['出院疾病2']
    """
    read = {own for recipe in recipes.values() for own in recipe.needs}
    if any(recipes[name].columns == (name,) for name in CODE_LISTS if name in recipes):
        return []  # a canonical column means itself whatever stands beside it
    keys = {name: header_key(name) for name in names if name not in read}
    return [name for name, key in keys.items() if _SOUNDS.fullmatch(key) and not _OTHERWISE.search(key)]


def hold_codes(batch: pa.RecordBatch, names: Sequence[str]) -> list[str]:
    """Those of the columns whose first cells look like codes."""
    found = []
    for name in names:
        texts = pc.drop_null(to_text(one_chunk(batch, name), name).cast(pa.string()))
        filled = texts.filter(pc.greater(pc.utf8_length(pc.utf8_trim_whitespace(texts)), 1)).slice(0, _LOOKED_AT)
        like_codes = pc.sum(pc.match_substring_regex(filled, _CODE)).as_py() or 0
        if len(filled) and like_codes >= _SHARE * len(filled):
            found.append(name)
    return found

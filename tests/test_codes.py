"""Codes in every spelling that files have; the byte loop equals the plain Python."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drgsim.records.code_dictionaries import national_codes, split_codes
from drgsim.records.encode import encode_lists
from drgsim.units.drg.drg_grouper import DrgGrouper

pytestmark = pytest.mark.jit_off
BOOK = national_codes()


@pytest.mark.parametrize(
    "spelling",
    ["I10.x00", " I10.x00", "I10.x00\t", "i10.x00", "I10.X00", "Ｉ１０．ｘ００", "I10 .x00", "\ufeffI10.x00", "I10.x00\u3000"],
)
def test_spellings_of_one_code(spelling: str) -> None:
    assert BOOK.diagnoses.canonical(spelling) == "I10.x00"


@pytest.mark.parametrize("spelling", ["A01.002+G01*", "A01.002† G01*", "a01.002＋g01＊", "A01.002+G01"])
def test_dagger_and_asterisk_as_the_dictionary_writes_them(spelling: str) -> None:
    assert BOOK.diagnoses.canonical(spelling) == "A01.002+G01*"


def test_no_two_codes_share_a_spelling() -> None:
    for codes in (BOOK.diagnoses, BOOK.procedures):
        assert all(codes.find(code) == number for number, code in enumerate(codes.codes))


def test_unknown_codes_stay_unknown() -> None:
    for text in ("Z99.999x999", "I10", "I10.x0", "10.x00", "诊断", "I10.x00" * 9):
        assert BOOK.diagnoses.find(text) == -1


_PIECES = st.one_of(
    st.sampled_from(
        [
            "I10.x00",
            "E11.900",
            "-",
            "NULL",
            "—",
            "n/a",
            "I10.x00\0",
            "A01.002+G01*",
            "a01.002†g01＊",
            "Ｉ１０．ｘ００",
            "",
            " ",
            "诊断",
            "x",
            "Z" * 30,
            "é",
            "E11.900 2型糖尿病",
            "I10.x00（高血压）",
            "I10 .×00 ",
            "'E11.900",
            '="E11.900"',
            "[E11.900]糖尿病",
            "E11.900-ST段",
        ]
    ),
    st.text(
        alphabet="AIx01.+* \0\x0b\x7f\u2003\u202f\u2060\u3000\u00a0，、；|\n\tＡｚ†中é\U0001f600×х’＇=（)【-：∗。", max_size=8
    ),
)
_LISTS = st.lists(_PIECES, max_size=5).flatmap(
    lambda pieces: st.sampled_from(["|", ";", ",", "、", "，", "；", "｜", "\n"]).map(lambda sign: sign.join(pieces))
)


@given(texts=st.lists(st.one_of(_LISTS, st.none()), max_size=6))
def test_the_byte_loop_equals_plain_python(grouper: DrgGrouper, texts: list[str | None]) -> None:
    encoded = encode_lists(pa.array(texts, pa.string()), grouper.compiled.diagnoses)
    for row, text in enumerate(texts):
        ids = encoded.ids[encoded.offsets[row] : encoded.offsets[row + 1]].tolist()
        assert ids == [BOOK.diagnoses.find(code) for code in split_codes(text or "")]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_columns_of_other_types(grouper: DrgGrouper, kind: pa.DataType) -> None:
    table = grouper.compiled.diagnoses
    wanted = encode_lists(pa.array(["I10.x00|E11.900", None, "E11.900"]), table)
    column = pa.array(["I10.x00|E11.900", None, "E11.900"]).cast(kind)
    for found in (encode_lists(column, table), encode_lists(pa.chunked_array([column[:1], column[1:]]), table)):
        assert found.ids.tolist() == wanted.ids.tolist()
        assert found.offsets.tolist() == wanted.offsets.tolist()
    sliced = encode_lists(pa.array(["x", "I10.x00|E11.900", None, "E11.900"]).slice(1).cast(kind), table)
    assert sliced.ids.tolist() == wanted.ids.tolist()


def test_arrow_lists_keep_the_principal_place(grouper: DrgGrouper) -> None:
    column = pa.array([["I10.x00", None, "E11.900"], [None, "I10.x00"], [], None, ["", "E11.900"]], pa.list_(pa.string()))
    texts = pa.array(["I10.x00||E11.900", "|I10.x00", "", None, "|E11.900"])
    lists, plain = (encode_lists(c, grouper.compiled.diagnoses) for c in (column, texts))
    assert lists.ids.tolist() == plain.ids.tolist()
    assert lists.offsets.tolist() == plain.offsets.tolist()

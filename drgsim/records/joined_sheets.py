"""Records spread over sheets: the front page, the diagnoses and the procedures, joined by the id of the discharge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from drgsim.errors import InputError
from drgsim.language import text
from drgsim.records.code_dictionaries import fold, split_codes
from drgsim.records.recipes import is_marked
from drgsim.records.schema import header_key

# columns of a sheet with one code in each row: where the code stands, and whether it is the principal one
_PLACES = ("序号", "顺序", "诊断序号", "手术序号", "诊断顺位", "顺位", "seq", "no", "order", "number")
_MARKS = (
    "主诊断标志", "是否主诊断", "主要诊断标志", "诊断类型", "诊断类别", "主手术标志", "是否主手术", "手术类型", "主要标志",
    "maindiag_flag", "is_main", "main",
)  # fmt: skip
_PRINCIPAL_WORDS = ("主要诊断", "主诊断", "主要手术", "主手术", "主要", "主")


def codes_by_id(ids: Sequence[str], codes: Sequence[str], others: Mapping[str, Sequence[Any]]) -> dict[str, str]:
    """The codes of each id, joined by ``|``: the principal one first where rows are marked, else by their number.

    Parameters
    ----------
    ids, codes
        Id and code (or codes) of each row; rows without a code count for nothing.
    others
        Further columns of the rows, among which the number (序号) and the mark (主诊断标志) are looked for.

    Examples
    --------
    >>> codes_by_id(["1", "2", "1"], ["I10.x00", "J18.900", "I21.001"], {"序号": ["2", "1", "1"]})
    {'1': 'I21.001|I10.x00', '2': 'J18.900'}
    >>> codes_by_id(["1", "1"], ["I10.x00", "I21.001"], {"诊断类型": ["其他诊断", "主要诊断"]})
    {'1': 'I21.001|I10.x00'}
    """
    named = {header_key(name): column for name, column in others.items()}
    places = next((column for name, column in named.items() if name in map(header_key, _PLACES)), None)
    marks = next((column for name, column in named.items() if name in map(header_key, _MARKS)), None)
    rows: dict[str, list[tuple[bool, float, int, str]]] = {}
    for number, (key, code) in enumerate(zip(ids, codes, strict=True)):
        if key and code.strip("| "):
            principal = marks is not None and _is_principal(str(marks[number]))
            rows.setdefault(key, []).append((not principal, _number(places[number]) if places else 0.0, number, code.strip()))
    return {key: "|".join(code for *_, code in sorted(found)) for key, found in rows.items()}


def _is_principal(text: str) -> bool:
    return is_marked(text.removesuffix(".0")) or fold(text) in _PRINCIPAL_WORDS


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("inf")


def after_principal(principal: str, codes: str) -> str:
    """A list with the principal code of the front page first; the list alone where the front page is blank.

    Examples
    --------
    >>> after_principal("J18.900", "J96.000|J18.900 肺炎"), after_principal("", "J96.000")
    ('J18.900|J96.000', 'J96.000')
    """
    first = split_codes(principal)[:1]
    if not first:
        return codes
    return "|".join([principal, *(cell for cell in codes.split("|") if cell and split_codes(cell)[:1] != first)])


def join_by_id(
    ids: Sequence[str], parts: Mapping[str, Mapping[str, str]], where: str, noted: Counter[str]
) -> dict[str, list[str]]:
    """The joined codes of each part (``diagnoses``, ``procedures``) for the ids of the front page.

    Codes of ids that the front page lacks are counted in ``noted``.

    Raises
    ------
    InputError
        ``input-join-ids``: an id stands twice on the front page, so that codes could belong to either record; or no id of a
        part is on the front page.
    """
    twice = [key for key, number in Counter(ids).items() if number > 1 and key]
    if twice:
        raise InputError.single(
            "input-join-ids",
            text(
                "{twice_count:,} ids stand on several rows of the front page, such as {twice}",
                twice_count=len(twice),
                twice=twice[0],
            ),
            where=where,
            why=text("diagnoses and procedures of other sheets are joined by the id, and could belong to either row"),
            fix=text("give every discharge an id of its own"),
        )
    known = set(ids)
    joined = {}
    for name, codes in parts.items():
        strangers = len(codes.keys() - known)
        if codes and strangers == len(codes):
            raise InputError.single(
                "input-join-ids",
                text(
                    "no id of the {name} is on the front page: {codes!r} beside {value!r}",
                    name=name,
                    codes=next(iter(codes)),
                    value=next(iter(ids), ""),
                ),
                where=where,
                why=text("the sheets are joined by the id"),
                fix=text("write ids in the same way in all sheets"),
            )
        if strangers:
            noted[text("ids with {name} that the front page lacks 首页没有的病案号", name=name)] += strangers
        joined[name] = [codes.get(key, "") for key in ids]
    return joined

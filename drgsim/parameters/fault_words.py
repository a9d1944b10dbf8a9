"""What pydantic says of a value that its model refuses, as texts: in its own English, and in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drgsim.errors import words_of
from drgsim.language import Text, joined, text

# type of a fault -> its sentence; the names in braces are those of its context
_SAID: dict[str, Text] = {
    "int_type": text("Input should be a valid integer"),
    "int_parsing": text("Input should be a valid integer, unable to parse string as an integer"),
    "int_from_float": text("Input should be a valid integer, got a number with a fractional part"),
    "float_type": text("Input should be a valid number"),
    "float_parsing": text("Input should be a valid number, unable to parse string as a number"),
    "finite_number": text("Input should be a finite number"),
    "string_type": text("Input should be a valid string"),
    "string_pattern_mismatch": text("String should match pattern '{pattern}'"),
    "bool_type": text("Input should be a valid boolean"),
    "bool_parsing": text("Input should be a valid boolean, unable to interpret input"),
    "list_type": text("Input should be a valid list"),
    "tuple_type": text("Input should be a valid tuple"),
    "dict_type": text("Input should be a valid dictionary"),
    "model_type": text("Input should be a valid dictionary or instance of {class_name}"),
    "invalid_key": text("Keys should be strings"),
    "date_type": text("Input should be a valid date"),
    "date_parsing": text("Input should be a valid date in the format YYYY-MM-DD, {error}"),
    "date_from_datetime_parsing": text("Input should be a valid date or datetime, {error}"),
    "greater_than": text("Input should be greater than {gt:g}"),
    "greater_than_equal": text("Input should be greater than or equal to {ge:g}"),
    "less_than": text("Input should be less than {lt:g}"),
    "less_than_equal": text("Input should be less than or equal to {le:g}"),
    "literal_error": text("Input should be {expected}"),
    "enum": text("Input should be {expected}"),
}


def fault_words(fault: Mapping[str, Any]) -> str:
    """The sentence of a fault, one of ``ValidationError.errors()``.

    Examples
    --------
    >>> fault_words({"type": "less_than", "msg": "Input should be less than 3", "ctx": {"lt": 3}})
    'Input should be less than 3'
    """
    context = dict(fault.get("ctx", {}))
    if "expected" in context:
        context["expected"] = joined(text(" or "), str(context["expected"]).split(" or "))
    if isinstance(error := context.get("error"), Exception):
        return words_of(error)
    said, known = str(fault["msg"]).removeprefix("Value error, "), _SAID.get(fault["type"])
    try:
        made = Text(known.template, context) if known is not None else said
    except (LookupError, TypeError, ValueError):
        return said
    return made if made == said else said  # pydantic may change its words

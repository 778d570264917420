"""Words for what a library finds wrong with a field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic_core import ErrorDetails

_SWITCH: Final = "expected true or false (or yes, no, on, off, 1, 0)"
_WHOLE: Final = "expected a whole number, such as 8"
_NUMBER: Final = "expected a number, such as 8 or 0.5"
_TEXT: Final = "expected text"
WORDS: Final[Mapping[str, str]] = {
    "bool_parsing": _SWITCH,
    "bool_type": _SWITCH,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_from_float": _WHOLE,
    "int_type": _WHOLE,
    "float_parsing": _NUMBER,
    "float_type": _NUMBER,
    "finite_number": _NUMBER,
    "string_type": _TEXT,
    "string_unicode": _TEXT,
    "list_type": "expected a list",
    "tuple_type": "expected a list",
    "dict_type": "expected names with values",
    "missing": "this field is missing",
    "extra_forbidden": "this field is not known",
    "string_too_short": "expected at least {min_length} character(s)",
    "string_too_long": "expected at most {max_length} characters",
    "too_short": "expected at least {min_length}, found {actual_length}",
    "too_long": "expected at most {max_length}, found {actual_length}",
    "greater_than": "expected more than {gt}",
    "greater_than_equal": "expected at least {ge}",
    "less_than": "expected less than {lt}",
    "less_than_equal": "expected at most {le}",
    "literal_error": "expected {expected}",
    "enum": "expected {expected}",
}
"""By pydantic's type of error; in braces, what its context has."""


def field_words(problem: ErrorDetails) -> str:
    """Return what was expected of a field, from one of pydantic's `errors()`. Never its value."""
    words = WORDS.get(problem["type"])
    if words is None:
        return str(problem["msg"].removeprefix("Value error, "))
    try:
        return words.format_map(problem.get("ctx", {}))
    except KeyError:
        return str(problem["msg"])

"""Reads the query and the body of API requests."""

from __future__ import annotations

import json
import re
from typing import Any, Final, TypeVar, get_origin

from flask import request
from flask.json.provider import DefaultJSONProvider
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from werkzeug.exceptions import BadRequest

from contract.errors import CameraConfigError, QueryError
from contract.field_words import field_words
from contract.messages import read_json

MOST_DEPTH: Final = 32
"""Deepest nesting of lists and objects in a request."""


class BoundedJson(DefaultJSONProvider):
    """Flask's JSON with limits: only finite numbers, nested at most `MOST_DEPTH` deep."""

    def loads(self, s: str | bytes, **_: Any) -> Any:
        found = read_json(s, "the JSON")
        if _depth(found) > MOST_DEPTH:
            raise ValueError(f"nested more than {MOST_DEPTH} deep")
        # A lone surrogate can be neither stored nor sent: encoding it raises a ValueError here.
        json.dumps(found, ensure_ascii=False).encode()
        return found


def _depth(value: Any) -> int:
    """Return the depth of nested lists and objects, at most `MOST_DEPTH` plus one."""
    depth, inner = 0, [value]
    while inner and depth <= MOST_DEPTH:
        lists = [one for one in inner if isinstance(one, dict | list)]
        depth += bool(lists)
        inner = [part for one in lists for part in (one.values() if isinstance(one, dict) else one)]
    return depth


def json_object() -> dict[str, Any]:
    """Return the body, a JSON object; raise 400 for anything else (413 and 415 come earlier)."""
    body = request.get_json()
    if not isinstance(body, dict):
        raise BadRequest('expected a JSON object, such as {"name": "Gate 1"}')
    return body


Query = TypeVar("Query", bound=BaseModel)


def query(kind: type[Query]) -> Query:
    """Return the query's parameters; raise `QueryError` for an unknown or invalid parameter.

    A parameter may be repeated if its field is a list.
    """
    fields = {field.alias or name: field for name, field in kind.model_fields.items()}
    known, given = fields.keys(), dict[str, Any](request.args.to_dict())
    for name in given.keys() & known:
        if get_origin(fields[name].annotation) is list:
            given[name] = request.args.getlist(name)
    if unknown := sorted(given.keys() - known):
        raise QueryError(f"unknown: {', '.join(unknown)[:80]}; expected {', '.join(sorted(known))}")
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        raise QueryError("; ".join(map(_words, error.errors()))) from None


def body(kind: type[Query]) -> Query:
    """Return the body as an instance of `kind`; raise `QueryError` for an invalid field."""
    try:
        return kind.model_validate(json_object())
    except ValidationError as error:
        raise QueryError("; ".join(map(_words, error.errors()))) from None


def _words(found: ErrorDetails) -> str:
    place = ".".join(map(str, found["loc"]))
    return f"{place}: {field_words(found)}"


def entries_before(entry_id: str | None) -> str:
    """Return the id from which to read a Redis stream backwards, for entries before `before`.

    Raises:
        QueryError: `before` is not an id.
    """
    if entry_id is None:
        return "+"
    numbers = re.fullmatch(r"(\d{1,19})-(\d{1,19})", entry_id)
    if numbers is None:
        raise QueryError(f"before: expected the id of a row, as in the list; found {entry_id[:40]}")
    # Redis refuses to end before the first id there can be; no entry has that one.
    return f"({entry_id}" if int(numbers[1]) or int(numbers[2]) else "0-0"


def refuse_unknown(body: dict[str, Any], known: frozenset[str]) -> None:
    """Raise `CameraConfigError` for a field that is not in `known`."""
    if unknown := body.keys() - known:
        raise CameraConfigError(
            f"unknown field {', '.join(sorted(unknown))}; expected {', '.join(sorted(known))}"
        )

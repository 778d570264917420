"""Reads what an API request brought."""

from __future__ import annotations

import json
import re
from typing import Any, Final, TypeVar

from flask import request
from flask.json.provider import DefaultJSONProvider
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import BadRequest, Forbidden

from contract.cameras.camera import Camera
from contract.cameras.file_sources import HOW_TO_HAVE_ONE, folders_of, lies_within, names_file
from contract.errors import CameraConfigError, QueryError
from contract.messages import read_json
from contract.redaction import HIDDEN
from dashboard.accounts.access import identity
from dashboard.accounts.grants import Grants
from dashboard.services import services
from runtime.settings import Settings


class BoundedJson(DefaultJSONProvider):
    """Flask's JSON for what a request brings: finite numbers, nested no deeper than ours is."""

    def loads(self, s: str | bytes, **_: Any) -> Any:
        found = read_json(s, "the JSON")
        if _depth(found) > MOST_DEPTH:
            raise ValueError(f"nested more than {MOST_DEPTH} deep")
        # Half a character (a lone surrogate) can be neither kept nor answered: a ValueError here.
        json.dumps(found, ensure_ascii=False).encode()
        return found


def _depth(value: Any) -> int:
    """How deep lists and objects are nested in one another, up to `MOST_DEPTH` and one."""
    depth, inner = 0, [value]
    while inner and depth <= MOST_DEPTH:
        lists = [one for one in inner if isinstance(one, dict | list)]
        depth += bool(lists)
        inner = [part for one in lists for part in (one.values() if isinstance(one, dict) else one)]
    return depth


def json_object() -> dict[str, Any]:
    """The body, a JSON object; raises 400 for anything else (413, 415 are raised before)."""
    body = request.get_json()
    if not isinstance(body, dict):
        raise BadRequest('expected a JSON object, such as {"name": "Gate 1"}')
    return body


MOST_DEPTH: Final = 32

Query = TypeVar("Query", bound=BaseModel)


def query(kind: type[Query]) -> Query:
    """The parameters after the `?`; raises `QueryError` for one that cannot be used or is unknown.

    For queries in which no parameter is repeated.
    """
    given = request.args.to_dict()
    known = {field.alias or name for name, field in kind.model_fields.items()}
    if unknown := sorted(given.keys() - known):
        raise QueryError(f"unknown: {', '.join(unknown)[:80]}; expected {', '.join(sorted(known))}")
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        raise QueryError(
            "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors())
        ) from None


def entries_before(entry_id: str | None) -> str:
    """Where a Redis stream is read from, backwards, for what came before an entry of that id.

    Raises:
        QueryError: it is no such id.
    """
    if entry_id is None:
        return "+"
    numbers = re.fullmatch(r"(\d{1,19})-(\d{1,19})", entry_id)
    if numbers is None:
        raise QueryError(f"before: expected the id of a row, as in the list; found {entry_id[:40]}")
    # Redis refuses to end before the first id there can be; no entry has that one.
    return f"({entry_id}" if int(numbers[1]) or int(numbers[2]) else "0-0"


def refuse_unknown(body: dict[str, Any], known: frozenset[str]) -> None:
    """Raise `CameraConfigError` for a field that is not in `known`, rather than ignore it."""
    if unknown := body.keys() - known:
        raise CameraConfigError(
            f"unknown field {', '.join(sorted(unknown))}; expected {', '.join(sorted(known))}"
        )


def refuse_redacted(source: object) -> None:
    """Raise `CameraConfigError` when `source` has stars where a password belongs."""
    if isinstance(source, str) and HIDDEN in source:
        raise CameraConfigError(
            f"source: {HIDDEN} stands for what is hidden of the saved address; "
            "type the whole address, or leave the source as it is to keep it"
        )


def require_file_right(source: str) -> None:
    """Raise 403 where `source` is a file that whoever asks may not have read.

    Whether there is such a file has no part in it.
    """
    if not may_read(source, identity().grants, services().settings):
        raise Forbidden(f"source: {HOW_TO_HAVE_ONE}")


def may_read(source: str, grants: Grants, settings: Settings) -> bool:
    """Whether a source is no file, or one that somebody with these grants may have read."""
    folders = folders_of(settings.source_folders)
    everywhere = grants.allow_everywhere("administrator")
    return not names_file(source) or everywhere or lies_within(source, folders)


def merged_source(source: object, saved: Camera) -> object:
    """The source that is meant: the saved one where it came back as it was shown.

    Anything else with stars is refused: guessing could send a camera's password elsewhere.
    """
    if isinstance(source, str) and saved.shows_as(source):
        return saved.source
    refuse_redacted(source)
    return source

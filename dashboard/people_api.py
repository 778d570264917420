"""The people a camera counted last, as rows; never a picture of them."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any, Final, cast

from flask import Blueprint, Response, jsonify, request

from contract.errors import QueryError
from contract.keys import CameraKeys
from contract.outcomes import PEOPLE_KEPT
from contract.people import Person
from dashboard.accounts.access import requires
from dashboard.services import services

DEFAULT_LIMIT: Final = 100

blueprint = Blueprint("people_api", __name__, url_prefix="/api/v1/cameras")


@blueprint.get("/<camera_id>/people")
@requires("viewer")
def people(camera_id: str) -> Response:
    """Newest first; `before`, the id of a row, goes on with those counted before it."""
    services().cameras.get(camera_id)
    limit, before = _limit(), _before()
    entries = services().redis.xrevrange(
        CameraKeys(camera_id).people, max=f"({before}" if before else "+", count=limit
    )
    rows = [_row(entry_id, fields) for entry_id, fields in cast(list[Any], entries)]
    more = rows[-1]["id"] if len(rows) == limit else None
    return jsonify(camera_id=camera_id, people=rows, before=more)


def _row(entry_id: bytes, fields: dict[bytes, bytes]) -> dict[str, Any]:
    person = Person.decode(fields[b"person"])
    record = asdict(person)
    del record["v"]
    return {
        "id": entry_id.decode(),
        **record,
        "in_view_s": round(person.last_seen_s - person.first_seen_s, 3),
    }


def _limit() -> int:
    text = request.args.get("limit", str(DEFAULT_LIMIT))
    if not re.fullmatch(r"\d{1,6}", text) or not 1 <= int(text) <= PEOPLE_KEPT:
        raise QueryError(f"limit: expected 1 to {PEOPLE_KEPT}; found {text[:40]}")
    return int(text)


def _before() -> str:
    text = request.args.get("before", "")
    if text and not re.fullmatch(r"\d{1,19}-\d{1,19}", text):
        raise QueryError(f"before: expected the id of a person, as in the list; found {text[:40]}")
    return text

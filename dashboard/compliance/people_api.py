"""The people a camera counted last, as rows; never a picture of them."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import Any, cast

from flask import Blueprint, Response

from bus.keys import CameraKeys
from contract.errors import MessageError
from contract.people.people import Person
from dashboard.accounts.access import requires
from dashboard.compliance.answers import PeopleAnswer
from dashboard.compliance.queries import PeopleQuery
from dashboard.services import services
from dashboard.web.conditional import conditional
from dashboard.web.describing import describes
from dashboard.web.requests import entries_before, query

_log = logging.getLogger(__name__)

blueprint = Blueprint("people_api", __name__, url_prefix="/api/v1/cameras")


@blueprint.get("/<camera_id>/people")
@requires("viewer")
@describes(PeopleAnswer, query=PeopleQuery)
def people(camera_id: str) -> Response:
    """The people counted last, the newest first; never a picture of them."""
    services().cameras.get(camera_id)
    asked = query(PeopleQuery)
    limit = asked.limit
    found = services().redis.xrevrange(
        CameraKeys(camera_id).people, max=entries_before(asked.before), count=limit
    )
    entries = cast(list[Any], found)
    rows = [row for entry_id, fields in entries if (row := _row(entry_id, fields)) is not None]
    more = entries[-1][0].decode() if len(entries) == limit else None
    return conditional({"camera_id": camera_id, "people": rows, "before": more})


def _row(entry_id: bytes, fields: dict[bytes, bytes]) -> dict[str, Any] | None:
    """A row as the API gives it; None, and a line in the log, for one that cannot be read."""
    try:
        person = Person.decode(fields.get(b"person", b""))
    except MessageError as error:
        _log.warning("%s", error)
        return None
    return person_json(entry_id.decode(), person)


def person_json(row_id: str, person: Person) -> dict[str, Any]:
    """A row as the API gives it."""
    record = asdict(person)
    del record["v"]
    return {
        "id": row_id,
        **record,
        "in_view_s": round(person.last_seen_s - person.first_seen_s, 3),
    }

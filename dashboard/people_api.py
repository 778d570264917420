"""The people a camera counted last, as rows; never a picture of them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, cast

from flask import Blueprint, Response

from contract.keys import CameraKeys
from contract.people import Person
from dashboard.accounts.access import requires
from dashboard.api_document.answers import PeopleAnswer
from dashboard.api_document.describing import describes
from dashboard.api_document.requests import PeopleQuery
from dashboard.conditional import conditional
from dashboard.requests import entries_before, query
from dashboard.services import services

blueprint = Blueprint("people_api", __name__, url_prefix="/api/v1/cameras")


@blueprint.get("/<camera_id>/people")
@requires("viewer")
@describes(PeopleAnswer, query=PeopleQuery)
def people(camera_id: str) -> Response:
    """The people counted last, the newest first; never a picture of them."""
    services().cameras.get(camera_id)
    asked = query(PeopleQuery)
    limit = asked.limit
    entries = services().redis.xrevrange(
        CameraKeys(camera_id).people, max=entries_before(asked.before), count=limit
    )
    rows = [
        person_json(entry_id.decode(), Person.decode(fields[b"person"]))
        for entry_id, fields in cast(list[Any], entries)
    ]
    more = rows[-1]["id"] if len(rows) == limit else None
    return conditional({"camera_id": camera_id, "people": rows, "before": more})


def person_json(row_id: str, person: Person) -> dict[str, Any]:
    """A row as the API gives it."""
    record = asdict(person)
    del record["v"]
    return {
        "id": row_id,
        **record,
        "in_view_s": round(person.last_seen_s - person.first_seen_s, 3),
    }

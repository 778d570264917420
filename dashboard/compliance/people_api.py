"""The people a camera counted last, as rows; never a picture of them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response

from contract.people.people import Person
from dashboard.accounts.access import requires
from dashboard.compliance.answers import PeopleAnswer
from dashboard.compliance.queries import PeopleQuery
from dashboard.services import services
from dashboard.web.conditional import conditional
from dashboard.web.describing import describes
from dashboard.web.requests import entries_before, query

blueprint = Blueprint("people_api", __name__, url_prefix="/api/v1/cameras")


@blueprint.get("/<camera_id>/people")
@requires("viewer")
@describes(PeopleAnswer, query=PeopleQuery)
def people(camera_id: str) -> Response:
    """The people counted last, the newest first; never a picture of them."""
    services().cameras.get(camera_id)
    asked = query(PeopleQuery)
    found, more = services().people.page(camera_id, entries_before(asked.before), asked.limit)
    rows = [person_json(row_id, person) for row_id, person in found]
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

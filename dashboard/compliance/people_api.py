"""The last people counted at a camera, as rows without pictures."""

from __future__ import annotations

from flask import Blueprint

from dashboard.accounts.access import requires
from dashboard.compliance.answers import PeopleAnswer, PersonRow
from dashboard.compliance.queries import PeopleQuery
from dashboard.services import services
from dashboard.web.answering import answers
from dashboard.web.requests import entries_before

blueprint = Blueprint("people_api", __name__, url_prefix="/api/v1/cameras")


@blueprint.get("/<camera_id>/people")
@requires("viewer")
@answers()
def people(camera_id: str, query: PeopleQuery) -> PeopleAnswer:
    """Return the last people counted, newest first, without pictures."""
    services().cameras.get(camera_id)
    found, before = services().people.page(camera_id, entries_before(query.before), query.limit)
    rows = [PersonRow.of(row_id, person) for row_id, person in found]
    return PeopleAnswer(camera_id=camera_id, people=rows, before=before)

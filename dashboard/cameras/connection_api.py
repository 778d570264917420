"""What a camera's connection did last, as JSON."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, Response

from dashboard.accounts.access import requires
from dashboard.cameras.answers import ConnectionsAnswer
from dashboard.cameras.queries import ConnectionsQuery
from dashboard.services import services
from dashboard.web.conditional import conditional
from dashboard.web.describing import describes
from dashboard.web.requests import query

blueprint = Blueprint("connection_api", __name__, url_prefix="/api/v1/cameras")


@blueprint.get("/<camera_id>/connections")
@requires("viewer")
@describes(ConnectionsAnswer, query=ConnectionsQuery)
def connections(camera_id: str) -> Response:
    """States and their reasons, newest first, as ingest noted them."""
    services().cameras.get(camera_id)
    events = services().statuses.history(camera_id, query(ConnectionsQuery).limit)
    return conditional({"camera_id": camera_id, "connections": [asdict(event) for event in events]})

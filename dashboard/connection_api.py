"""What a camera's connection did last, as JSON."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, Response

from bus.stores.status import StatusStore
from dashboard.accounts.access import requires
from dashboard.api_document.answers import ConnectionsAnswer
from dashboard.api_document.describing import describes
from dashboard.api_document.requests import ConnectionsQuery
from dashboard.conditional import conditional
from dashboard.requests import query
from dashboard.services import services

blueprint = Blueprint("connection_api", __name__, url_prefix="/api/v1/cameras")


@blueprint.get("/<camera_id>/connections")
@requires("viewer")
@describes(ConnectionsAnswer, query=ConnectionsQuery)
def connections(camera_id: str) -> Response:
    """States and their reasons, newest first, as ingest noted them."""
    services().cameras.get(camera_id)
    events = StatusStore(services().redis).history(camera_id, query(ConnectionsQuery).limit)
    return conditional({"camera_id": camera_id, "connections": [asdict(event) for event in events]})

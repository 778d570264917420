"""The last states of a camera's connection, as JSON."""

from __future__ import annotations

from flask import Blueprint

from dashboard.accounts.access import requires
from dashboard.cameras.answers import ConnectionsAnswer, ConnectionState
from dashboard.cameras.queries import ConnectionsQuery
from dashboard.services import services
from dashboard.web.answering import answers

blueprint = Blueprint("connection_api", __name__, url_prefix="/api/v1/cameras")


@blueprint.get("/<camera_id>/connections")
@requires("viewer")
@answers()
def connections(camera_id: str, query: ConnectionsQuery) -> ConnectionsAnswer:
    """Return the last states of the connection and their reasons, newest first."""
    services().cameras.get(camera_id)
    events = services().statuses.history(camera_id, query.limit)
    states = [ConnectionState.model_validate(event) for event in events]
    return ConnectionsAnswer(camera_id=camera_id, connections=states)

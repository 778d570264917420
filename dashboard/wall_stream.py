"""The one connection that carries a whole wall."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, request

from dashboard.errors import problem
from dashboard.picture_streams import STREAM_HEADERS
from dashboard.services import services
from dashboard.viewer_socket import ViewerSocket
from dashboard.wall_records import MIME_TYPE, wall_records

MAX_CAMERAS: Final = 256

blueprint = Blueprint("wall_stream", __name__)


@blueprint.get("/wall/stream")
def stream() -> Response:
    """Pictures of `?cameras=a,b,c` (none: states only) and the states of all cameras."""
    wanted = {part for part in request.args.get("cameras", "").split(",") if part}
    if len(wanted) > MAX_CAMERAS:
        return problem(400, "bad_request", f"{len(wanted)} cameras; at most {MAX_CAMERAS}")
    services().board.forget()
    # Also answers 503 at once when Redis is away. Ids nobody registered are left out.
    known = {snapshot.camera.id for snapshot in services().board.snapshots()}
    viewer_socket = ViewerSocket(request.environ)
    viewer_socket.keep_short()
    records = wall_records(services().hub, services().board, wanted & known, viewer_socket.gone)
    return Response(records, mimetype=MIME_TYPE, headers=STREAM_HEADERS)

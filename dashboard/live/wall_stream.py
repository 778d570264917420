"""The one connection that carries a whole wall."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, request

from dashboard.accounts.access import (
    admission,
    loss_notice,
    note_watching,
    requires,
    visible_cameras,
)
from dashboard.live.picture_streams import STREAM_HEADERS
from dashboard.live.wall_records import MIME_TYPE, wall_records
from dashboard.services import services
from dashboard.web.errors import problem

MAX_CAMERAS: Final = 256

blueprint = Blueprint("wall_stream", __name__)


@blueprint.get("/wall/stream")
@requires("viewer", goes_on="answer")
def stream() -> Response:
    """Stream the pictures of `?cameras=a,b,c`, if any, and the states of all cameras.

    `large=a` names cameras shown in a large picture. `slow=b` names cameras shown in so small a
    picture that four pictures a second are enough.
    """
    wanted = _ids("cameras")
    if len(wanted) > MAX_CAMERAS:
        return problem(400, "bad_request", f"{len(wanted)} cameras; at most {MAX_CAMERAS}")
    services().board.forget()
    # This read also answers 503 at once if Redis is away. Unknown ids are left out.
    seen = visible_cameras(snapshot.camera for snapshot in services().board.snapshots())
    watched = [camera for camera in seen if camera.id in wanted]
    note_watching(watched)
    losses, admitted = services().losses, admission()
    records = wall_records(
        services().hub,
        services().board,
        [camera.id for camera in watched],
        _ids("large"),
        _ids("slow"),
        admitted,
        lambda: loss_notice(losses.look(), admitted.identity),
        services().clock,
    )
    return Response(records, mimetype=MIME_TYPE, headers=STREAM_HEADERS)


def _ids(parameter: str) -> set[str]:
    return {part for part in request.args.get(parameter, "").split(",") if part}

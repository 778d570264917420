"""One camera's pictures: a live MJPEG stream and a snapshot."""

from __future__ import annotations

import time
from typing import Final

from flask import Blueprint, Response

from contract.pictures.views import View
from dashboard.accounts.access import note_watching, requires
from dashboard.live.mjpeg import MIME_TYPE, CameraStream
from dashboard.services import services
from dashboard.web.errors import problem

SNAPSHOT_WAIT_S: Final = 1.5
SNAPSHOT_FRESH_S: Final = 1.0

blueprint = Blueprint("picture_streams", __name__)


@blueprint.get("/cameras/<camera_id>/stream.mjpg")
@requires("viewer", goes_on="answer")
def stream(camera_id: str) -> Response:
    """Annotated MJPEG, for browsers and players."""
    note_watching([services().cameras.get(camera_id)])
    services().board.forget()
    live = CameraStream(services().hub, services().board, camera_id, services().clock)
    return Response(live.parts(), mimetype=MIME_TYPE, headers=STREAM_HEADERS)


@blueprint.get("/cameras/<camera_id>/snapshot.jpg")
@requires("viewer")
def snapshot(camera_id: str) -> Response:
    """Return a picture captured within the last second, or 503 with the reason."""
    note_watching([services().cameras.get(camera_id)])
    view = _fresh_view(camera_id)
    if view is None:
        state = services().board.find(camera_id)
        detail = (state.reason() if state else "") or "No fresh picture arrived in time."
        return problem(503, "no_picture", detail)
    headers = {
        "X-Maskwatch-Sequence": str(view.sequence),
        "X-Maskwatch-Captured-At": f"{view.captured_at_s:.3f}",
    }
    return Response(view.jpeg, mimetype="image/jpeg", headers=headers)


def _fresh_view(camera_id: str) -> View | None:
    """Return the newest picture. If nobody is watching, wait until the worker draws one."""
    services().clock.keep()
    deadline = time.monotonic() + SNAPSHOT_WAIT_S
    with services().hub.watch([camera_id], [camera_id]) as viewer:
        while (left_s := deadline - time.monotonic()) > 0:
            for view in viewer.take(left_s):
                if services().clock() - view.captured_at_s <= SNAPSHOT_FRESH_S:
                    return view
    return None


STREAM_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""Keep browsers, and proxies such as nginx, from caching or buffering a live answer."""

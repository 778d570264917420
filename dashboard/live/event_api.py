"""Events at cameras, as they happen."""

from __future__ import annotations

from flask import Blueprint, Response, request

from contract.cameras.camera import Camera
from contract.errors import CameraNotFoundError
from dashboard.accounts.access import admission, requires, visible_cameras
from dashboard.live.answers import EVENTS
from dashboard.live.event_stream import MIME_TYPE, EventStream
from dashboard.live.picture_streams import STREAM_HEADERS
from dashboard.live.queries import EventsQuery
from dashboard.live.row_ids import parse_row_id
from dashboard.services import services
from dashboard.web.answering import answers

blueprint = Blueprint("event_api", __name__, url_prefix="/api/v1/events")


@blueprint.get("")
@requires("viewer", goes_on="answer")
@answers(events=EVENTS)
def events(query: EventsQuery) -> Response:
    """Stream server-sent events: the states of cameras, and every person counted.

    Send the last event's id as `Last-Event-ID` to get the people counted since, up to 1,000 per
    camera and 30 days. A person may then arrive twice. If people are missing, `gap` says so. After
    10 s without an event, the stream sends a comment.
    """
    last = request.headers.get("Last-Event-ID", "").strip()
    after = parse_row_id(last) if last else None
    services().board.forget()
    # This read also answers 503 at once if Redis is away.
    seen = visible_cameras(snapshot.camera for snapshot in services().board.snapshots())
    wanted = _wanted(seen, query.camera)
    sees = admission().sees
    stream = EventStream(
        services().people_feed,
        services().board,
        services().people,
        lambda camera: (
            not camera.owner and sees(camera) and (wanted is None or camera.id in wanted)
        ),
        after,
    )
    return Response(stream.events(), mimetype=MIME_TYPE, headers=STREAM_HEADERS)


def _wanted(seen: list[Camera], asked: list[str]) -> frozenset[str] | None:
    """Return the ids of the selected cameras; None for all present and future cameras."""
    found = set()
    for one in asked:
        match = [camera.id for camera in seen if one in {camera.id, camera.name}]
        if not match:
            raise CameraNotFoundError(f"no camera has the id or name {one[:80]!r}")
        found.update(match)
    return frozenset(found) if asked else None

"""What happens at cameras, as it happens."""

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
    """Server-sent events: states of cameras, and everybody who is counted.

    Sent back as `Last-Event-ID`, the id of the last event that came brings those since, as far as
    they are kept (1,000 a camera, 30 days); a person may then come twice, never not at all, unless
    `gap` says so. A comment comes every 10 s when nothing else does.
    """
    last = request.headers.get("Last-Event-ID", "").strip()
    after = parse_row_id(last) if last else None
    services().board.forget()
    # Also answers 503 at once when Redis is away.
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
    """Ids of the cameras asked for by id or name; None for all there are and will be."""
    found = set()
    for one in asked:
        match = [camera.id for camera in seen if one in {camera.id, camera.name}]
        if not match:
            raise CameraNotFoundError(f"no camera has the id or name {one[:80]!r}")
        found.update(match)
    return frozenset(found) if asked else None

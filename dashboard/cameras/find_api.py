"""Cameras found by words: what the search of every page asks for."""

from __future__ import annotations

from typing import Final

from flask import Blueprint

from contract.cameras.status import CameraState
from dashboard.accounts.access import requires, visible_cameras
from dashboard.cameras.answers import FoundCamera, FoundCameras
from dashboard.cameras.queries import CameraFindQuery
from dashboard.services import services
from dashboard.web.answering import answers

STATE_WORDS: Final[dict[CameraState, str]] = {
    "live": "live",
    "connecting": "connecting",
    "stalled": "stalled",
    "offline": "offline",
    "disabled": "off",
}
"""As `static/words.js` has them."""

blueprint = Blueprint("camera_find_api", __name__, url_prefix="/api/v1/cameras")


@blueprint.get("/found")
@requires("viewer")
@answers()
def found(query: CameraFindQuery) -> FoundCameras:
    """The cameras that may be seen with all of some words in their name, group or state."""
    words = query.q.lower().split()
    snapshots = services().board.snapshots()
    states = {one.camera.id: one.status.state for one in snapshots}
    matching = [
        FoundCamera(id=one.id, name=one.name, group=one.group, state=states[one.id])
        for one in visible_cameras(snapshot.camera for snapshot in snapshots)
        if _has(f"{one.name} {one.group} {STATE_WORDS[states[one.id]]}".lower(), words)
    ]
    return FoundCameras(cameras=matching[: query.limit], total=len(matching))


def _has(text: str, words: list[str]) -> bool:
    return all(word in text for word in words)

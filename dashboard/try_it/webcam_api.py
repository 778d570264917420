"""The API for browsers' webcams: takes pictures and returns them annotated."""

from __future__ import annotations

import json
from typing import Final

from flask import Blueprint, Response, make_response, request
from werkzeug.exceptions import NotFound

from bus.stores.webcams import ANALYSIS_FPS, MOST_FRAME_BYTES, MOST_PIXELS, SILENT_S
from contract.cameras.camera import Camera
from contract.errors import UploadTooLargeError, UploadTypeError
from dashboard.accounts.access import audit_is_done, identity, requires
from dashboard.services import services
from dashboard.try_it.answers import WebcamAnswer
from dashboard.web.answering import answers
from dashboard.web.errors import Refused
from dashboard.web.upload_requests import takes_files
from runtime.image_files import ImageHeader, read_header

ENDED: Final = "this webcam has ended: its page was silent, or it was started elsewhere"

blueprint = Blueprint("webcam_api", __name__, url_prefix="/api/v1/webcams")


@blueprint.post("")
@requires("operator", action="showed their own webcam")
@answers(201, also={429: "As many webcams are running as the settings allow."})
def start() -> WebcamAnswer:
    """Register this browser's webcam as a camera. It replaces the account's earlier webcam."""
    owner, webcams = identity().owner, services().webcams
    if webcams.full(owner):
        most = services().settings.webcams
        words = f"{most} webcams run already, the most that MASKWATCH_WEBCAMS allows; try later"
        off = "webcams are off: MASKWATCH_WEBCAMS is 0"
        raise Refused(429, "busy", words if most else off)
    camera = webcams.start(owner, identity().name)
    services().board.forget()
    return WebcamAnswer(
        id=camera.id,
        name=camera.name,
        fps=ANALYSIS_FPS,
        most_pixels=MOST_PIXELS,
        silent_s=SILENT_S,
    )


@blueprint.post("/<camera_id>/frames")
@requires("operator", goes_on="answer")
@takes_files(MOST_FRAME_BYTES, 0)
@answers(
    media="image/jpeg",
    raw="image/jpeg",
    also={204: "No worker had time for the picture.", 410: "The webcam has ended."},
)
def frame(camera_id: str) -> Response:
    """Send one JPEG and get it back annotated, or 204 if no worker had time."""
    audit_is_done()  # with the start
    camera = _webcam(camera_id)
    if not camera.enabled:
        raise Refused(410, "webcam_ended", "this webcam is switched off")
    jpeg = request.get_data(cache=False)
    sequence = services().webcams.publish(camera, jpeg, _checked(jpeg))
    if sequence is None:
        raise Refused(410, "webcam_ended", ENDED)
    view = services().webcams.drawn(camera, sequence)
    if view is None:
        return make_response("", 204)
    answer = make_response(view.jpeg)
    answer.content_type = "image/jpeg"
    answer.headers["X-Maskwatch-Sequence"] = str(view.sequence)
    answer.headers["X-Maskwatch-Faces"] = json.dumps(view.counts)
    return answer


@blueprint.delete("/<camera_id>")
@requires("operator", action="ended their own webcam")
@answers()
def end(camera_id: str) -> None:
    """Remove the webcam and all its data."""
    services().webcams.end(_webcam(camera_id).id)


def _webcam(camera_id: str) -> Camera:
    """Return the client's own webcam; `access` hides other webcams."""
    camera = services().cameras.get(camera_id)
    if not camera.owner:
        raise NotFound("that camera is no browser's webcam")
    return camera


def _checked(jpeg: bytes) -> ImageHeader:
    header = read_header(jpeg)
    if header.format != "JPEG":
        raise UploadTypeError(f"expected a JPEG picture, found {header.format}")
    if header.width * header.height > MOST_PIXELS:
        raise UploadTooLargeError(
            f"the picture has {header.width} x {header.height} pixels, at most {MOST_PIXELS} are "
            "taken; make it smaller"
        )
    return header

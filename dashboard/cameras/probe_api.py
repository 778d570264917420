"""The API to test a camera before it is saved."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

from flask import Blueprint, url_for
from werkzeug.exceptions import NotFound

from contract.cameras.camera import Camera, make_camera
from contract.errors import CameraConfigError
from dashboard.accounts.access import identity, require_camera, requires
from dashboard.cameras.queries import ProbeRequest
from dashboard.cameras.setup_answers import ProbeAnswer, ProbeStarted
from dashboard.cameras.sources import merged_source, refuse_redacted, require_file_right
from dashboard.services import services
from dashboard.web.answering import Answer, answers
from dashboard.web.requests import json_object, refuse_unknown

_OPTIONS: Final = ProbeRequest.model_fields.keys() - {"source", "camera_id"}

blueprint = Blueprint("probe_api", __name__, url_prefix="/api/v1/probes")


@blueprint.post("")
@requires("operator", action="tested a camera's address")
@answers(202, body=ProbeRequest)
def start() -> Answer[ProbeStarted]:
    """Queue a probe, which tests an address before you save it. Its result will be at `Location`.

    `camera_id` names the saved camera if its password is hidden in the address. `rotate`, `aspect`
    and `stream` are those of the camera unless given; the picture is shown with them.
    """
    body = json_object()
    refuse_unknown(body, frozenset(ProbeRequest.model_fields))
    probe_id = services().probes.start(_wanted(body), identity().owner)
    where = url_for("probe_api.read", probe_id=probe_id)
    return Answer(ProbeStarted(id=probe_id, state="queued"), headers={"Location": where})


@blueprint.get("/<probe_id>")
@requires("operator")
@answers(no_store=True)
def read(probe_id: str) -> ProbeAnswer:
    """Return the state of your probe, and its result once finished. It expires after 5 minutes."""
    found = services().probes.read(probe_id, identity().owner)
    if found is None:
        raise NotFound("no test of yours has this id; results go after 5 min")
    return found


def _wanted(body: dict[str, object]) -> Camera:
    source, saved = body.get("source"), None
    if "camera_id" in body:
        saved = require_camera("operator", str(body["camera_id"]))
        source = merged_source(source, saved) if source is not None else saved.source
    if source is None:
        raise CameraConfigError("source: a test needs an address")
    refuse_redacted(source)
    options = asdict(saved.picture_options) if saved else {}
    given = {name: body[name] for name in _OPTIONS & body.keys()}
    # Made as for saving, so that a test accepts exactly what saving accepts.
    wanted = make_camera(name="probe", source=source, **{**options, **given})
    if saved is None or wanted.source != saved.source:
        require_file_right(wanted.source)
    return wanted

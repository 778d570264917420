"""Tries a camera before it is saved."""

from __future__ import annotations

from flask import Blueprint, url_for
from werkzeug.exceptions import NotFound

from contract.cameras.camera import make_camera
from contract.errors import CameraConfigError
from dashboard.accounts.access import identity, require_camera, requires
from dashboard.cameras.queries import ProbeRequest
from dashboard.cameras.setup_answers import ProbeAnswer, ProbeStarted
from dashboard.cameras.sources import merged_source, refuse_redacted, require_file_right
from dashboard.services import services
from dashboard.web.answering import Answer, answers
from dashboard.web.requests import json_object, refuse_unknown

blueprint = Blueprint("probe_api", __name__, url_prefix="/api/v1/probes")


@blueprint.post("")
@requires("operator", action="tested a camera's address")
@answers(202, body=ProbeRequest)
def start() -> Answer[ProbeStarted]:
    """Try a camera before it is saved: queue a probe of its address.

    With `camera_id`, of a saved camera whose password is hidden. The answer is at `Location`.
    """
    body = json_object()
    refuse_unknown(body, frozenset(ProbeRequest.model_fields))
    probe_id = services().probes.start(_wanted_source(body), identity().owner)
    where = url_for("probe_api.read", probe_id=probe_id)
    return Answer(ProbeStarted(id=probe_id, state="queued"), headers={"Location": where})


@blueprint.get("/<probe_id>")
@requires("operator")
@answers(no_store=True)
def read(probe_id: str) -> ProbeAnswer:
    """The state of a probe of yours and, once it is over, what it found; it goes after 5 min."""
    found = services().probes.read(probe_id, identity().owner)
    if found is None:
        raise NotFound("no test of yours has this id; results go after 5 min")
    return found


def _wanted_source(body: dict[str, object]) -> str:
    source, saved = body.get("source"), None
    if "camera_id" in body:
        saved = require_camera("operator", str(body["camera_id"]))
        source = merged_source(source, saved) if source is not None else saved.source
    if source is None:
        raise CameraConfigError("source: a test needs an address")
    refuse_redacted(source)
    # Made only for its checks, so that a test accepts exactly what saving accepts.
    wanted = make_camera(name="probe", source=source).source
    if saved is None or wanted != saved.source:
        require_file_right(wanted)
    return wanted

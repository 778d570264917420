"""The cameras as JSON."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, url_for

from contract.cameras.camera import CHANGEABLE, Camera, make_camera
from contract.errors import CameraConfigError
from dashboard.accounts.access import (
    audit,
    audit_change,
    may_change,
    require_group,
    requires,
    visible_cameras,
)
from dashboard.cameras.answers import CameraAnswer, CameraList, FacesAnswer, FitnessAnswer
from dashboard.cameras.queries import CameraChange, CameraListQuery, NewCamera
from dashboard.cameras.sources import merged_source, refuse_redacted, require_file_right
from dashboard.live.board import read_snapshots
from dashboard.live.quality import fitness_json, quality_json
from dashboard.services import services
from dashboard.web.conditional import conditional, wanted_versions
from dashboard.web.describing import describes
from dashboard.web.requests import json_object, query, refuse_unknown

PASSING: Final = ("picture_age_s", "age_s")
"""What changes by itself, without anything new to tell."""

blueprint = Blueprint("camera_api", __name__, url_prefix="/api/v1/cameras")


@blueprint.get("")
@requires("viewer")
@describes(CameraList, query=CameraListQuery)
def cameras() -> Response:
    """The cameras that may be seen, by name, a page at a time."""
    asked = query(CameraListQuery)
    seen = [c for c in visible_cameras(services().cameras.all()) if asked.group in (None, c.group)]
    end = asked.offset + asked.limit
    found = services().board.read_now(seen[asked.offset : end])
    more = {**asked.model_dump(exclude_none=True), "offset": end}
    body = {
        "cameras": [snapshot.as_json(may_change(snapshot.camera)) for snapshot in found],
        "total": len(seen),
        "next": url_for("camera_api.cameras", **more) if end < len(seen) else None,
    }
    return conditional(body, PASSING)


@blueprint.post("")
@requires("operator")
@describes(CameraAnswer, status=201, body=NewCamera)
def add() -> Response:
    """Register a camera. Ingest takes it up within two seconds."""
    body = json_object()
    refuse_unknown(body, CHANGEABLE)
    for name in ("name", "source"):
        if name not in body:
            raise CameraConfigError(f"{name}: a camera needs one")
    refuse_redacted(body["source"])
    wanted = make_camera(**body)
    require_group("operator", wanted.group)
    require_file_right(wanted.source)
    camera = services().cameras.add(wanted)
    audit("registered a camera", camera.name)
    where = url_for("camera_api.camera", camera_id=camera.id)
    answer = _answer(camera)
    answer.headers["Location"] = where
    answer.status_code = 201
    return answer


@blueprint.get("/<camera_id>")
@requires("viewer")
@describes(CameraAnswer)
def camera(camera_id: str) -> Response:
    """One camera: settings, state, faces in view, people counted."""
    return _answer(services().cameras.get(camera_id))


@blueprint.patch("/<camera_id>")
@requires("operator")
@describes(CameraAnswer, body=CameraChange, version=True)
def change(camera_id: str) -> Response:
    """Change some fields of a camera; it takes effect within two seconds.

    With `If-Match`, the `ETag` or `version` it was read with: only if nobody else changed it since.
    """
    body = json_object()
    refuse_unknown(body, CHANGEABLE)
    if "source" in body:
        saved = services().cameras.get(camera_id)
        body["source"] = merged_source(body["source"], saved)
        if body["source"] != saved.source:
            require_file_right(str(body["source"]))
    if "group" in body:
        require_group("operator", str(body["group"]).strip())
    before = services().cameras.get(camera_id)
    after = services().cameras.update(camera_id, wanted_versions(), **body)
    audit_change("changed a camera", after.name, body, before, after)
    return _answer(after)


@blueprint.delete("/<camera_id>")
@requires("administrator")
@describes(None, status=204, version=True)
def remove(camera_id: str) -> tuple[str, int]:
    """Forget a camera and all that was counted for it; `If-Match` as for a change."""
    name = services().cameras.get(camera_id).name
    services().cameras.remove(camera_id, wanted_versions())
    audit("removed a camera", name)
    return "", 204


@blueprint.get("/<camera_id>/faces")
@requires("viewer")
@describes(FacesAnswer)
def faces(camera_id: str) -> Response:
    """What was found in the newest analysed frame; nulls before the first."""
    camera = services().cameras.get(camera_id)
    [snapshot] = read_snapshots(services().snapshots, [camera], services().clock)
    latest = snapshot.latest
    body = dict(
        camera_id=camera_id,
        frame_index=latest.frame_index if latest else None,
        sequence=latest.sequence if latest else None,
        captured_at_s=latest.captured_at_s if latest else None,
        analysed_at_s=latest.analysed_at_s if latest else None,
        age_s=snapshot.picture_age_s,
        width=latest.width if latest else None,
        height=latest.height if latest else None,
        detector=latest.detector if latest else None,
        faces=[vars(face) for face in latest.faces] if latest else [],
        in_view=snapshot.faces_in_view(),
        quality=quality_json(snapshot.quality),
    )
    return conditional(body, PASSING)


@blueprint.get("/<camera_id>/fitness")
@requires("viewer")
@describes(FitnessAnswer)
def fitness(camera_id: str) -> Response:
    """Whether masks can be measured at this camera, and if not, why and what to do."""
    [snapshot] = read_snapshots(
        services().snapshots, [services().cameras.get(camera_id)], services().clock
    )
    return conditional({"camera_id": camera_id, **fitness_json(snapshot.condition.fitness)})


def _answer(camera: Camera) -> Response:
    [snapshot] = services().board.read_now([camera])
    return conditional(snapshot.as_json(may_change(camera)), PASSING, camera.version)

"""The cameras as JSON."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from typing import Final

from flask import Blueprint, url_for

from contract.cameras.camera import CHANGEABLE, Camera, make_camera
from contract.errors import CameraConfigError
from contract.people.faces import FrameFaces
from dashboard.accounts.access import (
    audit,
    audit_change,
    may_change,
    require_group,
    requires,
    visible_cameras,
)
from dashboard.cameras.answers import CameraList, FacesAnswer, FitnessAnswer
from dashboard.cameras.fitness import fitness_answer
from dashboard.cameras.queries import CameraChange, CameraListQuery, NewCamera
from dashboard.cameras.sources import merged_source, refuse_redacted, require_file_right
from dashboard.live.answers import CameraAnswer
from dashboard.live.board import CameraSnapshot, read_snapshots
from dashboard.live.quality import quality_answer
from dashboard.services import services
from dashboard.web.answering import Answer, answers
from dashboard.web.conditional import wanted_versions
from dashboard.web.requests import json_object, refuse_unknown

PASSING: Final = ("picture_age_s", "age_s")
"""Fields that change by themselves, so that the entity tag leaves them out."""
NO_FRAME: Final = dict.fromkeys(field.name for field in fields(FrameFaces)) | {"faces": ()}

blueprint = Blueprint("camera_api", __name__, url_prefix="/api/v1/cameras")


@blueprint.get("")
@requires("viewer")
@answers(passing=PASSING)
def cameras(query: CameraListQuery) -> CameraList:
    """Return the cameras that you may see, by name, a page at a time."""
    seen = [c for c in visible_cameras(services().cameras.all()) if query.group in (None, c.group)]
    end = query.offset + query.limit
    found = services().board.read_now(seen[query.offset : end])
    more = {**query.model_dump(exclude_none=True), "offset": end}
    return CameraList(
        cameras=[snapshot.answer(may_change(snapshot.camera)) for snapshot in found],
        total=len(seen),
        next=url_for("camera_api.cameras", **more) if end < len(seen) else None,
    )


@blueprint.post("")
@requires("operator")
@answers(201, body=NewCamera, passing=PASSING)
def add() -> Answer[CameraAnswer]:
    """Register a camera. Ingest starts reading it within two seconds."""
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
    return _answer(camera, Location=url_for("camera_api.camera", camera_id=camera.id))


@blueprint.get("/<camera_id>")
@requires("viewer")
@answers(passing=PASSING)
def camera(camera_id: str) -> Answer[CameraAnswer]:
    """Return a camera: settings, state, faces in view, people counted."""
    return _answer(services().cameras.get(camera_id))


@blueprint.patch("/<camera_id>")
@requires("operator")
@answers(body=CameraChange, version=True, passing=PASSING)
def change(camera_id: str) -> Answer[CameraAnswer]:
    """Change fields of a camera. The change takes effect within two seconds.

    With `If-Match` (its `ETag` or `version`), the camera changes only if nobody else changed it.
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
@answers(version=True)
def remove(camera_id: str) -> None:
    """Remove a camera and all its counts; `If-Match` as for a change."""
    remove_camera(camera_id, wanted_versions())


def remove_camera(camera_id: str, versions: Collection[str] | None = None) -> str:
    """Remove a camera and all its counts; return its name.

    `versions`: refuse the removal if the camera's version is not one of these.
    """
    name = services().cameras.get(camera_id).name
    services().cameras.remove(camera_id, versions)
    services().audits.forget_camera(camera_id)
    audit("removed a camera", name)
    return name


@blueprint.get("/<camera_id>/faces")
@requires("viewer")
@answers(passing=PASSING)
def faces(camera_id: str) -> FacesAnswer:
    """Return the faces in the newest analysed frame; nulls before the first frame."""
    snapshot = _snapshot(camera_id)
    frame = vars(snapshot.latest) if snapshot.latest else NO_FRAME
    more = {
        "camera_id": camera_id,
        "age_s": snapshot.picture_age_s,
        "in_view": snapshot.faces_in_view(),
        "quality": quality_answer(snapshot.quality),
    }
    return FacesAnswer.model_validate({**frame, **more})


@blueprint.get("/<camera_id>/fitness")
@requires("viewer")
@answers()
def fitness(camera_id: str) -> FitnessAnswer:
    """Return whether masks can be measured at this camera, and if not, the reasons and advice."""
    return fitness_answer(camera_id, _snapshot(camera_id).condition.fitness)


def _snapshot(camera_id: str) -> CameraSnapshot:
    camera = services().cameras.get(camera_id)
    [snapshot] = read_snapshots(services().snapshots, [camera], services().clock)
    return snapshot


def _answer(camera: Camera, **headers: str) -> Answer[CameraAnswer]:
    [snapshot] = services().board.read_now([camera])
    return Answer(snapshot.answer(may_change(camera)), 0, headers, camera.version)

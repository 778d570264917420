"""The cameras as JSON."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, url_for

from contract.cameras import CHANGEABLE, Camera, make_camera
from contract.errors import CameraConfigError
from dashboard.accounts.access import audit, require_group, requires, visible_cameras
from dashboard.board import read_snapshots
from dashboard.quality import fitness_json, quality_json
from dashboard.requests import json_object, merged_source, refuse_redacted, refuse_unknown
from dashboard.services import services

blueprint = Blueprint("camera_api", __name__, url_prefix="/api/v1/cameras")


@blueprint.get("")
@requires("viewer")
def cameras() -> Response:
    found = read_snapshots(services().redis, visible_cameras(services().cameras.all()))
    return jsonify(cameras=[snapshot.as_json() for snapshot in found])


@blueprint.post("")
@requires("operator")
def add() -> tuple[Response, int, dict[str, str]]:
    body = json_object()
    refuse_unknown(body, CHANGEABLE)
    for name in ("name", "source"):
        if name not in body:
            raise CameraConfigError(f"{name}: a camera needs one")
    refuse_redacted(body["source"])
    wanted = make_camera(**body)
    require_group("operator", wanted.group)
    camera = services().cameras.add(wanted)
    audit("registered a camera", camera.name)
    where = url_for("camera_api.camera", camera_id=camera.id)
    return jsonify(_as_json(camera)), 201, {"Location": where}


@blueprint.get("/<camera_id>")
@requires("viewer")
def camera(camera_id: str) -> Response:
    return jsonify(_as_json(services().cameras.get(camera_id)))


@blueprint.patch("/<camera_id>")
@requires("operator")
def change(camera_id: str) -> Response:
    body = json_object()
    refuse_unknown(body, CHANGEABLE)
    if "source" in body:
        body["source"] = merged_source(body["source"], services().cameras.get(camera_id))
    if "group" in body:
        require_group("operator", str(body["group"]).strip())
    camera = services().cameras.update(camera_id, **body)
    audit("changed a camera", f"{camera.name}: {', '.join(sorted(body))}")
    return jsonify(_as_json(camera))


@blueprint.delete("/<camera_id>")
@requires("administrator")
def remove(camera_id: str) -> tuple[str, int]:
    """Forget a camera and all that was counted for it, which is why this takes more."""
    name = services().cameras.get(camera_id).name
    services().cameras.remove(camera_id)
    audit("removed a camera", name)
    return "", 204


@blueprint.get("/<camera_id>/faces")
@requires("viewer")
def faces(camera_id: str) -> Response:
    """What was found in the newest analysed frame; nulls before the first."""
    camera = services().cameras.get(camera_id)
    [snapshot] = read_snapshots(services().redis, [camera])
    latest = snapshot.latest
    return jsonify(
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


@blueprint.get("/<camera_id>/fitness")
@requires("viewer")
def fitness(camera_id: str) -> Response:
    """Whether masks can be measured at this camera, and if not, why and what to do."""
    [snapshot] = read_snapshots(services().redis, [services().cameras.get(camera_id)])
    return jsonify(camera_id=camera_id, **fitness_json(snapshot.condition.fitness))


def _as_json(camera: Camera) -> dict[str, Any]:
    [snapshot] = read_snapshots(services().redis, [camera])
    return snapshot.as_json()

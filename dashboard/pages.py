"""The pages people open."""

from __future__ import annotations

from flask import Blueprint, render_template

from contract.cameras import Camera
from contract.verdicts import VERDICTS
from dashboard.services import services

blueprint = Blueprint("pages", __name__)

VERDICT_WORDS = {
    "mask": "Mask",
    "incorrect": "Worn incorrectly",
    "no_mask": "No mask",
    "unknown": "Unknown",
}


@blueprint.app_context_processor
def _verdicts() -> dict[str, object]:
    return {"verdicts": [(verdict, VERDICT_WORDS[verdict]) for verdict in VERDICTS]}


@blueprint.get("/")
def wall() -> str:
    return render_template("wall.html", cameras=services().cameras.all())


@blueprint.get("/cameras/new")
def new() -> str:
    return render_template("form.html", camera=None, defaults=_defaults())


@blueprint.get("/cameras/<camera_id>")
def camera(camera_id: str) -> str:
    return render_template("camera.html", camera=services().cameras.get(camera_id))


@blueprint.get("/cameras/<camera_id>/edit")
def edit(camera_id: str) -> str:
    camera = services().cameras.get(camera_id)
    return render_template("form.html", camera=camera, defaults=_defaults())


def _defaults() -> dict[str, object]:
    """What a field is when the form leaves it alone, from the record's own definition."""
    return {name: field.default for name, field in Camera.model_fields.items()}

"""The pages of the dashboard about cameras."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from contract.cameras.camera import Camera
from contract.cameras.probes import ProbeStep
from contract.people.verdicts import MEANINGS, VERDICTS
from dashboard.accounts.access import requires, visible_cameras
from dashboard.cameras.api import remove_camera
from dashboard.cameras.file.entries import FIELDS, MOST_BYTES
from dashboard.cameras.fitness import GOOD_FACE_PX
from dashboard.live.board import read_snapshots
from dashboard.losses import amount, ask_first, named
from dashboard.services import services
from dashboard.web.moments import moment

blueprint = Blueprint("pages", __name__)

VERDICT_WORDS = {
    "mask": "Mask",
    "incorrect": "Worn incorrectly",
    "no_mask": "No mask",
    "unknown": "Unknown",
}


STEP_WORDS: Final[dict[ProbeStep, str]] = {
    "resolving": "Look up the host",
    "connecting": "Connect to it",
    "authenticating": "Sign in and ask for the stream",
    "waiting": "Wait for a whole picture (key frame)",
    "measuring": "Measure the rate",
}

# In this order: each also carries the signs of those after it.
BROWSERS = {"Edg/": "Edge", "Firefox/": "Firefox", "Chrome/": "Chromium", "Safari/": "Safari"}
SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "Linux": "Linux",
}


@blueprint.app_context_processor
def _verdicts() -> dict[str, object]:
    return {
        "verdicts": [(verdict, VERDICT_WORDS[verdict]) for verdict in VERDICTS],
        "meanings": MEANINGS,
    }


blueprint.add_app_template_filter(moment)


@blueprint.app_template_filter()
def browser_words(user_agent: str) -> str:
    """Return the browser and system in a `User-Agent`, as far as it has the usual form."""
    browser = next((name for sign, name in BROWSERS.items() if sign in user_agent), "")
    system = next((name for sign, name in SYSTEMS.items() if sign in user_agent), "")
    return " on ".join(word for word in (browser, system) if word) or user_agent[:40] or "unknown"


@blueprint.get("/")
@requires("viewer")
def start() -> Response:
    """Lead to the wall."""
    return redirect(url_for("pages.wall"))


@blueprint.get("/wall")
@requires("viewer")
def wall() -> str:
    """The wall of cameras."""
    return render_template("wall.html", cameras=visible_cameras(services().cameras.all()))


@blueprint.get("/cameras/new")
@requires("operator")
def new() -> str:
    """The page to add a camera."""
    return _form(None)


@blueprint.get("/cameras/import")
@requires("operator")
def many() -> str:
    """The page to import many cameras."""
    return render_template("many_cameras.html", fields=FIELDS, megabytes=MOST_BYTES // 2**20)


@blueprint.get("/cameras/<camera_id>")
@requires("viewer")
def camera(camera_id: str) -> str:
    """The page of one camera."""
    chosen = {name: request.args.get(name, type=int) for name in ("from", "to")}
    found = services().cameras.get(camera_id)
    return render_template("camera.html", camera=found, chosen=all(chosen.values()) and chosen)


@blueprint.get("/cameras/<camera_id>/edit")
@requires("operator")
def edit(camera_id: str) -> str:
    """The page to change a camera."""
    return _form(services().cameras.get(camera_id))


@blueprint.get("/cameras/<camera_id>/remove")
@requires("administrator")
def ask_to_remove(camera_id: str) -> Any:
    """Show what removing a camera deletes."""
    found = services().cameras.get(camera_id)
    return ask_first(
        f"Remove {found.name}?",
        _lost_with(found),
        "Remove camera",
        url_for("pages.camera", camera_id=camera_id),
    )


@blueprint.post("/cameras/<camera_id>/remove")
@requires("administrator")
def remove(camera_id: str) -> Any:
    """Remove a camera after the page has named the losses."""
    if (page := ask_to_remove(camera_id)) is not None:
        return page
    name = remove_camera(camera_id)
    flash(f"{name} is removed.")
    return redirect(url_for("pages.wall"))


def _lost_with(camera: Camera) -> list[str]:
    [snapshot] = read_snapshots(services().snapshots, [camera], services().clock)
    people = amount(sum(snapshot.people.values()), "person counted", "people counted")
    lost = ["Its settings, lines and zones.", f"{people} since {moment(camera.created_at_s)}."]
    opened = [alert.rule for alert in services().alerts.open() if alert.camera_id == camera.id]
    if opened:
        lost.append(f"{amount(len(opened), 'open alert')}: {named(opened)}.")
    rules = [rule.name for rule in services().rules.all() if rule.camera_id == camera.id]
    if rules:
        lost.append(f"The subject of {amount(len(rules), 'alert rule')}: {named(rules)}.")
    return lost


def _form(camera: Camera | None) -> str:
    return render_template(
        "form.html",
        camera=camera,
        defaults=_defaults(),
        groups=_groups(),
        steps=STEP_WORDS,
        face_px=GOOD_FACE_PX,
    )


def _groups() -> list[str]:
    """Return the existing groups, for a form's choice."""
    return sorted({camera.group for camera in visible_cameras(services().cameras.all())} - {""})


def _defaults() -> dict[str, object]:
    """Return the default of a camera's field."""
    return {name: field.default for name, field in Camera.model_fields.items()}

"""The pages on which people try Maskwatch with their own pictures."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, make_response, redirect, render_template, url_for

from bus.stores.uploads import KEPT_S, MOST_IMAGES
from bus.stores.webcams import SILENT_S
from dashboard.accounts.access import requires
from dashboard.losses import amount, ask_first
from dashboard.services import services
from dashboard.try_it.recording_api import find_recording
from runtime.image_files import MOST_BYTES, MOST_PIXELS

SECTIONS: Final = {
    "try_pages.images": "Images",
    "try_pages.webcam": "This browser's webcam",
    "try_pages.recordings": "Recordings",
}

blueprint = Blueprint("try_pages", __name__, url_prefix="/try")


@blueprint.get("")
@requires("operator")
def images() -> str:
    """The page to upload images and see their faces."""
    limits = {
        "bytes": MOST_BYTES,
        "pixels": MOST_PIXELS,
        "images": MOST_IMAGES,
        "minutes": KEPT_S // 60,
    }
    return render_template("try_images.html", sections=SECTIONS, limits=limits)


@blueprint.get("/webcam")
@requires("operator")
def webcam() -> Response:
    """The page to show this browser's webcam as a camera. Only this page may use the webcam."""
    page = render_template("try_webcam.html", sections=SECTIONS, silent_s=round(SILENT_S))
    answer = make_response(page)
    answer.headers["Permissions-Policy"] = "camera=(self), microphone=(), geolocation=()"
    return answer


@blueprint.get("/recordings")
@requires("operator")
def recordings() -> str:
    """The page to upload recordings and follow their progress."""
    return render_template("try_recordings.html", sections=SECTIONS, settings=services().settings)


@blueprint.get("/recordings/<recording_id>")
@requires("operator")
def recording(recording_id: str) -> str:
    """The page with the report on a recording."""
    return render_template("recording.html", sections=SECTIONS, recording_id=recording_id)


@blueprint.get("/recordings/<recording_id>/remove")
@requires("operator")
def ask_to_remove(recording_id: str) -> Any:
    """Show what removing a recording deletes."""
    found = find_recording(recording_id)
    people = len((found.report or {}).get("people", []))
    lost = ["The uploaded file and its annotated video."]
    if found.report:
        lost.append(f"Its result: {amount(people, 'person', 'people')}, with every verdict.")
    back = url_for("try_pages.recording", recording_id=recording_id)
    return ask_first(f"Remove {found.name}?", lost, "Remove recording", back)


@blueprint.post("/recordings/<recording_id>/remove")
@requires("operator", action="removed a recording of their own")
def remove(recording_id: str) -> Any:
    """Remove a recording after the page has named the losses."""
    if (page := ask_to_remove(recording_id)) is not None:
        return page
    services().recordings.remove(find_recording(recording_id))
    return redirect(url_for("try_pages.recordings"))

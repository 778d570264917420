"""Uploaded images: what is in them, for who uploaded them, for some minutes."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, make_response, request, url_for
from werkzeug.exceptions import NotFound

from bus.stores.uploads import MOST_IMAGES
from contract.errors import UploadEmptyError, UploadError, UploadTooLargeError, UploadTypeError
from contract.plain_text import cleaned
from dashboard.accounts.access import admission, identity, requires
from dashboard.downloads import save_as
from dashboard.services import services
from dashboard.try_it.analyses import Analysis
from dashboard.try_it.answers import AnalysisAnswer, UploadedImage
from dashboard.web.answering import Answer, answers
from dashboard.web.errors import UPLOAD_STATUS, Refused
from dashboard.web.upload_requests import takes_files
from runtime.image_files import read_header

FIELD: Final = "image"
MOST_BODY_BYTES: Final = 24 * 1024 * 1024
LONGEST_NAME: Final = 80
NO_PROCESS: Final = "no process takes images now; start one with `maskwatch images`"
LATER: Final = {202: "Not finished; ask at `Location`.", 422: "What was sent cannot be used."}
GONE: Final = "no analysis of yours has this id; they are kept for 10 minutes"

blueprint = Blueprint("analysis_api", __name__, url_prefix="/api/v1/analyses")


@blueprint.post("")
@requires("operator", action="analysed images of their own", goes_on="answer")
@takes_files(MOST_BODY_BYTES, MOST_IMAGES)
@answers(201, files=FIELD, also=LATER)
def start() -> Answer[AnalysisAnswer]:
    """Analyse the images in the form's parts `image`; 201 with what was found.

    202 with `state` where that takes long: ask at `Location` then.
    """
    names, images = _images()
    for name, data in zip(names, images, strict=True):
        _check(name, data)
    analyses = services().analyses
    if not analyses.processes():
        raise Refused(503, "no_process", NO_PROCESS)
    if analyses.busy():
        words = "too many images wait already; try again in some seconds"
        raise Refused(429, "busy", words, {"Retry-After": "5"})
    owner = identity().owner
    upload_id = analyses.start(owner, names, images)
    found = analyses.wait(upload_id, owner, admission().require_still)
    return _answer(found, 201)


@blueprint.get("/<analysis_id>")
@requires("operator")
@answers(also=LATER, no_store=True)
def read(analysis_id: str) -> Answer[AnalysisAnswer]:
    """How far an analysis is, and what was found."""
    return _answer(services().analyses.find(analysis_id, identity().owner), 200)


@blueprint.get("/<analysis_id>/pictures/<int:number>")
@requires("operator")
@answers(media="image/jpeg")
def picture(analysis_id: str, number: int) -> Response:
    """One image with its faces drawn, from 0; `download` gives it a file name."""
    owner = identity().owner
    found = services().analyses.find(analysis_id, owner)
    jpeg = services().analyses.picture(analysis_id, owner, number)
    if found is None or jpeg is None:
        raise NotFound(GONE)
    answer = make_response(jpeg)
    answer.content_type = "image/jpeg"
    if "download" in request.args:
        stem = found.names[number].rpartition(".")[0] or found.names[number] or "image"
        save_as(answer, stem, "-annotated.jpg")
    return answer


@blueprint.delete("/<analysis_id>")
@requires("operator", action="removed images of their own")
@answers()
def remove(analysis_id: str) -> None:
    """Forget an analysis now rather than after 10 minutes."""
    if not services().analyses.remove(analysis_id, identity().owner):
        raise NotFound(GONE)


def _images() -> tuple[list[str], list[bytes]]:
    if request.mimetype != "multipart/form-data":
        raise UploadTypeError(
            f"expected a form (multipart/form-data) with parts named {FIELD!r}, found "
            f"{request.mimetype or 'no content type'}: curl -F {FIELD}=@photo.jpg ..."
        )
    if unknown := sorted(set(request.files) - {FIELD}):
        raise UploadTypeError(f"found a file in part {unknown[0][:40]!r}, expected {FIELD!r}")
    files = request.files.getlist(FIELD)
    if not files:
        raise UploadEmptyError(
            f"expected 1 to {MOST_IMAGES} files in parts named {FIELD!r}, found none"
        )
    if len(files) > MOST_IMAGES:
        raise UploadTooLargeError(
            f"expected 1 to {MOST_IMAGES} images at once, found {len(files)}; send fewer"
        )
    given = (file.filename or f"image {n}" for n, file in enumerate(files, 1))
    names = [cleaned(name[-LONGEST_NAME:]) for name in given]
    return names, [file.read() for file in files]


def _check(name: str, data: bytes) -> None:
    try:
        read_header(data)
    except UploadError as error:
        raise type(error)(f"{name}: {error}") from error


def _answer(found: Analysis | None, finished: int) -> Answer[AnalysisAnswer]:
    if found is None:
        raise NotFound(GONE)
    if "error" in found.result:
        detail = f"{found.names[found.result['number']]}: {found.result['detail']}"
        status = UPLOAD_STATUS.get(found.result["error"], 422)
        raise Refused(status, f"upload_{found.result['error']}", detail)
    if found.state == "failed":
        raise Refused(500, "analysis_failed", "the analysis failed; the log of `images` says why")
    body = AnalysisAnswer(
        id=found.id, state=found.state, expires_in_s=found.expires_in_s, images=_images_of(found)
    )
    status = finished if found.state == "finished" else 202
    return Answer(body, status, {"Location": url_for("analysis_api.read", analysis_id=found.id)})


def _images_of(found: Analysis) -> list[UploadedImage]:
    def address(number: int) -> str:
        return url_for("analysis_api.picture", analysis_id=found.id, number=number)

    analysed = zip(found.names, found.result.get("images", []), strict=False)
    return [
        UploadedImage.model_validate({"name": name, "picture": address(number), **image})
        for number, (name, image) in enumerate(analysed)
    ]

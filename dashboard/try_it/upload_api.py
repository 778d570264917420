"""The API for uploaded images. Only the uploader sees an image and its faces, for 10 minutes."""

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
from dashboard.try_it.answers import UploadAnswer, UploadedImage
from dashboard.try_it.image_uploads import Upload
from dashboard.web.answering import Answer, answers
from dashboard.web.errors import UPLOAD_STATUS, Refused
from dashboard.web.upload_requests import takes_files
from runtime.image_files import read_header

FIELD: Final = "image"
MOST_BODY_BYTES: Final = 24 * 1024 * 1024
LONGEST_NAME: Final = 80
NO_PROCESS: Final = "no process takes images now; start one with `maskwatch images`"
LATER: Final = {202: "Not finished; ask again at `Location`.", 422: "A file cannot be used."}
GONE: Final = "you have no upload with this id; uploads are kept for 10 minutes"

FORMER_PREFIX: Final = "/api/v1/analyses"
"""The path of these routes in the version before. Remove it with the next version."""

blueprint = Blueprint("upload_api", __name__, url_prefix="/api/v1/uploads")


@blueprint.post("")
@requires("operator", action="analysed images of their own", goes_on="answer")
@takes_files(MOST_BODY_BYTES, MOST_IMAGES)
@answers(201, files=FIELD, also=LATER)
def start() -> Answer[UploadAnswer]:
    """Analyse the images in the form's parts `image`; 201 with the faces.

    If that takes long, 202 with `state`. Then ask again at `Location`.
    """
    names, images = _images()
    for name, data in zip(names, images, strict=True):
        _check(name, data)
    uploads = services().uploads
    if not uploads.processes():
        raise Refused(503, "no_process", NO_PROCESS)
    if uploads.busy():
        words = "too many images are waiting; try again in a few seconds"
        raise Refused(429, "busy", words, {"Retry-After": "5"})
    owner = identity().owner
    upload_id = uploads.start(owner, names, images)
    found = uploads.wait(upload_id, owner, admission().recheck)
    return _answer(found, 201)


@blueprint.get("/<upload_id>")
@requires("operator")
@answers(also=LATER, no_store=True)
def read(upload_id: str) -> Answer[UploadAnswer]:
    """Return the state of an upload, and the faces once it has finished."""
    return _answer(services().uploads.find(upload_id, identity().owner), 200)


@blueprint.get("/<upload_id>/pictures/<int:number>")
@requires("operator")
@answers(media="image/jpeg")
def picture(upload_id: str, number: int) -> Response:
    """Return one image with its faces drawn. Numbers start at 0; `download` adds a file name."""
    owner = identity().owner
    found = services().uploads.find(upload_id, owner)
    jpeg = services().uploads.picture(upload_id, owner, number)
    if found is None or jpeg is None:
        raise NotFound(GONE)
    answer = make_response(jpeg)
    answer.content_type = "image/jpeg"
    if "download" in request.args:
        stem = found.names[number].rpartition(".")[0] or found.names[number] or "image"
        save_as(answer, stem, "-annotated.jpg")
    return answer


@blueprint.delete("/<upload_id>")
@requires("operator", action="removed images of their own")
@answers()
def remove(upload_id: str) -> None:
    """Delete an upload now instead of after 10 minutes."""
    if not services().uploads.remove(upload_id, identity().owner):
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


def _answer(found: Upload | None, finished: int) -> Answer[UploadAnswer]:
    if found is None:
        raise NotFound(GONE)
    if "error" in found.result:
        detail = f"{found.names[found.result['number']]}: {found.result['detail']}"
        status = UPLOAD_STATUS.get(found.result["error"], 422)
        raise Refused(status, f"upload_{found.result['error']}", detail)
    if found.state == "failed":
        raise Refused(
            500, "upload_failed", "the images could not be analysed; the log of `images` says why"
        )
    body = UploadAnswer(
        id=found.id, state=found.state, expires_in_s=found.expires_in_s, images=_images_of(found)
    )
    status = finished if found.state == "finished" else 202
    return Answer(body, status, {"Location": url_for("upload_api.read", upload_id=found.id)})


def _images_of(found: Upload) -> list[UploadedImage]:
    def address(number: int) -> str:
        return url_for("upload_api.picture", upload_id=found.id, number=number)

    analysed = zip(found.names, found.result.get("images", []), strict=False)
    return [
        UploadedImage.model_validate({"name": name, "picture": address(number), **image})
        for number, (name, image) in enumerate(analysed)
    ]

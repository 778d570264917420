"""Uploaded recordings: in as a stream, out as a report and an annotated video."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, jsonify, request, send_file, url_for
from pydantic import BaseModel, Field
from werkzeug.exceptions import NotFound

from bus.stores.recordings import ANALYSE_JOB
from contract.errors import UploadEmptyError, UploadTooLargeError, UploadTypeError
from contract.pictures.recordings import CONTAINERS, Recording, container_of
from contract.plain_text import cleaned
from dashboard.accounts.access import admission, identity, requires
from dashboard.downloads import save_as
from dashboard.services import services
from dashboard.try_it.answers import RecordingAnswer, RecordingsAnswer
from dashboard.try_it.recording_report import report_of
from dashboard.web.describing import describes
from dashboard.web.errors import problem
from dashboard.web.upload_requests import takes_files

CHUNK: Final = 64 * 1024
LARGEST: Final = 64 * 2**30
"""Whatever the setting: no request brings more."""
SLOWEST: Final = 4
"""A job may take this many times the longest recording."""
MOST_OF_ONE: Final = 5


class UploadQuery(BaseModel):
    """What the query says of an upload."""

    name: str = Field("recording", description="The file's name.")


blueprint = Blueprint("recording_api", __name__, url_prefix="/api/v1/recordings")


@blueprint.post("")
@requires("operator", action="uploaded a recording", goes_on="upload")
@takes_files(LARGEST, 0)
@describes(
    RecordingAnswer,
    status=202,
    query=UploadQuery,
    raw="application/octet-stream",
    more={429: "You have as many as there may be.", 503: "No process takes recordings."},
)
def upload() -> Response:
    """Take the body, a video file (`name` in the query), and queue its analysis: 202."""
    most = services().settings.recording_max_mb * 2**20
    if (request.content_length or 0) > most:
        raise _too_large()
    first = request.stream.read(CHUNK)
    container = _container(first)
    queue = services().recording_jobs
    if not queue.processes():
        words = "no process takes recordings now; start one with `maskwatch recordings`"
        return problem(503, "no_process", words)
    if len(_own()) >= MOST_OF_ONE:
        words = f"you have {MOST_OF_ONE} recordings here, the most there may be; remove one"
        return problem(429, "busy", words)
    made = _store_body(first, container, most)
    settings = services().settings
    queue.add(
        ANALYSE_JOB,
        made.id,
        description="analyse an uploaded recording",
        timeout_s=round(settings.recording_max_minutes * 60 * SLOWEST),
        result_kept_s=60,
        failure_kept_s=600,
    )
    answer = jsonify(_record(made))
    answer.status_code = 202
    answer.headers["Location"] = url_for("recording_api.read", recording_id=made.id)
    return answer


@blueprint.get("")
@requires("operator")
@describes(RecordingsAnswer)
def recordings() -> Response:
    """Your recordings, the newest first."""
    return jsonify(recordings=[_record(one) for one in _own()])


@blueprint.get("/<recording_id>")
@requires("operator")
@describes(RecordingAnswer)
def read(recording_id: str) -> Response:
    """How far a recording is, and once finished what was found in it."""
    return jsonify(_record(_found(recording_id)))


@blueprint.get("/<recording_id>/video")
@requires("operator", goes_on="answer")
@describes(None, media="video/mp4")
def video(recording_id: str) -> Response:
    """The annotated video, MP4 with H.264."""
    found = _found(recording_id)
    path = services().recordings.annotated_file(found)
    if found.state != "finished" or not path.is_file():
        raise NotFound("the annotated video is there once the analysis has finished")
    stem = found.name.rpartition(".")[0] or found.name
    return save_as(send_file(path.resolve(), "video/mp4"), stem, "-annotated.mp4")


@blueprint.delete("/<recording_id>")
@requires("operator", action="removed a recording of their own")
@describes(None, status=204)
def remove(recording_id: str) -> tuple[str, int]:
    """Delete a recording now, whatever state it is in."""
    services().recordings.remove(_found(recording_id))
    return "", 204


def _container(first: bytes) -> str:
    if not first:
        raise UploadEmptyError("the request brings no recording; send the file as its body")
    container = container_of(first)
    if container is None:
        raise UploadTypeError(
            "by its content the file is no recording that is taken, whatever its name says; "
            f"expected {', '.join(CONTAINERS.values())}"
        )
    return container


def _store_body(first: bytes, container: str, most: int) -> Recording:
    store, name = services().recordings, cleaned(request.args.get("name", "recording")[-80:])
    made = store.create(identity().owner, name or "recording", container)
    try:
        written = 0
        with store.given_file(made).open("xb") as file:
            part = first
            while part:
                written += len(part)
                if written > most:
                    raise _too_large()
                file.write(part)
                part = request.stream.read(CHUNK)
                admission().require_still()
    except BaseException:
        store.remove(made)
        raise
    return store.change(made, state="queued") or made


def _too_large() -> UploadTooLargeError:
    most = services().settings.recording_max_mb
    return UploadTooLargeError(
        f"the recording has more than the {most} MB that MASKWATCH_RECORDING_MAX_MB allows; cut it"
    )


def _own() -> list[Recording]:
    owner = identity().owner
    return [one for one in services().recordings.all() if one.owner == owner]


def _found(recording_id: str) -> Recording:
    found = services().recordings.get(recording_id)
    if found is None or found.owner != identity().owner:
        raise NotFound("no recording of yours has this id; they are deleted after some hours")
    return found


def _record(made: Recording) -> dict[str, Any]:
    return {
        "id": made.id,
        "name": made.name,
        "state": made.state,
        "progress": made.progress,
        "error": made.error,
        "created_at_s": made.created_at_s,
        "expires_in_s": services().recordings.seconds_left(made.id),
        "report": report_of(made.report) if made.report else None,
    }

"""The API for recordings: takes a video, and returns a report and the annotated video."""

from __future__ import annotations

import logging
from typing import Final

from flask import Blueprint, Response, request, send_file, url_for
from pydantic import BaseModel, Field
from werkzeug.exceptions import NotFound

from bus.stores.recordings import ANALYSE_JOB
from contract.errors import UploadEmptyError, UploadTooLargeError, UploadTypeError
from contract.pictures.recordings import TAKEN, Recording, what_instead
from contract.plain_text import cleaned
from dashboard.accounts.access import admission, identity, requires
from dashboard.downloads import save_as
from dashboard.services import services
from dashboard.try_it.answers import RecordingAnswer, RecordingsAnswer
from dashboard.try_it.recording_report import report_of
from dashboard.web.answering import Answer, answers
from dashboard.web.errors import Refused
from dashboard.web.upload_requests import takes_files
from runtime.own_files import DISK_FULL, file_words

CHUNK: Final = 64 * 1024
LARGEST: Final = 64 * 2**30
"""Largest body of a request, whatever the setting says."""
SLOWEST: Final = 4
"""A job may take this many times the duration of the longest allowed recording."""
MOST_OF_ONE: Final = 5
_log = logging.getLogger(__name__)


class UploadQuery(BaseModel):
    """Query of an upload."""

    name: str = Field("recording", description="The file's name.")


blueprint = Blueprint("recording_api", __name__, url_prefix="/api/v1/recordings")


@blueprint.post("")
@requires("operator", action="uploaded a recording", goes_on="upload")
@takes_files(LARGEST, 0)
@answers(
    202,
    raw="application/octet-stream",
    also={
        429: "You have as many recordings as an account may have.",
        503: "No process analyses recordings.",
        507: "The disk for recordings is full, or its folder is not writable.",
    },
)
def upload(query: UploadQuery) -> Answer[RecordingAnswer]:
    """Upload a video file as the request's body; `maskwatch recordings` then analyses it."""
    most = services().settings.recording_max_mb * 2**20
    if (request.content_length or 0) > most:
        raise _too_large()
    first = request.stream.read(CHUNK)
    _refuse_what_is_no_film(first)
    queue = services().recording_jobs
    if not queue.processes():
        words = "no process takes recordings now; start one with `maskwatch recordings`"
        raise Refused(503, "no_process", words)
    if len(_own()) >= MOST_OF_ONE:
        words = f"you have {MOST_OF_ONE} recordings here, the most there may be; remove one"
        raise Refused(429, "busy", words)
    made = _store_body(query.name, first, most)
    settings = services().settings
    queue.add(
        ANALYSE_JOB,
        made.id,
        description="analyse an uploaded recording",
        timeout_s=round(settings.recording_max_minutes * 60 * SLOWEST),
        result_kept_s=60,
        failure_kept_s=600,
    )
    where = url_for("recording_api.read", recording_id=made.id)
    return Answer(_answer(made), headers={"Location": where})


@blueprint.get("")
@requires("operator")
@answers(no_store=True)
def recordings() -> RecordingsAnswer:
    """Return your recordings, newest first."""
    return RecordingsAnswer(recordings=[_answer(one) for one in _own()])


@blueprint.get("/<recording_id>")
@requires("operator")
@answers(no_store=True)
def read(recording_id: str) -> RecordingAnswer:
    """Return the progress of a recording, and its report once finished."""
    return _answer(find_recording(recording_id))


@blueprint.get("/<recording_id>/video")
@requires("operator", goes_on="answer")
@answers(media="video/mp4")
def video(recording_id: str) -> Response:
    """Return the annotated video (MP4, H.264)."""
    found = find_recording(recording_id)
    path = services().recordings.annotated_file(found)
    if found.state != "finished" or not path.is_file():
        raise NotFound("the annotated video is there once the analysis has finished")
    stem = found.name.rpartition(".")[0] or found.name
    return save_as(send_file(path.resolve(), "video/mp4"), stem, "-annotated.mp4")


@blueprint.delete("/<recording_id>")
@requires("operator", action="removed a recording of their own")
@answers()
def remove(recording_id: str) -> None:
    """Delete a recording in any state."""
    services().recordings.remove(find_recording(recording_id))


def _refuse_what_is_no_film(first: bytes) -> None:
    """Refuse at once what needs no FFmpeg to be told."""
    if not first:
        raise UploadEmptyError("the request brings no recording; send the file as its body")
    if instead := what_instead(first):
        raise UploadTypeError(
            f"by its content the file is {instead}, whatever its name says; expected {TAKEN}"
        )


def _store_body(name: str, first: bytes, most: int) -> Recording:
    store = services().recordings
    try:
        made = store.create(identity().owner, cleaned(name[-80:]) or "recording")
    except OSError as error:
        raise _not_stored(error) from error
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
                admission().recheck()
    except OSError as error:
        store.remove(made)
        if isinstance(error, ConnectionError):  # the sender has gone
            raise
        raise _not_stored(error) from error
    except BaseException:
        store.remove(made)
        raise
    return store.change(made, state="queued") or made


def _not_stored(error: OSError) -> Refused:
    words = file_words(error, services().settings.where_recordings_are)
    _log.error("a recording cannot be stored: %s", words)
    full = "its disk is full" if error.errno in DISK_FULL else "the log says why"
    return Refused(507, "not_stored", f"the server cannot store recordings: {full}")


def _too_large() -> UploadTooLargeError:
    most = services().settings.recording_max_mb
    return UploadTooLargeError(
        f"the recording has more than the {most} MB that MASKWATCH_RECORDING_MAX_MB allows; cut it"
    )


def _own() -> list[Recording]:
    owner = identity().owner
    return [one for one in services().recordings.all() if one.owner == owner]


def find_recording(recording_id: str) -> Recording:
    found = services().recordings.get(recording_id)
    if found is None or found.owner != identity().owner:
        raise NotFound("no recording of yours has this id; they are deleted after some hours")
    return found


def _answer(made: Recording) -> RecordingAnswer:
    return RecordingAnswer(
        id=made.id,
        name=made.name,
        state=made.state,
        progress=made.progress,
        error=made.error,
        created_at_s=made.created_at_s,
        expires_in_s=services().recordings.seconds_left(made.id),
        report=report_of(made.report) if made.report else None,
    )

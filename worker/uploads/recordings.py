"""A recording through the worker's own analyser, faster than it was filmed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
import numpy.typing as npt
from av.container import OutputContainer
from av.video.stream import VideoStream

from bus.members.leases import Lease
from contract.cameras.camera import make_camera
from contract.errors import UploadTooLargeError
from contract.people.faces import Face
from contract.people.outcomes import Outcome
from contract.people.people import LEAST_CONFIDENCE, Person
from contract.pictures.frames import FrameMessage
from worker.budget import Budget
from worker.drawing import draw
from worker.frame import TakenFrame
from worker.networks import Networks
from worker.pipeline import Pipeline
from worker.session import CameraSession
from worker.uploads.film import FilmFrame, RecordedFilm

Image = npt.NDArray[np.uint8]
ANALYSIS_FPS: Final = 8.0
BUDGET: Final = Budget(None)
"""Every face is classified in every frame: no camera waits, and a look costs little."""
TELL_EVERY_S: Final = 0.5
BEGAN_S: Final = 86400.0
"""The recording's zero on the tracker's clock, for which zero means never."""
ENCODER: Final = {"preset": "veryfast", "crf": "23", "bf": "0"}
"""Without B-frames, whose decoding times a film with gaps would put out of order."""

Tell = Callable[[float], bool]
"""Takes the share done; False ends the work."""


def analyse_recording(
    networks: Networks,
    source: Path,
    target: Path,
    most_s: float,
    tell: Tell,
    least_confidence: float = LEAST_CONFIDENCE,
) -> dict[str, Any] | None:
    """Analyse `source`, write it annotated to `target` (H.264 in MP4), and return the report.

    Returns None when `tell` ended it. What is damaged is skipped, and told.

    Raises:
        UploadTypeError: it is no recording that is taken.
        UploadDamagedError: there is no video in it that can be decoded.
        UploadTooLargeError: it lasts longer than `most_s`.
    """
    started_s = told_s = time.monotonic()
    with RecordedFilm(source) as film:
        _check_length(film.length_s, most_s)
        work = _Work(networks, target, least_confidence)
        for frame in film.frames(ANALYSIS_FPS):
            time_s = frame.time_s
            _check_length(time_s, most_s)
            work.take(frame)
            if time.monotonic() - told_s > TELL_EVERY_S:
                told_s = time.monotonic()
                if not tell(min(1.0, time_s / film.length_s) if film.length_s else 0.0):
                    return None
        found = {**work.end(), **_of_film(film)}
        return {**found, "took_s": round(time.monotonic() - started_s, 2)}


def _of_film(film: RecordedFilm) -> dict[str, Any]:
    """Return the part of the report that is about the film, which was read to its end."""
    return {
        "duration_s": round(film.length_s or film.end_s, 2),
        "width": film.size[0],
        "height": film.size[1],
        "codec": film.codec,
        "skipped": film.damage.skipped,
        "skipped_spans_s": film.damage.spans,
        "analysed_s": round(max(0.0, film.end_s - film.damage.seconds()), 2),
        "missing_at_end_s": film.missing_at_end_s,
        "cut_short": film.cut_short,
        "assumed_fps": film.assumed_fps,
    }


class _Work:
    """The people found so far and the film that is being written."""

    def __init__(self, networks: Networks, target: Path, least_confidence: float) -> None:
        camera = make_camera(name="recording", source="demo:", analysis_fps=ANALYSIS_FPS)
        lease = Lease(camera.id, "worker", "recording", 1)
        self._session = CameraSession(camera, lease, least_confidence=least_confidence)
        self._pipeline = Pipeline(networks, budget=BUDGET)
        self._target = target
        self._film: OutputContainer | None = None
        self._track: VideoStream | None = None
        self._written_ms = -1
        self._people: list[Person] = []
        self._frames = 0
        self._faces = 0

    def take(self, shown: FilmFrame) -> None:
        """Analyse one frame and write it annotated."""
        time_s, image = shown.time_s, shown.image
        if shown.joined:
            self._keep(self._session.flush())
        self._frames += 1
        number = self._frames
        camera = self._session.camera
        message = FrameMessage(camera.id, b"", number, number, BEGAN_S + time_s, b"")
        taken = TakenFrame(camera, message, image)
        faces: tuple[Face, ...] = ()
        for _, outcome in self._pipeline.run({camera.id: self._session}, [taken], {}):
            faces = outcome.faces.faces if outcome.faces else ()
            self._keep(outcome)
        self._faces += len(faces)
        self._write(draw(image, faces), time_s)

    def end(self) -> dict[str, Any]:
        """Count the people still in view, finish the film, and say what was found."""
        self._keep(self._session.flush())
        if self._film and self._track:
            self._film.mux(self._track.encode(None))
            self._film.close()
        return {
            "frames": self._frames,
            "faces": self._faces,
            "people": [_as_record(p) for p in sorted(self._people, key=lambda p: p.last_seen_s)],
        }

    def _keep(self, outcome: Outcome) -> None:
        self._people += outcome.people

    def _write(self, picture: Image, time_s: float) -> None:
        # H.264 with 4:2:0 colours has even sides only.
        height, width = (side // 2 * 2 for side in picture.shape[:2])
        picture = np.ascontiguousarray(picture[:height, :width])
        if self._film is None:
            self._film = av.open(str(self._target), "w", options={"movflags": "+faststart"})
            self._track = self._film.add_stream(
                "libx264", rate=round(ANALYSIS_FPS), options=dict(ENCODER)
            )
            self._track.width, self._track.height = width, height
            self._track.pix_fmt = "yuv420p"
            self._track.codec_context.time_base = Fraction(1, 1000)
        assert self._track is not None  # noqa: S101 - made with the film
        frame = av.VideoFrame.from_ndarray(picture, "bgr24")
        # Timestamps of damaged films may repeat, which MP4 does not take.
        self._written_ms = max(self._written_ms + 1, round(time_s * 1000))
        frame.pts, frame.time_base = self._written_ms, Fraction(1, 1000)
        self._film.mux(self._track.encode(frame))


def _check_length(seconds: float, most_s: float) -> None:
    if seconds > most_s:
        raise UploadTooLargeError(
            f"the recording lasts longer than the {most_s / 60:g} minutes that are taken; cut it"
        )


def _as_record(person: Person) -> dict[str, Any]:
    record = asdict(person)
    times = {name: round(record[name] - BEGAN_S, 2) for name in ("first_seen_s", "last_seen_s")}
    wanted = ("verdict", "confidence", "best_face_px", "sightings")
    return {**times, **{name: record[name] for name in wanted}}

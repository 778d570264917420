"""A recording through the worker's own analyser, faster than it was filmed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
import numpy.typing as npt
from av.container import OutputContainer
from av.video.stream import VideoStream

from bus.leases import Lease
from contract.cameras.camera import make_camera
from contract.errors import UploadDamagedError, UploadTooLargeError
from contract.people.faces import Face
from contract.people.outcomes import Outcome
from contract.people.people import Person
from contract.pictures.frames import FrameMessage
from worker.analysis import DEFAULT_BUDGET
from worker.drawing import draw
from worker.frame import TakenFrame
from worker.networks import Networks
from worker.pipeline import Pipeline
from worker.session import CameraSession

Image = npt.NDArray[np.uint8]
ANALYSIS_FPS: Final = 8.0
BUDGET: Final = DEFAULT_BUDGET
"""Which faces are classified: as often as those of a camera."""
WIDEST: Final = 1920
MOST_PIXELS: Final = 8192 * 4320
TELL_EVERY_S: Final = 0.5
BEGAN_S: Final = 86400.0
"""The recording's zero on the tracker's clock, for which zero means never."""
ENCODER: Final = {"preset": "veryfast", "crf": "23"}

Tell = Callable[[float], bool]
"""Takes the share done; False ends the work."""


def analyse_recording(
    networks: Networks, source: Path, container: str, target: Path, most_s: float, tell: Tell
) -> dict[str, Any] | None:
    """Analyse `source`, write it annotated to `target` (H.264 in MP4), and return the report.

    container: FFmpeg's name of the only one that is tried. Returns None when `tell` ended it.

    Raises:
        UploadDamagedError: there is no video in it that can be decoded.
        UploadTooLargeError: it lasts longer than `most_s`.
    """
    started_s = time.monotonic()
    try:
        with av.open(str(source), format=container, options={"protocol_whitelist": "file"}) as film:
            if not film.streams.video:
                raise UploadDamagedError("there is no video in the file")
            _check_size(film.streams.video[0])
            film.streams.video[0].thread_type = "AUTO"
            work = _Work(networks, target, film.streams.video[0])
            told_s, time_s = 0.0, 0.0
            duration_s = float(film.duration or 0) / av.time_base
            _check_length(duration_s, most_s)
            for time_s, image in _sampled(film.decode(film.streams.video[0])):
                _check_length(time_s, most_s)
                work.take(time_s, image)
                if time.monotonic() - told_s > TELL_EVERY_S:
                    told_s = time.monotonic()
                    if not tell(min(1.0, time_s / duration_s) if duration_s else 0.0):
                        return None
            codec = str(film.streams.video[0].codec_context.name)
    except av.FFmpegError as error:
        if isinstance(error, MemoryError):
            raise
        raise UploadDamagedError(f"the recording cannot be decoded ({error.strerror})") from error
    report = work.end(duration_s or time_s)
    return {**report, "codec": codec, "took_s": round(time.monotonic() - started_s, 2)}


class _Work:
    """The people found so far and the film that is being written."""

    def __init__(self, networks: Networks, target: Path, stream: VideoStream) -> None:
        camera = make_camera(name="recording", source="demo:", analysis_fps=ANALYSIS_FPS)
        self._session = CameraSession(camera, Lease(camera.id, "worker", "recording", 1))
        self._pipeline = Pipeline(networks, budget=BUDGET)
        self._target = target
        self._film: OutputContainer | None = None
        self._track: VideoStream | None = None
        self._people: list[Person] = []
        self._frames = 0
        self._faces = 0
        self._size = (stream.width, stream.height)

    def take(self, time_s: float, image: Image) -> None:
        """Analyse one frame and write it annotated."""
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

    def end(self, duration_s: float) -> dict[str, Any]:
        """Count who is still in view, finish the film, and say what was found."""
        if not self._frames:
            raise UploadDamagedError("there is no frame in the recording that can be decoded")
        self._keep(self._session.flush())
        if self._film and self._track:
            self._film.mux(self._track.encode(None))
            self._film.close()
        return {
            "duration_s": round(duration_s, 2),
            "width": self._size[0],
            "height": self._size[1],
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
        frame.pts, frame.time_base = round(time_s * 1000), Fraction(1, 1000)
        self._film.mux(self._track.encode(frame))


def _sampled(frames: Iterator[av.VideoFrame]) -> Iterator[tuple[float, Image]]:
    """Seconds from the first frame, and frames at `ANALYSIS_FPS` at most, as BGR."""
    first_s: float | None = None
    due_s = 0.0
    for frame in frames:
        first_s = frame.time if first_s is None else first_s
        time_s = frame.time - first_s
        if time_s < due_s - 1e-6:
            continue
        due_s = max(due_s + 1 / ANALYSIS_FPS, time_s)
        scale = min(1.0, WIDEST / frame.width)
        width, height = round(frame.width * scale), round(frame.height * scale)
        image = frame.to_ndarray(format="bgr24", width=width, height=height)
        yield time_s, np.asarray(image, np.uint8)


def _check_size(stream: VideoStream) -> None:
    if stream.width * stream.height > MOST_PIXELS:
        raise UploadTooLargeError(
            f"the recording has {stream.width} x {stream.height} pixels, at most 8192 x 4320 are "
            "taken; make it smaller"
        )


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

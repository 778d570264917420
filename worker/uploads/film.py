"""An uploaded recording as pictures with times, from its beginning to its end, damage and all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from contract.errors import UploadDamagedError, UploadTooLargeError, UploadTypeError
from contract.pictures.recordings import TAKEN
from runtime.video.film_time import FilmTime
from runtime.video.pictures import Image, PictureMaker
from runtime.video.sampler import Sampler
from runtime.video.streams import FILM_FORMATS, TIMES_OF_PACKETS, UNTIMED, film_of, fps_of
from worker.uploads.damage import Damage

WIDEST: Final = 1920
MOST_PIXELS: Final = 8192 * 4320
LEAST_MISSING_S: Final = 1.0
"""A film may end this much before the length that its file states."""
_TIMES_LEAP: Final = frozenset({"mpegts", "mpeg", "dhav"})
"""Containers whose length can only be guessed, from the first and the last timestamp."""
_BOXES: Final = frozenset({b"ftyp", b"styp", b"moof", b"mdat", b"wide", b"free", b"skip", b"uuid"})
"""What an MP4 or MOV file has at its top besides `moov`."""
_MOST_BOXES: Final = 1000


@dataclass(frozen=True)
class FilmFrame:
    """One picture of a recording."""

    time_s: float
    """Since its beginning."""
    image: Image
    """`(H, W, 3)` uint8 BGR, upright, of square pixels, at most `WIDEST` wide."""
    joined: bool
    """Whether another film begins here: nobody in view before is known to be still there."""


class RecordedFilm:
    """A recording that is read once. Close it, or use it in a `with`."""

    def __init__(self, source: Path) -> None:
        """FFmpeg tells the container, among those that open no other file.

        Raises:
            UploadTypeError: it is no recording that is taken.
            UploadDamagedError: there is no video in it that can be decoded.
            UploadTooLargeError: its pictures are too large.
        """
        options = {"protocol_whitelist": "file", "format_whitelist": FILM_FORMATS}
        try:
            self._container: InputContainer = av.open(str(source), options=options)
        except av.FFmpegError as error:
            raise _unreadable(error, source) from error
        try:
            self._stream = _film_in(self._container)
        except BaseException:
            self._container.close()
            raise
        self._stream.thread_type = "AUTO"
        self._pictures = PictureMaker(self._stream.sample_aspect_ratio)
        self._formats = set(self._container.format.name.split(","))
        self._untimed = bool(self._formats & UNTIMED)
        self._time = FilmTime(fps_of(self._stream, self._untimed))
        self.size = self._pictures.size(self._stream.width, self._stream.height)
        """Width and height as seen; known for sure once a frame was read."""
        self.codec = str(self._stream.codec_context.name)
        self.length_s = self._length_s()
        """As the file says; 0 where it does not, or may be wrong."""
        self.assumed_fps = round(1 / self._time.frame_s, 2) if self._untimed else 0.0
        """The rate from which times come if the file holds none; otherwise 0."""
        self.end_s = 0.0
        """When the last picture read so far ends."""
        self.damage = Damage()
        self.cut_short = False
        """Whether the file ended in the middle of something."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._container.close()

    def frames(self, fps: float) -> Iterator[FilmFrame]:
        """Yield the pictures that a camera with this film would have analysed at `fps`.

        Raises:
            UploadDamagedError: none can be decoded.
        """
        sampler, joined, found = Sampler(fps), False, False
        for frame, timestamp_s in self._decoded():
            time_s = self._time.seconds(timestamp_s)
            self.damage.picture(time_s, not frame.is_corrupt)
            self.end_s = time_s + self._lasts_s(frame)
            joined |= self._time.joined
            if not sampler.wants(time_s):
                continue
            if not found:
                self.size = self._pictures.size_of(frame)
            found = True
            yield FilmFrame(time_s, self._pictures.picture(frame, WIDEST), joined)
            joined = False
        self.damage.end()
        if not found:
            raise UploadDamagedError("there is no picture in the recording that can be decoded")

    def _decoded(self) -> Iterator[tuple[VideoFrame, float | None]]:
        """Yield frames with their timestamps in seconds."""
        for packet in self._packets():
            try:
                frames = packet.decode() if packet else self._stream.decode(None)
            except av.FFmpegError as error:
                if isinstance(error, MemoryError):
                    raise
                self.damage.skip()
                continue
            for frame in frames:
                yield frame, self._timestamp_s(frame, packet)

    def _packets(self) -> Iterator[av.Packet[VideoStream] | None]:
        """Yield packets; None where the file breaks off, for what the decoder still holds."""
        try:
            yield from self._container.demux(self._stream)
        except av.FFmpegError as error:
            if isinstance(error, MemoryError):
                raise
            self.cut_short = True
            yield None

    def _timestamp_s(
        self, frame: VideoFrame, packet: av.Packet[VideoStream] | None
    ) -> float | None:
        if self._untimed:
            return None
        if not self._formats & TIMES_OF_PACKETS:
            return frame.time
        if packet is None or not packet.time_base:
            return None
        stamp = packet.pts if packet.dts is None else packet.dts
        return None if stamp is None else float(stamp * packet.time_base)

    def _lasts_s(self, frame: VideoFrame) -> float:
        if self._untimed or not frame.duration or not frame.time_base:
            return self._time.frame_s
        return float(frame.duration * frame.time_base)

    @property
    def missing_at_end_s(self) -> float:
        """Seconds that the file states and does not hold; 0 until all was read."""
        missing_s = self.length_s - self.end_s
        return round(missing_s, 2) if missing_s >= LEAST_MISSING_S else 0.0

    def _length_s(self) -> float:
        if self._untimed or self._formats & _TIMES_LEAP:
            return 0.0
        if self._stream.duration and self._stream.time_base:
            return float(self._stream.duration * self._stream.time_base)
        return float(self._container.duration or 0) / av.time_base


def _film_in(container: InputContainer) -> VideoStream:
    stream = film_of(container)
    if stream is None:
        raise UploadDamagedError("there is no video in the file")
    if stream.width * stream.height > MOST_PIXELS:
        raise UploadTooLargeError(
            f"the recording has {stream.width} x {stream.height} pixels, at most 8192 x 4320 are "
            "taken; make it smaller"
        )
    return stream


def _unreadable(error: av.FFmpegError, source: Path) -> Exception:
    """Return what to tell of a file that FFmpeg does not open, in words of ours."""
    if isinstance(error, MemoryError):
        return error
    if _lacks_index(source):
        return UploadDamagedError(
            "the recording was never finished: it lacks its index (moov), because recording or "
            "copying it broke off. Copy it again in full; if the original is the same, repair it "
            "with the recorder's or phone's own program"
        )
    if isinstance(error, av.error.InvalidDataError):
        return UploadDamagedError(
            "the beginning of the recording is damaged, or it is encrypted or of a kind that only "
            f"its recorder's own program reads; export it as one of {TAKEN}"
        )
    return UploadTypeError(f"by its content the file is no recording; expected {TAKEN}")


def _lacks_index(source: Path) -> bool:
    """Whether a file is an MP4 or MOV file without a `moov` box."""
    with source.open("rb") as file:
        for number in range(_MOST_BOXES):
            head = file.read(16)
            kind, length = head[4:8], int.from_bytes(head[:4], "big")
            if kind not in _BOXES:
                return number > 0 and kind != b"moov"
            if length == 1:
                length = int.from_bytes(head[8:16], "big")
            if length < 8:  # 0: up to the end
                return True
            file.seek(length - len(head), 1)
    return False

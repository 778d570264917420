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

from contract.errors import UploadDamagedError, UploadTooLargeError
from runtime.video.film_time import FilmTime
from runtime.video.pictures import Image, PictureMaker, turn_of
from runtime.video.sampler import Sampler
from runtime.video.streams import film_of

WIDEST: Final = 1920
MOST_PIXELS: Final = 8192 * 4320
MOST_MOMENTS: Final = 100
"""Moments of damage that are told one by one."""
_TIMES_OF_PACKETS: Final = frozenset({"avi"})
"""Containers that say when a packet is decoded, and not when its picture is shown."""
_TIMES_LEAP: Final = frozenset({"mpegts", "mpeg", "dhav"})
"""Containers whose length can only be guessed, from the first and the last timestamp."""


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

    def __init__(self, source: Path, container: str) -> None:
        """`container` is FFmpeg's name of the only one that is tried.

        Raises:
            UploadDamagedError: there is no video in it that can be decoded.
            UploadTooLargeError: its pictures are too large.
        """
        try:
            self._container: InputContainer = av.open(
                str(source), format=container, options={"protocol_whitelist": "file"}
            )
        except av.FFmpegError as error:
            raise _unreadable(error) from error
        try:
            self._stream = _film_in(self._container)
        except BaseException:
            self._container.close()
            raise
        self._stream.thread_type = "AUTO"
        self._pictures = PictureMaker(self._stream.sample_aspect_ratio)
        self._time = FilmTime(float(self._stream.average_rate or 0))
        self._by_packets = container in _TIMES_OF_PACKETS
        self.size = self._pictures.size(self._stream.width, self._stream.height)
        """Width and height as seen; known for sure once a frame was read."""
        self.codec = str(self._stream.codec_context.name)
        self.length_s = self._length_s(container)
        """As the file says; 0 where it does not, or may be wrong."""
        self.skipped = 0
        """Packets and pictures that could not be decoded."""
        self.skipped_at_s: list[float] = []
        """When they would have been shown, to the nearest picture; at most `MOST_MOMENTS`."""
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
            joined |= self._time.joined
            if not sampler.wants(time_s):
                continue
            if not found:
                self.size = self._pictures.size(frame.width, frame.height, turn_of(frame))
            found = True
            yield FilmFrame(time_s, self._pictures.picture(frame, WIDEST), joined)
            joined = False
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
                self._skip()
                continue
            for frame in frames:
                if frame.is_corrupt:
                    self._skip()
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
        if not self._by_packets:
            return frame.time
        if packet is None or packet.dts is None or not packet.time_base:
            return None
        return float(packet.dts * packet.time_base)

    def _skip(self) -> None:
        self.skipped += 1
        moment_s = round(self._time.now_s, 2)
        if moment_s not in self.skipped_at_s and len(self.skipped_at_s) < MOST_MOMENTS:
            self.skipped_at_s.append(moment_s)

    def _length_s(self, container: str) -> float:
        if container in _TIMES_LEAP:
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


def _unreadable(error: av.FFmpegError) -> Exception:
    if isinstance(error, MemoryError):
        return error
    return UploadDamagedError(f"the recording cannot be decoded ({error.strerror})")

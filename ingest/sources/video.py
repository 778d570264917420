"""Cameras, webcams and files, decoded with PyAV."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from contract.cameras.picture_options import AS_SIGNALLED, PictureOptions
from contract.cameras.probes import Medium
from ingest.captured import CapturedFrame, LifeSign, StreamInfo, always
from ingest.health import StreamHealth
from ingest.reach.address import Address
from ingest.reach.errors import (
    ended,
    no_key_frame,
    no_such_stream,
    no_video,
    too_large,
    undecodable,
    unsupported_codec,
)
from ingest.sources.leaving_out import LeavingOut
from ingest.sources.opening import Opening
from ingest.sources.pace import Pace
from ingest.sources.stream_clock import StreamClock
from runtime.settings import Settings
from runtime.video.pictures import PictureMaker
from runtime.video.streams import TIMES_OF_PACKETS, UNTIMED, film_of, films_in, fps_of

GRACE_S: Final = 1.5
"""Seconds that the watchdog adds to FFmpeg's own time-outs, which are not exact."""
READER_MB: Final = 140
"""Memory of a reader before its first picture, in MB."""
DECODING_BYTES_A_PIXEL: Final = 15
"""Six decoded pictures of 4:2:0 (what H.264's reference pictures come to), and two in BGR."""
MOST_BROKEN_PACKETS: Final = 250
"""Packets in a row without a decodable frame before a file counts as undecodable."""
HIGHEST_FPS: Final = 240.0
"""Highest plausible rate. A stream that declares more declares its clock's ticks."""
_INDEXED_FORMATS: Final = frozenset({"mp4", "matroska"})
"""Formats with an index of pictures, which can be rewound. Films in other formats are opened again:
seeking in them may miss the beginning, and opening costs as much as several pictures."""


class VideoSource:
    """A source that FFmpeg reads. Files are looped and paced as a camera would deliver them."""

    def __init__(
        self,
        address: Address,
        settings: Settings,
        life: LifeSign,
        opening: Opening,
        clock: Callable[[], float] = time.time,
        options: PictureOptions = AS_SIGNALLED,
    ) -> None:
        self._now_s = clock
        self._address = address
        self._settings = settings
        self._life = life
        self._opening = opening
        self._options = options
        self._container, self._stream = self._open_stream()
        self._pictures = PictureMaker(self._stream.sample_aspect_ratio, options)
        self._clock = StreamClock()
        self.health = StreamHealth()
        speed = settings.file_speed if address.kind == "file" else 1.0
        self._pace = Pace(life, speed, fps_of(self._stream, self._container.format.name in UNTIMED))
        size = self._pictures.size(self._stream.width, self._stream.height)
        self.info = _describe(self._container, self._stream, size, opening.medium)

    @classmethod
    def open(
        cls,
        address: Address,
        settings: Settings,
        life: LifeSign,
        clock: Callable[[], float] = time.time,
        options: PictureOptions = AS_SIGNALLED,
    ) -> VideoSource:
        """Open and find the video; raise the `SourceError` that fits when there is none."""
        opening = Opening(address, settings)
        try:
            return cls(address, settings, life, opening, clock, options)
        except BaseException:
            opening.close()
            raise

    def close(self) -> None:
        self._container.close()
        self._opening.close()

    def frames(self, may_want: Callable[[float], bool] = always) -> Iterator[CapturedFrame]:
        left_out = LeavingOut(may_want)
        self._opening.want(may_want)
        after_last = 0
        while True:
            found = False
            for frame in self._decoded(left_out):
                found = True
                captured = self._captured(frame, after_last + left_out.before(frame.pts))
                if captured is None:
                    return
                after_last = 0
                yield captured
            if self._address.kind != "file":
                raise ended(self._address)
            if not found:
                raise no_video(self._address, "no frame that can be decoded")
            after_last = left_out.rest()
            self._rewind()

    def _rewind(self) -> None:
        if not self._opening.same_file() or not _sought_beginning(self._container):
            self._container.close()
            self._container, self._stream = self._open_stream()
        self._pace.restart()

    def _open_stream(self) -> tuple[InputContainer, VideoStream]:
        settings = self._settings
        self._life.extend(settings.open_timeout_s + settings.read_timeout_s + GRACE_S)
        container = self._opening.open()
        try:
            stream = _choose_stream(container, self._address, self._options.stream)
            # Before decoding: what FFmpeg says when it gets no memory differs from time to time.
            if least_memory_mb(stream.width, stream.height) > settings.reader_memory_mb:
                raise too_large(self._address.shown)
            return container, stream
        except BaseException:
            container.close()
            raise

    def _decoded(self, left_out: LeavingOut) -> Iterator[VideoFrame]:
        broken = 0
        for packet in self._packets():
            self._life.extend(self._settings.read_timeout_s + GRACE_S)
            skipped = left_out.prepare(self._stream, packet, self._expected_s(packet))
            self.health.packet(packet.is_keyframe, skipped)
            if skipped and self._opening.medium == "mjpeg":
                continue  # no other picture depends on it
            if packet.is_corrupt:
                self.health.broken()
            try:
                frames = packet.decode()
            except MemoryError:
                raise too_large(self._address.shown) from None
            except av.error.FFmpegError:  # besides invalid data, what "is not yet implemented"
                broken += 1
                self.health.broken()
                self._give_up_if_hopeless(broken)
                continue
            broken = 0 if frames else broken
            for frame in frames:
                if frame.is_corrupt:
                    self.health.broken()
                self.health.picture(*self._pictures.size_of(frame), not frame.is_corrupt)
                yield frame
            self._give_up_if_hopeless(broken)

    def _give_up_if_hopeless(self, broken: int) -> None:
        """Raise the `SourceError` that fits when what arrives is no use, and connecting may be."""
        if self._address.kind == "file":
            if broken >= MOST_BROKEN_PACKETS:
                raise unsupported_codec(self._address, self.info.codec)
            return
        want, waited_s = self.health.hopeless(), self.health.waited_s()
        if want == "undecodable":
            raise undecodable(self._address, waited_s)
        if want == "key_frame":
            raise no_key_frame(self._address, waited_s)

    def _packets(self) -> Iterator[av.Packet[VideoStream]]:
        try:
            for packet in self._container.demux(self._stream):
                yield packet
                self._opening.await_more()
        except (av.error.FFmpegError, OSError) as error:
            if self._address.kind == "file" and isinstance(error, av.error.InvalidDataError):
                return  # a file cut short plays as far as it goes
            # Not chained: FFmpeg's own error carries the URL with its password.
            raise self._opening.explain_reading(error) from None

    def _expected_s(self, packet: av.Packet[VideoStream]) -> float | None:
        """When the packet's frame will be shown, in steady seconds, if that can be known."""
        if self._opening.medium == "mjpeg":
            return time.monotonic()
        if packet.pts is None or self._by_arrival:
            return None
        timestamp_s = float(packet.pts * packet.time_base)
        clock = self._pace if self._paced else self._clock
        return clock.expected_s(timestamp_s)

    def _captured(self, frame: VideoFrame, left_out: int) -> CapturedFrame | None:
        """Return the frame when its time has come; None when the reader is to end meanwhile."""
        timestamp_s = None if self._by_arrival else frame.time
        if self._paced:
            time_s = self._pace.hold(timestamp_s, left_out)
            if time_s is None:
                return None
        else:
            jumps = self._clock.jumps
            time_s = self._clock.steady_s(timestamp_s, time.monotonic())
            if self._clock.jumps > jumps:
                self.health.clock_jumped()
        return CapturedFrame(
            time_s,
            self._now_s(),
            lambda max_width: self._pictures.picture(frame, max_width),
            left_out,
            timestamp_s,
        )

    @property
    def _by_arrival(self) -> bool:
        # Their demuxers invent timestamps, or give those of packets; only arrival tells the truth.
        return self._container.format.name in UNTIMED | TIMES_OF_PACKETS

    @property
    def _paced(self) -> bool:
        """Whether frames come faster than they were filmed: files, and playlists of files."""
        names = self._container.format.name.split(",")
        return self._address.kind == "file" or (
            self._address.kind == "http"
            and (self._opening.segmented or bool({"mp4", "webm"} & set(names)))
        )


def least_memory_mb(width: int, height: int) -> float:
    """Megabytes that a reader holds for pictures of this size, and for itself."""
    return READER_MB + width * height * DECODING_BYTES_A_PIXEL / 2**20


def _sought_beginning(container: InputContainer) -> bool:
    """Whether the container stands at its first picture again, its decoder as new."""
    if not _INDEXED_FORMATS & set(container.format.name.split(",")):
        return False
    try:
        container.seek(container.start_time or 0)
    except (av.error.FFmpegError, OSError):
        return False
    return True


def _choose_stream(container: InputContainer, address: Address, number: int) -> VideoStream:
    if not container.streams.video:
        kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
        raise no_video(address, f"only {kinds}")
    if number > (there := len(films_in(container))) > 0:
        raise no_such_stream(address, number, there)
    stream = film_of(container, number)
    if stream is None:
        raise unsupported_codec(address, "")
    # One thread a camera: frame threads add a frame of delay each, and the cores are shared.
    stream.thread_type = "NONE"
    stream.codec_context.thread_count = 1
    return stream


def _describe(
    container: InputContainer, stream: VideoStream, size: tuple[int, int], medium: Medium
) -> StreamInfo:
    context = stream.codec_context
    invented = container.format.name in UNTIMED
    rate = None if invented else stream.average_rate or stream.guessed_rate
    fps = float(rate or 0.0)
    if fps > HIGHEST_FPS:
        fps = 0.0
    return StreamInfo(*size, context.name, fps, medium)

"""Which containers are read, and which of a container's streams is the film."""

from __future__ import annotations

from typing import Final

from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

FILM_FORMATS: Final = (
    "mov,mp4,matroska,webm,avi,mpegts,mpeg,flv,asf,dhav,ogg,ivf,mxf,h264,hevc,m4v,mpegvideo,mjpeg,"
    "mpjpeg"
)
"""FFmpeg's names of the containers that are read. None opens other files: no playlists (HLS, DASH,
concat), SDP or image sequences."""
UNTIMED: Final = frozenset({"h264", "hevc", "m4v", "mpegvideo", "mjpeg", "mpjpeg", "jpeg_pipe"})
"""Formats without timestamps; FFmpeg invents them at 25 frames a second."""
TIMES_OF_PACKETS: Final = frozenset({"avi", "dhav"})
"""Formats that say when a packet is decoded, and not when its picture is shown."""
STILLS: Final = frozenset({"mjpeg", "png", "bmp", "gif", "webp", "tiff"})
"""Codecs of covers. Not every container can flag its cover as one."""
NO_FILM: Final = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
"""Covers, thumbnails and stills, which are stored like videos of few pictures."""


def films_in(container: InputContainer) -> list[VideoStream]:
    """Return the videos that can be decoded, in their order; covers and thumbnails are none."""
    return [
        stream
        for stream in container.streams.video
        if stream.codec_context is not None and not stream.disposition & NO_FILM
    ]


def film_of(container: InputContainer, number: int = 0) -> VideoStream | None:
    """Return video `number`, from 1; 0 chooses the best. None if there is none.

    The best is one that is no picture beside a film, then the one with the most pixels, then the
    first.
    """
    films = films_in(container)
    if number:
        return films[number - 1] if number <= len(films) else None
    return max(films, key=_rank, default=None)


def fps_of(stream: VideoStream, untimed: bool) -> float:
    """Return a film's frames per second as it says; 0 if it does not.

    Of an untimed format only the codec may know it: FFmpeg invents the container's.
    """
    return float((stream.codec_context.framerate if untimed else stream.average_rate) or 0)


def _rank(stream: VideoStream) -> tuple[bool, int]:
    context = stream.codec_context
    return context.name not in STILLS, context.width * context.height

"""Which of a container's streams is the film."""

from __future__ import annotations

from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream


def film_of(container: InputContainer) -> VideoStream | None:
    """Return the widest video that can be decoded; None if there is none.

    A cover or a thumbnail, which is stored like a video of one picture, is none.
    """
    films = [
        stream
        for stream in container.streams.video
        if stream.codec_context is not None and not stream.disposition & Disposition.attached_pic
    ]
    return max(films, key=lambda stream: stream.codec_context.width, default=None)

"""Which of a container's streams is the film."""

from __future__ import annotations

from typing import Final

from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

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
    """Return video `number`, from 1; 0 chooses the one with the most pixels, then the first.

    None if there is none.
    """
    films = films_in(container)
    if number:
        return films[number - 1] if number <= len(films) else None
    return max(films, key=_pixels, default=None)


def _pixels(stream: VideoStream) -> int:
    return stream.codec_context.width * stream.codec_context.height

"""The interface of a source, whatever kind of camera it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from contract.cameras.probes import Medium
from ingest.encoding import Image
from ingest.health import StreamHealth


@dataclass(frozen=True)
class StreamInfo:
    """The properties that an open stream declares."""

    width: int
    height: int
    codec: str
    fps: float
    """Declared frames per second; 0 if the stream declares no rate."""
    medium: Medium = "stream"

    @property
    def size(self) -> tuple[int, int]:
        return self.width, self.height


@dataclass(frozen=True)
class CapturedFrame:
    """One frame a camera delivered. It costs little until `image` is called."""

    time_s: float
    """Time of the frame in steady seconds, for sampling."""
    captured_at_s: float
    """Seconds since the epoch when the frame arrived."""
    image: Callable[[int], Image]
    """Returns the picture, scaled down to the given width in pixels if it is wider."""
    left_out: int = 0
    """Frames of the camera before this one that were not decoded, because no sampling needs
    them."""
    timestamp_s: float | None = None
    """The stream's own time of the frame, which may jump; None if it has none."""


class LifeSign(Protocol):
    """The signs of life by which a reader shows that it is not stuck."""

    def extend(self, seconds: float) -> None:
        """Promise the next sign of life within `seconds`."""

    def wait(self, seconds: float) -> bool:
        """Pause and give signs of life; return True if the reader must end."""


def always(time_s: float) -> bool:
    """Any frame may be wanted."""
    del time_s
    return True


class OpenSource(Protocol):
    """A source that is open."""

    @property
    def info(self) -> StreamInfo: ...

    @property
    def health(self) -> StreamHealth: ...

    def frames(self, may_want: Callable[[float], bool] = always) -> Iterator[CapturedFrame]:
        """Yield frames in the order they are shown.

        Ends only by raising a `SourceError`, or on stop. May leave out frames at whose time (steady
        seconds) `may_want` returns False; the next frame counts them.
        """

    def close(self) -> None: ...

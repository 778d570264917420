"""What a reader needs of a camera, whatever kind it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from ingest.encoding import Image
from ingest.health import StreamHealth


@dataclass(frozen=True)
class StreamInfo:
    """What an open stream says of itself."""

    width: int
    height: int
    codec: str
    fps: float
    """Declared frames per second; 0 when it declares none."""

    @property
    def size(self) -> tuple[int, int]:
        return self.width, self.height


@dataclass(frozen=True)
class CapturedFrame:
    """One frame a camera delivered. It costs little until `image` is called."""

    time_s: float
    """Steady seconds, for sampling."""
    captured_at_s: float
    """Seconds since the epoch when it arrived."""
    image: Callable[[int], Image]
    """Returns the picture, scaled down to the given width in pixels if it is wider."""
    left_out: int = 0
    """Frames that the camera delivered before this one, not decoded because nobody wants them."""


class LifeSign(Protocol):
    """How a reader shows that it is not stuck."""

    def extend(self, seconds: float) -> None:
        """Promise another sign within `seconds`."""

    def wait(self, seconds: float) -> bool:
        """Pause, giving signs; True when the reader is to end."""


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

        Ends only by raising a `SourceError` or on stop. Frames at whose time, in steady seconds,
        `may_want` is False may be left out, and are counted with the next one.
        """

    def close(self) -> None: ...

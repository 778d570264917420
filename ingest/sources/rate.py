"""Notices a camera that sends too few or too many frames."""

from __future__ import annotations

from typing import Final

from ingest.health import Notice

FAST_FPS: Final = 61.0
"""Rate above which a camera is too fast. Cameras with 60 frames per second are common."""
ENOUGH_FPS: Final = 3.0
"""Lowest acceptable rate of a stream that declares none: below it, people are lost between
frames."""
SHORT_SHARE: Final = 0.8
LASTS_S: Final = 3.0


class RateWatch:
    """Judges the arrival rate of frames, and reports only lasting faults.

    wanted_fps: analysed frames per second; 0 switches the notice of too few frames off.
    """

    def __init__(self, wanted_fps: float) -> None:
        self._wanted_fps = wanted_fps
        self._least_fps = 0.0
        self._told: Notice | None = None
        self._differs_since_s: float | None = None

    def restart(self, declared_fps: float) -> None:
        """Start a connection of a stream with this declared rate; 0 if it declares none."""
        declared_fps = declared_fps or ENOUGH_FPS
        self._least_fps = SHORT_SHARE * min(self._wanted_fps, declared_fps)
        self._told = self._differs_since_s = None

    def notice(self, fps: float, now_s: float) -> Notice | None:
        """Return the notice about a rate; a rate of 0 is unknown."""
        found = self._judge(fps)
        if fps == 0 or _kind(found) == _kind(self._told):
            self._differs_since_s = None
        elif self._differs_since_s is None:
            self._differs_since_s = now_s
        elif now_s - self._differs_since_s >= LASTS_S:
            self._told, self._differs_since_s = found, None
        return self._told

    def _judge(self, fps: float) -> Notice | None:
        if 0 < fps < self._least_fps:
            return Notice(
                "slow",
                f"The camera sends only {fps:.1f} frames a second, too few to follow people by; "
                "raise its frame rate, or check its network.",
            )
        if fps > FAST_FPS:
            return Notice(
                "fast",
                f"The camera sends {fps:.0f} frames a second, and decoding them costs this machine "
                "more than it gains; set the camera to 25 or fewer.",
            )
        return None


def _kind(notice: Notice | None) -> str:
    return notice.kind if notice else ""

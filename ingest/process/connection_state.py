"""The current state of a camera's connection."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from contract.cameras.status import CameraState, CameraStatus
from contract.errors import SourceError
from contract.redaction import hosts_alone
from ingest.captured import StreamInfo
from ingest.health import Notice, StreamHealth
from ingest.sources.rate import RateWatch

STALLED_AFTER_S: Final = 2.0
FPS_WINDOW_S: Final = 4.0
LONGEST_WORDS: Final = 1000
"""Most characters of an error, which may contain text from the camera."""
SETTLING_S: Final = 0.5
"""Seconds after connecting that do not count for the rate: a server first sends what it
buffered."""

_STALL_WORDS: Final = {
    "timeout": "The camera is connected but sends no picture; Maskwatch waits, then reconnects.",
    "undecodable": "The video cannot be decoded: it is damaged in transit, or its codec is not the "
    "announced one; reconnecting. If this continues, check cable and network, and set the camera "
    "to H.264.",
    "no_key_frame": "The camera has sent no key frame yet, and no picture can be decoded without; "
    "waiting. Set its key-frame (I-frame) interval to 1 or 2 s.",
}


class ConnectionState:
    """The capturing thread writes it, and the reporting thread reads it."""

    def __init__(
        self,
        owner: str,
        reconnects: int = 0,
        clock: Callable[[], float] = time.time,
        wanted_fps: float = 0.0,
    ) -> None:
        """`wanted_fps`: analysed frames per second; with it, a lower rate causes a notice."""
        self._owner = owner
        self._clock = clock
        self._lock = threading.Lock()
        self._connected = False
        self._info = StreamInfo(0, 0, "", 0.0)
        self._health: StreamHealth | None = None
        self._rate = RateWatch(wanted_fps)
        self._error: SourceError | None = None
        self._error_words = ""
        self._arrivals_s: deque[float] = deque()
        self._settled_s: float | None = None
        self._connected_s = 0.0
        self._reconnects = reconnects
        self._state: CameraState = "connecting"
        self._since_s = clock()

    def connecting(self, again: bool) -> None:
        with self._lock:
            self._reconnects += again

    def connected(self, info: StreamInfo, health: StreamHealth | None = None) -> None:
        """Note that the source is open; it counts as live from its first frame."""
        with self._lock:
            self._connected, self._info, self._health = True, info, health
            self._rate.restart(info.fps)
            self._connected_s = time.monotonic()
            self._arrivals_s.clear()

    def frame(self) -> None:
        with self._lock:
            self._error = None
            now_s = time.monotonic()
            if not self._arrivals_s:
                self._settled_s = now_s + SETTLING_S
            elif self._settled_s is not None and now_s > self._settled_s:
                self._arrivals_s.clear()
                self._settled_s = None
            self._arrivals_s.append(now_s)
            self._forget()

    def lost(self, error: SourceError) -> None:
        with self._lock:
            self._connected, self._error, self._health = False, error, None
            # Viewers of the camera read this, so it has hosts only; the log has the whole address.
            self._error_words = hosts_alone(str(error))[:LONGEST_WORDS]
            self._arrivals_s.clear()

    def status(self) -> CameraStatus:
        """Return the state as of now."""
        with self._lock:
            self._forget()
            state = self._current_state()
            if state != self._state:
                self._state, self._since_s = state, self._clock()
            fps, notice = self._fps(), self._notice()
            # The current connection's wait is newer than the last one's error.
            error = None if self._connected and state == "stalled" else self._error
            width, height = (self._health and self._health.size) or self._info.size
            return CameraStatus(
                state,
                self._since_s,
                fps=fps,
                width=width,
                height=height,
                codec=self._info.codec,
                error_kind=error.kind if error else self._stall_kind(),
                error=self._error_words if error else self._stall_words(),
                notice_kind=notice.kind if notice else "",
                notice=notice.words if notice else "",
                reconnects=self._reconnects,
                broken=self._health.broken_in_all if self._health else 0,
                owner=self._owner,
            )

    def _notice(self) -> Notice | None:
        if self._state != "live" or self._error:
            return None
        told = self._health.notice() if self._health else None
        rate = self._rate.notice(self._fps(), time.monotonic())
        # At one frame per second a late frame is late by a second, like a jump of the clock.
        return rate if rate and (told is None or told.kind == "clock") else told

    def _current_state(self) -> CameraState:
        if not self._connected:
            return "offline" if self._error else "connecting"
        now_s = time.monotonic()
        if self._arrivals_s:
            return "live" if now_s - self._arrivals_s[-1] < self._patience_s() else "stalled"
        if now_s - self._connected_s > STALLED_AFTER_S:
            return "stalled"
        return self._state if self._error else "connecting"

    def _patience_s(self) -> float:
        """Return the longest normal gap: slow cameras send a frame every few seconds.

        A camera that is asked for each picture has until the read time-out to answer.
        """
        if self._info.medium == "snapshots":
            return math.inf
        return max(STALLED_AFTER_S, 3.0 / self._info.fps) if self._info.fps else STALLED_AFTER_S

    def _stall_kind(self) -> str:
        if self._state != "stalled":
            return ""
        missing = self._health.missing() if self._health else None
        return {"undecodable": "undecodable", "key_frame": "no_key_frame"}.get(
            missing or "", "timeout"
        )

    def _stall_words(self) -> str:
        return _STALL_WORDS.get(self._stall_kind(), "")

    def _fps(self) -> float:
        if len(self._arrivals_s) < 2 or self._state != "live" or self._settled_s is not None:
            return 0.0
        span_s = self._arrivals_s[-1] - self._arrivals_s[0]
        return round((len(self._arrivals_s) - 1) / span_s, 2) if span_s >= SETTLING_S else 0.0

    def _forget(self) -> None:
        oldest_s = time.monotonic() - FPS_WINDOW_S
        while len(self._arrivals_s) > 2 and self._arrivals_s[0] < oldest_s:
            self._arrivals_s.popleft()

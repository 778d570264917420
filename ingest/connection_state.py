"""What is known of a camera's connection, from moment to moment."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from contract.errors import SourceError
from contract.status import CameraState, CameraStatus
from ingest.source import StreamInfo

STALLED_AFTER_S: Final = 2.0
FPS_WINDOW_S: Final = 4.0
SETTLING_S: Final = 0.5
"""What a server kept for new viewers comes at once; it says nothing of the camera's rate."""


class ConnectionState:
    """Written by the capturing thread, read by the reporting one."""

    def __init__(
        self, owner: str, reconnects: int = 0, clock: Callable[[], float] = time.time
    ) -> None:
        self._owner = owner
        self._clock = clock
        self._lock = threading.Lock()
        self._connected = False
        self._info = StreamInfo(0, 0, "", 0.0)
        self._error: SourceError | None = None
        self._arrivals_s: deque[float] = deque()
        self._settled_s: float | None = None
        self._connected_s = 0.0
        self._reconnects = reconnects
        self._state: CameraState = "connecting"
        self._since_s = clock()

    def connecting(self, again: bool) -> None:
        with self._lock:
            self._reconnects += again

    def connected(self, info: StreamInfo) -> None:
        """The source is open; it counts as live with its first frame."""
        with self._lock:
            self._connected, self._info = True, info
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
            self._connected, self._error = False, error
            self._arrivals_s.clear()

    def status(self) -> CameraStatus:
        """Return the state as of now."""
        with self._lock:
            self._forget()
            state = self._current_state()
            if state != self._state:
                self._state, self._since_s = state, self._clock()
            return CameraStatus(
                state,
                self._since_s,
                fps=self._fps(),
                width=self._info.width,
                height=self._info.height,
                codec=self._info.codec,
                error_kind=self._error.kind if self._error else self._stall_kind(),
                error=str(self._error) if self._error else self._stall_words(),
                reconnects=self._reconnects,
                owner=self._owner,
            )

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
        """Slow cameras send a frame every few seconds and are well."""
        return max(STALLED_AFTER_S, 3.0 / self._info.fps) if self._info.fps else STALLED_AFTER_S

    def _stall_kind(self) -> str:
        return "timeout" if self._state == "stalled" else ""

    def _stall_words(self) -> str:
        if self._state != "stalled":
            return ""
        return "The camera is connected but sends no picture; waiting, then connecting anew."

    def _fps(self) -> float:
        if len(self._arrivals_s) < 2 or self._state != "live" or self._settled_s is not None:
            return 0.0
        span_s = self._arrivals_s[-1] - self._arrivals_s[0]
        return round((len(self._arrivals_s) - 1) / span_s, 2) if span_s >= SETTLING_S else 0.0

    def _forget(self) -> None:
        oldest_s = time.monotonic() - FPS_WINDOW_S
        while len(self._arrivals_s) > 2 and self._arrivals_s[0] < oldest_s:
            self._arrivals_s.popleft()

"""One camera as multipart/x-mixed-replace, which browsers, VLC and Home Assistant open."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final

from bus.connection.trouble import words_for_viewers
from bus.errors import StoreError
from contract.pictures.views import View
from dashboard.live.board import STALE_AFTER_S, Board, CameraSnapshot
from dashboard.live.hub import Hub
from dashboard.live.placeholder import draw_placeholder, no_picture_since

BOUNDARY: Final = "maskwatch-picture"
MIME_TYPE: Final = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
LOOK_S: Final = 0.5
PLACEHOLDER_EVERY_S: Final = 1.0
_DELIMITER: Final = f"--{BOUNDARY}\r\n".encode()


class CameraStream:
    """The endless answer to one viewer of one camera."""

    def __init__(
        self,
        hub: Hub,
        board: Board,
        camera_id: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._hub = hub
        self._board = board
        self._camera_id = camera_id
        self._clock = clock
        self._last: View | None = None
        self._sent_at = time.monotonic()

    def parts(self) -> Iterator[bytes]:
        """Yield every new picture; without one, yield a picture with the reason once a second.

        A disabled camera shows no picture, not even an old one in grey.
        """
        yield _DELIMITER
        with self._hub.watch([self._camera_id], [self._camera_id]) as viewer:
            while True:
                views = viewer.take(LOOK_S)
                try:
                    snapshot = self._board.find(self._camera_id)
                except StoreError as error:
                    snapshot, reason = None, words_for_viewers(error)
                else:
                    if snapshot is None:
                        return
                    reason = snapshot.reason() or "No new picture has arrived."
                if views:
                    self._last = views[-1]
                if snapshot and not snapshot.camera.enabled:
                    self._last = None
                yield self._next(bool(views), snapshot, reason)

    def _next(self, new: bool, snapshot: CameraSnapshot | None, reason: str) -> bytes:
        """Return the part to send now, if any."""
        stale_after_s = snapshot.stale_after_s if snapshot else STALE_AFTER_S
        last_s = self._last.captured_at_s if self._last else float("-inf")
        fresh = self._clock() - last_s <= stale_after_s
        now = time.monotonic()
        if fresh and new and self._last:
            self._sent_at = now
            return _part(self._last.jpeg, self._last.captured_at_s)
        if fresh or now - self._sent_at < PLACEHOLDER_EVERY_S:
            return b""
        self._sent_at = now
        return self._placeholder(snapshot, reason)

    def _placeholder(self, snapshot: CameraSnapshot | None, reason: str) -> bytes:
        since_s = self._last.captured_at_s if self._last else None
        if since_s is None and snapshot and snapshot.latest:
            since_s = snapshot.latest.captured_at_s
        jpeg = self._last.jpeg if self._last else b""
        return _part(draw_placeholder(jpeg, no_picture_since(since_s), reason), since_s)


def _part(jpeg: bytes, captured_at_s: float | None) -> bytes:
    """Encode a picture with the delimiter after it, because browsers show a part at its end."""
    stamp = "" if captured_at_s is None else f"X-Captured-At: {captured_at_s:.3f}\r\n"
    head = f"Content-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n{stamp}\r\n"
    return b"".join((head.encode(), jpeg, b"\r\n", _DELIMITER))

"""How old frames are when their outcome is committed, as a reader of Redis sees it."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any, Final

from benchmarks.system import System
from bus.keys import CameraKeys
from contract.cameras.camera import Camera
from contract.errors import MessageError
from contract.people.faces import FrameFaces

LOOK_S: Final = 0.01


class AgeWatch(threading.Thread):
    """Reads all cameras' newest outcomes in one command, about a hundred times a second.

    An age is from capture to when the commit was seen: up to `LOOK_S` too much, never too little.
    """

    def __init__(self, system: System, cameras: Sequence[Camera]) -> None:
        super().__init__(daemon=True)
        self._redis = system.redis
        self._keys = [CameraKeys(camera.id).latest for camera in cameras]
        self._newest: list[bytes | None] = [None] * len(cameras)
        self._over = threading.Event()
        self.ages_s: list[float] = []

    def run(self) -> None:
        while not self._over.wait(LOOK_S):
            found: Any = self._redis.mget(self._keys)
            now_s = time.time()
            for number, raw in enumerate(found):
                if raw is None or raw == self._newest[number]:
                    continue
                if self._newest[number] is not None:
                    self._note(raw, now_s)
                self._newest[number] = raw

    def _note(self, raw: bytes, now_s: float) -> None:
        try:
            self.ages_s.append(now_s - FrameFaces.decode(raw).captured_at_s)
        except MessageError:
            return

    def stop(self) -> list[float]:
        """End, and return the ages in seconds."""
        self._over.set()
        self.join()
        return self.ages_s

"""Takes a browser's pictures for its temporary camera, and hands back what was drawn of each."""

from __future__ import annotations

import time
from typing import Final

from redis import Redis

from bus.clock import SharedClock
from bus.stores.frames import FramePublisher
from bus.stores.status import StatusStore
from bus.stores.webcams import WebcamStore
from contract.cameras.camera import Camera
from contract.cameras.status import CameraStatus
from contract.errors import LeaseLostError
from contract.people.totals import Increments
from contract.pictures.views import View
from dashboard.live.hub import Hub
from runtime.image_files import ImageHeader

WAIT_S: Final = 1.5
"""A picture that takes longer will not come: its frame was too old for the worker."""


class Webcams:
    """The webcams of browsers, as the dashboard serves them."""

    def __init__(
        self, redis: Redis, hub: Hub, most: int, stream_max_frames: int, clock: SharedClock
    ) -> None:
        self._redis = redis
        self._clock = clock
        self._hub = hub
        self._most = most
        self._stream_max_frames = stream_max_frames
        self._store = WebcamStore(redis)
        self._statuses = StatusStore(redis)

    def full(self, owner: str) -> bool:
        """Whether another webcam would be one too many; looks for those that ended first."""
        others = [camera for camera in self._store.all() if camera.owner != owner]
        if len(others) >= self._most:
            self._store.end_silent()
            others = [camera for camera in self._store.all() if camera.owner != owner]
        return len(others) >= self._most

    def start(self, owner: str, name: str) -> Camera:
        """Register the webcam of `owner`; it replaces one they have."""
        return self._store.start(owner, name)

    def end(self, camera_id: str) -> None:
        """Forget a webcam and everything stored for it."""
        self._store.end(camera_id)

    def publish(self, camera: Camera, jpeg: bytes, header: ImageHeader) -> int | None:
        """Publish a picture as ingest would; return its sequence number, None after the end."""
        lease = self._store.keep(camera.id)
        if lease is None:
            return None
        self._clock.keep(self._redis)
        now_s = self._clock()
        status = CameraStatus(
            "live", camera.created_at_s, 0.0, header.width, header.height, "mjpeg"
        )
        try:
            self._statuses.write(lease, status)
            publisher = FramePublisher(self._redis, lease, self._stream_max_frames)
            return publisher.publish(jpeg, now_s, now_s, 1, Increments())
        except LeaseLostError:
            return None

    def drawn(self, camera: Camera, sequence: int) -> View | None:
        """The annotated picture of that frame or a newer one; None when none comes in time."""
        give_up_s = time.monotonic() + WAIT_S
        with self._hub.watch([camera.id], large=[camera.id]) as viewer:
            while (left_s := give_up_s - time.monotonic()) > 0:
                for view in viewer.take(left_s):
                    if view.sequence >= sequence:
                        return view
        return None

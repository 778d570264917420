"""Takes a browser's pictures for its temporary camera, and hands back what was drawn of each."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Final

from bus.bus import Bus
from bus.clock import KeptClock
from bus.members.leases import Lease
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
from runtime.settings import Settings

WAIT_S: Final = 1.5
"""A picture that takes longer will not come: its frame was too old for the worker."""


class Webcams:
    """The webcams of browsers, as the dashboard serves them."""

    def __init__(
        self,
        store: WebcamStore,
        statuses: StatusStore,
        publisher: Callable[[Lease], FramePublisher],
        hub: Hub,
        most: int,
        clock: KeptClock,
    ) -> None:
        """`publisher`: makes what writes a webcam's frames; `most`: webcams at one time."""
        self._store = store
        self._statuses = statuses
        self._publisher = publisher
        self._hub = hub
        self._most = most
        self._clock = clock

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
        self._clock.keep()
        now_s = self._clock()
        status = CameraStatus(
            "live", camera.created_at_s, 0.0, header.width, header.height, "mjpeg"
        )
        try:
            self._statuses.write(lease, status)
            return self._publisher(lease).publish(jpeg, now_s, now_s, 1, Increments())
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


def make_webcams(bus: Bus, settings: Settings, hub: Hub, clock: KeptClock) -> Webcams:
    """Return the webcams over one bus. Connects to nothing."""
    publisher = partial(bus.publisher, stream_max_frames=settings.stream_max_frames)
    return Webcams(bus.webcams, bus.statuses, publisher, hub, settings.webcams, clock)

"""Webcams of browsers: cameras that exist while a page sends their pictures.

A webcam is registered like any camera, so that a worker analyses it like the others, but ingest
does not read it: the dashboard, which receives its pictures, holds ingest's lease and renews it
with each picture. After `SILENT_S` without a picture the lease ends, and the camera is removed
with its counts.
"""

from __future__ import annotations

import logging
import secrets
from typing import Final

from redis import Redis

from bus.keys import CameraKeys
from bus.members.leases import Lease, LeaseStore
from bus.stores.cameras import CameraRegistry
from contract.cameras.camera import Camera, make_webcam
from contract.errors import CameraNotFoundError
from runtime.logs import about

SILENT_S: Final = 10.0
"""Seconds without a picture after which a page counts as closed."""
ANALYSIS_FPS: Final = 8.0
MOST_PIXELS: Final = 1920 * 1080
MOST_FRAME_BYTES: Final = 2 * 1024 * 1024

_log = logging.getLogger(__name__)


class WebcamStore:
    """Starts webcams, finds their owners, and ends them."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._registry = CameraRegistry(redis)
        self._leases = LeaseStore(redis, "ingest", f"browser-{secrets.token_hex(4)}", SILENT_S)

    def all(self) -> list[Camera]:
        """Return every webcam."""
        return [camera for camera in self._registry.all() if camera.owner]

    def start(self, owner: str, name: str) -> Camera:
        """Register the webcam of `owner`, replacing an earlier one.

        `name`: the account's name, which becomes part of the camera's name.
        """
        for camera in self.all():
            if camera.owner == owner:
                self.end(camera.id)
        camera = make_webcam(owner, name, ANALYSIS_FPS)
        # Before registering, so that it does not look like a silent webcam.
        self._leases.acquire(camera.id)
        return self._registry.add(camera)

    def keep(self, camera_id: str) -> Lease | None:
        """Renew the lease of a webcam; return None if it has ended."""
        raw = self._redis.get(CameraKeys(camera_id).ingest_lease)
        owner, _, token = (raw.decode() if isinstance(raw, bytes) else raw or "").rpartition(":")
        if not owner.startswith("browser-"):
            return None
        lease = Lease(camera_id, "ingest", owner, int(token))
        return lease if self._leases.renew(lease) else None

    def end(self, camera_id: str) -> None:
        """Remove a webcam and its counts; does nothing if it is already gone."""
        try:
            self._registry.remove(camera_id)
        except CameraNotFoundError:
            return
        # Its worker may have taken the lease again at that moment.
        self._registry.clear_away(camera_id)

    def end_silent(self) -> None:
        """End webcams whose page sends no pictures any more."""
        for camera in self.all():
            if not self._redis.exists(CameraKeys(camera.id).ingest_lease):
                extra = about(camera)
                _log.info("webcam %s fell silent and is removed", camera.id, extra=extra)
                self.end(camera.id)

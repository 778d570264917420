"""Keeps this worker's leases alive while the networks are busy."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable, Mapping

from bus.connection.client import Outage
from bus.errors import StoreError
from bus.members.leases import Lease, Ownership
from bus.stores.cameras import CameraRoster
from contract.cameras.camera import Camera
from runtime.logs import about

_log = logging.getLogger(__name__)


class OwnershipThread(threading.Thread):
    """Steps an `Ownership` a few times per lease in the background."""

    def __init__(
        self,
        roster: CameraRoster,
        ownership: Ownership,
        make_outage: Callable[[threading.Event], Outage],
        devices: Mapping[str, str],
    ) -> None:
        """`make_outage` gets the event that `stop` sets. `devices`: by network, for status."""
        super().__init__(name="ownership", daemon=True)
        self._roster = roster
        self._ownership = ownership
        self._details = json.dumps({"devices": dict(devices)})
        self._stop_asked = threading.Event()
        self._outage = make_outage(self._stop_asked)
        self._cameras: dict[str, Camera] = {}

    def owned(self) -> dict[str, tuple[Camera, Lease]]:
        """The cameras owned now, with their leases, by id. Safe from any thread."""
        cameras = self._cameras
        return {
            camera_id: (cameras[camera_id], lease)
            for camera_id, lease in self._ownership.held().items()
            if camera_id in cameras
        }

    def run(self) -> None:
        """Step until `stop`; ride out outages of Redis."""
        while not self._stop_asked.wait(self._ownership.interval_s):
            try:
                cameras = {camera.id: camera for camera in self._roster.cameras() if camera.enabled}
                before = self._ownership.held().keys()
                self._cameras = cameras
                now = self._ownership.step(cameras, self._details).keys()
                self._outage.over()
            except StoreError as error:
                self._outage.report(error)
                continue
            if before != now:
                names = ", ".join(self._names(now)) or "none"
                _log.info("cameras owned: %s", names, extra=about(event="cameras_owned"))

    def stop(self) -> None:
        """Stop stepping, give the cameras back and leave."""
        self._stop_asked.set()
        self.join()
        try:
            self._ownership.leave()
        except StoreError as error:
            _log.warning("could not give the cameras back, their leases will expire: %s", error)

    def _names(self, camera_ids: Iterable[str]) -> list[str]:
        return sorted(self._cameras[camera_id].name for camera_id in camera_ids)

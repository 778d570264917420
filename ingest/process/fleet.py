"""Keeps one reader running for each camera that this process owns."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from typing import Final

from bus.clock import SharedClock
from bus.members.leases import Lease
from contract.cameras.camera import Camera
from contract.cameras.status import CameraStatus
from ingest.process.backoff import WELL_AFTER_S, CameraBackoff
from ingest.process.reader import Reader
from runtime.logs import about
from runtime.settings import Settings

STOP_S: Final = 0.8
_READ_FIELDS: Final = (
    "source",
    "analysis_fps",
    "jpeg_quality",
    "max_width",
    "picture_options",
)
_log = logging.getLogger(__name__)


class Fleet:
    """Starts, stops, changes and watches readers. Use it from one thread."""

    def __init__(self, settings: Settings, clock: SharedClock | None = None) -> None:
        self._settings = settings
        self._clock = clock or SharedClock()
        self._readers: dict[str, Reader] = {}
        self._backoffs: dict[str, CameraBackoff] = {}
        self._resting: dict[str, tuple[float, int]] = {}
        self._started_s: dict[str, float] = {}

    def running(self) -> dict[str, Reader]:
        """Return the readers by camera id."""
        return dict(self._readers)

    def reconcile(self, cameras: Mapping[str, Camera], leases: Mapping[str, Lease]) -> None:
        """Run exactly the cameras in `leases`, with their settings in `cameras`."""
        wanted = {camera_id: cameras[camera_id] for camera_id in leases if camera_id in cameras}
        outdated = [
            camera_id
            for camera_id, reader in self._readers.items()
            if camera_id not in wanted or reads_differently(reader.camera, wanted[camera_id])
        ]
        self.stop(outdated)
        for camera_id, camera in wanted.items():
            reader = self._readers.get(camera_id)
            if reader is None:
                self._start_when_rested(camera, leases[camera_id])
            elif reader.lease != leases[camera_id]:
                reader.renew(leases[camera_id])

    def watch(self) -> dict[Lease, CameraStatus]:
        """End readers that hang or died, so that they restart; return the status of each."""
        verdicts: dict[Lease, CameraStatus] = {}
        for camera_id, reader in self.running().items():
            hangs = reader.pulse.overdue_s() > 0
            if reader.alive() and not hangs:
                self._reset_backoff(camera_id)
                continue
            verdicts[reader.lease] = _verdict(reader, hangs, self._clock())
            self._retire(camera_id)
        return verdicts

    def stop(self, camera_ids: Iterable[str]) -> None:
        """End some readers together: ask them first, then kill them."""
        leaving = [self._readers.pop(camera_id) for camera_id in camera_ids]
        for reader in leaving:
            self._forget(reader.camera.id)
            reader.ask_to_stop()
        deadline_s = time.monotonic() + STOP_S
        for reader in leaving:
            reader.end(max(0.0, deadline_s - time.monotonic()))

    def stop_all(self) -> None:
        self.stop(list(self._readers))

    def _start_when_rested(self, camera: Camera, lease: Lease) -> None:
        rest_until_s, reconnects = self._resting.get(camera.id, (0.0, 0))
        if time.monotonic() < rest_until_s:
            return
        self._resting.pop(camera.id, None)
        reader = Reader(camera, lease, self._settings, reconnects, self._clock)
        reader.start()
        self._readers[camera.id] = reader
        self._started_s[camera.id] = time.monotonic()

    def _retire(self, camera_id: str) -> None:
        reader = self._readers.pop(camera_id)
        reader.end(0.0)
        backoff = self._backoffs.setdefault(
            camera_id, CameraBackoff(self._settings.reconnect_max_s)
        )
        rest_until_s = time.monotonic() + backoff.next_s()
        self._resting[camera_id] = (rest_until_s, reader.reconnects + 1)

    def _reset_backoff(self, camera_id: str) -> None:
        well_after_s = WELL_AFTER_S + self._settings.open_timeout_s
        if time.monotonic() - self._started_s[camera_id] > well_after_s:
            self._backoffs.pop(camera_id, None)

    def _forget(self, camera_id: str) -> None:
        for record in (self._backoffs, self._resting, self._started_s):
            record.pop(camera_id, None)


def reads_differently(before: Camera, now: Camera) -> bool:
    """Whether a change of the camera requires a new reader; a new name does not."""
    return any(getattr(before, name) != getattr(now, name) for name in _READ_FIELDS)


def _verdict(reader: Reader, hangs: bool, now_s: float) -> CameraStatus:
    camera = reader.camera
    if hangs:
        extra = about(camera, event="reader_hung")
        _log.warning("camera %s: its reader hung and was ended", camera.name, extra=extra)
        kind, words = "timeout", "The camera went silent and its reader hung; reconnecting."
    else:
        extra = about(camera, event="reader_died")
        _log.warning("camera %s: its reader died; starting another", camera.name, extra=extra)
        kind, words = "error", "This camera's reader crashed; reconnecting."
    return CameraStatus(
        "stalled" if hangs else "offline",
        now_s,
        error_kind=kind,
        error=words,
        reconnects=reader.reconnects,
        owner=reader.lease.owner,
    )

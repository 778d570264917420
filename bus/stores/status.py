"""Stores the state of each camera's connection, as ingest reports it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, cast

from redis import Redis

from bus.keys import CameraKeys
from bus.members.leases import Lease
from bus.scripts.script import FencedHeader, FencedScript
from contract.cameras.camera import Camera
from contract.cameras.status import (
    NO_INGEST,
    UNREADABLE,
    CameraState,
    CameraStatus,
    ConnectionEvent,
)
from contract.errors import MessageError
from contract.people.totals import fault_field
from runtime.logs import about

CONNECTIONS_KEPT: Final = 200


_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Set(FencedHeader):
    script: ClassVar = "set_status"

    status: CameraStatus
    state: CameraState
    kind: str
    since_s: str
    words: str
    fault_field: str
    connections_kept: int = CONNECTIONS_KEPT


class StatusStore:
    """Writes and reads camera states."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._set = FencedScript(redis, _Set)

    def write(self, lease: Lease, status: CameraStatus) -> None:
        """Store a state for the camera's owner; raise `LeaseLostError` if the lease is lost."""
        names = CameraKeys(lease.camera_id)
        header = _Set(
            lease.value,
            status=status,
            state=status.state,
            kind=status.fault,
            since_s=f"{status.since_s:.3f}",
            words=status.error or status.notice,
            fault_field=fault_field(status.fault),
        )
        written = (names.status, names.connections, names.totals)
        self._set((names.ingest_lease, *written), header, of=f"camera {lease.camera_id}")

    def history(self, camera_id: str, most: int = CONNECTIONS_KEPT) -> list[ConnectionEvent]:
        """Return the connection's states, newest first, without unreadable entries."""
        found = []
        for _, fields in cast(
            list[Any], self._redis.xrevrange(CameraKeys(camera_id).connections, count=most)
        ):
            try:
                found.append(ConnectionEvent.decode(fields))
            except MessageError as error:
                _log.warning("%s", error, extra=about(camera_id=camera_id))
        return found

    def read(self, cameras: list[Camera]) -> dict[str, CameraStatus]:
        """Return the effective state of each camera, by id.

        A camera without an ingest process is offline, whatever its last record says.
        """
        with self._redis.pipeline(transaction=False) as pipeline:
            for camera in cameras:
                names = CameraKeys(camera.id)
                pipeline.get(names.status)
                pipeline.exists(names.ingest_lease)
            answers = pipeline.execute()
        return {
            camera.id: _effective(camera, raw, bool(held))
            for camera, raw, held in zip(cameras, answers[::2], answers[1::2], strict=True)
        }


_UNREADABLE: Final = CameraStatus(
    "offline",
    0.0,
    error_kind=UNREADABLE,
    error="What ingest says of this camera cannot be read here; upgrade all processes together.",
)


def _effective(camera: Camera, raw: bytes | None, held: bool) -> CameraStatus:
    try:
        status = CameraStatus.decode(raw) if raw else None
    except MessageError as error:
        about_it = about(camera)
        _log.warning("camera %s: %s", camera.name, error, extra=about_it)
        status = replace(_UNREADABLE, since_s=camera.created_at_s)
    if not camera.enabled:
        return CameraStatus("disabled", status.since_s if status else camera.created_at_s)
    if not held:
        before = status or CameraStatus("connecting", camera.created_at_s)
        return replace(
            before,
            state="offline",
            fps=0.0,
            notice_kind="",
            notice="",
            error_kind=NO_INGEST,
            error="No ingest process runs this camera; start one with `maskwatch ingest`.",
        )
    return status or CameraStatus("connecting", camera.created_at_s)

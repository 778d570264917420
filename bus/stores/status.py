"""Keeps what ingest says of each camera's connection."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any, Final, cast

from redis import Redis

from bus.keys import CameraKeys
from bus.leases import Lease
from contract.cameras.camera import Camera
from contract.cameras.status import NO_INGEST, UNREADABLE, CameraStatus, ConnectionEvent
from contract.errors import LeaseLostError, MessageError
from contract.people.totals import fault_field
from runtime.logs import about

CONNECTIONS_KEPT: Final = 200


_log = logging.getLogger(__name__)


# Also notes what the connection did: another state or reason than the one noted last, or a new
# connection. Attempts in between (`connecting`) are not noted: a camera that is away for a week
# would leave nothing else. A reason that is noted is counted.
_SET_STATUS: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])  -- first, so that a full Redis takes the rest (ADR 0027)
redis.call('SET', KEYS[2], ARGV[2])
local state, kind, since = ARGV[4], ARGV[5], ARGV[6]
if state == 'connecting' then return 1 end
local last = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)[1]
local was = last and last[2] or {}
if was[2] ~= state or was[4] ~= kind or (state == 'live' and was[6] ~= since) then
  redis.call('XADD', KEYS[3], 'MAXLEN', ARGV[3], '*',
    'state', state, 'kind', kind, 'since', since, 'error', ARGV[7])
  if kind ~= '' and was[4] ~= kind then redis.call('HINCRBYFLOAT', KEYS[4], ARGV[8], 1) end
end
return 1
"""


class StatusStore:
    """Writes and reads camera states."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._set = redis.register_script(_SET_STATUS)

    def write(self, lease: Lease, status: CameraStatus) -> None:
        """Store a state on behalf of the camera's owner; raise `LeaseLostError` if it is not."""
        names = CameraKeys(lease.camera_id)
        kind, words = status.fault, status.error or status.notice
        noted = [status.state, kind, f"{status.since_s:.3f}", words, fault_field(kind)]
        if not self._set(
            keys=(names.ingest_lease, names.status, names.connections, names.totals),
            args=[lease.value, status.encode(), CONNECTIONS_KEPT, *noted],
        ):
            raise LeaseLostError(f"camera {lease.camera_id} has another owner")

    def history(self, camera_id: str, most: int = CONNECTIONS_KEPT) -> list[ConnectionEvent]:
        """What the connection did, the last first; entries that cannot be read are left out."""
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

        A camera that no ingest process holds is offline, whatever was last written of it.
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
        about_it = about(camera=camera.name, camera_id=camera.id)
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

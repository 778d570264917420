"""Reads the present of cameras, as alert rules judge it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redis import Redis

from bus.keys import CameraKeys
from bus.stores.status import StatusStore
from contract.cameras.camera import Camera
from contract.cameras.quality import QualityReport
from contract.cameras.status import UNREADABLE, CameraStatus
from contract.errors import MessageError
from contract.people.faces import FrameFaces


@dataclass(frozen=True)
class Sight:
    """What was read of one camera at one moment. None stands for what cannot be read."""

    status: CameraStatus | None
    analysed: bool
    """Whether a worker has the camera."""
    picture_at_s: float | None
    """When the newest analysed frame was captured."""
    condition: QualityReport | None


class SightStore:
    """Reads many cameras at once."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._statuses = StatusStore(redis)

    def read(self, cameras: Sequence[Camera]) -> Mapping[str, Sight]:
        """Return the present of each camera, by id."""
        if not cameras:
            return {}
        statuses = self._statuses.read(list(cameras))
        with self._redis.pipeline(transaction=False) as pipeline:
            for camera in cameras:
                names = CameraKeys(camera.id)
                pipeline.exists(names.worker_lease)
                pipeline.get(names.latest)
                pipeline.hget(names.condition, "report")
            answers: list[Any] = pipeline.execute()
        return {
            camera.id: Sight(
                _readable(statuses[camera.id]), bool(owned), _captured_at_s(latest), _report(raw)
            )
            for camera, owned, latest, raw in zip(
                cameras, *(answers[part::3] for part in range(3)), strict=True
            )
        }


def _readable(status: CameraStatus) -> CameraStatus | None:
    return None if status.error_kind == UNREADABLE else status


def _captured_at_s(raw: bytes | None) -> float | None:
    try:
        return FrameFaces.decode(raw).captured_at_s if raw else None
    except MessageError:
        return None


def _report(raw: bytes | None) -> QualityReport | None:
    try:
        return QualityReport.decode(raw) if raw else None
    except MessageError:
        return None

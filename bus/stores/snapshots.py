"""Reads the present state of cameras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis import Redis

from bus.keys import CameraKeys
from bus.stores.status import StatusStore
from contract.cameras.camera import Camera
from contract.cameras.quality import QualityReport
from contract.cameras.status import CameraStatus
from contract.errors import MessageError
from contract.people.faces import FrameFaces
from contract.people.totals import people_field
from contract.people.verdicts import VERDICTS, Verdict


@dataclass(frozen=True)
class StoredSnapshot:
    """The state of one camera at one moment."""

    status: CameraStatus
    analysed: bool
    """Whether a worker owns the camera."""
    latest: FrameFaces | None
    """The faces of the newest analysed frame; None if there is no readable record."""
    people: dict[Verdict, int]
    """People counted so far, by verdict."""
    condition: QualityReport | None
    """The condition at the newest analysed frame; None if there is no readable record."""


class SnapshotStore:
    """Reads many cameras at once."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._statuses = StatusStore(redis)

    def read(self, cameras: Sequence[Camera]) -> list[StoredSnapshot]:
        """Return the state of each of `cameras`, in their order, in two round trips."""
        if not cameras:
            return []
        statuses = self._statuses.read(list(cameras))
        with self._redis.pipeline(transaction=False) as pipeline:
            for camera in cameras:
                names = CameraKeys(camera.id)
                pipeline.exists(names.worker_lease)
                pipeline.get(names.latest)
                pipeline.hmget(names.totals, [people_field(verdict) for verdict in VERDICTS])
                pipeline.hget(names.condition, "report")
            answers: list[Any] = pipeline.execute()
        return [
            StoredSnapshot(
                status=statuses[camera.id],
                analysed=bool(owned),
                latest=_decode_latest(latest),
                people={v: int(float(n or 0)) for v, n in zip(VERDICTS, people, strict=True)},
                condition=_decode_condition(condition),
            )
            for camera, owned, latest, people, condition in zip(
                cameras, *(answers[part::4] for part in range(4)), strict=True
            )
        ]


def _decode_latest(raw: bytes | None) -> FrameFaces | None:
    try:
        return FrameFaces.decode(raw) if raw else None
    except MessageError:
        return None


def _decode_condition(raw: bytes | None) -> QualityReport | None:
    try:
        return QualityReport.decode(raw) if raw else None
    except MessageError:
        return None

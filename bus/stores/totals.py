"""Reads all totals of cameras since they were added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redis import Redis

from bus.keys import CameraKeys
from bus.stores.outcomes import read_position
from contract.people.totals import decode_totals, frames_field


@dataclass(frozen=True)
class CameraTotals:
    """The totals of one camera."""

    amounts: Mapping[str, float]
    """Amounts by field (`contract.people.totals`)."""
    waiting: float
    """Frames in the camera's stream that no worker has processed."""


class TotalsStore:
    """Reads many cameras at once."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def read(self, camera_ids: Sequence[str]) -> list[CameraTotals]:
        """Return the totals of each of `camera_ids`, in their order."""
        with self._redis.pipeline(transaction=False) as pipeline:
            for names in map(CameraKeys, camera_ids):
                pipeline.hgetall(names.totals)
                pipeline.get(names.position)
                pipeline.xlen(names.frames)
            answers: list[Any] = pipeline.execute() if camera_ids else []
        return [
            CameraTotals(counted := decode_totals(raw), _waiting(counted, position, in_stream))
            for raw, position, in_stream in zip(
                answers[::3], answers[1::3], answers[2::3], strict=True
            )
        ]


def _waiting(counted: Mapping[str, float], position: object, in_stream: int) -> float:
    """Return the waiting frames, without frames that were displaced from the stream unread.

    Those are lost, and the next commit counts them as `overflow`.
    """
    done, _ = read_position(position)
    return max(0.0, min(in_stream, counted.get(frames_field("published"), 0.0) - done))

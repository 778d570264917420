"""Seconds and batch sizes of all workers' networks, added up in one hash."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from redis import Redis

from bus import keys
from contract.people.totals import decode_totals


class InferenceStore:
    """The totals of all workers' networks."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def add(self, amounts: Mapping[str, float]) -> None:
        """Add `amounts` to the totals, by field (`contract.people.totals`), in one transaction."""
        with self._redis.pipeline(transaction=True) as pipeline:
            for field, amount in amounts.items():
                pipeline.hincrbyfloat(keys.INFERENCE, field, amount)
            pipeline.execute()

    def read(self) -> dict[str, float]:
        """Return the totals by field."""
        raw = cast(dict[bytes, bytes], self._redis.hgetall(keys.INFERENCE))
        return dict(decode_totals(raw))

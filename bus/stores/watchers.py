"""Which cameras somebody looks at now: workers draw pictures for those alone."""

from __future__ import annotations

from collections.abc import Sequence

from redis import Redis

from bus.keys import CameraKeys
from contract.pictures.views import LARGE_VIEW_WIDTH, SMALL_VIEW_WIDTH


class WatcherStore:
    """Says which cameras are watched, and how large."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def widths(self, camera_ids: Sequence[str]) -> dict[str, int]:
        """Return the width in pixels that each watched camera is looked at in, by its id."""
        with self._redis.pipeline(transaction=False) as pipeline:
            for camera_id in camera_ids:
                pipeline.exists(CameraKeys(camera_id).watched)
                pipeline.exists(CameraKeys(camera_id).watched_large)
            flags = pipeline.execute()
        return {
            camera_id: LARGE_VIEW_WIDTH if large else SMALL_VIEW_WIDTH
            for camera_id, some, large in zip(camera_ids, flags[::2], flags[1::2], strict=True)
            if some or large
        }

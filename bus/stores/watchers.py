"""Which cameras somebody looks at now: workers draw pictures for those alone."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence

from redis import Redis

from bus.keys import CameraKeys
from contract.pictures.views import LARGE_VIEW_WIDTH, SMALL_VIEW_WIDTH, WATCHED_EXPIRE_S


class WatcherStore:
    """Notes and tells which cameras are watched, and how large."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def announce(self, camera_ids: Iterable[str], large: Container[str] = ()) -> None:
        """Tell the workers that somebody looks at these cameras now, at some in a large picture."""
        expire_ms = round(WATCHED_EXPIRE_S * 1000)
        with self._redis.pipeline(transaction=False) as pipeline:
            for camera_id in camera_ids:
                names = CameraKeys(camera_id)
                pipeline.set(names.watched, 1, px=expire_ms)
                if camera_id in large:
                    pipeline.set(names.watched_large, 1, px=expire_ms)
            pipeline.execute()

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

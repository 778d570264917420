"""The cameras that are being watched: workers draw pictures only for these."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence

from redis import Redis

from bus.keys import CameraKeys
from contract.pictures.views import LARGE_VIEW_WIDTH, SMALL_VIEW_WIDTH, WATCHED_EXPIRE_S


class WatcherStore:
    """Records which cameras are watched, and at what size."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def announce(self, camera_ids: Iterable[str], large: Container[str] = ()) -> None:
        """Tell the workers that these cameras are being watched, and which of them large."""
        expire_ms = round(WATCHED_EXPIRE_S * 1000)
        with self._redis.pipeline(transaction=False) as pipeline:
            for camera_id in camera_ids:
                names = CameraKeys(camera_id)
                pipeline.set(names.watched, 1, px=expire_ms)
                if camera_id in large:
                    pipeline.set(names.watched_large, 1, px=expire_ms)
            pipeline.execute()

    def widths(self, camera_ids: Sequence[str]) -> dict[str, int]:
        """Return the width in pixels in which each watched camera is shown, by its id."""
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

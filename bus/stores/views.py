"""Reads the newest annotated pictures of cameras."""

from __future__ import annotations

import logging
from collections.abc import Collection

from redis import Redis

from bus.keys import CameraKeys
from bus.picture_seal import PictureSeal
from bus.streams import StreamReader
from contract.errors import MessageError
from contract.pictures.views import View

_log = logging.getLogger(__name__)


class ViewStore:
    """The annotated pictures of all cameras."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._seal = PictureSeal(redis)

    def reader(self) -> ViewReader:
        """Return a reader for one thread."""
        return ViewReader(StreamReader(self._redis), self._seal)


class ViewReader:
    """Reads each picture once. Belongs to one thread."""

    def __init__(self, streams: StreamReader, seal: PictureSeal) -> None:
        self._streams = streams
        self._seal = seal
        self._positions: dict[str, bytes] = {}

    def read(self, camera_ids: Collection[str], wait_ms: int) -> list[View]:
        """Return the newest picture of each camera that has one since the last call.

        Waits up to `wait_ms` for a first one. An unreadable picture is logged and left out.

        Raises:
            StoreError: Redis does not answer.
        """
        self._positions = {id_: at for id_, at in self._positions.items() if id_ in camera_ids}
        names = {CameraKeys(camera_id).view.encode(): camera_id for camera_id in camera_ids}
        places = {name: self._positions.get(one, "0") for name, one in names.items()}
        views = []
        for name, entries in self._streams.read(places, wait_ms):
            camera_id, (stream_id, fields) = names[name], entries[-1]
            self._positions[camera_id] = stream_id
            try:
                views.append(View.decode(camera_id, stream_id, self._seal.opened(fields)))
            except MessageError as error:
                _log.warning("%s", error)
        return views

    def begin_again(self) -> None:
        """Forget the positions: a new or restored server may count from an earlier time."""
        self._positions.clear()

    def close(self) -> None:
        """Cancel a pending read."""
        self._streams.close()

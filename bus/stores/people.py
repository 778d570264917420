"""Reads the last counted people of cameras as rows, without pictures."""

from __future__ import annotations

import heapq
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from redis import Redis

from bus.cluster.interface import cluster_name
from bus.keys import CameraKeys
from bus.stores.outcomes import PEOPLE_KEPT
from bus.streams import StreamReader
from contract.cameras.camera import Camera
from contract.errors import MessageError
from contract.people.people import Person

PAGE: Final = 50
"""Rows of a camera that are read at once."""
# Redis ids begin at 0-1.
BEGINNING: Final = "0-0"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, order=True)
class RowId:
    """The id of a row among all cameras' people, in the order of counting."""

    at_ms: int
    """Milliseconds since the epoch on Redis' clock."""
    number: int
    camera_id: str

    @property
    def in_stream(self) -> str:
        """Return the row's id within its camera's stream."""
        return f"{self.at_ms}-{self.number}"

    def __str__(self) -> str:
        return f"{self.in_stream}-{self.camera_id}"


@dataclass(frozen=True)
class CountedPerson:
    """A counted person."""

    id: RowId
    camera: Camera
    """The camera as registered when the row was read."""
    person: Person


class PeopleStore:
    """The rows of all cameras."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    @property
    def one_order(self) -> bool:
        """Whether one server numbers all rows; in a cluster each server has its own order."""
        return not cluster_name(self._redis)

    def page(
        self, camera_id: str, end: str, count: int
    ) -> tuple[list[tuple[str, Person]], str | None]:
        """Return up to `count` rows of a camera with ids, newest first; `end` as for XREVRANGE.

        Also returns the id of the last row if more may follow. An unreadable row is logged and left
        out.
        """
        entries: Any = self._redis.xrevrange(CameraKeys(camera_id).people, max=end, count=count)
        more = entries[-1][0].decode() if len(entries) == count else None
        return list(_readable(entries)), more

    def ends(self, camera_ids: Sequence[str]) -> dict[str, str]:
        """Return the id of each camera's newest row, or `BEGINNING`."""
        with self._redis.pipeline(transaction=False) as pipeline:
            for camera_id in camera_ids:
                pipeline.xrevrange(CameraKeys(camera_id).people, count=1)
            newest: Any = pipeline.execute() if camera_ids else []
        return {
            camera_id: rows[0][0].decode() if rows else BEGINNING
            for camera_id, rows in zip(camera_ids, newest, strict=True)
        }

    def lost(self, camera_ids: Sequence[str], last: RowId) -> list[str]:
        """Return the cameras whose rows after `last` may be gone, because only some are kept."""
        with self._redis.pipeline(transaction=False) as pipeline:
            for camera_id in camera_ids:
                pipeline.xlen(CameraKeys(camera_id).people)
                pipeline.xrange(CameraKeys(camera_id).people, count=1)
            answers: Any = pipeline.execute() if camera_ids else []
        lost = []
        for camera_id, length, rows in zip(camera_ids, answers[::2], answers[1::2], strict=True):
            if length >= PEOPLE_KEPT and int(rows[0][0].decode().partition("-")[0]) > last.at_ms:
                lost.append(camera_id)
        return lost

    def since(self, cameras: Sequence[Camera], last: RowId) -> Iterator[CountedPerson]:
        """Yield the people counted after `last`, in the common order of all cameras.

        Includes people whom other cameras counted in the same millisecond, even if they were sent
        before: a client can recognise a repeat by its id.
        """
        rows = (self._rows(camera, last) for camera in cameras)
        return heapq.merge(*rows, key=lambda one: one.id)

    def reader(self) -> PeopleReader:
        """Return a reader for one thread."""
        return PeopleReader(StreamReader(self._redis))

    def _rows(self, camera: Camera, last: RowId) -> Iterator[CountedPerson]:
        name = CameraKeys(camera.id).people
        begin = f"({last.in_stream}" if camera.id == last.camera_id else str(last.at_ms)
        while True:
            rows: Any = self._redis.xrange(name, min=begin, count=PAGE)
            yield from decode_rows(camera, rows)
            if len(rows) < PAGE:
                return
            begin = f"({rows[-1][0].decode()}"


class PeopleReader:
    """Waits for new rows of many cameras. Belongs to one thread."""

    def __init__(self, streams: StreamReader) -> None:
        self._streams = streams

    def read(
        self, cameras: Mapping[str, Camera], positions: dict[str, str], wait_ms: int
    ) -> list[CountedPerson]:
        """Wait for rows after `positions` (by camera id), and advance these.

        Raises:
            StoreError: Redis does not answer.
        """
        names = {CameraKeys(camera_id).people.encode(): camera_id for camera_id in positions}
        places = {name: positions[camera_id] for name, camera_id in names.items()}
        found = []
        for name, rows in self._streams.read(places, wait_ms):
            camera_id = names[name]
            positions[camera_id] = rows[-1][0].decode()
            found += decode_rows(cameras[camera_id], rows)
        return found

    def close(self) -> None:
        """Cancel a pending read."""
        self._streams.close()


def decode_rows(camera: Camera, rows: Any) -> list[CountedPerson]:
    """Decode rows of a camera's stream; an unreadable one is logged and left out."""
    found = []
    for row_id, person in _readable(rows):
        at_ms, _, number = row_id.partition("-")
        found.append(CountedPerson(RowId(int(at_ms), int(number), camera.id), camera, person))
    return found


def _readable(rows: Iterable[Any]) -> Iterator[tuple[str, Person]]:
    for row_id, fields in rows:
        try:
            yield row_id.decode(), Person.decode(fields.get(b"person", b""))
        except MessageError as error:
            _log.warning("%s", error)

"""Who was counted while a follower was away: read from the cameras' rows, in order, bit by bit."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from redis import Redis

from bus.keys import CameraKeys
from bus.stores.outcomes import PEOPLE_KEPT
from contract.cameras.camera import Camera
from contract.errors import QueryError
from dashboard.live.people_feed import CountedPerson, RowId, decode_rows

PAGE: Final = 50
"""Rows of a camera that are in memory at once."""
_ROW_ID: Final = re.compile(r"(\d{1,19})-(\d{1,19})-([a-z0-9]{1,32})")


def parse_row_id(text: str) -> RowId:
    """Read an event's id; raise `QueryError` for what is none."""
    found = _ROW_ID.fullmatch(text.strip())
    if found is None:
        raise QueryError(
            f"Last-Event-ID: expected the id of an event as it came; found {text[:60]!r}"
        )
    return RowId(int(found[1]), int(found[2]), found[3])


def missed_people(redis: Redis, cameras: Sequence[Camera], last: RowId) -> Iterator[CountedPerson]:
    """Everybody counted after `last`, in the order of all cameras together.

    Somebody of the same millisecond on another camera comes, too, whether they came before or not:
    rather twice than never.
    """
    return heapq.merge(*(_rows(redis, camera, last) for camera in cameras), key=lambda one: one.id)


def lost_rows(redis: Redis, camera_ids: Sequence[str], last: RowId) -> list[str]:
    """The cameras of which rows behind `last` may be gone, because only so many are kept."""
    with redis.pipeline(transaction=False) as pipeline:
        for camera_id in camera_ids:
            pipeline.xlen(CameraKeys(camera_id).people)
            pipeline.xrange(CameraKeys(camera_id).people, count=1)
        answers: Any = pipeline.execute() if camera_ids else []
    lost = []
    for camera_id, length, rows in zip(camera_ids, answers[::2], answers[1::2], strict=True):
        if length >= PEOPLE_KEPT and int(rows[0][0].decode().partition("-")[0]) > last.at_ms:
            lost.append(camera_id)
    return lost


def _rows(redis: Redis, camera: Camera, last: RowId) -> Iterator[CountedPerson]:
    name = CameraKeys(camera.id).people
    begin = f"({last.in_stream}" if camera.id == last.camera_id else str(last.at_ms)
    while True:
        rows: Any = redis.xrange(name, min=begin, count=PAGE)
        yield from decode_rows(camera, rows)
        if len(rows) < PAGE:
            return
        begin = f"({rows[-1][0].decode()}"

"""Publishes sampled frames, counts them, and reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from redis import Redis

from bus.keys import CameraKeys
from bus.members.leases import Lease
from bus.picture_seal import PictureSeal
from bus.scripts.script import FencedHeader, FencedScript
from bus.streams import StreamReader
from contract.people.minutes import MinuteIncrements
from contract.people.totals import AGE_BUCKETS_S, Increments, age_field, frames_field
from contract.pictures.frames import SCHEMA, FrameMessage
from contract.traces import Trace

FRAMES_EXPIRE_S: Final = 10


@dataclass(frozen=True)
class _Publish(FencedHeader):
    script: ClassVar = "publish_frame"

    captured: int
    counts: list[str]
    """Field, amount, field, amount ... of the totals."""
    minutes: MinuteIncrements
    captured_at_s: str
    trace: Trace
    most_frames: int
    v: str = SCHEMA.decode()
    kept_s: int = FRAMES_EXPIRE_S


@dataclass(frozen=True)
class _Count(FencedHeader):
    script: ClassVar = "count_frames"

    counts: Increments
    minutes: MinuteIncrements


class FramePublisher:
    """Writes one camera's sampled frames while `lease` is valid."""

    def __init__(self, redis: Redis, lease: Lease, stream_max_frames: int) -> None:
        self.lease = lease
        """May be replaced with a newer lease of the same camera."""
        self._redis = redis
        self._max_frames = stream_max_frames
        self._seal = PictureSeal(redis)
        names = CameraKeys(lease.camera_id)
        self._count_keys = (names.ingest_lease, names.totals, names.minutes)
        self._publish_keys = (*self._count_keys, names.frames)
        self._publish = FencedScript(redis, _Publish)
        self._count = FencedScript(redis, _Count)
        self._of = f"camera {lease.camera_id}"

    def publish(
        self,
        jpeg: bytes,
        captured_at_s: float,
        now_s: float,
        captured: int,
        others: Increments,
        minutes: MinuteIncrements | None = None,
        trace: Trace = "",
    ) -> int:
        """Publish one frame and count `captured` frames delivered since the last call.

        The frame itself is the last captured one. Returns its sequence number.
        `others` and `minutes` are counted in the same step (drops by cause).

        Raises:
            LeaseLostError: another process owns the camera now; nothing was written.
        """
        counts = Increments()
        counts.observe(age_field("published"), AGE_BUCKETS_S, max(0.0, now_s - captured_at_s))
        header = _Publish(
            self.lease.value,
            captured=captured,
            counts=counts.arguments() + others.arguments(),
            minutes=minutes or MinuteIncrements(),
            captured_at_s=repr(captured_at_s),
            trace=trace,
            most_frames=self._max_frames,
        )
        sealed = self._seal.seal(jpeg)
        return int(self._publish(self._publish_keys, header, sealed, of=self._of))

    def count(self, others: Increments, minutes: MinuteIncrements | None = None) -> None:
        """Count without publishing (frames captured or lost while Redis was away)."""
        if others:
            header = _Count(self.lease.value, others, minutes or MinuteIncrements())
            self._count(self._count_keys, header, of=self._of)

    def captured(self) -> float:
        """Return how many frames of the camera are counted as captured so far."""
        return _frames_so_far(self._redis, self.lease.camera_id, "captured")

    def replaced(self) -> bool:
        """Return whether another process reads the camera now."""
        owner = self._redis.get(CameraKeys(self.lease.camera_id).ingest_lease)
        return isinstance(owner, bytes) and owner.decode(errors="replace") != self.lease.value


Entry = tuple[bytes, dict[bytes, bytes]]
"""A stream's entry in Redis: its id and its fields."""


class FrameReader:
    """Reads the published frames of many cameras. Belongs to one thread."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._streams = StreamReader(redis)
        self._seal = PictureSeal(redis)

    def read(
        self, cursors: Mapping[str, bytes], block_ms: int | None, count: int
    ) -> Iterator[tuple[str, list[Entry]]]:
        """Return each camera's entries after its cursor, up to `count`, oldest first.

        `cursors`: by camera id, the stream id of the newest entry read. Waits up to `block_ms` for
        an entry; None: does not wait.
        """
        cameras = {CameraKeys(camera_id).frames.encode(): camera_id for camera_id in cursors}
        places = {stream: cursors[camera_id] for stream, camera_id in cameras.items()}
        answer = self._streams.read(places, block_ms, count)
        return ((cameras[stream], entries) for stream, entries in answer)

    def decode(self, camera_id: str, entry: Entry) -> FrameMessage:
        """Return an entry's frame with a decrypted picture.

        Raises:
            MessageError: the entry is not a frame, or its picture cannot be decrypted.
        """
        stream_id, fields = entry
        return FrameMessage.decode(camera_id, stream_id, self._seal.opened(fields))

    def discard(self, camera_id: str, stream_id: bytes) -> None:
        """Delete an entry, so that the camera's next owner does not count it again."""
        self._redis.xdel(CameraKeys(camera_id).frames, stream_id)

    def published(self, camera_id: str) -> float:
        """Return how many frames of the camera were published so far."""
        return _frames_so_far(self._redis, camera_id, "published")


def _frames_so_far(redis: Redis, camera_id: str, kind: str) -> float:
    return float(redis.hget(CameraKeys(camera_id).totals, frames_field(kind)) or 0.0)

"""Publishes sampled frames, counts what became of them, and reads them again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from redis import Redis
from redis.commands.core import Script
from redis.exceptions import ResponseError

from bus.keys import CameraKeys
from bus.leases import Lease
from bus.picture_seal import PictureSeal
from bus.streams import StreamReader
from contract.errors import LeaseLostError
from contract.people.minutes import MinuteIncrements
from contract.people.totals import AGE_BUCKETS_S, Increments, age_field, frames_field
from contract.pictures.frames import SCHEMA, FrameMessage
from contract.traces import Trace

FRAMES_EXPIRE_S: Final = 10


# The pictures are kept out of the append-only file and of replicas (REPL_NONE): they would be most
# of the server's writing. The counters beside them are written as ever.
_PUBLISH: Final = """
redis.replicate_commands()
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return redis.error_reply('LEASELOST') end
local captured = redis.call('HINCRBY', KEYS[3], 'frames:captured', ARGV[2])
local sequence = redis.call('HINCRBY', KEYS[3], 'frames:published', 1)
local minutes_from = 10 + 2 * ARGV[8]
for i = 10, minutes_from - 1, 2 do redis.call('HINCRBYFLOAT', KEYS[3], ARGV[i], ARGV[i + 1]) end
for i = minutes_from, #ARGV, 2 do redis.call('HINCRBY', KEYS[4], ARGV[i], ARGV[i + 1]) end
redis.set_repl(redis.REPL_NONE)
local entry = {'v', ARGV[4], 'seq', sequence, 'index', captured - 1, 'at', ARGV[5], 'jpeg', ARGV[6]}
if ARGV[9] ~= '' then entry[11], entry[12] = 'trace', ARGV[9] end
redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[3], '*', unpack(entry))
redis.call('EXPIRE', KEYS[1], ARGV[7])
redis.set_repl(redis.REPL_ALL)
return sequence
"""


_COUNT: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return redis.error_reply('LEASELOST') end
redis.call('HDEL', KEYS[2], '')  -- first, so that a full Redis takes the rest (ADR 0027)
local minutes_from = 3 + 2 * ARGV[2]
for i = 3, minutes_from - 1, 2 do redis.call('HINCRBYFLOAT', KEYS[2], ARGV[i], ARGV[i + 1]) end
for i = minutes_from, #ARGV, 2 do redis.call('HINCRBY', KEYS[3], ARGV[i], ARGV[i + 1]) end
return 1
"""


class FramePublisher:
    """Writes one camera's sampled frames, as long as `lease` is its owner's."""

    def __init__(self, redis: Redis, lease: Lease, stream_max_frames: int) -> None:
        self.lease = lease
        """May be changed for a newer one of the same camera."""
        self._redis = redis
        self._max_frames = stream_max_frames
        self._seal = PictureSeal(redis)
        names = CameraKeys(lease.camera_id)
        self._frame_keys = (names.frames, names.ingest_lease, names.totals, names.minutes)
        self._count_keys = (names.ingest_lease, names.totals, names.minutes)
        self._publish = redis.register_script(_PUBLISH)
        self._count = redis.register_script(_COUNT)

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

        The frame itself is the last of the captured ones. Returns its sequence number.
        `others` and `minutes` are counted in the same step (drops by cause).

        Raises:
            LeaseLostError: another process owns the camera now; nothing was written.
        """
        counts = Increments()
        counts.observe(age_field("published"), AGE_BUCKETS_S, max(0.0, now_s - captured_at_s))
        arguments: list[bytes | str | int] = [
            self.lease.value,
            captured,
            self._max_frames,
            SCHEMA,
            repr(captured_at_s),
            self._seal.seal(jpeg),
            FRAMES_EXPIRE_S,
            *_counted(counts.arguments() + others.arguments(), minutes, trace),
        ]
        return self._fenced(self._publish, self._frame_keys, arguments)

    def count(self, others: Increments, minutes: MinuteIncrements | None = None) -> None:
        """Count without publishing (frames captured or lost while Redis was away)."""
        if others:
            arguments = [self.lease.value, *_counted(others.arguments(), minutes)]
            self._fenced(self._count, self._count_keys, arguments)

    def captured(self) -> float:
        """Return how many frames of the camera are counted as captured so far."""
        return _frames_so_far(self._redis, self.lease.camera_id, "captured")

    def replaced(self) -> bool:
        """Return whether another process reads the camera now."""
        owner = self._redis.get(CameraKeys(self.lease.camera_id).ingest_lease)
        return isinstance(owner, bytes) and owner.decode(errors="replace") != self.lease.value

    def _fenced(
        self, script: Script, keys: tuple[str, ...], arguments: list[bytes | str | int]
    ) -> int:
        try:
            return int(script(keys=keys, args=arguments))
        except ResponseError as error:
            if "LEASELOST" in str(error):
                raise LeaseLostError(f"camera {self.lease.camera_id} has another owner") from None
            raise


def _counted(
    totals: list[str], minutes: MinuteIncrements | None, *between: str
) -> list[bytes | str | int]:
    return [len(totals) // 2, *between, *totals, *(minutes.arguments() if minutes else ())]


Entry = tuple[bytes, dict[bytes, bytes]]
"""A stream's entry as it lies in Redis: its id and its fields."""


class FrameReader:
    """Reads the published frames of many cameras. Belongs to one thread."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._streams = StreamReader(redis)
        self._seal = PictureSeal(redis)

    def read(
        self, cursors: Mapping[str, bytes], block_ms: int | None, count: int
    ) -> Iterator[tuple[str, list[Entry]]]:
        """Return each camera's entries behind its cursor, up to `count`, the oldest first.

        `cursors`: by camera id, the stream id of the newest entry read. Waits up to `block_ms`
        while there is none; None: does not wait.
        """
        cameras = {CameraKeys(camera_id).frames.encode(): camera_id for camera_id in cursors}
        places = {stream: cursors[camera_id] for stream, camera_id in cameras.items()}
        answer = self._streams.read(places, block_ms, count)
        return ((cameras[stream], entries) for stream, entries in answer)

    def decode(self, camera_id: str, entry: Entry) -> FrameMessage:
        """Return an entry's frame, its picture unsealed.

        Raises:
            MessageError: the entry is no frame, or its picture cannot be unsealed.
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

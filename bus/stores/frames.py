"""Publishes sampled frames, and counts what became of them."""

from __future__ import annotations

from typing import Final

from redis import Redis
from redis.commands.core import Script
from redis.exceptions import ResponseError

from bus.keys import CameraKeys
from bus.leases import Lease
from bus.picture_seal import PictureSeal
from contract.errors import LeaseLostError
from contract.people.minutes import MinuteIncrements
from contract.people.totals import AGE_BUCKETS_S, Increments, age_field
from contract.pictures.frames import SCHEMA
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
        self._lease = lease
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
            self._lease.value,
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
            arguments = [self._lease.value, *_counted(others.arguments(), minutes)]
            self._fenced(self._count, self._count_keys, arguments)

    def _fenced(
        self, script: Script, keys: tuple[str, ...], arguments: list[bytes | str | int]
    ) -> int:
        try:
            return int(script(keys=keys, args=arguments))
        except ResponseError as error:
            if "LEASELOST" in str(error):
                raise LeaseLostError(f"camera {self._lease.camera_id} has another owner") from None
            raise


def _counted(
    totals: list[str], minutes: MinuteIncrements | None, *between: str
) -> list[bytes | str | int]:
    return [len(totals) // 2, *between, *totals, *(minutes.arguments() if minutes else ())]

"""The outcome of one analysed frame, and the one atomic step that commits it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Final

from redis import Redis
from redis.exceptions import ResponseError

from contract.errors import LeaseLostError, MessageError, NotNewerError
from contract.frames import to_json
from contract.keys import CameraKeys
from contract.leases import Lease
from contract.people import Person
from contract.totals import Increments
from contract.verdicts import VERDICTS, Verdict

SCHEMA: Final = 1
VIEW_EXPIRE_S: Final = 10
WATCHED_EXPIRE_S: Final = 5

# One script, so that either all of a frame's outcome is there or none of it. The gap between
# this frame and the last one committed is what nobody analysed; the part of it that the worker
# does not explain was pushed out of the stream before any worker read it.
_COMMIT: Final = """
redis.replicate_commands()
local lease, position, totals, tracker, latest, view =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local owner, sequence, flush = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1'
if redis.call('GET', lease) ~= owner then return redis.error_reply('LEASELOST') end
local last = tonumber(redis.call('GET', position) or '0')
if sequence < last or (sequence == last and not flush) then
  return redis.error_reply('NOTNEWER')
end
local overflow = sequence - last - tonumber(ARGV[4])
if overflow > 0 then redis.call('HINCRBYFLOAT', totals, 'dropped:overflow', overflow) end
for i = 11, #ARGV, 2 do redis.call('HINCRBYFLOAT', totals, ARGV[i], ARGV[i + 1]) end
redis.call('SET', position, sequence)
redis.call('SET', tracker, ARGV[5])
if ARGV[6] ~= '' then redis.call('SET', latest, ARGV[6]) end
if ARGV[7] ~= '' then
  redis.set_repl(redis.REPL_NONE)
  redis.call('XADD', view, 'MAXLEN', 1, '*', 'seq', sequence, 'at', ARGV[8],
    'jpeg', ARGV[7], 'faces', ARGV[9])
  redis.call('EXPIRE', view, ARGV[10])
  redis.set_repl(redis.REPL_ALL)
end
return overflow
"""


@dataclass(frozen=True)
class Face:
    """One face in one frame."""

    box: tuple[float, float, float, float]
    """`x_min, y_min, x_max, y_max` in pixels of the frame, origin top-left, max exclusive."""
    score: float
    """The detector's confidence that this is a face, 0 to 1."""
    verdict: Verdict
    """The track's verdict so far."""
    confidence: float
    """How sure the verdict is, 0 to 1; 0 when `unknown`."""
    track_id: int


@dataclass(frozen=True)
class FrameFaces:
    """What was found in one frame."""

    camera_id: str
    sequence: int
    frame_index: int
    captured_at_s: float
    analysed_at_s: float
    width: int
    height: int
    detector: str
    faces: tuple[Face, ...]
    v: int = SCHEMA

    def counts(self) -> dict[Verdict, int]:
        """Faces in view by verdict; every verdict is there."""
        return count_verdicts(self.faces)

    def encode(self) -> str:
        return to_json(asdict(self))

    @classmethod
    def decode(cls, raw: bytes | str) -> FrameFaces:
        """Read what `encode` wrote; raise `MessageError` for anything else."""
        try:
            record = json.loads(raw)
            if record["v"] != SCHEMA:
                raise MessageError(f"faces schema {record['v']!r}, expected {SCHEMA}")
            faces = tuple(
                Face(**{**face, "box": tuple(map(float, face["box"]))})
                for face in record.pop("faces")
            )
            return cls(**record, faces=faces)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            if isinstance(error, MessageError):
                raise
            raise MessageError(f"a frame's faces cannot be read: {error}") from error


def count_verdicts(faces: tuple[Face, ...]) -> dict[Verdict, int]:
    """Faces by verdict; every verdict is there, in the fixed order."""
    return {verdict: sum(face.verdict == verdict for face in faces) for verdict in VERDICTS}


@dataclass(frozen=True)
class Outcome:
    """Everything one step of a camera changes."""

    sequence: int
    """The newest frame this outcome accounts for."""
    explained: int
    """Frames since the last commit that `increments` account for, analysed or dropped."""
    increments: Increments
    tracker_state: str
    faces: FrameFaces | None = None
    """None when frames were only dropped, or tracks ended because frames stopped."""
    annotated_jpeg: bytes = b""
    people: tuple[Person, ...] = ()
    """Those who were counted with this outcome; `increments` has their numbers."""
    flush: bool = False
    """Ends the tracks of a camera that went quiet; may repeat the last sequence."""


class OutcomeStore:
    """Commits outcomes, and reads back what a new owner starts from."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._commit = redis.register_script(_COMMIT)

    def commit(self, lease: Lease, outcome: Outcome) -> int:
        """Commit all of `outcome` or nothing; return the frames that overflowed unseen.

        Raises:
            LeaseLostError: the lease is another's or has expired.
            NotNewerError: this frame, or a newer one, was committed before.
        """
        names = CameraKeys(lease.camera_id)
        faces = outcome.faces
        arguments: list[bytes | str | int] = [
            lease.value,
            outcome.sequence,
            int(outcome.flush),
            outcome.explained,
            outcome.tracker_state,
            faces.encode() if faces else "",
            outcome.annotated_jpeg,
            repr(faces.captured_at_s) if faces else "",
            to_json(faces.counts()) if faces else "",
            VIEW_EXPIRE_S,
            *outcome.increments.arguments(),
        ]
        try:
            return int(self._commit(keys=self._keys(names), args=arguments))
        except ResponseError as error:
            if "LEASELOST" in str(error):
                raise LeaseLostError(f"camera {lease.camera_id} has another owner") from None
            if "NOTNEWER" in str(error):
                raise NotNewerError(
                    f"frame {outcome.sequence} of camera {lease.camera_id} was committed before"
                ) from None
            raise

    def resume(self, camera_id: str) -> tuple[int, str]:
        """Return the last committed sequence (0: none) and the tracker's state then."""
        names = CameraKeys(camera_id)
        position, tracker = self._redis.mget(names.position, names.tracker)
        return int(position or 0), tracker.decode() if isinstance(tracker, bytes) else ""

    @staticmethod
    def _keys(names: CameraKeys) -> tuple[str, ...]:
        return (
            names.worker_lease,
            names.position,
            names.totals,
            names.tracker,
            names.latest,
            names.view,
        )


@dataclass(frozen=True)
class View:
    """An annotated frame, as the dashboard shows it."""

    camera_id: str
    stream_id: bytes
    sequence: int
    captured_at_s: float
    jpeg: bytes
    counts: dict[Verdict, int]

    @classmethod
    def decode(cls, camera_id: str, stream_id: bytes, fields: dict[bytes, bytes]) -> View:
        """Read an entry of a camera's view stream; raise `MessageError` if it is not one."""
        try:
            return cls(
                camera_id,
                stream_id,
                int(fields[b"seq"]),
                float(fields[b"at"]),
                fields[b"jpeg"],
                json.loads(fields[b"faces"]),
            )
        except (KeyError, ValueError) as error:
            raise MessageError(f"a view of camera {camera_id} cannot be read: {error}") from error

"""What ingest says of a camera's connection, and how others should read it."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal, cast, get_args

from pydantic import TypeAdapter
from redis import Redis

from contract.cameras import Camera
from contract.errors import LeaseLostError, MessageError, SourceError
from contract.frames import to_json
from contract.keys import CameraKeys
from contract.leases import Lease
from contract.logs import about
from contract.messages import Count, Moment, Side, checked, read_moment, read_versioned
from contract.plain_text import PlainWords, plain_words
from contract.totals import fault_field

CameraState = Literal["connecting", "live", "stalled", "offline", "disabled"]

NoticeKind = Literal["corrupt", "clock", "slow", "fast", "changed"]
"""What is wrong with a stream whose pictures arrive all the same: broken pictures, timestamps that
jump, too few or too many frames a second, another size or codec than before."""
NOTICES: Final[tuple[NoticeKind, ...]] = get_args(NoticeKind)

SCHEMA: Final = 1
CONNECTIONS_KEPT: Final = 200
MOST_TEXT_BYTES: Final = 4096

_log = logging.getLogger(__name__)

# Also notes what the connection did: another state or reason than the one noted last, or a new
# connection. Attempts in between (`connecting`) are not noted: a camera that is away for a week
# would leave nothing else. A reason that is noted is counted.
_SET_STATUS: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])  -- first, so that a full Redis takes the rest (ADR 0027)
redis.call('SET', KEYS[2], ARGV[2])
local state, kind, since = ARGV[4], ARGV[5], ARGV[6]
if state == 'connecting' then return 1 end
local last = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)[1]
local was = last and last[2] or {}
if was[2] ~= state or was[4] ~= kind or (state == 'live' and was[6] ~= since) then
  redis.call('XADD', KEYS[3], 'MAXLEN', ARGV[3], '*',
    'state', state, 'kind', kind, 'since', since, 'error', ARGV[7])
  if kind ~= '' and was[4] ~= kind then redis.call('HINCRBYFLOAT', KEYS[4], ARGV[8], 1) end
end
return 1
"""


@dataclass(frozen=True)
class CameraStatus:
    """The state of a camera's connection."""

    state: CameraState
    since_s: Moment
    """Seconds since the epoch when this state began."""
    fps: Moment = 0.0
    """Frames per second that arrive, measured over the last seconds."""
    width: Side = 0
    height: Side = 0
    codec: PlainWords = ""
    error_kind: PlainWords = ""
    """`kind` of the last `SourceError`; empty while live."""
    error: PlainWords = ""
    """The last error in plain words, without any password."""
    notice_kind: PlainWords = ""
    """While live: what is wrong with the stream all the same, one of `NOTICES`."""
    notice: PlainWords = ""
    """The same in plain words."""
    reconnects: Count = 0
    """Connections begun after the first, since ingest took the camera."""
    owner: PlainWords = ""
    """The ingest process that runs the camera."""
    v: int = SCHEMA

    @property
    def fault(self) -> str:
        """The kind of what is wrong with the camera, live or not; empty when nothing is."""
        return self.error_kind or self.notice_kind

    def encode(self) -> str:
        return to_json(asdict(self))

    @classmethod
    def decode(cls, raw: bytes) -> CameraStatus:
        """Read what `encode` wrote; raise `MessageError` for anything else."""
        return checked(_ADAPTER, read_versioned(raw, SCHEMA, _WHAT), _WHAT)


_WHAT: Final = "a camera's status"
_ADAPTER: Final = TypeAdapter(CameraStatus)


@dataclass(frozen=True)
class ConnectionEvent:
    """The connection came into a state, as ingest said at the time."""

    state: CameraState
    since_s: float
    error_kind: str
    error: str

    @classmethod
    def decode(cls, fields: dict[bytes, bytes]) -> ConnectionEvent:
        """Read what `StatusStore.write` noted; raise `MessageError` for anything else."""
        try:
            state, kind, since, error = (
                plain_words(fields[name][:MOST_TEXT_BYTES].decode(errors="replace"))
                for name in (b"state", b"kind", b"since", b"error")
            )
            if state not in get_args(CameraState):
                raise MessageError(f"a connection's history has the state {state[:20]!r}")
            return cls(cast(CameraState, state), read_moment(since.encode()), kind, error)
        except (KeyError, ValueError) as wrong:
            if isinstance(wrong, MessageError):
                raise
            raise MessageError(f"a connection's history cannot be read: {wrong!r:.120}") from wrong


class StatusStore:
    """Writes and reads camera states."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._set = redis.register_script(_SET_STATUS)

    def write(self, lease: Lease, status: CameraStatus) -> None:
        """Store a state on behalf of the camera's owner; raise `LeaseLostError` if it is not."""
        names = CameraKeys(lease.camera_id)
        kind, words = status.fault, status.error or status.notice
        noted = [status.state, kind, f"{status.since_s:.3f}", words, fault_field(kind)]
        if not self._set(
            keys=(names.ingest_lease, names.status, names.connections, names.totals),
            args=[lease.value, status.encode(), CONNECTIONS_KEPT, *noted],
        ):
            raise LeaseLostError(f"camera {lease.camera_id} has another owner")

    def history(self, camera_id: str, most: int = CONNECTIONS_KEPT) -> list[ConnectionEvent]:
        """What the connection did, the last first; entries that cannot be read are left out."""
        found = []
        for _, fields in cast(
            list[Any], self._redis.xrevrange(CameraKeys(camera_id).connections, count=most)
        ):
            try:
                found.append(ConnectionEvent.decode(fields))
            except MessageError as error:
                _log.warning("%s", error, extra=about(camera_id=camera_id))
        return found

    def read(self, cameras: list[Camera]) -> dict[str, CameraStatus]:
        """Return the effective state of each camera, by id.

        A camera that no ingest process holds is offline, whatever was last written of it.
        """
        with self._redis.pipeline(transaction=False) as pipeline:
            for camera in cameras:
                names = CameraKeys(camera.id)
                pipeline.get(names.status)
                pipeline.exists(names.ingest_lease)
            answers = pipeline.execute()
        return {
            camera.id: _effective(camera, raw, bool(held))
            for camera, raw, held in zip(cameras, answers[::2], answers[1::2], strict=True)
        }


UNREADABLE: Final = "unreadable"
"""The kind of error of a camera whose state cannot be read: whether it is offline is not known."""
NO_INGEST: Final = "no_ingest"
FAULT_KINDS: Final[tuple[str, ...]] = (
    *sorted({SourceError.kind, *(error.kind for error in SourceError.__subclasses__())}),
    NO_INGEST,
    UNREADABLE,
    *NOTICES,
)
"""Everything that can be wrong with a camera's connection or stream."""
_UNREADABLE: Final = CameraStatus(
    "offline",
    0.0,
    error_kind=UNREADABLE,
    error="What ingest says of this camera cannot be read here; upgrade all processes together.",
)


def _effective(camera: Camera, raw: bytes | None, held: bool) -> CameraStatus:
    try:
        status = CameraStatus.decode(raw) if raw else None
    except MessageError as error:
        about_it = about(camera=camera.name, camera_id=camera.id)
        _log.warning("camera %s: %s", camera.name, error, extra=about_it)
        status = replace(_UNREADABLE, since_s=camera.created_at_s)
    if not camera.enabled:
        return CameraStatus("disabled", status.since_s if status else camera.created_at_s)
    if not held:
        before = status or CameraStatus("connecting", camera.created_at_s)
        return replace(
            before,
            state="offline",
            fps=0.0,
            notice_kind="",
            notice="",
            error_kind=NO_INGEST,
            error="No ingest process runs this camera; start one with `maskwatch ingest`.",
        )
    return status or CameraStatus("connecting", camera.created_at_s)

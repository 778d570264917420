"""The state of a camera's connection, as ingest writes it and others read it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final, Literal, cast, get_args

from pydantic import TypeAdapter

from contract.errors import MessageError, SourceError
from contract.messages import Count, Moment, Side, checked, read_moment, read_versioned, to_json
from contract.plain_text import PlainWords, plain_words

CameraState = Literal["connecting", "live", "stalled", "offline", "disabled"]

NoticeKind = Literal["corrupt", "clock", "slow", "fast", "changed"]
"""Faults of a stream that still delivers pictures: broken pictures, jumping timestamps, too few or
too many frames per second, a changed size or codec."""
NOTICES: Final[tuple[NoticeKind, ...]] = get_args(NoticeKind)

SCHEMA: Final = 1
MOST_TEXT_BYTES: Final = 4096


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
    """The fault of a live stream, one of `NOTICES`; empty if it has none."""
    notice: PlainWords = ""
    """The fault of a live stream in plain words."""
    reconnects: Count = 0
    """Connection attempts after the first, since ingest took over the camera."""
    broken: Count = 0
    """Packets and pictures since connecting that could not be decoded; they are skipped."""
    owner: PlainWords = ""
    """The ingest process that runs the camera."""
    v: int = SCHEMA

    @property
    def fault(self) -> str:
        """The camera's fault kind, live or not; empty if it has no fault."""
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
    """A change of a connection's state, as ingest reported it at the time."""

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


UNREADABLE: Final = "unreadable"
"""Error kind of a camera whose state cannot be read; it may be offline or not."""
NO_INGEST: Final = "no_ingest"
FAULT_KINDS: Final[tuple[str, ...]] = (
    *sorted({SourceError.kind, *(error.kind for error in SourceError.__subclasses__())}),
    NO_INGEST,
    UNREADABLE,
    *NOTICES,
)
"""Every fault kind of a camera's connection or stream."""

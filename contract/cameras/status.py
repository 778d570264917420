"""What ingest says of a camera's connection, and how others should read it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final, Literal, cast, get_args

from pydantic import TypeAdapter

from contract.errors import MessageError, SourceError
from contract.messages import Count, Moment, Side, checked, read_moment, read_versioned, to_json
from contract.plain_text import PlainWords, plain_words

CameraState = Literal["connecting", "live", "stalled", "offline", "disabled"]

NoticeKind = Literal["corrupt", "clock", "slow", "fast", "changed"]
"""What is wrong with a stream whose pictures arrive all the same: broken pictures, timestamps that
jump, too few or too many frames a second, another size or codec than before."""
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

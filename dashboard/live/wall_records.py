"""The records of the wall's one connection: pictures of many cameras, and all states.

A record is two big-endian 32-bit lengths, a JSON head and a body (a JPEG, or nothing):

    head length | body length | head | body

Heads: `{"type": "picture", "camera", "sequence", "captured_at_s", "sent_at_s", "counts"}`,
`{"type": "state", "sent_at_s", "redis_loss", "cameras": [...]}` with the notice of data that Redis
has lost (empty if none) and what `GET /api/v1/cameras` gives, and
`{"type": "trouble", "sent_at_s", "detail"}` when Redis is away or stores nothing.
"""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, Protocol

from bus.connection.trouble import words_for_viewers
from bus.errors import StoreError
from contract.pictures.views import View
from dashboard.live.board import Board
from dashboard.live.hub import Hub

MIME_TYPE: Final = "application/vnd.maskwatch.wall"
STATE_EVERY_S: Final = 1.0
LOOK_S: Final = 0.5
_LENGTHS: Final = struct.Struct(">II")


class Sight(Protocol):
    """The cameras and pictures that an account may see now."""

    def groups(self) -> frozenset[str] | None:
        """Groups of visible cameras; None for all groups."""

    def shows(self, camera_id: str) -> bool:
        """Whether the account may see pictures of a camera."""


def wall_records(
    hub: Hub,
    board: Board,
    camera_ids: Iterable[str],
    large: Iterable[str],
    slow: Iterable[str],
    sight: Sight,
    loss: Callable[[], str],
    clock: Callable[[], float] = time.time,
) -> Iterator[bytes]:
    """Yield pictures of `camera_ids` as they come, and every camera's state each second.

    `large`: those of them that are shown in a large picture; `slow`: in one so small that fewer
    pictures do. Cameras that leave the viewer's `sight` leave the stream, and the others stay.
    `loss` says what Redis has lost.
    Where nothing came within `LOOK_S` it yields `b""`.
    """
    with hub.watch(camera_ids, large, slow) as viewer:
        next_state_at = 0.0
        while True:
            if time.monotonic() >= next_state_at:
                next_state_at = time.monotonic() + STATE_EVERY_S
                yield _state(board, sight.groups(), loss, clock)
            left_s = max(0.0, next_state_at - time.monotonic())
            for view in viewer.take(min(LOOK_S, left_s)):
                if sight.shows(view.camera_id):
                    yield _picture(view, clock())
            yield b""


def encode_record(head: str, body: bytes = b"") -> bytes:
    """One record on the wire."""
    encoded = head.encode()
    return b"".join((_LENGTHS.pack(len(encoded), len(body)), encoded, body))


def decode_records(stream: bytes) -> tuple[list[tuple[dict[str, Any], bytes]], bytes]:
    """Split received bytes into whole records and the rest, which starts the next one."""
    records = []
    while len(stream) >= _LENGTHS.size:
        head_size, body_size = _LENGTHS.unpack_from(stream)
        body_at = _LENGTHS.size + head_size
        if len(stream) < body_at + body_size:
            break
        head = json.loads(stream[_LENGTHS.size : body_at])
        records.append((head, stream[body_at : body_at + body_size]))
        stream = stream[body_at + body_size :]
    return records, stream


def _state(
    board: Board,
    groups: frozenset[str] | None,
    loss: Callable[[], str],
    clock: Callable[[], float],
) -> bytes:
    try:
        # Insert the encoded list as it is, because many viewers share it.
        cameras, notice = board.json(groups), json.dumps(loss())
    except StoreError as error:
        head = {"type": "trouble", "detail": words_for_viewers(error)}
        return encode_record(json.dumps({**head, "sent_at_s": clock()}))
    head_json = (
        f'"type":"state","sent_at_s":{clock():.3f},"redis_loss":{notice},"cameras":{cameras}'
    )
    return encode_record(f"{{{head_json}}}")


def _picture(view: View, now_s: float) -> bytes:
    head = {
        "type": "picture",
        "camera": view.camera_id,
        "sequence": view.sequence,
        "captured_at_s": view.captured_at_s,
        "sent_at_s": now_s,
        "counts": view.counts,
    }
    return encode_record(json.dumps(head), view.jpeg)

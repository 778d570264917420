"""Sends events at cameras as server-sent events (WHATWG HTML, 9.2).

States are levels: the stream sends each camera's state at the beginning and after every change.
People are edges: each person is sent once, with an id from which a broken stream can continue.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final

from pydantic import BaseModel

from bus.connection.trouble import words_for_viewers
from bus.errors import StoreError
from bus.stores.people import CountedPerson, PeopleStore, RowId
from contract.cameras.camera import Camera
from contract.errors import FellBehindError
from dashboard.live.answers import EVENTS, CameraEvent, DetailEvent, PersonEvent, StateEvent
from dashboard.live.board import Board, CameraSnapshot
from dashboard.live.people_feed import Follower, PeopleFeed

MIME_TYPE: Final = "text/event-stream"
LOOK_S: Final = 0.5
STATE_EVERY_S: Final = 1.0
HEARTBEAT_S: Final = 10.0
RETRY_MS: Final = 2000
HEARTBEAT: Final = b": still here\n\n"


class EventStream:
    """The endless answer to one client."""

    def __init__(
        self,
        feed: PeopleFeed,
        board: Board,
        people: PeopleStore,
        shown: Callable[[Camera], bool],
        last: RowId | None = None,
    ) -> None:
        """`shown`: whether the client receives a camera's events; `last`: its last event."""
        self._feed = feed
        self._board = board
        self._people = people
        self._shown = shown
        self._last = last
        self._cameras: list[Camera] = []
        self._states: dict[str, StateEvent] = {}
        self._sent: dict[str, RowId] = {}
        self._trouble = ""

    def events(self) -> Iterator[bytes]:
        """Yield events until the client falls behind; `b""` after `LOOK_S` without an event."""
        yield f"retry: {RETRY_MS}\n\n".encode()
        with self._feed.follow() as follower:
            # Start following before reading the states, so that no later person is missed.
            while not follower.ready(LOOK_S):
                yield b"".join(self._state_events())
            yield from self._state_events()
            try:
                yield from self._missed()
                yield from self._live(follower)
            except FellBehindError as error:
                yield encode_event("behind", DetailEvent(detail=str(error)))

    def _live(self, follower: Follower) -> Iterator[bytes]:
        looked_at = sent_at = time.monotonic()
        while True:
            events = [person_event(one) for one in follower.take(LOOK_S) if self._is_new(one)]
            now = time.monotonic()
            if now - looked_at >= STATE_EVERY_S:
                looked_at = now
                events += self._state_events()
            if not events and now - sent_at >= HEARTBEAT_S:
                events = [HEARTBEAT]
            if events:
                sent_at = now
            yield b"".join(events)

    def _missed(self) -> Iterator[bytes]:
        if self._last is None:
            return
        ids = [camera.id for camera in self._cameras]
        try:
            for camera_id in self._people.lost(ids, self._last):
                yield encode_event("gap", CameraEvent(camera_id=camera_id))
            for counted in self._people.since(self._cameras, self._last):
                self._sent[counted.camera.id] = counted.id
                yield person_event(counted) if self._shown(counted.camera) else b""
        except StoreError as error:
            # The missed people cannot be read now, and must not be skipped.
            raise FellBehindError("Redis went away; begin again from the last event") from error

    def _is_new(self, counted: CountedPerson) -> bool:
        sent = self._sent.get(counted.camera.id)
        return self._shown(counted.camera) and (sent is None or counted.id > sent)

    def _state_events(self) -> list[bytes]:
        """Yield the changes since the last call, and a fault of Redis once."""
        try:
            snapshots = [one for one in self._board.snapshots() if self._shown(one.camera)]
        except StoreError as error:
            words = words_for_viewers(error)
            events = [] if self._trouble == words else [trouble(words)]
            self._trouble = words
            return events
        self._trouble = ""
        self._cameras = [snapshot.camera for snapshot in snapshots]
        found = {snapshot.camera.id: state_event(snapshot) for snapshot in snapshots}
        removed = [id_ for id_ in self._states if id_ not in found]
        changed = [state for id_, state in found.items() if self._states.get(id_) != state]
        self._states = found
        return [
            *(encode_event("removed", CameraEvent(camera_id=camera_id)) for camera_id in removed),
            *(encode_event("state", state) for state in changed),
        ]


def state_event(snapshot: CameraSnapshot) -> StateEvent:
    """Return a camera's state, without fields that change all the time."""
    camera, status = snapshot.camera, snapshot.status
    return StateEvent(
        camera_id=camera.id,
        camera=camera.name,
        group=camera.group,
        state=status.state,
        since_s=status.since_s,
        error_kind=status.error_kind,
        error=status.error,
        reason=snapshot.reason(),
        problems=sorted(snapshot.quality.problems),
    )


def person_event(counted: CountedPerson) -> bytes:
    """Return the event for a counted person."""
    where = {"camera_id": counted.camera.id, "camera": counted.camera.name}
    body = PersonEvent.of(counted.id.in_stream, counted.person, **where)
    return encode_event("person", body, str(counted.id))


def trouble(detail: str) -> bytes:
    """Return the event that says that no camera's state is known now."""
    return encode_event("trouble", DetailEvent(detail=detail))


def encode_event(kind: str, data: BaseModel, event_id: str = "") -> bytes:
    """Encode one event. Its JSON must be one line.

    Raises:
        TypeError: the API's document describes another model for this type of event.
    """
    if type(data) is not EVENTS[kind]:
        raise TypeError(f"{kind}: expected {EVENTS[kind]}, found {type(data)}")
    head = f"id: {event_id}\n" if event_id else ""
    return f"{head}event: {kind}\ndata: {data.model_dump_json()}\n\n".encode()

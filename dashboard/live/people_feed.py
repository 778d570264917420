"""Reads counted people once for all followers: a ring of the last people.

The reader asks Redis for all cameras' people with one blocking XREAD, while somebody follows.
Followers have no mailbox of their own but a place in the ring, so that however many there are and
however slow, memory is bounded: one that the ring has overtaken is told so and must begin again
from the last event it had. Plain threads: in the server gevent makes greenlets of them.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import islice
from typing import Final

from bus.bus import Bus
from bus.connection.client import Outage
from bus.errors import StoreError
from bus.stores.cameras import CameraRoster
from bus.stores.people import BEGINNING, CountedPerson, PeopleReader, PeopleStore
from contract.cameras.camera import Camera
from contract.errors import FellBehindError

KEPT: Final = 1000
BLOCK_MS: Final = 250
SETTLED_S: Final = 1.0
"""Within this time of one another servers of a cluster number rows in an order of their own: their
clocks differ a little, and one is read sooner than another."""

_log = logging.getLogger(__name__)


class Follower:
    """One place in the ring."""

    def __init__(self, feed: PeopleFeed) -> None:
        self._feed = feed
        self._place: int | None = None

    def ready(self, timeout_s: float) -> bool:
        """Wait up to `timeout_s`, and return whether the follower misses nobody from now on."""
        self._place = self._feed.place(timeout_s)
        return self._place is not None

    def take(self, timeout_s: float) -> list[CountedPerson]:
        """Return the people counted since the last call, and wait up to `timeout_s` for one.

        Raises:
            FellBehindError: more people were counted in the meantime than the ring keeps.
        """
        if self._place is None and not self.ready(timeout_s):
            return []
        found, self._place = self._feed.since(self._place or 0, timeout_s)
        return found


class ArrivalOrder:
    """Sorts the rows of several servers by id, and waits for late rows.

    Otherwise a client that continues from an id would miss an earlier row that arrived later.
    """

    def __init__(self, wait_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`wait_s`: 0 where one server numbers all rows."""
        self._wait_s = wait_s
        self._clock = clock
        self._waiting: list[tuple[float, CountedPerson]] = []

    def settled(self, arrived: Iterable[CountedPerson]) -> list[CountedPerson]:
        """Take in rows; return, in order, the rows that waited long enough and all before them."""
        now_s = self._clock()
        self._waiting += [(now_s, one) for one in arrived]
        ripe = [one.id for at_s, one in self._waiting if now_s - at_s >= self._wait_s]
        if not ripe:
            return []
        last = max(ripe)
        found = [one for _, one in self._waiting if one.id <= last]
        self._waiting = [(at_s, one) for at_s, one in self._waiting if one.id > last]
        return sorted(found, key=lambda counted: counted.id)


class PeopleFeed:
    """Hands counted people to followers. Its one thread lives while somebody follows."""

    def __init__(
        self,
        people: PeopleStore,
        roster: CameraRoster,
        outage: Callable[[threading.Event], Outage],
        kept: int = KEPT,
    ) -> None:
        """`outage`: makes the object that waits while Redis is away, until an event is set."""
        self._people = people
        self._order = ArrivalOrder(0.0 if people.one_order else SETTLED_S)
        self._roster = roster
        self._make_outage = outage
        self._changed = threading.Condition()
        self._ring: deque[CountedPerson] = deque(maxlen=kept)
        self._count = 0
        self._followers = 0
        self._ready = False
        self._thread: threading.Thread | None = None

    @contextmanager
    def follow(self) -> Iterator[Follower]:
        """A follower of all cameras' people, from when it is `ready`."""
        with self._changed:
            self._followers += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="people", daemon=True)
                self._thread.start()
        try:
            yield Follower(self)
        finally:
            with self._changed:
                self._followers -= 1

    def followers(self) -> int:
        """The number of followers."""
        with self._changed:
            return self._followers

    def reading(self) -> bool:
        """Whether the reader runs."""
        with self._changed:
            return self._thread is not None

    def place(self, timeout_s: float) -> int | None:
        """Return the end of the ring; None if nothing was read within `timeout_s`."""
        with self._changed:
            return self._count if self._changed.wait_for(lambda: self._ready, timeout_s) else None

    def since(self, place: int, timeout_s: float) -> tuple[list[CountedPerson], int]:
        """Return the people behind a place, and the new place."""
        with self._changed:
            self._changed.wait_for(lambda: self._count > place, timeout_s)
            new = self._count - place
            if new > len(self._ring):
                raise FellBehindError(
                    f"{new} people were counted while this follower took none; begin again from "
                    "the last event that came"
                )
            return list(islice(self._ring, len(self._ring) - new, None)), self._count

    def _run(self) -> None:
        outage = self._make_outage(threading.Event())
        with closing(self._people.reader()) as reader:
            self._read_on(reader, outage)

    def _read_on(self, reader: PeopleReader, outage: Outage) -> None:
        positions: dict[str, str] | None = None
        while self._followed():
            try:
                cameras = {camera.id: camera for camera in self._roster.cameras()}
                positions = self._positions(cameras, positions)
                self._begin()
                self._append(self._order.settled(self._read(reader, cameras, positions)))
                outage.over()
            except StoreError as error:
                outage.report(error)
            except Exception:
                _log.exception("the feed failed to pass on people; trying again")
                time.sleep(BLOCK_MS / 1000)

    def _followed(self) -> bool:
        """Whether there are followers; without them the thread ends."""
        with self._changed:
            if self._followers:
                return True
            self._thread, self._ready = None, False
            self._ring.clear()
            return False

    def _begin(self) -> None:
        with self._changed:
            if not self._ready:
                self._ready = True
                self._changed.notify_all()

    def _positions(
        self, camera_ids: Iterable[str], before: dict[str, str] | None
    ) -> dict[str, str]:
        """Return where to read each camera from: its end at first, the beginning if it is new."""
        if before is not None:
            return {camera_id: before.get(camera_id, BEGINNING) for camera_id in camera_ids}
        return self._people.ends(list(camera_ids))

    def _read(
        self, reader: PeopleReader, cameras: Mapping[str, Camera], positions: dict[str, str]
    ) -> list[CountedPerson]:
        """Wait a moment for rows behind `positions`, and move these on."""
        if not positions:
            time.sleep(BLOCK_MS / 1000)
            return []
        return reader.read(cameras, positions, BLOCK_MS)

    def _append(self, people: list[CountedPerson]) -> None:
        if people:
            with self._changed:
                self._ring.extend(people)
                self._count += len(people)
                self._changed.notify_all()


def make_people_feed(bus: Bus, kept: int = KEPT) -> PeopleFeed:
    """Return a feed over one bus. Connects to nothing."""
    return PeopleFeed(bus.people, bus.roster, bus.outage, kept)

"""One reader for all viewers: the newest annotated picture of each watched camera.

A worker draws a camera once, and only while its `watched` key exists; the hub keeps that key
alive and reads the pictures of all watched cameras with one blocking XREAD. Each viewer has a
mailbox that keeps the newest picture of a camera only, so that a slow viewer skips pictures
and delays nobody. Plain threads: in the server gevent makes greenlets of them.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from typing import Final

from bus.bus import Bus
from bus.connection.client import Outage
from bus.errors import StoreError
from bus.stores.views import ViewReader, ViewStore
from bus.stores.watchers import WatcherStore
from contract.pictures.views import View
from runtime.tracing import OFF, Tracing, stream_moment

REFRESH_S: Final = 0.3
"""Seconds between renewals of `watched`. Three fit into its lifetime, so that one may be late."""
BLOCK_MS: Final = 150
"""Longest blocking read, which a new viewer of an unwatched camera must wait for."""

SLOW_EVERY_S: Final = 0.25
"""Seconds between pictures of small tiles, in which four pictures a second look like eight."""

_log = logging.getLogger(__name__)


class Viewer:
    """A mailbox with the newest picture of each camera that one connection watches."""

    def __init__(
        self,
        camera_ids: Iterable[str],
        large: Iterable[str] = (),
        slow: Iterable[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.camera_ids = frozenset(camera_ids)
        self.large = frozenset(large) & self.camera_ids
        """Cameras shown in a large picture."""
        self._due_at = dict.fromkeys(frozenset(slow) - self.large, 0.0)
        """Due time of the next picture of each slow camera."""
        self._clock = clock
        self._lock = threading.Lock()
        self._arrived = threading.Event()
        self._views: dict[str, View] = {}

    def put(self, view: View) -> None:
        """Put a picture into the mailbox, in place of an older one of the same camera."""
        with self._lock:
            self._views[view.camera_id] = view
            self._arrived.set()

    def take(self, timeout_s: float) -> list[View]:
        """Return the pictures since the last call, and wait up to `timeout_s` for one.

        A slow camera's picture waits here until it is due, or until a newer one replaces it.
        """
        self._arrived.wait(min(timeout_s, self._next_due_s()))
        with self._lock:
            now = self._clock()
            due = [view for id_, view in self._views.items() if now >= self._due_at.get(id_, 0.0)]
            for view in due:
                del self._views[view.camera_id]
                if view.camera_id in self._due_at:
                    self._due_at[view.camera_id] = now + SLOW_EVERY_S
            self._arrived.clear()
        return due

    def _next_due_s(self) -> float:
        """Return the seconds until a waiting picture is due."""
        with self._lock:
            waiting = [self._due_at[id_] for id_ in self._views if id_ in self._due_at]
            return max(0.0, min(waiting) - self._clock()) if waiting else float("inf")


class Hub:
    """Hands new pictures to viewers. Its one thread lives while somebody watches."""

    def __init__(
        self,
        views: ViewStore,
        watchers: WatcherStore,
        outage: Callable[[threading.Event], Outage],
        tracing: Tracing = OFF,
    ) -> None:
        """`outage`: makes the object that waits while Redis is away, until an event is set."""
        self._views = views
        self._watchers = watchers
        self._make_outage = outage
        self._tracing = tracing
        self._lock = threading.Lock()
        self._viewers: set[Viewer] = set()
        self._newest: dict[str, View] = {}
        self._announced: dict[str, float] = {}
        self._thread: threading.Thread | None = None

    @contextmanager
    def watch(
        self, camera_ids: Iterable[str], large: Iterable[str] = (), slow: Iterable[str] = ()
    ) -> Iterator[Viewer]:
        """Return a viewer of these cameras, which gets the newest known pictures at once.

        Workers draw a camera once, in the largest size that any viewer needs.
        `slow`: cameras of which a few pictures a second are enough.
        """
        viewer = Viewer(camera_ids, large, slow)
        with self._lock:
            self._viewers.add(viewer)
            for camera_id in viewer.camera_ids & self._newest.keys():
                viewer.put(self._newest[camera_id])
            if self._thread is None and viewer.camera_ids:
                self._thread = threading.Thread(target=self._run, name="hub", daemon=True)
                self._thread.start()
        try:
            yield viewer
        finally:
            with self._lock:
                self._viewers.discard(viewer)

    def viewers(self) -> int:
        """The number of connections that watch."""
        with self._lock:
            return len(self._viewers)

    def reading(self) -> bool:
        """Whether the reader runs."""
        with self._lock:
            return self._thread is not None

    def _run(self) -> None:
        outage = self._make_outage(threading.Event())
        with closing(self._views.reader()) as reader:
            self._read_on(reader, outage)

    def _read_on(self, reader: ViewReader, outage: Outage) -> None:
        while watched := self._watched():
            try:
                self._announce(watched, self._watched_large())
                self._deliver(reader.read(watched, BLOCK_MS))
                outage.over()
            except StoreError as error:
                reader.begin_again()
                outage.report(error)
            except Exception:
                _log.exception("the hub failed to pass on pictures; trying again")
                time.sleep(REFRESH_S)

    def _watched(self) -> frozenset[str]:
        """Return the watched cameras; without any, the thread ends."""
        with self._lock:
            watched = frozenset[str]().union(*(v.camera_ids for v in self._viewers))
            for kept in (self._newest, self._announced):
                for camera_id in kept.keys() - watched:
                    del kept[camera_id]
            if not watched:
                self._thread = None
            return watched

    def _watched_large(self) -> frozenset[str]:
        with self._lock:
            return frozenset[str]().union(*(viewer.large for viewer in self._viewers))

    def _announce(self, watched: frozenset[str], large: frozenset[str]) -> None:
        now = time.monotonic()
        due = [c for c in watched if now - self._announced.get(c, -REFRESH_S) >= REFRESH_S]
        if due:
            self._watchers.announce(due, large)
            self._announced.update(dict.fromkeys(due, now))

    def _deliver(self, views: list[View]) -> None:
        with self._lock:
            for view in views:
                self._newest[view.camera_id] = view
                watching = [one for one in self._viewers if view.camera_id in one.camera_ids]
                for viewer in watching:
                    viewer.put(view)
                if view.trace:
                    self._note_shown(view, len(watching))

    def _note_shown(self, view: View, viewers: int) -> None:
        drawn_s = stream_moment(view.stream_id)
        now_s = self._tracing.now_s()
        self._tracing.record(view.trace, "shown", drawn_s, now_s, viewers=viewers)


def make_hub(bus: Bus, tracing: Tracing = OFF) -> Hub:
    """Return a hub over one bus. Connects to nothing."""
    return Hub(bus.views, bus.watchers, bus.outage, tracing)

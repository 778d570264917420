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
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import closing, contextmanager
from typing import Final

from redis import Redis
from redis.exceptions import RedisError

from bus.connection.client import Outage
from bus.keys import CameraKeys
from bus.picture_seal import PictureSeal
from bus.streams import StreamReader
from contract.errors import MessageError
from contract.pictures.views import WATCHED_EXPIRE_S, View
from runtime.tracing import OFF, Tracing, stream_moment

REFRESH_S: Final = 0.3
"""Three times while `watched` lives, so that one that comes late costs no picture."""
# Also the longest a new viewer of an unwatched camera waits to be taken along.
BLOCK_MS: Final = 150

SLOW_EVERY_S: Final = 0.25
"""For tiles so small that nobody sees more in eight pictures a second than in four."""

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
        """Those that need a large picture."""
        self._due_at = dict.fromkeys(frozenset(slow) - self.large, 0.0)
        """When the next picture of those is due that come seldom."""
        self._clock = clock
        self._lock = threading.Lock()
        self._arrived = threading.Event()
        self._views: dict[str, View] = {}

    def put(self, view: View) -> None:
        """Leave a picture; one of the same camera that was not taken yet is forgotten."""
        with self._lock:
            self._views[view.camera_id] = view
            self._arrived.set()

    def take(self, timeout_s: float) -> list[View]:
        """Return what came since the last call, waiting up to `timeout_s` for something.

        A picture of a camera that comes seldom waits here for its time, or for a newer one.
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
        """Seconds until a picture that waits is due."""
        with self._lock:
            waiting = [self._due_at[id_] for id_ in self._views if id_ in self._due_at]
            return max(0.0, min(waiting) - self._clock()) if waiting else float("inf")


class Hub:
    """Hands new pictures to viewers. Its one thread lives while somebody watches."""

    def __init__(self, redis: Redis, tracing: Tracing = OFF) -> None:
        self._redis = redis
        self._seal = PictureSeal(redis)
        self._tracing = tracing
        self._lock = threading.Lock()
        self._viewers: set[Viewer] = set()
        self._newest: dict[str, View] = {}
        self._positions: dict[str, bytes | str] = {}
        self._announced: dict[str, float] = {}
        self._thread: threading.Thread | None = None

    @contextmanager
    def watch(
        self, camera_ids: Iterable[str], large: Iterable[str] = (), slow: Iterable[str] = ()
    ) -> Iterator[Viewer]:
        """A viewer of these cameras, which gets the newest known pictures at once.

        Workers draw a camera once, in the size of the largest picture that anybody has of it.
        `slow`: those of which a few pictures a second do.
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
        """How many connections watch now."""
        with self._lock:
            return len(self._viewers)

    def reading(self) -> bool:
        """Whether the reader runs."""
        with self._lock:
            return self._thread is not None

    def _run(self) -> None:
        outage = Outage(self._redis, threading.Event())
        with closing(StreamReader(self._redis)) as streams:
            self._read_on(streams, outage)

    def _read_on(self, streams: StreamReader, outage: Outage) -> None:
        while watched := self._watched():
            try:
                self._announce(watched, self._watched_large())
                self._deliver(self._read(streams, watched))
                outage.over()
            except RedisError as error:
                # A new or restored server may count its entries from an earlier time.
                self._positions.clear()
                outage.report(error)
            except Exception:
                _log.exception("the hub failed to pass on pictures; trying again")
                time.sleep(REFRESH_S)

    def _watched(self) -> frozenset[str]:
        """The cameras somebody watches; when there are none the thread is over."""
        with self._lock:
            watched = frozenset[str]().union(*(v.camera_ids for v in self._viewers))
            for kept in (self._newest, self._positions, self._announced):
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
            announce(self._redis, due, large)
            self._announced.update(dict.fromkeys(due, now))

    def _read(self, streams: StreamReader, watched: frozenset[str]) -> list[View]:
        names = {CameraKeys(camera_id).view.encode(): camera_id for camera_id in watched}
        places = {name: self._positions.get(one, "0") for name, one in names.items()}
        views = []
        for name, entries in streams.read(places, BLOCK_MS):
            camera_id, (stream_id, fields) = names[name], entries[-1]
            self._positions[camera_id] = stream_id
            try:
                views.append(View.decode(camera_id, stream_id, self._seal.opened(fields)))
            except MessageError as error:
                _log.warning("%s", error)
        return views

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


def announce(redis: Redis, camera_ids: Iterable[str], large: Container[str] = ()) -> None:
    """Tell the workers that somebody looks at these cameras now, at some in a large picture."""
    expire_ms = round(WATCHED_EXPIRE_S * 1000)
    with redis.pipeline(transaction=False) as pipeline:
        for camera_id in camera_ids:
            names = CameraKeys(camera_id)
            pipeline.set(names.watched, 1, px=expire_ms)
            if camera_id in large:
                pipeline.set(names.watched_large, 1, px=expire_ms)
        pipeline.execute()

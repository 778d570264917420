"""The hub: one reader for all viewers. Also the fake camera that the dashboard's tests use."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from redis import Redis

from bus.bus import Bus
from bus.keys import CameraKeys
from bus.members.leases import LeaseStore
from bus.stores.frames import FramePublisher
from bus.stores.outcomes import OutcomeStore
from bus.stores.status import StatusStore
from contract.cameras.camera import make_camera
from contract.cameras.quality import QualityReport
from contract.cameras.status import CameraState, CameraStatus
from contract.people.faces import Face, FrameFaces
from contract.people.outcomes import ConditionRecord, Outcome
from contract.people.people import Person
from contract.people.totals import AGE_BUCKETS_S, Increments, age_field, people_field
from contract.people.verdicts import Verdict
from contract.pictures.views import View
from dashboard.live.hub import SLOW_EVERY_S, Viewer, make_hub
from tests.secret_key import cameras_of

LEASE_S = 60.0


class FakeCamera:
    """A registered camera whose ingest and worker are this test; committed as they would."""

    def __init__(self, redis: Redis, name: str, source: str = "demo:", **fields: Any) -> None:
        self.camera = cameras_of(redis).add(make_camera(name=name, source=source, **fields))
        self.id = self.camera.id
        self.keys = CameraKeys(self.id)
        ingest = LeaseStore(redis, "ingest", "ingest", LEASE_S).acquire(self.id)
        worker = LeaseStore(redis, "worker", "worker", LEASE_S).acquire(self.id)
        assert ingest is not None
        assert worker is not None
        self._ingest, self.worker_lease = ingest, worker
        self._status = StatusStore(redis)
        self._publisher = FramePublisher(redis, ingest, 4)
        self._outcomes = OutcomeStore(redis)
        self.set_state("live")

    def set_state(self, state: CameraState, **details: Any) -> None:
        facts = {"fps": 25.0, "width": 64, "height": 48, "codec": "h264", **details}
        self._status.write(self._ingest, CameraStatus(state, time.time(), **facts))

    def commit(
        self,
        faces: tuple[Verdict, ...] = (),
        people: dict[Verdict, int] | None = None,
        age_s: float = 0.1,
        captured: int = 3,
        condition: QualityReport | None = None,
    ) -> int:
        """Publish a frame captured `age_s` ago and commit its outcome; return its sequence."""
        now_s = time.time()
        drops, counts = Increments(), Increments()
        drops.add("dropped:not_sampled", captured - 1)
        sequence = self._publisher.publish(b"jpeg", now_s - age_s, now_s, captured, drops)
        counts.add("frames:analysed")
        counts.observe(age_field("analysed"), AGE_BUCKETS_S, age_s)
        for verdict, count in (people or {}).items():
            counts.add(people_field(verdict), count)
        found = tuple(
            Face((1.0, 2.0, 21.0, 32.0), 0.9, verdict, 0.8, number)
            for number, verdict in enumerate(faces)
        )
        frame = FrameFaces(
            self.id, sequence, sequence * 3, now_s - age_s, now_s, 64, 48, "yunet", found
        )
        known = ConditionRecord(condition.encode(), "{}") if condition else None
        outcome = Outcome(sequence, 1, counts, "{}", frame, picture(sequence), condition=known)
        self._outcomes.commit(self.worker_lease, outcome)
        return sequence

    def count_person(self, verdict: Verdict, confidence: float, in_view_s: float) -> None:
        """Commit somebody who has just gone."""
        now_s, counts = time.time(), Increments()
        counts.add(people_field(verdict))
        person = Person(7, now_s - in_view_s, now_s, 25, 40.0, verdict, confidence, in_view_s)
        sequence = self._publisher.publish(b"jpeg", now_s, now_s, 1, Increments())
        frame = FrameFaces(self.id, sequence, sequence, now_s, now_s, 64, 48, "yunet", ())
        outcome = Outcome(sequence, 1, counts, "{}", frame, b"", people=(person,))
        self._outcomes.commit(self.worker_lease, outcome)


class Feed:
    """Commits a frame of each camera ten times a second from a thread, until left."""

    def __init__(self, *cameras: FakeCamera) -> None:
        self.cameras = set(cameras)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Feed:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(0.1):
            for camera in tuple(self.cameras):
                camera.commit(("mask", "no_mask"))


def picture(number: int) -> bytes:
    """A small JPEG whose brightness follows `number`."""
    image = np.full((48, 64, 3), number * 7 % 256, np.uint8)
    return bytes(cv2.imencode(".jpg", image)[1].tobytes())


def eventually(condition: Callable[[], object], timeout_s: float = 30.0) -> bool:
    """Whether `condition` came true within a generous time."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def next_view(viewer: Viewer) -> View:
    views = viewer.take(10.0)
    assert views, "no picture came"
    return views[-1]


def test_two_viewers_get_the_same_pictures_through_one_blocked_reader(redis: Redis) -> None:
    camera, hub = FakeCamera(redis, "Gate"), make_hub(Bus(redis))
    with hub.watch([camera.id]) as first, hub.watch([camera.id]) as second:
        sequence = camera.commit(("mask",))
        assert next_view(first).sequence == next_view(second).sequence == sequence
        assert eventually(lambda: redis.info("clients")["blocked_clients"] == 1)
        assert [t.name for t in threading.enumerate()].count("hub") == 1


def test_one_reader_carries_all_watched_cameras(redis: Redis) -> None:
    cameras, hub = [FakeCamera(redis, f"Gate {n}") for n in range(9)], make_hub(Bus(redis))
    with hub.watch([camera.id for camera in cameras]) as viewer:
        for camera in cameras:
            camera.commit()
        seen: set[str] = set()
        assert eventually(
            lambda: seen.update(v.camera_id for v in viewer.take(0.2)) or len(seen) == 9
        )
        assert redis.info("clients")["blocked_clients"] <= 1


def test_a_slow_viewer_finds_only_the_newest_picture_and_delays_nobody(redis: Redis) -> None:
    camera, hub = FakeCamera(redis, "Gate"), make_hub(Bus(redis))
    with hub.watch([camera.id]) as slow, hub.watch([camera.id]) as quick:
        for _ in range(5):
            sequence = camera.commit()
            assert next_view(quick).sequence == sequence
        assert [view.sequence for view in slow.take(0)] == [5]


def test_a_camera_in_a_tiny_picture_comes_seldom_and_then_as_it_is_now() -> None:
    now_s = 100.0
    viewer = Viewer(["tiny", "other"], slow=["tiny"], clock=lambda: now_s)

    def came(*numbers: tuple[str, int]) -> list[tuple[str, int]]:
        for camera_id, number in numbers:
            viewer.put(View(camera_id, b"1-0", number, 0.0, b"", {}))
        return sorted((view.camera_id, view.sequence) for view in viewer.take(0))

    assert came(("tiny", 1), ("other", 1)) == [("other", 1), ("tiny", 1)]
    assert came(("tiny", 2), ("other", 2)) == [("other", 2)]
    assert came(("tiny", 3)) == []
    now_s += SLOW_EVERY_S
    assert came() == [("tiny", 3)]
    assert came(("tiny", 4)) == []
    viewer_of_large = Viewer(["a"], large=["a"], slow=["a"], clock=lambda: now_s)
    for number in (1, 2):
        viewer_of_large.put(View("a", b"1-0", number, 0.0, b"", {}))
        assert [view.sequence for view in viewer_of_large.take(0)] == [number]


def test_a_new_viewer_gets_the_newest_known_picture_at_once(redis: Redis) -> None:
    camera, hub = FakeCamera(redis, "Gate"), make_hub(Bus(redis))
    with hub.watch([camera.id]) as first:
        camera.commit()
        next_view(first)
        with hub.watch([camera.id]) as second:
            assert [view.sequence for view in second.take(0)] == [1]


def test_nobody_is_asked_to_draw_once_the_last_viewer_left(redis: Redis) -> None:
    camera, hub = FakeCamera(redis, "Gate"), make_hub(Bus(redis))
    with hub.watch([camera.id]):
        assert eventually(lambda: redis.exists(camera.keys.watched))
        assert 0 < redis.pttl(camera.keys.watched) <= 5000
    assert hub.viewers() == 0
    assert eventually(lambda: not hub.reading()), "the key is set again, and never expires"
    assert redis.pttl(camera.keys.watched) <= 5000


def test_a_watched_camera_stays_watched_for_longer_than_the_key_lives(redis: Redis) -> None:
    camera, hub = FakeCamera(redis, "Gate"), make_hub(Bus(redis))
    with hub.watch([camera.id]):
        assert eventually(lambda: redis.exists(camera.keys.watched))
        redis.delete(camera.keys.watched)
        assert eventually(lambda: redis.exists(camera.keys.watched)), "it was not set again"


def test_a_large_picture_is_asked_for_where_one_viewer_has_a_large_one(redis: Redis) -> None:
    small, large, hub = FakeCamera(redis, "A"), FakeCamera(redis, "B"), make_hub(Bus(redis))
    both = [small.id, large.id]
    with hub.watch(both), hub.watch(both, [large.id]):
        assert eventually(lambda: redis.exists(large.keys.watched_large))
        assert redis.exists(small.keys.watched)
        assert not redis.exists(small.keys.watched_large)
    assert eventually(lambda: not redis.exists(large.keys.watched, large.keys.watched_large))


def test_a_broken_picture_stops_no_other(redis: Redis) -> None:
    broken, good, hub = FakeCamera(redis, "A"), FakeCamera(redis, "B"), make_hub(Bus(redis))
    redis.xadd(broken.keys.view, {"hello": "world"})
    with hub.watch([broken.id, good.id]) as viewer:
        good.commit()
        assert next_view(viewer).camera_id == good.id


def test_viewing_goes_on_after_an_outage(redis: Redis) -> None:
    camera, hub = FakeCamera(redis, "Gate"), make_hub(Bus(redis))
    with hub.watch([camera.id]) as viewer:
        camera.commit()
        next_view(viewer)
        redis.client_kill_filter(_type="normal", skipme=True)
        sequence = camera.commit()
        assert next_view(viewer).sequence == sequence

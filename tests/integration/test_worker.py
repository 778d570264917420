"""The worker's loop on a real Redis; networks are scripted, since they are not the point."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from redis import Redis

from bus.bus import Bus
from bus.keys import INFERENCE, CameraKeys
from bus.members.leases import Lease, LeaseStore
from bus.stores.audits import AuditStore
from bus.stores.history import HistoryStore
from contract.cameras.camera import Camera
from contract.errors import ModelNotFoundError
from contract.people.audits import Audit
from contract.people.faces import FrameFaces
from contract.people.minutes import DAY_MINUTES, minute_of, parse_open_field
from contract.people.people import Person
from contract.people.totals import WORKERS_BUSY, crossed_field, decode_totals
from face_detector.detection import FaceDetector
from tests.builders import (
    ScriptedClassifier,
    ScriptedDetector,
    Source,
    add_camera,
    jpeg,
    take_lease,
    totals_of,
    view_of,
)
from worker.intake import BLOCK_MS
from worker.networks import Networks
from worker.service import make_worker

FACE = (100.0, 80.0, 160.0, 150.0)


NEVER_STALE_S, STALE_AFTER_S = 60.0, 0.5


class FixedOwnership:
    """The cameras a test says are owned."""

    def __init__(self) -> None:
        self.cameras: dict[str, tuple[Camera, Lease]] = {}

    def owned(self) -> dict[str, tuple[Camera, Lease]]:
        return dict(self.cameras)


class Clock:
    def __init__(self) -> None:
        self.offset_s = 0.0

    def __call__(self) -> float:
        return time.time() + self.offset_s


class Bench:
    """One worker, stepped by hand."""

    def __init__(
        self, redis: Redis, detector: ScriptedDetector, budget_s: float = NEVER_STALE_S
    ) -> None:
        self.redis = redis
        self.detector = detector
        self.classifier = ScriptedClassifier()
        self.ownership = FixedOwnership()
        self.clock = Clock()
        networks = Networks(self._load, "yunet", self.classifier)
        self.worker = make_worker(
            Bus(redis),
            networks,
            self.ownership,  # type: ignore[arg-type]
            threading.Event(),
            staleness_budget_s=budget_s,
            max_batch=16,
            clock=self.clock,
        )

    def _load(self, name: str) -> FaceDetector:
        if name == "ssd":
            raise ModelNotFoundError("no such file")
        return self.detector

    def own(self, camera: Camera, owner: str = "w1") -> Lease:
        lease = take_lease(self.redis, camera.id, "worker", owner)
        self.ownership.cameras[camera.id] = (camera, lease)
        return lease

    def steps(self, number: int = 1) -> None:
        for _ in range(number):
            self.worker.step()


@pytest.fixture
def bench(redis: Redis) -> Iterator[Bench]:
    return Bench(redis, ScriptedDetector())


@pytest.fixture
def strict(redis: Redis) -> Bench:
    """One that drops what is late; the others do not, however busy this machine is."""
    return Bench(redis, ScriptedDetector(), STALE_AFTER_S)


def faces_of(redis: Redis, camera: Camera) -> FrameFaces:
    raw = redis.get(CameraKeys(camera.id).latest)
    assert isinstance(raw, bytes)
    return FrameFaces.decode(raw)


def test_frames_become_faces_verdicts_and_totals(redis: Redis, bench: Bench) -> None:
    camera = add_camera(redis)
    bench.own(camera)
    source = Source(redis, camera)
    bench.detector.script = [[FACE], [FACE]]
    for _ in range(2):
        source.publish()
        bench.steps()
    latest = faces_of(redis, camera)
    assert latest.sequence == 2
    assert [(face.verdict, face.track_id) for face in latest.faces] == [("mask", 1)]
    totals = totals_of(redis, camera.id)
    assert totals["frames:published"] == totals["frames:analysed"] == 2
    assert bench.classifier.seen == 1  # at once when new, then after a while


def test_the_time_that_a_worker_waits_for_frames_is_not_time_that_it_was_busy(
    redis: Redis, bench: Bench
) -> None:
    camera = add_camera(redis)
    bench.own(camera)
    bench.detector.script = [[FACE]]
    Source(redis, camera).publish()
    began_s, waits = time.perf_counter(), 6
    bench.steps(1 + waits)
    lasted_s = time.perf_counter() - began_s
    bench.clock.offset_s = 1.0
    bench.steps()  # time to write it down
    busy_s = decode_totals(redis.hgetall(INFERENCE))[WORKERS_BUSY]
    # A wait lasts what Redis was asked to wait, however slow the machine is.
    assert 0 < busy_s < lasted_s - 0.9 * waits * BLOCK_MS / 1000


def test_a_person_is_counted_once_when_gone_and_again_never(redis: Redis, bench: Bench) -> None:
    camera = add_camera(redis)
    bench.own(camera)
    source = Source(redis, camera)
    bench.detector.script = [[FACE]] * 4
    for age_s in (0.45, 0.3, 0.15, 0.0):
        source.publish(age_s=age_s)
    bench.steps(4)
    assert "people:mask" not in totals_of(redis, camera.id)
    bench.clock.offset_s = 4.0
    bench.steps(3)
    assert totals_of(redis, camera.id)["people:mask"] == 1
    bench.clock.offset_s = 9.0
    bench.steps(3)
    assert totals_of(redis, camera.id)["people:mask"] == 1


def test_old_frames_are_dropped_and_counted_by_cause(redis: Redis, strict: Bench) -> None:
    camera = add_camera(redis)
    strict.own(camera)
    source = Source(redis, camera)
    for age_s in (3.0, 2.0, 0.0):
        source.publish(age_s=age_s)
    strict.steps()
    totals = totals_of(redis, camera.id)
    assert (totals["dropped:stale"], totals["frames:analysed"]) == (2, 1)


def test_only_old_frames_are_counted_too(redis: Redis, strict: Bench) -> None:
    camera = add_camera(redis)
    strict.own(camera)
    Source(redis, camera).publish(age_s=2.0)
    strict.steps()
    assert totals_of(redis, camera.id)["dropped:stale"] == 1


def test_a_frame_that_waited_for_long_gives_way_to_a_newer_one(redis: Redis) -> None:
    patient = Bench(redis, ScriptedDetector(), budget_s=20.0)
    behind, alone = add_camera(redis, "Behind"), add_camera(redis, "Alone")
    for camera, ages_s in ((behind, (14.0, 12.0, 4.0, 0.0)), (alone, (14.0,))):
        patient.own(camera)
        source = Source(redis, camera)
        for age_s in ages_s:
            source.publish(age_s=age_s)
    patient.steps(3)
    totals = totals_of(redis, behind.id)
    assert (totals["dropped:stale"], totals["frames:analysed"]) == (2, 2)
    assert totals_of(redis, alone.id)["frames:analysed"] == 1


def test_every_published_frame_is_analysed_or_dropped(redis: Redis) -> None:
    strict = Bench(redis, ScriptedDetector(), budget_s=20.0)
    camera = add_camera(redis)
    strict.own(camera)
    source = Source(redis, camera, max_frames=4)
    for number in range(12):
        source.publish(age_s=40.0 if number in {9, 10} else 0.0)
    source.publish(data=b"not a JPEG")
    strict.steps(6)
    totals = totals_of(redis, camera.id)
    dropped = sum(amount for field, amount in totals.items() if field.startswith("dropped:"))
    assert totals["frames:published"] == 13 == totals["frames:analysed"] + dropped
    assert totals["dropped:overflow"] == 9
    assert totals["dropped:stale"] == 2
    assert totals["dropped:undecodable"] == 1


def test_garbage_in_a_stream_is_counted_once_and_harms_nobody(
    redis: Redis, bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    camera = add_camera(redis)
    bench.own(camera)
    redis.xadd(CameraKeys(camera.id).frames, {"v": "2", "seq": "x"})
    Source(redis, camera).publish()
    bench.steps(2)
    totals = totals_of(redis, camera.id)
    assert (totals["dropped:malformed"], totals["frames:analysed"]) == (1, 1)
    assert "is not a frame" in caplog.text


def test_a_camera_is_drawn_only_while_someone_watches(redis: Redis, bench: Bench) -> None:
    camera = add_camera(redis)
    bench.own(camera)
    source = Source(redis, camera)
    source.publish()
    bench.steps()
    names = CameraKeys(camera.id)
    assert redis.xlen(names.view) == 0
    redis.set(names.watched, 1, ex=5)
    bench.clock.offset_s = 0.6
    bench.steps()
    bench.clock.offset_s = 0.0
    bench.detector.script = [[FACE]]
    source.publish()
    bench.steps()
    view = view_of(redis, camera.id)
    picture = cv2.imdecode(np.frombuffer(view.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (240, 320, 3)
    assert np.ptp(picture[75:155, 95:165]) > 60, "no box was drawn"
    assert view.counts["mask"] == 1


@pytest.mark.parametrize(("large", "width"), [(False, 640), (True, 1280)])
def test_a_camera_is_drawn_in_the_size_that_someone_looks_at_it_in(
    redis: Redis, bench: Bench, large: bool, width: int
) -> None:
    camera = add_camera(redis)
    names = CameraKeys(camera.id)
    redis.set(names.watched, 1, ex=30)
    if large:
        redis.set(names.watched_large, 1, ex=30)
    bench.own(camera)
    bench.steps()  # who looks is asked with the books
    bench.clock.offset_s = 0.6
    bench.steps()
    bench.clock.offset_s = 0.0
    Source(redis, camera).publish(data=jpeg(1920, 1080))
    bench.steps()
    view = view_of(redis, camera.id)
    picture = cv2.imdecode(np.frombuffer(view.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (width * 9 // 16, width, 3)


def test_a_lost_camera_is_taken_over_with_its_people(redis: Redis, bench: Bench) -> None:
    camera = add_camera(redis)
    old = bench.own(camera, "old")
    source = Source(redis, camera)
    bench.detector.script = [[FACE]] * 4
    source.publish(age_s=0.4)
    source.publish(age_s=0.2)
    bench.steps(2)
    LeaseStore(redis, "worker", "old", 30).release(old)
    successor = Bench(redis, ScriptedDetector([[FACE]]))
    successor.own(camera, "new")
    source.publish()
    bench.steps()  # the old owner does not know yet; its commit is refused
    assert faces_of(redis, camera).sequence == 2
    successor.steps()
    latest = faces_of(redis, camera)
    assert (latest.sequence, latest.faces[0].track_id) == (3, 1)
    assert totals_of(redis, camera.id)["frames:analysed"] == 3


def test_a_tracker_state_of_an_older_version_starts_afresh_and_says_so(
    redis: Redis, bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    camera = add_camera(redis)
    redis.set(CameraKeys(camera.id).tracker, '{"v":1,"next_id":3,"tracks":[]}')
    bench.own(camera)
    bench.detector.script = [[FACE]]
    Source(redis, camera).publish()
    bench.steps()
    assert [face.track_id for face in faces_of(redis, camera).faces] == [1]
    assert "a tracker's state has schema '1', expected" in caplog.text


def test_a_worker_of_the_version_before_is_taken_over_with_its_people(
    redis: Redis, bench: Bench
) -> None:
    saved = json.loads(Path("tests/unit/saved_states/trackers.json").read_text(encoding="utf-8"))
    camera = add_camera(redis)
    redis.set(CameraKeys(camera.id).tracker, saved["states"]["2"])
    bench.own(camera)
    source = Source(redis, camera)
    bench.detector.script = [[]]
    source.publish()
    bench.steps()  # all of them have gone: their frame had another size
    totals = totals_of(redis, camera.id)
    assert {name: n for name, n in totals.items() if name.startswith("people")} == {
        "people:mask": 1,
        "people:unknown": 1,
    }
    assert json.loads(redis.get(CameraKeys(camera.id).tracker))["v"] == 3


def test_who_crosses_a_line_is_counted_in_the_commit_that_counts_the_person(
    redis: Redis, bench: Bench
) -> None:
    door = {"name": "Door", "points": [(0.0, 0.5), (1.0, 0.5)]}
    poster = [(0.7, 0.0), (1.0, 0.0), (1.0, 0.3), (0.7, 0.3)]
    camera = add_camera(redis, lines=[door], ignored=[poster])
    bench.own(camera)
    source = Source(redis, camera)
    picture = (250.0, 10.0, 300.0, 60.0)
    bench.detector.script = [
        [(100.0, y, 150.0, y + 60.0), picture] for y in (40.0, 70.0, 100.0, 130.0)
    ]
    now_s = time.time()
    for age_s in (0.45, 0.3, 0.15, 0.0):
        source.publish_at(now_s - age_s)
    bench.steps(4)
    assert len(faces_of(redis, camera).faces) == 1
    bench.clock.offset_s = 4.0
    bench.steps(3)
    totals = totals_of(redis, camera.id)
    counted = {field: n for field, n in totals.items() if field.startswith(("people", "crossed"))}
    assert counted == {"people:mask": 1, crossed_field("Door", "in", "mask"): 1}
    [(_, fields)] = redis.xrange(CameraKeys(camera.id).people)
    [crossing] = Person.decode(fields[b"person"]).crossings
    assert (crossing.line, crossing.direction) == ("Door", "in")


def test_a_camera_whose_detector_is_missing_drops_its_frames_and_says_so(
    redis: Redis, bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    camera = add_camera(redis, detector="ssd")
    other = add_camera(redis, "Hall")
    for one in (camera, other):
        bench.own(one)
        Source(redis, one).publish()
    bench.steps(2)
    assert totals_of(redis, camera.id)["dropped:no_network"] == 1
    assert totals_of(redis, other.id)["frames:analysed"] == 1
    assert "no such file" in caplog.text


def test_frames_of_several_cameras_share_a_batch(redis: Redis, bench: Bench) -> None:
    for name in ("a", "b", "c"):
        camera = add_camera(redis, name)
        bench.own(camera)
        Source(redis, camera).publish()
    bench.steps()
    bench.clock.offset_s = 0.6
    bench.steps()
    inference = decode_totals(redis.hgetall(INFERENCE))
    assert inference["yunet:batch:le:4"] == 1


def minutes_of(redis: Redis, camera: Camera) -> Counter[str]:
    """What the camera's minutes add up to."""
    days = HistoryStore(redis).days([camera.id], today() - 1, today() + 1)
    sums = Counter[str]()
    for _, _, columns in days:
        sums.update({name: int(amounts.sum()) for name, amounts in columns.items()})
    return sums


def today() -> int:
    return minute_of(time.time()) // DAY_MINUTES


def test_the_minutes_say_what_was_analysed_and_a_gap_is_not(redis: Redis, strict: Bench) -> None:
    camera = add_camera(redis)
    strict.own(camera)
    source = Source(redis, camera)
    strict.detector.script = [[FACE]] * 3 + [[]]
    begin_s = time.time() - 5
    # Two frames 0.3 s apart, a stale one, then after a gap of 3 s two frames 0.2 s apart.
    for after_s, now_after_s in ((0.0, 0.0), (0.3, 0.3), (0.5, 3.3), (3.3, 3.3), (3.5, 3.5)):
        strict.clock.offset_s = begin_s + now_after_s - time.time()
        source.publish_at(begin_s + after_s)
        strict.steps()
    minutes = minutes_of(redis, camera)
    assert (minutes["frames"], minutes["faces"], minutes["dropped"]) == (4, 3, 1)
    assert minutes["analysed_ms"] == pytest.approx(500, abs=20)


def test_a_person_belongs_to_the_minute_of_its_last_sighting(redis: Redis, bench: Bench) -> None:
    camera = add_camera(redis)
    bench.own(camera)
    source = Source(redis, camera)
    bench.detector.script = [[FACE]] * 4
    last_seen_s = (minute_of(time.time()) * 60) - 0.01
    for after_s in (-0.6, -0.4, -0.2, 0.0):
        bench.clock.offset_s = last_seen_s + after_s - time.time()
        source.publish_at(last_seen_s + after_s)
        bench.steps()
    bench.clock.offset_s += 4.0  # the camera is quiet; its people have gone, in the next minute
    bench.steps(3)
    [field] = [f for f in redis.hkeys(CameraKeys(camera.id).minutes) if b"people" in f]
    assert parse_open_field(field) == (minute_of(last_seen_s), "people:mask")
    [(_, fields)] = redis.xrange(CameraKeys(camera.id).people)
    person = Person.decode(fields[b"person"])
    assert person.verdict == "mask"
    assert person.last_seen_s == pytest.approx(last_seen_s, abs=0.02)


def test_a_worker_packs_the_minutes_of_a_camera_that_has_many(redis: Redis, bench: Bench) -> None:
    camera = add_camera(redis)
    bench.own(camera)
    names = CameraKeys(camera.id)
    for number in range(400):
        redis.hset(names.minutes, f"{today() * DAY_MINUTES - number}:faces", 1)
    bench.steps()
    assert not redis.exists(names.minutes)
    assert minutes_of(redis, camera)["faces"] == 400


def test_frames_a_dead_owner_left_are_analysed_late_and_not_shown(
    redis: Redis, strict: Bench
) -> None:
    camera = add_camera(redis)
    old = strict.own(camera, "old")
    source = Source(redis, camera)
    strict.detector.script = [[FACE]]
    source.publish()
    strict.steps()
    LeaseStore(redis, "worker", "old", 30).release(old)
    for age_s in (6.0, 2.0, 1.5, 1.0):
        source.publish(age_s=age_s)
    successor = Bench(redis, ScriptedDetector([[FACE]] * 3), STALE_AFTER_S)
    successor.own(camera, "new")
    redis.set(CameraKeys(camera.id).watched, 1)
    successor.steps(4)
    assert faces_of(redis, camera).sequence == 5
    totals = totals_of(redis, camera.id)
    assert (totals["frames:analysed"], totals["dropped:stale"]) == (4, 1)
    assert redis.xlen(CameraKeys(camera.id).view) == 0
    # From then on lateness is lateness.
    successor.clock.offset_s = 9.0
    source.publish(age_s=-5.0)
    successor.steps()
    assert totals_of(redis, camera.id)["dropped:stale"] == 2


def test_a_damaged_entry_takes_the_place_of_the_frame_it_was(redis: Redis, bench: Bench) -> None:
    camera = add_camera(redis)
    bench.own(camera)
    source = Source(redis, camera)
    names = CameraKeys(camera.id)
    for _ in range(3):
        source.publish()
    [_, (damaged, _), (last, fields)] = redis.xrange(names.frames)
    redis.xdel(names.frames, damaged, last)
    redis.xadd(names.frames, {b"v": b"2", b"seq": b"two"})
    redis.xadd(names.frames, fields)
    bench.steps(4)
    totals = totals_of(redis, camera.id)
    dropped = {field: n for field, n in totals.items() if field.startswith("dropped:")}
    assert totals["frames:analysed"] + sum(dropped.values()) == 3
    assert dropped["dropped:malformed"] == 1
    assert "dropped:overflow" not in dropped


def test_an_audit_draws_people_with_their_best_pictures_and_counts_everybody(
    redis: Redis, bench: Bench
) -> None:
    camera, other = add_camera(redis), add_camera(redis, "Not audited")
    chances = {"mask": 1.0, "incorrect": 1.0, "no_mask": 0.0, "unknown": 1.0}
    now_s = time.time()
    audit = Audit("a1", "Gate", (camera.id,), 20, chances, "Ada", now_s, now_s + 600)
    store = AuditStore(redis)
    store.start(audit)
    bench.detector.script = [[FACE]] * 8
    for one in (camera, other):
        bench.own(one)
        source = Source(redis, one)
        for age_s in (1.2, 0.8, 0.4, 0.0):
            source.publish(age_s=age_s)
    bench.steps(4)
    bench.clock.offset_s = 4.0
    bench.steps(3)
    found = store.findings(audit)
    assert found.counted == {camera.id: {"mask": 1}}
    [person] = found.drawn
    assert (person.camera_id, person.verdict, person.pictures) == (camera.id, "mask", 3)
    picture = store.picture(audit.id, person.id, 0)
    assert picture is not None
    shown = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    # The face and 0.6 of its size on each side.
    assert shown.shape[:2] == (round(70 * 2.2), round(60 * 2.2))
    store.stop(audit.id)
    bench.clock.offset_s = 5.0
    bench.steps()
    assert len(store.findings(audit).drawn) == 1

"""Frames, leases and outcomes against a real Redis."""

from __future__ import annotations

import time
from itertools import chain

import pytest
from redis import Redis

from bus.keys import CameraKeys
from bus.members.leases import Lease, LeaseStore, Ownership, assign
from bus.stores.cameras import CameraRegistry, CameraRoster
from bus.stores.frames import FramePublisher
from bus.stores.outcomes import OutcomeStore
from bus.stores.status import StatusStore
from contract.cameras.camera import make_camera
from contract.cameras.status import CameraStatus
from contract.errors import (
    CameraConfigError,
    CameraNotFoundError,
    LeaseLostError,
    MessageError,
    NotNewerError,
)
from contract.people.faces import Face, FrameFaces
from contract.people.outcomes import Committed, Outcome
from contract.people.totals import (
    AGE_BUCKETS_S,
    Increments,
    age_field,
    decode_totals,
    dropped_field,
    read_histogram,
)
from contract.pictures.frames import FrameMessage
from tests.builders import frames_of, view_of
from tests.secret_key import cameras_of

FACE = Face((1.0, 2.0, 30.0, 40.0), 0.9, "mask", 0.8, 7)


def lease_for(redis: Redis, role: str, owner: str = "a", ttl_s: float = 30) -> Lease:
    lease = LeaseStore(redis, role, owner, ttl_s).acquire("c1")  # type: ignore[arg-type]
    assert lease is not None
    return lease


def totals_of(redis: Redis) -> dict[str, float]:
    return decode_totals(redis.hgetall(CameraKeys("c1").totals))


def publish(redis: Redis, lease: Lease, captured: int = 3, at_s: float | None = None) -> int:
    drops = Increments()
    drops.add(dropped_field("not_sampled"), captured - 1)
    now_s = time.time()
    return FramePublisher(redis, lease, 4).publish(b"jpeg", at_s or now_s, now_s, captured, drops)


def outcome(sequence: int, explained: int = 1, **kwargs: object) -> Outcome:
    counts = Increments()
    counts.add("frames:analysed")
    faces = FrameFaces("c1", sequence, 9, 1.5, 2.0, 64, 48, "yunet", (FACE,))
    return Outcome(sequence, explained, counts, "{}", faces, b"annotated", **kwargs)  # type: ignore[arg-type]


def test_a_published_frame_reads_back_with_gapless_sequence_and_frame_index(redis: Redis) -> None:
    lease = lease_for(redis, "ingest")
    assert [publish(redis, lease), publish(redis, lease)] == [1, 2]
    frames = frames_of(redis, "c1")
    assert [(f.sequence, f.frame_index, f.jpeg) for f in frames] == [
        (1, 2, b"jpeg"),
        (2, 5, b"jpeg"),
    ]
    totals = totals_of(redis)
    assert totals["frames:captured"] == 6
    assert totals["dropped:not_sampled"] == 4
    assert read_histogram(totals, age_field("published"), AGE_BUCKETS_S).count == 2


def test_a_frame_from_a_lost_lease_is_refused_and_counts_nothing(redis: Redis) -> None:
    old = lease_for(redis, "ingest", "old")
    LeaseStore(redis, "ingest", "old", 30).release(old)
    new = lease_for(redis, "ingest", "new")
    assert new.token > old.token
    with pytest.raises(LeaseLostError):
        publish(redis, old)
    assert totals_of(redis) == {}


def test_garbage_in_a_frame_stream_names_the_entry(redis: Redis) -> None:
    redis.xadd(CameraKeys("c1").frames, {"hello": "world"})
    [(stream_id, fields)] = redis.xrange(CameraKeys("c1").frames)
    with pytest.raises(MessageError, match=stream_id.decode()):
        FrameMessage.decode("c1", stream_id, fields)


def test_an_outcome_commits_once_and_what_nobody_read_is_counted_as_overflow(redis: Redis) -> None:
    lease, store = lease_for(redis, "worker"), OutcomeStore(redis)
    assert store.commit(lease, outcome(5, explained=2)) == 3
    with pytest.raises(NotNewerError):
        store.commit(lease, outcome(5))
    with pytest.raises(NotNewerError):
        store.commit(lease, outcome(4))
    assert totals_of(redis) == {
        "frames:analysed": 1,
        "dropped:overflow": 3,
        "refused:not_newer": 2,
    }
    assert store.resume("c1") == Committed(5, "{}", 1.5)


def test_a_paused_workers_commit_is_refused_whole(redis: Redis) -> None:
    paused, store = lease_for(redis, "worker", "paused", ttl_s=0.05), OutcomeStore(redis)
    time.sleep(0.1)
    lease_for(redis, "worker", "next")
    with pytest.raises(LeaseLostError):
        store.commit(paused, outcome(1))
    assert totals_of(redis) == {}
    assert redis.xlen(CameraKeys("c1").view) == 0


def test_a_flush_may_repeat_the_last_sequence_but_not_go_back(redis: Redis) -> None:
    lease, store = lease_for(redis, "worker"), OutcomeStore(redis)
    store.commit(lease, outcome(2))
    store.commit(lease, Outcome(2, 0, Increments(), "[]", flush=True))
    assert store.resume("c1") == Committed(2, "[]", 1.5)
    with pytest.raises(NotNewerError):
        store.commit(lease, Outcome(1, 0, Increments(), "[]", flush=True))


def test_the_annotated_frame_and_faces_read_back(redis: Redis) -> None:
    OutcomeStore(redis).commit(lease_for(redis, "worker"), outcome(1))
    view = view_of(redis, "c1")
    assert (view.sequence, view.captured_at_s, view.jpeg) == (1, 1.5, b"annotated")
    assert view.counts == {"mask": 1, "incorrect": 0, "no_mask": 0, "unknown": 0}
    latest = redis.get(CameraKeys("c1").latest)
    assert latest is not None
    assert FrameFaces.decode(latest).faces == (FACE,)


def test_every_camera_is_assigned_once_and_evenly() -> None:
    cameras = [f"cam{n}" for n in range(50)]
    shares = assign(cameras, ["a", "b", "c"])
    assert sorted(chain.from_iterable(shares.values())) == sorted(cameras)
    assert max(map(len, shares.values())) <= 17


def test_a_new_member_takes_its_share_and_a_leaver_hands_over(redis: Redis) -> None:
    cameras = [f"cam{n}" for n in range(6)]
    first, second = (Ownership(redis, "worker", name, 30) for name in "ab")
    assert len(first.step(cameras)) == 6
    second.step(cameras)
    first.step(cameras)
    assert len(second.step(cameras)) == 3
    assert len(first.held()) == 3
    assert not first.held().keys() & second.held().keys()
    second.leave()
    assert len(first.step(cameras)) == 6


def test_leases_are_renewed_together_and_those_lost_are_left_out(redis: Redis) -> None:
    store = LeaseStore(redis, "worker", "a", 30)
    leases = [store.acquire(f"cam{n}") for n in range(4)]
    held = [lease for lease in leases if lease]
    names = [CameraKeys(lease.camera_id).worker_lease for lease in held]
    redis.delete(names[1])
    redis.set(names[2], "another:99")
    for name in (names[0], names[3]):
        redis.pexpire(name, 1000)
    assert store.renew_all(held) == [held[0], held[3]]
    assert all(redis.pttl(name) > 20_000 for name in (names[0], names[3]))
    assert redis.get(names[2]) == b"another:99"
    assert store.renew_all([]) == []


def test_a_camera_is_not_held_any_more_when_its_lease_is_released(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    cameras = [f"cam{n}" for n in range(6)]
    first, second = (Ownership(redis, "worker", name, 30) for name in "ab")
    first.step(cameras)
    second.step(cameras)
    given_back, release = [], LeaseStore.release

    def released(store: LeaseStore, lease: Lease) -> None:
        given_back.append((lease.camera_id, lease.camera_id in first.held()))
        release(store, lease)

    monkeypatch.setattr(LeaseStore, "release", released)
    first.step(cameras)
    assert len(given_back) == 3
    assert not any(held for _, held in given_back)


def test_what_a_connection_did_is_noted_once_each_without_attempts_in_between(
    redis: Redis,
) -> None:
    store, lease = StatusStore(redis), lease_for(redis, "ingest")
    away = CameraStatus("offline", 20.0, error_kind="refused", error="Nothing listens.")
    for status in (
        CameraStatus("connecting", 1.0),
        CameraStatus("live", 10.0),
        CameraStatus("live", 10.0, fps=25.0),
        away,
        CameraStatus("connecting", 21.0),
        away,
        CameraStatus("live", 30.0),
        CameraStatus("live", 40.0),
    ):
        store.write(lease, status)
    history = store.history(lease.camera_id)
    assert [(event.state, event.since_s) for event in history] == [
        ("live", 40.0),
        ("live", 30.0),
        ("offline", 20.0),
        ("live", 10.0),
    ]
    assert (history[2].error_kind, history[2].error) == ("refused", "Nothing listens.")


def test_only_the_owner_writes_a_status_and_an_unowned_camera_is_offline(redis: Redis) -> None:
    camera = CameraRegistry(redis).add(make_camera(id="c1", name="Gate", source="demo:"))
    store, lease = StatusStore(redis), lease_for(redis, "ingest")
    store.write(lease, CameraStatus("live", 1.0, fps=25.0))
    assert store.read([camera])["c1"].state == "live"
    LeaseStore(redis, "ingest", "a", 30).release(lease)
    assert store.read([camera])["c1"].state == "offline"
    with pytest.raises(LeaseLostError):
        store.write(lease, CameraStatus("live", 2.0))


def test_cameras_are_added_changed_and_removed_and_the_revision_rises(redis: Redis) -> None:
    registry = cameras_of(redis)
    camera = registry.add(make_camera(name="Gate", source="rtsp://u:p@host/1"))
    with pytest.raises(CameraConfigError, match="another camera"):
        registry.add(make_camera(name="gate", source="0"))
    before = registry.revision()
    assert registry.update(camera.id, analysis_fps=5).analysis_fps == 5
    assert registry.revision() > before
    redis.set(CameraKeys(camera.id).tracker, "x")
    registry.remove(camera.id)
    assert registry.all() == []
    assert not redis.keys("*{cam:*")
    with pytest.raises(CameraNotFoundError):
        registry.get(camera.id)


def test_a_corrupt_camera_record_costs_no_other_camera(
    redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    registry = CameraRegistry(redis)
    camera = registry.add(make_camera(name="Gate", source="demo:"))
    redis.hset("maskwatch:cameras", "broken", "{")
    assert registry.all() == [camera]
    assert "broken" in caplog.text


@pytest.mark.parametrize("source", ["file:///etc/passwd", "ftp://host/x", "rtsp://", "a\nb", ""])
def test_a_source_that_is_none_is_refused(source: str) -> None:
    with pytest.raises(CameraConfigError):
        make_camera(name="x", source=source)


def test_a_redis_that_lost_all_cameras_is_not_taken_for_the_one_before(redis: Redis) -> None:
    registry, roster = CameraRegistry(redis), CameraRoster(redis)
    registry.add(make_camera(name="Gate", source="demo:"))
    assert [camera.name for camera in roster.cameras()] == ["Gate"]
    redis.flushall()
    registry.add(make_camera(name="Door", source="demo:"))
    assert [camera.name for camera in roster.cameras()] == ["Door"]

"""Minutes in Redis: committed with the outcome, packed by the day, read as the sum of both."""

from __future__ import annotations

import time
from collections import Counter

import pytest
from redis import Redis

from bus.keys import CameraKeys
from bus.members.leases import Lease, LeaseStore
from bus.stores.cameras import CameraRegistry
from bus.stores.day_sums import sheet_of
from bus.stores.history import HistoryStore, _Pack
from bus.stores.outcomes import PEOPLE_KEPT, OutcomeStore
from contract.errors import LeaseLostError, NotNewerError
from contract.people.minutes import DAY_MINUTES, MinuteIncrements, minute_of
from contract.people.outcomes import Outcome
from contract.people.people import Person
from contract.people.totals import Increments
from tests.builders import add_camera, take_lease, totals_of

NOW_S = time.time()
TODAY = minute_of(NOW_S) // DAY_MINUTES


def outcome(sequence: int, *added: tuple[float, str, int], **fields: object) -> Outcome:
    minutes = MinuteIncrements()
    for time_s, column, amount in added:
        minutes.add(time_s, column, amount)
    return Outcome(sequence, 1, Increments(), "{}", minutes=minutes, **fields)  # type: ignore[arg-type]


def person(track_id: int = 1) -> Person:
    return Person(track_id, NOW_S - 4, NOW_S, 20, 48.0, "mask", 0.9, 2.5)


def read(redis: Redis, camera_id: str, first: int = TODAY - 3, last: int = TODAY) -> Counter[str]:
    """Sums by column."""
    sums = Counter[str]()
    for _, _, columns in HistoryStore(redis).days([camera_id], first, last):
        sums.update({name: int(amounts.sum()) for name, amounts in columns.items()})
    return sums


def worker_of(redis: Redis, camera_id: str = "c1", **kwargs: object) -> Lease:
    return take_lease(redis, camera_id, "worker", **kwargs)  # type: ignore[arg-type]


def test_minutes_are_committed_with_the_outcome_or_not_at_all(redis: Redis) -> None:
    lease, store = worker_of(redis), OutcomeStore(redis)
    store.commit(lease, outcome(1, (NOW_S, "faces", 3), people=(person(),)))
    with pytest.raises(NotNewerError):
        store.commit(lease, outcome(1, (NOW_S, "faces", 3), people=(person(),)))
    LeaseStore(redis, "worker", "test", 30).release(lease)
    with pytest.raises(LeaseLostError):
        store.commit(lease, outcome(2, (NOW_S, "faces", 3), people=(person(),)))
    assert read(redis, "c1") == {"faces": 3, "people:mask": 1}
    assert redis.xlen(CameraKeys("c1").people) == 1


def test_refusals_are_counted_by_reason_and_never_bring_a_removed_camera_back(
    redis: Redis,
) -> None:
    camera = add_camera(redis)
    lease, store = worker_of(redis, camera.id), OutcomeStore(redis)
    counts = Increments()
    counts.add("frames:analysed")
    store.commit(lease, Outcome(1, 1, counts, "{}"))
    with pytest.raises(NotNewerError):
        store.commit(lease, Outcome(1, 1, counts, "{}"))
    LeaseStore(redis, "worker", "test", 30).release(lease)
    with pytest.raises(LeaseLostError):
        store.commit(lease, Outcome(2, 1, counts, "{}"))
    totals = totals_of(redis, camera.id)
    assert (totals["refused:not_newer"], totals["refused:lease_lost"]) == (1, 1)
    assert totals["frames:analysed"] == 1
    CameraRegistry(redis).remove(camera.id)
    with pytest.raises(LeaseLostError):
        store.commit(lease, Outcome(3, 1, counts, "{}"))
    assert not redis.keys(f"*{camera.id}*")


def test_a_script_carried_out_late_cannot_count_what_its_sender_counted_anew(
    redis: Redis,
) -> None:
    lease = worker_of(redis)
    sender, late = OutcomeStore(redis), OutcomeStore(redis)
    sender.commit(lease, outcome(1))
    late.resume("c1")
    # The sender gave its flush up and read the state again; its tracks end in both commits.
    flush = outcome(1, flush=True, people=(person(),))
    sender.resume("c1")
    sender.commit(lease, flush)
    with pytest.raises(NotNewerError):
        late.commit(lease, flush)
    assert read(redis, "c1") == {"people:mask": 1}


def test_frames_nobody_read_are_dropped_ones_of_the_minute(redis: Redis) -> None:
    OutcomeStore(redis).commit(worker_of(redis), outcome(5))
    assert read(redis, "c1") == {"dropped": 4}


def test_packing_changes_no_sum_however_often_and_in_between(redis: Redis) -> None:
    lease, store, history = worker_of(redis), OutcomeStore(redis), HistoryStore(redis)
    added = Counter[str]()
    for sequence in range(1, 40):
        at_s = NOW_S - sequence * 4001.0  # over two days
        store.commit(lease, outcome(sequence, (at_s, "frames", sequence), (at_s, "faces", 2)))
        added.update({"frames": sequence, "faces": 2})
        if sequence % 7 == 0:
            assert history.pack_if_grown(lease, above_fields=0)
            assert not redis.exists(CameraKeys("c1").minutes)
        assert read(redis, "c1") == added


def test_what_is_added_while_a_day_is_packed_stays_open(redis: Redis) -> None:
    names, history = CameraKeys("c1"), HistoryStore(redis)
    lease = worker_of(redis)
    OutcomeStore(redis).commit(lease, outcome(1, (NOW_S, "dropped", 5)))
    # What the packing worker read is older than what an ingest process adds before it writes.
    amounts = {(minute_of(NOW_S), "dropped"): 5}
    redis.hincrby(names.minutes, f"{minute_of(NOW_S)}:dropped", 2)
    history._pack_day(lease, names, TODAY, amounts)
    assert redis.hgetall(names.minutes) == {f"{minute_of(NOW_S)}:dropped".encode(): b"2"}
    assert read(redis, "c1") == {"dropped": 7}
    # The same script carried out once more, late: the day is not as it was read.
    history._pack(
        (names.worker_lease, names.minutes, names.day(TODAY), names.sums(sheet_of(TODAY))),
        _Pack(lease.value, [(f"{minute_of(NOW_S)}:dropped", 5)], int(NOW_S) + 99),
        *(b"x", b"", b"", b""),
        of="camera c1",
    )
    assert read(redis, "c1") == {"dropped": 7}


def test_a_worker_that_lost_the_camera_packs_nothing(redis: Redis) -> None:
    lease = worker_of(redis)
    OutcomeStore(redis).commit(lease, outcome(1, (NOW_S, "faces", 1)))
    LeaseStore(redis, "worker", "test", 30).release(lease)
    with pytest.raises(LeaseLostError):
        HistoryStore(redis).pack_if_grown(lease, above_fields=0)
    assert read(redis, "c1") == {"faces": 1}


def test_a_day_expires_when_its_last_minute_is_old_enough(redis: Redis) -> None:
    lease = worker_of(redis)
    OutcomeStore(redis, 10).commit(lease, outcome(1, (NOW_S, "faces", 1)))
    HistoryStore(redis, 10).pack_if_grown(lease, above_fields=0)
    left_s = redis.ttl(CameraKeys("c1").day(TODAY))
    assert left_s == pytest.approx((TODAY + 11) * 86400 - time.time(), abs=60)


def test_a_removed_cameras_history_goes_with_it(redis: Redis) -> None:
    camera = add_camera(redis)
    lease, store = worker_of(redis, camera.id), OutcomeStore(redis)
    store.commit(lease, outcome(1, (NOW_S - 399 * 86400, "faces", 1), people=(person(),)))
    HistoryStore(redis).pack_if_grown(lease, above_fields=0)
    store.commit(lease, outcome(2, (NOW_S, "faces", 1)))
    CameraRegistry(redis).remove(camera.id)
    assert not redis.keys(f"*{camera.id}*")


def test_only_the_last_people_are_kept_as_rows(redis: Redis) -> None:
    lease, store = worker_of(redis), OutcomeStore(redis)
    rows = tuple(person(number) for number in range(PEOPLE_KEPT + 5))
    store.commit(lease, outcome(1, people=rows))
    people = CameraKeys("c1").people
    assert redis.xlen(people) == PEOPLE_KEPT
    [(_, oldest)] = redis.xrange(people, count=1)
    assert Person.decode(oldest[b"person"]) == rows[5]
    assert 0 < redis.ttl(people) <= 30 * 86400

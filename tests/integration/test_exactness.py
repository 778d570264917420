"""Nobody is counted twice, and nobody who was committed is lost, whatever happens."""

from __future__ import annotations

import math
import time
from collections import Counter
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from bus.keys import CameraKeys
from bus.members.leases import Lease
from bus.stores.history import HistoryStore
from contract.cameras.camera import Camera
from contract.people.minutes import DAY_MINUTES, minute_of
from contract.people.people import Person
from contract.people.verdicts import VERDICTS
from reports.report import make_report
from reports.time_range import TimeRange
from tests.builders import Source, add_camera, totals_of
from tests.passers import FRAME_S, Passer, picture
from tests.servers.crashing_worker import Crash, Moment, make_worker, run_worker, take_over
from worker.tracking.matching import LOST_AFTER_S

STAGE = (Passer(0, 0, 6), Passer(1, 2, 9), Passer(2, 3, 4))
"""Two people, and somebody seen too briefly to be one."""
LAST_FRAME = 10 + math.ceil(LOST_AFTER_S / FRAME_S)
"""By then everyone has been gone for long enough."""


def counted(redis: Redis, camera_id: str) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """People by verdict: in the totals, in the minutes, and as rows."""
    totals = totals_of(redis, camera_id)
    in_totals = {f: int(n) for f, n in totals.items() if f.startswith("people:")}
    minutes = Counter[str]()
    today = minute_of(time.time()) // DAY_MINUTES
    for _, _, columns in HistoryStore(redis).days([camera_id], today - 1, today + 1):
        minutes.update({name: int(n.sum()) for name, n in columns.items() if "people" in name})
    rows = Counter(f"people:{person.verdict}" for person in people_of(redis, camera_id))
    return Counter(in_totals), minutes, rows


def people_of(redis: Redis, camera_id: str) -> list[Person]:
    entries: Any = redis.xrange(CameraKeys(camera_id).people)
    return [Person.decode(fields[b"person"]) for _, fields in entries]


class Stage:
    """A camera whose frames all wait in its stream."""

    def __init__(self, redis: Redis, name: str, begin_s: float) -> None:
        self.redis = redis
        self.camera = add_camera(redis, name)
        self._owners = [f"owner-{n}" for n in range(LAST_FRAME + 3)]
        source = Source(redis, self.camera, max_frames=LAST_FRAME + 2)
        for frame in range(LAST_FRAME + 1):
            at_s = begin_s + frame * FRAME_S
            source.publish_at(at_s, picture(STAGE, frame))
        redis.persist(CameraKeys(self.camera.id).frames)

    def work(self, redis_url: str, number: int, crash: Crash | None) -> int:
        """Let the next owner work; return how it ended."""
        owner, dead = self._owners[number], self._owners[:number]
        last = LAST_FRAME + 1
        return run_worker(redis_url, self.camera.id, owner, dead, crash, last)

    def people(self) -> list[Person]:
        return people_of(self.redis, self.camera.id)

    def agreed(self) -> Counter[str]:
        """What totals, minutes and rows say alike."""
        totals, minutes, rows = counted(self.redis, self.camera.id)
        assert totals == minutes == rows
        return totals


@pytest.mark.parametrize("moment", ["before", "during", "after"])
def test_workers_killed_at_every_commit_count_as_one_that_lives(
    redis: Redis, redis_url: str, moment: Moment, record_property: Any
) -> None:
    """Each owner is killed at its first commit, or its second where the first never happens."""
    begin_s = time.time() - 60
    undisturbed = Stage(redis, "Undisturbed", begin_s)
    assert undisturbed.work(redis_url, 0, None) == 0
    assert undisturbed.agreed() == {"people:mask": 2}
    stage = Stage(redis, "Disturbed", begin_s)
    crash = Crash(commit=2 if moment == "before" else 1, moment=moment)
    before = Counter[str]()
    for number in range(LAST_FRAME + 2):
        ended = stage.work(redis_url, number, crash)
        now = stage.agreed()
        assert now >= before, "somebody who had been committed is lost"
        before = now
        if ended == 0:
            break
        assert ended == -9
    assert number >= LAST_FRAME, "there was no crash at every commit"
    record_property("kills", number)
    assert before == undisturbed.agreed()
    for field in ("frames:analysed", "discarded:flicker"):
        expected, found = (totals_of(redis, s.camera.id)[field] for s in (undisturbed, stage))
        assert found == expected
    assert rows(stage) == pytest.approx(rows(undisturbed), abs=0.05)


def rows(stage: Stage) -> list[float]:
    """What the rows of people say, in numbers; times are as exact as they were published."""
    return [
        number
        for person in stage.people()
        for number in (
            person.track_id,
            VERDICTS.index(person.verdict),
            person.sightings,
            person.best_face_px,
            person.first_seen_s,
            person.last_seen_s,
        )
    ]


class LostAnswer:
    """A commit's script that is carried out, and whose answer gets lost on the way."""

    def __init__(self, script: Any) -> None:
        self._script = script
        self.lose_next = False

    def __call__(self, **arguments: Any) -> Any:
        answer = self._script(**arguments)
        if self.lose_next:
            self.lose_next = False
            raise RedisConnectionError("the answer was lost")
        return answer


class Ownership:
    """The lease one worker believes in."""

    def __init__(self, camera: Camera, lease: Lease) -> None:
        self._owned = {camera.id: (camera, lease)}

    def owned(self) -> dict[str, tuple[Camera, Lease]]:
        return dict(self._owned)


class Owner:
    """A worker, stepped by hand, whose answers may get lost."""

    def __init__(self, redis: Redis, camera: Camera, lease: Lease) -> None:
        self.worker = make_worker(redis, Ownership(camera, lease))
        commit = self.worker._store._commit
        self.script = commit._script = LostAnswer(commit._script)

    def step(self) -> None:
        try:
            self.worker.step()
        except RedisConnectionError:
            self.worker._sessions.clear()  # as `run` does


class Mishaps(RuleBasedStateMachine):
    """People pass while frames are repeated, swapped and lost, and owners come, go and linger."""

    redis: Redis
    tally: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self.redis.flushall()
        self.tally["examples"] += 1
        self.camera = add_camera(self.redis)
        self.names = CameraKeys(self.camera.id)
        self.source = Source(self.redis, self.camera, max_frames=64)
        self.begin_s = time.time() - 300
        self.frame = 0
        self.gap = 0
        self.passers: list[Passer] = []
        self.owners: list[Owner] = []
        self.seen = Counter[str]()

    @initialize()
    def first_owner(self) -> None:
        self.change_owner()

    @rule(lane=st.integers(0, 4), frames=st.integers(1, 25))
    def somebody_comes(self, lane: int, frames: int) -> None:
        # One after the other in a lane, with time between to be seen gone.
        free_from = max((p.last + 16 for p in self.passers if p.lane == lane), default=0)
        first = max(self.frame, free_from)
        self.passers.append(Passer(lane, first, first + frames))

    @rule(number=st.integers(1, 6))
    def frames_come(self, number: int) -> None:
        for _ in range(number):
            self.publish()
            self.owners[-1].step()

    @rule()
    def a_frame_waits(self) -> None:
        self.publish()

    @precondition(lambda self: self.gap < 4)
    @rule()
    def a_frame_is_lost(self) -> None:
        """Published, and gone before anyone read it."""
        self.publish()
        self.gap += 1
        [(stream_id, _)] = self.redis.xrevrange(self.names.frames, count=1)
        self.redis.xdel(self.names.frames, stream_id)

    @rule(back=st.integers(1, 8))
    def an_old_frame_comes_again(self, back: int) -> None:
        """Out of order, or twice: as it was, behind newer ones."""
        entries: Any = self.redis.xrevrange(self.names.frames, count=back)
        if entries:
            self.redis.xadd(self.names.frames, entries[-1][1])

    @rule()
    def an_answer_is_lost(self) -> None:
        self.owners[-1].script.lose_next = True

    @rule()
    def change_owner(self) -> None:
        dead = [f"owner-{n}" for n in range(len(self.owners))]
        lease = take_over(self.redis, self.camera.id, f"owner-{len(self.owners)}", dead)
        self.owners.append(Owner(self.redis, self.camera, lease))

    @rule()
    def everyone_steps(self) -> None:
        """The owner, and those that do not know that they are none any more."""
        for owner in self.owners[-3:]:
            owner.step()

    @rule()
    def minutes_are_packed(self) -> None:
        session = self.owners[-1].worker._sessions.get(self.camera.id)
        if session:
            HistoryStore(self.redis).pack_if_grown(session.lease, above_fields=0)

    @invariant()
    def everything_counted_agrees(self) -> None:
        self.tally["steps"] += 1
        totals, minutes, rows = counted(self.redis, self.camera.id)
        assert totals == minutes == rows

    @invariant()
    def no_count_ever_decreases(self) -> None:
        now = Counter({f: int(n) for f, n in totals_of(self.redis, self.camera.id).items()})
        assert all(now[field] >= amount for field, amount in self.seen.items())
        self.seen = now

    @invariant()
    def nobody_is_counted_twice(self) -> None:
        for person in people_of(self.redis, self.camera.id):
            assert person.sightings >= 3
        assert len(people_of(self.redis, self.camera.id)) <= len(self.passers)

    @invariant()
    def no_frame_is_analysed_twice_or_forgotten(self) -> None:
        totals = totals_of(self.redis, self.camera.id)
        dropped = sum(n for f, n in totals.items() if f.startswith("dropped:"))
        assert totals.get("frames:analysed", 0) + dropped == self.position()

    def teardown(self) -> None:
        """Everyone leaves; now each who was seen often enough has been counted once."""
        if not self.owners:
            return
        empty_until = max((passer.last for passer in self.passers), default=0) + 14
        for _ in range(max(1, empty_until - self.frame)):
            self.publish()
            self.owners[-1].step()
        for _ in range(100):
            if self.position() == self.frame:
                break
            self.owners[-1].step()
        assert self.position() == self.frame
        people = people_of(self.redis, self.camera.id)
        assert len(people) <= len(self.passers)
        if not totals_of(self.redis, self.camera.id).get("dropped:overflow"):
            assert len(people) == sum(p.last - p.first >= 2 for p in self.passers)
        self.splits_add_up()

    def splits_add_up(self) -> None:
        """The sum over any split of the time equals the whole."""
        first, last = minute_of(self.begin_s), minute_of(self.begin_s) + 20
        history, now_s = HistoryStore(self.redis), time.time()
        whole = make_report(history, [self.camera], {}, TimeRange((first, last)), now_s).total
        for middle in range(first + 1, last):
            split = TimeRange((first, middle, last))
            report = make_report(history, [self.camera], {}, split, now_s)
            halves = Counter(report.points[0].amounts) + Counter(report.points[1].amounts)
            assert halves == Counter(whole.amounts)

    def position(self) -> int:
        """Sequence of the newest frame committed."""
        position: Any = self.redis.get(self.names.position) or b"0"
        return int(position.split()[0])

    def publish(self) -> None:
        at_s = self.begin_s + self.frame * FRAME_S
        self.source.publish_at(at_s, picture(self.passers, self.frame))
        self.redis.persist(self.names.frames)
        self.frame += 1
        self.gap = 0


def test_no_mishap_counts_anyone_twice_or_loses_a_frame(
    redis: Redis, request: pytest.FixtureRequest, record_property: Any
) -> None:
    machine = type("Mishaps", (Mishaps,), {"redis": redis, "tally": Counter()})
    thorough = request.config.getoption("--hypothesis-profile") == "thorough"
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=150 if thorough else 10,
            stateful_step_count=40,
            deadline=None,
            # Shrinking steps on a real Redis takes minutes; as they are, they can be followed.
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
        ),
    )
    for name, number in machine.tally.items():
        record_property(name, number)

"""Commits the outcome of a frame in one atomic step."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import ClassVar, Final

from redis import Redis

from bus.keys import CameraKeys
from bus.members.leases import Lease
from bus.picture_seal import PictureSeal
from bus.scripts.script import FencedHeader, FencedScript
from contract.errors import MessageError
from contract.messages import MOST_RECORD_BYTES, read_count, to_json
from contract.people.faces import FrameFaces
from contract.people.minutes import (
    DROPPED,
    HISTORY_DAYS,
    MinuteIncrements,
    minute_of,
    open_field,
    people_column,
)
from contract.people.outcomes import Committed, Outcome
from contract.people.people import Person
from contract.pictures.views import VIEW_EXPIRE_S

PEOPLE_KEPT: Final = 1000
"""Most rows of people that a camera keeps."""
PEOPLE_KEPT_S: Final = 30 * 86400
"""How long a row is kept."""


@dataclass(frozen=True)
class _Commit(FencedHeader):
    script: ClassVar = "commit_outcome"

    outcome: Outcome
    commits: int
    """Number of commits that this one builds on."""
    captured_at_s: str | None
    face_counts: str | None
    people_minutes: MinuteIncrements
    """People, each in the minute of the last sighting."""
    dropped_field: str
    """Field of the minutes that counts overflowed frames."""
    history_s: int
    people_kept: int = PEOPLE_KEPT
    people_kept_s: int = PEOPLE_KEPT_S
    view_kept_s: int = VIEW_EXPIRE_S
    counts_refusals: bool = field(default=True, kw_only=True)


class OutcomeStore:
    """Commits outcomes, and reads the state from which a new owner continues.

    A commit builds on the one that this store last read or made. If another came between, Redis
    refuses it. So a script that Redis runs late, after its sender timed out and read the state
    again, counts nobody twice. Belongs to one thread.
    """

    def __init__(
        self,
        redis: Redis,
        history_days: int = HISTORY_DAYS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._redis = redis
        self._clock = clock
        self._history_s = history_days * 86400
        self._commit = FencedScript(redis, _Commit)
        self._seal = PictureSeal(redis)
        self._commits: dict[str, int] = {}

    def commit(self, lease: Lease, outcome: Outcome) -> int:
        """Commit all of `outcome` or nothing; return the number of overflowed frames.

        A refusal changes nothing but the count of refusals.

        Raises:
            LeaseLostError: another process has the lease, or it has expired.
            NotNewerError: this frame or a newer one was already committed, or another commit came
                between: call `resume` and start again.
        """
        picture = outcome.annotated_jpeg
        overflowed = self._commit(
            self._keys(CameraKeys(lease.camera_id)),
            self._header(lease, outcome),
            self._seal.seal(picture) if picture else b"",
            of=f"camera {lease.camera_id}",
            step=f"frame {outcome.sequence}",
        )
        self._commits[lease.camera_id] = self._commits.get(lease.camera_id, 0) + 1
        return int(overflowed)

    def _header(self, lease: Lease, outcome: Outcome) -> _Commit:
        faces = outcome.faces
        at_s = faces.captured_at_s if faces else self._clock()
        return _Commit(
            lease.value,
            outcome=outcome,
            commits=self._commits.get(lease.camera_id, 0),
            captured_at_s=repr(faces.captured_at_s) if faces else None,
            face_counts=to_json(faces.counts()) if faces else None,
            people_minutes=_minutes_of(outcome.people),
            dropped_field=open_field(minute_of(at_s), DROPPED),
            history_s=self._history_s,
        )

    def resume(self, camera_id: str) -> Committed:
        """Return the last committed state; later commits build on it."""
        names = CameraKeys(camera_id)
        with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.mget(names.position, names.tracker, names.latest)
            pipeline.hget(names.condition, "state")
            (position, tracker, latest), condition = pipeline.execute()
        sequence, commits = read_position(position)
        self._commits[camera_id] = commits
        return Committed(
            sequence=sequence,
            tracker_state=_text(tracker),
            condition_state=_text(condition),
            analysed_at_s=_captured_at_s(latest),
        )

    def committed_sequence(self, camera_id: str) -> int:
        """Return the sequence of the newest frame committed or dropped; 0 before the first."""
        return read_position(self._redis.get(CameraKeys(camera_id).position))[0]

    @staticmethod
    def _keys(names: CameraKeys) -> tuple[str, ...]:
        return (
            names.worker_lease,
            names.totals,
            names.position,
            names.tracker,
            names.latest,
            names.view,
            names.minutes,
            names.people,
            names.condition,
        )


def _minutes_of(people: Iterable[Person]) -> MinuteIncrements:
    minutes = MinuteIncrements()
    for person in people:
        minutes.add(person.last_seen_s, people_column(person.verdict))
    return minutes


def read_position(position: object) -> tuple[int, int]:
    """Return sequence and number of commits of a `position`; the first version had no number."""
    if not isinstance(position, bytes):
        return 0, 0
    sequence, _, commits = position.partition(b" ")
    try:
        return read_count(sequence), read_count(commits or b"0")
    except ValueError:
        return 0, 0  # as the script reads it


def _text(state: object) -> str:
    """A saved state, for its reader to judge; what is no text will be nothing that it knows."""
    if not isinstance(state, bytes):
        return ""
    return state[: MOST_RECORD_BYTES + 1].decode(errors="replace")


def _captured_at_s(latest: object) -> float | None:
    try:
        return FrameFaces.decode(latest).captured_at_s if isinstance(latest, bytes) else None
    except MessageError:  # another version wrote it
        return None

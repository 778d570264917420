"""Commits the outcome of a frame in one atomic step."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from redis import Redis
from redis.exceptions import ResponseError

from bus.keys import CameraKeys
from bus.leases import Lease
from bus.picture_seal import PictureSeal
from contract.errors import LeaseLostError, MessageError, NotNewerError
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
from contract.pictures.views import VIEW_EXPIRE_S

PEOPLE_KEPT: Final = 1000
"""The people last counted that a camera keeps as rows ..."""


PEOPLE_KEPT_S: Final = 30 * 86400
"""... and for how long at most."""


# One script, so that either all of a frame's outcome is there or none of it. The gap between
# this frame and the last one committed is what nobody analysed; the part of it that the worker
# does not explain was pushed out of the stream before any worker read it.
_COMMIT: Final = """
redis.replicate_commands()
local lease, position, totals, tracker, latest, view, minutes, people, condition = unpack(KEYS)
local owner, sequence, flush = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1'
local function refuse(reason, reply)
  if redis.call('EXISTS', totals) == 1 then
    redis.call('HINCRBY', totals, 'refused:' .. reason, 1)
  end
  return redis.error_reply(reply)
end
if redis.call('GET', lease) ~= owner then return refuse('lease_lost', 'LEASELOST') end
local before, commits = string.match(redis.call('GET', position) or '0 0', '^(%d+) ?(%d*)$')
local last = tonumber(before) or 0  -- what is no position counts as none, here and for `resume`
commits = tonumber(commits) or 0
if sequence < last or (sequence == last and not flush) or commits ~= tonumber(ARGV[19]) then
  return refuse('not_newer', 'NOTNEWER')
end
local function add_pairs(command, key, first, count)
  for i = first, first + 2 * count - 2, 2 do redis.call(command, key, ARGV[i], ARGV[i + 1]) end
  return first + 2 * count
end
local overflow = sequence - last - tonumber(ARGV[4])
if overflow > 0 then
  redis.call('HINCRBYFLOAT', totals, 'dropped:overflow', overflow)
  redis.call('HINCRBY', minutes, ARGV[11], overflow)
end
local next_argument = add_pairs('HINCRBYFLOAT', totals, 21, tonumber(ARGV[17]))
next_argument = add_pairs('HINCRBY', minutes, next_argument, tonumber(ARGV[18]))
redis.call('EXPIRE', minutes, ARGV[12])
if next_argument <= #ARGV then
  for i = next_argument, #ARGV do
    redis.call('XADD', people, 'MAXLEN', ARGV[13], '*', 'person', ARGV[i])
  end
  local oldest_ms = (redis.call('TIME')[1] - ARGV[14]) * 1000
  redis.call('XTRIM', people, 'MINID', string.format('%.0f', oldest_ms))
  redis.call('EXPIRE', people, ARGV[14])
end
redis.call('SET', position, string.format('%.0f %.0f', sequence, commits + 1))
redis.call('SET', tracker, ARGV[5])
if ARGV[15] ~= '' then
  redis.call('HSET', condition, 'report', ARGV[15], 'state', ARGV[16])
end
if ARGV[6] ~= '' then redis.call('SET', latest, ARGV[6]) end
if ARGV[7] ~= '' then
  redis.set_repl(redis.REPL_NONE)
  local entry = {'v', 2, 'seq', sequence, 'at', ARGV[8], 'jpeg', ARGV[7], 'faces', ARGV[9]}
  if ARGV[20] ~= '' then entry[11], entry[12] = 'trace', ARGV[20] end
  redis.call('XADD', view, 'MAXLEN', 1, '*', unpack(entry))
  redis.call('EXPIRE', view, ARGV[10])
  redis.set_repl(redis.REPL_ALL)
end
return overflow
"""


class OutcomeStore:
    """Commits outcomes, and reads back what a new owner starts from.

    A commit builds on the one that this store last read or made. Where another came between, it
    is refused: so a script that Redis carries out late, after its sender gave it up and read the
    state anew, counts nobody twice. Belongs to one thread.
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
        self._commit = redis.register_script(_COMMIT)
        self._seal = PictureSeal(redis)
        self._commits: dict[str, int] = {}

    def commit(self, lease: Lease, outcome: Outcome) -> int:
        """Commit all of `outcome` or nothing; return the frames that overflowed unseen.

        A refusal changes nothing but the count of refusals.

        Raises:
            LeaseLostError: the lease is another's or has expired.
            NotNewerError: this frame or a newer one was committed before, or another commit came
                between: `resume` and begin again.
        """
        names = CameraKeys(lease.camera_id)
        arguments = self._arguments(lease, outcome)
        try:
            overflowed = int(self._commit(keys=self._keys(names), args=arguments))
        except ResponseError as error:
            if "LEASELOST" in str(error):
                raise LeaseLostError(f"camera {lease.camera_id} has another owner") from None
            if "NOTNEWER" in str(error):
                raise NotNewerError(
                    f"frame {outcome.sequence} of camera {lease.camera_id} was committed before, "
                    "or another commit came between"
                ) from None
            raise
        self._commits[lease.camera_id] = self._commits.get(lease.camera_id, 0) + 1
        return overflowed

    def _arguments(self, lease: Lease, outcome: Outcome) -> list[bytes | str | int]:
        faces, condition = outcome.faces, outcome.condition
        at_s = faces.captured_at_s if faces else self._clock()
        counts, minutes = outcome.increments.arguments(), _minutes_of(outcome).arguments()
        return [
            lease.value,
            outcome.sequence,
            int(outcome.flush),
            outcome.explained,
            outcome.tracker_state,
            faces.encode() if faces else "",
            self._seal.seal(outcome.annotated_jpeg) if outcome.annotated_jpeg else b"",
            repr(faces.captured_at_s) if faces else "",
            to_json(faces.counts()) if faces else "",
            VIEW_EXPIRE_S,
            open_field(minute_of(at_s), DROPPED),
            self._history_s,
            PEOPLE_KEPT,
            PEOPLE_KEPT_S,
            condition.report if condition else "",
            condition.state if condition else "",
            len(counts) // 2,
            len(minutes) // 2,
            self._commits.get(lease.camera_id, 0),
            outcome.trace,
            *counts,
            *minutes,
            *(person.encode() for person in outcome.people),
        ]

    def resume(self, camera_id: str) -> Committed:
        """Return what was committed last; commits build on it from now on."""
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

    @staticmethod
    def _keys(names: CameraKeys) -> tuple[str, ...]:
        return (
            names.worker_lease,
            names.position,
            names.totals,
            names.tracker,
            names.latest,
            names.view,
            names.minutes,
            names.people,
            names.condition,
        )


def _minutes_of(outcome: Outcome) -> MinuteIncrements:
    minutes = MinuteIncrements()
    minutes.merge(outcome.minutes)
    for person in outcome.people:
        minutes.add(person.last_seen_s, people_column(person.verdict))
    return minutes


def read_position(position: object) -> tuple[int, int]:
    """Sequence and number of commits of a camera's `position`; the first version had no number."""
    if not isinstance(position, bytes):
        return 0, 0
    sequence, _, commits = position.partition(b" ")
    try:
        return read_count(sequence), read_count(commits or b"0")
    except ValueError:
        return 0, 0  # as the script that commits takes it


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

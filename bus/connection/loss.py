"""Detects lost data: a restarted Redis may have loaded less than it had written.

Each process remembers the last time at which it saw a server write, and asks later servers up to
which time that server's data is present. Redis' run id identifies a server's run. So no process has
to guess what was there, and returning data is recognised.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

from redis import Redis
from redis.exceptions import ResponseError

from bus import keys
from bus.connection.trouble import trouble_of
from bus.scripts.script import Header, Script

MAY_LOSE_MS: Final = 5_000
"""Loss in milliseconds that a power cut may cause: `appendfsync everysec` promises one or two
seconds."""
LOOK_EVERY_S: Final = 5.0
MOST_RUNS: Final = 1000


@dataclass(frozen=True)
class _Look(Header):
    script: ClassVar = "look_for_loss"

    seen_run: str
    """Run id of the server that this process last saw writing; empty before the first."""
    seen_until_ms: str
    may_lose_ms: int = MAY_LOSE_MS
    runs_kept: int = MOST_RUNS


_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Loss:
    """The data that Redis had stored and no longer has."""

    refused: int = 0
    """Commands of its own file that Redis refused while starting."""
    from_s: float = 0.0
    """All data before this time is present; 0 if none is. Seconds since the epoch."""
    until_s: float = 0.0
    """Data before this time had been written; 0 if only `refused` reveals the loss."""

    @property
    def words(self) -> str:
        """Return the loss in words, with what to do."""
        if self.refused:
            return (
                f"Redis refused {self.refused} commands of its own file as it started, and lacks "
                "what they had stored: its users are of an earlier version. Write them anew "
                "(deploy/make_secrets.sh or `maskwatch redis-acl`) and restart Redis; if that "
                "brings nothing back, `maskwatch restore FILE`"
            )
        part = f"what was written from {_moment(self.from_s)}"
        what = part if self.from_s else "all that was written"
        return (
            f"Redis has lost {what} until {_moment(self.until_s)}. Start it "
            "with the data it had, or `maskwatch restore FILE`; to go on without, "
            "`maskwatch redis-loss --accept`"
        )


class LossWatch:
    """A process's knowledge of the data that Redis had."""

    def __init__(
        self,
        redis: Redis,
        seen_file: Path | None = None,
        every_s: float = LOOK_EVERY_S,
        clock: Callable[[], float] = time.monotonic,
        settled_after_ms: int = MAY_LOSE_MS,
    ) -> None:
        """`seen_file` remembers it for the process's successor.

        settled_after_ms: for how long a run must have been seen before its marks are missed. All
        marks of a younger one may be what a power cut may cost.
        """
        self._redis = redis
        self._look_script = Script(redis, _Look)
        self._seen_file = seen_file
        self._every_s = every_s
        self._clock = clock
        self._look_at_s = 0.0
        self._settled_after_ms = settled_after_ms
        self._young = ("", 0)
        self._seen = ("", "0")
        self._remembered = seen_file is None
        self._loss: Loss | None = None
        self._said = ""

    def look(self) -> Loss | None:
        """Return the loss, or None; ask every few seconds, and log a new loss.

        Raises what `Redis` does.
        """
        if self._clock() >= self._look_at_s:
            self._loss = self._ask()
            self._look_at_s = self._clock() + self._every_s
            self._say(self._loss.words if self._loss else "")
        return self._loss

    def _ask(self) -> Loss | None:
        if not self._remembered:
            self._seen, self._remembered = self._recall(), True
        names = (keys.MARKS, keys.MISSING)
        try:
            answer: Any = self._look_script(names, _Look(*self._seen))
        except ResponseError as error:
            if trouble_of(error) != "forbidden":
                raise
            return self._ask_as_a_user_of_before()
        run, now_ms, refused, *lost = (part.decode() for part in answer)
        if self._young[0] != run:
            self._young = (run, int(now_ms))
        if run == self._seen[0] or int(now_ms) - self._young[1] >= self._settled_after_ms:
            self._seen = (run, now_ms)
            self._remember()
        if int(refused):
            return Loss(refused=int(refused))
        return Loss(0, *(float(part) / 1000 for part in lost)) if lost else None

    def _ask_as_a_user_of_before(self) -> Loss | None:
        self._say(
            "Redis' users are of an earlier version. Write them anew (deploy/make_secrets.sh or "
            "`maskwatch redis-acl`) before Redis starts again: it may lose what it has otherwise"
        )
        found: Any = self._redis.info("stats")
        refused = int(found.get("unexpected_error_replies", 0))
        return Loss(refused=refused) if refused else None

    def _say(self, words: str) -> None:
        if words and words != self._said:
            _log.error("%s", words)
        self._said = words or self._said

    def _recall(self) -> tuple[str, str]:
        try:
            found = json.loads(self._seen_file.read_text()) if self._seen_file else {}
            return str(found["run"]), str(int(found["at_ms"]))
        except (OSError, ValueError, LookupError, TypeError):
            return "", "0"

    def _remember(self) -> None:
        if self._seen_file is None:
            return
        fresh = self._seen_file.with_name(f".{self._seen_file.name}.new")
        run, at_ms = self._seen
        try:
            fresh.write_text(json.dumps({"run": run, "at_ms": int(at_ms)}))
            fresh.replace(self._seen_file)
        except OSError as error:
            _log.debug("what Redis had is remembered only while this process runs: %s", error)


def accept_loss(redis: Redis) -> int:
    """Accept Redis' data as complete for all processes; return how many runs had lost data."""
    run = redis.info("server")["run_id"]
    lost: Any = redis.zrange(keys.MISSING, 0, -1, withscores=True)
    with redis.pipeline(transaction=True) as pipeline:
        pipeline.zadd(keys.MARKS, {f"accepted:{run}": time.time() * 1000, **dict(lost)})
        if lost:
            pipeline.zrem(keys.MISSING, *(one for one, _ in lost))
        pipeline.execute()
    return len(lost)


def _moment(at_s: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at_s))

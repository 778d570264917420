"""The version of messages in a Redis: an older process beside newer ones takes no cameras.

Records have their own versions, so that a reader refuses unknown ones. That protects the reader,
but an older worker would still own cameras whose frames it cannot read. So Redis stores the newest
version of all processes so far, and an older process takes no camera and says why.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from redis import Redis

from bus.keys import WIRE
from bus.scripts.script import Header, Script
from contract.errors import WireVersionError

VERSION: Final = 5
"""Raise it with any change of messages that an older process cannot handle.

2: versions in views, statuses, uploads and recordings. 3: pictures are sealed.
4: a worker saves typed records for its successor (ADR 0045). 5: a worker packs a day together with
its sums (ADR 0058).
"""

PICTURES_SEALED: Final = 3


@dataclass(frozen=True)
class _Note(Header):
    script: ClassVar = "note_wire_version"

    version: int


_log = logging.getLogger(__name__)


def noted_version(redis: Redis) -> int:
    """Return the newest version of all processes so far; 0 before the first."""
    found: Any = redis.get(WIRE)
    return int(found) if found and found.isdigit() and len(found) < 9 else 0


def check_wire(redis: Redis) -> None:
    """Raise `WireVersionError` if newer processes use this Redis; changes nothing."""
    _refuse_newer(noted_version(redis))


def join_wire(redis: Redis) -> None:
    """Join with this version; raise `WireVersionError` if it is too old."""
    # Called by its hash, like all scripts: no role's user may run a script's text.
    _refuse_newer(int(Script(redis, _Note)((WIRE,), _Note(VERSION))))


def _refuse_newer(found: int) -> None:
    if found > VERSION:
        raise WireVersionError(
            f"a newer Maskwatch uses this Redis (its messages have version {found}, ours "
            f"{VERSION}); upgrade this process. To go back instead, stop all newer ones and delete "
            f"the key {WIRE}"
        )


class WireWatch:
    """Notices when newer processes join this process's Redis. Reports it once."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._said = False

    def outdated(self) -> bool:
        """Whether newer processes joined, so that this one must stop taking cameras."""
        try:
            check_wire(self._redis)
        except WireVersionError as error:
            if not self._said:
                _log.error("%s", error)
            self._said = True
            return True
        self._said = False
        return False

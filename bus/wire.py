"""Which version of messages is spoken in a Redis: an older process beside newer ones steps back.

Records have versions of their own, so that a reader refuses what it does not know. That protects
it, but not the others: an older worker would own cameras whose frames it cannot read. So the newest
version that ever took part is noted, and whoever is older takes no camera and says why.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from redis import Redis

from bus.keys import WIRE
from bus.scripts.script import Header, Script
from contract.errors import WireVersionError

VERSION: Final = 4
"""Raise it with any change to messages between stages that an older process could not live with.

2: versions in views, statuses, uploads and recordings. 3: pictures are sealed.
4: a worker saves typed records for its successor (ADR 0045).
"""

PICTURES_SEALED: Final = 3


@dataclass(frozen=True)
class _Note(Header):
    script: ClassVar = "note_wire_version"

    version: int


_log = logging.getLogger(__name__)


def noted_version(redis: Redis) -> int:
    """The newest version of any process that took part; 0 where none did."""
    found: Any = redis.get(WIRE)
    return int(found) if found and found.isdigit() and len(found) < 9 else 0


def check_wire(redis: Redis) -> None:
    """Raise `WireVersionError` if newer processes use this Redis; changes nothing."""
    _refuse_newer(noted_version(redis))


def join_wire(redis: Redis) -> None:
    """Note that a process of this version takes part; raise `WireVersionError` if it is too old."""
    # By its hash, as all scripts are: no role's user in Redis may send one to be run as it is.
    _refuse_newer(int(Script(redis, _Note)((WIRE,), _Note(VERSION))))


def _refuse_newer(found: int) -> None:
    if found > VERSION:
        raise WireVersionError(
            f"a newer Maskwatch uses this Redis (its messages have version {found}, ours "
            f"{VERSION}); upgrade this process. To go back instead, stop all newer ones and delete "
            f"the key {WIRE}"
        )


class WireWatch:
    """Notices when newer processes come to a Redis that this one works with. Says so once."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._said = False

    def outdated(self) -> bool:
        """Whether this process is to step back now."""
        try:
            check_wire(self._redis)
        except WireVersionError as error:
            if not self._said:
                _log.error("%s", error)
            self._said = True
            return True
        self._said = False
        return False

"""The turn to evaluate the alert rules: a lock in Redis that expires."""

from __future__ import annotations

import logging
from typing import Final

from redis import Redis
from redis.exceptions import LockError
from redis.lock import Lock

from bus.keys import AlertKeys
from contract.errors import LeaseLostError

TURN_S: Final = 15.0
"""Seconds of silence after which another process takes the turn."""

_log = logging.getLogger(__name__)


class AlertTurn:
    """One process's turn. Belongs to one thread."""

    def __init__(self, redis: Redis) -> None:
        self._lock = Lock(redis, AlertKeys.EVALUATOR, timeout=TURN_S, thread_local=False)

    @property
    def token(self) -> str:
        """The proof of the turn, which `AlertStore.commit` requires."""
        token = self._lock.local.token
        return token.decode() if isinstance(token, bytes) else str(token)

    def take(self) -> bool:
        """Keep the turn, or take it if it is free; return whether this process has it."""
        try:
            return bool(self._lock.reacquire())
        except LockError:
            return bool(self._lock.acquire(blocking=False))

    def keep(self) -> None:
        """Extend the turn to its full length from now.

        Raises:
            LeaseLostError: another process has it.
        """
        try:
            self._lock.reacquire()
        except LockError:
            raise LeaseLostError("another process evaluates the alert rules") from None

    def leave(self) -> None:
        """Let another process take over at once."""
        try:
            if self._lock.owned():
                self._lock.release()
        except LockError as error:
            _log.debug("the lock was not ours any more: %s", error)

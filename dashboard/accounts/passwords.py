"""Checks the strength of passwords, and hashes them (argon2id, RFC 9106)."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from contract.errors import AccountError, BusyError

SHORTEST: Final = 10
LONGEST: Final = 200
AT_ONCE: Final = 2
"""Most simultaneous hashes. Each takes 64 MiB and most of a core for a moment."""
WAITING: Final = 16
"""Most waiting hashes. At 80 ms each, the last waits less than a second."""
NICER_BY: Final = 5
"""Niceness of hashing. It yields to the event loop, because argon2's threads would fill every core.
At 10, sign-ins would starve while workers use the whole machine.
"""

T = TypeVar("T")


def direct(work: Callable[[], T]) -> T:
    """Do the work in the calling thread."""
    return work()


class GeventPool:
    """Does the work in real threads, so that no stream waits for a password to be checked."""

    def __init__(self, size: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._size = size
        self._most = size + waiting
        self._under_way = 0
        self._lock = threading.Lock()
        self._pool: object = None

    def __call__(self, work: Callable[[], T]) -> T:
        """Return what `work` returns, letting other greenlets run meanwhile.

        Raises:
            BusyError: too much work is waiting; this work was not started.
        """
        with self._lock:
            if self._under_way >= self._most:
                raise BusyError("Too many passwords are being checked. Try again in a moment.")
            self._under_way += 1
        try:
            return self._run(work)
        finally:
            with self._lock:
                self._under_way -= 1

    def _run(self, work: Callable[[], T]) -> T:
        from gevent.threadpool import ThreadPool

        with self._lock:
            # Made at the first use: a pool belongs to the process's event loop.
            if self._pool is None:
                self._pool = ThreadPool(self._size)
        pool: ThreadPool = self._pool
        result: T = pool.apply(_nicely, (work,))
        return result


def _nicely(work: Callable[[], T]) -> T:
    if sys.platform == "linux":  # where it is the thread's own, and that of threads it starts
        own = os.getpriority(os.PRIO_PROCESS, os.getpid())
        os.setpriority(os.PRIO_PROCESS, 0, own + NICER_BY)
    return work()


class Passwords:
    """Hashes and checks passwords."""

    def __init__(
        self,
        hasher: PasswordHasher | None = None,
        run: Callable[[Callable[[], object]], object] = direct,
    ) -> None:
        self._hasher = hasher or PasswordHasher()
        self._run = run
        self._nobodys = ""

    def hash(self, password: str) -> str:
        """Return argon2id's encoded hash, salt and parameters included."""
        return str(self._run(lambda: self._hasher.hash(password)))

    def matches(self, password_hash: str, password: str) -> bool:
        """Whether the password is right. Takes equally long without a password or an account."""
        if not password_hash and not self._nobodys:
            self._nobodys = self.hash("nobody's password")
        found = self._run(lambda: self._verify(password_hash or self._nobodys, password))
        return bool(found) and bool(password_hash)

    def outdated(self, password_hash: str) -> bool:
        """Whether the hash was made with weaker parameters than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False


def require_good(password: str, name: str) -> None:
    """Raise `AccountError` for a password that is easily guessed.

    Length is what counts (NIST SP 800-63B); mixtures of signs are not asked for.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise AccountError(
            f"password: expected {SHORTEST} to {LONGEST} characters, found {len(password)}"
        )
    plain = password.lower()
    if len(set(plain)) < 4 or plain.strip() in {name.lower(), "maskwatch", "maskwatch1234"}:
        raise AccountError(
            "password: too easy to guess; try four words that do not belong together"
        )

"""What is wrong with Redis, told apart by how it answers, or does not."""

from __future__ import annotations

import re
from typing import Final, Literal

from redis import Redis
from redis.exceptions import (
    AskError,
    AuthenticationError,
    BusyLoadingError,
    ClusterDownError,
    MasterDownError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from bus import keys
from contract.redaction import redact_text
from runtime.redis_address.tls import tls_fault, tls_words

Trouble = Literal[
    "locked",
    "forbidden",
    "loading",
    "full",
    "read_only",
    "disk",
    "silent",
    "untrusted",
    "unreachable",
    "incomplete",
    "other",
]

WORDS: Final[dict[Trouble, str]] = {
    "locked": "refuses our user or password; correct MASKWATCH_REDIS_URL, or MASKWATCH_REDIS_USER "
    "and what MASKWATCH_REDIS_PASSWORD_FILE holds",
    "forbidden": "forbids a command we need",
    "loading": "is starting and still loading its data; waiting",
    "full": "is full (maxmemory); give it more memory or fewer cameras",
    "read_only": "is a read-only replica; point MASKWATCH_REDIS_URL at the primary",
    "disk": "cannot write to its disk and takes nothing; make room there",
    "silent": "does not answer in time; waiting",
    "untrusted": "cannot be trusted",
    "unreachable": "cannot be reached; is it running? Trying again",
    "incomplete": "has nobody that serves a part of the cluster; waiting for a replica to take "
    "over, or for a part that moves",
    "other": "refuses a command",
}
TITLES: Final[dict[Trouble, str]] = {
    "locked": "Redis refuses our password",
    "forbidden": "Redis forbids a command",
    "loading": "Redis is starting",
    "full": "Redis is full",
    "read_only": "Redis is read-only",
    "disk": "Redis cannot write to its disk",
    "silent": "Redis does not answer",
    "untrusted": "Redis cannot be reached safely",
    "unreachable": "Redis cannot be reached",
    "incomplete": "A part of Redis is away",
    "other": "Redis refuses a command",
}
"""In few words, for the head of a page."""

STORES_EXPIRE_S: Final = 60

# In this order: some of these errors are connection errors, too.
_BY_TYPE: Final[tuple[tuple[type[RedisError], Trouble], ...]] = (
    (AuthenticationError, "locked"),
    (NoPermissionError, "forbidden"),
    (BusyLoadingError, "loading"),
    (OutOfMemoryError, "full"),
    (ReadOnlyError, "read_only"),
    (MasterDownError, "loading"),
    (ClusterDownError, "incomplete"),
    (AskError, "incomplete"),
    (TryAgainError, "incomplete"),
    (RedisTimeoutError, "silent"),
    (RedisConnectionError, "unreachable"),
)
# What a command inside a script is refused with comes wrapped in the script's own error.
_CODE: Final = re.compile(r"(?:^|[\s-])(OOM|READONLY|MISCONF|NOREPLICAS|NOPERM|MASTERDOWN)\b")
_BY_CODE: Final[dict[str, Trouble]] = {
    "OOM": "full",
    "READONLY": "read_only",
    "MISCONF": "disk",
    "NOPERM": "forbidden",
    "MASTERDOWN": "loading",
    "NOREPLICAS": "other",
}


def trouble_of(error: RedisError) -> Trouble:
    """Return what kind of trouble an error shows."""
    if isinstance(error, RedisConnectionError) and tls_fault(error):
        return "untrusted"
    for kind, trouble in _BY_TYPE:
        if isinstance(error, kind):
            return trouble
    code = _CODE.search(str(error))
    return _BY_CODE[code.group(1)] if code else "other"


def words_for(error: RedisError) -> str:
    """Say what Redis does, and what to do about it; goes on from a name: "Redis is full ..."."""
    trouble, fault = trouble_of(error), tls_fault(error)
    if trouble == "untrusted" and fault:
        return tls_words(fault)
    if trouble in {"forbidden", "other"}:
        return f"{WORDS[trouble]} ({redact_text(str(error))})"
    return WORDS[trouble]


def words_for_viewers(error: RedisError) -> str:
    """Say it to people who look at pictures and counts, and cannot mend it."""
    return f"{TITLES[trouble_of(error)]}. Nothing new is shown or counted until that is mended."


def require_storing(redis: Redis) -> None:
    """Raise a `RedisError` unless the server takes what is written: a full one still answers."""
    redis.set(keys.STORES, 1, ex=STORES_EXPIRE_S)


def leave_replica(error: RedisError, redis: Redis) -> None:
    """Connect anew after this error if the server turned out to be a replica.

    A connection to a primary that was made a replica lasts, while its address has come to lead to
    the new primary: whoever keeps the connection would be refused for ever.
    """
    if trouble_of(error) == "read_only":
        redis.connection_pool.disconnect(inuse_connections=False)

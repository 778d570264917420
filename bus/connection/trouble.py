"""Classifies faults of Redis by its answers, or by their absence."""

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
from bus.cluster.interface import one_camera_a_group
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
"""Short titles for the head of a page."""

STORES_EXPIRE_S: Final = 60

# The order matters: some of these errors are connection errors too.
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
# Redis wraps a refusal of a command inside a script in the script's own error.
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
    """Return the kind of trouble behind an error."""
    if isinstance(error, RedisConnectionError) and tls_fault(error):
        return "untrusted"
    for kind, trouble in _BY_TYPE:
        if isinstance(error, kind):
            return trouble
    code = _CODE.search(str(error))
    return _BY_CODE[code.group(1)] if code else "other"


def words_for(error: RedisError) -> str:
    """Explain the trouble and what to do; continues a name: "Redis is full ..."."""
    trouble, fault = trouble_of(error), tls_fault(error)
    if trouble == "untrusted" and fault:
        return tls_words(fault)
    if "DB index is out of range" in str(error):
        return "has no database of that number; put a lower one at the end of MASKWATCH_REDIS_URL"
    if trouble in {"forbidden", "other"}:
        return f"{WORDS[trouble]} ({redact_text(str(error))})"
    return WORDS[trouble]


def words_for_viewers(error: RedisError) -> str:
    """Explain the trouble to viewers, who cannot mend it."""
    return f"{TITLES[trouble_of(error)]}. Nothing new is shown or counted until that is mended."


def require_storing(redis: Redis) -> None:
    """Raise a `RedisError` unless the server accepts writes: a full one still answers."""
    redis.set(keys.STORES, 1, ex=STORES_EXPIRE_S)


def require_storing_everywhere(redis: Redis) -> None:
    """Raise a `RedisError` unless every server of the cluster, or the only server, does."""
    with redis.pipeline(transaction=False) as pipeline:
        for name in (keys.STORES, *map(_watched, one_camera_a_group(redis))):
            pipeline.set(name, 1, ex=STORES_EXPIRE_S)
        pipeline.execute()


def _watched(camera_id: str) -> str:
    return keys.CameraKeys(camera_id).watched


def leave_replica(error: RedisError, redis: Redis) -> None:
    """Reconnect after this error if it shows that the server is a replica.

    A connection to a demoted primary stays open, although its address now leads to the new primary.
    Without reconnecting, all writes would be refused forever.
    """
    if trouble_of(error) == "read_only":
        redis.connection_pool.disconnect(inuse_connections=False)

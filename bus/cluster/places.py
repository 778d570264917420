"""Places of keys in a Redis Cluster: a camera's keys in one of a few slots, all others in one.

In a cluster, a command, a transaction or a script may use keys of one slot only. So each key is
sent with a hash tag before its name: one tag for small, shared data (the list of cameras,
accounts, alerts, members, RQ's jobs), and one of `GROUPS` tags for a camera. Cameras of a group
can be read by one `XREAD`, and there are as many groups as can be read one by one.
"""

from __future__ import annotations

from binascii import crc_hqx
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import count
from typing import Any, Final

from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot

from bus.keys import PREFIX

GROUPS: Final = 24
"""Number of groups: most primaries that can hold cameras, evenly if their number divides it."""

_CAMERA: Final = f"{PREFIX}:{{cam:".encode()


def _spread() -> tuple[bytes, ...]:
    """Return a tag for each group, so that their slots divide the range evenly.

    The result must never change: data in existing clusters is stored under it.
    """
    found: dict[int, bytes] = {}
    number = 0
    while len(found) < GROUPS:
        name = f"{PREFIX}:{number}".encode()
        found.setdefault(key_slot(name) * GROUPS // REDIS_CLUSTER_HASH_SLOTS, b"{%b}" % name)
        number += 1
    return tuple(found[group] for group in range(GROUPS))


HOME: Final = f"{{{PREFIX}}}".encode()
"""The tag of shared keys."""
CAMERA_TAGS: Final = _spread()
"""The tags of the groups of cameras."""


def _words(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


_NO_KEYS: Final = _words(
    "PING ECHO TIME INFO ROLE AUTH HELLO SELECT QUIT RESET CLIENT CLUSTER COMMAND CONFIG ACL",
    "SCRIPT MULTI EXEC DISCARD UNWATCH ASKING READONLY READWRITE WAIT PUBLISH SUBSCRIBE",
    "UNSUBSCRIBE PSUBSCRIBE PUNSUBSCRIBE PUBSUB BGREWRITEAOF",
)
_FIRST: Final = _words(
    "GET SET SETEX PSETEX SETNX GETDEL GETEX GETSET INCR INCRBY INCRBYFLOAT DECR DECRBY APPEND",
    "STRLEN GETRANGE SETRANGE EXPIRE PEXPIRE EXPIREAT PEXPIREAT TTL PTTL PERSIST TYPE DUMP RESTORE",
    "HSET HSETNX HMSET HGET HMGET HGETALL HDEL HEXISTS HINCRBY HINCRBYFLOAT HKEYS HVALS HLEN HSCAN",
    "LPUSH RPUSH LPUSHX RPUSHX LPOP RPOP LLEN LRANGE LINDEX LSET LREM LTRIM LINSERT LPOS",
    "SADD SREM SMEMBERS SISMEMBER SMISMEMBER SCARD SPOP SRANDMEMBER SSCAN",
    "ZADD ZREM ZRANGE ZREVRANGE ZRANGEBYSCORE ZREVRANGEBYSCORE ZRANGEBYLEX ZREMRANGEBYSCORE",
    "ZREMRANGEBYRANK ZSCORE ZMSCORE ZCARD ZCOUNT ZINCRBY ZRANK ZREVRANK ZPOPMIN ZPOPMAX ZSCAN",
    "XADD XDEL XLEN XRANGE XREVRANGE XTRIM",
)
"""Commands with one key, directly after the name."""
_ALL: Final = _words("DEL UNLINK EXISTS TOUCH MGET WATCH SUNION SINTER SDIFF")
_ALL_BUT_LAST: Final = _words("BLPOP BRPOP BZPOPMIN BZPOPMAX")
_TWO: Final = _words("LMOVE BLMOVE RPOPLPUSH BRPOPLPUSH RENAME RENAMENX SMOVE COPY")
_COUNTED: Final = _words("EVAL EVALSHA")


def tag_of(name: bytes) -> bytes:
    """Return the tag of a key."""
    if not name.startswith(_CAMERA):
        return HOME
    camera_id = name[len(_CAMERA) : name.find(b"}")]
    return CAMERA_TAGS[crc_hqx(camera_id, 0) % GROUPS]


@cache
def one_id_a_group() -> tuple[str, ...]:
    """Return one id for each group of cameras; no real camera has such an id."""
    found: dict[bytes, str] = {}
    for number in count():
        found.setdefault(tag_of(_CAMERA + b"part-%d}" % number), f"part-{number}")
        if len(found) == GROUPS:
            break
    return tuple(found.values())


def slot_of(tag: bytes) -> int:
    """Return the slot of all keys with a tag."""
    return key_slot(tag)


def tagged(name: bytes) -> bytes:
    """Return a key as it is sent to a cluster."""
    return tag_of(name) + name


def tagged_pattern(pattern: str) -> str:
    """Return a pattern of keys of one kind in the form of a cluster."""
    ours = pattern.startswith(_CAMERA.decode())
    return f"{{{PREFIX}:*}}{pattern}" if ours else f"{HOME.decode()}{pattern}"


def untagged(name: bytes) -> bytes:
    """Return our name of a cluster's key."""
    if name.startswith(HOME):
        return name[len(HOME) :]
    ours = name.startswith(HOME[:-1] + b":")
    return name[name.find(b"}") + 1 :] if ours else name


def place(command: Sequence[Any]) -> bytes:
    """Return the tag of a command's keys; the shared tag for a command without keys.

    Raises:
        ValueError: its keys have several tags, or the positions of its keys are not known.
    """
    tags = {tag_of(encoded(command[index])) for index in _key_indices(command)}
    if len(tags) > 1:
        raise ValueError(
            f"{command[0]} names keys of several slots; send one command for each "
            "camera, and one for shared keys"
        )
    return tags.pop() if tags else HOME


def as_sent(command: Sequence[Any]) -> Sequence[Any]:
    """Return the command with its keys in the form of a cluster."""
    indices = _key_indices(command)
    if not indices:
        return command
    sent = list(command)
    for index in indices:
        sent[index] = tagged(encoded(sent[index]))
    return sent


def encoded(name: Any) -> bytes:
    """A key as bytes."""
    return name.encode() if isinstance(name, str) else bytes(name)


def _key_indices(command: Sequence[Any]) -> Iterable[int]:
    """Return the positions of the keys in a command."""
    name = encoded(command[0]).decode("ascii").upper().partition(" ")[0]
    if name in _NO_KEYS:
        return ()
    if name in _FIRST:
        return (1,)
    if name in _ALL:
        return range(1, len(command))
    if name in _COUNTED:
        return range(3, 3 + int(command[2]))
    return _rare_key_indices(name, command)


def _rare_key_indices(name: str, command: Sequence[Any]) -> Iterable[int]:
    if name == "XREAD":
        parts = [part.upper() if isinstance(part, str | bytes) else part for part in command]
        first = next(i for i, part in enumerate(parts) if part in {"STREAMS", b"STREAMS"}) + 1
        return range(first, first + (len(command) - first) // 2)
    if name in _ALL_BUT_LAST:
        return range(1, len(command) - 1)
    if name in _TWO:
        return (1, 2)
    if name == "SCAN":
        return [i + 1 for i, part in enumerate(command) if part in {"MATCH", b"MATCH"}]
    raise ValueError(f"the positions of the keys of {name} are not known; add it to {__name__}")

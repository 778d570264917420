"""The rights of each role in Redis: the keys that it reads and writes, and its commands.

The names come from `bus.keys` and from RQ, so that renaming a key renames it here too. Redis checks
commands inside scripts like others. Tests run every role under its own user and expect no refusal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from rq import Queue
from rq.defaults import RQ_KEY_PREFIX
from rq.group import Group
from rq.suspension import WORKERS_SUSPENDED

from bus import keys
from bus.cluster.interface import tagged_pattern
from bus.keys import AlertKeys, AuditKeys, CameraKeys, UploadKeys

ANY: Final = "*"
ADMIN: Final = "admin"
"""The role for backup and restore, and for `maskwatch run`, whose stages share one user."""

_CAMERA: Final = CameraKeys(ANY)
_DAYS: Final = f"{_CAMERA.minutes}:{ANY}"
"""Packed days and their sums."""
_EVERYTHING_OF_A_CAMERA: Final = (*_CAMERA.all(), _DAYS)
_CAMERAS: Final = (keys.CAMERAS, keys.CAMERAS_REVISION)
_UPLOAD: Final = tuple(vars(UploadKeys(ANY)).values())

_AUDITS: Final = (
    *(AuditKeys.ALL, AuditKeys.RUNNING, AuditKeys.COUNTS),
    *vars(AuditKeys(ANY)).values(),
    AuditKeys(ANY).pictures(ANY),
)

_CONNECT: Final = {"ping", "select", "info", "client|setname", "client|id"}
_TRANSACTION: Final = {"multi", "exec", "discard", "watch", "unwatch"}
_SCRIPT: Final = {"evalsha", "script|load", "script|exists", "get", "set", "exists", "time"}
_LOSS: Final = {"zadd", "zrem", "zrange", "zscore"}
_BEAT: Final = {"zadd", "zrem", "zrange", "zrangebyscore", "hset", "hget", "hgetall", "hdel"}
_LEASE: Final = {"client|list", "incr", "incrby", "pexpire", "del"}
_READ_CAMERAS: Final = {"hget", "hgetall", "hmget", "mget", "xread", "xrange", "xrevrange", "xlen"}
_COUNT: Final = {"hincrby", "hincrbyfloat", "xadd", "xtrim", "expire"}
_WRITE_CAMERAS: Final = {"hset", "hdel", "incrby", "del", "unlink"}
_ENQUEUE: Final = {"sadd", "smembers", "hset", "hget", "hgetall", "rpush", "lpush", "expire"} | {
    *("exists", "persist", "xrevrange", "xread", "zadd", "zrem", "lrem", "llen", "del")
}
_RUN_JOBS: Final = (
    _ENQUEUE
    | {"client|info", "client|list", "subscribe", "unsubscribe", "blmove", "lmove", "lpop"}
    | {"blpop", "lrange", "llen", "srem", "scard", "hexists", "hincrby", "hincrbyfloat", "xadd"}
    | {"zrange", "zrangebyscore", "zremrangebyscore", "zscore", "zcard", "hmget", "ttl"}
)


@dataclass(frozen=True)
class Access:
    """The rights of one role. Keys are patterns in the form of Redis' ACL."""

    commands: frozenset[str]
    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()

    def __or__(self, other: Access) -> Access:
        return Access(
            self.commands | other.commands,
            self.reads | other.reads,
            self.writes | other.writes,
            self.channels | other.channels,
        )


def _access(
    *commands: Iterable[str],
    both: Iterable[str] = (),
    reads: Iterable[str] = (),
    writes: Iterable[str] = (),
) -> Access:
    """`both` are keys that are read and written: those of scripts, too, whatever they do."""
    everywhere = frozenset(both)
    return Access(frozenset().union(*commands), everywhere | set(reads), everywhere | set(writes))


def _member(role: str) -> Access:
    """Rights to join: heartbeats as a member of `role`, and its message version."""
    names = (keys.members(role), keys.member_details(role), keys.member_connections(role))
    used = (*names, keys.WIRE, keys.STORES, keys.MARKS, keys.MISSING)
    return _access(_CONNECT, _TRANSACTION, _SCRIPT, _BEAT, _LOSS, both=used)


def _runs(queue: str) -> Access:
    """Rights to run the jobs of a queue. Jobs of all queues share one form of name."""
    shared = ("queues", "workers", "worker:*", "job:*", "results:*", "execution:*", "executions:*")
    return Access(
        frozenset(_CONNECT | _TRANSACTION | _RUN_JOBS),
        *2 * (frozenset({*_of_queue(queue), *(f"{RQ_KEY_PREFIX}:{name}" for name in shared)}),),
        frozenset({f"{RQ_KEY_PREFIX}:pubsub:{ANY}"}),
    ) | _access(
        both=(Group.REDIS_GROUP_CLEANING_KEY,),
        reads=(Group.REDIS_GROUP_KEY, f"{RQ_KEY_PREFIX}:rl-keys", WORKERS_SUSPENDED),
    )


def _of_queue(queue: str) -> tuple[str, str]:
    return f"{RQ_KEY_PREFIX}:{ANY}:{queue}", f"{RQ_KEY_PREFIX}:{ANY}:{queue}:{ANY}"


def _enqueues(*queues: str) -> Access:
    """Rights to queue jobs, follow them, and ask whether a process runs them."""
    names = [f"{Queue.redis_queue_namespace_prefix}{queue}" for queue in queues]
    jobs = (f"{RQ_KEY_PREFIX}:queues", f"{RQ_KEY_PREFIX}:job:{ANY}")
    return _access(
        _CONNECT,
        _TRANSACTION,
        _ENQUEUE,
        both=(*names, *jobs),
        reads=(
            f"{RQ_KEY_PREFIX}:results:{ANY}",
            *(f"{RQ_KEY_PREFIX}:workers:{queue}" for queue in queues),
        ),
    )


def _ingest() -> Access:
    names = _CAMERA
    used = (names.frames, names.totals, names.minutes, names.status, names.connections)
    # It ends webcams whose page was closed, and clears away after removed cameras.
    return _member("ingest") | _access(
        _LEASE,
        _COUNT,
        _WRITE_CAMERAS,
        {"xrevrange"},
        both=(*_CAMERAS, *used, names.ingest_lease, names.fence),
        reads=(names.position,),
        writes=_EVERYTHING_OF_A_CAMERA,
    )


def _worker() -> Access:
    names = _CAMERA
    used = (names.frames, names.view, names.totals, names.minutes, _DAYS, names.people)
    kept = (names.position, names.tracker, names.latest, names.condition)
    return _member("worker") | _access(
        _LEASE,
        _COUNT,
        {"hlen", "hget", "hgetall", "hdel", "mget", "ttl", "xread", "xdel"},
        {"zrangebyscore", "hmget"},
        both=(*used, *kept, names.worker_lease, names.fence, keys.INFERENCE, *_AUDITS),
        reads=(*_CAMERAS, names.watched, names.watched_large),
    )


def _accounts() -> Access:
    return _access(
        _CONNECT,
        _TRANSACTION,
        _SCRIPT,
        {"hget", "hgetall", "hset", "hdel", "sadd", "srem", "smembers", "getdel", "expire", "del"},
        {"xadd", "xrevrange", "xdel", "zadd", "zrange", "zrem", "lindex", "lpush", "ltrim"},
        both=(
            *(keys.USERS, keys.API_KEYS, keys.API_KEYS_USED),
            *(keys.AUDIT, f"{keys.AUDIT}:{ANY}", f"{keys.LIMITS}:{ANY}"),
            *(keys.session(ANY), keys.user_sessions(ANY), keys.link(ANY), keys.user_link(ANY)),
        ),
    )


def _dashboard() -> Access:
    names = _CAMERA
    # The dashboard reads the webcams of browsers.
    webcam = (names.frames, names.totals, names.minutes, names.ingest_lease, names.fence)
    shown = (names.status, names.connections, names.latest, names.condition, names.view)
    members = [
        name
        for role in ("ingest", "worker")
        for name in (keys.members(role), keys.member_details(role))
    ]
    return (
        _accounts()
        | _enqueues(keys.JOBS_QUEUE, keys.IMAGES_QUEUE, keys.RECORDINGS_QUEUE, keys.ALERTS_QUEUE)
        | _access(
            _LEASE - {"client|list"},
            _COUNT,
            _READ_CAMERAS,
            _WRITE_CAMERAS,
            _LOSS,
            {"hkeys", "hvals", "hlen", "ttl", "strlen", "scan", "expireat", "zrangebyscore"},
            {"lrange"},
            both=(
                *(*_CAMERAS, *webcam, *_UPLOAD, keys.recording(ANY), *_alert_keys()),
                *_AUDITS,
                names.tallies,
                *(keys.MARKS, keys.MISSING),
            ),
            reads=(
                *shown,
                names.people,
                _DAYS,
                names.position,
                keys.INFERENCE,
                keys.WIRE,
                keys.probe_picture(ANY),
                *members,
            ),
            writes=(*_EVERYTHING_OF_A_CAMERA, keys.STORES),
        )
    )


def _jobs() -> Access:
    return (
        _member("jobs")
        | _runs(keys.JOBS_QUEUE)
        | _access({"hset", "del", "expire"}, both=(keys.probe_picture(ANY),))
    )


def _images() -> Access:
    return (
        _member("images")
        | _runs(keys.IMAGES_QUEUE)
        | _access({"hgetall", "hset", "del", "expire"}, both=_UPLOAD)
    )


def _recordings() -> Access:
    return (
        _member("recordings")
        | _runs(keys.RECORDINGS_QUEUE)
        | _access({"del"}, both=(keys.recording(ANY),))
    )


def _alert_keys() -> tuple[str, ...]:
    named = [value for name, value in vars(AlertKeys).items() if name.isupper() and name[0] != "_"]
    return (*named, AlertKeys.sending(ANY))


def _alerts() -> Access:
    names = _CAMERA
    return (
        _member("alerts")
        | _runs(keys.ALERTS_QUEUE)
        | _access(
            _READ_CAMERAS,
            {"pttl", "pexpire", "xtrim", "hvals", "hkeys", "hlen", "zremrangebyrank", "strlen"},
            # A report may be the first reader of sums by quarter of an hour, and then stores them.
            both=(*_alert_keys(), f"{RQ_KEY_PREFIX}:scheduler:{ANY}", _DAYS),
            reads=(
                *_CAMERAS,
                *(names.status, names.ingest_lease, names.worker_lease, names.latest),
                *(names.condition, names.minutes, names.totals),
                AuditKeys.COUNTS,
            ),
        )
    )


def _admin(others: Iterable[Access]) -> Access:
    everything = _access(_READ_CAMERAS, {"bgrewriteaof"}, both=_EVERYTHING_OF_A_CAMERA)
    for other in others:
        everything |= other
    return everything


_STAGES: Final[Mapping[str, Access]] = {
    "ingest": _ingest(),
    "worker": _worker(),
    "dashboard": _dashboard(),
    "jobs": _jobs(),
    "images": _images(),
    "recordings": _recordings(),
    "alerts": _alerts(),
}
_HEALTH: Final = _access({"ping", "info", "zscore", "zcard"}, reads=(keys.MARKS, keys.MISSING))
"""Rights of the health check of Redis' container: asking whether data was lost."""
ROLES: Final[Mapping[str, Access]] = {
    **_STAGES,
    "health": _HEALTH,
    ADMIN: _admin(_STAGES.values()),
}
"""Each role's access, by the name of its Redis user."""

REPLICA: Final[Mapping[str, Access]] = {"replica": Access(frozenset({"psync", "replconf", "ping"}))}
WATCHERS: Final[Mapping[str, Access]] = {
    **REPLICA,
    "sentinel": Access(
        frozenset({"ping", "info", "role", "slaveof", "config|rewrite", "multi", "exec"})
        | {"publish", "subscribe", "client|setname", "client|kill", "script|kill"},
        channels=frozenset({ANY}),
    ),
}
"""Rights of replicas and sentinels, from Redis' documentation."""


def in_cluster(access: Access) -> Access:
    """Return the rights in a cluster: keys have tags, and roles may ask for their servers."""
    if not access.reads | access.writes:
        return access
    return Access(
        access.commands | {"cluster|slots", "asking"},
        frozenset(map(tagged_pattern, access.reads)),
        frozenset(map(tagged_pattern, access.writes)),
        access.channels,
    )

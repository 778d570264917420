"""Ownership of cameras: members of a role share them, and each camera has one owner at a time.

A lease is a key that expires; taking one draws a *fencing token*, a number that only rises. Every
write for a camera carries `owner:token`, and the script that writes refuses it if the lease is no
longer held. So a process that was paused past its lease can do no harm (Kleppmann, "How to do
distributed locking", 2016). All times are the Redis server's, so hosts' clocks may differ.
"""

from __future__ import annotations

import hashlib
import math
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from redis import Redis

from bus import keys
from bus.clock import SharedClock
from bus.members.members import BEATS_A_LEASE, DeathWatch, Membership
from bus.scripts.script import Header, Script
from bus.wire import WireWatch

Role = Literal["ingest", "worker"]


@dataclass(frozen=True)
class _Acquire(Header):
    script: ClassVar = "acquire_lease"

    owner: str
    kept_ms: int
    dead: list[str]
    """Dead owners, whose leases may be taken over."""


@dataclass(frozen=True)
class _Renew(Header):
    script: ClassVar = "renew_lease"

    owner: str
    """With the token: what the lease holds."""
    kept_ms: int


@dataclass(frozen=True)
class _Release(Header):
    script: ClassVar = "release_lease"

    owner: str
    """With the token: what the lease holds."""


@dataclass(frozen=True)
class Lease:
    """The right to write for one camera while the lease is valid in Redis."""

    camera_id: str
    role: Role
    owner: str
    token: int

    @property
    def value(self) -> str:
        """Return the lease key's value while this lease is valid."""
        return f"{self.owner}:{self.token}"


class LeaseStore:
    """Takes, renews and releases leases of one role for `owner`."""

    def __init__(self, redis: Redis, role: Role, owner: str, ttl_s: float) -> None:
        self._redis = redis
        self._role: Role = role
        self._owner = owner
        self._ttl_ms = int(ttl_s * 1000)
        self._acquire = Script(redis, _Acquire)
        self._renew = Script(redis, _Renew)
        self._release = Script(redis, _Release)

    def acquire(self, camera_id: str, dead: Iterable[str] = ()) -> Lease | None:
        """Take a camera that has no owner or one of `dead`; return None if it has another owner."""
        names = keys.CameraKeys(camera_id)
        header = _Acquire(self._owner, self._ttl_ms, list(dead))
        token = self._acquire((names.lease(self._role), names.fence), header)
        return Lease(camera_id, self._role, self._owner, int(token)) if token else None

    def renew(self, lease: Lease) -> bool:
        """Extend a lease; return False if it is lost."""
        key = keys.CameraKeys(lease.camera_id).lease(self._role)
        return bool(self._renew((key,), _Renew(lease.value, self._ttl_ms)))

    def renew_all(self, leases: Iterable[Lease]) -> list[Lease]:
        """Extend leases in one round trip to the server; return the ones that are still held."""
        asked = list(leases)
        with self._redis.pipeline(transaction=False) as pipeline:
            for lease in asked:
                key = keys.CameraKeys(lease.camera_id).lease(self._role)
                self._renew((key,), _Renew(lease.value, self._ttl_ms), pipeline=pipeline)
            answers = pipeline.execute()
        return [lease for lease, good in zip(asked, answers, strict=True) if good]

    def release(self, lease: Lease) -> None:
        """Release a lease if it is still held."""
        key = keys.CameraKeys(lease.camera_id).lease(self._role)
        self._release((key,), _Release(lease.value))


def assign(camera_ids: Iterable[str], members: Iterable[str]) -> dict[str, set[str]]:
    """Return which member should own which cameras; every member computes the same.

    Rendezvous hashing with bounded loads: a camera goes to the member it ranks highest that
    still has room, where no member gets more than the share rounded up. A member joining or
    leaving moves few other cameras (Mirrokni et al., 2016, arXiv:1608.01350).
    """
    shares: dict[str, set[str]] = {member: set() for member in sorted(members)}
    cameras = sorted(camera_ids)
    if not shares:
        return shares
    room = math.ceil(len(cameras) / len(shares))
    for camera_id in cameras:
        ranked = sorted(shares, key=lambda member: _rank(camera_id, member))
        next(shares[member] for member in ranked if len(shares[member]) < room).add(camera_id)
    return shares


def _rank(camera_id: str, member: str) -> bytes:
    return hashlib.blake2b(f"{camera_id}\0{member}".encode(), digest_size=8).digest()


class Ownership:
    """One process's share of the cameras. Call `step` a few times per lease from one thread.

    A member that joined less than `settle_s` ago takes only cameras without an owner. Afterwards it
    also takes its share of the others' cameras.
    """

    def __init__(
        self,
        redis: Redis,
        role: Role,
        member: str,
        lease_s: float,
        settle_s: float = 0.0,
        clock: SharedClock | None = None,
    ) -> None:
        """`clock`: each step adjusts it, so that it is right before the first camera is owned."""
        self.member = member
        self._redis = redis
        self._clock = clock
        self._settle_s = settle_s
        self.interval_s = lease_s / BEATS_A_LEASE
        self._membership = Membership(redis, role, lease_s)
        self._watch = DeathWatch(redis, self._membership, member, lease_s)
        self._store = LeaseStore(redis, role, member, lease_s)
        self._wire = WireWatch(redis)
        self._held: dict[str, Lease] = {}
        self._lock = threading.Lock()

    def held(self) -> dict[str, Lease]:
        """The leases held as of the last step, by camera id. Safe from any thread."""
        with self._lock:
            return dict(self._held)

    def step(self, camera_ids: Iterable[str], details: str = "{}") -> Mapping[str, Lease]:
        """Send a heartbeat, renew leases, release the shares of others, and take our own share.

        Releasing a camera in the middle of a frame loses no frame: Redis refuses the write, and the
        next owner analyses the frame. If newer processes joined, release all cameras.
        """
        if self._wire.outdated():
            self.leave()
            return {}
        if self._clock:
            self._clock.keep(self._redis)
        living, dead = self._watch.beat(details)
        shares = assign(camera_ids, living)
        share = shares[self.member]
        unsettled = self._watch.newer_than(self._settle_s)
        # Keep them for now: the new member whose share they are may not last.
        lent = {camera_id for member in unsettled for camera_id in shares.get(member, ())}
        for lease in self._let_go(share | lent):
            self._store.release(lease)
        kept = {lease.camera_id: lease for lease in self._store.renew_all(self.held().values())}
        for camera_id in share - kept.keys():
            lease_or_none = self._store.acquire(camera_id, dead)
            if lease_or_none is not None:
                kept[camera_id] = lease_or_none
        with self._lock:
            self._held = kept
        return dict(kept)

    def _let_go(self, staying: set[str]) -> list[Lease]:
        """Hold only the cameras in `staying` from now on; return the other, unreleased leases.

        Call it before releasing them: after that, another process may own the cameras.
        """
        with self._lock:
            leaving = [lease for one, lease in self._held.items() if one not in staying]
            self._held = {one: lease for one, lease in self._held.items() if one in staying}
        return leaving

    def leave(self) -> None:
        """Release all leases and leave, so that others take over at once."""
        with self._lock:
            held, self._held = self._held, {}
        for lease in held.values():
            self._store.release(lease)
        self._membership.leave(self.member)

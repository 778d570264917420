"""Stores audits: who was drawn, what judges said, and pictures until they have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from redis import Redis

from bus.keys import AuditKeys
from bus.stores.pictures import PictureStore
from bus.stores.readable import readable
from contract.errors import QueryError
from contract.messages import Moment, StoredRecord
from contract.people.audits import (
    PICTURES_KEPT_S,
    UNDO_S,
    Audit,
    AuditFindings,
    DrawnPerson,
    Judgement,
)
from contract.people.corrected_rate import AuditCounts
from contract.people.verdicts import VERDICTS, Verdict

MOST_AUDITS: Final = 200


@dataclass(frozen=True)
class _Told(StoredRecord):
    """What an audit tells of the errors at a camera."""

    WHAT: ClassVar = "an audit's counts"
    started_at_s: Moment
    counts: AuditCounts


class AuditStore:
    """Every audit, its rows and its pictures."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._pictures = PictureStore(redis)

    def all(self) -> list[Audit]:
        """Return every audit, newest first."""
        found = readable(Audit.decode, self._redis.hvals(AuditKeys.ALL))
        return sorted(found, key=lambda audit: -audit.started_at_s)

    def get(self, audit_id: str) -> Audit | None:
        """Return one audit; None if there is none, or it cannot be read."""
        raw = self._redis.hget(AuditKeys.ALL, audit_id)
        return next(iter(readable(Audit.decode, [raw])), None) if raw else None

    def start(self, audit: Audit) -> None:
        """Store a new audit, and let workers draw people for it.

        Raises:
            QueryError: there are `MOST_AUDITS` already.
        """
        if self._redis.hlen(AuditKeys.ALL) >= MOST_AUDITS:
            raise QueryError(f"{MOST_AUDITS} audits exist, the maximum; remove one first")
        self._redis.hset(AuditKeys.ALL, audit.id, audit.encode())
        self._redis.zadd(AuditKeys.RUNNING, {audit.id: audit.ends_at_s})

    def stop(self, audit_id: str) -> None:
        """Draw nobody any more."""
        self._redis.zrem(AuditKeys.RUNNING, audit_id)

    def remove(self, audit: Audit) -> None:
        """Delete an audit, its rows and pictures. What it told of errors is forgotten too."""
        names = AuditKeys(audit.id)
        people: Any = self._redis.hkeys(names.people)
        pictures = [names.pictures(person.decode()) for person in people]
        self.stop(audit.id)
        self._redis.delete(names.people, names.judgements, names.counted, *pictures)
        self._redis.hdel(AuditKeys.ALL, audit.id)
        self._redis.hdel(AuditKeys.COUNTS, *audit.camera_ids)
        # An older audit may tell of the same cameras.
        for other in reversed(self.all()):
            if set(other.camera_ids) & set(audit.camera_ids):
                self._tell(self.findings(other))

    def forget_camera(self, camera_id: str) -> None:
        """Delete the pictures of a camera that is removed, and what is known of errors there."""
        for audit in self.all():
            if camera_id in audit.camera_ids:
                names = AuditKeys(audit.id)
                drawn = readable(DrawnPerson.decode, self._redis.hvals(names.people))
                if mine := [names.pictures(one.id) for one in drawn if one.camera_id == camera_id]:
                    self._redis.delete(*mine)
        self._redis.hdel(AuditKeys.COUNTS, camera_id)

    def running(self, now_s: float) -> list[Audit]:
        """Return the audits for which people are drawn now."""
        ids: Any = self._redis.zrangebyscore(AuditKeys.RUNNING, now_s, "+inf")
        if not ids:
            return []
        raw: Any = self._redis.hmget(AuditKeys.ALL, ids)
        return readable(Audit.decode, [one for one in raw if one])

    def add(
        self,
        audit: Audit,
        camera_id: str,
        counted: Mapping[Verdict, int],
        drawn: Sequence[tuple[DrawnPerson, Sequence[bytes]]],
    ) -> None:
        """Add people who were counted, and those of them who were drawn with their JPEGs."""
        names = AuditKeys(audit.id)
        for person, pictures in drawn:
            if pictures:
                numbered = {str(number): jpeg for number, jpeg in enumerate(pictures)}
                self._pictures.put(names.pictures(person.id), numbered, PICTURES_KEPT_S)
        # Together or not at all: who is drawn is among those counted.
        with self._redis.pipeline(transaction=True) as pipeline:
            for person, _ in drawn:
                pipeline.hset(names.people, person.id, person.encode())
            for verdict, people in counted.items():
                pipeline.hincrby(names.counted, f"{camera_id} {verdict}", people)
            pipeline.execute()
        if drawn and self._redis.hlen(names.people) >= audit.people:
            self.stop(audit.id)

    def findings(self, audit: Audit) -> AuditFindings:
        """Return who was drawn, counted and judged."""
        names = AuditKeys(audit.id)
        judgements = readable(Judgement.decode, self._redis.hvals(names.judgements))
        counted: dict[str, dict[Verdict, int]] = {}
        amounts: Any = self._redis.hgetall(names.counted)
        for raw, people in amounts.items():
            camera_id, _, name = raw.decode().partition(" ")
            verdict = next((one for one in VERDICTS if one == name), None)
            if verdict and people.isdigit():
                counted.setdefault(camera_id, {})[verdict] = int(people[:15])
        return AuditFindings(
            audit,
            tuple(readable(DrawnPerson.decode, self._redis.hvals(names.people))),
            tuple(sorted(judgements, key=lambda one: one.at_s)),
            counted,
        )

    def with_pictures(self, audit_id: str, people: Iterable[str]) -> set[str]:
        """Return those of `people` whose pictures are still there."""
        names, asked = AuditKeys(audit_id), list(people)
        with self._redis.pipeline(transaction=False) as pipeline:
            for person_id in asked:
                pipeline.exists(names.pictures(person_id))
            there = pipeline.execute()
        return {person_id for person_id, found in zip(asked, there, strict=True) if found}

    def picture(self, audit_id: str, person_id: str, number: int) -> bytes | None:
        """Return one picture, a JPEG; None if it is gone."""
        return self._pictures.get(AuditKeys(audit_id).pictures(person_id), str(number))

    def judge(self, audit: Audit, judgement: Judgement, done: bool) -> None:
        """Store an answer. Once everybody asked has answered (`done`), the pictures end soon."""
        names = AuditKeys(audit.id)
        field = f"{judgement.person_id} {judgement.judge}"
        self._redis.hset(names.judgements, field, judgement.encode())
        if done:
            self._redis.expire(names.pictures(judgement.person_id), UNDO_S)
        self._tell(self.findings(audit))

    def take_back(self, audit: Audit, person: DrawnPerson, judge: str) -> bool:
        """Delete a judge's answer; return False once the pictures are gone."""
        names = AuditKeys(audit.id)
        until_s = round(person.last_seen_s) + PICTURES_KEPT_S
        if not self._redis.expireat(names.pictures(person.id), until_s):
            return False
        self._redis.hdel(names.judgements, f"{person.id} {judge}")
        self._tell(self.findings(audit))
        return True

    def known_errors(self) -> dict[str, AuditCounts]:
        """Return what audits tell of the errors at cameras, by camera's id."""
        raw: Any = self._redis.hgetall(AuditKeys.COUNTS)
        return {
            camera_id.decode(): told.counts
            for camera_id, record in raw.items()
            for told in readable(_Told.decode, [record])
        }

    def _tell(self, findings: AuditFindings) -> None:
        """Store what an audit tells of its cameras, unless a newer one has told of them."""
        started_at_s = findings.audit.started_at_s
        for camera_id in findings.audit.camera_ids:
            raw: Any = self._redis.hget(AuditKeys.COUNTS, camera_id)
            known = readable(_Told.decode, [raw] if raw else [])
            if known and known[0].started_at_s > started_at_s:
                continue
            counts = findings.counts(camera_id)
            if counts is not None:
                told = _Told(started_at_s, counts).encode()
                self._redis.hset(AuditKeys.COUNTS, camera_id, told)
            elif known and known[0].started_at_s == started_at_s:
                # An answer was taken back, and too few are left.
                self._redis.hdel(AuditKeys.COUNTS, camera_id)

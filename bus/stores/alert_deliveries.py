"""The outbox of messages, and the log of delivery attempts.

A message stays in the outbox until it is delivered or discarded; RQ only schedules the attempts. If
RQ loses a job, or a process dies with one, `requeue` finds the message without a job and queues it
again.
"""

from __future__ import annotations

import logging
import secrets
import time
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from pydantic import ValidationError
from redis import Redis
from rq import Queue, Retry
from rq.exceptions import NoSuchJobError
from rq.job import Job

from bus.jobs.job_json import JobJson
from bus.keys import ALERTS_QUEUE, AlertKeys
from contract.alerts.alerts import Delivery
from contract.alerts.attempts import Attempt
from contract.alerts.report_schedules import ReportDue

DELIVER_JOB: Final = "alerts.delivery.deliver"
RETRY_AFTER_S: Final = (10, 30, 120, 600, 1800, 3600)
"""Pauses in seconds after each failed attempt; the message is discarded after the last one."""
JOB_TIMEOUT_S: Final = 40
LOG_KEPT: Final = 5000
LOG_KEPT_S: Final = 30 * 86400
LOST_AFTER_S: Final = 60.0


_log = logging.getLogger(__name__)


class DeliveryStore:
    """The outbox, the log, the totals, and RQ's queue."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._queue = Queue(ALERTS_QUEUE, connection=redis, serializer=JobJson)

    def start_test(self, channel_id: str) -> Delivery:
        """Queue a test message and return it. It gets one attempt."""
        delivery = Delivery(
            id=f"test{secrets.token_hex(6)}-test-{channel_id}",
            event="test",
            channel_id=channel_id,
            created_at_s=time.time(),
        )
        self._redis.hset(AlertKeys.OUTBOX, delivery.id, delivery.model_dump_json())
        self.enqueue(delivery)
        return delivery

    def enqueue(self, delivery: Delivery) -> None:
        """Queue a message in RQ, with its remaining retries."""
        pauses = RETRY_AFTER_S[delivery.attempts :] if delivery.event != "test" else ()
        enqueue = self._queue.enqueue
        if delivery.not_before_s > time.time():
            # RQ's scheduler queues the job once its moment has come.
            due = datetime.fromtimestamp(delivery.not_before_s, UTC)
            enqueue = partial(self._queue.enqueue_at, due)
        enqueue(
            DELIVER_JOB,
            delivery.id,
            job_id=delivery.id,
            retry=Retry(max=len(pauses), interval=list(pauses)) if pauses else None,
            job_timeout=JOB_TIMEOUT_S,
            result_ttl=0,
            failure_ttl=3600,
            description="deliver a message",
        )

    def start_report(self, due: ReportDue, channel_id: str) -> Delivery:
        """Queue a report that somebody wants now, and return it."""
        delivery = Delivery(
            id=f"report{due.schedule_id}-now-{secrets.token_hex(6)}",
            event="report",
            channel_id=channel_id,
            report=due,
            created_at_s=time.time(),
        )
        self._redis.hset(AlertKeys.OUTBOX, delivery.id, delivery.model_dump_json())
        self.enqueue(delivery)
        return delivery

    def withdraw_report(self, schedule_id: str, now_s: float) -> None:
        """Take back a planned report that is not due yet, so that it can be planned anew."""
        for delivery in self.waiting().values():
            due = delivery.report
            if due and due.schedule_id == schedule_id and delivery.not_before_s > now_s:
                with self._redis.pipeline(transaction=True) as pipeline:
                    pipeline.hdel(AlertKeys.OUTBOX, delivery.id)
                    pipeline.hset(AlertKeys.REPORTS_PLANNED, schedule_id, str(round(due.from_s)))
                    pipeline.execute()

    def waiting(self) -> dict[str, Delivery]:
        """Return undelivered messages by id."""
        raw: Any = self._redis.hgetall(AlertKeys.OUTBOX)
        return {d.id: d for d in map(_decode, raw.values()) if d is not None}

    def find(self, delivery_id: str) -> Delivery | None:
        """Return an undelivered message, or None."""
        raw: Any = self._redis.hget(AlertKeys.OUTBOX, delivery_id)
        return _decode(raw) if raw else None

    def requeue(self, now_s: float) -> int:
        """Queue undelivered messages that have no job; return how many."""
        waiting = self.waiting()
        queued = set(self._queue.job_ids) if waiting else set()
        lost = [
            delivery
            for delivery in waiting.values()
            if delivery.waits_for not in waiting and self._is_lost(delivery, queued, now_s)
        ]
        for delivery in lost:
            self.enqueue(delivery)
        return len(lost)

    def begin(self, delivery_id: str) -> bool:
        """Take the right to send a message; return False while another process has it."""
        name = AlertKeys.sending(delivery_id)
        return bool(self._redis.set(name, 1, ex=JOB_TIMEOUT_S + 5, nx=True))

    def settle(self, delivery: Delivery, attempt: Attempt) -> None:
        """Log an attempt and, if the message is delivered or discarded, remove it, in one step."""
        tried = delivery.model_copy(update={"attempts": attempt.attempt})
        with self._redis.pipeline(transaction=True) as pipeline:
            if attempt.outcome == "failed":
                pipeline.hset(AlertKeys.OUTBOX, delivery.id, tried.model_dump_json())
            else:
                pipeline.hdel(AlertKeys.OUTBOX, delivery.id)
            fields: dict[Any, Any] = {"attempt": attempt.model_dump_json()}
            pipeline.xadd(AlertKeys.LOG, fields, maxlen=LOG_KEPT, approximate=True)
            oldest_ms = int((attempt.at_s - LOG_KEPT_S) * 1000)
            pipeline.xtrim(AlertKeys.LOG, minid=max(0, oldest_ms), approximate=True)
            if delivery.report:
                tries, schedule_id = AlertKeys.REPORTS_TRIED, delivery.report.schedule_id
                pipeline.hset(tries, schedule_id, attempt.model_dump_json())
            if delivery.channel_id:
                pipeline.hincrby(AlertKeys.TOTALS, f"{delivery.channel_id}:{attempt.outcome}", 1)
            pipeline.delete(AlertKeys.sending(delivery.id))
            pipeline.execute()

    def log(self, most: int, end: str = "+") -> list[tuple[str, Attempt]]:
        """Return attempts and their ids, newest first; `end` as for XREVRANGE."""
        raw: Any = self._redis.xrevrange(AlertKeys.LOG, max=end, count=most)
        found = [(entry_id.decode(), _attempt(fields)) for entry_id, fields in raw]
        return [(entry_id, attempt) for entry_id, attempt in found if attempt is not None]

    def outcome_of(self, delivery_id: str) -> Attempt | None:
        """Return a message's last attempt, if it is among the newest; otherwise None."""
        return next((a for _, a in self.log(100) if a.delivery_id == delivery_id), None)

    def totals(self) -> dict[tuple[str, str], int]:
        """Return the number of attempts by channel id and outcome."""
        raw: Any = self._redis.hgetall(AlertKeys.TOTALS)
        pairs = {tuple(name.decode().split(":", 1)): int(count) for name, count in raw.items()}
        return {(channel_id, outcome): n for (channel_id, outcome), n in pairs.items()}

    def _is_lost(self, delivery: Delivery, queued: set[str], now_s: float) -> bool:
        try:
            job = Job.fetch(delivery.id, connection=self._redis, serializer=JobJson)
        except NoSuchJobError:
            return True
        status = str(getattr(job.get_status(), "value", ""))
        if status in {"scheduled", "deferred"}:
            return False
        if status == "started":
            return not self._redis.exists(AlertKeys.sending(delivery.id)) and _old(job, now_s)
        if status == "queued":
            return delivery.id not in queued and _old(job, now_s)
        return True


def _old(job: Job, now_s: float) -> bool:
    """Whether a job has not changed for so long that its process must be dead."""
    moments = [at.timestamp() for at in (job.enqueued_at, job.started_at) if at is not None]
    return now_s - max(moments, default=0.0) > LOST_AFTER_S


def _attempt(fields: dict[bytes, bytes]) -> Attempt | None:
    try:
        return Attempt.model_validate_json(fields[b"attempt"])
    except (KeyError, ValidationError):
        _log.error("an attempt in the delivery log cannot be read and is left out")
        return None


def _decode(raw: bytes) -> Delivery | None:
    try:
        return Delivery.model_validate_json(raw)
    except ValidationError:
        _log.error("a message in the outbox cannot be read and is left out")
        return None

"""Stores the schedules of reports, and plans each report once."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import ValidationError
from redis import Redis

from bus.keys import AlertKeys
from bus.scripts.script import Header, Script
from contract.alerts.alerts import Delivery
from contract.alerts.attempts import Attempt
from contract.alerts.report_schedules import MOST_SCHEDULES, ReportSchedule, changed_schedule
from contract.alerts.rules import explain
from contract.errors import AlertError
from contract.names import alike
from contract.plain_text import STORED

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Plan(Header):
    script: ClassVar = "plan_report"

    schedule_id: str
    until_s: int
    """End of the report's period."""
    delivery_id: str


class ReportScheduleStore:
    """The schedules in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._plan = Script(redis, _Plan)

    def all(self) -> list[ReportSchedule]:
        """Return every schedule by name; an unreadable one is logged and left out."""
        return sorted(self.stored(), key=lambda one: (one.name.lower(), one.id))

    def stored(self) -> Mapping[ReportSchedule, bytes]:
        """Return every readable schedule with its record."""
        found: dict[ReportSchedule, bytes] = {}
        raw: Any = self._redis.hgetall(AlertKeys.REPORTS)
        for schedule_id, record in raw.items():
            try:
                found[ReportSchedule.model_validate_json(record, context=STORED)] = record
            except ValidationError as error:
                _log.error("the report %s is left out: %s", str(schedule_id), explain(error))
        return found

    def get(self, schedule_id: str) -> ReportSchedule | None:
        """Return one schedule, or None."""
        return next((one for one in self.all() if one.id == schedule_id), None)

    def add(self, schedule: ReportSchedule) -> None:
        """Store a new schedule; raise `AlertError` for a taken name, or too many schedules."""
        others = self.all()
        if len(others) >= MOST_SCHEDULES:
            raise AlertError(f"{MOST_SCHEDULES} reports exist, the maximum; remove one first")
        self._store(schedule, others)

    def update(self, schedule: ReportSchedule, **changes: Any) -> ReportSchedule:
        """Change some fields; raise `AlertError` for an invalid value.

        Withdraw its planned message afterwards (`DeliveryStore.withdraw_report`).
        """
        changed = changed_schedule({**schedule.model_dump(), **changes})
        self._store(changed, self.all())
        return changed

    def remove(self, schedule_id: str) -> None:
        """Remove a schedule, and what is known about its sendings."""
        for name in (AlertKeys.REPORTS, AlertKeys.REPORTS_PLANNED, AlertKeys.REPORTS_TRIED):
            self._redis.hdel(name, schedule_id)

    def plan(self, record: bytes, delivery: Delivery) -> bool:
        """Put a report into the outbox in one step; return False if that was done before.

        `record`: the schedule as `stored` returned it. If it has changed, nothing is planned.
        """
        due = delivery.report
        if due is None:
            raise ValueError("only reports are planned")
        header = _Plan(due.schedule_id, round(due.to_s), delivery.id)
        keys = (AlertKeys.REPORTS, AlertKeys.REPORTS_PLANNED, AlertKeys.OUTBOX)
        return bool(self._plan(keys, header, record, delivery.model_dump_json().encode()))

    def tried(self) -> dict[str, Attempt]:
        """Return the last attempt to send each schedule's report, by the schedule's id."""
        found: dict[str, Attempt] = {}
        raw: Any = self._redis.hgetall(AlertKeys.REPORTS_TRIED)
        for schedule_id, record in raw.items():
            try:
                found[schedule_id.decode()] = Attempt.model_validate_json(record)
            except ValidationError:
                _log.error("the last attempt to send a report cannot be read and is left out")
        return found

    def _store(self, schedule: ReportSchedule, others: list[ReportSchedule]) -> None:
        # As with alert rules: whoever reads of a clash may see the other one.
        same = [one for one in others if one.group == schedule.group and one.id != schedule.id]
        if any(alike(one.name) == alike(schedule.name) for one in same):
            raise AlertError(f"name: another report already has the name {schedule.name!r}")
        self._redis.hset(AlertKeys.REPORTS, schedule.id, schedule.model_dump_json())

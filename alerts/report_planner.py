"""Plans the next report of each schedule. RQ's scheduler starts its delivery when it is due."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from zoneinfo import ZoneInfo

from bus.stores.alert_deliveries import DeliveryStore
from bus.stores.report_schedules import ReportScheduleStore
from contract.alerts.alerts import Delivery
from contract.alerts.report_schedules import ReportSchedule
from reports.span import due_of, last_whole, next_due_s

_log = logging.getLogger(__name__)


class ReportPlanner:
    """Puts the next report of each schedule into the outbox, once. Several may run."""

    def __init__(
        self,
        schedules: ReportScheduleStore,
        deliveries: DeliveryStore,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._schedules = schedules
        self._deliveries = deliveries
        self._clock = clock

    def step(self) -> None:
        """Plan what is not planned yet. Raises `StoreError`."""
        now_s = self._clock()
        for schedule, record in self._schedules.stored().items():
            if not schedule.enabled:
                continue
            delivery = next_delivery(schedule, now_s)
            if self._schedules.plan(record, delivery):
                self._deliveries.enqueue(delivery)
                _log.info("report planned: %s, %s", schedule.name, schedule.sent_words())


def next_delivery(schedule: ReportSchedule, now_s: float) -> Delivery:
    """Return the message about the week or month that is over when the schedule is next due."""
    zone = ZoneInfo(schedule.tz)
    due_s = next_due_s(schedule.kind, schedule.clock, zone, now_s)
    return Delivery(
        id=f"report{schedule.id}-{due_s:.0f}",
        event="report",
        channel_id=schedule.channel_id,
        report=due_of(schedule, last_whole(schedule.kind, due_s, zone)),
        not_before_s=due_s,
        created_at_s=due_s,
    )

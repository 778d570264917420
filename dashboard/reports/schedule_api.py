"""Schedules of reports as JSON."""

from __future__ import annotations

import time
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import Blueprint, url_for
from werkzeug.exceptions import Forbidden, NotFound

from bus.stores.alert_rules import refuse_unknown
from contract.alerts.attempts import Attempt
from contract.alerts.channels import EmailChannel
from contract.alerts.report_schedules import SCHEDULE_CHANGEABLE, ReportSchedule, make_schedule
from contract.errors import AlertError
from dashboard.accounts.access import audit, audit_change, identity, require_group, requires
from dashboard.reports.answers import (
    NewSchedule,
    ScheduleAnswer,
    ScheduleChange,
    SchedulesAnswer,
    SendingAnswer,
    SentAnswer,
)
from dashboard.services import services
from dashboard.web.answering import Answer, answers
from dashboard.web.requests import json_object
from reports.span import due_of, last_whole, next_due_s

SEND_WAIT_S: Final = 20.0
LOOK_EVERY_S: Final = 0.2
NO_PROCESS: Final = "No alerts process has taken it yet. Start one with `maskwatch alerts`."

blueprint = Blueprint("schedule_api", __name__, url_prefix="/api/v1/reports/schedules")


@blueprint.get("")
@requires("viewer")
@answers()
def schedules() -> SchedulesAnswer:
    """Return the schedules of reports about cameras that you may see, by name."""
    tried = services().schedules.tried()
    found = [_answer(one, tried.get(one.id)) for one in visible_schedules()]
    return SchedulesAnswer(schedules=found, sent=services().alerts.evaluator_lives())


@blueprint.post("")
@requires("operator")
@answers(201, body=NewSchedule)
def add() -> Answer[ScheduleAnswer]:
    """Create a schedule: a report of a group or of all cameras, after each week or month."""
    made = keep_new_schedule(json_object())
    where = url_for("schedule_api.schedule", schedule_id=made.id)
    return Answer(_answer(made, None), headers={"Location": where})


@blueprint.get("/<schedule_id>")
@requires("viewer")
@answers()
def schedule(schedule_id: str) -> ScheduleAnswer:
    """Return a schedule."""
    found = find_schedule(schedule_id)
    return _answer(found, services().schedules.tried().get(found.id))


@blueprint.patch("/<schedule_id>")
@requires("operator")
@answers(body=ScheduleChange)
def change(schedule_id: str) -> ScheduleAnswer:
    """Change fields of a schedule."""
    changed = change_schedule(find_schedule(schedule_id), json_object())
    return _answer(changed, services().schedules.tried().get(changed.id))


@blueprint.delete("/<schedule_id>")
@requires("operator")
@answers()
def remove(schedule_id: str) -> None:
    """Remove a schedule. Its next report is not sent."""
    remove_schedule(find_schedule(schedule_id))


@blueprint.post("/<schedule_id>/send")
@requires("operator")
@answers(also={202: "No alerts process has taken the report yet."})
def send(schedule_id: str) -> Answer[SentAnswer]:
    """Send the report of the last whole week or month now, and return the first outcome."""
    found = send_now(find_schedule(schedule_id))
    return Answer(found, 202 if found.outcome == "waiting" else 200)


def visible_schedules() -> list[ReportSchedule]:
    """Return the schedules about cameras that the client may see."""
    return [one for one in services().schedules.all() if _may_see(one)]


def find_schedule(schedule_id: str) -> ReportSchedule:
    """Return a schedule that the client may see; raise 404 for others."""
    for one in visible_schedules():
        if one.id == schedule_id:
            return one
    raise NotFound("no report has this id")


def may_change(schedule: ReportSchedule) -> bool:
    """Whether the client operates all cameras of the schedule."""
    grants = identity().grants
    if schedule.group:
        return grants.allow("operator", schedule.group)
    return grants.allow_everywhere("operator")


def require_schedule(schedule: ReportSchedule) -> None:
    """Raise 403 unless the client may change the schedule."""
    if not may_change(schedule):
        raise Forbidden("this report is about cameras that you may not change")


def keep_new_schedule(fields: dict[str, Any]) -> ReportSchedule:
    """Save a schedule made of `fields`; raises 403 and `AlertError`."""
    refuse_unknown(fields, SCHEDULE_CHANGEABLE)
    made = make_schedule(**fields)
    _require_scope(made)
    services().schedules.add(made)
    audit("scheduled a report", f"{made.name}: {', '.join(made.to)}")
    return made


def change_schedule(before: ReportSchedule, changes: dict[str, Any]) -> ReportSchedule:
    """Change a schedule. The client needs rights for the old and for the new cameras."""
    require_schedule(before)
    refuse_unknown(changes, SCHEDULE_CHANGEABLE)
    fields = {name: getattr(before, name) for name in SCHEDULE_CHANGEABLE} | changes
    _require_scope(make_schedule(**fields), was=before)
    after = services().schedules.update(before, **changes)
    services().deliveries.withdraw_report(after.id, services().clock())
    audit_change("changed a report's schedule", after.name, changes, before, after)
    return after


def remove_schedule(schedule: ReportSchedule) -> None:
    """Remove a schedule and its planned report; raises 403."""
    require_schedule(schedule)
    services().deliveries.withdraw_report(schedule.id, services().clock())
    services().schedules.remove(schedule.id)
    audit("removed a report's schedule", schedule.name)


def send_now(schedule: ReportSchedule) -> SentAnswer:
    """Send the last whole week or month, and wait a moment for the outcome; raises 403."""
    require_schedule(schedule)
    audit("sent a report", f"{schedule.name}: {', '.join(schedule.to)}")
    span = last_whole(schedule.kind, services().clock(), ZoneInfo(schedule.tz))
    deliveries = services().deliveries
    sent = deliveries.start_report(due_of(schedule, span), schedule.channel_id)
    until = time.monotonic() + SEND_WAIT_S
    while time.monotonic() < until:
        if (found := deliveries.outcome_of(sent.id)) is not None:
            return SentAnswer(outcome=found.outcome, words=found.words)
        time.sleep(LOOK_EVERY_S)
    return SentAnswer(outcome="waiting", words=NO_PROCESS)


def next_due(schedule: ReportSchedule) -> float | None:
    """Return when a schedule's next report is due; None while it is off."""
    if not schedule.enabled:
        return None
    now_s = services().clock()
    return next_due_s(schedule.kind, schedule.clock, ZoneInfo(schedule.tz), now_s)


def _may_see(schedule: ReportSchedule) -> bool:
    grants = identity().grants
    if schedule.group:
        return grants.allow("viewer", schedule.group)
    return grants.allow_everywhere("viewer")


def _require_scope(wanted: ReportSchedule, was: ReportSchedule | None = None) -> None:
    if wanted.group:
        require_group("operator", wanted.group)
    elif not identity().grants.allow_everywhere("operator"):
        raise Forbidden("a report of all cameras needs the role operator for all; name a group")
    if was is not None and wanted.channel_id == was.channel_id:
        return
    if not isinstance(services().channels.get(wanted.channel_id), EmailChannel):
        raise AlertError(f"channel_id: no e-mail channel has the id {wanted.channel_id[:40]!r}")


def _answer(schedule: ReportSchedule, tried: Attempt | None) -> ScheduleAnswer:
    return ScheduleAnswer(
        **dict(schedule),
        words=schedule.sent_words(),
        next_due_s=next_due(schedule),
        last=SendingAnswer.model_validate(tried) if tried else None,
        may_change=may_change(schedule),
    )

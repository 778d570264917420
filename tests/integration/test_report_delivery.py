"""Reports by e-mail: planned by local clocks, sent once by several processes to a real server."""

from __future__ import annotations

import csv
import io
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from redis import Redis
from rq import Queue
from rq.registry import ScheduledJobRegistry
from rq.serializers import JSONSerializer

from alerts.delivery import make_postman
from alerts.report_planner import ReportPlanner, next_delivery
from bus.bus import Bus
from bus.keys import ALERTS_QUEUE
from contract.alerts.alerts import Delivery
from contract.alerts.report_schedules import ReportSchedule, make_schedule
from contract.errors import AlertError, ChannelError
from reports.span import due_of, last_whole
from tests.alerts import add_email, add_webhook, alerts_process
from tests.builders import add_camera
from tests.e2e.past import write_past
from tests.secret_key import vault
from tests.servers.http import closed_port
from tests.servers.ingest_process import eventually
from tests.servers.mail import mail_server

TO = ("control@example.org", "management@example.org")


def add_schedule(redis: Redis, channel_id: str, **more: Any) -> ReportSchedule:
    fields = {"name": "Weekly", "channel_id": channel_id, "to": TO, "tz": "Europe/Berlin", **more}
    made = make_schedule(**fields)
    Bus(redis).report_schedules.add(made)
    return made


def planner_at(redis: Redis, now_s: float) -> ReportPlanner:
    bus = Bus(redis)
    return ReportPlanner(bus.report_schedules, bus.alert_deliveries, lambda: now_s)


def waiting(redis: Redis) -> list[Delivery]:
    return list(Bus(redis).alert_deliveries.waiting().values())


def at(text: str, zone: str = "Europe/Berlin") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def send_now(redis: Redis, schedule: ReportSchedule) -> str:
    """Try to send the last report once; return what the schedule's page will say."""
    span = last_whole(schedule.kind, time.time(), ZoneInfo(schedule.tz))
    bus = Bus(redis, vault())
    sent = bus.alert_deliveries.start_report(due_of(schedule, span), schedule.channel_id)
    with suppress(ChannelError):
        make_postman(bus).attempt(sent.id)
    return bus.report_schedules.tried()[schedule.id].words


# --- planned


def test_a_report_is_planned_once_however_many_processes_plan(redis: Redis) -> None:
    schedule, now_s = add_schedule(redis, "c1"), at("2035-11-28T12:00")
    for _ in range(2):
        planner_at(redis, now_s).step()
        planner_at(redis, now_s + 3).step()
    [delivery] = waiting(redis)
    assert delivery.report is not None
    assert (delivery.report.schedule_id, delivery.report.span) == (schedule.id, "2035-W48")
    assert delivery.not_before_s == at("2035-12-03T06:00")
    queue = Queue(ALERTS_QUEUE, connection=redis, serializer=JSONSerializer)
    scheduled = ScheduledJobRegistry(queue=queue)
    assert scheduled.get_job_ids() == [delivery.id]
    assert scheduled.get_scheduled_time(delivery.id).timestamp() == delivery.not_before_s
    assert Bus(redis).alert_deliveries.requeue(now_s) == 0, "a planned message is not lost"


def test_a_clock_that_is_behind_plans_no_second_one_after_it_was_sent(redis: Redis) -> None:
    add_schedule(redis, "gone")
    planner_at(redis, at("2035-12-03T05:59:58")).step()
    [first] = waiting(redis)
    make_postman(Bus(redis, vault())).attempt(first.id)
    assert waiting(redis) == []
    planner_at(redis, at("2035-12-03T05:59:59")).step()
    assert waiting(redis) == []
    planner_at(redis, at("2035-12-03T06:00:01")).step()
    [following] = waiting(redis)
    assert following.report is not None
    assert following.report.span == "2035-W49"


@pytest.mark.parametrize(
    ("kind", "after", "span", "hours"),
    [
        # Clocks go forward on 27 March 2033 and back on 30 October 2033, both Sundays.
        ("week", "2033-03-24T12:00", "2033-W12", 167),
        ("week", "2033-10-27T12:00", "2033-W43", 169),
        ("month", "2033-03-24T12:00", "2033-03", 743),
        ("month", "2033-10-24T12:00", "2033-10", 745),
    ],
)
def test_a_report_covers_whole_local_days_across_a_clock_change(
    kind: str, after: str, span: str, hours: int
) -> None:
    schedule = make_schedule(
        name="x", kind=kind, channel_id="c", to=TO, at="02:30", tz="Europe/Berlin"
    )
    delivery = next_delivery(schedule, at(after))
    due = delivery.report
    assert due is not None
    assert (due.span, (due.to_s - due.from_s) / 3600) == (span, hours)
    assert datetime.fromtimestamp(delivery.not_before_s, ZoneInfo("Europe/Berlin")).hour == 2
    assert next_delivery(schedule, delivery.not_before_s).report.from_s == due.to_s  # type: ignore[union-attr]


def test_a_changed_schedule_is_planned_anew_and_a_disabled_one_not(redis: Redis) -> None:
    bus, now_s = Bus(redis), at("2035-11-28T12:00")
    schedule = add_schedule(redis, "c1")
    planner_at(redis, now_s).step()
    later = bus.report_schedules.update(schedule, at="08:00")
    bus.alert_deliveries.withdraw_report(schedule.id, now_s)
    planner_at(redis, now_s).step()
    assert [one.not_before_s for one in waiting(redis)] == [at("2035-12-03T08:00")]
    bus.report_schedules.update(later, enabled=False)
    bus.alert_deliveries.withdraw_report(schedule.id, now_s)
    planner_at(redis, now_s).step()
    assert waiting(redis) == []


def test_a_schedule_that_changes_while_it_is_planned_is_not_planned(redis: Redis) -> None:
    bus = Bus(redis)
    schedule = add_schedule(redis, "c1")
    [(read, record)] = bus.report_schedules.stored().items()
    bus.report_schedules.update(schedule, at="08:00")
    assert not bus.report_schedules.plan(record, next_delivery(read, at("2035-11-28T12:00")))
    assert waiting(redis) == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"to": ()}, "to"),
        ({"to": ("nobody",)}, "control@example.org"),
        ({"at": "25:00"}, "at"),
        ({"tz": "Mars"}, "IANA time zone"),
        ({"kind": "year"}, "kind"),
        ({"name": "a\nb"}, "name"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(AlertError, match=words):
        make_schedule(**{"name": "x", "channel_id": "c", "to": TO, **fields})


# --- sent


def test_several_people_get_the_text_the_pdf_and_the_csv(redis: Redis) -> None:
    write_past(redis, add_camera(redis, "Gate B12 ü", group="Terminal 2"))
    write_past(redis, add_camera(redis, "Elsewhere", group="Terminal 1"))
    with mail_server() as server:
        channel = add_email(redis, server.port)
        schedule = add_schedule(redis, channel.id, group="Terminal 2")
        words = send_now(redis, schedule)
    assert words == "Accepted by the mail server for control@example.org, management@example.org."
    assert server.recipients == [list(TO)]
    [mail] = server.messages
    assert mail["Subject"].startswith("Mask report: week ")
    assert mail["Subject"].endswith(", Terminal 2")
    text = mail.get_body(("plain",)).get_content()
    for said in ("Mask rate: ", "Unreliable picture: ", "Not analysed: ", "Not audited: "):
        assert said in text
    pdf, table = mail.iter_attachments()
    assert pdf.get_content_type() == "application/pdf"
    assert pdf.get_content().startswith(b"%PDF-")
    assert table.get_filename().startswith("Terminal 2 ")
    rows = list(csv.DictReader(io.StringIO(table.get_content())))
    assert [row["camera"] for row in rows if row["row"] == "camera"] == ["Gate B12 ü"]


def test_two_processes_send_a_due_report_once(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    write_past(redis, add_camera(redis, "Gate"))
    bus = Bus(redis)
    with mail_server() as server:
        channel = add_email(redis, server.port)
        schedule = add_schedule(redis, channel.id)
        [(read, record)] = bus.report_schedules.stored().items()
        due_s = time.time() + 3
        span = last_whole("week", due_s, ZoneInfo(read.tz))
        due = {"id": "soon", "report": due_of(read, span), "not_before_s": due_s}
        soon = next_delivery(read, due_s).model_copy(update=due)
        assert bus.report_schedules.plan(record, soon)
        bus.alert_deliveries.enqueue(soon)
        log = tmp_path / "log"
        with alerts_process(redis_url, log), alerts_process(redis_url, log):
            assert eventually(lambda: bus.report_schedules.tried().get(schedule.id), 90)
            # By now the next week is planned, and nothing of this one waits.
            assert eventually(lambda: [d.id for d in waiting(redis)] not in ([], ["soon"]), 60)
            time.sleep(3)
    assert len(server.messages) == 1, log.read_text()[-3000:]
    assert bus.report_schedules.tried()[schedule.id].outcome == "delivered"
    [planned] = waiting(redis)
    assert planned.report is not None
    assert planned.report.from_s == soon.report.to_s  # type: ignore[union-attr]


# --- not sent


def test_a_failed_report_says_why_and_waits_to_be_tried_again(redis: Redis) -> None:
    add_camera(redis, "Gate")
    channel = add_email(redis, closed_port())
    schedule = add_schedule(redis, channel.id)
    assert "Not delivered: no server listens there" in send_now(redis, schedule)
    attempt = Bus(redis).report_schedules.tried()[schedule.id]
    assert (attempt.event, attempt.outcome, attempt.rule) == ("report", "failed", "Weekly")
    [again] = waiting(redis)
    assert again.attempts == 1


def test_what_cannot_be_sent_says_why(redis: Redis) -> None:
    channel = add_email(redis, closed_port())
    empty = add_schedule(redis, channel.id, name="Empty", group="Nowhere")
    assert "there is no camera to report about" in send_now(redis, empty)
    hook = add_webhook(redis, "http://127.0.0.1:9/")
    wrong = add_schedule(redis, hook.id, name="Wrong")
    assert "reports go through an e-mail channel" in send_now(redis, wrong)
    gone = add_schedule(redis, "gone", name="Gone")
    assert send_now(redis, gone) == "The channel was removed."

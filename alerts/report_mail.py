"""Makes and sends the e-mail of a report: its first page as text, the PDF and the CSV."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from zoneinfo import ZoneInfo

from alerts import smtp
from bus.stores.audits import AuditStore
from bus.stores.cameras import CameraRoster
from bus.stores.history import HistoryStore
from bus.stores.report_schedules import ReportScheduleStore
from contract.alerts.alerts import Delivery
from contract.alerts.channels import EmailChannel
from contract.alerts.report_schedules import ReportDue, ReportSchedule
from contract.errors import ChannelError, HistoryNotSummedError, QueryError
from contract.plain_text import cleaned
from reports.csv_form import report_csv
from reports.document import PeriodReport, make_period_report
from reports.pdf import report_pdf
from reports.span import parse_span
from reports.words import corrected_words, everyone, interval_words, percent_words


class ReportMail:
    """Sends reports with a schedule's present recipients."""

    def __init__(
        self,
        schedules: ReportScheduleStore,
        roster: CameraRoster,
        history: HistoryStore,
        audits: AuditStore,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._schedules = schedules
        self._roster = roster
        self._history = history
        self._audits = audits
        self._clock = clock

    def schedule_of(self, due: ReportDue) -> ReportSchedule | None:
        """Return the schedule; None if it was removed."""
        return self._schedules.get(due.schedule_id)

    def send(self, delivery: Delivery, schedule: ReportSchedule, channel: EmailChannel) -> str:
        """Send the report and return the server's answer in plain words.

        Raises:
            ChannelError: the report could not be made, or was accepted for no recipient.
        """
        to_them = channel.model_copy(update={"to": schedule.to})
        return smtp.send(
            to_them, report_message(delivery, self._report(delivery, schedule), to_them)
        )

    def _report(self, delivery: Delivery, schedule: ReportSchedule) -> PeriodReport:
        due = delivery.report
        if due is None:
            raise ValueError("this message has no report")
        cameras = [
            camera
            for camera in self._roster.cameras()
            if not camera.owner and schedule.group in {"", camera.group}
        ]
        if not cameras:
            raise ChannelError("there is no camera to report about")
        span, zone = parse_span(due.span), ZoneInfo(schedule.tz)
        now_s = max(self._clock(), due.to_s)
        try:
            errors = self._audits.known_errors()
            return make_period_report(
                self._history, cameras, errors, span, schedule.group, zone, now_s
            )
        except (QueryError, HistoryNotSummedError) as error:
            raise ChannelError(f"the report could not be made: {error}") from error


def report_message(delivery: Delivery, report: PeriodReport, channel: EmailChannel) -> EmailMessage:
    """Return the e-mail. Its Message-ID is the same for every attempt."""
    message = EmailMessage()
    message["From"], message["To"] = channel.sender, ", ".join(channel.to)
    message["Subject"] = cleaned(f"{report.title}, {report.scope}")
    message["Date"] = format_datetime(datetime.fromtimestamp(delivery.created_at_s, UTC))
    message["Message-ID"] = f"<{delivery.id}@{channel.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n".join(_lines(report)) + "\n")
    stem = cleaned(report.file_stem).replace("/", "-")
    message.add_attachment(
        report_pdf(report), maintype="application", subtype="pdf", filename=f"{stem}.pdf"
    )
    message.add_attachment(report_csv(report), subtype="csv", filename=f"{stem}.csv")
    return message


def _lines(report: PeriodReport) -> Iterator[str]:
    summary = report.summary
    yield f"{report.title}"
    yield f"{report.scope}, {report.span.days_words()} ({report.zone})"
    yield ""
    if summary.period.is_gap:
        yield f"No camera was analysed in this {report.span.kind}."
    else:
        rate, better = summary.period.rate, summary.corrected
        yield f"People counted: {everyone(summary.period):,}"
        interval = f" ({interval_words(rate)}, n = {rate.people:,})" if rate.people else ""
        yield f"Mask rate: {percent_words(rate.rate)}{interval}"
        if better.rate is not None:
            yield f"Corrected rate: {percent_words(better.rate)} ({corrected_words(better)})"
    yield ""
    yield "What limits these figures"
    for limit in report.limits():
        yield f"- {limit.title}: {limit.words}"
    yield ""
    yield "The PDF has each day, group and camera; the CSV is for spreadsheets."

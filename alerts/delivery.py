"""The RQ job that delivers one message: one attempt each time RQ runs it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from alerts import smtp, webhook
from alerts.messages import mail, webhook_body
from alerts.report_mail import ReportMail
from bus.bus import Bus
from bus.jobs.running_job import JobTimeoutError, require_running_job
from bus.stores.alert_channels import ChannelStore
from bus.stores.alert_deliveries import JOB_TIMEOUT_S, RETRY_AFTER_S, DeliveryStore
from contract.alerts.alerts import Delivery
from contract.alerts.attempts import Attempt, Outcome
from contract.alerts.channels import EmailChannel, WebhookChannel
from contract.alerts.report_schedules import ReportDue
from contract.errors import ChannelError
from runtime.settings import load_settings
from runtime.vault import Vault

AnyChannel = WebhookChannel | EmailChannel
_log = logging.getLogger(__name__)


def deliver(delivery_id: str) -> None:
    """Try to deliver a message from the outbox. This is the RQ job.

    Raises:
        ChannelError: the receiver did not accept it; RQ tries again.
    """
    vault = Vault(load_settings().where_the_secret_key_is)
    bus = require_running_job("deliver", vault).bus
    make_postman(bus).attempt(delivery_id)


def make_postman(bus: Bus) -> Postman:
    """Return a postman over the stores of `bus`."""
    reports = ReportMail(bus.report_schedules, bus.roster, bus.history(), bus.audits)
    return Postman(bus.alert_deliveries, bus.alert_channels, reports)


class Postman:
    """Delivers messages and records each attempt."""

    def __init__(
        self,
        deliveries: DeliveryStore,
        channels: ChannelStore,
        reports: ReportMail,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._deliveries = deliveries
        self._channels = channels
        self._reports = reports
        self._clock = clock

    def attempt(self, delivery_id: str) -> None:
        """Try once, unless the message is delivered, must wait, or another process has it.

        A message that is not delivered then has no job, so the evaluator queues it again.

        Raises:
            ChannelError: the receiver did not accept it; try again.
        """
        delivery = self._deliveries.find(delivery_id)
        if delivery is None or not self._is_its_turn(delivery):
            return
        if not self._deliveries.begin(delivery.id):
            return
        # Another process may have delivered it between `find` and `begin`.
        if self._deliveries.find(delivery_id) is None:
            return
        outcome, words, name = self._try(delivery)
        attempt = self._noted(delivery, outcome, words, name)
        self._deliveries.settle(delivery, attempt)
        log = _log.info if outcome == "delivered" else _log.warning
        log("%s by %s, attempt %d: %s", outcome, name, attempt.attempt, words)
        if outcome == "failed":
            raise ChannelError(words)

    def _is_its_turn(self, delivery: Delivery) -> bool:
        return not delivery.waits_for or self._deliveries.find(delivery.waits_for) is None

    def _try(self, delivery: Delivery) -> tuple[Outcome, str, str]:
        """Return the outcome, its description, and the channel's name."""
        channel = self._channels.get(delivery.channel_id)
        if channel is None:
            return self._without_channel(delivery)
        if delivery.report and self._reports.schedule_of(delivery.report) is None:
            return "given_up", "The report's schedule was removed.", channel.name
        try:
            return "delivered", self._send(delivery, channel), channel.name
        except ChannelError as error:
            words = f"Not delivered: {error}."
        except JobTimeoutError:
            words = f"Not delivered: no answer within {JOB_TIMEOUT_S} s."
        except Exception as error:
            # The loop's edge: our own error must not stop the retries, and must be logged.
            _log.error("a message could not be sent", exc_info=error)
            words = "Not sent: internal error. See the log of the alerts process."
        return self._failed(delivery), words, channel.name

    def _without_channel(self, delivery: Delivery) -> tuple[Outcome, str, str]:
        name = self._channels.names().get(delivery.channel_id)
        if name is None:
            return "given_up", "The channel was removed.", "removed channel"
        words = "Not sent: this key file cannot decrypt the channel's secrets."
        return self._failed(delivery), words, name

    def _failed(self, delivery: Delivery) -> Outcome:
        last = delivery.event == "test" or delivery.attempts >= len(RETRY_AFTER_S)
        return "given_up" if last else "failed"

    def _send(self, delivery: Delivery, channel: AnyChannel) -> str:
        if delivery.report:
            return self._send_report(delivery, delivery.report, channel)
        if isinstance(channel, WebhookChannel):
            body = webhook_body(delivery)
            return webhook.post(channel, delivery.id, body, self._clock())
        return smtp.send(channel, mail(delivery, channel))

    def _send_report(self, delivery: Delivery, due: ReportDue, channel: AnyChannel) -> str:
        schedule = self._reports.schedule_of(due)
        if schedule is None or not isinstance(channel, EmailChannel):
            raise ChannelError("reports go through an e-mail channel")
        return self._reports.send(delivery, schedule, channel)

    def _noted(self, delivery: Delivery, outcome: Outcome, words: str, name: str) -> Attempt:
        alert, report = delivery.alert, delivery.report
        return Attempt(
            at_s=self._clock(),
            delivery_id=delivery.id,
            event=delivery.event,
            channel_id=delivery.channel_id,
            channel=name,
            camera_id=alert.camera_id if alert else "",
            camera=alert.camera if alert else "",
            group=alert.group if alert else report.group if report else "",
            rule=alert.rule if alert else report.schedule if report else "",
            attempt=delivery.attempts + 1,
            outcome=outcome,
            words=words,
        )
